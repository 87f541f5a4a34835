/*
 * router: works through a queue folder, as a mail router would, and breaks on
 * messages that say so.
 *
 *	router QUEUE DONE MEBIBYTES
 *
 * Takes the file with the lowest name, works on it for a moment with the file
 * open, and writes it to DONE.  One that begins with
 *	crash	ends it by a wild pointer
 *	grow	makes it take memory up to its limit (MEBIBYTES of address
 *		space), and then sleep and try again for ever
 *	hang	makes it wait for ever
 * Its standard output is its log: router[PID]: taking NAME, ... done NAME.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define WORK	30	/* milliseconds on a message */
#define AGAIN	200	/* and until it tries again to get memory */

static void
fail(const char *what)
{
	fprintf(stderr, "router: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
wait_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* Not what is being written, nor a lock. */
static int
is_message(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' &&
	    !(n > 5 && strcmp(d->d_name + n - 5, ".lock") == 0);
}

static void
limit(rlim_t bytes)
{
	struct rlimit none = { 0, 0 }, l = { bytes, bytes };

	if (setrlimit(RLIMIT_CORE, &none) != 0 ||
	    setrlimit(RLIMIT_AS, &l) != 0)
		fail("setrlimit");
}

static void
grow(void)
{
	const size_t n = 1 << 20;
	char *p;

	for (;;) {
		/* not malloc: a compiler may leave out what nobody reads */
		p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		    MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			wait_ms(AGAIN);
		else
			memset(p, 1, n);
	}
}

/* All of it; the file stays open until it is done. */
static void
work(const char *name, int done)
{
	char text[4096];
	ssize_t n;
	int in, out;

	if ((in = open(name, O_RDONLY | O_CLOEXEC)) == -1)
		return;		/* somebody was quicker */
	if ((n = read(in, text, sizeof text)) == -1)
		fail(name);
	printf("router[%ld]: taking %s\n", (long)getpid(), name);
	fflush(stdout);
	wait_ms(WORK);
	if (n >= 5 && memcmp(text, "crash", 5) == 0)
		raise(SIGSEGV);
	if (n >= 4 && memcmp(text, "grow", 4) == 0)
		grow();
	while (n >= 4 && memcmp(text, "hang", 4) == 0)
		pause();
	out = openat(done, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (out == -1 || write(out, text, (size_t)n) != n || close(out) != 0)
		fail("done");
	if (unlink(name) != 0)
		fail(name);
	close(in);
	printf("router[%ld]: done %s\n", (long)getpid(), name);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct dirent **entry;
	int done, i, n;

	if (argc != 4) {
		fprintf(stderr, "usage: router queue done mebibytes\n");
		return 2;
	}
	limit(strtoul(argv[3], NULL, 10) << 20);
	if ((done = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		fail(argv[2]);
	if (chdir(argv[1]) != 0)
		fail(argv[1]);
	for (;;) {
		if ((n = scandir(".", &entry, is_message, alphasort)) == -1)
			fail("scandir");
		if (n > 0)
			work(entry[0]->d_name, done);
		else
			wait_ms(WORK);
		for (i = 0; i < n; i++)
			free(entry[i]);
		free(entry);
	}
}
