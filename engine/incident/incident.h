/*
 * incident: the state machine of incidents (pikt(5), INCIDENTS), as two
 * functions that know no clock, no store and no mail:
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

#include "lang/base/buf.h"
#include "engine/vm/host.h"

enum incident_state {
	INCIDENT_QUIET,		/* resolved, or never fired */
	INCIDENT_PENDING,	/* the condition holds, not yet for `hold` */
	INCIDENT_FIRES,
	INCIDENT_STATES
};
enum incident_end {
	END_NONE, END_RESOLVED,	/* until held */
	END_ABSENT,		/* the key was not seen any more */
	END_WITHDRAWN,		/* its script was removed */
	END_KINDS
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
#define INCIDENT_CALM		2	/* an hour with so many, fewer than half, and
					 * it flaps no more */
#define INCIDENT_FLAP_TIME	3600.0	/* seconds */

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
/* Its id: the first digits of SHA-256 of the host's name, a zero byte and the
 * key. */
void	incident_id(struct str host, struct str key,
	    char id[INCIDENT_ID + 1]);

/*
 * Whether a script may use the key.  It belongs to the first that does, until
 * it has ended and that script is gone, or has not used it for a day.
 */
#define INCIDENT_LEFT	86400.0	/* seconds */
bool	incident_is_of(const struct incident *, struct str alert,
	    struct str script, double now);

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
 *
 *	quiet, pending	`when` asks.  It holds: fires, at once without `hold`,
 *			else once it has held so long.  It does not: quiet.
 *	fires		`until` asks, by default: not `when`.  It ends when
 *			`until` holds and `when` does not.
 *	NIL		of what asks: nothing changes, unknown counts up
 *
 * Of a run that is not good and complete only an onset without hold counts;
 * what was pending stays so.  A change that is not taken because the run is
 * good, but not complete, counts as unknown: otherwise a script that never
 * reads all of its input would keep its state for ever, and nobody would know.
 * While it flaps it is one episode, however often it changes.
 *
 * Views of seen's texts stay in the incident.  The verdict is of the state
 * alone: inhibited, silenced and flapping incidents do what their blocks say,
 * or a clear would not undo its onset.
 */
enum incident_verdict incident_observe(struct incident *,
	    const struct incident_seen *, const struct incident_run *,
	    bool blocked);
/*
 * A run of its script that did not evaluate it.  good and complete: what is
 * pending is quiet at once, what fires ends after `absent` such runs in a row;
 * not good: it is blind, as it is when it was evaluated in such a run.
 */
void	incident_missed(struct incident *, const struct incident_run *);
/*
 * A run of a script, for the incident nodata:ALERT/SCRIPT that stands for all
 * of the script's own: it fires after INCIDENT_UNKNOWN runs in a row that were
 * not good, and ends with the next good one.  The seen's when, until and hold
 * are not looked at.
 */
enum incident_verdict incident_nodata(struct incident *,
	    const struct incident_seen *, const struct incident_run *);
#define INCIDENT_NODATA	"nodata:"
/* Its script is gone. */
void	incident_withdraw(struct incident *, double now);
/* Whether the key of `unless` fires, as it is found later: an incident whose
 * script does not run any more must not stay inhibited. */
void	incident_inhibit(struct incident *, bool blocked);
/* What time alone changes; all functions here begin with it.  No time of it
 * lies in the future, although the clock was set back; what has calmed down
 * flaps no more. */
void	incident_clock(struct incident *, double now);
/* Seconds that the last episode has lasted, or lasted; NIL: there is none. */
double	incident_duration(const struct incident *, double now);
/* It is not known now whether it lasts: operands are NIL, or runs fail. */
bool	incident_is_unknown(const struct incident *);
/* It fires and somebody knows. */
bool	incident_is_acked(const struct incident *);

/* What there is to tell. */
enum notice_kind {
	NOTICE_NONE,
	NOTICE_FIRING,		/* the onset */
	NOTICE_STILL,		/* a reminder, or a hold is over */
	NOTICE_RESOLVED,	/* the end; see how */
	NOTICE_UNKNOWN,
	NOTICE_FLAPPING,
	NOTICE_ACKED,
	NOTICE_ESCALATED,	/* nobody has acknowledged it in time */
	NOTICE_KINDS
};
extern const char *const notice_name[];		/* "firing", "still firing" */

/* An escalation: `after 30m also pager`. */
#define LIM_ESCALATIONS	32	/* bits of incident.escalated */
struct escalation {
	double		 after;		/* seconds from when the onset was told:
					 * before that nobody could have acted */
	unsigned	 bit;		/* its own, 0 to LIM_ESCALATIONS - 1 */
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
 * the next episode are two.  Of an escalation *bit says which (else it may be
 * NULL).
 *
 *	held		nothing is told.  When it is over: the end of what was
 *			told and has ended, the onset of what was not told and
 *			fires, and of what was told and still fires that it
 *			does, unless it is acknowledged.
 *	flapping	told once, when it fires or was told of; then nothing
 *			until it has calmed down; then what differs from what
 *			was told last.
 *	inhibited	no onset, reminder, escalation, unknown or flapping;
 *			but the end of what was told before.
 *	acknowledged	told once, then no reminder or escalation.
 *
 * It wants to be asked of each incident that a run has stepped, and whenever
 * else there is time of all for which incident_has_more (query INCIDENT_OPEN).
 */
enum notice_kind incident_tell(struct incident *, const struct telling *,
	    unsigned *bit);
/* Time alone, a person or a hold's end may make it tell something. */
bool	incident_has_more(const struct incident *);
/*
 * "resolved after 2h 33m", "still firing, 4h": what stands in brackets.  Asked
 * behind the incident_tell that gave the kind.
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
/*
 * Whether it holds now and is about this incident.  A clock that was set back
 * by more than the silence was to last ends it: rather a notice too many.
 */
bool	silence_holds(const struct silence *, const struct incident *,
	    double now);
/* Whether a pattern is about it, whenever. */
bool	silence_is_about(struct str pattern, const struct incident *);
/*
 * Bytes against a pattern: * any, ? one, [a-z] and [!a-z] one of a set, \\ in
 * front of any takes it as it is.  A [ that is not closed is itself.  Time is
 * the product of both lengths at most.
 */
bool	glob_match(struct str pattern, struct str);
/* The pattern that only this text fits. */
void	 glob_quote(struct str, struct buf *);

#endif
