#include "engine/daemon/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUP_DETACHED	"detached"
#define LIM_SLOTS	256	/* more than LIM_RUNS: of a daemon of another
				 * build, too */
#define LIM_CAGE_READ	65536	/* bytes of cgroup.procs: a storm has more, and
				 * is ended by cgroup.kill */

static int above = -1;		/* the folder of our own group */
static int ours = -1;		/* that of this state in it */
static char folder[32];		/* its name */
static int detached = -1;	/* cgroup.procs of those that live on */

/* The folder of the first mount of cgroup v2 that shows the whole tree. */
static bool
mount_point(char to[PATH_MAX])
{
	static char text[LIM_CAGE_READ];
	char *line, *end, root[2], at[PATH_MAX];
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t k;
	const char *kind;

	if (fd == -1)
		return false;
	while (n < sizeof text - 1 &&
	    (k = read(fd, text + n, sizeof text - 1 - n)) > 0)
		n += (size_t)k;
	(void)close(fd);
	text[n] = '\0';
	for (line = text; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		kind = strstr(line, " - cgroup2 ");
		if (kind == NULL || strlen(line) >= PATH_MAX ||
		    sscanf(line, "%*d %*d %*s %1s %s", root, at) != 2 ||
		    strcmp(root, "/") != 0)
			continue;
		memcpy(to, at, strlen(at) + 1);
		return true;
	}
	return false;
}

/* What stands behind "0::" in /proc/self/cgroup. */
static bool
own_path(char to[PATH_MAX])
{
	char text[8192], *p;
	int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return false;
	n = read(fd, text, sizeof text - 1);
	(void)close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	p = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (p == NULL)
		return false;
	p = strchr(p, '/');
	if (p == NULL)
		return false;
	p[strcspn(p, "\n")] = '\0';
	if (strlen(p) >= PATH_MAX)
		return false;
	memcpy(to, p, strlen(p) + 1);
	return true;
}

static void
cage_name(char to[32], unsigned slot)
{
	(void)snprintf(to, 32, "run-%u", slot);
}

/* Those that are empty.  Others are of runs that go on. */
static void
remove_all(void)
{
	char name[32];
	unsigned i;

	for (i = 0; i < LIM_SLOTS; i++) {
		cage_name(name, i);
		(void)unlinkat(ours, name, AT_REMOVEDIR);
	}
}

bool
cage_init(const char *state, const char **why)
{
	static char at[PATH_MAX], path[PATH_MAX], whole[2 * PATH_MAX];
	uint32_t hash = 2166136261u;
	int fd = -1;

	if (!mount_point(at) || !own_path(path)) {
		*why = "there is no cgroup v2 tree";
		return false;
	}
	for (; *state != '\0'; state++)		/* FNV-1a */
		hash = (hash ^ (unsigned char)*state) * 16777619u;
	(void)snprintf(folder, sizeof folder, "picketd-%08x", hash);
	(void)snprintf(whole, sizeof whole, "%s%s", at, path);
	above = open(whole, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (above != -1 && (mkdirat(above, folder, 0755) == 0 ||
	    errno == EEXIST))
		ours = openat(above, folder, O_RDONLY | O_DIRECTORY |
		    O_CLOEXEC);
	if (ours != -1 && (mkdirat(ours, GROUP_DETACHED, 0755) == 0 ||
	    errno == EEXIST))
		fd = openat(ours, GROUP_DETACHED "/cgroup.kill", O_WRONLY |
		    O_CLOEXEC);
	if (fd == -1) {
		*why = ours != -1 && errno == ENOENT ?
		    "before Linux 5.14 there is no cgroup.kill" :
		    strerror(errno);
		cage_done();
		return false;
	}
	(void)close(fd);
	detached = openat(ours, GROUP_DETACHED "/cgroup.procs", O_WRONLY |
	    O_CLOEXEC);
	remove_all();
	return true;
}

void
cage_done(void)
{
	if (ours != -1) {
		remove_all();
		(void)unlinkat(ours, GROUP_DETACHED, AT_REMOVEDIR);
		(void)close(ours);
	}
	if (above != -1) {
		(void)unlinkat(above, folder, AT_REMOVEDIR);
		(void)close(above);
	}
	if (detached != -1)
		(void)close(detached);
	ours = above = detached = -1;
}

bool
cage_make(struct cage *c, unsigned slot)
{
	char name[32];

	*c = (struct cage){ -1, slot };
	if (ours == -1)
		return false;
	cage_name(name, slot);
	if (mkdirat(ours, name, 0755) != 0 && (errno != EEXIST ||
	    unlinkat(ours, name, AT_REMOVEDIR) != 0 ||
	    mkdirat(ours, name, 0755) != 0))
		return false;
	c->dir = openat(ours, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return c->dir != -1;
}

int
cage_entrance(const struct cage *c)
{
	return c->dir == -1 ? -1 : openat(c->dir, "cgroup.procs", O_WRONLY |
	    O_CLOEXEC);
}

int
cage_detached(void)
{
	return detached;
}

void
cage_kill(const struct cage *c)
{
	int fd;

	if (c->dir == -1)
		return;
	fd = openat(c->dir, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return;
	(void)!write(fd, "1", 1);
	(void)close(fd);
}

bool
cage_each(const struct cage *c, void (*each)(void *arg, pid_t), void *arg)
{
	static char text[LIM_CAGE_READ];
	char *p = text, *end;
	size_t n = 0;
	ssize_t k;
	long pid;
	bool any = false;
	int fd;

	if (c->dir == -1)
		return false;
	fd = openat(c->dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	while (n < sizeof text - 1 &&
	    (k = read(fd, text + n, sizeof text - 1 - n)) > 0)
		n += (size_t)k;
	(void)close(fd);
	text[n] = '\0';
	for (; (pid = strtol(p, &end, 10)) > 0; p = end) {
		any = true;
		each(arg, (pid_t)pid);
	}
	return any;
}

void
cage_release(pid_t pid)
{
	char t[24];
	int n = snprintf(t, sizeof t, "%ld", (long)pid);

	if (detached != -1)
		(void)!write(detached, t, (size_t)n);
}

bool
cage_end(struct cage *c)
{
	char name[32];

	if (c->dir == -1)
		return true;
	cage_name(name, c->slot);
	if (unlinkat(ours, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
		return false;
	(void)close(c->dir);
	c->dir = -1;
	return true;
}
