/* gen_stmt: code for statements. */
#include "lang/base/num.h"
#include "lang/code/gen.h"
#include "lang/syntax/build.h"

static void	stmt(struct gen *, struct node *);

void
gen_trace_value(struct gen *g, bool number, struct str name, unsigned reg)
{
	gen_emit(g, I_ABX(number ? OP_TRNUM : OP_TRSTR, reg,
	    gen_text(g, name)));
}

static void
trace_value(struct gen *g, const struct symbol *y, unsigned reg)
{
	struct buf b;

	if (!g->trace || y == NULL)
		return;
	buf_init(&b, g->arena->mem);
	buf_putc(&b, y->number ? '#' : '$');
	buf_str(&b, y->name);
	if (y->kind == SYM_ARRAY)
		buf_puts(&b, "[...]");
	gen_trace_value(g, y->number, buf_view(&b), reg);
	buf_free(&b);
}

static void
trace_cond(struct gen *g, bool taken)
{
	if (g->trace)
		gen_emit(g, I_ABC(OP_TRCOND, taken, 0, 0));
}

static void
set_element(struct gen *g, struct node *n)
{
	struct node *t = n->a;
	bool number = t->type == TY_NUM;
	unsigned key, v, arr = t->sym->index;

	key = gen_key(g, t->list);
	if (n->op == SET_PLAIN) {
		if (number) {
			v = gen_n(g, n->b, -1);
			gen_emit(g, I_ABC(OP_APUTN, arr, key, v));
		} else {
			v = gen_s(g, n->b, -1);
			gen_emit(g, I_ABC(OP_APUTS, arr, key, v));
		}
	} else if (n->op == SET_CAT) {
		unsigned base = gen_temp_s(g);

		(void)gen_s(g, n->b, (int)gen_temp_s(g));
		gen_emit(g, I_ABC(OP_AGETS, base, arr, key));
		/* a missing element starts empty */
		gen_emit(g, I_ABC(OP_BLANK, base, base, 0));
		gen_emit(g, I_ABC(OP_CAT, base, base, 2));
		gen_emit(g, I_ABC(OP_APUTS, arr, key, base));
		v = base;
	} else if (n->op == NUM_ADD) {
		v = gen_n(g, n->b, -1);
		gen_emit(g, I_ABC(OP_AINCR, arr, key, v));
		if (g->trace) {
			v = gen_temp_n(g);
			gen_emit(g, I_ABC(OP_AGETN, v, arr, key));
		}
	} else {
		unsigned old = gen_temp_n(g);

		v = gen_n(g, n->b, -1);
		gen_emit(g, I_ABC(OP_AGETN, old, arr, key));
		if (n->op == NUM_SUB)
			gen_emit(g, I_ABC(OP_DECR, old, old, v));
		else {
			if (n->op == NUM_BOR || n->op == NUM_BXOR)
				gen_emit(g, I_ABC(OP_ZERO, old, old, 0));
			gen_emit(g, I_ABC(OP_ADD + n->op, old, old, v));
		}
		gen_emit(g, I_ABC(OP_APUTN, arr, key, old));
		v = old;
	}
	trace_value(g, t->sym, v);
}

static void
set_number(struct gen *g, struct node *n)
{
	const struct symbol *y = n->a->sym;
	bool far = y->index >= g->nnvar;
	unsigned reg = far ? gen_temp_n(g) : y->index, v;
	uint32_t slot = y->index - g->nnvar;

	if (n->op == SET_PLAIN)
		(void)gen_n(g, n->b, (int)reg);
	else {
		v = gen_n(g, n->b, -1);
		if (far)
			gen_emit(g, I_ABX(OP_GETN, reg, slot));
		if (n->op == NUM_ADD || n->op == NUM_SUB)
			gen_emit(g, I_ABC(n->op == NUM_ADD ? OP_INCR :
			    OP_DECR, reg, reg, v));
		else {
			if (n->op == NUM_BOR || n->op == NUM_BXOR)
				gen_emit(g, I_ABC(OP_ZERO, reg, reg, 0));
			gen_emit(g, I_ABC(OP_ADD + n->op, reg, reg, v));
		}
	}
	if (far)
		gen_emit(g, I_ABX(OP_PUTN, reg, slot));
	gen_assigned(g, y);
	trace_value(g, y, reg);
}

