#include "lang/base/str.h"

int
str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (c != 0)
		return c;
	return (a.n > b.n) - (a.n < b.n);
}

bool
str_starts(struct str s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.p != NULL && s.n >= n && memcmp(s.p, prefix, n) == 0;
}

bool
str_ends(struct str s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.p != NULL && s.n >= n &&
	    memcmp(s.p + (s.n - n), suffix, n) == 0;
}

size_t
str_find(struct str s, char c, size_t from)
{
	const char *p;

	if (from >= s.n || s.p == NULL)
		return s.n;
	p = memchr(s.p + from, c, s.n - from);
	return p == NULL ? s.n : (size_t)(p - s.p);
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str
str_trim(struct str s)
{
	if (str_none(s))
		return s;
	while (s.n > 0 && blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Longer names are not what a person mistyped. */
#define DISTANCE_MAX	63

unsigned
str_distance(struct str a, struct str b, unsigned max)
{
	unsigned row[DISTANCE_MAX + 1], diag, up, best, c;
	size_t i, j;

	if (str_none(a) || str_none(b) ||
	    a.n > DISTANCE_MAX || b.n > DISTANCE_MAX)
		return max + 1;
	if ((a.n > b.n ? a.n - b.n : b.n - a.n) > max)
		return max + 1;
	for (j = 0; j <= b.n; j++)
		row[j] = (unsigned)j;
	for (i = 0; i < a.n; i++) {
		diag = row[0];
		best = row[0] = (unsigned)i + 1;
		for (j = 0; j < b.n; j++) {
			up = row[j + 1];
			c = diag + (a.p[i] != b.p[j]);
			if (up + 1 < c)
				c = up + 1;
			if (row[j] + 1 < c)
				c = row[j] + 1;
			row[j + 1] = c;
			diag = up;
			if (c < best)
				best = c;
		}
		if (best > max)
			return max + 1;
	}
	return row[b.n] > max ? max + 1 : row[b.n];
}
