#include "engine/sched/queue.h"

#include <math.h>

#include "lang/base/num.h"
#include "engine/sched/heap.h"

#define RUNS	1		/* a run of it goes on, as far as we know */
#define WAITS	2		/* it has a place; in the heap if it does not run */

struct seat {
	double		 at;
	uint32_t	 ticket;	/* those of one time: as they came */
	uint32_t	 skipped;
	uint8_t		 is;		/* RUNS, WAITS */
	uint8_t		 reason;
	bool		 by_hand;
};

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

	if ((p->is & WAITS) == 0) {
		p->is |= WAITS;
		q->waiting++;
	}
	if ((p->is & RUNS) == 0)
		heap_put(&q->heap, e);
}

static void
no_place(struct queue *q, uint32_t e)
{
	q->seat[e].is &= (uint8_t)~WAITS;
	q->waiting--;
	heap_out(&q->heap, e);
}

enum queue_says
queue_put(struct queue *q, const struct agenda_due *due, enum overlap overlap,
    double now)
{
	struct seat *p = &q->seat[due->entry];
	bool runs = (p->is & RUNS) != 0;

	if ((p->is & WAITS) != 0 || (runs && overlap != OVERLAP_QUEUE &&
	    overlap != OVERLAP_KILL)) {
		p->skipped++;
		return (p->is & WAITS) != 0 ? QUEUE_HAS_PLACE : QUEUE_SKIPPED;
	}
	p->by_hand = num_none(due->due);
	p->at = p->by_hand ? now : due->due;
	p->reason = (uint8_t)due->reason;
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
	p->is |= RUNS;
	q->running++;
	return true;
}

void
queue_back(struct queue *q, const struct queue_item *it)
{
	struct seat *p = &q->seat[it->entry];

	if ((p->is & WAITS) != 0)
		p->skipped++;		/* what came meanwhile: it is later */
	p->at = it->at;
	p->by_hand = num_none(it->due);
	p->reason = (uint8_t)it->reason;
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
	q->seat[e].is &= (uint8_t)~RUNS;
	if ((q->seat[e].is & WAITS) != 0)
		heap_put(&q->heap, e);
}

uint32_t
queue_drop(struct queue *q, uint32_t entry)
{
	uint32_t e, was = q->waiting;

	if (entry != AGENDA_ALL) {
		if ((q->seat[entry].is & WAITS) != 0)
			no_place(q, entry);
	} else
		for (e = 0; e < q->n; e++)
			if ((q->seat[e].is & WAITS) != 0)
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
		if ((q->seat[e].is & WAITS) != 0) {
			q->seat[e].is &= (uint8_t)~WAITS;
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
	return (q->seat[e].is & RUNS) != 0;
}

bool
queue_waits(const struct queue *q, uint32_t e)
{
	return (q->seat[e].is & WAITS) != 0;
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
		if ((q->seat[e].is & WAITS) != 0 && q->seat[e].at < at)
			at = q->seat[e].at;
	return at;
}

size_t
queue_size(const struct queue *q)
{
	return q->size;
}
