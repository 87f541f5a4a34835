/* gen_call: code for calls and commands. */
#include "lang/base/num.h"
#include "lang/code/gen.h"

void
gen_call_raw(struct gen *g, int id, unsigned dest, unsigned nbase, unsigned nn,
    unsigned sbase, unsigned ns)
{
	gen_emit(g, I_ABX(builtin_info[id].ret == '#' ? OP_CALLN : OP_CALLS,
	    dest, id));
	gen_emit(g, CALL_EXT(nbase, sbase, nn, ns));
}

void
gen_call(struct gen *g, struct node *n, unsigned dest)
{
	unsigned nbase, sbase, nn = 0, ns = 0, i = 0, k = 0;
	struct node *q, *cmd = NULL;
	bool array = false;

	for (q = n->list; q != NULL; q = q->next) {
		if (q->site != NULL)
			cmd = q;
		else if (q->type == TY_STR && q->kind != X_ARRAY)
			ns++;
		else
			nn++;
	}
	nbase = g->nnvar + g->tn;
	sbase = g->nsvar + g->ts;
	for (i = 0; i < nn; i++)
		(void)gen_temp_n(g);
	for (i = 0; i < ns; i++)
		(void)gen_temp_s(g);
	i = 0;
	for (q = n->list; q != NULL; q = q->next) {
		uint32_t tn = g->tn, ts = g->ts;

		if (q->site != NULL)
			continue;
		if (q->kind == X_ARRAY || q->kind == X_HANDLE) {
			(void)gen_const_n(g, q->kind == X_ARRAY ?
			    q->sym->index : gen_handle(g, q->sym),
			    (int)(nbase + i++));
			if (q->kind == X_ARRAY &&
			    strchr(builtin_info[n->id].args, 'm') != NULL)
				array = true;
		} else if (q->type == TY_STR)
			(void)gen_s(g, q, (int)(sbase + k++));
		else
			(void)gen_n(g, q, (int)(nbase + i++));
		g->tn = tn;
		g->ts = ts;
	}
	if (cmd != NULL)
		gen_command(g, cmd);
	gen_call_raw(g, n->id, dest, nn == 0 ? 0 : nbase, nn,
	    ns == 0 ? 0 : sbase, array ? CALL_ARRAY : ns);
}

/* The checker made it where the tree lives; the program outlives that. */
static struct template
keep_template(struct gen *g, const struct template *from)
{
	struct template t = *from;
	struct piece *x;
	uint32_t i, j;

	t.show = arena_dup(g->arena, from->show);
	t.word = arena_alloc(g->arena, t.nword * sizeof *t.word);
	for (i = 0; i < t.nword; i++) {
		t.word[i] = from->word[i];
		x = arena_alloc(g->arena, t.word[i].npiece * sizeof *x);
		for (j = 0; j < t.word[i].npiece; j++) {
			x[j] = from->word[i].piece[j];
			x[j].text = arena_dup(g->arena, x[j].text);
		}
		t.word[i].piece = x;
	}
	return t;
}

void
gen_command(struct gen *g, const struct node *n)
{
	const struct command_site *site = n->site;
	struct program *p = g->prog;
	unsigned base = g->nsvar + g->ts;
	uint32_t ts = g->ts, i;
	struct template *tpl;

	for (i = 0; i < site->ndata; i++) {
		uint32_t tn = g->tn;
		unsigned t = gen_temp_s(g);
		uint32_t in = g->ts;

		(void)gen_s(g, site->data[i], (int)t);
		g->tn = tn;
		g->ts = in;
	}
	if (p->ntpl == g->captpl) {
		g->captpl = g->captpl == 0 ? 4 : g->captpl * 2;
		tpl = arena_alloc(g->arena, g->captpl * sizeof *tpl);
		if (p->ntpl > 0)
			memcpy(tpl, p->tpl, p->ntpl * sizeof *tpl);
		p->tpl = tpl;
	}
	if (p->ntpl > 0xffff)
		gen_too_complex(g);
	p->tpl[p->ntpl] = keep_template(g, &site->tpl);
	gen_emit(g, I_ABX(OP_CMD, site->ndata == 0 ? 0 : base, p->ntpl));
	p->ntpl++;
	g->ts = ts;
}

/* --- functions that the source defines --- */

uint32_t
gen_handle(const struct gen *g, const struct symbol *y)
{
	return g->handle == NULL ? y->index : g->handle[y->index];
}

/*
 * The arguments' registers begin where the caller's temporaries end: the
 * machine keeps those below over the call, and no others.
 */
void
gen_ucall(struct gen *g, struct node *n, unsigned dest)
{
	const struct function *f = n->func;
	unsigned nbase = g->nnvar + g->tn, sbase = g->nsvar + g->ts;
	unsigned nn = 0, ns = 0, i = 0, k = 0, a = 0;
	uint32_t tn, ts;
	struct node *q;

	for (q = n->list; q != NULL; q = q->next) {
		if (q->kind == X_ARRAY)
			continue;
		if (q->type == TY_STR) {
			(void)gen_temp_s(g);
			ns++;
		} else {
			(void)gen_temp_n(g);
			nn++;
		}
	}
	tn = g->tn;
	ts = g->ts;
	for (q = n->list; q != NULL; q = q->next) {
		if (q->kind == X_ARRAY)
			continue;
		if (q->type == TY_STR)
			(void)gen_s(g, q, (int)(sbase + k++));
		else
			(void)gen_n(g, q, (int)(nbase + i++));
		g->tn = tn;
		g->ts = ts;
	}
	for (q = n->list; q != NULL; q = q->next)
		if (q->kind == X_ARRAY)
			gen_emit(g, I_ABC(OP_ARRAY, a++, q->sym->index, 0));
	gen_emit(g, I_ABX(f->number ? OP_UCALLN : OP_UCALLS, dest, f->index));
	gen_emit(g, CALL_EXT(nn == 0 ? 0 : nbase, sbase, nn, ns));
}

void
gen_return(struct gen *g, struct node *n)
{
	const struct function *f = g->c->func;
	unsigned r;

	if (f->number)
		r = n == NULL || n->a == NULL ? gen_const_n(g, NUM_NIL, -1) :
		    gen_n(g, n->a, -1);
	else
		r = n == NULL || n->a == NULL ? gen_const_s(g, STR_NIL, -1) :
		    gen_s(g, n->a, -1);
	gen_leave_lines(g, NULL);
	if (g->trace)
		gen_trace_value(g, f->number, f->name, r);
	gen_emit(g, I_ABC(f->number ? OP_RETN : OP_RETS, r, 0, 0));
}
