/*
 * timed: runs a command N times from a small process and says what it cost.
 * Why not the bench itself: a child's peak memory counts that of whoever
 * forked it, and an interpreter is larger than what is measured.
 *
 * usage: timed N COMMAND [ARG...]
 * Standard output is that of the last run; on standard error one line:
 * best and median wall time in nanoseconds, peak memory in kB.
 */
#include <sys/resource.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int
by_value(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
	struct timespec a, b;
	struct rusage ru;
	long long *t;
	volatile long rss = 0;	/* vfork: see vfork(2) */
	volatile int i;
	int n, status, null;
	pid_t pid;

	if (argc < 3 || (n = atoi(argv[1])) < 1 ||
	    (t = calloc((size_t)n, sizeof *t)) == NULL)
		return 2;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (i = 0; i < n; i++) {
		clock_gettime(CLOCK_MONOTONIC, &a);
		pid = vfork();
		if (pid == 0) {
			dup2(null, 0);
			if (i < n - 1)
				dup2(null, 1);
			dup2(null, 2);
			execvp(argv[2], argv + 2);
			_exit(127);
		}
		if (pid < 0 || wait4(pid, &status, 0, &ru) != pid)
			return 2;
		clock_gettime(CLOCK_MONOTONIC, &b);
		if (status != 0) {
			fprintf(stderr, "failed: %d\n", status);
			return 1;
		}
		t[i] = (b.tv_sec - a.tv_sec) * 1000000000LL + b.tv_nsec -
		    a.tv_nsec;
		if (ru.ru_maxrss > rss)
			rss = ru.ru_maxrss;
	}
	qsort(t, (size_t)n, sizeof *t, by_value);
	fprintf(stderr, "%lld %lld %ld\n", t[0], t[n / 2], rss);
	return 0;
}
