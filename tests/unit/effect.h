/* What the tests of the hosts share: a live with its files, commands. */
#ifndef TESTS_UNIT_EFFECT_H
#define TESTS_UNIT_EFFECT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "engine/effect/live.h"

struct world {
	struct mem	 mem;
	struct live	*live;
	const struct host *host;
	char		 dir[64];	/* of its own, removed at the end */
	int		 out, err;	/* files that host's out_fd, err_fd write */
};

static inline struct live_options
world_options(struct world *w)
{
	char name[100];

	mem_init(&w->mem, SIZE_MAX, NULL);
	strcpy(w->dir, "/tmp/picket-effect.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(chmod(w->dir, 0755), 0);
	snprintf(name, sizeof name, "%s/out.XXXXXX", w->dir);
	w->out = mkstemp(name);
	snprintf(name, sizeof name, "%s/err.XXXXXX", w->dir);
	w->err = mkstemp(name);
	w->host = &live_host;
	return (struct live_options){ .mem = &w->mem,
	    .script = STR_LIT("Storm"), .alert = STR_LIT("Urgent"),
	    .logdir = str_c(w->dir), .path = STR_LIT("/usr/bin:/bin"),
	    .out_fd = w->out, .err_fd = w->err, .run_id = "run-1" };
}

static inline void
world_open(struct world *w, double timeout)
{
	struct live_options o = world_options(w);

	o.timeout = timeout;
	w->live = live_new(&o);
	assert_non_null(w->live);
}

static inline void
world_close(struct world *w)
{
	char cmd[100];

	live_free(w->live);
	assert_int_equal(w->mem.used, 0);
	close(w->out);
	close(w->err);
	snprintf(cmd, sizeof cmd, "rm -rf %s", w->dir);
	assert_int_equal(system(cmd), 0);
}

/* sh -c text, as a command. */
static inline struct command
shell(const char *text, char *argv[4])
{
	argv[0] = (char *)(uintptr_t)"sh";
	argv[1] = (char *)(uintptr_t)"-c";
	argv[2] = (char *)(uintptr_t)text;
	argv[3] = NULL;
	return (struct command){ .argv = argv, .argc = 3, .shell = true,
	    .show = str_c(text) };
}

#define SHELL(name, text)						\
	char *name##_argv[4];						\
	struct command name = shell(text, name##_argv)
#define COMMAND(name, ...)						\
	char *name##_argv[] = { __VA_ARGS__, NULL };			\
	struct command name = { .argv = name##_argv,			\
	    .argc = sizeof name##_argv / sizeof *name##_argv - 1,	\
	    .show = str_c(name##_argv[0]) }

/* A whole file, in a static buffer. */
static inline const char *
slurp(const char *dir, const char *name)
{
	static char text[1 << 20];
	char path[200];
	FILE *f;
	size_t n;

	if (dir != NULL)
		snprintf(path, sizeof path, "%s/%s", dir, name);
	else
		snprintf(path, sizeof path, "%s", name);
	f = fopen(path, "r");
	if (f == NULL)
		return "";
	n = fread(text, 1, sizeof text - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static inline const char *
slurp_fd(int fd)
{
	static char text[1 << 16];
	ssize_t n = pread(fd, text, sizeof text - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static inline void
has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static inline void
str_is(struct str s, const char *text)
{
	if (str_none(s) || s.n != strlen(text) ||
	    memcmp(s.p, text, s.n) != 0)
		fail_msg("got \"%.*s\", not \"%s\"", (int)s.n,
		    s.p == NULL ? "" : s.p, text);
}

#endif
