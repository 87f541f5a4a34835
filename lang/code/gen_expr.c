/* gen_expr: code for expressions and conditions. */
#include "lang/base/num.h"
#include "lang/code/gen.h"

unsigned
gen_temp_n(struct gen *g)
{
	if (g->tn >= LIM_TEMPS)
		gen_too_complex(g);
	else if (++g->tn > g->nntemp)
		g->nntemp = g->tn;
	return g->nnvar + g->tn - 1;
}

unsigned
gen_temp_s(struct gen *g)
{
	if (g->ts >= LIM_TEMPS)
		gen_too_complex(g);
	else if (++g->ts > g->nstemp)
		g->nstemp = g->ts;
	return g->nsvar + g->ts - 1;
}

static unsigned
dest_n(struct gen *g, int want)
{
	return want >= 0 ? (unsigned)want : gen_temp_n(g);
}

static unsigned
dest_s(struct gen *g, int want)
{
	return want >= 0 ? (unsigned)want : gen_temp_s(g);
}

static unsigned
move_n(struct gen *g, unsigned from, int want)
{
	if (want < 0 || (unsigned)want == from)
		return from;
	gen_emit(g, I_ABC(OP_MOVN, want, from, 0));
	return (unsigned)want;
}

static unsigned
move_s(struct gen *g, unsigned from, int want)
{
	if (want < 0 || (unsigned)want == from)
		return from;
	gen_emit(g, I_ABC(OP_MOVS, want, from, 0));
	return (unsigned)want;
}

unsigned
gen_const_n(struct gen *g, double v, int want)
{
	struct program *p = g->prog;
	struct map_entry *e;
	bool is_new;
	double *num;
	uint32_t k;
	unsigned d;

	e = map_put(&g->nums, str_of((const char *)&v, sizeof v), &is_new);
	if (is_new) {
		if (p->nnum == g->capnum) {
			g->capnum = g->capnum == 0 ? 16 : g->capnum * 2;
			num = arena_alloc(g->arena, g->capnum * sizeof *num);
			if (p->nnum > 0)
				memcpy(num, p->num, p->nnum * sizeof *num);
			p->num = num;
		}
		p->num[p->nnum] = v;
		e->v.num = p->nnum++;
		if (p->nnum <= LIM_REGS - LIM_TEMPS - g->most_n)
			p->nnconst = p->nnum;
	}
	k = (uint32_t)e->v.num;
	if (k < p->nnconst)
		return move_n(g, LIM_REGS - 1 - k, want);
	if (k > 0xffff)
		gen_too_complex(g);
	d = dest_n(g, want);
	gen_emit(g, I_ABX(OP_LOADN, d, k & 0xffff));
	return d;
}

uint32_t
gen_text(struct gen *g, struct str s)
{
	struct program *p = g->prog;
	struct map_entry *e;
	struct str key, *text;
	char none[2] = { '\0', 'N' };
	bool is_new;

	/* NIL and ERR are constants, too: keys that no text can be are made
	 * of their text with a byte in front */
	if (str_none(s)) {
		none[1] = s.n == 0 ? 'N' : 'E';
		key = str_of(none, 2);
	} else
		key = s;
	e = map_put(&g->texts, key, &is_new);
	if (is_new) {
		if (p->ntext == g->captext) {
			g->captext = g->captext == 0 ? 16 : g->captext * 2;
			text = arena_alloc(g->arena, g->captext * sizeof *text);
			if (p->ntext > 0)
				memcpy(text, p->text, p->ntext * sizeof *text);
			p->text = text;
		}
		p->text[p->ntext] = str_none(s) ? s : arena_dup(g->arena, s);
		e->v.num = p->ntext++;
		if (p->ntext <= LIM_REGS - LIM_TEMPS - g->most_s)
			p->nsconst = p->ntext;
	}
	if (e->v.num > 0xffff)
		gen_too_complex(g);
	return (uint32_t)e->v.num & 0xffff;
}

unsigned
gen_const_s(struct gen *g, struct str s, int want)
{
	uint32_t k = gen_text(g, s);
	unsigned d;

	if (k < g->prog->nsconst)
		return move_s(g, LIM_REGS - 1 - k, want);
	d = dest_s(g, want);
	gen_emit(g, I_ABX(OP_LOADS, d, k));
	return d;
}

