/* cmd_incidents: what is wrong now, worst first; and what is silenced. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "lang/base/num.h"
#include "engine/cli/incident.h"

/* --- incidents --- */

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
	const struct hush *q = look_silence(&h->l, in);

	if (in->message.n > 0) {
		buf_puts(b, "    ");
		buf_escaped(b, in->message, 300);
		buf_putc(b, '\n');
	}
	if (in->state == INCIDENT_QUIET && in->episode > 0) {
		buf_puts(b, "    from ");
		look_moment(b, in->fired, h->l.now);
		buf_puts(b, " to ");
		look_moment(b, in->ended, h->l.now);
		buf_puts(b, ", ");
		look_span(b, incident_duration(in, h->l.now));
		buf_putc(b, '\n');
	}
	if (incident_is_acked(in)) {
		buf_puts(b, "    acknowledged by ");
		buf_escaped(b, in->acked_by, 100);
		buf_puts(b, " at ");
		look_moment(b, in->acked_at, h->l.now);
		if (in->acked_why.n > 0)
			buf_puts(b, ": ");
		buf_escaped(b, in->acked_why, 200);
		buf_putc(b, '\n');
	}
	if (q != NULL) {
		buf_puts(b, "    silenced until ");
		look_moment(b, q->is.until, h->l.now);
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
		from = strlen(look_word(&h->l, list[i]));
		word = from > word ? from : word;
		buf_clear(&t);
		look_span(&t, look_lasts(&h->l, list[i]));
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
		cell(b, look_word(&h->l, list[i]), word, hand_colour(h, list[i]));
		from = b->n;
		look_span(b, look_lasts(&h->l, list[i]));
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
	list = arena_alloc(&c->arena, (h.l.incidents.by_key.n + 1) *
	    sizeof *list);
	for (i = 0; i < h.l.incidents.by_key.n; i++) {
		in = incidents_at(&h.l.incidents, i);
		incident_clock(in, h.l.now);
		if ((all || in->state != INCIDENT_QUIET ||
		    incident_is_unknown(in)) && (c->narg == 0 ||
		    silence_is_about(str_c(c->arg[0]), in)))
			list[n++] = in;
	}
	qsort(list, n, sizeof *list, look_worse);
	buf_init(&b, &c->mem);
	if (c->given[OPT_JSON]) {
		top = json_object();
		array = json_array();
		for (i = 0; i < n; i++)
			json_array_append_new(array, look_json_incident(&h.l, list[i]));
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
	bool holds = hush_holds(q, h->l.now);
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
	look_moment(b, q->ended != 0 ? q->ended : q->is.until, h->l.now);
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
	for (i = 0; i < h.l.nquiet; i++)
		if (h.l.quiet[i].is.pattern.n > width &&
		    (all || hush_holds(&h.l.quiet[i], h.l.now)))
			width = h.l.quiet[i].is.pattern.n;
	for (i = 0; i < h.l.nquiet; i++) {
		if (!all && !hush_holds(&h.l.quiet[i], h.l.now))
			continue;
		n++;
		if (c->given[OPT_JSON])
			json_array_append_new(array,
			    look_json_silence(&h.l, &h.l.quiet[i]));
		else {
			if (n == 1)
				silence_head(&h, &b, width);
			show_silence(&h, &b, &h.l.quiet[i], width);
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
