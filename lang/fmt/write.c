#include "lang/fmt/layout.h"

#include "lang/fmt/fmt.h"

#define LIM_ALIGN	72	/* columns: what is wider aligns nothing, as
				 * its neighbours' comments would go far off */

struct writer {
	struct line	*line;
	size_t		 n;
	struct str	 text, source;
	struct buf	*out;
	uint32_t	 split, note;	/* least columns */
	size_t		 note_end;	/* of the run at hand, and its column */
	uint32_t	 note_at;
};

static uint32_t
tab_stop(size_t width, uint32_t least)
{
	uint32_t at = (uint32_t)(width / FMT_TAB + 1) * FMT_TAB;

	return at < least ? least : at;
}

static void
blanks(struct buf *b, size_t n)
{
	memset(buf_room(b, n), ' ', n);
	b->n += n;
}

static void
indent(struct buf *b, size_t columns)
{
	size_t n = columns / FMT_TAB;

	memset(buf_room(b, n), '\t', n);
	b->n += n;
	blanks(b, columns % FMT_TAB);
}

static size_t
width(const struct writer *w, const struct line *k)
{
	return read_column(str_of(w->text.p + k->at, k->n), k->indent) +
	    k->more;
}

/* Aligns the split lines from i on, without an empty one between. */
static size_t
split_run(struct writer *w, size_t i)
{
	size_t most = 0, first = i, end;
	struct line *k;
	uint32_t at;

	for (; i < w->n; i++) {
		k = &w->line[i];
		if (k->kind != LINE_CODE || k->split == 0 ||
		    (i > first && k->blank))
			break;
		if (k->split > most && k->split < LIM_ALIGN)
			most = k->split;
	}
	at = tab_stop(most, w->split);
	for (end = i, i = first; i < end; i++)
		if (w->line[i].split < at)
			w->line[i].more = at - w->line[i].split - 1;
	return end;
}

/* Where the comments of the lines from i on begin. */
static void
note_run(struct writer *w, size_t i)
{
	const struct line *k;
	size_t most = 0, first = i, n;

	for (; i < w->n; i++) {
		k = &w->line[i];
		if (k->kind != LINE_CODE || k->note_n == 0 || k->tall ||
		    (i > first && k->blank))
			break;
		n = width(w, k);
		if (n > most && n <= LIM_ALIGN)
			most = n;
	}
	w->note_end = i;
	w->note_at = tab_stop(most, w->note);
}

/*
 * A comment of several lines that has been moved: those lines that are
 * indented move with it.
 */
static void
moved(struct writer *w, struct str s, long by)
{
	size_t i, end, k;
	long column;

	for (i = 0; i < s.n; i = end) {
		end = str_find(s, '\n', i);
		end += end < s.n;
		for (k = i; k < end && read_blank(s.p[k]); k++)
			;
		if (i > 0 && k > i && by != 0 && s.p[k] != '\n') {
			column = (long)read_column(str_of(s.p + i, k - i), 0) +
			    by;
			indent(w->out, column < 1 ? 1 : (size_t)column);
			i = k;
		}
		buf_add(w->out, s.p + i, end - i);
	}
}

static void
write_code(struct writer *w, size_t i)
{
	const struct line *k = &w->line[i];
	struct str s = str_of(w->text.p + k->at, k->n);
	size_t n = 0;
	const char *end;

	indent(w->out, k->indent);
	if (k->tall && k->column != SOURCE_NONE) {
		end = memmem(s.p, s.n, "*/", 2);
		n = end == NULL ? 0 : (size_t)(end - s.p) + 2;
		moved(w, str_of(s.p, n), (long)k->indent - (long)k->column);
	}
	if (k->more > 0) {
		buf_add(w->out, s.p + n, k->split - n);
		blanks(w->out, k->more);
		n = k->split;
	}
	buf_add(w->out, s.p + n, s.n - n);
	if (k->note_n == 0)
		return;
	if (!k->tall && i >= w->note_end)
		note_run(w, i);
	n = k->tall ? 0 : width(w, k);
	blanks(w->out, !k->tall && n < w->note_at ? w->note_at - n : 1);
	buf_add(w->out, w->source.p + k->note_at, k->note_n);
}

bool
layout_write(struct buf *lines, struct str text, struct str source,
    uint32_t split, uint32_t note, struct buf *out)
{
	struct writer w = { .n = lines->n / sizeof(struct line),
	    .line = (struct line *)(void *)lines->p,
	    .text = text, .source = source, .out = out, .split = split,
	    .note = note };
	const struct line *k;
	struct str s;
	size_t i;

	for (i = 0; i < w.n; )
		i = w.line[i].split > 0 ? split_run(&w, i) : i + 1;
	for (i = 0; i < w.n; i++) {
		k = &w.line[i];
		if (k->blank)
			buf_putc(out, '\n');
		s = str_of((k->kind == LINE_RAW ? source.p : text.p) + k->at,
		    k->n);
		switch (k->kind) {
		case LINE_CODE:
			write_code(&w, i);
			break;
		case LINE_COMMENT:
			indent(out, k->indent);
			moved(&w, s, (long)k->indent - (long)k->column);
			break;
		default:
			buf_str(out, s);
			break;
		}
		buf_putc(out, '\n');
		if (out->n > LIM_FMT_OUT)
			return false;
	}
	return true;
}
