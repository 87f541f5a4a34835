/* tables: single values of native tables, for a rule that reads another one. */
#include "engine/builtin/arg.h"

#include "engine/table/table.h"

#define LIM_COLUMN	10	/* values that $column joins: what a person still
				 * reads in a mail */
#define ROWS_A_LOOK	64	/* rows between two looks at the deadline */

/* What is asked for; key -1: nothing is looked for. */
struct asked {
	enum table_id	 table;
	int		 column, key;
	struct str	 value;		/* of the key */
};

/* The column of that argument; -1: told of. */
static int
column(struct call *c, enum table_id table, unsigned i)
{
	int k = table_column_find(table, c->s[i]);

	if (k < 0)
		vm_domain(c, "table %s has no column \"%.*s\"",
		    table_info[table].name, arg_cut(c->s[i]), c->s[i].p);
	return k;
}

/* False: told of, or there is nothing to ask. */
static bool
take(struct call *c, char sigil, struct asked *a)
{
	int t;

	if (arg_none(c))
		return false;
	t = table_find(c->s[0]);
	if (t < 0) {
		vm_domain(c, "there is no table \"%.*s\"", arg_cut(c->s[0]),
		    c->s[0].p);
		return false;
	}
	a->table = (enum table_id)t;
	if (!table_single(a->table)) {
		vm_domain(c, "table %s cannot be asked for single values",
		    table_info[t].name);
		return false;
	}
	a->column = column(c, a->table, 1);
	a->key = -1;
	if (a->column < 0)
		return false;
	if (column_info[a->column].sigil != sigil) {
		vm_domain(c, "column %s of table %s holds %s",
		    column_info[a->column].name, table_info[t].name,
		    sigil == '#' ? "texts" : "numbers");
		return false;
	}
	if (c->ns < 4)
		return true;
	a->key = column(c, a->table, 2);
	a->value = c->s[3];
	return a->key >= 0;
}

/* Has the row the key? */
static bool
fits(const struct asked *a, struct row *row)
{
	char t[NUM_TEXT_MAX];
	double d;

	if (a->key < 0)
		return true;
	if (column_info[a->key].sigil == '$')
		return str_eq(row->ops->text(row, (enum table_column)a->key),
		    a->value);
	d = row->ops->number(row, (enum table_column)a->key);
	return !num_none(d) && str_eq(str_of(t, num_text(d, t)), a->value);
}

static struct table *
open_table(struct call *c, const struct asked *a)
{
	struct table_ask ask = { .id = a->table };
	const struct host *host;
	struct table *t;
	struct str why;
	void *h;

	host = vm_host(c->vm, &h);
	t = host->table(h, &ask);
	if (t == NULL) {
		why = host->why(h);
		vm_failed(c, "%.*s", (int)why.n, why.p);
		c->rn = NUM_ERR;
		c->rs = STR_ERR;
	}
	return t;
}

/* The next row that fits, or NULL. */
static struct row *
next(struct call *c, const struct asked *a, struct table *t, size_t *nrow)
{
	const struct host *host;
	struct row *row;
	void *h;

	host = vm_host(c->vm, &h);
	for (;;) {
		if ((*nrow)++ % ROWS_A_LOOK == 0 && host->stop(h))
			return NULL;	/* vm_waited says so */
		switch (table_next(t)) {
		case TABLE_ROW:
			break;
		case TABLE_END:
			return NULL;
		default:
			vm_failed(c, "table %s: %s",
			    table_info[a->table].name, table_why(t));
			c->rn = NUM_ERR;
			c->rs = STR_ERR;
			return NULL;
		}
		row = table_row(t);
		if (fits(a, row))
			return row;
	}
}

void
bi_column(struct call *c)
{
	struct asked a;
	struct table *t;
	struct row *row;
	size_t nrow = 0;

	if (!take(c, '#', &a) || (t = open_table(c, &a)) == NULL)
		return;
	c->rn = NUM_NIL;
	if ((row = next(c, &a, t, &nrow)) != NULL)
		c->rn = row->ops->number(row, (enum table_column)a.column);
	table_close(t);
	vm_waited(c->vm);
}

void
bi_columns(struct call *c)
{
	struct { size_t at, n; } seen[LIM_COLUMN];
	struct asked a;
	struct table *t;
	struct row *row;
	struct buf *b;
	struct str s;
	size_t nrow = 0, n = 0, i;

	if (!take(c, '$', &a) || (t = open_table(c, &a)) == NULL)
		return;
	c->rs = STR_NIL;
	b = vm_buf(c->vm);
	while (n < LIM_COLUMN && (row = next(c, &a, t, &nrow)) != NULL) {
		s = row->ops->text(row, (enum table_column)a.column);
		if (str_none(s))
			continue;
		for (i = 0; i < n; i++)
			if (str_eq(str_of(b->p + seen[i].at, seen[i].n), s))
				break;
		if (i < n)
			continue;
		if (n > 0)
			buf_putc(b, ' ');
		buf_room(b, s.n + 1);
		seen[n].at = b->n;
		seen[n++].n = s.n;
		buf_str(b, s);
	}
	table_close(t);
	if (n > 0 && c->rs.p == NULL && c->rs.n == 0)
		c->rs = arg_result(c, b);
	vm_waited(c->vm);
}
