/*
 * children: starts and reaps.  Nothing here allocates: what posix_spawn is
 * told is made at the start, with fixed numbers of ours (slots) for the
 * descriptors that a child gets, which are filled anew for each.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/daemon/daemon.h"
#include "engine/vm/clock.h"

#define SLOT		10	/* our number of a child's descriptor 0 */
#define NSLOT		6
#define NFIXED		3	/* 0 to 2 are always there */
#define NSHAPE		(1 << (NSLOT - NFIXED))
#define LIM_SPARE	16	/* descriptors in reserve: three runs with their
				 * outputs, a client of the control socket, and
				 * what a reload needs */

extern char **environ;

static posix_spawn_file_actions_t shape[NSHAPE];
static posix_spawnattr_t attr, attr_apart;
static bool adjusted;	/* we have another oom_score_adj than we were given */
static int adj;		/* that */
static int calm, urgent;	/* nice; the same where it cannot be raised */
static int spare[LIM_SPARE];
static int null = -1;

/* Memory is there at the start, or there is nothing to go on with. */
static bool
make_shapes(void)
{
	sigset_t all, none;
	unsigned s;
	int i, bad = 0;

	for (s = 0; s < NSHAPE; s++) {
		bad |= posix_spawn_file_actions_init(&shape[s]);
		for (i = 0; i < NSLOT; i++)
			if (i < NFIXED || (s >> (i - NFIXED) & 1))
				bad |= posix_spawn_file_actions_adddup2(
				    &shape[s], SLOT + i, i);
	}
	sigemptyset(&none);
	sigfillset(&all);
	bad |= posix_spawnattr_init(&attr);
	bad |= posix_spawnattr_setsigdefault(&attr, &all);
	bad |= posix_spawnattr_setsigmask(&attr, &none);
	bad |= posix_spawnattr_setpgroup(&attr, 0);
	attr_apart = attr;
	bad |= posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF |
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	/* it makes its session itself: we wait for its exec, and where the
	 * kernel shares out its time by sessions that is as slow as theirs */
	bad |= posix_spawnattr_setflags(&attr_apart, POSIX_SPAWN_SETSIGDEF |
	    POSIX_SPAWN_SETSIGMASK);
	return bad == 0;
}

bool
children_init(struct daemon *d)
{
	int i;

	(void)d;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null == -1)
		return false;
	for (i = 0; i < NSLOT; i++)
		if (dup3(null, SLOT + i, O_CLOEXEC) == -1)
			return false;
	for (i = 0; i < LIM_SPARE; i++)
		spare[i] = -1;
	children_refill(d);
	return make_shapes();
}

bool
children_hurry(int nice)
{
	calm = getpriority(PRIO_PROCESS, 0);
	urgent = calm;
	if (calm <= nice)
		return true;
	if (setpriority(PRIO_PROCESS, 0, nice) != 0)
		return false;
	urgent = nice;
	return true;
}

bool
children_spare(struct daemon *d)
{
	int i, n = 0;

	(void)d;
	for (i = 0; i < LIM_SPARE && n < 3; i++)
		if (spare[i] != -1) {
			(void)close(spare[i]);
			spare[i] = -1;
			n++;
		}
	return n > 0;
}

void
children_refill(struct daemon *d)
{
	int i;

	(void)d;
	for (i = 0; i < LIM_SPARE; i++) {
		if (spare[i] == -1)
			spare[i] = fcntl(null, F_DUPFD_CLOEXEC, 3);
		if (spare[i] == -1)
			return;
	}
}

void
children_adjusted(int was)
{
	adjusted = true;
	adj = was;
}

/* What the kernel may end first when memory is short: all but who is needed to
 * tell of that. */
static void
ordinary(pid_t pid)
{
	char path[40], text[16];
	int fd, n;

	(void)snprintf(path, sizeof path, "/proc/%ld/oom_score_adj",
	    (long)pid);
	n = snprintf(text, sizeof text, "%d", adj);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd != -1) {
		(void)!write(fd, text, (size_t)n);
		(void)close(fd);
	}
}

struct child *
children_start(struct daemon *d, const struct start *s)
{
	struct child *c;
	unsigned mask = 0;
	int i, fd, error = 0;
	pid_t pid;

	for (c = d->child; c < d->child + LIM_CHILDREN && c->pid != 0; c++)
		;
	if (c == d->child + LIM_CHILDREN) {
		errno = EAGAIN;
		return NULL;
	}
	for (i = 0; i < NSLOT && error == 0; i++) {
		fd = s->fd[i] == -1 ? null : s->fd[i];
		if (i >= NFIXED && s->fd[i] != -1)
			mask |= 1u << (i - NFIXED);
		if (dup3(fd, SLOT + i, O_CLOEXEC) == -1)
			error = errno;
	}
	if (urgent < calm && !s->urgent)
		(void)setpriority(PRIO_PROCESS, 0, calm);
	if (error == 0)
		error = posix_spawn(&pid, s->path, &shape[mask], s->apart ?
		    &attr_apart : &attr, s->argv, environ);
	if (urgent < calm && !s->urgent)
		(void)setpriority(PRIO_PROCESS, 0, urgent);
	/* a pipe that stays open here would never end */
	for (i = 0; i < NSLOT; i++)
		(void)dup3(null, SLOT + i, O_CLOEXEC);
	if (error != 0) {
		errno = error;
		return NULL;
	}
	if (adjusted && !s->precious)
		ordinary(pid);
	*c = (struct child){ pid, s->ended, s->arg, s->what, clock_steady() };
	return c;
}

void
children_reap(struct daemon *d)
{
	struct child *c, was;
	struct rusage used;
	pid_t pid;
	int w;

	while ((pid = wait4(-1, &w, WNOHANG, &used)) > 0) {
		for (c = d->child; c < d->child + LIM_CHILDREN; c++)
			if (c->pid == pid)
				break;
		/* others were a killed runner's and have come to us */
		if (c == d->child + LIM_CHILDREN)
			continue;
		was = *c;
		c->pid = 0;
		if (was.ended != NULL)
			was.ended(&was, w, &used);
	}
	children_refill(d);
}