uint32_t
gen_regex(struct gen *g, struct str pattern, bool icase)
{
	struct program *p = g->prog;
	struct map_entry *e;
	struct regex *re;
	bool is_new;

	e = map_put(&g->regexes[icase], pattern, &is_new);
	if (!is_new)
		return (uint32_t)e->v.num;
	e->v.num = p->nregex;
	if (p->nregex == g->capregex) {
		g->capregex = g->capregex == 0 ? 8 : g->capregex * 2;
		re = arena_alloc(g->arena, g->capregex * sizeof *re);
		if (p->nregex > 0)
			memcpy(re, p->regex, p->nregex * sizeof *re);
		p->regex = re;
	}
	p->regex[p->nregex].pattern = arena_dup(g->arena, pattern);
	p->regex[p->nregex].icase = icase;
	return p->nregex++;
}

/* %x and @x of a scalar or dat. */
static unsigned
earlier(struct gen *g, const struct node *n, unsigned d, bool number)
{
	const struct symbol *y = n->sym, *of = y->of == NULL ? y : y->of;
	bool by_line = g->prog->kept[y->kept].by_line &&
	    (g->place == IN_RULE || (g->place == IN_END &&
	    of->kind == SYM_DAT));
	enum opcode op = n->flag ? OP_BEFN : by_line ? OP_PREVKN : OP_PREVN;

	/* that of strings stands behind that of numbers */
	gen_emit(g, I_ABX(number ? op : op + 1, d, y->kept));
	return d;
}
_Static_assert(OP_BEFS == OP_BEFN + 1 && OP_PREVKS == OP_PREVKN + 1 &&
    OP_PREVS == OP_PREVN + 1 && OP_BGETS == OP_BGETN + 1, "pairs");

/* A condition as a number: 1 or 0. */
static unsigned
cond_value(struct gen *g, struct node *n, int want)
{
	int no = NO_JUMP, end = NO_JUMP;
	uint32_t tn = g->tn, ts = g->ts;
	unsigned d;

	gen_cond(g, n, false, &no);
	g->tn = tn;
	g->ts = ts;
	d = dest_n(g, want);
	(void)gen_const_n(g, 1, (int)d);
	gen_jump_to(g, &end);
	gen_patch(g, &no);
	(void)gen_const_n(g, 0, (int)d);
	gen_patch(g, &end);
	return d;
}

/* #if and $if: only the arm that counts is worked out. */
static unsigned
choose(struct gen *g, struct node *n, int want, bool number)
{
	struct node *a = n->list, *b = a->next, *c = b->next;
	int no = NO_JUMP, end = NO_JUMP;
	uint32_t tn = g->tn, ts = g->ts;
	unsigned d;

	gen_cond(g, a, false, &no);
	g->tn = tn;
	g->ts = ts;
	/* a variable that is set may stand in the arms: take a temporary */
	d = number ? dest_n(g, want) : dest_s(g, want);
	if (number)
		(void)gen_n(g, b, (int)d);
	else
		(void)gen_s(g, b, (int)d);
	gen_jump_to(g, &end);
	gen_patch(g, &no);
	if (number)
		(void)gen_n(g, c, (int)d);
	else
		(void)gen_s(g, c, (int)d);
	gen_patch(g, &end);
	return d;
}

static unsigned
intrinsic_n(struct gen *g, struct node *n, int want)
{
	uint32_t tn = g->tn, ts = g->ts;
	unsigned d, r;

	switch (n->id) {
	case BI_NIF:
		return choose(g, n, want, true);
	case BI_VALUE:
		if (n->list->kind == X_FIELD && n->list->id > 0) {
			d = dest_n(g, want);
			gen_emit(g, I_ABX(OP_FIELDN, d, n->list->id));
			return d;
		}
		r = gen_s(g, n->list, -1);
		g->tn = tn;
		g->ts = ts;
		d = dest_n(g, want);
		gen_emit(g, I_ABC(OP_VALUE, d, r, 0));
		return d;
	default:
		return cond_value(g, n, want);
	}
}

