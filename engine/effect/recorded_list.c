/*
 * recorded_list: the rows of table files, where a test says files and not the
 * table: those of a folder that are written down, in the order in which they
 * were said.  Folders that are there only by what is in them are no rows.
 */
#include <stdio.h>

#include "lang/base/num.h"
#include "engine/effect/recorded_inner.h"

struct listing {
	struct table	 t;
	struct recorded	*r;
	struct str	 folder;	/* as the script says it */
	size_t		 nfolder;	/* without slashes at its end */
	double		 depth;
	size_t		 at;
	const struct canned_file *f;	/* at hand */
	char		 name[40];
};

/* What of the path is behind the folder; NIL: it is not in it. */
static struct str
behind(const struct listing *g, const struct canned_file *f)
{
	size_t n = g->nfolder;

	if (n == 1 && g->folder.p[0] == '/')
		n = 0;
	if (f->path.n < n + 2 || memcmp(f->path.p, g->folder.p, n) != 0 ||
	    f->path.p[n] != '/')
		return STR_NIL;
	return str_of(f->path.p + n + 1, f->path.n - n - 1);
}

static enum table_next
next(struct table *t)
{
	struct listing *g = (struct listing *)t;
	const struct canned_file *f;
	struct str rest;
	double depth;
	size_t i;

	while (g->at < g->r->file.n) {
		f = g->r->file.entry[g->at++].v.ptr;
		rest = behind(g, f);
		if (f->gone || str_none(rest))
			continue;
		depth = 1;
		for (i = 0; i < rest.n; i++)
			depth += rest.p[i] == '/';
		if (depth > g->depth)
			continue;
		g->f = f;
		return TABLE_ROW;
	}
	return TABLE_END;
}

static void
close_it(struct table *t)
{
	mem_free(t->world.mem, t, sizeof(struct listing));
}

static double
number(struct row *row, enum table_column c)
{
	const struct canned_file *f = ((const struct listing *)row)->f;

	switch ((int)c) {
	case COLUMN_FILES_size:
		return f->has_content && (double)f->content.n > f->size ?
		    (double)f->content.n : f->size;
	case COLUMN_FILES_mtime: case COLUMN_FILES_ctime:
		return f->mtime;
	case COLUMN_FILES_uid:
		return f->uid;
	case COLUMN_FILES_gid:
		return f->gid;
	case COLUMN_FILES_mode:
		return (double)f->mode;
	case COLUMN_FILES_links:
		return f->links;
	case COLUMN_FILES_inode:
		return (double)f->inode;
	default:
		return NUM_NIL;
	}
}

static struct str
type_name(mode_t type)
{
	return S_ISDIR(type) ? STR_LIT("directory") :
	    S_ISLNK(type) ? STR_LIT("link") :
	    S_ISCHR(type) ? STR_LIT("character") :
	    S_ISBLK(type) ? STR_LIT("block") :
	    S_ISFIFO(type) ? STR_LIT("pipe") :
	    S_ISSOCK(type) ? STR_LIT("socket") : STR_LIT("file");
}

/* The name of a user or group, or the number. */
static struct str
name_of(struct listing *g, enum fact what, double id)
{
	struct str name, key;

	key = str_of(g->name, (size_t)snprintf(g->name, sizeof g->name, "%.0f",
	    id));
	if (recorded_fact_said(g->r, what, key, &name) && !str_none(name))
		return name;
	name = recorded_name(g->r, key);
	return str_none(name) ? key : name;
}

static struct str
text(struct row *row, enum table_column c)
{
	struct listing *g = (struct listing *)row;
	const struct canned_file *f = g->f;
	size_t n;

	switch ((int)c) {
	case COLUMN_FILES_path:
		return f->path;
	case COLUMN_FILES_name:
		for (n = f->path.n; n > 0 && f->path.p[n - 1] != '/'; n--)
			;
		return str_of(f->path.p + n, f->path.n - n);
	case COLUMN_FILES_type:
		return type_name(f->type);
	case COLUMN_FILES_owner:
		return name_of(g, FACT_USERNAME, f->uid);
	case COLUMN_FILES_group:
		return name_of(g, FACT_GROUPNAME, f->gid);
	default:
		return STR_NIL;
	}
}

static const struct table_maker maker = {
	.next = next,
	.close = close_it,
	.row = { .number = number, .text = text },
};

struct table *
recorded_listing(struct live *l, const struct table_ask *ask)
{
	const struct canned_file *f;
	struct table_world w;
	struct listing *g;
	bool folder;

	if (str_none(ask->text[0])) {
		live_fail(l, "table files: the folder has no value");
		return NULL;
	}
	f = recorded_find(l, ask->text[0], true, &folder);
	if (f == NULL && !folder)
		return NULL;
	if (f != NULL && !S_ISDIR(f->type)) {
		live_fail(l, "%.*s: is no folder", ask->text[0].n < 300 ?
		    (int)ask->text[0].n : 300, ask->text[0].p);
		return NULL;
	}
	memset(&w, 0, sizeof w);
	w.mem = l->mem;
	w.now = l->o.recorded->now;
	g = (struct listing *)table_make(&w, &maker, sizeof *g);
	g->r = l->o.recorded;
	/* where links lead, it is another folder whose files these are */
	g->folder = f != NULL ? f->path : arena_dup(&l->o.recorded->texts,
	    ask->text[0]);
	for (g->nfolder = g->folder.n; g->nfolder > 1 &&
	    g->folder.p[g->nfolder - 1] == '/'; g->nfolder--)
		;
	g->depth = ask->narg > 1 && num_fine(ask->number[1]) ?
	    ask->number[1] : 1;
	return &g->t;
}
