/* test_look: one expectation against what a run did. */
#include "engine/cli/ruletest.h"

#include <stdio.h>
#include <stdlib.h>

#include "lang/base/re.h"

/* A text that could be the one, and what it is about (a path, an address, an
 * incident's key); NIL: nothing. */
struct found {
	struct str	 about, text;
	bool		 frame;		/* what each mail has: not shown */
};
struct finds {
	struct found	*piece;
	size_t		 n, cap;
	struct arena	*arena;
};

static void
add(struct finds *p, struct str about, struct str text)
{
	struct found *grown;

	if (p->n == p->cap) {
		p->cap = p->cap == 0 ? 32 : p->cap * 2;
		grown = arena_alloc(p->arena, p->cap * sizeof *grown);
		if (p->n > 0)
			memcpy(grown, p->piece, p->n * sizeof *grown);
		p->piece = grown;
	}
	p->piece[p->n++] = (struct found){ about, text, false };
}

/* The lines of a text, blanks at their ends left out, without empty ones. */
static void
add_lines(struct finds *p, struct str about, struct str text)
{
	struct str line;
	size_t i, nl;

	for (i = 0; i < text.n; i = nl + 1) {
		nl = str_find(text, '\n', i);
		line = str_trim(str_of(text.p + i, nl - i));
		if (line.n > 0)
			add(p, about, line);
	}
}

/* A mail's lines; head: PIKT ALERT, the time and the host. */
static void
add_mail(struct finds *p, const struct sim_mail *m)
{
	size_t i = p->n, head = i + 3;

	for (add_lines(p, m->to, m->body); i < p->n; i++)
		p->piece[i].frame = i < head ||
		    str_starts(p->piece[i].text, "more: picket why ") ||
		    str_starts(p->piece[i].text, "silence: picket silence ");
}

struct str
test_squeeze(struct arena *a, struct str s)
{
	char *p = arena_text(a, s.n + 1);
	size_t i, n = 0;

	for (i = 0; i < s.n; i++)
		if (strchr(" \t\n", s.p[i]) == NULL || s.p[i] == '\0')
			p[n++] = s.p[i];
		else if (n > 0 && p[n - 1] != ' ')
			p[n++] = ' ';
	if (n > 0 && p[n - 1] == ' ')
		n--;
	p[n] = '\0';
	return str_of(p, n);
}

static bool
is_kill(struct str text)
{
	return str_starts(text, "kill ") || str_starts(text, "killall ") ||
	    str_starts(text, "terminate ");
}

static void
add_done(const struct test_run *r, enum test_what what, struct finds *p)
{
	static const enum recorded_kind kind[WHAT_COUNT] = {
		[WHAT_MAILTO] = RECORDED_MAIL_TO, [WHAT_LOG] = RECORDED_LOG,
		[WHAT_EXEC] = RECORDED_EXEC, [WHAT_KILL] = RECORDED_ACT,
		[WHAT_ACT] = RECORDED_ACT, [WHAT_PRINT] = RECORDED_PRINT,
		[WHAT_STDOUT] = RECORDED_STDOUT,
		[WHAT_SYSLOG] = RECORDED_SYSLOG,
		[WHAT_JOURNAL] = RECORDED_JOURNAL,
		[WHAT_WRITE] = RECORDED_WRITE, [WHAT_READ] = RECORDED_READ,
		[WHAT_ERROR] = RECORDED_ERROR,
		[WHAT_WARNING] = RECORDED_WARNING
	};
	const struct recorded_did *did;
	struct str text;
	size_t i, n;

	did = recorded_done(sim_world(r->sim), &n);
	for (i = 0; i < n; i++) {
		if (did[i].kind != kind[what])
			continue;
		text = str_shown(did[i].text);
		if (what == WHAT_EXEC || what == WHAT_READ)
			text = test_squeeze(p->arena, text);
		else if (what != WHAT_WRITE)
			text = str_trim(text);
		if (what != WHAT_KILL || is_kill(text))
			add(p, did[i].target, text);
	}
}

