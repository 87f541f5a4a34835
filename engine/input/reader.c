/*
 * reader: see reader.h.
 *
 * The block holds [start, end): bytes read and not yet given out.  Reads go
 * behind `end` and always ask for READER_BLOCK, so a line that stands across
 * two reads is moved to the front first; that is also the moment when the
 * last line must leave the block (keep_last).
 */
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "engine/input/reader.h"

void
reader_init(struct reader *r, struct mem *mem, int fd, size_t line_max,
    bool (*wait)(void *, int), void *ctx)
{
	memset(r, 0, sizeof *r);
	r->mem = mem;
	r->fd = fd;
	r->line_max = line_max == 0 ? LIM_LINE : line_max;
	r->last = r->text = STR_NIL;
	r->left = UINT64_MAX;
	r->wait = wait;
	r->ctx = ctx;
}

void
reader_text(struct reader *r, struct str text)
{
	r->text = text;
}

void
reader_free(struct reader *r)
{
	if (r->buf != NULL)
		mem_free(r->mem, r->buf, r->cap);
	if (r->kept != NULL)
		mem_free(r->mem, r->kept, r->capkept);
	r->buf = r->kept = NULL;
	r->cap = r->capkept = r->start = r->end = 0;
	r->last = STR_NIL;
}

/* Copies the last line out of the block, which is about to change. */
static void
keep_last(struct reader *r)
{
	if (r->last.p == NULL || r->last.p == r->kept)
		return;
	if (r->capkept < r->last.n + 1) {
		size_t cap = r->last.n + 1;

		if (cap < 2 * r->capkept)
			cap = 2 * r->capkept;
		r->kept = mem_realloc(r->mem, r->kept, r->capkept, cap);
		r->capkept = cap;
	}
	memcpy(r->kept, r->last.p, r->last.n);
	r->nkept = r->last.n;
	r->last.p = r->kept;
}

/* Adds bytes to the last ones kept. */
static void
add_tail(char tail[READER_TAIL], size_t *ntail, const char *p, size_t n)
{
	size_t keep;

	if (n >= READER_TAIL) {
		memcpy(tail, p + n - READER_TAIL, READER_TAIL);
		*ntail = READER_TAIL;
		return;
	}
	keep = *ntail < READER_TAIL - n ? *ntail : READER_TAIL - n;
	memmove(tail, tail + *ntail - keep, keep);
	if (n > 0)
		memcpy(tail + keep, p, n);
	*ntail = keep + n;
}

/* What was given out of the block is about to leave it. */
static void
keep_tail(struct reader *r)
{
	add_tail(r->tail, &r->ntail, r->buf + r->tail_at,
	    r->start - r->tail_at);
	r->tail_at = r->start;
}

size_t
reader_tail(const struct reader *r, bool line, char to[READER_TAIL])
{
	size_t n = r->ntail, m = r->start - r->tail_at;

	if (line && r->was_cut) {
		memcpy(to, r->before, r->nbefore);
		return r->nbefore;
	}
	memcpy(to, r->tail, n);
	if (line)
		m -= (size_t)(reader_at(r) - r->line_at);
	if (m > 0)
		add_tail(to, &n, r->buf + r->tail_at, m);
	return n;
}

/* Moves the open line to the front and makes room for a whole block. */
static void
make_room(struct reader *r)
{
	size_t n = r->end - r->start, need = n + READER_BLOCK, cap;

	keep_last(r);
	if (r->start > 0) {
		keep_tail(r);
		memmove(r->buf, r->buf + r->start, n);
		r->start = r->tail_at = 0;
		r->end = n;
	}
	if (need <= r->cap)
		return;
	/* n is at most line_max + a block, so this is bounded, too */
	cap = r->cap == 0 ? 2 * READER_BLOCK : 2 * r->cap;
	if (cap > r->line_max + 2 * READER_BLOCK)
		cap = r->line_max + 2 * READER_BLOCK;
	if (cap < need)
		cap = need;
	r->buf = mem_realloc(r->mem, r->buf, r->cap, cap);
	r->cap = cap;
}

/* As read(2). */
static ssize_t
take(struct reader *r, char *to, size_t n)
{
	if (str_none(r->text))
		return read(r->fd, to, n);
	if (n > r->text.n)
		n = r->text.n;
	memcpy(to, r->text.p, n);
	r->text = str_of(r->text.p + n, r->text.n - n);
	return (ssize_t)n;
}

