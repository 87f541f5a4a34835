/*
 * Two passes over a file: comments and directives go first (directive.h),
 * then macros are expanded into the lexer's text.  Both follow strings with
 * quote.h; the second does so over what macros expanded to, as the lexer
 * will.
 */
#include "lang/syntax/preprocess.h"

#include <stdio.h>

#include "lang/syntax/directive.h"
#include "lang/syntax/quote.h"

#define LIM_OPEN_LISTS	100	/* argument lists that are never closed: each
				 * costs a look at the rest of the file */

#define USE_COST	16	/* what a use counts besides its bytes, so that
				 * macros that make nothing end too */

void
preprocess_init(struct preprocess *pp, struct source_set *src,
    struct diag *diag, struct arena *a, const struct compile_options *opt)
{
	static const struct compile_options none;
	size_t i;

	if (opt == NULL)
		opt = &none;
	*pp = (struct preprocess){ .src = src, .diag = diag, .arena = a,
	    .opt = opt };
	map_init(&pp->macro, a);
	map_init(&pp->define, a);
	map_init(&pp->left, a);
	define_init(pp);	/* macro files may ask for them */
	for (i = opt->nmacro; i > 0; i--)	/* the last -M of a name wins */
		macro_add_value(pp, "-M ", &opt->macro[i - 1]);
	for (i = 0; i < opt->nmacro_file; i++)
		macro_add_file(pp, &opt->macro_file[i]);
	for (i = 0; i < opt->ncontext; i++)
		macro_add_value(pp, "=", &opt->context[i]);
	for (i = 0; i < opt->nlibrary; i++)
		macro_add_file(pp, &opt->library[i]);
}

/* The second pass. */

struct expand {
	struct preprocess *pp;
	struct source_set *src;
	struct quote	 quote;
	size_t		 base;		/* of this file in src->text */
	size_t		 work;		/* bytes that macros made */
	unsigned	 nopen;
	bool		 stop;		/* too much: said once */
};

struct part {			/* of a rope */
	size_t	from, to;
};

static void	expand(struct expand *, const struct rope *, unsigned depth);

/* Emits bytes [from, to) of a rope. */
static void
emit(struct expand *x, const struct rope *r, size_t from, size_t to)
{
	const struct source_seg *s, *last;
	size_t end;

	if (from >= to)
		return;		/* an empty rope may have no segments */
	last = r->seg + r->nseg;
	for (s = rope_seg(r, from); from < to; s++) {
		end = s + 1 < last && s[1].at < to ? s[1].at : to;
		source_emit(x->src, str_of(r->text.p + from, end - from),
		    s->file & ~ROPE_FIXED, s->off + (uint32_t)(from - s->at),
		    s->use == ROPE_OWN ? r->use : s->use);
		from = end;
	}
}

/* A message once for each place: a macro may be used a thousand times. */
static struct diag_item *
report(struct expand *x, struct place p, size_t len, enum diag_id id,
    struct str a, struct str b, struct str c)
{
	const struct diag *d = x->pp->diag;
	size_t i;

	for (i = 0; p.use != SOURCE_NONE && i < d->n; i++)
		if (d->item[i].id == id && d->item[i].place.file == p.file &&
		    d->item[i].place.off == p.off)
			return NULL;
	return diag_in(x->pp->diag, p, (uint32_t)len, id, a, b, c);
}

static void
too_big(struct expand *x, struct place p)
{
	char limit[32];

	if (x->stop)
		return;
	x->stop = true;
	snprintf(limit, sizeof limit, "%u MiB", LIM_SOURCE >> 20);
	diag_in(x->pp->diag, p, 1, E_MACRO_BIG, str_c(limit), STR_NIL,
	    STR_NIL);
}

/* The macro named at i; a greedy name gives up parts after its . and -. */
static struct macro *
lookup(const struct preprocess *pp, struct str t, size_t i, size_t *end)
{
	const struct map_entry *e;
	size_t n = i;

	while (n < t.n && macro_name_char(t.p[n]))
		n++;
	*end = n;
	while (n > i) {
		e = map_get(&pp->macro, str_of(t.p + i, n - i));
		if (e != NULL) {
			*end = n;
			return e->v.ptr;
		}
		for (n--; n > i && t.p[n] != '.' && t.p[n] != '-'; )
			n--;
	}
	return NULL;
}

/* PIKT's sites wrote "dmesg=piktalert": what tells alerts apart is a macro
 * behind a word too, where no option of a command would be called so. */
