#include "engine/vm/when.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lang/base/num.h"

int
when_days_in(int year, int month)
{
	static const unsigned char days[12] = { 31, 28, 31, 30, 31, 30, 31,
	    31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month] + (month == 1 && leap);
}

double
when_make(struct tm tm)
{
	time_t t;

	if (tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 ||
	    tm.tm_year > INT_MAX - 1900 ||
	    tm.tm_mday > when_days_in(tm.tm_year + 1900, tm.tm_mon))
		return NUM_NIL;
	tm.tm_isdst = -1;
	tm.tm_wday = -1;	/* -1 is also a time: only this tells */
	t = mktime(&tm);
	return t == (time_t)-1 && tm.tm_wday == -1 ? NUM_NIL : (double)t;
}

/* strptime over all of the text; blanks may follow. */
static bool
parse(const char *text, const char *fmt, struct tm *tm)
{
	const char *p = strptime(text, fmt, tm);

	while (p != NULL && (*p == ' ' || *p == '\t'))
		p++;
	return p != NULL && *p == '\0';
}

double
when_parse(const char *text, const char *fmt, double now_is)
{
	struct tm a, b, now;
	bool year, mon, mday, zone;
	time_t at = (time_t)floor(now_is);
	double t;
	long off;

	/* strptime does not tell what it set; what two readings over
	 * different grounds agree on was said */
	memset(&a, 0, sizeof a);
	a.tm_year = 70;
	a.tm_mday = 1;
	b = a;
	b.tm_year = 71;
	b.tm_mon = 1;
	b.tm_mday = 2;
	b.tm_gmtoff = 1;
	if (!parse(text, fmt, &a) || !parse(text, fmt, &b) ||
	    localtime_r(&at, &now) == NULL)
		return NUM_NIL;
	year = a.tm_year == b.tm_year;
	mon = a.tm_mon == b.tm_mon;
	mday = a.tm_mday == b.tm_mday;
	zone = a.tm_gmtoff == b.tm_gmtoff;
	memset(&a, 0, sizeof a);
	a.tm_year = now.tm_year;
	a.tm_mon = year && !mon ? 0 : now.tm_mon;
	a.tm_mday = (year || mon) && !mday ? 1 : now.tm_mday;
	if (!parse(text, fmt, &a))
		return NUM_NIL;
	t = when_make(a);
	if (zone && !num_none(t)) {
		off = a.tm_gmtoff;	/* timegm writes over it */
		t = (double)timegm(&a) - (double)off;
	}
	return t;
}

size_t
when_span(double seconds, char out[WHEN_SPAN_MAX])
{
	static const struct {
		char	letter;
		double	seconds;
	} unit[] = { { 'w', 7 * 86400 }, { 'd', 86400 }, { 'h', 3600 },
	    { 'm', 60 }, { 's', 1 } };
	double d = trunc(seconds), next;
	size_t i = 0;
	int n;

	while (i < 4 && fabs(d) < unit[i].seconds)
		i++;
	n = snprintf(out, WHEN_SPAN_MAX, "%s%.0f%c", d < 0 ? "-" : "",
	    floor(fabs(d) / unit[i].seconds), unit[i].letter);
	d = fmod(fabs(d), unit[i].seconds);
	next = i < 4 ? floor(d / unit[i + 1].seconds) : 0;
	if (next > 0)
		n += snprintf(out + n, WHEN_SPAN_MAX - (size_t)n, " %.0f%c",
		    next, unit[i + 1].letter);
	return (size_t)n;
}
