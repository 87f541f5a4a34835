#include "engine/run/rowcopy.h"

#include "lang/base/buf.h"
#include "lang/base/num.h"

struct cell {
	bool		 wanted;
	double		 number;
	struct buf	 text;
	bool		 none;
};

struct rowcopy {
	struct row	 row;		/* first */
	struct mem	*mem;
	unsigned	 first, n;	/* the table's columns */
	struct cell	*cell;
};

static double
number(struct row *row, enum table_column c)
{
	return ((struct rowcopy *)row)->cell[c -
	    ((struct rowcopy *)row)->first].number;
}

static struct str
text(struct row *row, enum table_column c)
{
	struct cell *x = &((struct rowcopy *)row)->cell[c -
	    ((struct rowcopy *)row)->first];

	return x->none ? STR_NIL : buf_view(&x->text);
}

struct rowcopy *
rowcopy_new(struct mem *mem, const struct program *p)
{
	static const struct row_ops ops = { number, text };
	struct rowcopy *r = mem_zalloc(mem, sizeof *r);
	uint32_t i;

	r->row.ops = &ops;
	r->mem = mem;
	r->first = table_info[p->table].first;
	r->n = table_info[p->table + 1].first - r->first;
	r->cell = mem_zalloc(mem, r->n * sizeof *r->cell);
	for (i = 0; i < r->n; i++) {
		buf_init(&r->cell[i].text, mem);
		r->cell[i].number = NUM_NIL;
		r->cell[i].none = true;
	}
	for (i = 0; i < p->ndat; i++)
		if (p->dat[i].kind == DAT_COLUMN)
			r->cell[p->dat[i].lo - r->first].wanted = true;
	return r;
}

void
rowcopy_free(struct rowcopy *r)
{
	unsigned i;

	if (r == NULL)
		return;
	for (i = 0; r->cell != NULL && i < r->n; i++)
		buf_free(&r->cell[i].text);
	mem_free(r->mem, r->cell, r->n * sizeof *r->cell);
	mem_free(r->mem, r, sizeof *r);
}

void
rowcopy_take(struct rowcopy *r, struct row *row)
{
	struct cell *x;
	struct str s;
	unsigned i;

	for (i = 0; i < r->n; i++) {
		x = &r->cell[i];
		if (!x->wanted)
			continue;
		if (column_info[r->first + i].sigil == '#') {
			x->number = row->ops->number(row,
			    (enum table_column)(r->first + i));
			continue;
		}
		s = row->ops->text(row, (enum table_column)(r->first + i));
		x->none = str_none(s);
		buf_clear(&x->text);
		if (!x->none) {
			buf_room(&x->text, 1);
			buf_str(&x->text, s);
		}
	}
}

struct row *
rowcopy_row(struct rowcopy *r)
{
	return &r->row;
}
