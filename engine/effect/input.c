/*
 * input: the lines that a script reads: of a command, a file or a descriptor,
 * through a filter if there is one (live.h).  Why here and not in
 * engine/input: it starts and ends processes as the host does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/effect/kid.h"

#define LIM_COMPLAINT	160	/* bytes of a command's last words that people
				 * are shown: the log has more of them */

struct live_input {
	struct live_input *next;
	struct live	*live;
	struct reader	 reader;
	int		 fd;		/* that the reader reads */
	bool		 borrowed;	/* and that is not ours */
	struct kid	*kid[2];	/* command, filter; NULL: none */
	struct tap	 err;		/* standard error of both */
	char		*err_tail;	/* 2 * LIM_STDERR bytes */
	int		 status;	/* of lines that are written down */
};

enum { COMMAND, FILTER };

static void
free_input(struct live_input *in)
{
	struct live *l = in->live;
	struct live_input **at;
	int i;

	for (at = &l->inputs; *at != in; at = &(*at)->next)
		;
	*at = in->next;
	if (in->fd != -1 && !in->borrowed)
		close(in->fd);
	tap_drop(&in->err);
	for (i = COMMAND; i <= FILTER; i++)
		if (in->kid[i] != NULL)
			kid_free(l, in->kid[i]);
	if (in->err_tail != NULL)
		mem_free(l->mem, in->err_tail, 2 * LIM_STDERR);
	if (in->reader.mem != NULL)
		reader_free(&in->reader);
	mem_free(l->mem, in, sizeof *in);
}

/* With all that is allocated, before anything is opened. */
static struct live_input *
new_input(struct live *l, const struct command *c, const struct command *filter)
{
	struct live_input *in = mem_zalloc(l->mem, sizeof *in);

	in->live = l;
	in->fd = in->err.r = in->err.w = -1;
	in->next = l->inputs;
	l->inputs = in;
	if (c != NULL)
		in->kid[COMMAND] = kid_new(l, c->show);
	if (filter != NULL)
		in->kid[FILTER] = kid_new(l, filter->show);
	if (c != NULL || filter != NULL) {
		in->err_tail = mem_alloc(l->mem, 2 * LIM_STDERR);
		in->err.tail = (struct tail){ .p = in->err_tail,
		    .keep = LIM_STDERR };
	}
	return in;
}

