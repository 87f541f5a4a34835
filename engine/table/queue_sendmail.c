/*
 * queue_sendmail: the qf files of sendmail's spool, or what mailq lists.
 *
 * A qf file has a letter to a line: V its form, T when it arrived, N how often
 * it was tried, M why it is still there, q why it is held, S the sender,
 * R[FLAGS:] a recipient.  hf: held; Qf: lost.  df beside it, or in the folder
 * ../df, is the message.
 *
 * The listing:	dB928RR04181*    1972 Fri Mar 15 08:45 <a@example.org>
 *		     8BITMIME   (Deferred: Connection refused by b.example)
 *					      <b@example.com>
 * Behind the id * is being sent, X and - wait, ? is held.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "engine/table/queue.h"

static bool
alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z');
}

static bool
is_id(struct str s)
{
	size_t i;

	if (s.n < 6 || s.n > 64)
		return false;
	for (i = 0; i < s.n; i++)
		if (!alnum(s.p[i]))
			return false;
	return true;
}

/* "Fri Mar 15 08:45": the latest such day that is not to come.  A day of
 * grace, for a clock that is a little behind. */
static double
when(const struct queue *q, struct str month, struct str day, struct str hm)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	double now = q->table.world.now, d = line_number(day), h, m;
	time_t t = (time_t)now;
	struct tm tm;
	int i, year;

	if (month.n != 3 || hm.n != 5 || hm.p[2] != ':')
		return NUM_NIL;
	h = line_number(str_of(hm.p, 2));
	m = line_number(str_of(hm.p + 3, 2));
	for (i = 0; i < 12; i++)
		if (memcmp(names + 3 * i, month.p, 3) == 0)
			break;
	if (i == 12 || !(d >= 1 && d <= 31) || !(h < 24) || !(m < 60) ||
	    localtime_r(&t, &tm) == NULL)
		return NUM_NIL;
	for (year = tm.tm_year; year > tm.tm_year - 5; year--) {
		struct tm at = { .tm_year = year, .tm_mon = i,
		    .tm_mday = (int)d, .tm_hour = (int)h, .tm_min = (int)m,
		    .tm_isdst = -1 };

		t = mktime(&at);
		/* 29 Feb is not in every year */
		if (at.tm_mon == i && t != (time_t)-1 &&
		    (double)t <= now + 86400)
			return (double)t;
	}
	return NUM_NIL;
}

static bool
listing_head(struct queue *q, struct str line)
{
	struct str id, w, month, day, hm;
	char mark = 0;

	if (line.n == 0 || line.p[0] == ' ' || line.p[0] == '\t' ||
	    !line_word(&line, &id))
		return false;
	if (!alnum(id.p[id.n - 1]))
		mark = id.p[--id.n];
	else if (id.p[id.n - 1] == 'X' && id.n == 15)	/* 14 and a mark */
		mark = id.p[--id.n];
	if (!is_id(id) || !line_word(&line, &w))
		return false;
	queue_row(q, id);
	q->name = mark == '*' ? STR_LIT("active") :
	    mark == '?' ? STR_LIT("quarantine") : STR_LIT("deferred");
	if (w.p[0] == '(') {		/* (no control file) */
		line = str_trim(str_of(w.p, w.n + line.n));
		q->name = STR_LIT("lost");
		queue_reason(q, str_of(line.p + 1,
		    line.n - 1 - (line.p[line.n - 1] == ')')));
		return true;
	}
	q->size = line_number(w);
	if (num_none(q->size))		/* no df file yet: the day stands here */
		month = w;
	else if (!line_word(&line, &month))
		return false;
	if (!line_word(&line, &month) || !line_word(&line, &day) ||
	    !line_word(&line, &hm))
		return false;
	q->arrived = when(q, month, day, hm);
	queue_sender(q, queue_address(line));
	return !num_none(q->arrived);
}

