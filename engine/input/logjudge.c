/*
 * logjudge: which stream a file of the log holds.
 *
 * In this order: a file that is as it was; one that holds all of a stream up
 * to its offset; a copy of what another one holds; a log that was cut; what
 * is none of these is new.  Where two files hold one stream, the one that is
 * known by its inode gives its lines: the other is a copy.
 */
#include <stdio.h>
#include <unistd.h>

#include "engine/input/logfile_inner.h"

static void
warn(struct logfile *l, const char *what, const char *name)
{
	char t[600];

	snprintf(t, sizeof t, "log %.300s: %s", name, what);
	l->o.world->warn(l->o.world->arg, t);
}

/* The stream that the inode held in the last run, or NO_STREAM. */
static uint32_t
known_by_inode(const struct logfile *l, const struct log_file *f)
{
	const struct log_seen *s;

	for (s = l->seen; s < l->seen + l->nseen; s++)
		if (s->dev == f->dev && s->ino == f->ino)
			return s->stream;
	return NO_STREAM;
}

static struct log_file *
live_file(const struct logfile *l)
{
	return l->nfile > 0 && l->file[l->nfile - 1].live ?
	    &l->file[l->nfile - 1] : NULL;
}

/* Does the open file hold the stream's text up to its offset? */
static bool
holds(const struct log_file *f, const struct log_print *t)
{
	char tail[LOG_TAIL];
	size_t n = t->offset < LOG_HEAD ? (size_t)t->offset : LOG_HEAD;

	if (f->fd == -1 || f->size < t->offset || f->nhead < n ||
	    log_hash(f->head, n) != t->whole)
		return false;
	n = t->offset < LOG_TAIL ? (size_t)t->offset : LOG_TAIL;
	return log_pread(f->fd, tail, n, t->offset - n) &&
	    log_hash(tail, n) == t->tail;
}

/* Is all of a the beginning of b?  Judged by its first and last bytes. */
bool
log_begins(const struct log_file *a, const char *tail, size_t ntail,
    uint64_t size, const struct log_file *b)
{
	char head[LOG_HEAD], t[LOG_TAIL];
	size_t n = size < LOG_HEAD ? (size_t)size : LOG_HEAD;

	/* b may have grown since it was listed: what it holds now counts */
	return b->fd != -1 && size > 0 && a->nhead >= n &&
	    log_pread(b->fd, head, n, 0) && memcmp(a->head, head, n) == 0 &&
	    ntail > 0 && log_pread(b->fd, t, ntail, size - ntail) &&
	    memcmp(t, tail, ntail) == 0;
}

bool
log_may_be_copy(const struct logfile *l, const struct log_file *a,
    const struct log_file *b)
{
	const struct log_file *live = live_file(l);

	if (log_dated(a->head, a->nhead))
		return true;
	/* a copy is younger than what it is a copy of, and than the log: what
	 * is older has been the log itself */
	return a->btime == 0 || ((b->btime == 0 || a->btime >= b->btime) &&
	    (live == NULL || live == b || live->btime == 0 ||
	    a->btime >= live->btime));
}

static bool
copied(const struct logfile *l, const struct log_file *a,
    const struct log_file *b)
{
	char tail[LOG_TAIL];
	size_t n = a->size < LOG_TAIL ? (size_t)a->size : LOG_TAIL;

	return a->fd != -1 && log_may_be_copy(l, a, b) &&
	    log_pread(a->fd, tail, n, a->size - n) &&
	    log_begins(a, tail, n, a->size, b);
}

bool
log_is_beginning(const struct log_file *f, uint64_t size, uint64_t last,
    const struct log_print *t)
{
	return size > 0 && size < t->offset && t->dated &&
	    log_alike(&f->hashes, &t->head) && (size < LOG_HEAD ||
	    (log_hash(f->head, LOG_HEAD) == t->whole && last >= size / 4));
}

/* Is an open file's text one that was read further? */
static bool
is_beginning(const struct log_file *f, const struct log_print *t)
{
	char tail[LOG_TAIL];
	uint64_t last = 0;
	unsigned i;

	for (i = 0; i < t->nmark && t->mark[i].offset <= f->size; i++) {
		last = t->mark[i].offset;
		if (i == 0 && !log_is_beginning(f, f->size, UINT64_MAX, t))
			return false;
		if (!log_pread(f->fd, tail, LOG_TAIL, last - LOG_TAIL) ||
		    log_hash(tail, LOG_TAIL) != t->mark[i].hash)
			return false;
	}
	return log_is_beginning(f, f->size, last, t);
}

