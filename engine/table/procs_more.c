/* procs_more: what is read of a process when somebody asks; see procs.h. */
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/table/procs.h"

enum { HAVE_STATUS = 1, HAVE_ARGS = 2, HAVE_CGROUP = 4, HAVE_TTY = 8,
    HAVE_STATM = 16, HAVE_FDS = 32, HAVE_SCORE = 64, HAVE_ADJ = 128 };

/* True the first time that it is asked for. */
static bool
first(struct procs *p, unsigned what)
{
	bool is = (p->have & what) == 0;

	p->have |= what;
	return is;
}

/* NIL stays NIL: what the hardware makes of it is not ours to say. */
static double
times(double v, double by)
{
	return num_none(v) ? NUM_NIL : v * by;
}

/* "Uid:\t1\t2\t3\t4": the second one is the effective one. */
static double
effective(struct str rest)
{
	struct str real;

	line_word(&rest, &real);
	return line_word_number(&rest);
}

static double
kilobytes(struct str rest)
{
	return times(line_word_number(&rest), 1024);
}

const struct proc_status *
procs_status(struct procs *p)
{
	struct proc_status *s = &p->status;
	struct lines *l = &p->lines;
	struct str line, key;

	if (!first(p, HAVE_STATUS))
		return s;
	*s = (struct proc_status){ NUM_NIL, NUM_NIL, NUM_NIL, NUM_NIL, NUM_NIL,
	    NUM_NIL, NUM_NIL, NUM_NIL, false };
	if (!lines_openat(l, procs_folder(p), "status")) {
		procs_failed(p, errno);
		return s;
	}
	while (lines_next(l, &line)) {
		key = line_part(&line, ':');
		if (str_none(line))
			continue;
#define IS(name)	str_eq(key, STR_LIT(name))
		if (IS("Tgid"))
			s->tgid = num_parse(str_trim(line), false);
		else if (IS("Uid"))
			s->uid = effective(line);
		else if (IS("Gid"))
			s->gid = effective(line);
		else if (IS("NSpid")) {
			(void)line_word_number(&line);
			s->other = !num_none(line_word_number(&line));
		} else if (IS("VmSize"))
			s->vsz = kilobytes(line);
		else if (IS("VmLck"))
			s->locked = kilobytes(line);
		else if (IS("VmData"))
			s->data = kilobytes(line);
		else if (IS("VmStk"))
			s->stack = kilobytes(line);
		else if (IS("VmSwap")) {
			s->swap = kilobytes(line);
			break;
		}
#undef IS
	}
	procs_failed(p, l->error);
	lines_close(l);
	return s;
}

double
procs_uid(struct procs *p)
{
	return p->live ? p->owner : procs_status(p)->uid;
}

double
procs_gid(struct procs *p)
{
	return p->live ? p->group : procs_status(p)->gid;
}

/* [comm]: what has no arguments of its own. */
static struct str
bracketed(struct procs *p)
{
	size_t n = p->stat.comm.n;

	if (str_none(p->stat.comm))
		return STR_NIL;
	p->args_text[0] = '[';
	memcpy(p->args_text + 1, p->stat.comm.p, n);
	p->args_text[n + 1] = ']';
	return str_of(p->args_text, n + 2);
}

struct str
procs_args(struct procs *p)
{
	ssize_t n;
	size_t i;

	if (!first(p, HAVE_ARGS))
		return p->args;
	p->args = STR_NIL;
	if (procs_zombie(p) || procs_kernel(p))
		return p->args = bracketed(p);
	n = file_bytes(procs_folder(p), "cmdline", p->args_text, sizeof p->args_text);
	if (n < 0) {
		procs_failed(p, errno);
		return p->args;
	}
	if (n == 0)		/* it is about to end, or has just begun */
		return p->args = bracketed(p);
	while (n > 0 && p->args_text[n - 1] == '\0')
		n--;
	for (i = 0; i < (size_t)n; i++)
		if (p->args_text[i] == '\0')
			p->args_text[i] = ' ';
	return p->args = str_of(p->args_text, (size_t)n);
}

/* The name of a device that is no pts: the link in sysfs ends in it. */
static struct str
device_name(struct procs *p, unsigned major, unsigned minor)
{
	char path[4096], link[4096], at[64];
	const char *slash;
	ssize_t n;
	int k;

	k = snprintf(at, sizeof at, "/sys/dev/char/%u:%u", major, minor);
	if (k > 0 && table_path(&p->world, at, path, sizeof path) &&
	    (n = readlink(path, link, sizeof link - 1)) > 0) {
		link[n] = '\0';
		slash = strrchr(link, '/');
		slash = slash == NULL ? link : slash + 1;
		k = snprintf(p->tty_text, sizeof p->tty_text, "%s", slash);
	} else
		k = snprintf(p->tty_text, sizeof p->tty_text, "%u:%u", major,
		    minor);
	return k > 0 && (size_t)k < sizeof p->tty_text ?
	    str_of(p->tty_text, (size_t)k) : STR_NIL;
}

