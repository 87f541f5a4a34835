/*
 * A program as no script should start one.  fiend WAY...: see ways below; what
 * it does with itself first may be said before the last one: bare clears its
 * environment, away makes a session of its own behind two forks, deaf ignores
 * what can be ignored.
 *
 * Whatever it is, it and all that it makes end by themselves at the second in
 * FIEND_END of the steady clock, or LIM_LIFE seconds from the start.
 */
#include <sys/wait.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIM_LIFE	40	/* seconds: longer than any test looks */
#define MIB		(1u << 20)

static time_t life;

static time_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static void
look(void)
{
	if (now() >= life)
		_exit(9);
}

static void
rest(void)
{
	struct timespec tick = { 0, 100000000 };

	for (;;) {
		look();
		(void)nanosleep(&tick, NULL);
	}
}

static void
spin(void)
{
	for (;;)
		look();
}

/* Each one forks, and each of those. */
static void
bomb(void)
{
	for (;;) {
		look();
		(void)fork();
	}
}

static void
bomb_away(void)
{
	for (;;) {
		look();
		if (fork() == 0)
			(void)setsid();
	}
}

/* Each is nobody's child before it goes on. */
static void
bomb_twice(void)
{
	for (;;) {
		look();
		switch (fork()) {
		case 0:
			(void)setsid();
			if (fork() != 0)
				_exit(0);
			break;
		case -1:
			break;
		default:
			(void)wait(NULL);
		}
	}
}

/* One at a time, never the same for long. */
static void
hop(void)
{
	for (;;) {
		look();
		if (fork() > 0)
			_exit(0);
	}
}

static void
hop_away(void)
{
	for (;;) {
		look();
		if (fork() > 0)
			_exit(0);
		(void)setsid();
	}
}

static void
eat(void)
{
	char *p;

	for (;;) {
		look();
		if ((p = malloc(MIB)) == NULL)
			_exit(3);
		memset(p, 1, MIB);
	}
}

static void
stop(void)
{
	(void)raise(SIGSTOP);
	rest();
}

/* The runner is what started us. */
static void
parent(void)
{
	(void)kill(getppid(), SIGKILL);
	rest();
}

static void
files(void)
{
	int i;

	for (i = 0; i < 4; i++)
		if (fork() == 0)
			break;
	while (open("/dev/null", O_RDONLY) != -1)
		look();
	rest();
}

static void
mute(void)
{
	(void)close(1);
	(void)close(2);
	rest();
}

static void
zombies(void)
{
	int i;

	for (i = 0; i < 100; i++)
		if (fork() == 0)
			_exit(0);
	rest();
}

/* The one whose number stands in a file. */
static void
murder(void)
{
	FILE *f = fopen(getenv("FIEND_VICTIM"), "r");
	long pid;

	if (f == NULL || fscanf(f, "%ld", &pid) != 1 || pid < 2)
		_exit(4);
	if (kill((pid_t)pid, SIGKILL) != 0) {
		perror("fiend: kill");
		_exit(5);
	}
	rest();
}

static const struct {
	const char	*name;
	void		(*fn)(void);
} ways[] = {
	{ "rest", rest }, { "linger", rest }, { "spin", spin }, { "bomb", bomb },
	{ "bomb-away", bomb_away }, { "bomb-twice", bomb_twice },
	{ "hop", hop }, { "hop-away", hop_away }, { "eat", eat },
	{ "stop", stop }, { "parent", parent }, { "files", files },
	{ "mute", mute }, { "zombies", zombies }, { "murder", murder }
};

static void
prepare(char **argv, const char *what)
{
	static char end[40];
	char *env[] = { end, NULL };
	int i;

	if (strcmp(what, "bare") == 0) {
		(void)snprintf(end, sizeof end, "FIEND_END=%lld",
		    (long long)life);
		argv[1] = argv[0];
		(void)execve("/proc/self/exe", argv + 1, env);
		_exit(6);
	}
	if (strcmp(what, "away") == 0) {
		/* whoever waits for us goes on waiting */
		if (fork() != 0)
			rest();
		(void)setsid();
		if (fork() != 0)
			_exit(0);
	}
	if (strcmp(what, "deaf") == 0)
		for (i = 1; i < 32; i++)
			(void)signal(i, SIG_IGN);
}

/* As many as the group that stands in FIEND_GROUP allows. */
static void
enter(void)
{
	const char *path = getenv("FIEND_GROUP");
	int fd;

	if (path == NULL || path[0] == '\0')
		return;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd == -1 || write(fd, "0", 1) != 1) {
		perror(path);
		_exit(7);
	}
	(void)close(fd);
}

int
main(int argc, char **argv)
{
	const char *end = getenv("FIEND_END");
	size_t i;

	life = end == NULL ? now() + LIM_LIFE : (time_t)atoll(end);
	enter();
	for (; argc > 2; argc--, argv++)
		prepare(argv, argv[1]);
	for (i = 0; argc == 2 && i < sizeof ways / sizeof *ways; i++)
		if (strcmp(argv[1], ways[i].name) == 0)
			ways[i].fn();
	(void)fprintf(stderr, "fiend: what?\n");
	return 2;
}
