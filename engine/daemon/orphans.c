/*
 * orphans: what a run started and its runner did not end, because it was
 * killed.  The runner was their parent's parent, however they went about it
 * (PR_SET_CHILD_SUBREAPER); with it gone we are.  So they are found among our
 * own children: those that we did not start, with the mark of the run
 * (spawn.h) or its id in their environment, whose last number is the runner's
 * pid.  What is detached has neither, and what a run that ended well has
 * executed has another.
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
static struct {
	pid_t	 pid;
	uint32_t began;
} dead[LIM_DEAD];
static unsigned ndead;

/* The spawn_mark of the run that a process is of; 0: none. */
static uint64_t
run_of(pid_t pid)
{
	static char text[LIM_ENVIRON + 1];
	const uint64_t mark = spawn_mark_of(pid);
	char path[40], *p;
	ssize_t k;
	size_t n = 0;
	int fd;

	if (mark != 0)
		return mark;

	(void)snprintf(path, sizeof path, "/proc/%ld/environ", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return 0;
	while (n < LIM_ENVIRON && (k = read(fd, text + n, LIM_ENVIRON - n)) > 0)
		n += (size_t)k;
	(void)close(fd);
	text[n] = '\0';
	for (p = text; p < text + n; p += strlen(p) + 1)
		if (strncmp(p, SPAWN_RUN_ID "=", sizeof SPAWN_RUN_ID) == 0)
			return spawn_mark(p + sizeof SPAWN_RUN_ID);
	return 0;
}

static bool
to_end(const struct daemon *d, pid_t pid)
{
	const struct child *c;
	uint64_t run;
	unsigned i;

	for (c = d->child; c < d->child + LIM_CHILDREN; c++)
		if (c->pid == pid)
			return false;
	run = run_of(pid);
	for (i = 0; i < ndead && run != 0; i++)
		if (dead[i].pid == SPAWN_MARK_PID(run) &&
		    SPAWN_MARK_TIME(run) >= dead[i].began)
			return true;
	return false;
}

/* The children of a process, as text, 0 at its end; false: there are none. */
static bool
children_of(pid_t pid, char *text, size_t room)
{
	char path[64];
	ssize_t k;
	size_t n = 0;
	int fd;

	text[0] = '\0';
	(void)snprintf(path, sizeof path, "/proc/%ld/task/%ld/children",
	    (long)pid, (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	while (n < room - 1 && (k = read(fd, text + n, room - 1 - n)) > 0)
		n += (size_t)k;
	(void)close(fd);
	text[n] = '\0';
	return n > 0;
}

/* What is killed leaves its children to the runner, a subreaper, where the
 * next look finds them. */
void
orphans_below(pid_t runner)
{
	static char text[LIM_CHILDREN_TEXT + 1];
	unsigned turn;
	char *p, *end;
	long pid;

	for (turn = 0; turn < LIM_SWEEP_LOOKS &&
	    children_of(runner, text, sizeof text); turn++)
		for (p = text; (pid = strtol(p, &end, 10)) > 0; p = end)
			if (*end != '\0')
				(void)kill((pid_t)pid, SIGKILL);
}

/* Returns how many were found. */
static unsigned
look(struct daemon *d)
{
	static char text[LIM_CHILDREN_TEXT + 1];
	char *p = text, *end;
	long pid;
	unsigned found = 0;

	(void)children_of(getpid(), text, sizeof text);
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
orphans_sweep(struct daemon *d, pid_t runner, double began)
{
	if (ndead < LIM_DEAD) {
		dead[ndead].pid = runner;
		dead[ndead++].began = (uint32_t)(began > 1 ? began - 1 : 0);
	}
	looks = 0;
	timer_set(&d->loop, &again, d->loop.now);
}
