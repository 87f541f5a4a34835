/* tables: values of native tables, for a rule that reads another one. */
#include "engine/builtin/arg.h"

#include "engine/table/table.h"

#define LIM_COLUMN	10	/* values that $column joins: what a person still
				 * reads in a mail */
#define LIM_GROUP	4	/* columns that #tally groups by: user, name, unit
				 * and one more */
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

/* The table; false: told of, or there is nothing to ask. */
static bool
take_table(struct call *c, struct asked *a)
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
	return true;
}

/* The column to be read. */
static bool
take_column(struct call *c, unsigned i, char sigil, struct asked *a)
{
	a->column = column(c, a->table, i);
	if (a->column < 0)
		return false;
	if (column_info[a->column].sigil != sigil) {
		vm_domain(c, "column %s of table %s holds %s",
		    column_info[a->column].name, table_info[a->table].name,
		    sigil == '#' ? "texts" : "numbers");
		return false;
	}
	return true;
}

/* The key's column, if there is one, and behind it its text. */
static bool
take_key(struct call *c, unsigned i, struct asked *a)
{
	a->key = -1;
	if (c->ns < i + 2)
		return true;
	a->key = column(c, a->table, i);
	a->value = c->s[i + 1];
	return a->key >= 0;
}

static bool
take(struct call *c, char sigil, struct asked *a)
{
	return take_table(c, a) && take_column(c, 1, sigil, a) &&
	    take_key(c, 2, a);
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

/* The one process that is asked for, so that the others need not be read; 0:
 * none, or not by its number. */
static pid_t
only(const struct asked *a)
{
	double pid;

	if (a->table != TABLE_PROCESSES || a->key != COLUMN_PROCESSES_pid)
		return 0;
	pid = num_parse(a->value, false);
	return num_is_int(pid) && pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

static struct table *
open_table(struct call *c, const struct asked *a)
{
	struct table_ask ask = { .id = a->table, .only = only(a) };
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

/* The columns that make groups: names by blanks.  How many; 0: told of. */
static unsigned
take_groups(struct call *c, enum table_id table, int group[LIM_GROUP])
{
	struct str rest = c->s[1], word;
	unsigned n = 0;
	size_t i;

	while (rest.n > 0) {
		for (i = 0; i < rest.n && rest.p[i] != ' '; i++)
			;
		word = str_of(rest.p, i);
		rest = str_of(rest.p + i, rest.n - i);
		if (rest.n > 0)
			rest = str_of(rest.p + 1, rest.n - 1);
		if (word.n == 0)
			continue;
		if (n == LIM_GROUP) {
			vm_domain(c, "more than %d columns to group by",
			    LIM_GROUP);
			return 0;
		}
		group[n] = table_column_find(table, word);
		if (group[n++] < 0) {
			vm_domain(c, "table %s has no column \"%.*s\"",
			    table_info[table].name, arg_cut(word), word.p);
			return 0;
		}
	}
	if (n == 0)
		vm_domain(c, "no column to group by");
	return n;
}

static void
put_value(struct buf *b, struct row *row, int column)
{
	char t[NUM_TEXT_MAX];
	struct str s;
	double d;

	if (column_info[column].sigil == '$') {
		s = row->ops->text(row, (enum table_column)column);
		buf_str(b, str_shown(s));
		return;
	}
	d = row->ops->number(row, (enum table_column)column);
	buf_str(b, str_of(t, num_text(d, t)));
}

void
bi_tally(struct call *c)
{
	struct array *array = vm_array(c->vm, c->n[0]);
	int group[LIM_GROUP];
	struct array_item *item;
	struct asked a;
	struct table *t;
	struct row *row;
	struct buf *b;
	size_t nrow = 0;
	unsigned i, n;
	double d;

	if (!take_table(c, &a) || (n = take_groups(c, a.table, group)) == 0)
		return;
	a.column = -1;		/* count */
	if ((c->s[2].n > 0 && !take_column(c, 2, '#', &a)) ||
	    !take_key(c, 3, &a))
		return;
	if (!array->number) {
		vm_domain(c, "an array of texts");
		return;
	}
	if ((t = open_table(c, &a)) == NULL)
		return;
	array_clear(array);
	b = vm_buf(c->vm);
	c->rn = 0;
	while ((row = next(c, &a, t, &nrow)) != NULL) {
		d = a.column < 0 ? 1 :
		    row->ops->number(row, (enum table_column)a.column);
		if (num_none(d))
			continue;
		b->n = 0;
		for (i = 0; i < n; i++) {
			if (i > 0)
				buf_putc(b, ' ');
			put_value(b, row, group[i]);
		}
		item = array_make(array, buf_view(b));
		item->n = num_none(item->n) ? d : item->n + d;
	}
	table_close(t);
	if (!num_is_err(c->rn))
		c->rn = (double)array->nlive;
	vm_waited(c->vm);
}
