/* snapshot_files: what a snapshot keeps open besides processes: what the kernel
 * tells of the host's memory, and of the own cgroup's. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/table/mountinfo.h"
#include "engine/table/snapshot_inner.h"

static const char *const host_file[] = { "/proc/meminfo",
    "/proc/pressure/memory", "/proc/pressure/cpu", "/proc/pressure/io",
    "/proc/loadavg" };

/* Kept, by its place in the world; -1: it is not there. */
static int
keep(struct snapshot *s, const char *path, const char *full)
{
	struct snapshot_file *f = &s->file[s->nfile];
	char c[16];

	if (s->nfile == LIM_SNAPSHOT_FILES)
		return -1;
	f->fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (f->fd == -1)
		return -1;
	if (pread(f->fd, c, sizeof c, 0) < 0) {
		close(f->fd);
		return -1;
	}
	snprintf(f->path, sizeof f->path, "%s", path);
	s->nfile++;
	return f->fd;
}

/* The own cgroup's path in v2's tree or v1's of memory: "" for none. */
static void
own_path(struct snapshot *s, unsigned version, char to[PATH_MAX])
{
	struct lines *l = &s->p->lines;
	struct str line, list, name;
	char why[LIM_TABLE_WHY];
	bool is;

	to[0] = '\0';
	if (!lines_open(l, &s->world, "/proc/self/cgroup", why))
		return;
	while (lines_next(l, &line)) {
		line_part(&line, ':');
		list = line_part(&line, ':');
		if (str_none(line) || line.n == 0 || line.n >= PATH_MAX ||
		    line.p[0] != '/')
			continue;
		is = version == 2 && list.n == 0;
		while (version == 1 && !is && list.n > 0 && !str_none(list)) {
			name = line_part(&list, ',');
			is = str_eq(name, STR_LIT("memory"));
			if (str_none(list))
				break;
		}
		if (!is)
			continue;
		memcpy(to, line.p, line.n);
		to[line.n] = '\0';
		break;
	}
	lines_close(l);
}

/* Where the tree is mounted, and what of it: false: nowhere. */
static bool
tree(struct snapshot *s, unsigned version, char mount[PATH_MAX],
    char root[PATH_MAX])
{
	struct lines *l = &s->p->lines;
	struct mountinfo m;
	char why[LIM_TABLE_WHY];
	bool found = false;

	if (!mountinfo_open(l, &s->world, why))
		return false;
	while (!found && mountinfo_next(l, &m)) {
		found = version == 2 ? line_is(m.type, "cgroup2") :
		    line_is(m.type, "cgroup") &&
		    mountinfo_option(m.super, "memory");
		found = found && m.mount.n < PATH_MAX && m.root.n < PATH_MAX;
		if (found) {
			snprintf(mount, PATH_MAX, "%.*s", (int)m.mount.n,
			    m.mount.p);
			snprintf(root, PATH_MAX, "%.*s", m.root.n == 1 ? 0 :
			    (int)m.root.n, m.root.p);
		}
	}
	lines_close(l);
	return found;
}

static double
number_of(const char *folder, const char *name)
{
	char path[2 * PATH_MAX], text[40];
	ssize_t n;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	n = file_bytes(AT_FDCWD, path, text, sizeof text);
	return n <= 0 ? NUM_NIL : line_number(str_trim(str_of(text,
	    (size_t)n)));
}

static int
keep_below(struct snapshot *s, const char *folder, const char *name)
{
	char path[2 * PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return keep(s, name, path);
}

/*
 * From the own cgroup upwards the first that has a limit: memory runs short
 * there first.  A limit that is given later is not seen.
 */
static bool
find_group(struct snapshot *s, unsigned version)
{
	const char *max = version == 2 ? "memory.max" :
	    "memory.limit_in_bytes";
	struct snapshot_group *g = &s->group;
	char mount[PATH_MAX], root[PATH_MAX], folder[PATH_MAX];
	char path[PATH_MAX], *slash;
	const char *below;
	double limit;
	int k;

	own_path(s, version, path);
	if (path[0] == '\0' || !tree(s, version, mount, root))
		return false;
	for (;;) {
		below = strncmp(path, root, strlen(root)) == 0 ?
		    path + strlen(root) : path;
		k = snprintf(folder, sizeof folder, "%s%s%s",
		    s->world.root == NULL ? "" : s->world.root, mount, below);
		if (k < 0 || (size_t)k >= sizeof folder)
			return false;
		limit = number_of(folder, max);
		/* v1 writes a huge number for none */
		if (!num_none(limit) && limit < 4611686018427387904.0)
			break;
		slash = strrchr(path, '/');
		if (slash == NULL || path[1] == '\0' ||
		    strcmp(path, root) == 0)
			return false;
		slash[slash == path] = '\0';
	}
	snprintf(g->path, sizeof g->path, "%s", path);
	snprintf(g->folder, sizeof g->folder, "%s", folder);
	g->version = version;
	g->max = keep_below(s, folder, max);
	g->used = keep_below(s, folder, version == 2 ? "memory.current" :
	    "memory.usage_in_bytes");
	g->stat = keep_below(s, folder, "memory.stat");
	g->oom = keep_below(s, folder, version == 2 ? "memory.events" :
	    "memory.oom_control");
	g->pids = keep_below(s, folder, "pids.current");
	g->pids_max = keep_below(s, folder, "pids.max");
	return true;
}

void
snapshot_files_open(struct snapshot *s)
{
	struct snapshot_group *g = &s->group;
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < sizeof host_file / sizeof host_file[0]; i++)
		if (table_path(&s->world, host_file[i], path, sizeof path))
			(void)keep(s, host_file[i], path);
	g->used = g->max = g->stat = g->oom = g->pids = g->pids_max = -1;
	if (!find_group(s, 2))
		(void)find_group(s, 1);
}

void
snapshot_files_close(struct snapshot *s)
{
	while (s->nfile > 0)
		close(s->file[--s->nfile].fd);
}

int
snapshot_file(const struct snapshot *s, const char *path)
{
	size_t i;

	for (i = 0; i < s->nfile; i++)
		if (strcmp(s->file[i].path, path) == 0)
			return s->file[i].fd;
	return -1;
}

double
snapshot_number(int fd)
{
	char text[40];
	ssize_t n = fd == -1 ? -1 : pread(fd, text, sizeof text, 0);
	double v;

	if (n <= 0)
		return NUM_NIL;
	v = line_number(str_trim(str_of(text, (size_t)n)));
	return v >= 4611686018427387904.0 ? NUM_NIL : v;
}

double
snapshot_field(int fd, const char *field)
{
	char text[4096];
	ssize_t n = fd == -1 ? -1 : pread(fd, text, sizeof text, 0);
	struct str rest = str_of(text, n < 0 ? 0 : (size_t)n), line, word;

	while (rest.n > 0) {
		line = line_upto(&rest, '\n');
		if (line_word(&line, &word) && line_is(word, field))
			return line_word_number(&line);
	}
	return NUM_NIL;
}
