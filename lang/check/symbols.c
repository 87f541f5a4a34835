#include "lang/check/symbols.h"

void
symbols_init(struct symbols *s, struct arena *arena)
{
	memset(s, 0, sizeof *s);
	s->arena = arena;
	map_init(&s->by_name, arena);
}

static struct str
keyed(struct arena *a, char sigil, struct str name)
{
	char *p;

	if (sigil == 0)
		return name;
	p = arena_text(a, name.n + 1);
	p[0] = sigil;
	memcpy(p + 1, name.p, name.n);
	return str_of(p, name.n + 1);
}

struct symbol *
symbols_find(const struct symbols *s, char sigil, struct str name)
{
	struct map_entry *e = map_get(&s->by_name,
	    keyed(s->arena, sigil, name));

	return e == NULL ? NULL : e->v.ptr;
}

struct symbol *
symbols_get(struct symbols *s, char sigil, struct str name,
    enum symbol_kind kind, struct span span, struct symbol **there)
{
	struct map_entry *e;
	struct symbol *y, **all;
	bool is_new;

	e = map_put(&s->by_name, keyed(s->arena, sigil, name), &is_new);
	if (!is_new) {
		y = e->v.ptr;
		if (y->kind == kind || (y->kind == SYM_DAT &&
		    kind == SYM_SCALAR))
			return y;
		*there = y;
		return NULL;
	}
	y = arena_zalloc(s->arena, sizeof *y);
	y->name = name;
	y->kind = kind;
	y->number = sigil == '#';
	y->span = span;
	switch (kind) {
	case SYM_SCALAR:
		y->index = y->number ? s->nnum++ : s->nstr++;
		break;
	case SYM_ARRAY:
		y->index = s->narray++;
		break;
	case SYM_DAT:
		y->index = s->ndat++;
		break;
	case SYM_HANDLE:
		y->index = s->nhandle++;
		break;
	case SYM_HISTORY:
		break;
	}
	e->v.ptr = y;
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 32 : s->cap * 2;
		all = arena_alloc(s->arena, s->cap * sizeof *all);
		if (s->n > 0)
			memcpy(all, s->all, s->n * sizeof *all);
		s->all = all;
	}
	s->all[s->n++] = y;
	return y;
}
