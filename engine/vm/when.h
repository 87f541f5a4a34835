/*
 * when: times from texts and parts, in the local zone.  Why here: `dat ... as
 * time` and #parsetime must read alike.
 */
#ifndef ENGINE_VM_WHEN_H
#define ENGINE_VM_WHEN_H

#include <stdbool.h>
#include <time.h>

/* Days of a month of 0 to 11. */
int	when_days_in(int year, int month);
/* The time of local parts; NIL if there is none.  Summer time by the zone. */
double	when_make(struct tm);
/*
 * The text read as a format of strptime(3) says; blanks may follow.  What the
 * text does not say is taken from now if it is coarser than all that it says,
 * else it is the least: of "12:30" the day is today, of "Feb 29" the year is
 * this one and the hour 0.  NIL if it does not fit.
 */
double	when_parse(const char *text, const char *fmt, double now);

#endif