static void
store_string(struct gen *g, const struct symbol *y, unsigned v)
{
	if (y->index < g->nsvar)
		gen_emit(g, I_ABC(OP_SETS, y->index, v, 0));
	else
		gen_emit(g, I_ABX(OP_PUTS, v, y->index - g->nsvar));
	gen_assigned(g, y);
}

static void
set_string(struct gen *g, struct node *n)
{
	const struct symbol *y = n->a->sym;
	unsigned v;

	if (n->op == SET_PLAIN) {
		v = gen_s(g, n->b, -1);
		store_string(g, y, v);
	} else if (y->index < g->nsvar) {
		v = gen_s(g, n->b, -1);
		gen_emit(g, I_ABC(OP_APPS, y->index, v, 0));
		gen_assigned(g, y);
		v = y->index;
	} else {
		unsigned base = gen_temp_s(g);

		(void)gen_s(g, n->b, (int)gen_temp_s(g));
		gen_emit(g, I_ABX(OP_GETS, base, y->index - g->nsvar));
		gen_emit(g, I_ABC(OP_BLANK, base, base, 0));
		gen_emit(g, I_ABC(OP_CAT, base, base, 2));
		store_string(g, y, base);
		v = base;
	}
	trace_value(g, y, v);
}

static void
set(struct gen *g, struct node *n)
{
	if (n->a->kind == X_INDEX)
		set_element(g, n);
	else if (n->a->type == TY_NUM)
		set_number(g, n);
	else
		set_string(g, n);
}

/* Without a value: NIL, or an array without elements. */
static void
local(struct gen *g, struct node *n)
{
	const struct symbol *y = n->a->sym;

	if (n->b != NULL)
		set(g, n);
	else if (n->a->kind == X_ARRAY)
		gen_emit(g, I_ABC(OP_ACLR, y->index, 0, 0));
	else if (y->number)
		(void)gen_const_n(g, NUM_NIL, (int)y->index);
	else
		store_string(g, y, gen_const_s(g, STR_NIL, -1));
}

static void
if_stmt(struct gen *g, struct node *n)
{
	struct node *arm;
	int next = NO_JUMP, end = NO_JUMP;

	for (arm = n->list; arm != NULL; arm = arm->next) {
		next = NO_JUMP;
		gen_cond(g, arm->a, false, &next);
		trace_cond(g, true);
		gen_stmts(g, arm->list);
		if (arm->next != NULL || n->b != NULL || g->trace)
			gen_jump_to(g, &end);
		gen_patch(g, &next);
		trace_cond(g, false);
	}
	if (n->b != NULL)
		gen_stmts(g, n->b->list);
	gen_patch(g, &end);
}

/* The body of a loop; breaks and continues are chained. */
static void
body(struct gen *g, struct node *list, int *breaks, int *continues)
{
	struct gen_loop l = { g->loop, breaks, continues };

	g->loop = &l;
	gen_stmts(g, list);
	g->loop = l.outer;
}

static void
loop(struct gen *g, struct node *n)
{
	int out = NO_JUMP, again = NO_JUMP, back = NO_JUMP;
	uint32_t top;

	switch (n->kind) {
	case S_WHILE:
		top = g->ncode;
		gen_cond(g, n->a, false, &out);
		trace_cond(g, true);
		body(g, n->list, &out, &again);
		gen_patch(g, &again);
		gen_loop_to(g, top);
		break;
	case S_REPEAT:
		top = g->ncode;
		body(g, n->list, &out, &again);
		gen_patch(g, &again);
		gen_cond(g, n->a, true, &back);
		gen_loop_to(g, top);
		gen_patch(g, &back);
		break;
	default:	/* S_FOR */
		stmt(g, n->a);
		top = g->ncode;
		gen_cond(g, n->b, false, &out);
		body(g, n->list, &out, &again);
		gen_patch(g, &again);
		stmt(g, n->c);
		gen_loop_to(g, top);
		break;
	}
	gen_patch(g, &out);
}

