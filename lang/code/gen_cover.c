/*
 * gen_cover: marks for who wants to know what of a script has run: at the
 * beginning of each section and function, and at both ends of each branch.
 * Marks are instructions, so programs compiled without them cost nothing.
 */
#include "lang/code/gen.h"

static uint32_t
point(struct gen *g, enum point_kind kind, struct span at)
{
	struct place pl = source_place(g->c->p->src, at.at);
	struct program_point *all;

	if (g->npoint == g->cappoint) {
		g->cappoint = g->cappoint == 0 ? 32 : g->cappoint * 2;
		all = arena_alloc(g->arena, g->cappoint * sizeof *all);
		if (g->npoint > 0)
			memcpy(all, g->point, g->npoint * sizeof *all);
		g->point = all;
	}
	g->point[g->npoint] = (struct program_point){ .kind = kind,
	    .file = pl.file, .line = pl.line, .col = pl.col };
	return g->npoint++;
}

static void
mark(struct gen *g, uint32_t number, bool is)
{
	g->point[number].pc[is] = gen_emit(g, I_ABC(OP_MARK, is, 0, 0));
}

void
gen_mark(struct gen *g, enum point_kind kind, struct span at)
{
	if (g->cover)
		mark(g, point(g, kind, at), true);
}

void
gen_fork(struct gen *g, struct span at, bool sense, int *chain)
{
	int yes = NO_JUMP, on = NO_JUMP;
	uint32_t number;

	if (!g->cover) {
		gen_jump_to(g, chain);
		return;
	}
	number = point(g, POINT_BRANCH, at);
	gen_jump_to(g, &yes);
	mark(g, number, !sense);
	gen_jump_to(g, &on);
	gen_patch(g, &yes);
	mark(g, number, sense);
	gen_jump_to(g, chain);
	gen_patch(g, &on);
}
