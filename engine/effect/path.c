/*
 * path: opening files for scripts.  Never blocks (a FIFO put where a file is
 * expected), never follows a link in the last component when writing, and
 * writes to nothing but regular files and /dev/null.
 *
 * Parents of a path may be links: systems have them (/var/log on another
 * disk).  What must not be is a folder in which others can put names: one
 * writable by everybody is refused unless it is sticky, and in a sticky one
 * (/tmp) only a file of ours, with one name, is written to: not what another
 * user has laid there, nor a second name of another file.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "engine/effect/state.h"

#define PATH_MODE	0640		/* of new files: group adm reads logs */

bool
live_path(struct live *l, struct str s, char to[PATH_MAX])
{
	if (str_none(s) || s.n == 0)
		live_fail(l, "no path");
	else if (s.n >= PATH_MAX)
		live_fail(l, "path of %zu bytes: %s", s.n,
		    strerror(ENAMETOOLONG));
	else if (memchr(s.p, '\0', s.n) != NULL)
		live_fail(l, "path holds a NUL byte");
	else {
		memcpy(to, s.p, s.n);
		to[s.n] = '\0';
		return true;
	}
	return false;
}

static bool
is_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

int
path_open_read(struct live *l, struct str path, struct stat *st)
{
	char name[PATH_MAX];
	int fd;

	if (!live_path(l, path, name))
		return -1;
	fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, st) != 0)
		live_fail(l, "%s: %s", name, strerror(errno));
	else if (S_ISDIR(st->st_mode))
		live_fail(l, "%s: %s", name, strerror(EISDIR));
	else if (!S_ISREG(st->st_mode) && !S_ISFIFO(st->st_mode) &&
	    !is_null(st))
		live_fail(l, "%s: neither a file nor a FIFO", name);
	else
		return fd;
	if (fd != -1)
		close(fd);
	return -1;
}

/* The folder of name; *base gets the rest.  -1: failed. */
static int
open_parent(char *name, const char **base)
{
	const char *dir = ".";
	char *slash = strrchr(name, '/');
	int fd;

	*base = name;
	if (slash != NULL) {
		*base = slash + 1;
		dir = slash == name ? "/" : name;
		*slash = '\0';
	}
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (slash != NULL)
		*slash = '/';
	return fd;
}

/* Why an open file must not be written to, or NULL. */
static const char *
refuse(const struct stat *dir, const struct stat *st)
{
	if (is_null(st))
		return NULL;
	if (!S_ISREG(st->st_mode))
		return "not a regular file";
	if ((dir->st_mode & S_IWOTH) == 0)
		return NULL;
	if (st->st_uid != geteuid())
		return "belongs to another user, in a folder that everybody "
		    "can write to";
	if (st->st_nlink > 1)
		return "has more than one name, in a folder that everybody "
		    "can write to";
	return NULL;
}

int
path_open_write(struct live *l, struct str path, int mode)
{
	char name[PATH_MAX];
	const char *base, *why;
	struct stat dir, st;
	int dfd, fd = -1;

	if (!live_path(l, path, name))
		return -1;
	dfd = open_parent(name, &base);
	if (dfd == -1 || fstat(dfd, &dir) != 0)
		live_fail(l, "%s: %s", name, strerror(errno));
	else if ((dir.st_mode & S_IWOTH) && !(dir.st_mode & S_ISVTX))
		live_fail(l, "%s: everybody can write to its folder", name);
	else {
		/* emptied only when it is known what it is */
		fd = openat(dfd, base, O_WRONLY | O_CREAT | O_NOFOLLOW |
		    O_NONBLOCK | O_NOCTTY | O_CLOEXEC |
		    (mode == 'a' ? O_APPEND : 0), PATH_MODE);
		if (fd == -1 && errno == ELOOP)
			live_fail(l, "%s: is a link", name);
		else if (fd == -1 && errno == ENXIO)
			live_fail(l, "%s: not a regular file", name);
		else if (fd == -1 || fstat(fd, &st) != 0)
			live_fail(l, "%s: %s", name, strerror(errno));
		else if ((why = refuse(&dir, &st)) != NULL)
			live_fail(l, "%s: %s", name, why);
		else if (mode == 'w' && S_ISREG(st.st_mode) &&
		    ftruncate(fd, 0) != 0)
			live_fail(l, "%s: %s", name, strerror(errno));
		else {
			close(dfd);
			return fd;
		}
	}
	if (fd != -1)
		close(fd);
	if (dfd != -1)
		close(dfd);
	return -1;
}
