/* load: /proc/loadavg, and how many processors there are. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lang/base/num.h"
#include "engine/table/table.h"

#define LIM_LOADAVG	256	/* bytes: five numbers */
#define LIM_ONLINE	4096	/* bytes of a list of processors: "0-3,8-11" */

struct load {
	struct table	 t;
	bool		 done;
	double		 value[5];	/* load1 to tasks */
};

/* The bytes of a small file as a string; less than 0: errno. */
static ssize_t
read_small(const struct table_world *w, const char *path, char *to, size_t n)
{
	char name[4096];
	ssize_t k;
	int fd, error;

	if (!table_path(w, path, name, sizeof name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	do
		k = read(fd, to, n - 1);
	while (k == -1 && errno == EINTR);
	error = errno;
	close(fd);
	errno = error;
	if (k >= 0)
		to[k] = '\0';
	return k;
}

static struct table *
load_open(const struct table_world *w, const struct table_ask *ask,
    char why[LIM_TABLE_WHY])
{
	char text[LIM_LOADAVG];
	struct load *l;

	(void)ask;
	if (read_small(w, "/proc/loadavg", text, sizeof text) < 0) {
		snprintf(why, LIM_TABLE_WHY, "%s/proc/loadavg: %s",
		    w->root == NULL ? "" : w->root, strerror(errno));
		return NULL;
	}
	l = (struct load *)table_make(w, &table_load, sizeof *l);
	if (sscanf(text, "%lf %lf %lf %lf/%lf", &l->value[0], &l->value[1],
	    &l->value[2], &l->value[3], &l->value[4]) != 5) {
		snprintf(why, LIM_TABLE_WHY, "%s/proc/loadavg: not as the "
		    "kernel writes it", w->root == NULL ? "" : w->root);
		table_close(&l->t);
		return NULL;
	}
	return &l->t;
}

static enum table_next
load_next(struct table *t)
{
	struct load *l = (struct load *)t;

	if (l->done)
		return TABLE_END;
	l->done = true;
	return TABLE_ROW;
}

static void
load_close(struct table *t)
{
	mem_free(t->world.mem, t, sizeof(struct load));
}

/* "0-3,8": five. */
static double
processors(const struct table_world *w)
{
	char text[LIM_ONLINE], *p = text;
	unsigned long a, b, n = 0;

	if (read_small(w, "/sys/devices/system/cpu/online", text,
	    sizeof text) < 0)
		return NUM_NIL;
	while (*p >= '0' && *p <= '9') {
		a = b = strtoul(p, &p, 10);
		if (*p == '-')
			b = strtoul(p + 1, &p, 10);
		if (b < a || b - a > 1 << 20)
			return NUM_NIL;
		n += b - a + 1;
		if (*p == ',')
			p++;
	}
	return n == 0 ? NUM_NIL : (double)n;
}

static double
load_number(struct row *row, enum table_column c)
{
	struct load *l = (struct load *)row;

	if (c == COLUMN_LOAD_cpus)
		return processors(&l->t.world);
	return l->value[c - COLUMN_LOAD_load1];
}

const struct table_maker table_load = {
	.open = load_open,
	.next = load_next,
	.close = load_close,
	.row = { .number = load_number },
};
