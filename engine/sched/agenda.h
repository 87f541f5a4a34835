/*
 * agenda: what is due when.  Why a module: picketd asks it at each turn of its
 * loop, with thousands of entries, in the hour that comes twice and after a
 * night asleep; so it has no clock, no process and no file, is told what time
 * it is, and a test lives through years of it in a second.  Who runs what is
 * due, and how many at once, is queue.h's.
 *
 *	agenda_look	tells it the time, at each turn
 *	agenda_pop	what is due by that time, until there is nothing more
 *	agenda_wake	when to look again
 *
 * The rules, beyond those of calendar.h:
 *
 *  - what was missed between two looks, however long they are apart and
 *    whether the host slept or the daemon was not given its turn, is due once:
 *    its last time.  It is made up if that is more than AGENDA_LATE ago, or if
 *    there was more than one;
 *  - a clock that is set follows calendar_follows: timings that follow it are
 *    due by the new time, and what the step left out is not due; the others go
 *    on as if time had passed;
 *  - each due time of an entry is given out once.  After a clock was set back
 *    by so much that times come again, and are due again, their due times are
 *    told apart: each time that the clock goes back is a new turn, and what is
 *    due the second time is due by its time and as many microseconds as
 *    that is the nth turn.  So (name, due) is unique in the state for ever, if
 *    the turn is kept with the stamp of agenda_start.  The microseconds are
 *    in the stamp only, never in the order or in what comes next;
 *  - what was missed while it was paused is not made up.
 *
 * Entries are in order of their due time; those of the same time by how long
 * ago they were due last, longest first, and then as the site has them: so one
 * that is due once a day does not stand behind all that are due each minute.
 */
#ifndef ENGINE_SCHED_AGENDA_H
#define ENGINE_SCHED_AGENDA_H

#include "lang/base/mem.h"
#include "engine/sched/calendar.h"

#define AGENDA_LATE	60.0	/* seconds: a timing's grain; what comes later
				 * than that was not started but missed */
#define AGENDA_ALL	UINT32_MAX	/* instead of an entry */
#define AGENDA_NONE	UINT32_MAX	/* no entry */

/* Why something runs: of a run's row, and for scripts to read. */
#define REASONS \
	RN(REASON_SCHEDULED, "scheduled") \
	RN(REASON_MADE_UP, "made-up") \
	RN(REASON_BY_HAND, "by-hand") \
	RN(REASON_EMERGENCY, "emergency")
enum reason {
#define RN(id, word) id,
	REASONS
#undef RN
	REASON_COUNT
};
extern const char *const reason_word[REASON_COUNT];

/* One of the timings of an entry. */
struct agenda_timing {
	struct cron	cron;		/* if every is 0 */
	double		every;		/* seconds, or 0 */
	double		drift;		/* seconds that it starts after its time */
};

/*
 * The entries, as who has them shows them.  They stay as they are as long as
 * the agenda lives.  A reload makes a new site and a new agenda.
 */
struct agenda_site {
	void		*arg;
	uint32_t	 n;
	/* timing k of an entry; false: it has k and no more.  One that is
	 * never due, as it sleeps, has none. */
	bool		(*timing)(void *arg, uint32_t entry, unsigned k,
			    struct agenda_timing *);
	const char	*(*name)(void *arg, uint32_t entry);	/* unique */
	uint32_t	(*find)(void *arg, const char *name);	/* AGENDA_NONE */
};

/* Of an image (engine/image/schedule.h), which must outlive it. */
struct schedule;
void	 agenda_of(struct agenda_site *, struct schedule *);

struct agenda_due {
	uint32_t	 entry;
	double		 due;		/* unique for the entry: print it with
					 * %.6f, and it reads back the same */
	enum reason	 reason;	/* scheduled or made up */
};

struct agenda;

/*
 * All entries are new: due from now on.  One allocation; zone and site (not
 * its struct) must outlive it.  zone: NULL for the local one.
 */
struct agenda *agenda_new(struct mem *, const struct calendar_zone *,
	    const struct agenda_site *, double now);
void	 agenda_free(struct agenda *);

/*
 * At start: what an entry was due by last, of all times (the highest due of
 * its rows); then, after all of them, when the daemon before this one was
 * alive (NUM_NIL: nobody knows), and its turn (0 then).  All that was missed
 * in between is due once; an entry without a last time is new, and nothing of
 * it was missed.
 *
 * The stamp must be one up to which all that was due has been started: no
 * later than what waits (queue_oldest).
 */
void	 agenda_last(struct agenda *, uint32_t entry, double due);
void	 agenda_start(struct agenda *, double alive, unsigned turn);
unsigned agenda_turn(const struct agenda *);

/*
 * A reload: what is unchanged goes on as it was; an entry is the same if its
 * name is, and its time goes on if its timings are the same; others are due
 * from now on.  The time is the old one's.  from, of as many as the new one
 * has: which each was in the old one, or AGENDA_NONE.  The old one is to be
 * freed then.
 */
void	 agenda_keep(struct agenda *, const struct agenda *old, uint32_t *from);

/*
 * It is `now`, and `real` seconds have gone by since it was told last, those
 * asleep too (CLOCK_BOOTTIME).
 */
void	 agenda_look(struct agenda *, double now, double real);
/* False: nothing more is due. */
bool	 agenda_pop(struct agenda *, struct agenda_due *);
/* When something is due next, or INFINITY; not later than now if there is
 * still something to pop. */
double	 agenda_wake(const struct agenda *);

/* One entry's next time, for people; INFINITY: never, or it is paused. */
double	 agenda_next(const struct agenda *, uint32_t entry);

/* An entry, or AGENDA_ALL, which is apart: who resumes all leaves paused what
 * was paused by its name. */
void	 agenda_pause(struct agenda *, uint32_t entry, bool);
bool	 agenda_paused(const struct agenda *, uint32_t entry);

/* Bytes that n entries of one timing each take. */
size_t	 agenda_size(const struct agenda *);

#endif
