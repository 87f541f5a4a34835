/*
 * notice: what there is to say, as data: the changes of incidents beside the
 * lines of scripts, and both as JSON for what is no mail.
 *
 * The JSON of a notice, one object (absent: there is none, but for `changes`
 * and `scripts`, which may be empty lists):
 *
 *	id	string	Message-ID without < >: stable over retries
 *	run	string	host	string	alert	string
 *	level	string	the worst in it ("critical")
 *	time	number	seconds since 1970
 *	subject	string	text	string	the mail's body
 *	scripts	[{ script, level, task, lines, error: string, interrupted:
 *		string, what a run that was killed had done }]
 *	changes	[{
 *		what	string	notice_name: firing, still firing, resolved,
 *				unknown, flapping, acknowledged, escalated,
 *				silenced
 *		says	string	what stands in brackets: "resolved after 2h 33m"
 *		key, id, script, level, message, evidence, place, done: string
 *		since, fired, ended: number	0: not yet
 *		remind	number	seconds, 0: never
 *		who, why string	of an ack or a silence
 *		thread	string	Message-ID of the onset's mail
 *	}]
 */
#ifndef ENGINE_DELIVER_NOTICE_H
#define ENGINE_DELIVER_NOTICE_H

#include "engine/incident/incident.h"

/* One line about an incident.  Owns nothing. */
struct change {
	enum notice_kind what;
	const struct incident *incident;	/* as it is after the change */
	double		 now;
	struct str	 who, why;	/* who did what; or empty */
	struct str	 route;		/* of an escalation: the only one that gets
					 * it; else empty */
	const struct str *also;		/* routes that get it besides: of an ack or
					 * an end those that were called */
	size_t		 nalso;
};

struct mail;
/* The JSON of a mail; body: what compose_body made of it. */
void	notice_json(const struct mail *, struct str body, struct buf *);

#endif
