/*
 * cron: five fields that say when, as sets of bits.  Why here: alerts.cfg, a
 * script's own `timing` and the scheduler must read them alike.  This is the
 * reader only; what the clock makes of it is the scheduler's.
 *
 *	minute hour day-of-month month day-of-week [drift]
 *
 * A field is a list of parts with commas between them: *, N, N-M, and with a
 * step * /N or N-M/N (without the blank).  Months and days of the week have
 * names, whole or their first three letters, in any case.  Sunday is 0 and 7.
 * The sixth number is PIKT's drift: minutes over which starts are spread.
 * @hourly @daily @midnight @weekly @monthly @yearly @annually stand for the
 * five.
 *
 * Days follow cron(8): if neither day field begins with *, a day that is in
 * either of them is meant, else one that is in both.
 */
#ifndef LANG_BASE_CRON_H
#define LANG_BASE_CRON_H

#include <stdbool.h>
#include <stdint.h>
#include "lang/base/str.h"

#define LIM_CRON_DRIFT	1440	/* minutes: a start that is spread over more
				 * than a day has no time any more */

struct cron {
	uint64_t	min;		/* bit n: minute n, 0 to 59 */
	uint32_t	hour;		/* 0 to 23 */
	uint32_t	dom;		/* 1 to 31 */
	uint32_t	month;		/* 1 to 12 */
	uint32_t	dow;		/* 0 to 6 from Sunday */
	bool		either_day;	/* dom or dow will do */
	bool		wild;		/* minute or hour begins with * */
	bool		has_drift;
	unsigned	drift;		/* minutes */
};

struct cron_fault {
	size_t		 at, len;	/* the bytes that are wrong */
	const char	*field;		/* "hour" and the like, NULL: the whole */
	char		 text[120];	/* what is wrong, without the field */
};

/*
 * Reads a whole text, blanks around it allowed.  False: *fault says where
 * and what, and *c is not to be used.
 */
bool	cron_parse(struct str text, struct cron *c, struct cron_fault *fault);
/* True if it names no day of any year (0 0 31 2 *). */
bool	cron_is_never(const struct cron *);

#endif