unsigned
gen_n(struct gen *g, struct node *n, int want)
{
	static const enum opcode ops[] = { OP_ADD, OP_SUB, OP_MUL, OP_DIV,
	    OP_MOD, OP_POW, OP_BAND, OP_BOR, OP_BXOR, OP_SHL, OP_SHR, OP_NEG,
	    OP_BNOT, OP_NOT };
	uint32_t tn = g->tn, ts = g->ts;
	unsigned d, a, b;

	switch (n->kind) {
	case X_NUM:
		return gen_const_n(g, n->num, want);
	case X_NIL:
		return gen_const_n(g, n->flag ? NUM_ERR : NUM_NIL, want);
	case X_VAR:
		if (n->sym->kind == SYM_DAT) {
			d = dest_n(g, want);
			gen_emit(g, I_ABX(OP_DATN, d, n->sym->index));
			return d;
		}
		if (n->sym->index < g->nnvar)
			return move_n(g, n->sym->index, want);
		d = dest_n(g, want);
		gen_emit(g, I_ABX(OP_GETN, d, n->sym->index - g->nnvar));
		return d;
	case X_PREV:
		if (n->op == PREV_SCALAR)
			return earlier(g, n, dest_n(g, want), true);
		/* FALLTHROUGH */
	case X_INDEX:
		b = gen_key(g, n->list);
		g->tn = tn;
		g->ts = ts;
		d = dest_n(g, want);
		gen_emit(g, I_ABC(n->kind == X_PREV ? OP_BGETN : OP_AGETN, d,
		    n->sym->index, b));
		return d;
	case X_OP:
		a = gen_n(g, n->a, -1);
		b = n->b == NULL ? 0 : gen_n(g, n->b, -1);
		g->tn = tn;
		g->ts = ts;
		d = dest_n(g, want);
		gen_emit(g, I_ABC(ops[n->op], d, a, b));
		return d;
	case X_NOT:
		a = gen_n(g, n->a, -1);
		g->tn = tn;
		g->ts = ts;
		d = dest_n(g, want);
		gen_emit(g, I_ABC(OP_NOT, d, a, 0));
		return d;
	case X_CALL:
		if (builtin_info[n->id].flags & FN_INTRINSIC)
			return intrinsic_n(g, n, want);
		/* the result's register is taken last: arguments first */
		gen_call(g, n, want >= 0 ? (unsigned)want :
		    g->nnvar + tn);
		g->tn = tn;
		g->ts = ts;
		return dest_n(g, want);
	case X_UCALL:
		gen_ucall(g, n, want >= 0 ? (unsigned)want : g->nnvar + tn);
		g->tn = tn;
		g->ts = ts;
		return dest_n(g, want);
	default:
		return cond_value(g, n, want);
	}
}

static unsigned
cat(struct gen *g, struct node *n, int want)
{
	uint32_t tn = g->tn, ts = g->ts;
	unsigned base = g->nsvar + ts, k = 0, d;
	struct node *q;

	for (q = n->list; q != NULL; q = q->next) {
		if (k == CAT_CHUNK) {
			gen_emit(g, I_ABC(OP_CAT, base, base, k));
			g->ts = ts + 1;
			k = 1;
		}
		(void)gen_s(g, q, (int)gen_temp_s(g));
		k++;
	}
	g->tn = tn;
	g->ts = ts;
	d = dest_s(g, want);
	gen_emit(g, I_ABC(OP_CAT, d, base, k));
	return d;
}

static unsigned
intrinsic_s(struct gen *g, struct node *n, int want)
{
	uint32_t tn = g->tn, ts = g->ts;
	unsigned d, a, b;

	if (n->id == BI_SIF)
		return choose(g, n, want, false);
	/* BI_TEXT; all others have been replaced or refused */
	a = gen_n(g, n->list, -1);
	b = n->list->next == NULL ? 0 : gen_n(g, n->list->next, -1);
	g->tn = tn;
	g->ts = ts;
	d = dest_s(g, want);
	gen_emit(g, I_ABC(n->list->next == NULL ? OP_TEXT : OP_TEXTD, d, a, b));
	return d;
}

