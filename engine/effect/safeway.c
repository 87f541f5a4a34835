#include "engine/effect/safeway.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SHOWN	60		/* bytes of a component in a reason */

/* The walk's own state: what is still to go. */
struct walk {
	struct live	*l;
	struct safeway	*way;
	char		 rest[PATH_MAX];
	const char	*name;		/* at hand, for reasons */
	unsigned	 links;
};

static bool
refuse(const struct walk *w, const char *why)
{
	live_fail(w->l, "on the way, \"%.*s\": %s", SHOWN,
	    w->name[0] == '\0' ? "/" : w->name, why);
	return false;
}

bool
safeway_absolute(struct live *l, struct str path, char to[PATH_MAX])
{
	char name[PATH_MAX];
	size_t n, have = 0;

	if (!live_path(l, path, name))
		return false;
	if (name[0] != '/') {
		if (getcwd(to, PATH_MAX) == NULL || to[0] != '/') {
			live_fail(l, "where this runs is not known: give the "
			    "path from / on");
			return false;
		}
		have = strlen(to);
		to[have++] = '/';
	}
	n = strlen(name);
	if (have + n >= PATH_MAX) {
		live_fail(l, "%s", strerror(ENAMETOOLONG));
		return false;
	}
	memcpy(to + have, name, n + 1);
	return true;
}

static bool
is_ours(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

/* The folder becomes the one at hand, if its owner and mode allow. */
static bool
enter(struct walk *w, int fd)
{
	struct safeway *way = w->way;
	struct stat st;

	if (fd == -1)
		return refuse(w, strerror(errno));
	if (way->dir != -1)
		close(way->dir);
	way->dir = fd;
	if (fstat(fd, &st) != 0)
		return refuse(w, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return refuse(w, strerror(ENOTDIR));
	if (!is_ours(st.st_uid) && way->foreign && way->whose != st.st_uid)
		return refuse(w, "belongs to a second user: one of them could "
		    "lead the other's files astray");
	if (!is_ours(st.st_uid)) {
		way->foreign = true;
		way->whose = st.st_uid;
	}
	if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
		return refuse(w, "everybody can write to this folder");
	way->st = st;
	return true;
}

/* A symbolic link on the way: what it says goes before the rest. */
static bool
follow(struct walk *w, int fd, const struct stat *st)
{
	char to[PATH_MAX];
	ssize_t n;
	size_t rest;

	if (w->way->foreign || !is_ours(st->st_uid))
		return refuse(w, "is another user's link");
	if (++w->links > LIM_WAY_LINKS)
		return refuse(w, strerror(ELOOP));
	n = readlinkat(fd, "", to, sizeof to - 1);
	if (n <= 0)
		return refuse(w, strerror(n == 0 ? ENOENT : errno));
	to[n] = '\0';
	rest = strlen(w->rest);
	if ((size_t)n + 1 + rest >= sizeof w->rest)
		return refuse(w, strerror(ENAMETOOLONG));
	memmove(w->rest + n + 1, w->rest, rest + 1);
	memcpy(w->rest, to, (size_t)n);
	w->rest[n] = '/';
	if (to[0] != '/')
		return true;
	w->name = "/";
	return enter(w, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/* One component that must be a folder or lead to one. */
static bool
step(struct walk *w, const char *name)
{
	struct safeway *way = w->way;
	struct stat st;
	bool good;
	int fd;

	w->name = name;
	fd = openat(way->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return refuse(w, strerror(errno));
	if (fstat(fd, &st) != 0) {
		good = refuse(w, strerror(errno));
	} else if ((way->st.st_mode & S_IWOTH) && !is_ours(st.st_uid) &&
	    way->foreign && way->whose != st.st_uid) {
		good = refuse(w, "is another user's, in a folder that "
		    "everybody can write to");
	} else if (S_ISLNK(st.st_mode)) {
		good = follow(w, fd, &st);
	} else
		return enter(w, fd);
	close(fd);
	return good;
}

/* Takes the first component off the rest; "" at the end. */
static bool
next(struct walk *w, char name[NAME_MAX + 1], bool *last)
{
	char *p = w->rest;
	size_t n, skip;

	p += strspn(p, "/");
	n = strcspn(p, "/");
	if (n > NAME_MAX) {
		w->name = p;
		return refuse(w, strerror(ENAMETOOLONG));
	}
	memcpy(name, p, n);
	name[n] = '\0';
	skip = (size_t)(p - w->rest) + n;
	memmove(w->rest, w->rest + skip, strlen(w->rest + skip) + 1);
	*last = w->rest[0] == '\0';
	return true;
}

bool
safeway_walk(struct live *l, const char *path, bool whole, struct safeway *way)
{
	struct walk w = { .l = l, .way = way, .name = "/" };
	char name[NAME_MAX + 1];
	bool last = false;

	memset(way, 0, sizeof *way);
	way->dir = -1;
	strcpy(w.rest, path);
	if (!enter(&w, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)))
		goto fail;
	while (!last) {
		if (!next(&w, name, &last))
			goto fail;
		if (last && !whole)
			break;
		if (name[0] != '\0' && strcmp(name, ".") != 0 &&
		    !step(&w, name))
			goto fail;
		last = w.rest[0] == '\0';	/* a link may have led on */
	}
	if (!whole && (name[0] == '\0' || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)) {
		live_fail(l, "names no file in a folder");
		goto fail;
	}
	strcpy(way->base, whole ? "" : name);
	return true;
fail:
	safeway_close(way);
	return false;
}

void
safeway_close(struct safeway *way)
{
	if (way->dir != -1)
		close(way->dir);
	way->dir = -1;
}
