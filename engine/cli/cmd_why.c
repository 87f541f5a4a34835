/* cmd_why: how an incident or a mail came about. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "lang/base/num.h"
#include "engine/cli/incident.h"
#include "engine/deliver/outbox_inner.h"

#define HISTORY		2000	/* rows shown: years of an honest incident */
#define NOTICES		50	/* whose deliveries are shown, the newest */
#define TAG		10	/* columns of what stands before the values */

struct row {			/* of the history */
	double		 time, episode;
	struct str	 what, who, text, notice;
};

struct why {
	struct at_hand	 h;
	struct buf	 out;
	json_t		*json;		/* the list that rows go to, or NULL */
	struct row	*row;		/* the newest first */
	size_t		 nrow;
	size_t		 n;		/* rows of the question at hand */
};

static double
number(struct str s)
{
	double d = str_none(s) ? 0 : num_parse(s, false);

	return num_fine(d) ? d : 0;
}

static void
tag(struct buf *b, const char *name)
{
	size_t n = strlen(name);

	buf_puts(b, "    ");
	buf_puts(b, name);
	do
		buf_putc(b, ' ');
	while (++n < TAG);
}

/* A text of one line or several, each below the first. */
static void
texts(struct buf *b, const char *name, struct str s)
{
	size_t from = 0, to;

	while (from < s.n) {
		to = str_find(s, '\n', from);
		tag(b, from == 0 ? name : "");
		buf_escaped(b, str_of(s.p + from, to - from), 0);
		buf_putc(b, '\n');
		from = to + 1;
	}
}

static void
spans(struct buf *b, const char *name, const char *before, double seconds,
    const char *after)
{
	tag(b, name);
	buf_puts(b, before);
	look_span(b, seconds);
	buf_puts(b, after);
	buf_putc(b, '\n');
}

static const char *
times(double n, char t[32])
{
	if (n == 1)
		return "once";
	snprintf(t, 32, "%.0f times", n);
	return t;
}

