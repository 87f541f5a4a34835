/*
 * spawner: makes a process storm, as a broken webmail program would.
 *
 *	spawner [-w] RATE UID GID NAME COUNT [UID GID NAME COUNT]...
 *
 * Starts COUNT processes of each kind, with that user and command name, and
 * then, RATE times a second, one more of the first kind, whatever happens to
 * them.  It does not wait for those that end: they stay zombies, which no
 * count of the living may count; with -w it does, as most programs do.  Its standard output has
 *	pid NUMBER KIND		a process was started; KIND counts from 0
 *	ready			all of the first ones carry their names
 *	pid NUMBER 0		... one more
 *	end			standard input was closed; all of them are ended
 */
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIM_PROCESSES	20000	/* a test that makes more has gone wrong */

static pid_t pid[LIM_PROCESSES];
static size_t npid;

static void
fail(const char *what)
{
	fprintf(stderr, "spawner: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* One process of the kind that a[0..2] describe; returns when it has its name. */
static void
start(char **a, int kind)
{
	pid_t parent = getpid();
	int named[2];
	ssize_t r;
	char c;

	if (npid == LIM_PROCESSES) {
		errno = E2BIG;
		fail("processes");
	}
	if (pipe(named) != 0)
		fail("pipe");
	fflush(stdout);
	pid[npid] = fork();
	if (pid[npid] == -1)
		fail("fork");
	if (pid[npid] == 0) {
		gid_t gid = (gid_t)strtoul(a[1], NULL, 10);

		if (setgroups(1, &gid) != 0 || setgid(gid) != 0 ||
		    setuid((uid_t)strtoul(a[0], NULL, 10)) != 0 ||
		    prctl(PR_SET_NAME, a[2]) != 0 ||
		    prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
		    getppid() != parent || write(named[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(named[1]);
	while ((r = read(named[0], &c, 1)) == -1 && errno == EINTR)
		;
	if (r != 1)
		fail("a child");
	close(named[0]);
	printf("pid %ld %d\n", (long)pid[npid++], kind);
}

static void
on_child(int sig)
{
	(void)sig;		/* ends the poll */
}

/* Waits for those that have ended; their numbers are not ours any more. */
static void
reap(void)
{
	pid_t gone;
	size_t k;

	while ((gone = waitpid(-1, NULL, WNOHANG)) > 0)
		for (k = 0; k < npid; k++)
			if (pid[k] == gone)
				pid[k] = 0;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	struct pollfd in = { .fd = 0, .events = POLLIN };
	struct sigaction child = { .sa_handler = on_child };
	double next, left;
	bool waits = argc > 1 && strcmp(argv[1], "-w") == 0;
	size_t k;
	char c;
	int i, n;

	argc -= waits;
	argv += waits;
	if (argc < 6 || (argc - 2) % 4 != 0) {
		fprintf(stderr, "usage: spawner [-w] RATE UID GID NAME COUNT...\n");
		return 2;
	}
	if (waits)
		(void)sigaction(SIGCHLD, &child, NULL);
	for (i = 2; i < argc; i += 4)
		for (n = atoi(argv[i + 3]); n > 0; n--)
			start(argv + i, (i - 2) / 4);
	printf("ready\n");
	fflush(stdout);
	for (next = now() + 1 / atof(argv[1]);;) {
		left = next - now();
		if (poll(&in, 1, left > 0 ? (int)(left * 1000) + 1 : 0) > 0 &&
		    read(0, &c, 1) <= 0)
			break;
		if (waits)
			reap();
		if (now() < next)
			continue;
		start(argv + 2, 0);
		fflush(stdout);
		next += 1 / atof(argv[1]);
	}
	/* none of these was waited for, so they are still their numbers */
	for (k = 0; k < npid; k++)
		if (pid[k] != 0)
			kill(pid[k], SIGKILL);
	for (k = 0; k < npid; k++)
		if (pid[k] != 0)
			while (waitpid(pid[k], NULL, 0) == -1 && errno == EINTR)
				;
	printf("end\n");
	return 0;
}