static bool
wait_input(void *ctx, int fd)
{
	struct live_input *in = ctx;
	struct pollfd p[3];
	nfds_t n;

	for (;;) {
		n = 0;
		p[n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
		if (in->err.r != -1)
			p[n++] = (struct pollfd){ .fd = in->err.r,
			    .events = POLLIN };
		if (live_poll(in->live, p, n, INFINITY, true) == -1)
			return false;
		if (n > 1 && p[1].revents != 0)
			tap_drain(&in->err);
		if (p[0].revents != 0)
			return true;
	}
}

/* For what is always ready: a long file must not outlast the deadline. */
static bool
look_input(void *ctx, int fd)
{
	struct live_input *in = ctx;

	(void)fd;
	return !live_stop(in->live);
}

/*
 * Starts one of the two; it reads from `from` (-1: nothing), which is closed.
 * Returns where its output comes, or -1.
 */
static int
start(struct live_input *in, int which, const struct command *c, int from)
{
	static const char *const what[] = { "input", "filter" };
	struct live *l = in->live;
	struct spawn s;
	int fd[2] = { -1, -1 }, status;
	bool good = exec_prepare(l, c, &s) && fd_pipe(l, fd);

	if (good) {
		s.fd[0] = from;
		s.fd[1] = fd[1];
		s.fd[2] = in->err.w;
		good = kid_start(l, in->kid[which], &s, &status);
		close(fd[1]);
	}
	if (from != -1)
		close(from);
	if (good) {
		log_command(l, what[which], c->show);
		return fd[0];
	}
	if (fd[0] != -1)
		close(fd[0]);
	return -1;
}

static struct live_input *
give_up(struct live_input *in)
{
	struct live *l = in->live;
	struct tap *const tap[KID_TAPS] = { &in->err, NULL };
	char why[LIM_WHY];

	strcpy(why, l->why);
	if (in->fd != -1 && !in->borrowed)
		close(in->fd);
	in->fd = -1;
	if (in->kid[COMMAND] != NULL)
		kid_end(l, in->kid[COMMAND], tap, 0);
	strcpy(l->why, why);
	log_end(l, "input", why, STR_EMPTY);
	free_input(in);
	return NULL;
}

static struct live_input *
ready(struct live_input *in, bool polled)
{
	struct live *l = in->live;

	reader_init(&in->reader, l->mem, in->fd, l->o.line_max,
	    polled ? wait_input : look_input, in);
	return in;
}

/* The filter over what is open so far. */
static struct live_input *
filtered(struct live_input *in, const struct command *filter, int from)
{
	if (!tap_open(in->live, &in->err)) {
		close(from);
		return give_up(in);
	}
	in->fd = start(in, FILTER, filter, from);
	return in->fd == -1 ? give_up(in) : ready(in, true);
}

struct live_input *
input_open_command(struct live *l, const struct command *c,
    const struct command *filter)
{
	struct live_input *in = new_input(l, c, filter);

	if (!tap_open(l, &in->err))
		return give_up(in);
	in->fd = start(in, COMMAND, c, -1);
	if (in->fd != -1 && filter != NULL)
		in->fd = start(in, FILTER, filter, in->fd);
	return in->fd == -1 ? give_up(in) : ready(in, true);
}

struct live_input *
input_open_file(struct live *l, struct str path, const struct command *filter)
{
	struct live_input *in = new_input(l, NULL, filter);
	struct stat st;
	int fd = fd_high(path_open_read(l, path, &st));

	if (fd == -1)
		return give_up(in);
	if (filter != NULL) {
		/* programs do not expect a descriptor that does not wait */
		fcntl(fd, F_SETFL, 0);
		return filtered(in, filter, fd);
	}
	in->fd = fd;
	return ready(in, S_ISFIFO(st.st_mode));
}

struct live_input *
input_open_fd(struct live *l, int fd, const struct command *filter)
{
	struct live_input *in = new_input(l, NULL, filter);
	struct stat st;

	if (fstat(fd, &st) != 0) {
		live_fail(l, "input: %s", strerror(errno));
		return give_up(in);
	}
	if (filter != NULL) {
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (fd == -1) {
			live_fail(l, "input: %s", strerror(errno));
			return give_up(in);
		}
		return filtered(in, filter, fd);
	}
	in->fd = fd;
	in->borrowed = true;
	return ready(in, !S_ISREG(st.st_mode));
}

struct live_input *
input_open_part(struct live *l, int fd, uint64_t limit)
{
	struct live_input *in = new_input(l, NULL, NULL);

	in->fd = fd;
	(void)ready(in, false);
	in->reader.left = limit;
	return in;
}

struct live_input *
input_open_through(struct live *l, char *const *argv, size_t argc, int fd)
{
	struct command c = { .argv = argv, .argc = argc,
	    .show = str_c(argv[0]) };
	struct live_input *in = new_input(l, &c, NULL);

	/* programs do not expect a descriptor that does not wait */
	fcntl(fd, F_SETFL, 0);
	if (!tap_open(l, &in->err)) {
		close(fd);
		return give_up(in);
	}
	in->fd = start(in, COMMAND, &c, fd);
	return in->fd == -1 ? give_up(in) : ready(in, true);
}

struct live_input *
input_open_text(struct live *l, struct str lines, int status)
{
	struct live_input *in = new_input(l, NULL, NULL);

	in->status = status;
	(void)ready(in, false);
	reader_text(&in->reader, lines);
	return in;
}

struct reader *
input_reader(struct live_input *in)
{
	return &in->reader;
}

/*
 * A status that says that the command did not do its work: it could not be
 * run, or a signal ended it, also where a shell tells of that.
 */
static bool
bad_status(int status)
{
	return status == SPAWN_NOT_RUN || status == SPAWN_NOT_FOUND ||
	    (status > 128 && status <= 128 + 64);
}

static bool
bad(const struct kid *k)
{
	return k->signalled || bad_status(k->status);
}

static void
judge(struct live_input *in, int which, struct input_end *end)
{
	static const char *const what[] = { "input", "filter" };
	const struct kid *k = in->kid[which], *f = in->kid[FILTER];
	struct str said = tail_line(&in->err.tail);
	struct buf *why = &in->live->line;	/* sized: no new memory */
	char how[32];

	if (k == NULL || !bad(k))
		return;
	/* a filter that has seen enough (head) ends what feeds it; one that
	 * does not notice (tail -f) is ended by us */
	if (which == COMMAND && f != NULL && !bad(f) &&
	    (k->status == 128 + SIGPIPE || k->killed))
		return;
	if (end->failed)
		return;
	end->failed = true;
	kid_how(k, how);
	snprintf(end->why, sizeof end->why, "%s command ended with %s%s",
	    what[which], how, said.n > 0 ? ": " : "");
	buf_clear(why);
	buf_escaped(why, said, sizeof end->why);
	strncat(end->why, buf_c(why),
	    sizeof end->why - strlen(end->why) - 1);
}

/*
 * `cat nosuch | awk ...` ends well: what it says is all that tells of lines
 * that are missing, so people hear the last of it.
 */
static void
complained(struct live *l, struct str said)
{
	char text[LIM_COMPLAINT + 64];
	int n;

	if (said.n == 0)
		return;
	if (said.n > LIM_COMPLAINT)
		said.n = LIM_COMPLAINT;
	n = snprintf(text, sizeof text, "the input command says: ");
	memcpy(text + n, said.p, said.n);
	log_line(l, LOG_WARNING, str_of(text, (size_t)n + said.n));
}

void
input_close(struct live_input *in, struct input_end *end)
{
	struct live *l = in->live;
	struct tap *const tap[KID_TAPS] = { &in->err, NULL };
	struct kid *c = in->kid[COMMAND], *f = in->kid[FILTER], *last;
	bool stopped = live_stop(l), early = !in->reader.at_end && !stopped;
	char how[32];
	int i;

	memset(end, 0, sizeof *end);
	if (in->fd != -1 && !in->borrowed)
		close(in->fd);
	in->fd = -1;
	/* at the end the last one is about to end by itself, and nobody
	 * reads any more from one before it */
	last = f != NULL ? f : c;
	if (!early && !stopped && last != NULL &&
	    kid_wait(l, last, tap, INFINITY, true) != 1)
		stopped = true;
	if (c != NULL)
		c->ending = true;
	if (f != NULL)
		f->ending = true;
	if (last != NULL)
		kids_end(l, tap, stopped ? 0 : WAIT_CLOSED);
	tap_close(l, &in->err, live_now());
	end->status = c == NULL ? in->status : c->status;
	end->filter_status = f == NULL ? 0 : f->status;

	if (stopped && live_stop(l)) {
		end->failed = true;
		snprintf(end->why, sizeof end->why, "%.199s", l->why);
	} else if (in->reader.error != 0) {
		end->failed = true;
		snprintf(end->why, sizeof end->why, "reading the input: %s",
		    strerror(in->reader.error));
	} else if (!early) {
		judge(in, FILTER, end);
		judge(in, COMMAND, end);
		if (!end->failed && bad_status(in->status)) {
			end->failed = true;
			snprintf(end->why, sizeof end->why, "input command "
			    "ended with status %d", in->status);
		}
	}
	for (i = COMMAND; i <= FILTER; i++)
		if (in->kid[i] != NULL)
			log_end(l, i == COMMAND ? "input" : "filter",
			    kid_how(in->kid[i], how), str_of(in->kid[i]->show,
			    in->kid[i]->nshow));
	if (in->err_tail != NULL) {
		log_said(l, end->failed ? LOG_WARNING : LOG_INFO,
		    tail_text(&in->err.tail));
		if (!end->failed)
			complained(l, tail_line(&in->err.tail));
	}
	free_input(in);
}

void
input_close_fds(struct live *l)
{
	struct live_input *in;

	for (in = l->inputs; in != NULL; in = in->next) {
		if (in->fd != -1 && !in->borrowed)
			close(in->fd);
		in->fd = -1;
		tap_drop(&in->err);
	}
}

void
input_free_all(struct live *l)
{
	while (l->inputs != NULL)
		free_input(l->inputs);
}
