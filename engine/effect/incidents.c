/*
 * incidents: what incident statements ask of the hosts.  The stored incidents
 * are read when the first one is asked for; each evaluation steps a copy, as
 * if the run ended well, which gives the verdict.  What was evaluated is kept
 * for whoever settles it at the end of the alert's run (live_incidents).
 */
#include "engine/effect/incidents.h"

#include "lang/base/num.h"
#include "engine/effect/scarce.h"
#include "engine/effect/state.h"
#include "engine/state/incidents.h"
#include "engine/vm/when.h"

#define LIM_ASKED	16	/* keys that are asked for one by one */
#define KEY_SHOWN	100	/* bytes of a key in a log line */

/* Those that are in memory, when nothing can be asked. */
static void
held(struct live *l)
{
	const struct scarce_held *h = l->o.scarce->held;
	struct incident *in;
	bool is_new;
	size_t i;

	for (i = 0; h != NULL && i < h->incidents->by_key.n; i++) {
		in = incidents_at(h->incidents, i);
		*incidents_add(&l->incidents, in->key, &is_new) = *in;
	}
}

/* The table of those at hand, with the script's own in it. */
static void
ready(struct live *l)
{
	const struct param of[] = { PT(l->o.alert), PT(l->o.script) };
	struct str why;
	struct buf *b;

	if (l->incidents_ready)
		return;
	l->incidents_ready = true;
	incidents_init(&l->incidents, l->mem);
	arena_init(&l->step_arena, l->mem, 4096);
	map_init(&l->step_by_key, &l->step_arena);
	if (l->o.scarce != NULL) {
		held(l);
		return;
	}
	if (l->o.state == NULL || incidents_load(&l->incidents, l->o.state,
	    Q_INCIDENT_OF_NOW, of))
		return;
	/* rather told of anew than not told of */
	why = state_why(l->o.state);
	b = &l->fact;
	buf_clear(b);
	buf_puts(b, "incidents cannot be read, and count as new: ");
	buf_str(b, why);
	log_line(l, LOG_ERROR, buf_view(b));
	l->incidents_lost = true;
}

/*
 * Another script may have the key.  The first few are asked for one by one, a
 * question costs half a millisecond; then all that there are.
 */
static void
ask(struct live *l, struct str key)
{
	const struct param k[] = { PT(key) };
	const struct param of[] = { PT(l->o.alert), PT(l->o.script),
	    PN(live_clock(l) - INCIDENT_LEFT) };

	if (l->o.state == NULL || l->o.scarce != NULL || l->incidents_lost ||
	    l->incidents_asked > LIM_ASKED)
		return;
	if (l->incidents_asked++ < LIM_ASKED)
		(void)incidents_load(&l->incidents, l->o.state,
		    Q_INCIDENT_GET, k);
	else
		(void)incidents_load(&l->incidents, l->o.state,
		    Q_INCIDENT_OTHERS_NOW, of);
}

/* The incident of a key, of whichever script; never NULL. */
static struct incident *
find(struct live *l, struct str key)
{
	struct incident *in;
	bool is_new;

	ready(l);
	in = incidents_find(&l->incidents, key);
	if (in != NULL)
		return in;
	ask(l, key);
	return incidents_add(&l->incidents, key, &is_new);
}

/* NULL: it can be a key. */
static const char *
key_fault(struct str key)
{
	if (str_none(key))
		return key.n == 0 ? "its key is NIL" : "its key is ERR";
	return key.n == 0 ? "its key is empty" : NULL;
}

/*
 * A text as a key: a line, of LIM_INCIDENT_KEY bytes at most.  Whoever can
 * name a process must not be able to name one that nobody is told of: control
 * characters are written out, and of what is too long the end is its digest.
 */
