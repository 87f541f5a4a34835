#include "lang/syntax/directive.h"

#include <stdio.h>

#include "lang/syntax/quote.h"

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct diag_item *
report(struct preprocess *pp, uint32_t file, size_t off, size_t len,
    enum diag_id id, struct str arg)
{
	return diag_in(pp->diag, source_place_in(pp->src, file, (uint32_t)off),
	    (uint32_t)len, id, arg, STR_NIL, STR_NIL);
}

bool
text_check(struct preprocess *pp, uint32_t file)
{
	struct str text = pp->src->file[file].text;
	struct diag_item *d;
	size_t nul;

	if (text.n > LIM_SOURCE) {
		char limit[32];

		snprintf(limit, sizeof limit, "%u MiB", LIM_SOURCE >> 20);
		diag_in(pp->diag, source_place_in(pp->src, file, 0), 0,
		    E_SOURCE_BIG, pp->src->file[file].name, str_c(limit),
		    STR_NIL);
		return false;
	}
	nul = str_find(text, '\0', 0);
	if (nul < text.n) {
		d = report(pp, file, nul, 1, E_NUL, STR_NIL);
		if (str_starts(text, "\377\376") || str_starts(text, "\376\377"))
			diag_hint(pp->diag, d, STR_LIT("this is UTF-16: "
			    "convert it, as by iconv -f UTF-16 -t UTF-8"));
	}
	return nul == text.n;
}

/*
 * A body is no code yet: it may be a path, a URL, a shell's glob.  So in it a
 * comment begins only where it can be nothing else: what stands after a colon
 * is a URL, a slash and star after a name is a glob, and what is never closed
 * is text.  Returns the comment's length, 0 if none begins at i.
 */
static size_t
comment(struct str t, size_t i)
{
	char before = i == 0 ? '\n' : t.p[i - 1];
	const char *end;

	if (i + 1 >= t.n || t.p[i] != '/')
		return 0;
	if (t.p[i + 1] == '/' && before != ':')
		return str_find(t, '\n', i) - i;
	if (t.p[i + 1] != '*' || (before != '\n' && before != '"' &&
	    !blank(before)))
		return 0;
	end = memmem(t.p + i + 2, t.n - i - 2, "*/", 2);
	return end == NULL ? 0 : (size_t)(end - (t.p + i)) + 2;
}

size_t
macro_next_line(struct str t, size_t i, bool has_block)
{
	size_t end = str_find(t, '\n', i), n;
	struct quote q;

	if (!has_block || memmem(t.p + i, end - i, "/*", 2) == NULL)
		return end == t.n ? end : end + 1;
	quote_init(&q);
	while (i < t.n && t.p[i] != '\n') {
		n = quote_outside(&q) ? comment(t, i) : 0;
		if (n == 0)
			n = quote_step(&q, t, i, str_of(t.p, i));
		i += n;
	}
	return i < t.n ? i + 1 : t.n;
}

/* A comment at byte i of the body; what is fixed has none. */
static size_t
body_comment(const struct rope *body, size_t i)
{
	size_t n = comment(body->text, i);

	return n > 0 && rope_fixed(body, i) ? 0 : n;
}

const struct rope *
macro_body(struct preprocess *pp, struct macro *m)
{
	struct rope_maker mk;
	struct rope body;
	struct quote q;
	size_t i, run, n;
	struct str t;

	if (m->clean)
		return &m->body;
	m->clean = true;
	m->body = body = rope_part(pp->arena, m->from, m->raw,
	    m->raw + m->nraw);
	t = body.text;
	if (memmem(t.p, t.n, "//", 2) == NULL &&
	    memmem(t.p, t.n, "/*", 2) == NULL)
		return &m->body;
	body.use = ROPE_OWN;	/* each use of the macro says what it is */
	rope_start(&mk, pp->arena, t.n);
	quote_init(&q);
	for (i = run = 0; ; ) {
		n = i < t.n && quote_outside(&q) ? body_comment(&body, i) : 0;
		if (n == 0 && i < t.n) {
			i += quote_step(&q, t, i, str_of(t.p, i));
			continue;
		}
		while (mk.n == 0 && run < i &&
		    (blank(t.p[run]) || t.p[run] == '\n'))
			run++;
		rope_add_part(&mk, &body, run, i);
		if (i == t.n)
			break;
		if (t.p[i + 1] == '*' && mk.n > 0)
			rope_add(&mk, STR_LIT(" "), m->file, m->off,
			    ROPE_OWN);
		i += n;
		run = i;
	}
	while (mk.n > 0 && (blank(mk.p[mk.n - 1]) || mk.p[mk.n - 1] == '\n'))
		mk.n--;
	m->body = rope_done(&mk, SOURCE_NONE);
	return &m->body;
}

/*
 * Reads name or name(A, B) at i.  Returns the index after it, or 0 if it is
 * neither.
 */
