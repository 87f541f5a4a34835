/*
 * picket-journal: the entries of systemd's journal after a place, one line
 * each, as `journalctl -o short` has them; the one program with libsystemd.
 * It is started by a run whose script says `input journal` (feed_journal.c),
 * writes what follows to its standard output and ends.
 *
 *	W text		something to be warned of
 *	E place		an entry; its line is the next one
 *	P place		the end: the next run begins behind this place
 *	F text		failed: the reason.  Without P or F it has died.
 *
 * A place is the entry's time in microseconds, a blank and its cursor; "0 -"
 * is the start of a journal that has no entry yet.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <systemd/sd-journal.h>

#include "engine/input/journal.h"

struct journal {
	sd_journal	*j;
	const char	*matches;
	char		 place[JOURNAL_PLACE + 1];	/* the last entry's */
	uint64_t	 time;				/* and its time */
	size_t		 nunread;	/* entries without a text to be had */
};

/* Ends the program: the run says why. */
static void __attribute__((noreturn, format(printf, 1, 2)))
fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fputs("F ", stdout);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)putchar('\n');
	exit(1);
}

static void
need(int r, const char *what)
{
	if (r < 0)
		fail("%s: %s", what, strerror(-r));
}

/* --- matches --- */

/* The words of the matches; each is proved by the library, too. */
static void
add_matches(struct journal *a)
{
	const char *p = a->matches, *word;
	bool open = true;		/* a "+" here has nothing before it */
	size_t n;
	int r;

	for (;;) {
		p += strspn(p, " \t\n");
		if (*p == '\0')
			break;
		word = p;
		n = strcspn(p, " \t\n");
		p += n;
		if (n == 1 && *word == '+') {
			if (open)
				fail("matches: \"+\" stands between two "
				    "matches");
			need(sd_journal_add_disjunction(a->j), "matches");
			open = true;
			continue;
		}
		r = sd_journal_add_match(a->j, word, n);
		if (r == -EINVAL)
			fail("matches: \"%.*s\" is no match: write "
			    "FIELD=value, the field in capitals",
			    n < 100 ? (int)n : 100, word);
		need(r, "matches");
		open = false;
	}
	if (open && strchr(a->matches, '+') != NULL)
		fail("matches: \"+\" stands between two matches");
}

/* --- places --- */

/* The entry at hand's. */
static void
take_place(struct journal *a)
{
	char *cursor;
	int n;

	need(sd_journal_get_realtime_usec(a->j, &a->time),
	    "an entry's time");
	need(sd_journal_get_cursor(a->j, &cursor), "an entry's cursor");
	n = snprintf(a->place, sizeof a->place, "%" PRIu64 " %s", a->time,
	    cursor);
	if (n < 0 || (size_t)n >= sizeof a->place)
		fail("an entry's cursor has %zu bytes", strlen(cursor));
	free(cursor);
}

/* The last entry's, whatever matches. */
static void
end_place(struct journal *a)
{
	int r;

	need(sd_journal_seek_tail(a->j), "the journal's end");
	r = sd_journal_previous(a->j);
	need(r, "the journal's end");
	if (r > 0)
		take_place(a);
	else
		strcpy(a->place, "0 -");
}

