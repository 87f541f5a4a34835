/*
 * gen_incident: an incident statement.  Its conditions know three values, as
 * what cannot be told must neither fire nor resolve anything: 1, 0, and NIL
 * for unknown.
 */
#include "lang/base/num.h"
#include "lang/code/gen.h"

static void	three(struct gen *, struct node *, unsigned d);

static void
jump_if(struct gen *g, enum opcode op, unsigned a, unsigned b, bool k,
    int *chain)
{
	gen_emit(g, I_ABC(op, a, b, k));
	gen_jump_to(g, chain);
}

/* Out of here if the operand has no value. */
static void
value_or(struct gen *g, const struct node *n, unsigned r, int *chain)
{
	if (n->kind == X_NUM || n->kind == X_STR)
		return;
	jump_if(g, n->type == TY_STR ? OP_DEFS : OP_DEFN, r, 0, false, chain);
}

/* What compares, and files: unknown where an operand is. */
static void
leaf(struct gen *g, struct node *n, unsigned d)
{
	int end = NO_JUMP, yes = NO_JUMP;
	unsigned a, b;

	(void)gen_const_n(g, NUM_NIL, (int)d);
	gen_operands(g, n, &a, &b);
	value_or(g, n->a, a, &end);
	if (n->b != NULL)
		value_or(g, n->b, b, &end);
	gen_compare(g, n, a, b, true, &yes);
	if (n->kind == X_MATCH)
		jump_if(g, OP_TOLD, 0, 0, false, &end);
	(void)gen_const_n(g, 0, (int)d);
	gen_jump_to(g, &end);
	gen_patch(g, &yes);
	(void)gen_const_n(g, 1, (int)d);
	gen_patch(g, &end);
}

/* A number's truth; NIL and ERR have none. */
static void
number(struct gen *g, struct node *n, unsigned d)
{
	int end = NO_JUMP, zero = NO_JUMP;
	unsigned r = gen_n(g, n, -1);

	(void)gen_const_n(g, NUM_NIL, (int)d);
	value_or(g, n, r, &end);
	gen_emit(g, I_ABC(OP_TRUE, r, 0, false));
	gen_fork(g, n->span, false, &zero);
	(void)gen_const_n(g, 1, (int)d);
	gen_jump_to(g, &end);
	gen_patch(g, &zero);
	(void)gen_const_n(g, 0, (int)d);
	gen_patch(g, &end);
}

/* What is always known: #defined and #exists. */
static void
known(struct gen *g, struct node *n, unsigned d)
{
	int end = NO_JUMP;

	(void)gen_const_n(g, 0, (int)d);
	gen_cond(g, n, false, &end);
	(void)gen_const_n(g, 1, (int)d);
	gen_patch(g, &end);
}

/*
 * d && n, or d || n, as Kleene has it: one 0 decides the first, one 1 the
 * second, whatever the other is.  Else d is 1 or NIL (0 or NIL), so product
 * and sum do the rest.
 */
static void
join(struct gen *g, struct node *n, bool is_and, unsigned d, int *decided)
{
	uint32_t tn = g->tn, ts = g->ts;
	int it_does = NO_JUMP, end = NO_JUMP;
	unsigned e = gen_temp_n(g);

	three(g, n, e);
	jump_if(g, OP_EQ, e, gen_const_n(g, is_and ? 0 : 1, -1), true,
	    &it_does);
	gen_emit(g, I_ABC(is_and ? OP_MUL : OP_ADD, d, d, e));
	gen_jump_to(g, &end);
	gen_patch(g, &it_does);
	gen_emit(g, I_ABC(OP_MOVN, d, e, 0));
	gen_jump_to(g, decided);
	gen_patch(g, &end);
	g->tn = tn;
	g->ts = ts;
}

/* A list of conditions, linked by next or by the two sides of n. */
static void
both(struct gen *g, struct node *a, struct node *rest, bool is_and,
    unsigned d)
{
	uint32_t tn = g->tn;
	int decided = NO_JUMP;

	three(g, a, d);
	for (; rest != NULL; rest = rest->next) {
		jump_if(g, OP_EQ, d, gen_const_n(g, is_and ? 0 : 1, -1), true,
		    &decided);
		g->tn = tn;
		join(g, rest, is_and, d, &decided);
	}
	gen_patch(g, &decided);
}

static void
negate(struct gen *g, struct node *n, unsigned d)
{
	three(g, n, d);
	gen_emit(g, I_ABC(OP_SUB, d, gen_const_n(g, 1, -1), d));
}

