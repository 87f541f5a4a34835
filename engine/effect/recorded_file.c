/*
 * recorded_file: the files of the world that is written down, and streams.
 * What is written stays there for the runs that follow.  A folder is there if
 * it is named, or if a file in it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lang/base/num.h"
#include "engine/effect/recorded_inner.h"

#define MODE_FILE	0644
#define MODE_FOLDER	0755

struct stream {
	struct stream	*next;
	bool		 reads, process, ended;
	int		 status;
	struct buf	 text;		/* to be read; of writes an open line */
	size_t		 at;
	struct str	 name;
	struct buf	 own;		/* its bytes */
};

/* --- the files --- */

/* As it is kept: without slashes at its end, and no two in a row. */
static struct str
clean(struct recorded *r, struct str path)
{
	struct buf *b = &r->path;
	size_t i;

	buf_clear(b);
	for (i = 0; i < path.n; i++)
		if (path.p[i] != '/' || b->n == 0 || b->p[b->n - 1] != '/')
			buf_putc(b, path.p[i]);
	while (b->n > 1 && b->p[b->n - 1] == '/')
		b->n--;
	return buf_view(b);
}

struct canned_file *
recorded_file_of(struct recorded *r, struct str path)
{
	const struct map_entry *e = map_get(&r->file, clean(r, path));

	return e == NULL ? NULL : e->v.ptr;
}

static struct canned_file *
make(struct recorded *r, struct str path)
{
	bool is_new;
	struct map_entry *e = map_put(&r->file, clean(r, path), &is_new);
	struct canned_file *f = e->v.ptr;

	if (!is_new)
		return f;
	f = e->v.ptr = arena_zalloc(&r->arena, sizeof *f);
	f->path = e->key;
	f->inode = (ino_t)r->file.n;
	buf_init(&f->content, r->mem);
	return f;
}

static mode_t
type_of(struct str name)
{
	static const struct { const char *name; mode_t type; } all[] = {
		{ "file", S_IFREG }, { "directory", S_IFDIR },
		{ "folder", S_IFDIR }, { "dir", S_IFDIR },
		{ "link", S_IFLNK }, { "character", S_IFCHR },
		{ "char", S_IFCHR }, { "block", S_IFBLK },
		{ "pipe", S_IFIFO }, { "fifo", S_IFIFO },
		{ "socket", S_IFSOCK },
	};
	size_t i;

	for (i = 0; i < sizeof all / sizeof all[0] && !str_none(name); i++)
		if (str_eq(name, str_c(all[i].name)))
			return all[i].type;
	return S_IFREG;
}

void
recorded_file(struct recorded *r, const struct recorded_file *o)
{
	struct canned_file *f = make(r, o->path);

	f->gone = o->gone;
	f->type = type_of(o->type);
	f->mode = !num_none(o->mode) ? (mode_t)o->mode & 07777 :
	    S_ISDIR(f->type) ? MODE_FOLDER : MODE_FILE;
	f->has_content = !str_none(o->content);
	buf_clear(&f->content);
	if (f->has_content)
		buf_str(&f->content, o->content);
	f->size = num_none(o->size) ? (double)f->content.n : o->size;
	f->mtime = num_none(o->mtime) ? r->now : o->mtime;
	f->links = num_none(o->links) ? 1 : o->links;
	f->uid = recorded_id(r, FACT_UID, str_none(o->owner) ?
	    STR_LIT("root") : o->owner);
	f->gid = recorded_id(r, FACT_GID, str_none(o->group) ?
	    STR_LIT("root") : o->group);
}

/* Whether a file in it is known, or it is the root. */
static bool
is_implied(const struct recorded *r, struct str path)
{
	const struct canned_file *f;
	size_t i;

	if (path.n == 1 && path.p[0] == '/')
		return true;
	for (i = 0; i < r->file.n; i++) {
		f = r->file.entry[i].v.ptr;
		if (!f->gone && f->path.n > path.n &&
		    memcmp(f->path.p, path.p, path.n) == 0 &&
		    f->path.p[path.n] == '/')
			return true;
	}
	return false;
}

