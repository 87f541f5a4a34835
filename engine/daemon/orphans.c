/*
 * orphans: what a run started and its runner did not end, because it was
 * killed.  The runner was their parent's parent, however they went about it
 * (PR_SET_CHILD_SUBREAPER); with it gone we are.  So they are found among our
 * own children: those that we did not start, whose environment says that they
 * are of a run, and not that they are what it executed: that may outlive it.
 * What is detached has no trace of the run in its environment.
 *
 * What is ended may have children, which then come to us: so this looks again
 * until there is nothing more.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/daemon/daemon.h"

#define SWEEP_AGAIN	0.1	/* seconds */
#define LIM_SWEEP_SOON	50	/* times that often; then once in ten seconds */
#define SWEEP_SELDOM	10.0	/* seconds: some are stuck in the kernel */
#define LIM_CHILDREN_TEXT 65536	/* bytes of pids in one look */
#define LIM_ENVIRON	16384	/* bytes: that of a script's command is short, and
				 * ours stands at its beginning */

static struct timer again;
static unsigned looks;

enum whose
orphans_whose(pid_t pid)
{
	static char text[LIM_ENVIRON + 1];
	char path[40], *p;
	ssize_t k;
	size_t n = 0;
	bool run = false;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%ld/environ", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return NOBODYS;
	while (n < LIM_ENVIRON && (k = read(fd, text + n, LIM_ENVIRON - n)) > 0)
		n += (size_t)k;
	(void)close(fd);
	text[n] = '\0';
	for (p = text; p < text + n; p += strlen(p) + 1) {
		if (strcmp(p, "PICKET_EXEC=1") == 0)
			return OUTLIVES_IT;
		run = run || strncmp(p, "PICKET_RUN_ID=", 14) == 0;
	}
	return run ? OF_A_RUN : NOBODYS;
}

static bool
started_by_us(const struct daemon *d, pid_t pid)
{
	const struct child *c;

	for (c = d->child; c < d->child + LIM_CHILDREN; c++)
		if (c->pid == pid)
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
		if (!started_by_us(d, (pid_t)pid) &&
		    orphans_whose((pid_t)pid) == OF_A_RUN) {
			(void)kill((pid_t)pid, SIGKILL);
			found++;
		}
	return found;
}

static void
sweep(struct timer *t)
{
	struct daemon *d = t->arg;
	unsigned found;

	children_reap(d);
	found = look(d);
	if (found == 0) {
		looks = 0;
		return;
	}
	if (looks == 0)
		daemon_say(d, SAY_WARNING, "%u processes of a killed run are "
		    "ended", found);
	d->swept += found;
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
orphans_sweep(struct daemon *d)
{
	looks = 0;
	timer_set(&d->loop, &again, d->loop.now);
}
