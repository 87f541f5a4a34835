#include "lang/base/find.h"

#define WIDE	16		/* bytes in a vector: what every machine has */

typedef unsigned char wide __attribute__((vector_size(WIDE)));

/* How usual a byte is in logs and commands; by no means exact. */
static unsigned
usual(unsigned char c)
{
	static const char letters[] = "zqjxkvbywgpfmucdlhrsnioate";
	const char *p;

	if (c >= 'a' && c <= 'z') {
		p = memchr(letters, c, sizeof letters - 1);
		return 20 + (unsigned)(p - letters) * 3;
	}
	if (c == ' ' || c == '0' || c == '1')
		return 110;
	if (c >= '2' && c <= '9')
		return 70;
	if (c >= 'A' && c <= 'Z')
		return 30;
	return memchr(".:-/[]=,", c, 8) != NULL ? 75 : 10;
}

void
find_prepare(struct find *f, struct str text)
{
	uint32_t i;

	f->a = f->b = 0;
	for (i = 1; i < text.n; i++)
		if (usual((unsigned char)text.p[i]) <
		    usual((unsigned char)text.p[f->a]))
			f->a = i;
	/* a second one, another byte if there is any */
	f->b = f->a == 0 && text.n > 1 ? 1 : 0;
	for (i = 0; i < text.n; i++)
		if (i != f->a && text.p[i] != text.p[f->a] &&
		    (text.p[f->b] == text.p[f->a] ||
		    usual((unsigned char)text.p[i]) <
		    usual((unsigned char)text.p[f->b])))
			f->b = i;
}

/* One place after the other: for what is shorter than a vector. */
static const char *
by_byte(const struct find *f, const char *p, const char *end, struct str text)
{
	const char *at = p;

	while (at < end && (at = memchr(at + f->a, text.p[f->a],
	    (size_t)(end - at))) != NULL) {
		at -= f->a;
		if (memcmp(at, text.p, text.n) == 0)
			return at;
		at++;
	}
	return NULL;
}

/* Which of the places at p have both bytes. */
static inline wide
places(const char *pa, const char *pb, wide a, wide b)
{
	wide x, y;

	memcpy(&x, pa, WIDE);
	memcpy(&y, pb, WIDE);
	return (wide)((x == a) & (y == b));
}

static inline bool
is_any(wide x)
{
	uint64_t any[2];

	memcpy(any, &x, WIDE);
	return __builtin_expect((any[0] | any[1]) != 0, 0);
}

/* The first of those places that has all of the text. */
static const char *
first_of(wide x, const char *p, struct str text)
{
	size_t i;

	for (i = 0; i < WIDE; i++)
		if (x[i] != 0 && memcmp(p + i, text.p, text.n) == 0)
			return p + i;
	return NULL;
}

const char *
find_in(const struct find *f, struct str s, struct str text)
{
	const char *p = s.p, *end, *hit;
	size_t fa = f->a, fb = f->b;
	wide a, b, x;

	if (text.n == 0)
		return p;
	if (s.n < text.n)
		return NULL;
	if (text.n == 1)
		return memchr(p, text.p[0], s.n);
	end = p + (s.n - text.n + 1);	/* behind the last place */
	if (end - p < WIDE)
		return by_byte(f, p, end, text);
	a = (wide){ 0 } + (unsigned char)text.p[fa];
	b = (wide){ 0 } + (unsigned char)text.p[fb];
	for (; end - p >= WIDE; p += WIDE) {
		x = places(p + fa, p + fb, a, b);
		if (is_any(x) && (hit = first_of(x, p, text)) != NULL)
			return hit;
	}
	if (p == end)
		return NULL;
	p = end - WIDE;			/* the rest, some places again */
	x = places(p + fa, p + fb, a, b);
	return is_any(x) ? first_of(x, p, text) : NULL;
}

/* The slot of two bytes, letters without their case; below FIND_SLOTS. */
static inline unsigned
slot(char a, char b)
{
	unsigned x = (unsigned char)a | 0x20u, y = (unsigned char)b | 0x20u;

	return (x << 4 ^ y) % FIND_SLOTS;
}

void
find_digest(struct find_digest *d, struct str line)
{
	size_t i;

	if (++d->mark == 0) {		/* an old one may not look like this */
		memset(d->seen, 0, sizeof d->seen);
		d->mark = 1;
	}
	d->seen[FIND_SLOTS] = d->mark;
	for (i = 1; i < line.n; i++)
		d->seen[slot(line.p[i - 1], line.p[i])] = d->mark;
}

void
find_digest_text(struct find_text *t, struct str text)
{
	struct find f;
	size_t at[FIND_PAIRS], i;

	memset(t, 0, sizeof *t);
	if (text.n < 2)
		return;
	/* those that begin with a rare byte, and the last */
	find_prepare(&f, text);
	at[0] = f.a;
	at[1] = f.b;
	at[2] = text.n - 2;
	for (i = 0; i < FIND_PAIRS; i++) {
		if (at[i] > text.n - 2)
			at[i] = text.n - 2;
		t->slot[i] = (uint16_t)(FIND_SLOTS - slot(text.p[at[i]],
		    text.p[at[i] + 1]));
	}
}
