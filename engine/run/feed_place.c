/*
 * feed_place: what a log and the journal have in common: their lines have
 * places, from which the next run goes on.
 *
 * A run that ends badly goes back to the line that stopped it; one that has
 * stopped LIM_LOG_STOPS runs is left behind.  Where a filter stands between,
 * nobody knows which line a line is of: then a run takes all or nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/run/feed_inner.h"

#define SPOOL_MODE	0600

/* --- the filter --- */

/* A file without a name. */
static int
spool_open(void)
{
	const char *dir = getenv("TMPDIR");
	char t[] = "/tmp/picket.XXXXXX";
	int fd = open(dir == NULL || dir[0] != '/' ? "/tmp" : dir,
	    O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, SPOOL_MODE);

	if (fd == -1) {
		fd = mkostemp(t, O_CLOEXEC);
		if (fd != -1)
			unlink(t);
	}
	return fd;
}

static bool
spool_write(int fd, struct buf *b)
{
	size_t done = 0;
	ssize_t k;

	while (done < b->n) {
		k = write(fd, b->p + done, b->n - done);
		if (k == -1 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		done += (size_t)k;
	}
	buf_clear(b);
	return true;
}

bool
feed_spool(struct feed *f,
    enum reader_result (*next)(struct feed *, struct str *))
{
	const struct command *filter;
	enum reader_result x;
	struct str line;
	bool good;
	int fd = spool_open();

	if (fd == -1) {
		snprintf(f->why, sizeof f->why, "a file for the filter's "
		    "input: %s", strerror(errno));
		return false;
	}
	f->spool = fd;
	while ((x = next(f, &line)) == READER_LINE) {
		buf_str(&f->record, line);
		buf_putc(&f->record, '\n');
		if (f->record.n >= READER_BLOCK && !spool_write(fd,
		    &f->record))
			break;
	}
	if (x == READER_LINE || !spool_write(fd, &f->record) ||
	    lseek(fd, 0, SEEK_SET) == -1) {
		snprintf(f->why, sizeof f->why, "the filter's input cannot be "
		    "written: %s", strerror(errno));
		return false;
	}
	if (x != READER_END) {
		if (f->end.failed)
			snprintf(f->why, sizeof f->why, "%s", f->end.why);
		else
			feed_host_why(f);
		return false;
	}
	f->spooled = true;
	f->last = STR_NIL;
	f->ncut = 0;
	filter = feed_filter(f, &good);
	if (!good)
		return false;
	f->in = input_open_fd(f->o.live, fd, filter);
	if (f->in == NULL)
		feed_host_why(f);
	return f->in != NULL;
}

/* --- marks --- */

bool
feed_has_place(const struct feed *f)
{
	return (f->log != NULL || f->journal != NULL) && !f->spooled;
}

void
feed_mark(struct feed *f, struct mark *m, bool end_only)
{
	if (f->log != NULL)
		feed_log_mark(f, m, end_only);
	else
		feed_journal_mark(f, m, end_only);
	f->marked = true;
}

bool
feed_line_mark(struct feed *f, struct mark *m)
{
	if (f->marked) {
		*m = f->mark;
		return f->has_mark;
	}
	if (f->journal != NULL) {
		feed_journal_mark(f, m, false);
		return true;
	}
	/* the reader is still behind the line */
	if (f->in != NULL)
		feed_log_mark(f, m, false);
	return f->in != NULL;
}

/* --- the end --- */

void
feed_skip_line(struct feed *f, struct str what)
{
	struct buf b;

	buf_init(&b, f->o.mem);
	buf_str(&b, what);
	if (f->spooled)
		buf_puts(&b, ": its new lines have stopped three runs and are "
		    "skipped");
	else {
		buf_puts(&b, ": a line has stopped three runs and is skipped: "
		    "\"");
		buf_escaped(&b, f->last, 200);
		buf_putc(&b, '"');
	}
	feed_warn(f, buf_c(&b));
	buf_free(&b);
}

void
feed_settle(struct feed *f)
{
	if (f->log != NULL)
		feed_log_settle(f);
	else if (f->journal != NULL)
		feed_journal_settle(f);
}
