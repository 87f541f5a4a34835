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
	n = LOG_TAIL < offset ? LOG_TAIL : (size_t)offset;
	t->tail = ntail < n ? 0 : log_hash(tail + ntail - n, n);
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
