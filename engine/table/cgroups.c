/*
 * cgroups: the v2 tree, and those of the v1 controllers memory and pids; on a
 * hybrid host all of them, and a path that is in more than one of them has one
 * row.  A value is read where it is: from the v2 tree if the controller is
 * there, else from its v1 tree.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/table/mountinfo.h"
#include "engine/table/snapshot.h"
#include "engine/table/walk.h"

#define LIM_CGROUPS	100000	/* rows; a host with more of them has another
				 * problem, and is told so */

enum tree { V2, V1_MEMORY, V1_PIDS, TREES };

struct cgroups {
	struct table	 table;
	struct lines	 lines;
	char		 top[TREES][PATH_MAX];	/* "": there is none */
	int		 topfd[TREES];
	enum tree	 at;		/* whose folders are walked */
	bool		 walking, enter;
	struct walk	 walk;
	int		 fd[TREES];	/* of the row: its folder in each tree,
					 * -1: none, -2: not looked yet */
	unsigned	 rows;
	char		 path[PATH_MAX + 1];
};

static void
cgroups_close(struct table *t)
{
	struct cgroups *g = (struct cgroups *)t;
	int i;

	walk_close(&g->walk);
	for (i = 0; i < TREES; i++) {
		if (g->topfd[i] >= 0)
			close(g->topfd[i]);
		if (g->fd[i] >= 0)
			close(g->fd[i]);
	}
	lines_close(&g->lines);
	mem_free(t->world.mem, g, sizeof *g);
}

