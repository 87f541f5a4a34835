/*
 * tell: the end of an alert's run, and what time alone brings about.  Why one
 * module: what was observed meets what has been told here and nowhere else,
 * under one lock, and everything that a run leaves goes out of here in one
 * transaction: values, incidents, their history, mail.
 *
 *	tell_open	takes the lock, loads incidents and silences
 *	tell_script	steps the incidents of a script that has run
 *	tell_rest	time: silences that have ended, escalations, reminders,
 *			scripts that are gone, what killed runs left
 *	tell_commit	composes, puts mail into the outbox, commits
 *	tell_close	lets go
 *
 * Without a store (disk full, damaged for good, no folder) a run is told of
 * all the same: tell_direct gives the mails to send at once.
 */
#ifndef ENGINE_DELIVER_TELL_H
#define ENGINE_DELIVER_TELL_H

#include "engine/deliver/compose.h"
#include "engine/deliver/outbox.h"
#include "engine/effect/trail.h"
#include "engine/run/run.h"

#define LIM_TELL_LOCK	15.0	/* seconds to wait for who tells: it takes
				 * milliseconds */

struct tell;

struct tell_options {
	struct mem	*mem;
	struct state	*state;		/* NULL: there is no place for it */
	struct str	 folder;	/* of the state, for the lock; NIL: nobody
					 * else has this state */
	const struct conf *conf;
	struct str	 alert;		/* of this run; tell_rest alone: empty */
	struct str	 origin;	/* the site's folder or the file */
	struct str	 run;		/* id: of this run, or of this telling */
	const struct str *group;	/* the host's, for routes */
	size_t		 ngroup;
	double		 uptime;	/* seconds since boot, NIL: unknown */
	struct str	 mailfrom;	/* of the alert, or of the conf */
	const struct str *mailto;	/* NULL: those of the conf and its routes */
	size_t		 nmailto;
	const struct str *route;	/* routes that the alert names */
	size_t		 nroute;
	struct str	 first, also;	/* see struct notice */
	double		 digest;	/* seconds that mail is collected; 0: not */
	bool		 keep_ways;	/* all this holds for later mail of the
					 * alert, too */
	void		(*say)(void *arg, struct str line);
	void		*arg;
};

/* A script of the run, in the alert's order. */
struct tell_script {
	struct state_owner owner;
	bool		 incidents;	/* it has incident statements */
	bool		 affects_mail;
	const struct run_result *result;
	struct mail_section section;	/* what it has to say besides */
};

struct tell *tell_new(const struct tell_options *);
void	tell_free(struct tell *);	/* and lets the lock go */
/* What a run commits goes in here: outcomes, rows. */
struct batch *tell_batch(struct tell *);
/* False: the store does not answer (state_why); nothing is locked. */
bool	tell_open(struct tell *);
void	tell_script(struct tell *, const struct tell_script *);
/* A mail of its own, to one address (`output mail to`). */
void	tell_mail(struct tell *, struct mail_section *, size_t n,
	    struct str to);
void	tell_rest(struct tell *);
/* Incidents of this origin whose script is not there any more: withdrawn. */
void	tell_gone(struct tell *, bool (*there)(void *arg, struct str alert,
	    struct str script), void *arg);
/*
 * What a killed run left, unless it had been committed: a tell of its own,
 * whose run is that run's id with something behind it, so that it is told
 * once.  False: nothing.
 */
bool	tell_left(struct tell *, struct trail *);
/* What there is to tell of incidents by now, a change each, in their order. */
void	tell_each_change(const struct tell *, void (*)(void *arg,
	    const struct change *), void *arg);
/*
 * One mail for each route; then all of it in one transaction.  shown: the
 * mails are given to this instead of the outbox (--mail); NULL: outbox.
 * False: nothing was kept, and no mail is in the outbox (state_why).
 */
typedef bool tell_mail_fn(void *arg, const struct notice *);
bool	tell_commit(struct tell *, tell_mail_fn *shown, void *arg);
/* After a failure: the mails of this run, one call each, with a line about
 * the fault in them. */
void	tell_direct(struct tell *, struct str fault, tell_mail_fn *,
	    void *arg);

#endif
