/* strip: the walk over a text, and what of it is kept. */
#include "lang/syntax/directive.h"

#include <stdio.h>

#include "lang/syntax/quote.h"

/* False, and said once, if the pass makes too much. */
static bool
has_room(struct text *x, size_t n)
{
	struct pass *p = x->pass;
	char limit[32];

	if (p->stop || p->made.n + n <= LIM_SOURCE)
		return !p->stop;
	p->stop = true;
	snprintf(limit, sizeof limit, "%u MiB", LIM_SOURCE >> 20);
	diag_in(p->pp->diag, source_place_in(p->pp->src, x->file, 0), 0,
	    E_INCLUDE_BIG, str_c(limit), STR_NIL, STR_NIL);
	return false;
}

static void
make(struct text *x, struct str t, size_t off, bool fixed)
{
	struct pass *p = x->pass;

	if (has_room(x, t.n))
		rope_add(&p->made, t, x->file | (fixed ? ROPE_FIXED : 0),
		    (uint32_t)off, ROPE_OWN);
}

/* Bytes [from, to) of the text, a tab before each line if that is asked. */
static void
put(struct text *x, size_t from, size_t to, bool fixed, unsigned indent)
{
	char tabs[LIM_DIRECTIVE_NEST + 1];
	const struct rope_maker *m = &x->pass->made;
	size_t end;

	if (indent == 0) {
		make(x, str_of(x->t.p + from, to - from), from, fixed);
		return;
	}
	memset(tabs, '\t', indent);
	for (; from < to && !x->pass->stop; from = end) {
		end = str_find(x->t, '\n', from) + 1;
		if (end > to)
			end = to;
		if (m->n == 0 || m->p[m->n - 1] == '\n')
			make(x, str_of(tabs, indent), from, fixed);
		make(x, str_of(x->t.p + from, end - from), from, fixed);
	}
}

void
text_keep(struct text *x, size_t to)
{
	struct pass *p = x->pass;

	if (!p->changed)
		rope_start(&p->made, p->pp->arena, x->t.n);
	p->changed = true;
	if (pass_active(p))
		put(x, x->run, to, x->nfix > 0, p->nindent);
	x->run = to;
}

/* Leaves out n bytes at i, but keeps their newlines; a blank if none. */
static void
leave_out(struct text *x, size_t i, size_t n, bool is_blank)
{
	size_t end = i + n, nl;

	text_keep(x, i);
	x->run = end;
	if (!pass_active(x->pass))
		return;
	for (nl = str_find(x->t, '\n', i); nl < end;
	    nl = str_find(x->t, '\n', nl + 1)) {
		is_blank = false;
		put(x, nl, nl + 1, false, x->pass->nindent);
	}
	if (is_blank && n > 0)
		make(x, STR_LIT(" "), i, false);
}

/*
 * The length of the comment at i, or 0.  In what is left out one that is
 * never closed is none, so that the block's end is found.
 */
static size_t
comment(struct text *x, size_t i)
{
	struct pass *p = x->pass;
	struct str t = x->t;
	char next = i + 1 < t.n ? t.p[i + 1] : '\n';
	const char *end;

	if (t.p[i] == '#' && p->standalone && (next == ' ' || next == '\t' ||
	    next == '\r' || next == '\n'))
		return str_find(t, '\n', i) - i;
	if (t.p[i] != '/')
		return 0;
	if (next == '/')
		return str_find(t, '\n', i) - i;
	if (next != '*' || (x->endless && !pass_active(p)))
		return 0;
	end = memmem(t.p + i + 2, t.n - i - 2, "*/", 2);
	if (end != NULL)
		return (size_t)(end - (t.p + i)) + 2;
	x->endless = true;
	if (!pass_active(p))
		return 0;
	diag_in(p->pp->diag, source_place_in(p->pp->src, x->file,
	    (uint32_t)i), 2, E_COMMENT_OPEN, STR_NIL, STR_NIL, STR_NIL);
	return t.n - i;
}

/* Whether what is left out has a text block at i that nothing ends. */
static bool
endless_block(const struct text *x, size_t i)
{
	struct str t = x->t;

	return !pass_active(x->pass) && t.n - i >= 3 &&
	    memcmp(t.p + i, "\"\"\"", 3) == 0 &&
	    memmem(t.p + i + 3, t.n - i - 3, "\"\"\"", 3) == NULL;
}

