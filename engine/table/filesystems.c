/*
 * filesystems: what df shows.  Local ones are asked directly.  One whose
 * server, or whose daemon, may be dead is asked by a child with a deadline,
 * for a process that asks may hang for ever and not even KILL ends it; so is
 * all that is mounted below such a one.  A child that cannot be ended is left
 * alone, told of, and remembered: while it is there, no run asks that
 * filesystem again, so that there is at most one for each.
 *
 * In a recorded folder the file ROOT/statvfs answers instead, a line each:
 * MOUNT BLOCKSIZE BLOCKS FREE AVAILABLE FILES FILES-FREE, the mount as
 * mountinfo writes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/table/mountinfo.h"
#include "lang/base/buf.h"

#define LIM_FILESYSTEMS	10000	/* mounts that are looked at: a host with many
				 * containers has some hundreds */
#define LIM_ANSWER	2000	/* ms that a remote filesystem has */
#define LIM_END		200	/* ms that a child has to die of KILL */
#define LIM_FD_SWEEP	4096	/* descriptors that are closed one by one where
				 * the kernel is older than 5.9 */
#define LIM_HUNG	3	/* remote ones that did not answer; after them
				 * no other is asked in this run: 3 times 2 s
				 * of a run are enough */

#ifndef SYS_close_range
#define SYS_close_range	436	/* the same on every architecture */
#endif

struct mount {
	unsigned	 major, minor;
	struct str	 root, mount, device, type;
	bool		 readonly;
};

/* What statvfs says, in a form that goes through a pipe. */
struct space {
	double	size, free, avail, files, files_free;
	double	used;
};

struct filesystems {
	struct table	 table;
	struct lines	 lines;
	struct buf	 texts;		/* what the mounts' views look into */
	struct mount	*mount;
	size_t		 n, cap, at;
	const struct mount *row;
	struct space	 space;
	bool		 told;		/* the space is known */
	unsigned	 hung;
	bool		 remembers;	/* there are remote ones */
	struct buf	 left;		/* "PID START MOUNT", zero bytes between:
					 * children that could not be ended */
};

static bool
remote_type(struct str type)
{
	static const char *const name[] = { "nfs", "nfs4", "cifs", "smb3",
	    "smbfs", "ncpfs", "afs", "coda", "ceph", "9p", "lustre", "beegfs",
	    "gpfs", "gfs2", "ocfs2", "glusterfs", "pvfs2", "orangefs",
	    "davfs", "fuse", "fuseblk", "virtiofs", "vboxsf", "vmhgfs" };
	size_t i;

	for (i = 0; i < sizeof name / sizeof name[0]; i++)
		if (line_is(type, name[i]))
			return true;
	return str_starts(type, "fuse.");
}

static bool
below(struct str path, struct str folder)
{
	return folder.n == 1 || (path.n > folder.n &&
	    path.p[folder.n] == '/' && memcmp(path.p, folder.p, folder.n) == 0);
}

static bool
remote(const struct filesystems *f, const struct mount *m)
{
	size_t i;

	if (remote_type(m->type))
		return true;
	for (i = 0; i < f->n; i++)
		if (remote_type(f->mount[i].type) &&
		    below(m->mount, f->mount[i].mount))
			return true;
	return false;
}

static bool
same_device(const struct mount *a, const struct mount *b)
{
	return a->major == b->major && a->minor == b->minor;
}

/* True if a is the better name for a device: it shows the whole of it, or it
 * is shorter. */
static bool
better(const struct mount *a, const struct mount *b)
{
	bool wa = line_is(a->root, "/"), wb = line_is(b->root, "/");

	return wa != wb ? wa : a->mount.n < b->mount.n;
}

static int
by_mount(const void *a, const void *b)
{
	const struct mount *x = a, *y = b;
	int c = str_cmp(x->mount, y->mount);

	/* the later one of a mount hides the earlier */
	return c != 0 ? c : x->device.p < y->device.p ? -1 : 1;
}

