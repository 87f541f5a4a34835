/* kmsg: the kernel's log, a record after the other; see kmsg.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/table/kmsg.h"

#define READ_ALL	3	/* of syslog(2): all that is in the buffer */
#define SIZE_BUFFER	10
#define WAIT_MS		50	/* between the kernel's counting of a kill and
				 * its message lie microseconds */

static void
read_boot(struct kmsg *k)
{
	char why[LIM_TABLE_WHY];
	struct str line, w;

	if (!lines_open(&k->lines, k->world, "/proc/sys/kernel/random/boot_id",
	    why))
		return;
	if (lines_next(&k->lines, &line) && line_word(&line, &w) &&
	    w.n < sizeof k->boot) {
		memcpy(k->boot, w.p, w.n);
		k->boot[w.n] = '\0';
	}
	lines_close(&k->lines);
}

/* When its clock was 0.  A recorded folder says it itself. */
static void
read_start(struct kmsg *k)
{
	char why[LIM_TABLE_WHY];
	struct timespec wall, mono;
	struct str line, w;
	double v;

	k->start = NUM_NIL;
	if (k->world->root == NULL || k->world->root[0] == '\0') {
		clock_gettime(CLOCK_REALTIME, &wall);
		clock_gettime(CLOCK_MONOTONIC, &mono);
		k->start = (double)(wall.tv_sec - mono.tv_sec) +
		    (double)(wall.tv_nsec - mono.tv_nsec) / 1e9;
		return;
	}
	if (lines_open(&k->lines, k->world, "/proc/stat", why)) {
		while (lines_next(&k->lines, &line))
			if (line_word(&line, &w) && line_is(w, "btime"))
				k->start = line_word_number(&line);
		lines_close(&k->lines);
	}
	if (num_none(k->start) &&
	    lines_open(&k->lines, k->world, "/proc/uptime", why)) {
		if (lines_next(&k->lines, &line) && line_word(&line, &w) &&
		    !num_none(v = num_parse(w, false)))
			k->start = k->world->now - v;
		lines_close(&k->lines);
	}
}

static void
read_position(struct kmsg *k, struct str position)
{
	struct str boot;

	k->next = k->last = NUM_NIL;
	k->first = str_none(position) || !line_word(&position, &boot);
	k->rest = STR_EMPTY;
	if (k->first)
		return;
	k->same_boot = k->boot[0] != '\0' && line_is(boot, k->boot);
	if (!k->same_boot) {
		k->next = 0;		/* of this boot nothing is known yet */
		return;
	}
	k->next = line_word_number(&position);
	k->last = line_word_number(&position);
	k->same = line_word_number(&position);
	if (num_none(k->same))
		k->same = 0;
	k->rest = str_trim(position);
}

static bool
open_syslog(struct kmsg *k)
{
	int size = klogctl(SIZE_BUFFER, NULL, 0), n;

	if (size <= 0 || (unsigned)size > LIM_KMSG_LOG)
		return false;
	k->nlog = (size_t)size;
	k->log = mem_alloc(k->world->mem, k->nlog);
	if ((n = klogctl(READ_ALL, k->log, size)) < 0)
		return false;
	k->from = KMSG_SYSLOG;
	lines_text(&k->lines, str_of(k->log, (size_t)n));
	return true;
}

bool
kmsg_open(struct kmsg *k, const struct table_world *w, struct str position,
    char why[LIM_TABLE_WHY])
{
	char path[PATH_MAX];
	struct stat st;
	int e;

	k->world = w;
	k->fd = k->lines.fd = -1;
	read_boot(k);
	read_start(k);
	read_position(k, position);
	if (!table_path(w, "/dev/kmsg", path, sizeof path)) {
		table_whyf(why, "/dev/kmsg: the folder's name is too long");
		return false;
	}
	k->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (k->fd != -1 && fstat(k->fd, &st) == 0 && !S_ISCHR(st.st_mode)) {
		close(k->fd);
		k->fd = -1;
		k->from = KMSG_FILE;
		return lines_open(&k->lines, w, "/dev/kmsg", why);
	}
	if (k->fd != -1)
		return true;
	e = errno;
	if ((w->root == NULL || w->root[0] == '\0') && open_syslog(k))
		return true;
	if (e == EPERM || e == EACCES)
		table_whyf(why, "%.160s: %s: the right CAP_SYSLOG is missing "
		    "(sysctl kernel.dmesg_restrict)", path, strerror(e));
	else
		table_whyf(why, "%.200s: %s", path, strerror(e));
	return false;
}

