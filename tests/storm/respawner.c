/*
 * respawner: a parent that no sweep can win against: each of its children that
 * ends is started again at once.
 *
 *	respawner UID NAME COUNT [EUID]
 *
 * With EUID it runs as that user, and takes root's rights for a start only.
 * Its standard output has "ready" once all are there; it ends, and they with
 * it, when standard input is closed.  It runs before all others where it may
 * (SCHED_FIFO), so that no sweep falls between an end and the next start.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIM_STARTS	100000	/* a test that makes more has gone wrong */

static const char *name;
static uid_t uid;

static void
start(void)
{
	pid_t pid = fork();

	if (pid == -1)
		exit(1);
	if (pid != 0)
		return;
	if (seteuid(0) != 0 || setuid(uid) != 0 || prctl(PR_SET_NAME, name) != 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		_exit(1);
	signal(SIGIO, SIG_DFL);
	for (;;)
		pause();
}

int
main(int argc, char **argv)
{
	struct sched_param first = { .sched_priority = 1 };
	long i, n;
	char c;
	pid_t watch;

	if (argc != 4 && argc != 5)
		return 2;
	uid = (uid_t)strtoul(argv[1], NULL, 10);
	name = argv[2];
	(void)sched_setscheduler(0, SCHED_FIFO, &first);
	if (argc == 5 && seteuid((uid_t)atoi(argv[4])) != 0)
		return 1;
	/* standard input is watched by a child of its own: we wait for ends */
	watch = fork();
	if (watch == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (read(0, &c, 1) > 0)
			;
		_exit(0);
	}
	for (n = strtol(argv[3], NULL, 10); n > 0; n--)
		start();
	printf("ready\n");
	fflush(stdout);
	for (i = 0; i < LIM_STARTS && wait(NULL) != watch; i++)
		start();
	/* as another user our end would not end them */
	return seteuid(0) == 0 ? 0 : 1;
}