static int
by_device(const void *a, const void *b)
{
	const struct mount *x = a, *y = b;

	if (x->major != y->major)
		return x->major < y->major ? -1 : 1;
	if (x->minor != y->minor)
		return x->minor < y->minor ? -1 : 1;
	return better(x, y) ? -1 : better(y, x) ? 1 : str_cmp(x->mount,
	    y->mount);
}

static int
in_order(const void *a, const void *b)
{
	const struct mount *x = a, *y = b;

	return x->device.p < y->device.p ? -1 : 1;
}

/* Drops what another mount hides, then all but one of each device; the order
 * is again that of mountinfo. */
static void
each_once(struct filesystems *f)
{
	size_t i, n;

	qsort(f->mount, f->n, sizeof *f->mount, by_mount);
	for (i = n = 0; i < f->n; i++)
		if (i + 1 == f->n ||
		    !str_eq(f->mount[i].mount, f->mount[i + 1].mount))
			f->mount[n++] = f->mount[i];
	qsort(f->mount, n, sizeof *f->mount, by_device);
	for (i = f->n = 0; i < n; i++)
		if (i == 0 || !same_device(&f->mount[i], &f->mount[f->n - 1]))
			f->mount[f->n++] = f->mount[i];
	qsort(f->mount, f->n, sizeof *f->mount, in_order);
}

/* Filesystems that have no blocks by their kind; autofs must not even be
 * asked, it would mount. */
static bool
no_blocks(struct str type)
{
	static const char *const name[] = { "autofs", "proc", "sysfs",
	    "cgroup", "cgroup2", "devpts", "debugfs", "tracefs", "securityfs",
	    "pstore", "bpf", "configfs", "fusectl", "mqueue", "rpc_pipefs",
	    "nfsd", "binfmt_misc", "nsfs", "selinuxfs", "efivarfs" };
	size_t i;

	for (i = 0; i < sizeof name / sizeof name[0]; i++)
		if (line_is(type, name[i]))
			return true;
	return false;
}

/* Offsets into the texts first, for these may move while they grow. */
static struct str
keep(struct filesystems *f, struct str s)
{
	size_t at = f->texts.n;

	buf_add(&f->texts, s.p, s.n);
	buf_putc(&f->texts, '\0');
	return str_of((const char *)(uintptr_t)at, s.n);
}

static void
settle(const struct filesystems *f, struct str *s)
{
	s->p = f->texts.p + (uintptr_t)s->p;
}

static void
collect(struct filesystems *f)
{
	struct mem *mem = f->table.world.mem;
	struct mountinfo i;
	struct mount *m;
	size_t k;

	while (f->n < LIM_FILESYSTEMS && mountinfo_next(&f->lines, &i)) {
		if (no_blocks(i.type) ||
		    memchr(i.mount.p, '\0', i.mount.n) != NULL)
			continue;
		if (f->n == f->cap) {
			size_t cap = f->cap == 0 ? 64 : 2 * f->cap;

			f->mount = mem_realloc(mem, f->mount,
			    f->cap * sizeof *m, cap * sizeof *m);
			f->cap = cap;
		}
		m = &f->mount[f->n++];
		*m = (struct mount){ i.major, i.minor, keep(f, i.root),
		    keep(f, i.mount), keep(f, i.device), keep(f, i.type),
		    mountinfo_readonly(&i) };
	}
	for (k = 0; k < f->n; k++) {
		m = &f->mount[k];
		settle(f, &m->root);
		settle(f, &m->mount);
		settle(f, &m->device);
		settle(f, &m->type);
	}
}