/* N[d] := 1, 0 or NIL. */
static void
three(struct gen *g, struct node *n, unsigned d)
{
	uint32_t tn = g->tn, ts = g->ts;

	switch (n->kind) {
	case X_NUM:
		(void)gen_const_n(g, num_true(n->num) ? 1 : 0, (int)d);
		break;
	case X_AND: case X_OR:
		both(g, n->a, n->b, n->kind == X_AND, d);
		break;
	case X_NOT:
		negate(g, n->a, d);
		break;
	case X_CMP: case X_SCMP: case X_MATCH: case X_FTEST: case X_FCMP:
		leaf(g, n, d);
		break;
	case X_CALL:
		switch (n->id) {
		case BI_AND: case BI_OR:
			both(g, n->list, n->list->next, n->id == BI_AND, d);
			break;
		case BI_NOTF:
			negate(g, n->list, d);
			break;
		case BI_DEFINED: case BI_EXISTS:
			known(g, n, d);
			break;
		default:
			number(g, n, d);
			break;
		}
		break;
	default:
		number(g, n, d);
		break;
	}
	g->tn = tn;
	g->ts = ts;
}

/* Of a clause that may be missing. */
static void
optional(struct gen *g, const struct node *q, unsigned d)
{
	if (q == NULL)
		(void)gen_const_n(g, 0, (int)d);
	else
		(void)gen_n(g, q->a, (int)d);
}

/* The clauses' values into their registers. */
static void
operands(struct gen *g, struct node *const *cl, unsigned n, unsigned s)
{
	int skip = NO_JUMP;
	uint32_t tn;

	three(g, cl[CL_WHEN]->a, n + STEP_WHEN);
	(void)gen_const_n(g, cl[CL_UNTIL] != NULL,
	    (int)(n + STEP_HAS_UNTIL));
	if (cl[CL_UNTIL] != NULL)
		three(g, cl[CL_UNTIL]->a, n + STEP_UNTIL);
	else
		(void)gen_const_n(g, NUM_NIL, (int)(n + STEP_UNTIL));
	optional(g, cl[CL_HOLD], n + STEP_HOLD);
	optional(g, cl[CL_REMIND], n + STEP_REMIND);
	optional(g, cl[CL_ABSENT], n + STEP_ABSENT);
	(void)gen_const_n(g, cl[CL_LEVEL] != NULL ? cl[CL_LEVEL]->num :
	    NUM_NIL, (int)(n + STEP_LEVEL));
	if (cl[CL_UNLESS] != NULL)
		(void)gen_s(g, cl[CL_UNLESS]->a, (int)(s + STEP_UNLESS));
	else
		(void)gen_const_s(g, STR_NIL, (int)(s + STEP_UNLESS));
	(void)gen_const_s(g, STR_NIL, (int)(s + STEP_MESSAGE));
	(void)gen_const_s(g, STR_NIL, (int)(s + STEP_EVIDENCE));
	tn = g->tn;
	jump_if(g, OP_EQ, n + STEP_WHEN, gen_const_n(g, 0, -1), true, &skip);
	g->tn = tn;
	(void)gen_s(g, cl[CL_WHEN]->b, (int)(s + STEP_EVIDENCE));
	(void)gen_s(g, cl[CL_MESSAGE]->a, (int)(s + STEP_MESSAGE));
	gen_patch(g, &skip);
}

static void
block(struct gen *g, const struct node *q, unsigned verdict, double which)
{
	uint32_t tn = g->tn;
	int other = NO_JUMP;

	if (q == NULL)
		return;
	gen_emit(g, I_ABC(OP_EQ, verdict, gen_const_n(g, which, -1), false));
	gen_fork(g, q->span, false, &other);
	g->tn = tn;
	if (g->trace)
		gen_emit(g, I_ABC(OP_TRCOND, 1, 0, 0));
	gen_stmts(g, q->list);
	gen_patch(g, &other);
}

void
gen_incident(struct gen *g, struct node *n)
{
	struct node *cl[CL_COUNT] = { NULL }, *q;
	unsigned num, s, v, i;
	uint32_t ts = g->ts;

	for (q = n->list; q != NULL; q = q->next)
		cl[q->op] = q;
	gen_emit(g, I_ABC(OP_ABOUT, gen_s(g, n->a, -1), 0, 0));
	g->ts = ts;
	v = gen_temp_n(g);
	num = gen_temp_n(g);
	for (i = 1; i < STEP_NUMBERS; i++)
		(void)gen_temp_n(g);
	s = gen_temp_s(g);
	for (i = 1; i < STEP_TEXTS; i++)
		(void)gen_temp_s(g);
	operands(g, cl, num, s);
	gen_emit(g, I_ABC(OP_INCIDENT, v, num, s));
	if (g->trace) {
		gen_trace_value(g, true, STR_LIT("when"), num + STEP_WHEN);
		gen_trace_value(g, true, STR_LIT("until"), num + STEP_UNTIL);
	}
	/* a block ends with v as it was: no other verdict follows it */
	block(g, cl[CL_ONSET], v, 1);
	block(g, cl[CL_CLEAR], v, 2);
}
