#include "lang/fmt/cfg.h"

#include "lang/syntax/ast.h"
#include "lang/syntax/macro.h"

struct cfg {
	struct reader	*r;
	struct buf	*lines, *text;
	size_t		 newlines;	/* before the line at hand */
};

static struct line *
add(struct cfg *c, enum line_kind kind, size_t from, size_t to)
{
	struct line new = { .kind = (uint8_t)kind, .at = (uint32_t)from,
	    .n = (uint32_t)(to - from), .column = SOURCE_NONE };

	new.blank = c->newlines > 1 && c->lines->n > 0;
	c->newlines = 0;
	buf_add(c->lines, (const char *)&new, sizeof new);
	return (struct line *)(void *)(c->lines->p + c->lines->n -
	    sizeof new);
}

/* The end of what stands on the line from i on, without blanks. */
static size_t
trimmed(struct str t, size_t i, size_t end)
{
	while (end > i && read_blank(t.p[end - 1]))
		end--;
	return end;
}

static size_t
after_blanks(struct str t, size_t i)
{
	while (i < t.n && read_blank(t.p[i]))
		i++;
	return i;
}

static size_t
next_line(struct str t, size_t end)
{
	return end < t.n ? end + 1 : end;
}

/* Lines from i up to end as they are, without the last one's newline. */
static size_t
as_it_is(struct cfg *c, size_t i, size_t end)
{
	if (end > i && c->r->t.p[end - 1] == '\n')
		end--;			/* the file ends here */
	(void)add(c, LINE_RAW, i, end);
	return next_line(c->r->t, end);
}

/* The end of the header, name or name(A, B), at i; i if it is none. */
static size_t
header(struct str t, size_t i)
{
	size_t n = i;

	while (n < t.n && macro_name_char(t.p[n]))
		n++;
	if (n < t.n && t.p[n] == '(') {
		while (n < t.n && t.p[n] != ')' && t.p[n] != '\n')
			n++;
		if (n == t.n || t.p[n] == '\n')
			return i;
		return n + 1;
	}
	return n == t.n || read_blank(t.p[n]) || t.p[n] == '\n' ? n : i;
}

/* Where the definition at i ends: behind its last indented line. */
static size_t
definition_end(struct str t, size_t i)
{
	size_t end = str_find(t, '\n', i), k, last = end;

	for (k = next_line(t, end); k < t.n && k > i && (read_blank(t.p[k]) ||
	    t.p[k] == '\n'); k = next_line(t, end)) {
		end = str_find(t, '\n', k);
		if (after_blanks(t, k) < end)
			last = end;
		if (end == t.n)
			break;
	}
	return last;
}

/*
 * A definition of one line.  A comment begins where macro.c lets one begin;
 * what is in doubt stays as it is.
 */
static void
one_line(struct cfg *c, size_t i, size_t name, size_t end)
{
	struct str t = str_of(c->r->t.p, end);
	size_t body = after_blanks(t, name), k, n, note = end;
	struct quote q;
	struct line *new;

	quote_init(&q);
	for (k = body; k < end; k += n) {
		if (quote_outside(&q) && t.p[k] == '/' && k + 1 < end) {
			if (t.p[k + 1] == '*') {
				(void)as_it_is(c, i, trimmed(t, i, end));
				return;
			}
			if (t.p[k + 1] == '/' && t.p[k - 1] != ':') {
				note = k;
				break;
			}
		}
		n = quote_wants[(unsigned char)t.p[k]] ?
		    quote_step(&q, t, k, str_of(t.p, k)) : 1;
	}
	if (body == end || body == note || !quote_outside(&q)) {
		(void)as_it_is(c, i, quote_outside(&q) ? trimmed(t, i, end) :
		    end);
		return;
	}
	new = add(c, LINE_CODE, c->text->n, c->text->n);
	buf_add(c->text, t.p + i, name - i);
	new->split = (uint32_t)(name - i);
	buf_putc(c->text, ' ');
	buf_add(c->text, t.p + body, trimmed(t, body, note) - body);
	new->n = (uint32_t)c->text->n - new->at;
	if (note < end) {
		new->note_at = (uint32_t)note;
		new->note_n = (uint32_t)(trimmed(t, note, end) - note);
	}
}

static bool
is_statement(struct str t, size_t i)
{
	struct str w;
	size_t n = i, k;

	while (n < t.n && (macro_letter(t.p[n]) || t.p[n] == '_'))
		n++;
	w = str_of(t.p + i, n - i);
	for (k = 0; k < keyword_count; k++)
		if (keyword_table[k].class == KW_STMT &&
		    str_eq(str_c(keyword_table[k].word), w))
			return true;
	return false;
}

