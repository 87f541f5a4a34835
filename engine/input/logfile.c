/* logfile: see logfile.h. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "engine/input/logfile_inner.h"

struct logfile *
logfile_new(const struct log_options *o)
{
	struct logfile *l = mem_zalloc(o->mem, sizeof *l);

	l->o = *o;
	l->mem = o->mem;
	return l;
}

void
logfile_free(struct logfile *l)
{
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < l->nfile; i++) {
		if (l->file[i].fd != -1)
			close(l->file[i].fd);
		mem_free(l->mem, l->file[i].name, l->file[i].nname);
	}
	mem_free(l->mem, l->file, l->capfile * sizeof *l->file);
	mem_free(l->mem, l->stream, l->capstream * sizeof *l->stream);
	mem_free(l->mem, l->seen, l->capseen * sizeof *l->seen);
	mem_free(l->mem, l, sizeof *l);
}

const char *
logfile_why(const struct logfile *l)
{
	return l->why;
}

bool
logfile_open(struct logfile *l, struct str position)
{
	struct str path = l->o.path;
	char t[600];

	if (str_none(path) || path.n == 0 || path.n >= sizeof l->path ||
	    memchr(path.p, '\0', path.n) != NULL) {
		snprintf(l->why, sizeof l->why, "the log's path is %s",
		    str_none(path) || path.n == 0 ? "empty" :
		    path.n >= sizeof l->path ? "too long" :
		    "not one: it holds a NUL byte");
		return false;
	}
	memcpy(l->path, path.p, path.n);
	l->path[path.n] = '\0';
	log_reserve(l);
	l->first_run = position.n == 0;
	if (!l->first_run && !log_decode(l, position)) {
		snprintf(t, sizeof t, "log %.300s: its position is damaged: "
		    "the log and its newest rotated file are read from their "
		    "start, lines may be reported again", l->path);
		l->o.world->warn(l->o.world->arg, t);
		l->nstream = l->nseen = 0;
		l->stops = 0;
		l->first_run = true;
		l->old_real[0] = '\0';
		l->damaged = true;
	}
	if (!log_list(l) || !log_judge(l))
		return false;
	if (l->nfile == 0 || (!l->file[l->nfile - 1].live &&
	    l->first_run)) {
		snprintf(t, sizeof t, "log %.300s: there is none",
		    l->path);
		l->o.world->warn(l->o.world->arg, t);
	}
	return true;
}

/* Is the open file still as long as it was, and does it begin in that way? */
static bool
has_head(const struct log_file *f)
{
	char head[LOG_HEAD];
	struct stat st;

	return f->pack != PACK_NONE || (fstat(f->fd, &st) == 0 &&
	    (uint64_t)st.st_size >= f->size &&
	    log_pread(f->fd, head, f->nhead, 0) &&
	    memcmp(head, f->head, f->nhead) == 0);
}

/*
 * The file is about to be read.  If it was emptied since it was judged (the
 * copy and truncation of a rotation may happen at any moment), what it held
 * is now elsewhere and is found by the next run; what it holds now is new.
 */
static bool
is_still(struct log_file *f)
{
	struct stat st;

	/* a copy that was being made when the folder was listed is chosen only
	 * where the log has been emptied since: so it is whole by now */
	if (f->pack == PACK_NONE && !f->live && has_head(f) &&
	    fstat(f->fd, &st) == 0 && (uint64_t)st.st_size > f->size) {
		f->size = (uint64_t)st.st_size;
		f->mtime = log_mtime(&st);
		f->nhead = f->size < LOG_HEAD ? (size_t)f->size : LOG_HEAD;
		if (!log_pread(f->fd, f->head, f->nhead, 0))
			return false;
	}
	if (has_head(f) && (f->pack != PACK_NONE || f->nhead == LOG_HEAD ||
	    f->nhead == f->size))
		return true;
	if (f->verdict == LOG_HOLDS || fstat(f->fd, &st) != 0)
		return false;
	f->emptied = true;
	f->size = (uint64_t)st.st_size;
	f->nhead = f->size < LOG_HEAD ? (size_t)f->size : LOG_HEAD;
	return f->size > 0 && log_pread(f->fd, f->head, f->nhead, 0);
}

/*
 * What will be kept of the text that is about to be read is taken before: its
 * marks, and the bytes before the part.  false: the file has been emptied in
 * between, and they may be of two texts.
 */
