/* cmd_incidents: what is wrong now, worst first; and what is silenced. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "lang/base/num.h"
#include "engine/cli/incident.h"

/* --- incidents --- */

static int
worse(const void *pa, const void *pb)
{
	const struct incident *a = *(struct incident *const *)pa,
	    *b = *(struct incident *const *)pb;

	if (a->state != b->state)
		return a->state > b->state ? -1 : 1;
	if (a->state != INCIDENT_QUIET && a->level != b->level)
		return a->level < b->level ? -1 : 1;
	if (a->fired != b->fired)
		return a->fired > b->fired ? -1 : 1;
	return str_cmp(a->key, b->key);
}

/* How long it has been what it is. */
static double
lasts(const struct at_hand *h, const struct incident *in)
{
	switch ((int)in->state) {
	case INCIDENT_FIRES:
		return h->now - in->fired;
	case INCIDENT_PENDING:
		return h->now - in->since;
	default:
		return in->episode == 0 ? h->now - in->seen :
		    h->now - in->ended;
	}
}

json_t *
cli_json_incident(const struct at_hand *h, const struct incident *in)
{
	const struct hush *q;
	json_t *o = json_object(), *list, *ack;
	size_t i;

#define T(name) json_object_set_new(o, #name, cli_json_text(h->c, in->name));
#define N(name) json_object_set_new(o, #name, cli_json_number(in->name));
#define B(name, is) json_object_set_new(o, name, json_boolean(is));
	T(key) T(id)
	json_object_set_new(o, "state",
	    json_string(incident_state_name[(int)in->state]));
	json_object_set_new(o, "shown", json_string(hand_word(h, in)));
	json_object_set_new(o, "level", json_string(level_name[(int)in->level]));
	T(alert) T(script) T(message) T(evidence) T(place) T(done) T(unless)
	T(inhibited)
	N(episode) N(since) N(fired) N(ended)
	json_object_set_new(o, "how",
	    json_string(incident_end_name[(int)in->how]));
	json_object_set_new(o, "duration", in->episode == 0 ? json_null() :
	    cli_json_number(incident_duration(in, h->now)));
	N(hold) N(remind) N(absent)
	B("unknown", incident_is_unknown(in))
	B("flapping", in->flapping != 0)
	B("told", in->told != 0 && in->told == in->episode)
#undef T
#undef N
#undef B
	ack = json_null();
	if (incident_is_acked(in)) {
		ack = json_object();
		json_object_set_new(ack, "by",
		    cli_json_text(h->c, in->acked_by));
		json_object_set_new(ack, "at", cli_json_number(in->acked_at));
		json_object_set_new(ack, "why",
		    cli_json_text(h->c, in->acked_why));
	}
	json_object_set_new(o, "acknowledged", ack);
	list = json_array();
	for (i = 0; i < h->nquiet; i++) {
		q = &h->quiet[i];
		if (q->ended == 0 && silence_holds(&q->is, in, h->now))
			json_array_append_new(list,
			    cli_json_text(h->c, q->is.id));
	}
	json_object_set_new(o, "silences", list);
	return o;
}

json_t *
cli_json_silence(const struct at_hand *h, const struct hush *q)
{
	json_t *o = json_object();

	json_object_set_new(o, "id", cli_json_text(h->c, q->is.id));
	json_object_set_new(o, "pattern", cli_json_text(h->c, q->is.pattern));
	json_object_set_new(o, "holds", json_boolean(hush_holds(q, h->now)));
	json_object_set_new(o, "made", cli_json_number(q->is.made));
	json_object_set_new(o, "until", cli_json_number(q->is.until));
	json_object_set_new(o, "ended", cli_json_number(q->ended));
	json_object_set_new(o, "who", cli_json_text(h->c, q->is.who));
	json_object_set_new(o, "why", cli_json_text(h->c, q->is.why));
	return o;
}

static void
pad(struct buf *b, size_t from, size_t width)
{
	while (b->n - from < width)
		buf_putc(b, ' ');
	buf_puts(b, "  ");
}

