/*
 * define: the switches of #ifdef, and the conditions of #if.
 *
 * What the texts themselves say is strongest, then -D, then the files.
 */
#include "lang/syntax/directive.h"

#include <stdio.h>

enum strength { KNOWN, FROM_FILE, FROM_OPTION, FROM_TEXT };

struct define_state {
	enum strength	 strength;
	bool		 value;
	uint32_t	 file, off;	/* FROM_FILE: where */
};

static const struct {
	const char	*word;
	bool		 value;
} truth[] = {
	{ "TRUE", true }, { "true", true }, { "YES", true }, { "yes", true },
	{ "ON", true }, { "on", true }, { "1", true },
	{ "FALSE", false }, { "false", false }, { "NO", false },
	{ "no", false }, { "OFF", false }, { "off", false }, { "0", false }
};

static bool
truth_of(struct str word, bool *value)
{
	size_t i;

	for (i = 0; i < sizeof truth / sizeof *truth; i++)
		if (str_eq(word, str_c(truth[i].word))) {
			*value = truth[i].value;
			return true;
		}
	return false;
}

static struct define_state *
put(struct preprocess *pp, struct str name, enum strength strength, bool value)
{
	struct define_state *s;
	struct map_entry *e;
	bool is_new;

	e = map_put(&pp->define, name, &is_new);
	if (is_new)
		e->v.ptr = arena_zalloc(pp->arena, sizeof *s);
	s = e->v.ptr;
	if (strength >= s->strength) {
		s->strength = strength;
		s->value = value;
	}
	return s;
}

void
define_init(struct preprocess *pp)
{
	const struct compile_options *o = pp->opt;
	uint32_t file;
	size_t i;

	/* What the program itself asks about is always registered. */
	put(pp, STR_LIT("doexec"), KNOWN, false);
	put(pp, STR_LIT("pikttest"), KNOWN, false);
	for (i = 0; i < o->ndefine; i++)
		put(pp, o->define[i].name, FROM_OPTION, o->define[i].value);
	for (i = 0; i < o->ndefine_file; i++) {
		file = source_add(pp->src, o->define_file[i].name,
		    o->define_file[i].text);
		if (o->define_file[i].text.n > 0 && text_check(pp, file))
			(void)pass_run(pp, file, PASS_DEFINES);
	}
}

bool
preprocess_defined(const struct preprocess *pp, struct str name)
{
	const struct map_entry *e = map_get(&pp->define, name);

	return e != NULL && ((const struct define_state *)e->v.ptr)->value;
}

/* --- files of defines --- */

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
file_error(struct preprocess *pp, const struct rope *r, size_t i, size_t n,
    enum diag_id id, struct str arg)
{
	diag_in(pp->diag, rope_place(pp->src, r, i), (uint32_t)n, id, arg,
	    STR_NIL, STR_NIL);
}

static size_t
word_end(struct str t, size_t i)
{
	while (i < t.n && !blank(t.p[i]))
		i++;
	return i;
}

static bool
is_name(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!macro_name_char(s.p[i]))
			return false;
	return s.n > 0 && macro_letter(s.p[0]);
}

static void
define_put(struct preprocess *pp, const struct rope *r, size_t i,
    struct str name, bool value)
{
	struct place p = rope_place(pp->src, r, i);
	struct define_state *s;
	struct diag_item *item;
	const struct map_entry *e = map_get(&pp->define, name);

	s = e == NULL ? NULL : e->v.ptr;
	if (s != NULL && s->off > 0) {
		item = diag_in(pp->diag, p, (uint32_t)name.n, E_DEFINE_DUP,
		    name, STR_NIL, STR_NIL);
		diag_other(pp->diag, item, source_place_in(pp->src, s->file,
		    s->off - 1), "first here");
		return;
	}
	s = put(pp, name, FROM_FILE, value);
	s->file = p.file;
	s->off = p.off + 1;
}

