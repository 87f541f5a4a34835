/*
 * spawn: starts a command as a script's child, clean of everything that is
 * ours.  Why not posix_spawn: users, limits, folders and sessions are set
 * between fork and exec, and a failure of each must be told exactly.
 *
 * An ordinary child is started with vfork: no copy of page tables, so it
 * costs the same in a big process, and works where memory is short.  Nothing
 * between it and exec allocates or takes a lock.  A child that becomes
 * another user, is detached or has a watcher is started with fork: a process
 * of another user must never share our memory, not even for a moment in
 * which that user could stop it.
 */
#ifndef ENGINE_EFFECT_SPAWN_H
#define ENGINE_EFFECT_SPAWN_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "lang/base/buf.h"
#include "engine/effect/user.h"

/* What children start with, whatever we later did to ourselves. */
struct spawn_origin {
	struct rlimit	 limit[RLIM_NLIMITS];
	int		 nice;
	int		 oom_score_adj;
	mode_t		 umask;
	int		 away;		/* cgroup.procs of the group for detached
					 * ones; 0: they stay in ours */
	uint64_t	 mark;		/* spawn_mark of the run; 0: none */
};

/* Records how this process was started: call it first in main. */
void	 spawn_origin_take(struct spawn_origin *);
/* This process is so from here on, as far as it may. */
void	 spawn_origin_set(const struct spawn_origin *);
/*
 * As an argument: how picketd was started is handed to its runners, which
 * are started otherwise themselves.  false: it is none.
 */
#define SPAWN_ORIGIN_TEXT 800	/* bytes: two numbers of 20 digits a limit */
void	 spawn_origin_put(const struct spawn_origin *,
	    char to[SPAWN_ORIGIN_TEXT]);
bool	 spawn_origin_get(struct spawn_origin *, const char *);

/*
 * Under picketd what is left of a run is found by its environment.  All
 * children have the run's id in it; what `exec` starts has SPAWN_EXEC, too,
 * since it may outlive the run; what is detached has neither.
 */
#define SPAWN_RUN_ID	"PICKET_RUN_ID"
#define SPAWN_EXEC	"PICKET_EXEC=1"

/*
 * A program may clear its environment, or write its title over it.  So it is
 * marked a second time, by a limit that bounds nothing: thousands of years of
 * processor time at real time's priority.  A limit is inherited, and
 * /proc/PID/limits shows it to everyone.
 */
uint64_t spawn_mark(const char *run_id);	/* "SECONDS.NANOSECONDS.PID" */
#define SPAWN_MARK_EXEC	((uint64_t)1 << 59)	/* or'ed: what `exec` starts */
#define SPAWN_MARK_PID(m) ((pid_t)((m) >> 32 & 0x7ffffff)) /* the runner's */
#define SPAWN_MARK_TIME(m) ((uint32_t)(m))	/* when the run began */
/* That of a process; 0: it has none. */
uint64_t spawn_mark_of(pid_t);
/* Ours, from here on. */
void	 spawn_mark_set(uint64_t);

#define SPAWN_DUE_AGAIN	SIGUSR1	/* to a runner: its alert is due again, and has
				 * overlap kill */

struct spawn {
	char *const	*argv;		/* NULL after the last */
	const char	*path;		/* folders to look in; only absolute ones */
	const struct user *user;	/* whose environment the child gets */
	bool		 become;	/* and who it becomes */
	const char	*dir;		/* NULL: unchanged */
	int		 fd[3];		/* all above 2, or -1: /dev/null */
	double		 memory;	/* bytes of address space, 0: no limit */
	double		 cpu;		/* seconds, 0: no limit */
	double		 timeout;	/* seconds, then a watcher process, which is
					 * what the caller gets, ends it; 0: none */
	bool		 detached;	/* a session of its own, not our child */
	const struct spawn_origin *origin; /* NULL: as we are now */
	const char	*mark;		/* NAME=VALUE for its environment, where it
					 * has an origin; or NULL */
};

#define SPAWN_NOT_FOUND	127		/* as shells say it */
#define SPAWN_NOT_RUN	126		/* found, but not executable */
#define SPAWN_TERM_WAIT	2		/* seconds between TERM and KILL: enough to
					 * remove a lock file, short enough for a
					 * machine in trouble */
#define LIM_SPAWN_WHY	400		/* bytes of a reason: a path and a sentence */

struct spawn_result {
	pid_t	 pid;			/* the child to wait for; 0: not ours any
					 * more (detached) */
	pid_t	 detached;		/* then: its pid */
	int	 status;		/* not started: 126 or 127 */
	char	 why[LIM_SPAWN_WHY];	/* and why */
};

bool	 spawn_start(const struct spawn *, struct spawn_result *);
/* The exit status, or 128 + signal, of what waitpid reported. */
int	 spawn_status(int wstatus);
/* Signals a child that is not reaped yet, and its group. */
void	 spawn_signal(pid_t, int sig);

/*
 * The path of a program of ours that is no command: in the folder that
 * PICKET_LIBEXEC names (for a tree that is not installed), else where it was
 * installed to.
 */
void	 spawn_helper(struct buf *path, const char *program);

#endif
