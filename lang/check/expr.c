/* expr: types of expressions, and constants folded by the machine's kernels. */
#include "lang/base/num.h"
#include "lang/check/inner.h"

#define HINT_SHOWN	60	/* bytes of source in a hint */

struct diag_item *
check_error(struct check *c, struct span at, enum diag_id id, struct str a,
    struct str b)
{
	return diag_at(c->diag, at, id, a, b, STR_NIL);
}

struct str
check_sigil(struct check *c, enum type t, struct str name)
{
	char *p = arena_text(c->arena, name.n + 1);

	p[0] = t == TY_NUM ? '#' : '$';
	memcpy(p + 1, name.p, name.n);
	return str_of(p, name.n + 1);
}

/* A function sees its parameters and locals, and nothing else. */
static void
missing(struct check *c, const struct node *n, enum symbol_kind kind)
{
	struct str name = check_sigil(c, n->type, n->text);
	struct diag_item *d;
	struct buf b;

	buf_init(&b, c->arena->mem);
	buf_str(&b, name);
	if (kind == SYM_ARRAY)
		buf_puts(&b, "[]");
	name = arena_dup(c->arena, buf_view(&b));
	d = check_error(c, n->span, E_LOCAL_UNKNOWN, name, STR_NIL);
	buf_clear(&b);
	if (c->in_command)
		buf_printf(&b, "for the shell's or awk's own $ write \\$; else "
		    "make it a parameter");
	else if (kind == SYM_ARRAY)
		buf_printf(&b, "write local %.*s, or make it a parameter",
		    (int)name.n, name.p);
	if (b.n > 0)
		diag_hint(c->diag, d, buf_view(&b));
	buf_free(&b);
}

struct symbol *
check_symbol(struct check *c, struct node *n, enum symbol_kind kind)
{
	char sigil = n->type == TY_NUM ? '#' : '$';
	struct symbol *there = NULL, *y;
	struct diag_item *d;

	if (c->func != NULL && symbols_find(&c->sym, sigil, n->text) == NULL) {
		/* from here on it is known: once is enough */
		y = symbols_get(&c->sym, sigil, n->text, kind, n->span, &there);
		y->set = y->used = y->missing = true;
		missing(c, n, kind);
		return n->sym = y;
	}
	if (kind == SYM_SCALAR)
		check_column(c, sigil, n->text, n->span);
	y = symbols_get(&c->sym, sigil, n->text, kind, n->span, &there);
	if (y == NULL) {
		d = check_error(c, n->span, E_VAR_BOTH,
		    check_sigil(c, n->type, n->text), STR_NIL);
		if (d != NULL)
			diag_other(c->diag, d, source_place(c->p->src,
			    there->span.at), "first here");
		/* go on with a symbol of its own */
		y = arena_zalloc(c->arena, sizeof *y);
		y->name = n->text;
		y->kind = kind;
		y->number = n->type == TY_NUM;
		y->set = y->used = true;
	}
	n->sym = y;
	return y;
}

static void
use(struct check *c, struct symbol *y, struct span at)
{
	if (y->used)
		return;
	y->used = true;
	y->use = at;
	y->in_command = c->in_command;
}

/* Names that the language itself sets. */
bool
check_special(const struct node *n, int *which)
{
	static const struct { const char *name; int which; } names[] = {
		{ "inlin", 0 }, { "inline", 0 }, { "il", 0 },
		{ "rdlin", 1 }, { "readline", 1 }, { "rl", 1 },
	};
	size_t i;

	if (n->kind != X_VAR || n->type != TY_STR)
		return false;
	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (str_eq(n->text, str_c(names[i].name))) {
			*which = names[i].which;
			return true;
		}
	return false;
}

static void
wrap_text(struct check *c, struct node **pn)
{
	struct node *n = *pn, *w = ast_un(c->p, X_CALL, 0, n->span, NULL);
	char t[NUM_TEXT_MAX];

	w->next = n->next;
	n->next = NULL;
	if (n->kind == X_NUM) {
		w->kind = X_STR;
		w->text = arena_dup(c->arena, str_of(t, num_text(n->num, t)));
	} else {
		w->id = BI_TEXT;
		w->list = n;
	}
	w->type = TY_STR;
	*pn = w;
}

/* From its first operand to its last; an operator's own span is its sign. */
static struct span
whole(const struct node *n)
{
	struct span s = n->span, a, b;

	if (n->a == NULL || n->kind == X_CAT || n->kind == X_STR)
		return s;
	a = whole(n->a);
	if (a.at < s.at)
		s = span_join(a, s);
	if (n->b != NULL) {
		b = whole(n->b);
		if (b.at > s.at)
			s = span_join(s, b);
	}
	return s;
}