static void
forin(struct gen *g, struct node *n)
{
	int out = NO_JUMP, again = NO_JUMP;
	uint32_t top, slot = g->slots, ts = g->ts;
	unsigned t;

	if (slot == LIM_SLOTS) {
		diag_at(g->c->diag, n->span, E_LOOP_DEEP, STR_LIT("16"),
		    STR_NIL, STR_NIL);
		g->failed = true;
		return;
	}
	if (++g->slots > g->nslot)
		g->nslot = g->slots;
	gen_emit(g, I_ABC(OP_ITER, slot, n->b->sym->index, n->op));
	top = g->ncode;
	t = gen_temp_s(g);
	gen_emit(g, I_ABC(OP_NEXT, t, slot, 0));
	gen_fork(g, n->span, false, &out);
	store_string(g, n->a->sym, t);
	g->ts = ts;
	trace_value(g, n->a->sym, n->a->sym->index < g->nsvar ?
	    n->a->sym->index : t);
	body(g, n->list, &out, &again);
	gen_patch(g, &again);
	gen_loop_to(g, top);
	gen_patch(g, &out);
	g->slots--;
}

static void
close_lines(struct gen *g, const struct node *n)
{
	uint32_t tn = g->tn;
	unsigned r = gen_temp_n(g);

	(void)gen_const_n(g, (double)n->id, (int)r);
	gen_call_raw(g, BI_PCLOSE, r, r, 1, 0, 0);
	g->tn = tn;
}

void
gen_leave_lines(struct gen *g, const struct lines_in *until)
{
	const struct lines_in *in;

	for (in = g->lines; in != until; in = in->outer)
		close_lines(g, in->node);
}

/* foreach line: a handle of its own, opened, read and closed. */
static void
lines(struct gen *g, struct node *n)
{
	struct lines_in in = { g->lines, n };
	int out = NO_JUMP, again = NO_JUMP, stop = NO_JUMP, none = NO_JUMP;
	unsigned handle, r, mode, t;
	uint32_t top, tn = g->tn, ts = g->ts;

	handle = (unsigned)n->id;	/* given by codegen's walk */
	r = gen_temp_n(g);
	mode = gen_temp_s(g);
	(void)gen_const_n(g, handle, (int)r);
	(void)gen_const_s(g, STR_LIT("r"), (int)mode);
	gen_command(g, n->b);
	t = gen_temp_n(g);
	gen_call_raw(g, BI_POPEN, t, r, 1, mode, 1);
	gen_emit(g, I_ABC(OP_LT, gen_const_n(g, 0, -1), t, 0));
	gen_jump_to(g, &none);	/* it has said why */
	g->tn = tn;
	g->ts = ts;
	top = g->ncode;
	r = gen_temp_n(g);
	t = gen_temp_n(g);
	(void)gen_const_n(g, handle, (int)r);
	gen_call_raw(g, BI_READ, t, r, 1, 0, 0);
	gen_emit(g, I_ABC(OP_LT, gen_const_n(g, 0, -1), t, 0));
	gen_fork(g, n->span, false, &stop);
	g->tn = tn;
	t = gen_temp_s(g);
	gen_emit(g, I_ABC(OP_RDLIN, t, 0, 0));
	store_string(g, n->a->sym, t);
	g->ts = ts;
	g->lines = &in;
	body(g, n->list, &out, &again);
	g->lines = in.outer;
	gen_patch(g, &again);
	gen_loop_to(g, top);
	gen_patch(g, &stop);
	gen_patch(g, &out);
	close_lines(g, n);
	gen_patch(g, &none);
	g->tn = tn;
}

