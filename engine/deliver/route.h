/*
 * route: where an alert goes, when it has to wait, and who is told if nobody
 * does anything: the rules of picket.conf.
 *
 *	route pager level critical+ host mailservers to oncall@example.org
 *	quiet default daily 22:00-07:00 except error
 *	escalate 30m pager level critical+
 *	maintenance sun 02:00-04:00 host mailservers
 *
 * Each rule but `quiet` may have conditions, the same for all of them.  The
 * functions here are pure: they know what they are asked about, the file and
 * the time that they are given.
 */
#ifndef ENGINE_DELIVER_ROUTE_H
#define ENGINE_DELIVER_ROUTE_H

#include "engine/deliver/window.h"
#include "engine/incident/incident.h"
#include "lang/code/program.h"

struct conf;

#define LIM_CONF_RULES	64	/* of each kind: a person keeps no more apart */
#define LIM_QUIET	(7 * 86400.0)	/* seconds: quiet hours that follow one
				 * another hold nothing longer */

struct str_list {
	const struct str *p;
	size_t		 n;
};

/* All parts must hold; a part that was not given does. */
struct condition {
	unsigned	 levels;		/* bit n: enum level n; 0: any */
	struct str_list	 alert, script, host, key;	/* patterns: any of
						 * them; see glob_match */
	struct str	 match;			/* regular expression, or NIL */
};

/* What is to be told: the lines of a script, or a change of an incident. */
struct about {
	struct str	 alert, script;
	struct str	 key;		/* of the incident; NIL: lines */
	enum level	 level;
	struct str	 text;		/* the message, or the lines */
	const struct str *host;	/* this host's names and its groups */
	size_t		 nhost;
};

struct route {
	struct str	 name;
	struct condition when;
	struct str_list	 to;		/* recipients; none: mailto */
	struct str_list	 via;		/* names of its transports in order;
					 * none: the list */
	bool		 stop;		/* no later route is asked */
	unsigned	 line;
};

struct quiet {
	struct str	 route;		/* or "default" */
	struct window	 window;
	unsigned	 except;	/* bits of the levels that go through */
	unsigned	 line;
};

struct conf_escalation {
	double		 after;
	struct str	 route;
	struct condition when;
	unsigned	 bit;		/* below LIM_ESCALATIONS, of its own */
	unsigned	 line;
};

struct maintenance {
	bool		 weekly;
	struct window	 window;	/* weekly */
	double		 from, to;	/* else */
	struct condition when;
	unsigned	 line;
};

#define ROUTE_DEFAULT	"default"	/* what no route took */

/* Whether it is about this. */
bool	condition_holds(const struct condition *, const struct about *);
/*
 * The routes that this takes, in the order of the file.  None: it goes to
 * mailto by the list.
 */
size_t	route_match(const struct conf *, const struct about *,
	    const struct route *out[LIM_CONF_RULES]);
/* The route of that name, or NULL. */
const struct route *route_named(const struct conf *, struct str name);
/* When quiet hours of a route (NULL: the default) end for something of that
 * level; 0: there are none now. */
double	quiet_until(const struct conf *, const struct route *, double now,
	    enum level);
/* When the maintenance that this lies in ends; 0: it lies in none. */
double	maintenance_until(const struct conf *, double now,
	    const struct about *);
/* Whether so many seconds since boot are too few to tell anything. */
bool	grace_holds(const struct conf *, double uptime);
/*
 * The escalations of an incident.  An escalation's bit comes from its time and
 * its route, not from its place in the file: the state remembers bits, and a
 * line more in picket.conf must neither repeat one nor swallow another.
 */
size_t	route_escalations(const struct conf *, const struct about *,
	    struct escalation out[LIM_ESCALATIONS]);
/* The bit for one that is to be added to those that are there. */
unsigned route_escalation_bit(const struct conf *, double after,
	    struct str route);
/* The name of the route of a bit; empty: there is none any more. */
struct str route_of_bit(const struct conf *, unsigned bit);

#endif