static struct str
as_key(struct live *l, struct str key)
{
	static const char hex[] = "0123456789abcdef";
	char id[INCIDENT_ID + 1], *p;
	size_t i, n = 0;

	for (i = 0; i < key.n && (unsigned char)key.p[i] >= ' ' &&
	    key.p[i] != 0x7f; i++)
		;
	if (i == key.n && key.n <= LIM_INCIDENT_KEY)
		return key;
	p = arena_text(&l->step_arena, LIM_INCIDENT_KEY + 4);
	for (i = 0; i < key.n && n <= LIM_INCIDENT_KEY; i++)
		if ((unsigned char)key.p[i] >= ' ' && key.p[i] != 0x7f)
			p[n++] = key.p[i];
		else {
			memcpy(p + n, "\\x", 2);
			p[n + 2] = hex[(unsigned char)key.p[i] >> 4];
			p[n + 3] = hex[(unsigned char)key.p[i] & 15];
			n += 4;
		}
	if (i < key.n || n > LIM_INCIDENT_KEY) {
		incident_id(STR_EMPTY, key, id);
		n = LIM_INCIDENT_KEY - INCIDENT_ID - 1;
		p[n++] = '~';
		memcpy(p + n, id, INCIDENT_ID);
		n += INCIDENT_ID;
	}
	return str_of(p, n);
}

/* "x.pikt:14: incident KEY why" */
static void
complain(struct live *l, enum log_kind kind, const struct incident_seen *seen,
    const char *why, struct str more)
{
	struct buf *b = &l->fact;

	buf_clear(b);
	buf_str(b, seen->place);
	buf_puts(b, ": incident");
	if (!str_none(seen->key) && seen->key.n > 0) {
		buf_putc(b, ' ');
		buf_escaped(b, seen->key, KEY_SHOWN);
	}
	buf_printf(b, " %s", why);
	buf_str(b, more);
	log_line(l, kind, buf_view(b));
}

/* Texts of incidents are one line each: they head mails and label things. */
static struct str
one_line(struct live *l, struct str s)
{
	char *p;
	size_t i;

	if (str_none(s))
		return s;
	if (s.n > LIM_INCIDENT_TEXT + 4)	/* the machine cuts them nicely */
		s.n = LIM_INCIDENT_TEXT + 4;
	p = arena_text(&l->step_arena, s.n);
	for (i = 0; i < s.n; i++)
		p[i] = (unsigned char)s.p[i] >= ' ' && s.p[i] != 0x7f ?
		    s.p[i] : strchr("\t\n\r", s.p[i]) != NULL &&
		    s.p[i] != '\0' ? ' ' : '?';
	return str_of(p, s.n);
}

static struct live_step *
new_step(struct live *l, const struct incident_seen *seen)
{
	struct live_step *all;
	struct incident_seen *k;

	if (l->nstep == l->capstep) {
		all = arena_alloc(&l->step_arena,
		    (l->capstep * 2 + 8) * sizeof *all);
		if (l->nstep > 0)
			memcpy(all, l->step, l->nstep * sizeof *all);
		l->step = all;
		l->capstep = l->capstep * 2 + 8;
	}
	memset(&l->step[l->nstep], 0, sizeof *l->step);
	k = &l->step[l->nstep].seen;
	*k = *seen;
	k->key = arena_dup(&l->step_arena, seen->key);
	k->message = one_line(l, seen->message);
	k->evidence = one_line(l, seen->evidence);
	k->place = one_line(l, seen->place);
	k->unless = str_none(seen->unless) ? seen->unless :
	    arena_dup(&l->step_arena, seen->unless);
	return &l->step[l->nstep];
}

