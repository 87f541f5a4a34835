/*
 * time: dates and times of the local zone.  A time is seconds since 1970;
 * its parts are those of the second in which it lies.
 */
#include <limits.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

#include "engine/builtin/arg.h"
#include "engine/vm/when.h"

#define DAY		86400.0
#define LIM_TIME	1e14		/* seconds: some 3 million years, so that
					 * years fit an int */
#define LIM_TIME_TEXT	(64 * 1024)	/* bytes that a format may make */

static const char *const month_name[12] = { "January", "February", "March",
    "April", "May", "June", "July", "August", "September", "October",
    "November", "December" };
static const char *const day_name[7] = { "Sunday", "Monday", "Tuesday",
    "Wednesday", "Thursday", "Friday", "Saturday" };

static bool
local(struct call *c, double t, struct tm *tm)
{
	char text[NUM_TEXT_MAX];
	time_t at;

	if (fabs(t) <= LIM_TIME) {
		at = (time_t)floor(t);
		if (localtime_r(&at, tm) != NULL)
			return true;
	}
	vm_domain(c, "%.*s is no time", (int)num_text(t, text), text);
	return false;
}

/* The parts of the time argument, or of now; false: the result is set. */
static bool
time_arg(struct call *c, struct tm *tm)
{
	if (arg_none(c))
		return false;
	return local(c, c->nn > 0 ? c->n[0] : vm_now(c->vm), tm);
}

void
bi_now(struct call *c)
{
	c->rn = floor(vm_now(c->vm));
}

void
bi_clock(struct call *c)
{
	const struct host *host;
	void *h;

	host = vm_host(c->vm, &h);
	c->rn = host->clock(h);
}

void
bi_year(struct call *c)
{
	struct tm tm;

	if (time_arg(c, &tm))
		c->rn = tm.tm_year + 1900.0;
}

void
bi_month(struct call *c)
{
	struct tm tm;

	if (time_arg(c, &tm))
		c->rn = tm.tm_mon + 1;
}

void
bi_day(struct call *c)
{
	struct tm tm;

	if (time_arg(c, &tm))
		c->rn = tm.tm_mday;
}

void
bi_hour(struct call *c)
{
	struct tm tm;

	if (time_arg(c, &tm))
		c->rn = tm.tm_hour;
}

void
bi_minute(struct call *c)
{
	struct tm tm;

	if (time_arg(c, &tm))
		c->rn = tm.tm_min;
}

void
bi_second(struct call *c)
{
	struct tm tm;

	if (time_arg(c, &tm))
		c->rn = tm.tm_sec;
}

void
bi_weekday(struct call *c)
{
	struct tm tm;

	if (time_arg(c, &tm))
		c->rn = tm.tm_wday + 1;
}

void
bi_yearday(struct call *c)
{
	struct tm tm;

	if (time_arg(c, &tm))
		c->rn = tm.tm_yday + 1;
}

void
bi_dayname(struct call *c)
{
	struct tm tm;

	if (time_arg(c, &tm))
		c->rs = str_c(day_name[tm.tm_wday]);
}

void
bi_monthname(struct call *c)
{
	struct tm tm;

	if (time_arg(c, &tm))
		c->rs = str_c(month_name[tm.tm_mon]);
}

void
bi_ampm(struct call *c)
{
	struct tm tm;

	if (time_arg(c, &tm))
		c->rs = str_c(tm.tm_hour < 12 ? "AM" : "PM");
}

/*
 * strftime gives 0 both for an empty result and for too little room; a byte
 * before the format tells them apart.
 */
static void
format_time(struct call *c, const char *plain)
{
	struct buf *b;
	struct tm tm;
	char *fmt, *out;
	size_t n, room;

	if (!time_arg(c, &tm) || (c->ns > 0 && !arg_c(c, 0)))
		return;
	n = c->ns > 0 ? c->s[0].n : strlen(plain);
	fmt = vm_text(c->vm, n + 2);
	fmt[0] = '+';
	memcpy(fmt + 1, c->ns > 0 ? c->s[0].p : plain, n);
	fmt[n + 1] = '\0';
	b = vm_buf(c->vm);
	for (room = n + 64; ; room *= 4) {
		if (room > LIM_TIME_TEXT)
			room = LIM_TIME_TEXT;
		out = buf_room(b, room);
		n = strftime(out, room, fmt, &tm);
		if (n > 0) {
			c->rs = vm_dup(c->vm, str_of(out + 1, n - 1));
			return;
		}
		if (room == LIM_TIME_TEXT)
			break;
	}
	vm_domain(c, "the format makes more than %d bytes", LIM_TIME_TEXT);
}

void
bi_date(struct call *c)
{
	format_time(c, "%Y-%m-%d");
}

void
bi_time(struct call *c)
{
	format_time(c, "%H:%M:%S");
}

/* --- from parts to a time --- */

/* A day whose midnight was skipped by a change of the clock begins later. */
static double
day_start(struct tm tm)
{
	double t = when_make(tm), hour;
	struct tm is;
	time_t at;

	for (hour = 0; hour < 3 && !num_none(t); hour++) {
		at = (time_t)t;
		if (localtime_r(&at, &is) != NULL &&
		    is.tm_mday == tm.tm_mday)
			break;
		t += 3600;
	}
	return t;
}

