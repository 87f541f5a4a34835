/*
 * run: a scratch folder, commands run in it, and what argv.c recorded there;
 * for the tests of this folder that run shells.
 */
#ifndef TESTS_COMMAND_RUN_H
#define TESTS_COMMAND_RUN_H

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "tests/command/spec.h"

struct scratch {
	char	dir[PATH_MAX / 4], record[PATH_MAX / 2], pwned[PATH_MAX / 2];
	char	argv[PATH_MAX];		/* the program that records */
};

/* argv: the program, or NULL for the one beside this program. */
static inline bool
scratch_make(struct scratch *s, const char *me, const char *argv)
{
	char beside[PATH_MAX], *slash;
	const char *tmp = getenv("TMPDIR");

	snprintf(beside, sizeof beside - 8, "%s", me);
	slash = strrchr(beside, '/');
	strcpy(slash == NULL ? beside : slash + 1, "argv");
	/* the runner's folder for this test alone, and removed by it */
	if (snprintf(s->dir, sizeof s->dir, "%s/command.XXXXXX", tmp == NULL ?
	    "/tmp" : tmp) >= (int)sizeof s->dir)
		return false;
	if (realpath(argv != NULL ? argv : beside, s->argv) == NULL ||
	    mkdtemp(s->dir) == NULL)
		return false;
	snprintf(s->record, sizeof s->record, "%s/.record", s->dir);
	snprintf(s->pwned, sizeof s->pwned, "%s/PWNED", s->dir);
	return true;
}

/* Removes what random commands left there. */
static inline void
scratch_clean(const struct scratch *s)
{
	char cmd[PATH_MAX];

	snprintf(cmd, sizeof cmd, "cd '%s' && rm -rf -- * .[!.]*", s->dir);
	if (system(cmd) != 0)
		printf("# cannot clean %s\n", s->dir);
}

/*
 * Runs a command there, without input and output.  shell: takes the place of
 * /bin/sh, or NULL.  path: PATH, or NULL.
 */
static inline void
scratch_run(const struct scratch *s, char *const *argv, size_t argc,
    const char *shell, const char *path)
{
	static const struct rlimit cpu = { 5, 5 }, size = { 1 << 20, 1 << 20 };
	char **copy = malloc((argc + 1) * sizeof *copy), sh[64];
	int status, null;
	pid_t pid;

	memcpy(copy, argv, (argc + 1) * sizeof *copy);
	if (shell != NULL) {
		snprintf(sh, sizeof sh, "/bin/%s", shell);
		copy[0] = sh;
	}
	fflush(stdout);
	if ((pid = fork()) == 0) {
		null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		setrlimit(RLIMIT_CPU, &cpu);
		setrlimit(RLIMIT_FSIZE, &size);
		if (path != NULL)
			setenv("PATH", path, 1);
		if (chdir(s->dir) == 0)
			execvp(copy[0], copy);
		_exit(126);
	}
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	free(copy);
}

/* What was recorded since the last call. */
static inline struct str
scratch_recorded(const struct scratch *s)
{
	static char text[1 << 20];
	size_t n = 0;
	FILE *f;

	if ((f = fopen(s->record, "rb")) != NULL) {
		n = fread(text, 1, sizeof text, f);
		fclose(f);
		unlink(s->record);
	}
	return str_of(text, n);
}

/* True if a value was run since the last call. */
static inline bool
scratch_pwned(const struct scratch *s)
{
	return unlink(s->pwned) == 0;
}

/* Puts the program and the record in for %a and %r. */
static inline size_t
scratch_expand(const struct scratch *s, char *out, const char *spec)
{
	size_t n = 0;

	for (; *spec != '\0'; spec++) {
		if (spec[0] == '%' && (spec[1] == 'a' || spec[1] == 'r')) {
			spec++;
			n += (size_t)sprintf(out + n, "%s", *spec == 'a' ?
			    s->argv : s->record);
		} else
			out[n++] = *spec;
	}
	out[n] = '\0';
	return n;
}

#endif
