/*
 * incident: the clauses of an incident statement, and the evidence that is
 * shown with it: its condition, and what the variables in that are.
 */
#include "lang/base/num.h"
#include "lang/check/inner.h"
#include "lang/syntax/build.h"

#define LIM_VALUES	8	/* values in one evidence: a line that is read */
#define LIM_VALUE_NAME	60	/* bytes of what such a value is the value of */

static const char *const clause_word[CL_COUNT] = { "when", "until", "hold",
    "remind", "absent", "level", "unless", "message", "onset", "clear" };

/* --- evidence --- */

struct evidence {
	struct check	*c;
	struct list	 parts;
	struct str	 name[LIM_VALUES];
	unsigned	 n;
	bool		 fields;	/* $1 is still what the condition saw */
};

static void
add_text(struct evidence *e, struct str s, struct span at)
{
	struct node *n = e->parts.tail;
	char *t;

	if (n != NULL && n->kind == X_STR) {
		t = arena_text(e->c->arena, n->text.n + s.n);
		memcpy(t, n->text.p, n->text.n);
		memcpy(t + n->text.n, s.p, s.n);
		n->text = str_of(t, n->text.n + s.n);
		return;
	}
	n = ast_new(e->c->p, X_STR, at);
	n->text = arena_dup(e->c->arena, s);
	n->type = TY_STR;
	e->parts = ast_append(e->parts, n);
}

/* "#x = " and its value; the tree has been checked, so the copy is. */
static void
add_value(struct evidence *e, const struct node *n)
{
	const struct buf *t = &e->c->p->src->text;
	struct str name;
	struct node *v, *w;
	unsigned i;

	if (e->n == LIM_VALUES || n->span.len > LIM_VALUE_NAME ||
	    n->span.at + n->span.len > t->n)
		return;
	name = str_of(t->p + n->span.at, n->span.len);
	for (i = 0; i < e->n; i++)
		if (str_eq(e->name[i], name))
			return;
	e->name[e->n] = name;
	add_text(e, e->n++ == 0 ? STR_LIT(" (") : STR_LIT(", "), n->span);
	add_text(e, name, n->span);
	add_text(e, n->type == TY_NUM ? STR_LIT(" = ") : STR_LIT(" = \""),
	    n->span);
	v = ast_new(e->c->p, n->kind, n->span);
	*v = *n;
	v->next = NULL;
	v->paren = false;
	if (n->type == TY_NUM) {
		w = ast_new(e->c->p, X_CALL, n->span);
		w->id = BI_TEXT;
		w->type = TY_STR;
		w->list = v;
		v = w;
	}
	e->parts = ast_append(e->parts, v);
	if (n->type != TY_NUM)
		add_text(e, STR_LIT("\""), n->span);
}

/* Keys that can be worked out again and stay the same. */
static bool
plain_keys(const struct node *k)
{
	for (; k != NULL; k = k->next)
		if (k->kind != X_VAR && k->kind != X_NUM && k->kind != X_STR)
			return false;
	return true;
}

static bool
has_match(const struct node *n)
{
	const struct node *q;

	if (n == NULL)
		return false;
	if ((n->kind == X_MATCH && !n->negate) ||
	    (n->kind == X_CALL && n->id == BI_SPLIT) || n->kind == X_UCALL)
		return true;
	for (q = n->list; q != NULL; q = q->next)
		if (has_match(q))
			return true;
	return has_match(n->a) || has_match(n->b);
}

static void
collect(struct evidence *e, const struct node *n)
{
	const struct node *q;

	if (n == NULL)
		return;
	switch (n->kind) {
	case X_VAR:
		add_value(e, n);
		return;
	case X_FIELD:
		if (e->fields)
			add_value(e, n);
		return;
	case X_INDEX: case X_PREV:
		if (plain_keys(n->list))
			add_value(e, n);
		break;
	default:
		break;
	}
	collect(e, n->a);
	collect(e, n->b);
	for (q = n->list; q != NULL; q = q->next)
		collect(e, q);
}