static bool
of_alert(const struct preprocess *pp, struct str t, size_t i)
{
	static const char *const names[] = { "piktalert", "piktlevel",
	    "piktstatus", "pikthostname", "pikttest" };
	size_t end, k;
	const struct macro *m = lookup(pp, t, i, &end);

	for (k = 0; m != NULL && k < sizeof names / sizeof names[0]; k++)
		if (str_eq(m->name, str_c(names[k])))
			return true;
	return false;
}

/*
 * Whether the = at i begins the use of a macro.  An operator's last = does
 * not, nor one glued to a word.  In a string there are no operators that
 * end in / . | & ^ and =, but paths and regexes: "=logdir/=piktalert.log".
 */
static bool
begins_use(const struct expand *x, const struct rope *r, size_t i)
{
	char before;

	if (i + 1 >= r->text.n || !macro_letter(r->text.p[i + 1]) ||
	    quote_kind(&x->quote) == QUOTE_RAW)
		return false;
	/* What an argument stands after is not what its writer saw. */
	if (i == 0 || rope_seg(r, i)->at == i)
		return true;
	before = r->text.p[i - 1];
	if (macro_name_char(before) && before != '.' && before != '-')
		return quote_kind(&x->quote) != QUOTE_CODE &&
		    of_alert(x->pp, r->text, i + 1);
	if (strchr("=<>!+-*%", before) != NULL)
		return false;
	return quote_kind(&x->quote) != QUOTE_CODE ||
	    strchr("/.|&^", before) == NULL;
}

/* Reports an unknown name and leaves it in a string as it is. */
static void
unknown(struct expand *x, const struct rope *r, size_t i, size_t end)
{
	struct str name = str_of(r->text.p + i + 1, end - i - 1);
	const struct map_entry *near;
	struct diag_item *item;
	char hint[160];

	while (name.n > 1 && !macro_letter(name.p[name.n - 1]) &&
	    (name.p[name.n - 1] == '.' || name.p[name.n - 1] == '-'))
		name.n--;
	near = map_nearest(&x->pp->macro, name);
	item = report(x, rope_place(x->src, r, i), name.n + 1,
	    E_MACRO_UNKNOWN, name, STR_NIL, STR_NIL);
	if (item != NULL && near != NULL && near->key.n < 100) {
		snprintf(hint, sizeof hint,
		    "did you mean =%.*s? write \\= for a plain =",
		    (int)near->key.n, near->key.p);
		diag_hint(x->pp->diag, item, str_c(hint));
	} else if (item != NULL && quote_outside(&x->quote))
		diag_hint(x->pp->diag, item,
		    STR_LIT("a plain = has a blank behind it"));
	if (!quote_outside(&x->quote))
		emit(x, r, i, end);
}

/*
 * The argument list whose ( stands at i: fills arg with up to max parts,
 * counts them all in *n.  Returns the index after the ), 0 if there is
 * none.  Strings and parentheses nest, apostrophes do not.
 */
static size_t
arguments(struct str t, size_t i, struct part *arg, size_t max, size_t *n)
{
	bool in_string = false;
	size_t depth = 0, from = ++i;
	struct str a;

	for (*n = 0; i < t.n; i++) {
		char c = t.p[i];

		if (c == '\\') {
			i++;
			continue;
		}
		if (c == '"')
			in_string = !in_string;
		if (in_string)
			continue;
		if (c == '(')
			depth++;
		if (depth == 0 && (c == ',' || c == ')')) {
			if (*n < max) {
				a = str_trim(str_of(t.p + from, i - from));
				arg[*n].from = (size_t)(a.p - t.p);
				arg[*n].to = arg[*n].from + a.n;
			}
			++*n;
			if (c == ')')
				return i + 1;
			from = i + 1;
		} else if (c == ')')
			depth--;
	}
	return 0;
}

/* Whether the ( at i stands directly after a function's or macro's name. */
static bool
after_name(struct str t, size_t i)
{
	size_t start = i;

	while (start > 0 && macro_name_char(t.p[start - 1]) &&
	    t.p[start - 1] != '.' && t.p[start - 1] != '-')
		start--;
	if (start < i && start > 0 && (t.p[start - 1] == '#' ||
	    t.p[start - 1] == '$'))
		return macro_letter(t.p[start]);
	while (start > 0 && macro_name_char(t.p[start - 1]))
		start--;
	return start < i && start > 0 && t.p[start - 1] == '=' &&
	    macro_letter(t.p[start]);
}

/* The parameter that stands in parentheses at i, or nparam. */
static size_t
parameter(const struct macro *m, struct str t, size_t i)
{
	size_t k;

	for (k = 0; k < m->nparam; k++)
		if (t.n - i >= m->param[k].n + 2 &&
		    t.p[i + 1 + m->param[k].n] == ')' &&
		    memcmp(t.p + i + 1, m->param[k].p, m->param[k].n) == 0)
			break;
	return k;
}

