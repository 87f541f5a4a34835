/*
 * stream: the files and processes behind a script's handles.
 *
 * Writes are collected and go out at flush, at close, or when a block is
 * full.  A process's standard error goes to a tap of its own, which is looked
 * at whenever we wait for the process, so that a talkative one cannot block.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/effect/kid.h"

#define STREAM_BLOCK	(16 * 1024)	/* bytes of writes collected */
#define STREAM_NAME	200		/* bytes of a name kept for messages */

enum stream_kind { FILE_READ, FILE_WRITE, PROC_READ, PROC_WRITE, TOLD };

struct stream {
	struct stream	*next;
	struct live	*live;
	enum stream_kind kind;
	int		 fd;
	bool		 ended;		/* a read has met the end */
	bool		 broken;	/* a write has failed: told once */
	struct reader	 reader;
	struct buf	 buf;		/* writes */
	struct kid	*kid;
	struct tap	 err;
	char		*err_tail;	/* 2 * LIM_STDERR bytes */
	const char	*what;		/* TOLD: "write", "popen w" */
	char		 name[STREAM_NAME];
	size_t		 nname;
};

static struct stream *
new_stream(struct live *l, enum stream_kind kind, struct str name)
{
	struct stream *s = mem_zalloc(l->mem, sizeof *s);

	s->live = l;
	s->kind = kind;
	s->fd = s->err.r = s->err.w = -1;
	buf_init(&s->buf, l->mem);
	s->nname = name.n < sizeof s->name ? name.n : sizeof s->name;
	if (s->nname > 0)
		memcpy(s->name, name.p, s->nname);
	s->next = l->streams;
	l->streams = s;
	return s;
}

static void
free_stream(struct stream *s)
{
	struct live *l = s->live;
	struct stream **at;

	for (at = &l->streams; *at != s; at = &(*at)->next)
		;
	*at = s->next;
	if (s->fd != -1)
		close(s->fd);
	tap_drop(&s->err);
	if (s->kid != NULL)
		kid_free(l, s->kid);
	if (s->err_tail != NULL)
		mem_free(l->mem, s->err_tail, 2 * LIM_STDERR);
	if (s->reader.mem != NULL)
		reader_free(&s->reader);
	buf_free(&s->buf);
	mem_free(l->mem, s, sizeof *s);
}

/* For the reader, and for writes: until the process can go on with us. */
static bool
wait_stream(struct stream *s, short events)
{
	struct pollfd p[3];
	nfds_t n;

	for (;;) {
		n = 0;
		p[n++] = (struct pollfd){ .fd = s->fd, .events = events };
		if (s->err.r != -1)
			p[n++] = (struct pollfd){ .fd = s->err.r,
			    .events = POLLIN };
		if (live_poll(s->live, p, n, INFINITY, true) == -1)
			return false;
		if (n > 1 && p[1].revents != 0)
			tap_drain(&s->err);
		if (p[0].revents != 0)
			return true;
	}
}

static bool
wait_read(void *ctx, int fd)
{
	(void)fd;
	return wait_stream(ctx, POLLIN);
}

/* The pipe's ends and the child; what is left open is the stream's. */
static bool
start(struct live *l, struct stream *s, struct spawn *sp)
{
	int fd[2], ours = s->kind == PROC_READ ? 0 : 1, out = -1, status;
	bool good;

	if (!tap_open(l, &s->err) || !fd_pipe(l, fd))
		return false;
	s->fd = fd[ours];
	fcntl(s->fd, F_SETFL, fcntl(s->fd, F_GETFL) | O_NONBLOCK);
	if (s->kind == PROC_READ)
		sp->fd[1] = fd[1];
	else {
		/* as with popen(3): it writes where we write */
		sp->fd[0] = fd[0];
		if (l->o.out_fd != -1)
			out = fcntl(l->o.out_fd, F_DUPFD_CLOEXEC, 3);
		sp->fd[1] = out;
	}
	sp->fd[2] = s->err.w;
	good = kid_start(l, s->kid, sp, &status);
	close(fd[1 - ours]);
	if (out != -1)
		close(out);
	return good;
}

struct stream *
stream_popen(void *h, const struct command *c, int mode)
{
	struct live *l = h;
	struct spawn sp;
	struct stream *s;
	char why[LIM_WHY];

	if (mode == 'w')
		l->effects++;
	if (!exec_prepare(l, c, &sp))
		return NULL;
	s = new_stream(l, mode == 'w' ? PROC_WRITE : PROC_READ, c->show);
	s->err_tail = mem_alloc(l->mem, 2 * LIM_STDERR);
	s->err.tail = (struct tail){ .p = s->err_tail, .keep = LIM_STDERR };
	s->kid = kid_new(l, c->show);
	if (mode == 'w') {
		buf_room(&s->buf, STREAM_BLOCK);
		live_did(l, "popen w", c->show);
	}
	if (!start(l, s, &sp)) {
		strcpy(why, l->why);
		log_end(l, "popen", why, c->show);
		free_stream(s);
		return NULL;
	}
	if (mode == 'r')
		reader_init(&s->reader, l->mem, s->fd, l->o.line_max,
		    wait_read, s);
	log_command(l, mode == 'w' ? "popen w" : "popen r", c->show);
	return s;
}

struct stream *
stream_fopen(void *h, struct str path, int mode)
{
	struct live *l = h;
	struct stream *s;
	struct stat st;

	s = new_stream(l, mode == 'r' ? FILE_READ : FILE_WRITE, path);
	if (mode == 'r')
		s->fd = path_open_read(l, path, &st);
	else {
		l->effects++;
		buf_room(&s->buf, STREAM_BLOCK);
		live_did(l, mode == 'a' ? "append to" : "write", path);
		s->fd = path_open_write(l, path, mode);
	}
	if (s->fd == -1) {
		free_stream(s);
		return NULL;
	}
	if (mode == 'r')
		reader_init(&s->reader, l->mem, s->fd, l->o.line_max,
		    S_ISFIFO(st.st_mode) ? wait_read : NULL, s);
	return s;
}

