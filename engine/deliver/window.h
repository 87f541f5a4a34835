/*
 * window: hours of the week and moments, as a person writes them: by the
 * clock on the wall.
 *
 *	mon-fri,sun 22:00-07:00		daily 00:00-24:00
 *	2026-11-23 22:00
 *
 * A window begins on the days that are named; if its end is not later in the
 * day than its start, it ends on the next.  Where clocks are changed: a time
 * that is skipped is the moment when they are; of one that comes twice a
 * window begins with the first and ends with the last.  So no window is
 * shorter than what is written, but for the hour that is not there.
 */
#ifndef ENGINE_DELIVER_WINDOW_H
#define ENGINE_DELIVER_WINDOW_H

#include "lang/base/buf.h"

#define DAY_MINUTES	1440u

struct window {
	unsigned	 days;		/* bit 0: Sunday */
	unsigned	 from, to;	/* minutes of the day; to <= from: of the
					 * next day */
};

/* Reads both words.  False with a line for a person added to why. */
bool	window_parse(struct window *, struct str days, struct str times,
	    struct buf *why);
/* Whether a word begins as days do, and not as a moment does. */
bool	window_is_days(struct str);
/* When the window that holds `now` ends; 0: it does not hold. */
double	window_end(const struct window *, double now);
/*
 * YYYY-MM-DD HH:MM, a T for the blank will do.  last: the last moment of that
 * name.  False with a line added to why.
 */
bool	window_moment(struct str, bool last, double *, struct buf *why);

#endif
