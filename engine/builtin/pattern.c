/* pattern: splitting, and functions of regular expressions and formats. */
#include "engine/builtin/arg.h"
#include "lang/base/format.h"
#include "lang/base/re.h"

/* --- splitting --- */

/*
 * How a text splits (language.md, seps): at runs of blanks and tabs if all
 * separators are such, and then not at its ends; else at each separator.
 */
struct splitter {
	bool	is_sep[256];
	bool	runs;
	const char *p, *end;
	bool	more;		/* a field is still to come */
};

static void
split_start(struct splitter *sp, struct str s, struct str seps)
{
	size_t i;

	memset(sp, 0, sizeof *sp);
	sp->runs = true;
	for (i = 0; i < seps.n; i++) {
		sp->is_sep[(unsigned char)seps.p[i]] = true;
		if (seps.p[i] != ' ' && seps.p[i] != '\t')
			sp->runs = false;
	}
	sp->p = s.p;
	sp->end = s.p + s.n;
	sp->more = s.n > 0;
}

static bool
at_sep(const struct splitter *sp)
{
	return sp->is_sep[(unsigned char)*sp->p];
}

static bool
split_next(struct splitter *sp, struct str *field)
{
	const char *start;

	if (sp->runs) {
		while (sp->p < sp->end && at_sep(sp))
			sp->p++;
		sp->more = sp->p < sp->end;
	}
	if (!sp->more)
		return false;
	for (start = sp->p; sp->p < sp->end && !at_sep(sp); sp->p++)
		;
	*field = str_of(start, (size_t)(sp->p - start));
	/* "a:" has an empty field after its separator. */
	sp->more = sp->p < sp->end;
	if (sp->more)
		sp->p++;
	return true;
}

/* The separators: the argument, or blanks; false: none (vm_domain). */
static bool
seps_arg(struct call *c, struct str *seps)
{
	*seps = STR_LIT(" \t");
	if (c->ns > 1)
		*seps = c->s[1];
	if (seps->n > 0)
		return true;
	vm_domain(c, "no separators");
	return false;
}

static void
split_into(struct call *c, struct str seps)
{
	/* The array that is cleared may hold the text or the separators:
	 * what it retires stays good until the end of the statement. */
	struct array *a = vm_array(c->vm, c->n[0]);
	char key[NUM_TEXT_MAX];
	struct splitter sp;
	struct str field, k;
	double n = 0;

	array_clear(a);
	split_start(&sp, c->s[0], seps);
	while (split_next(&sp, &field)) {
		k = str_of(key, num_text(++n, key));
		if (a->number)
			array_make(a, k)->n = num_parse(field, true);
		else
			array_put_str(a, k, field);
	}
	c->rn = n;
}

void
bi_split(struct call *c)
{
	struct str seps;

	if (arg_none(c)) {
		/* What follows must not take old fields for those of this
		 * text. */
		if (c->nn > 0)
			array_clear(vm_array(c->vm, c->n[0]));
		else
			vm_set_fields(c->vm, STR_EMPTY, STR_EMPTY, false);
		return;
	}
	if (!seps_arg(c, &seps))
		return;
	if (c->nn > 0) {
		split_into(c, seps);
		return;
	}
	vm_set_fields(c->vm, c->s[0], seps, c->ns > 1);
	c->rn = vm_nfields(c->vm);
}

void
bi_field(struct call *c)
{
	struct splitter sp;
	struct str seps;
	int64_t i;

	if (arg_none(c) || !seps_arg(c, &seps) ||
	    !arg_int(c, 0, 1, (int64_t)NUM_EXACT, &i))
		return;
	split_start(&sp, c->s[0], seps);
	while (split_next(&sp, &c->rs))
		if (--i == 0)
			return;
	c->rs = STR_NIL;
}

/* --- regular expressions --- */

/* Goes over the matches of a pattern in a text, left to right. */
struct matches {
	struct re	*re;
	struct str	 s;
	size_t		 at, last;	/* next search; end of the last match */
	size_t		 ov[2 * (LIM_RE_GROUPS + 1)];
};

static bool
matches_start(struct call *c, struct matches *m)
{
	m->s = c->s[0];
	m->at = 0;
	m->last = SIZE_MAX;
	m->re = vm_pattern(c, c->s[1], false);
	return m->re != NULL;
}

/* Past the character at `at`, whole if it is UTF-8. */
static size_t
step(struct str s, size_t at)
{
	do
		at++;
	while (at < s.n && ((unsigned char)s.p[at] & 0xc0) == 0x80);
	return at;
}

/*
 * The next match into m->ov.  An empty match right behind another match is
 * none, as in sed and awk.  At the match limit: ERROR, and the result NIL
 * (language.md 5.2).
 */