static void
read_heads(struct logfile *l)
{
	struct log_file *f;

	for (f = l->file; f < l->file + l->nfile; f++) {
		if (f->fd == -1 || f->pack != PACK_NONE)
			continue;
		f->nhead = f->size < LOG_HEAD ? (size_t)f->size : LOG_HEAD;
		if (!log_pread(f->fd, f->head, f->nhead, 0))
			f->nhead = 0;	/* emptied at this moment */
		log_head(&f->hashes, f->head, f->nhead);
	}
}

void
log_set_holder(struct logfile *l, struct log_file *f, uint32_t stream)
{
	struct log_stream *s = &l->stream[stream];

	s->has_holder = true;
	s->holder = (uint32_t)(f - l->file);
	f->verdict = LOG_HOLDS;
	f->stream = stream;
}

/* --- plain files --- */

/*
 * Two files hold a stream: is a the better one to read on in?  Of a dated text
 * the log itself, else the longer one: a copy that was broken off grows no
 * more.  Of any other text the one that is known.
 */
static bool
is_better(const struct log_file *a, bool a_known, const struct log_file *b,
    bool b_known, const struct log_print *t)
{
	if (!t->dated && a_known != b_known)
		return a_known;
	if (a->live || b->live)
		return a->live;
	return a->size > b->size || (a->size == b->size && a_known);
}

/* Each stream that open files hold gets one of them as its holder. */
static void
find_holders(struct logfile *l)
{
	struct log_file *f, *best, *done;
	uint32_t i, known;
	bool best_known, is_known;

	/* long texts first: a short one may be the beginning of another */
	for (;;) {
		uint32_t next = NO_STREAM;

		for (i = 0; i < l->nstream; i++)
			if (!l->stream[i].held && (next == NO_STREAM ||
			    l->stream[i].print.offset >
			    l->stream[next].print.offset))
				next = i;
		if (next == NO_STREAM)
			return;
		l->stream[next].held = true;	/* looked at */
		best = done = NULL;
		best_known = false;
		for (f = l->file; f < l->file + l->nfile; f++)
			if (f->verdict == LOG_DONE && f->stream == next)
				done = f;
		for (f = l->file; f < l->file + l->nfile; f++) {
			if (f->verdict != LOG_UNKNOWN ||
			    f->pack != PACK_NONE ||
			    !holds(f, &l->stream[next].print))
				continue;
			known = known_by_inode(l, f);
			is_known = known == next;
			if (known != NO_STREAM && known != next &&
			    holds(f, &l->stream[known].print))
				continue;	/* it holds its own */
			f->stream = next;
			if (best == NULL || is_better(f, is_known, best,
			    best_known, &l->stream[next].print)) {
				best = f;
				best_known = is_known;
			}
		}
		/* a file that has not changed since it was read to its end
		 * is better known than any but one of the same inode, or
		 * one that goes on where it ends */
		if (done != NULL && !best_known &&
		    !(l->stream[next].print.dated && best != NULL &&
		    best->size > l->stream[next].print.offset)) {
			best = NULL;
			l->stream[next].has_holder = true;
			l->stream[next].holder = (uint32_t)(done - l->file);
		}
		for (f = l->file; f < l->file + l->nfile; f++)
			if (f->stream == next && f->verdict == LOG_UNKNOWN) {
				if (f == best)
					log_set_holder(l, f, next);
				else if (f->live || !log_may_be_copy(l, f,
				    best != NULL ? best : done))
					f->stream = NO_STREAM;
				else
					f->verdict = LOG_DONE; /* a copy */
			}
	}
}

/*
 * A rotated file that has nothing of its own: a copy, all of it or a part, of
 * another open file, or of a text that has been read further.  One that was
 * not read yet is told from a copy of it only if it is dated; the later one
 * of equals is read.
 */
static bool
is_copy(struct logfile *l, struct log_file *f)
{
	struct log_file *g;
	uint32_t i;

	for (i = 0; i < l->nstream; i++)
		if (is_beginning(f, &l->stream[i].print)) {
			f->stream = i;
			return true;
		}
	for (g = l->file; g < l->file + l->nfile; g++)
		if (g != f && g->verdict == LOG_HOLDS && copied(l, f, g)) {
			f->stream = g->stream;
			return true;
		}
	for (g = l->file; g < l->file + l->nfile; g++)
		if (g != f && g->verdict == LOG_UNKNOWN &&
		    g->pack == PACK_NONE && (g->live || (log_dated(f->head,
		    f->nhead) && (g->size > f->size || (g->size == f->size &&
		    g > f)))) && copied(l, f, g)) {
			f->like = (size_t)(g - l->file);
			return true;
		}
	return false;
}

