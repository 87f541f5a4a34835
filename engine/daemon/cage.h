/*
 * cage: a control group (v2) for each run that starts commands.  Why: what a
 * script starts can leave its session, its group and its parents, but not its
 * cgroup; one write ends all of it.  Where there is no cgroup v2 that we may
 * use, there are no cages, and what runs leave is found by its environment.
 *
 * Below our own group there is one for each state, picketd-HASH, and in it one
 * for each run, run-N, N being its place.  What is to outlive its run (exec
 * detached) is moved into `detached` beside them.
 */
#ifndef ENGINE_DAEMON_CAGE_H
#define ENGINE_DAEMON_CAGE_H

#include <stdbool.h>
#include <sys/types.h>

struct cage {
	int	 dir;		/* the folder of the group; -1: none */
	unsigned slot;
};

/* Looks for our own group, and whether we may make others in it.  False: why
 * not, in a few words. */
bool	 cage_init(const char *state, const char **why);
/* The end: removes what is empty. */
void	 cage_done(void);
/* False: the run goes without; so does one whose place is still that of a run
 * of the daemon before this one. */
bool	 cage_make(struct cage *, unsigned slot);
/* A descriptor of its cgroup.procs, for a runner to write itself into; -1. */
int	 cage_entrance(const struct cage *);
/* Where what is detached writes itself; -1.  It stays ours. */
int	 cage_detached(void);
/* Ends all in it. */
void	 cage_kill(const struct cage *);
/* Each process in it; false: none. */
bool	 cage_each(const struct cage *, void (*)(void *arg, pid_t), void *arg);
/* Out of its cage into the group of detached ones. */
void	 cage_release(pid_t);
/* Removes it; false: there is still something in it. */
bool	 cage_end(struct cage *);

#endif
