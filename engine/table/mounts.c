/* mounts: what is mounted where; see mountinfo.h. */
#include <stdint.h>
#include <string.h>

#include "engine/table/mountinfo.h"

bool
mountinfo_open(struct lines *l, const struct table_world *w,
    char why[LIM_TABLE_WHY])
{
	return lines_open(l, w, "/proc/self/mountinfo", why);
}

/* \ooo as the byte; in place, for the line is ours. */
static void
unescape(struct str *s)
{
	char *p = (char *)(uintptr_t)s->p;
	size_t from, to = 0;

	for (from = 0; from < s->n; from++) {
		if (p[from] == '\\' && from + 3 < s->n &&
		    p[from + 1] >= '0' && p[from + 1] <= '3' &&
		    p[from + 2] >= '0' && p[from + 2] <= '7' &&
		    p[from + 3] >= '0' && p[from + 3] <= '7') {
			p[to++] = (char)((p[from + 1] - '0') << 6 |
			    (p[from + 2] - '0') << 3 | (p[from + 3] - '0'));
			from += 3;
		} else
			p[to++] = p[from];
	}
	s->n = to;
}

/*
 * 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=...
 * Any number of words may stand before the lone "-".  A device may be "" and
 * is two blanks then; so it is taken by single blanks.
 */
static bool
mountinfo_line(struct str line, struct mountinfo *m)
{
	struct str dev, s;
	double major, minor;
	size_t colon;

	(void)line_upto(&line, ' '), (void)line_upto(&line, ' ');
	dev = line_upto(&line, ' ');
	colon = str_find(dev, ':', 0);
	major = line_number(str_of(dev.p, colon));
	minor = colon == dev.n ? NUM_NIL :
	    line_number(str_of(dev.p + colon + 1, dev.n - colon - 1));
	if (num_none(major) || num_none(minor) || major > 0xfff ||
	    minor > 0xfffff)	/* the kernel's widths */
		return false;
	m->major = (unsigned)major;
	m->minor = (unsigned)minor;
	m->root = line_upto(&line, ' ');
	m->mount = line_upto(&line, ' ');
	m->options = line_upto(&line, ' ');
	do {
		if (line.n == 0)
			return false;
		s = line_upto(&line, ' ');
	} while (!line_is(s, "-"));
	m->type = line_upto(&line, ' ');
	m->device = line_upto(&line, ' ');
	m->super = line_upto(&line, ' ');
	unescape(&m->root);
	unescape(&m->mount);
	unescape(&m->type);
	unescape(&m->device);
	return m->mount.n > 0 && m->mount.p[0] == '/' && m->type.n > 0;
}

bool
mountinfo_next(struct lines *l, struct mountinfo *m)
{
	struct str line;

	while (lines_next(l, &line))
		if (mountinfo_line(line, m))
			return true;
	return false;
}

static bool
has_option(struct str options, struct str name)
{
	while (options.n > 0)
		if (str_eq(line_upto(&options, ','), name))
			return true;
	return false;
}

bool
mountinfo_option(struct str options, const char *name)
{
	return has_option(options, str_c(name));
}

bool
mountinfo_readonly(const struct mountinfo *m)
{
	return mountinfo_option(m->options, "ro") ||
	    mountinfo_option(m->super, "ro");
}

size_t
mountinfo_options(const struct mountinfo *m, char *to, size_t n)
{
	struct str rest, o;
	size_t len = 2;
	int k;

	if (n < 2)
		return 0;
	memcpy(to, mountinfo_readonly(m) ? "ro" : "rw", 2);
	for (k = 0; k < 2; k++) {
		rest = k == 0 ? m->options : m->super;
		while (rest.n > 0) {
			o = line_upto(&rest, ',');
			if (o.n == 0 || line_is(o, "ro") || line_is(o, "rw") ||
			    (k == 1 && has_option(m->options, o)))
				continue;
			if (len + 1 + o.n > n)
				return len;
			to[len++] = ',';
			memcpy(to + len, o.p, o.n);
			len += o.n;
		}
	}
	return len;
}

struct mounts {
	struct table	 table;
	struct lines	 lines;
	struct mountinfo info;
	char		 options[LIM_TABLE_LINE];
};

static struct table *
mounts_open(const struct table_world *w, const struct table_ask *ask,
    char why[LIM_TABLE_WHY])
{
	struct mounts *m = (struct mounts *)table_make(w, &table_mounts,
	    sizeof *m);

	(void)ask;
	if (mountinfo_open(&m->lines, w, why))
		return &m->table;
	mem_free(w->mem, m, sizeof *m);
	return NULL;
}

static void
mounts_close(struct table *t)
{
	lines_close(&((struct mounts *)t)->lines);
	mem_free(t->world.mem, t, sizeof(struct mounts));
}

static enum table_next
mounts_next(struct table *t)
{
	struct mounts *m = (struct mounts *)t;

	if (mountinfo_next(&m->lines, &m->info))
		return TABLE_ROW;
	if (m->lines.error == 0)
		return TABLE_END;
	table_whyf(t->why, "/proc/self/mountinfo: %s",
	    strerror(m->lines.error));
	return TABLE_FAILED;
}

static struct str
mounts_text(struct row *r, enum table_column c)
{
	struct mounts *m = (struct mounts *)r;

	switch (c) {
	case COLUMN_MOUNTS_device:
		return m->info.device;
	case COLUMN_MOUNTS_mount:
		return m->info.mount;
	case COLUMN_MOUNTS_type:
		return m->info.type;
	default:
		return str_of(m->options, mountinfo_options(&m->info,
		    m->options, sizeof m->options));
	}
}

const struct table_maker table_mounts = {
	mounts_open, mounts_next, mounts_close, { NULL, mounts_text }
};