/*
 * Stanzas are read as they are made, since an #ifdef may ask for one that
 * stands above it: name, blanks, value.  The last one may not be whole yet.
 */
void
define_take(struct pass *p, const struct rope *r, bool last)
{
	struct preprocess *pp = p->pp;
	size_t i = p->parsed, end, v, vend;
	struct str t = r->text, name;
	bool value = false;

	for (;;) {
		while (i < t.n && blank(t.p[i]))
			i++;
		p->parsed = i;
		if (i == t.n)
			return;
		end = word_end(t, i);
		name = str_of(t.p + i, end - i);
		if ((i > 0 && t.p[i - 1] != '\n') || !is_name(name)) {
			file_error(pp, r, i, end - i, E_DEFINE_DEF, STR_NIL);
			i = str_find(t, '\n', i);
			continue;
		}
		v = p->blank > end ? p->blank : end;
		while (v < t.n && blank(t.p[v]))
			v++;
		p->blank = v;
		if (v == t.n && !last)
			return;
		vend = word_end(t, v);
		if (v == t.n || t.p[v - 1] == '\n') {
			file_error(pp, r, i, end - i, E_DEFINE_DEF, STR_NIL);
			i = v;
			continue;
		}
		if (!truth_of(str_of(t.p + v, vend - v), &value))
			file_error(pp, r, v, vend - v, E_DEFINE_VALUE,
			    str_of(t.p + v, vend - v));
		define_put(pp, r, i, name, value);
		i = vend;
	}
}

/* --- conditions --- */

/* The define named at l->i; NULL and reported. */
static const struct define_state *
asked(struct line *l)
{
	struct pass *p = l->x->pass;
	const struct map_entry *e, *near;
	struct diag_item *item;
	struct rope r;
	struct str name;
	char hint[160];

	name = line_name(l);
	if (!is_name(name)) {
		l->i -= name.n;
		line_want(l, "the name of a define");
		return NULL;
	}
	if (p->kind == PASS_DEFINES) {
		r = rope_done(&p->made, SOURCE_NONE);
		define_take(p, &r, false);
	}
	e = map_get(&p->pp->define, name);
	if (e != NULL)
		return e->v.ptr;
	item = line_error(l, l->i - name.n, name.n, E_DEFINE_UNKNOWN, name,
	    STR_NIL, STR_NIL);
	near = p->pp->diag->nerror > LIM_DIAG_SHOWN ? NULL :
	    map_nearest(&p->pp->define, name);
	if (near != NULL && near->key.n < 100) {
		snprintf(hint, sizeof hint, "did you mean %.*s?",
		    (int)near->key.n, near->key.p);
		diag_hint(p->pp->diag, item, str_c(hint));
	}
	return NULL;
}

/* Whether this host belongs to the name. */
static bool
member(struct line *l, struct str name)
{
	struct preprocess *pp = l->x->pass->pp;
	const struct compile_options *o = pp->opt;
	const struct str *near = NULL;
	struct diag_item *item;
	unsigned best = 3, d;
	char hint[160];
	size_t i;

	for (i = 0; i < o->nmember; i++)
		if (str_eq(o->member[i], name))
			return true;
	for (i = 0; i < o->nregistered; i++) {
		d = str_distance(o->registered[i], name, 2);
		if (d == 0)
			return false;
		if (d < best && d < name.n) {
			best = d;
			near = &o->registered[i];
		}
	}
	if (o->nregistered == 0)
		return false;
	item = line_error(l, l->i - name.n, name.n, E_CLASS_UNKNOWN, name,
	    STR_NIL, STR_NIL);
	if (near != NULL && near->n < 100) {
		snprintf(hint, sizeof hint, "did you mean %.*s?",
		    (int)near->n, near->p);
		diag_hint(pp->diag, item, str_c(hint));
	}
	return false;
}

static bool	any(struct line *, unsigned depth, bool *);

