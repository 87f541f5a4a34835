/* walk: the names below a folder; see walk.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/table/walk.h"

static bool
walk_push(struct walk *w, int fd)
{
	int e;

	if (fd == -1)
		return false;
	if ((w->dir[w->depth] = fdopendir(fd)) == NULL) {
		e = errno;
		close(fd);
		errno = e;
		return false;
	}
	w->len[w->depth++] = w->n;
	return true;
}

bool
walk_open(struct walk *w, const char *top)
{
	w->depth = 0;
	w->n = 0;
	w->path[0] = '\0';
	return walk_push(w, open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NONBLOCK));
}

bool
walk_next(struct walk *w)
{
	struct dirent *d;
	size_t n, at;
	int e;

	while (w->depth > 0) {
		at = w->len[w->depth - 1];
		errno = 0;
		if ((d = readdir(w->dir[w->depth - 1])) == NULL) {
			e = errno;
			closedir(w->dir[--w->depth]);
			w->n = at;
			w->path[at] = '\0';
			errno = e;
			if (e != 0)
				return false;
			continue;
		}
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		n = strlen(d->d_name);
		if (at + 1 + n + 1 > sizeof w->path)
			continue;
		if (at > 0)
			w->path[at++] = '/';
		memcpy(w->path + at, d->d_name, n + 1);
		w->n = at + n;
		w->type = d->d_type;
		return true;
	}
	errno = 0;
	return false;
}

int
walk_dir(const struct walk *w)
{
	return dirfd(w->dir[w->depth - 1]);
}

const char *
walk_name(const struct walk *w)
{
	size_t at = w->len[w->depth - 1];

	return w->path + at + (at > 0);
}

bool
walk_maybe_dir(const struct walk *w)
{
	return w->type == DT_DIR || w->type == DT_UNKNOWN;
}

bool
walk_enter(struct walk *w)
{
	if (w->depth == LIM_WALK_DEPTH) {
		errno = ELOOP;
		return false;
	}
	return walk_push(w, openat(walk_dir(w), walk_name(w), O_RDONLY |
	    O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
}

void
walk_close(struct walk *w)
{
	while (w->depth > 0)
		closedir(w->dir[--w->depth]);
}
