/*
 * tap: the pipe that takes a child's output, and what is kept of it: the last
 * bytes, or the first.
 *
 * Its writing end is opened for reading, too: whoever still holds it when we
 * leave (a service that the child restarted) then never gets a SIGPIPE, and
 * it is made not to block, so that what nobody reads any more is dropped.
 */
#ifndef ENGINE_EFFECT_TAP_H
#define ENGINE_EFFECT_TAP_H

#include "lang/base/buf.h"

struct live;

/* The last `keep` bytes of a stream of them. */
struct tail {
	char	*p;			/* 2 * keep bytes, the caller's */
	size_t	 keep, n;
	bool	 cut;			/* there was more */
};

void	 tail_add(struct tail *, const char *, size_t);
/* What was kept; whole lines if there was more. */
struct str tail_text(const struct tail *);
/* Its last line that is not blank. */
struct str tail_line(const struct tail *);

struct tap {
	int		 r, w;		/* -1: closed */
	struct tail	 tail;
	struct buf	*all;		/* if not NULL, this gets the first */
	size_t		 max;		/* bytes instead */
	bool		 over;		/* there were more than max */
};

/* The descriptor, moved above 2, where it cannot be what a child's place is
 * made for; -1 stays -1. */
int	 fd_high(int);
/* A pipe whose ends are closed at exec and lie above 2. */
bool	 fd_pipe(struct live *, int fd[2]);

/* Tail or all: set up by the caller before. */
bool	 tap_open(struct live *, struct tap *);
/* Takes what is there.  False at the end.  May jump (mem.h) with `all`. */
bool	 tap_drain(struct tap *);
/* Nobody of ours writes any more: takes the rest, waits until `until` for
 * what others write, lets go. */
void	 tap_close(struct live *, struct tap *, double until);
/* Lets go at once. */
void	 tap_drop(struct tap *);

#endif
