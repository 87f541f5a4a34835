/*
 * loop: waits for descriptors and for time, and calls who asked.  Why our
 * own: the scheduler must go on where nothing can be allocated any more, so
 * all its tables are fixed, and it has one place to sleep, ppoll.
 *
 * A watch is a descriptor with a function; a timer is a moment of the steady
 * clock (engine/vm/clock.h) with one.  Both functions may add and remove any
 * watch and timer, their own too.  A watch does not own its descriptor.
 */
#ifndef ENGINE_DAEMON_LOOP_H
#define ENGINE_DAEMON_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#define LIM_WATCHES	160	/* LIM_RUNS outputs, LIM_CLIENTS of the control
				 * socket, and some for each child that stays */

struct loop;
struct watch;
struct timer;
typedef void watch_fn(struct watch *, short revents);
typedef void timer_fn(struct timer *);

struct watch {
	watch_fn	*ready;		/* NULL: free */
	void		*arg;
	int		 fd;
	short		 events;	/* POLLIN, POLLOUT; 0: only its end */
	unsigned	 turn;		/* of the loop, when it was made */
};

struct timer {
	timer_fn	*fire;
	void		*arg;
	double		 at;		/* clock_steady */
	struct timer	*next;		/* of the loop's list, by time */
	bool		 set;
};

struct loop {
	struct watch	 watch[LIM_WATCHES];
	struct pollfd	 poll[LIM_WATCHES];
	struct watch	*polled[LIM_WATCHES];
	struct timer	*first;
	unsigned	 turn;
	double		 now;		/* clock_steady of this turn */
	bool		 end;		/* set: loop_run returns */
};

void	 loop_init(struct loop *);
/* NULL: there are LIM_WATCHES. */
struct watch *loop_watch(struct loop *, int fd, short events, watch_fn *,
	    void *arg);
void	 watch_end(struct watch *);
/* at: clock_steady.  A timer that is set is set anew.  Its fire and arg stay
 * as they are. */
void	 timer_set(struct loop *, struct timer *, double at);
void	 timer_clear(struct loop *, struct timer *);
/* One turn: waits for what comes first, and calls.  */
void	 loop_turn(struct loop *);
/* Turns until somebody sets loop->end. */
void	 loop_run(struct loop *);

#endif
