#include "engine/sched/calendar.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "lang/base/num.h"

#define DAY		86400
#define NEVER		INT64_MAX
#define LIM_TIME	1e11	/* the year 5138: past it no zone has rules */
/* After 400 years dates and days of the week are the same again. */
#define LIM_MONTHS	(400 * 12 + 1)
/* A zone's changes are looked for in steps: two that are closer to each other
 * and cancel out are not seen.  No zone has had such since 1970. */
#define STEP		21600
/* Further than this from its day nothing can happen to a timing: zones are
 * less than 25 hours ahead or behind. */
#define NEAR		(2 * DAY)

/* --- without zones: minutes since 1970 as the clock on a wall has them --- */

/* floor(3) of what is less than LIM_TIME: the C library's mathematics are
 * locked in memory with picketd, and larger than all of it. */
static double
whole(double t)
{
	double n = (double)(int64_t)t;

	return n > t ? n - 1 : n;
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* The first whole minute from there on. */
static int64_t
minute_up(int64_t second)
{
	return -floor_div(-second, 60);
}

static unsigned
lowest(uint64_t set)
{
	return (unsigned)__builtin_ctzll(set);
}

static unsigned
month_length(int64_t y, unsigned m)
{
	if (m == 2)
		return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0 ? 29 : 28;
	return m == 4 || m == 6 || m == 9 || m == 11 ? 30 : 31;
}

/* Days since 1970 as a date.  Years begin in March here, so that the leap day
 * is a year's last, and months follow a straight line. */
static void
date_of(int64_t day, int64_t *y, unsigned *m, unsigned *d)
{
	int64_t of_era, era, year, of_year, mp;

	day += 719468;			/* since 0000-03-01 */
	era = floor_div(day, 146097);
	of_era = day - era * 146097;
	year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) /
	    365;
	of_year = of_era - (365 * year + year / 4 - year / 100);
	mp = (5 * of_year + 2) / 153;
	*d = (unsigned)(of_year - (153 * mp + 2) / 5 + 1);
	*m = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	*y = year + era * 400 + (*m <= 2);
}

/* The days of a month whose first is that day of the week, as bits 1 to 31. */
static uint64_t
days_of(const struct cron *c, unsigned length, unsigned wday)
{
	uint64_t weeks = 0, set;
	unsigned i;

	for (i = 0; i < 6; i++)
		weeks |= (uint64_t)c->dow << 7 * i;
	weeks = weeks >> wday << 1;
	set = c->either_day ? c->dom | weeks : c->dom & weeks;
	return set & ((UINT64_C(2) << length) - 2);
}

/* The first minute of a day from there on, -1: it has none. */
static int
time_from(const struct cron *c, unsigned minute)
{
	unsigned h = minute / 60;
	uint64_t min = c->min >> minute % 60 << minute % 60;
	uint64_t later = c->hour >> h >> 1 << h << 1;

	if ((c->hour >> h & 1) != 0 && min != 0)
		return (int)(h * 60 + lowest(min));
	return later == 0 ? -1 : (int)(lowest(later) * 60 + lowest(c->min));
}

/* The first minute from m on that the fields mean, or NEVER. */
static int64_t
fits_from(const struct cron *c, int64_t m)
{
	int64_t day = floor_div(m, 1440), first, y;
	unsigned month, d, length, n, wday;
	uint64_t set;
	int at;

	if (c->min == 0 || c->hour == 0)
		return NEVER;
	date_of(day, &y, &month, &d);
	first = day - d + 1;		/* of the month */
	at = time_from(c, (unsigned)(m - day * 1440));
	if (at < 0) {
		d++;
		at = time_from(c, 0);
	}
	for (n = 0; n < LIM_MONTHS; n++) {
		length = month_length(y, month);
		/* 1970-01-01 was a Thursday */
		wday = (unsigned)(first + 4 - floor_div(first + 4, 7) * 7);
		set = c->month >> month & 1 ? days_of(c, length, wday) : 0;
		set = set >> d << d;
		if (set != 0) {
			first += lowest(set) - 1;
			if (first > day)
				at = time_from(c, 0);
			return first * 1440 + at;
		}
		first += length;
		d = 1;
		if (++month > 12) {
			month = 1;
			y++;
		}
	}
	return NEVER;
}

/* --- zones --- */

static bool
ahead(const struct calendar_zone *z, int64_t t, int64_t *o)
{
	struct tm tm;
	time_t sec = (time_t)t;

	if (z != NULL)
		return z->ahead(z->arg, t, o);
	if (localtime_r(&sec, &tm) == NULL)
		return false;
	*o = tm.tm_gmtoff;
	return true;
}

/* The first moment after a and up to b at which the zone is no longer o ahead;
 * false: there is none. */
static bool
change(const struct calendar_zone *z, int64_t a, int64_t b, int64_t o,
    int64_t *at, int64_t *is)
{
	int64_t to, mid, there;

	for (; a < b; a = to) {
		to = b - a > STEP ? a + STEP : b;
		if (!ahead(z, to, is))
			return false;
		if (*is != o)
			break;
	}
	if (a >= b)
		return false;
	while (to - a > 1) {
		mid = a + (to - a) / 2;
		if (!ahead(z, mid, &there))
			return false;
		if (there == o)
			a = mid;
		else {
			to = mid;
			*is = there;
		}
	}
	*at = to;
	return true;
}

