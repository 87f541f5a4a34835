/*
 * table: input table.  Its columns are dat variables that nobody declares:
 * each is made where the script first names it, so that the engine reads no
 * column that is not asked for.
 */
#include <stdio.h>

#include "lang/base/num.h"
#include "lang/check/inner.h"
#include "lang/table/tables.h"

#define NEAR	3		/* letters that a slip may be off */

static void
did_you_mean(struct check *c, struct diag_item *d, const char *near)
{
	struct buf b;

	if (near == NULL)
		return;
	buf_init(&b, c->arena->mem);
	buf_printf(&b, "did you mean %s?", near);
	diag_hint(c->diag, d, buf_view(&b));
	buf_free(&b);
}

/* The name is nearer to s than *best: that and the best are replaced. */
static void
nearer(struct str s, const char *name, unsigned *best, const char **near)
{
	unsigned d = str_distance(s, str_c(name), NEAR - 1);

	if (d < *best && d < s.n) {
		*best = d;
		*near = name;
	}
}

int
check_table_name(struct check *c, struct str name, struct span at)
{
	const char *near = NULL;
	unsigned best = NEAR;
	int i = table_find(name);

	if (i >= 0)
		return i;
	for (i = 0; i < TABLE_COUNT; i++)
		nearer(name, table_info[i].name, &best, &near);
	did_you_mean(c, check_error(c, at, E_TABLE_UNKNOWN, name, STR_NIL),
	    near);
	return -1;
}

int
check_column_name(struct check *c, int table, struct str name,
    struct span at)
{
	const struct table_info *t = &table_info[table];
	const char *near = NULL;
	unsigned best = NEAR, k;
	int i = table_column_find((enum table_id)table, name);

	if (i >= 0)
		return i;
	for (k = t->first; k < t[1].first; k++)
		nearer(name, column_info[k].name, &best, &near);
	did_you_mean(c, check_error(c, at, E_COLUMN_UNKNOWN, name,
	    str_c(t->name)), near);
	return -1;
}

/* The column is named with the other sigil. */
static void
other_sigil(struct check *c, int column, struct span at)
{
	const struct column_info *k = &column_info[column];
	bool number = k->sigil == '#';
	struct diag_item *d;
	struct buf b;

	d = check_error(c, at, E_COLUMN_TYPE, str_c(k->name), number ?
	    STR_LIT("numbers") : STR_LIT("texts"));
	buf_init(&b, c->arena->mem);
	if (number)
		buf_printf(&b, "write #%s, in a string #{#%s}", k->name,
		    k->name);
	else
		buf_printf(&b, "write $%s", k->name);
	diag_hint(c->diag, d, buf_view(&b));
	buf_free(&b);
}

void
check_near_column(struct check *c, struct diag_item *d, struct str name)
{
	const struct table_info *t;
	const char *near = NULL;
	unsigned best = NEAR, k;
	char text[100];

	if (c->func != NULL || c->table < 0)
		return;
	t = &table_info[c->table];
	for (k = t->first; k < t[1].first; k++)
		nearer(name, column_info[k].name, &best, &near);
	if (near == NULL)
		return;
	k = (unsigned)table_column_find((enum table_id)c->table, str_c(near));
	snprintf(text, sizeof text, "%c%s", column_info[k].sigil, near);
	did_you_mean(c, d, text);
}

void
check_column(struct check *c, char sigil, struct str name, struct span at)
{
	struct init *in;
	struct symbol *there, *y;
	struct dat_spec *d;
	int column;

	if (c->func != NULL || c->table < 0 ||
	    (column = table_column_find((enum table_id)c->table, name)) < 0 ||
	    symbols_find(&c->sym, sigil, name) != NULL)
		return;
	if (column_info[column].sigil != sigil) {
		other_sigil(c, column, at);
		/* from here on it is known: once is enough */
		y = symbols_get(&c->sym, sigil, name, SYM_SCALAR, at, &there);
		y->set = y->used = true;
		return;
	}
	in = c->script->init;
	d = arena_zalloc(c->arena, sizeof *d);
	d->name = name;
	d->number = sigil == '#';
	d->span = at;
	d->kind = DAT_COLUMN;
	d->column = (uint32_t)column;
	d->regex = d->as = d->as_format = STR_NIL;
	d->sym = symbols_get(&c->sym, sigil, name, SYM_DAT, at, &there);
	d->sym->set = true;
	if (in->dat == NULL)
		in->dat = d;
	else
		in->dat_tail->next = d;
	in->dat_tail = d;
}

/* The dat's name has the other sigil than its column. */
static void
dat_sigil(struct check *c, const struct dat_spec *d)
{
	struct diag_item *e = check_error(c, d->span, E_COLUMN_TYPE, d->regex,
	    d->number ? STR_LIT("texts") : STR_LIT("numbers"));
	struct buf b;

	buf_init(&b, c->arena->mem);
	buf_printf(&b, "write: dat %c%.*s", d->number ? '$' : '#',
	    (int)d->name.n, d->name.p);
	diag_hint(c->diag, e, buf_view(&b));
	buf_free(&b);
}

/* dat #n "count": another name. */
static void
dats(struct check *c, const struct init *in)
{
	struct dat_spec *d;
	struct str name;
	int column;

	for (d = in->dat; d != NULL; d = d->next) {
		name = check_sigil(c, d->number ? TY_NUM : TY_STR, d->name);
		if (d->kind != DAT_REGEX) {
			check_error(c, d->span, E_TABLE_DAT, name, STR_NIL);
			continue;
		}
		if (!str_none(d->as))
			check_error(c, d->as_span, E_TABLE_ITEM,
			    STR_LIT("as"), STR_NIL);
		if (str_none(d->regex))
			continue;	/* told of */
		column = check_column_name(c, c->table, d->regex,
		    d->regex_span);
		if (column < 0)
			continue;
		if ((column_info[column].sigil == '#') != d->number)
			dat_sigil(c, d);
		d->kind = DAT_COLUMN;
		d->column = (uint32_t)column;
	}
}

