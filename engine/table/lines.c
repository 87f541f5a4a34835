/* lines: the kernel's texts, line by line; see lines.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/table/lines.h"
#include "engine/table/snapshot.h"

void
table_whyf(char why[LIM_TABLE_WHY], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, LIM_TABLE_WHY, fmt, ap);
	va_end(ap);
}

bool
lines_openat(struct lines *l, int dir, const char *name)
{
	l->from = l->to = 0;
	l->end = l->skip = false;
	l->error = 0;
	l->held = false;
	l->rest = STR_NIL;
	/* O_NONBLOCK: what stands there may be a pipe that nobody writes.  A
	 * folder may be others' to write: no link of theirs is followed */
	l->fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
	    (dir == AT_FDCWD ? 0 : O_NOFOLLOW));
	return l->fd != -1;
}

bool
lines_held(struct lines *l, int fd, const char *path, char why[LIM_TABLE_WHY])
{
	l->fd = -1;
	l->rest = STR_NIL;
	if (fd == -1 || lseek(fd, 0, SEEK_SET) != 0) {
		table_whyf(why, "%s: cannot be opened while memory is short",
		    path);
		errno = ENOMEM;
		return false;
	}
	l->fd = fd;
	l->held = true;
	l->from = l->to = 0;
	l->end = l->skip = false;
	l->error = 0;
	return true;
}

bool
lines_open(struct lines *l, const struct table_world *w, const char *path,
    char why[LIM_TABLE_WHY])
{
	char full[PATH_MAX];

	l->fd = -1;
	if (w->snapshot != NULL)
		return lines_held(l, snapshot_file(w->snapshot, path), path,
		    why);
	if (!table_path(w, path, full, sizeof full)) {
		errno = ENAMETOOLONG;
		table_whyf(why, "%s: the folder's name is too long", path);
		return false;
	}
	if (lines_openat(l, AT_FDCWD, full))
		return true;
	table_whyf(why, "%.200s: %s", full, strerror(errno));
	return false;
}

void
lines_text(struct lines *l, struct str text)
{
	l->fd = -1;
	l->error = 0;
	l->from = l->to = 0;
	l->end = l->skip = false;
	l->rest = text;
}

static bool
lines_fill(struct lines *l)
{
	ssize_t n;

	if (l->from > 0) {
		memmove(l->buf, l->buf + l->from, l->to - l->from);
		l->to -= l->from;
		l->from = 0;
	}
	while ((n = read(l->fd, l->buf + l->to, sizeof l->buf - l->to)) == -1 &&
	    errno == EINTR)
		;
	if (n == -1)
		l->error = errno;
	if (n <= 0)
		l->end = true;
	else
		l->to += (size_t)n;
	return n > 0;
}

static bool
lines_of_text(struct lines *l, struct str *line)
{
	size_t n;

	if (str_none(l->rest) || l->rest.n == 0)
		return false;
	n = str_find(l->rest, '\n', 0);
	*line = str_of(l->rest.p, n);
	n += n < l->rest.n;
	l->rest = str_of(l->rest.p + n, l->rest.n - n);
	return true;
}

bool
lines_next(struct lines *l, struct str *line)
{
	size_t seen = 0;
	char *nl;

	if (l->fd == -1)
		return lines_of_text(l, line);
	for (;;) {
		nl = memchr(l->buf + l->from + seen, '\n',
		    l->to - l->from - seen);
		seen = l->to - l->from;
		if (l->skip) {
			l->from = nl == NULL ? l->to :
			    (size_t)(nl - l->buf) + 1;
			l->skip = nl == NULL;
			seen = 0;
			if (l->skip && !lines_fill(l))
				return false;
		} else if (nl != NULL || l->end || seen == sizeof l->buf ||
		    !lines_fill(l))
			break;
	}
	if (nl == NULL && seen == 0)
		return false;
	*line = str_of(l->buf + l->from,
	    nl == NULL ? seen : (size_t)(nl - l->buf) - l->from);
	l->from += line->n + (nl != NULL);
	l->skip = nl == NULL;
	return true;
}

void
lines_close(struct lines *l)
{
	if (l->fd != -1 && !l->held)
		close(l->fd);
	l->fd = -1;
	l->held = false;
	l->rest = STR_NIL;
}

