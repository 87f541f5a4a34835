/*
 * memory: what outlives the run, as both hosts answer it.  Values are asked
 * of the store; what the run leaves is only collected, in an outcome that
 * the caller applies once the run has ended well, or drops (dry runs).
 */
#include "engine/effect/memory.h"

#include "engine/effect/scarce.h"
#include "engine/effect/state.h"

static struct state_owner
owner(const struct live *l)
{
	return (struct state_owner){ l->o.alert, l->o.state_script };
}

/*
 * Whose values are read: a script under test begins with those of the active
 * one, and from its first run on it has its own.
 */
static bool
whose(struct live *l, struct state_owner *o)
{
	double runs;

	*o = owner(l);
	if (str_eq(l->o.state_script, l->o.script))
		return true;
	if (!state_runs(l->o.state, o, &runs))
		return false;
	if (runs == 0)
		o->script = l->o.script;
	return true;
}

static bool
failed(struct live *l)
{
	struct str why = state_why(l->o.state);

	live_fail(l, "%.*s", (int)(why.n < LIM_WHY ? why.n : LIM_WHY), why.p);
	return false;
}

bool
live_previous(void *h, host_value_fn *fn, void *arg)
{
	struct live *l = h;
	struct state_owner o;

	if (l->o.scarce != NULL) {
		if (l->o.scarce->held != NULL)
			scarce_previous(l->o.scarce->held, fn, arg);
		return true;
	}
	if (l->o.state == NULL)
		return true;
	return (whose(l, &o) && state_values(l->o.state, &o, fn, arg)) ||
	    failed(l);
}

double
live_runs(void *h)
{
	struct live *l = h;
	struct state_owner o;
	double runs = 0;

	if (l->o.scarce != NULL)
		return l->o.scarce->held == NULL ? 0 : l->o.scarce->held->runs;
	if (l->o.state != NULL && (!whose(l, &o) ||
	    !state_runs(l->o.state, &o, &runs))) {
		(void)failed(l);
		return -1;
	}
	return runs;
}

void
live_keep(void *h, struct str key, bool number, struct str name,
    struct str element, struct str text)
{
	struct live *l = h;

	if (l->o.outcome != NULL)
		outcome_value(l->o.outcome, key, number, name, element, text);
}

void
live_seen(void *h, struct str key)
{
	struct live *l = h;

	if (l->o.outcome != NULL)
		outcome_seen(l->o.outcome, key);
}

void
live_record(void *h, struct str series, double value)
{
	struct live *l = h;

	if (l->o.outcome != NULL)
		outcome_point(l->o.outcome, series, live_clock(h), value);
}

void
live_keep_nothing(struct live *l)
{
	l->o.outcome = NULL;
}

void
live_leave(struct live *l, struct batch *to, bool ended_well,
    const struct state_expire *e)
{
	struct state_owner o = owner(l);

	if (l->o.outcome != NULL && ended_well && l->o.scarce != NULL &&
	    l->o.scarce->held != NULL)
		scarce_leave(l->o.scarce->held, l->o.outcome);
	if (l->o.outcome != NULL)
		batch_outcome(to, &o, l->o.outcome, ended_well, e,
		    live_clock(l));
}
