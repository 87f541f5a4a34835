/*
 * conf: picket.conf, the little that is not a rule: who gets the mail, from
 * whom, and by which ways.  One keyword a line, values after it (words.h);
 * the keywords are the rows of conf.def.
 *
 *	mailto    systems@example.org
 *	smtp      mail.example.org:587 user picket passfile /etc/picket/pw
 *	sendmail  /usr/sbin/sendmail	// when the relay does not answer
 *
 * Everything in a struct conf lives in the arena that it was read into.
 */
#ifndef ENGINE_DELIVER_CONF_H
#define ENGINE_DELIVER_CONF_H

#include "engine/deliver/route.h"
#include "engine/deliver/transport.h"

enum conf_kind { CONF_ADDRESSES, CONF_ADDRESS, CONF_TEXT, CONF_TRANSPORT,
    CONF_SEARCH, CONF_FOLDER, CONF_HOST, CONF_RULE, CONF_NAMES,
    CONF_DAEMON };
enum conf_key {
#define K(id, word, kind, dflt, help) id,
#include "engine/deliver/conf.def"
#undef K
	CONF_KEYS
};

#define LIM_CONF_PARALLEL 64	/* runs: more processes than that do not end
				 * sooner on any host that we know */
#define LIM_CONF_MAILTO	100	/* what every mail server takes at once:
				 * RFC 5321 4.5.3.1.8 */
#define LIM_CONF_PROTECT 200	/* a host has not so many kinds of programs
				 * that must go on */
#define LIM_CONF_NAME	255	/* bytes of one: that of a systemd unit */
#define LIM_CONF_TRANSPORTS 16	/* nobody needs more; each costs its timeout */
#define LIM_CONF_ERRORS	20	/* a person reads no more; the rest is counted */
#define LIM_CONF_LIMIT	10000	/* mails an hour to one person: no limit */
#define LIM_GRACE	86400.0	/* seconds: a host that says nothing for longer
				 * after it has started is not watched */
#define LIM_ESCALATE_MIN 60.0	/* seconds: nobody acts in less */
#define LIM_ESCALATE_MAX (7 * 86400.0)	/* seconds: nobody will act any more */
#define LIM_HEARTBEAT_MIN 10.0	/* seconds: who listens waits for minutes */
#define LIM_HEARTBEAT_MAX 86400.0	/* seconds: nobody learns in time else */
#define CONF_SENDMAIL_PATH "/usr/sbin/sendmail"

struct heartbeat {
	struct str	 url;		/* NIL: none */
	struct str	 fail;		/* NIL: url with /fail behind it */
	double		 every;		/* seconds; 0: HEARTBEAT_EVERY */
};

/* When memory is short, as shares; the bundled MemoryEmergency warns there. */
#define EMERGENCY_AVAILABLE 0.1
#define EMERGENCY_PRESSURE 0.2
struct conf_emergency {
	double		 available, pressure;
};

struct conf {
	struct str	 value[CONF_KEYS];	/* of keys with one value */
	unsigned	 line[CONF_KEYS];	/* where first given; 0: default */
	struct str	 mailto[LIM_CONF_MAILTO];
	size_t		 nmailto;
	struct str	*protect;	/* LIM_CONF_PROTECT, or NULL: none */
	size_t		 nprotect;
	struct transport transport[LIM_CONF_TRANSPORTS]; /* in order */
	size_t		 ntransport;		/* 0: there is no way out */
	/* route.h; each in the order of the file */
	struct route	*route;
	struct quiet	*quiet;
	struct conf_escalation *escalation;
	struct maintenance *maintenance;
	size_t		 nroute, nquiet, nescalation, nmaintenance;
	double		 grace;			/* seconds after boot */
	unsigned	 limit;			/* mails to one recipient in an
						 * hour; 0: any number */
	struct heartbeat heartbeat;
	struct conf_emergency emergency;
};

/*
 * Reads the file; a missing one gives the defaults.  False with lines
 * "file:line: error: ..." added to errors; then the conf is not to be used.
 * any_owner: --trust-permissions.
 * Without a transport line: CONF_SENDMAIL_PATH, if it can be run.
 */
bool	conf_read(struct conf *, const char *file, bool any_owner,
	    struct arena *, struct buf *errors);
/* Its two halves, for who keeps the text: the file (a missing one is empty),
 * then what it says; name is shown in the messages. */
bool	conf_text(const char *file, bool any_owner, struct buf *text,
	    struct buf *errors);
bool	conf_parse(struct conf *, struct str name, struct str text,
	    struct arena *, struct buf *errors);

/*
 * What transport i is used for.  Without any `fallback` in the file, those
 * that are no mail and stand behind one that is are fall-backs.  Where all
 * that are not ROLE_ALWAYS would be fall-backs, they are the list.
 */
enum transport_role conf_role(const struct conf *, size_t i);
/* The transport of that name, or the only one without a name of that kind
 * ("syslog"), or NULL. */
const struct transport *conf_transport(const struct conf *, struct str name);
/*
 * True if no transport brings an alert out of this host without its mail
 * queue: what `picket check` warns of.  A file and null bring it nowhere.
 */
bool	conf_one_queue(const struct conf *);

#endif
