#include "lang/syntax/macro.h"

#include <stdio.h>

#include "lang/syntax/quote.h"

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void
report(struct preprocess *pp, uint32_t file, size_t off, size_t len,
    enum diag_id id, struct str arg)
{
	diag_in(pp->diag, source_place_in(pp->src, file, (uint32_t)off),
	    (uint32_t)len, id, arg, STR_NIL, STR_NIL);
}

bool
text_check(struct preprocess *pp, uint32_t file)
{
	struct str text = pp->src->file[file].text;
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
	if (nul < text.n)
		report(pp, file, nul, 1, E_NUL, STR_NIL);
	return nul == text.n;
}

static const char *const directive[] = {
	"if", "elif", "elsif", "elseif", "else", "endif", "fi", "ifdef",
	"ifndef", "elifdef", "elsedef", "endifdef", "fidef", "ifsys",
	"elifsys", "elsesys", "endifsys", "define", "def", "undefine",
	"undef", "setdef", "include", "verbatim", "fix", "unfix", "freeze",
	"unfreeze", "indent", "unindent", "exec", "piktexec", "pexec", "set",
	"setenv", "unset", "unsetenv", "echo"
};
#define NDIRECTIVE	(sizeof directive / sizeof *directive)

/* What follows a word that is a variable: an index, a call, an assignment. */
static bool
assigns(struct str t, size_t i)
{
	if (i < t.n && (t.p[i] == '[' || t.p[i] == '('))
		return true;
	while (i < t.n && blank(t.p[i]))
		i++;
	while (i < t.n && t.p[i] != '\0' && strchr("+-*/%&|^<>.", t.p[i]))
		i++;
	return i < t.n && t.p[i] == '=';
}

bool
directive_check(struct preprocess *pp, uint32_t file, struct str t, size_t i,
    bool glued)
{
	unsigned best = 3, d;
	const char *near = NULL;
	struct diag_item *item;
	struct str word;
	size_t j = i + 1, k;

	while (!glued && j < t.n && (t.p[j] == ' ' || t.p[j] == '\t'))
		j++;
	for (k = j; k < t.n && macro_letter(t.p[k]); )
		k++;
	if (k == j)
		return false;
	while (k < t.n && (macro_name_char(t.p[k]) && t.p[k] != '.' &&
	    t.p[k] != '-'))
		k++;
	word = str_of(t.p + j, k - j);
	for (j = 0; j < NDIRECTIVE; j++) {
		d = str_distance(word, str_c(directive[j]), 2);
		if (d < best && d < word.n) {
			best = d;
			near = directive[j];
		}
	}
	if (best == 0) {
		report(pp, file, i, k - i, E_DIRECTIVE_LATER, word);
		return true;
	}
	if (glued || assigns(t, k))
		return false;
	item = diag_in(pp->diag, source_place_in(pp->src, file, (uint32_t)i),
	    (uint32_t)(k - i), E_DIRECTIVE, word, STR_NIL, STR_NIL);
	if (near != NULL) {
		char hint[64];

		snprintf(hint, sizeof hint, "did you mean #%s?", near);
		diag_hint(pp->diag, item, str_c(hint));
	}
	return true;
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

/* The start of the line after i; a block comment may hold lines. */
static size_t
next_line(struct str t, size_t i, bool has_block)
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

const struct rope *
macro_body(struct preprocess *pp, struct macro *m)
{
	struct rope_maker mk;
	struct str t = m->raw;
	struct quote q;
	size_t i, run, n;

	if (m->clean)
		return &m->body;
	m->clean = true;
	if (memmem(t.p, t.n, "//", 2) == NULL &&
	    memmem(t.p, t.n, "/*", 2) == NULL) {
		m->body = rope_of(pp->arena, t, m->file, m->body_off);
		return &m->body;
	}
	rope_start(&mk, pp->arena, t.n);
	quote_init(&q);
	for (i = run = 0; ; ) {
		n = i < t.n && quote_outside(&q) ? comment(t, i) : 0;
		if (n == 0 && i < t.n) {
			i += quote_step(&q, t, i, str_of(t.p, i));
			continue;
		}
		while (mk.n == 0 && run < i &&
		    (blank(t.p[run]) || t.p[run] == '\n'))
			run++;
		rope_add(&mk, str_of(t.p + run, i - run), m->file,
		    m->body_off + (uint32_t)run, ROPE_OWN);
		if (i == t.n)
			break;
		if (t.p[i + 1] == '*' && mk.n > 0)
			rope_add(&mk, STR_LIT(" "), m->file,
			    m->body_off + (uint32_t)i, ROPE_OWN);
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
		if (old->file != m->file)
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

/* The definition that begins at i; returns where the next line begins. */
static size_t
stanza(struct preprocess *pp, uint32_t file, struct str t, size_t i,
    bool has_block)
{
	struct macro m = { .file = file, .off = (uint32_t)i };
	size_t body = header(pp, t, i, &m), end;

	end = next_line(t, body > 0 ? body : i, has_block);
	while (end < t.n && (blank(t.p[end]) || t.p[end] == '\n' ||
	    (t.p[end] == '/' && comment(t, end) > 0)))
		end = next_line(t, end, has_block);
	if (body == 0) {
		report(pp, file, i, 1, E_MACRO_DEF, STR_NIL);
		return end;
	}
	m.raw = str_trim(str_of(t.p + body, end - body));
	m.body_off = m.raw.n == 0 ? (uint32_t)body : (uint32_t)(m.raw.p - t.p);
	define(pp, &m);
	return end;
}

void
macro_add_file(struct preprocess *pp, const struct macro_source *s)
{
	struct str t = s->text;
	uint32_t file = source_add(pp->src, s->name, t);
	bool has_block, lost = false;
	size_t i = 0, n;

	if (t.n == 0 || !text_check(pp, file))
		return;
	has_block = memmem(t.p, t.n, "/*", 2) != NULL;
	while (i < t.n) {
		n = comment(t, i);
		if (blank(t.p[i]) || t.p[i] == '\n') {
			for (n = i; n < t.n && blank(t.p[n]); )
				n++;
			/* An indented line that belongs to nothing. */
			if (!lost && n < t.n && t.p[n] != '\n' &&
			    comment(t, n) == 0)
				report(pp, file, n, 1, E_MACRO_DEF, STR_NIL);
			i = next_line(t, i, has_block);
		} else if (n > 0) {
			i = next_line(t, i, has_block);
		} else if (str_starts(str_of(t.p + i, t.n - i), "/*")) {
			report(pp, file, i, 2, E_COMMENT_OPEN, STR_NIL);
			return;
		} else if (t.p[i] == '#' &&
		    directive_check(pp, file, t, i, false)) {
			lost = true;	/* what it divides is not told again */
			i = next_line(t, i, has_block);
		} else {
			lost = false;
			i = stanza(pp, file, t, i, has_block);
		}
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
	m.raw = v->value;
	m.body = rope_of(pp->arena, v->value, m.file, 0);
	define(pp, &m);
}
