/*
 * tap: see tap.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/effect/state.h"

#define DRAIN_BLOCK	(16 * 1024)
#define DRAIN_BLOCKS	64		/* at once: who writes without end must not
					 * keep us from looking at the clock */

void
tail_add(struct tail *t, const char *p, size_t n)
{
	if (n > t->keep) {
		t->cut = true;
		p += n - t->keep;
		n = t->keep;
	}
	if (t->n + n > 2 * t->keep) {
		size_t old = t->keep - n;

		memmove(t->p, t->p + t->n - old, old);
		t->n = old;
		t->cut = true;
	}
	memcpy(t->p + t->n, p, n);
	t->n += n;
}

struct str
tail_text(const struct tail *t)
{
	struct str s = str_of(t->p, t->n);
	size_t nl;

	if (s.n > t->keep)
		s = str_of(t->p + t->n - t->keep, t->keep);
	else if (!t->cut)
		return s.n == 0 ? STR_EMPTY : s;
	nl = str_find(s, '\n', 0);
	return nl + 1 >= s.n ? s : str_of(s.p + nl + 1, s.n - nl - 1);
}

struct str
tail_line(const struct tail *t)
{
	struct str s = str_trim(str_of(t->p, t->n));
	const char *nl = s.n == 0 ? NULL : memrchr(s.p, '\n', s.n);

	if (nl == NULL)
		return s.n == 0 ? STR_EMPTY : s;
	return str_of(nl + 1, s.n - (size_t)(nl + 1 - s.p));
}

int
fd_high(int fd)
{
	int to;

	if (fd == -1 || fd > 2)
		return fd;
	to = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	close(fd);
	return to;
}

bool
fd_pipe(struct live *l, int fd[2])
{
	if (pipe2(fd, O_CLOEXEC) == 0) {
		fd[0] = fd_high(fd[0]);
		fd[1] = fd_high(fd[1]);
		if (fd[0] != -1 && fd[1] != -1)
			return true;
		live_fail(l, "cannot make a pipe: %s", strerror(errno));
		close(fd[0]);
		close(fd[1]);
	} else
		live_fail(l, "cannot make a pipe: %s", strerror(errno));
	fd[0] = fd[1] = -1;
	return false;
}

bool
tap_open(struct live *l, struct tap *t)
{
	char name[32];
	int fd[2], both;

	t->r = t->w = -1;
	t->tail.n = 0;
	t->tail.cut = t->over = false;
	if (!fd_pipe(l, fd))
		return false;
	t->r = fd[0];
	t->w = fd[1];
	fcntl(t->r, F_SETFL, O_NONBLOCK);
	/* without /proc it is an ordinary pipe */
	snprintf(name, sizeof name, "/proc/self/fd/%d", t->w);
	both = fd_high(open(name, O_RDWR | O_CLOEXEC));
	if (both != -1) {
		close(t->w);
		t->w = both;
	}
	return true;
}

static void
keep(struct tap *t, const char *p, size_t n)
{
	size_t room;

	if (t->all == NULL) {
		tail_add(&t->tail, p, n);
		return;
	}
	room = t->all->n < t->max ? t->max - t->all->n : 0;
	if (n > room) {
		t->over = true;
		n = room;
	}
	buf_add(t->all, p, n);
}

bool
tap_drain(struct tap *t)
{
	char block[DRAIN_BLOCK];
	ssize_t n;
	int i;

	if (t->r == -1)
		return false;
	for (i = 0; i < DRAIN_BLOCKS; i++) {
		n = read(t->r, block, sizeof block);
		if (n > 0)
			keep(t, block, (size_t)n);
		else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
			close(t->r);
			t->r = -1;
			return false;
		} else if (errno == EAGAIN)
			break;
	}
	return true;
}

/* Who still holds the writing end goes on without us: never blocked. */
static void
let_go(struct tap *t)
{
	if (t->w == -1)
		return;
	fcntl(t->w, F_SETFL, fcntl(t->w, F_GETFL) | O_NONBLOCK);
	close(t->w);
	t->w = -1;
}

void
tap_close(struct live *l, struct tap *t, double until)
{
	struct pollfd p[2];

	let_go(t);
	while (tap_drain(t)) {
		p[0] = (struct pollfd){ .fd = t->r, .events = POLLIN };
		if (live_poll(l, p, 1, until, false) <= 0 ||
		    live_now() >= until)
			break;
	}
	tap_drop(t);
}

void
tap_drop(struct tap *t)
{
	let_go(t);
	if (t->r != -1)
		close(t->r);
	t->r = -1;
}
