/* test_world: what a test says of the world, into the recorded one. */
#include <time.h>

#include "engine/cli/ruletest.h"

/* The moment of a date in the time zone that is set. */
static double
moment(struct str s)
{
	struct tm tm = { .tm_isdst = -1 };
	int v[6] = { 0 };
	size_t i, k = 0;

	for (i = 0; i < s.n && k < 6; i++)
		if (s.p[i] >= '0' && s.p[i] <= '9')
			v[k] = v[k] * 10 + (s.p[i] - '0');
		else
			k++;
	tm.tm_year = v[0] - 1900;
	tm.tm_mon = v[1] - 1;
	tm.tm_mday = v[2];
	tm.tm_hour = v[3];
	tm.tm_min = v[4];
	tm.tm_sec = v[5];
	return (double)mktime(&tm);
}

static void
set_input(struct arena *a, struct recorded *w, const struct test_step *s)
{
	struct buf b;
	size_t i;

	buf_init(&b, a->mem);
	for (i = 0; i < s->ntext; i++) {
		buf_str(&b, s->text[i]);
		if (!str_ends(s->text[i], "\n"))
			buf_putc(&b, '\n');
	}
	recorded_set_input(w, buf_view(&b));
	buf_free(&b);
}

static void
set_command(struct arena *a, struct recorded *w, const struct test_step *s)
{
	struct recorded_answer *answer;
	struct buf b;
	size_t i;

	answer = arena_alloc(a, s->nanswer * sizeof *answer);
	for (i = 0; i < s->nanswer; i++) {
		answer[i].text = s->answer[i].text;
		answer[i].status = s->answer[i].status;
		if (answer[i].text.n == 0 || str_ends(answer[i].text, "\n"))
			continue;
		buf_init(&b, a->mem);
		buf_str(&b, answer[i].text);
		buf_putc(&b, '\n');
		answer[i].text = arena_dup(a, buf_view(&b));
		buf_free(&b);
	}
	recorded_command(w, s->pattern ? s->text[0] : test_squeeze(a,
	    s->text[0]), s->pattern, answer, s->nanswer);
}

static void
set_file(struct recorded *w, const struct test_step *s)
{
	struct recorded_file file = { .path = s->text[0] };

	file.gone = s->word == TEST_NOFILE;
	file.type = s->item_text[ITEM_TYPE];
	file.content = s->item_text[ITEM_CONTENT];
	file.owner = s->item_text[ITEM_OWNER];
	file.group = s->item_text[ITEM_GROUP];
	file.size = s->item[ITEM_SIZE];
	file.mode = s->item[ITEM_MODE];
	file.links = s->item[ITEM_LINKS];
	file.mtime = num_none(s->item[ITEM_AGE]) ? NUM_NIL :
	    recorded_clock(w) - s->item[ITEM_AGE];
	recorded_file(w, &file);
}

void
test_world(struct arena *a, struct recorded *w, const struct test_step *s)
{
	static const enum fact fact[TEST_FACT_COUNT] = {
#define TF(id, word, key) FACT_##id,
#include "lang/table/tests.def"
#undef TF
	};

	switch (s->word) {
	case TEST_NOW:
		recorded_set_clock(w, s->ntext > 0 ? moment(s->text[0]) :
		    s->number);
		break;
	case TEST_LATER:
		recorded_set_clock(w, recorded_clock(w) + s->number);
		break;
	case TEST_INPUT:
		set_input(a, w, s);
		break;
	case TEST_COMMAND:
		set_command(a, w, s);
		break;
	case TEST_FILE:
	case TEST_NOFILE:
		set_file(w, s);
		break;
	case TEST_TABLE:
		recorded_table(w, s->table, s->column, s->ncolumn, s->text,
		    s->ntext / s->ncolumn);
		break;
	case TEST_CONTACT:
		recorded_contact(w, s->text[0], s->number, s->ntext > 1 ?
		    s->text[1] : STR_EMPTY);
		break;
	case TEST_FACT:
		recorded_fact(w, fact[s->fact], s->text[0], s->text[1]);
		break;
	case TEST_SURVIVOR:
		recorded_survivor(w, s->text[0], s->text[1], s->text[2]);
		break;
	default:	/* it holds for the whole test */
		break;
	}
}
