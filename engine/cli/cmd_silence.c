/* cmd_silence: a person knows of it: ack, silence, unsilence. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "lang/base/num.h"
#include "engine/alert/alert.h"
#include "engine/cli/incident.h"
#include "engine/deliver/window.h"
#include "engine/vm/clock.h"
#include "engine/vm/when.h"

/* What all do who change something: it is kept, shown, and told of. */
static int
commit(struct at_hand *h, struct batch *batch, const char *what,
    struct buf *said)
{
	struct alert_place at;
	bool ok;

	if (!state_commit(h->o.state, batch, true))
		return hand_failed(h);
	ok = cli_write(1, buf_view(said));
	/* what cannot go waits in the outbox, and it is said why: the change
	 * itself is made */
	cli_place(h->c, &at);
	(void)alert_tick(&at, h->o.state, what, true);
	return ok ? EXIT_FINE : EXIT_PROBLEMS;
}

static void
history(struct batch *batch, const struct at_hand *h,
    const struct incident *in, const char *what, struct str who,
    struct str why)
{
	batch_row(batch, Q_HISTORY_ADD, (const struct param[]){ PN(h->l.now),
	    PT(in->key), PN(in->episode), PT(str_c(what)), PT(who), PT(why),
	    PT(STR_EMPTY) });
}

/* A text that a person gives: one line that can be shown. */
static bool
fits(const char *option, const char *text)
{
	size_t n = strlen(text);

	if (n > 0 && n <= LIM_SILENCE_TEXT)
		return true;
	cli_say("%s wants 1 to %d bytes, not %zu", option, LIM_SILENCE_TEXT, n);
	return false;
}

/* Instead of what people read: the list under that name, which it takes. */
static void
as_json(struct cli *c, const char *name, json_t *list, struct buf *said)
{
	json_t *top = json_object();

	json_object_set_new(top, name, list);
	if (c->given[OPT_JSON]) {
		buf_clear(said);
		cli_json_put(top, said);
	} else
		json_decref(top);
}

/* --- ack --- */

static bool
ack(struct at_hand *h, struct incident *in, struct batch *batch,
    struct buf *said, struct str who, struct str why)
{
	buf_escaped(said, in->key, 0);
	if (in->state != INCIDENT_FIRES) {
		buf_puts(said, in->state == INCIDENT_PENDING ?
		    " has not lasted long enough to fire" : in->episode == 0 ?
		    " has never fired" : " does not fire: it ended ");
		if (in->state == INCIDENT_QUIET && in->episode > 0) {
			look_span(said, h->l.now - in->ended);
			buf_puts(said, " ago");
		}
		cli_say("%s", buf_c(said));
		return false;
	}
	if (incident_is_acked(in)) {
		buf_puts(said, " was acknowledged by ");
		buf_escaped(said, in->acked_by, 100);
		buf_puts(said, " at ");
		look_moment(said, in->acked_at, h->l.now);
		buf_puts(said, " already\n");
		return true;
	}
	in->acked = in->episode;
	in->acked_at = h->l.now;
	in->acked_by = who;
	in->acked_why = why;
	incident_put_human(batch, in);
	history(batch, h, in, "acknowledged", who, why);
	buf_puts(said, " is acknowledged: no reminders of it until it has "
	    "ended\n");
	return true;
}

int
cmd_ack(struct cli *c)
{
	const char *why = c->given[OPT_WHY] ? c->value[OPT_WHY] : NULL;
	struct incident *in;
	struct batch *batch;
	struct at_hand h;
	struct buf said;
	json_t *list;
	bool ok = true;
	size_t i, from;
	int r;

	if (c->narg == 0) {
		cli_say("ack wants the key or the id of an incident: picket "
		    "incidents shows them");
		return EXIT_USAGE;
	}
	if (why != NULL && !fits("--why", why))
		return EXIT_USAGE;
	if (!hand_open(c, false, &h))
		return EXIT_PROBLEMS;
	buf_init(&said, &c->mem);
	batch = batch_new(&c->mem);
	list = json_array();
	for (i = 0; i < c->narg; i++) {
		from = said.n;
		in = hand_find(&h, c->arg[i]);
		if (in != NULL && ack(&h, in, batch, &said, cli_who(c),
		    why == NULL ? STR_EMPTY : str_c(why))) {
			json_array_append_new(list, look_json_incident(&h.l, in));
			continue;
		}
		said.n = from;
		ok = false;
	}
	as_json(c, "incidents", list, &said);
	r = batch_is_empty(batch) ? cli_write(1, buf_view(&said)) ? EXIT_FINE :
	    EXIT_PROBLEMS : commit(&h, batch, "ack", &said);
	batch_free(batch);
	buf_free(&said);
	hand_close(&h);
	return ok ? r : EXIT_PROBLEMS;
}