/*
 * The body with its arguments put in: counts the bytes if mk is NULL, else
 * makes the rope.  own: the body, of this use; r: what holds the arguments.
 */
static size_t
substitute(const struct macro *m, const struct rope *own,
    const struct rope *r, const struct part *arg, struct rope_maker *mk)
{
	struct str t = own->text;
	size_t i, k, run = 0, n = 0, cut;

	for (i = str_find(t, '(', 0); i < t.n; i = str_find(t, '(', i + 1)) {
		k = parameter(m, t, i);
		if (k == m->nparam)
			continue;
		cut = after_name(t, i) ? 1 : 0;	/* parentheses that stay */
		n += i + cut - run + (arg[k].to - arg[k].from);
		if (mk != NULL) {
			rope_add_part(mk, own, run, i + cut);
			rope_add_part(mk, r, arg[k].from, arg[k].to);
		}
		i += m->param[k].n + 1;
		run = i + 1 - cut;
	}
	if (mk != NULL)
		rope_add_part(mk, own, run, t.n);
	return n + (t.n - run);
}

/* False, and reported, if the macro stands in its own expansion. */
static bool
no_loop(struct expand *x, const struct macro *m, struct place p)
{
	const struct source_use *u;
	uint32_t chain[LIM_MACRO_DEPTH + 1], use;
	struct buf path;
	size_t n = 0;

	for (use = p.use; use != SOURCE_NONE && n <= LIM_MACRO_DEPTH;
	    use = u->parent) {
		u = &x->src->use[use];
		chain[n++] = use;
		if (str_eq(u->macro, m->name))
			break;
	}
	if (use == SOURCE_NONE || n > LIM_MACRO_DEPTH)
		return true;
	buf_init(&path, x->pp->arena->mem);
	while (n > 0) {
		buf_str(&path, x->src->use[chain[--n]].macro);
		buf_puts(&path, " -> ");
	}
	buf_str(&path, m->name);
	report(x, p, m->name.n + 1, E_MACRO_LOOP, m->name, buf_view(&path),
	    STR_NIL);
	buf_free(&path);
	return false;
}

static bool
right_count(struct expand *x, const struct macro *m, struct place p, size_t n)
{
	char takes[40], got[24];

	if (n == m->nparam)
		return true;
	snprintf(takes, sizeof takes, "%zu argument%s", m->nparam,
	    m->nparam == 1 ? "" : "s");
	snprintf(got, sizeof got, "%zu", n);
	report(x, p, m->name.n + 1, E_MACRO_ARGS, m->name, str_c(takes),
	    str_c(got));
	return false;
}

/* =name= ends a name that would go on.  PIKT wrote =name=_ where what follows
 * begins with no letter: "=piktalert=_.log" is Urgent.log. */
static size_t
name_end(struct str t, size_t end)
{
	if (end + 1 >= t.n || t.p[end] != '=' || !macro_name_char(t.p[end + 1]))
		return end;
	if (t.p[end + 1] == '_' && (end + 2 == t.n || t.p[end + 2] == '.' ||
	    t.p[end + 2] == '-' || !macro_name_char(t.p[end + 2])))
		return end + 2;
	return end + 1;
}

/* The use of a macro at i; returns where the text goes on. */
static size_t
use_macro(struct expand *x, const struct rope *r, size_t i, unsigned depth)
{
	struct str t = r->text;
	struct place p = rope_place(x->src, r, i);
	struct part *arg = NULL;
	const struct rope *body;
	struct rope_maker mk;
	struct rope own;
	struct macro *m;
	size_t end, next, max, narg = 0;

	m = lookup(x->pp, t, i + 1, &end);
	if (m == NULL) {
		unknown(x, r, i, end);
		return end;
	}
	if (m->takes_args) {
		if (end < t.n && t.p[end] == '(') {
			/* one at least: =name() has one, which is empty */
			max = m->nparam == 0 ? 1 : m->nparam;
			arg = arena_alloc(x->pp->arena, max * sizeof *arg);
			next = arguments(t, end, arg, max, &narg);
			if (next == 0) {
				report(x, p, m->name.n + 1,
				    E_MACRO_ARG_OPEN, m->name, STR_NIL,
				    STR_NIL);
				x->stop = x->stop ||
				    ++x->nopen == LIM_OPEN_LISTS;
				return end;
			}
			end = next;
			if (narg == 1 && m->nparam == 0 &&
			    arg[0].from == arg[0].to)
				narg = 0;
		}
		if (!right_count(x, m, p, narg))
			return end;
	} else
		end = name_end(t, end);
	if (!no_loop(x, m, p))
		return end;
	if (depth == LIM_MACRO_DEPTH) {
		char limit[16];

		snprintf(limit, sizeof limit, "%d", LIM_MACRO_DEPTH);
		report(x, p, m->name.n + 1, E_MACRO_DEEP, str_c(limit),
		    STR_NIL, STR_NIL);
		return end;
	}
	body = macro_body(x->pp, m);
	own = *body;
	own.use = source_add_use(x->src, (struct source_use){ m->name, p.file,
	    p.off, p.use, m->file, m->off });
	if (m->nparam > 0) {
		next = substitute(m, &own, r, arg, NULL);
		x->work += next;
		if (x->work > LIM_SOURCE) {
			too_big(x, p);
			return end;
		}
		rope_start(&mk, x->pp->arena, next);
		substitute(m, &own, r, arg, &mk);
		own = rope_done(&mk, own.use);
	}
	x->work += own.text.n + USE_COST;
	if (x->work > LIM_SOURCE)
		too_big(x, p);
	else
		expand(x, &own, depth + 1);
	return end;
}

