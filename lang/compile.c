#include "lang/compile.h"

#include <stdlib.h>

#include "lang/check/check.h"
#include "lang/check/outline.h"
#include "lang/code/codegen.h"
#include "lang/syntax/lexer.h"
#include "lang/syntax/macro.h"

#define ARENA_BLOCK	(32 * 1024)	/* bytes: a small script needs one */

struct compile {
	struct mem		 mem;
	jmp_buf			 fail;
	struct arena		 arena;	/* lives as long as the object */
	struct arena		 tree;	/* dies when the programs are made */
	struct source_set	 src;
	struct map		 left;	/* as the preprocessor has it */
	struct diag		 diag;
	struct re_ctx		*re;
	struct program_set	 set;
	struct compile_script	*script;
	size_t			 nscript;
	struct outline		 outline;
	struct compile_macro	*macro;
	size_t			 nmacro;
	struct parse		 parse;
};

/* The macros that were used, each once, in order of first use. */
static void
list_macros(struct compile *c, struct preprocess *pp)
{
	const struct source_use *u;
	struct compile_macro *k;
	struct map_entry *e;
	struct macro *m;
	size_t i, n;

	c->macro = arena_alloc(&c->arena, (c->src.nuse + 1) *
	    sizeof *c->macro);
	for (n = 0; n < c->src.nuse; n++) {
		u = &c->src.use[n];
		e = map_get(&pp->macro, u->macro);
		m = e == NULL ? NULL : e->v.ptr;
		if (m == NULL || m->takes_args)
			continue;
		for (i = 0; i < c->nmacro; i++)
			if (str_eq(c->macro[i].name, m->name))
				break;
		if (i < c->nmacro)
			continue;
		k = &c->macro[c->nmacro++];
		k->name = arena_dup(&c->arena, m->name);
		k->body = arena_dup(&c->arena, macro_body(pp, m)->text);
		k->place = source_place_in(&c->src, m->file, m->off);
	}
}

static void
work(struct compile *c, struct str name, struct str text,
    const struct compile_options *o)
{
	struct preprocess pp;
	struct parse *p = &c->parse;
	struct check chk;
	struct script *s;
	struct function *f;
	struct program *prog;
	struct str base;
	uint32_t file;
	size_t i;

	file = source_add(&c->src, name, text);
	preprocess_init(&pp, &c->src, &c->diag, &c->arena, o);
	preprocess_file(&pp, file);
	c->left = pp.left;
	if (c->diag.nerror > 0)
		return;		/* the parser would only follow up */

	p->arena = &c->tree;
	p->diag = &c->diag;
	p->src = &c->src;
	/* a standalone program is called by its file's base name */
	base = name;
	for (i = 0; i < name.n; i++)
		if (name.p[i] == '/')
			base = str_of(name.p + i + 1, name.n - i - 1);
	if (str_ends(base, ".pikt"))
		base.n -= 5;
	p->base = base;
	parse_text(p);
	for (s = p->script; s != NULL; s = s->next)
		c->set.n++;
	if (o->outline) {
		list_macros(c, &pp);
		c->outline = (struct outline){ .arena = &c->arena,
		    .src = &c->src };
		for (i = 0, s = p->script; s != NULL; s = s->next)
			outline_script(&c->outline, s, (uint32_t)i++);
	}
	c->set.program = arena_zalloc(&c->arena,
	    (c->set.n + 1) * sizeof *c->set.program);
	c->script = arena_alloc(&c->arena,
	    (c->set.n + 1) * sizeof *c->script);
	for (s = p->script; s != NULL; s = s->next)
		c->script[c->nscript++] = (struct compile_script){
		    arena_dup(&c->arena, s->name),
		    source_place(&c->src, s->span.at) };
	c->re = re_ctx_new();
	if (c->re == NULL)
		mem_fail(&c->mem, false);
	for (f = p->func; f != NULL && !p->stop; f = f->next)
		if (f->defined)
			check_function(p, f, c->re);
	prog = c->set.program;
	for (s = p->script; s != NULL && !p->stop; s = s->next) {
		check_script(&chk, p, s, c->re);
		if (c->diag.nerror == 0)
			(void)codegen(&chk, &c->arena, o->trace ||
			    chk.status == STATUS_DEBUGGING, o->cover, prog);
		prog->file = arena_dup(&c->arena, name);
		prog->doexec = preprocess_defined(&pp, STR_LIT("doexec"));
		prog++;
	}
}

struct compile *
compile_source(struct str name, struct str text,
    const struct compile_options *o)
{
	struct compile *c = calloc(1, sizeof *c);
	size_t limit = o->mem_limit == 0 ? LIM_COMPILE_MEM : o->mem_limit;

	if (c == NULL)
		return NULL;
	mem_init(&c->mem, limit, &c->fail);
	arena_init(&c->arena, &c->mem, ARENA_BLOCK);
	arena_init(&c->tree, &c->mem, ARENA_BLOCK);
	source_init(&c->src, &c->mem, &c->arena);
	diag_init(&c->diag, &c->src, &c->arena);
	if (setjmp(c->fail) == 0)
		work(c, name, text, o);
	else {
		/* room for the one message that is left to say */
		c->mem.limit += 64 * 1024;
		if (setjmp(c->fail) == 0)
			diag_at(&c->diag, (struct span){ 0, 0 }, E_NO_MEMORY,
			    c->mem.at_limit ? STR_LIT("512 MiB") :
			    STR_LIT("what the system gives"), STR_NIL, STR_NIL);
		else
			c->diag.nerror++;
	}
	if (c->parse.lex != NULL)
		lexer_close(c->parse.lex);	/* a jump left it open */
	arena_free(&c->tree);
	re_ctx_free(c->re);
	c->re = NULL;
	if (c->diag.nerror > 0)
		c->set.n = 0;
	return c;
}

void
compile_free(struct compile *c)
{
	if (c == NULL)
		return;
	source_free(&c->src);
	arena_free(&c->arena);
	free(c);
}

const struct program_set *
compile_programs(const struct compile *c)
{
	return &c->set;
}

struct diag *
compile_diag(struct compile *c)
{
	return &c->diag;
}

const struct compile_script *
compile_scripts(const struct compile *c, size_t *n)
{
	*n = c->nscript;
	return c->script;
}

bool
compile_uses(const struct compile *c, struct str macro)
{
	size_t i;

	for (i = 0; i < c->src.nuse; i++)
		if (str_eq(c->src.use[i].macro, macro))
			return true;
	return false;
}

const struct compile_outline *
compile_outline(const struct compile *c, size_t *n)
{
	*n = c->outline.n;
	return c->outline.item;
}

const struct compile_macro *
compile_macros(const struct compile *c, size_t *n)
{
	*n = c->nmacro;
	return c->macro;
}

bool
compile_left_out(const struct compile *c, struct str name)
{
	return c->left.n > 0 && map_get(&c->left, name) != NULL;
}