static enum re_result
matches_next(struct call *c, struct matches *m)
{
	enum re_result r;

	for (;;) {
		if (m->at > m->s.n)
			return RE_NO;
		r = re_match(m->re, m->s, m->at, m->ov);
		if (r == RE_LIMIT) {
			vm_domain(c, "the pattern takes too long");
			c->rn = NUM_NIL;
			c->rs = STR_NIL;
		}
		if (r != RE_YES)
			return r;
		/* \K can put the start where no match may start. */
		if (m->ov[1] < m->ov[0] || m->ov[0] < m->at)
			return RE_NO;
		m->at = m->ov[1] > m->ov[0] ? m->ov[1] :
		    step(m->s, m->ov[1]);
		if (m->ov[1] == m->ov[0] && m->ov[0] == m->last)
			continue;
		m->last = m->ov[1];
		return RE_YES;
	}
}

/* Adds the replacement: \0 the match, \1 to \9 groups, \\ a backslash. */
static void
add_replacement(struct buf *b, const struct matches *m, struct str to)
{
	unsigned group, groups = re_groups(m->re);
	size_t i;

	for (i = 0; i < to.n; i++) {
		char ch = to.p[i], next = i + 1 < to.n ? to.p[i + 1] : '\0';

		if (ch != '\\' || (next != '\\' &&
		    (next < '0' || next > '9'))) {
			buf_putc(b, ch);
			continue;
		}
		i++;
		if (next == '\\') {
			buf_putc(b, '\\');
			continue;
		}
		group = (unsigned)(next - '0');
		/* A group that took no part is empty. */
		if (group <= groups && m->ov[2 * group] != SIZE_MAX)
			buf_add(b, m->s.p + m->ov[2 * group],
			    m->ov[2 * group + 1] - m->ov[2 * group]);
	}
}

static void
subst(struct call *c, bool all)
{
	struct matches m;
	struct buf *b;
	size_t done = 0;
	enum re_result r;
	bool any = false;

	if (arg_none(c) || !matches_start(c, &m))
		return;
	b = vm_buf(c->vm);
	while ((r = matches_next(c, &m)) == RE_YES) {
		any = true;
		buf_add(b, m.s.p + done, m.ov[0] - done);
		add_replacement(b, &m, c->s[2]);
		done = m.ov[1];
		if (!all)
			break;
	}
	if (r == RE_LIMIT)
		return;
	if (!any) {
		c->rs = m.s;
		return;
	}
	buf_add(b, m.s.p + done, m.s.n - done);
	c->rs = arg_result(c, b);
}

void
bi_subst(struct call *c)
{
	subst(c, false);
}

void
bi_gsubst(struct call *c)
{
	subst(c, true);
}

void
bi_countre(struct call *c)
{
	enum re_result r;
	struct matches m;
	double n = 0;

	if (arg_none(c) || !matches_start(c, &m))
		return;
	while ((r = matches_next(c, &m)) == RE_YES)
		n++;
	if (r == RE_NO)
		c->rn = n;
}

/*
 * A backslash before all that means something in or out of a class.  Not
 * before < and >: those would become word boundaries.
 */
void
bi_requote(struct call *c)
{
	struct buf *b = vm_buf(c->vm);
	struct str s = c->s[0];
	size_t i;

	if (arg_none(c))
		return;
	for (i = 0; i < s.n; i++) {
		if (s.p[i] != '\0' &&
		    strchr("\\^$.[]|()?*+{}-", s.p[i]) != NULL)
			buf_putc(b, '\\');
		buf_putc(b, s.p[i]);
	}
	c->rs = arg_result(c, b);
}

/* --- formats --- */

void
bi_format(struct call *c)
{
	struct buf *b = vm_buf(c->vm);
	struct format_part part;
	struct str fmt = c->s[0];
	unsigned in = 0, is = 1;
	const char *why;

	if (str_none(fmt)) {
		c->rs = fmt;
		return;
	}
	while (fmt.n > 0) {
		if (!format_next(&fmt, &part, &why)) {
			vm_domain(c, "the format %.*s: %s",
			    arg_cut(c->s[0]), c->s[0].p, why);
			return;
		}
		if (part.conv == '\0')
			buf_str(b, part.text);
		else if (part.conv == 's' && is < c->ns)
			format_text(b, &part, c->s[is++]);
		else if (part.conv != 's' && in < c->nn)
			format_number(b, &part, c->n[in++]);
		else {
			vm_domain(c, "no value for %%%c in the format %.*s",
			    part.conv, arg_cut(c->s[0]), c->s[0].p);
			return;
		}
	}
	if (is < c->ns || in < c->nn) {
		vm_domain(c, "more values than the format %.*s takes",
		    arg_cut(c->s[0]), c->s[0].p);
		return;
	}
	c->rs = arg_result(c, b);
}