static void
filesystems_close(struct table *t)
{
	struct filesystems *f = (struct filesystems *)t;
	const struct table_world *w = &t->world;

	/* all children, those of former runs too */
	if (w->leave != NULL && f->remembers)
		w->leave(w->arg, STR_LIT("filesystems"), buf_view(&f->left));
	lines_close(&f->lines);
	buf_free(&f->texts);
	buf_free(&f->left);
	if (f->mount != NULL)
		mem_free(w->mem, f->mount, f->cap * sizeof *f->mount);
	mem_free(w->mem, f, sizeof *f);
}

/* When a process was started, in ticks since boot, or NIL: it is not there,
 * or is dead. */
static double
started(pid_t pid)
{
	char path[40], buf[1024];
	struct str s, w;
	ssize_t n;
	int fd, i;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return NUM_NIL;
	n = read(fd, buf, sizeof buf);
	close(fd);
	s = str_of(buf, n < 0 ? 0 : (size_t)n);
	while (s.n > 0 && s.p[s.n - 1] != ')')
		s.n--;
	s = str_of(s.p + s.n, n < 0 ? 0 : (size_t)n - s.n);
	for (i = 3; line_word(&s, &w); i++) {
		if (i == 3 && (line_is(w, "Z") || line_is(w, "X")))
			return NUM_NIL;
		if (i == 22)
			return line_number(w);
	}
	return NUM_NIL;
}

/* Keeps of what former runs have left what is still there. */
static void
remember(struct filesystems *f)
{
	const struct table_world *w = &f->table.world;
	struct str rest = w->position == NULL ? STR_EMPTY :
	    w->position(w->arg, STR_LIT("filesystems"));

	while (!str_none(rest) && rest.n > 0) {
		size_t n = str_find(rest, '\0', 0);
		struct str entry = str_of(rest.p, n), words = entry;
		double pid = line_word_number(&words);
		double start = line_word_number(&words);

		if (!num_none(pid) && pid > 1 && pid < INT_MAX &&
		    !num_none(start) && started((pid_t)pid) == start) {
			buf_str(&f->left, entry);
			buf_putc(&f->left, '\0');
		}
		n += n < rest.n;
		rest = str_of(rest.p + n, rest.n - n);
	}
}

/* The child that still asks for this mount, or 0. */
static pid_t
asking(const struct filesystems *f, struct str mount)
{
	struct str rest = buf_view(&f->left);

	while (rest.n > 0) {
		size_t n = str_find(rest, '\0', 0);
		struct str words = str_of(rest.p, n);
		double pid = line_word_number(&words);

		(void)line_word_number(&words);
		if (words.n == mount.n + 1 &&
		    memcmp(words.p + 1, mount.p, mount.n) == 0)
			return (pid_t)pid;
		rest = str_of(rest.p + n + 1, rest.n - n - 1);
	}
	return 0;
}

static struct table *
filesystems_open(const struct table_world *w, const struct table_ask *ask,
    char why[LIM_TABLE_WHY])
{
	struct filesystems *f = (struct filesystems *)table_make(w,
	    &table_filesystems, sizeof *f);
	size_t i;

	(void)ask;
	f->lines.fd = -1;
	buf_init(&f->texts, w->mem);
	buf_init(&f->left, w->mem);
	if (!mountinfo_open(&f->lines, w, why)) {
		mem_free(w->mem, f, sizeof *f);
		return NULL;
	}
	collect(f);
	if (f->lines.error != 0)
		table_whyf(why, "/proc/self/mountinfo: %s",
		    strerror(f->lines.error));
	lines_close(&f->lines);
	if (f->n > 0)
		each_once(f);
	if (w->root == NULL || w->root[0] == '\0')
		for (i = 0; i < f->n && !f->remembers; i++)
			f->remembers = remote_type(f->mount[i].type);
	if (f->remembers)
		remember(f);
	if (f->lines.error == 0)
		return &f->table;
	filesystems_close(&f->table);
	return NULL;
}

