/*
 * test_cover: what of the scripts has run.  A script may be compiled once for
 * each test, with other macros and defines; a point is known by its place, so
 * that what one compile has met counts for all.
 */
#include "engine/cli/ruletest.h"

#include <stdio.h>

#define COVER_BLOCK	8192

struct seen {
	enum point_kind	 kind;
	struct str	 file, line;	/* the source's line, or empty */
	uint32_t	 nline, col;
	bool		 met[2];
};

struct covered {			/* a script */
	struct str	 name, path;
	struct seen	**point;	/* in the order of the code */
	size_t		 n, cap;
};

/* A program that can be met now: its marks by pc. */
struct active {
	const struct program *program;
	struct mark {
		struct seen	*seen;
		bool		 is;
	} *mark;			/* by pc */
};

struct cover {
	struct mem	*mem;
	struct arena	 arena, now;
	struct map	 point;		/* script and place to struct seen */
	struct covered	*script;
	size_t		 nscript, capscript;
	struct active	 active[LIM_TEST_SCRIPTS];
	size_t		 nactive;
};

struct cover *
cover_new(struct cli *c)
{
	struct cover *v = mem_zalloc(&c->mem, sizeof *v);

	v->mem = &c->mem;
	arena_init(&v->arena, v->mem, COVER_BLOCK);
	arena_init(&v->now, v->mem, COVER_BLOCK);
	map_init(&v->point, &v->arena);
	return v;
}

void
cover_free(struct cover *v)
{
	if (v == NULL)
		return;
	arena_free(&v->now);
	arena_free(&v->arena);
	mem_free(v->mem, v, sizeof *v);
}

void
cover_next(struct cover *v)
{
	v->nactive = 0;
	arena_reset(&v->now, (struct arena_mark){ NULL, NULL });
}

static struct covered *
script_of(struct cover *v, struct str name, struct str path)
{
	struct covered *grown;
	size_t i;

	for (i = 0; i < v->nscript; i++)
		if (str_eq(v->script[i].name, name) &&
		    str_eq(v->script[i].path, path))
			return &v->script[i];
	if (v->nscript == v->capscript) {
		v->capscript = v->capscript == 0 ? 16 : v->capscript * 2;
		grown = arena_alloc(&v->arena, v->capscript * sizeof *grown);
		if (v->nscript > 0)
			memcpy(grown, v->script, v->nscript * sizeof *grown);
		v->script = grown;
	}
	v->script[v->nscript] = (struct covered){ .name =
	    arena_dup(&v->arena, name), .path = arena_dup(&v->arena, path) };
	return &v->script[v->nscript++];
}

static void
add_point(struct cover *v, struct covered *s, struct seen *p)
{
	struct seen **grown;

	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 32 : s->cap * 2;
		grown = arena_alloc(&v->arena, s->cap * sizeof *grown);
		if (s->n > 0)
			memcpy(grown, s->point, s->n * sizeof *grown);
		s->point = grown;
	}
	s->point[s->n++] = p;
}

/* Line n of a text. */
static struct str
line_of(struct str text, uint32_t n)
{
	size_t i = 0;

	while (--n > 0 && i < text.n)
		i = str_find(text, '\n', i) + 1;
	if (i >= text.n)
		return STR_EMPTY;
	return str_of(text.p + i, str_find(text, '\n', i) - i);
}