/* --- silence --- */

/* When it ends, or NIL: said why. */
static double
end_of(struct cli *c, double now)
{
	const char *text = c->value[OPT_FOR];
	double t = NUM_NIL;
	struct buf why;

	if (c->given[OPT_FOR] == c->given[OPT_UNTIL]) {
		cli_say(c->given[OPT_FOR] ? "--for or --until, not both" :
		    "silence wants an end: --for 2h or --until '2026-12-01 "
		    "22:00'; what is silenced for ever is forgotten");
		return NUM_NIL;
	}
	if (c->given[OPT_FOR]) {
		t = num_parse_duration(str_c(text));
		if (t > 0 && t <= LIM_SILENCE)
			return now + t;
		cli_say(t > LIM_SILENCE ? "--for wants 400 days at most, not "
		    "'%s'" : "--for wants a duration such as 2h or 90m, not "
		    "'%s'", text);
		return NUM_NIL;
	}
	text = c->value[OPT_UNTIL];
	buf_init(&why, &c->mem);
	if (strlen(text) < 6 && strchr(text, ':') != NULL) {
		t = when_parse(text, "%H:%M", now);
		if (t <= now)		/* the next one of that name */
			t = when_parse(text, "%H:%M", now + 86400);
	} else if (!window_moment(str_c(text), false, &t, &why))
		t = NUM_NIL;
	buf_free(&why);
	if (num_none(t))
		cli_say("--until wants a time such as 22:00 or '2026-12-01 "
		    "22:00', not '%s'", text);
	else if (t <= now)
		cli_say("--until '%s' is over already", text);
	else if (t > now + LIM_SILENCE)
		cli_say("--until '%s' is more than 400 days ahead", text);
	else
		return t;
	return NUM_NIL;
}

struct made {
	struct at_hand	*h;
	struct str	 pattern, id;
	double		 until;
};

/* The row that was just written: ids are given by the store. */
static void
find_made(void *arg, const struct str *column, unsigned n)
{
	struct made *m = arg;

	if (n > 3 && str_eq(column[1], m->pattern) &&
	    num_parse(column[2], false) == m->h->l.now &&
	    num_parse(column[3], false) == m->until)
		m->id = arena_dup(&m->h->c->arena, column[0]);
}

/* Who is about it: how many, and a row of their history. */
static size_t
concerns(struct at_hand *h, struct batch *batch, struct str pattern,
    const char *what, struct str who, struct str text, struct buf *said)
{
	struct incident *in;
	size_t i, n = 0;

	for (i = 0; i < h->l.incidents.by_key.n; i++) {
		in = incidents_at(&h->l.incidents, i);
		if (in->state == INCIDENT_QUIET ||
		    !silence_is_about(pattern, in))
			continue;
		n++;
		history(batch, h, in, what, who, text);
		buf_puts(said, "  ");
		buf_puts(said, look_word(&h->l, in));
		buf_puts(said, ": ");
		buf_escaped(said, in->key, 0);
		buf_putc(said, '\n');
	}
	return n;
}

/* "s12" of "12" */
static struct str
silence_id(struct cli *c, struct str n)
{
	char t[32];
	int k = snprintf(t, sizeof t, "s%.*s", str_none(n) ? 0 : (int)n.n,
	    str_none(n) ? "" : n.p);

	return arena_dup(&c->arena, str_of(t, k < (int)sizeof t ? (size_t)k :
	    sizeof t - 1));
}

