/*
 * files: what is in a folder, and in those below it.  Each name is looked at
 * once, by lstat; the row is what it was then.  Folders on another filesystem
 * than the first are rows and are not entered, as find -xdev does it: a dead
 * server below /home must not hang a rule about /home.
 *
 * Several folders are read one after the other.  Of those some may be missing,
 * as lists are written for more than one kind of host; and one that is there
 * under two names, such as /bin where /usr is merged, is read once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/table/lines.h"
#include "engine/table/walk.h"

#define LIM_FILES_WARNINGS	5	/* of folders that cannot be read */
#define LIM_FILES_TOPS		64	/* folders in a list: of those behind it
					 * is not known whether they are new */
#define STOP_EVERY		256	/* rows between two looks at the clock */

struct files {
	struct table	 table;
	struct walk	 walk;
	size_t		 ntop;		/* of path: the folder as given */
	unsigned	 depth;		/* folders to enter, with the first */
	char		*list;		/* the folders as given */
	struct str	 all, rest;	/* of list: rest is still to come */
	struct {
		dev_t	 dev;
		ino_t	 ino;
	} top[LIM_FILES_TOPS];		/* that were read */
	unsigned	 ntops;
	dev_t		 dev;
	struct stat	 st;
	bool		 enter;		/* the last row is a folder to enter */
	unsigned	 unreadable;
	unsigned long	 rows;
	char		 path[2 * PATH_MAX];
	char		 owner[24], group[24];
};

static bool
files_depth(const struct table_ask *ask, unsigned *depth,
    char why[LIM_TABLE_WHY])
{
	double d = ask->narg < 2 ? 1 : ask->number[1];

	if (num_is_int(d) && d >= 1 && d <= LIM_WALK_DEPTH) {
		*depth = (unsigned)d;
		return true;
	}
	table_whyf(why, "the depth must be a whole number from 1 to %d",
	    LIM_WALK_DEPTH);
	return false;
}

/* The first folder of a list: up to a colon before another path. */
static struct str
first_folder(struct str *rest)
{
	struct str s = *rest;
	size_t i;

	for (i = 1; i < s.n; i++)
		if (s.p[i] == '/' && s.p[i - 1] == ':') {
			*rest = str_of(s.p + i, s.n - i);
			return str_of(s.p, i - 1);
		}
	*rest = STR_NIL;
	return s;
}

static bool
known_top(struct files *f, const struct stat *st)
{
	unsigned i;

	for (i = 0; i < f->ntops; i++)
		if (f->top[i].dev == st->st_dev && f->top[i].ino == st->st_ino)
			return true;
	if (f->ntops < LIM_FILES_TOPS) {
		f->top[f->ntops].dev = st->st_dev;
		f->top[f->ntops++].ino = st->st_ino;
	}
	return false;
}

/* 1: the walk is at the start of a folder; 0: errno, or 0 for a folder that
 * was read already; -1: the name is too long. */
static int
open_top(struct files *f, struct str dir)
{
	char given[PATH_MAX], full[PATH_MAX];
	struct stat st;
	int e;

	if (dir.n >= sizeof given)
		return -1;
	memcpy(given, dir.p, dir.n);
	given[dir.n] = '\0';
	if (!table_path(&f->table.world, given, full, sizeof full))
		return -1;
	if (!walk_open(&f->walk, full) ||
	    fstat(walk_dir(&f->walk), &st) == -1) {
		e = errno;
		walk_close(&f->walk);
		errno = e;
		return 0;
	}
	if (known_top(f, &st)) {
		walk_close(&f->walk);
		errno = 0;
		return 0;
	}
	f->dev = st.st_dev;
	while (dir.n > 0 && dir.p[dir.n - 1] == '/')
		dir.n--;
	memcpy(f->path, dir.p, dir.n);
	f->path[dir.n] = '/';
	f->ntop = dir.n + 1;
	return 1;
}

static void
files_warn(struct files *f, int e)
{
	const struct table_world *w = &f->table.world;
	char text[PATH_MAX + 200];
	int n;

	if (f->unreadable++ >= LIM_FILES_WARNINGS || w->warn == NULL)
		return;
	n = snprintf(text, sizeof text, "files: %.*s%.*s: %s%s", (int)f->ntop,
	    f->path, (int)f->walk.n, f->walk.path, strerror(e),
	    f->unreadable < LIM_FILES_WARNINGS ? "" :
	    "; others are not told of");
	w->warn(w->arg, str_of(text, n < 0 ? 0 :
	    (size_t)n < sizeof text ? (size_t)n : sizeof text - 1));
}

/* The next folder of the list that is there; false: none is left. */
static bool
next_top(struct files *f, int *why)
{
	struct str dir;
	int r;

	while (!str_none(f->rest)) {
		dir = first_folder(&f->rest);
		if ((r = open_top(f, dir)) == 1)
			return true;
		if (r == 0 && errno == 0)
			continue;
		*why = r == -1 ? ENAMETOOLONG : errno;
		if (*why != ENOENT && dir.n < f->all.n) {
			f->ntop = dir.n < PATH_MAX ? dir.n : PATH_MAX;
			memcpy(f->path, dir.p, f->ntop);
			files_warn(f, *why);
		}
	}
	return false;
}

