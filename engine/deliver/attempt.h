/*
 * attempt: one transport's try at one mail, inside picket-deliver.  Each way
 * for a mail to leave is a const struct sender; deliver_main goes through
 * the job's transports and knows nothing else of them.
 */
#ifndef ENGINE_DELIVER_ATTEMPT_H
#define ENGINE_DELIVER_ATTEMPT_H

#include "engine/deliver/job.h"
#include "engine/deliver/trust.h"

#define LIM_REASON	300	/* bytes of what a server said: a report line is
				 * for a log and a table of `picket outbox` */

enum outcome { OUTCOME_OK, OUTCOME_RETRY, OUTCOME_FAIL };

struct recipient {
	struct str	 address;
	bool		 taken;
	/* of this attempt, set by the sender if it differs from the whole */
	bool		 refused;
	enum outcome	 outcome;
	struct str	 why;		/* in the attempt's arena */
};

struct stock;

struct attempt {
	const struct job *job;
	struct stock	*stock;		/* of the resident one; else NULL */
	const struct transport *transport;
	struct recipient **rcpt;	/* those without the mail */
	size_t		 nrcpt;		/* 0: a job without recipients */
	struct arena	*arena;
	struct buf	*why;		/* the reason, any bytes; shown escaped */
};

struct sender {
	const char	*name;
	bool		 by_address;	/* needs recipients */
	/*
	 * OUTCOME_OK: taken, for all of rcpt but those marked refused.  Else
	 * nobody got it.
	 */
	enum outcome	(*send)(struct attempt *);
};

extern const struct sender smtp_sender, sendmail_sender, mailcmd_sender,
    file_sender, webhook_sender, alertmanager_sender, pagerduty_sender,
    heartbeat_sender, syslog_sender, journal_sender, wall_sender, null_sender;

/*
 * The first line of a secret file, by the job or by opening it, into secret;
 * which is to be wiped after use.  False with the reason in a->why.
 */
bool	 attempt_secret(struct attempt *, struct str path,
	    char secret[LIM_SECRET + 1]);
/* What the exit status of a mail program means, with its last line. */
struct child_end;
enum outcome attempt_child(struct attempt *, const struct child_end *,
	    const struct buf *out);

/*
 * What libcurl says of a failure, without the tail of "Failed to connect to
 * HOST port N after 0 ms: Couldn't connect to server": it says it twice.
 */
void	 attempt_curl(struct buf *why, const char *error);

#endif
