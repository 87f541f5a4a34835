/*
 * logfolder: the log, its rotated files and their order.
 *
 * Rotated files are known by their names: LOG.1, LOG-20261122, LOG.old, and
 * with the log's suffix kept behind it (app.1.log, app-20261122.log), each
 * also packed.  They are looked for beside the log, beside what its links
 * lead to, and where `bakfile` says: a file, a pattern or a folder.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/input/logfile_inner.h"

#define DATE_DIGITS	6	/* of a date behind a - : app-2.log is another
				 * program's log, not a rotated app.log */
#define NAME_CLOCK	2000000000	/* nanoseconds that times may be wrong by:
				 * nearer ones are ordered by name */

const char *const log_unpacker[PACK_COUNT][2] = {
	[PACK_GZ] = { "gzip", "-dc" },
	[PACK_BZ2] = { "bzip2", "-dc" },
	[PACK_XZ] = { "xz", "-dc" },
	[PACK_ZST] = { "zstd", "-dcq" },
};

static const char *const pack_suffix[PACK_COUNT] = {
	[PACK_GZ] = ".gz", [PACK_BZ2] = ".bz2", [PACK_XZ] = ".xz",
	[PACK_ZST] = ".zst",
};

/* --- names --- */

/* What rotation puts into a name: a number, a date, a word. */
static bool
is_rotation(struct str s, struct log_file *f)
{
	size_t i, digits = 0;
	char sep;

	if (s.n < 2)
		return s.n == 1 && s.p[0] == '~';
	sep = s.p[0];
	if (sep != '.' && sep != '-' && sep != '_')
		return false;
	s = str_of(s.p + 1, s.n - 1);
	if (str_eq(s, STR_LIT("old")) || str_eq(s, STR_LIT("bak")) ||
	    str_eq(s, STR_LIT("prev")))
		return true;
	if (!isdigit((unsigned char)s.p[0]))
		return false;
	for (i = 0; i < s.n; i++)
		if (isdigit((unsigned char)s.p[i]))
			digits++;
		else if (strchr("-._:T", s.p[i]) == NULL || s.p[i] == '\0')
			return false;
	if (sep == '.' && digits == s.n && digits < DATE_DIGITS) {
		f->numbered = true;
		f->number = strtoul(s.p, NULL, 10);
		return true;
	}
	return digits >= DATE_DIGITS;
}

bool
log_is_rotated(struct str name, struct str base, struct log_file *f)
{
	struct str mid;
	size_t dot;
	int i;

	f->numbered = false;
	f->pack = PACK_NONE;
	if (base.n == 0)
		return false;
	for (i = PACK_NONE + 1; i < PACK_COUNT; i++)
		if (str_ends(name, pack_suffix[i])) {
			f->pack = (enum log_pack)i;
			name.n -= strlen(pack_suffix[i]);
		}
	/* logrotate's, where the name that it wanted was taken */
	if (str_ends(name, ".backup"))
		name.n -= strlen(".backup");
	if (name.n <= base.n)
		return false;
	if (memcmp(name.p, base.p, base.n) == 0)
		return is_rotation(str_of(name.p + base.n, name.n - base.n),
		    f);
	for (dot = base.n; dot > 1 && base.p[dot - 1] != '.'; dot--)
		;
	if (dot <= 1)
		return false;
	dot--;
	if (memcmp(name.p, base.p, dot) != 0 ||
	    memcmp(name.p + name.n - (base.n - dot), base.p + dot,
	    base.n - dot) != 0)
		return false;
	mid = str_of(name.p + dot, name.n - base.n);
	return mid.p[0] != '~' && is_rotation(mid, f);
}

/* --- the list --- */

