/*
 * target: the process that an acting function means.  A pid is only a number
 * that the kernel gives out again, so a target is opened first (a pidfd keeps
 * meaning that one process) and looked at afterwards: what was looked at is
 * what is hit.
 *
 * What is never touched: pid 1, the kernel's threads, Picket itself and its
 * parents, processes of other pid namespaces, and what picket.conf protects.
 */
#ifndef ENGINE_EFFECT_TARGET_H
#define ENGINE_EFFECT_TARGET_H

#include "engine/effect/live.h"

#define LIM_COMM	64	/* bytes of a name: the kernel keeps 15, and of its
				 * own threads some more */
#define LIM_PARENTS	64	/* of Picket: nobody nests deeper */
#define LIM_WHO		160	/* bytes of "imapd of groucho" */

struct process {
	pid_t		 pid, ppid;
	uint64_t	 start;		/* ticks since boot */
	char		 state;
	bool		 kernel;	/* a thread of the kernel */
	uid_t		 uid;		/* effective */
	bool		 other;		/* in another pid namespace */
	char		 comm[LIM_COMM];
	size_t		 ncomm;
	struct str	 user;		/* its name where it is known; else NIL */
};

/* What the acting functions keep during a run; see act_state. */
struct act_state {
	pid_t		 own[LIM_PARENTS];	/* Picket, its parent, ... */
	size_t		 nown;
	uid_t		*uid;		/* of each `user:` of protect, or -1 */
	int		 pidfd;		/* of the target at hand, or -1: closed with
					 * the run, whatever happens */
	struct known	*known;		/* of #killall, made when first needed */
};

/* 1: read, 0: there is no such process, -1: it cannot be looked at (errno). */
int	process_read(pid_t, struct process *);
/* The same below an open /proc, or by a path. */
int	process_at(int proc, const char *pid, struct process *);
/* The same, user and namespace left out: one file. */
int	process_stat(int proc, const char *pid, struct process *);
/* "imapd of groucho": what people call it. */
void	process_who(const struct process *, char to[LIM_WHO]);
/* A user's number or name, from /etc/passwd itself: no child is needed. */
bool	passwd_uid(struct str name, uid_t *);
bool	passwd_name(uid_t, char *to, size_t n);
/* The number of a user: by name, or the number where no user has that name.
 * 1, 0: there is none, -1 with the reason: nobody could be asked. */
int	target_user(struct live *, struct str name, uid_t *);

/* What belongs to all targets of one call; NULL with the reason. */
struct act_state *act_state(struct live *);
void	act_state_free(struct live *);
void	sweep_free(struct live *, struct act_state *);
/* True if it must not be touched: why says it. */
bool	process_protected(struct live *, const struct process *, char *why,
	    size_t n);

struct target {
	struct process	 p;
	int		 pidfd;		/* -1: there was none to have */
	/* memory is short: as a snapshot has it; else NULL */
	const struct snapshot *snapshot;
	const struct snapshot_process *q;
};
/*
 * The process pid, which must have been started at `start` if that is no NIL,
 * opened and, if it is to be touched, allowed to be.  False with the reason.
 */
bool	target_open(struct live *, double pid, double start, bool touch,
	    struct target *);
/* 0, or an errno. */
int	target_signal(const struct target *, int sig);
/* Has it ended?  A zombie has. */
bool	target_gone(const struct target *);
/* Waits until it has ended (1), the time has come (0), or the run must end
 * (-1). */
int	target_wait(struct live *, const struct target *, double until);
void	target_close(struct live *, struct target *);
/* Opens the process, then looks at it, at that path: as process_at.  Nothing
 * is judged. */
int	target_look(struct live *, pid_t, int proc, const char *path,
	    struct target *);
/* True if there was no descriptor or memory to look with. */
bool	target_scarce(int error);

#endif
