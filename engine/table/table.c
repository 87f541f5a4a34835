/* table: which maker is asked, and what they share; see table.h. */
#include <stdio.h>
#include <string.h>

#include "engine/table/table.h"

static const struct table_maker *const maker[TABLE_COUNT] = {
#define T(id, name, args, help) &table_##name,
#include "lang/table/tables.def"
};

struct table *
table_open(const struct table_world *w, const struct table_ask *ask,
    char why[LIM_TABLE_WHY])
{
	struct table *t, **tail = w->list;

	while (tail != NULL && *tail != NULL)
		tail = &(*tail)->next;
	why[0] = '\0';
	if (w->snapshot != NULL && !table_held(ask->id)) {
		snprintf(why, LIM_TABLE_WHY, "not while memory is short: "
		    "nothing can be opened then");
		return NULL;
	}
	t = maker[ask->id]->open(w, ask, why);
	if (t == NULL && tail != NULL)
		*tail = NULL;	/* whatever it has made is gone */
	return t;
}

enum table_next
table_next(struct table *t)
{
	return t->maker->next(t);
}

struct row *
table_row(struct table *t)
{
	return &t->row;
}

const char *
table_why(const struct table *t)
{
	return t->why;
}

void
table_close(struct table *t)
{
	struct table **p;

	if (t == NULL)
		return;
	for (p = t->world.list; p != NULL && *p != NULL; p = &(*p)->next)
		if (*p == t) {
			*p = t->next;
			break;
		}
	t->maker->close(t);
}

struct table *
table_make(const struct table_world *w, const struct table_maker *m, size_t n)
{
	struct table *t = mem_zalloc(w->mem, n), **p = w->list;

	t->row.ops = &m->row;
	t->maker = m;
	t->world = *w;
	if (p != NULL) {
		while (*p != NULL)
			p = &(*p)->next;
		*p = t;
	}
	return t;
}

bool
table_path(const struct table_world *w, const char *path, char *to, size_t n)
{
	int k = snprintf(to, n, "%s%s", w->root == NULL ? "" : w->root, path);

	return k > 0 && (size_t)k < n;
}
