/*
 * kid: the children of a run: starting, waiting for and ending them.
 */
#ifndef ENGINE_EFFECT_KID_H
#define ENGINE_EFFECT_KID_H

#include "engine/effect/state.h"

#define KID_TAPS	2		/* standard output and error; fewer: NULL */

#define LIM_KID_SHOW	200		/* bytes of a command kept for the log */

struct kid {
	struct kid	*next;
	pid_t		 pid;
	int		 pidfd;		/* -1: looked at from time to time */
	bool		 go;		/* exec: nobody waits for it */
	bool		 ending;	/* kids_end works on it */
	bool		 ended;		/* reaped: status is set */
	bool		 killed;	/* by us */
	bool		 signalled;	/* ended by a signal */
	int		 status;
	char		 show[LIM_KID_SHOW];
	size_t		 nshow;
};

/* A kid to be filled, on the run's list.  May jump. */
struct kid *kid_new(struct live *, struct str show);
/* Starts it; false: the reason is set, *status is 126 or 127. */
bool	 kid_start(struct live *, struct kid *, const struct spawn *,
	    int *status);
/*
 * Waits until it has exited (1), the time has come (0) or, if heed, the run
 * must end (-1).  Drains the taps meanwhile.  Does not reap.
 */
int	 kid_wait(struct live *, struct kid *, struct tap *const[KID_TAPS], double until,
	    bool heed);
/* Waits `grace` seconds, then TERM, then KILL, each to its group, too; reaps. */
void	 kid_end(struct live *, struct kid *, struct tap *const[KID_TAPS], double grace);
/* The same for all that are marked `ending`, together. */
void	 kids_end(struct live *, struct tap *const[KID_TAPS], double grace);
/* Takes the status of one that has exited. */
void	 kid_reap(struct kid *);
/* Off the list and freed; one that still runs is left to itself. */
void	 kid_free(struct live *, struct kid *);
/* Looks after exec'ed ones that have ended. */
void	 kids_look(struct live *);
/* "exit 3", "signal 15". */
const char *kid_how(const struct kid *, char to[32]);

#endif
