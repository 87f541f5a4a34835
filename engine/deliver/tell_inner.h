/*
 * tell_inner: what the files of tell share.  Private to them.
 *
 *	tell.c		lock, loading, mails, commit
 *	tell_step.c	the incidents of scripts that have run
 *	tell_rest.c	what time alone brings about
 *	tell_mail.c	who gets what: a mail for each route
 *	tell_ways.c	who is told of an alert
 */
#ifndef ENGINE_DELIVER_TELL_INNER_H
#define ENGINE_DELIVER_TELL_INNER_H

#include "lang/base/map.h"
#include "engine/deliver/route.h"
#include "engine/deliver/tell.h"
#include "engine/state/place.h"

/* An incident at hand. */
struct known {
	struct incident	 i;		/* as it will be */
	struct incident	 was;		/* as the store has it */
	bool		 stored;	/* the store has it */
	bool		 seen;		/* in this run */
	bool		 mine;		/* of a script of this run */
	bool		 threaded;	/* its onset is told now */
};

/* What one script says. */
struct saying {
	struct saying	*next;
	struct str	 alert;
	struct mail_section s;
	struct change	*change;
	size_t		 nchange, capchange;
};

struct others {			/* `output mail to` */
	struct others	*next;
	struct mail_section *section;
	size_t		 n;
	struct str	 to;
};

struct tell {
	struct tell_options o;
	struct arena	 arena;
	struct batch	*batch;
	struct lock	 lock;
	struct buf	 why;
	bool		 open;		/* the store has answered */
	bool		 lost;		/* and then not: what is at hand is not all */
	double		 now;
	struct str	 host;
	struct map	 known;		/* key -> struct known */
	struct silence	*silence;
	size_t		 nsilence, capsilence;
	unsigned	 nasked;	/* keys */
	struct saying	*saying, **tail;
	struct others	*others, **others_tail;
	unsigned	 nmail;		/* of this run, for their ids */
	bool		 rows;		/* incidents or mail: must be on disk */
	bool		 distrust;	/* see struct notice */
};

/* Who is told of an alert; what is empty is as the conf says. */
struct ways {
	struct str	 from, first, also;
	const struct str *to, *route;
	size_t		 nto, nroute;
	double		 digest;
};
struct ways tell_ways(struct tell *, struct str alert);
/* Those of this run's alert, for whoever tells of it later. */
void	tell_keep_ways(struct tell *);
double	tell_number(struct str);	/* of a row; 0 if it is none */

struct known *tell_known(struct tell *, struct str key);	/* or NULL */
/* A new one, of that script. */
struct known *tell_new_known(struct tell *, struct str key,
	    const struct tell_script *);
/* A row of the history, if the state has changed. */
void	tell_history(struct tell *, const struct known *, const char *what,
	    struct str who, struct str text, struct str notice);
/* Tells all that there is to tell of it; a change each. */
void	tell_changes(struct tell *, struct known *);
/* The rows of its script, whose lines may speak of them. */
bool	tell_load(struct tell *, const struct state_owner *);
/* What the store has of a new one, if it has it. */
void	tell_fetch(struct tell *, const struct known *);
/* tell_mail.c: the mails of all pieces, one call each; the incidents learn
 * their threads. */
bool	tell_mails(struct tell *, bool (*)(struct tell *, const struct notice *,
	    void *), void *arg);
struct saying *tell_saying(struct tell *, struct str alert,
	    struct str script, enum level);

#endif
