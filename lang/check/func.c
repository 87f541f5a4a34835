/*
 * func: functions that the source defines: what they may see, and how they
 * are called.  Each is checked once, whoever calls it.
 */
#include "lang/check/inner.h"
#include "lang/syntax/build.h"

/* A parameter's or local's symbol; a second one of that name is told of. */
static struct symbol *
declare(struct check *c, struct str name, bool number, bool array,
    struct span span)
{
	enum symbol_kind kind = array ? SYM_ARRAY : SYM_SCALAR;
	struct symbol *there = NULL, *y;
	struct diag_item *d;
	char sigil = number ? '#' : '$';

	there = symbols_find(&c->sym, sigil, name);
	if (there == NULL)
		return symbols_get(&c->sym, sigil, name, kind, span, &there);
	if (there->missing && (there->kind == SYM_ARRAY) == array) {
		there->missing = false;
		return there;
	}
	d = check_error(c, span, E_LOCAL_DUP, check_sigil(c, number ? TY_NUM :
	    TY_STR, name), STR_NIL);
	diag_other(c->diag, d, source_place(c->p->src, there->span.at),
	    "first here");
	y = arena_zalloc(c->arena, sizeof *y);
	y->name = name;
	y->number = number;
	return y;
}

void
check_function(struct parse *p, struct function *f, struct re_ctx *re)
{
	struct check *c = arena_zalloc(p->arena, sizeof *c);
	struct node name;
	struct param *a;
	struct symbol *y;
	unsigned n = 0, s = 0, arrays = 0;
	int which;

	f->chk = c;
	c->p = p;
	c->diag = p->diag;
	c->arena = p->arena;
	c->func = f;
	c->re = re;
	c->place = IN_FUNCTION;
	symbols_init(&c->sym, p->arena);
	memset(&name, 0, sizeof name);
	name.kind = X_VAR;
	for (a = f->param; a != NULL; a = a->next) {
		name.text = a->name;
		name.type = a->number ? TY_NUM : TY_STR;
		if (check_special(&name, &which))
			check_error(c, a->span, E_SPECIAL_SET, which == 0 ?
			    STR_LIT("the input line") :
			    STR_LIT("the line of #read"), STR_NIL);
		y = declare(c, a->name, a->number, a->array, a->span);
		y->set = y->used = true;
		if (a->array)
			arrays++;
		else if (a->number)
			n++;
		else
			s++;
	}
	if (n > LIM_CALL_ARGS || s > LIM_CALL_ARGS || arrays > LIM_CALL_ARGS)
		check_error(c, f->span, E_ARGS_MANY, STR_LIT("14"), STR_NIL);
	check_stmts(c, f->body);
	if (c->sym.nnum > LIM_LOCALS || c->sym.nstr > LIM_LOCALS)
		check_error(c, f->span, E_FUNC_LOCALS, STR_LIT("120"),
		    f->name);
	check_unset_names(c);
}

/* local: the name is known from here to the function's end. */
void
check_local(struct check *c, struct node *n)
{
	bool array = n->a->kind == X_ARRAY;
	struct symbol *y;
	enum type e;
	int which;

	if (c->func == NULL) {
		check_error(c, n->span, E_FUNC_ONLY, STR_LIT("local"),
		    STR_NIL);
		return;
	}
	if (check_special(n->a, &which)) {
		check_error(c, n->a->span, E_SPECIAL_SET, which == 0 ?
		    STR_LIT("the input line") : STR_LIT("the line of #read"),
		    STR_NIL);
		return;
	}
	/* the value may not speak of the name that it is for */
	if (n->b != NULL) {
		e = check_expr(c, &n->b);
		if (e == TY_ANY)
			n->b->type = n->a->type;
		else if (n->a->type == TY_NUM && e == TY_STR)
			check_set_num(c, n->b);
		else if (n->a->type == TY_STR)
			check_want_str(c, &n->b, false);
	}
	y = declare(c, n->a->text, n->a->type == TY_NUM, array, n->a->span);
	if (n->b != NULL) {
		y->set = true;
		y->built = n->a->type == TY_STR && n->b->kind == X_CAT;
	}
	n->a->sym = y;
}

void
check_return(struct check *c, struct node *n)
{
	if (c->func == NULL) {
		check_error(c, n->span, E_FUNC_ONLY, STR_LIT("return"),
		    STR_NIL);
		return;
	}
	if (n->a == NULL)
		return;
	if (c->func->number)
		check_want_num(c, &n->a);
	else
		check_want_str(c, &n->a, false);
}

