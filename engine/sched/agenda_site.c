/* The entries of an image, as the agenda asks for them. */
#include "engine/image/schedule.h"
#include "engine/sched/agenda.h"

static bool
entry_timing(void *arg, uint32_t e, unsigned k, struct agenda_timing *t)
{
	struct schedule_entry s;

	schedule_entry(arg, e, &s);
	if ((s.flags & ENTRY_SLEEPS) != 0)
		return false;
	*t = (struct agenda_timing){ 0 };
	if (k < s.ntiming) {
		t->drift = schedule_timing(arg, &s, k, &t->cron);
		return true;
	}
	t->every = s.every;
	t->drift = s.every_drift;
	return k == s.ntiming && s.every > 0;
}

static const char *
entry_name(void *arg, uint32_t e)
{
	struct schedule_entry s;

	schedule_entry(arg, e, &s);
	return s.name;
}

static uint32_t
entry_find(void *arg, const char *name)
{
	long e = schedule_find(arg, name);

	return e < 0 ? AGENDA_NONE : (uint32_t)e;
}

void
agenda_of(struct agenda_site *site, struct schedule *s)
{
	site->arg = s;
	site->n = (uint32_t)schedule_count(s);
	site->timing = entry_timing;
	site->name = entry_name;
	site->find = entry_find;
}