/* One read behind `end`; READER_LINE means that there are more bytes. */
static enum reader_result
fill(struct reader *r)
{
	ssize_t n;

	if (r->at_end)
		return READER_END;
	for (;;) {
		if (r->wait != NULL && !r->wait(r->ctx, r->fd))
			return READER_STOPPED;
		n = r->left == 0 ? 0 : take(r, r->buf + r->end,
		    r->left < READER_BLOCK ? (size_t)r->left : READER_BLOCK);
		if (n > 0 && r->still != NULL && !r->still(r->still_arg))
			n = 0;
		if (n > 0) {
			r->end += (size_t)n;
			r->nread += (uint64_t)n;
			r->left -= (uint64_t)n;
			return READER_LINE;
		}
		if (n == 0) {
			r->at_end = true;
			return READER_END;
		}
		if (errno == EINTR || (errno == EAGAIN && r->wait != NULL))
			continue;
		r->error = errno;
		return READER_FAILED;
	}
}

static enum reader_result
give(struct reader *r, struct str *line, const char *p, size_t n, bool newline)
{
	r->had_newline = newline;
	r->was_cut = false;
	r->last = str_of(p, n);
	*line = r->last;
	return READER_LINE;
}

/*
 * The open line is over the limit: its head stays at the front of the block,
 * the rest is read over it, block by block, until its newline has come.
 */
static enum reader_result
cut_line(struct reader *r, struct str *line)
{
	enum reader_result res;
	size_t head = r->line_max;
	char *nl;

	make_room(r);
	memcpy(r->before, r->tail, r->ntail);
	r->nbefore = r->ntail;
	add_tail(r->tail, &r->ntail, r->buf, r->end);
	r->end = head;
	r->ncut++;
	for (;;) {
		res = fill(r);
		if (res == READER_FAILED || res == READER_STOPPED)
			return res;
		if (res == READER_END) {
			r->start = r->end = r->tail_at = head;
			(void)give(r, line, r->buf, head, false);
			r->was_cut = true;
			return READER_LINE;
		}
		nl = memchr(r->buf + head, '\n', r->end - head);
		if (nl != NULL) {
			r->start = (size_t)(nl - r->buf) + 1;
			r->tail_at = r->start;
			add_tail(r->tail, &r->ntail, r->buf + head,
			    r->start - head);
			(void)give(r, line, r->buf, head, true);
			r->was_cut = true;
			return READER_LINE;
		}
		add_tail(r->tail, &r->ntail, r->buf + head, r->end - head);
		r->end = head;
	}
}

enum reader_result
reader_line(struct reader *r, struct str *line)
{
	size_t seen = 0;	/* bytes of the open line known to hold no newline */

	r->line_at = reader_at(r);
	r->was_cut = false;
	for (;;) {
		size_t n = r->end - r->start;
		const char *p = NULL, *nl = NULL;
		enum reader_result res;

		if (n > seen) {
			p = r->buf + r->start;
			nl = memchr(p + seen, '\n', n - seen);
		}
		if (nl != NULL) {
			size_t len = (size_t)(nl - p);

			r->start += len + 1;
			if (len > r->line_max) {
				len = r->line_max;
				r->ncut++;
			}
			return give(r, line, p, len, true);
		}
		if (n > r->line_max)
			return cut_line(r, line);
		seen = n;
		make_room(r);
		res = fill(r);
		if (res == READER_LINE)
			continue;
		if (res != READER_END || n == 0)
			return res;
		r->start = r->end;
		return give(r, line, r->buf, n, false);
	}
}

enum reader_result
reader_block(struct reader *r, struct str *bytes)
{
	enum reader_result res;

	if (r->start == r->end) {
		make_room(r);
		res = fill(r);
		if (res != READER_LINE)
			return res;
	}
	*bytes = str_of(r->buf + r->start, r->end - r->start);
	r->start = r->end;
	return READER_LINE;
}

enum reader_result
reader_skip(struct reader *r, uint64_t n)
{
	enum reader_result res;
	size_t have;

	for (;;) {
		have = r->end - r->start;
		if (have > n)
			have = (size_t)n;
		r->start += have;
		n -= have;
		if (n == 0)
			return READER_LINE;
		make_room(r);
		res = fill(r);
		if (res != READER_LINE)
			return res;
	}
}
