/* tell_step: the incidents of a script that has run. */
#include "engine/deliver/tell_inner.h"

#include "lang/base/num.h"

/* What the script leaves of an incident besides what the machine does. */
static void
take_facts(struct tell *t, struct known *k, const struct tell_script *s)
{
	k->i.alert = s->owner.alert;
	k->i.script = s->owner.script;
	k->i.origin = t->o.origin;
	k->i.affects = s->affects_mail;
	k->mine = true;
}

/* A quiet one that has nobody's interest is no row. */
static bool
matters(const struct known *k)
{
	return k->stored || k->i.state != INCIDENT_QUIET ||
	    k->i.unknown > 0 || k->i.missed > 0 || k->i.blind > 0;
}

static void
changed(struct tell *t, struct known *k)
{
	static const char *const what[] = {
		[INCIDENT_QUIET] = "quiet",
		[INCIDENT_PENDING] = "pending",
		[INCIDENT_FIRES] = "firing",
	};
	const struct incident *i = &k->i;

	if (i->state == k->was.state && i->episode == k->was.episode)
		return;
	if (k->was.state == INCIDENT_FIRES && i->state != INCIDENT_FIRES)
		tell_history(t, k, incident_end_name[(int)i->how], STR_EMPTY,
		    i->message, STR_EMPTY);
	else if (i->state == INCIDENT_QUIET)
		tell_history(t, k, "quiet", STR_EMPTY, STR_LIT("the condition "
		    "did not hold long enough"), STR_EMPTY);
	else
		tell_history(t, k, what[(int)i->state], STR_EMPTY,
		    i->message, STR_EMPTY);
}

/* A quiet one that stays so: whatever the store has of it stays, too. */
static bool
is_nothing(const struct incident *quiet, const struct incident_seen *seen,
    const struct incident_run *run)
{
	struct incident i = *quiet;

	(void)incident_observe(&i, seen, run, false);
	return i.state == INCIDENT_QUIET && i.unknown == 0;
}

/* The state does not say what there was before. */
static bool
is_blind(const struct tell *t)
{
	return !t->open || t->lost;
}

static void
observe(struct tell *t, const struct tell_script *s,
    const struct run_seen *seen, const struct incident_run *run)
{
	struct known *k = tell_known(t, seen->seen.key), *other;
	struct incident_seen now;
	bool blocked = false;

	if (k == NULL || (k->seen && !matters(k))) {
		k = tell_new_known(t, seen->seen.key, s);
		k->seen = true;
		if (is_nothing(&k->i, &seen->seen, run))
			return;
		k->seen = false;
		tell_fetch(t, k);
	}
	if (!incident_is_of(&k->i, s->owner.alert, s->owner.script,
	    t->now))
		return;		/* another script's; the run has said so */
	if (k->seen)
		return;
	take_facts(t, k, s);
	k->seen = true;
	incident_clock(&k->i, t->now);
	if (!str_none(seen->seen.unless) && seen->seen.unless.n > 0) {
		other = tell_known(t, seen->seen.unless);
		blocked = other != NULL && other->i.state == INCIDENT_FIRES;
	}
	now = seen->seen;
	/* rather told of too early, and with each run, than never: nobody keeps
	 * since when it has been so */
	if (is_blind(t) && !k->stored)
		now.hold = 0;
	(void)incident_observe(&k->i, &now, run, blocked);
	if (k->i.episode != k->was.episode)
		k->i.done = arena_dup(&t->arena, buf_view(&s->result->done));
	changed(t, k);
}

/* A script that does not get through is an incident of its own. */
static void
no_data(struct tell *t, const struct tell_script *s,
    const struct incident_run *run)
{
	struct incident_seen seen;
	struct known *k;
	struct buf b;

	buf_init(&b, t->o.mem);
	buf_puts(&b, INCIDENT_NODATA);
	buf_str(&b, s->owner.alert);
	buf_putc(&b, '/');
	buf_str(&b, s->owner.script);
	if (b.n > LIM_INCIDENT_KEY)
		b.n = LIM_INCIDENT_KEY;
	k = tell_known(t, buf_view(&b));
	if (k == NULL && run->good) {
		buf_free(&b);
		return;
	}
	if (k == NULL) {
		k = tell_new_known(t, buf_view(&b), s);
		tell_fetch(t, k);
	}
	take_facts(t, k, s);
	k->i.affects = 0;
	k->seen = true;
	memset(&seen, 0, sizeof seen);
	seen.key = k->i.key;
	seen.unless = STR_NIL;
	seen.level = s->section.level;
	seen.place = STR_EMPTY;
	buf_clear(&b);
	buf_puts(&b, "no data from ");
	buf_str(&b, s->owner.script);
	seen.message = arena_dup(&t->arena, buf_view(&b));
	buf_clear(&b);
	if (s->result->error.n > 0)
		buf_str(&b, buf_view(&s->result->error));
	else
		buf_puts(&b, "a command that it reads from ended badly");
	seen.evidence = arena_dup(&t->arena, buf_view(&b));
	(void)incident_nodata(&k->i, &seen, run);
	changed(t, k);
	buf_free(&b);
}

void
tell_script(struct tell *t, const struct tell_script *s)
{
	const struct run_result *r = s->result;
	struct incident_run run = { t->now, r->good, r->complete };
	struct saying *p;
	struct known *k;
	size_t i;

	p = tell_saying(t, t->o.alert, s->owner.script, s->section.level);
	p->s = s->section;
	if (!s->incidents)
		return;
	if (t->open)
		(void)tell_load(t, &s->owner);
	for (i = 0; i < r->nseen; i++)
		observe(t, s, &r->seen[i], &run);
	for (i = 0; i < t->known.n && !is_blind(t); i++) {
		k = t->known.entry[i].v.ptr;
		if (k->seen || !str_eq(k->i.alert, s->owner.alert) ||
		    !str_eq(k->i.script, s->owner.script) ||
		    str_starts(k->i.key, INCIDENT_NODATA))
			continue;
		take_facts(t, k, s);
		incident_clock(&k->i, t->now);
		incident_missed(&k->i, &run);
		changed(t, k);
	}
	if (!is_blind(t))
		no_data(t, s, &run);
	for (i = 0; i < t->known.n; i++) {
		k = t->known.entry[i].v.ptr;
		if (k->mine && matters(k))
			tell_changes(t, k);
	}
}