/* A cell whose colour takes no room. */
static void
cell(struct buf *b, const char *text, size_t width, const char *colour)
{
	size_t from;

	buf_puts(b, colour);
	from = b->n;
	buf_puts(b, text);
	pad(b, from, width);
	if (*colour != '\0')
		buf_puts(b, "\033[0m");
}

static void
more(struct at_hand *h, struct buf *b, const struct incident *in)
{
	const struct hush *q = hand_silence(h, in);

	if (in->message.n > 0) {
		buf_puts(b, "    ");
		buf_escaped(b, in->message, 300);
		buf_putc(b, '\n');
	}
	if (in->state == INCIDENT_QUIET && in->episode > 0) {
		buf_puts(b, "    from ");
		cli_moment(b, in->fired, h->now);
		buf_puts(b, " to ");
		cli_moment(b, in->ended, h->now);
		buf_puts(b, ", ");
		cli_span(b, incident_duration(in, h->now));
		buf_putc(b, '\n');
	}
	if (incident_is_acked(in)) {
		buf_puts(b, "    acknowledged by ");
		buf_escaped(b, in->acked_by, 100);
		buf_puts(b, " at ");
		cli_moment(b, in->acked_at, h->now);
		if (in->acked_why.n > 0)
			buf_puts(b, ": ");
		buf_escaped(b, in->acked_why, 200);
		buf_putc(b, '\n');
	}
	if (q != NULL) {
		buf_puts(b, "    silenced until ");
		cli_moment(b, q->is.until, h->now);
		buf_puts(b, " by ");
		buf_escaped(b, q->is.who, 100);
		buf_puts(b, " (");
		buf_str(b, q->is.id);
		buf_puts(b, "): ");
		buf_escaped(b, q->is.why, 200);
		buf_putc(b, '\n');
	}
	if (in->state == INCIDENT_FIRES && in->inhibited.n > 0) {
		buf_puts(b, "    not told of while ");
		buf_escaped(b, in->inhibited, 200);
		buf_puts(b, " fires\n");
	}
}

static void
show(struct at_hand *h, struct buf *b, struct incident *const *list, size_t n)
{
	size_t i, from, level = 5, word = 5, span = 3;
	struct buf t;

	buf_init(&t, &h->c->mem);
	for (i = 0; i < n; i++) {
		from = strlen(level_name[(int)list[i]->level]);
		level = from > level ? from : level;
		from = strlen(hand_word(h, list[i]));
		word = from > word ? from : word;
		buf_clear(&t);
		cli_span(&t, lasts(h, list[i]));
		span = t.n > span ? t.n : span;
	}
	if (h->c->colour_out)
		buf_puts(b, "\033[1m");
	cell(b, "LEVEL", level, "");
	cell(b, "STATE", word, "");
	cell(b, "FOR", span, "");
	cell(b, "ID", INCIDENT_ID, "");
	buf_puts(b, h->c->colour_out ? "KEY\033[0m\n" : "KEY\n");
	for (i = 0; i < n; i++) {
		cell(b, level_name[(int)list[i]->level], level, "");
		cell(b, hand_word(h, list[i]), word, hand_colour(h, list[i]));
		from = b->n;
		cli_span(b, lasts(h, list[i]));
		pad(b, from, span);
		from = b->n;
		buf_escaped(b, list[i]->id, 0);
		pad(b, from, INCIDENT_ID);
		buf_escaped(b, list[i]->key, 0);
		buf_putc(b, '\n');
		more(h, b, list[i]);
	}
	buf_free(&t);
}