static void
switch_stmt(struct gen *g, struct node *n)
{
	int end = NO_JUMP, other = NO_JUMP, *outer = g->breaksw;
	uint32_t tn = g->tn, ts = g->ts;
	struct lines_in *outer_lines = g->switch_lines;
	struct node *q;
	bool number = n->a->type == TY_NUM;
	unsigned v, w;

	v = number ? gen_n(g, n->a, -1) : gen_s(g, n->a, -1);
	for (q = n->list; q != NULL; q = q->next) {
		uint32_t in = g->tn, is = g->ts;

		if (q->kind != S_CASE)
			continue;
		q->id = NO_JUMP;
		if (q->a == NULL)
			continue;
		w = number ? gen_n(g, q->a, -1) : gen_s(g, q->a, -1);
		gen_emit(g, I_ABC(number ? OP_EQ : OP_SEQ, v, w, 1));
		gen_fork(g, q->a->span, true, &q->id);
		g->tn = in;
		g->ts = is;
	}
	g->tn = tn;
	g->ts = ts;
	gen_jump_to(g, &other);
	g->breaksw = &end;
	g->switch_lines = g->lines;
	for (q = n->list; q != NULL; q = q->next) {
		if (q->kind != S_CASE) {
			stmt(g, q);
			continue;
		}
		gen_patch(g, q->a == NULL ? &other : &q->id);
	}
	g->breaksw = outer;
	g->switch_lines = outer_lines;
	gen_patch(g, &other);
	gen_patch(g, &end);
}

static void
exec(struct gen *g, struct node *n)
{
	struct node *o;

	/* A function called for the command's data must find no options, and
	 * none of them lost when it comes back: they are set last. */
	for (o = n->list; o != NULL; o = o->next)
		o->id = (int)(o->op == XOPT_AS || o->op == XOPT_IN ?
		    gen_s(g, o->a, -1) : gen_n(g, o->a, -1));
	gen_command(g, n->a);
	for (o = n->list; o != NULL; o = o->next)
		gen_emit(g, I_ABC(o->op == XOPT_AS || o->op == XOPT_IN ?
		    OP_XOPTS : OP_XOPTN, o->op, o->id, 0));
	gen_emit(g, I_ABC(OP_EXEC, n->op + (n->flag ? 4 : 0), 0, 0));
}

static void
output(struct gen *g, struct node *n)
{
	unsigned target, text;

	target = n->a == NULL ? gen_const_s(g, STR_EMPTY, -1) :
	    gen_s(g, n->a, -1);
	text = n->b == NULL ? gen_const_s(g, STR_EMPTY, -1) :
	    gen_s(g, n->b, -1);
	gen_emit(g, I_ABC(OP_OUT, n->op, target, text));
}

static void
unset(struct gen *g, struct node *n)
{
	struct node *t = n->a;

	switch (t->kind) {
	case X_ARRAY:
		gen_emit(g, I_ABC(OP_ACLR, t->sym->index, 0, 0));
		break;
	case X_INDEX:
		gen_emit(g, I_ABC(OP_ADEL, t->sym->index,
		    gen_key(g, t->list), 0));
		break;
	default:
		if (t->type == TY_STR)
			store_string(g, t->sym, gen_const_s(g, STR_NIL, -1));
		else if (t->sym->index < g->nnvar)
			(void)gen_const_n(g, NUM_NIL, (int)t->sym->index);
		else
			gen_emit(g, I_ABX(OP_PUTN, gen_const_n(g, NUM_NIL, -1),
			    t->sym->index - g->nnvar));
		if (t->type == TY_NUM)
			gen_assigned(g, t->sym);
		break;
	}
}