/* Where bytes [i, ...) stop to be fixed, or to be not, as byte i is. */
static size_t
same_until(const struct rope *r, size_t i, bool *fixed)
{
	const struct source_seg *s = rope_seg(r, i), *last = r->seg + r->nseg;

	*fixed = (s->file & ROPE_FIXED) != 0;
	for (s++; s < last && ((s->file & ROPE_FIXED) != 0) == *fixed; s++)
		;
	return s < last ? s->at : r->text.n;
}

/* Bytes [i, end), none of them fixed. */
static void
expand_part(struct expand *x, const struct rope *r, size_t i, size_t end,
    unsigned depth)
{
	struct str t = r->text;
	size_t run = i;

	while (!x->stop && (i = quote_skip(t, i)) < end) {
		if (t.p[i] == '=' && begins_use(x, r, i)) {
			emit(x, r, run, i);
			run = i = use_macro(x, r, i, depth);
			continue;
		}
		if (t.p[i] == '\\' && i + 1 < end && t.p[i + 1] == '=' &&
		    quote_kind(&x->quote) == QUOTE_CODE) {
			emit(x, r, run, i);	/* in strings it is the lexer's */
			run = i + 1;
			i += 2;
			continue;
		}
		/* What a string's beginning means depends on the text so far. */
		if (t.p[i] == '"' || t.p[i] == '\'') {
			emit(x, r, run, i);
			run = i;
		}
		i += quote_step(&x->quote, t, i, buf_view(&x->src->text));
	}
	emit(x, r, run, end);
}

static void
expand(struct expand *x, const struct rope *r, unsigned depth)
{
	size_t i, end;
	bool fixed;

	for (i = 0; i < r->text.n && !x->stop; i = end) {
		end = same_until(r, i, &fixed);
		if (fixed) {
			emit(x, r, i, end);
			quote_init(&x->quote);
		} else
			expand_part(x, r, i, end, depth);
	}
	if (x->src->text.n - x->base > LIM_SOURCE && r->nseg > 0)
		too_big(x, rope_place(x->src, r, 0));
}

/* A file's text begins a line. */
static bool
begin(struct preprocess *pp, uint32_t file)
{
	const struct buf *t = &pp->src->text;

	if (pp->src->file[file].text.n == 0 || !text_check(pp, file))
		return false;
	if (t->n > 0 && t->p[t->n - 1] != '\n')
		source_emit(pp->src, STR_LIT("\n"), file, 0, SOURCE_NONE);
	return true;
}

static void
process(struct preprocess *pp, uint32_t file, enum pass_kind kind)
{
	struct expand x = { .pp = pp, .src = pp->src };
	struct rope r;

	if (!begin(pp, file))
		return;
	x.base = pp->src->text.n;
	quote_init(&x.quote);
	r = pass_run(pp, file, kind);
	if (kind == PASS_PLAIN)
		emit(&x, &r, 0, r.text.n);
	else if (r.text.n > 0)
		expand(&x, &r, 0);
}

void
preprocess_file(struct preprocess *pp, uint32_t file)
{
	process(pp, file, PASS_SCRIPT);
}

void
preprocess_config(struct preprocess *pp, uint32_t file)
{
	process(pp, file, PASS_CONFIG);
}

void
preprocess_plain(struct preprocess *pp, uint32_t file)
{
	process(pp, file, PASS_PLAIN);
}
