#include "lang/base/map.h"

#include <stdatomic.h>
#include <sys/auxv.h>
#include <time.h>

#define MAP_FIRST	16

/* 64 x 64 bits, folded: the mixing step of wyhash. */
static uint64_t
fold(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	unsigned __int128 r = (unsigned __int128)a * b;

	return (uint64_t)r ^ (uint64_t)(r >> 64);
#else
	uint64_t hi = (a >> 32) * (b >> 32), lo = (a & 0xffffffff) *
	    (b & 0xffffffff), m1 = (a >> 32) * (b & 0xffffffff),
	    m2 = (a & 0xffffffff) * (b >> 32);

	return (lo ^ hi) + (m1 << 32 | m1 >> 32) + m2;
#endif
}

/*
 * The seed is a constant of the process, from the random bytes that the
 * kernel gave it; kept because asking for them again costs more than a hash.
 */
static uint64_t
seed(void)
{
	static _Atomic uint64_t kept;
	uint64_t s = atomic_load_explicit(&kept, memory_order_relaxed);
	uint64_t none = 0;
	const void *random;

	if (s != 0)
		return s;
	random = (const void *)(uintptr_t)getauxval(AT_RANDOM);
	if (random != NULL)
		memcpy(&s, random, sizeof s);
	else
		s = (uint64_t)time(NULL) ^ (uint64_t)(uintptr_t)&none;
	s |= 1;
	if (!atomic_compare_exchange_strong(&kept, &none, s))
		s = none;
	return s;
}

static uint64_t
load(const char *p, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, p, n);
	return v;
}

uint64_t
hash_bytes(const char *p, size_t n)
{
	const uint64_t k0 = UINT64_C(0xa0761d6478bd642f);
	const uint64_t k1 = UINT64_C(0xe7037ed1a0b428db);
	uint64_t h = seed() ^ n * k0, a, b = 0;

	for (; n > 16; p += 16, n -= 16)
		h = fold(load(p, 8) ^ k1, load(p + 8, 8) ^ h);
	if (n >= 8) {
		a = load(p, 8);
		b = load(p + (n - 8), 8);
	} else if (n >= 4) {
		a = load(p, 4);
		b = load(p + (n - 4), 4);
	} else if (n > 0)
		a = (uint64_t)(unsigned char)p[0] << 16 |
		    (uint64_t)(unsigned char)p[n / 2] << 8 |
		    (unsigned char)p[n - 1];
	else
		a = 0;
	h = fold(a ^ k1, b ^ h);
	return fold(h ^ k0, k1);
}

void
map_init(struct map *m, struct arena *a)
{
	*m = (struct map){ .arena = a };
}

/* The slot of the key, or the empty one where it belongs. */
static uint32_t *
find(const struct map *m, struct str key, uint64_t h)
{
	size_t mask = m->nslot - 1, i = (size_t)h & mask;
	const struct map_entry *e;

	for (;; i = (i + 1) & mask) {
		if (m->slot[i] == 0)
			return &m->slot[i];
		e = &m->entry[m->slot[i] - 1];
		if (e->hash == h && str_eq(e->key, key))
			return &m->slot[i];
	}
}

static uint64_t
hash_key(struct str key)
{
	return hash_bytes(key.p, key.n);
}

struct map_entry *
map_get(const struct map *m, struct str key)
{
	uint32_t s;

	if (m->n == 0)
		return NULL;
	s = *find(m, key, hash_key(key));
	return s == 0 ? NULL : &m->entry[s - 1];
}

/* Twice the room; the old tables stay in the arena till it goes. */
static void
grow(struct map *m)
{
	size_t cap = m->cap == 0 ? MAP_FIRST : m->cap * 2, mask, i, j;
	struct map_entry *e;

	if (cap > UINT32_MAX / 4)
		mem_fail(m->arena->mem, true);
	e = arena_alloc(m->arena, cap * sizeof *e);
	if (m->n > 0)
		memcpy(e, m->entry, m->n * sizeof *e);
	m->entry = e;
	m->cap = cap;
	m->nslot = cap * 2;
	m->slot = arena_zalloc(m->arena, m->nslot * sizeof *m->slot);
	mask = m->nslot - 1;
	for (i = 0; i < m->n; i++) {
		for (j = (size_t)e[i].hash & mask; m->slot[j] != 0; )
			j = (j + 1) & mask;
		m->slot[j] = (uint32_t)i + 1;
	}
}

struct map_entry *
map_put(struct map *m, struct str key, bool *is_new)
{
	uint64_t h = hash_key(key);
	struct map_entry *e;
	uint32_t *s;

	if (m->n == m->cap)
		grow(m);
	s = find(m, key, h);
	if (is_new != NULL)
		*is_new = *s == 0;
	if (*s != 0)
		return &m->entry[*s - 1];
	e = &m->entry[m->n];
	*e = (struct map_entry){ .hash = h };
	e->key = arena_dup(m->arena, key);
	*s = (uint32_t)++m->n;
	return e;
}

const struct map_entry *
map_nearest(const struct map *m, struct str key)
{
	/* A third of the letters may be wrong; more is another word. */
	unsigned best = key.n < 3 ? 1 : key.n < 6 ? 2 : 3, d;
	const struct map_entry *found = NULL;
	size_t i;

	for (i = 0; i < m->n && best > 0; i++) {
		d = str_distance(m->entry[i].key, key, best);
		if (d > best || d >= m->entry[i].key.n || d >= key.n)
			continue;
		found = &m->entry[i];
		best = d - (d > 0);
		if (d == 0)
			break;
	}
	return found;
}