static void
stmt(struct gen *g, struct node *n)
{
	uint32_t tn = g->tn, ts = g->ts;
	int skip = NO_JUMP;
	struct node *q;
	unsigned r;
	bool cover;

	g->at = n->span;
	gen_place(g, n->span);
	switch (n->kind) {
	case S_SET:
		set(g, n);
		break;
	case S_DO:
		q = n->a;
		if (q->kind == X_UCALL) {
			gen_ucall(g, q, q->type == TY_NUM ? gen_temp_n(g) :
			    gen_temp_s(g));
			break;
		}
		if (builtin_info[q->id].flags & FN_INTRINSIC) {
			if (q->type == TY_NUM)
				(void)gen_n(g, q, -1);
			else
				(void)gen_s(g, q, -1);
		} else if (q->type == TY_NUM)
			gen_call(g, q, gen_temp_n(g));
		else
			gen_call(g, q, gen_temp_s(g));
		break;
	case S_IF:
		if_stmt(g, n);
		break;
	case S_WHILE: case S_REPEAT: case S_FOR:
		loop(g, n);
		break;
	case S_FORIN:
		forin(g, n);
		break;
	case S_LINES:
		lines(g, n);
		break;
	case S_BREAK:
		gen_jump_to(g, g->loop->breaks);
		break;
	case S_CONTINUE:
		gen_jump_to(g, g->loop->continues);
		break;
	case S_SWITCH:
		switch_stmt(g, n);
		break;
	case S_BREAKSW:
		gen_leave_lines(g, g->switch_lines);
		gen_jump_to(g, g->breaksw);
		break;
	case S_AGAIN:
		gen_leave_lines(g, NULL);
		gen_loop_to(g, g->rule_pc);
		break;
	case S_LEAVE:
		gen_leave_lines(g, NULL);
		gen_jump_to(g, g->leave);
		break;
	case S_REDO:
		gen_leave_lines(g, NULL);
		gen_emit(g, I_ABC(OP_REDO, 0, 0, 0));
		break;
	case S_NEXT:
		gen_leave_lines(g, NULL);
		gen_emit(g, I_ABC(OP_NEXTLN, 0, 0, 0));
		break;
	case S_SKIP:
		r = gen_n(g, n->a, -1);
		gen_leave_lines(g, NULL);
		gen_emit(g, I_ABC(OP_SKIP, r, 0, 0));
		break;
	case S_LAST:
		gen_leave_lines(g, NULL);
		gen_emit(g, I_ABC(OP_LAST, 0, 0, 0));
		break;
	case S_PAUSE:
		gen_emit(g, I_ABC(OP_PAUSE, gen_n(g, n->a, -1), 0, 0));
		break;
	case S_QUIT:
		gen_emit(g, I_ABC(OP_QUIT, n->a == NULL ?
		    gen_const_n(g, 0, -1) : gen_n(g, n->a, -1),
		    n->a != NULL, 0));
		break;
	case S_DIE:
		gen_emit(g, I_ABC(OP_DIE, gen_s(g, n->a, -1), 0, 0));
		break;
	case S_LOCAL:
		local(g, n);
		break;
	case S_RETURN:
		gen_return(g, n);
		break;
	case S_UNSET:
		unset(g, n);
		break;
	case S_EXEC:
		exec(g, n);
		break;
	case S_OUTPUT:
		output(g, n);
		break;
	case S_RECORD:
		r = gen_n(g, n->a, -1);
		gen_emit(g, I_ABC(OP_RECORD, r, gen_s(g, n->b, -1), 0));
		break;
	case S_INCIDENT:
		gen_incident(g, n);
		break;
	case S_ASSERT:
		/* one that fails ends the run: nobody waits for that */
		cover = g->cover;
		g->cover = false;
		gen_cond(g, n->a, true, &skip);
		g->cover = cover;
		gen_emit(g, I_ABC(OP_FAIL, gen_s(g, n->b, -1), 0, 0));
		gen_patch(g, &skip);
		break;
	default:
		break;
	}
	g->tn = tn;
	g->ts = ts;
}

void
gen_stmts(struct gen *g, struct node *n)
{
	for (; n != NULL && !g->failed; n = n->next)
		stmt(g, n);
}