/* A directive where a string is still open: it may not run over that. */
static void
string_open(struct text *x, size_t open)
{
	struct pass *p = x->pass;

	if (p->kind != PASS_SCRIPT || x->t.p[open] != '"')
		return;
	p->stop = true;		/* what follows is in doubt */
	diag_in(p->pp->diag, source_place_in(p->pp->src, x->file,
	    (uint32_t)open), 1, E_STR_OPEN, STR_LIT("\""), STR_NIL, STR_NIL);
}

/* What may be a script's name, in column 1 of what is left out. */
static void
left_name(struct text *x, size_t i)
{
	struct pass *p = x->pass;
	struct str t = x->t;
	size_t n = i;
	bool is_new;

	if (p->kind != PASS_SCRIPT || pass_active(p) || i >= t.n ||
	    !macro_letter(t.p[i]))
		return;
	while (n < t.n && macro_name_char(t.p[n]))
		n++;
	map_put(&p->pp->left, str_of(t.p + i, n - i), &is_new);
}

static void
walk(struct text *x, size_t i)
{
	struct pass *p = x->pass;
	struct str t = x->t;
	size_t n, open = 0, broke = t.n;
	struct quote q;
	bool outside, active;

	quote_init(&q);
	while (!p->stop && (i = quote_skip(t, i)) < t.n) {
		outside = quote_outside(&q);
		n = 0;
		if (t.p[i] == '#' && (i == 0 || t.p[i - 1] == '\n') &&
		    (outside || x->nfix > 0)) {
			active = pass_active(p);
			n = directive(x, i);
			if (n > 0) {
				if (broke == i && active)
					string_open(x, open);
				quote_init(&q);
				i += n;
				if (t.p[i - 1] == '\n')
					left_name(x, i);
				continue;
			}
		}
		if (x->nfix > 0) {
			i++;
			continue;
		}
		if (outside && (n = comment(x, i)) > 0) {
			leave_out(x, i, n, t.p[i] == '/');
		} else if (outside && endless_block(x, i)) {
			n = 3;
		} else {
			n = quote_step(&q, t, i, str_of(t.p, i));
			if (outside)
				open = i;
			else if (t.p[i] == '\n' && quote_outside(&q))
				broke = i + n;
			if (t.p[i] == '\n' && quote_outside(&q))
				left_name(x, i + n);
		}
		i += n;
	}
}

/* Macro files: what is a comment in a body, its reader decides. */
static void
walk_macros(struct text *x)
{
	struct str t = x->t;
	bool has_block = memmem(t.p, t.n, "/*", 2) != NULL;
	size_t i = 0, n;

	while (!x->pass->stop && i < t.n) {
		n = t.p[i] == '#' ? directive(x, i) : 0;
		i = n > 0 ? i + n :
		    macro_next_line(t, i, has_block && x->nfix == 0);
	}
}

static void
text_walk(struct text *x)
{
	size_t i = 0;

	if (x->pass->kind == PASS_MACROS)
		walk_macros(x);
	else {
		if (str_starts(x->t, "#!")) {
			i = str_find(x->t, '\n', 0);
			leave_out(x, 0, i, false);
		}
		walk(x, i);
	}
	if (x->pass->changed || x->depth > 0)
		text_keep(x, x->t.n);
	directive_end(x);
}

/* What is put in ends its line. */
static void
end_line(struct text *x)
{
	const struct rope_maker *m = &x->pass->made;

	if (x->t.n > 0 && m->n > 0 && m->p[m->n - 1] != '\n')
		make(x, STR_LIT("\n"), x->t.n, false);
}

void
pass_include(struct text *from, uint32_t file)
{
	struct text x = { .pass = from->pass, .file = file,
	    .t = from->pass->pp->src->file[file].text,
	    .base = from->pass->nblock, .depth = from->depth + 1 };

	text_walk(&x);
	end_line(&x);
}

void
pass_put(struct text *from, uint32_t file, bool fixed, unsigned indent)
{
	struct text x = { .pass = from->pass, .file = file,
	    .t = from->pass->pp->src->file[file].text };

	put(&x, 0, x.t.n, fixed, indent);
	end_line(&x);
}

struct rope
pass_run(struct preprocess *pp, uint32_t file, enum pass_kind kind)
{
	struct str t = pp->src->file[file].text;
	struct pass p = { .pp = pp, .kind = kind, .bytes = t.n,
	    .standalone = kind == PASS_SCRIPT && str_starts(t, "#!") };
	struct text x = { .pass = &p, .file = file, .t = t };
	struct rope r;

	text_walk(&x);
	r = p.changed ? rope_done(&p.made, SOURCE_NONE) :
	    rope_of(pp->arena, t, file, 0);
	if (kind == PASS_DEFINES && !p.stop)
		define_take(&p, &r, true);
	return r;
}
