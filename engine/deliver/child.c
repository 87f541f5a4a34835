#include "engine/deliver/child.h"
#include "engine/vm/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TICK		0.02	/* seconds between looks where there is no pidfd */
#define LOOK		1.0	/* seconds between looks otherwise */
#define LIM_KILLED	5.0	/* seconds after KILL; then the child is stuck in
				 * the kernel, and waiting helps nobody */

/* A descriptor above 2, as spawn_start wants it; the old one is closed. */
static int
above_two(int fd)
{
	int high;

	if (fd == -1 || fd > STDERR_FILENO)
		return fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(fd);
	return high;
}

/* A file without a name that holds the text, at its start; or -1. */
static int
text_file(struct str s)
{
	char name[] = "/tmp/picket.XXXXXX";
	size_t done;
	ssize_t n;
	int fd = -1;

#ifdef MFD_CLOEXEC
	fd = memfd_create("picket", MFD_CLOEXEC);
#endif
	if (fd == -1) {
		fd = mkostemp(name, O_CLOEXEC);
		if (fd != -1)
			unlink(name);
	}
	fd = above_two(fd);
	if (fd == -1)
		return -1;
	for (done = 0; done < s.n; done += (size_t)n) {
		n = write(fd, s.p + done, s.n - done);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			break;
	}
	if (done < s.n || lseek(fd, 0, SEEK_SET) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * The child's environment, from ours.  Not from the user database, which may
 * ask the network, and mail must go out when that does not answer.
 */
static void
environment(struct user *u, struct buf *text, const struct child *c)
{
	static const char *const ours[] = { "HOME", "LOGNAME", "USER", "TZ" };
	_Static_assert(USER_ENV >= sizeof ours / sizeof *ours + 4,
	    "PATH, LANG, PICKET_RUN_ID and the NULL");
	size_t at[USER_ENV], i, n = 0;
	const char *value;

	at[n++] = text->n;
	buf_puts(text, "PATH=");
	buf_str(text, c->path);
	buf_putc(text, '\0');
	/* what we send is UTF-8; mail programs ask the locale for that */
	at[n++] = text->n;
	buf_puts(text, "LANG=C.UTF-8");
	buf_putc(text, '\0');
	for (i = 0; i < sizeof ours / sizeof *ours; i++) {
		value = getenv(ours[i]);
		if (value == NULL)
			continue;
		at[n++] = text->n;
		buf_printf(text, "%s=%s", ours[i], value);
		buf_putc(text, '\0');
	}
	if (c->run_id.n > 0) {
		at[n++] = text->n;
		buf_puts(text, "PICKET_RUN_ID=");
		buf_str(text, c->run_id);
		buf_putc(text, '\0');
	}
	memset(u, 0, sizeof *u);
	u->uid = geteuid();
	u->gid = getegid();
	for (i = 0; i < n; i++)
		u->env[i] = text->p + at[i];
}

/*
 * The pipe for what it says.  Our writing end can be read, too, and what the
 * child leaves in the background shares it: when we go, a late word from
 * there fills a pipe that nobody reads, instead of ending who says it.
 */
static bool
output_pipe(int p[2])
{
	char name[32];
	int both;

	if (pipe2(p, O_CLOEXEC) == -1) {
		p[0] = p[1] = -1;
		return false;
	}
	/* without /proc it is an ordinary pipe */
	snprintf(name, sizeof name, "/proc/self/fd/%d", p[1]);
	both = open(name, O_RDWR | O_CLOEXEC);
	if (both != -1) {
		close(p[1]);
		p[1] = both;
	}
	p[0] = above_two(p[0]);
	p[1] = above_two(p[1]);
	return p[0] != -1 && p[1] != -1;
}

/* Reads a block; false if there is nothing now.  Beyond the limit it is dropped. */
static bool
take_output(int fd, struct buf *out, size_t max)
{
	char block[4096];
	ssize_t n;

	n = read(fd, block, sizeof block);
	if (n == -1)
		return errno == EINTR;
	if (n > 0 && (size_t)n > max - out->n)
		buf_add(out, block, max - out->n);
	else if (n > 0)
		buf_add(out, block, (size_t)n);
	return n > 0;
}

static int
open_pidfd(pid_t pid)
{
#ifdef SYS_pidfd_open
	return (int)syscall(SYS_pidfd_open, pid, 0);
#else
	(void)pid;
	return -1;
#endif
}

/* Waits for output or the end of the child, until `until` at most. */
static void
wait_for(int fd, int pidfd, double until, struct buf *out, size_t max)
{
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN },
	    { .fd = pidfd, .events = POLLIN } };
	double left = until - clock_steady();

	if (left < 0)
		left = 0;
	if (pidfd == -1 && left > TICK)
		left = TICK;
	else if (left > LOOK)		/* at c->stop */
		left = LOOK;
	if (poll(p, 2, (int)(left * 1000) + 1) > 0 && p[0].revents != 0)
		take_output(fd, out, max);
}

