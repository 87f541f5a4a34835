/*
 * logpacked: which stream a packed file of the log holds.
 *
 * Its text can be seen only as it passes by.  So what it must be compared
 * with is laid out along it before: the ends and the marks of the streams,
 * and the ends of files that may be copies of its beginning.
 */
#include <stdlib.h>

#include "engine/input/logfile_inner.h"

#define LEVELS	48	/* powers of two that an offset is divided by */

/* What the LOG_TAIL bytes, or all, before an offset may be. */
struct point {
	uint64_t	offset, hash;
	enum point_kind { AT_END, AT_MARK, AT_FILE } kind;
	size_t		which;	/* stream or file; of a mark: its match */
};

/* What is known of a stream in this text so far, or of a packed file that
 * came before and is to be read: those come behind the streams. */
struct match {
	uint64_t	last;	/* mark that is alike */
	bool		bad;	/* a mark that is not */
};

struct unpacked {
	struct logfile	*l;
	struct log_file	*f;
	uint64_t	 n;
	char		 tail[LOG_TAIL];
	size_t		 ntail;
	struct point	*point;
	size_t		 npoint, next;
	struct match	*match;
	/* where this text may get marks: the two last multiples of powers */
	struct log_mark	 multiple[2 * LEVELS];
	struct log_mark	 power[LEVELS];
	uint32_t	 stream;	/* the longest that it holds */
	size_t		*beginning, nbeginning;	/* files that it begins with */
};

static int
by_offset(const void *a, const void *b)
{
	const struct point *p = a, *q = b;

	return p->offset < q->offset ? -1 : p->offset > q->offset;
}

static void
add_point(struct unpacked *u, uint64_t offset, uint64_t hash,
    enum point_kind kind, size_t which)
{
	struct point *p = &u->point[u->npoint++];

	p->offset = offset;
	p->hash = hash;
	p->kind = kind;
	p->which = which;
}

/* May the file turn out to be a copy of this one's beginning? */
static bool
may_be_beginning(const struct log_file *f, const struct log_file *g)
{
	return f != g && !g->live && g->like == NO_FILE && g->fd != -1 &&
	    ((g->pack == PACK_NONE && g->verdict == LOG_UNKNOWN &&
	    g->size > 0) || (g->pack != PACK_NONE && g->verdict == LOG_NEW)) &&
	    log_dated(g->head, g->nhead);
}

/* May it turn out to be a copy of that packed one's beginning, which was
 * seen before? */
static bool
may_be_longer(const struct log_file *f, const struct log_file *g)
{
	return g->pack != PACK_NONE && may_be_beginning(f, g);
}

/* The hash of an unread file's last bytes, and its size. */
static uint64_t
end_of(const struct log_file *g, uint64_t *size)
{
	char tail[LOG_TAIL];
	size_t n;

	*size = g->pack == PACK_NONE ? g->size : g->unpacked;
	if (g->pack != PACK_NONE)
		return g->unpacked_tail;
	n = *size < LOG_TAIL ? (size_t)*size : LOG_TAIL;
	return log_pread(g->fd, tail, n, *size - n) ? log_hash(tail, n) : 0;
}

static void
lay_out(struct unpacked *u)
{
	struct logfile *l = u->l;
	uint64_t hash, size;
	size_t i, k;

	for (i = 0; i < l->nstream; i++) {
		const struct log_print *t = &l->stream[i].print;

		add_point(u, t->offset, t->tail, AT_END, i);
		for (k = 0; k < t->nmark; k++)
			add_point(u, t->mark[k].offset, t->mark[k].hash,
			    AT_MARK, i);
	}
	for (i = 0; i < l->nfile; i++)
		if (may_be_beginning(u->f, &l->file[i])) {
			hash = end_of(&l->file[i], &size);
			add_point(u, size, hash, AT_FILE, i);
		}
	for (i = 0; i < l->nfile; i++)
		if (may_be_longer(u->f, &l->file[i]))
			for (k = 0; k < l->file[i].nmark; k++)
				add_point(u, l->file[i].mark[k].offset,
				    l->file[i].mark[k].hash, AT_MARK,
				    l->nstream + i);
	qsort(u->point, u->npoint, sizeof *u->point, by_offset);
}

