/*
 * feed_log: input logfile: the parts of a log that the run reads, and what
 * the next run begins with (feed_place.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/run/feed_inner.h"

#define LIM_LOG_HEADER	(64 * 1024)	/* bytes of a header line that is read
					 * again */

_Static_assert(READER_TAIL == LOG_TAIL, "a reader keeps what a log needs");

/* --- what the logfile asks for --- */

static void
log_warn(void *arg, const char *text)
{
	feed_warn(arg, text);
}

static struct live_input *
through(struct feed *f, int fd, enum log_pack pack)
{
	char *argv[3] = { (char *)(uintptr_t)log_unpacker[pack][0],
	    (char *)(uintptr_t)log_unpacker[pack][1], NULL };
	int from = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (from == -1 || lseek(from, 0, SEEK_SET) == -1) {
		snprintf(f->why, sizeof f->why, "%s", strerror(errno));
		if (from != -1)
			close(from);
		return NULL;
	}
	f->in = input_open_through(f->o.live, argv, 2, from);
	if (f->in == NULL)
		feed_host_why(f);
	return f->in;
}

static void
not_unpacked(struct feed *f, const char *name, const char *why)
{
	char t[600];

	snprintf(t, sizeof t, "log %.300s cannot be unpacked: %.200s; its "
	    "lines wait", name, why);
	feed_warn(f, t);
}

/* Ends the unpacking program; false: it failed, and is told of. */
static bool
end_through(struct feed *f, const char *name, bool early)
{
	struct live_input *in = f->in;
	struct input_end end;
	char t[40];

	f->in = NULL;
	input_close(in, &end);
	if (early || (!end.failed && end.status == 0))
		return true;
	snprintf(t, sizeof t, "exit status %d", end.status);
	not_unpacked(f, name, end.failed ? end.why : t);
	return false;
}

static bool
unpack(void *arg, int fd, enum log_pack pack, const char *name,
    void (*take)(void *, const char *, size_t), void *to)
{
	struct feed *f = arg;
	enum reader_result x;
	struct str bytes;

	if (through(f, fd, pack) == NULL) {
		not_unpacked(f, name, f->why);
		return false;
	}
	while ((x = reader_block(input_reader(f->in), &bytes)) == READER_LINE)
		take(to, bytes.p, bytes.n);
	return end_through(f, name, false) && x == READER_END;
}

/* --- parts --- */

/* The names of columns, which a part that begins later does not have. */
static void
header(struct feed *f, const struct log_part *part)
{
	struct feed_log *l = f->log;
	const char *p = part->head, *nl;
	size_t n = part->nhead;
	ssize_t k;
	char *block = NULL;

	f->new_file = part->from == 0;
	if (!f->wants_header || part->from == 0)
		return;
	if (part->pack == PACK_NONE) {
		block = mem_alloc(f->o.mem, LIM_LOG_HEADER);
		k = pread(part->fd, block, LIM_LOG_HEADER, 0);
		p = block;
		n = k < 0 ? 0 : (size_t)k;
	}
	nl = n == 0 ? NULL : memchr(p, '\n', n);
	buf_clear(&l->header);
	if (nl != NULL)
		buf_add(&l->header, p, (size_t)(nl - p));
	l->has_header = true;
	if (block != NULL)
		mem_free(f->o.mem, block, LIM_LOG_HEADER);
}

/* After each read: a log may be emptied at any moment.  What was read before
 * stays, but a line that is open now has no end. */
static bool
part_still(void *arg)
{
	struct feed *f = arg;
	struct feed_log *l = f->log;

	if (logfile_still(l->file, l->part.number))
		return true;
	l->part.open = true;
	return false;
}

static enum reader_result
open_part(struct feed *f)
{
	struct feed_log *l = f->log;
	enum reader_result x;
	int fd;

	for (;;) {
		if (!logfile_next(l->file, &l->part))
			return READER_END;
		header(f, &l->part);
		f->name = l->part.name;
		l->base = l->part.from;
		if (l->part.pack != PACK_NONE) {
			if (through(f, l->part.fd, l->part.pack) == NULL) {
				not_unpacked(f, l->part.name, f->why);
				continue;
			}
			l->base = 0;
			x = reader_skip(input_reader(f->in), l->part.from);
			if (x == READER_LINE)
				return x;
			if (x != READER_END)
				return x;
			(void)end_through(f, l->part.name, false);
			continue;
		}
		fd = fcntl(l->part.fd, F_DUPFD_CLOEXEC, 3);
		if (fd == -1 || lseek(fd, (off_t)l->part.from, SEEK_SET) ==
		    -1) {
			snprintf(f->end.why, sizeof f->end.why, "%.150s: %s",
			    l->part.name, strerror(errno));
			f->end.failed = true;
			if (fd != -1)
				close(fd);
			return READER_FAILED;
		}
		f->in = input_open_part(f->o.live, fd, l->part.to -
		    l->part.from);
		input_reader(f->in)->still = part_still;
		input_reader(f->in)->still_arg = f;
		return READER_LINE;
	}
}