static void
wait_end(const struct child *c, pid_t pid, int fd, struct buf *out,
    struct child_end *e)
{
	static const struct {
		int	sig;
		double	wait;
	} step[] = { { SIGTERM, SPAWN_TERM_WAIT }, { SIGKILL, LIM_KILLED } };
	size_t max = out->n + (c->keep > 0 ? c->keep : LIM_CHILD_OUTPUT);
	size_t stage = 0;
	double until = clock_steady() + c->timeout;
	bool stopped = false;
	int pidfd = open_pidfd(pid), ws = 0;
	pid_t got;

	while ((got = waitpid(pid, &ws, WNOHANG)) == 0 ||
	    (got == -1 && errno == EINTR)) {
		if (!stopped && c->stop != NULL && *c->stop) {
			stopped = true;
			if (until > clock_steady() + CHILD_STOP)
				until = clock_steady() + CHILD_STOP;
		}
		if (clock_steady() >= until) {
			if (stage == sizeof step / sizeof *step)
				break;
			e->timed_out = true;
			spawn_signal(pid, step[stage].sig);
			until = clock_steady() + step[stage++].wait;
		}
		wait_for(fd, pidfd, until, out, max);
	}
	e->status = got == pid ? spawn_status(ws) : 128 + SIGKILL;
	while (out->n < max && take_output(fd, out, max))
		;
	if (pidfd != -1)
		close(pidfd);
}

void
child_run(const struct child *c, struct buf *out, struct child_end *e)
{
	struct spawn_result r;
	struct user user;
	struct buf text;
	int in, p[2] = { -1, -1 };
	/* execve's type is older than const; nothing writes to it */
	struct spawn s = { .argv = (char *const *)c->argv, .user = &user };
	size_t keep = c->keep > 0 ? c->keep : LIM_CHILD_OUTPUT;

	*e = (struct child_end){ .started = false };
	buf_room(out, keep);
	buf_init(&text, out->mem);
	environment(&user, &text, c);
	s.path = user.env[0] + sizeof "PATH=" - 1;
	in = text_file(c->input);
	if (in == -1 || !output_pipe(p)) {
		snprintf(e->why, sizeof e->why, "no input file or pipe: %s",
		    strerror(errno));
	} else {
		fcntl(p[0], F_SETFL, O_NONBLOCK);
		s.fd[0] = in;
		s.fd[1] = s.fd[2] = p[1];
		e->started = spawn_start(&s, &r);
		if (!e->started) {
			e->status = r.status;
			memcpy(e->why, r.why, sizeof e->why);
		}
	}
	if (in != -1)
		close(in);
	buf_free(&text);
	if (e->started)
		wait_end(c, r.pid, p[0], out, e);
	if (p[1] != -1) {
		/* shared with what goes on in the background: dropped, not
		 * waited for, when the pipe is full */
		fcntl(p[1], F_SETFL, O_NONBLOCK);
		close(p[1]);
	}
	if (p[0] != -1)
		close(p[0]);
}

struct str
child_last_line(struct str out)
{
	struct str s = str_trim(out);
	size_t i = s.n;

	while (i > 0 && s.p[i - 1] != '\n')
		i--;
	return str_trim(str_of(s.p + i, s.n - i));
}
