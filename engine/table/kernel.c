/*
 * kernel: messages of the kernel since the last run.  A message that holds
 * several lines is one row; what was overrun in the kernel's buffer before it
 * was read is counted and told of once.
 */
#include <stdio.h>
#include <string.h>

#include "engine/table/kmsg.h"

#define LIM_KERNEL	100000	/* rows of a run: a kernel that writes faster
				 * than it is read must not hold the run; the
				 * next one goes on there */

struct kernel {
	struct table	 table;
	struct kmsg	 log;
	unsigned	 rows;
};

static void
kernel_free(struct kernel *k)
{
	kmsg_close(&k->log);
	mem_free(k->table.world.mem, k, sizeof *k);
}

static struct table *
kernel_open(const struct table_world *w, const struct table_ask *ask,
    char why[LIM_TABLE_WHY])
{
	struct kernel *k = (struct kernel *)table_make(w, &table_kernel,
	    sizeof *k);
	struct str position = w->position == NULL ? STR_EMPTY :
	    w->position(w->arg, STR_LIT("kernel"));

	(void)ask;
	if (kmsg_open(&k->log, &k->table.world, position, why))
		return &k->table;
	kernel_free(k);
	return NULL;
}

static enum table_next
kernel_next(struct table *t)
{
	struct kernel *k = (struct kernel *)t;
	enum table_next got = TABLE_END;

	while (k->rows < LIM_KERNEL &&
	    (got = kmsg_next(&k->log, t->why)) == TABLE_ROW)
		if (!k->log.now.old) {
			k->rows++;
			return TABLE_ROW;
		}
	return got == TABLE_FAILED ? got : TABLE_END;
}

static void
kernel_close(struct table *t)
{
	struct kernel *k = (struct kernel *)t;
	const struct table_world *w = &t->world;
	struct buf b;

	buf_init(&b, w->mem);
	if (k->log.lost > 0 && w->warn != NULL) {
		buf_printf(&b, "kernel: %.0f messages of the kernel were "
		    "overrun before they were read: its buffer is too small "
		    "for this schedule (log_buf_len=)", k->log.lost);
		w->warn(w->arg, buf_view(&b));
		buf_clear(&b);
	}
	if (w->leave != NULL) {
		kmsg_position(&k->log, &b);
		w->leave(w->arg, STR_LIT("kernel"), buf_view(&b));
	}
	buf_free(&b);
	kernel_free(k);
}

static double
kernel_number(struct row *r, enum table_column c)
{
	const struct kernel *k = (struct kernel *)r;

	switch (c) {
	case COLUMN_KERNEL_seq:
		return k->log.now.seq;
	case COLUMN_KERNEL_level:
		return k->log.now.level;
	case COLUMN_KERNEL_facility:
		return k->log.now.facility;
	default:
		return kmsg_time(&k->log, k->log.now.usec);
	}
}

static struct str
kernel_text(struct row *r, enum table_column c)
{
	(void)c;
	return ((struct kernel *)r)->log.now.text;
}

const struct table_maker table_kernel = {
	kernel_open, kernel_next, kernel_close, { kernel_number, kernel_text }
};
