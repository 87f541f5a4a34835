/*
 * open_files: a row for each link of /proc/N/fd.  What the file is like is
 * asked of the link only when a column of it is used, and without asking a
 * server over the network: one that does not answer must not stop a run.
 */
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/table/names.h"
#include "engine/table/procs.h"

#define GONE	" (deleted)"

struct open_files {
	struct table	 t;
	struct names	 names;
	struct dents	 fds;		/* of the process; fd -1: none */
	long		 fd;
	struct str	 path;		/* as the link has it; NIL */
	bool		 looked;	/* at the file */
	bool		 known;
	struct statx	 file;
	struct procs	 p;
	char		 name[24];
	char		 path_text[4096];
	_Alignas(uint64_t) char dents[8192];
};

static struct table *
open_files_open(const struct table_world *w, const struct table_ask *ask,
    char why[LIM_TABLE_WHY])
{
	struct open_files *t;

	(void)ask;
	t = (struct open_files *)table_make(w, &table_open_files, sizeof *t);
	if (!procs_open(&t->p, w)) {
		memcpy(why, t->p.why, LIM_TABLE_WHY);
		mem_free(w->mem, t, sizeof *t);
		return NULL;
	}
	names_open(&t->names, &t->t.world);
	t->fds.fd = -1;
	return &t->t;
}

static void
leave_process(struct open_files *t)
{
	if (t->fds.fd != -1)
		close(t->fds.fd);
	t->fds.fd = -1;
}

static void
open_files_close(struct table *table)
{
	struct open_files *t = (struct open_files *)table;

	leave_process(t);
	procs_close(&t->p);
	names_close(&t->names);
	mem_free(table->world.mem, t, sizeof *t);
}

/* The next link of this process; false: there is none. */
static bool
next_link(struct open_files *t)
{
	const char *name;
	ssize_t n;

	while (t->fds.fd != -1) {
		if ((name = dents_next(&t->fds)) == NULL) {
			leave_process(t);
			return false;
		}
		if ((t->fd = dents_number(name)) < 0)
			continue;
		strcpy(t->name, name);		/* at most 10 digits */
		n = readlinkat(t->fds.fd, name, t->path_text,
		    sizeof t->path_text);
		if (n == -1 && errno == ENOENT)
			continue;		/* closed meanwhile */
		t->path = n < 0 ? STR_NIL : str_of(t->path_text, (size_t)n);
		t->looked = false;
		return true;
	}
	return false;
}

static enum table_next
open_files_next(struct table *table)
{
	struct open_files *t = (struct open_files *)table;
	enum table_next r;

	while (!next_link(t)) {
		if ((r = procs_next(&t->p)) == TABLE_FAILED)
			memcpy(table->why, t->p.why, LIM_TABLE_WHY);
		if (r != TABLE_ROW)
			return r;
		/* without the right to look there are no rows */
		t->fds = (struct dents){ openat(procs_folder(&t->p), "fd",
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC), t->dents,
		    sizeof t->dents, 0, 0, 0 };
	}
	return TABLE_ROW;
}

/* The file itself, through the link; nobody knows it in a recording. */
static bool
look(struct open_files *t)
{
	if (t->looked)
		return t->known;
	t->looked = true;
	t->known = t->p.live && statx(t->fds.fd, t->name,
	    AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_BASIC_STATS,
	    &t->file) == 0;
	return t->known;
}

static bool
is_file(struct open_files *t)
{
	return look(t) && (S_ISREG(t->file.stx_mode) ||
	    S_ISDIR(t->file.stx_mode));
}

static bool
ends_gone(const struct open_files *t)
{
	return !str_none(t->path) && t->path.n > sizeof GONE - 1 &&
	    t->path.p[0] == '/' && str_ends(t->path, GONE);
}

/* A file may be called "x (deleted)": then there is one of that name. */
static bool
named_so(struct open_files *t)
{
	char path[sizeof t->path_text + 1];
	struct statx st;

	memcpy(path, t->path.p, t->path.n);
	path[t->path.n] = '\0';
	return statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT |
	    AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st) == 0 &&
	    st.stx_ino == t->file.stx_ino &&
	    st.stx_dev_major == t->file.stx_dev_major &&
	    st.stx_dev_minor == t->file.stx_dev_minor;
}

static struct str
path(struct open_files *t)
{
	if (!ends_gone(t) || (look(t) && t->file.stx_nlink > 0 && named_so(t)))
		return t->path;
	return str_of(t->path.p, t->path.n - (sizeof GONE - 1));
}

/* Its name is gone, and it has no other. */
static bool
deleted(struct open_files *t)
{
	return ends_gone(t) && (!look(t) || t->file.stx_nlink == 0);
}

/* Sockets and pipes have theirs in the link: "socket:[1234]". */
static double
inode(struct open_files *t)
{
	struct str s = t->path;

	if (!str_none(s) && (str_starts(s, "socket:[") ||
	    str_starts(s, "pipe:["))) {
		line_part(&s, '[');
		return line_number(line_part(&s, ']'));
	}
	return look(t) ? (double)t->file.stx_ino : NUM_NIL;
}

static double
open_files_number(struct row *row, enum table_column c)
{
	struct open_files *t = (struct open_files *)row;

	switch (c) {
	case COLUMN_OPEN_FILES_pid:
		return t->p.pid;
	case COLUMN_OPEN_FILES_fd:
		return (double)t->fd;
	case COLUMN_OPEN_FILES_deleted:
		return str_none(t->path) ? NUM_NIL : deleted(t);
	case COLUMN_OPEN_FILES_size:
		return is_file(t) ? (double)t->file.stx_blocks * 512 : NUM_NIL;
	case COLUMN_OPEN_FILES_device:
		return is_file(t) ? (double)makedev(t->file.stx_dev_major,
		    t->file.stx_dev_minor) : NUM_NIL;
	case COLUMN_OPEN_FILES_inode:
		return inode(t);
	default:
		return NUM_NIL;
	}
}

static struct str
open_files_text(struct row *row, enum table_column c)
{
	struct open_files *t = (struct open_files *)row;

	switch (c) {
	case COLUMN_OPEN_FILES_comm:
		return t->p.stat.comm;
	case COLUMN_OPEN_FILES_user:
		return names_of(&t->names, procs_uid(&t->p));
	case COLUMN_OPEN_FILES_path:
		return path(t);
	default:
		return STR_NIL;
	}
}

const struct table_maker table_open_files = {
	open_files_open, open_files_next, open_files_close,
	{ open_files_number, open_files_text }
};