static size_t
header(struct preprocess *pp, struct str t, size_t i, struct macro *m)
{
	struct str param[LIM_MACRO_ARGS], p;
	size_t start = i, k;

	if (i >= t.n || !macro_letter(t.p[i]))
		return 0;
	while (i < t.n && macro_name_char(t.p[i]))
		i++;
	m->name = str_of(t.p + start, i - start);
	if (i == t.n || t.p[i] != '(')
		return i == t.n || blank(t.p[i]) || t.p[i] == '\n' ? i : 0;
	m->takes_args = true;
	for (i++; ; i++) {
		start = i;
		while (i < t.n && t.p[i] != ',' && t.p[i] != ')' &&
		    t.p[i] != '\n')
			i++;
		if (i == t.n || t.p[i] == '\n')
			return 0;
		p = str_trim(str_of(t.p + start, i - start));
		if (p.n == 0 && t.p[i] == ')' && m->nparam == 0)
			break;
		if (p.n == 0 || !macro_letter(p.p[0]) ||
		    m->nparam == LIM_MACRO_ARGS)
			return 0;
		for (k = 0; k < p.n; k++)
			if (!macro_name_char(p.p[k]))
				return 0;
		for (k = 0; k < m->nparam; k++)
			if (str_eq(param[k], p))
				return 0;
		param[m->nparam++] = p;
		if (t.p[i] == ')')
			break;
	}
	m->param = arena_alloc(pp->arena, m->nparam * sizeof *m->param);
	if (m->nparam > 0)
		memcpy(m->param, param, m->nparam * sizeof *m->param);
	return i + 1;
}

/* Puts a definition into the map; one of the same file is a mistake. */
static void
define(struct preprocess *pp, const struct macro *m)
{
	struct map_entry *e;
	struct macro *new;
	const struct macro *old;
	struct diag_item *item;
	bool is_new;

	e = map_put(&pp->macro, m->name, &is_new);
	if (!is_new) {
		old = e->v.ptr;
		if (old->from != m->from)
			return;
		item = diag_in(pp->diag, source_place_in(pp->src, m->file,
		    m->off), (uint32_t)m->name.n, E_MACRO_DUP, m->name,
		    STR_NIL, STR_NIL);
		diag_other(pp->diag, item, source_place_in(pp->src, old->file,
		    old->off), "first here");
		return;
	}
	new = arena_alloc(pp->arena, sizeof *new);
	*new = *m;
	e->v.ptr = new;
}

/* A message at byte i of a rope. */
static void
report_in(struct preprocess *pp, const struct rope *r, size_t i, size_t len,
    enum diag_id id)
{
	diag_in(pp->diag, rope_place(pp->src, r, i), (uint32_t)len, id,
	    STR_NIL, STR_NIL, STR_NIL);
}

/* The definition that begins at i; returns where the next line begins. */
static size_t
stanza(struct preprocess *pp, const struct rope *r, size_t i, bool has_block)
{
	const struct source_seg *seg = rope_seg(r, i);
	struct macro m = { .from = r, .file = seg->file & ~ROPE_FIXED,
	    .off = seg->off + (uint32_t)(i - seg->at) };
	struct str t = r->text, body;
	size_t start = header(pp, t, i, &m), end;

	end = macro_next_line(t, start > 0 ? start : i, has_block);
	while (end < t.n && (blank(t.p[end]) || t.p[end] == '\n' ||
	    (t.p[end] == '/' && comment(t, end) > 0)))
		end = macro_next_line(t, end, has_block);
	if (start == 0) {
		report_in(pp, r, i, 1, E_MACRO_DEF);
		return end;
	}
	body = str_trim(str_of(t.p + start, end - start));
	m.raw = body.n == 0 ? start : (size_t)(body.p - t.p);
	m.nraw = body.n;
	define(pp, &m);
	return end;
}

/* Whether a line begins with #. */
static bool
has_directives(struct str t)
{
	return str_starts(t, "#") || memmem(t.p, t.n, "\n#", 2) != NULL;
}

void
macro_add_file(struct preprocess *pp, const struct macro_source *s)
{
	uint32_t file = source_add(pp->src, s->name, s->text);
	bool has_block;
	struct rope *r;
	struct str t;
	size_t i = 0, n;

	if (s->text.n == 0 || !text_check(pp, file))
		return;
	r = arena_alloc(pp->arena, sizeof *r);
	*r = has_directives(s->text) ? pass_run(pp, file, PASS_MACROS) :
	    rope_of(pp->arena, s->text, file, 0);
	t = r->text;
	has_block = memmem(t.p, t.n, "/*", 2) != NULL;
	while (i < t.n) {
		n = comment(t, i);
		if (blank(t.p[i]) || t.p[i] == '\n') {
			for (n = i; n < t.n && blank(t.p[n]); )
				n++;
			/* An indented line that belongs to nothing. */
			if (n < t.n && t.p[n] != '\n' && comment(t, n) == 0)
				report_in(pp, r, n, 1, E_MACRO_DEF);
			i = macro_next_line(t, i, has_block);
		} else if (n > 0) {
			i = macro_next_line(t, i, has_block);
		} else if (str_starts(str_of(t.p + i, t.n - i), "/*")) {
			report_in(pp, r, i, 2, E_COMMENT_OPEN);
			return;
		} else
			i = stanza(pp, r, i, has_block);
	}
}

void
macro_add_value(struct preprocess *pp, const char *prefix,
    const struct macro_value *v)
{
	struct macro m = { .clean = true };
	size_t n = strlen(prefix);
	char *name = arena_text(pp->arena, n + v->name.n);

	memcpy(name, prefix, n);
	if (v->name.n > 0)
		memcpy(name + n, v->name.p, v->name.n);
	m.file = source_add(pp->src, str_of(name, n + v->name.n), v->value);
	if (v->name.n == 0 || header(pp, v->name, 0, &m) != v->name.n) {
		diag_hint(pp->diag, diag_in(pp->diag, source_place_in(pp->src,
		    m.file, 0), 0, E_MACRO_DEF, STR_NIL, STR_NIL, STR_NIL),
		    STR_LIT("a name is a letter, then letters, digits, - _ ."));
		return;
	}
	if (!text_check(pp, m.file))
		return;
	m.body = rope_of(pp->arena, v->value, m.file, 0);
	m.from = arena_alloc(pp->arena, sizeof *m.from);
	define(pp, &m);
}
