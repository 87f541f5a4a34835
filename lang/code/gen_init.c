/* gen_init: what a script's init says: its dats, what it keeps, its input. */
#include "lang/code/gen.h"
#include "lang/table/tables.h"

static void
dats(struct gen *g)
{
	const struct dat_spec *d;
	struct dat *o;
	int i;

	for (d = g->c->script->init->dat; d != NULL; d = d->next) {
		o = &g->prog->dat[d->sym->index];
		o->name = arena_dup(g->arena, d->name);
		o->number = d->number;
		o->kind = d->kind;
		o->lo = (uint32_t)d->lo;
		o->hi = (uint32_t)d->hi;
		if (d->kind == DAT_REGEX)
			o->regex = gen_regex(g, d->regex, false);
		for (i = 0; i < AS_COUNT; i++)
			if (!str_none(d->as) && str_eq(d->as, str_c(as_name[i])))
				o->as = (enum dat_as)i;
		o->text = o->time = STR_NIL;
		if (d->kind == DAT_COLUMN)
			o->lo = d->column;
		if (d->kind == DAT_PATH || d->kind == DAT_NAME)
			o->text = arena_dup(g->arena, d->regex);
		if (o->as == AS_TIME)
			o->time = arena_dup(g->arena, d->as_format);
	}
}

/* Is y kept for the key of the line? */
static bool
by_line(const struct gen *g, const struct symbol *y)
{
	if (y->kind == SYM_HISTORY)
		y = y->of;
	return g->c->script->init->key != NULL && y->previous &&
	    (y->kind == SYM_DAT || (y->kind == SYM_SCALAR && y->set_in_rule));
}

static void
kept(struct gen *g)
{
	const struct symbols *y = &g->c->sym;
	struct program *p = g->prog;
	const struct key_name *n;
	struct kept *k;
	size_t i;

	for (i = 0; i < y->n; i++)
		p->nkept += y->all[i]->previous || y->all[i]->preceding;
	if (p->nkept > 0xffff)
		gen_too_many(g, "65535", "kept names");
	p->kept = arena_zalloc(g->arena, (p->nkept + 1) * sizeof *p->kept);
	k = p->kept;
	for (i = 0; i < y->n; i++) {
		struct symbol *s = y->all[i];

		if (!s->previous && !s->preceding)
			continue;
		s->kept = (uint32_t)(k - p->kept);
		k->name = arena_dup(g->arena, s->name);
		k->number = s->number;
		k->kind = s->kind == SYM_DAT ? KEPT_DAT :
		    s->kind == SYM_ARRAY ? KEPT_ARRAY :
		    s->kind == SYM_HISTORY ? s->history : KEPT_VAR;
		k->index = s->kind == SYM_HISTORY ? s->of->kept : s->index;
		k->param = s->param;
		k->previous = s->previous;
		k->preceding = s->preceding;
		k->by_line = by_line(g, s);
		if (s->before != NULL)
			k->array = s->before->index;
		k++;
	}
	for (n = g->c->script->init->key; n != NULL; n = n->next)
		p->nkey++;
	p->key = arena_zalloc(g->arena, (p->nkey + 1) * sizeof *p->key);
	for (n = g->c->script->init->key, i = 0; n != NULL; n = n->next, i++) {
		const struct symbol *s = symbols_find(y, n->number ? '#' :
		    '$', n->name);

		p->key[i] = (struct key_part){ .number = n->number,
		    .dat = s->kind == SYM_DAT, .index = s->index };
	}
	p->expire_runs = g->c->expire_runs;
	p->expire_seconds = g->c->expire_seconds;
}

void
gen_assigned(struct gen *g, const struct symbol *y)
{
	if (g->place == IN_RULE && by_line(g, y))
		gen_emit(g, I_ABX(OP_ASSIGN, 0, y->kept));
}

static void
separators(struct gen *g)
{
	const struct init *in = g->c->script->init;
	struct program *p = g->prog;
	size_t i;

	p->sep = STR_EMPTY;
	if (in->input_kind == INPUT_TABLE) {
		/* the line of a row is its columns by tabs */
		p->seps = SEPS_BYTE;
		p->sep = STR_LIT("\t");
		return;
	}
	if (str_none(in->seps))
		return;
	p->sep = arena_dup(g->arena, in->seps);
	if (in->seps_regex) {
		p->seps = SEPS_REGEX;
		p->sep_regex = gen_regex(g, in->seps, false);
		return;
	}
	for (i = 0; i < p->sep.n; i++)
		if (p->sep.p[i] != ' ' && p->sep.p[i] != '\t')
			break;
	/* only blanks and tabs: runs; but one character separates each time */
	if (p->sep.n == 1)
		p->seps = SEPS_BYTE;
	else
		p->seps = i == p->sep.n ? SEPS_BLANKS : SEPS_SET;
}

