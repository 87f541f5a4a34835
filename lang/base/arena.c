#include "lang/base/arena.h"

#include <stdint.h>

struct arena_block {
	struct arena_block	*prev;
	size_t			 size;	/* of the whole, this header included */
};

#define ALIGN	_Alignof(max_align_t)
#define HEAD	((sizeof(struct arena_block) + ALIGN - 1) / ALIGN * ALIGN)

void
arena_init(struct arena *a, struct mem *m, size_t block)
{
	*a = (struct arena){ .mem = m, .block = block < 2 * HEAD ?
	    2 * HEAD : block };
}

/* A new head with room for n bytes, aligned. */
static void
grow(struct arena *a, size_t n)
{
	struct arena_block *b;
	size_t size = a->block;

	if (n > SIZE_MAX / 2)
		mem_fail(a->mem, true);
	if (n + HEAD > size)
		size = n + HEAD;
	if (a->spare != NULL && size == a->block) {
		b = a->spare;
		a->spare = NULL;
	} else
		b = mem_alloc(a->mem, size);
	b->prev = a->head;
	b->size = size;
	a->head = b;
	a->p = (char *)b + HEAD;
	a->end = (char *)b + size;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	size_t pad = (size_t)(-(uintptr_t)a->p & (ALIGN - 1));
	size_t left = (size_t)(a->end - a->p);
	char *p;

	if (a->p == NULL || pad > left || n > left - pad) {
		grow(a, n);
		pad = 0;
	}
	p = a->p + pad;
	a->p = p + n;
	return p;
}

void *
arena_zalloc(struct arena *a, size_t n)
{
	return memset(arena_alloc(a, n), 0, n);
}

char *
arena_text(struct arena *a, size_t n)
{
	char *p;

	if (a->p == NULL || n > (size_t)(a->end - a->p))
		grow(a, n);
	p = a->p;
	a->p += n;
	return p;
}

struct str
arena_dup(struct arena *a, struct str s)
{
	char *p;

	if (str_none(s))
		return s;
	p = arena_text(a, s.n + 1);
	if (s.n != 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return str_of(p, s.n);
}

struct arena_mark
arena_mark(const struct arena *a)
{
	return (struct arena_mark){ a->head, a->p };
}

void
arena_reset(struct arena *a, struct arena_mark m)
{
	struct arena_block *b, *prev;

	for (b = a->head; b != m.head; b = prev) {
		prev = b->prev;
		if (m.head == NULL && a->spare == NULL && b->size == a->block)
			a->spare = b;
		else
			mem_free(a->mem, b, b->size);
	}
	a->head = b;
	a->p = m.p;
	a->end = b == NULL ? NULL : (char *)b + b->size;
}

void
arena_free(struct arena *a)
{
	arena_reset(a, (struct arena_mark){ NULL, NULL });
	if (a->spare != NULL)
		mem_free(a->mem, a->spare, a->spare->size);
	a->spare = NULL;
}
