/*
 * kid: see kid.h.
 *
 * A child that has exited is looked at with WNOWAIT and reaped last: until
 * then its number is its own, so a signal to it or to its group cannot hit
 * somebody else.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/effect/kid.h"
#include "engine/effect/proc.h"

#define TICK_FIRST	0.001		/* seconds between looks at a child where */
#define TICK_LAST	0.05		/* there are no pidfds: doubled up to this */

#ifndef SYS_pidfd_open
#define SYS_pidfd_open	434		/* the same on every architecture */
#endif

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

static void
drain(struct tap *const tap[KID_TAPS])
{
	int i;

	for (i = 0; i < KID_TAPS && tap[i] != NULL; i++)
		tap_drain(tap[i]);
}

int
kid_wait(struct live *l, struct kid *k, struct tap *const tap[KID_TAPS], double until,
    bool heed)
{
	struct pollfd p[1 + KID_TAPS + 1];
	double tick = TICK_FIRST, t, now;
	nfds_t n;
	int r, i;

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
		for (i = 0; i < KID_TAPS && tap[i] != NULL; i++)
			if (tap[i]->r != -1)
				p[n++] = (struct pollfd){ .fd = tap[i]->r,
				    .events = POLLIN };
		r = live_poll(l, p, n, t, heed);
		drain(tap);
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
wait_all(struct live *l, struct tap *const tap[KID_TAPS], double until)
{
	struct kid *k;

	for (k = l->kids; k != NULL; k = k->next)
		if (k->ending)
			kid_wait(l, k, tap, until, false);
}

void
kids_end(struct live *l, struct tap *const tap[KID_TAPS], double grace)
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
				drain(tap);
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
kid_end(struct live *l, struct kid *k, struct tap *const tap[KID_TAPS], double grace)
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