/* Its arguments, one after the other. */
static void
table(struct gen *g, const struct node *table)
{
	struct program *p = g->prog;
	struct node *a;
	uint32_t tn = g->tn, ts = g->ts;

	p->table = (uint32_t)table->id;
	for (a = table->list; a != NULL; a = a->next) {
		if (a->type == TY_NUM)
			gen_emit(g, I_ABC(OP_TARGN, p->ntablearg,
			    gen_n(g, a, -1), 0));
		else
			gen_emit(g, I_ABC(OP_TARGS, p->ntablearg,
			    gen_s(g, a, -1), 0));
		p->ntablearg++;
		g->tn = tn;
		g->ts = ts;
	}
}

/* if ! where: skip 1 */
static void
where(struct gen *g, struct node *cond)
{
	struct program *p = g->prog;
	int holds = NO_JUMP;

	p->has_where = true;
	p->pc_where = g->ncode;
	g->place = IN_RULE;	/* %x is that of the row's key */
	gen_place(g, cond->span);
	gen_cond(g, cond, true, &holds);
	gen_emit(g, I_ABC(OP_SKIP, gen_const_n(g, 1, -1), 0, 0));
	gen_patch(g, &holds);
	gen_emit(g, I_ABC(OP_END, 0, 0, 0));
	g->place = IN_INIT;
}

void
gen_init(struct gen *g)
{
	const struct init *in = g->c->script->init;
	struct program *p = g->prog;
	uint32_t tn, ts;

	p->status = g->c->status;
	p->level = g->c->level;
	p->has_level = !str_none(in->level);
	p->timeout = g->c->timeout;
	p->line_max = g->c->line_max;
	p->memory_max = g->c->memory_max;
	p->budget = g->c->budget;
	p->every = g->c->every;
	p->timing = in->timing == NULL ? STR_NIL :
	    arena_dup(g->arena, in->timing->text);
	p->watch_memory = in->watch_memory;
	p->affects_mail = in->affects_mail;
	p->format = g->c->format;
	p->from_start = in->from_start;
	separators(g);
	dats(g);
	kept(g);
	ts = g->ts;
	if (in->task != NULL) {
		p->has_task = true;
		p->pc_task = g->ncode;
		gen_place(g, in->task->span);
		gen_emit(g, I_ABC(OP_TASK, gen_s(g, in->task, -1), 0, 0));
		gen_emit(g, I_ABC(OP_END, 0, 0, 0));
		g->ts = ts;
	}
	if (in->input != NULL) {
		p->input = in->input_kind;
		p->pc_input = g->ncode;
		g->at = in->input->span;
		gen_place(g, in->input->span);
		if (in->input_kind == INPUT_PROC)
			gen_command(g, in->input);
		else if (in->input_kind == INPUT_TABLE)
			table(g, in->input);
		else
			gen_emit(g, I_ABC(OP_PATH, gen_s(g, in->input, -1), 0,
			    0));
		if (p->watch_memory && p->input == INPUT_TABLE &&
		    !table_held((enum table_id)p->table))
			gen_watch(g, "reads table ", str_c(
			    table_info[p->table].name));
		gen_emit(g, I_ABC(OP_END, 0, 0, 0));
		g->ts = ts;
	}
	if (in->where != NULL) {
		tn = g->tn;
		where(g, in->where);
		g->tn = tn;
		g->ts = ts;
	}
	if (in->bakfile != NULL) {
		p->has_bakfile = true;
		p->pc_bakfile = g->ncode;
		gen_place(g, in->bakfile->span);
		gen_emit(g, I_ABC(OP_PATH, gen_s(g, in->bakfile, -1), 0, 0));
		gen_emit(g, I_ABC(OP_END, 0, 0, 0));
		g->ts = ts;
	}
	if (in->filter != NULL) {
		p->has_filter = true;
		p->pc_filter = g->ncode;
		gen_place(g, in->filter->span);
		gen_command(g, in->filter);
		gen_emit(g, I_ABC(OP_END, 0, 0, 0));
		g->ts = ts;
	}
}
