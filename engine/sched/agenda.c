#include "engine/sched/agenda.h"

#include <math.h>
#include <string.h>

#include "lang/base/num.h"
#include "engine/sched/heap.h"

#define TURNS	1000000		/* microseconds in a second */

const char *const reason_word[REASON_COUNT] = {
#define RN(id, word) [id] = word,
	REASONS
#undef RN
};

struct slot {
	double		 due;		/* the first of its timings, INFINITY */
	double		 high;		/* the latest time that it was due by and
					 * had, -INFINITY: none */
	uint32_t	 first;		/* its timings in next[] go to those of the
					 * next slot */
	uint32_t	 paused;
};

struct agenda {
	struct mem	*mem;
	size_t		 size;
	const struct calendar_zone *zone;
	struct agenda_site site;
	double		 now;
	unsigned	 turn;		/* how often the clock went back */
	bool		 paused;	/* all */
	struct heap	 heap;		/* those that will be due */
	struct slot	*slot;		/* n + 1 */
	double		*next;		/* of each timing */
};

static bool
before(const void *arg, uint32_t x, uint32_t y)
{
	const struct slot *slot = arg, *a = &slot[x], *b = &slot[y];

	if (a->due < b->due || a->due > b->due)
		return a->due < b->due;
	if (a->high < b->high || a->high > b->high)
		return a->high < b->high;
	return x < y;
}

/* --- one timing --- */

static double
after(const struct agenda *a, const struct agenda_timing *t, double from)
{
	if (t->every > 0)
		return calendar_start_every(t->every, t->drift, from);
	return calendar_start(a->zone, &t->cron, t->drift, from);
}

/* The last one after `due`, which has had it, and up to now; there is one. */
static double
last(const struct agenda *a, const struct agenda_timing *t, double due)
{
	struct calendar_gap g = calendar_gap(a->zone, t->every > 0 ? NULL :
	    &t->cron, t->every, due - t->drift, a->now - t->drift, NUM_NIL);

	return num_none(g.due) ? due : g.due + t->drift;
}

static bool
follows(const struct agenda_timing *t, double set)
{
	return calendar_follows(t->every > 0 ? NULL : &t->cron, set);
}

static bool
same(const struct agenda_timing *x, const struct agenda_timing *y)
{
	const struct cron *a = &x->cron, *b = &y->cron;

	if (!(x->every == y->every) || !(x->drift == y->drift))
		return false;
	return x->every > 0 || (a->min == b->min && a->hour == b->hour &&
	    a->dom == b->dom && a->month == b->month && a->dow == b->dow &&
	    a->either_day == b->either_day && a->wild == b->wild);
}

/* --- one entry --- */

static unsigned
timings(const struct agenda *a, uint32_t e)
{
	return a->slot[e + 1].first - a->slot[e].first;
}

static double *
nexts(const struct agenda *a, uint32_t e)
{
	return a->next + a->slot[e].first;
}

/* Timing k; false: the site has changed under us, which it must not. */
static bool
timing(const struct agenda *a, uint32_t e, unsigned k, struct agenda_timing *t)
{
	return a->site.timing(a->site.arg, e, k, t);
}

/* Its place in the heap, after a change of next[]. */
static void
settle(struct agenda *a, uint32_t e)
{
	struct slot *s = &a->slot[e];
	const double *next = nexts(a, e);
	unsigned k, n = timings(a, e);

	s->due = INFINITY;
	for (k = 0; k < n; k++)
		if (next[k] < s->due)
			s->due = next[k];
	if (isinf(s->due) || s->paused)
		heap_out(&a->heap, e);
	else
		heap_put(&a->heap, e);
}

static void
start_after(struct agenda *a, uint32_t e, double t)
{
	struct agenda_timing g;
	unsigned k, n = timings(a, e);

	for (k = 0; k < n; k++)
		nexts(a, e)[k] = timing(a, e, k, &g) ? after(a, &g, t) :
		    INFINITY;
	settle(a, e);
}

