/*
 * guest: a client of the store that serves many: its socket, what has come of
 * it and what is to go to it.  Why apart from serve.c: nothing here ever
 * waits, and a guest that stops in the midst of a message, sends what is none
 * or does not read costs a buffer with a limit, and is gone when its time is
 * over.
 */
#ifndef ENGINE_STATE_GUEST_H
#define ENGINE_STATE_GUEST_H

#include <sys/types.h>

#include "engine/state/request.h"

#define LIM_GUEST_READ	(256u * 1024)	/* bytes taken of one guest in a turn */
#define LIM_GUEST_OUT	(256u * 1024 * 1024) /* bytes of answers that wait to
				 * be read: all incidents of a host, some times
				 * over */
#define LIM_GUEST_ASKS	(64u * 1024)	/* bytes of a message of who may only
				 * ask: a question is some names */
#define LIM_GUEST_HELLO	10.0	/* seconds until the HELLO is there */
#define LIM_GUEST_PART	30.0	/* seconds without a byte in the midst of a
				 * message, or of an answer that is not read */
#define GUEST_SMALL	(64u * 1024)	/* bytes a buffer may have while it is
				 * empty */

struct guest {
	struct mem	*mem;
	int		 fd;
	uid_t		 uid;
	bool		 asks_only;	/* whatever it says in its HELLO */
	bool		 greeted;
	bool		 ended;		/* it sends no more */
	bool		 gone;		/* to be freed at the turn's end */
	struct buf	 in, out;
	size_t		 taken, sent;	/* of these, done with */
	struct stage	 stage;
	double		 came, moved;	/* when it did; when a byte last went */
	/* a COMMIT of this turn */
	bool		 commits;
	/* a WATCH */
	bool		 watches;
	double		 known, until;	/* the news it has; when it is over */
};

/* Takes the socket, which does not block. */
struct guest *guest_new(struct mem *, int fd, uid_t, bool asks_only,
	    double now);
void	guest_free(struct guest *);
/* What has come. */
void	guest_read(struct guest *, double now);
/* The next whole message, without its length; in the buffer until
 * guest_done.  One that is too long is the end of the talk. */
bool	guest_next(struct guest *, struct str *message);
void	guest_done(struct guest *, struct str message);
/* A message is to go: at once, as far as it is taken, or with guest_write. */
bool	guest_send(struct guest *, struct str message);
void	guest_write(struct guest *, double now);
/* What of poll's events it waits for. */
short	guest_events(const struct guest *);
/* When it is to have moved; INFINITY: it owes nothing. */
double	guest_until(const struct guest *);

#endif