/* The text of a span, short enough for a hint; else NIL. */
static struct str
source_text(const struct check *c, struct span at)
{
	const struct buf *t = &c->p->src->text;
	struct str s;

	if (at.at + at.len > t->n || at.len > HINT_SHOWN)
		return STR_NIL;
	s = str_of(t->p + at.at, at.len);
	return str_find(s, '\n', 0) < s.n ? STR_NIL : s;
}

/* Hint: write: NAME(the source itself). */
static void
hint_call(struct check *c, struct diag_item *d, const char *name,
    struct span at)
{
	struct str s = source_text(c, at);
	struct buf b;

	if (str_none(s))
		return;
	buf_init(&b, c->arena->mem);
	buf_printf(&b, "write: %s(%.*s)", name, (int)s.n, s.p);
	diag_hint(c->diag, d, buf_view(&b));
	buf_free(&b);
}

/* A string stands where a number is wanted. */
static void
string_for_number(struct check *c, const struct node *n, enum diag_id id)
{
	struct span at = whole(n);
	struct diag_item *d;

	d = check_error(c, at, id, STR_NIL, STR_NIL);
	if (n->kind == X_STR && str_find(n->text, ':', 0) == n->text.n &&
	    (!num_none(num_parse(n->text, true)) ||
	    !num_none(num_parse_size(n->text)) ||
	    !num_none(num_parse_duration(n->text))))
		diag_hint(c->diag, d, STR_LIT("leave out the quotes"));
	else if (n->kind == X_STR)
		diag_hint(c->diag, d, STR_EMPTY);
	else
		hint_call(c, d, "#value", at);
}

void
check_want_num(struct check *c, struct node **pn)
{
	enum type t = check_expr(c, pn);

	if (t == TY_ANY)
		(*pn)->type = TY_NUM;
	else if (t == TY_STR)
		string_for_number(c, *pn, E_WANT_NUM);
}

/* A condition: a number. */
void
check_want_truth(struct check *c, struct node **pn)
{
	enum type t = check_expr(c, pn);
	struct diag_item *d;
	struct str s;
	struct buf b;

	if (t == TY_ANY)
		(*pn)->type = TY_NUM;
	if (t != TY_STR)
		return;
	d = check_error(c, whole(*pn), E_WANT_TRUTH, STR_NIL, STR_NIL);
	s = source_text(c, whole(*pn));
	if ((*pn)->kind == X_STR || str_none(s))
		return;
	buf_init(&b, c->arena->mem);
	buf_printf(&b, "write: %.*s ne \"\"", (int)s.n, s.p);
	if ((*pn)->kind == X_VAR || (*pn)->kind == X_INDEX ||
	    (*pn)->kind == X_FIELD)
		buf_printf(&b, ", or #defined(%.*s)", (int)s.n, s.p);
	diag_hint(c->diag, d, buf_view(&b));
	buf_free(&b);
}

void
check_set_num(struct check *c, const struct node *n)
{
	string_for_number(c, n, E_SET_TYPE);
}

void
check_want_str(struct check *c, struct node **pn, bool silent)
{
	enum type t = check_expr(c, pn);

	if (t == TY_ANY)
		(*pn)->type = TY_STR;
	else if (t == TY_NUM) {
		if (!silent) {
			struct span at = whole(*pn);

			hint_call(c, check_error(c, at, E_WANT_STR, STR_NIL,
			    STR_NIL), "$text", at);
		}
		wrap_text(c, pn);
	}
}

static void
fold(struct check *c, struct node *n)
{
	enum num_fault f = NUM_FINE;
	double v;

	if (n->a->kind != X_NUM || (n->b != NULL && n->b->kind != X_NUM))
		return;
	v = num_op((enum num_op)n->op, n->a->num, n->b == NULL ? 0 : n->b->num,
	    &f);
	if (f != NUM_FINE) {
		/* stays as it is: the run logs it where it happens */
		if (f == NUM_DIV_ZERO)
			check_error(c, n->span, E_CONST_DIV, STR_NIL, STR_NIL);
		else
			check_error(c, n->span, E_CONST_FAULT,
			    str_c(num_fault_text(f)), STR_NIL);
		return;
	}
	n->kind = X_NUM;
	n->num = v;
	n->unit = UNIT_NONE;
	n->a = n->b = NULL;
}