static __attribute__((format(printf, 2, 3))) void
warn(struct filesystems *f, const char *fmt, ...)
{
	const struct table_world *w = &f->table.world;
	struct buf b;
	va_list ap;

	if (w->warn == NULL)
		return;
	buf_init(&b, w->mem);
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	w->warn(w->arg, buf_view(&b));
	buf_free(&b);
}

static bool
ask_directly(const char *path, struct space *s)
{
	struct statvfs v;
	double unit;

	if (statvfs(path, &v) == -1)
		return false;
	unit = (double)v.f_frsize;
	s->size = (double)v.f_blocks * unit;
	s->free = (double)v.f_bfree * unit;
	s->avail = (double)v.f_bavail * unit;
	s->used = s->size - s->free;
	s->files = (double)v.f_files;
	s->files_free = (double)v.f_ffree;
	return true;
}

static double
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* The child: it holds nothing of its parent's, above all no lock. */
static _Noreturn void
child(const char *path, int to)
{
	struct { int error; struct space space; } answer = { 0 };
	int fd;

	if (dup2(to, 0) == -1)
		_exit(1);
	if (syscall(SYS_close_range, 1U, ~0U, 0U) != 0)
		for (fd = 1; fd < LIM_FD_SWEEP; fd++)
			close(fd);
	if (!ask_directly(path, &answer.space))
		answer.error = errno;
	(void)!write(0, &answer, sizeof answer);
	_exit(0);
}

/* Waits for the child's end, at most ms; true: it is gone. */
static bool
gone(pid_t pid, double ms)
{
	struct timespec pause = { 0, 2 * 1000 * 1000 };
	double until = now_ms() + ms;
	pid_t got;

	for (;;) {
		got = waitpid(pid, NULL, WNOHANG);
		if (got == pid || (got == -1 && errno != EINTR))
			return true;
		if (now_ms() >= until)
			return false;
		nanosleep(&pause, NULL);
	}
}

static bool
wait_readable(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	double until = now_ms() + LIM_ANSWER, left;

	while ((left = until - now_ms()) > 0) {
		int n = poll(&p, 1, (int)left + 1);

		if (n > 0)
			return true;
		if (n == -1 && errno != EINTR)
			return false;
	}
	return false;
}

static void
left_alone(struct filesystems *f, pid_t pid, const char *path)
{
	double start = started(pid);

	warn(f, "filesystems: %s: process %d that asks it cannot be ended; it "
	    "is not asked again while that is there", path, (int)pid);
	if (num_none(start))
		return;
	buf_printf(&f->left, "%d %.0f %s", (int)pid, start, path);
	buf_putc(&f->left, '\0');
}

static bool
ask_by_child(struct filesystems *f, const char *path, struct space *s)
{
	struct { int error; struct space space; } answer;
	sigset_t all, old;
	int fd[2];
	pid_t pid;
	ssize_t n = -1;

	if ((pid = asking(f, str_c(path))) != 0) {
		warn(f, "filesystems: %s does not answer since process %d asked "
		    "it", path, (int)pid);
		return false;
	}
	if (f->hung >= LIM_HUNG) {
		warn(f, "filesystems: %s is not asked: %d others did not answer",
		    path, LIM_HUNG);
		return false;
	}
	if (pipe2(fd, O_CLOEXEC) == -1) {
		warn(f, "filesystems: %s is not asked: %s", path,
		    strerror(errno));
		return false;
	}
	/* no handler of ours may run in the child */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	if ((pid = fork()) == 0)
		child(path, fd[1]);
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(fd[1]);
	if (pid == -1) {
		warn(f, "filesystems: %s is not asked: fork: %s", path,
		    strerror(errno));
		close(fd[0]);
		return false;
	}
	if (wait_readable(fd[0]))
		while ((n = read(fd[0], &answer, sizeof answer)) == -1 &&
		    errno == EINTR)
			;
	close(fd[0]);
	if (n != (ssize_t)sizeof answer) {
		f->hung++;
		(void)kill(pid, SIGKILL);
		warn(f, "filesystems: %s did not answer in %d s", path,
		    LIM_ANSWER / 1000);
	}
	if (!gone(pid, LIM_END))
		left_alone(f, pid, path);
	if (n != (ssize_t)sizeof answer)
		return false;
	if (answer.error != 0) {
		warn(f, "filesystems: %s: %s", path, strerror(answer.error));
		return false;
	}
	*s = answer.space;
	return true;
}

