/* world: the words that say what there is. */
#include "lang/test/reader.h"

#include <stdio.h>

#define LIM_COLUMNS	64	/* no table has so many */

enum item_kind { K_TEXT, K_NAME, K_SIZE, K_MODE, K_DURATION, K_NUMBER };

static const struct {
	const char	*word;
	enum item_kind	 kind;
} item[ITEM_COUNT] = {
#define TA(id, word, kind, meaning) { word, kind },
#include "lang/table/tests.def"
#undef TA
};
static const bool fact_has_key[TEST_FACT_COUNT] = {
#define TF(id, word, key) key,
#include "lang/table/tests.def"
#undef TF
};
static const char *const file_type[] = { "file", "dir", "link", "fifo",
    "socket", "block", "char" };

#define COUNT(a)	(sizeof (a) / sizeof *(a))

static bool
one_of(struct str s, const char *const *list, size_t n)
{
	while (n-- > 0)
		if (str_eq(s, str_c(list[n])))
			return true;
	return false;
}

/* The names of scripts, up to the next word: at least one. */
static bool
names(struct reader *r)
{
	struct str s;

	if (!take_name(r, &s) || !add_text(r, s))
		return false;
	/* more stand on the same line: the next line's word is a new one */
	while ((r->k.t.kind == TOKEN_WORD || r->k.t.kind == TOKEN_TEXT) &&
	    memchr(r->k.src->text.p + r->k.before.at, '\n', r->k.t.span.at -
	    r->k.before.at) == NULL && !begins_step(r)) {
		(void)take_name(r, &s);
		if (!add_text(r, s))
			return false;
	}
	return true;
}

static bool
two_digits(const char *p, int lo, int hi)
{
	int v;

	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return false;
	v = (p[0] - '0') * 10 + p[1] - '0';
	return v >= lo && v <= hi;
}

/* 2000-04-25 00:17:02, the seconds and the time may be missing. */
static bool
is_date(struct str s)
{
	static const struct { char before; int lo, hi; } part[] = {
		{ '-', 1, 12 }, { '-', 1, 31 }, { ' ', 0, 23 }, { ':', 0, 59 },
		{ ':', 0, 60 }
	};
	size_t i, k;

	if (s.n < 10 || !two_digits(s.p, 0, 99) || !two_digits(s.p + 2, 0, 99))
		return false;
	for (i = 4, k = 0; i < s.n && k < COUNT(part); i += 3, k++)
		if (s.n - i < 3 || s.p[i] != part[k].before ||
		    !two_digits(s.p + i + 1, part[k].lo, part[k].hi))
			return false;
	return i == s.n && (k == 2 || k > 3);
}

static bool
now(struct reader *r)
{
	struct span at = r->k.t.span;
	struct str s;

	if (r->k.t.kind == TOKEN_NUMBER)
		return take_number(r, &r->step->number, 0, 253402300799.0);
	if (!take_text(r, &s))
		return false;
	if (!is_date(s))
		return bad_value(r, at, s, "a time like 2000-04-25 00:17:02");
	return add_text(r, s);
}

static bool
define(struct reader *r)
{
	struct str s;

	if (!take_name(r, &s) || !add_text(r, s))
		return false;
	r->step->number = 1;
	if (take_word(r, "FALSE"))
		r->step->number = 0;
	else
		(void)take_word(r, "TRUE");
	return true;
}

static bool
input(struct reader *r)
{
	struct str s;

	if (!take_word(r, "empty"))
		do
			if (!take_text(r, &s) || !add_text(r, s))
				return false;
		while (r->k.t.kind == TOKEN_TEXT);
	return true;
}

static bool
command(struct reader *r)
{
	struct test_step *s = r->step;
	struct test_answer *a;
	struct str text;
	struct span at;
	size_t cap = 4;
	double d;

	if (r->k.t.kind == TOKEN_OP && str_eq(r->k.t.text, STR_LIT("=~"))) {
		s->pattern = true;
		token_next(&r->k);
	}
	at = r->k.t.span;
	if (!take_text(r, &text) || !add_text(r, text) ||
	    (s->pattern && !good_pattern(r, text, at)))
		return false;
	if (!take_word(r, "gives"))
		return wanted(r, "gives");
	a = arena_alloc(r->arena, cap * sizeof *a);
	do {
		if (!take_text(r, &text))
			return false;
		if (s->nanswer == cap) {
			s->answer = a;
			a = arena_alloc(r->arena, cap * 2 * sizeof *a);
			memcpy(a, s->answer, cap * sizeof *a);
			cap *= 2;
		}
		a[s->nanswer] = (struct test_answer){ text, 0 };
		if (take_word(r, "status")) {
			if (!take_number(r, &d, 0, 255))
				return false;
			a[s->nanswer].status = (int)d;
		}
		s->nanswer++;
	} while (take_word(r, "then"));
	s->answer = a;
	return true;
}

