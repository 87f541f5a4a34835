/*
 * recorded_keep: files of a recorded world that are kept safe: copied, taken
 * away, rotated.
 */
#include <math.h>
#include <stdio.h>

#include "lang/base/num.h"
#include "engine/effect/recorded_inner.h"

#define ARCHIVE		"/var/lib/picket/archive"

/* A file that may be taken away; NULL: the reason is set. */
static struct canned_file *
plain(struct live *l, struct str path)
{
	struct canned_file *f;
	bool folder;

	f = recorded_find(l, path, false, &folder);
	if (f != NULL && S_ISREG(f->type) && f->links <= 1)
		return f;
	if (f != NULL || folder)
		live_fail(l, "%.*s: %s", path.n < 300 ? (int)path.n : 300,
		    path.p, f != NULL && S_ISREG(f->type) ?
		    "has more than one name" : f != NULL &&
		    S_ISLNK(f->type) ? "is a link" : "is no regular file");
	return NULL;
}

static struct canned_file *
copy(struct recorded *r, const struct canned_file *f, struct str path)
{
	struct recorded_file o;
	struct canned_file *to;

	memset(&o, 0, sizeof o);
	o.path = path;
	o.type = o.owner = o.group = STR_NIL;
	o.content = f->has_content ? buf_view(&f->content) : STR_NIL;
	o.size = f->size;
	o.mode = f->mode;
	o.mtime = f->mtime;
	o.links = 1;
	o.gone = false;
	recorded_file(r, &o);
	to = recorded_file_of(r, path);
	to->uid = f->uid;
	to->gid = f->gid;
	return to;
}

static double
size_of(const struct canned_file *f)
{
	return f->has_content && (double)f->content.n > f->size ?
	    (double)f->content.n : f->size;
}

/* Whether its last copy, in that folder, is one of it as it is. */
static bool
is_kept(const struct canned_file *f, struct str dir)
{
	const struct canned_file *c = f->copy;

	return c != NULL && !c->gone && f->copy_size == size_of(f) &&
	    f->copy_mtime == f->mtime && c->path.n > dir.n &&
	    memcmp(c->path.p, dir.p, dir.n) == 0 &&
	    memchr(c->path.p + dir.n + 1, '/', c->path.n - dir.n - 1) == NULL;
}

/* DIR/BASE.TIME, with .1 behind it where there is one already; what has not
 * changed since is not copied again. */
double
recorded_keep(struct live *l, const struct act *a, struct str *text)
{
	struct recorded *r = l->o.recorded;
	struct canned_file *f = plain(l, a->path), *to;
	struct str dir, base;
	struct buf *b = &l->fact;
	size_t n;
	unsigned i;

	if (f == NULL)
		return -1;
	dir = !str_none(a->dir) ? a->dir : STR_LIT(ARCHIVE);
	while (dir.n > 1 && dir.p[dir.n - 1] == '/')
		dir.n--;
	for (n = f->path.n; n > 0 && f->path.p[n - 1] != '/'; n--)
		;
	base = str_of(f->path.p + n, f->path.n - n);
	for (i = 0; !is_kept(f, dir); i++) {
		buf_clear(b);
		buf_str(b, dir);
		buf_putc(b, '/');
		buf_str(b, base);
		buf_printf(b, ".%.0f", floor(num_none(a->now) ? r->now :
		    a->now));
		if (i > 0)
			buf_printf(b, ".%u", i);
		to = recorded_file_of(r, buf_view(b));
		if (to != NULL && !to->gone)
			continue;
		f->copy = copy(r, f, buf_view(b));
		f->copy_size = size_of(f);
		f->copy_mtime = f->mtime;
	}
	*text = f->copy->path;
	if (a->kind == ACT_QUARANTINE)
		f->gone = true;
	return f->copy_size;
}

/* path.N, or path itself for 0. */
static struct canned_file *
old(struct recorded *r, struct str path, int n, struct buf *name)
{
	struct canned_file *f;

	buf_clear(name);
	buf_str(name, path);
	if (n > 0)
		buf_printf(name, ".%d", n);
	f = recorded_file_of(r, buf_view(name));
	return f == NULL || f->gone ? NULL : f;
}

/* As rotate.c: up to the first number that is free. */
double
recorded_rotate(struct live *l, const struct act *a)
{
	struct recorded *r = l->o.recorded;
	struct canned_file *f = plain(l, a->path), *from;
	struct buf name;
	int i, top;

	if (f == NULL)
		return -1;
	buf_init(&name, r->mem);
	for (top = 1; top < (int)a->value; top++)
		if (old(r, f->path, top, &name) == NULL)
			break;
	for (i = top; i > 0; i--) {
		from = old(r, f->path, i - 1, &name);
		(void)old(r, f->path, i, &name);
		(void)copy(r, from, buf_view(&name));
		from->gone = true;
	}
	buf_free(&name);
	return top;
}