/* What it is now. */
static void
show_state(struct why *w, const struct incident *in)
{
	const struct at_hand *h = &w->h;
	struct buf *b = &w->out;
	const struct hush *q;
	char t[32];
	size_t i;

	buf_puts(b, h->c->colour_out ? "\033[1m" : "");
	buf_escaped(b, in->key, 0);
	buf_puts(b, h->c->colour_out ? "\033[0m" : "");
	buf_printf(b, "  id %.*s  %s\n", (int)in->id.n, in->id.p,
	    level_name[(int)in->level]);
	texts(b, "says", in->message);
	tag(b, "is");
	buf_printf(b, "%s%s%s", hand_colour(h, in), look_word(&h->l, in),
	    *hand_colour(h, in) == '\0' ? "" : "\033[0m");
	if (in->state == INCIDENT_FIRES) {
		/* the word may be younger: acknowledged, silenced */
		buf_puts(b, strcmp(look_word(&h->l, in), "firing") == 0 ?
		    " since " : "; it fires since ");
		look_moment(b, in->fired, h->l.now);
		buf_puts(b, ", for ");
		look_span(b, incident_duration(in, h->l.now));
	} else if (in->state == INCIDENT_PENDING) {
		buf_puts(b, " since ");
		look_moment(b, in->since, h->l.now);
	} else if (in->episode > 0) {
		buf_puts(b, " since ");
		look_moment(b, in->ended, h->l.now);
		buf_puts(b, ", after ");
		look_span(b, incident_duration(in, h->l.now));
	}
	if (in->episode > 0)
		buf_printf(b, "; it has fired %s", times(in->episode, t));
	buf_putc(b, '\n');
	if (incident_is_acked(in)) {
		tag(b, "known");
		buf_puts(b, "acknowledged by ");
		buf_escaped(b, in->acked_by, 0);
		buf_puts(b, " at ");
		look_moment(b, in->acked_at, h->l.now);
		if (in->acked_why.n > 0)
			buf_puts(b, ": ");
		buf_escaped(b, in->acked_why, 0);
		buf_putc(b, '\n');
	}
	for (i = 0; i < h->l.nquiet; i++) {
		q = &h->l.quiet[i];
		if (q->ended != 0 || !silence_holds(&q->is, in, h->l.now))
			continue;
		tag(b, "silenced");
		buf_puts(b, "until ");
		look_moment(b, q->is.until, h->l.now);
		buf_puts(b, " by ");
		buf_escaped(b, q->is.who, 0);
		buf_printf(b, " (%.*s): ", (int)q->is.id.n, q->is.id.p);
		buf_escaped(b, q->is.why, 0);
		buf_putc(b, '\n');
	}
	if (in->inhibited.n > 0) {
		tag(b, "inhibited");
		buf_puts(b, "not told of while ");
		buf_escaped(b, in->inhibited, 0);
		buf_puts(b, " fires\n");
	}
	if (in->unknown > 0) {
		tag(b, "unknown");
		buf_printf(b, "its last %.0f evaluation%s could not tell\n",
		    in->unknown, in->unknown == 1 ? "" : "s");
	}
	if (in->blind > 0) {
		tag(b, "unknown");
		buf_printf(b, "the last %.0f run%s of its script did not end "
		    "well\n", in->blind, in->blind == 1 ? "" : "s");
	}
	if (in->flapping != 0) {
		tag(b, "flapping");
		buf_printf(b, "more than %d changes an hour: not told of until "
		    "it calms down\n", INCIDENT_FLAPS);
	}
	texts(b, "rule", in->place);
	texts(b, "values", in->evidence);
	tag(b, "script");
	buf_escaped(b, in->script, 0);
	buf_puts(b, " of alert ");
	buf_escaped(b, in->alert, 0);
	if (in->origin.n > 0)
		buf_puts(b, ", from ");
	buf_escaped(b, in->origin, 0);
	buf_putc(b, '\n');
	if (in->hold > 0)
		spans(b, "hold", "fires when it has lasted ", in->hold, "");
	if (in->remind > 0)
		spans(b, "remind", "again each ", in->remind,
		    " until it is acknowledged or over");
	texts(b, "unless", in->unless);
	texts(b, "done", in->done);
}

/* id time key episode what who text notice */
static void
take_row(void *arg, const struct str *c, unsigned n)
{
	struct why *w = arg;
	struct arena *a = &w->h.c->arena;
	struct row *r = &w->row[w->nrow];
	unsigned i;

	if (n < 8 || w->nrow == HISTORY)
		return;
	w->nrow++;
	r->time = number(c[1]);
	r->episode = number(c[3]);
	for (i = 4; i < 8; i++)
		(&r->what)[i - 4] = arena_dup(a, str_none(c[i]) ? STR_EMPTY :
		    c[i]);
}

/* When the episode of a row that ends it had begun, or NIL. */
static double
begun(const struct why *w, size_t i)
{
	double episode = w->row[i].episode;
	int k;

	for (k = END_RESOLVED; k < END_KINDS; k++)
		if (str_eq(w->row[i].what, str_c(incident_end_name[k])))
			break;
	if (k == END_KINDS)
		return NUM_NIL;
	for (i++; i < w->nrow && w->row[i].episode == episode; i++)
		if (str_eq(w->row[i].what, STR_LIT("firing")) &&
		    w->row[i].notice.n == 0)
			return w->row[i].time;
	return NUM_NIL;
}

static void
when(struct buf *b, double t)
{
	buf_puts(b, "    ");
	look_moment(b, t, -1e9);		/* always with its date */
	buf_puts(b, "  ");
}