struct stream *
stream_told(struct live *l, const char *what, struct str name)
{
	struct stream *s = new_stream(l, TOLD, name);

	s->what = what;
	return s;
}

enum read_result
stream_read(void *h, struct stream *s, struct str *line, size_t *len)
{
	struct live *l = h;

	*line = STR_EMPTY;
	*len = 0;
	if (s->kind != FILE_READ && s->kind != PROC_READ) {
		live_fail(l, "not open for reading");
		return READ_FAILED;
	}
	switch (reader_line(&s->reader, line)) {
	case READER_LINE:
		*len = line->n + s->reader.had_newline;
		return READ_LINE;
	case READER_END:
		s->ended = true;
		return READ_END;
	case READER_FAILED:
		live_fail(l, "%.*s: %s", (int)s->nname, s->name,
		    strerror(errno));
		return READ_FAILED;
	case READER_STOPPED:
		break;
	}
	live_stop(l);
	return READ_FAILED;
}

/* All of it, waiting with the run's deadline where it is a process. */
static bool
write_all(struct stream *s, const char *p, size_t n)
{
	ssize_t done;

	if (s->broken) {
		live_fail(s->live, "%.*s: writing failed before",
		    (int)s->nname, s->name);
		return false;
	}
	while (n > 0) {
		done = write(s->fd, p, n);
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		} else if (done == -1 && errno == EAGAIN) {
			if (!wait_stream(s, POLLOUT)) {
				live_stop(s->live);
				s->broken = true;
				return false;
			}
		} else if (done == 0 || errno != EINTR) {
			live_fail(s->live, "%.*s: %s", (int)s->nname, s->name,
			    strerror(done == 0 ? ENOSPC : errno));
			s->broken = true;
			return false;
		}
	}
	return true;
}

bool
stream_flush(void *h, struct stream *s)
{
	size_t n = s->buf.n;

	(void)h;
	buf_clear(&s->buf);
	return n == 0 || s->kind == TOLD || write_all(s, s->buf.p, n);
}

bool
stream_write(void *h, struct stream *s, struct str text)
{
	struct live *l = h;

	text = str_shown(text);
	switch (s->kind) {
	case TOLD:
		if (str_ends(text, "\n"))
			text.n--;
		dry_tell(l, s->what, str_of(s->name, s->nname), text);
		return true;
	case FILE_WRITE:
	case PROC_WRITE:
		break;
	default:
		live_fail(l, "not open for writing");
		return false;
	}
	if (s->buf.n + text.n > STREAM_BLOCK && !stream_flush(h, s))
		return false;
	if (text.n > STREAM_BLOCK)
		return write_all(s, text.p, text.n);
	buf_add(&s->buf, text.p, text.n);
	return true;
}

bool
stream_eof(void *h, struct stream *s)
{
	(void)h;
	return s->ended;
}

/* The exit status of the process; it is ended if it does not end. */
static int
close_process(struct live *l, struct stream *s, bool early)
{
	struct tap *const tap[KID_TAPS] = { &s->err, NULL };
	struct kid *k = s->kid;
	char how[32];
	int status;

	if (early || kid_wait(l, k, tap, INFINITY, true) != 1)
		kid_end(l, k, tap, WAIT_CLOSED);
	else
		kid_reap(k);
	/* what it wrote before it ended is there: no wait for others */
	tap_close(l, &s->err, live_now());
	status = k->status;
	kid_how(k, how);
	log_end(l, "popen", how, str_of(k->show, k->nshow));
	log_said(l, status == 0 || early ? LOG_INFO : LOG_WARNING,
	    tail_text(&s->err.tail));
	return status;
}

static void
log_cut(struct live *l, const struct stream *s)
{
	char text[STREAM_NAME + 100];
	int n = snprintf(text, sizeof text, "%.*s: %zu line%s longer than %zu "
	    "bytes: the rest was cut", (int)s->nname, s->name, s->reader.ncut,
	    s->reader.ncut == 1 ? "" : "s", s->reader.line_max);

	log_line(l, LOG_WARNING, str_of(text, (size_t)n));
}

int
stream_close(void *h, struct stream *s)
{
	struct live *l = h;
	bool good = true;
	int status = 0;

	if (s->kind == FILE_WRITE || s->kind == PROC_WRITE)
		good = stream_flush(l, s);
	if (s->fd != -1 && close(s->fd) != 0 && errno != EINTR &&
	    s->kind == FILE_WRITE && good) {
		/* file servers tell of a full disk only here */
		live_fail(l, "%.*s: %s", (int)s->nname, s->name,
		    strerror(errno));
		good = false;
	}
	s->fd = -1;
	if (s->reader.ncut > 0)
		log_cut(l, s);
	if (s->kid != NULL)
		status = close_process(l, s,
		    s->kind == PROC_READ && !s->ended);
	else if (!good)
		status = -1;
	free_stream(s);
	return status;
}

void
stream_close_fds(struct live *l)
{
	struct stream *s;

	for (s = l->streams; s != NULL; s = s->next) {
		if (s->kind == FILE_WRITE || s->kind == PROC_WRITE)
			stream_flush(l, s);
		if (s->fd != -1)
			close(s->fd);
		s->fd = -1;
		tap_drop(&s->err);
	}
}

void
stream_free_all(struct live *l)
{
	while (l->streams != NULL)
		free_stream(l->streams);
}
