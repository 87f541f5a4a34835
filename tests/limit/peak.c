/*
 * peak: runs a program and tells how much memory it took.
 *
 *	peak FILE PROGRAM [ARGUMENT]...
 *
 * Writes the most KiB that the program or a child that it waited for had
 * resident into FILE, and exits as the program did (128 + signal).  Why not
 * the test itself: a process starts with the peak of whoever forked it, and
 * Python is larger than what is measured.  TERM goes on to the program.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile pid_t child;

static void
pass_on(int sig)
{
	int saved = errno;

	if (child > 0)
		kill(child, sig);
	errno = saved;
}

int
main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = pass_on };
	struct rusage u;
	int status;
	FILE *f;

	if (argc < 3) {
		fprintf(stderr, "usage: peak FILE PROGRAM [ARGUMENT]...\n");
		return 2;
	}
	sigaction(SIGTERM, &sa, NULL);
	child = fork();
	if (child == -1) {
		perror("peak");
		return 1;
	}
	if (child == 0) {
		execv(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	while (wait4(child, &status, 0, &u) == -1)
		if (errno != EINTR) {
			perror("peak");
			return 1;
		}
	f = fopen(argv[1], "w");
	if (f == NULL || fprintf(f, "%ld\n", u.ru_maxrss) < 0 ||
	    fclose(f) != 0) {
		perror(argv[1]);
		return 1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