int
cmd_incidents(struct cli *c)
{
	struct incident **list, *in;
	bool all = c->given[OPT_ALL];
	struct at_hand h;
	json_t *top, *array;
	size_t i, n = 0;
	struct buf b;

	if (cli_too_many(c, CMD_INCIDENTS, 1))
		return EXIT_USAGE;
	if (!hand_open(c, true, &h))
		return EXIT_PROBLEMS;
	list = arena_alloc(&c->arena, (h.incidents.by_key.n + 1) *
	    sizeof *list);
	for (i = 0; i < h.incidents.by_key.n; i++) {
		in = incidents_at(&h.incidents, i);
		incident_clock(in, h.now);
		if ((all || in->state != INCIDENT_QUIET ||
		    incident_is_unknown(in)) && (c->narg == 0 ||
		    silence_is_about(str_c(c->arg[0]), in)))
			list[n++] = in;
	}
	qsort(list, n, sizeof *list, worse);
	buf_init(&b, &c->mem);
	if (c->given[OPT_JSON]) {
		top = json_object();
		array = json_array();
		for (i = 0; i < n; i++)
			json_array_append_new(array, cli_json_incident(&h, list[i]));
		json_object_set_new(top, "incidents", array);
		cli_json_put(top, &b);
	} else if (n > 0)
		show(&h, &b, list, n);
	else if (c->narg > 0)
		buf_printf(&b, "no such incident%s\n", all ? "" : " lasts");
	else
		buf_puts(&b, all ? "there was no incident yet\n" :
		    "no incidents\n");
	i = cli_write(1, buf_view(&b));
	buf_free(&b);
	hand_close(&h);
	return i && (n > 0 || c->narg == 0) ? EXIT_FINE : EXIT_PROBLEMS;
}

/* --- silences --- */

static void
silence_head(const struct at_hand *h, struct buf *b, size_t width)
{
	buf_puts(b, h->c->colour_out ? "\033[1m" : "");
	cell(b, "ID", 5, "");
	cell(b, "PATTERN", width, "");
	cell(b, "END", 22, "");
	buf_puts(b, h->c->colour_out ? "WHO: WHY\033[0m\n" : "WHO: WHY\n");
}

static void
show_silence(struct at_hand *h, struct buf *b, const struct hush *q,
    size_t width)
{
	bool holds = hush_holds(q, h->now);
	size_t from = b->n;

	buf_str(b, q->is.id);
	pad(b, from, 5);
	from = b->n;
	buf_escaped(b, q->is.pattern, 0);
	pad(b, from, width);
	from = b->n;
	if (holds)
		buf_puts(b, "until ");
	else
		buf_puts(b, "ended ");
	cli_moment(b, q->ended != 0 ? q->ended : q->is.until, h->now);
	pad(b, from, 22);
	buf_escaped(b, q->is.who, 100);
	buf_puts(b, ": ");
	buf_escaped(b, q->is.why, 0);
	buf_putc(b, '\n');
}

int
cmd_silences(struct cli *c)
{
	bool all = c->given[OPT_ALL], ok;
	json_t *top, *array;
	size_t i, n = 0, width = 7;
	struct at_hand h;
	struct buf b;

	if (cli_too_many(c, CMD_SILENCES, 0))
		return EXIT_USAGE;
	if (!hand_open(c, true, &h))
		return EXIT_PROBLEMS;
	array = json_array();
	buf_init(&b, &c->mem);
	for (i = 0; i < h.nquiet; i++)
		if (h.quiet[i].is.pattern.n > width &&
		    (all || hush_holds(&h.quiet[i], h.now)))
			width = h.quiet[i].is.pattern.n;
	for (i = 0; i < h.nquiet; i++) {
		if (!all && !hush_holds(&h.quiet[i], h.now))
			continue;
		n++;
		if (c->given[OPT_JSON])
			json_array_append_new(array,
			    cli_json_silence(&h, &h.quiet[i]));
		else {
			if (n == 1)
				silence_head(&h, &b, width);
			show_silence(&h, &b, &h.quiet[i], width);
		}
	}
	if (c->given[OPT_JSON]) {
		top = json_object();
		json_object_set(top, "silences", array);
		cli_json_put(top, &b);
	} else if (n == 0)
		buf_puts(&b, all ? "nothing was silenced yet\n" :
		    "nothing is silenced\n");
	json_decref(array);
	ok = cli_write(1, buf_view(&b));
	buf_free(&b);
	hand_close(&h);
	return ok ? EXIT_FINE : EXIT_PROBLEMS;
}
