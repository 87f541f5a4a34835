/*
 * emergency: the workers that are there before memory runs out.  Why: under
 * true exhaustion nothing can be started, opened or mapped, and a fresh page
 * is waited for without end; what was opened and touched before goes on
 * working.  So two processes are started with picketd, take all that a run
 * needs, lock it, and look.
 *
 *	emergency.c		one worker: start, loop, roles
 *	emergency_short.c	when memory is short
 *	emergency_wake.c	what the kernel tells by itself of that
 *	emergency_run.c		the scripts: what is loaded, runs, what comes
 *				of them once there is memory
 *	emergency_lock.c	memory that is there: heap, stack, locks
 *
 * One leads: it looks, runs, and when memory is back hands the lead over and
 * then writes down what came of its runs, which takes the store and may take
 * time.  The other one takes the lead when the leader has not beaten for
 * EMERGENCY_HANG, and once a minute, so that each in its turn can ask the
 * store what the scripts have left.
 *
 * The worker's descriptors: 3 the image, 4 a SEQPACKET to picketd, 5 the page
 * that both share.  Without 5 a worker is alone and always leads.
 */
#ifndef ENGINE_DAEMON_EMERGENCY_H
#define ENGINE_DAEMON_EMERGENCY_H

#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>

#include "engine/alert/alert.h"
#include "engine/daemon/emergency_page.h"
#include "engine/effect/scarce.h"
#include "engine/image/image.h"

#define EMERGENCY_HANG	3.0	/* seconds without a beat: longer than any wait
				 * of a worker that is well */
#define EMERGENCY_TURN	60.0	/* seconds that one leads, while all is well */
#define EMERGENCY_LOOK	0.5	/* seconds between two looks, */
#define EMERGENCY_LOOK_SECOND 1.0	/* of the one that does not lead, */
#define EMERGENCY_CLOSE	0.1	/* and while memory is tight or short */
#define EMERGENCY_REST	10.0	/* seconds between two snapshots while nothing
				 * changes: 300 processes cost 3 ms each time,
				 * and all of picketd may take 0.1 % when idle.
				 * A fiftieth of memory that has gone, or memory
				 * that is tight, and it is one a second */
#define EMERGENCY_REST_FREE 20.0	/* while half of memory and more is free */
#define EMERGENCY_REST_SECOND 60.0	/* of the one that does not lead */
#define EMERGENCY_PAUSE	2.0	/* seconds from a run that has done something to
				 * the next while memory is short, at least;
				 * before, and at first, EMERGENCY_CLOSE.  Half as
				 * long again each time */
#define EMERGENCY_PAUSE_MOST 30.0
#define EMERGENCY_BACK	2.0	/* seconds that memory is back before what was
				 * done is written down */
#define LIM_EMERGENCY	64	/* entries that watch memory: a site has a few */
#define LIM_EMERGENCY_RUNS 16	/* whose outcome waits for memory; what says
				 * nothing is not kept */
#define EMERGENCY_HEAP	(4u << 20)	/* bytes that are touched in advance: a
				 * run over 1,000 processes takes one */
#define EMERGENCY_COUNTS (5u << 19)	/* and of table process_counts */
#define EMERGENCY_STACK	(256u * 1024)	/* bytes: the deepest call has 60,000 */

/* What tells that memory is short: emergency in picket.conf. */
struct emergency_limits {
	double	 available;	/* share of the host's memory, or of the own
				 * cgroup's limit, below which it is short */
	double	 pressure;	/* share of 10 seconds that tasks waited */
};

enum emergency_level { MEMORY_PLENTY, MEMORY_TIGHT, MEMORY_SHORT };
struct emergency_look {
	enum emergency_level level;
	double	 left;		/* share that is available, the lesser one */
	bool	 stuck;		/* the own cgroup stands still */
};
/* Reads what is open, and nothing else. */
void	 emergency_look(const struct snapshot *,
	    const struct emergency_limits *, struct emergency_look *);

/* --- emergency_wake.c --- */

/*
 * What fills memory between two looks is told of by the kernel: by pressure,
 * and of the own cgroup when little is left, and when it stands still.  What
 * it does not offer is -1; without any the looks have to do.
 */
enum { WAKE_PRESSURE, WAKE_LEFT, WAKE_OOM, WAKES };
struct emergency_wake {
	int	 fd[WAKES];
	short	 events[WAKES];		/* of poll(2) */
};
void	 emergency_wake_open(struct emergency_wake *, const struct snapshot *,
	    const struct emergency_limits *);
/* What has told of something will do so anew. */
void	 emergency_wake_heard(struct emergency_wake *, int which);

/* --- emergency_lock.c --- */

/* From here on malloc neither maps nor gives back. */
void	 emergency_lock_begin(void);
/* Heap and stack are touched, all is locked.  why: what could not be, "": all
 * was. */
void	 emergency_lock(size_t heap, char *why, size_t n);
/* While it holds no page can be added: what would need one fails. */
void	 emergency_hold(bool);
/* Page faults of this process so far, those that needed no disk too. */
long	 emergency_faults(void);

/* --- emergency_run.c --- */

/* A script that watches memory, in an alert. */
struct emergency_entry {
	size_t		 index;		/* the alert's, in the image */
	const struct site_alert *alert;
	const struct program *program;
	struct scarce_held held;	/* what its runs have left */
};
/* A run whose outcome waits. */
struct emergency_run {
	struct mem	 mem;
	jmp_buf		 fail;
	struct arena	 arena;
	struct alert_place place;
	struct alert	 alert;
	struct scarce	 scarce;
	struct emergency_entry *entry;
	double		 took;		/* seconds */
	long		 faults;
};

struct emergency {
	struct mem	 mem;
	jmp_buf		 fail;
	struct arena	 arena;
	struct image	*image;
	struct conf	 conf;
	struct str	 state;
	struct alert_place place;
	struct snapshot	 snapshot;
	struct emergency_limits limits;
	struct emergency_entry entry[LIM_EMERGENCY];
	size_t		 nentry;
	bool		 counts;	/* some script counts processes */
	struct emergency_run *run;	/* LIM_EMERGENCY_RUNS places */
	size_t		 nrun;		/* in the order in which they were */
	size_t		 quiet;		/* that said nothing, since the last settle */
	bool		 spoiled;	/* a jump has left memory behind: once all is
				 * told it is started anew */
	bool		 disarmed;
	bool		 alone;		/* nobody else sends what waits */
	/* where a signal finds the run */
	struct live	*volatile *running;
	/* has another one taken the lead?  Beats, too. */
	bool		(*stop)(void *arg);
	void		*stop_arg;
	/* a run has done something; stop_arg is given */
	void		(*did)(void *arg, const struct emergency_run *);
};

/* Of the image in fd; false: said why. */
bool	 emergency_load(struct emergency *, int fd, const char *state);
/* What the store has of each script; false: it could not be asked. */
bool	 emergency_remember(struct emergency *);
/* Runs all entries once; nothing is opened. */
void	 emergency_run_all(struct emergency *);
/* Whether runs that are not settled have done anything. */
bool	 emergency_acted(const struct emergency *);
/* What came of runs is written down and told, in their order. */
void	 emergency_settle(struct emergency *);
/* Frees all but what is in the snapshot's own memory. */
void	 emergency_unload(struct emergency *);
/* A line for picketd's log; while memory is held it waits. */
void	 emergency_say(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));
void	 emergency_say_held(void);

#endif