void
kmsg_close(struct kmsg *k)
{
	if (k->world == NULL)
		return;
	if (k->fd != -1)
		close(k->fd);
	k->fd = -1;
	lines_close(&k->lines);
	if (k->log != NULL)
		mem_free(k->world->mem, k->log, k->nlog);
	k->log = NULL;
}

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	    c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	    c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* What the kernel writes as \xHH, as the byte; in place. */
static struct str
unescape(char *p, size_t n)
{
	size_t from, to = 0;

	for (from = 0; from < n; from++)
		if (p[from] == '\\' && from + 3 < n && p[from + 1] == 'x' &&
		    hex(p[from + 2]) >= 0 && hex(p[from + 3]) >= 0) {
			p[to++] = (char)(hex(p[from + 2]) * 16 +
			    hex(p[from + 3]));
			from += 3;
		} else
			p[to++] = p[from];
	return str_of(p, to);
}

/*
 * "6,339,5140900,-,caller=T1;NET: ...\n SUBSYSTEM=..": priority, number,
 * microseconds, flags and what younger kernels add; lines behind the first
 * are for programs that know devices.  r->raw has it.
 */
static bool
parse_record(struct kmsg_record *r, size_t n)
{
	struct str head, all = str_of(r->raw, n), text;
	double pri;

	head = line_upto(&all, ';');
	if (head.n == n)
		return false;
	pri = line_number(line_upto(&head, ','));
	r->seq = line_number(line_upto(&head, ','));
	r->usec = line_number(line_upto(&head, ','));
	if (num_none(pri) || pri > 1023 || num_none(r->seq) ||
	    num_none(r->usec))
		return false;
	r->more = head.n > 0 && head.p[0] == '+';
	r->level = (unsigned)pri & 7;
	r->facility = (unsigned)pri >> 3;
	text = line_upto(&all, '\n');
	r->text = unescape(r->raw + (text.p - r->raw), text.n);
	return true;
}

/* "<6>[    5.140900] text", or with "[    T1] " behind the time. */
static bool
parse_syslog(struct kmsg_record *r, size_t n)
{
	struct str s = str_of(r->raw, n), word;
	double pri, t;

	if (n == 0 || s.p[0] != '<')
		return false;
	s = str_of(s.p + 1, n - 1);
	pri = line_number(line_upto(&s, '>'));
	if (num_none(pri) || pri > 1023 || s.n == 0 || s.p[0] != '[')
		return false;
	s = str_of(s.p + 1, s.n - 1);
	word = line_upto(&s, ']');
	if (num_none(t = num_parse(word, false)) || t < 0)
		return false;
	r->usec = rint(t * 1e6);
	r->seq = NUM_NIL;
	r->more = false;
	r->level = (unsigned)pri & 7;
	r->facility = (unsigned)pri >> 3;
	if (s.n > 1 && s.p[0] == '[') {
		size_t i = 1;

		while (i < s.n && s.p[i] == ' ')
			i++;
		if (i < s.n && (s.p[i] == 'T' || s.p[i] == 'C'))
			(void)line_upto(&s, ']');
	}
	if (s.n > 0 && s.p[0] == ' ')
		s = str_of(s.p + 1, s.n - 1);
	r->text = s;
	return true;
}

