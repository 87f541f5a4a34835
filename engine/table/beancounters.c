/*
 * beancounters: the limits of OpenVZ containers.  The kernel writes
 *
 *	Version: 2.5
 *	       uid  resource       held  maxheld  barrier  limit  failcnt
 *	      101:  kmemsize    2752511  ...
 *	            lockedpages       0  ...
 *
 * older ones without the first line, and /proc/bc/UID/resources, of which the
 * whole is made, without the number.  A line whose numbers are cut off has
 * NIL for them; a limit of LONG_MAX, of either size of a long, is none.
 */
#include <errno.h>
#include <string.h>

#include "engine/table/lines.h"

struct beancounters {
	struct table	 table;
	struct lines	 lines;
	double		 uid;
	struct str	 resource;
	double		 value[5];	/* held maxheld barrier limit failcnt */
};

static struct table *
beancounters_open(const struct table_world *w, const struct table_ask *ask,
    char why[LIM_TABLE_WHY])
{
	struct beancounters *b = (struct beancounters *)table_make(w,
	    &table_beancounters, sizeof *b);

	(void)ask;
	b->uid = NUM_NIL;
	if (lines_open(&b->lines, w, "/proc/user_beancounters", why))
		return &b->table;
	if (errno == ENOENT)
		table_whyf(why, "%.160s/proc/user_beancounters: No such file: "
		    "this is no OpenVZ container",
		    w->root == NULL ? "" : w->root);
	else if (errno == EACCES)
		table_whyf(why, "%.160s/proc/user_beancounters: %s: only root "
		    "may read it", w->root == NULL ? "" : w->root,
		    strerror(EACCES));
	mem_free(w->mem, b, sizeof *b);
	return NULL;
}

static void
beancounters_close(struct table *t)
{
	lines_close(&((struct beancounters *)t)->lines);
	mem_free(t->world.mem, t, sizeof(struct beancounters));
}

static bool
unlimited(double v)
{
	return !num_none(v) && (v >= 9223372036854775807.0 || v == 2147483647);
}

static enum table_next
beancounters_next(struct table *t)
{
	struct beancounters *b = (struct beancounters *)t;
	struct str line, w;
	size_t i;

	while (lines_next(&b->lines, &line)) {
		if (!line_word(&line, &w) || line_is(w, "Version:") ||
		    line_is(w, "uid") || line_is(w, "resource"))
			continue;
		if (w.p[w.n - 1] == ':') {
			b->uid = line_number(str_of(w.p, w.n - 1));
			if (!line_word(&line, &w))
				continue;
		}
		if (line_is(w, "dummy"))	/* a place that is not used */
			continue;
		b->resource = w;
		for (i = 0; i < 5; i++)
			b->value[i] = line_word_number(&line);
		for (i = 2; i < 4; i++)
			if (unlimited(b->value[i]))
				b->value[i] = NUM_NIL;
		return TABLE_ROW;
	}
	if (b->lines.error == 0)
		return TABLE_END;
	table_whyf(t->why, "/proc/user_beancounters: %s",
	    strerror(b->lines.error));
	return TABLE_FAILED;
}

static double
beancounters_number(struct row *r, enum table_column c)
{
	struct beancounters *b = (struct beancounters *)r;

	return c == COLUMN_BEANCOUNTERS_uid ? b->uid :
	    b->value[c - COLUMN_BEANCOUNTERS_held];
}

static struct str
beancounters_text(struct row *r, enum table_column c)
{
	(void)c;
	return ((struct beancounters *)r)->resource;
}

const struct table_maker table_beancounters = {
	beancounters_open, beancounters_next, beancounters_close,
	{ beancounters_number, beancounters_text }
};
