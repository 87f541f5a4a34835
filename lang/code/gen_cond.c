/* gen_cond: conditions as jumps. */
#include "lang/base/num.h"
#include "lang/code/gen.h"

/* Where the condition begins: the node's own place is its operator. */
static struct span
begins(const struct node *n)
{
	while ((n->kind == X_CMP || n->kind == X_SCMP || n->kind == X_MATCH ||
	    n->kind == X_OP || n->kind == X_FCMP) && n->a != NULL &&
	    n->a->span.at < n->span.at)
		n = n->a;
	return n->span;
}

/* Emits "op a b k" and its jump, where n comes out as sense. */
static void
branch(struct gen *g, const struct node *n, enum opcode op, unsigned a,
    unsigned b, bool k, bool sense, int *chain)
{
	gen_emit(g, I_ABC(op, a, b, k ? 1 : 0));
	gen_fork(g, begins(n), sense, chain);
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
	case CMP_LT:	branch(g, n, lt, a, b, sense, sense, chain); break;
	case CMP_LE:	branch(g, n, le, a, b, sense, sense, chain); break;
	case CMP_GT:	branch(g, n, lt, b, a, sense, sense, chain); break;
	case CMP_GE:	branch(g, n, le, b, a, sense, sense, chain); break;
	case CMP_EQ:	branch(g, n, eq, a, b, sense, sense, chain); break;
	case CMP_NE:	branch(g, n, eq, a, b, !sense, sense, chain); break;
	case CMP_NGT:	branch(g, n, lt, b, a, !sense, sense, chain); break;
	case CMP_NLT:	branch(g, n, lt, a, b, !sense, sense, chain); break;
	case CMP_NGE:	branch(g, n, le, b, a, !sense, sense, chain); break;
	default:	branch(g, n, le, a, b, !sense, sense, chain); break;
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
		gen_fork(g, begins(n), sense, chain);
		return;
	}
	gen_emit(g, I_ABC(n->flag ? (keep ? OP_MATCHDI : OP_TESTDI) :
	    (keep ? OP_MATCHD : OP_TESTD), a, b, k));
	gen_fork(g, begins(n), sense, chain);
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
		branch(g, n, OP_FTEST, a, n->op, sense, sense, chain);
		break;
	default:	/* X_FCMP */
		branch(g, n, n->op == 0 ? OP_FNEWER : OP_FOLDER, a, b, sense,
		    sense, chain);
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
			branch(g, n, OP_DEFS, gen_s(g, a, -1), 0, sense, sense,
			    chain);
		else
			branch(g, n, OP_DEFN, gen_n(g, a, -1), 0, sense, sense,
			    chain);
		return true;
	case BI_EXISTS:
		r = gen_key(g, a->list);
		branch(g, n, OP_AHAS, a->sym->index, r, sense, sense, chain);
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
		branch(g, n, OP_TRUE, gen_n(g, n, -1), 0, sense, sense, chain);
		break;
	}
	g->tn = tn;
	g->ts = ts;
}
