/* tell_rest: what time alone brings about. */
#include "engine/deliver/tell_inner.h"

#include "lang/base/num.h"

static void
keep_text(void *arg, const struct str *column, unsigned n)
{
	if (n > 0 && !str_none(column[0]))
		buf_str(arg, column[0]);
}

/* The state's file was damaged: the store has left word of it. */
static void
damaged(struct tell *t)
{
	struct param p[] = { PT(STR_LIT(META_DAMAGED)), PT(STR_EMPTY) };
	struct saying *s;
	struct buf b;

	buf_init(&b, t->o.mem);
	if (state_ask(t->o.state, Q_META_GET, p, keep_text, &b) && b.n > 0) {
		s = tell_saying(t, STR_LIT("picket"), STR_LIT("picket"),
		    LEVEL_ERROR);
		s->s.task = STR_LIT("The state's file.");
		p[1] = PT(arena_dup(&t->arena, buf_view(&b)));
		s->s.error = p[1].t;
		batch_row(t->batch, Q_META_END, p);
		t->rows = true;
	}
	buf_free(&b);
}

/*
 * Incidents of which something is owed: what was held back by a silence or a
 * window that is over, a reminder, an escalation.  Those of scripts that run
 * are stepped by their runs; here only the telling moves.
 */
void
tell_rest(struct tell *t)
{
	struct known *k, *other;
	size_t i;

	if (!t->open)
		return;
	damaged(t);
	for (i = 0; i < t->known.n; i++) {
		k = t->known.entry[i].v.ptr;
		incident_clock(&k->i, t->now);
		/* its script may not run any more: what inhibits it is looked
		 * at here, too */
		other = k->i.unless.n == 0 ? NULL : tell_known(t, k->i.unless);
		incident_inhibit(&k->i, other != NULL &&
		    other->i.state == INCIDENT_FIRES);
		tell_changes(t, k);
	}
}

/* The scripts of a site that are gone take their incidents with them. */
void
tell_gone(struct tell *t, bool (*there)(void *arg, struct str alert,
    struct str script), void *arg)
{
	struct known *k;
	size_t i;

	if (!t->open)
		return;
	for (i = 0; i < t->known.n; i++) {
		k = t->known.entry[i].v.ptr;
		if (!str_eq(k->i.origin, t->o.origin) ||
		    k->i.state == INCIDENT_QUIET ||
		    there(arg, k->i.alert, k->i.script))
			continue;
		incident_withdraw(&k->i, t->now);
		tell_history(t, k, incident_end_name[END_WITHDRAWN], STR_EMPTY,
		    STR_LIT("its script is gone"), STR_EMPTY);
		tell_changes(t, k);
	}
}