static void
arguments(struct check *c, struct node *table)
{
	const char *args = table_info[c->table].args, *p;
	size_t least = strcspn(args, "|"), most, n = 0;
	struct node **pa;
	char hint[100];

	most = strlen(args) - (args[least] == '|');
	for (pa = &table->list; *pa != NULL; pa = &(*pa)->next)
		n++;
	if (n < least || n > most) {
		snprintf(hint, sizeof hint, "picket doc %s says which",
		    table_info[c->table].name);
		diag_hint(c->diag, diag_at(c->diag, table->span, E_ARGS,
		    table->text, check_count(c, (unsigned)least,
		    (unsigned)most), check_number(c, (unsigned)n)),
		    most == 0 ? STR_LIT("leave out the parentheses") :
		    str_c(hint));
		return;
	}
	for (pa = &table->list, p = args; *pa != NULL;
	    pa = &(*pa)->next, p++) {
		if (*p == '|')
			p++;
		if (*p == 's') {
			check_want_str(c, pa, false);
			continue;
		}
		check_want_num(c, pa);
		if ((*pa)->kind == X_NUM && !((*pa)->num >= 0 &&
		    num_is_int((*pa)->num)))
			diag_at(c->diag, (*pa)->span, E_VALUE_RANGE,
			    STR_LIT("this argument"), STR_LIT("0"),
			    STR_LIT("2**53, a whole number"));
	}
}

void
check_table(struct check *c, struct init *in)
{
	c->table = check_table_name(c, in->input->text, in->input->span);
	if (c->table < 0)
		return;
	in->input->id = c->table;
	if (in->filter != NULL)
		check_error(c, in->filter->span, E_TABLE_ITEM,
		    STR_LIT("filter"), STR_NIL);
	if (!str_none(in->seps))
		check_error(c, in->seps_span, E_TABLE_ITEM, STR_LIT("seps"),
		    STR_NIL);
	if (!str_none(in->format))
		check_error(c, in->format_span, E_TABLE_ITEM,
		    STR_LIT("format"), STR_NIL);
	dats(c, in);
	arguments(c, in->input);
	if (in->where == NULL)
		return;
	c->place = IN_RULE;
	check_want_truth(c, &in->where);
	c->place = IN_INIT;
}

/*
 * The table of a function that looks rows up, by its first argument; -1: it
 * is not known here, or cannot be asked so.  A key column stands with its key:
 * not so many arguments.
 */
static int
asked_table(struct check *c, struct node *call, unsigned count,
    unsigned not_so_many, struct str wants, struct str got)
{
	struct node *table = call->list;
	int t;

	if (count == not_so_many)
		diag_at(c->diag, call->span, E_ARGS,
		    builtin_main_name(call->id), wants, got);
	if (table->kind != X_STR ||
	    (t = check_table_name(c, table->text, table->span)) < 0)
		return -1;
	if (table_single((enum table_id)t))
		return t;
	check_error(c, table->span, E_TABLE_SINGLE, table->text, STR_NIL);
	return -1;
}

void
check_single(struct check *c, struct node *call, unsigned count)
{
	struct node *column = call->list->next, *key;
	char want = call->id == BI_COLUMN ? '#' : '$';
	int t, k;

	t = asked_table(c, call, count, 3, STR_LIT("2 or 4 arguments"),
	    STR_LIT("3"));
	if (t < 0)
		return;
	if (column->kind == X_STR) {
		k = check_column_name(c, t, column->text, column->span);
		if (k >= 0 && column_info[k].sigil != want)
			diag_hint(c->diag, check_error(c, column->span,
			    E_COLUMN_TYPE, column->text, want == '#' ?
			    STR_LIT("texts") : STR_LIT("numbers")),
			    want == '#' ? STR_LIT("write: $column(...)") :
			    STR_LIT("write: #column(...)"));
	}
	key = column->next;
	if (key != NULL && key->kind == X_STR)
		(void)check_column_name(c, t, key->text, key->span);
}

/* #tally("table", "column column", "number", #array[, "key", text]) */
void
check_tally(struct check *c, struct node *call, unsigned count)
{
	struct node *group = call->list->next;
	struct node *number = group->next, *key = number->next->next;
	struct str rest, word;
	size_t i;
	int t, k;

	t = asked_table(c, call, count, 5, STR_LIT("4 or 6 arguments"),
	    STR_LIT("5"));
	if (t < 0)
		return;
	rest = group->kind == X_STR ? group->text : STR_LIT("");
	for (;;) {
		rest = str_trim(rest);
		for (i = 0; i < rest.n && rest.p[i] != ' '; i++)
			;
		if (i == 0)
			break;
		word = str_of(rest.p, i);
		rest = str_of(rest.p + i, rest.n - i);
		(void)check_column_name(c, t, word, group->span);
	}
	if (number->kind == X_STR && number->text.n > 0) {
		k = check_column_name(c, t, number->text, number->span);
		if (k >= 0 && column_info[k].sigil != '#')
			check_error(c, number->span, E_COLUMN_TYPE,
			    number->text, STR_LIT("texts"));
	}
	if (key != NULL && key->kind == X_STR)
		(void)check_column_name(c, t, key->text, key->span);
}
