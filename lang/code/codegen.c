/* codegen: a script's sections, tables and jumps; see gen.h. */
#include "lang/code/codegen.h"
#include "lang/code/gen.h"

struct diag_item *
gen_too_many(struct gen *g, const char *n, const char *what)
{
	g->failed = true;
	return diag_at(g->c->diag, g->at, E_TOO_MANY, str_c(n), str_c(what),
	    STR_NIL);
}

void
gen_too_complex(struct gen *g)
{
	if (!g->failed)
		diag_at(g->c->diag, g->at, E_COMPLEX, STR_LIT("72"), STR_NIL,
		    STR_NIL);
	g->failed = true;
}

/* What watches memory must do without what that takes; once is enough. */
void
gen_watch(struct gen *g, const char *what, struct str name)
{
	char *t;
	size_t n = strlen(what);

	if (g->watched)
		return;
	g->watched = true;
	if (str_none(name))
		name = STR_EMPTY;
	t = arena_text(g->arena, n + name.n + 1);
	memcpy(t, what, n);
	if (name.n > 0)
		memcpy(t + n, name.p, name.n);
	(void)diag_at(g->c->diag, g->at, E_WATCH_OPENS, str_of(t, n + name.n),
	    STR_NIL, STR_NIL);
}

static void
watch(struct gen *g, instr i)
{
	struct str name;
	const char *what = program_opens(i, &name);

	if (what != NULL)
		gen_watch(g, what, name);
}

uint32_t
gen_emit(struct gen *g, instr i)
{
	instr *code;

	if (g->ncode == g->capcode) {
		if (g->ncode >= LIM_CODE) {
			if (!g->failed)
				diag_at(g->c->diag, g->at, E_CODE_BIG,
				    STR_LIT("1048576"), STR_NIL, STR_NIL);
			g->failed = true;
			g->ncode = 0;	/* nobody will run it */
			return 0;
		}
		g->capcode = g->capcode == 0 ? 64 : g->capcode * 2;
		code = arena_alloc(g->arena, g->capcode * sizeof *code);
		if (g->ncode > 0)
			memcpy(code, g->code, g->ncode * sizeof *code);
		g->code = code;
	}
	g->code[g->ncode] = i;
	if (g->prog->watch_memory)
		watch(g, i);
	return g->ncode++;
}

/* A chain runs through the jumps themselves: each holds the one before. */
void
gen_jump_to(struct gen *g, int *chain)
{
	uint32_t at = gen_emit(g, I_OAX(OP_JMP, (uint32_t)*chain & 0xffffff));

	*chain = (int)at;
}

static void
patch_to(struct gen *g, int *chain, uint32_t target)
{
	int at = *chain, before;

	while (at != NO_JUMP && !g->failed) {
		before = I_SAX(g->code[at]);
		g->code[at] = I_OAX(OP_JMP,
		    (target - (uint32_t)at - 1) & 0xffffff);
		at = before;
	}
	*chain = NO_JUMP;
}

void
gen_patch(struct gen *g, int *chain)
{
	patch_to(g, chain, g->ncode);
}

void
gen_loop_to(struct gen *g, uint32_t pc)
{
	gen_emit(g, I_OAX(OP_LOOP, (pc - g->ncode - 1) & 0xffffff));
}

/* --trace shows a statement as "file:line: its source line". */
static void
trace_place(struct gen *g, struct place pl)
{
	const struct source_set *src = g->c->p->src;
	struct buf b;

	buf_init(&b, g->arena->mem);
	if (pl.file < src->nfile)
		buf_str(&b, src->file[pl.file].name);
	buf_printf(&b, ":%u: ", pl.line);
	buf_str(&b, str_trim(source_line(g->c->p->src, pl)));
	gen_emit(g, I_ABX(OP_TRSTMT, 0, gen_text(g, buf_view(&b))));
	buf_free(&b);
}

/* From here on code belongs to the statement at the span. */
void
gen_place(struct gen *g, struct span at)
{
	struct place pl = source_place(g->c->p->src, at.at);
	struct line_entry *line, *e;

	if (g->nline > 0 && (e = &g->line[g->nline - 1])->pc == g->ncode)
		;	/* nothing was made for the one before */
	else {
		if (g->nline == g->capline) {
			g->capline = g->capline == 0 ? 32 : g->capline * 2;
			line = arena_alloc(g->arena,
			    g->capline * sizeof *line);
			if (g->nline > 0)
				memcpy(line, g->line,
				    g->nline * sizeof *line);
			g->line = line;
		}
		e = &g->line[g->nline++];
	}
	e->pc = g->ncode;
	e->file = pl.file;
	e->line = pl.line;
	e->col = pl.col;
	if (g->trace)
		trace_place(g, pl);
}

