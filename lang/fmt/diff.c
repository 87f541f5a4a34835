#include "lang/fmt/fmt.h"

#define CONTEXT	3		/* lines round a change, as diff -u has them */

/* Both texts from a place on, line by line. */
struct pair {
	struct str	 old, new;
	size_t		 oldline, newline;	/* lines before the place */
};

static struct str
line_of(struct str t)
{
	size_t n = str_find(t, '\n', 0);

	return str_of(t.p, n < t.n ? n + 1 : n);
}

static struct str
behind(struct str t, struct str line)
{
	return str_of(t.p + line.n, t.n - line.n);
}

static bool
is_empty(struct str line)
{
	return str_trim(line).n == 0;
}

/*
 * One step on: a line of both, or of one alone (then the other is empty).
 * Only empty lines go; they go where the new text has something else.
 */
static bool
step(struct pair *p, struct str *old, struct str *new)
{
	*old = line_of(p->old);
	*new = line_of(p->new);
	if (old->n == 0 && new->n == 0)
		return false;
	if (old->n > 0 && new->n > 0 && is_empty(*old) && !is_empty(*new))
		*new = STR_EMPTY;
	p->old = behind(p->old, *old);
	p->new = behind(p->new, *new);
	p->oldline += old->n > 0;
	p->newline += new->n > 0;
	return true;
}

static void
put(struct buf *out, char sign, struct str line)
{
	buf_putc(out, sign);
	buf_str(out, line);
	if (line.p[line.n - 1] != '\n')
		buf_puts(out, "\n\\ No newline at end of file\n");
}

/* The lines from p up to end: what went of a change before what came. */
static void
hunk(struct pair p, const struct pair *end, struct buf *out)
{
	size_t a = end->oldline - p.oldline, b = end->newline - p.newline;
	struct str old, new, olds, news;
	struct pair q;

	buf_printf(out, "@@ -%zu,%zu +%zu,%zu @@\n", p.oldline + (a > 0), a,
	    p.newline + (b > 0), b);
	while (p.oldline < end->oldline || p.newline < end->newline) {
		q = p;
		olds = p.old;
		news = p.new;
		while ((p.oldline < end->oldline || p.newline < end->newline) &&
		    step(&p, &old, &new) && !str_eq(old, new))
			q = p;
		olds.n -= q.old.n;
		news.n -= q.new.n;
		for (; olds.n > 0; olds = behind(olds, line_of(olds)))
			put(out, '-', line_of(olds));
		for (; news.n > 0; news = behind(news, line_of(news)))
			put(out, '+', line_of(news));
		if (q.oldline != p.oldline && str_eq(old, new))
			put(out, ' ', old);
	}
}

void
fmt_diff(struct str name, struct str old, struct str new, struct buf *out)
{
	struct pair p = { old, new, 0, 0 }, at, first, end;
	struct pair before[CONTEXT];	/* places of the last equal lines */
	size_t nbefore = 0, equal = 0;
	struct str a, b;
	bool open = false;

	if (str_eq(old, new))
		return;
	buf_printf(out, "--- %.*s\n+++ %.*s\n", (int)name.n, name.p,
	    (int)name.n, name.p);
	first = end = p;
	for (at = p; step(&p, &a, &b); at = p) {
		if (!str_eq(a, b)) {
			if (!open)
				first = nbefore > 0 ? before[0] : at;
			open = true;
			equal = nbefore = 0;
			end = p;
			continue;
		}
		if (open && ++equal <= CONTEXT)
			end = p;
		if (open && equal > 2 * CONTEXT) {
			hunk(first, &end, out);
			open = false;
		}
		if (nbefore == CONTEXT)
			memmove(before, before + 1, sizeof before -
			    sizeof before[0]);
		else
			nbefore++;
		before[nbefore - 1] = at;
	}
	if (open)
		hunk(first, &end, out);
}
