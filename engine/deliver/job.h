/*
 * job: one mail to be sent, as picket hands it to picket-deliver.  Why a
 * program of its own: libcurl and its libraries make a process start six
 * times slower, and picket starts often but mails seldom.
 *
 * On picket-deliver's standard input:
 *
 *	picket-job 1\n
 *	NAME LENGTH\n		LENGTH bytes follow, then \n; repeated
 *	end 0\n\n
 *
 * NAME		times	value
 * host		1	this host's name, for EHLO
 * run		0-1	run id, PICKET_RUN_ID of commands
 * path		1	PATH of commands
 * from		1	envelope sender, an address
 * to		0-	envelope recipient, an address
 * transport	1-	a line as in picket.conf, in order of use
 * message	1	RFC 5322, lines ended by \n
 * body		1	the body alone, as text, for mailcmd
 * notice	0-1	the same as JSON (notice.h), for HTTP
 * file		0-	path, NUL, contents of a file that a transport names: for
 *			one who may not open it (resident.h)
 * nofile	0-	path, NUL, why it could not be read
 *
 * A transport is tried for the recipients that no earlier one has taken.
 * On standard output, one line per attempt:
 *
 *	ok|retry|fail TRANSPORT REASON
 *
 * retry: nothing was refused for good (4xx, time out, no connection), or the
 * transport is set up wrongly, which somebody may set right; fail: this mail
 * was refused (5xx).  Of several recipients
 * a relay may refuse some: then one more line for each of them follows, whose
 * REASON begins with "<ADDRESS> "; the first is ok if it took the mail for
 * the others.  A REASON of retry may end with "; again in 90s": so long it
 * wants not to be asked.  At the end stands
 *
 *	left ADDRESS
 *
 * for each recipient whom nobody took.  The exit status is enum job_exit.
 */
#ifndef ENGINE_DELIVER_JOB_H
#define ENGINE_DELIVER_JOB_H

#include "engine/deliver/conf.h"

#define LIM_JOB		(64 * 1024 * 1024) /* bytes: a message and its body at
				 * LIM_MAIL_TEXT, all of it escaped, fit twice */
#define LIM_JOB_RCPT	LIM_CONF_MAILTO
#define LIM_JOB_FILES	(3 * LIM_CONF_TRANSPORTS) /* of a line: ca, and two
				 * secrets (urlfile and tokenfile) */

#define REPORT_AGAIN	"; again in "

enum job_exit {
	JOB_SENT = 0,		/* taken for all recipients */
	JOB_USAGE = 64,		/* these are the codes of sysexits(3) */
	JOB_BAD = 65,		/* no job: nothing was tried */
	JOB_REFUSED = 69,	/* somebody is left, all that was said is fail */
	JOB_LATER = 75,		/* somebody is left, worth another try */
};

struct job_file {
	struct str	 path, text;
	bool		 missing;	/* text is why */
};

/* Owns nothing. */
struct job {
	struct str	 host, run, path, from, message, body, notice;
	struct str	 to[LIM_JOB_RCPT];
	size_t		 nto;
	struct str	 transport[LIM_CONF_TRANSPORTS];	/* lines */
	size_t		 ntransport;
	struct job_file	 file[LIM_JOB_FILES];
	size_t		 nfile;
};

/*
 * A job by the configuration: host, path, sender, recipients, transports.
 * Run, message and body are left to the caller; texts live in the arena.
 */
void	job_from_conf(struct job *, const struct conf *, struct arena *);
void	job_write(const struct job *, struct buf *);
/*
 * Reads what job_write wrote; the job's texts are views of `bytes`.  False
 * with a line for a person added to why: also when an address or host name
 * is not one.  Transport lines are not looked into.
 */
bool	job_read(struct job *, struct str bytes, struct buf *why);
/* What the job says of a file; NULL: nothing, whoever wants it opens it. */
const struct job_file *job_file(const struct job *, struct str path);

#endif
