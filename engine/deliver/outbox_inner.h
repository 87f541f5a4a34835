/*
 * outbox_inner: what the files of the outbox share: one flush, and a row of
 * it.  outbox.c puts rows and goes through them, outbox_send.c sends one and
 * says what is to be written of it, outbox_fold.c makes one mail of many,
 * outbox_care.c is what follows.
 */
#ifndef ENGINE_DELIVER_OUTBOX_INNER_H
#define ENGINE_DELIVER_OUTBOX_INNER_H

#include "engine/deliver/outbox.h"
#include "engine/deliver/report.h"

#define WAY_MAIL	"mail"
#define WAY_FALLBACK	"fallback"
#define WAY_ALWAYS	"always:"
#define WAY_ALSO	"always:alert"	/* the alert's own webhook; no
					 * transport has this label */

/* A row that waits, as OUTBOX_NEXT gives it; its texts are in the flush's
 * arena. */
struct outbox_row {
	double		 id;
	struct str	 key, notice, way, rcpt, first, route;
	double		 due, made, since, tries;
	enum outbox_state state;
	bool		 urgent;
	enum outbox_fold fold;
	struct str	 why;
	/* of its notice; run is NIL if that is not there */
	struct str	 run, alert;
	enum level	 level;
	struct str	 subject, sender;
};
enum { OUTBOX_COLUMNS = 20 };
void	outbox_row_read(struct outbox_row *, const struct str *column,
	    struct arena *);

/* A way that has not taken the last rows. */
struct trouble {
	struct str	 way, route, first;
	unsigned	 n;
};
#define LIM_TROUBLES	32		/* ways at a time; more are just tried */

struct flush {
	const struct outbox_options *o;
	struct arena	*arena;		/* of one row */
	struct arena	 ways;		/* of the flush: the troubles' texts */
	double		 now;
	struct str	 mine;
	struct outbox_sum *sum;
	struct trouble	 trouble[LIM_TROUBLES];
	size_t		 ntrouble;
};

/*
 * Sends a row, and adds what came of it to the batch.  Nothing is written
 * here: the caller commits.
 */
void	outbox_send(struct flush *, const struct outbox_row *,
	    struct batch *);
/* send_job, by the resident one if there is one. */
bool	outbox_job(struct flush *, const struct job *, struct buf *said);
/* Seconds until the next try of a row that has been tried so often. */
double	outbox_wait(double tries);
/*
 * A row that is due, before it is sent: whether it or some of it is to wait,
 * or goes together with others (outbox_fold.c).  True: the batch says what is
 * done instead; *failed: the store could not be asked.
 */
bool	outbox_hold(struct flush *, const struct outbox_row *,
	    struct batch *, bool *failed);
/* What outbox_put does, for rows of that fold. */
void	outbox_add(struct batch *, const struct notice *, const struct conf *,
	    enum outbox_fold);
/* After a whole flush: heartbeat, trims. */
void	outbox_care(struct flush *);
void	outbox_say(struct flush *, const struct outbox_row *,
	    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The addresses of a row's rcpt; how many. */
size_t	outbox_addresses(struct str rcpt, struct str to[LIM_JOB_RCPT]);
/* The transports of a row's way, in order; or why there is none: *gone, if
 * it will not come back by itself. */
size_t	outbox_transports(const struct conf *, const struct outbox_row *,
	    const struct transport *list[LIM_CONF_TRANSPORTS],
	    struct buf *why, bool *gone);

#endif