static bool
class_error(struct line *l, const char *want)
{
	struct str got;
	size_t n;

	if (line_over(l)) {
		got = STR_LIT("the end of the line");
		n = 1;
	} else
		got = line_token(l, &n);
	line_error(l, l->i, n, E_CLASS, str_c(want), got, STR_NIL);
	return false;
}

/* [!] name or (class) */
static bool
one(struct line *l, unsigned depth, bool *value)
{
	bool negate = false;
	struct str name;
	char limit[16];

	while (line_char(l, '!'))
		negate = !negate;
	if (line_char(l, '(')) {
		if (depth == LIM_CLASS_NEST) {
			snprintf(limit, sizeof limit, "%d", LIM_CLASS_NEST);
			line_error(l, l->i - 1, 1, E_DIRECTIVE_DEEP,
			    STR_LIT("parentheses"), str_c(limit), STR_NIL);
			return false;
		}
		if (!any(l, depth + 1, value))
			return false;
		if (!line_char(l, ')'))
			return class_error(l, "a )");
	} else {
		name = line_name(l);
		if (name.n == 0 || name.p[0] == '-' || name.p[0] == '.') {
			l->i -= name.n;
			return class_error(l, "a name");
		}
		*value = member(l, name);
	}
	*value = *value != negate;
	return true;
}

static bool
all(struct line *l, unsigned depth, bool *value)
{
	bool next;

	if (!one(l, depth, value))
		return false;
	while (line_char(l, '&')) {
		if (!one(l, depth, &next))
			return false;
		*value = *value && next;
	}
	return true;
}

static bool
any(struct line *l, unsigned depth, bool *value)
{
	bool next;

	if (!all(l, depth, value))
		return false;
	while (line_char(l, '|')) {
		if (!all(l, depth, &next))
			return false;
		*value = *value || next;
	}
	return true;
}

bool
define_condition(struct line *l, bool *is_true)
{
	const struct define_state *s;
	bool negate;

	if (l->d->family != FAMILY_DEF) {
		if (!any(l, 0, is_true))
			return false;
		return line_over(l) || class_error(l, "| or &");
	}
	negate = l->d->does == DO_IFN || l->d->does == DO_ELIFN;
	if (line_char(l, '!'))
		negate = !negate;
	s = asked(l);
	if (s == NULL)
		return false;
	*is_true = s->value != negate;
	return true;
}

/* The value of #setdef behind its =. */
static bool
value_of(struct line *l, bool *value)
{
	const struct define_state *s;
	bool negate = line_char(l, '!');
	struct str word, command, text;
	size_t start;
	int status;

	if (line_char(l, '[')) {
		l->i--;
		if (!line_command(l, &command))
			return false;
		status = include_command(l, command, false, &text);
		if (status < 0)
			return false;
		*value = (status == 0) != negate;
		return true;
	}
	word = line_name(l);
	start = l->i - word.n;
	if (!truth_of(word, value)) {
		l->i = start;
		if (word.n == 0) {
			line_want(l, "a value");
			return false;
		}
		if ((s = asked(l)) == NULL)
			return false;
		*value = s->value;
	}
	*value = *value != negate;
	return true;
}

void
define_set(struct line *l)
{
	struct pass *p = l->x->pass;
	struct str name = line_name(l);
	bool value = l->d->does == DO_DEFINE, ok = true;

	if (!is_name(name)) {
		l->i -= name.n;
		line_want(l, "the name of a define");
		ok = false;
	} else if (l->d->does == DO_SETDEF) {
		ok = line_char(l, '=');
		if (!ok)
			line_want(l, "a =");
		else
			ok = value_of(l, &value);
	}
	if (is_name(name))	/* known all the same: one message is enough */
		put(p->pp, name, FROM_TEXT, value);
	if (!ok)
		l->i = str_find(l->t, '\n', l->i);
}
