/* stmt: statements, where each may stand, and what it wants. */
#include "lang/base/num.h"
#include "lang/check/inner.h"
#include "lang/syntax/build.h"

static const char *
word(enum ast kind)
{
	switch (kind) {
	case S_BREAK: return "break";
	case S_CONTINUE: return "continue";
	case S_AGAIN: return "again";
	case S_REDO: return "redo";
	case S_NEXT: return "next";
	case S_LEAVE: return "leave";
	case S_LAST: return "last";
	case S_QUIT: return "quit";
	case S_DIE: return "die";
	default: return "skip";
	}
}

/* The symbol of a scalar that a statement sets. */
static struct symbol *
target(struct check *c, struct node *n)
{
	struct symbol *y;
	int which;

	if (check_special(n, &which)) {
		check_error(c, n->span, E_SPECIAL_SET, which == 0 ?
		    STR_LIT("the input line") : STR_LIT("the line of #read"),
		    STR_NIL);
		return NULL;
	}
	y = check_symbol(c, n, SYM_SCALAR);
	if (y->kind == SYM_DAT) {
		char *p = arena_text(c->arena, n->text.n + 1);

		p[0] = n->type == TY_NUM ? '#' : '$';
		memcpy(p + 1, n->text.p, n->text.n);
		check_error(c, n->span, E_DAT_SET,
		    str_of(p, n->text.n + 1), STR_NIL);
		return NULL;
	}
	y->set = true;
	if (c->place == IN_RULE)
		y->set_in_rule = true;
	return y;
}

static void
set(struct check *c, struct node *n)
{
	struct node *t = n->a;
	struct symbol *y;
	enum type e;

	if (t->kind == X_INDEX) {
		y = check_symbol(c, t, SYM_ARRAY);
		y->set = true;
		check_keys(c, t);
	} else
		y = target(c, t);
	e = check_expr(c, &n->b);
	if (e == TY_ANY)
		n->b->type = t->type;
	if (n->op == SET_CAT) {
		if (t->type == TY_NUM) {
			check_error(c, t->span, E_CATSET_NUM, STR_NIL, STR_NIL);
			return;
		}
		check_want_str(c, &n->b, true);
		if (y != NULL)
			y->built = true;
		return;
	}
	if (n->op != SET_PLAIN && t->type == TY_STR) {
		check_error(c, t->span, E_SET_OP, STR_LIT("this operator"),
		    STR_NIL);
		return;
	}
	if (t->type == TY_NUM) {
		if (e == TY_STR)
			check_set_num(c, n->b);
	} else {
		check_want_str(c, &n->b, false);
		if (y != NULL && n->b->kind == X_CAT)
			y->built = true;
	}
}

void
check_want_unit(struct check *c, const struct node *n, const char *what,
    enum unit unit)
{
	static const char *const names[] = { "a plain number", "a percentage",
	    "a duration", "a size" };

	if (n->kind != X_NUM || n->unit == UNIT_NONE || n->unit == unit)
		return;
	diag_at(c->diag, n->span, E_UNIT, str_c(what), str_c(names[unit]),
	    str_c(names[n->unit]));
}

static void
exec(struct check *c, struct node *n)
{
	struct node *o;

	for (o = n->list; o != NULL; o = o->next)
		switch (o->op) {
		case XOPT_AS: case XOPT_IN:
			check_want_str(c, &o->a, false);
			break;
		case XOPT_MEMORY:
			check_want_num(c, &o->a);
			check_want_unit(c, o->a, "limit memory", UNIT_SIZE);
			break;
		default:
			check_want_num(c, &o->a);
			check_want_unit(c, o->a, o->op == XOPT_CPU ? "limit cpu" :
			    "timeout", UNIT_DURATION);
			break;
		}
	check_command(c, &n->a);
}

static void
loop(struct check *c, struct node *body)
{
	c->loops++;
	check_stmts(c, body);
	c->loops--;
}

static void
forin(struct check *c, struct node *n)
{
	static const char *const orders[] = { "key", "-key", "value",
	    "-value" };
	struct symbol *y = target(c, n->a);
	size_t i;

	(void)y;
	if (n->b->kind == X_PREV && !n->b->flag) {
		n->b->op = PREV_WHOLE;
		(void)check_previous(c, n->b);
	}
	if (n->b->kind != X_VAR && n->b->kind != X_ARRAY) {
		check_error(c, n->b->span, E_FORIN, STR_NIL, STR_NIL);
		return;
	}
	y = check_symbol(c, n->b, SYM_ARRAY);
	if (!y->used) {
		y->used = true;
		y->use = n->b->span;
	}
	n->op = ORDER_INSERTED;
	if (n->c != NULL) {
		for (i = 0; i < 4; i++)
			if (n->c->kind == X_STR &&
			    str_eq(n->c->text, str_c(orders[i])))
				break;
		if (i == 4)
			check_error(c, n->c->span, E_ORDER, n->c->kind == X_STR ?
			    n->c->text : STR_LIT("(an expression)"), STR_NIL);
		n->op = (uint8_t)(ORDER_KEY + i);
	}
	loop(c, n->list);
}