/* The part has come to its end, or (before) to its open line. */
static void
end_part(struct feed *f, bool before)
{
	struct feed_log *l = f->log;
	struct reader *rd = input_reader(f->in);
	char tail[READER_TAIL];
	size_t n = reader_tail(rd, before, tail);
	uint64_t at = l->base + (before ? rd->line_at : reader_at(rd));
	bool whole = true;

	if (l->part.pack == PACK_NONE)
		(void)feed_end_file(f);
	else {
		feed_leave(f);
		whole = end_through(f, l->part.name, false) && !before;
	}
	logfile_read(l->file, l->part.number, at, tail, n, whole);
}

enum reader_result
feed_log_line(struct feed *f, struct str *line)
{
	enum reader_result x;
	struct reader *rd;

	for (;;) {
		if (f->in == NULL && (x = open_part(f)) != READER_LINE)
			return x;
		rd = input_reader(f->in);
		x = reader_line(rd, line);
		if (x == READER_LINE && (rd->had_newline ||
		    !f->log->part.open))
			return x;
		if (x != READER_LINE && x != READER_END)
			return x;
		end_part(f, x == READER_LINE);
	}
}

void
feed_log_mark(struct feed *f, struct mark *m, bool end_only)
{
	struct feed_log *l = f->log;
	struct reader *rd;

	rd = input_reader(f->in);
	if (!end_only) {
		m->part = l->part.number;
		m->start = l->base + rd->line_at;
		m->nbefore = reader_tail(rd, true, m->before);
	}
	m->end = l->base + reader_at(rd);
	m->nafter = reader_tail(rd, false, m->after);
}

/* --- begin and end --- */

bool
feed_log_open(struct feed *f)
{
	struct log_options o;
	struct feed_log *l;
	struct str path, bak, at, why;

	if (f->o.state == NULL) {
		snprintf(f->why, sizeof f->why, "input logfile: there is no "
		    "folder for its position: set HOME or XDG_STATE_HOME");
		return false;
	}
	f->log = l = mem_zalloc(f->o.mem, sizeof *l);
	buf_init(&l->path, f->o.mem);
	buf_init(&l->bakfile, f->o.mem);
	buf_init(&l->header, f->o.mem);
	l->world = (struct log_world){ f, log_warn, unpack };
	memset(&o, 0, sizeof o);
	o.mem = f->o.mem;
	o.from_start = f->o.program->from_start;
	o.world = &l->world;
	o.bakfile = STR_NIL;
	path = vm_run_path(f->o.vm);
	if (str_none(path))
		path = STR_EMPTY;
	buf_str(&l->path, path);
	o.path = buf_view(&l->path);
	if (f->o.program->has_bakfile) {
		bak = vm_run_bakfile(f->o.vm);
		if (!str_none(bak)) {
			buf_str(&l->bakfile, bak);
			o.bakfile = buf_view(&l->bakfile);
		}
	}
	vm_set_infile(f->o.vm, o.path);
	if (!state_position(f->o.state, &f->o.owner, o.path, &at)) {
		why = state_why(f->o.state);
		snprintf(f->why, sizeof f->why, "the log's position: %.*s",
		    (int)(why.n < 250 ? why.n : 250), why.p);
		return false;
	}
	l->file = logfile_new(&o);
	if (!logfile_open(l->file, at)) {
		snprintf(f->why, sizeof f->why, "%s", logfile_why(l->file));
		return false;
	}
	l->opened = true;
	return !f->o.program->has_filter || feed_spool(f, feed_log_line);
}

void
feed_log_settle(struct feed *f)
{
	struct feed_log *l = f->log;
	bool stopped, skip = false;
	struct mark m;
	struct buf what;

	if (!l->opened || f->o.outcome == NULL)
		return;
	buf_init(&what, f->o.mem);
	buf_puts(&what, "log ");
	buf_str(&what, buf_view(&l->path));
	stopped = f->line_open;
	if (f->spooled) {
		stopped = stopped || f->end.failed;
		if (stopped && logfile_stopped(l->file, 0, 0) <
		    LIM_LOG_STOPS)
			logfile_unread_all(l->file);
		else if (stopped)
			feed_skip_line(f, buf_view(&what));
	} else if ((stopped || !f->at_end) && feed_line_mark(f, &m)) {
		if (stopped) {
			skip = logfile_stopped(l->file, m.part, m.start) >=
			    LIM_LOG_STOPS;
			if (skip)
				feed_skip_line(f, buf_view(&what));
		}
		if (stopped && !skip)
			logfile_read(l->file, m.part, m.start, m.before,
			    m.nbefore, false);
		else
			logfile_read(l->file, m.part, m.end, m.after,
			    m.nafter, false);
		logfile_unread_after(l->file, m.part);
	}
	buf_clear(&f->record);
	logfile_position(l->file, &f->record);
	outcome_position(f->o.outcome, buf_view(&l->path),
	    buf_view(&f->record));
	buf_free(&what);
}

void
feed_log_close(struct feed *f)
{
	struct feed_log *l = f->log;

	if (l == NULL)
		return;
	f->log = NULL;
	logfile_free(l->file);
	buf_free(&l->path);
	buf_free(&l->bakfile);
	buf_free(&l->header);
	mem_free(f->o.mem, l, sizeof *l);
}
