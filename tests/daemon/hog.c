/*
 * A program that takes memory.  hog NAME [stubborn]: it says "ready", waits for
 * a line with a rate, MiB a second, and takes memory at it until it is ended.
 */
#include <sys/prctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MIB	(1u << 20)

int
main(int argc, char **argv)
{
	struct timespec tick;
	unsigned n;
	double rate;
	char *p;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc < 2)
		return 2;
	(void)prctl(PR_SET_NAME, argv[1]);
	if (argc > 2 && strcmp(argv[2], "stubborn") == 0)
		(void)signal(SIGTERM, SIG_IGN);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ready");
	if (scanf("%lf", &rate) != 1 || !(rate > 0))
		return 1;
	tick.tv_sec = (time_t)(1 / rate);
	tick.tv_nsec = (long)((1 / rate - (double)tick.tv_sec) * 1e9);
	for (n = 1;; n++) {
		if ((p = malloc(MIB)) == NULL)
			return 3;
		memset(p, 1, MIB);
		(void)nanosleep(&tick, NULL);
	}
}