static void
lost(uint64_t t)
{
	time_t sec = (time_t)(t / 1000000);
	char when[40];
	struct tm tm;

	if (localtime_r(&sec, &tm) == NULL ||
	    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		strcpy(when, "then");
	(void)printf("W journal: the entry that the last run ended with is no "
	    "longer there; going on with what came after %s\n", when);
}

/*
 * Goes behind a place: the next entry is the first to give.  A cursor that
 * no file has any more leaves the entry's time.
 */
static void
seek(struct journal *a, const char *place)
{
	const char *cursor = strchr(place, ' ');
	char *e;
	uint64_t t;
	bool there;

	errno = 0;
	t = strtoull(place, &e, 10);
	if (cursor == NULL || e != cursor || errno != 0)
		fail("the position that was kept is none: \"%.100s\"", place);
	cursor++;
	if (strcmp(cursor, "-") == 0) {
		add_matches(a);
		need(sd_journal_seek_head(a->j), "the journal's start");
		return;
	}
	there = sd_journal_seek_cursor(a->j, cursor) >= 0 &&
	    sd_journal_next(a->j) > 0 &&
	    sd_journal_test_cursor(a->j, cursor) > 0;
	add_matches(a);
	if (!there) {
		lost(t);
		need(sd_journal_seek_realtime_usec(a->j, t + 1),
		    "the journal's time");
	} else
		need(sd_journal_seek_cursor(a->j, cursor), "the cursor");
}

/* --- the line of an entry --- */

/* A byte that would break the line, or move a terminal's cursor. */
static bool
is_control(const unsigned char *p, size_t n)
{
	return (*p < ' ' && *p != '\t') || *p == 0x7f ||
	    (*p == 0xc2 && n > 1 && p[1] >= 0x80 && p[1] < 0xa0);
}

static void
put(const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t i;

	for (i = 0; i < n; i++)
		if (!is_control(p + i, n - i))
			(void)putchar(p[i]);
		else if (p[i] == '\n')
			(void)fputs("\\n", stdout);
		else if (p[i] == 0xc2) {
			(void)printf("\\xc2\\x%02x", p[i + 1]);
			i++;
		} else
			(void)printf("\\x%02x", p[i]);
}

/* The value of a field, until the next one is asked for.  0: there is none,
 * < 0: it cannot be read. */
static int
field(struct journal *a, const char *name, const char **value, size_t *n)
{
	const void *p;
	size_t k = strlen(name) + 1;
	int r = sd_journal_get_data(a->j, name, &p, n);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (*n < k)
		return -EBADMSG;
	*value = (const char *)p + k;
	*n -= k;
	return 1;
}

static bool
put_field(struct journal *a, const char *before, const char *name,
    const char *after)
{
	const char *v;
	size_t n;

	if (field(a, name, &v, &n) <= 0)
		return false;
	(void)fputs(before, stdout);
	put(v, n);
	(void)fputs(after, stdout);
	return true;
}

/* When it was sent, if the sender's time is there. */
static void
put_time(struct journal *a)
{
	static const char mon[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *v;
	char digits[24];
	uint64_t t = 0;
	time_t sec;
	size_t n;
	struct tm tm;

	if (field(a, "_SOURCE_REALTIME_TIMESTAMP", &v, &n) > 0 && n > 0 &&
	    n < sizeof digits) {
		memcpy(digits, v, n);
		digits[n] = '\0';
		if (strspn(digits, "0123456789") == n)
			t = strtoull(digits, NULL, 10);
	}
	if (t == 0)
		(void)sd_journal_get_realtime_usec(a->j, &t);
	sec = (time_t)(t / 1000000);
	if (localtime_r(&sec, &tm) == NULL)
		memset(&tm, 0, sizeof tm);
	(void)printf("%.3s %02d %02d:%02d:%02d", mon + 3 * tm.tm_mon,
	    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void
put_entry(struct journal *a)
{
	const char *v;
	size_t n;
	int r;

	take_place(a);
	(void)printf("E %s\n", a->place);
	put_time(a);
	if (!put_field(a, " ", "_HOSTNAME", ""))
		(void)fputs(" -", stdout);
	if (!put_field(a, " ", "SYSLOG_IDENTIFIER", "") &&
	    !put_field(a, " ", "_COMM", ""))
		(void)fputs(" unknown", stdout);
	if (!put_field(a, "[", "_PID", "]"))
		(void)put_field(a, "[", "SYSLOG_PID", "]");
	(void)fputs(": ", stdout);
	r = field(a, "MESSAGE", &v, &n);
	if (r > 0)
		put(v, n);
	else if (r < 0) {
		a->nunread++;
		(void)printf("(not readable: %s)", strerror(-r));
	}
	(void)putchar('\n');
}

static void
entries(struct journal *a, const char *from)
{
	const char *cursor = strchr(from, ' ') + 1;
	bool first = true;
	int r;

	while ((r = sd_journal_next(a->j)) > 0) {
		/* where we begin, if it matches */
		if (first && *cursor != '-' &&
		    sd_journal_test_cursor(a->j, cursor) > 0) {
			first = false;
			continue;
		}
		first = false;
		put_entry(a);
	}
	need(r, "the journal cannot be read");
	if (a->nunread > 0)
		(void)printf("W journal: %zu entr%s with a text that cannot "
		    "be read\n", a->nunread, a->nunread == 1 ? "y" : "ies");
}

int
main(int argc, char *argv[])
{
	struct journal a;
	const char *folder, *from;
	char why[JOURNAL_WHY], end[JOURNAL_PLACE + 1];
	uint64_t end_time;
	int r;

	if (argc != 5) {
		(void)fprintf(stderr, "picket-journal is started by picket "
		    "for `input journal`; journalctl(1) is the program to run "
		    "by hand\n");
		return 2;
	}
	memset(&a, 0, sizeof a);
	folder = argv[1];
	from = argv[3];
	a.matches = argv[4];
	tzset();
	if (!journal_files(folder, why))
		fail("%s", why);
	if (why[0] != '\0')
		(void)printf("W %s\n", why);
	r = folder[0] != '\0' ? sd_journal_open_directory(&a.j, folder, 0) :
	    sd_journal_open(&a.j, SD_JOURNAL_LOCAL_ONLY);
	need(r, "the journal cannot be opened");
	/* the run cuts what is longer, and counts it */
	need(sd_journal_set_data_threshold(a.j, strtoul(argv[2], NULL, 10) +
	    sizeof "MESSAGE="), "the limit of an entry");

	/* the end as it is now: what comes later is the next run's, or among
	 * the entries, one of which is then the end */
	end_place(&a);
	strcpy(end, a.place);
	end_time = a.time;
	if (from[0] == '\0')
		add_matches(&a);
	else {
		seek(&a, from);
		entries(&a, from);
	}
	(void)printf("P %s\n", a.time >= end_time ? a.place : end);
	sd_journal_close(a.j);
	return fflush(stdout) == 0 ? 0 : 1;
}
