/* What the tests of children share: commands that run, and who still lives. */
#ifndef TESTS_UNIT_CHILD_H
#define TESTS_UNIT_CHILD_H

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/effect.h"

static struct world w;

static inline double
now(void)
{
	return live_host.monotonic(NULL);
}

static inline struct exec_result
run(const struct command *c, enum exec_mode mode, struct exec_opts o)
{
	struct exec_result r;

	if (o.as.p == NULL)
		o.as = STR_NIL;
	if (o.dir.p == NULL)
		o.dir = STR_NIL;
	w.host->exec(w.live, c, mode, &o, &r);
	return r;
}

static inline struct exec_result
wait_for(const char *text, struct exec_opts o)
{
	SHELL(c, text);

	return run(&c, EXEC_WAIT, o);
}

#define NO_OPTS	((struct exec_opts){ .timeout = 0 })

static inline void
why_has(const char *part)
{
	struct str why = w.host->why(w.live);

	has(why.p, part);
}

/* A pid that a child has written into a file. */
static inline pid_t
pid_in(const char *name)
{
	return (pid_t)atol(slurp(w.dir, name));
}

static inline bool
alive(pid_t pid)
{
	char path[40];
	const char *stat, *end;

	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	stat = slurp(NULL, path);
	end = strrchr(stat, ')');
	return pid > 0 && end != NULL && end[2] != 'Z';
}

static inline void
no_children(void)
{
	errno = 0;
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

#endif