/* What it has missed is not owed. */
static void
forgive(struct agenda *a, uint32_t e)
{
	struct agenda_timing g;
	unsigned k, n = timings(a, e);
	double *next = nexts(a, e);

	for (k = 0; k < n; k++)
		if (next[k] <= a->now)
			next[k] = timing(a, e, k, &g) ? after(a, &g, a->now) :
			    INFINITY;
	settle(a, e);
}

/* --- all --- */

struct agenda *
agenda_new(struct mem *mem, const struct calendar_zone *zone,
    const struct agenda_site *site, double now)
{
	uint32_t e, n = site->n, ntiming = 0;
	struct agenda_timing t;
	struct agenda *a;
	size_t size;
	char *p;
	unsigned k;

	for (e = 0; e < n; e++)
		for (k = 0; site->timing(site->arg, e, k, &t); k++)
			ntiming++;
	size = sizeof *a + (n + (size_t)1) * sizeof *a->slot +
	    ntiming * sizeof *a->next + n * 2 * sizeof *a->heap.at;
	p = mem_zalloc(mem, size);
	a = (void *)p;
	a->mem = mem;
	a->size = size;
	a->zone = zone;
	a->site = *site;
	a->now = now;
	/* what needs the widest alignment first */
	p += sizeof *a;
	a->slot = (void *)p;
	p += (n + (size_t)1) * sizeof *a->slot;
	a->next = (void *)p;
	p += ntiming * sizeof *a->next;
	a->heap.at = (void *)p;
	a->heap.pos = a->heap.at + n;
	a->heap.before = before;
	a->heap.arg = a->slot;
	heap_init(&a->heap, n);
	for (ntiming = 0, e = 0; e < n; e++) {
		a->slot[e].first = ntiming;
		a->slot[e].high = -INFINITY;
		for (k = 0; site->timing(site->arg, e, k, &t); k++)
			a->next[ntiming++] = after(a, &t, now);
	}
	a->slot[n].first = ntiming;
	for (e = 0; e < n; e++)
		settle(a, e);
	return a;
}

void
agenda_free(struct agenda *a)
{
	if (a != NULL)
		mem_free(a->mem, a, a->size);
}

size_t
agenda_size(const struct agenda *a)
{
	return a->size;
}

/* --- at start --- */

void
agenda_last(struct agenda *a, uint32_t e, double due)
{
	if (due > a->slot[e].high)
		a->slot[e].high = due;
}

void
agenda_start(struct agenda *a, double alive, unsigned turn)
{
	bool known = false, ahead = alive > a->now;
	struct agenda_timing t;
	double then, set, from;
	struct slot *s;
	unsigned k, n;
	uint32_t e;

	for (e = 0; e < a->site.n; e++) {
		s = &a->slot[e];
		if (isinf(s->high))
			continue;
		known = true;
		ahead = ahead || s->high > a->now;
		then = num_none(alive) ? s->high : alive;
		set = a->now < then ? a->now - then : 0;
		/* what was had after the stamp was written; one that is far
		 * ahead was had before the clock was set back once */
		from = then;
		if (s->high > then && (s->high <= a->now ||
		    s->high - then <= AGENDA_LATE))
			from = s->high;
		n = timings(a, e);
		for (k = 0; k < n; k++)
			if (timing(a, e, k, &t))
				nexts(a, e)[k] = after(a, &t, follows(&t, set) ?
				    a->now : from);
		settle(a, e);
	}
	/* A turn that nobody knows is one that there has not been, most
	 * likely. */
	if (num_none(alive) && known)
		turn = (unsigned)((uint64_t)fabs(a->now) % (TURNS - 1));
	a->turn = turn + ahead;
}

unsigned
agenda_turn(const struct agenda *a)
{
	return a->turn;
}

/* --- a reload --- */

static bool
same_timings(const struct agenda *a, uint32_t e, const struct agenda *b,
    uint32_t o)
{
	struct agenda_timing x, y;
	unsigned k, n = timings(a, e);

	if (n != timings(b, o))
		return false;
	for (k = 0; k < n; k++)
		if (!timing(a, e, k, &x) || !timing(b, o, k, &y) ||
		    !same(&x, &y))
			return false;
	return true;
}