/* Gives each "foreach line" its handle; the walk finds them all. */
static void
hidden_handles(struct gen *g, struct node *n, uint32_t *count)
{
	struct node *q;

	for (; n != NULL; n = n->next) {
		if (n->kind == S_LINES)
			n->id = (int)(*count)++;
		switch (n->kind) {
		case S_IF:
			for (q = n->list; q != NULL; q = q->next)
				hidden_handles(g, q->list, count);
			if (n->b != NULL)
				hidden_handles(g, n->b->list, count);
			break;
		case S_WHILE: case S_REPEAT: case S_FOR: case S_FORIN:
		case S_LINES: case S_SWITCH: case S_INCIDENT: case S_CLAUSE:
			hidden_handles(g, n->list, count);
			break;
		default:
			break;
		}
	}
}

/* All functions that the script can come to call, each once. */
static void
used_functions(struct gen *g, const struct check *by)
{
	struct function *f, **all;
	size_t i;
	uint32_t next = 0;

	for (;;) {
		for (i = 0; i < by->ncalls; i++) {
			f = by->calls[i];
			if (f->user == g->prog)
				continue;
			if (g->nfunc == LIM_FUNCS) {
				gen_too_many(g, "65535", "functions");
				return;
			}
			if (g->nfunc == g->capfunc) {
				g->capfunc = g->capfunc == 0 ? 8 :
				    g->capfunc * 2;
				all = arena_alloc(g->arena,
				    g->capfunc * sizeof *all);
				if (g->nfunc > 0)
					memcpy(all, g->func,
					    g->nfunc * sizeof *all);
				g->func = all;
			}
			f->user = g->prog;
			f->index = g->nfunc;
			g->func[g->nfunc++] = f;
			if (f->chk->sym.nnum > g->most_n)
				g->most_n = f->chk->sym.nnum;
			if (f->chk->sym.nstr > g->most_s)
				g->most_s = f->chk->sym.nstr;
		}
		if (next == g->nfunc)
			return;
		by = g->func[next++]->chk;
	}
}

/* Handles have no sigil and belong to the whole script. */
static uint32_t
handle_number(struct gen *g, struct str name, struct map *by_name)
{
	struct map_entry *e;
	bool is_new;

	e = map_put(by_name, name, &is_new);
	if (is_new)
		e->v.num = g->prog->nhandle++;
	return (uint32_t)e->v.num;
}

/* The handles of the functions, by name; then those without one. */
static void
function_handles(struct gen *g)
{
	const struct symbols *y = &g->c->sym;
	struct map by_name;
	struct map_entry *e;
	struct func *o;
	bool is_new;
	size_t i, k;

	map_init(&by_name, g->arena);
	for (i = 0; i < y->n; i++)
		if (y->all[i]->kind == SYM_HANDLE) {
			e = map_put(&by_name, y->all[i]->name, &is_new);
			e->v.num = y->all[i]->index;
		}
	for (k = 0; k < g->nfunc; k++) {
		y = &g->func[k]->chk->sym;
		for (i = 0; i < y->n; i++)
			if (y->all[i]->kind == SYM_HANDLE)
				(void)handle_number(g, y->all[i]->name,
				    &by_name);
	}
	g->named = g->prog->nhandle;
	hidden_handles(g, g->c->script->begin, &g->prog->nhandle);
	for (const struct rule *r = g->c->script->rule; r != NULL; r = r->next)
		hidden_handles(g, r->body, &g->prog->nhandle);
	hidden_handles(g, g->c->script->end, &g->prog->nhandle);
	for (k = 0; k < g->nfunc; k++) {
		o = &g->prog->func[k];
		y = &g->func[k]->chk->sym;
		o->handle = g->prog->nhandle;
		hidden_handles(g, g->func[k]->body, &g->prog->nhandle);
		o->nhandle = g->prog->nhandle - o->handle;
		g->handles[k] = arena_alloc(g->arena,
		    (y->nhandle + 1) * sizeof **g->handles);
		for (i = 0; i < y->n; i++)
			if (y->all[i]->kind == SYM_HANDLE)
				g->handles[k][y->all[i]->index] =
				    handle_number(g, y->all[i]->name,
				    &by_name);
	}
	g->prog->handle = arena_zalloc(g->arena,
	    (g->prog->nhandle + 1) * sizeof(struct str));
	for (i = g->named; i < g->prog->nhandle; i++)
		g->prog->handle[i] = STR_LIT("(foreach line)");
	for (k = 0; k < g->nfunc; k++) {
		y = &g->func[k]->chk->sym;
		for (i = 0; i < y->n; i++)
			if (y->all[i]->kind == SYM_HANDLE)
				g->prog->handle[g->handles[k]
				    [y->all[i]->index]] =
				    arena_dup(g->arena, y->all[i]->name);
	}
}

