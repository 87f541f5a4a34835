/*
 * heap: numbers 0 to n - 1, some of them in it, the first always at hand.  Why
 * not a scan: of 10,000 entries one is due at a time.  It knows where each
 * number is, so that one can be taken out or moved.  The arrays are the
 * caller's, of n each, and nothing is allocated.
 */
#ifndef ENGINE_SCHED_HEAP_H
#define ENGINE_SCHED_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#define HEAP_OUT	UINT32_MAX	/* in pos: it is not in */

struct heap {
	uint32_t	*at;		/* [0..n): at[0] is the first */
	uint32_t	*pos;		/* of each number: where it is */
	uint32_t	 n;
	bool		(*before)(const void *arg, uint32_t, uint32_t);
	const void	*arg;
};

/* All `count` numbers are out. */
void	heap_init(struct heap *, uint32_t count);
/* In, or in again where its place has changed. */
void	heap_put(struct heap *, uint32_t);
/* Out, if it is in. */
void	heap_out(struct heap *, uint32_t);

#endif
