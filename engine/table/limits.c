/*
 * limits: /proc/N/limits of each process, a row for each line of it:
 *	"Max open files            1024                 524288               files"
 * The first 26 bytes are the name.
 */
#include <string.h>

#include "engine/table/names.h"
#include "engine/table/procs.h"

#define LIM_LIMITS_TEXT	4096	/* bytes of N/limits: 17 lines of 80 */

static const struct {
	const char	*line, *name;
} limit_names[] = {
	{ "Max cpu time", "cpu" },
	{ "Max file size", "fsize" },
	{ "Max data size", "data" },
	{ "Max stack size", "stack" },
	{ "Max core file size", "core" },
	{ "Max resident set", "rss" },
	{ "Max processes", "nproc" },
	{ "Max open files", "nofile" },
	{ "Max locked memory", "memlock" },
	{ "Max address space", "as" },
	{ "Max file locks", "locks" },
	{ "Max pending signals", "sigpending" },
	{ "Max msgqueue size", "msgqueue" },
	{ "Max nice priority", "nice" },
	{ "Max realtime priority", "rtprio" },
	{ "Max realtime timeout", "rttime" },
};

struct limits {
	struct table	 t;
	struct names	 names;
	struct str	 rest;		/* of text: lines to come */
	struct str	 resource, soft, hard;
	struct procs	 p;
	char		 text[LIM_LIMITS_TEXT];
};

static struct table *
limits_open(const struct table_world *w, const struct table_ask *ask,
    char why[LIM_TABLE_WHY])
{
	struct limits *t;

	(void)ask;
	t = (struct limits *)table_make(w, &table_limits, sizeof *t);
	if (!procs_open(&t->p, w)) {
		memcpy(why, t->p.why, LIM_TABLE_WHY);
		mem_free(w->mem, t, sizeof *t);
		return NULL;
	}
	names_open(&t->names, &t->t.world);
	t->rest = STR_NIL;
	return &t->t;
}

static void
limits_close(struct table *table)
{
	struct limits *t = (struct limits *)table;

	procs_close(&t->p);
	names_close(&t->names);
	mem_free(table->world.mem, t, sizeof *t);
}

static bool
take_line(struct limits *t, struct str line)
{
	size_t i, n;

	for (i = 0; i < sizeof limit_names / sizeof limit_names[0]; i++) {
		n = strlen(limit_names[i].line);
		if (!str_starts(line, limit_names[i].line) || line.n == n ||
		    line.p[n] != ' ')
			continue;
		line = str_of(line.p + n, line.n - n);
		t->resource = str_c(limit_names[i].name);
		line_word(&line, &t->soft);
		return line_word(&line, &t->hard);
	}
	return false;
}

static enum table_next
limits_next(struct table *table)
{
	struct limits *t = (struct limits *)table;
	enum table_next r;
	ssize_t n;

	for (;;) {
		while (!str_none(t->rest))
			if (take_line(t, line_part(&t->rest, '\n')))
				return TABLE_ROW;
		if ((r = procs_next(&t->p)) != TABLE_ROW)
			break;
		n = file_bytes(procs_folder(&t->p), "limits", t->text, sizeof t->text);
		if (n > 0)
			t->rest = str_of(t->text, (size_t)n);
	}
	if (r == TABLE_FAILED)
		memcpy(table->why, t->p.why, LIM_TABLE_WHY);
	return r;
}

static double
used(struct limits *t)
{
	struct procs *p = &t->p;

	if (line_is(t->resource, "nofile"))
		return procs_fds(p);
	if (line_is(t->resource, "cpu"))
		return procs_cpu(p);
	if (line_is(t->resource, "as"))
		return p->stat.vsz;
	if (line_is(t->resource, "data"))
		return procs_status(p)->data;
	if (line_is(t->resource, "stack"))
		return procs_status(p)->stack;
	if (line_is(t->resource, "memlock"))
		return procs_status(p)->locked;
	return NUM_NIL;
}

static double
limits_number(struct row *row, enum table_column c)
{
	struct limits *t = (struct limits *)row;

	switch (c) {
	case COLUMN_LIMITS_pid:
		return t->p.pid;
	case COLUMN_LIMITS_soft:	/* "unlimited" is no number */
		return line_number(t->soft);
	case COLUMN_LIMITS_hard:
		return line_number(t->hard);
	case COLUMN_LIMITS_used:
		return used(t);
	default:
		return NUM_NIL;
	}
}

static struct str
limits_text(struct row *row, enum table_column c)
{
	struct limits *t = (struct limits *)row;

	switch (c) {
	case COLUMN_LIMITS_user:
		return names_of(&t->names, procs_uid(&t->p));
	case COLUMN_LIMITS_comm:
		return t->p.stat.comm;
	case COLUMN_LIMITS_resource:
		return t->resource;
	default:
		return STR_NIL;
	}
}

const struct table_maker table_limits = {
	limits_open, limits_next, limits_close,
	{ limits_number, limits_text }
};
