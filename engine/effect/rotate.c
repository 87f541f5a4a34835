/*
 * rotate: #rotate.  path.2 becomes path.3, path.1 path.2, path path.1; the
 * oldest goes.  From the oldest on, one rename each, so that whoever is killed
 * leaves a gap and loses nothing; the next one fills it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/effect/act.h"
#include "engine/effect/archive.h"

struct rotation {
	struct live	*l;
	struct safeway	 way;
	int		 keep;
	int		 top;		/* the number that path.(top - 1) gets */
	char		 from[NAME_MAX + 1], to[NAME_MAX + 1];
};

/* path.N, or path itself for 0; false: too long. */
static bool
name(struct rotation *r, int n, char to[NAME_MAX + 1])
{
	int k;

	if (n == 0)
		k = snprintf(to, NAME_MAX + 1, "%s", r->way.base);
	else
		k = snprintf(to, NAME_MAX + 1, "%s.%d", r->way.base, n);
	if (k <= NAME_MAX)
		return true;
	live_fail(r->l, "path.%d: %s", n, strerror(ENAMETOOLONG));
	return false;
}

/* Which of them are there, up to the first that is not. */
static bool
find_top(struct rotation *r)
{
	struct stat st;

	for (r->top = 1; r->top <= r->keep; r->top++) {
		if (!name(r, r->top, r->to))
			return false;
		if (fstatat(r->way.dir, r->to, &st, AT_SYMLINK_NOFOLLOW) != 0) {
			if (errno == ENOENT)
				return true;
			live_fail(r->l, "path.%d: %s", r->top,
			    strerror(errno));
			return false;
		}
		if (!S_ISREG(st.st_mode) || st.st_nlink != 1) {
			live_fail(r->l, "path.%d %s", r->top,
			    S_ISREG(st.st_mode) ? "has more than one name" :
			    S_ISLNK(st.st_mode) ? "is a symbolic link" :
			    "is no regular file");
			return false;
		}
	}
	r->top = r->keep;	/* that one goes */
	return true;
}

static bool
move(struct rotation *r, int n)
{
	/* the oldest is written over, and nothing else ever */
	unsigned flags = n == r->keep ? 0 : RENAME_NOREPLACE;
	int rc;

	if (!name(r, n - 1, r->from) || !name(r, n, r->to))
		return false;
	rc = renameat2(r->way.dir, r->from, r->way.dir, r->to, flags);
	if (rc != 0 && flags != 0 && (errno == EINVAL || errno == ENOSYS))
		rc = renameat(r->way.dir, r->from, r->way.dir, r->to);
	if (rc == 0)
		return true;
	live_fail(r->l, "path.%d: %s", n, strerror(errno));
	return false;
}

bool
archive_rotate(struct live *l, const struct act *a, bool dry,
    struct act_result *res)
{
	struct rotation r = { .l = l, .keep = (int)a->value };
	char path[PATH_MAX], text[LIM_LOG_TEXT];
	struct stat st;
	bool good;
	int i, fd;

	if (!safeway_absolute(l, a->path, path) ||
	    !archive_look(l, path, &r.way, &st))
		return false;
	good = find_top(&r);
	safeway_close(&r.way);
	if (!good)
		return false;
	snprintf(text, sizeof text, "%.*s: %d of %d", (int)sizeof text / 2,
	    path, r.top, r.keep);
	if (!act_begins(l, dry, "rotate", text, res, r.top))
		return true;
	/* from here on nothing may jump: a folder is open */
	if (!archive_look(l, path, &r.way, &st))
		return false;
	good = find_top(&r);
	for (i = r.top; good && i > 0; i--)
		good = move(&r, i);
	fd = openat(r.way.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1) {
		(void)fsync(fd);
		close(fd);
	}
	safeway_close(&r.way);
	res->n = r.top;
	return good;
}
