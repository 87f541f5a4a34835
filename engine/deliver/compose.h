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
 * Below a script's lines stand the changes of its incidents:
 *
 *	        [firing] MX moscow has many queued messages: 5210
 *	            mxqueue:moscow, id 3fa2b1c9, critical, since 12:00:05
 *	            mx.pikt:14: #queued >= 5000 (#queued = 5210)
 *	            done: exec wait: /usr/sbin/postqueue -f
 *	            more: picket why 3fa2b1c9, picket ack 3fa2b1c9
 *	            silence: picket silence 'mxqueue:moscow' --for 2h
 *
 * and the script stands below the worst level of all that it tells.
 *
 * Data is shown as text: control characters and bytes that are not UTF-8 as
 * \xHH, tabs kept.  Lines end with '\n'; what sends the mail makes CRLF.
 */
#ifndef ENGINE_DELIVER_COMPOSE_H
#define ENGINE_DELIVER_COMPOSE_H

#include <time.h>
#include "engine/deliver/conf.h"
#include "engine/deliver/notice.h"

#define COMPOSE_WIDTH	74	/* PIKT's: centred between columns 37 and 38 */
#define COMPOSE_INDENT	4
#define LIM_MAIL_TEXT	(1024 * 1024) /* bytes of all scripts' lines: as
				 * quoted-printable still below the 10 MB that
				 * mail servers take, and with its text and its
				 * JSON beside it below LIM_ROW */
#define LIM_MAIL_SHARE	4096	/* bytes that each script may say however many
				 * there are */
#define LIM_SUBJECT	200	/* bytes: no list of mails shows more */
#define LIM_MAIL_IDS	50	/* ids of incidents in a header: a filter looks for
				 * one, and a header may have some kB */
#define LIM_EVIDENCE	5	/* lines: operations.md, Mail */
#define LIM_DONE	20	/* lines: the log has all that was done */
#define LIM_HEADER_DATA	200	/* bytes of a name in an X-Picket header:
				 * escaped four times as long, still a line */

/* What one script of the alert has to say. */
struct mail_section {
	enum level	 level;
	struct str	 script, task;
	struct str	 lines;		/* '\n' after each, or between them */
	struct str	 error;		/* why the run failed, or empty */
	const struct change *change;	/* of its incidents */
	size_t		 nchange;
	bool		 interrupted;	/* the run was killed before it could tell; */
	struct str	 done;		/* what it had done then, a line each */
};

struct mail {
	struct str	 host, alert;
	struct str	 run_id;	/* the same for each try of one run */
	struct str	 message_id;	/* compose_id; NIL: made of the run's */
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
/* The Message-ID, without < >, of the nth mail of a run. */
void	compose_id(struct str run, unsigned n, struct str host, struct buf *);
/* The worst of all that it tells. */
enum level compose_level(const struct mail *);
/* The subject line: one line of plain text, not encoded.  A mail of one change
 * and nothing else says which. */
void	compose_subject(const struct mail *, struct buf *);
/* The body alone: what PIKT's mailcmd reads. */
void	compose_body(const struct mail *, struct buf *);
/* The whole message, RFC 5322, for a body made by compose_body. */
void	compose_message(const struct mail *, struct str body, struct buf *);
/* To, Subject and the body for a person's eyes (--mail stdout). */
void	compose_readable(const struct mail *, struct str body, struct buf *);

/* --- a mail for each route --- */

struct mail_split {
	const struct conf *conf;
	struct str	 alert;
	const struct str *host;		/* this host's names and groups */
	size_t		 nhost;
	const struct str *route;	/* those that alerts.cfg names: they get
					 * all of it, whatever their conditions */
	size_t		 nroute;
	double		 now, uptime;	/* seconds since boot */
	const struct mail_section *section;
	size_t		 nsection;
};
struct mail_part {
	const struct route *route;	/* NULL: the default */
	struct mail_section *section;	/* what goes there of each */
	size_t		 nsection;
	enum level	 level;
	double		 after;		/* quiet hours; lines (not changes, which
					 * are held back before they are told)
					 * wait for maintenance and grace too;
					 * 0: at once */
};
/*
 * Which part of a run's mail goes where.  Lines and each change are asked for
 * on their own; what no route takes goes by the default.  All of it goes
 * somewhere.  The parts live in the arena, their texts where they were.
 */
size_t	compose_split(const struct mail_split *, struct arena *,
	    struct mail_part **);

/* --- many mails in one --- */

struct digest_item {
	double		 made;
	enum level	 level;
	struct str	 subject, body, json;
};
/*
 * What was held back, as one mail: a table of times and subjects, then the
 * bodies as far as there is room for them, worst first.  Of m: host, alert
 * (may be empty), from, to, when, run_id, message_id.  why: a line for the
 * reader, "more than 20 mails an hour".  Its JSON has the scripts and changes
 * of all of them.
 */
void	compose_digest(const struct mail *, struct str why,
	    const struct digest_item *, size_t n, struct buf *subject,
	    struct buf *body, struct buf *message, struct buf *json);

#endif
