/* logprint: fingerprints of texts: see logfile.h. */
#include <errno.h>
#include <unistd.h>

#include "engine/input/logfile_inner.h"

#define FNV_START	UINT64_C(0xcbf29ce484222325)
#define FNV_TIMES	UINT64_C(0x100000001b3)

uint64_t
log_hash(const char *p, size_t n)
{
	uint64_t h = FNV_START;
	size_t i;

	for (i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * FNV_TIMES;
	return h;
}

void
log_head(struct log_head *t, const char *p, size_t n)
{
	size_t size = 2 * FIRST;

	t->nfirst = n < FIRST ? (unsigned)n : FIRST;
	memcpy(t->first, p, t->nfirst);
	for (t->n = 0; t->n < HEADS && size <= n; size *= 2)
		t->hash[t->n++] = log_hash(p, size);
}

void
log_print(struct log_print *t, uint64_t offset, const char *head, size_t nhead,
    const char *tail, size_t ntail)
{
	size_t n = nhead < offset ? nhead : (size_t)offset;

	memset(t, 0, sizeof *t);
	t->offset = offset;
	log_head(&t->head, head, n);
	t->whole = log_hash(head, n);
	t->dated = log_dated(head, n);
	n = LOG_TAIL < offset ? LOG_TAIL : (size_t)offset;
	t->tail = ntail < n ? 0 : log_hash(tail + ntail - n, n);
}

/* Four digits near its beginning: a date, a time or a number. */
static bool
has_number(const char *line, size_t n)
{
	size_t i, digits = 0;

	for (i = 0; i < n && i < FIRST; i++)
		digits += line[i] >= '0' && line[i] <= '9';
	return digits >= 4;
}

/* The length of the line at p, with its newline. */
static size_t
line_length(const char *p, size_t n)
{
	const char *nl = n == 0 ? NULL : memchr(p, '\n', n);

	return nl == NULL ? n : (size_t)(nl - p) + 1;
}

bool
log_dated(const char *head, size_t n)
{
	size_t lines = 0, again = 0, numbers = 0, at, k, b, m;

	for (at = 0; at < n; at += k) {
		k = line_length(head + at, n - at);
		lines++;
		numbers += has_number(head + at, k);
		for (b = 0; b < at; b += m) {
			m = line_length(head + b, at - b);
			if (m == k && memcmp(head + b, head + at, k) == 0) {
				again++;
				break;
			}
		}
	}
	return again * 2 <= lines && numbers * 2 >= lines;
}

/* --- marks --- */

#define MARK_FIRST	1024	/* the first power of four that has a mark */
#define MARK_LOW	8	/* the first 16th power of two: LOG_TAIL */
#define MARK_HIGH	44	/* the last; beyond 2^46 bytes there are no more */

/* The next offset after `at` that a text of n bytes has a mark at, or 0. */
static uint64_t
next_mark(uint64_t at, uint64_t n)
{
	uint64_t best = 0, m, size;
	unsigned i, k;

	for (k = MARK_LOW; k <= MARK_HIGH; k += 4) {
		size = UINT64_C(1) << k;
		for (i = 2; i-- > 0;) {
			m = n / size * size;
			m = m < i * size ? 0 : m - i * size;
			if (m > at && (best == 0 || m < best))
				best = m;
		}
		m = MARK_FIRST * (UINT64_C(1) << (k - MARK_LOW) / 2);
		for (i = 0; i < 2; i++, m *= 4)
			if (m > at && m <= n && (best == 0 || m < best))
				best = m;
	}
	return best;
}

unsigned
log_marks(struct log_mark *to, const struct log_mark *have, unsigned nhave,
    int fd, uint64_t n)
{
	char tail[LOG_TAIL];
	unsigned i, k = 0;
	uint64_t at = 0;

	while (k < MARKS && (at = next_mark(at, n)) != 0) {
		for (i = 0; i < nhave && have[i].offset != at; i++)
			;
		if (i < nhave)
			to[k++] = have[i];
		else if (fd != -1 && log_pread(fd, tail, LOG_TAIL,
		    at - LOG_TAIL))
			to[k++] = (struct log_mark){ at,
			    log_hash(tail, LOG_TAIL) };
	}
	return k;
}

bool
log_alike(const struct log_head *a, const struct log_head *b)
{
	unsigned n = a->n < b->n ? a->n : b->n;
	unsigned f = a->nfirst < b->nfirst ? a->nfirst : b->nfirst;

	return f > 0 && memcmp(a->first, b->first, f) == 0 &&
	    (n == 0 || a->hash[n - 1] == b->hash[n - 1]);
}

bool
log_pread(int fd, char *p, size_t n, uint64_t offset)
{
	ssize_t k;

	while (n > 0) {
		k = pread(fd, p, n, (off_t)offset);
		if (k == -1 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
		offset += (uint64_t)k;
	}
	return true;
}
