/*
 * transport: one way for a mail to leave, as a line of picket.conf says it:
 *
 *	smtp mail.example.org:587 starttls user picket passfile /etc/picket/pw
 *	sendmail /usr/sbin/sendmail
 *	mailcmd "mailx -s 'PIKT Alert' root"
 *	file /var/mail/alerts
 *	webhook urlfile /etc/picket/slack.url template slack
 *
 * Why lines: a job carries its transports as the same lines, so there is one
 * parser, and what a job says can be read.  A line names secrets by the
 * file that holds them; it never holds one.
 */
#ifndef ENGINE_DELIVER_TRANSPORT_H
#define ENGINE_DELIVER_TRANSPORT_H

#include <stdint.h>

#include "lang/base/arena.h"
#include "lang/base/buf.h"

enum transport_kind {
#define T(id, word, target) id,
#include "engine/deliver/conf.def"
#undef T
	TRANSPORT_COUNT
};
enum transport_option {
#define O(id, word, on, arg, dflt, help) id,
#include "engine/deliver/conf.def"
#undef O
	OPTION_COUNT
};
enum transport_role {
	ROLE_LIST,		/* one of the list, in its order */
	ROLE_FALLBACK,		/* for what the list has not taken in time */
	ROLE_ALWAYS		/* gets everything, besides */
};
enum transport_queue { QUEUE_GUESSED, QUEUE_DIRECT, QUEUE_LOCAL };
enum smtp_tls { SMTP_STARTTLS, SMTP_TLS, SMTP_PLAIN };
enum web_template {
#define W(id, word, build, unit, limit, most, accept, help) id,
#include "engine/deliver/templates.def"
#undef W
	TEMPLATE_COUNT
};

/* Which transports an option of conf.def is for. */
#define ON_ANY		(~0u)
#define ON_SMTP		(1u << TRANSPORT_SMTP)
#define ON_SENDMAIL	(1u << TRANSPORT_SENDMAIL)
#define ON_MAILCMD	(1u << TRANSPORT_MAILCMD)
#define ON_WEBHOOK	(1u << TRANSPORT_WEBHOOK)
#define ON_ALERTMANAGER	(1u << TRANSPORT_ALERTMANAGER)
#define ON_PAGERDUTY	(1u << TRANSPORT_PAGERDUTY)
#define ON_HEARTBEAT	(1u << TRANSPORT_HEARTBEAT)
#define ON_SYSLOG	(1u << TRANSPORT_SYSLOG)
#define ON_JOURNAL	(1u << TRANSPORT_JOURNAL)
#define ON_WALL		(1u << TRANSPORT_WALL)
#define ON_NULL		(1u << TRANSPORT_NULL)
#define ON_HTTP		(ON_WEBHOOK | ON_ALERTMANAGER | ON_PAGERDUTY | \
			    ON_HEARTBEAT)

#define LIM_TIMEOUT_MIN	1.0	/* seconds; less answers no question */
#define LIM_TIMEOUT_MAX	3600.0	/* an attempt this long is a hang */
#define SMTP_PORT	25
#define SMTPS_PORT	465
#define LIM_URL		2000	/* bytes: some servers refuse a longer one, and
				 * those of chat services have 500 */
#define LIM_URLS	8	/* members of a cluster; each gets its part of
				 * the timeout */
#define LIM_RESEND_MIN	60.0	/* seconds: alerts are not run more often */
#define LIM_RESEND_MAX	(31 * 86400.0) /* nothing is told of more seldom */

struct transport {
	enum transport_kind kind;
	struct str	 target;	/* host without brackets, path, command, the
					 * first URL; empty: the line has none */
	unsigned	 port;		/* smtp */
	struct str	 url[LIM_URLS];	/* all URLs */
	size_t		 nurl;
	enum web_template template;	/* webhook */
	double		 resend;	/* alertmanager: seconds */
	unsigned	 facility;	/* syslog, journal */
	uint64_t	 given;		/* options: bits by their enum */
	struct str	 arg[OPTION_COUNT];	/* as they stand in the line */
	enum smtp_tls	 tls;
	bool		 insecure;
	struct str	 ca, user, passfile;	/* NIL if not given */
	double		 timeout;	/* seconds one attempt may take */
	struct str	 name;		/* NIL if not given */
	enum transport_role role;	/* as its line says; see conf_role */
	enum transport_queue queue;	/* the same; see transport_shares_queue */
	unsigned	 line;		/* in picket.conf; 0: not from there */
};

extern const char *const transport_name[TRANSPORT_COUNT];
extern const char *const template_name[TEMPLATE_COUNT];

/*
 * Reads the words of a line (n >= 1); its texts are those of the words.
 * False with one line for a person added to `why`.
 */
bool	transport_parse(struct transport *, const struct str *word, int n,
	    struct buf *why);
/* The same for a line as job and picket.conf hold it; texts in the arena. */
bool	transport_parse_line(struct transport *, struct str line,
	    struct arena *, struct buf *why);
/* A transport as the line that transport_parse_line reads back. */
void	transport_format(const struct transport *, struct buf *);
/* Its name in reports, one word: that of its line, or else
 * smtp:mail.example.org:587, mailcmd. */
void	transport_label(const struct transport *, struct buf *);
/* smtp, sendmail, mailcmd: what it takes is a mail. */
bool	transport_is_mail(const struct transport *);
/*
 * True if what it takes waits in a mail queue of this host, which may be what
 * is out of order: acceptance is no delivery then.  own: this host's name.
 */
bool	transport_shares_queue(const struct transport *, struct str own);

/* The file of the i-th secret that the line names, or NIL behind the last. */
struct str transport_secret(const struct transport *, unsigned i);
static inline bool
transport_has(const struct transport *t, enum transport_option o)
{
	return (t->given & (uint64_t)1 << o) != 0;
}

#endif