static void
function_tables(struct gen *g)
{
	struct program *p = g->prog;
	const struct function *f;
	const struct param *a;
	const struct symbol *s;
	struct func *o;
	uint32_t k;
	size_t i;

	p->nfunc = g->nfunc;
	p->func = arena_zalloc(g->arena, (g->nfunc + 1) * sizeof *p->func);
	g->handles = arena_zalloc(g->arena,
	    (g->nfunc + 1) * sizeof *g->handles);
	for (k = 0; k < g->nfunc; k++) {
		f = g->func[k];
		o = &p->func[k];
		o->name = arena_dup(g->arena, f->name);
		for (a = f->param; a != NULL; a = a->next)
			(*(a->array ? &o->naparam : a->number ? &o->nnparam :
			    &o->nsparam))++;
		o->nnvar = f->chk->sym.nnum;
		o->nsvar = f->chk->sym.nstr;
		o->narray = f->chk->sym.narray;
		if (o->narray > LIM_ARRAYS)
			gen_too_many(g, "256", "arrays");
		o->fields = f->chk->uses_fields || f->chk->uses_zero ||
		    f->chk->splits;
		if (f->chk->maxfield > p->maxfield)
			p->maxfield = f->chk->maxfield;
		o->nvar_name = arena_zalloc(g->arena,
		    (o->nnvar + 1) * sizeof(struct str));
		o->svar_name = arena_zalloc(g->arena,
		    (o->nsvar + 1) * sizeof(struct str));
		o->array = arena_zalloc(g->arena,
		    (o->narray + 1) * sizeof *o->array);
		for (i = 0; i < f->chk->sym.n; i++) {
			s = f->chk->sym.all[i];
			if (s->kind == SYM_SCALAR)
				(s->number ? o->nvar_name : o->svar_name)
				    [s->index] = arena_dup(g->arena, s->name);
			else if (s->kind == SYM_ARRAY) {
				o->array[s->index].name =
				    arena_dup(g->arena, s->name);
				o->array[s->index].number = s->number;
			}
		}
	}
}

static void
tables(struct gen *g)
{
	const struct symbols *y = &g->c->sym;
	struct program *p = g->prog;
	size_t i;

	p->nnvar = y->nnum < LIM_VAR_REGS ? y->nnum : LIM_VAR_REGS;
	p->nsvar = y->nstr < LIM_VAR_REGS ? y->nstr : LIM_VAR_REGS;
	g->nnvar = g->most_n = p->nnvar;
	g->nsvar = g->most_s = p->nsvar;
	p->nfarn = y->nnum - p->nnvar;
	p->nfars = y->nstr - p->nsvar;
	if (p->nfarn > 0xffff || p->nfars > 0xffff)
		gen_too_many(g, "65535", "variables");
	if (y->ndat > 0xffff)
		gen_too_many(g, "65535", "dat variables");
	if (y->narray > LIM_ARRAYS)
		gen_too_many(g, "256", "arrays");
	p->narray = y->narray;
	used_functions(g, g->c);
	function_tables(g);
	p->nvar_name = arena_zalloc(g->arena, (y->nnum + 1) * sizeof(struct str));
	p->svar_name = arena_zalloc(g->arena, (y->nstr + 1) * sizeof(struct str));
	p->array = arena_zalloc(g->arena, (y->narray + 1) * sizeof *p->array);
	p->ndat = y->ndat;
	p->dat = arena_zalloc(g->arena, (y->ndat + 1) * sizeof *p->dat);
	p->nhandle = y->nhandle;
	function_handles(g);
	for (i = 0; i < y->n; i++) {
		const struct symbol *s = y->all[i];
		struct str name = arena_dup(g->arena, s->name);

		switch (s->kind) {
		case SYM_SCALAR:
			(s->number ? p->nvar_name : p->svar_name)[s->index] =
			    name;
			break;
		case SYM_ARRAY:
			if (s->index >= LIM_ARRAYS)
				break;
			p->array[s->index].name = name;
			p->array[s->index].number = s->number;
			break;
		case SYM_HANDLE:
			p->handle[s->index] = name;
			break;
		case SYM_DAT: case SYM_HISTORY:
			break;
		}
	}
}