unsigned
gen_s(struct gen *g, struct node *n, int want)
{
	uint32_t tn = g->tn, ts = g->ts;
	unsigned d, a;
	int which;

	switch (n->kind) {
	case X_STR:
		return gen_const_s(g, n->text, want);
	case X_NIL:
		return gen_const_s(g, n->flag ? STR_ERR : STR_NIL, want);
	case X_VAR:
		if (check_special(n, &which)) {
			d = dest_s(g, want);
			gen_emit(g, I_ABC(which == 0 ? OP_LINE : OP_RDLIN, d,
			    0, 0));
			return d;
		}
		if (n->sym->kind == SYM_DAT) {
			d = dest_s(g, want);
			gen_emit(g, I_ABX(OP_DATS, d, n->sym->index));
			return d;
		}
		if (n->sym->index < g->nsvar)
			return move_s(g, n->sym->index, want);
		d = dest_s(g, want);
		gen_emit(g, I_ABX(OP_GETS, d, n->sym->index - g->nsvar));
		return d;
	case X_PREV:
		if (n->op == PREV_SCALAR)
			return earlier(g, n, dest_s(g, want), false);
		/* FALLTHROUGH */
	case X_INDEX:
		a = gen_key(g, n->list);
		g->tn = tn;
		g->ts = ts;
		d = dest_s(g, want);
		gen_emit(g, I_ABC(n->kind == X_PREV ? OP_BGETS : OP_AGETS, d,
		    n->sym->index, a));
		return d;
	case X_FIELD:
		d = dest_s(g, want);
		gen_emit(g, I_ABX(OP_FIELD, d, n->id));
		return d;
	case X_FIELDX:
		a = gen_n(g, n->a, -1);
		g->tn = tn;
		g->ts = ts;
		d = dest_s(g, want);
		gen_emit(g, I_ABC(OP_FIELDX, d, a, 0));
		return d;
	case X_CAT:
		return cat(g, n, want);
	case X_CALL:
		if (builtin_info[n->id].flags & FN_INTRINSIC)
			return intrinsic_s(g, n, want);
		gen_call(g, n, want >= 0 ? (unsigned)want :
		    g->nsvar + ts);
		g->tn = tn;
		g->ts = ts;
		return dest_s(g, want);
	case X_UCALL:
		gen_ucall(g, n, want >= 0 ? (unsigned)want : g->nsvar + ts);
		g->tn = tn;
		g->ts = ts;
		return dest_s(g, want);
	default:
		/* a number never comes here: the checker wrapped it */
		gen_too_complex(g);
		return 0;
	}
}

/* Array keys to one string register: texts are keys as they are. */
unsigned
gen_key(struct gen *g, struct node *keys)
{
	uint32_t tn = g->tn, ts = g->ts;
	unsigned base = g->nsvar + ts, k = 0, d, r;
	bool many = keys->next != NULL;
	char t[NUM_TEXT_MAX];
	struct node *q;

	for (q = keys; q != NULL; q = q->next, k++) {
		if (q->kind == X_STR && !many)
			return gen_const_s(g, q->text, -1);
		if (q->kind == X_NUM && q->num >= 0 && !many)
			return gen_const_s(g, str_of(t, num_text(q->num, t)),
			    -1);
		if (many)
			(void)gen_temp_s(g);
		if (q->type == TY_NUM) {
			uint32_t in = g->tn;

			r = gen_n(g, q, -1);
			g->tn = in;
			d = many ? base + k : gen_temp_s(g);
			gen_emit(g, I_ABC(OP_KEYN, d, r, 0));
		} else {
			r = gen_s(g, q, -1);
			if (!many)
				g->ts = ts;
			d = many ? base + k : gen_temp_s(g);
			gen_emit(g, I_ABC(OP_KEYS, d, r, 0));
		}
		if (many)
			g->ts = ts + k + 1;
	}
	g->tn = tn;
	if (!many)
		return g->nsvar + ts;
	g->ts = ts;
	d = gen_temp_s(g);
	gen_emit(g, I_ABC(OP_KEYJ, d, base, k));
	return d;
}