/* What a fixed time has had already, before `at`: the minutes that come twice
 * after a change a short while ago. */
static int64_t
had_until(const struct calendar_zone *z, int64_t at, int64_t o)
{
	int64_t was, when, is;

	if (!ahead(z, at - CALENDAR_JUMP, &was) || was <= o ||
	    was - o >= CALENDAR_JUMP ||
	    !change(z, at - CALENDAR_JUMP, at, was, &when, &is))
		return INT64_MIN;
	return minute_up(when + was);
}

double
calendar_after(const struct calendar_zone *z, const struct cron *c, double t)
{
	int64_t at, o, from, m, due, when, is, had, most;
	bool fixed = !c->wild, jump;

	if (!(fabs(t) < LIM_TIME))
		return INFINITY;
	at = (int64_t)whole(t);
	if (!ahead(z, at, &o))
		return INFINITY;
	from = floor_div(at + o, 60) + 1;
	if (fixed && (had = had_until(z, at, o)) > from)
		from = had;
	for (;;) {
		/* while the zone is o ahead: the minutes from `from` on */
		if ((m = fits_from(c, from)) == NEVER)
			return INFINITY;
		due = m * 60 - o;
		most = due - at > NEAR ? at + NEAR : due;
		if (!change(z, at, most, o, &when, &is)) {
			if (most == due)
				return (double)due;
			/* nothing until shortly before its day */
			at = m * 60 - NEAR > most ? m * 60 - NEAR : most;
			if (!ahead(z, at, &o))
				return INFINITY;
			from = m;
			continue;
		}
		jump = llabs(is - o) >= CALENDAR_JUMP;
		had = minute_up(when + o);
		if (had < from)
			had = from;
		/* left out: due at once */
		if (fixed && !jump && is > o &&
		    (m = fits_from(c, had)) != NEVER && m * 60 < when + is)
			return (double)when;
		from = minute_up(when + is);
		if (fixed && !jump && from < had)
			from = had;
		at = when;
		o = is;
	}
}

double
calendar_every(double every, double t)
{
	double next;

	if (!(every > 0) || !(fabs(t) < LIM_TIME))
		return INFINITY;
	next = (whole(t / every) + 1) * every;
	return next > t ? next : next + every;
}

/* --- drift --- */

/* FNV-1a.  Not the hash of maps: that one is another in each process. */
static uint64_t
mix(uint64_t h, struct str s)
{
	size_t i;

	for (i = 0; !str_none(s) && i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
	return (h ^ 0x100) * UINT64_C(0x100000001b3);	/* its end */
}

double
calendar_spread(unsigned minutes, struct str host, struct str name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325), part;

	if (minutes == 0)
		return 0;
	h = mix(mix(h, host), name);
	/* bits that the seconds are least of: those are the low ones of both
	 * halves */
	part = (h >> 20 ^ h >> 50) % 64;
	return (double)((h ^ h >> 32) % (minutes * UINT64_C(60))) +
	    (double)part * CALENDAR_GRAIN;
}

double
calendar_drift(const struct cron *c, struct str host, struct str name)
{
	return calendar_spread(c->has_drift ? c->drift : 0, host, name);
}

double
calendar_start(const struct calendar_zone *z, const struct cron *c,
    double drift, double t)
{
	return calendar_after(z, c, t - drift) + drift;
}

double
calendar_start_every(double every, double drift, double t)
{
	double next = calendar_every(every, t - drift) + drift;

	/* where adding the drift and taking it off again has rounded */
	return next > t ? next : next + every;
}

/* --- what was missed --- */

/* The last one after `start` and up to `now`, or NIL. */
static double
last_between(const struct calendar_zone *z, const struct cron *c, double every,
    double start, double now)
{
	double lo = start, hi = now, mid, due;

	if (!(start < now))
		return NUM_NIL;
	if (c == NULL) {
		due = every > 0 ? whole(now / every) * every : start;
		return due > start ? due : NUM_NIL;
	}
	if (calendar_after(z, c, lo) > now)
		return NUM_NIL;
	/* after lo there is one, after hi there is none */
	while (hi - lo > 0.5) {
		mid = lo + (hi - lo) / 2;
		if (calendar_after(z, c, mid) > now)
			hi = mid;
		else
			lo = mid;
	}
	return calendar_after(z, c, lo);
}

bool
calendar_follows(const struct cron *c, double set)
{
	bool fixed = c != NULL && !c->wild;

	return fabs(set) >= CALENDAR_JUMP ||
	    (!fixed && (set > CALENDAR_LAG || set < -CALENDAR_BACK));
}

struct calendar_gap
calendar_gap(const struct calendar_zone *z, const struct cron *c, double every,
    double then, double now, double real)
{
	struct calendar_gap g = { NUM_NIL, now };
	double set, start = then;

	if (!(fabs(then) < LIM_TIME) || !(fabs(now) < LIM_TIME))
		return g;
	if (num_none(real) || !(real >= 0))
		real = now > then ? now - then : 0;
	set = now - then - real;	/* this much the clock was set by */
	if (calendar_follows(c, set))
		start = now - real;
	g.due = last_between(z, c, every, start, now);
	if (start > now)
		g.from = start;
	return g;
}