bool
line_word(struct str *rest, struct str *word)
{
	size_t i = 0, from;

	while (i < rest->n && (rest->p[i] == ' ' || rest->p[i] == '\t'))
		i++;
	from = i;
	while (i < rest->n && rest->p[i] != ' ' && rest->p[i] != '\t')
		i++;
	*word = str_of(rest->p + from, i - from);
	*rest = str_of(rest->p + i, rest->n - i);
	return word->n > 0;
}

double
line_number(struct str s)
{
	double v = 0;
	size_t i;

	if (str_none(s) || s.n == 0 || s.n > 20)	/* 2^64 has 20 digits */
		return NUM_NIL;
	for (i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return NUM_NIL;
		v = v * 10 + (s.p[i] - '0');
	}
	return v;
}

double
line_word_number(struct str *rest)
{
	struct str w;

	return line_word(rest, &w) ? line_number(w) : NUM_NIL;
}

bool
line_is(struct str s, const char *text)
{
	return !str_none(s) && str_eq(s, str_c(text));
}

struct str
small_text(int dir, const char *name, char *buf, size_t n)
{
	int fd = openat(dir, name,
	    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	ssize_t got;
	struct str s;

	if (fd == -1)
		return STR_NIL;
	while ((got = read(fd, buf, n)) == -1 && errno == EINTR)
		;
	close(fd);
	if (got < 0)
		return STR_NIL;
	s = str_of(buf, (size_t)got);
	s.n = str_find(s, '\n', 0);
	return str_trim(s);
}

double
small_number(int dir, const char *name)
{
	char buf[64];

	return line_number(small_text(dir, name, buf, sizeof buf));
}

double
small_field(int dir, const char *name, const char *field)
{
	char buf[1024];
	int fd = openat(dir, name,
	    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	ssize_t got;
	struct str rest, line, w;

	if (fd == -1)
		return NUM_NIL;
	while ((got = read(fd, buf, sizeof buf)) == -1 && errno == EINTR)
		;
	close(fd);
	rest = str_of(buf, got < 0 ? 0 : (size_t)got);
	while (rest.n > 0) {
		size_t n = str_find(rest, '\n', 0);

		line = str_of(rest.p, n);
		n += n < rest.n;
		rest = str_of(rest.p + n, rest.n - n);
		if (line_word(&line, &w) && line_is(w, field))
			return line_word_number(&line);
	}
	return NUM_NIL;
}

struct str
line_part(struct str *rest, char c)
{
	struct str part;
	size_t at;

	if (str_none(*rest))
		return STR_NIL;
	at = str_find(*rest, c, 0);
	part = str_of(rest->p, at);
	*rest = at == rest->n ? STR_NIL :
	    str_of(rest->p + at + 1, rest->n - at - 1);
	return part;
}

struct str
line_upto(struct str *rest, char c)
{
	size_t n = str_find(*rest, c, 0);
	struct str part = str_of(rest->p, n);

	n += n < rest->n;
	*rest = str_of(rest->p + n, rest->n - n);
	return part;
}

bool
line_hex(struct str s, uint64_t *v)
{
	size_t i;
	char c;

	*v = 0;
	if (str_none(s) || s.n == 0 || s.n > 16)
		return false;
	for (i = 0; i < s.n; i++) {
		c = s.p[i];
		if (c >= '0' && c <= '9')
			*v = *v << 4 | (unsigned)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			*v = *v << 4 | (unsigned)((c | 0x20) - 'a' + 10);
		else
			return false;
	}
	return true;
}

size_t
number_text(uint64_t v, char to[20])
{
	char back[20];
	size_t n = 0, i;

	do
		back[n++] = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	for (i = 0; i < n; i++)
		to[i] = back[n - 1 - i];
	return n;
}

ssize_t
file_bytes(int dir, const char *name, char *to, size_t n)
{
	int fd = openat(dir, name,
	    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), was;
	size_t got = 0;
	ssize_t k = 0;

	if (fd == -1)
		return -1;
	while (got < n && (k = read(fd, to + got, n - got)) != 0) {
		if (k > 0)
			got += (size_t)k;
		else if (errno != EINTR)
			break;
	}
	was = errno;
	close(fd);
	errno = was;
	return k == -1 ? -1 : (ssize_t)got;
}
