/*
 * history: #delta, #rate, #ewma and #window compare a number with what it was
 * in earlier runs.  %x is part of it; what else they need is kept beside x
 * under a name that no script can write, whether or not the call is reached
 * in a run: so one behind a condition misses nothing.
 */
#include <math.h>

#include "lang/base/num.h"
#include "lang/check/inner.h"

static struct node *
earlier(struct check *c, struct symbol *y, struct span at)
{
	struct node *n = ast_new(c->p, X_PREV, at);

	n->op = PREV_SCALAR;
	n->type = y->number ? TY_NUM : TY_STR;
	n->text = y->name;
	n->sym = y;
	y->previous = true;
	return n;
}

/* "time of x", "average 0.1 of x", "window 5 of x": one each. */
static struct symbol *
history(struct check *c, struct symbol *of, enum kept_kind what, double param,
    struct span at)
{
	struct symbol *y, *there;
	char t[NUM_TEXT_MAX];
	struct buf b;

	buf_init(&b, c->arena->mem);
	if (what == KEPT_TIME)
		buf_puts(&b, "time");
	else
		buf_printf(&b, "%s %.*s", what == KEPT_EWMA ? "average" :
		    "window", (int)num_text(param, t), t);
	buf_printf(&b, " of %.*s", (int)of->name.n, of->name.p);
	y = symbols_get(&c->sym, what == KEPT_WINDOW ? '$' : '#',
	    arena_dup(c->arena, buf_view(&b)), SYM_HISTORY, at, &there);
	buf_free(&b);
	y->set = y->used = true;
	y->of = of;
	y->history = what;
	y->param = param;
	return y;
}

static bool
constant(struct check *c, const struct node *call, struct node **pn,
    const char *i, const char *want, bool good)
{
	if (good)
		return true;
	diag_at(c->diag, (*pn)->span, E_HISTORY_CONST,
	    builtin_main_name(call->id), str_c(i), str_c(want));
	return false;
}

/* The weight of #ewma, the size and the statistic of #window. */
static bool
constants(struct check *c, struct node *n)
{
	static const char *const words[] = { "avg", "min", "max", "p95" };
	struct node **pn = &n->list->next, *v, **pw;
	size_t i;

	if (*pn == NULL)
		return true;
	check_want_num(c, pn);
	v = *pn;
	if (n->id == BI_EWMA)
		return constant(c, n, pn, "2", "above 0, at most 1",
		    v->kind == X_NUM && v->num > 0 && v->num <= 1);
	if (!constant(c, n, pn, "2", "how many runs, 2 to 288",
	    v->kind == X_NUM && v->num >= 2 && v->num <= LIM_WINDOW &&
	    v->num == floor(v->num)))
		return false;
	pw = &v->next;
	check_want_str(c, pw, false);
	for (i = 0; (*pw)->kind == X_STR &&
	    i < sizeof words / sizeof words[0]; i++)
		if (str_eq((*pw)->text, str_c(words[i])))
			return true;
	return constant(c, n, pw, "3", "\"avg\", \"min\", \"max\" or \"p95\"",
	    false);
}

void
check_history(struct check *c, struct node *n)
{
	struct node *x = n->list, *v;
	struct symbol *y;
	double param;

	if (c->func != NULL) {
		check_error(c, n->span, E_HISTORY_FUNCTION,
		    builtin_main_name(n->id), STR_NIL);
		return;
	}
	if (x->kind != X_VAR || x->type != TY_NUM) {
		check_error(c, x->span, E_HISTORY_VAR,
		    builtin_main_name(n->id), STR_NIL);
		return;
	}
	if (!constants(c, n) || check_expr(c, &n->list) != TY_NUM)
		return;
	x = n->list;
	y = x->sym;
	if (x->kind != X_VAR || y == NULL || (y->kind != SYM_SCALAR &&
	    y->kind != SYM_DAT))
		return;			/* told of */
	y->previous = true;
	/* the script's own value of a dat is that of the last line */
	if (y->kind == SYM_DAT)
		c->end_uses_line = true;
	for (v = x; v->next != NULL; v = v->next)
		;
	param = x->next == NULL ? 0 : x->next->num;
	switch (n->id) {
	case BI_DELTA:
		v->next = earlier(c, y, x->span);
		break;
	case BI_RATE:
		v->next = earlier(c, y, x->span);
		v->next->next = earlier(c, history(c, y, KEPT_TIME, 0,
		    x->span), x->span);
		break;
	default:
		v->next = earlier(c, history(c, y, n->id == BI_EWMA ?
		    KEPT_EWMA : KEPT_WINDOW, param, x->span), x->span);
		break;
	}
}