static void
show_history(struct why *w)
{
	struct buf *b = &w->out;
	struct row *r;
	double from;
	size_t i;

	if (w->nrow > 0)
		buf_puts(b, "history\n");
	for (i = w->nrow; i-- > 0;) {
		r = &w->row[i];
		when(b, r->time);
		if (r->notice.n > 0)
			buf_puts(b, "told: ");
		buf_escaped(b, r->what, 0);
		if (r->notice.n == 0 && !num_none(from = begun(w, i))) {
			buf_puts(b, " after ");
			look_span(b, r->time - from);
		}
		if (r->who.n > 0)
			buf_puts(b, " by ");
		buf_escaped(b, r->who, 0);
		if (r->text.n > 0)
			buf_puts(b, ": ");
		buf_escaped(b, r->text, 300);
		if (r->notice.n > 0) {		/* a line of its own: it is long */
			buf_puts(b, ", in\n                        ");
			buf_escaped(b, r->notice, 0);
		}
		buf_putc(b, '\n');
	}
}

/* time notice way rcpt transport outcome why */
static void
show_delivery(void *arg, const struct str *c, unsigned n)
{
	struct why *w = arg;
	struct buf *b = &w->out;
	json_t *o;

	if (n < 7)
		return;
	w->n++;
	if (w->json != NULL) {
		static const char *const name[] = { "way", "to", "transport",
		    "outcome", "why" };

		o = json_object();
		json_object_set_new(o, "time", look_json_number(number(c[0])));
		for (n = 0; n < 5; n++)
			json_object_set_new(o, name[n], look_json_text(&w->h.c->mem,
			    str_none(c[n + 2]) ? STR_EMPTY : c[n + 2]));
		json_array_append_new(w->json, o);
		return;
	}
	when(b, number(c[0]));
	buf_escaped(b, str_shown(c[5]), 0);
	if (c[4].n > 0)
		buf_puts(b, " by ");
	buf_escaped(b, str_none(c[4]) ? STR_EMPTY : c[4], 0);
	if (c[3].n > 0)
		buf_puts(b, " to ");
	buf_escaped(b, str_none(c[3]) ? STR_EMPTY : c[3], 0);
	if (c[6].n > 0)
		buf_puts(b, ": ");
	buf_escaped(b, str_none(c[6]) ? STR_EMPTY : c[6], 300);
	buf_putc(b, '\n');
}

/* What has not gone yet. */
static void
show_waiting(void *arg, const struct str *column, unsigned n)
{
	static const char *const state[] = { "waits", "is held",
	    "was given up" };
	struct str to[LIM_JOB_RCPT];
	struct why *w = arg;
	struct buf *b = &w->out;
	struct outbox_row r;
	json_t *o, *list;
	size_t i, nto;

	(void)n;
	w->n++;
	outbox_row_read(&r, column, &w->h.c->arena);
	nto = outbox_addresses(r.rcpt, to);
	if (w->json != NULL) {
		o = json_object();
		list = json_array();
		for (i = 0; i < nto; i++)
			json_array_append_new(list,
			    look_json_text(&w->h.c->mem, to[i]));
		json_object_set_new(o, "time", look_json_number(r.due));
		json_object_set_new(o, "way", look_json_text(&w->h.c->mem, r.way));
		json_object_set_new(o, "to", list);
		json_object_set_new(o, "outcome", json_string(state[r.state]));
		json_object_set_new(o, "why", look_json_text(&w->h.c->mem, r.why));
		json_array_append_new(w->json, o);
		return;
	}
	when(b, r.due);
	buf_printf(b, "%s by ", state[r.state]);
	buf_escaped(b, r.way, 0);
	for (i = 0; i < nto; i++) {
		buf_puts(b, i == 0 ? " to " : ", ");
		buf_escaped(b, to[i], 0);
	}
	if (r.why.n > 0)
		buf_puts(b, ": ");
	buf_escaped(b, r.why, 300);
	buf_putc(b, '\n');
}

/* Where the copies of a notice went, or are. */
static bool
deliveries(struct why *w, struct str notice)
{
	const struct param p[] = { PT(notice) };

	w->n = 0;
	if (!state_ask(w->h.o.state, Q_DELIVERY_OF, p, show_delivery, w) ||
	    !state_ask(w->h.o.state, Q_OUTBOX_OF, p, show_waiting, w))
		return false;
	if (w->n == 0 && w->json == NULL)
		buf_puts(&w->out, "    nothing is known of where it went\n");
	return true;
}