/* Octal, as chmod takes it. */
static bool
mode(struct reader *r, double *d)
{
	struct token t = r->k.t;
	size_t i;

	if (t.kind != TOKEN_NUMBER)
		return wanted(r, "a mode like 0644");
	token_next(&r->k);
	*d = 0;
	for (i = 0; i < t.text.n && t.text.p[i] >= '0' && t.text.p[i] <= '7';
	    i++)
		*d = *d * 8 + (t.text.p[i] - '0');
	if (i < t.text.n || *d > 07777)
		return bad_value(r, t.span, t.text, "a mode like 0644");
	return true;
}

static bool
file_item(struct reader *r, unsigned k)
{
	struct test_step *s = r->step;
	struct token t = r->k.t;

	switch (item[k].kind) {
	case K_TEXT:
		return take_text(r, &s->item_text[k]);
	case K_NAME:
		if (!take_name(r, &s->item_text[k]))
			return false;
		return one_of(s->item_text[k], file_type, COUNT(file_type)) ||
		    unknown(r, t.span, "type of file", s->item_text[k],
		    file_type, COUNT(file_type));
	case K_MODE:
		return mode(r, &s->item[k]);
	case K_DURATION:
		return take_duration(r, &s->item[k]);
	default:
		return take_number(r, &s->item[k], 0, NUM_EXACT);
	}
}

static bool
file(struct reader *r)
{
	struct str path;
	unsigned k;

	if (!take_text(r, &path) || !add_text(r, path))
		return false;
	do {
		for (k = 0; k < ITEM_COUNT; k++)
			if (take_word(r, item[k].word))
				break;
		if (k < ITEM_COUNT && !file_item(r, k))
			return false;
	} while (k < ITEM_COUNT);
	return true;
}

/* The next value of a row: by blanks, '...' holds some.  False: none. */
static bool
next_value(struct reader *r, struct str *row, struct str *value)
{
	char end = ' ';
	size_t n;

	*row = str_trim(*row);
	if (row->n == 0)
		return false;
	if (row->p[0] == '\'' && str_find(*row, '\'', 1) < row->n) {
		end = '\'';
		*row = str_of(row->p + 1, row->n - 1);
	}
	for (n = 0; n < row->n && row->p[n] != end && (end == '\'' ||
	    (row->p[n] != '\t' && row->p[n] != '\n')); )
		n++;
	*value = arena_dup(r->arena, str_of(row->p, n));
	if (end == '\'')
		n++;
	*row = str_of(row->p + n, row->n - n);
	return true;
}

static bool
columns(struct reader *r)
{
	const char *known[LIM_COLUMNS];
	struct test_step *s = r->step;
	const struct table_info *t = &table_info[s->table];
	struct span at = r->k.t.span;
	struct str row, name;
	unsigned i, n = 0;
	int k;

	for (i = t->first; i < t[1].first && n < LIM_COLUMNS; i++)
		known[n++] = column_info[i].name;
	s->column = arena_alloc(r->arena, LIM_COLUMNS * sizeof *s->column);
	if (!take_text(r, &row))
		return false;
	while (next_value(r, &row, &name)) {
		k = table_column_find(s->table, name);
		if (k < 0)
			return unknown(r, at, "column", name, known, n);
		if (s->ncolumn == LIM_COLUMNS)
			return bad_value(r, at, name, "a column by itself");
		s->column[s->ncolumn++] = (enum table_column)k;
	}
	return s->ncolumn > 0 || bad_value(r, at, row,
	    "a list of columns by blanks");
}

/* A number may have a unit; it is written down without. */
static bool
plain_number(struct reader *r, struct str *s, struct span at)
{
	char t[NUM_TEXT_MAX];
	double d = num_parse(*s, true);

	if (str_eq(*s, STR_LIT("-")))
		return true;
	if (num_none(d))
		d = num_parse_size(*s);
	if (num_none(d))
		d = num_parse_duration(*s);
	if (num_none(d))
		return bad_value(r, at, *s, "a number, as the column wants");
	*s = arena_dup(r->arena, str_of(t, num_text(d, t)));
	return true;
}

