/*
 * runner: picket-runner, the program that does the work of picketd: one role,
 * one process.  Why one program for all: each role is some hundred lines on
 * top of the same machine, alert and store's client, and one program is in
 * the page cache once.  It has no compiler: what it runs comes proved out of
 * an image.
 *
 *	picket-runner ROLE [option...]		fd 3: the image
 *
 * A role is a function and a row in runner_main.c.  Exit status: RUNNER_...
 */
#ifndef ENGINE_DAEMON_RUNNER_H
#define ENGINE_DAEMON_RUNNER_H

#include <signal.h>

#include "engine/alert/alert.h"
#include "engine/image/image.h"

#define RUNNER_FD_IMAGE	3
/* Of `run`; each may be missing. */
#define RUNNER_FD_CAGE	4	/* cgroup.procs of the run's own group */
#define RUNNER_FD_AWAY	5	/* of that for what is detached */

enum { RUNNER_FINE = 0, RUNNER_PROBLEMS = 1, RUNNER_USAGE = 2,
    RUNNER_HELD = 75 };

#define LIM_RUNNER_MEM	((size_t)1 << 30) /* bytes: an entry, mail, what is left;
				 * each has a limit of its own below that */

#define LIM_DIED	64	/* runs that picketd names at once: as many as it
				 * has at once */

struct runner {
	struct mem	 mem;
	jmp_buf		 fail;
	struct arena	 arena;
	char		**argv;		/* as it was called */
	/* options; what was not given is 0, NULL or as it says */
	const char	*state;		/* --state DIR */
	const char	*config;	/* --config DIR, of `kept` */
	long		 entry;		/* --entry N; -1 */
	long		 seat;		/* --seat 0 or 1, of `emergency`; -1 */
	double		 due;		/* --due T; NUM_NIL: by hand */
	const char	*reason;	/* --reason WORD */
	bool		 disarmed;	/* --disarmed */
	const char	*died[LIM_DIED]; /* --died "DUE NAME", of `left` */
	size_t		 ndied;
	const char	*key;		/* --key KEY, of `tell` */
	const char	*message;	/* --message TEXT; "" */
	bool		 firing;	/* --firing, or --resolved */
	struct spawn_origin origin;	/* --origin TEXT (spawn_origin_put); else how
					 * this process was started */
	/* of a signal: see runner_main.c */
	struct live	*volatile *running;
	volatile sig_atomic_t *interrupted;
	/* runner_place */
	struct image	*image;
	struct conf	 conf;
};

#define RUNNER_NICE	(-10)	/* of picketd and its runners, while no script
				 * runs: before what scripts have started, and
				 * behind the kernel's own */

/* A line for picketd's log; control characters are shown. */
void	 runner_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* INT, TERM and SPAWN_DUE_AGAIN end the run at hand; the handler finds it in r->running. */
void	 runner_catch(struct runner *);
/*
 * The image on RUNNER_FD_IMAGE, picket.conf in it, and the place for runs.
 * false: it was said why.
 */
bool	 runner_place(struct runner *, struct alert_place *);

/* runner_run.c */
int	 runner_run(struct runner *);
/*
 * runner_left.c: tells of what killed runs have left; a run that picketd says
 * has died and that left nothing, not even the beginning of a record, gets
 * its row.  The other: "DUE NAME" of each alert that was ever due.
 */
int	 runner_left(struct runner *);
/* Ends all processes of that run, which was killed. */
void	 runner_sweep(struct mem *, struct str run);
int	 runner_last(struct runner *);
/* runner_tell.c: an incident of picketd itself. */
int	 runner_tell(struct runner *);
/* runner_keep.c: the last good image; these want no other. */
int	 runner_keep(struct runner *);
int	 runner_kept(struct runner *);
/* runner_courier.c */
int	 runner_courier(struct runner *);
/* emergency.c: stays, and acts when memory is short. */
int	 runner_emergency(struct runner *);

#endif
