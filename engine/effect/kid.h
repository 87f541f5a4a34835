/*
 * kid: the children of a run: starting, waiting for and ending them, and
 * keeping the last of what they say.
 *
 * A tap is the pipe that takes a child's output.  Its writing end is opened
 * for reading, too: whoever still holds it when we leave (a service that the
 * child restarted) then never gets a SIGPIPE, and is made not to block, so
 * that what nobody reads any more is dropped.
 */
#ifndef ENGINE_EFFECT_KID_H
#define ENGINE_EFFECT_KID_H

#include "engine/effect/state.h"

/* The last `keep` bytes of a stream of them. */
struct tail {
	char	*p;			/* 2 * keep bytes, the caller's */
	size_t	 keep, n;
	bool	 cut;			/* there was more */
};

struct tap {
	int		 r, w;		/* -1: closed */
	struct tail	 tail;
};

void	 tail_add(struct tail *, const char *, size_t);
/* What was kept; whole lines if there was more. */
struct str tail_text(const struct tail *);

bool	 tap_open(struct live *, struct tap *, char *p, size_t keep);
/* Takes what is there.  False at the end. */
bool	 tap_drain(struct tap *);
/* Nobody of ours writes any more: takes the rest, waits for at most `wait`
 * seconds for what others write, lets go. */
void	 tap_close(struct live *, struct tap *, double wait);

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

/* A pipe whose ends are closed at exec and lie above 2. */
bool	 kid_pipe(struct live *, int fd[2]);
/* A kid to be filled, on the run's list.  May jump. */
struct kid *kid_new(struct live *, struct str show);
/* Starts it; false: the reason is set, *status is 126 or 127. */
bool	 kid_start(struct live *, struct kid *, const struct spawn *,
	    int *status);
/*
 * Waits until it has exited (1), the time has come (0) or, if heed, the run
 * must end (-1).  Drains the tap (may be NULL) meanwhile.  Does not reap.
 */
int	 kid_wait(struct live *, struct kid *, struct tap *, double until,
	    bool heed);
/* Waits `grace` seconds, then TERM, then KILL, each to its group, too; reaps. */
void	 kid_end(struct live *, struct kid *, struct tap *, double grace);
/* The same for all that are marked `ending`, together. */
void	 kids_end(struct live *, struct tap *, double grace);
/* Takes the status of one that has exited. */
void	 kid_reap(struct kid *);
/* Off the list and freed; one that still runs is left to itself. */
void	 kid_free(struct live *, struct kid *);
/* Looks after exec'ed ones that have ended. */
void	 kids_look(struct live *);
/* "exit 3", "signal 15". */
const char *kid_how(const struct kid *, char to[32]);

#endif