int64_t
log_mtime(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static void
fill(struct log_file *f, const struct stat *st)
{
	f->dev = (uint64_t)st->st_dev;
	f->ino = (uint64_t)st->st_ino;
	f->size = (uint64_t)st->st_size;
	f->mtime = log_mtime(st);
}

static void
birth(struct log_file *f)
{
	struct statx x;

	f->btime = 0;
	if (statx(f->fd, "", AT_EMPTY_PATH, STATX_BTIME, &x) == 0 &&
	    (x.stx_mask & STATX_BTIME))
		f->btime = (int64_t)x.stx_btime.tv_sec * 1000000000 +
		    x.stx_btime.tv_nsec;
}

static struct log_file *
add_file(struct logfile *l, const char *name, const struct log_file *like)
{
	struct log_file *f;
	size_t cap;

	if (l->nfile == l->capfile) {
		cap = l->capfile == 0 ? 8 : 2 * l->capfile;
		l->file = mem_realloc(l->mem, l->file,
		    l->capfile * sizeof *l->file, cap * sizeof *l->file);
		l->capfile = cap;
	}
	f = &l->file[l->nfile];
	memset(f, 0, sizeof *f);
	f->fd = -1;
	f->stream = NO_STREAM;
	f->like = NO_FILE;
	f->pack = like->pack;
	f->numbered = like->numbered;
	f->number = like->number;
	f->nname = strlen(name) + 1;
	f->name = mem_alloc(l->mem, f->nname);
	memcpy(f->name, name, f->nname);
	l->nfile++;
	return f;
}

static void
drop_file(struct logfile *l)
{
	struct log_file *f = &l->file[--l->nfile];

	if (f->fd != -1)
		close(f->fd);
	mem_free(l->mem, f->name, f->nname);
}

/* Is the file as it was when a run had read all of it? */
static bool
is_done(const struct logfile *l, struct log_file *f)
{
	const struct log_seen *s;

	for (s = l->seen; s < l->seen + l->nseen; s++)
		if (s->dev == f->dev && s->ino == f->ino &&
		    s->size == f->size && s->mtime == f->mtime &&
		    (f->pack != PACK_NONE || s->stream == NO_STREAM ||
		    l->stream[s->stream].print.offset >= f->size)) {
			f->stream = s->stream;
			return true;
		}
	return false;
}

/* Is the newest file of the list one that was there before? */
static bool
is_listed(const struct logfile *l)
{
	const struct log_file *f, *last = &l->file[l->nfile - 1];

	for (f = l->file; f < last; f++)
		if (f->dev == last->dev && f->ino == last->ino)
			return true;
	return false;
}

/*
 * A file that may be a rotated one; what is gone or no file is none.  What
 * was read to its end and has not changed is not opened.
 */
static void
candidate(struct logfile *l, const char *name, const struct log_file *like)
{
	struct log_file *f = add_file(l, name, like);
	struct stat st;

	if (stat(name, &st) != 0 || !S_ISREG(st.st_mode)) {
		drop_file(l);
		return;
	}
	fill(f, &st);
	if (is_listed(l)) {
		drop_file(l);
		return;
	}
	if (is_done(l, f)) {
		f->verdict = LOG_DONE;
		return;
	}
	f->fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (f->fd == -1)
		return;		/* told of when it is known to be wanted */
	/* what the name stands for may have changed in between */
	if (fstat(f->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		drop_file(l);
		return;
	}
	fill(f, &st);
	if (is_listed(l))
		drop_file(l);
	else if (is_done(l, f)) {
		close(f->fd);
		f->fd = -1;
		f->verdict = LOG_DONE;
	} else
		birth(f);
}

static void
list_folder(struct logfile *l, const char *dir, struct str base)
{
	struct log_file like;
	struct dirent *e;
	char t[PATH_MAX];
	DIR *d = opendir(dir[0] == '\0' ? "." : dir);
	int k;

	if (d == NULL)
		return;
	memset(&like, 0, sizeof like);
	while ((e = readdir(d)) != NULL) {
		if (!log_is_rotated(str_c(e->d_name), base, &like))
			continue;
		k = snprintf(t, sizeof t, "%s%s%s", dir,
		    dir[0] == '\0' ? "" : "/", e->d_name);
		if (k > 0 && (size_t)k < sizeof t)
			candidate(l, t, &like);
	}
	closedir(d);
}

/* The folder and the last component of a path. */
static void
list_beside(struct logfile *l, const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (slash == NULL) {
		list_folder(l, "", str_c(path));
		return;
	}
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = '\0';
	list_folder(l, slash == path ? "/." : dir, str_c(slash + 1));
}

/* A named file, whatever its name; its suffix says whether it is packed. */
static void
named(struct logfile *l, const char *name)
{
	struct log_file like;
	int i;

	memset(&like, 0, sizeof like);
	for (i = PACK_NONE + 1; i < PACK_COUNT; i++)
		if (str_ends(str_c(name), pack_suffix[i]))
			like.pack = (enum log_pack)i;
	candidate(l, name, &like);
}

static void
list_bakfile(struct logfile *l)
{
	const char *base = strrchr(l->path, '/');
	char t[PATH_MAX];
	struct stat st;
	glob_t g;
	size_t i;

	if (str_none(l->o.bakfile) || l->o.bakfile.n == 0 ||
	    l->o.bakfile.n >= sizeof t ||
	    memchr(l->o.bakfile.p, '\0', l->o.bakfile.n) != NULL)
		return;
	memcpy(t, l->o.bakfile.p, l->o.bakfile.n);
	t[l->o.bakfile.n] = '\0';
	if (stat(t, &st) == 0 && S_ISDIR(st.st_mode)) {
		list_folder(l, t, str_c(base == NULL ? l->path : base + 1));
		return;
	}
	named(l, t);
	list_beside(l, t);
	if (strpbrk(t, "*?[") == NULL)
		return;
	if (glob(t, 0, NULL, &g) == 0)
		for (i = 0; i < g.gl_pathc && i < LIM_LOG_FILES; i++)
			named(l, g.gl_pathv[i]);
	globfree(&g);
}

/* --- the order --- */

/* Does a hold older lines than b? */
static bool
is_older(const struct log_file *a, const struct log_file *b)
{
	if (a->live || b->live)
		return b->live;
	if (a->numbered && b->numbered && a->number != b->number)
		return a->number > b->number;
	if (a->mtime < b->mtime - NAME_CLOCK ||
	    a->mtime > b->mtime + NAME_CLOCK)
		return a->mtime < b->mtime;
	return strcmp(a->name, b->name) < 0;
}

/* By insertion: the order of names and times together may have circles. */
static void
sort(struct logfile *l)
{
	struct log_file t;
	size_t i, k;

	for (i = 1; i < l->nfile; i++) {
		t = l->file[i];
		for (k = i; k > 0 && is_older(&t, &l->file[k - 1]); k--)
			l->file[k] = l->file[k - 1];
		l->file[k] = t;
	}
}

/* Packed files whose unpacked ones are still there are not ready yet. */
static void
pass_over_unready(struct logfile *l)
{
	struct log_file *f, *g;
	size_t n;

	for (f = l->file; f < l->file + l->nfile; f++) {
		if (f->pack == PACK_NONE)
			continue;
		n = f->nname - 1 - strlen(pack_suffix[f->pack]);
		for (g = l->file; g < l->file + l->nfile; g++)
			if (g->nname - 1 == n && memcmp(f->name, g->name,
			    n) == 0)
				f->verdict = LOG_SKIP;
	}
}

static bool
add_live(struct logfile *l)
{
	static const struct log_file like;
	struct log_file *f;
	struct stat st;
	int fd = open(l->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd == -1 && errno == ENOENT)
		return true;
	if (fd == -1 || fstat(fd, &st) != 0) {
		snprintf(l->why, sizeof l->why, "%.300s: %s", l->path,
		    strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		snprintf(l->why, sizeof l->why, "%.300s: %s", l->path,
		    S_ISDIR(st.st_mode) ? strerror(EISDIR) :
		    "no regular file");
	} else {
		f = add_file(l, l->path, &like);
		f->fd = fd;
		f->live = true;
		fill(f, &st);
		birth(f);
		if (realpath(l->path, l->real) == NULL)
			l->real[0] = '\0';
		return true;
	}
	if (fd != -1)
		close(fd);
	return false;
}

bool
log_list(struct logfile *l)
{
	size_t n;

	if (!add_live(l))
		return false;
	list_beside(l, l->path);
	if (l->real[0] != '\0')
		list_beside(l, l->real);
	if (l->old_real[0] != '\0' && strcmp(l->old_real, l->real) != 0) {
		/* the link has been turned: this was the log */
		if (l->real[0] != '\0')
			named(l, l->old_real);
		list_beside(l, l->old_real);
	}
	list_bakfile(l);
	sort(l);
	if (l->nfile > LIM_LOG_FILES) {
		n = l->nfile - LIM_LOG_FILES;
		for (size_t i = 0; i < n; i++) {
			if (l->file[i].fd != -1)
				close(l->file[i].fd);
			mem_free(l->mem, l->file[i].name, l->file[i].nname);
		}
		memmove(l->file, l->file + n, LIM_LOG_FILES *
		    sizeof *l->file);
		l->nfile = LIM_LOG_FILES;
	}
	pass_over_unready(l);
	return true;
}
