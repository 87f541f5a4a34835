/*
 * calendar: when something is due next.  Why a module: picketd, `picket list`,
 * replay and learn must agree on it, and it is tested against ten years of
 * minutes, so it has no clock, no state and no memory: the same question has
 * the same answer, after a restart, too.
 *
 * Times are seconds since 1970.  The five fields are read in the local zone.
 *
 * The rule for clocks that jump is that of cron(8), Vixie's and Debian's
 * ("Special considerations exist when the clock is changed by less than 3
 * hours, for example at the beginning and end of daylight savings time"):
 *
 *  - a timing whose minute and hour both do not begin with * is of a fixed
 *    time.  If its time is skipped it is due once, at the moment of the jump,
 *    however many of its times were skipped.  If its time comes twice it is
 *    due the first time only;
 *  - a timing with * (or * / N) in minute or hour goes by the minutes that
 *    the wall clock shows: what is skipped is not, what comes twice is twice;
 *  - a jump of CALENDAR_JUMP and more is a correction (Samoa left out a whole
 *    day of 2011): the new time holds from then on, for both.
 *
 * cron makes up each time of a skipped hour; here it is one run, as for all
 * that was missed.
 *
 * `every` is a span, not a time of day: its multiples since 1970 in UTC, so
 * that no restart shifts them and all spans are equally long.
 */
#ifndef ENGINE_SCHED_CALENDAR_H
#define ENGINE_SCHED_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "lang/base/cron.h"

#define CALENDAR_JUMP	10800	/* seconds: cron(8)'s three hours */
#define CALENDAR_LAG	300	/* seconds the clock may be put on, and all is
				 * caught up: cron's five minutes */
#define CALENDAR_BACK	60	/* seconds it may be put back, and nothing is
				 * due again: a timing's grain */

/*
 * A zone: how many seconds it is ahead of UTC at a moment, false if it has no
 * answer.  A NULL zone is the local one of localtime_r(3): who changes TZ
 * calls tzset.
 */
struct calendar_zone {
	bool	(*ahead)(void *arg, int64_t t, int64_t *seconds);
	void	*arg;
};

/* The first moment after t, or INFINITY: never, or t is no time. */
double	calendar_after(const struct calendar_zone *, const struct cron *,
	    double t);
double	calendar_every(double every, double t);

/*
 * The drift of an alert on a host: seconds from 0 to less than the drift's
 * minutes, always the same for the two names.  Why not by lot: then two runs
 * would be now close, now far, and a restart would draw anew.
 *
 * It goes by parts of a second, so that 10,000 alerts in a minute are not 60
 * heaps of 167: by CALENDAR_GRAIN, which times hold without rounding, in binary
 * and in six decimals, too.
 */
#define CALENDAR_GRAIN	(1.0 / 64)
double	calendar_drift(const struct cron *, struct str host, struct str name);
/* The same of an alert's `drift`, which its `every` has. */
double	calendar_spread(unsigned minutes, struct str host, struct str name);
/* When it starts after t, with that drift. */
double	calendar_start(const struct calendar_zone *, const struct cron *,
	    double drift, double t);
double	calendar_start_every(double every, double drift, double t);

/*
 * The wall clock was `then` when it was last looked at and is `now`; `real`
 * seconds went by, those asleep too (CLOCK_BOOTTIME), NUM_NIL if nobody knows,
 * as after a stop: then the clock is believed.  What of the timing (or, with
 * NULL, of `every`) has to be made up?
 *
 * What was missed in time that really went by is made up once, however long
 * that was.  What the clock was set by follows the rule above: by less than
 * CALENDAR_JUMP, a fixed time that was left out is made up once, and one that
 * comes again is not due again; by more, nothing is.  Others are due by the
 * new time, except that small steps (CALENDAR_LAG, CALENDAR_BACK) neither
 * lose nor repeat any.
 */
/*
 * Whether a timing (NULL: an `every`) goes by the new time after the clock was
 * set by so many seconds; if not, as if they had gone by.
 */
bool	calendar_follows(const struct cron *, double set);
struct calendar_gap {
	double	due;		/* the last time that was missed, or NUM_NIL */
	double	from;		/* the next one is the first after this */
};
struct calendar_gap calendar_gap(const struct calendar_zone *,
	    const struct cron *, double every, double then, double now,
	    double real);

#endif
