#include "lang/base/source.h"

#define SOURCE_FIRST	16

void
source_init(struct source_set *s, struct mem *m, struct arena *a)
{
	*s = (struct source_set){ .mem = m, .arena = a };
	buf_init(&s->text, m);
}

void
source_free(struct source_set *s)
{
	mem_free(s->mem, s->file, s->capfile * sizeof *s->file);
	mem_free(s->mem, s->use, s->capuse * sizeof *s->use);
	mem_free(s->mem, s->seg, s->capseg * sizeof *s->seg);
	buf_free(&s->text);
	*s = (struct source_set){ .mem = s->mem, .arena = s->arena };
}

/* Room for one more element of `size` bytes; p may move. */
static void *
more(struct source_set *s, void *p, size_t n, size_t *cap, size_t size)
{
	size_t old = *cap, new = old == 0 ? SOURCE_FIRST : old * 2;

	if (n < old)
		return p;
	if (new > UINT32_MAX / 2)
		mem_fail(s->mem, true);
	p = mem_realloc(s->mem, p, old * size, new * size);
	*cap = new;
	return p;
}

uint32_t
source_add_from(struct source_set *s, struct str name, struct str text,
    uint32_t from, uint32_t off)
{
	s->file = more(s, s->file, s->nfile, &s->capfile, sizeof *s->file);
	s->file[s->nfile] = (struct source_file){
		.name = arena_dup(s->arena, name), .text = text,
		.from = from, .from_off = off
	};
	return (uint32_t)s->nfile++;
}

uint32_t
source_add(struct source_set *s, struct str name, struct str text)
{
	return source_add_from(s, name, text, SOURCE_NONE, 0);
}

uint32_t
source_add_use(struct source_set *s, struct source_use u)
{
	s->use = more(s, s->use, s->nuse, &s->capuse, sizeof *s->use);
	s->use[s->nuse] = u;
	return (uint32_t)s->nuse++;
}

void
source_emit(struct source_set *s, struct str t, uint32_t file, uint32_t off,
    uint32_t use)
{
	struct source_seg *last;
	size_t at = s->text.n;

	if (t.n == 0)
		return;
	if (t.n > UINT32_MAX - at)
		mem_fail(s->mem, true);
	buf_add(&s->text, t.p, t.n);
	last = s->nseg == 0 ? NULL : &s->seg[s->nseg - 1];
	if (last != NULL && last->file == file && last->use == use &&
	    off >= last->off && off - last->off == at - last->at)
		return;
	s->seg = more(s, s->seg, s->nseg, &s->capseg, sizeof *s->seg);
	s->seg[s->nseg++] = (struct source_seg){ (uint32_t)at, file, off, use };
}

/* The segment that holds a byte of the text, or NULL if there are none. */
static const struct source_seg *
seg_of(const struct source_set *s, uint32_t at)
{
	size_t lo = 0, hi = s->nseg, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (s->seg[mid].at <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo == 0 ? NULL : &s->seg[lo - 1];
}

/* The offsets of the lines of a file; line 1 starts at 0. */
static void
index_lines(struct source_set *s, struct source_file *f)
{
	size_t n = 1, i;

	for (i = str_find(f->text, '\n', 0); i < f->text.n;
	    i = str_find(f->text, '\n', i + 1))
		n++;
	f->line = arena_alloc(s->arena, n * sizeof *f->line);
	f->line[0] = 0;
	f->nline = 1;
	for (i = str_find(f->text, '\n', 0); i < f->text.n;
	    i = str_find(f->text, '\n', i + 1))
		f->line[f->nline++] = (uint32_t)i + 1;
}

struct place
source_place_in(struct source_set *s, uint32_t file, uint32_t off)
{
	struct place p = { file, off, 1, 1, SOURCE_NONE };
	struct source_file *f;
	uint32_t lo = 0, hi, mid;

	if (file >= s->nfile)
		return p;
	f = &s->file[file];
	if (f->line == NULL)
		index_lines(s, f);
	if (off > f->text.n)
		p.off = off = (uint32_t)f->text.n;
	for (hi = f->nline; lo < hi; ) {
		mid = lo + (hi - lo) / 2;
		if (f->line[mid] <= off)
			lo = mid + 1;
		else
			hi = mid;
	}
	p.line = lo;
	p.col = off - f->line[lo - 1] + 1;
	return p;
}

struct place
source_place(struct source_set *s, uint32_t at)
{
	const struct source_seg *seg = seg_of(s, at);
	struct place p;

	if (seg == NULL)
		return source_place_in(s, 0, 0);
	p = source_place_in(s, seg->file, seg->off + (at - seg->at));
	p.use = seg->use;
	return p;
}

struct str
source_line(struct source_set *s, struct place p)
{
	struct source_file *f;
	uint32_t start;
	size_t end;

	if (p.file >= s->nfile)
		return STR_EMPTY;
	f = &s->file[p.file];
	if (f->line == NULL)
		index_lines(s, f);
	if (p.line == 0 || p.line > f->nline)
		return STR_EMPTY;
	start = f->line[p.line - 1];
	end = str_find(f->text, '\n', start);
	if (end > start && f->text.p[end - 1] == '\r')
		end--;
	return f->text.n == 0 ? STR_EMPTY :
	    str_of(f->text.p + start, end - start);
}

bool
source_column_one(struct source_set *s, uint32_t at)
{
	const struct source_seg *seg = seg_of(s, at);
	struct str text;
	size_t off;

	if (seg == NULL || seg->use != SOURCE_NONE || seg->file >= s->nfile ||
	    (at > 0 && at <= s->text.n && s->text.p[at - 1] != '\n'))
		return false;
	off = seg->off + (at - seg->at);
	text = s->file[seg->file].text;
	return off <= text.n && (off == 0 || text.p[off - 1] == '\n');
}