/* --- calls --- */

/* Hint: how the function is called. */
static void
hint_usage(struct check *c, struct diag_item *d, const struct function *f)
{
	const struct param *a;
	struct buf b;

	buf_init(&b, c->arena->mem);
	buf_str(&b, f->name);
	buf_putc(&b, '(');
	for (a = f->param; a != NULL; a = a->next) {
		buf_putc(&b, a->number ? '#' : '$');
		buf_str(&b, a->name);
		if (a->array)
			buf_puts(&b, "[]");
		if (a->next != NULL)
			buf_puts(&b, ", ");
	}
	buf_putc(&b, ')');
	diag_hint(c->diag, d, buf_view(&b));
	if (d != NULL)
		diag_other(c->diag, d, source_place(c->p->src, f->span.at),
		    "defined here");
	buf_free(&b);
}

/* The nearest name, of those that are built in and the source's own. */
static void
unknown(struct check *c, const struct node *n)
{
	struct str name = n->func->name, near = builtin_nearest(name);
	unsigned d, best = str_none(near) ? 3 : str_distance(near, name, 3);
	struct span at = n->span;
	struct diag_item *item;
	const struct function *f;
	struct buf b;

	at.len = (uint32_t)name.n;
	for (f = c->p->func; f != NULL; f = f->next)
		if (f->defined && (d = str_distance(f->name, name, best)) <
		    best) {
			best = d;
			near = f->name;
		}
	item = check_error(c, at, E_FUNC_UNKNOWN, name, STR_NIL);
	if (item == NULL || str_none(near))
		return;
	buf_init(&b, c->arena->mem);
	buf_puts(&b, "did you mean ");
	buf_str(&b, near);
	buf_putc(&b, '?');
	diag_hint(c->diag, item, buf_view(&b));
	buf_free(&b);
}

static void
called(struct check *c, struct function *f)
{
	struct function **all;
	size_t i;

	for (i = 0; i < c->ncalls; i++)
		if (c->calls[i] == f)
			return;
	if (c->ncalls == c->capcalls) {
		c->capcalls = c->capcalls == 0 ? 8 : c->capcalls * 2;
		all = arena_alloc(c->arena, c->capcalls * sizeof *all);
		if (c->ncalls > 0)
			memcpy(all, c->calls, c->ncalls * sizeof *all);
		c->calls = all;
	}
	c->calls[c->ncalls++] = f;
}

static void
argument(struct check *c, const struct function *f, const struct param *a,
    struct node **pn, unsigned i)
{
	struct node *n = *pn;

	if (!a->array) {
		if (a->number)
			check_want_num(c, pn);
		else
			check_want_str(c, pn, false);
		return;
	}
	if (n->kind == X_PREV) {
		diag_hint(c->diag, check_error(c, n->span, E_ARG_ARRAY,
		    check_number(c, i), f->name), STR_LIT("the function could "
		    "change it, and what was cannot be: take its elements "
		    "here"));
		return;
	}
	if (!check_array(c, n, false)) {
		check_error(c, n->span, E_ARG_ARRAY, check_number(c, i),
		    f->name);
		return;
	}
	n->sym->set = true;	/* the function may set elements */
	if ((n->type == TY_NUM) != a->number)
		diag_at(c->diag, n->span, E_ARG_ARRAY_TYPE, check_number(c, i),
		    f->name, a->number ? STR_LIT("numbers") :
		    STR_LIT("strings"));
}

enum type
check_ucall(struct check *c, struct node *n)
{
	struct function *f = n->func;
	const struct param *a;
	struct diag_item *d;
	struct node **pp, *q;
	unsigned want = 0, count = 0, i = 1;

	if (n->type != TY_NONE)
		return n->type;
	if (!f->defined) {
		unknown(c, n);
		for (pp = &n->list; *pp != NULL; pp = &(*pp)->next)
			check_expr(c, pp);
		return n->type = TY_ANY;
	}
	n->type = f->number ? TY_NUM : TY_STR;
	called(c, f);
	for (a = f->param; a != NULL; a = a->next)
		want++;
	for (q = n->list; q != NULL; q = q->next)
		count++;
	if (count != want) {
		d = diag_at(c->diag, n->span, E_ARGS, f->name,
		    check_count(c, want, want), check_number(c, count));
		hint_usage(c, d, f);
		return n->type;
	}
	a = f->param;
	for (pp = &n->list; *pp != NULL; pp = &(*pp)->next, a = a->next)
		argument(c, f, a, pp, i++);
	return n->type;
}
