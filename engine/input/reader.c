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
	r->last = STR_NIL;
	r->wait = wait;
	r->ctx = ctx;
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

/* Moves the open line to the front and makes room for a whole block. */
static void
make_room(struct reader *r)
{
	size_t n = r->end - r->start, need = n + READER_BLOCK, cap;

	keep_last(r);
	if (r->start > 0) {
		memmove(r->buf, r->buf + r->start, n);
		r->start = 0;
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
		n = read(r->fd, r->buf + r->end, READER_BLOCK);
		if (n > 0) {
			r->end += (size_t)n;
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
	r->end = head;
	r->ncut++;
	for (;;) {
		res = fill(r);
		if (res == READER_FAILED || res == READER_STOPPED)
			return res;
		if (res == READER_END) {
			r->start = r->end = head;
			return give(r, line, r->buf, head, false);
		}
		nl = memchr(r->buf + head, '\n', r->end - head);
		if (nl != NULL) {
			r->start = (size_t)(nl - r->buf) + 1;
			return give(r, line, r->buf, head, true);
		}
		r->end = head;
	}
}

enum reader_result
reader_line(struct reader *r, struct str *line)
{
	size_t seen = 0;	/* bytes of the open line known to hold no newline */

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