/* Where a link leads, from the folder that it is in. */
static struct str
target(struct recorded *r, const struct canned_file *f)
{
	struct str to = buf_view(&f->content);
	size_t n;

	if (to.n > 0 && to.p[0] == '/')
		return to;
	for (n = f->path.n; n > 0 && f->path.p[n - 1] != '/'; n--)
		;
	buf_clear(&r->text);
	buf_add(&r->text, f->path.p, n);
	buf_str(&r->text, to);
	return buf_view(&r->text);
}

struct canned_file *
recorded_find(struct live *l, struct str path, bool follow, bool *folder)
{
	struct recorded *r = l->o.recorded;
	struct canned_file *f;
	char name[PATH_MAX];
	int hops;

	*folder = false;
	if (!live_path(l, path, name))
		return NULL;
	for (hops = 0; hops < LIM_RECORDED_LINKS; hops++) {
		f = recorded_file_of(r, path);
		if (f == NULL && is_implied(r, buf_view(&r->path))) {
			*folder = true;
			return NULL;
		}
		if (f == NULL) {
			recorded_unanswered(l, "file", path);
			return NULL;
		}
		if (f->gone) {
			live_fail(l, "%s: %s", name, strerror(ENOENT));
			return NULL;
		}
		if (!follow || !S_ISLNK(f->type))
			return f;
		path = target(r, f);
	}
	live_fail(l, "%s: %s", name, strerror(ELOOP));
	return NULL;
}

struct canned_file *
recorded_file_write(struct live *l, struct str path, bool empty)
{
	struct recorded *r = l->o.recorded;
	struct canned_file *f;
	char name[PATH_MAX];

	if (!live_path(l, path, name))
		return NULL;
	f = recorded_file_of(r, path);
	if (f == NULL && is_implied(r, buf_view(&r->path)))
		live_fail(l, "%s: not a regular file", name);
	else if (f != NULL && !f->gone && S_ISLNK(f->type))
		live_fail(l, "%s: is a link", name);
	else if (f != NULL && !f->gone && !S_ISREG(f->type))
		live_fail(l, "%s: not a regular file", name);
	else {
		if (f == NULL || f->gone) {
			f = make(r, path);
			f->gone = false;
			f->type = S_IFREG;
			f->mode = MODE_FILE;
			f->links = 1;
			f->uid = f->gid = 0;
			f->has_content = false;
			f->size = 0;
			empty = true;
		}
		if (empty)
			buf_clear(&f->content);
		f->has_content = true;
		f->mtime = r->now;
		return f;
	}
	return NULL;
}

static void
fill_stat(const struct canned_file *f, struct stat *st)
{
	memset(st, 0, sizeof *st);
	st->st_mode = f->type | f->mode;
	st->st_size = f->has_content ? (off_t)f->content.n : (off_t)f->size;
	if ((double)st->st_size < f->size && f->has_content)
		st->st_size = (off_t)f->size;
	st->st_blocks = (st->st_size + 511) / 512;
	st->st_nlink = (nlink_t)f->links;
	st->st_uid = (uid_t)f->uid;
	st->st_gid = (gid_t)f->gid;
	st->st_ino = f->inode;
	st->st_dev = 1;
	st->st_mtim.tv_sec = (time_t)f->mtime;
	st->st_atim = st->st_ctim = st->st_mtim;
}

int
recorded_stat(void *h, struct str path, struct stat *st, bool follow)
{
	struct live *l = h;
	struct canned_file *f;
	bool folder;

	f = recorded_find(l, path, follow, &folder);
	if (f == NULL && !folder)
		return -1;
	if (f != NULL)
		fill_stat(f, st);
	else {
		memset(st, 0, sizeof *st);
		st->st_mode = S_IFDIR | MODE_FOLDER;
		st->st_nlink = 2;
		st->st_mtim.tv_sec = (time_t)l->o.recorded->now;
	}
	return 0;
}

