#include "engine/sched/queue.h"

#include <math.h>

#include "lang/base/num.h"
#include "engine/sched/heap.h"

#define SKIPPED_BITS	24
#define LIM_SKIPPED	((1u << SKIPPED_BITS) - 1)	/* a minute's timing has so
				 * many in 30 years; then it counts no more */
#define REASON_BITS	4

struct seat {
	double		 at;
	uint32_t	 ticket;	/* those of one time: as they came */
	/* bits: each entry of the site has one of these, locked in memory */
	unsigned	 skipped : SKIPPED_BITS;
	unsigned	 reason : REASON_BITS;
	bool		 by_hand : 1;
	bool		 runs : 1;	/* a run of it goes on, as far as we know */
	bool		 waits : 1;	/* it has a place; in the heap if it does not
					 * run */
};
_Static_assert(REASON_COUNT <= 1 << REASON_BITS, "reason");

static void
skip(struct seat *p)
{
	if (p->skipped < LIM_SKIPPED)
		p->skipped = (p->skipped + 1) & LIM_SKIPPED;
}

static void
set_reason(struct seat *p, enum reason r)
{
	p->reason = (unsigned)r & ((1u << REASON_BITS) - 1);
}

struct queue {
	struct mem	*mem;
	size_t		 size;
	uint32_t	 n;
	unsigned	 most, running;
	uint32_t	 waiting, tickets;
	struct heap	 heap;		/* who can be started */
	struct seat	*seat;		/* n */
};

static bool
before(const void *arg, uint32_t x, uint32_t y)
{
	const struct seat *p = arg, *a = &p[x], *b = &p[y];

	if (a->at < b->at || a->at > b->at)
		return a->at < b->at;
	return (int32_t)(a->ticket - b->ticket) < 0;	/* it goes round */
}

struct queue *
queue_new(struct mem *mem, uint32_t n, unsigned most)
{
	struct queue *q;
	size_t size = sizeof *q + n * sizeof *q->seat +
	    n * 2 * sizeof *q->heap.at;

	q = mem_zalloc(mem, size);
	q->mem = mem;
	q->size = size;
	q->n = n;
	q->most = most;
	q->seat = (void *)(q + 1);
	q->heap.at = (void *)(q->seat + n);
	q->heap.pos = q->heap.at + n;
	q->heap.before = before;
	q->heap.arg = q->seat;
	heap_init(&q->heap, n);
	return q;
}

void
queue_free(struct queue *q)
{
	if (q != NULL)
		mem_free(q->mem, q, q->size);
}

void
queue_most(struct queue *q, unsigned most)
{
	q->most = most;
}

static void
wait_in(struct queue *q, uint32_t e)
{
	struct seat *p = &q->seat[e];

	if (!p->waits) {
		p->waits = true;
		q->waiting++;
	}
	if (!p->runs)
		heap_put(&q->heap, e);
}

static void
no_place(struct queue *q, uint32_t e)
{
	q->seat[e].waits = false;
	q->waiting--;
	heap_out(&q->heap, e);
}

enum queue_says
queue_put(struct queue *q, const struct agenda_due *due, enum overlap overlap,
    double now)
{
	struct seat *p = &q->seat[due->entry];
	bool runs = p->runs;

	if (p->waits || (runs && overlap != OVERLAP_QUEUE &&
	    overlap != OVERLAP_KILL)) {
		if (!num_none(due->due))	/* who asked is told */
			skip(p);
		return p->waits ? QUEUE_HAS_PLACE : QUEUE_SKIPPED;
	}
	p->by_hand = num_none(due->due);
	p->at = p->by_hand ? now : due->due;
	set_reason(p, due->reason);
	p->ticket = q->tickets++;
	wait_in(q, due->entry);
	return runs && overlap == OVERLAP_KILL ? QUEUE_KILL : QUEUE_WAITS;
}

bool
queue_take(struct queue *q, struct queue_item *it)
{
	struct seat *p;

	if (q->heap.n == 0 || q->running >= q->most)
		return false;
	it->entry = q->heap.at[0];
	p = &q->seat[it->entry];
	it->at = p->at;
	it->due = p->by_hand ? NUM_NIL : p->at;
	it->reason = (enum reason)p->reason;
	no_place(q, it->entry);
	p->runs = true;
	q->running++;
	return true;
}

void
queue_back(struct queue *q, const struct queue_item *it)
{
	struct seat *p = &q->seat[it->entry];

	if (p->waits)
		skip(p);		/* what came meanwhile: it is later */
	p->at = it->at;
	p->by_hand = num_none(it->due);
	set_reason(p, it->reason);
	queue_ended(q, it->entry);
	wait_in(q, it->entry);
}

void
queue_ended(struct queue *q, uint32_t e)
{
	if (q->running > 0)
		q->running--;
	if (e == AGENDA_NONE)
		return;
	q->seat[e].runs = false;
	if (q->seat[e].waits)
		heap_put(&q->heap, e);
}

uint32_t
queue_drop(struct queue *q, uint32_t entry)
{
	uint32_t e, was = q->waiting;

	if (entry != AGENDA_ALL) {
		if (q->seat[entry].waits)
			no_place(q, entry);
	} else
		for (e = 0; e < q->n; e++)
			if (q->seat[e].waits)
				no_place(q, e);
	return was - q->waiting;
}

uint32_t
queue_keep(struct queue *q, const struct queue *old, const uint32_t *from)
{
	uint32_t e;

	q->running = old->running;
	q->tickets = old->tickets;
	for (e = 0; e < q->n; e++) {
		if (from[e] == AGENDA_NONE)
			continue;
		q->seat[e] = old->seat[from[e]];
		if (q->seat[e].waits) {
			q->seat[e].waits = false;
			wait_in(q, e);
		}
	}
	return old->waiting - q->waiting;
}

unsigned
queue_running(const struct queue *q)
{
	return q->running;
}

uint32_t
queue_waiting(const struct queue *q)
{
	return q->waiting;
}

bool
queue_runs(const struct queue *q, uint32_t e)
{
	return q->seat[e].runs;
}

bool
queue_waits(const struct queue *q, uint32_t e)
{
	return q->seat[e].waits;
}

uint32_t
queue_skipped(const struct queue *q, uint32_t e)
{
	return q->seat[e].skipped;
}

double
queue_oldest(const struct queue *q)
{
	double at = INFINITY;
	uint32_t e;

	for (e = 0; e < q->n && q->waiting > 0; e++)
		if (q->seat[e].waits && q->seat[e].at < at)
			at = q->seat[e].at;
	return at;
}

size_t
queue_size(const struct queue *q)
{
	return q->size;
}
