/*
 * previous: %x, of the run before, and @x, of the line before.  Their types
 * and kinds are those of x, which may be met only later in the script; so
 * the first of them has all names of the script collected.
 */
#include "lang/check/inner.h"
#include "lang/table/tables.h"

enum { HAS_NUM = 1, HAS_STR = 2 };

static void
add(struct check *c, struct str name, bool number)
{
	struct map_entry *e;
	bool is_new;

	if (str_none(name) || name.n == 0)
		return;
	e = map_put(&c->names, name, &is_new);
	e->v.num |= number ? HAS_NUM : HAS_STR;
}

/* A list of trees; their depth is bounded (LIM_DEPTH). */
static void
collect(struct check *c, const struct node *n)
{
	for (; n != NULL; n = n->next) {
		if (n->kind == X_VAR || n->kind == X_INDEX ||
		    n->kind == X_ARRAY)
			add(c, n->text, n->type == TY_NUM);
		collect(c, n->a);
		collect(c, n->b);
		collect(c, n->c);
		collect(c, n->list);
	}
}

static void
collect_all(struct check *c)
{
	const struct dat_spec *d;
	const struct rule *r;
	int i;

	if (c->names_known)
		return;
	c->names_known = true;
	map_init(&c->names, c->arena);
	for (d = c->script->init->dat; d != NULL; d = d->next)
		add(c, d->name, d->number);
	for (i = 0; c->table >= 0 && i < COLUMN_COUNT; i++)
		if ((int)column_info[i].table == c->table)
			add(c, str_c(column_info[i].name),
			    column_info[i].sigil == '#');
	collect(c, c->script->init->where);
	collect(c, c->script->begin);
	for (r = c->script->rule; r != NULL; r = r->next)
		collect(c, r->body);
	collect(c, c->script->end);
}

static struct str
joined(struct check *c, const char *a, struct str b)
{
	size_t n = strlen(a);
	char *p = arena_text(c->arena, n + b.n);

	memcpy(p, a, n);
	memcpy(p + n, b.p, b.n);
	return str_of(p, n + b.n);
}

static void
unknown(struct check *c, const struct node *n)
{
	const struct map_entry *e = map_nearest(&c->names, n->text);
	const char *mark = n->flag ? "@" : "%";
	struct str name = n->text;
	struct diag_item *d;
	struct buf b;

	if (n->type != TY_NONE)
		name = joined(c, n->type == TY_NUM ? "#" : "$", name);
	d = check_error(c, n->span, E_PREV_UNKNOWN, joined(c, mark, name),
	    name);
	if (e == NULL)
		return;
	buf_init(&b, c->arena->mem);
	buf_printf(&b, "did you mean %s%.*s?", mark, (int)e->key.n, e->key.p);
	diag_hint(c->diag, d, buf_view(&b));
	buf_free(&b);
}

/* The sign that is not written: that of the one variable of this name. */
static bool
find_type(struct check *c, struct node *n)
{
	const struct map_entry *e;
	struct diag_item *d;
	struct buf b;
	char mark = n->flag ? '@' : '%';
	size_t has;

	collect_all(c);
	e = map_get(&c->names, n->text);
	has = e == NULL ? 0 : e->v.num;
	if (n->type != TY_NONE)
		has &= n->type == TY_NUM ? HAS_NUM : HAS_STR;
	if (has == 0) {
		unknown(c, n);
		return false;
	}
	if (has == (HAS_NUM | HAS_STR)) {
		buf_init(&b, c->arena->mem);
		buf_printf(&b, "write %c#%.*s or %c$%.*s", mark,
		    (int)n->text.n, n->text.p, mark, (int)n->text.n,
		    n->text.p);
		d = check_error(c, n->span, E_PREV_TWO, joined(c,
		    n->flag ? "@" : "%", n->text), n->text);
		diag_hint(c->diag, d, buf_view(&b));
		buf_free(&b);
		return false;
	}
	n->type = has == HAS_NUM ? TY_NUM : TY_STR;
	return true;
}

/* The array that holds what `of` held at the end of the run before. */
static struct symbol *
array_before(struct check *c, struct symbol *of, struct span at)
{
	struct symbol *there, *y;

	if (of->before != NULL)
		return of->before;
	y = symbols_get(&c->sym, of->number ? '#' : '$',
	    joined(c, "%", of->name), SYM_ARRAY, at, &there);
	y->set = y->used = true;
	of->previous = true;
	return of->before = y;
}

enum type
check_previous(struct check *c, struct node *n)
{
	bool scalar = n->op == PREV_SCALAR;
	struct symbol *y;

	if (n->sym != NULL || n->kind != X_PREV)
		return n->type;
	if (c->func != NULL)
		check_error(c, n->span, E_PREV_FUNCTION, joined(c,
		    n->flag ? "@" : "%", n->text), STR_NIL);
	if (c->func != NULL || !find_type(c, n)) {
		n->kind = X_NIL;
		n->list = NULL;
		return n->type = n->type == TY_NONE ? TY_ANY : n->type;
	}
	y = check_symbol(c, n, scalar ? SYM_SCALAR : SYM_ARRAY);
	if (!y->used) {
		y->used = true;
		y->use = n->span;
	}
	if (n->op == PREV_ELEMENT)
		check_keys(c, n);
	if (n->flag) {
		if (n->op == PREV_WHOLE)
			n->kind = X_ARRAY;	/* an error in all places */
		else
			y->preceding = true;
		return n->type;
	}
	if (scalar) {
		y->previous = true;
		/* the script's own value of a dat is that of the last line */
		if (y->kind == SYM_DAT)
			c->end_uses_line = true;
		return n->type;
	}
	n->sym = array_before(c, y, n->span);
	n->text = n->sym->name;
	n->kind = n->op == PREV_ELEMENT ? X_INDEX : X_ARRAY;
	return n->type;
}
