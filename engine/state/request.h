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

enum request_end {
	REQUEST_DONE,		/* out holds the DONE message */
	REQUEST_FAILED,		/* store->why */
	REQUEST_BAD,		/* no such message: the talk is over */
	REQUEST_GONE		/* nobody takes the answer */
};

/*
 * Does a request but HELLO.  fd: where ROWS go.  out: for messages.  A
 * damaged file is set aside and the request done again on an empty one.
 */
enum request_end request_do(struct store *, enum wire_kind, struct wire *,
	    int fd, struct buf *out);

#endif