/* All that the expectation can be about. */
static void
gather(const struct test_run *r, enum test_what what, struct finds *p)
{
	const struct sim_result *res = &r->result;
	size_t i;

	switch (what) {
	case WHAT_MAIL:
		for (i = 0; i < res->nmail; i++)
			add_mail(p, &res->mail[i]);
		break;
	case WHAT_FIRING:
	case WHAT_STILL:
	case WHAT_RESOLVED:
	case WHAT_UNKNOWN:
	case WHAT_FLAPPING:
		/* "still" is told as "still firing" */
		for (i = 0; i < res->nchange; i++)
			if (str_starts(res->change[i].kind,
			    test_what_name[what]))
				add(p, res->change[i].key,
				    res->change[i].message);
		break;
	case WHAT_ERROR:
		for (i = 0; i < res->nscript; i++)
			if (res->script[i].end != RUN_OK)
				add_lines(p, STR_NIL, res->script[i].error);
		/* FALLTHROUGH */
	default:
		add_done(r, what, p);
		break;
	}
}

static bool
matches(struct re *re, struct str s)
{
	return re_match(re, s, 0, NULL) == RE_YES;
}

/* Whether a text is the one: as it is, or by the pattern. */
static bool
fits(const struct test_step *e, struct re *re, struct str text)
{
	if (re != NULL)
		return matches(re, text);
	return str_eq(text, e->value);
}

static bool
is_change(enum test_what w)
{
	return w == WHAT_FIRING || w == WHAT_STILL || w == WHAT_RESOLVED ||
	    w == WHAT_UNKNOWN || w == WHAT_FLAPPING;
}

static bool
piece_fits(const struct test_step *e, struct re *re, const struct found *p)
{
	struct str rest = p->text;

	if (!str_none(e->target) && (str_none(p->about) ||
	    !str_eq(p->about, e->target)))
		return false;
	if (str_none(e->value))
		return true;
	if (is_change(e->what) && str_none(e->target))
		return fits(e, re, p->about) || (re != NULL &&
		    matches(re, p->text));
	if (fits(e, re, p->text))
		return true;
	if (e->what != WHAT_KILL || re != NULL)
		return false;
	/* "17 TERM" of "kill 17 TERM" */
	rest.n = str_find(rest, ' ', 0);
	return rest.n < p->text.n && str_eq(e->value, str_of(p->text.p +
	    rest.n + 1, p->text.n - rest.n - 1));
}

/* How much two texts have in common: nearest candidates come first. */
static size_t
common(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n, i, k;

	for (i = 0; i < n && a.p[i] == b.p[i]; i++)
		;
	for (k = 0; k < n - i && a.p[a.n - 1 - k] == b.p[b.n - 1 - k]; k++)
		;
	return i + k;
}

/* What was there instead, a line each. */
static struct str
show(const struct test_run *r, const struct finds *p,
    const struct test_step *e, struct re *re, bool only_fitting)
{
	struct arena *a = &r->t->arena;
	bool *told = arena_zalloc(a, p->n + 1);
	size_t i, k, best = 0, n = 0;
	struct buf b;
	struct str s;

	buf_init(&b, a->mem);
	for (k = 0; k < p->n && n < LIM_SHOWN; k++) {
		for (i = 0, best = p->n; i < p->n; i++) {
			if (told[i] || (only_fitting ? !piece_fits(e, re,
			    &p->piece[i]) : p->piece[i].frame))
				continue;
			if (best == p->n)
				best = i;
			else if (re == NULL && !str_none(e->value) && common(
			    p->piece[i].text, e->value) > common(
			    p->piece[best].text, e->value))
				best = i;
		}
		if (best == p->n)
			break;
		told[best] = true;
		n++;
		if (!str_none(p->piece[best].about) && e->what != WHAT_MAIL &&
		    p->piece[best].about.n > 0 && (str_none(e->target) ||
		    !str_eq(e->target, p->piece[best].about))) {
			buf_escaped(&b, p->piece[best].about, 0);
			buf_puts(&b, ": ");
		}
		buf_escaped(&b, p->piece[best].text, 0);
		buf_putc(&b, '\n');
	}
	if (n == LIM_SHOWN && p->n > n)
		buf_printf(&b, "and %zu more\n", p->n - n);
	s = arena_dup(a, buf_view(&b));
	buf_free(&b);
	return s;
}

