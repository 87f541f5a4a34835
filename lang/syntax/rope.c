#include "lang/syntax/rope.h"

struct rope
rope_of(struct arena *a, struct str text, uint32_t file, uint32_t off)
{
	struct rope r = { text, arena_alloc(a, sizeof *r.seg), 1, SOURCE_NONE };

	r.seg[0] = (struct source_seg){ 0, file, off, ROPE_OWN };
	return r;
}

struct rope
rope_part(struct arena *a, const struct rope *r, size_t from, size_t to)
{
	const struct source_seg *first, *s, *last = r->seg + r->nseg;
	struct rope part = { str_of(r->text.p + from, to - from), NULL, 0,
	    r->use };

	if (from == to)
		return part;
	first = rope_seg(r, from);
	for (s = first + 1; s < last && s->at < to; s++)
		;
	part.nseg = (size_t)(s - first);
	part.seg = arena_alloc(a, part.nseg * sizeof *part.seg);
	memcpy(part.seg, first, part.nseg * sizeof *part.seg);
	part.seg[0].off += (uint32_t)(from - first->at);
	part.seg[0].at = (uint32_t)from;
	for (to = 0; to < part.nseg; to++)
		part.seg[to].at -= (uint32_t)from;
	return part;
}

const struct source_seg *
rope_seg(const struct rope *r, size_t i)
{
	size_t lo = 0, hi = r->nseg, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (r->seg[mid].at <= i)
			lo = mid + 1;
		else
			hi = mid;
	}
	return &r->seg[lo == 0 ? 0 : lo - 1];
}

struct place
rope_place(struct source_set *s, const struct rope *r, size_t i)
{
	const struct source_seg *seg = rope_seg(r, i);
	struct place p;

	p = source_place_in(s, seg->file & ~ROPE_FIXED, seg->off +
	    (uint32_t)(i - seg->at));
	p.use = seg->use == ROPE_OWN ? r->use : seg->use;
	return p;
}

void
rope_start(struct rope_maker *m, struct arena *a, size_t n)
{
	*m = (struct rope_maker){ .arena = a, .cap = n + 1,
	    .p = arena_text(a, n + 1) };
}

void
rope_add(struct rope_maker *m, struct str t, uint32_t file, uint32_t off,
    uint32_t use)
{
	struct source_seg *s;

	if (t.n == 0)
		return;
	if (t.n > m->cap - m->n) {
		char *p;

		m->cap = m->n + t.n > m->cap * 2 ? m->n + t.n : m->cap * 2;
		p = arena_text(m->arena, m->cap);
		memcpy(p, m->p, m->n);
		m->p = p;
	}
	memcpy(m->p + m->n, t.p, t.n);
	s = m->nseg == 0 ? NULL : &m->seg[m->nseg - 1];
	if (s == NULL || s->file != file || s->use != use || off < s->off ||
	    off - s->off != m->n - s->at) {
		if (m->nseg == m->capseg) {
			m->capseg = m->capseg == 0 ? 8 : m->capseg * 2;
			s = arena_alloc(m->arena, m->capseg * sizeof *s);
			if (m->nseg > 0)
				memcpy(s, m->seg, m->nseg * sizeof *s);
			m->seg = s;
		}
		m->seg[m->nseg++] = (struct source_seg){ (uint32_t)m->n, file,
		    off, use };
	}
	m->n += t.n;
}

void
rope_add_part(struct rope_maker *m, const struct rope *r, size_t from,
    size_t to)
{
	const struct source_seg *s, *last = r->seg + r->nseg;
	size_t end;

	for (s = from < to ? rope_seg(r, from) : last; from < to; s++) {
		end = s + 1 < last && s[1].at < to ? s[1].at : to;
		rope_add(m, str_of(r->text.p + from, end - from), s->file,
		    s->off + (uint32_t)(from - s->at),
		    s->use == ROPE_OWN ? r->use : s->use);
		from = end;
	}
}

struct rope
rope_done(const struct rope_maker *m, uint32_t use)
{
	return (struct rope){ str_of(m->p, m->n), m->seg, m->nseg, use };
}
