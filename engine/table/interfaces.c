/* interfaces: /proc/net/dev, a line for each:
 *	"  eth0: BYTES PACKETS ERRS DROP FIFO FRAME COMPRESSED MULTICAST BYTES ..."
 * A name may hold colons, the counters do not. */
#include <stdio.h>
#include <string.h>

#include "engine/table/lines.h"

#define COUNTERS	16	/* of a line: eight received, eight sent */

struct interfaces {
	struct table	 t;
	struct lines	 lines;
	struct str	 name;
	double		 counter[COUNTERS];
};

static struct table *
interfaces_open(const struct table_world *w, const struct table_ask *ask,
    char why[LIM_TABLE_WHY])
{
	struct interfaces *t;

	(void)ask;
	t = (struct interfaces *)table_make(w, &table_interfaces, sizeof *t);
	if (lines_open(&t->lines, w, "/proc/net/dev", why))
		return &t->t;
	mem_free(w->mem, t, sizeof *t);
	return NULL;
}

static enum table_next
interfaces_next(struct table *table)
{
	struct interfaces *t = (struct interfaces *)table;
	struct str line;
	size_t i, colon;

	while (lines_next(&t->lines, &line)) {
		for (colon = line.n; colon > 0 && line.p[colon - 1] != ':';)
			colon--;
		/* the two lines at the top have none */
		if (colon < 2)
			continue;
		t->name = str_trim(str_of(line.p, colon - 1));
		if (t->name.n == 0)
			continue;
		line = str_of(line.p + colon, line.n - colon);
		for (i = 0; i < COUNTERS; i++)
			t->counter[i] = line_word_number(&line);
		return TABLE_ROW;
	}
	if (t->lines.error == 0)
		return TABLE_END;
	table_whyf(table->why, "cannot read /proc/net/dev: %s",
	    strerror(t->lines.error));
	return TABLE_FAILED;
}

static void
interfaces_close(struct table *table)
{
	struct interfaces *t = (struct interfaces *)table;

	lines_close(&t->lines);
	mem_free(table->world.mem, t, sizeof *t);
}

static double
interfaces_number(struct row *row, enum table_column c)
{
	const struct interfaces *t = (struct interfaces *)row;

	switch (c) {
	case COLUMN_INTERFACES_rx_bytes:
		return t->counter[0];
	case COLUMN_INTERFACES_rx_packets:
		return t->counter[1];
	case COLUMN_INTERFACES_rx_errors:
		return t->counter[2];
	case COLUMN_INTERFACES_rx_dropped:
		return t->counter[3];
	case COLUMN_INTERFACES_tx_bytes:
		return t->counter[8];
	case COLUMN_INTERFACES_tx_packets:
		return t->counter[9];
	case COLUMN_INTERFACES_tx_errors:
		return t->counter[10];
	case COLUMN_INTERFACES_tx_dropped:
		return t->counter[11];
	default:
		return NUM_NIL;
	}
}

static struct str
interfaces_text(struct row *row, enum table_column c)
{
	(void)c;
	return ((struct interfaces *)row)->name;
}

const struct table_maker table_interfaces = {
	interfaces_open, interfaces_next, interfaces_close,
	{ interfaces_number, interfaces_text }
};
