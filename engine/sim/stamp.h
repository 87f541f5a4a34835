/*
 * stamp: the time stamps of log lines.  Why: a replay gives a script its old
 * lines with the clock as it was, and logs say the time in many ways, some
 * without a year or a zone.
 *
 *	syslog	Apr 25 00:17:02 ...		no year, local time
 *	iso	2000-04-25T00:17:02.5+02:00 ...	also with a blank for the T, with
 *						slashes, without a zone: local
 *	epoch	956639822.123 ...		seconds, ms or us; audit(...) of the
 *						kernel's audit log
 *	common	... [25/Apr/2000:00:17:02 +0200] ...
 *	asctime	[Tue Apr 25 00:17:02 2000] ...	the bracket may be missing
 *	given	what strptime(3) takes, at the line's start
 *
 * All but `common` and audit(...) stand at the line's start, a syslog
 * priority (<34>1) or a bracket before them.
 *
 * Where there is no year, the months tell when one ends: a December and then
 * a January.  A local time that comes twice (the end of summer time) is the
 * later one if the line before it is later than the first.
 */
#ifndef ENGINE_SIM_STAMP_H
#define ENGINE_SIM_STAMP_H

#include <stdbool.h>
#include "lang/base/str.h"

enum stamp_kind { STAMP_SYSLOG, STAMP_ISO, STAMP_EPOCH, STAMP_COMMON,
    STAMP_ASCTIME, STAMP_GIVEN, STAMP_KINDS };
extern const char *const stamp_name[STAMP_KINDS];

#define LIM_STAMP_LOOK	512	/* bytes of a line in which a stamp is looked for:
				 * before it come a host and a user */
#define LIM_STAMP_TEXT	128	/* bytes of a stamp as strptime gets it */

struct stamp {
	enum stamp_kind	 kind;
	const char	*format;	/* of STAMP_GIVEN */
	int		 year;		/* of a line without one; goes on by itself */
	int		 leap;		/* the year in which a Feb 29 was seen, 0:
					 * none */
	/* the last stamp, and where its minute began */
	double		 last;
	int		 day;		/* of the year, of 12 times 31 */
	char		 head[20];
	double		 minute;
	/* the local hour that was worked out last, where no clock is changed */
	long		 hour;
	double		 hour_at;
};

/* year: of the first line, where stamps have none. */
void	stamp_init(struct stamp *, enum stamp_kind, const char *format,
	    int year);
/* False: the line has none. */
bool	stamp_read(struct stamp *, struct str line, double *);
/* Whether stamps of that kind say the year. */
bool	stamp_has_year(const struct stamp *);
/* What is wrong with a format of STAMP_GIVEN, or NULL. */
const char *stamp_fault(const char *format);
/*
 * The year of a log's first line, if its last one was written just before
 * `until` (the file's time): s has read all of it, from year STAMP_YEAR on.
 */
#define STAMP_YEAR	2000	/* a leap year: so Feb 29 is a day of it */
int	stamp_first_year(const struct stamp *s, double until);

#endif