static struct str
text_of(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static struct str
text_of(struct arena *a, const char *fmt, ...)
{
	struct buf b;
	struct str s;
	va_list ap;

	buf_init(&b, a->mem);
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	s = arena_dup(a, buf_view(&b));
	buf_free(&b);
	return s;
}

static struct re *
pattern(struct re_ctx *ctx, const struct test_step *e)
{
	struct re_error err;

	switch (e->op) {
	case HOW_MATCH: case HOW_NMATCH:
		return re_compile(ctx, e->value, false, &err);
	case HOW_MATCHI: case HOW_NMATCHI:
		return re_compile(ctx, e->value, true, &err);
	default:
		return NULL;
	}
}

static struct str
wanted_text(struct arena *a, const struct test_step *e)
{
	const char *how = e->op == HOW_MATCH ? "=~ " : e->op == HOW_MATCHI ?
	    "=~~ " : "";
	struct str v = str_none(e->value) ? STR_LIT("any") : e->value;

	if (e->no)
		return text_of(a, "no %s%.*s", how, (int)v.n, v.p);
	if (!num_none(e->times))
		return text_of(a, "%.0f time%s %s%.*s", e->times, e->times ==
		    1 ? "" : "s", how, (int)v.n, v.p);
	return text_of(a, "%s%.*s", how, (int)v.n, v.p);
}

/* A pattern of mail may also fit over lines. */
static bool
whole_mail(const struct test_run *r, const struct test_step *e, struct re *re)
{
	size_t i;

	for (i = 0; re != NULL && e->what == WHAT_MAIL &&
	    i < r->result.nmail; i++)
		if (matches(re, r->result.mail[i].body))
			return true;
	return false;
}

static bool
look_lines(const struct test_run *r, const struct test_step *e, struct re *re,
    struct test_failure *f)
{
	struct arena *a = &r->t->arena;
	struct finds p = { .arena = a };
	size_t i, n = 0;
	bool ok;

	gather(r, e->what, &p);
	for (i = 0; i < p.n; i++)
		n += piece_fits(e, re, &p.piece[i]);
	/* without a text mails are counted, not their lines */
	if (e->what == WHAT_MAIL && str_none(e->value) && str_none(e->target))
		n = r->result.nmail;
	else if (n == 0 && whole_mail(r, e, re))
		n = 1;
	if (!num_none(e->times))
		ok = ((double)n == e->times) != e->no;
	else
		ok = (n > 0) != e->no;
	if (ok)
		return true;
	f->expected = wanted_text(a, e);
	f->got = show(r, &p, e, re, e->no && !str_none(e->value));
	if (!num_none(e->times)) {
		struct str all = show(r, &p, e, re, n > 0 &&
		    !str_none(e->value));

		f->got = text_of(a, "%zu time%s\n%.*s", n, n == 1 ? "" : "s",
		    (int)all.n, all.p);
	}
	if (f->got.n == 0)
		f->got = text_of(a, "no %s at all",
		    test_what_name[e->what]);
	return false;
}

/* Three-way order of numbers or texts as the operator wants it. */
static bool
compare(enum test_op op, int order, bool none)
{
	switch (op) {
	case HOW_IS:	return !none && order == 0;
	case HOW_NOT:	return none || order != 0;
	case HOW_LESS:	return !none && order < 0;
	case HOW_LESSEQ: return !none && order <= 0;
	case HOW_MORE:	return !none && order > 0;
	default:	return !none && order >= 0;
	}
}

static bool
is_dat(const struct test_run *r, struct str name)
{
	const struct program *p;
	size_t i;
	uint32_t k;

	for (i = 0; i < r->nprogram; i++)
		for (p = r->program[i], k = 0; k < p->ndat; k++)
			if (p->dat[k].number == (name.p[0] == '#') &&
			    str_eq(p->dat[k].name, str_of(name.p + 1,
			    name.n - 1)))
				return true;
	return false;
}

static bool
look_variable(const struct test_run *r, const struct test_step *e,
    struct re *re, struct test_failure *f)
{
	struct str v = STR_NIL;
	double d;
	size_t i;
	bool found = false, none, ok;

	for (i = 0; i < r->nprogram && !found; i++)
		found = sim_variable(r->sim, r->program[i], e->variable,
		    e->element, &v);
	none = !found || str_eq(v, STR_LIT("<<NIL>>")) ||
	    str_eq(v, STR_LIT("<<ERR>>"));
	if (e->op == HOW_ANY)			/* no #x */
		ok = none;
	else if (re != NULL)
		ok = (found && !none && matches(re, v)) !=
		    (e->op == HOW_NMATCH || e->op == HOW_NMATCHI);
	else if (!str_none(e->value)) {
		/* NIL can be asked for by name, so it is a text here */
		if (!found)
			v = STR_LIT("<<NIL>>");
		ok = compare(e->op, str_cmp(v, e->value), false);
	} else {
		d = none ? NUM_NIL : num_parse(v, false);
		ok = compare(e->op, d < e->number ? -1 : d > e->number ? 1 :
		    0, num_none(d));
	}
	if (e->no && e->op != HOW_ANY)
		ok = !ok;
	if (ok)
		return true;
	i = str_find(e->shown, e->variable.p[0], 0);
	f->expected = str_of(e->shown.p + i, e->shown.n - i);
	f->got = found ? v : is_dat(r, e->variable) ? STR_LIT("a dat variable "
	    "ends with its line; set another to it") : STR_LIT("no script has "
	    "such a variable, or element");
	return false;
}

static bool
look_incident(const struct test_run *r, const struct test_step *e,
    struct test_failure *f)
{
	struct str state;
	bool ok;

	if (str_none(e->target)) {		/* no incident */
		if (r->result.nchange == 0)
			return true;
		f->expected = STR_LIT("no change of an incident");
		f->got = r->result.change[0].message;
		return false;
	}
	state = sim_incident(r->sim, e->target);
	ok = str_none(e->value) ? !str_none(state) : !str_none(state) &&
	    str_eq(state, e->value);
	if (ok != e->no)
		return true;
	f->expected = text_of(&r->t->arena, "%s%.*s%s%.*s", e->no ? "no " : "",
	    (int)e->target.n, e->target.p, str_none(e->value) ? "" : " ",
	    str_none(e->value) ? 0 : (int)e->value.n, e->value.p);
	f->got = str_none(state) ? STR_LIT("nobody knows it") : state;
	return false;
}

static bool
look_number(const struct test_run *r, const struct test_step *e,
    struct test_failure *f)
{
	double n = 0;
	size_t i, k;

	for (i = 0; i < r->result.nscript; i++)
		n += r->result.script[i].lines;
	if (compare(e->op, n < e->number ? -1 : n > e->number, false) != e->no)
		return true;
	k = str_find(e->shown, ' ', 0);		/* behind expect */
	f->expected = str_of(e->shown.p + k + 1, e->shown.n - k - 1);
	f->got = text_of(&r->t->arena, "lines %.0f", n);
	return false;
}

/* No mail, no command, no act, no change. */
static bool
look_nothing(const struct test_run *r, const struct test_step *e,
    struct test_failure *f)
{
	static const enum test_what all[] = { WHAT_MAIL, WHAT_MAILTO,
	    WHAT_EXEC, WHAT_ACT, WHAT_FIRING, WHAT_STILL, WHAT_RESOLVED,
	    WHAT_UNKNOWN, WHAT_FLAPPING };
	struct buf b;
	size_t i, k;

	buf_init(&b, r->t->arena.mem);
	for (i = 0; i < sizeof all / sizeof *all; i++) {
		struct finds p = { .arena = &r->t->arena };

		gather(r, all[i], &p);
		for (k = 0; k < p.n; k++) {
			if (p.piece[k].frame)
				continue;
			buf_printf(&b, "%s ", test_what_name[all[i]]);
			buf_escaped(&b, p.piece[k].text, 0);
			buf_putc(&b, '\n');
		}
	}
	f->expected = STR_LIT("nothing");
	f->got = arena_dup(&r->t->arena, buf_view(&b));
	buf_free(&b);
	if (e->no && f->got.n == 0) {
		f->expected = STR_LIT("something");
		f->got = STR_LIT("nothing");
		return false;
	}
	return e->no || f->got.n == 0;
}

bool
test_look(const struct test_run *r, const struct test_step *e,
    struct test_failure *f)
{
	struct test_step like;
	struct re_ctx *ctx;
	struct re *re;
	bool ok;

	switch (e->what) {
	case WHAT_INCIDENT:
		return look_incident(r, e, f);
	case WHAT_LINES:
		return look_number(r, e, f);
	case WHAT_NOTHING:
		return look_nothing(r, e, f);
	default:
		break;
	}
	ctx = re_ctx_new();
	if (ctx == NULL)
		mem_fail(r->t->arena.mem, false);
	re = pattern(ctx, e);
	if (re == NULL && e->what != WHAT_VARIABLE && !str_none(e->value)) {
		/* as the texts are that it is compared with */
		like = *e;
		like.value = e->what == WHAT_EXEC || e->what == WHAT_READ ?
		    test_squeeze(&r->t->arena, e->value) :
		    e->what == WHAT_WRITE ? e->value : str_trim(e->value);
		e = &like;
	}
	ok = e->what == WHAT_VARIABLE ? look_variable(r, e, re, f) :
	    look_lines(r, e, re, f);
	re_free(re);
	re_ctx_free(ctx);
	return ok;
}