/*
 * The log itself, or a file known by its inode, is shorter than its stream.
 * If another file holds the stream, it was emptied after a copy: its text is
 * new, even if it begins in the same way.  Else it was cut; but a first line
 * that is not whole yet may become any, and gives nothing to read.
 */
static bool
was_cut(struct logfile *l, struct log_file *f)
{
	uint32_t known = known_by_inode(l, f);
	struct log_stream *s;
	char tail[LOG_TAIL];
	size_t n = f->size < LOG_TAIL ? (size_t)f->size : LOG_TAIL;

	if (known == NO_STREAM || f->fd == -1)
		return false;
	s = &l->stream[known];
	if (f->nhead < LOG_HEAD && (f->nhead == 0 ||
	    memchr(f->head, '\n', f->nhead) == NULL))
		return false;
	if (s->has_holder || f->size >= s->print.offset ||
	    !log_alike(&f->hashes, &s->print.head) ||
	    !log_pread(f->fd, tail, n, f->size - n))
		return false;
	log_print(&s->print, f->size, f->head, f->nhead, tail, n);
	s->print.nmark = log_marks(s->print.mark, NULL, 0, f->fd, f->size);
	log_set_holder(l, f, known);
	return true;
}

/* Files without lines, and copies. */
static void
pass_over(struct logfile *l)
{
	struct log_file *f;

	for (f = l->file; f < l->file + l->nfile; f++) {
		if (f->verdict != LOG_UNKNOWN)
			continue;
		if (f->fd == -1) {
			warn(l, "cannot be read: its lines wait", f->name);
			f->verdict = LOG_SKIP;
		} else if (f->size == 0)
			f->verdict = LOG_SKIP;
		else if (f->pack == PACK_NONE && !f->live && is_copy(l, f))
			f->verdict = f->stream == NO_STREAM ? LOG_SKIP :
			    LOG_DONE;
	}
}

/* --- the first run --- */

/* Behind the last newline: an open line is reported when it is whole. */
static uint64_t
last_line_end(const struct log_file *f)
{
	char t[4096];
	uint64_t at = f->size;
	size_t n;

	while (at > 0) {
		n = at < sizeof t ? (size_t)at : sizeof t;
		if (!log_pread(f->fd, t, n, at - n))
			return f->size;
		for (; n > 0; n--, at--)
			if (t[n - 1] == '\n')
				return at;
	}
	return 0;
}

static bool
first_run(struct logfile *l)
{
	struct log_file *f;
	struct log_file *end = l->file + l->nfile;
	struct log_stream *s;
	char tail[LOG_TAIL];
	uint64_t at;
	size_t n;

	for (f = l->file; f < end; f++) {
		/* of a log whose position was lost as much as may be new */
		if ((f->live && l->o.from_start) || (l->damaged &&
		    (f->live || f + 1 == end || f[1].live))) {
			if (f->pack != PACK_NONE && f->fd != -1)
				log_judge_packed(l, f);
			else
				f->verdict = f->size == 0 || f->fd == -1 ?
				    LOG_SKIP : LOG_NEW;
			continue;
		}
		f->verdict = LOG_DONE;
		if (f->pack != PACK_NONE || f->fd == -1)
			continue;
		at = f->live ? last_line_end(f) : f->size;
		n = at < LOG_TAIL ? (size_t)at : LOG_TAIL;
		if (at == 0 || !log_pread(f->fd, tail, n, at - n)) {
			f->verdict = LOG_SKIP;
			continue;
		}
		s = log_add_stream(l);
		log_print(&s->print, at, f->head, f->nhead, tail, n);
		s->print.nmark = log_marks(s->print.mark, NULL, 0, f->fd, at);
		f->stream = (uint32_t)(s - l->stream);
	}
	return true;
}

bool
log_judge(struct logfile *l)
{
	struct log_file *f, *end = l->file + l->nfile;

	read_heads(l);
	if (l->first_run)
		return first_run(l);
	find_holders(l);
	pass_over(l);
	for (f = l->file; f < end; f++)
		if (f->verdict == LOG_UNKNOWN && f->pack != PACK_NONE)
			log_judge_packed(l, f);
	/* last: only now is it known what other files hold */
	for (f = l->file; f < end; f++)
		if (f->verdict == LOG_UNKNOWN && !was_cut(l, f))
			f->verdict = LOG_NEW;
	return true;
}