void
agenda_keep(struct agenda *a, const struct agenda *old, uint32_t *from)
{
	bool moved = a->now < old->now || a->now > old->now;
	uint32_t e, o;

	a->now = old->now;
	a->turn = old->turn;
	a->paused = old->paused;
	for (e = 0; e < a->site.n; e++) {
		o = old->site.find(old->site.arg, a->site.name(a->site.arg,
		    e));
		from[e] = o;
		if (o != AGENDA_NONE) {
			a->slot[e].high = old->slot[o].high;
			a->slot[e].paused = old->slot[o].paused;
		}
		if (o != AGENDA_NONE && same_timings(a, e, old, o)) {
			memcpy(nexts(a, e), nexts(old, o), timings(a, e) *
			    sizeof *a->next);
			settle(a, e);
		} else if (moved)
			start_after(a, e, a->now);
		else
			settle(a, e);
	}
}

/* --- time goes by --- */

void
agenda_look(struct agenda *a, double now, double real)
{
	struct agenda_timing t;
	double then = a->now, set;
	unsigned k, n;
	uint32_t e;

	if (num_none(real) || !(real >= 0))
		real = now > then ? now - then : 0;
	set = now - then - real;
	/* what a paused one has missed is had, though its time comes again */
	for (e = 0; now < then && e < a->site.n; e++)
		if (agenda_paused(a, e))
			forgive(a, e);
	a->now = now;
	/* the clock can be set back and be no less than it was: time went by */
	if (now < then || set < -CALENDAR_BACK)
		a->turn++;
	/* within these no timing follows; what is next stays so */
	if (set >= -CALENDAR_BACK && set <= CALENDAR_LAG)
		return;
	for (e = 0; e < a->site.n; e++) {
		n = timings(a, e);
		for (k = 0; k < n; k++)
			if (timing(a, e, k, &t) && follows(&t, set))
				nexts(a, e)[k] = after(a, &t, now - real);
		settle(a, e);
	}
}

bool
agenda_pop(struct agenda *a, struct agenda_due *out)
{
	struct agenda_timing t;
	double due = -INFINITY, was, then;
	bool more = false;
	struct slot *s;
	double *next;
	unsigned k, n;
	uint32_t e;

	if (!(agenda_wake(a) <= a->now))
		return false;
	e = a->heap.at[0];
	s = &a->slot[e];
	next = nexts(a, e);
	n = timings(a, e);
	for (k = 0; k < n; k++) {
		if (!(next[k] <= a->now))
			continue;
		was = next[k];
		if (!timing(a, e, k, &t)) {
			next[k] = INFINITY;
			continue;
		}
		then = after(a, &t, was);
		if (then <= a->now) {
			more = true;
			was = last(a, &t, was);
			then = after(a, &t, was);
		}
		next[k] = then;
		more = more || (!isinf(due) && (was < due || was > due));
		if (was > due)
			due = was;
	}
	out->entry = e;
	out->reason = more || a->now - due > AGENDA_LATE ? REASON_MADE_UP :
	    REASON_SCHEDULED;
	out->due = due;
	if (due > s->high)
		s->high = due;
	else
		out->due += (double)(a->turn % TURNS) / TURNS;
	settle(a, e);
	return true;
}

double
agenda_wake(const struct agenda *a)
{
	return a->paused || a->heap.n == 0 ? INFINITY :
	    a->slot[a->heap.at[0]].due;
}

double
agenda_next(const struct agenda *a, uint32_t e)
{
	return agenda_paused(a, e) ? INFINITY : a->slot[e].due;
}

/* --- pauses --- */

void
agenda_pause(struct agenda *a, uint32_t entry, bool on)
{
	uint32_t e;

	if (entry != AGENDA_ALL) {
		if (a->slot[entry].paused == on)
			return;
		a->slot[entry].paused = on;
		forgive(a, entry);
	} else if (a->paused != on) {
		a->paused = on;
		for (e = 0; e < a->site.n; e++)
			forgive(a, e);
	}
}

bool
agenda_paused(const struct agenda *a, uint32_t e)
{
	return a->paused || a->slot[e].paused;
}