/* As root may: anything, but to run what nobody may run. */
int
recorded_access(void *h, struct str path, int mode)
{
	struct live *l = h;
	struct stat st;

	if (recorded_stat(h, path, &st, true) != 0)
		return -1;
	if (!(mode & X_OK) || S_ISDIR(st.st_mode) || (st.st_mode & 0111))
		return 0;
	live_fail(l, "%.*s: %s", path.n < 300 ? (int)path.n : 300, path.p,
	    strerror(EACCES));
	return -1;
}

struct str
recorded_content(struct live *l, struct str path)
{
	struct canned_file *f;
	bool folder;

	f = recorded_find(l, path, true, &folder);
	if (f != NULL && S_ISREG(f->type)) {
		if (f->has_content || f->size == 0)
			return buf_view(&f->content);
		recorded_unanswered(l, "content of file", path);
	} else if (f != NULL || folder)
		live_fail(l, "%.*s: is no regular file",
		    path.n < 300 ? (int)path.n : 300, path.p);
	return STR_NIL;
}

int
recorded_open(void *h, struct str path)
{
	struct live *l = h;
	struct str text = recorded_content(l, path);
	int fd;

	if (str_none(text))
		return -1;
	fd = memfd_create("picket", MFD_CLOEXEC);
	if (fd != -1 && (write(fd, text.p, text.n) != (ssize_t)text.n ||
	    lseek(fd, 0, SEEK_SET) != 0)) {
		close(fd);
		fd = -1;
	}
	if (fd == -1)
		live_fail(l, "no memory for a file");
	return fd;
}

/* All that match, in order. */
static int
find_paths(struct live *l, struct str pattern, struct str *answer)
{
	struct recorded *r = l->o.recorded;
	const struct canned_file *f, *best;
	struct str last = STR_EMPTY;
	char name[PATH_MAX];
	size_t i;

	if (!live_path(l, pattern, name))
		return -1;
	buf_clear(&l->fact);
	for (;;) {
		best = NULL;
		for (i = 0; i < r->file.n; i++) {
			f = r->file.entry[i].v.ptr;
			if (!f->gone && str_cmp(f->path, last) > 0 &&
			    (best == NULL || str_cmp(f->path, best->path) <
			    0) && fnmatch(name, f->path.p, FNM_PATHNAME |
			    FNM_PERIOD) == 0)
				best = f;
		}
		if (best == NULL)
			break;
		last = best->path;
		buf_str(&l->fact, last);
		buf_putc(&l->fact, '\0');
	}
	*answer = buf_view(&l->fact);
	return l->fact.n > 0;
}

int
recorded_paths(struct live *l, enum fact what, struct str path,
    struct str *answer)
{
	struct canned_file *f;
	bool folder;

	*answer = STR_NIL;
	if (what == FACT_GLOB)
		return find_paths(l, path, answer);
	f = recorded_find(l, path, what == FACT_REALPATH, &folder);
	if (f == NULL && !folder)
		return -1;
	buf_clear(&l->fact);
	if (what == FACT_REALPATH)
		buf_str(&l->fact, f == NULL ? buf_view(&l->o.recorded->path) :
		    f->path);
	else if (f != NULL && S_ISLNK(f->type))
		buf_str(&l->fact, buf_view(&f->content));
	else {
		live_fail(l, "%.*s: is no link", path.n < 300 ? (int)path.n :
		    300, path.p);
		return -1;
	}
	*answer = buf_view(&l->fact);
	return 1;
}

/* --- streams --- */

static struct stream *
new_stream(struct live *l, bool reads, struct str name)
{
	struct recorded *r = l->o.recorded;
	struct stream *s = mem_zalloc(r->mem, sizeof *s);

	s->reads = reads;
	s->next = r->streams;
	r->streams = s;
	buf_init(&s->text, r->mem);
	buf_init(&s->own, r->mem);
	buf_str(&s->own, name);
	s->name = buf_view(&s->own);
	return s;
}

