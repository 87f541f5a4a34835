#include "lang/syntax/ast.h"
#include "lang/syntax/build.h"

struct node *
ast_new(struct parse *p, enum ast kind, struct span span)
{
	struct node *n = arena_zalloc(p->arena, sizeof *n);

	n->kind = kind;
	n->span = span;
	n->text = STR_NIL;
	return n;
}

/* Takes a child in: the tree's depth is bounded here, for all who recurse. */
static void
ast_child(struct parse *p, struct node *n, const struct node *child)
{
	if (child == NULL || child->depth < n->depth)
		return;
	n->depth = (uint16_t)(child->depth + 1);
	if (n->depth == LIM_DEPTH && !p->stop) {
		build_too_deep(p, n->span, "1000 levels");
	}
}

struct node *
ast_un(struct parse *p, enum ast kind, int op, struct span span,
    struct node *a)
{
	return ast_bin(p, kind, op, span, a, NULL);
}

struct node *
ast_bin(struct parse *p, enum ast kind, int op, struct span span,
    struct node *a, struct node *b)
{
	struct node *n = ast_new(p, kind, span);

	n->op = (uint8_t)op;
	n->a = a;
	n->b = b;
	ast_child(p, n, a);
	ast_child(p, n, b);
	return n;
}

struct function *
ast_function(struct parse *p, struct str name, int *id)
{
	struct map_entry *e;
	struct function *f, **all;
	bool is_new;

	e = map_put(&p->funcs, name, &is_new);
	if (!is_new) {
		*id = BI_COUNT + (int)e->v.num;
		return p->func_by_id[(size_t)e->v.num];
	}
	f = arena_zalloc(p->arena, sizeof *f);
	f->name = arena_dup(p->arena, name);
	f->number = name.p[0] == '#';
	if (p->nfunc == p->capfunc) {
		p->capfunc = p->capfunc == 0 ? 8 : p->capfunc * 2;
		all = arena_alloc(p->arena, p->capfunc * sizeof *all);
		if (p->nfunc > 0)
			memcpy(all, p->func_by_id, p->nfunc * sizeof *all);
		p->func_by_id = all;
	}
	e->v.num = p->nfunc;
	*id = BI_COUNT + (int)p->nfunc;
	p->func_by_id[p->nfunc++] = f;
	if (p->func == NULL)
		p->func = f;
	else
		p->func_tail->next = f;
	p->func_tail = f;
	return f;
}

struct list
ast_append(struct list l, struct node *n)
{
	if (n == NULL)
		return l;
	if (l.head == NULL)
		l.head = n;
	else
		l.tail->next = n;
	l.tail = n;
	return l;
}

struct list
ast_prepend(struct node *n, struct list l)
{
	if (n == NULL)
		return l;
	n->next = l.head;
	l.head = n;
	if (l.tail == NULL)
		l.tail = n;
	return l;
}

struct node *
ast_push_back(struct node *list, struct node *n)
{
	struct node *p;

	if (list == NULL)
		return n;
	/* c of the first node is the list's tail while it is built */
	p = list->c == NULL ? list : list->c;
	p->next = n;
	list->c = n;
	return list;
}

struct span
span_join(struct span a, struct span b)
{
	uint32_t end = b.at + b.len;

	if (end < a.at + a.len)
		return a;
	a.len = end - a.at;
	return a;
}