static void
switch_stmt(struct check *c, struct node *n)
{
	enum type t = check_expr(c, &n->a);
	struct node *q;

	if (t == TY_ANY)
		t = n->a->type = TY_STR;
	c->switches++;
	for (q = n->list; q != NULL; q = q->next)
		if (q->kind == S_CASE && q->a != NULL) {
			if (t == TY_NUM)
				check_want_num(c, &q->a);
			else
				check_want_str(c, &q->a, true);
		}
	check_stmts(c, n->list);
	c->switches--;
}

/* What ends or repeats a section's pass. */
static void
in_section(struct check *c, struct node *n)
{
	if (c->func != NULL)
		check_error(c, n->span, E_FUNC_STMT, str_c(word(n->kind)),
		    STR_NIL);
}

static void
in_rule(struct check *c, struct node *n)
{
	in_section(c, n);
	if (c->func == NULL && c->place != IN_RULE)
		check_error(c, n->span, E_OUTSIDE_RULE, str_c(word(n->kind)),
		    STR_NIL);
}

static void
one(struct check *c, struct node *n)
{
	struct node *q;
	struct symbol *y;

	switch (n->kind) {
	case S_SET:
		set(c, n);
		break;
	case S_DO:
		if (n->a->kind != X_CALL && n->a->kind != X_UCALL)
			check_error(c, n->a->span, E_DO_WANT, STR_NIL, STR_NIL);
		else
			check_expr(c, &n->a);
		break;
	case S_IF:
		for (q = n->list; q != NULL; q = q->next) {
			check_want_truth(c, &q->a);
			check_stmts(c, q->list);
		}
		if (n->b != NULL)
			check_stmts(c, n->b->list);
		break;
	case S_WHILE:
		check_want_truth(c, &n->a);
		loop(c, n->list);
		break;
	case S_REPEAT:
		loop(c, n->list);
		check_want_truth(c, &n->a);
		break;
	case S_FOR:
		one(c, n->a);
		check_want_truth(c, &n->b);
		one(c, n->c);
		loop(c, n->list);
		break;
	case S_FORIN:
		forin(c, n);
		break;
	case S_LINES:
		(void)target(c, n->a);
		check_command(c, &n->b);
		loop(c, n->list);
		break;
	case S_BREAK: case S_CONTINUE:
		if (c->loops == 0)
			check_error(c, n->span, E_OUTSIDE_LOOP,
			    str_c(word(n->kind)), STR_NIL);
		break;
	case S_SWITCH:
		switch_stmt(c, n);
		break;
	case S_BREAKSW:
		if (c->switches == 0)
			check_error(c, n->span, E_OUTSIDE_SWITCH, STR_NIL,
			    STR_NIL);
		break;
	case S_AGAIN: case S_REDO: case S_NEXT:
		in_rule(c, n);
		break;
	case S_SKIP:
		in_rule(c, n);
		check_want_num(c, &n->a);
		check_want_unit(c, n->a, "skip", UNIT_NONE);
		break;
	case S_LEAVE: case S_LAST:
		in_section(c, n);
		break;
	case S_PAUSE:
		check_want_num(c, &n->a);
		check_want_unit(c, n->a, "pause", UNIT_DURATION);
		break;
	case S_QUIT:
		in_section(c, n);
		if (n->a != NULL) {
			check_want_num(c, &n->a);
			check_want_unit(c, n->a, "quit", UNIT_NONE);
		}
		break;
	case S_DIE:
		in_section(c, n);
		check_want_str(c, &n->a, false);
		break;
	case S_UNSET:
		if (n->a->kind == X_VAR) {
			/* $a of an array empties it, a scalar becomes NIL */
			y = symbols_find(&c->sym, n->a->type == TY_NUM ?
			    '#' : '$', n->a->text);
			if (y != NULL && y->kind == SYM_ARRAY) {
				n->a->kind = X_ARRAY;
				n->a->sym = y;
			} else
				(void)target(c, n->a);
		} else {
			(void)check_symbol(c, n->a, SYM_ARRAY);
			if (n->a->kind == X_INDEX)
				check_keys(c, n->a);
		}
		break;
	case S_EXEC:
		exec(c, n);
		break;
	case S_OUTPUT:
		if (n->a != NULL)
			check_want_str(c, &n->a, false);
		if (n->b != NULL)
			check_want_str(c, &n->b, false);
		break;
	case S_LOCAL:
		check_local(c, n);
		break;
	case S_RETURN:
		check_return(c, n);
		break;
	case S_RECORD:
		check_want_num(c, &n->a);
		if (n->b == NULL)
			check_error(c, n->a->span, E_RECORD_AS, STR_NIL,
			    STR_NIL);
		else
			check_want_str(c, &n->b, true);
		break;
	case S_INCIDENT:
		check_incident(c, n);
		break;
	case S_ASSERT:
		check_want_truth(c, &n->a);
		check_want_str(c, &n->b, true);
		break;
	default:
		break;
	}
}

void
check_stmts(struct check *c, struct node *n)
{
	for (; n != NULL; n = n->next)
		one(c, n);
}
