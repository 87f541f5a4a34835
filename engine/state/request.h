/*
 * request: what the client asks (wire.h), done in the store.  Apart from the
 * file itself (store.h), so that each request is a page of SQL.
 */
#ifndef ENGINE_STATE_REQUEST_H
#define ENGINE_STATE_REQUEST_H

#include "engine/state/store.h"
#include "engine/state/wire.h"

#define LIM_POINT_AGE	(400 * 86400.0)	/* seconds a series goes back: a year,
					 * and what lets it be compared */
#define LIM_POINTS	600000	/* of one series: a point a minute for that
				 * time, 20 MB */

#define LIM_POINTS_LEFT	10000	/* a week of a point a minute: so much stays when
				 * a clock jumps ahead by years */
#define LIM_TAKEN	1000	/* batches whose ids are known: one is sent again
				 * at once or never, and no host has so many
				 * runs that end in the moments between */

enum request_end {
	REQUEST_DONE,		/* out holds the DONE message */
	REQUEST_FAILED,		/* store->why */
	REQUEST_BAD,		/* no such message: the talk is over */
	REQUEST_GONE		/* nobody takes the answer */
};

/* What was said since the last COMMIT: APPLY and DO, in order. */
struct staged {
	struct staged	*next;
	enum wire_kind	 kind;
	struct buf	 bytes;		/* the message, with its kind */
};
struct stage {
	struct mem	*mem;
	struct staged	*first, *last;
	size_t		 bytes;
};
void	stage_init(struct stage *, struct mem *);
void	stage_clear(struct stage *);
/* Takes the message's bytes over; w: what follows its kind.  false: it is
 * no such message, or there is too much. */
bool	stage_add(struct stage *, const struct store *, enum wire_kind,
	    struct wire w, struct buf *message);

/*
 * Does a request but HELLO; COMMIT does what was staged.  fd: where ROWS go.
 * out: for messages.  A damaged file is set aside and the request done again
 * on an empty one.
 */
enum request_end request_do(struct store *, enum wire_kind, struct wire *,
	    const struct stage *, int fd, struct buf *out);

#endif