struct str
procs_tty(struct procs *p)
{
	double v = p->stat.tty;
	unsigned dev, major, minor;
	int k;

	if (!first(p, HAVE_TTY))
		return p->tty;
	p->tty = STR_NIL;
	if (num_none(v) || v == 0 || v < INT32_MIN || v > UINT32_MAX)
		return p->tty;
	dev = v < 0 ? (unsigned)(int)v : (unsigned)v;
	major = dev >> 8 & 0xfff;
	minor = (dev & 0xff) | (dev >> 12 & 0xfff00);
	if (major < 136 || major > 143)
		return p->tty = device_name(p, major, minor);
	k = snprintf(p->tty_text, sizeof p->tty_text, "pts/%u",
	    (major - 136) * 256 + minor);
	return p->tty = str_of(p->tty_text, (size_t)k);
}

/* Does a v1 line's list of controllers hold that one? */
static bool
has_controller(struct str list, struct str name)
{
	while (!str_none(list))
		if (str_eq(line_part(&list, ','), name))
			return true;
	return false;
}

/* The last part of a path that systemd has made. */
static struct str
unit_of(struct str path)
{
	static const char *const kinds[] = { ".service", ".scope", ".slice",
	    ".socket", ".mount", ".swap" };
	struct str unit = STR_NIL, part;
	size_t i;

	while (!str_none(path)) {
		part = line_part(&path, '/');
		for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
			if (str_ends(part, kinds[i]))
				unit = part;
	}
	return unit;
}

/* What names more than the tree's top is better, then the lower rank. */
static unsigned
worth(struct str path, unsigned rank)
{
	return (path.n > 1 ? 8 : 4) - rank;
}

static void
read_cgroup(struct procs *p)
{
	struct lines *l = &p->lines;
	struct str line, list, unit;
	unsigned best = 0, best_unit = 0, rank, w;

	p->cgroup = p->unit = STR_NIL;
	if (!lines_openat(l, procs_folder(p), "cgroup")) {
		procs_failed(p, errno);
		return;
	}
	while (lines_next(l, &line)) {
		line_part(&line, ':');
		list = line_part(&line, ':');
		if (str_none(line) || line.n == 0 || line.p[0] != '/' ||
		    line.n > sizeof p->cgroup_text)
			continue;
		if (str_ends(line, " (deleted)"))
			line.n -= sizeof " (deleted)" - 1;
		if (list.n == 0)
			rank = 0;
		else if (has_controller(list, STR_LIT("memory")))
			rank = 1;
		else if (has_controller(list, STR_LIT("pids")))
			rank = 2;
		else if (str_eq(list, STR_LIT("name=systemd")))
			rank = 3;
		else
			continue;
		if ((w = worth(line, rank)) > best) {
			best = w;
			memcpy(p->cgroup_text, line.p, line.n);
			p->cgroup = str_of(p->cgroup_text, line.n);
		}
		/* systemd's own trees first */
		unit = unit_of(line);
		w = rank == 0 || rank == 3 ? 2 : 1;
		if (!str_none(unit) && w > best_unit &&
		    unit.n <= sizeof p->unit_text) {
			best_unit = w;
			memcpy(p->unit_text, unit.p, unit.n);
			p->unit = str_of(p->unit_text, unit.n);
		}
	}
	procs_failed(p, l->error);
	lines_close(l);
}

struct str
procs_cgroup(struct procs *p)
{
	if (first(p, HAVE_CGROUP))
		read_cgroup(p);
	return p->cgroup;
}

struct str
procs_unit(struct procs *p)
{
	if (first(p, HAVE_CGROUP))
		read_cgroup(p);
	return p->unit;
}

double
procs_shared(struct procs *p)
{
	char text[256];
	struct str s, w;
	ssize_t n;

	if (!first(p, HAVE_STATM))
		return p->shared;
	n = file_bytes(procs_folder(p), "statm", text, sizeof text);
	if (n < 0)
		procs_failed(p, errno);
	s = str_of(text, n < 0 ? 0 : (size_t)n);
	line_word(&s, &w);
	line_word(&s, &w);
	return p->shared = times(line_word_number(&s), p->page);
}

double
procs_fds(struct procs *p)
{
	struct dents d = { .buf = p->lines.buf,
	    .cap = sizeof p->lines.buf };
	struct stat st;
	const char *name;
	double n = 0;

	if (!first(p, HAVE_FDS))
		return p->fds;
	p->fds = NUM_NIL;
	d.fd = openat(procs_folder(p), "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d.fd == -1)
		return p->fds;
	/* kernels since 6.2 count them; older ones say 0 */
	if (p->live && fstat(d.fd, &st) == 0 && st.st_size > 0)
		p->fds = (double)st.st_size;
	else {
		while ((name = dents_next(&d)) != NULL)
			n += dents_number(name) >= 0;
		p->fds = d.error == 0 ? n : NUM_NIL;
	}
	close(d.fd);
	return p->fds;
}

/* With a sign where there is one. */
static double
one_number(struct procs *p, const char *file)
{
	char text[32];
	struct str s;
	double v;

	errno = 0;
	s = small_text(procs_folder(p), file, text, sizeof text);
	if (str_none(s))
		procs_failed(p, errno);
	if (str_none(s) || s.n == 0 || s.p[0] != '-')
		return line_number(s);
	v = line_number(str_of(s.p + 1, s.n - 1));
	return num_none(v) ? NUM_NIL : 0 - v;
}

double
procs_oom_score(struct procs *p)
{
	if (first(p, HAVE_SCORE))
		p->oom_score = one_number(p, "oom_score");
	return p->oom_score;
}

double
procs_oom_score_adj(struct procs *p)
{
	if (first(p, HAVE_ADJ))
		p->oom_score_adj = one_number(p, "oom_score_adj");
	return p->oom_score_adj;
}
