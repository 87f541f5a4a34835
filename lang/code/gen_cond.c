/* gen_cond: conditions as jumps. */
#include "lang/base/num.h"
#include "lang/code/gen.h"

/* Emits "op a b k" and its jump. */
static void
branch(struct gen *g, enum opcode op, unsigned a, unsigned b, bool k,
    int *chain)
{
	gen_emit(g, I_ABC(op, a, b, k ? 1 : 0));
	gen_jump_to(g, chain);
}

void
gen_operands(struct gen *g, const struct node *n, unsigned *a, unsigned *b)
{
	bool number = n->kind == X_CMP;

	*a = number ? gen_n(g, n->a, -1) : gen_s(g, n->a, -1);
	*b = 0;
	if (n->b != NULL && (n->kind != X_MATCH || n->b->kind != X_STR))
		*b = number ? gen_n(g, n->b, -1) : gen_s(g, n->b, -1);
}

static void
compare(struct gen *g, const struct node *n, unsigned a, unsigned b,
    bool sense, int *chain)
{
	bool str = n->kind == X_SCMP;
	enum opcode lt = str ? OP_SLT : OP_LT, le = str ? OP_SLE : OP_LE,
	    eq = str ? OP_SEQ : OP_EQ;

	switch (n->op) {
	case CMP_LT:	branch(g, lt, a, b, sense, chain); break;
	case CMP_LE:	branch(g, le, a, b, sense, chain); break;
	case CMP_GT:	branch(g, lt, b, a, sense, chain); break;
	case CMP_GE:	branch(g, le, b, a, sense, chain); break;
	case CMP_EQ:	branch(g, eq, a, b, sense, chain); break;
	case CMP_NE:	branch(g, eq, a, b, !sense, chain); break;
	case CMP_NGT:	branch(g, lt, b, a, !sense, chain); break;
	case CMP_NLT:	branch(g, lt, a, b, !sense, chain); break;
	case CMP_NGE:	branch(g, le, b, a, !sense, chain); break;
	default:	branch(g, le, a, b, !sense, chain); break;
	}
}

static void
match(struct gen *g, const struct node *n, unsigned a, unsigned b,
    bool sense, int *chain)
{
	struct check *c = g->c;
	/* only a match that can succeed sets anything, and only if the
	 * script looks */
	bool keep = !n->negate && (c->uses_zero || (c->uses_fields &&
	    (n->b->kind != X_STR || n->id > 0)));
	unsigned k;

	/* where a limit is hit neither =~ nor !~ is true */
	k = n->negate ? (sense ? 0 : 1) + 2u : sense;
	if (n->b->kind == X_STR) {
		gen_emit(g, I_ABC(keep ? OP_MATCH : OP_TEST, a, 0, k));
		gen_emit(g, I_OAX(OP_EXT, gen_regex(g, n->b->text, n->flag)));
		gen_jump_to(g, chain);
		return;
	}
	gen_emit(g, I_ABC(n->flag ? (keep ? OP_MATCHDI : OP_TESTDI) :
	    (keep ? OP_MATCHD : OP_TESTD), a, b, k));
	gen_jump_to(g, chain);
}

void
gen_compare(struct gen *g, const struct node *n, unsigned a, unsigned b,
    bool sense, int *chain)
{
	switch (n->kind) {
	case X_CMP: case X_SCMP:
		compare(g, n, a, b, sense, chain);
		break;
	case X_MATCH:
		match(g, n, a, b, sense, chain);
		break;
	case X_FTEST:
		branch(g, OP_FTEST, a, n->op, sense, chain);
		break;
	default:	/* X_FCMP */
		branch(g, n->op == 0 ? OP_FNEWER : OP_FOLDER, a, b, sense,
		    chain);
		break;
	}
}

/* a && b, or a || b with every sense turned. */
static void
both(struct gen *g, struct node *a, struct node *b, bool is_and, bool sense,
    int *chain)
{
	int skip = NO_JUMP;

	if (is_and != sense) {
		gen_cond(g, a, sense, chain);
		gen_cond(g, b, sense, chain);
	} else {
		gen_cond(g, a, !sense, &skip);
		gen_cond(g, b, sense, chain);
		gen_patch(g, &skip);
	}
}

/* #and(...) and #or(...) of any number. */
static void
many(struct gen *g, struct node *list, bool is_and, bool sense, int *chain)
{
	int skip = NO_JUMP;

	for (; list->next != NULL; list = list->next)
		gen_cond(g, list, !is_and, is_and != sense ? chain : &skip);
	gen_cond(g, list, sense, chain);
	gen_patch(g, &skip);
}

static bool
intrinsic(struct gen *g, struct node *n, bool sense, int *chain)
{
	struct node *a = n->list;
	unsigned r;

	switch (n->id) {
	case BI_DEFINED:
		if (a->type == TY_STR)
			branch(g, OP_DEFS, gen_s(g, a, -1), 0, sense, chain);
		else
			branch(g, OP_DEFN, gen_n(g, a, -1), 0, sense, chain);
		return true;
	case BI_EXISTS:
		r = gen_key(g, a->list);
		branch(g, OP_AHAS, a->sym->index, r, sense, chain);
		return true;
	case BI_AND: case BI_OR:
		many(g, a, n->id == BI_AND, sense, chain);
		return true;
	case BI_NOTF:
		gen_cond(g, a, !sense, chain);
		return true;
	default:
		return false;
	}
}

void
gen_cond(struct gen *g, struct node *n, bool sense, int *chain)
{
	uint32_t tn = g->tn, ts = g->ts;
	unsigned a, b;

	switch (n->kind) {
	case X_NUM:
		if (num_true(n->num) == sense)
			gen_jump_to(g, chain);
		break;
	case X_AND: case X_OR:
		both(g, n->a, n->b, n->kind == X_AND, sense, chain);
		break;
	case X_NOT:
		gen_cond(g, n->a, !sense, chain);
		break;
	case X_CMP: case X_SCMP: case X_MATCH: case X_FTEST: case X_FCMP:
		gen_operands(g, n, &a, &b);
		gen_compare(g, n, a, b, sense, chain);
		break;
	case X_CALL:
		if (intrinsic(g, n, sense, chain))
			break;
		/* FALLTHROUGH */
	default:
		branch(g, OP_TRUE, gen_n(g, n, -1), 0, sense, chain);
		break;
	}
	g->tn = tn;
	g->ts = ts;
}
