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
#define LIM_TAKEN	10000	/* batches whose ids are known: one is sent again
				 * at once or never: a minute of a busy host */

enum request_end {
	REQUEST_DONE,		/* out holds the DONE message */
	REQUEST_FAILED,		/* store->why */
	REQUEST_BAD,		/* no such message: the talk is over */
	REQUEST_GONE		/* nobody takes the answer */
};

enum greeting {
	GREETED,
	GREETED_BY_OTHER,	/* of another version or build */
	GREETED_BADLY		/* that is no HELLO */
};
enum greeting request_hello(struct wire *, struct str *path,
	    bool *read_only);

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
	bool		 read_only;	/* who talks may only ask */
};
void	stage_init(struct stage *, struct mem *);
void	stage_clear(struct stage *);
/* Takes the message's bytes over; w: what follows its kind.  false: it is
 * no such message, or there is too much. */
bool	stage_add(struct stage *, enum wire_kind, struct wire w,
	    struct buf *message);

/* Takes a message, ROWS; false: nobody is there who does. */
typedef bool request_send_fn(void *arg, struct str message);
/*
 * Does a request but HELLO and WATCH; COMMIT does what was staged.  out: for
 * messages.  A damaged file is set aside and the request done again on an
 * empty one.
 */
enum request_end request_do(struct store *, enum wire_kind, struct wire *,
	    const struct stage *, request_send_fn *, void *arg,
	    struct buf *out);

/* COMMITs of several clients. */
struct group_member {
	struct wire	 request;	/* what follows its kind */
	const struct stage *stage;
	bool		 done;		/* it is on the disk, or as good as that */
};
/*
 * All of them in one transaction; one that fails is undone alone.  Those that
 * are not done then nobody has tried: request_do does each, and knows why it
 * cannot be.
 */
void	request_group(struct store *, struct group_member *, size_t);
/* Whether a COMMIT would bring work for who empties the outbox. */
bool	stage_has_mail(const struct stage *);

#endif
