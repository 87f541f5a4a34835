#include "engine/deliver/window.h"

#include <math.h>
#include <time.h>

#include "engine/deliver/words.h"

#define DAY		86400
#define LIM_TIME	1e14		/* seconds: years then fit into an int
					 * and days into a long by far */
#define ZONE_REACH	(36 * 3600)	/* seconds: more than any two zones
					 * differ, and than any clock was ever
					 * changed by */

static const char *const day_name[] = { "sunday", "monday", "tuesday",
    "wednesday", "thursday", "friday", "saturday" };

/* --- reading --- */

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The whole name or its first three letters, in any case; -1: no day. */
static int
find_day(struct str s)
{
	const char *name;
	size_t k;
	int i;

	for (i = 0; i < 7; i++) {
		name = day_name[i];
		for (k = 0; k < s.n && name[k] != '\0' &&
		    lower(s.p[k]) == name[k];)
			k++;
		if (k == s.n && (k == 3 || name[k] == '\0'))
			return i;
	}
	return -1;
}

/* DAY or DAY-DAY; sat-mon is three days. */
static bool
add_days(unsigned *days, struct str s)
{
	size_t dash = str_find(s, '-', 0);
	int i, to;

	i = to = find_day(str_of(s.p, dash));
	if (dash < s.n)
		to = find_day(str_of(s.p + dash + 1, s.n - dash - 1));
	if (i < 0 || to < 0)
		return false;
	for (; i != to; i = (i + 1) % 7)
		*days |= 1u << i;
	*days |= 1u << to;
	return true;
}

static bool
parse_days(struct window *w, struct str s)
{
	size_t at, end;

	w->days = 0;
	if (str_eq(s, STR_LIT("daily"))) {
		w->days = 0x7f;
		return true;
	}
	for (at = 0; at <= s.n; at = end + 1) {
		end = str_find(s, ',', at);
		if (!add_days(&w->days, str_of(s.p + at, end - at)))
			return false;
	}
	return true;
}

/* n digits; -1: they are not. */
static int
digits(struct str s, size_t at, size_t n)
{
	int v = 0;

	if (at + n > s.n)
		return -1;
	for (; n > 0; n--, at++) {
		if (s.p[at] < '0' || s.p[at] > '9')
			return -1;
		v = 10 * v + (s.p[at] - '0');
	}
	return v;
}

/* HH:MM, 24:00 too; -1: it is none. */
static int
parse_time(struct str s)
{
	int h = digits(s, 0, 2), m = digits(s, 3, 2);

	if (s.n != 5 || s.p[2] != ':' || h < 0 || m < 0 || m > 59 ||
	    60 * h + m > (int)DAY_MINUTES)
		return -1;
	return 60 * h + m;
}

bool
window_is_days(struct str s)
{
	return s.n > 0 && lower(s.p[0]) >= 'a' && lower(s.p[0]) <= 'z';
}

bool
window_parse(struct window *w, struct str days, struct str times,
    struct buf *why)
{
	size_t dash = str_find(times, '-', 0);
	int from, to;

	if (!parse_days(w, days))
		return words_wrong(why, "days are like mon-fri,sun or daily, "
		    "not", days);
	from = parse_time(str_of(times.p, dash));
	to = dash == times.n ? -1 : parse_time(str_of(times.p + dash + 1,
	    times.n - dash - 1));
	if (from < 0 || to < 0 || from == (int)DAY_MINUTES)
		return words_wrong(why, "times are like 22:00-07:00, not",
		    times);
	if (from == to)
		return words_wrong(why, "a whole day is 00:00-24:00, not",
		    times);
	w->from = (unsigned)from;
	w->to = (unsigned)to;
	return true;
}

/* --- the clock on the wall --- */

/* Days since 1970-01-01 of a day of the Gregorian calendar. */
static long
day_of(long y, long m, long d)
{
	long era, year, day;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	year = y - 400 * era;
	day = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return 146097 * era + 365 * year + year / 4 - year / 100 + day - 719468;
}

/* How far the wall is ahead of UTC. */
static long
ahead(time_t t)
{
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL)
		return 0;
	return tm.tm_gmtoff;
}

/*
 * The moment when the wall shows this time.  The clock is changed once at most
 * between lo and hi, so what it shows is one of two: by how far it is ahead
 * before, and after.
 */
static double
moment(long day, unsigned minute, bool last)
{
	time_t wall = (time_t)day * DAY + (time_t)minute * 60;
	time_t lo = wall - ZONE_REACH, hi = wall + ZONE_REACH, mid;
	long before = ahead(lo), after = ahead(hi);
	bool first_is, last_is;

	first_is = ahead(wall - before) == before;
	last_is = ahead(wall - after) == after;
	if (before == after || (first_is && (!last || !last_is)))
		return (double)(wall - before);
	if (last_is)
		return (double)(wall - after);
	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (ahead(mid) == before)
			lo = mid;
		else
			hi = mid;
	}
	return (double)hi;
}

double
window_end(const struct window *w, double now)
{
	double end, found = 0;
	struct tm tm;
	long day, d;
	time_t t;

	if (!(fabs(now) < LIM_TIME))
		return 0;
	t = (time_t)floor(now);
	if (localtime_r(&t, &tm) == NULL)
		return 0;
	day = day_of(1900L + tm.tm_year, 1L + tm.tm_mon, tm.tm_mday);
	/* one of yesterday may last until now */
	for (d = day - 1; d <= day; d++) {
		/* 1970-01-01 was a Thursday */
		if ((w->days & 1u << (((d + 4) % 7 + 7) % 7)) == 0 ||
		    moment(d, w->from, false) > now)
			continue;
		end = moment(d + (w->to <= w->from), w->to, true);
		if (end > now && end > found)
			found = end;
	}
	return found;
}

bool
window_moment(struct str s, bool last, double *t, struct buf *why)
{
	static const int length[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
	    30, 31 };
	int y = digits(s, 0, 4), m = digits(s, 5, 2), d = digits(s, 8, 2);
	int time = s.n == 16 ? parse_time(str_of(s.p + 11, 5)) : -1;

	if (y < 1970 || m < 1 || m > 12 || d < 1 || time < 0 ||
	    s.p[4] != '-' || s.p[7] != '-' ||
	    (s.p[10] != ' ' && s.p[10] != 'T') ||
	    d > length[m - 1] + (m == 2 && y % 4 == 0 &&
	    (y % 100 != 0 || y % 400 == 0)))
		return words_wrong(why, "a moment is like \"2026-11-23 22:00\", "
		    "not", s);
	*t = moment(day_of(y, m, d), (unsigned)time, last);
	return true;
}
