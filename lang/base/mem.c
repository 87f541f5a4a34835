#include "lang/base/mem.h"

#include <stdlib.h>
#include <string.h>

void
mem_init(struct mem *m, size_t limit, jmp_buf *fail)
{
	*m = (struct mem){ .limit = limit, .fail = fail };
}

_Noreturn void
mem_fail(struct mem *m, bool at_limit)
{
	m->at_limit = at_limit;
	if (m->fail == NULL)
		abort();
	longjmp(*m->fail, 1);
}

void
mem_charge(struct mem *m, size_t n)
{
	if (m->used > m->limit || n > m->limit - m->used)
		mem_fail(m, true);
	m->used += n;
	if (m->used > m->peak)
		m->peak = m->used;
}

void
mem_uncharge(struct mem *m, size_t n)
{
	m->used -= n;
}

void *
mem_alloc(struct mem *m, size_t n)
{
	void *p;

	mem_charge(m, n);
	p = malloc(n == 0 ? 1 : n);
	if (p == NULL) {
		mem_uncharge(m, n);
		mem_fail(m, false);
	}
	return p;
}

void *
mem_zalloc(struct mem *m, size_t n)
{
	void *p;

	/* calloc, not memset: fresh pages of the system are zero already. */
	mem_charge(m, n);
	p = calloc(1, n == 0 ? 1 : n);
	if (p == NULL) {
		mem_uncharge(m, n);
		mem_fail(m, false);
	}
	return p;
}

void *
mem_realloc(struct mem *m, void *p, size_t oldn, size_t n)
{
	void *q;

	if (p == NULL)
		return mem_alloc(m, n);
	if (n > oldn)
		mem_charge(m, n - oldn);
	q = realloc(p, n == 0 ? 1 : n);
	if (q == NULL) {
		if (n > oldn)
			mem_uncharge(m, n - oldn);
		mem_fail(m, false);
	}
	if (n < oldn)
		mem_uncharge(m, oldn - n);
	return q;
}

void
mem_free(struct mem *m, void *p, size_t n)
{
	if (p == NULL)
		return;
	free(p);
	mem_uncharge(m, n);
}
