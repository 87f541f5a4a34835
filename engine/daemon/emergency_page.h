/*
 * emergency_page: what two emergency workers share, in memory that picketd
 * made: who leads, when each looked last, and what one has done that is not
 * written down yet.
 */
#ifndef ENGINE_DAEMON_EMERGENCY_PAGE_H
#define ENGINE_DAEMON_EMERGENCY_PAGE_H

#include <stdatomic.h>
#include <stdint.h>

#define EMERGENCY_PAGE	4096	/* bytes */
#define EMERGENCY_MAGIC	0x70656d65u
#define LIM_EMERGENCY_LOST 1800	/* bytes of what a worker has done and not yet
				 * written down: a dozen effects, and two fit
				 * into a page */
struct emergency_seat {
	_Atomic(uint32_t) pid;		/* 0: nobody */
	_Atomic(uint32_t) waits;	/* for the store: as long as that takes */
	_Atomic(uint64_t) beat;		/* milliseconds, steady clock */
	/* lines, for the other one to tell of if this one dies */
	_Atomic(uint32_t) nlost;
	char		  lost[LIM_EMERGENCY_LOST];
};
struct emergency_page {
	_Atomic(uint32_t) magic;
	_Atomic(uint32_t) leader;	/* pid; 0: nobody */
	struct emergency_seat seat[2];
};
_Static_assert(sizeof(struct emergency_page) <= EMERGENCY_PAGE,
    "it is one page");

#endif
