/*
 * proc: see proc.h.  /proc/PID/stat is one short file: pid, name in
 * parentheses (which may hold anything, so its end is the last one), state,
 * parent, group.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/effect/proc.h"

#define PROC_STAT	1024		/* bytes of a stat file: some 350 */
#define PROC_COMM	15		/* bytes that the kernel keeps of a name */

struct stat_line {
	struct str	 comm;
	char		 state;
	pid_t		 pgrp;
};

static ssize_t
read_file(int dir, const char *pid, const char *name, char *to, size_t n)
{
	char path[64];
	ssize_t got;
	int fd;

	if (strlen(pid) > 20)
		return -1;
	snprintf(path, sizeof path, "%s/%s", pid, name);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	got = read(fd, to, n - 1);
	close(fd);
	if (got >= 0)
		to[got] = '\0';
	return got;
}

static bool
read_stat(int dir, const char *pid, char *text, struct stat_line *s)
{
	ssize_t n = read_file(dir, pid, "stat", text, PROC_STAT);
	char *open, *end;
	long pgrp;

	if (n <= 0 || (open = strchr(text, '(')) == NULL ||
	    (end = memrchr(text, ')', (size_t)n)) == NULL || end < open)
		return false;
	s->comm = str_of(open + 1, (size_t)(end - open - 1));
	if (sscanf(end + 1, " %c %*d %ld", &s->state, &pgrp) != 2)
		return false;
	s->pgrp = (pid_t)pgrp;
	return true;
}

/*
 * A name longer than the kernel keeps: what the process was called with
 * decides, its first word or, for a script, the one after the interpreter.
 */
static bool
long_name(int dir, const char *pid, struct str name)
{
	char text[PATH_MAX + 256], *p = text, *base;
	ssize_t n = read_file(dir, pid, "cmdline", text, sizeof text);
	int i;

	for (i = 0; i < 2 && p < text + n; i++, p += strlen(p) + 1) {
		base = strrchr(p, '/');
		if (str_eq(str_c(base == NULL ? p : base + 1), name))
			return true;
	}
	return false;
}

pid_t
proc_by_name(struct str comm)
{
	char text[PROC_STAT];
	struct stat_line s;
	struct dirent *e;
	pid_t pid, lowest = 0;
	DIR *d = opendir("/proc");

	if (d == NULL)
		return 0;
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		pid = (pid_t)atol(e->d_name);
		if ((lowest != 0 && pid > lowest) ||
		    !read_stat(dirfd(d), e->d_name, text, &s) ||
		    s.state == 'Z' || s.state == 'X')
			continue;
		if (str_eq(s.comm, comm) || (comm.n > PROC_COMM &&
		    str_eq(s.comm, str_of(comm.p, PROC_COMM)) &&
		    long_name(dirfd(d), e->d_name, comm)))
			lowest = pid;
	}
	closedir(d);
	return lowest;
}

bool
proc_group_others(pid_t pgid)
{
	char text[PROC_STAT];
	struct stat_line s;
	struct dirent *e;
	bool found = false;
	DIR *d = opendir("/proc");

	if (d == NULL)
		return false;
	while (!found && (e = readdir(d)) != NULL)
		found = e->d_name[0] >= '1' && e->d_name[0] <= '9' &&
		    (pid_t)atol(e->d_name) != pgid &&
		    read_stat(dirfd(d), e->d_name, text, &s) &&
		    s.pgrp == pgid && s.state != 'Z' && s.state != 'X';
	closedir(d);
	return found;
}
