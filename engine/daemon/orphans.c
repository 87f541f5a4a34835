/*
 * orphans: what a run started and its runner did not end, because it was
 * killed.  The runner was their parent's parent, however they went about it
 * (PR_SET_CHILD_SUBREAPER); with it gone we are.  So they are found among our
 * own children: those that we did not start, with the run's id in their
 * environment, whose last number is the runner's pid.  What is detached has
 * no such id, and what a run that ended well has executed has another.
 *
 * What is ended may have children, which then come to us: so this looks again
 * until there is nothing more.  It starts no process and takes no memory:
 * what has to be ended may be a storm that has left neither.
 *
 * Those that did not come to us, as we were killed too, are found by
 * `picket-runner left`.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/daemon/daemon.h"

#define SWEEP_AGAIN	0.05	/* seconds */
#define LIM_SWEEP_SOON	100	/* times that often; then once in ten seconds */
#define SWEEP_SELDOM	10.0	/* seconds: some are stuck in the kernel */
#define LIM_SWEEP_LOOKS	50	/* in one turn of the loop: some milliseconds */
#define LIM_CHILDREN_TEXT 32768	/* bytes of pids in one look; more come in the
				 * next one */
#define LIM_ENVIRON	8192	/* bytes: that of a script's command is short */
#define LIM_DEAD	LIM_RUNS	/* runners that were killed and are
				 * being swept after */

static struct timer again;
static unsigned looks;
static pid_t dead[LIM_DEAD];
static unsigned ndead;

pid_t
orphans_runner(pid_t pid)
{
	static char text[LIM_ENVIRON + 1];
	char path[40], *p, *last;
	ssize_t k;
	size_t n = 0;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%ld/environ", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return 0;
	while (n < LIM_ENVIRON && (k = read(fd, text + n, LIM_ENVIRON - n)) > 0)
		n += (size_t)k;
	(void)close(fd);
	text[n] = '\0';
	for (p = text; p < text + n; p += strlen(p) + 1)
		if (strncmp(p, SPAWN_RUN_ID "=", sizeof SPAWN_RUN_ID) == 0) {
			last = strrchr(p, '.');
			return last == NULL ? 0 : (pid_t)atol(last + 1);
		}
	return 0;
}

static bool
to_end(const struct daemon *d, pid_t pid)
{
	const struct child *c;
	pid_t runner;
	unsigned i;

	for (c = d->child; c < d->child + LIM_CHILDREN; c++)
		if (c->pid == pid)
			return false;
	runner = orphans_runner(pid);
	for (i = 0; i < ndead && runner > 0; i++)
		if (dead[i] == runner)
			return true;
	return false;
}

/* Returns how many were found. */
static unsigned
look(struct daemon *d)
{
	static char text[LIM_CHILDREN_TEXT + 1];
	char path[64], *p = text, *end;
	ssize_t k;
	size_t n = 0;
	long pid;
	unsigned found = 0;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/self/task/%ld/children",
	    (long)getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return 0;
	while (n < LIM_CHILDREN_TEXT &&
	    (k = read(fd, text + n, LIM_CHILDREN_TEXT - n)) > 0)
		n += (size_t)k;
	(void)close(fd);
	text[n] = '\0';
	for (; (pid = strtol(p, &end, 10)) > 0; p = end)
		/* the last one may be cut */
		if (*end != '\0' && to_end(d, (pid_t)pid)) {
			(void)kill((pid_t)pid, SIGKILL);
			found++;
		}
	return found;
}

static void
sweep(struct timer *t)
{
	struct daemon *d = t->arg;
	unsigned found, all = 0, turn = 0;

	do {
		found = look(d);
		all += found;
		children_reap(d);
	} while (found > 0 && ++turn < LIM_SWEEP_LOOKS);
	d->swept += all;
	if (all > 0 && looks == 0)
		daemon_say(d, SAY_WARNING, "processes that killed runs have "
		    "left are ended: %u", all);
	if (all == 0 && looks > 0) {
		ndead = 0;
		return;
	}
	looks++;
	timer_set(&d->loop, t, d->loop.now + (looks < LIM_SWEEP_SOON ?
	    SWEEP_AGAIN : SWEEP_SELDOM));
}

void
orphans_init(struct daemon *d)
{
	again = (struct timer){ .fire = sweep, .arg = d };
}

void
orphans_sweep(struct daemon *d, pid_t runner)
{
	if (ndead < LIM_DEAD)
		dead[ndead++] = runner;
	looks = 0;
	timer_set(&d->loop, &again, d->loop.now);
}
