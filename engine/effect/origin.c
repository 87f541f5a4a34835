/*
 * origin: what children start with, taken, handed over and set back.  A file
 * of its own: picketd has it, and nothing else of spawn.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/effect/spawn.h"

void
spawn_origin_take(struct spawn_origin *o)
{
	char text[32];
	mode_t um = umask(0);
	ssize_t n;
	unsigned i;
	int fd;

	umask(um);
	memset(o, 0, sizeof *o);
	o->umask = um;
	for (i = 0; i < RLIM_NLIMITS; i++)
		getrlimit(i, &o->limit[i]);
	o->nice = getpriority(PRIO_PROCESS, 0);
	fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return;
	n = read(fd, text, sizeof text - 1);
	if (n > 0) {
		text[n] = '\0';
		o->oom_score_adj = atoi(text);
	}
	close(fd);
}

/* Privileges may be missing: what cannot be set back stays as it is. */
void
spawn_origin_set(const struct spawn_origin *o)
{
	char text[16], *e = text + sizeof text, *t = e;
	int fd, v = o->oom_score_adj < 0 ? -o->oom_score_adj :
	    o->oom_score_adj;
	unsigned i;

	for (i = 0; i < RLIM_NLIMITS; i++)
		setrlimit(i, &o->limit[i]);
	setpriority(PRIO_PROCESS, 0, o->nice);
	umask(o->umask);
	do
		*--t = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	if (o->oom_score_adj < 0)
		*--t = '-';
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return;
	if (write(fd, t, (size_t)(e - t)) == -1) {
		/* lowering needs CAP_SYS_RESOURCE */
	}
	close(fd);
}

#define MARK		((uint64_t)1 << 60)
#define MARK_LIMIT	"Max realtime timeout"	/* in /proc/PID/limits */
#define LIM_LIMITS	4096			/* bytes of it: a line each */

uint64_t
spawn_mark(const char *run_id)
{
	const char *last = strrchr(run_id, '.');
	uint64_t pid = last == NULL ? 0 : strtoull(last + 1, NULL, 10);

	return MARK | (pid & 0x7ffffff) << 32 |
	    (uint32_t)strtoull(run_id, NULL, 10);
}

uint64_t
spawn_mark_of(pid_t pid)
{
	char text[LIM_LIMITS + 1], *p;
	unsigned long long v = 0;
	ssize_t n;
	int fd;

	(void)snprintf(text, sizeof text, "/proc/%ld/limits", (long)pid);
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return 0;
	n = read(fd, text, LIM_LIMITS);
	(void)close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	p = strstr(text, MARK_LIMIT);
	/* soft, then hard: only that cannot be set to more */
	if (p == NULL || sscanf(p + sizeof MARK_LIMIT - 1, "%*s %llu", &v) !=
	    1 || v >> 60 != 1)
		return 0;
	return v;
}

void
spawn_mark_set(uint64_t mark)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_RTTIME, &l) != 0 || l.rlim_max < mark)
		return;		/* a limit that is one */
	l.rlim_max = mark;
	if (l.rlim_cur > mark)
		l.rlim_cur = mark;
	(void)setrlimit(RLIMIT_RTTIME, &l);
}

static int
put_limit(char *to, size_t n, char before, rlim_t v)
{
	return v == RLIM_INFINITY ? snprintf(to, n, "%c-", before) :
	    snprintf(to, n, "%c%llu", before, (unsigned long long)v);
}

void
spawn_origin_put(const struct spawn_origin *o, char to[SPAWN_ORIGIN_TEXT])
{
	size_t n, size = SPAWN_ORIGIN_TEXT;
	unsigned i;

	n = (size_t)snprintf(to, size, "%d,%d,%o", o->nice, o->oom_score_adj,
	    (unsigned)o->umask);
	for (i = 0; i < RLIM_NLIMITS; i++) {
		n += (size_t)put_limit(to + n, size - n, ',',
		    o->limit[i].rlim_cur);
		n += (size_t)put_limit(to + n, size - n, ':',
		    o->limit[i].rlim_max);
	}
}

/* A number and what stands behind it; false: it is none. */
static bool
get_number(const char **p, int base, long least, long most, char after,
    long *v)
{
	char *end;

	errno = 0;
	*v = strtol(*p, &end, base);
	if (end == *p || errno != 0 || *v < least || *v > most ||
	    *end != after)
		return false;
	*p = end + 1;
	return true;
}

static bool
get_limit(const char **p, char after, rlim_t *v)
{
	char *end;

	if ((*p)[0] == '-' && (*p)[1] == after) {
		*v = RLIM_INFINITY;
		*p += 2;
		return true;
	}
	if (**p < '0' || **p > '9')
		return false;
	errno = 0;
	*v = strtoull(*p, &end, 10);
	if (errno != 0 || *end != after)
		return false;
	*p = end + 1;
	return true;
}

bool
spawn_origin_get(struct spawn_origin *o, const char *p)
{
	long nice, oom, mask;
	unsigned i;

	memset(o, 0, sizeof *o);
	if (!get_number(&p, 10, -20, 19, ',', &nice) ||
	    !get_number(&p, 10, -1000, 1000, ',', &oom) ||
	    !get_number(&p, 8, 0, 0777, ',', &mask))
		return false;
	o->nice = (int)nice;
	o->oom_score_adj = (int)oom;
	o->umask = (mode_t)mask;
	for (i = 0; i < RLIM_NLIMITS; i++)
		if (!get_limit(&p, ':', &o->limit[i].rlim_cur) ||
		    !get_limit(&p, i + 1 == RLIM_NLIMITS ? '\0' : ',',
		    &o->limit[i].rlim_max) ||
		    o->limit[i].rlim_cur > o->limit[i].rlim_max)
			return false;
	return true;
}
