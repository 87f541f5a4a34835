/* descend: see descend.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/daemon/descend.h"
#include "engine/effect/spawn.h"
#include "engine/vm/clock.h"

#define LIM_ENVIRON	16384	/* bytes: what commands of scripts start with is
				 * short, and ours stands in it */
#define WATCHER		"(picket-watch)"	/* as spawn.c calls it */

struct proc {
	pid_t	pid, parent;
	bool	below;		/* descends from us */
	bool	dead;
	bool	watches;	/* it keeps the timeout of an exec */
};

struct procs {
	struct mem	*mem;
	struct proc	*p;
	size_t		 n, cap;
};

bool
descend_none(void)
{
	int w;
	pid_t pid;

	do
		pid = waitpid(-1, &w, WNOHANG | __WALL);
	while (pid > 0 || (pid == -1 && errno == EINTR));
	return pid == -1 && errno == ECHILD;
}

/* What /proc says of a process; false: it is gone. */
static bool
look(int dir, const char *name, struct proc *p)
{
	char path[40], t[512], *e;
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "%.20s/stat", name);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	n = read(fd, t, sizeof t - 1);
	(void)close(fd);
	if (n <= 0)
		return false;
	t[n] = '\0';
	/* its own name may hold anything */
	e = strrchr(t, ')');
	if (e == NULL || e[1] != ' ' || e[2] == '\0')
		return false;
	memset(p, 0, sizeof *p);
	p->pid = (pid_t)atoi(name);
	p->parent = (pid_t)atoi(e + 3);
	p->dead = e[2] == 'Z' || e[2] == 'X';
	e[1] = '\0';
	p->watches = strstr(t, WATCHER) != NULL;
	return true;
}

static int
by_pid(const void *a, const void *b)
{
	const struct proc *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static void
mark_below(struct procs *s)
{
	const pid_t me = getpid();
	struct proc key, *parent;
	size_t i;
	bool more = true;

	/* parents mostly have lower numbers: a few rounds */
	while (more) {
		more = false;
		for (i = 0; i < s->n; i++) {
			if (s->p[i].below)
				continue;
			key.pid = s->p[i].parent;
			parent = key.pid == me ? NULL : bsearch(&key, s->p,
			    s->n, sizeof key, by_pid);
			if (key.pid == me || (parent != NULL && parent->below))
				s->p[i].below = more = true;
		}
	}
}

/* All processes; those below us are marked. */
static void
read_all(struct procs *s)
{
	struct dirent *e;
	struct proc p;
	DIR *d = opendir("/proc");

	s->n = 0;
	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] < '0' || e->d_name[0] > '9' ||
		    !look(dirfd(d), e->d_name, &p))
			continue;
		if (s->n == s->cap) {
			size_t cap = s->cap == 0 ? 512 : 2 * s->cap;

			s->p = mem_realloc(s->mem, s->p, s->cap * sizeof *s->p,
			    cap * sizeof *s->p);
			s->cap = cap;
		}
		s->p[s->n++] = p;
	}
	(void)closedir(d);
	qsort(s->p, s->n, sizeof *s->p, by_pid);
	mark_below(s);
}

static void
free_all(struct procs *s)
{
	if (s->p != NULL)
		mem_free(s->mem, s->p, s->cap * sizeof *s->p);
}

/* What `exec` started, by its mark or its environment, and what keeps its
 * timeout. */
static bool
is_of_exec(const struct proc *p)
{
	char path[40], t[LIM_ENVIRON + 1], *at;
	size_t n = 0;
	uint64_t mark;
	ssize_t k;
	int fd;

	if (p->watches)
		return true;
	mark = spawn_mark_of(p->pid);
	if (mark != 0)
		return (mark & SPAWN_MARK_EXEC) != 0;
	snprintf(path, sizeof path, "/proc/%ld/environ", (long)p->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	while (n < LIM_ENVIRON && (k = read(fd, t + n, LIM_ENVIRON - n)) > 0)
		n += (size_t)k;
	(void)close(fd);
	t[n] = '\0';
	for (at = t; at < t + n; at += strlen(at) + 1)
		if (strcmp(at, SPAWN_EXEC) == 0)
			return true;
	return false;
}

/* A program of ours that we started ourselves: the store. */
static bool
is_ours(const struct proc *p, const char *libexec)
{
	char path[40], t[4096];
	size_t n = libexec == NULL ? 0 : strlen(libexec);
	ssize_t k;

	if (n == 0 || p->parent != getpid())
		return false;
	snprintf(path, sizeof path, "/proc/%ld/exe", (long)p->pid);
	k = readlink(path, t, sizeof t);
	return k > (ssize_t)n && t[n] == '/' && memcmp(t, libexec, n) == 0;
}

size_t
descend_count(struct mem *m)
{
	struct procs s = { .mem = m };
	size_t i, n = 0;

	read_all(&s);
	for (i = 0; i < s.n; i++)
		n += s.p[i].below && !s.p[i].dead;
	free_all(&s);
	return n;
}

/* One look and what comes of it: how many are below us and not spared. */
static size_t
sweep(struct procs *s, enum descend_what what, const char *libexec, int sig)
{
	struct proc *p;
	size_t i, n = 0;

	read_all(s);
	for (i = 0; i < s->n; i++) {
		p = &s->p[i];
		if (!p->below)
			continue;
		/* one that has threads left besides its first is not dead */
		if (p->dead && (p->parent != getpid() ||
		    waitpid(p->pid, NULL, WNOHANG | __WALL) != 0))
			continue;
		if (is_ours(p, libexec) ||
		    (what == DESCEND_MINE && is_of_exec(p)))
			continue;
		n++;
		(void)kill(p->pid, sig);
	}
	return n;
}

bool
descend_end(struct mem *m, enum descend_what what, const char *libexec,
    size_t *ended)
{
	struct procs s = { .mem = m };
	struct timespec tick = { 0, 2000000 };
	double end = clock_steady() + LIM_DESCEND;
	size_t n, before = 0;
	int turn;

	*ended = 0;
	n = sweep(&s, what, libexec, SIGSTOP);
	if (n == 0) {
		free_all(&s);
		return true;
	}
	/* we must be faster than what forks without end */
	(void)setpriority(PRIO_PROCESS, 0, -20);
	for (turn = 0; n > before && clock_steady() < end; turn++) {
		before = n;
		n = sweep(&s, what, libexec, SIGSTOP);
	}
	*ended = n > before ? n : before;
	while ((n = sweep(&s, what, libexec, SIGKILL)) > 0 &&
	    clock_steady() < end)
		nanosleep(&tick, NULL);
	free_all(&s);
	return n == 0;
}