/* A body below its header that is code.  False: it is not, for sure. */
static bool
code_below(struct cfg *c, size_t i, size_t name, size_t end)
{
	struct str t = str_of(c->r->t.p, end);
	size_t line_end = str_find(t, '\n', i), first, nlines, ntext;
	struct reader body;

	if (after_blanks(t, name) < line_end)
		return false;
	for (first = line_end; first < end && (read_blank(t.p[first]) ||
	    t.p[first] == '\n'); first++)
		;
	if (!is_statement(t, first) ||
	    memmem(t.p + i, end - i, "//", 2) != NULL ||
	    memmem(t.p + i, end - i, "/*", 2) != NULL)
		return false;
	nlines = c->lines->n;
	ntext = c->text->n;
	(void)add(c, LINE_RAW, i, name);
	body = *c->r;
	body.diag = NULL;
	body.t = t;
	body.i = line_end;
	body.in_body = true;
	quote_init(&body.quote);
	layout_body(&body, c->lines, c->text);
	if (!body.failed)
		return true;
	c->lines->n = nlines;
	c->text->n = ntext;
	return false;
}

void
cfg_macros(struct reader *r, struct buf *lines, struct buf *text)
{
	struct cfg c = { r, lines, text, 0 };
	struct str t = r->t;
	size_t i = 0, end, k, n;
	const char *p;

	while (i < t.n && !r->failed) {
		end = str_find(t, '\n', i);
		c.newlines++;
		k = after_blanks(t, i);
		if (k >= end) {
			i = next_line(t, end);
			continue;
		}
		if (k == i && t.p[i] == '#') {
			n = read_line(r, i);
			i = as_it_is(&c, i, n > i ? n : end);
		} else if (str_starts(str_of(t.p + k, t.n - k), "/*")) {
			p = memmem(t.p + k, t.n - k, "*/", 2);
			n = p == NULL ? t.n : (size_t)(p - t.p);
			i = as_it_is(&c, i, str_find(t, '\n', n));
		} else if (k > i || str_starts(str_of(t.p + k, t.n - k), "//")) {
			n = trimmed(t, i, end);
			(void)as_it_is(&c, i, n);
			i = next_line(t, end);
		} else {
			n = header(t, i);
			end = definition_end(t, i);
			if (n == i)
				(void)as_it_is(&c, i, end);
			else if (str_find(t, '\n', i) == end)
				one_line(&c, i, n, end);
			else {
				k = c.newlines;
				if (!code_below(&c, i, n, end)) {
					c.newlines = k;
					(void)as_it_is(&c, i, end);
				}
			}
			c.newlines = 0;
			i = next_line(t, end);
		}
	}
}

/* The quotes and comments of a line; the index of the first byte after it. */
static size_t
over_line(struct quote *q, struct str t, size_t i, size_t *held)
{
	const char *p;
	size_t n;

	while (i < t.n) {
		if (i < *held) {
			n = t.p[i] == '\n' ? 1 : 0;
			if (n == 0) {
				i++;
				continue;
			}
			return i + 1;
		}
		if (quote_outside(q) && t.p[i] == '/' && i + 1 < t.n) {
			if (t.p[i + 1] == '/') {
				i = str_find(t, '\n', i);
				continue;
			}
			if (t.p[i + 1] == '*' && (p = memmem(t.p + i, t.n - i,
			    "*/", 2)) != NULL) {
				*held = (size_t)(p - t.p) + 2;
				continue;
			}
		}
		n = quote_wants[(unsigned char)t.p[i]] ?
		    quote_step(q, t, i, str_of(t.p, i)) : 1;
		i += n;
		if (t.p[i - 1] == '\n')
			return i;
	}
	return t.n;
}

void
cfg_stanzas(struct reader *r, struct buf *lines, struct buf *text)
{
	struct cfg c = { r, lines, text, 0 };
	struct str t = r->t;
	size_t i = 0, held = 0, base = 0, next, end, k, column, n;
	struct quote q;
	struct line *new;
	bool inside;

	quote_init(&q);
	while (i < t.n && !r->failed) {
		inside = !quote_outside(&q) || i < held;
		k = after_blanks(t, i);
		if (!inside && t.p[i] == '#' && (n = read_line(r, i)) > i) {
			c.newlines++;
			i = as_it_is(&c, i, n);
			continue;
		}
		next = over_line(&q, t, i, &held);
		end = next > i && t.p[next - 1] == '\n' ? next - 1 : next;
		c.newlines++;
		if (inside || end < k) {
			if (inside)
				(void)add(&c, LINE_RAW, i, end);
			i = next;
			continue;
		}
		n = quote_outside(&q) && next >= held ? trimmed(t, k, end) :
		    end;
		if (k == end) {
			i = next;
			continue;
		}
		column = read_column(str_of(t.p + i, k - i), 0);
		if (column == 0)
			base = 0;
		else if (base == 0)
			base = column;
		if (column == 0)
			(void)add(&c, LINE_RAW, k, n);
		else {
			new = add(&c, LINE_CODE, text->n, text->n + n - k);
			new->indent = column <= base ? FMT_TAB : 2 * FMT_TAB;
			buf_add(text, t.p + k, n - k);
		}
		i = next;
	}
}
