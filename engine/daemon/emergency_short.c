/* emergency_short: when memory is short, by what is kept open. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/daemon/emergency.h"

#define TIGHT	2.0	/* times the share that is short: here looks and snapshots
			 * are as close as they can be */
#define ROOM	2.5	/* times: where more is available, tasks that wait for
			 * memory wait for it in a cgroup of their own */
#define GROUP	0.5	/* of the share: in a cgroup that is full of files' pages
			 * nothing is wrong, so less must be left */

/* "some avg10=12.34 ...": as a share; NIL: the kernel does not say. */
static double
pressure(int fd)
{
	static const char name[] = "some avg10=";
	char text[200];
	ssize_t n = fd == -1 ? -1 : pread(fd, text, sizeof text, 0);
	struct str rest, w;
	double v;

	if (n < (ssize_t)sizeof name || memcmp(text, name, sizeof name - 1) != 0)
		return NUM_NIL;
	rest = str_of(text + sizeof name - 1, (size_t)n - sizeof name + 1);
	if (!line_word(&rest, &w))
		return NUM_NIL;
	v = num_parse(w, false);
	return num_none(v) ? NUM_NIL : v / 100;
}

/* Of a text like meminfo: the number behind "NAME:". */
static double
line_of(struct str text, const char *name)
{
	struct str line, word;

	while (text.n > 0) {
		line = line_upto(&text, '\n');
		if (line_word(&line, &word) && line_is(word, name))
			return line_word_number(&line);
	}
	return NUM_NIL;
}

static double
of_host(const struct snapshot *s)
{
	char text[2048];	/* MemAvailable is its third line */
	int fd = snapshot_file(s, "/proc/meminfo");
	ssize_t n = fd == -1 ? -1 : pread(fd, text, sizeof text, 0);
	struct str t = str_of(text, n < 0 ? 0 : (size_t)n);
	double left = line_of(t, "MemAvailable:");

	if (num_none(left))	/* a kernel of before 2014 */
		left = line_of(t, "MemFree:") + line_of(t, "Buffers:") +
		    line_of(t, "Cached:");
	return share_of(left, line_of(t, "MemTotal:"));
}

/* The part of the own cgroup's limit that can be had, files' pages given up. */
static double
of_group(const struct snapshot_group *g, double close)
{
	double max = snapshot_number(g->max), used = snapshot_number(g->used);
	double files;

	if (num_none(max) || num_none(used) || max <= 0)
		return NUM_NIL;
	if (used < (1 - close) * max)
		return (max - used) / max;
	/* only where it matters: the kernel has to add it up */
	files = snapshot_field(g->stat, g->version == 1 ?
	    "total_inactive_file" : "inactive_file");
	if (!num_none(files))
		used -= files;
	return used >= max ? 0 : (max - used) / max;
}

void
emergency_look(const struct snapshot *s, const struct emergency_limits *l,
    struct emergency_look *k)
{
	double host = of_host(s), group = of_group(&s->group, TIGHT *
	    l->available), wait;
	const struct snapshot_group *g = &s->group;

	*k = (struct emergency_look){ MEMORY_PLENTY, 1, false };
	if (!num_none(host)) {
		k->left = host;
		wait = pressure(snapshot_file(s, "/proc/pressure/memory"));
		if (host < l->available || (wait >= l->pressure &&
		    host < ROOM * l->available))
			k->level = MEMORY_SHORT;
		else if (host < TIGHT * l->available || wait >= l->pressure / 2)
			k->level = MEMORY_TIGHT;
	}
	if (!num_none(group)) {
		if (group < k->left)
			k->left = group;
		if (group < GROUP * l->available)
			k->level = MEMORY_SHORT;
		else if (group < TIGHT * l->available &&
		    k->level == MEMORY_PLENTY)
			k->level = MEMORY_TIGHT;
	}
	if (g->version == 1 && snapshot_field(g->oom, "under_oom") == 1) {
		k->stuck = true;
		k->level = MEMORY_SHORT;
	}
}