static bool
told_before(const struct why *w, size_t i)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (str_eq(w->row[k].notice, w->row[i].notice))
			return true;
	return false;
}

static json_t *
json_history(struct why *w)
{
	json_t *list = json_array(), *o;
	struct row *r;
	double from;
	size_t i;

	for (i = w->nrow; i-- > 0;) {
		r = &w->row[i];
		o = json_object();
		json_object_set_new(o, "time", look_json_number(r->time));
		json_object_set_new(o, "episode", look_json_number(r->episode));
		json_object_set_new(o, "what", look_json_text(&w->h.c->mem, r->what));
		json_object_set_new(o, "who", look_json_text(&w->h.c->mem, r->who));
		json_object_set_new(o, "text", look_json_text(&w->h.c->mem, r->text));
		json_object_set_new(o, "notice",
		    look_json_text(&w->h.c->mem, r->notice));
		from = begun(w, i);
		json_object_set_new(o, "duration", num_none(from) ?
		    json_null() : look_json_number(r->time - from));
		json_array_append_new(list, o);
	}
	return list;
}

static bool
why_incident(struct why *w, struct incident *in)
{
	json_t *top = NULL, *all, *o;
	size_t i, n = 0;

	incident_clock(in, w->h.l.now);
	w->row = arena_alloc(&w->h.c->arena, HISTORY * sizeof *w->row);
	if (!state_ask(w->h.o.state, Q_HISTORY_OF,
	    (const struct param[]){ PT(in->key), PN(HISTORY) }, take_row, w))
		return false;
	if (w->h.c->given[OPT_JSON]) {
		top = json_object();
		json_object_set_new(top, "incident",
		    look_json_incident(&w->h.l, in));
		json_object_set_new(top, "history", json_history(w));
		all = json_array();
		json_object_set_new(top, "notices", all);
	} else {
		show_state(w, in);
		show_history(w);
	}
	for (i = 0; i < w->nrow && n < NOTICES; i++) {
		if (w->row[i].notice.n == 0 || told_before(w, i))
			continue;
		n++;
		if (top != NULL) {
			o = json_object();
			w->json = json_array();
			json_object_set_new(o, "id",
			    look_json_text(&w->h.c->mem, w->row[i].notice));
			json_object_set_new(o, "copies", w->json);
			json_array_append_new(all, o);
		} else {
			buf_puts(&w->out, "notice ");
			buf_escaped(&w->out, w->row[i].notice, 0);
			buf_putc(&w->out, '\n');
		}
		if (!deliveries(w, w->row[i].notice)) {
			json_decref(top);
			return false;
		}
	}
	if (top != NULL)
		cli_json_put(top, &w->out);
	return true;
}

struct told {
	struct why	*w;
	json_t		*list;
	struct str	*id;
	size_t		 n, cap;
};

