/*
 * compose: the mail of one alert run, as PIKT sends it (operations.md, Mail).
 *
 *	                                PIKT ALERT
 *	                         Tue Apr 25 00:17:02 2000
 *	                                  moscow
 *
 *	URGENT:
 *	    ProcNumChkUrgent
 *	        Report unusually high numbers of per-user procs.
 *
 *	        404 groucho imapd
 *
 * The three lines of the head are centred in COMPOSE_WIDTH columns; a script
 * is indented by COMPOSE_INDENT, its task and lines by twice that.  So no
 * line of data begins in column one, where ".", "~", "From " and ":" mean
 * something to somebody on the way.  A level's heading stands once.
 *
 * Data is shown as text: control characters and bytes that are not UTF-8 as
 * \xHH, tabs kept.  Lines end with '\n'; what sends the mail makes CRLF.
 */
#ifndef ENGINE_DELIVER_COMPOSE_H
#define ENGINE_DELIVER_COMPOSE_H

#include <time.h>
#include "lang/base/buf.h"
#include "lang/code/program.h"

#define COMPOSE_WIDTH	74	/* PIKT's: centred between columns 37 and 38 */
#define COMPOSE_INDENT	4
#define LIM_MAIL_TEXT	(2 * 1024 * 1024) /* bytes of all scripts' lines:
				 * as quoted-printable still below the 10 MB
				 * that mail servers take */
#define LIM_MAIL_SHARE	4096	/* bytes that each script may say however many
				 * there are */
#define LIM_SUBJECT	200	/* bytes: no list of mails shows more */
#define LIM_HEADER_DATA	200	/* bytes of a name in an X-Picket header:
				 * escaped four times as long, still a line */

/* What one script of the alert has to say. */
struct mail_section {
	enum level	 level;
	struct str	 script, task;
	struct str	 lines;		/* '\n' after each, or between them */
	struct str	 error;		/* why the run failed, or empty */
};

struct mail {
	struct str	 host, alert;
	struct str	 run_id;	/* the same for each try of one run */
	time_t		 when;
	struct str	 from;		/* addresses: address_fault is NULL */
	const struct str *to;
	size_t		 nto;
	struct str	 subject;	/* template: %h host, %a alert, %% */
	const struct mail_section *section;	/* in the alert's order */
	size_t		 nsection;
};

/* False if no script has anything to say: then no mail is sent. */
bool	compose_speaks(const struct mail *);
/* The subject line: one line of plain text, not encoded. */
void	compose_subject(const struct mail *, struct buf *);
/* The body alone: what PIKT's mailcmd reads. */
void	compose_body(const struct mail *, struct buf *);
/* The whole message, RFC 5322, for a body made by compose_body. */
void	compose_message(const struct mail *, struct str body, struct buf *);
/* To, Subject and the body for a person's eyes (--mail stdout). */
void	compose_readable(const struct mail *, struct str body, struct buf *);

#endif