static void
free_stream(struct recorded *r, struct stream *s)
{
	struct stream **at;

	for (at = &r->streams; *at != s; at = &(*at)->next)
		;
	*at = s->next;
	buf_free(&s->text);
	buf_free(&s->own);
	mem_free(r->mem, s, sizeof *s);
}

void
recorded_close_all(struct recorded *r)
{
	while (r->streams != NULL)
		free_stream(r, r->streams);
}

struct stream *
recorded_popen(void *h, const struct command *c, int mode)
{
	const struct recorded_answer *a;
	struct live *l = h;
	struct recorded *r = l->o.recorded;
	struct stream *s;

	a = recorded_answer(r, c->show);
	if (a == NULL && mode == 'r') {
		recorded_unanswered(l, "command", c->show);
		return NULL;
	}
	s = new_stream(l, mode == 'r', c->show);
	s->process = true;
	if (a != NULL)
		s->status = a->status;
	if (mode == 'r') {
		buf_str(&s->text, a->text);
		recorded_did(r, RECORDED_READ, STR_NIL, c->show);
	} else {
		l->effects++;
		live_did(l, "popen w", c->show);
		recorded_did(r, RECORDED_EXEC, STR_NIL, c->show);
	}
	return s;
}

struct stream *
recorded_fopen(void *h, struct str path, int mode)
{
	struct live *l = h;
	struct stream *s;
	struct str text;

	if (mode == 'r') {
		text = recorded_content(l, path);
		if (str_none(text))
			return NULL;
		s = new_stream(l, true, path);
		buf_str(&s->text, text);
		return s;
	}
	if (recorded_file_write(l, path, mode == 'w') == NULL)
		return NULL;
	l->effects++;
	live_did(l, mode == 'a' ? "append to" : "write", path);
	return new_stream(l, false, path);
}

enum read_result
recorded_read(void *h, struct stream *s, struct str *line, size_t *len)
{
	struct live *l = h;
	struct str all = buf_view(&s->text);
	size_t end, max = l->o.line_max == 0 ? LIM_LINE : l->o.line_max;

	*line = STR_EMPTY;
	*len = 0;
	if (!s->reads) {
		live_fail(l, "not open for reading");
		return READ_FAILED;
	}
	if (s->at >= all.n) {
		s->ended = true;
		return READ_END;
	}
	end = str_find(all, '\n', s->at);
	*line = str_of(all.p + s->at, end - s->at);
	if (line->n > max)
		line->n = max;
	*len = line->n + (end < all.n);
	s->at = end + 1;
	return READ_LINE;
}

/* What is written to a file stands there at once; it is told of by line. */
bool
recorded_write(void *h, struct stream *s, struct str text)
{
	struct live *l = h;
	struct recorded *r = l->o.recorded;
	struct canned_file *f;
	size_t at, end;
	struct str all;

	text = str_shown(text);
	if (s->reads) {
		live_fail(l, "not open for writing");
		return false;
	}
	if (!s->process) {
		f = recorded_file_write(l, s->name, false);
		if (f == NULL)
			return false;
		buf_str(&f->content, text);
	}
	buf_str(&s->text, text);
	all = buf_view(&s->text);
	for (at = 0; (end = str_find(all, '\n', at)) < all.n; at = end + 1)
		recorded_did(r, RECORDED_WRITE, s->name, str_of(all.p + at,
		    end - at));
	if (at > 0)
		memmove(s->text.p, s->text.p + at, all.n - at);
	s->text.n = all.n - at;
	return true;
}

bool
recorded_flush(void *h, struct stream *s)
{
	(void)h;
	(void)s;
	return true;
}

bool
recorded_eof(void *h, struct stream *s)
{
	(void)h;
	return s->ended;
}

int
recorded_close(void *h, struct stream *s)
{
	struct recorded *r = recorded_of(h);
	int status = s->status;

	if (!s->reads && s->text.n > 0)
		recorded_did(r, RECORDED_WRITE, s->name, buf_view(&s->text));
	free_stream(r, s);
	return status;
}
