#include "engine/sched/heap.h"

void
heap_init(struct heap *h, uint32_t count)
{
	uint32_t i;

	h->n = 0;
	for (i = 0; i < count; i++)
		h->pos[i] = HEAP_OUT;
}

static void
place(struct heap *h, uint32_t i, uint32_t x)
{
	h->at[i] = x;
	h->pos[x] = i;
}

/* x belongs at i or further up; where it came to stand. */
static uint32_t
up(struct heap *h, uint32_t i, uint32_t x)
{
	uint32_t above;

	for (; i > 0; i = above) {
		above = (i - 1) / 2;
		if (!h->before(h->arg, x, h->at[above]))
			break;
		place(h, i, h->at[above]);
	}
	place(h, i, x);
	return i;
}

static void
down(struct heap *h, uint32_t i, uint32_t x)
{
	uint32_t below;

	for (; (below = 2 * i + 1) < h->n; i = below) {
		if (below + 1 < h->n &&
		    h->before(h->arg, h->at[below + 1], h->at[below]))
			below++;
		if (!h->before(h->arg, h->at[below], x))
			break;
		place(h, i, h->at[below]);
	}
	place(h, i, x);
}

void
heap_put(struct heap *h, uint32_t x)
{
	uint32_t i = h->pos[x] == HEAP_OUT ? h->n++ : h->pos[x];

	if (up(h, i, x) == i)
		down(h, i, x);
}

void
heap_out(struct heap *h, uint32_t x)
{
	uint32_t i = h->pos[x], last;

	if (i == HEAP_OUT)
		return;
	h->pos[x] = HEAP_OUT;
	last = h->at[--h->n];
	if (last != x && up(h, i, last) == i)
		down(h, i, last);
}
