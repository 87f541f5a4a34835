/*
 * queue_exim: the -H files of Exim's spool, or what exim -bp lists.
 *
 * A -H file: its own name; the caller; <sender>; time and warnings; options,
 * each with a hyphen; the tree of addresses that were reached, "XX" if there
 * is none, else lines of two of Y and N and the address; the number of
 * recipients, and these; an empty line; headers, each behind its length.
 *
 * The listing:	25m  2.9K 0t5C6f-0000c8-00 <alice@example.org> *** frozen ***
 *			  bob@example.com
 *			D carol@example.com		reached
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/table/queue.h"

/* 1abcde-0000c8-00, or of Exim 4.97 on 1abcde-00000000abc-0c8d. */
static bool
is_id(struct str s)
{
	size_t i, dash = 0;

	if (s.n != 16 && s.n != 23)
		return false;
	for (i = 0; i < s.n; i++)
		if (s.p[i] == '-')
			dash++;
		else if (!((s.p[i] >= '0' && s.p[i] <= '9') ||
		    (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
		    (s.p[i] >= 'a' && s.p[i] <= 'z')))
			return false;
	return dash == 2 && s.p[6] == '-' && s.p[s.n == 16 ? 13 : 18] == '-';
}

/* Its first part is when it arrived, seconds to the base of 62. */
static double
id_time(struct str id)
{
	double v = 0;
	size_t i;

	for (i = 0; i < 6; i++) {
		char c = id.p[i];

		v = v * 62 + (c <= '9' ? c - '0' : c <= 'Z' ? c - 'A' + 10 :
		    c - 'a' + 36);
	}
	return v;
}

/* The sender of "<...> (login) *** frozen ***". */
static struct str
sender_of(struct str s)
{
	size_t end = s.n;

	while (end > 0 && s.p[end - 1] != '>')
		end--;
	return queue_address(str_of(s.p, end));
}

static bool
listing_head(struct queue *q, struct str line)
{
	static const char frozen[] = "*** frozen ***";
	struct str word, size = STR_NIL;
	unsigned words = 0;

	while (line_word(&line, &word) && !is_id(word)) {
		if (++words > 3)
			return false;
		size = word;
	}
	if (word.n == 0 || words == 0)
		return false;
	queue_row(q, word);
	if (words > 1 || size.p[size.n - 1] == 'K' ||
	    size.p[size.n - 1] == 'M')
		q->size = num_parse_size(size);
	q->arrived = id_time(word);
	line = str_trim(line);
	q->name = STR_LIT("deferred");
	if (str_ends(line, frozen)) {
		q->name = STR_LIT("frozen");
		line = str_trim(str_of(line.p, line.n - (sizeof frozen - 1)));
	}
	if (line.n > 0 && line.p[0] == '<')
		queue_sender(q, sender_of(line));
	return true;
}

bool
queue_exim_next(struct queue *q)
{
	struct str line, s;

	while (queue_line(q, &line)) {
		if (str_trim(line).n == 0)
			continue;
		if (!listing_head(q, line)) {
			q->wrong++;
			continue;
		}
		while (queue_more(q) && str_trim(queue_peek(q)).n > 0) {
			(void)queue_line(q, &line);
			s = str_trim(line);
			if (line_is(s, "*** frozen ***"))
				q->name = STR_LIT("frozen");
			/* reached: "D" and one blank */
			else if (!str_starts(s, "D ") && !str_starts(s, "+D "))
				queue_recipient(q, s);
		}
		return true;
	}
	return false;
}

/* The address without what newer versions write behind it: " 0,0,1#1". */
static struct str
recipient_of(struct str s)
{
	size_t at = 0;

	if (s.n > 0 && s.p[0] == '"')	/* blanks may be its own */
		for (at = 1; at < s.n && s.p[at] != '"'; at++)
			at += s.p[at] == '\\';
	at = str_find(s, ' ', at < s.n ? at : 0);
	return str_of(s.p, at);
}

static bool
reached(const struct queue *q, struct str address)
{
	struct str rest = buf_view(&q->done);

	while (rest.n > 0) {
		size_t n = str_find(rest, '\n', 0);

		if (str_eq(str_of(rest.p, n), address))
			return true;
		rest = str_of(rest.p + n + 1, rest.n - n - 1);
	}
	return false;
}

/* Lines 5 on, up to the headers.  False: it is cut. */
static bool
envelope(struct queue *q)
{
	struct str line, s;
	double n, i;

	buf_clear(&q->done);
	while (lines_next(&q->lines, &line)) {
		if (str_starts(line, "-frozen "))
			q->name = STR_LIT("frozen");
		if (line.n > 0 && line.p[0] == '-')
			continue;
		if (line_is(line, "XX"))
			continue;
		if (line.n > 3 && line.p[2] == ' ' &&
		    (line.p[0] == 'Y' || line.p[0] == 'N') &&
		    (line.p[1] == 'Y' || line.p[1] == 'N')) {
			if (q->done.n + line.n < LIM_QUEUE_DONE) {
				buf_add(&q->done, line.p + 3, line.n - 3);
				buf_putc(&q->done, '\n');
			}
			continue;
		}
		n = line_number(str_trim(line));
		if (num_none(n))
			return false;
		for (i = 0; i < n; i++) {
			if (!lines_next(&q->lines, &line) || line.n == 0)
				return false;
			s = recipient_of(line);
			if (!reached(q, s))
				queue_recipient(q, s);
		}
		return true;
	}
	return false;
}

/* Bytes of the headers that are left: "NNNF Name: ...", * : taken out. */
static double
headers(struct queue *q)
{
	struct str line;
	double sum = 0, v;
	size_t n;

	while (lines_next(&q->lines, &line)) {
		for (n = 0; n < line.n && line.p[n] >= '0' && line.p[n] <= '9';
		    n++)
			;
		if (n < 3 || n + 1 >= line.n || line.p[n + 1] != ' ')
			continue;
		v = line_number(str_of(line.p, n));
		if (line.p[n] != '*' && !num_none(v))
			sum += v;
	}
	return sum;
}

/* Lines of a message's log that are no reason why it is still there. */
static bool
is_progress(struct str line)
{
	static const char *const sign[] = { "Received from ", " => ", " -> " };
	size_t i, k, n;

	for (i = 0; i < sizeof sign / sizeof sign[0]; i++)
		for (k = 0, n = strlen(sign[i]); k + n <= line.n; k++)
			if (memcmp(line.p + k, sign[i], n) == 0)
				return true;
	return false;
}

/* What the log of the message says last: msglog beside input, in the same
 * folder of it. */
static void
last_word(struct queue *q)
{
	char name[600], text[8192];
	struct str s, line = STR_NIL;
	const char *sub = q->walk.depth == 2 ? q->walk.path : "";
	int nsub = q->walk.depth == 2 ? (int)q->walk.len[1] : 0, fd;
	size_t n;
	off_t end;
	ssize_t got;

	snprintf(name, sizeof name, "%s../msglog/%.*s%s%s",
	    nsub > 0 ? "../" : "", nsub, sub, nsub > 0 ? "/" : "", q->id);
	if ((fd = openat(walk_dir(&q->walk), name,
	    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)) == -1)
		return;
	end = lseek(fd, 0, SEEK_END);
	got = pread(fd, text, sizeof text,
	    end > (off_t)sizeof text ? end - (off_t)sizeof text : 0);
	close(fd);
	s = str_of(text, got < 0 ? 0 : (size_t)got);
	do {
		s = str_trim(s);
		for (n = s.n; n > 0 && s.p[n - 1] != '\n'; n--)
			;
		line = str_of(s.p + n, s.n - n);
		s = str_of(s.p, n);
	} while (n > 0 && is_progress(line));
	if (is_progress(line))
		return;
	/* without its date, and from the verdict on */
	if (line.n > 20 && line.p[4] == '-' && line.p[19] == ' ')
		line = str_of(line.p + 20, line.n - 20);
	for (n = 0; n + 7 < line.n; n++)
		if (memcmp(line.p + n, "defer (", 7) == 0)
			line = str_of(line.p + n, line.n - n);
	queue_reason(q, line);
}

static bool
spool_file(struct queue *q, struct str id)
{
	char first[40], data[300];
	struct str line;
	struct stat st;
	double n;

	if (!lines_next(&q->lines, &line))
		return false;
	snprintf(first, sizeof first, "%.*s-H", (int)id.n, id.p);
	if (!line_is(line, first) || !lines_next(&q->lines, &line) ||
	    !lines_next(&q->lines, &line) || line.n < 2 || line.p[0] != '<')
		return false;
	queue_row(q, id);
	q->name = STR_LIT("deferred");
	queue_sender(q, sender_of(line));
	if (!lines_next(&q->lines, &line))
		return false;
	n = line_word_number(&line);
	q->arrived = num_none(n) ? id_time(id) : n;
	if (!envelope(q))
		return false;
	snprintf(data, sizeof data, "%.*s-D", (int)id.n, id.p);
	/* the data's first line is its own name; Exim counts the line between
	 * headers and body */
	if (fstatat(walk_dir(&q->walk), data, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_size >= (off_t)id.n + 3)
		q->size = headers(q) + (double)(st.st_size - (off_t)id.n - 2);
	last_word(q);
	return true;
}

bool
queue_exim_spool_next(struct queue *q)
{
	struct str name;
	bool good;

	while (queue_file(q, 2)) {
		name = str_c(walk_name(&q->walk));
		if (!str_ends(name, "-H") ||
		    !is_id(str_of(name.p, name.n - 2)))
			continue;
		if (!lines_openat(&q->lines, walk_dir(&q->walk), name.p)) {
			if (errno == ENOENT)	/* delivered meanwhile */
				continue;
			q->failed = true;
			table_whyf(q->table.why, "%.100s: %s", name.p,
			    strerror(errno));
			return false;
		}
		good = spool_file(q, str_of(name.p, name.n - 2));
		lines_close(&q->lines);
		if (good)
			return true;
		q->wrong++;
	}
	return false;
}