/* Parts of a concatenation: texts, adjacent constants joined. */
static void
cat(struct check *c, struct node *n)
{
	struct node **pp, *a, *b;
	char *t;

	for (pp = &n->list; *pp != NULL; pp = &(*pp)->next)
		check_want_str(c, pp, true);
	if (c->in_command)
		return;		/* a command's literals keep their places */
	for (a = n->list; a != NULL && a->next != NULL;) {
		b = a->next;
		if (a->kind != X_STR || b->kind != X_STR) {
			a = b;
			continue;
		}
		t = arena_text(c->arena, a->text.n + b->text.n);
		if (a->text.n > 0)
			memcpy(t, a->text.p, a->text.n);
		if (b->text.n > 0)
			memcpy(t + a->text.n, b->text.p, b->text.n);
		a->text = str_of(t, a->text.n + b->text.n);
		a->next = b->next;
	}
	if (n->list->next == NULL && n->list->kind == X_STR) {
		n->kind = X_STR;
		n->text = n->list->text;
		n->list = NULL;
	}
}

static const char *
cmp_sign(int op)
{
	static const char *const w[] = { "<", "<=", ">", ">=", "==", "!=",
	    "!>", "!<", "!>=", "!<=" };

	return w[op];
}

/* Both sides are strings: the sign should have been a word. */
static void
strings_compared(struct check *c, const struct node *n)
{
	static const char *const words[] = { "lt", "le", "gt", "ge", "eq",
	    "ne", "le", "ge", "lt", "gt" };
	struct str a = source_text(c, whole(n->a)),
	    b = source_text(c, whole(n->b));
	struct diag_item *d;
	struct buf t;

	buf_init(&t, c->arena->mem);
	buf_puts(&t, "write: ");
	if (!str_none(a) && !str_none(b))
		buf_printf(&t, "%.*s %s %.*s", (int)a.n, a.p, words[n->op],
		    (int)b.n, b.p);
	else
		buf_puts(&t, words[n->op]);
	d = check_error(c, n->span, E_STR_COMPARE, str_c(cmp_sign(n->op)),
	    STR_NIL);
	diag_hint(c->diag, d, buf_view(&t));
	buf_free(&t);
}

/* What the machine makes of two constants, which are neither NIL nor ERR. */
static bool
compared(enum cmp op, double a, double b)
{
	switch (op) {
	case CMP_LT: return a < b;
	case CMP_LE: return a <= b;
	case CMP_GT: return a > b;
	case CMP_GE: return a >= b;
	case CMP_EQ: return a == b;
	case CMP_NE: return a != b;
	case CMP_NGT: return !(a > b);
	case CMP_NLT: return !(a < b);
	case CMP_NGE: return !(a >= b);
	case CMP_NLE: return !(a <= b);
	}
	return false;
}

static void
compare(struct check *c, struct node *n)
{
	if (check_expr(c, &n->a) == TY_STR && check_expr(c, &n->b) == TY_STR) {
		strings_compared(c, n);
		return;
	}
	check_want_num(c, &n->a);
	check_want_num(c, &n->b);
	if (n->a->kind != X_NUM || n->b->kind != X_NUM)
		return;
	n->kind = X_NUM;
	n->num = compared((enum cmp)n->op, n->a->num, n->b->num);
	n->unit = UNIT_NONE;
	n->a = n->b = NULL;
}

/* An operator on numbers. */
static enum type
operation(struct check *c, struct node *n)
{
	size_t errors;

	if (n->type != TY_NONE)
		return n->type;
	errors = c->diag->nerror;
	n->type = TY_NUM;
	if (n->op == NUM_ADD && check_expr(c, &n->a) == TY_STR &&
	    check_expr(c, &n->b) == TY_STR) {
		check_error(c, n->span, E_CAT_NUM, STR_LIT("+"), STR_NIL);
		return n->type = TY_ANY;
	}
	check_want_num(c, &n->a);
	if (n->b != NULL)
		check_want_num(c, &n->b);
	if (c->diag->nerror > errors)
		return n->type = TY_ANY;	/* one message is enough */
	fold(c, n);
	return TY_NUM;
}

unsigned
check_pattern(struct check *c, const struct node *n, bool icase)
{
	struct re_error e;
	struct re *re;
	struct span at = n->span;
	unsigned groups;

	if (n->kind != X_STR)
		return LIM_RE_GROUPS;
	re = re_compile(c->re, n->text, icase, &e);
	if (re == NULL) {
		/* the literal's bytes begin behind its quote; escapes may
		 * have moved the offending one, but not out of the string */
		if (n->a != NULL)
			at = n->a->span;
		if (e.at < at.len) {
			at.at += (uint32_t)e.at;
			at.len = 1;
		}
		check_error(c, at, E_REGEX, str_c(e.text), STR_NIL);
		return 0;
	}
	groups = re_groups(re);
	re_free(re);
	return groups;
}