static void
add_tail(struct unpacked *u, const char *p, size_t n)
{
	size_t keep;

	if (n > LOG_TAIL) {
		p += n - LOG_TAIL;
		n = LOG_TAIL;
	}
	keep = u->ntail < LOG_TAIL - n ? u->ntail : LOG_TAIL - n;
	memmove(u->tail, u->tail + u->ntail - keep, keep);
	memcpy(u->tail + keep, p, n);
	u->ntail = keep + n;
}

/* The text has come to a point. */
static void
look(struct unpacked *u, const struct point *p, uint64_t hash)
{
	struct log_file *f = u->f, *g;
	const struct log_print *t;
	size_t h;

	switch (p->kind) {
	case AT_END:
		t = &u->l->stream[p->which].print;
		h = t->offset < LOG_HEAD ? (size_t)t->offset : LOG_HEAD;
		if (hash == p->hash && log_hash(f->head, h) == t->whole)
			u->stream = (uint32_t)p->which;
		break;
	case AT_MARK:
		if (hash == p->hash)
			u->match[p->which].last = p->offset;
		else
			u->match[p->which].bad = true;
		break;
	case AT_FILE:
		g = &u->l->file[p->which];
		if (hash == p->hash && memcmp(f->head, g->head, g->nhead) == 0)
			u->beginning[u->nbeginning++] = p->which;
		break;
	}
}

/* A multiple of LOG_TAIL: there may be a mark. */
static void
note_mark(struct unpacked *u)
{
	struct log_mark m = { u->n, log_hash(u->tail, u->ntail) };
	unsigned k;

	for (k = 8; k < LEVELS && u->n % (UINT64_C(1) << k) == 0; k++) {
		u->multiple[2 * k] = u->multiple[2 * k + 1];
		u->multiple[2 * k + 1] = m;
		if (u->n == UINT64_C(1) << k)
			u->power[k] = m;
	}
}

static void
take(void *to, const char *p, size_t n)
{
	struct unpacked *u = to;
	struct log_file *f = u->f;
	const struct point *q;
	size_t k;

	if (f->nhead < LOG_HEAD) {
		k = LOG_HEAD - f->nhead < n ? LOG_HEAD - f->nhead : n;
		memcpy(f->head + f->nhead, p, k);
		f->nhead += k;
	}
	while (n > 0) {
		k = LOG_TAIL - (size_t)(u->n % LOG_TAIL);
		if (u->next < u->npoint &&
		    u->point[u->next].offset - u->n < k)
			k = (size_t)(u->point[u->next].offset - u->n);
		if (k > n)
			k = n;
		add_tail(u, p, k);
		u->n += k;
		p += k;
		n -= k;
		if (u->n % LOG_TAIL == 0)
			note_mark(u);
		for (; u->next < u->npoint && (q = &u->point[u->next])->offset
		    == u->n; u->next++)
			look(u, q, log_hash(u->tail, u->ntail));
	}
}

/*
 * Is this text, which holds a stream, to be read on instead of the stream's
 * holder?  If it goes on where that one ends: that is then a copy that was
 * broken off, maybe in the middle of a line that would wait for its end.
 */
static bool
is_longer(const struct unpacked *u, const struct log_file *g,
    const struct log_print *t)
{
	return t->dated && u->n > t->offset && (g->verdict == LOG_DONE ||
	    (!g->live && (g->pack == PACK_NONE ? g->size : g->unpacked) <
	    u->n));
}