/* The point at a place.  One place can have some of a kind: a macro's body. */
static struct seen *
seen_at(struct cover *v, struct covered *s, const struct program *p,
    size_t number, struct str text)
{
	const struct program_point *at = &p->point[number];
	struct str file = at->file < p->nfiles ? p->files[at->file] :
	    STR_EMPTY;
	struct map_entry *e;
	struct seen *seen;
	struct buf key;
	size_t i, nth = 0;
	bool is_new;

	for (i = 0; i < number; i++)
		nth += p->point[i].kind == at->kind &&
		    p->point[i].file == at->file &&
		    p->point[i].line == at->line && p->point[i].col == at->col;
	buf_init(&key, v->mem);
	buf_printf(&key, "%.*s:%.*s:%u:%u:%d:%zu", (int)s->path.n, s->path.p,
	    (int)file.n, file.p, at->line, at->col, (int)at->kind, nth);
	buf_putc(&key, ':');
	buf_str(&key, s->name);
	e = map_put(&v->point, buf_view(&key), &is_new);
	buf_free(&key);
	if (!is_new)
		return e->v.ptr;
	seen = arena_zalloc(&v->arena, sizeof *seen);
	seen->kind = at->kind;
	seen->file = arena_dup(&v->arena, file);
	seen->nline = at->line;
	seen->col = at->col;
	seen->line = str_eq(file, s->path) ? arena_dup(&v->arena,
	    line_of(text, at->line)) : STR_EMPTY;
	e->v.ptr = seen;
	add_point(v, s, seen);
	return seen;
}

void
cover_program(struct cover *v, const struct program *p, struct str path,
    struct str text)
{
	struct covered *s = script_of(v, p->name, path);
	struct active *a = &v->active[v->nactive++];
	struct seen *seen;
	size_t i;

	a->program = p;
	a->mark = arena_zalloc(&v->now, (p->ncode + 1) * sizeof *a->mark);
	for (i = 0; i < p->npoint; i++) {
		seen = seen_at(v, s, p, i, text);
		a->mark[p->point[i].pc[1]] = (struct mark){ seen, true };
		if (seen->kind == POINT_BRANCH)
			a->mark[p->point[i].pc[0]] = (struct mark){ seen,
			    false };
	}
}

void
cover_met(void *arg, const struct program *p, uint32_t pc, bool is)
{
	struct cover *v = arg;
	const struct mark *m;
	size_t i;

	(void)is;
	for (i = 0; i < v->nactive; i++)
		if (v->active[i].program == p) {
			m = &v->active[i].mark[pc];
			if (m->seen != NULL)
				m->seen->met[m->is] = true;
		}
}

/* --- what came of it --- */

static void
count(const struct covered *s, struct cover_count *c)
{
	const struct seen *p;
	size_t i;

	for (i = 0; i < s->n; i++) {
		p = s->point[i];
		if (p->kind == POINT_BRANCH) {
			c->branches += 2;
			c->branches_met += (size_t)p->met[0] + p->met[1];
		} else {
			c->rules++;
			c->rules_met += p->met[1];
		}
	}
}

bool
cover_script(const struct cover *v, size_t i, struct str *name,
    struct str *path, struct cover_count *c)
{
	if (i >= v->nscript)
		return false;
	*name = v->script[i].name;
	*path = v->script[i].path;
	memset(c, 0, sizeof *c);
	count(&v->script[i], c);
	return true;
}

void
cover_total(const struct cover *v, struct cover_count *c)
{
	size_t i;

	memset(c, 0, sizeof *c);
	for (i = 0; i < v->nscript; i++)
		count(&v->script[i], c);
}

double
cover_percent(size_t met, size_t all)
{
	return all == 0 ? 100 : 100.0 * (double)met / (double)all;
}

static const char *
missed(const struct seen *p)
{
	switch (p->kind) {
	case POINT_BEGIN:
		return "begin never ran";
	case POINT_RULE:
		return "this rule never ran";
	case POINT_END:
		return "end never ran";
	case POINT_FUNCTION:
		return "this function was never called";
	default:
		break;
	}
	return !p->met[0] && !p->met[1] ? "never came here" : p->met[1] ?
	    "never false" : "never true";
}

bool
cover_gap(const struct cover *v, size_t script, size_t *i,
    struct cover_missed *out)
{
	const struct covered *s = &v->script[script];
	const struct seen *p;

	while (*i < s->n) {
		p = s->point[(*i)++];
		if (p->met[1] && (p->kind != POINT_BRANCH || p->met[0]))
			continue;
		*out = (struct cover_missed){ p->file, p->nline, p->col,
		    p->line, missed(p) };
		return true;
	}
	return false;
}