static struct node *
evidence(struct check *c, const struct node *when)
{
	struct evidence e = { .c = c, .fields = !has_match(when->a) };
	struct node *n;

	add_text(&e, when->text, when->span);
	collect(&e, when->a);
	if (e.n == 0)
		return e.parts.head;
	add_text(&e, STR_LIT(")"), when->span);
	n = ast_new(c->p, X_CAT, when->span);
	n->type = TY_STR;
	n->list = e.parts.head;
	return n;
}

/* --- clauses --- */

static void
number(struct check *c, struct node *q, enum unit unit, double least,
    double most, const char *least_text, const char *most_text)
{
	struct str word = str_c(clause_word[q->op]);
	const struct node *n;

	check_want_num(c, &q->a);
	n = q->a;
	check_want_unit(c, n, clause_word[q->op], unit);
	if (n->kind == X_NUM && (n->num < least || n->num > most ||
	    (unit == UNIT_NONE && !num_is_int(n->num))))
		diag_at(c->diag, n->span, E_VALUE_RANGE, word,
		    str_c(least_text), str_c(most_text));
}

static void
clause(struct check *c, struct node *q)
{
	int level;

	c->at_hand = q->op == CL_MESSAGE || q->op == CL_ONSET ||
	    q->op == CL_CLEAR;
	switch ((enum clause)q->op) {
	case CL_WHEN:
		check_want_truth(c, &q->a);
		q->b = evidence(c, q);
		break;
	case CL_UNTIL:
		check_want_truth(c, &q->a);
		break;
	case CL_HOLD: case CL_REMIND:
		number(c, q, UNIT_DURATION, 0, LIM_SPAN, "0s", "36600d");
		break;
	case CL_ABSENT:
		number(c, q, UNIT_NONE, 1, 1e6, "1 run", "1e6, a whole number");
		break;
	case CL_LEVEL:
		level = check_level(q->a->text);
		if (level < 0)
			check_error(c, q->a->span, E_LEVEL, q->a->text,
			    STR_NIL);
		q->num = level;
		break;
	case CL_UNLESS: case CL_MESSAGE:
		check_want_str(c, &q->a, false);
		break;
	case CL_ONSET: case CL_CLEAR: case CL_COUNT:
		check_stmts(c, q->list);
		break;
	}
	c->at_hand = false;
}

void
check_incident(struct check *c, struct node *n)
{
	static const enum clause required[] = { CL_WHEN, CL_MESSAGE };
	struct node *first[CL_COUNT] = { NULL }, *q;
	struct diag_item *d;
	size_t i;

	if (c->func != NULL) {
		d = check_error(c, n->span, E_FUNC_STMT, STR_LIT("incident"),
		    STR_NIL);
		diag_hint(c->diag, d, STR_LIT("let the function work out what "
		    "the clauses of the section's incident need"));
	}
	if (c->incident != NULL) {
		d = check_error(c, n->span, E_INCIDENT_IN, STR_NIL, STR_NIL);
		diag_other(c->diag, d, source_place(c->p->src,
		    c->incident->span.at), "the other one");
		return;
	}
	c->incident = n;
	check_want_str(c, &n->a, false);
	if (n->a->kind == X_STR && n->a->text.n == 0)
		check_error(c, n->a->span, E_INCIDENT_KEY, STR_NIL, STR_NIL);
	for (q = n->list; q != NULL; q = q->next) {
		if (first[q->op] != NULL) {
			d = check_error(c, q->span, E_CLAUSE_DUP,
			    str_c(clause_word[q->op]), STR_NIL);
			diag_other(c->diag, d, source_place(c->p->src,
			    first[q->op]->span.at), "first here");
			continue;
		}
		first[q->op] = q;
		clause(c, q);
	}
	for (i = 0; i < sizeof required / sizeof required[0]; i++)
		if (first[required[i]] == NULL && !c->p->broken)
			check_error(c, n->span, E_CLAUSE_WANT,
			    str_c(clause_word[required[i]]), STR_NIL);
	c->incident = NULL;
}
