/* silence: which incidents are not told of for a while. */
#include "engine/incident/incident.h"

/*
 * The set that begins at p[i] with [: whether c is in it, and where it ends.
 * 0: it is not closed.
 */
static size_t
set(struct str p, size_t i, unsigned char c, bool *in)
{
	bool not = i + 1 < p.n && (p.p[i + 1] == '!' || p.p[i + 1] == '^');
	size_t k = i + 1 + not, first = k;
	unsigned char low, high;

	*in = false;
	for (; k < p.n && (p.p[k] != ']' || k == first); k++) {
		if (p.p[k] == '\\' && k + 1 < p.n)
			k++;
		low = high = (unsigned char)p.p[k];
		if (k + 2 < p.n && p.p[k + 1] == '-' && p.p[k + 2] != ']') {
			k += 2;
			if (p.p[k] == '\\' && k + 1 < p.n)
				k++;
			high = (unsigned char)p.p[k];
		}
		*in = *in || (c >= low && c <= high);
	}
	*in = *in != not;
	return k < p.n ? k + 1 : 0;
}

/* Where one byte's pattern at i ends if c fits, else 0. */
static size_t
one(struct str p, size_t i, unsigned char c)
{
	size_t next;
	bool in;

	switch (p.p[i]) {
	case '?':
		return i + 1;
	case '[':
		next = set(p, i, c, &in);
		if (next != 0)
			return in ? next : 0;
		break;
	case '\\':
		if (i + 1 < p.n)
			i++;
		break;
	default:
		break;
	}
	return (unsigned char)p.p[i] == c ? i + 1 : 0;
}

/* Only the last * is ever tried anew: what stood before it has matched, and
 * more text for it could not match less. */
bool
glob_match(struct str p, struct str s)
{
	size_t i = 0, k = 0, star = SIZE_MAX, from = 0, next;

	while (k < s.n) {
		if (i < p.n && p.p[i] == '*') {
			star = ++i;
			from = k;
			continue;
		}
		next = i < p.n ? one(p, i, (unsigned char)s.p[k]) : 0;
		if (next != 0) {
			i = next;
			k++;
		} else if (star != SIZE_MAX) {
			i = star;
			k = ++from;
		} else
			return false;
	}
	while (i < p.n && p.p[i] == '*')
		i++;
	return i == p.n;
}

bool
silence_is_about(struct str pattern, const struct incident *in)
{
	/* as it stands first: a key may have a [ in it */
	return str_eq(pattern, in->key) || str_eq(pattern, in->id) ||
	    glob_match(pattern, in->key);
}

bool
silence_holds(const struct silence *s, const struct incident *in, double now)
{
	return now < s->until && now >= s->made - (s->until - s->made) &&
	    silence_is_about(s->pattern, in);
}

void
glob_quote(struct str s, struct buf *to)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '*' || s.p[i] == '?' || s.p[i] == '[' ||
		    s.p[i] == '\\')
			buf_putc(to, '\\');
		buf_putc(to, s.p[i]);
	}
}