void
bi_datevalue(struct call *c)
{
	int64_t y, m, d;
	struct tm tm;

	if (arg_none(c) || !arg_int(c, 0, 1, 9999, &y) ||
	    !arg_int(c, 1, 1, 12, &m) || !arg_int(c, 2, 1, 31, &d))
		return;
	memset(&tm, 0, sizeof tm);
	tm.tm_year = (int)y - 1900;
	tm.tm_mon = (int)m - 1;
	tm.tm_mday = (int)d;
	c->rn = day_start(tm);
	if (num_none(c->rn)) {
		c->rn = NUM_ERR;
		vm_domain(c, "there is no %04d-%02d-%02d", (int)y, (int)m,
		    (int)d);
	}
}

void
bi_timevalue(struct call *c)
{
	double s = c->nn > 2 ? c->n[2] : 0;
	char text[NUM_TEXT_MAX];
	int64_t h, m;

	if (arg_none(c) || !arg_int(c, 0, 0, 23, &h) ||
	    !arg_int(c, 1, 0, 59, &m))
		return;
	if (s < 0 || s >= 60)
		vm_domain(c, "%.*s is no second of a minute",
		    (int)num_text(s, text), text);
	else
		c->rn = (double)(h * 3600 + m * 60) + s;
}

void
bi_parsetime(struct call *c)
{
	char *text;

	if (arg_none(c) || !arg_c(c, 1))
		return;
	c->rn = NUM_NIL;
	if (c->s[0].n > 0 && memchr(c->s[0].p, '\0', c->s[0].n) != NULL)
		return;
	text = arg_zero(c, 0);
	c->rn = when_parse(text, arg_zero(c, 1), vm_now(c->vm));
}

/* --- spans --- */

/* Of the incident at hand; NIL: it has not begun. */
static double
incident_lasts(struct vm *vm)
{
	const struct host *host;
	void *h;

	host = vm_host(vm, &h);
	if (host->incident_fact == NULL || str_none(vm_incident_key(vm)))
		return NUM_NIL;
	return host->incident_fact(h, INCIDENT_DURATION,
	    vm_incident_key(vm));
}

void
bi_duration(struct call *c)
{
	char text[NUM_TEXT_MAX], out[WHEN_SPAN_MAX];
	double d = c->nn == 0 ? incident_lasts(c->vm) : c->n[0];

	if (arg_none(c))
		return;
	if (num_none(d)) {		/* it has not begun */
		c->rs = STR_LIT("0s");
		return;
	}
	if (fabs(d) > LIM_TIME) {
		vm_domain(c, "%.*s is no duration", (int)num_text(d, text),
		    text);
		return;
	}
	c->rs = vm_dup(c->vm, str_of(out, when_span(d, out)));
}

/* The number 0 to 11 of an English month, full or its first three letters. */
static int
month_of(struct str s)
{
	int i;

	for (i = 0; i < 12; i++)
		if ((s.n == 3 || s.n == strlen(month_name[i])) &&
		    strncasecmp(month_name[i], s.p, s.n) == 0)
			return i;
	return -1;
}

/*
 * Month, day, and year or hh:mm as ls -l shows them.  With hh:mm the year is
 * not said: the date is the last one that is not ahead of now, where a day is
 * allowed for clocks that differ.
 */
static bool
listed_time(struct call *c, double *t)
{
	double now = vm_now(c->vm), day, year, hour, minute;
	struct tm tm, today;
	struct str s = c->s[2];
	size_t colon = str_find(s, ':', 0);
	int tries;

	memset(&tm, 0, sizeof tm);
	tm.tm_mon = month_of(c->s[0]);
	day = num_parse(c->s[1], false);
	if (tm.tm_mon < 0 || !(day >= 1 && day <= 31) || day != floor(day) ||
	    !local(c, now, &today))
		return false;
	tm.tm_mday = (int)day;
	if (colon == s.n) {
		year = num_parse(s, false);
		if (!(year >= 1 && year <= 9999) || year != floor(year))
			return false;
		tm.tm_year = (int)year - 1900;
		*t = when_make(tm);
		return !num_none(*t);
	}
	hour = num_parse(str_of(s.p, colon), false);
	minute = num_parse(str_of(s.p + colon + 1, s.n - colon - 1), false);
	if (!(hour >= 0 && hour <= 23) || !(minute >= 0 && minute <= 59))
		return false;
	tm.tm_hour = (int)hour;
	tm.tm_min = (int)minute;
	/* Eight years hold a 29th of February, around 1900 and 2100 too. */
	for (tries = 0; tries <= 8; tries++) {
		tm.tm_year = today.tm_year - tries;
		*t = when_make(tm);
		if (!num_none(*t) && *t <= now + DAY)
			return true;
	}
	return false;
}

void
bi_fileage(struct call *c)
{
	const struct host *host;
	struct stat st;
	double t;
	void *h;

	if (arg_none(c) || !arg_c(c, 0))
		return;
	if (c->ns == 2) {
		vm_domain(c, "month and day without year or time");
		return;
	}
	if (c->ns == 3) {
		if (listed_time(c, &t))
			c->rn = (vm_now(c->vm) - t) / DAY;
		else
			vm_domain(c, "%.*s %.*s %.*s is no date of ls -l",
			    arg_cut(c->s[0]), c->s[0].p,
			    arg_cut(c->s[1]), c->s[1].p,
			    arg_cut(c->s[2]), c->s[2].p);
		return;
	}
	host = vm_host(c->vm, &h);
	if (host->stat(h, c->s[0], &st, true) != 0) {
		arg_host_failed(c, c->s[0]);
		return;
	}
	t = (double)st.st_mtim.tv_sec + (double)st.st_mtim.tv_nsec / 1e9;
	c->rn = (vm_now(c->vm) - t) / DAY;
}