static bool
take_place(const struct logfile *l, struct log_file *f)
{
	const struct log_print *t = f->verdict == LOG_NEW ? NULL :
	    &l->stream[f->stream].print;

	if (f->pack != PACK_NONE)
		return true;
	f->nmark = log_marks(f->mark, t == NULL ? NULL : t->mark,
	    t == NULL ? 0 : t->nmark, f->fd, f->size);
	f->nbefore = t == NULL ? 0 : t->offset < LOG_TAIL ?
	    (size_t)t->offset : LOG_TAIL;
	return log_pread(f->fd, f->before, f->nbefore,
	    t == NULL ? 0 : t->offset - f->nbefore) && has_head(f);
}

/*
 * A program that has a rotated file open may be in the middle of a line; of a
 * packed copy that was broken off there may be a longer one.
 */
static bool
changed_lately(const struct log_file *f)
{
	int64_t age = (int64_t)time(NULL) - f->mtime / 1000000000;

	return age > -LOG_QUIET && age < LOG_QUIET;
}

bool
logfile_next(struct logfile *l, struct log_part *part)
{
	struct log_file *f;

	while (l->next < l->nfile) {
		f = &l->file[l->next++];
		if (f->verdict != LOG_HOLDS && f->verdict != LOG_NEW)
			continue;
		if (!is_still(f) || !take_place(l, f)) {
			f->verdict = LOG_SKIP;
			continue;
		}
		part->from = f->verdict == LOG_NEW ? 0 :
		    l->stream[f->stream].print.offset;
		part->to = f->pack == PACK_NONE ? f->size : UINT64_MAX;
		if (part->from >= part->to)
			continue;
		part->number = (size_t)(f - l->file);
		part->name = f->name;
		part->head = f->head;
		part->nhead = f->nhead;
		part->fd = f->fd;
		part->pack = f->pack;
		part->open = f->live || changed_lately(f);
		f->offset = part->from;
		return true;
	}
	return false;
}

bool
logfile_still(const struct logfile *l, size_t number)
{
	return has_head(&l->file[number]);
}

void
logfile_read(struct logfile *l, size_t number, uint64_t offset,
    const char *tail, size_t ntail, bool whole)
{
	struct log_file *f = &l->file[number];

	f->was_read = true;
	f->offset = offset;
	f->ntail = ntail < LOG_TAIL ? ntail : LOG_TAIL;
	memcpy(f->tail, tail + ntail - f->ntail, f->ntail);
	f->whole = whole;
}

void
logfile_unread_after(struct logfile *l, size_t number)
{
	while (++number < l->nfile)
		l->file[number].was_read = l->file[number].whole = false;
}

void
logfile_unread_all(struct logfile *l)
{
	size_t i;

	for (i = 0; i < l->nfile; i++)
		l->file[i].was_read = l->file[i].whole = false;
}

unsigned
logfile_stopped(struct logfile *l, size_t number, uint64_t offset)
{
	const struct log_file *f = &l->file[number];

	if (l->stops > 0 && l->stop_dev == f->dev && l->stop_ino == f->ino &&
	    l->stop_offset == offset)
		l->stops++;
	else
		l->stops = 1;
	l->stop_dev = f->dev;
	l->stop_ino = f->ino;
	l->stop_offset = offset;
	l->stopped_now = true;
	return l->stops;
}

/* The last bytes before a part's start that it did not read itself. */
static void
complete_tail(struct log_file *f)
{
	size_t want = f->offset < LOG_TAIL ? (size_t)f->offset : LOG_TAIL,
	    miss;

	if (f->ntail >= want || f->pack != PACK_NONE)
		return;
	/* the file may hold others by now */
	miss = want - f->ntail;
	if (miss > f->nbefore)
		return;
	memmove(f->tail + miss, f->tail, f->ntail);
	memcpy(f->tail, f->before + f->nbefore - miss, miss);
	f->ntail = want;
}

/* The marks of what was read: the file may have been emptied since. */
static void
move_marks(struct log_file *f, struct log_print *t)
{
	t->nmark = log_marks(t->mark, f->mark, f->nmark, f->pack == PACK_NONE ?
	    f->fd : -1, t->offset);
	if (!has_head(f))
		t->nmark = log_marks(t->mark, f->mark, f->nmark, -1,
		    t->offset);
}