/* A line below it. */
static void
listing_line(struct queue *q, struct str s)
{
	size_t at;

	if (str_starts(s, "8BITMIME") || str_starts(s, "7BIT")) {
		at = str_find(s, '(', 0);
		if (at == s.n)
			return;
		s = str_of(s.p + at, s.n - at);
	}
	if (s.n >= 2 && s.p[0] == '(')
		queue_reason(q, str_of(s.p + 1,
		    s.n - 1 - (s.p[s.n - 1] == ')')));
	else if (str_starts(s, "QUARANTINE:")) {
		q->name = STR_LIT("quarantine");
		queue_reason(q, str_trim(str_of(s.p + 11, s.n - 11)));
	} else if (s.n > 0)
		queue_recipient(q, queue_address(s));
}

bool
queue_sendmail_next(struct queue *q)
{
	struct str line, s;

	while (queue_line(q, &line)) {
		s = str_trim(line);
		if (s.n == 0 || s.p[0] == '-' || str_starts(s, "Mail queue") ||
		    str_starts(s, "Total requests") || str_starts(s, "/") ||
		    (str_starts(s, "M") && str_ends(s, "is empty"))) {
			if (!str_starts(s, "-Queue ID-"))
				continue;
			q->failed = true;
			table_whyf(q->table.why, "mailq lists a queue of "
			    "Postfix: queue(\"postfix\") reads it");
			return false;
		}
		if (!listing_head(q, line)) {
			q->wrong++;
			continue;
		}
		while (queue_more(q)) {
			s = queue_peek(q);
			if (s.n == 0 || (s.p[0] != ' ' && s.p[0] != '\t') ||
			    str_starts(str_trim(s), "Total requests") ||
			    str_starts(str_trim(s), "/"))
				break;
			(void)queue_line(q, &line);
			listing_line(q, str_trim(line));
		}
		return true;
	}
	return false;
}

/* False: there is no time in it, so it is none, or is being written. */
static bool
control_file(struct queue *q)
{
	struct str line, s;
	double form = 0, tries = 0;
	size_t at;

	while (lines_next(&q->lines, &line)) {
		if (line.n == 0)
			continue;
		s = str_of(line.p + 1, line.n - 1);
		switch (line.p[0]) {
		case 'V':
			form = line_number(s);
			break;
		case 'T':
			q->arrived = line_number(s);
			break;
		case 'N':
			tries = line_number(s);
			break;
		case 'M':
		case 'q':
			queue_reason(q, s);
			break;
		case 'S':
			queue_sender(q, queue_address(s));
			break;
		case 'R':
			/* from the first form on with flags, "PFD:" */
			at = form >= 1 ? str_find(s, ':', 0) : s.n;
			if (at < s.n && at < str_find(s, '<', 0) &&
			    at < str_find(s, '@', 0))
				s = str_of(s.p + at + 1, s.n - at - 1);
			queue_recipient(q, queue_address(s));
			break;
		case '.':
			goto end;
		default:
			break;
		}
	}
end:
	if (str_none(q->name))
		q->name = tries > 0 || q->has_reason ? STR_LIT("deferred") :
		    STR_LIT("incoming");
	return !num_none(q->arrived);
}

static void
data_size(struct queue *q)
{
	char name[300];
	struct stat st;
	int dir = walk_dir(&q->walk);

	snprintf(name, sizeof name, "df%s", q->id);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
		snprintf(name, sizeof name, "../df/df%s", q->id);
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
			return;
	}
	q->size = (double)st.st_size;
}

bool
queue_sendmail_spool_next(struct queue *q)
{
	struct str name, id;
	bool good;

	while (queue_file(q, 3)) {
		name = str_c(walk_name(&q->walk));
		if (!(str_starts(name, "qf") || str_starts(name, "hf") ||
		    str_starts(name, "Qf")))
			continue;
		id = str_of(name.p + 2, name.n - 2);
		if (!is_id(id))
			continue;
		if (!lines_openat(&q->lines, walk_dir(&q->walk), name.p)) {
			if (errno == ENOENT)
				continue;
			q->failed = true;
			table_whyf(q->table.why, "%.100s: %s", name.p,
			    strerror(errno));
			return false;
		}
		queue_row(q, id);
		if (name.p[0] == 'h')
			q->name = STR_LIT("quarantine");
		else if (name.p[0] == 'Q')
			q->name = STR_LIT("lost");
		data_size(q);
		good = control_file(q);
		lines_close(&q->lines);
		if (good)
			return true;
		q->wrong++;
	}
	return false;
}
