/*
 * paths: what the filesystem says of a path beyond stat: where a link points,
 * what the path really is, how full the disk is, which paths there are.
 */
#include <sys/statvfs.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/effect/facts.h"
#include "engine/effect/state.h"

static int
failed(struct live *l, const char *name, const char *why)
{
	live_fail(l, "%s: %s", name, why);
	return -1;
}

static int
link_of(struct live *l, const char *name)
{
	char to[PATH_MAX];
	ssize_t n = readlink(name, to, sizeof to);

	if (n < 0)	/* EINVAL: there, and no link */
		return errno == EINVAL ? 0 : failed(l, name, strerror(errno));
	buf_add(&l->fact, to, (size_t)n);
	return 1;
}

static int
real_path(struct live *l, const char *name)
{
	char to[PATH_MAX];

	if (realpath(name, to) == NULL)
		return failed(l, name, strerror(errno));
	buf_puts(&l->fact, to);
	return 1;
}

/*
 * As df counts: what root keeps for itself is neither used nor free.  A
 * filesystem without blocks (/proc) has no such figure.
 */
static int
disk_used(struct live *l, const char *name)
{
	double used, avail;
	struct statvfs fs;

	if (statvfs(name, &fs) != 0)
		return failed(l, name, strerror(errno));
	used = (double)fs.f_blocks - (double)fs.f_bfree;
	avail = (double)fs.f_bavail;
	if (used + avail <= 0)
		return 0;
	buf_printf(&l->fact, "%.17g", used / (used + avail));
	return 1;
}

/*
 * What glob(3) found is its own memory, which a refused allocation would
 * leave behind: so it is asked first whether the run has room for it.
 */
static int
find_paths(struct live *l, const char *pattern)
{
	size_t i, room = l->mem->limit - l->mem->used, need = 0;
	int rc, r = 0;
	glob_t g;

	rc = glob(pattern, 0, NULL, &g);
	if (rc == GLOB_NOMATCH)
		return 0;
	if (rc != 0)
		return failed(l, pattern, rc == GLOB_NOSPACE ?
		    "out of memory" : "cannot be read");
	for (i = 0; i < g.gl_pathc; i++)
		need += strlen(g.gl_pathv[i]) + 1;
	if (need > room / 4)	/* the buf's growth, and the caller's array */
		r = failed(l, pattern,
		    "more paths than the run has memory for");
	else {
		buf_room(&l->fact, need);
		for (i = 0; i < g.gl_pathc; i++)
			buf_add(&l->fact, g.gl_pathv[i],
			    strlen(g.gl_pathv[i]) + 1);
		r = 1;
	}
	globfree(&g);
	return r;
}

int
paths_ask(struct live *l, enum fact what, struct str key, struct str *answer)
{
	char name[PATH_MAX];
	int r;

	if (!live_path(l, key, name))
		return -1;
	buf_clear(&l->fact);
	r = what == FACT_LINK ? link_of(l, name) :
	    what == FACT_REALPATH ? real_path(l, name) :
	    what == FACT_DISKUSED ? disk_used(l, name) : find_paths(l, name);
	*answer = buf_view(&l->fact);
	return r;
}

/* O_NONBLOCK: the open of a pipe must not wait; then only a file is read. */
int
live_open(void *h, struct str path)
{
	struct live *l = h;
	char name[PATH_MAX];
	struct stat st;
	int fd;

	if (!live_path(l, path, name))
		return -1;
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd != -1 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	(void)failed(l, name, fd == -1 ? strerror(errno) :
	    "is no regular file");
	if (fd != -1)
		close(fd);
	return -1;
}