static enum type
variable(struct check *c, struct node *n)
{
	struct symbol *y;
	int which;

	if (check_special(n, &which)) {
		if (c->place == IN_END && which == 0)
			c->end_uses_line = true;
		return TY_STR;
	}
	y = check_symbol(c, n, SYM_SCALAR);
	use(c, y, n->span);
	if (y->kind == SYM_DAT && c->place == IN_END)
		c->end_uses_line = true;
	return n->type;
}

/* Array keys: numbers and strings, any count. */
void
check_keys(struct check *c, struct node *n)
{
	struct node **pp;

	for (pp = &n->list; *pp != NULL; pp = &(*pp)->next) {
		if (check_expr(c, pp) == TY_ANY)
			(*pp)->type = TY_STR;
		if ((*pp)->kind == X_NUM && (*pp)->num < 0)
			check_error(c, (*pp)->span, E_KEY_NEGATIVE, STR_NIL,
			    STR_NIL);
	}
}

enum type
check_expr(struct check *c, struct node **pn)
{
	struct node *n = *pn;
	bool was = c->in_command;
	struct symbol *y;

	switch (n->kind) {
	case X_NUM:
		return n->type = TY_NUM;
	case X_STR:
		return n->type = TY_STR;
	case X_NIL:
		if (n->type == TY_NONE)
			n->type = TY_ANY;
		return n->type;
	case X_VAR:
		return variable(c, n);
	case X_INDEX:
		y = check_symbol(c, n, SYM_ARRAY);
		use(c, y, n->span);
		c->in_command = false;
		check_keys(c, n);
		c->in_command = was;
		return n->type;
	case X_PREV:
		c->in_command = false;
		(void)check_previous(c, n);
		c->in_command = was;
		if (n->kind != X_ARRAY)
			return n->type;
		/* FALLTHROUGH */
	case X_ARRAY:
		check_error(c, n->span, E_ARRAY_EXPR,
		    check_sigil(c, n->type, n->text), STR_NIL);
		return n->type;
	case X_HANDLE:
		check_error(c, n->span, E_HANDLE_EXPR, n->text, STR_NIL);
		return n->type = TY_ANY;
	case X_FIELD:
		if (n->id == 0)
			c->uses_zero = true;
		else
			c->uses_fields = true;
		if ((uint32_t)n->id > c->maxfield)
			c->maxfield = (uint32_t)n->id;
		if (c->place == IN_END)
			c->end_uses_line = true;
		return n->type = TY_STR;
	case X_FIELDX:
		c->uses_fields = c->uses_zero = true;
		c->maxfield = UINT32_MAX;
		if (c->place == IN_END)
			c->end_uses_line = true;
		c->in_command = false;
		check_want_num(c, &n->a);
		c->in_command = was;
		return n->type = TY_STR;
	case X_CALL:
		c->in_command = false;
		check_call(c, pn);
		c->in_command = was;
		return (*pn)->type;
	case X_UCALL:
		c->in_command = false;
		check_ucall(c, n);
		c->in_command = was;
		return n->type;
	case X_CAT:
		c->in_command = was && n->flag;
		cat(c, n);
		c->in_command = was;
		return n->type = TY_STR;
	case X_FMT:
		c->in_command = false;
		check_call(c, pn);
		c->in_command = was;
		return (*pn)->type;
	case X_OP:
		return operation(c, n);
	case X_NOT:
		if (n->type != TY_NONE)
			return n->type;
		check_want_truth(c, &n->a);
		return n->type = TY_NUM;
	case X_CMP:
		if (n->type == TY_NONE) {
			n->type = TY_NUM;
			compare(c, n);
		}
		return TY_NUM;
	case X_SCMP:
		if (n->type == TY_NONE) {
			n->type = TY_NUM;
			check_want_str(c, &n->a, false);
			check_want_str(c, &n->b, false);
		}
		return TY_NUM;
	case X_MATCH:
		if (n->type == TY_NONE) {
			n->type = TY_NUM;
			check_want_str(c, &n->a, false);
			check_want_str(c, &n->b, false);
			n->id = (int)check_pattern(c, n->b, n->flag);
		}
		return TY_NUM;
	case X_AND: case X_OR:
		if (n->type != TY_NONE)
			return n->type;
		check_want_truth(c, &n->a);
		check_want_truth(c, &n->b);
		return n->type = TY_NUM;
	case X_FTEST:
		check_want_str(c, &n->a, false);
		return n->type = TY_NUM;
	case X_FCMP:
		check_want_str(c, &n->a, false);
		check_want_str(c, &n->b, false);
		return n->type = TY_NUM;
	default:
		return n->type;
	}
}
