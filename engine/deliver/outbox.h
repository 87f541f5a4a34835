/*
 * outbox: what is to be told and has not been taken yet.  Why: mail servers
 * are what Picket watches, so the way out is expected to be broken when it
 * matters.  A notice is written into the state's file together with the values
 * and incidents that it speaks of, and goes when a receiver has taken it.
 *
 * A notice is one text for one set of recipients (compose.h made it).  It is
 * put as one row for each way that it goes on its own:
 *
 *	mail		the transports of picket.conf in order, the next one when
 *			one fails; the row is done when every recipient has it
 *	always:NAME	a transport with the option always: each is a row
 *	fallback	the transports with the option fallback, in order: due
 *			FALLBACK_AFTER later; at once if the notice is critical
 *			or above or mail is not trusted (affects mail).  The row
 *			goes unused when `mail` is taken, but for a critical one
 *			only when what took it shares no queue with this host.
 *			It does not end the mail's row: that is sent as well,
 *			once, when mail works again.
 *
 * Rows are sent by whoever holds the lock of sending, one at a time; others
 * leave theirs to the holder, which looks again before it goes.  A row that
 * was not taken waits RETRY_FIRST seconds, doubling to RETRY_MOST, with some
 * chance in it; after LIM_OUTBOX_AGE it is dead: shown, kept, not sent.
 * A second copy of a notice is possible only between the receiver's word and
 * our commit; its Message-ID is the same.
 */
#ifndef ENGINE_DELIVER_OUTBOX_H
#define ENGINE_DELIVER_OUTBOX_H

#include <signal.h>

#include "engine/deliver/conf.h"
#include "engine/state/client.h"
#include "lang/code/program.h"

#define FALLBACK_AFTER	120.0		/* seconds: operations.md, Mail */
#define RETRY_FIRST	30.0
#define RETRY_MOST	1800.0
#define RETRY_CHANCE	0.25		/* a wait is up to so much longer: hosts
					 * that failed together come back apart */
#define LIM_OUTBOX_AGE	(7 * 86400.0)	/* seconds: what mail servers do */
#define LIM_OUTBOX_TRIES 10		/* at least, whatever its age: a clock that
					 * jumps ahead ends nothing */
#define LIM_OUTBOX_TROUBLE 3		/* rows in a row that a way did not take:
					 * then the others are not tried on it in
					 * this flush, each would cost its time
					 * out */
#define LIM_OUTBOX_WHY	1000		/* bytes: a person reads it in a table */
#define LIM_OUTBOX_KEY	1024		/* bytes: a Message-ID and a transport */

/* What a row's `state` and `fold` hold. */
enum outbox_state { OUTBOX_WAITS, OUTBOX_HELD, OUTBOX_DEAD };
enum outbox_fold {
	FOLD_NOT,
	FOLD_ALERT,		/* may go together with others of its alert */
	FOLD_SEVERAL,		/* several of an alert in one */
	FOLD_SUM		/* what the limit held; it is not held again */
};

struct notice {
	struct str	 id;		/* of its Message-ID, without < >: fixed, so
					 * that a retry is the same mail */
	struct str	 run, alert;
	enum level	 level;		/* the worst in it */
	double		 made;
	struct str	 subject;	/* plain */
	struct str	 from;
	const struct str *to;
	size_t		 nto;
	struct str	 first;		/* a transport line that comes before those
					 * of picket.conf (alerts.cfg: mailcmd),
					 * or empty */
	struct str	 also;		/* one that gets it besides, always
					 * (alerts.cfg: webhook), or empty */
	struct str	 route;		/* whose transports; empty: the default */
	bool		 distrust;	/* an incident that affects mail fires */
	double		 after;		/* not before this time; 0: at once (quiet
					 * hours, the alert's digest) */
	bool		 digest;	/* may be sent together with others of its
					 * alert and recipients */
	struct str	 message;	/* RFC 5322, lines ended by \n */
	struct str	 body;		/* text */
	struct str	 json;		/* what it says, for HTTP: notice.h */
};

/* Adds a notice and its rows to what a run commits. */
void	outbox_put(struct batch *, const struct notice *, const struct conf *);

struct resident;
struct outbox_options {
	struct state	*state;
	struct str	 folder;	/* of the state: its locks lie there */
	const struct conf *conf;
	const char	*program;	/* picket-deliver */
	struct mem	*mem;
	bool		 linger;	/* somebody comes back in time (picketd, a
					 * loop): else fall-backs are not waited
					 * for once the mail's row has failed */
	bool		 all;		/* say what came of every row */
	const volatile sig_atomic_t *stop; /* not 0: no more after the row at
					 * hand; or NULL */
	void		(*say)(void *arg, struct str line); /* for people */
	void		*arg;
	struct outbox_debt *debt;	/* kept between flushes, or NULL */
	struct resident	*resident;	/* does the jobs (resident.h); NULL: a
					 * picket-deliver for each */
	bool		 locked;	/* the caller has the lock of sending */
};
/*
 * A row that was sent and could not be committed as sent (the disk is full,
 * the store died): it is remembered here and committed first next time, so
 * that this process does not send it twice.
 */
struct outbox_debt;
struct outbox_debt *outbox_debt_new(struct mem *);
void	outbox_debt_free(struct outbox_debt *);
bool	outbox_debt_owed(const struct outbox_debt *);

struct outbox_sum {
	size_t		 sent;		/* rows, in this flush */
	size_t		 waiting, dead;	/* rows, after it */
	size_t		 tried;		/* of those that wait: in vain so far */
	double		 oldest;	/* when the oldest waiting notice was made;
					 * NIL: there is none */
	double		 next;		/* when the next row is due, or NIL */
	bool		 left;		/* another process sends: it was left to it */
};
/*
 * Sends all that is due, by clock_wall.  false: the store could not be asked,
 * or written, and it was said why; then nothing more is sent, as nobody could
 * remember it.  mine: a run's id, or NIL: what could not be sent of it is
 * told by say.
 */
bool	outbox_flush(const struct outbox_options *, struct str mine,
	    struct outbox_sum *);

#endif
