/*
 * kid: see kid.h.
 *
 * A child that has exited is looked at with WNOWAIT and reaped last: until
 * then its number is its own, so a signal to it or to its group cannot hit
 * somebody else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/effect/kid.h"
#include "engine/effect/proc.h"

#define DRAIN_BLOCK	(16 * 1024)
#define DRAIN_BLOCKS	64		/* at once: who writes without end must not
					 * keep us from looking at the clock */
#define TICK_FIRST	0.001		/* seconds between looks at a child where */
#define TICK_LAST	0.05		/* there are no pidfds: doubled up to this */

#ifndef SYS_pidfd_open
#define SYS_pidfd_open	434		/* the same on every architecture */
#endif

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

/* Moved above 2, where it cannot be what a child's place is made for. */
static int
high(int fd)
{
	int to;

	if (fd == -1 || fd > 2)
		return fd;
	to = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	close(fd);
	return to;
}

bool
kid_pipe(struct live *l, int fd[2])
{
	if (pipe2(fd, O_CLOEXEC) == 0) {
		fd[0] = high(fd[0]);
		fd[1] = high(fd[1]);
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
tap_open(struct live *l, struct tap *t, char *p, size_t keep)
{
	char name[32];
	int fd[2], both;

	*t = (struct tap){ .r = -1, .w = -1, .tail = { .p = p, .keep = keep } };
	if (!kid_pipe(l, fd))
		return false;
	t->r = fd[0];
	t->w = fd[1];
	fcntl(t->r, F_SETFL, O_NONBLOCK);
	/* without /proc it is an ordinary pipe */
	snprintf(name, sizeof name, "/proc/self/fd/%d", t->w);
	both = high(open(name, O_RDWR | O_CLOEXEC));
	if (both != -1) {
		close(t->w);
		t->w = both;
	}
	return true;
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
			tail_add(&t->tail, block, (size_t)n);
		else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
			close(t->r);
			t->r = -1;
			return false;
		} else if (errno == EAGAIN)
			break;
	}
	return true;
}

void
tap_close(struct live *l, struct tap *t, double wait)
{
	struct pollfd p[2];
	double until;
	int flags;

	tap_drain(t);
	if (t->w != -1) {
		flags = fcntl(t->w, F_GETFL);
		fcntl(t->w, F_SETFL, flags | O_NONBLOCK);
		close(t->w);
		t->w = -1;
	}
	for (until = live_now() + wait; tap_drain(t); ) {
		p[0] = (struct pollfd){ .fd = t->r, .events = POLLIN };
		if (live_poll(l, p, 1, until, false) <= 0 ||
		    live_now() >= until)
			break;
	}
	if (t->r != -1)
		close(t->r);
	t->r = -1;
}

struct kid *
kid_new(struct live *l, struct str show)
{
	struct kid *k = mem_zalloc(l->mem, sizeof *k);

	k->pidfd = -1;
	k->ended = true;		/* nothing to wait for yet */
	k->nshow = show.n < sizeof k->show ? show.n : sizeof k->show;
	if (k->nshow > 0)
		memcpy(k->show, show.p, k->nshow);
	k->next = l->kids;
	l->kids = k;
	return k;
}

void
kid_free(struct live *l, struct kid *k)
{
	struct kid **at;

	for (at = &l->kids; *at != k; at = &(*at)->next)
		;
	*at = k->next;
	if (k->pidfd != -1)
		close(k->pidfd);
	if (k->go)
		l->ngo--;
	mem_free(l->mem, k, sizeof *k);
}

bool
kid_start(struct live *l, struct kid *k, const struct spawn *s, int *status)
{
	struct spawn_result res;

	if (!spawn_start(s, &res)) {
		*status = k->status = res.status;
		live_fail(l, "%s", res.why);
		return false;
	}
	*status = 0;
	if (res.pid == 0) {
		k->pid = res.detached;
		return true;
	}
	k->pid = res.pid;
	k->ended = false;
	k->pidfd = (int)syscall(SYS_pidfd_open, res.pid, 0);
	return true;
}