/* One text is a row, or some of them: its lines. */
static bool
row(struct reader *r, struct str line, struct span at)
{
	char has[24], should[24];
	struct str value;
	size_t n = 0;

	for (; next_value(r, &line, &value); n++) {
		if (n < r->step->ncolumn &&
		    column_info[r->step->column[n]].sigil == '#' &&
		    !plain_number(r, &value, at))
			return false;
		if (!add_text(r, value))
			return false;
	}
	if (n == r->step->ncolumn || n == 0)
		return true;
	snprintf(has, sizeof has, "%zu", n);
	snprintf(should, sizeof should, "%zu", r->step->ncolumn);
	diag_at(r->k.diag, at, E_TEST_ROW, str_c(has), str_c(should), STR_NIL);
	return false;
}

static bool
table(struct reader *r)
{
	const char *known[TABLE_COUNT];
	struct token t = r->k.t;
	struct str name, text;
	size_t i, nl;
	int k;

	for (k = 0; k < TABLE_COUNT; k++)
		known[k] = table_info[k].name;
	if (!take_name(r, &name))
		return false;
	k = table_find(name);
	if (k < 0)
		return unknown(r, t.span, "table", name, known, TABLE_COUNT);
	r->step->table = (enum table_id)k;
	if (!columns(r))
		return false;
	while (r->k.t.kind == TOKEN_TEXT) {
		t = r->k.t;
		(void)take_text(r, &text);
		for (i = 0; i < text.n; i = nl + 1) {
			nl = str_find(text, '\n', i);
			if (!row(r, str_of(text.p + i, nl - i), t.span))
				return false;
		}
	}
	return true;
}

static bool
contact(struct reader *r)
{
	struct str s;

	if (!take_text(r, &s) || !add_text(r, s))
		return false;
	r->step->number = 0;
	if (take_word(r, "fails")) {
		r->step->fails = true;
		r->step->number = NUM_NIL;
		return true;
	}
	s = STR_EMPTY;
	if (take_word(r, "gives") && !take_text(r, &s))
		return false;
	if (!add_text(r, s))
		return false;
	return !take_word(r, "in") || take_number(r, &r->step->number,
	    -NUM_EXACT, NUM_EXACT);
}

static bool
fact(struct reader *r)
{
	struct token t = r->k.t;
	struct str s;
	unsigned k;

	if (!take_name(r, &s))
		return false;
	for (k = 0; k < TEST_FACT_COUNT; k++)
		if (str_eq(s, str_c(test_fact_name[k])))
			break;
	if (k == TEST_FACT_COUNT)
		return unknown(r, t.span, "fact", s, test_fact_name,
		    TEST_FACT_COUNT);
	r->step->fact = (enum test_fact)k;
	s = STR_NIL;
	if (fact_has_key[k] && !take_text(r, &s))
		return false;
	if (!add_text(r, s))
		return false;
	return take_text(r, &s) && add_text(r, s);
}

bool
read_world(struct reader *r)
{
	struct str s;
	unsigned i;

	switch (r->step->word) {
	case TEST_SCRIPT:
		return names(r);
	case TEST_ALERT:
		return take_name(r, &s) && add_text(r, s);
	case TEST_HOST:
	case TEST_TZ:
	case TEST_NOFILE:
		return take_text(r, &s) && add_text(r, s);
	case TEST_NOW:
		return now(r);
	case TEST_DEFINE:
		return define(r);
	case TEST_MACRO:
		return take_name(r, &s) && add_text(r, s) &&
		    take_text(r, &s) && add_text(r, s);
	case TEST_INPUT:
		return input(r);
	case TEST_COMMAND:
		return command(r);
	case TEST_FILE:
		return file(r);
	case TEST_TABLE:
		return table(r);
	case TEST_CONTACT:
		return contact(r);
	case TEST_FACT:
		return fact(r);
	case TEST_SURVIVOR:
		for (i = 0; i < 3; i++)
			if (!take_text(r, &s) || !add_text(r, s))
				return false;
		return true;
	default:
		return take_duration(r, &r->step->number);
	}
}
