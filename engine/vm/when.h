/*
 * when: times from texts and parts, in the local zone.  Why here: `dat ... as
 * time` and #parsetime must read alike.
 */
#ifndef ENGINE_VM_WHEN_H
#define ENGINE_VM_WHEN_H

#include <stdbool.h>
#include <stddef.h>
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
/*
 * Seconds as people say them: "2h 5m", the greatest unit of w d h m s and the
 * one below it.  Returns the bytes written; no zero byte follows them.
 */
#define WHEN_SPAN_MAX	350	/* bytes: any double in weeks, a unit below */
size_t	when_span(double seconds, char out[WHEN_SPAN_MAX]);

#endif