static bool
exited(const struct kid *k)
{
	siginfo_t si;

	if (k->ended)
		return true;
	memset(&si, 0, sizeof si);
	/* an error is ECHILD: somebody else has reaped it */
	return waitid(P_PID, (id_t)k->pid, &si, WEXITED | WNOHANG | WNOWAIT) !=
	    0 || si.si_pid != 0;
}

int
kid_wait(struct live *l, struct kid *k, struct tap *tap, double until,
    bool heed)
{
	struct pollfd p[3];
	double tick = TICK_FIRST, t, now;
	nfds_t n;
	int r;

	for (;;) {
		if (exited(k))
			return 1;
		n = 0;
		t = until;
		if (k->pidfd != -1)
			p[n++] = (struct pollfd){ .fd = k->pidfd,
			    .events = POLLIN };
		else {
			now = live_now();
			if (t > now + tick)
				t = now + tick;
			tick = 2 * tick < TICK_LAST ? 2 * tick : TICK_LAST;
		}
		if (tap != NULL && tap->r != -1)
			p[n++] = (struct pollfd){ .fd = tap->r,
			    .events = POLLIN };
		r = live_poll(l, p, n, t, heed);
		if (tap != NULL)
			tap_drain(tap);
		if (r == -1)
			return exited(k) ? 1 : -1;
		if (live_now() >= until)
			return exited(k) ? 1 : 0;
	}
}

void
kid_reap(struct kid *k)
{
	pid_t pid;
	int w = 0;

	if (k->ended)
		return;
	while ((pid = waitpid(k->pid, &w, WNOHANG)) == -1 && errno == EINTR)
		;
	if (pid == 0) {
		k->status = 128 + SIGKILL;	/* stuck in the kernel */
		k->signalled = true;
		return;
	}
	k->ended = true;
	k->status = pid == k->pid ? spawn_status(w) : 128;
	k->signalled = pid == k->pid && WIFSIGNALED(w);
}

static void
wait_all(struct live *l, struct tap *tap, double until)
{
	struct kid *k;

	for (k = l->kids; k != NULL; k = k->next)
		if (k->ending)
			kid_wait(l, k, tap, until, false);
}

void
kids_end(struct live *l, struct tap *tap, double grace)
{
	struct pollfd none[1];
	bool some = false;
	struct kid *k;
	double until;

	wait_all(l, tap, live_now() + grace);
	for (k = l->kids; k != NULL; k = k->next)
		if (k->ending && !exited(k)) {
			k->killed = some = true;
			spawn_signal(k->pid, SIGTERM);
		}
	if (some) {
		until = live_now() + WAIT_TERM;
		wait_all(l, tap, until);
		/* the rest of a group gets its time, too */
		for (k = l->kids; k != NULL; k = k->next)
			while (k->ending && k->killed && live_now() < until &&
			    proc_group_others(k->pid)) {
				live_poll(l, none, 0, live_now() + TICK_LAST,
				    false);
				if (tap != NULL)
					tap_drain(tap);
			}
		for (k = l->kids; k != NULL; k = k->next)
			if (k->ending && k->killed)
				spawn_signal(k->pid, SIGKILL);
		wait_all(l, tap, live_now() + WAIT_KILL);
	}
	for (k = l->kids; k != NULL; k = k->next)
		if (k->ending) {
			kid_reap(k);
			k->ending = false;
		}
}

void
kid_end(struct live *l, struct kid *k, struct tap *tap, double grace)
{
	k->ending = true;
	kids_end(l, tap, grace);
}

const char *
kid_how(const struct kid *k, char to[32])
{
	if (k->signalled)
		snprintf(to, 32, "signal %d", k->status - 128);
	else
		snprintf(to, 32, "exit %d", k->status);
	return to;
}

void
kids_look(struct live *l)
{
	struct kid *k, *next;
	char how[32];

	for (k = l->kids; k != NULL; k = next) {
		next = k->next;
		if (!k->go || !exited(k))
			continue;
		kid_reap(k);
		log_end(l, "exec", kid_how(k, how), str_of(k->show, k->nshow));
		kid_free(l, k);
	}
}
