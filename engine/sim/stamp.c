#include "engine/sim/stamp.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define SLACK		300.0	/* seconds that lines may be out of order */
#define DAY		86400.0
#define NO_MONTH	(-1)
#define NO_DAY		(-1)
#define LATE_DAYS	7	/* that a line may be late */

const char *const stamp_name[STAMP_KINDS] = {
	[STAMP_SYSLOG] = "syslog", [STAMP_ISO] = "iso",
	[STAMP_EPOCH] = "epoch", [STAMP_COMMON] = "common",
	[STAMP_ASCTIME] = "asctime", [STAMP_GIVEN] = "given",
};

void
stamp_init(struct stamp *s, enum stamp_kind kind, const char *format,
    int year)
{
	memset(s, 0, sizeof *s);
	s->kind = kind;
	s->format = format;
	s->year = year;
	s->last = -INFINITY;
	s->day = NO_DAY;
}

/* --- pieces --- */

/* n digits, or -1.  A blank may stand for the first. */
static int
digits(const char *p, int n)
{
	int d = 0, i;

	for (i = 0; i < n; i++) {
		if (i == 0 && n == 2 && p[0] == ' ')
			continue;
		if (p[i] < '0' || p[i] > '9')
			return -1;
		d = d * 10 + (p[i] - '0');
	}
	return d;
}