static void
files_close(struct table *t)
{
	struct files *f = (struct files *)t;

	walk_close(&f->walk);
	mem_free(t->world.mem, f->list, f->all.n + 1);
	mem_free(t->world.mem, f, sizeof *f);
}

static struct table *
files_open(const struct table_world *w, const struct table_ask *ask,
    char why[LIM_TABLE_WHY])
{
	struct str dir = ask->narg < 1 ? STR_NIL : ask->text[0];
	struct files *f;
	unsigned depth;
	int e = 0;

	if (str_none(dir) || dir.n == 0 || dir.p[0] != '/' ||
	    memchr(dir.p, '\0', dir.n) != NULL) {
		table_whyf(why, "the folder must be a path that begins "
		    "with /");
		return NULL;
	}
	if (!files_depth(ask, &depth, why))
		return NULL;
	f = (struct files *)table_make(w, &table_files, sizeof *f);
	f->depth = depth;
	f->list = mem_alloc(w->mem, dir.n + 1);
	memcpy(f->list, dir.p, dir.n);
	f->list[dir.n] = '\0';
	f->all = f->rest = str_of(f->list, dir.n);
	if (next_top(f, &e))
		return &f->table;
	table_whyf(why, "%.220s: %s", f->list, strerror(e));
	files_close(&f->table);
	return NULL;
}

static enum table_next
files_next(struct table *t)
{
	struct files *f = (struct files *)t;
	int e;

	if (f->enter && !walk_enter(&f->walk) && errno != ENOENT &&
	    errno != ENOTDIR)
		files_warn(f, errno);
	f->enter = false;
	for (;;) {
		if (++f->rows % STOP_EVERY == 0 && t->world.stop != NULL &&
		    t->world.stop(t->world.arg)) {
			table_whyf(t->why, "the run must end, and not "
			    "all of the folder is read");
			return TABLE_FAILED;
		}
		if (!walk_next(&f->walk)) {
			if (errno != 0)
				files_warn(f, errno);
			else if (!next_top(f, &e))
				return TABLE_END;
			continue;
		}
		/* gone between the folder's listing and now: no row */
		if (fstatat(walk_dir(&f->walk), walk_name(&f->walk), &f->st,
		    AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) == 0)
			break;
		if (errno != ENOENT)
			files_warn(f, errno);
	}
	f->enter = S_ISDIR(f->st.st_mode) && f->st.st_dev == f->dev &&
	    f->walk.depth < f->depth;
	return TABLE_ROW;
}

static double
seconds(struct timespec ts)
{
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double
files_number(struct row *r, enum table_column c)
{
	const struct stat *st = &((struct files *)r)->st;

	switch (c) {
	case COLUMN_FILES_size:
		return (double)st->st_size;
	case COLUMN_FILES_mtime:
		return seconds(st->st_mtim);
	case COLUMN_FILES_ctime:
		return seconds(st->st_ctim);
	case COLUMN_FILES_uid:
		return st->st_uid;
	case COLUMN_FILES_gid:
		return st->st_gid;
	case COLUMN_FILES_mode:
		return st->st_mode & 07777;
	case COLUMN_FILES_links:
		return (double)st->st_nlink;
	default:
		return (double)st->st_ino;
	}
}

static const char *
type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "link";
	case S_IFCHR:
		return "character";
	case S_IFBLK:
		return "block";
	case S_IFIFO:
		return "pipe";
	case S_IFSOCK:
		return "socket";
	default:
		return "file";
	}
}

/* A name, or the number where there is none or nobody may be asked. */
static struct str
who(struct str name, unsigned id, char to[24])
{
	if (!str_none(name))
		return name;
	return str_of(to, (size_t)snprintf(to, 24, "%u", id));
}

static struct str
files_text(struct row *r, enum table_column c)
{
	struct files *f = (struct files *)r;
	const struct table_world *w = &f->table.world;
	const struct walk *k = &f->walk;

	switch (c) {
	case COLUMN_FILES_path:
		memcpy(f->path + f->ntop, k->path, k->n);
		return str_of(f->path, f->ntop + k->n);
	case COLUMN_FILES_name:
		return str_c(walk_name(k));
	case COLUMN_FILES_owner:
		return who(w->limited || w->username == NULL ? STR_NIL :
		    w->username(w->arg, f->st.st_uid), f->st.st_uid, f->owner);
	case COLUMN_FILES_group:
		return who(w->limited || w->groupname == NULL ? STR_NIL :
		    w->groupname(w->arg, f->st.st_gid), f->st.st_gid, f->group);
	default:
		return str_c(type_name(f->st.st_mode));
	}
}

const struct table_maker table_files = {
	files_open, files_next, files_close, { files_number, files_text }
};