/* Where a section without a place of its own is: its first statement. */
static struct span
begins(const struct node *list, const struct script *s)
{
	return list == NULL ? s->span : list->span;
}

static void
section(struct gen *g, struct node *list, bool last, enum point_kind kind,
    struct span at)
{
	int leave = NO_JUMP;

	g->leave = &leave;
	g->rule_pc = g->ncode;
	gen_mark(g, kind, at);
	gen_stmts(g, list);
	gen_patch(g, &leave);
	if (last)
		gen_emit(g, I_ABC(OP_END, 0, 0, 0));
}

static void
function(struct gen *g, uint32_t k)
{
	struct function *f = g->func[k];
	struct func *o = &g->prog->func[k];

	g->c = f->chk;
	g->at = f->span;
	g->nnvar = o->nnvar;
	g->nsvar = o->nsvar;
	g->nntemp = g->nstemp = g->nslot = 0;
	g->handle = g->handles[k];
	o->pc = g->ncode;
	gen_place(g, f->span);
	gen_mark(g, POINT_FUNCTION, f->span);
	gen_stmts(g, f->body);
	gen_return(g, NULL);
	o->nntemp = g->nntemp;
	o->nstemp = g->nstemp;
	o->nslot = g->nslot;
}

bool
codegen(struct check *c, struct arena *arena, bool trace, bool cover,
    struct program *p)
{
	const struct script *s = c->script;
	const struct rule *r;
	struct gen gen, *g = &gen;
	uint32_t i;

	memset(g, 0, sizeof *g);
	memset(p, 0, sizeof *p);
	g->c = c;
	g->arena = arena;
	g->prog = p;
	g->trace = trace;
	g->cover = cover;
	g->at = s->span;
	map_init(&g->nums, arena);
	map_init(&g->texts, arena);
	map_init(&g->regexes[0], arena);
	map_init(&g->regexes[1], arena);
	p->name = arena_dup(arena, s->name);
	p->standalone = s->standalone;
	p->nrule = s->nrule;
	p->maxfield = c->maxfield;
	p->end_uses_line = c->end_uses_line;
	tables(g);
	if (!g->failed)
		gen_init(g);
	p->has_begin = s->has_begin;
	p->has_rules = s->nrule > 0;
	p->has_end = s->has_end;
	p->pc_begin = g->ncode;
	g->place = IN_BEGIN;
	if (s->has_begin)
		section(g, s->begin, true, POINT_BEGIN, begins(s->begin, s));
	p->pc_rules = g->ncode;
	g->place = IN_RULE;
	for (r = s->rule; r != NULL && !g->failed; r = r->next) {
		gen_place(g, r->span);
		section(g, r->body, r->next == NULL, POINT_RULE, r->span);
	}
	p->pc_end = g->ncode;
	g->place = IN_END;
	if (s->has_end)
		section(g, s->end, true, POINT_END, begins(s->end, s));
	p->nntemp = g->nntemp;
	p->nstemp = g->nstemp;
	p->nslot = g->nslot;
	for (i = 0; i < g->nfunc && !g->failed; i++)
		function(g, i);
	g->c = c;
	if (g->failed)
		return false;
	p->code = g->code;
	p->ncode = g->ncode;
	p->point = g->point;
	p->npoint = g->npoint;
	p->lines = g->line;
	p->nlines = g->nline;
	p->nfiles = (uint32_t)c->p->src->nfile;
	p->files = arena_zalloc(arena, (p->nfiles + 1) * sizeof *p->files);
	for (i = 0; i < p->nfiles; i++)
		p->files[i] = arena_dup(arena, c->p->src->file[i].name);
	return true;
}