/* From a recorded folder. */
static bool
recorded(struct filesystems *f, struct str mount, struct space *s)
{
	char why[LIM_TABLE_WHY], plain[PATH_MAX];
	struct str line, w;
	double v[6];
	size_t i, n;
	bool found = false;

	if (!lines_open(&f->lines, &f->table.world, "/statvfs", why))
		return false;
	while (!found && lines_next(&f->lines, &line) && line_word(&line, &w)) {
		for (i = n = 0; i < w.n && n < sizeof plain; i++)
			if (str_starts(str_of(w.p + i, w.n - i), "\\040")) {
				plain[n++] = ' ';
				i += 3;
			} else
				plain[n++] = w.p[i];
		for (i = 0; i < 6; i++)
			v[i] = line_word_number(&line);
		found = str_eq(str_of(plain, n), mount) && !num_none(v[5]);
	}
	lines_close(&f->lines);
	if (!found)
		return false;
	*s = (struct space){ v[0] * v[1], v[0] * v[2], v[0] * v[3], v[4], v[5],
	    v[0] * (v[1] - v[2]) };
	return true;
}

static enum table_next
filesystems_next(struct table *t)
{
	struct filesystems *f = (struct filesystems *)t;
	const char *root = t->world.root;

	while (f->at < f->n) {
		f->row = &f->mount[f->at++];
		if (root != NULL && root[0] != '\0')
			f->told = recorded(f, f->row->mount, &f->space);
		else if (remote(f, f->row))
			f->told = ask_by_child(f, f->row->mount.p, &f->space);
		else if (!ask_directly(f->row->mount.p, &f->space)) {
			/* not ours to see: another user's, or just gone */
			if (errno == ENOENT || errno == EACCES)
				continue;
			warn(f, "filesystems: %s: %s", f->row->mount.p,
			    strerror(errno));
			f->told = false;
		} else
			f->told = true;
		if (!f->told || f->space.size > 0)
			return TABLE_ROW;
	}
	return TABLE_END;
}

static double
filesystems_number(struct row *r, enum table_column c)
{
	struct filesystems *f = (struct filesystems *)r;
	const struct space *s = &f->space;

	if (c == COLUMN_FILESYSTEMS_readonly)
		return f->row->readonly;
	if (!f->told)
		return NUM_NIL;
	switch (c) {
	case COLUMN_FILESYSTEMS_size:
		return s->size;
	case COLUMN_FILESYSTEMS_used:
		return s->used;
	case COLUMN_FILESYSTEMS_avail:
		return s->avail;
	case COLUMN_FILESYSTEMS_share:
		/* of what those who are not root can have, as df does it */
		return share_of(s->used, s->used + s->avail);
	case COLUMN_FILESYSTEMS_files:
		return s->files > 0 ? s->files : NUM_NIL;
	case COLUMN_FILESYSTEMS_files_used:
		return s->files > 0 ? s->files - s->files_free : NUM_NIL;
	default:
		return share_of(s->files - s->files_free, s->files);
	}
}

static struct str
filesystems_text(struct row *r, enum table_column c)
{
	const struct mount *m = ((struct filesystems *)r)->row;

	return c == COLUMN_FILESYSTEMS_mount ? m->mount :
	    c == COLUMN_FILESYSTEMS_device ? m->device : m->type;
}

const struct table_maker table_filesystems = {
	filesystems_open, filesystems_next, filesystems_close,
	{ filesystems_number, filesystems_text }
};