int
cmd_silence(struct cli *c)
{
	struct made m = { .id = STR_NIL };
	struct str who = cli_who(c);
	struct buf said, text, list;
	struct hush q = { .n = 0 };
	json_t *all;
	struct batch *batch;
	struct at_hand h;
	const char *why = c->value[OPT_WHY];
	double until;
	int r;

	if (c->narg != 1) {
		cli_say("silence wants one pattern of keys, such as "
		    "'mxqueue:*', or an incident's id");
		return EXIT_USAGE;
	}
	if (num_none(until = end_of(c, clock_wall())))
		return EXIT_USAGE;
	if (!c->given[OPT_WHY]) {
		cli_say("silence wants a reason for those who find it: "
		    "--why 'disks are changed'");
		return EXIT_USAGE;
	}
	if (!fits("--why", why) || !fits("silence", c->arg[0]))
		return EXIT_USAGE;
	if (!hand_open(c, false, &h))
		return EXIT_PROBLEMS;
	if (c->given[OPT_FOR])
		until = h.l.now + num_parse_duration(str_c(c->value[OPT_FOR]));
	buf_init(&said, &c->mem);
	buf_init(&text, &c->mem);
	buf_init(&list, &c->mem);
	batch = batch_new(&c->mem);
	m.h = &h;
	m.pattern = str_c(c->arg[0]);
	m.until = until;
	batch_row(batch, Q_SILENCE_ADD, (const struct param[]){
	    PT(m.pattern), PN(h.l.now), PN(until), PT(who), PT(str_c(why)) });
	buf_puts(&text, "until ");
	look_moment(&text, until, 0);
	buf_printf(&text, ": %s", why);
	if (concerns(&h, batch, m.pattern, "silenced", who, buf_view(&text),
	    &list) == 0)
		buf_puts(&list, "  nothing of that name lasts now\n");
	r = commit(&h, batch, "silence", &said);
	if (r == EXIT_FINE && !state_ask(h.o.state, Q_SILENCE_LIVE, NULL,
	    find_made, &m))
		r = hand_failed(&h);
	if (r == EXIT_FINE) {
		buf_printf(&said, "silence s%.*s of ", (int)m.id.n,
		    str_none(m.id) ? "" : m.id.p);
		buf_escaped(&said, m.pattern, 0);
		buf_puts(&said, " until ");
		look_moment(&said, until, h.l.now);
		buf_puts(&said, " (");
		look_span(&said, until - h.l.now);
		buf_puts(&said, ")\n");
		buf_str(&said, buf_view(&list));
		q.is = (struct silence){ .id = silence_id(c, m.id),
		    .pattern = m.pattern, .made = h.l.now, .until = until,
		    .who = who, .why = str_c(why) };
		all = json_array();
		json_array_append_new(all, look_json_silence(&h.l, &q));
		as_json(c, "silences", all, &said);
		r = cli_write(1, buf_view(&said)) ? EXIT_FINE : EXIT_PROBLEMS;
	}
	batch_free(batch);
	buf_free(&list);
	buf_free(&text);
	buf_free(&said);
	hand_close(&h);
	return r;
}

/* --- unsilence --- */

int
cmd_unsilence(struct cli *c)
{
	struct str who = cli_who(c), arg;
	struct batch *batch;
	struct at_hand h;
	struct buf said;
	struct hush *q;
	json_t *list;
	bool ok = true;
	size_t i, k, n;
	int r;

	if (c->narg == 0) {
		cli_say("unsilence wants the id or the pattern of a silence: "
		    "picket silences shows them");
		return EXIT_USAGE;
	}
	if (!hand_open(c, false, &h))
		return EXIT_PROBLEMS;
	buf_init(&said, &c->mem);
	batch = batch_new(&c->mem);
	list = json_array();
	for (k = 0; k < c->narg; k++) {
		arg = str_c(c->arg[k]);
		for (i = n = 0; i < h.l.nquiet; i++) {
			q = &h.l.quiet[i];
			if (!hush_holds(q, h.l.now) ||
			    !(str_eq(q->is.id, arg) ||
			    str_eq(q->is.pattern, arg)))
				continue;
			n++;
			batch_row(batch, Q_SILENCE_END,
			    (const struct param[]){ PN(q->n), PN(h.l.now) });
			buf_puts(&said, "silence ");
			buf_str(&said, q->is.id);
			buf_puts(&said, " of ");
			buf_escaped(&said, q->is.pattern, 0);
			buf_puts(&said, " is over\n");
			q->ended = h.l.now;
			json_array_append_new(list, look_json_silence(&h.l, q));
			(void)concerns(&h, batch, q->is.pattern, "unsilenced",
			    who, q->is.id, &said);
		}
		if (n == 0) {
			cli_say("no silence '%s' holds (see picket silences)",
			    c->arg[k]);
			ok = false;
		}
	}
	as_json(c, "silences", list, &said);
	r = batch_is_empty(batch) ? EXIT_PROBLEMS : commit(&h, batch,
	    "unsilence", &said);
	batch_free(batch);
	buf_free(&said);
	hand_close(&h);
	return ok ? r : EXIT_PROBLEMS;
}