/* notice run alert level made subject sender message body json */
static void
show_notice(void *arg, const struct str *c, unsigned n)
{
	struct told *t = arg;
	struct buf *b = &t->w->out;
	struct arena *a = &t->w->h.c->arena;
	struct str *more;
	double level;
	json_t *o;

	if (n < 10)
		return;
	if (t->n == t->cap) {
		t->cap = t->cap == 0 ? 8 : 2 * t->cap;
		more = arena_alloc(a, t->cap * sizeof *more);
		if (t->n > 0)
			memcpy(more, t->id, t->n * sizeof *more);
		t->id = more;
	}
	t->id[t->n++] = arena_dup(a, c[0]);
	level = number(c[3]);
	if (!(level >= 0 && level < LEVEL_COUNT))
		level = LEVEL_ERROR;
	if (t->list != NULL) {
		static const char *const name[] = { "id", "run", "alert" };

		o = json_object();
		for (n = 0; n < 3; n++)
			json_object_set_new(o, name[n], look_json_text(
			    &t->w->h.c->mem, str_none(c[n]) ? STR_EMPTY : c[n]));
		json_object_set_new(o, "level",
		    json_string(level_name[(int)level]));
		json_object_set_new(o, "time", look_json_number(number(c[4])));
		json_object_set_new(o, "subject", look_json_text(&t->w->h.c->mem,
		    str_none(c[5]) ? STR_EMPTY : c[5]));
		json_object_set_new(o, "text", look_json_text(&t->w->h.c->mem,
		    str_none(c[8]) ? STR_EMPTY : c[8]));
		json_array_append_new(t->list, o);
		return;
	}
	buf_puts(b, "notice ");
	buf_escaped(b, c[0], 0);
	buf_putc(b, '\n');
	tag(b, "subject");
	buf_escaped(b, str_none(c[5]) ? STR_EMPTY : c[5], 0);
	buf_putc(b, '\n');
	tag(b, "of");
	buf_puts(b, "alert ");
	buf_escaped(b, str_none(c[2]) ? STR_EMPTY : c[2], 0);
	buf_printf(b, ", %s, run ", level_name[(int)level]);
	buf_escaped(b, str_none(c[1]) ? STR_EMPTY : c[1], 0);
	buf_puts(b, ", at ");
	look_moment(b, number(c[4]), t->w->h.l.now);
	buf_putc(b, '\n');
	texts(b, "told", str_none(c[8]) ? STR_EMPTY : c[8]);
}

/* A mail by its Message-ID, or all of a run; *found: there is one. */
static bool
why_notice(struct why *w, const char *name, bool *found)
{
	struct str id = str_c(name);
	struct told t = { .w = w };
	bool ok;
	size_t i;

	if (id.n > 1 && id.p[0] == '<' && id.p[id.n - 1] == '>')
		id = str_of(id.p + 1, id.n - 2);
	if (w->h.c->given[OPT_JSON])
		t.list = json_array();
	ok = state_ask(w->h.o.state, Q_NOTICE_GET,
	    (const struct param[]){ PT(id) }, show_notice, &t);
	if (ok && t.n == 0)
		ok = state_ask(w->h.o.state, Q_NOTICE_OF_RUN,
		    (const struct param[]){ PT(id) }, show_notice, &t);
	for (i = 0; ok && i < t.n; i++) {
		if (t.list != NULL) {
			w->json = json_array();
			json_object_set_new(json_array_get(t.list, i),
			    "copies", w->json);
		} else {
			buf_puts(&w->out, "copies of ");
			buf_escaped(&w->out, t.id[i], 0);
			buf_putc(&w->out, '\n');
		}
		ok = deliveries(w, t.id[i]);
	}
	*found = t.n > 0;
	if (ok && *found && t.list != NULL) {
		json_t *top = json_object();

		json_object_set(top, "notices", t.list);
		cli_json_put(top, &w->out);
	}
	json_decref(t.list);
	return ok;
}

int
cmd_why(struct cli *c)
{
	struct incident *in;
	struct why w;
	bool ok, found = true;
	int r = EXIT_PROBLEMS;

	if (c->narg != 1) {
		cli_say("why wants the key or the id of an incident, the "
		    "Message-ID of a mail, or the id of a run");
		return EXIT_USAGE;
	}
	memset(&w, 0, sizeof w);
	if (!hand_open(c, true, &w.h))
		return EXIT_PROBLEMS;
	buf_init(&w.out, &c->mem);
	in = incidents_find(&w.h.l.incidents, str_c(c->arg[0]));
	ok = in != NULL || why_notice(&w, c->arg[0], &found);
	if (ok && (in != NULL || !found)) {
		if (in == NULL)
			in = hand_find(&w.h, c->arg[0]);
		ok = in == NULL || why_incident(&w, in);
		found = in != NULL;
	}
	if (!ok)
		r = hand_failed(&w.h);
	else if (found && cli_write(1, buf_view(&w.out)))
		r = EXIT_FINE;
	buf_free(&w.out);
	hand_close(&w.h);
	return r;
}
