/*
 * memory and pressure: what /proc/meminfo and /proc/pressure tell of the host
 * as a whole.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/table/lines.h"

#define FIRST		((size_t)COLUMN_MEMORY_MemTotal)
#define NUMBERS		((size_t)COLUMN_MEMORY_swap_share - FIRST + 1)
#define AT(name)	((size_t)COLUMN_MEMORY_##name - FIRST)

struct memory {
	struct table	 table;
	struct lines	 lines;
	bool		 done;
	double		 value[NUMBERS];
};

/* Active(anon) is called Active_anon here: a variable's name. */
static size_t
memory_column(struct str name)
{
	char at[64];
	size_t i, n = 0;
	int c;

	if (name.n >= sizeof at)
		return NUMBERS;
	for (i = 0; i < name.n; i++)
		if (name.p[i] == '(')
			at[n++] = '_';
		else if (name.p[i] != ')' && name.p[i] != ':')
			at[n++] = name.p[i];
	c = table_column_find(TABLE_MEMORY, str_of(at, n));
	return c == -1 || (size_t)c - FIRST >= AT(available_share) ? NUMBERS :
	    (size_t)c - FIRST;
}

static struct table *
memory_open(const struct table_world *w, const struct table_ask *ask,
    char why[LIM_TABLE_WHY])
{
	struct memory *m = (struct memory *)table_make(w, &table_memory,
	    sizeof *m);
	double *v = m->value;
	struct str line, name, unit;
	size_t i, found = 0;

	(void)ask;
	for (i = 0; i < NUMBERS; i++)
		v[i] = NUM_NIL;
	if (!lines_open(&m->lines, w, "/proc/meminfo", why)) {
		mem_free(w->mem, m, sizeof *m);
		return NULL;
	}
	while (lines_next(&m->lines, &line)) {
		if (!line_word(&line, &name) ||
		    (i = memory_column(name)) == NUMBERS)
			continue;
		v[i] = line_word_number(&line);
		if (line_word(&line, &unit)) {
			if (!line_is(unit, "kB"))
				v[i] = NUM_NIL;
			else if (!num_none(v[i]))
				v[i] *= 1024;
		}
		found += !num_none(v[i]);
	}
	lines_close(&m->lines);
	if (found == 0) {
		table_whyf(why, "%.200s/proc/meminfo: no line of it is of the "
		    "kernel's form \"NAME: NUMBER kB\"",
		    w->root == NULL ? "" : w->root);
		mem_free(w->mem, m, sizeof *m);
		return NULL;
	}
	v[AT(available_share)] = share_of(v[AT(MemAvailable)], v[AT(MemTotal)]);
	v[AT(swap_share)] = share_of(v[AT(SwapTotal)] - v[AT(SwapFree)],
	    v[AT(SwapTotal)]);
	return &m->table;
}

static enum table_next
memory_next(struct table *t)
{
	struct memory *m = (struct memory *)t;

	if (m->done)
		return TABLE_END;
	m->done = true;
	return TABLE_ROW;
}

static void
memory_close(struct table *t)
{
	mem_free(t->world.mem, t, sizeof(struct memory));
}

static double
memory_value(struct row *r, enum table_column c)
{
	return ((struct memory *)r)->value[(size_t)c - FIRST];
}

const struct table_maker table_memory = {
	memory_open, memory_next, memory_close, { memory_value, NULL }
};

/*
 * Pressure.  irq is younger than the others and only with one kernel option,
 * so that it is missing is nothing to tell of; that all are is.
 */
static const char *const resource[] = { "cpu", "memory", "io", "irq" };
#define RESOURCES	(sizeof resource / sizeof resource[0])

struct pressure {
	struct table	 table;
	struct lines	 lines;
	size_t		 at;		/* in resource, the next file */
	struct str	 kind;
	double		 value[4];	/* avg10 avg60 avg300 total */
};

/* The next file that is there; false: there is none. */
static bool
pressure_file(struct pressure *p, char why[LIM_TABLE_WHY])
{
	char path[64];

	while (p->at < RESOURCES) {
		snprintf(path, sizeof path, "/proc/pressure/%s",
		    resource[p->at++]);
		if (lines_open(&p->lines, &p->table.world, path, why))
			return true;
	}
	return false;
}

static void
pressure_close(struct table *t)
{
	lines_close(&((struct pressure *)t)->lines);
	mem_free(t->world.mem, t, sizeof(struct pressure));
}

static struct table *
pressure_open(const struct table_world *w, const struct table_ask *ask,
    char why[LIM_TABLE_WHY])
{
	struct pressure *p = (struct pressure *)table_make(w, &table_pressure,
	    sizeof *p);

	(void)ask;
	p->lines.fd = -1;
	if (pressure_file(p, why))
		return &p->table;
	table_whyf(why, "%.160s/proc/pressure: %s: the kernel must be built "
	    "with CONFIG_PSI and, where it is off, started with psi=1",
	    w->root == NULL ? "" : w->root, strerror(errno));
	pressure_close(&p->table);
	return NULL;
}

/* "some avg10=0.12 avg60=0.00 avg300=0.00 total=1234": shares are written in
 * hundredths of a percent, the total in microseconds. */
static bool
pressure_line(struct pressure *p, struct str line)
{
	static const char *const name[] = { "avg10=", "avg60=", "avg300=",
	    "total=" };
	struct str w;
	size_t i;

	if (!line_word(&line, &w))
		return false;
	if (line_is(w, "some"))
		p->kind = STR_LIT("some");
	else if (line_is(w, "full"))
		p->kind = STR_LIT("full");
	else
		return false;
	for (i = 0; i < 4; i++)
		p->value[i] = NUM_NIL;
	while (line_word(&line, &w))
		for (i = 0; i < 4; i++)
			if (str_starts(w, name[i])) {
				size_t n = strlen(name[i]);
				double v = num_parse(str_of(w.p + n, w.n - n),
				    false);

				if (!num_none(v) && v >= 0)
					p->value[i] = i < 3 ?
					    rint(v * 100) / 1e4 : v / 1e6;
			}
	return true;
}

static enum table_next
pressure_next(struct table *t)
{
	struct pressure *p = (struct pressure *)t;
	char why[LIM_TABLE_WHY];
	struct str line;

	for (;;) {
		while (lines_next(&p->lines, &line))
			if (pressure_line(p, line))
				return TABLE_ROW;
		lines_close(&p->lines);
		if (p->lines.error != 0 && p->lines.error != EOPNOTSUPP) {
			table_whyf(t->why, "/proc/pressure/%s: %s",
			    resource[p->at - 1], strerror(p->lines.error));
			return TABLE_FAILED;
		}
		if (!pressure_file(p, why))
			return TABLE_END;
	}
}

static double
pressure_number(struct row *r, enum table_column c)
{
	return ((struct pressure *)r)->value[c - COLUMN_PRESSURE_avg10];
}

static struct str
pressure_text(struct row *r, enum table_column c)
{
	struct pressure *p = (struct pressure *)r;

	return c == COLUMN_PRESSURE_kind ? p->kind : str_c(resource[p->at - 1]);
}

const struct table_maker table_pressure = {
	pressure_open, pressure_next, pressure_close,
	{ pressure_number, pressure_text }
};