/* The next record into ahead: a row, the end, or why. */
static enum table_next
fetch(struct kmsg *k, char why[LIM_TABLE_WHY])
{
	struct kmsg_record *r = &k->ahead;
	struct str line;
	ssize_t n;

	while (k->from == KMSG_DEVICE) {
		n = read(k->fd, r->raw, sizeof r->raw);
		if (n > 0 && parse_record(r, (size_t)n))
			return TABLE_ROW;
		if (n > 0 || (n == -1 && (errno == EINTR || errno == EPIPE)))
			continue;	/* EPIPE: overrun; the numbers tell */
		if (n == 0 || errno == EAGAIN)
			return TABLE_END;
		table_whyf(why, "/dev/kmsg: %s", strerror(errno));
		return TABLE_FAILED;
	}
	while (lines_next(&k->lines, &line)) {
		if (line.n == 0 || line.n > sizeof r->raw || line.p[0] == ' ')
			continue;
		memcpy(r->raw, line.p, line.n);
		if (k->from == KMSG_FILE ? parse_record(r, line.n) :
		    parse_syslog(r, line.n))
			return TABLE_ROW;
	}
	if (k->lines.error == 0)
		return TABLE_END;
	table_whyf(why, "/dev/kmsg: %s", strerror(k->lines.error));
	return TABLE_FAILED;
}

/* Is it old?  Numbers tell, and what is missing between them. */
static void
judge(struct kmsg *k, struct kmsg_record *r)
{
	r->old = false;
	if (num_none(r->seq)) {
		if (!num_none(k->last) && r->usec < k->last)
			r->old = true;
		else if (!num_none(k->last) && r->usec == k->last)
			r->old = ++k->passed <= k->same;
		if (!r->old) {
			k->same = r->usec == k->last ? k->same + 1 : 1;
			k->passed = k->same;
			k->last = r->usec;
		}
		return;
	}
	if (!num_none(k->next) && r->seq < k->next) {
		r->old = true;
		return;
	}
	if (!num_none(k->next) && r->seq > k->next)
		k->lost += r->seq - k->next;
	k->next = r->seq + 1;
	k->last = r->usec;
	k->same = 1;
}

enum table_next
kmsg_next(struct kmsg *k, char why[LIM_TABLE_WHY])
{
	struct kmsg_record *r = &k->now, *a = &k->ahead;
	enum table_next got;
	size_t room, n;

	if (!k->have && (got = fetch(k, why)) != TABLE_ROW)
		return got;
	k->have = false;
	/* the text moves with its bytes */
	n = (size_t)(a->text.p - a->raw);
	*r = *a;
	r->text.p = r->raw + n;
	judge(k, r);
	/* fragments of a line that others' messages have not torn apart */
	while ((got = fetch(k, why)) == TABLE_ROW && a->more) {
		n = (size_t)(r->text.p - r->raw) + r->text.n;
		room = sizeof r->raw - n;
		if (room > a->text.n)
			room = a->text.n;
		memcpy(r->raw + n, a->text.p, room);
		r->text.n += room;
		judge(k, a);
		r->old = r->old && a->old;
	}
	k->have = got == TABLE_ROW;
	return got == TABLE_FAILED ? got : TABLE_ROW;
}

bool
kmsg_wait(struct kmsg *k)
{
	struct pollfd p = { k->fd, POLLIN, 0 };

	return k->from == KMSG_DEVICE && k->fd != -1 &&
	    poll(&p, 1, WAIT_MS) == 1;
}

void
kmsg_position(const struct kmsg *k, struct buf *b)
{
	buf_printf(b, "%s ", k->boot[0] == '\0' ? "?" : k->boot);
	if (num_none(k->next))
		buf_puts(b, "- ");
	else
		buf_printf(b, "%.0f ", k->next);
	if (num_none(k->last))
		buf_puts(b, "- 0");
	else
		buf_printf(b, "%.0f %.0f", k->last, k->same);
}

double
kmsg_time(const struct kmsg *k, double usec)
{
	return num_none(k->start) ? NUM_NIL : k->start + usec / 1e6;
}
