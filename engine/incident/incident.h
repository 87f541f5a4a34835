/*
 * incident: the state machine of language.md section 9, as two functions that
 * know no clock, no store and no mail:
 *
 *	incident_observe	what a script's evaluation changes
 *	incident_tell		what there is to tell of it, given what has
 *				been told
 *
 * Why two: what is observed and what has been told are kept apart.  A notice
 * that is late, held back by a silence or lost with its run is found by
 * comparing the two, whenever that is: so an onset and an end are told once,
 * and never an end without its onset.
 *
 * Texts of a struct incident are views; who fills it owns them.
 */
#ifndef ENGINE_INCIDENT_INCIDENT_H
#define ENGINE_INCIDENT_INCIDENT_H

#include "lang/base/arena.h"
#include "lang/base/buf.h"
#include "engine/vm/host.h"

enum incident_state {
	INCIDENT_QUIET,		/* resolved, or never fired */
	INCIDENT_PENDING,	/* the condition holds, not yet for `hold` */
	INCIDENT_FIRES
};
enum incident_end {
	END_NONE, END_RESOLVED,	/* until held */
	END_ABSENT,		/* the key was not seen any more */
	END_WITHDRAWN		/* its script was removed */
};
extern const char *const incident_state_name[];	/* "quiet" ... */
extern const char *const incident_end_name[];

#define LIM_INCIDENT_KEY	500	/* bytes: a person types it, a Message-ID
					 * and a label hold it */
#define LIM_INCIDENT_TEXT	4000	/* bytes of a message or evidence */
#define INCIDENT_ID		8	/* hexadecimal digits: one clash in a
					 * thousand hosts with a thousand keys
					 * is one in ten; the key tells then */
#define INCIDENT_ABSENT		3	/* runs: language.md section 9 */
#define INCIDENT_UNKNOWN	3	/* runs until that is told */
#define INCIDENT_FLAPS		5	/* changes an hour; more is flapping */
#define INCIDENT_FLAP_TIME	3600.0

struct incident {
	struct str	 key;
#define S struct str
#define N double
#define F_RUN(type, name, meaning) type name;
#define F_TOLD(type, name, meaning) type name;
#define F_HUMAN(type, name, meaning) type name;
#include "engine/incident/fields.def"
#undef S
#undef N
#undef F_RUN
#undef F_TOLD
#undef F_HUMAN
};

/* A key that was never seen: all is empty or 0. */
void	incident_new(struct incident *, struct str key);
/* Its id: digits of a digest of the host's name and the key. */
void	incident_id(struct str host, struct str key,
	    char id[INCIDENT_ID + 1]);

/* How a run went, for its incidents. */
struct incident_run {
	double		 now;
	bool		 good;		/* it ended well */
	bool		 complete;	/* and read all of its input: a key that
					 * was not seen is not there */
};
/*
 * One evaluation.  good: as far as is known, the run ends well; a statement
 * takes its verdict from a copy, and the incident itself is stepped at the
 * end of the run, when that is known.  blocked: the key of `unless` fires.
 * In a run that is not good only an onset without hold counts; all else is
 * unknown.  Allocates texts (changes) in the arena; a view of seen's texts
 * stays in the incident.
 */
enum incident_verdict incident_observe(struct incident *,
	    const struct incident_seen *, const struct incident_run *,
	    bool blocked, struct arena *);
/* A run of its script that did not evaluate it. */
void	incident_missed(struct incident *, const struct incident_run *,
	    struct arena *);
/* Its script is gone. */
void	incident_withdraw(struct incident *, double now, struct arena *);
/* The clock was set back: no time of it lies in the future. */
void	incident_clock(struct incident *, double now);
/* Seconds that the last episode has lasted, or lasted; NIL: there is none. */
double	incident_duration(const struct incident *, double now);

/* What there is to tell. */
enum notice_kind {
	NOTICE_NONE,
	NOTICE_FIRING,		/* the onset */
	NOTICE_STILL,		/* a reminder */
	NOTICE_RESOLVED,	/* the end; see how */
	NOTICE_UNKNOWN,
	NOTICE_FLAPPING,
	NOTICE_ACKED,
	NOTICE_ESCALATED,	/* nobody has acknowledged it in time */
	NOTICE_KINDS
};
extern const char *const notice_name[];		/* "firing", "still firing" */

/* An escalation: `after 30m also pager`. */
struct escalation {
	double		 after;		/* seconds from the onset */
	unsigned	 bit;		/* of incident.escalated */
};

/* What bears on telling, besides the incident. */
struct telling {
	double		 now;
	bool		 held;		/* silenced, in a maintenance window, or
					 * in the grace after boot */
	const struct escalation *escalation;	/* those that apply to it */
	size_t		 nescalation;
};
/*
 * The next thing to tell, or NONE; the incident's second part is changed as
 * if it had been told.  Call it until it says NONE: an end and the onset of
 * the next episode are two.  Of an escalation *bit says which.
 */
enum notice_kind incident_tell(struct incident *, const struct telling *,
	    unsigned *bit);
/*
 * "resolved after 2h 33m", "still firing, 4h": what stands in brackets.
 */
void	incident_says(const struct incident *, enum notice_kind, double now,
	    struct buf *);

/* A silence: by a person, or made of the configuration. */
struct silence {
	struct str	 id;		/* "s12" */
	struct str	 pattern;	/* of keys: * ? [..], or an incident's id */
	double		 made, until;
	struct str	 who, why;
};
/* Whether it holds now and is about this incident.  A clock that was set back
 * before `made` ends it as long after as it was to last. */
bool	silence_holds(const struct silence *, const struct incident *,
	    double now);

#endif