static int
month_of(const char *p)
{
	static const char all[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int i;

	for (i = 0; i < 12; i++)
		if (memcmp(all + 3 * i, p, 3) == 0)
			return i;
	return NO_MONTH;
}

/* "HH:MM:SS"; seconds of the day, or -1. */
static int
clock_of(const char *p)
{
	int h, m, s;

	if (p[2] != ':' || p[5] != ':' || p[0] == ' ')
		return -1;
	h = digits(p, 2);
	m = digits(p + 3, 2);
	s = digits(p + 6, 2);
	return h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60 ? -1 :
	    h * 3600 + m * 60 + s;
}

/* ".123" or ",123" at p; *n gets its length. */
static double
fraction(const char *p, const char *end, size_t *n)
{
	double d = 0, part = 0.1;
	const char *q = p;

	if (q < end && (*q == '.' || *q == ','))
		for (q++; q < end && *q >= '0' && *q <= '9'; q++) {
			d += part * (*q - '0');
			part /= 10;
		}
	*n = q - p > 1 ? (size_t)(q - p) : 0;
	return *n > 0 ? d : 0;
}

/* "Z", "+02:00", "+0200", " +0200", " UTC"; false: none is said. */
static bool
zone(const char *p, const char *end, int *offset)
{
	int h, m = 0;

	*offset = 0;
	if (p < end && *p == ' ')
		p++;
	if (p < end && *p == 'Z')
		return true;
	if (end - p >= 3 && (memcmp(p, "UTC", 3) == 0 ||
	    memcmp(p, "GMT", 3) == 0))
		return true;
	if (end - p < 3 || (*p != '+' && *p != '-') || p[1] == ' ')
		return false;
	h = digits(p + 1, 2);
	if (end - p >= 6 && p[3] == ':')
		m = digits(p + 4, 2);
	else if (end - p >= 5)
		m = digits(p + 3, 2);
	if (h < 0 || m < 0 || h > 23 || m > 59)
		return false;
	*offset = (h * 3600 + m * 60) * (*p == '-' ? -1 : 1);
	return true;
}

/* --- times --- */

static bool
is_leap(int y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

/* Is there such a day?  Month from 0. */
static bool
is_day(int month, int day, bool leap)
{
	static const char length[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31,
	    30, 31 };

	return month >= 0 && month < 12 && day >= 1 && day <= length[month] &&
	    (leap || month != 1 || day < 29);
}

/* Days since 1970 of a date of the calendar; month from 0. */
static double
days(int y, int m, int d)
{
	long a, era, yoe, doy;

	a = m < 2 ? y - 1 : y;
	era = (a >= 0 ? a : a - 399) / 400;
	yoe = a - era * 400;
	doy = (153 * (m < 2 ? m + 10 : m - 2) + 2) / 5 + d - 1;
	return (double)(era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy -
	    719468);
}

/* The time of local parts if summer time is (1) or is not (0); false: it is
 * another one then. */
static bool
local_as(const struct tm *parts, int summer, double *t)
{
	struct tm tm = *parts, back;
	time_t is;

	tm.tm_isdst = summer;
	is = mktime(&tm);
	if (is == (time_t)-1 || localtime_r(&is, &back) == NULL ||
	    back.tm_hour != parts->tm_hour || back.tm_min != parts->tm_min ||
	    back.tm_mday != parts->tm_mday)
		return false;
	*t = (double)is;
	return true;
}

/* Works out a whole hour, if each of its minutes comes once. */
static bool
plain_hour(struct tm tm, double *at)
{
	double a, b, c, d;
	bool summer, winter;

	tm.tm_min = 0;
	summer = local_as(&tm, 1, &a);
	winter = local_as(&tm, 0, &b);
	if (summer == winter)
		return false;
	*at = summer ? a : b;
	tm.tm_min = 59;
	summer = local_as(&tm, 1, &c);
	winter = local_as(&tm, 0, &d);
	return summer != winter && (summer ? c : d) - *at == 59 * 60;
}

/* Of two times of the same name the one that goes on from the last. */
static double
local(struct stamp *s, int y, int m, int d, int minutes)
{
	long hour = (((long)y * 12 + m) * 32 + d) * 24 + minutes / 60 + 1;
	struct tm tm, any;
	double a, b;
	bool one, other;

	if (hour == s->hour)
		return s->hour_at + minutes % 60 * 60;
	memset(&tm, 0, sizeof tm);
	tm.tm_year = y - 1900;
	tm.tm_mon = m;
	tm.tm_mday = d;
	tm.tm_hour = minutes / 60;
	s->hour = 0;
	if (plain_hour(tm, &s->hour_at)) {
		s->hour = hour;
		return s->hour_at + minutes % 60 * 60;
	}
	tm.tm_min = minutes % 60;
	one = local_as(&tm, 1, &a);
	other = local_as(&tm, 0, &b);
	if (one && other)
		return a == b || a + 59 >= s->last - SLACK ? a : b;
	if (one || other)
		return one ? a : b;
	any = tm;
	any.tm_isdst = -1;	/* a time that was left out */
	return (double)mktime(&any);
}

/* The minute of a date, which is the same as the last one's where the bytes
 * before its seconds are. */
static bool
same_head(const struct stamp *s, const char *p, size_t n)
{
	return memcmp(s->head, p, n) == 0 && s->head[n] == '\0';
}

static void
take_head(struct stamp *s, const char *p, size_t n, double minute)
{
	memcpy(s->head, p, n);
	s->head[n] = '\0';
	s->minute = minute;
}

/* The year of a day, where lines say none: one that is much earlier than the
 * day before it is of the next year. */
static int
year_of(struct stamp *s, int month, int day)
{
	int now = month * 31 + day;

	if (s->day != NO_DAY && now - s->day > 12 * 31 - LATE_DAYS)
		return s->year - 1;	/* a line that came late */
	if (s->day != NO_DAY && now < s->day) {
		if (s->day - now <= LATE_DAYS)
			return s->year;		/* so did this */
		s->year++;
	}
	s->day = now;
	return s->year;
}

/* --- each kind --- */

static bool
read_syslog(struct stamp *s, const char *p, const char *end, double *t)
{
	int month, day, clock, year;
	size_t n;

	if (end - p < 15 || p[3] != ' ' || p[6] != ' ')
		return false;
	clock = clock_of(p + 7);
	if (clock < 0)
		return false;
	if (!same_head(s, p, 12)) {
		month = month_of(p);
		day = digits(p + 4, 2);
		/* of which year it is, it does not say */
		if (!is_day(month, day, true))
			return false;
		year = year_of(s, month, day);
		if (month == 1 && day == 29)
			s->leap = year;
		take_head(s, p, 12, local(s, year, month, day, clock / 60));
	}
	*t = s->minute + clock % 60 + fraction(p + 15, end, &n);
	return true;
}

static bool
read_iso(struct stamp *s, const char *p, const char *end, double *t)
{
	int y, month, day, clock, offset;
	char head[20];
	size_t n;
	double part;
	bool has_zone;

	if (end - p < 19 || (p[4] != '-' && p[4] != '/') || p[7] != p[4] ||
	    (p[10] != 'T' && p[10] != ' ' && p[10] != 't' && p[10] != '_'))
		return false;
	clock = clock_of(p + 11);
	if (clock < 0)
		return false;
	part = fraction(p + 19, end, &n);
	has_zone = zone(p + 19 + n, end, &offset);
	memcpy(head, p, 16);
	head[16] = has_zone ? 'z' : 'l';
	if (!same_head(s, head, 17)) {
		y = digits(p, 4);
		month = digits(p + 5, 2) - 1;
		day = digits(p + 8, 2);
		if (y < 1970 || p[5] == ' ' || !is_day(month, day, is_leap(y)))
			return false;
		take_head(s, head, 17, has_zone ? days(y, month, day) * DAY +
		    (clock / 60) * 60 : local(s, y, month, day, clock / 60));
	}
	*t = s->minute - offset + clock % 60 + part;
	return true;
}

static bool
read_epoch(const char *p, const char *end, double *t)
{
	static const char audit[] = "audit(";
	const char *q, *last = end - p > LIM_STAMP_LOOK ? p + LIM_STAMP_LOOK :
	    end;
	double d = 0;
	size_t n;

	if (p < end && (*p < '0' || *p > '9')) {
		q = memmem(p, (size_t)(last - p), audit, sizeof audit - 1);
		if (q == NULL)
			return false;
		p = q + sizeof audit - 1;
	}
	for (q = p; q < end && *q >= '0' && *q <= '9' && q - p < 17; q++)
		d = d * 10 + (*q - '0');
	n = (size_t)(q - p);
	if (n == 13)
		d /= 1e3;
	else if (n == 16)
		d /= 1e6;
	else if (n != 9 && n != 10)
		return false;
	*t = d + fraction(q, end, &n);
	q += n;
	return q == end || strchr(" \t,;:|])\"", *q) != NULL;
}

static bool
read_common(struct stamp *s, const char *p, const char *end, double *t)
{
	int month, day, year, clock, offset;

	if (end - p > LIM_STAMP_LOOK)
		end = p + LIM_STAMP_LOOK;
	for (; (p = memchr(p, '[', (size_t)(end - p))) != NULL; ) {
		p++;
		if (end - p < 21 || p[2] != '/' || p[6] != '/' ||
		    p[11] != ':')
			continue;
		clock = clock_of(p + 12);
		if (clock < 0)
			continue;
		if (!same_head(s, p, 17)) {
			month = month_of(p + 3);
			day = digits(p, 2);
			year = digits(p + 7, 4);
			if (year < 1970 || !is_day(month, day, is_leap(year)))
				continue;
			take_head(s, p, 17, zone(p + 20, end, &offset) ?
			    days(year, month, day) * DAY + (clock / 60) * 60 :
			    local(s, year, month, day, clock / 60));
		}
		(void)zone(p + 20, end, &offset);
		*t = s->minute - offset + clock % 60;
		return true;
	}
	return false;
}

static bool
read_asctime(struct stamp *s, const char *p, const char *end, double *t)
{
	int month, day, clock, year;
	size_t n;
	double part;

	if (end - p < 24 || p[3] != ' ' || p[7] != ' ' || p[10] != ' ')
		return false;
	clock = clock_of(p + 11);
	month = month_of(p + 4);
	day = digits(p + 8, 2);
	part = fraction(p + 19, end, &n);
	p += 19 + n;
	if (clock < 0 || end - p < 5 || *p != ' ' ||
	    (year = digits(p + 1, 4)) < 1970 ||
	    !is_day(month, day, is_leap(year)))
		return false;
	*t = local(s, year, month, day, clock / 60) + clock % 60 + part;
	return true;
}

static bool
parse_given(const char *text, const char *format, struct tm *tm)
{
	memset(tm, 0, sizeof *tm);
	tm->tm_year = -1;
	tm->tm_mon = -1;
	tm->tm_isdst = -1;
	return strptime(text, format, tm) != NULL;
}

static bool
read_given(struct stamp *s, const char *p, const char *end, double *t)
{
	char text[LIM_STAMP_TEXT];
	struct tm tm;
	size_t n = (size_t)(end - p);
	int year;

	if (n >= sizeof text)
		n = sizeof text - 1;
	memcpy(text, p, n);
	text[n] = '\0';
	if (!parse_given(text, s->format, &tm) || tm.tm_mon < 0)
		return false;
	if (strstr(s->format, "%s") != NULL) {
		*t = (double)mktime(&tm);
		return true;
	}
	year = tm.tm_year == -1 ? year_of(s, tm.tm_mon,
	    tm.tm_mday) : tm.tm_year + 1900;
	if (tm.tm_mon == 1 && tm.tm_mday == 29)
		s->leap = year;
	if (strstr(s->format, "%z") != NULL)
		*t = days(year, tm.tm_mon, tm.tm_mday) * DAY +
		    tm.tm_hour * 3600 + tm.tm_min * 60 - (double)tm.tm_gmtoff;
	else
		*t = local(s, year, tm.tm_mon, tm.tm_mday, tm.tm_hour * 60 +
		    tm.tm_min);
	*t += tm.tm_sec;
	return true;
}

/* Behind "<34>", "<34>1 " and "[". */
static const char *
skip_before(const char *p, const char *end)
{
	const char *q = p;

	if (q < end && *q == '<') {
		for (q++; q < end && *q >= '0' && *q <= '9'; q++)
			;
		if (q == end || *q != '>')
			return p;
		q++;
		if (end - q > 2 && q[0] == '1' && q[1] == ' ')
			q += 2;
		return q;
	}
	return q < end && *q == '[' ? q + 1 : q;
}

bool
stamp_read(struct stamp *s, struct str line, double *t)
{
	const char *p = line.p, *end = line.p + line.n;
	bool found = false;

	if (line.n == 0)
		return false;
	if (s->kind != STAMP_COMMON && s->kind != STAMP_GIVEN)
		p = skip_before(p, end);
	switch (s->kind) {
	case STAMP_SYSLOG:
		found = read_syslog(s, p, end, t);
		break;
	case STAMP_ISO:
		found = read_iso(s, p, end, t);
		break;
	case STAMP_EPOCH:
		found = read_epoch(p, end, t);
		break;
	case STAMP_COMMON:
		found = read_common(s, p, end, t);
		break;
	case STAMP_ASCTIME:
		found = read_asctime(s, p, end, t);
		break;
	case STAMP_GIVEN:
		found = read_given(s, p, end, t);
		break;
	case STAMP_KINDS:
		break;
	}
	if (found)
		s->last = *t;
	return found;
}

/* What the format writes, read again. */
static bool
read_again(const char *format, struct tm *tm)
{
	char text[LIM_STAMP_TEXT];
	time_t t = 956639822;
	struct tm is;

	return localtime_r(&t, &is) != NULL &&
	    strftime(text, sizeof text, format, &is) > 0 &&
	    parse_given(text, format, tm);
}

bool
stamp_has_year(const struct stamp *s)
{
	struct tm tm;

	if (s->kind == STAMP_SYSLOG)
		return false;
	return s->kind != STAMP_GIVEN || (read_again(s->format, &tm) &&
	    tm.tm_year != -1);
}

const char *
stamp_fault(const char *format)
{
	struct tm tm;

	if (!read_again(format, &tm))
		return "is no format of strptime(3), such as "
		    "'%Y-%m-%d %H:%M:%S'";
	if (tm.tm_mon < 0 || tm.tm_mday < 1)
		return "does not say the month and the day";
	return NULL;
}

int
stamp_first_year(const struct stamp *s, double until)
{
	time_t t = (time_t)until, last = (time_t)s->last;
	struct tm now, tm;
	int first, span = s->year - STAMP_YEAR;

	if (localtime_r(&t, &now) == NULL || localtime_r(&last, &tm) == NULL)
		return STAMP_YEAR;
	tm.tm_year = now.tm_year;
	tm.tm_isdst = -1;
	first = now.tm_year + 1900 - span;
	if ((double)mktime(&tm) > until + DAY)
		first--;
	while (s->leap != 0 && !is_leap(first + s->leap - STAMP_YEAR))
		first--;
	return first;
}