static void
cgroups_tree(struct cgroups *g, enum tree tree, struct str mount)
{
	char path[PATH_MAX];

	if (g->topfd[tree] >= 0 || mount.n >= sizeof path ||
	    memchr(mount.p, '\0', mount.n) != NULL)
		return;
	memcpy(path, mount.p, mount.n);
	path[mount.n] = '\0';
	if (!table_path(&g->table.world, path, g->top[tree],
	    sizeof g->top[tree]))
		return;
	g->topfd[tree] = open(g->top[tree],
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
}

static struct table *
cgroups_open(const struct table_world *w, const struct table_ask *ask,
    char why[LIM_TABLE_WHY])
{
	struct cgroups *g;
	struct mountinfo m;
	int i;

	(void)ask;
	if (w->snapshot != NULL)
		return snapshot_cgroups(w);
	g = (struct cgroups *)table_make(w, &table_cgroups, sizeof *g);
	for (i = 0; i < TREES; i++)
		g->topfd[i] = g->fd[i] = -1;
	if (!mountinfo_open(&g->lines, w, why)) {
		cgroups_close(&g->table);
		return NULL;
	}
	while (mountinfo_next(&g->lines, &m))
		if (line_is(m.type, "cgroup2"))
			cgroups_tree(g, V2, m.mount);
		else if (line_is(m.type, "cgroup")) {
			if (mountinfo_option(m.super, "memory"))
				cgroups_tree(g, V1_MEMORY, m.mount);
			if (mountinfo_option(m.super, "pids"))
				cgroups_tree(g, V1_PIDS, m.mount);
		}
	lines_close(&g->lines);
	for (i = 0; i < TREES && g->topfd[i] < 0; i++)
		;
	if (i < TREES)
		return &g->table;
	table_whyf(why, "%.150s/proc/self/mountinfo has neither a "
	    "cgroup2 tree that can be opened nor one of the controllers memory "
	    "and pids", w->root == NULL ? "" : w->root);
	cgroups_close(&g->table);
	return NULL;
}

/* The row's folder in a tree, or -1. */
static int
folder(struct cgroups *g, enum tree tree)
{
	const char *below = g->walk.n == 0 ? "." : g->walk.path;

	if (g->fd[tree] == -2)
		g->fd[tree] = g->topfd[tree] < 0 ? -1 : openat(g->topfd[tree],
		    below, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return g->fd[tree];
}

static void
forget(struct cgroups *g)
{
	int i;

	for (i = 0; i < TREES; i++) {
		if (g->fd[i] >= 0)
			close(g->fd[i]);
		g->fd[i] = -2;
	}
}

/* True if a tree that was walked before has this path. */
static bool
had(struct cgroups *g)
{
	int i;

	for (i = 0; i < (int)g->at; i++)
		if (folder(g, (enum tree)i) >= 0)
			return true;
	return false;
}

static enum table_next
cgroups_row(struct cgroups *g)
{
	struct table *t = &g->table;
	char text[200];

	if (g->rows < LIM_CGROUPS) {
		g->rows++;
		return TABLE_ROW;
	}
	snprintf(text, sizeof text, "cgroups: there are more than %d; the rest "
	    "is left out", LIM_CGROUPS);
	if (t->world.warn != NULL)
		t->world.warn(t->world.arg, str_c(text));
	return TABLE_END;
}

static enum table_next
cgroups_next(struct table *t)
{
	struct cgroups *g = (struct cgroups *)t;
	int fd;

	for (;;) {
		forget(g);
		if (!g->walking) {
			while (g->at < TREES && g->topfd[g->at] < 0)
				g->at++;
			if (g->at == TREES)
				return TABLE_END;
			if (!walk_open(&g->walk, g->top[g->at])) {
				g->at++;
				continue;
			}
			g->walking = true;
			if (!had(g))
				return cgroups_row(g);
			continue;
		}
		if (g->enter)
			(void)walk_enter(&g->walk);	/* gone, or too deep */
		g->enter = false;
		if (!walk_next(&g->walk)) {
			/* a cgroup that was removed while it was listed ends
			 * its folder's list; the tree goes on */
			if (errno == 0) {
				g->walking = false;
				g->at++;
			}
			continue;
		}
		if (!walk_maybe_dir(&g->walk))
			continue;
		fd = openat(walk_dir(&g->walk), walk_name(&g->walk),
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd == -1)
			continue;
		g->fd[g->at] = fd;
		g->enter = true;
		if (!had(g))
			return cgroups_row(g);
	}
}

/* A limit: max, or what a v1 tree writes for none, is NIL. */
static double
limit(double v)
{
	return !num_none(v) && v >= 4611686018427387904.0 ? NUM_NIL : v;
}

/* From the v2 tree if it has the file, else from that of v1. */
static double
either(struct cgroups *g, const char *v2, enum tree tree, const char *v1)
{
	int fd = folder(g, V2);

	if (fd >= 0 && faccessat(fd, v2, F_OK, 0) == 0)
		return small_number(fd, v2);
	return (fd = folder(g, tree)) < 0 ? NUM_NIL : small_number(fd, v1);
}

static double
either_field(struct cgroups *g, const char *v2, const char *field2,
    enum tree tree, const char *v1, const char *field1)
{
	int fd = folder(g, V2);

	if (fd >= 0 && faccessat(fd, v2, F_OK, 0) == 0)
		return small_field(fd, v2, field2);
	return (fd = folder(g, tree)) < 0 ? NUM_NIL :
	    small_field(fd, v1, field1);
}

/* Pages of files of the cgroup and those below it. */
static double
files_memory(struct cgroups *g)
{
	struct lines *l = &g->lines;
	struct str line, word;
	double sum = NUM_NIL, v;
	int fd = folder(g, V2);
	size_t i;
	/* without total_ v1 tells of the cgroup alone */
	const char *name[][2] = {
		{ "inactive_file", "active_file" },
		{ "total_inactive_file", "total_active_file" }
	};
	bool v1 = fd < 0 || faccessat(fd, "memory.stat", F_OK, 0) != 0;

	if (v1)
		fd = folder(g, V1_MEMORY);
	if (fd < 0 || !lines_openat(l, fd, "memory.stat"))
		return NUM_NIL;
	while (lines_next(l, &line)) {
		if (!line_word(&line, &word))
			continue;
		for (i = 0; i < 2; i++)
			if (line_is(word, name[v1][i]) &&
			    !num_none(v = line_word_number(&line)))
				sum = num_none(sum) ? v : sum + v;
	}
	lines_close(l);
	return sum;
}

/* Where its numbers are; a v2 tree without controllers names only. */
static double
version(struct cgroups *g)
{
	int fd = folder(g, V2);

	if (fd < 0)
		return 1;
	if (faccessat(fd, "memory.current", F_OK, 0) == 0 ||
	    faccessat(fd, "pids.current", F_OK, 0) == 0)
		return 2;
	return folder(g, V1_MEMORY) >= 0 || folder(g, V1_PIDS) >= 0 ? 1 : 2;
}

static double
cgroups_number(struct row *r, enum table_column c)
{
	struct cgroups *g = (struct cgroups *)r;
	int fd;

	switch (c) {
	case COLUMN_CGROUPS_version:
		return version(g);
	case COLUMN_CGROUPS_mem_used:
		return either(g, "memory.current", V1_MEMORY,
		    "memory.usage_in_bytes");
	case COLUMN_CGROUPS_mem_max:
		return limit(either(g, "memory.max", V1_MEMORY,
		    "memory.limit_in_bytes"));
	case COLUMN_CGROUPS_mem_files:
		return files_memory(g);
	case COLUMN_CGROUPS_under_oom:
		fd = folder(g, V1_MEMORY);
		return fd < 0 ? NUM_NIL :
		    small_field(fd, "memory.oom_control", "under_oom");
	case COLUMN_CGROUPS_oom_kills:
		return either_field(g, "memory.events", "oom_kill", V1_MEMORY,
		    "memory.oom_control", "oom_kill");
	case COLUMN_CGROUPS_mem_fails:
		fd = folder(g, V2);
		if (fd >= 0 && faccessat(fd, "memory.events", F_OK, 0) == 0)
			return small_field(fd, "memory.events", "max");
		fd = folder(g, V1_MEMORY);
		return fd < 0 ? NUM_NIL : small_number(fd, "memory.failcnt");
	case COLUMN_CGROUPS_pids:
		return either(g, "pids.current", V1_PIDS, "pids.current");
	case COLUMN_CGROUPS_pids_max:
		return limit(either(g, "pids.max", V1_PIDS, "pids.max"));
	default:
		return either_field(g, "pids.events", "max", V1_PIDS,
		    "pids.events", "max");
	}
}

static struct str
cgroups_text(struct row *r, enum table_column c)
{
	struct cgroups *g = (struct cgroups *)r;

	(void)c;
	g->path[0] = '/';
	memcpy(g->path + 1, g->walk.path, g->walk.n);
	return str_of(g->path, g->walk.n + 1);
}

const struct table_maker table_cgroups = {
	cgroups_open, cgroups_next, cgroups_close,
	{ cgroups_number, cgroups_text }
};