/* The streams as this run leaves them. */
static void
move_on(struct logfile *l)
{
	struct log_stream *s;
	struct log_file *f;
	uint64_t from;

	for (f = l->file; f < l->file + l->nfile; f++) {
		if (!f->was_read)
			continue;
		if (f->verdict == LOG_NEW && f->offset == 0) {
			f->verdict = LOG_SKIP;
			continue;
		}
		if (f->verdict == LOG_NEW) {
			s = log_add_stream(l);
			f->stream = (uint32_t)(s - l->stream);
			from = 0;
		} else {
			s = &l->stream[f->stream];
			from = s->print.offset;
		}
		if (f->offset == from)
			continue;
		complete_tail(f);
		log_print(&s->print, f->offset, f->head, f->nhead, f->tail,
		    f->ntail);
		move_marks(f, &s->print);
		f->verdict = LOG_HOLDS;
	}
}

/*
 * What is a copy of a file that was read has its stream; but not if another
 * text was read of that file: then the copy is what is left of the first.
 */
static void
settle_copies(struct logfile *l)
{
	struct log_file *f, *g;

	for (f = l->file; f < l->file + l->nfile; f++) {
		for (g = f; g->like != NO_FILE; g = &l->file[g->like])
			;
		if (g == f || g->verdict != LOG_HOLDS || g->emptied)
			continue;
		f->verdict = LOG_DONE;
		f->stream = g->stream;
	}
}

/* Is this file of use to the next run? */
static bool
is_kept(const struct logfile *l, const struct log_file *f)
{
	/* a packed copy: when its stream has been read as far */
	if (f->verdict == LOG_DONE)
		return f->unpacked == 0 || f->stream == NO_STREAM ||
		    l->stream[f->stream].print.offset >= f->unpacked;
	if (f->verdict != LOG_HOLDS)
		return false;
	/* a packed file that was not read to its end is looked at again */
	return f->pack == PACK_NONE || (f->was_read && f->whole);
}

/* Streams that no file holds: the oldest of them are forgotten. */
static void
forget(struct logfile *l)
{
	uint32_t *now, k = 0;
	size_t i, j, ngone, n = l->nstream;

	if (n == 0)
		return;
	now = mem_alloc(l->mem, n * sizeof *now);
	for (i = 0; i < n; i++) {
		struct log_stream *s = &l->stream[i];

		ngone = 0;
		if (!s->held)
			for (j = 0; j < n; j++)
				if (!l->stream[j].held && (l->stream[j].gone <
				    s->gone || (l->stream[j].gone == s->gone &&
				    j > i)))
					ngone++;
		now[i] = ngone < LIM_LOG_GONE || s->gone <= LIM_LOG_MISSED ?
		    k++ : NO_STREAM;
	}
	for (i = 0; i < n; i++)
		if (now[i] != NO_STREAM)
			l->stream[now[i]] = l->stream[i];
	l->nstream = k;
	for (i = 0; i < l->nseen; i++)
		if (l->seen[i].stream != NO_STREAM)
			l->seen[i].stream = now[l->seen[i].stream];
	mem_free(l->mem, now, n * sizeof *now);
}

/* Of the files known so far those that were not there this time. */
static void
keep_missed(struct logfile *l)
{
	struct log_file *f;
	size_t i, k = 0;

	for (i = 0; i < l->nseen; i++) {
		for (f = l->file; f < l->file + l->nfile; f++)
			if (f->dev == l->seen[i].dev &&
			    f->ino == l->seen[i].ino)
				break;
		if (f < l->file + l->nfile ||
		    l->seen[i].gone >= LIM_LOG_MISSED)
			continue;
		l->seen[k] = l->seen[i];
		l->seen[k++].gone++;
	}
	l->nseen = k;
}

void
logfile_position(struct logfile *l, struct buf *b)
{
	struct log_file *f;
	struct log_seen *s;
	size_t i;

	move_on(l);
	settle_copies(l);
	for (i = 0; i < l->nstream; i++)
		l->stream[i].held = false;
	keep_missed(l);
	for (f = l->file; f < l->file + l->nfile; f++) {
		if (f->stream != NO_STREAM)
			l->stream[f->stream].held = true;
		if (!is_kept(l, f))
			continue;
		s = log_add_seen(l);
		s->dev = f->dev;
		s->ino = f->ino;
		s->size = f->size;
		s->mtime = f->mtime;
		s->gone = 0;
		s->stream = f->stream;
	}
	for (i = 0; i < l->nstream; i++)
		l->stream[i].gone = l->stream[i].held ? 0 :
		    l->stream[i].gone + 1;
	forget(l);
	if (!l->stopped_now)
		l->stops = 0;
	log_encode(l, b);
}
