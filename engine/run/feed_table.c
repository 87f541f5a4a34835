/*
 * feed_table: input table: rows of a native table, those that `where` holds
 * of.  A row is gone with the next one; where somebody looks at it later it
 * is copied first.
 */
#include <stdio.h>

#include "lang/base/num.h"
#include "engine/run/feed_inner.h"
#include "engine/table/table.h"

#define ROWS_A_LOOK	64	/* rows between two looks at the deadline: tables
				 * of many rows look by themselves, too */

/* Its arguments as the table takes them; false: the reason is in why. */
static bool
arguments(struct feed *f, struct table_ask *ask)
{
	const struct program *p = f->o.program;
	const struct table_info *info = &table_info[p->table];
	const char *letter = info->args;
	unsigned i;

	memset(ask, 0, sizeof *ask);
	ask->id = (enum table_id)p->table;
	ask->narg = p->ntablearg;
	vm_run_table(f->o.vm, ask->text, ask->number);
	for (i = 0; i < ask->narg; i++, letter++) {
		if (*letter == '|')
			letter++;
		if (*letter == 's' ? str_none(ask->text[i]) :
		    num_none(ask->number[i])) {
			snprintf(f->why, sizeof f->why, "input table %s: "
			    "argument %u has no value", info->name, i + 1);
			return false;
		}
		if (*letter == 's' && memchr(ask->text[i].p, '\0',
		    ask->text[i].n) != NULL) {
			snprintf(f->why, sizeof f->why, "input table %s: "
			    "argument %u has a zero byte", info->name, i + 1);
			return false;
		}
		if (*letter != 's' && !(ask->number[i] >= 0 &&
		    num_is_int(ask->number[i]))) {
			snprintf(f->why, sizeof f->why, "input table %s: "
			    "argument %u is %g, and must be a whole number, "
			    "0 or more", info->name, i + 1, ask->number[i]);
			return false;
		}
	}
	return true;
}

bool
feed_table_open(struct feed *f)
{
	struct feed_table *t;
	struct table_ask ask;

	if (!arguments(f, &ask))
		return false;
	f->table = t = mem_zalloc(f->o.mem, sizeof *t);
	if (f->o.look_ahead || f->o.program->end_uses_line) {
		t->at = rowcopy_new(f->o.mem, f->o.program);
		t->ahead = rowcopy_new(f->o.mem, f->o.program);
	}
	t->table = f->o.host->table(f->o.live, &ask);
	if (t->table == NULL)
		feed_host_why(f);
	return t->table != NULL;
}

static enum reader_result
failed(struct feed *f, const char *why)
{
	f->end.failed = true;
	snprintf(f->end.why, sizeof f->end.why, "%.199s", why);
	return READER_FAILED;
}

/* The next row that counts. */
static enum reader_result
next_row(struct feed *f, struct row **row)
{
	struct feed_table *t = f->table;
	struct str why;
	char text[200];

	for (;;) {
		if (t->nrow++ % ROWS_A_LOOK == 0 &&
		    f->o.host->stop(f->o.live)) {
			why = f->o.host->why(f->o.live);
			snprintf(text, sizeof text, "%.*s", (int)(why.n <
			    sizeof text ? why.n : sizeof text - 1), why.p);
			return failed(f, text);
		}
		switch (table_next(t->table)) {
		case TABLE_ROW:
			break;
		case TABLE_END:
			return READER_END;
		default:
			return failed(f, table_why(t->table));
		}
		*row = table_row(t->table);
		t->how = vm_row_counts(f->o.vm, *row);
		if (t->how != VM_SKIP)
			return READER_LINE;	/* it counts, or ends the run */
	}
}

static void
swap(struct feed_table *t)
{
	struct rowcopy *x = t->at;

	t->at = t->ahead;
	t->ahead = x;
}

enum reader_result
feed_row(struct feed *f, struct row **row, enum vm_result *how)
{
	struct feed_table *t = f->table;
	enum reader_result x;

	*how = VM_DONE;
	if (f->ended)
		return READER_END;
	if (!f->o.look_ahead) {
		x = next_row(f, row);
		f->ended = x == READER_END;
		if (x != READER_LINE)
			return x;
		*how = t->how;
		if (t->at != NULL) {
			rowcopy_take(t->at, *row);
			t->has_last = true;
		}
		return x;
	}
	for (;;) {
		swap(t);
		x = next_row(f, row);
		if (x == READER_FAILED)
			return x;
		f->ended = x == READER_END;
		if (x == READER_LINE) {
			if (t->how != VM_DONE) {
				*how = t->how;
				return x;
			}
			rowcopy_take(t->ahead, *row);
			if (!t->has_last) {
				t->has_last = true;
				continue;
			}
		} else {
			if (!t->has_last)
				return x;
			vm_set_eoi(f->o.vm);
		}
		*row = rowcopy_row(t->at);
		return READER_LINE;
	}
}

struct rowcopy *
feed_last_row(struct feed *f)
{
	struct feed_table *t = f->table;
	struct rowcopy *r;

	if (t == NULL || !t->has_last)
		return NULL;
	r = t->at;
	t->at = NULL;
	return r;
}

void
feed_table_close(struct feed *f)
{
	struct feed_table *t = f->table;

	if (t == NULL)
		return;
	f->table = NULL;
	table_close(t->table);
	rowcopy_free(t->at);
	rowcopy_free(t->ahead);
	mem_free(f->o.mem, t, sizeof *t);
}