/* The step of an evaluation; NULL: it was ignored, and that was said. */
static const struct live_step *
step(struct live *l, const struct incident_seen *seen)
{
	struct incident_run run = { .good = true, .complete = true };
	const char *fault = key_fault(seen->key);
	struct incident_seen own = *seen;
	struct live_step *s;
	struct incident *in, *was;
	struct buf owner;
	bool is_new, blocked;

	if (fault != NULL) {
		complain(l, LOG_ERROR, seen, "ignored: ", str_c(fault));
		return NULL;
	}
	ready(l);
	own.key = as_key(l, seen->key);
	if (!str_none(own.unless))
		own.unless = as_key(l, own.unless);
	seen = &own;
	if (l->nstep == LIM_STEPS && map_get(&l->step_by_key, seen->key) ==
	    NULL) {
		if (!l->steps_told)
			complain(l, LOG_ERROR, seen, "and all that follow are "
			    "ignored: a run takes 5000", STR_EMPTY);
		l->steps_told = true;
		return NULL;
	}
	in = find(l, seen->key);
	run.now = live_clock(l);
	if (!incident_is_of(in, l->o.alert, l->o.script, run.now)) {
		buf_init(&owner, l->mem);
		buf_str(&owner, in->script);
		buf_puts(&owner, " of alert ");
		buf_str(&owner, in->alert);
		if (str_eq(in->script, l->o.script))
			buf_puts(&owner, ", which has run it within the last "
			    "day: let one alert run it");
		complain(l, LOG_ERROR, seen, "ignored: the key belongs to "
		    "script ",
		    buf_view(&owner));
		buf_free(&owner);
		return NULL;
	}
	if (map_get(&l->step_by_key, seen->key) != NULL) {
		complain(l, LOG_WARNING, seen, "ignored: its key was "
		    "evaluated in this run before", STR_EMPTY);
		return NULL;
	}
	s = new_step(l, seen);
	if (!str_none(s->seen.unless) && key_fault(s->seen.unless) != NULL) {
		complain(l, LOG_ERROR, seen, "has an unless that can be no "
		    "key, and inhibits nothing", STR_EMPTY);
		s->seen.unless = STR_NIL;
	}
	was = arena_alloc(&l->step_arena, sizeof *was);
	*was = *in;
	s->was = was;
	blocked = !str_none(s->seen.unless) &&
	    find(l, s->seen.unless)->state == INCIDENT_FIRES;
	s->verdict = incident_observe(in, &s->seen, &run, blocked);
	in->alert = l->o.alert;
	in->script = l->o.script;
	map_put(&l->step_by_key, seen->key, &is_new)->v.num = l->nstep++;
	return s;
}

enum incident_verdict
live_incident(void *h, const struct incident_seen *seen)
{
	const struct live_step *s = step(h, seen);

	return s == NULL ? VERDICT_NOTHING : s->verdict;
}

/* Tells what a live run would begin, hold or end. */
enum incident_verdict
dry_incident(void *h, const struct incident_seen *seen)
{
	struct live *l = h;
	const struct live_step *s = step(l, seen);
	char span[WHEN_SPAN_MAX];
	bool held;
	struct buf *b = &l->fact;

	if (s == NULL)
		return VERDICT_NOTHING;
	held = s->was->state == INCIDENT_QUIET &&
	    find(l, s->seen.key)->state == INCIDENT_PENDING;
	if (s->verdict == VERDICT_NOTHING && !held)
		return s->verdict;
	buf_clear(b);
	buf_str(b, s->seen.key);
	if (held) {
		buf_puts(b, " would fire in ");
		buf_add(b, span, when_span(s->seen.hold, span));
	} else
		buf_puts(b, s->verdict == VERDICT_ONSET ? " would fire" :
		    " would end");
	dry_tell(l, "incident", buf_view(b), s->verdict == VERDICT_CLEAR ?
	    STR_NIL : s->seen.message);
	return s->verdict;
}

double
live_incident_fact(void *h, enum incident_fact what, struct str key)
{
	struct live *l = h;
	const struct incident *in;
	const struct map_entry *e;
	bool fires;

	if (key_fault(key) != NULL)
		return NUM_NIL;
	ready(l);
	key = as_key(l, key);
	in = find(l, key);
	fires = in->state == INCIDENT_FIRES;
	switch (what) {
	case INCIDENT_FIRING:
		return fires;
	case INCIDENT_ACKED:
		return incident_is_acked(in);
	case INCIDENT_SINCE:
		return fires ? in->fired : NUM_NIL;
	case INCIDENT_DURATION:
		/* of one that has ended only where it just has */
		e = map_get(&l->step_by_key, key);
		return fires || (e != NULL &&
		    l->step[e->v.num].verdict == VERDICT_CLEAR) ?
		    incident_duration(in, live_clock(h)) : NUM_NIL;
	}
	return NUM_NIL;
}

bool
live_incidents_all(const struct live *l)
{
	return !l->steps_told;
}

size_t
live_incidents(const struct live *l, const struct live_step **all)
{
	*all = l->step;
	return l->nstep;
}