/* What the text is, now that all of it was seen. */
static void
decide(struct unpacked *u)
{
	struct logfile *l = u->l;
	struct log_file *f = u->f, *g;
	struct log_stream *s;
	struct log_print t;
	size_t i;

	if (u->stream != NO_STREAM) {
		s = &l->stream[u->stream];
		g = s->has_holder ? &l->file[s->holder] : NULL;
		if (g == NULL || is_longer(u, g, &s->print)) {
			if (g != NULL)
				g->verdict = LOG_DONE;
			log_set_holder(l, f, u->stream);
		}
		if (f->verdict != LOG_HOLDS || s->print.offset == u->n)
			f->verdict = LOG_DONE;
		f->stream = u->stream;
		return;
	}
	if (u->n == 0) {
		f->verdict = LOG_DONE;
		return;
	}
	/* what was read of it before it was packed may have been more */
	for (i = 0; i < l->nstream; i++)
		if (!u->match[i].bad && log_is_beginning(f, u->n,
		    u->match[i].last, &l->stream[i].print)) {
			f->verdict = LOG_DONE;
			f->stream = (uint32_t)i;
			return;
		}
	for (g = l->file; g < l->file + l->nfile; g++)
		if (may_be_longer(f, g)) {
			i = (size_t)(g - l->file);
			log_print(&t, g->unpacked, g->head, g->nhead, NULL, 0);
			if (u->match[l->nstream + i].bad || !log_is_beginning(
			    f, u->n, u->match[l->nstream + i].last, &t))
				continue;
			f->like = i;
			return;
		}
	/* packed, a copy's age says nothing any more */
	for (g = l->file; g < l->file + l->nfile; g++)
		if (g->pack == PACK_NONE && (g->verdict == LOG_HOLDS ||
		    (g->verdict == LOG_UNKNOWN && (g->live ||
		    log_dated(f->head, f->nhead)))) &&
		    log_begins(f, u->tail, u->ntail, u->n, g)) {
			if (g->verdict == LOG_HOLDS) {
				f->verdict = LOG_DONE;
				f->stream = g->stream;
			} else
				f->like = (size_t)(g - l->file);
			return;
		}
	f->verdict = LOG_NEW;
	for (i = 0; i < u->nbeginning; i++) {
		g = &l->file[u->beginning[i]];
		g->verdict = LOG_SKIP;
		g->like = (size_t)(f - l->file);
	}
}

void
log_judge_packed(struct logfile *l, struct log_file *f)
{
	struct log_mark have[3 * LEVELS];
	struct unpacked u;
	size_t cap = l->nstream * (1 + MARKS) + l->nfile, i;

	for (i = 0; i < l->nfile; i++)
		if (may_be_longer(f, &l->file[i]))
			cap += l->file[i].nmark;
	memset(&u, 0, sizeof u);
	u.l = l;
	u.f = f;
	u.stream = NO_STREAM;
	u.point = mem_alloc(l->mem, cap * sizeof *u.point);
	u.match = mem_zalloc(l->mem, (l->nstream + l->nfile) *
	    sizeof *u.match);
	u.beginning = mem_alloc(l->mem, l->nfile * sizeof *u.beginning);
	lay_out(&u);
	f->verdict = LOG_SKIP;
	if (l->o.world->unpack(l->o.world->arg, f->fd, f->pack, f->name,
	    take, &u)) {
		f->unpacked = u.n;
		f->unpacked_tail = log_hash(u.tail, u.ntail);
		log_head(&f->hashes, f->head, f->nhead);
		memcpy(have, u.multiple, sizeof u.multiple);
		memcpy(have + 2 * LEVELS, u.power, sizeof u.power);
		f->nmark = log_marks(f->mark, have, 3 * LEVELS, -1, u.n);
		decide(&u);
	}
	mem_free(l->mem, u.beginning, l->nfile * sizeof *u.beginning);
	mem_free(l->mem, u.match, (l->nstream + l->nfile) * sizeof *u.match);
	mem_free(l->mem, u.point, cap * sizeof *u.point);
}
