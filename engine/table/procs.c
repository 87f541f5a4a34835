/* procs: see procs.h.  Here: the walk, and what every process has: its folder
 * and its stat.  procs_more.c reads the rest. */
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/magic.h>

#include "engine/table/procs.h"

#define STOP_EVERY	64	/* processes between two looks at the time */
#define ZEROED		offsetof(struct procs, text)	/* what is before the
				 * buffers, which need not be */
#define KERNEL_THREAD	0x00200000	/* PF_KTHREAD in stat's flags */

/* As the kernel writes it (linux/dirent.h is not for programs). */
struct dent {
	uint64_t	 ino;
	int64_t		 off;
	unsigned short	 len;
	unsigned char	 type;
	char		 name[];
};

const char *
dents_next(struct dents *d)
{
	const struct dent *e;
	long n;

	if (d->at >= d->n) {
		n = syscall(SYS_getdents64, d->fd, d->buf, d->cap);
		d->error = n == -1 ? errno : 0;
		d->at = 0;
		d->n = n > 0 ? (size_t)n : 0;
		if (n <= 0)
			return NULL;
	}
	e = (const struct dent *)(const void *)(d->buf + d->at);
	d->at += e->len;
	return e->name;
}

long
dents_number(const char *s)
{
	long v = 0;
	int i;

	for (i = 0; s[i] >= '0' && s[i] <= '9' && i < 10; i++)
		v = v * 10 + (s[i] - '0');
	return i == 0 || s[i] != '\0' || v > INT32_MAX ||
	    (s[0] == '0' && i > 1) ? -1 : v;
}

static void
no_process(struct procs *p)
{
	if (p->self != -1)
		close(p->self);
	if (p->statfd != -1)
		close(p->statfd);
	p->self = p->statfd = -1;
	p->pid = 0;
}

static int
by_number(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* The next number of the folder as the kernel lists it: ascending; 0: end. */
static pid_t
next_listed(struct procs *p, int *error)
{
	struct dents d = { p->dir, p->dents, sizeof p->dents, p->at, p->n, 0 };
	const char *name;
	long v = 0;

	while ((name = dents_next(&d)) != NULL && (v = dents_number(name)) <= 0)
		;
	p->at = d.at;
	p->n = d.n;
	*error = d.error;
	return name == NULL ? 0 : (pid_t)v;
}

/* A recording lists its files in any order: sorted, so that what a test sees
 * does not depend on the filesystem. */
static bool
list_recorded(struct procs *p)
{
	int error;
	pid_t pid;

	p->recorded = mem_alloc(p->world.mem,
	    LIM_PROC_RECORDED * sizeof *p->recorded);
	while ((pid = next_listed(p, &error)) != 0 &&
	    p->nrecorded < LIM_PROC_RECORDED)
		p->recorded[p->nrecorded++] = pid;
	if (pid != 0)
		snprintf(p->why, sizeof p->why, "%s/proc holds more than %d "
		    "processes; record fewer", p->world.root,
		    LIM_PROC_RECORDED);
	else if (error != 0)
		snprintf(p->why, sizeof p->why, "cannot list %s/proc: %s",
		    p->world.root, strerror(error));
	else
		qsort(p->recorded, p->nrecorded, sizeof *p->recorded,
		    by_number);
	return p->why[0] == '\0';
}

static void
read_uptime(struct procs *p)
{
	char text[64];
	struct timespec ts;
	struct str s, w;
	ssize_t n;

	/* not /proc/uptime, which in some containers is the container's, when
	 * the start times of processes are the host's */
	if (p->live && clock_gettime(CLOCK_BOOTTIME, &ts) == 0) {
		p->uptime = floor(((double)ts.tv_sec +
		    (double)ts.tv_nsec / 1e9) * p->hz);
		return;
	}
	n = file_bytes(p->dir, "uptime", text, sizeof text);
	s = str_of(text, n < 0 ? 0 : (size_t)n);
	line_word(&s, &w);
	p->uptime = num_parse(w, false);
	if (!num_none(p->uptime))
		p->uptime = round(p->uptime * p->hz);
}

bool
procs_open(struct procs *p, const struct table_world *w)
{
	struct statfs fs;
	char path[4096];

	memset(p, 0, ZEROED);
	p->world = *w;
	p->self = p->statfd = p->dir = -1;
	if (!table_path(w, "/proc", path, sizeof path)) {
		snprintf(p->why, sizeof p->why, "the folder that --root names "
		    "is longer than a path can be");
		return false;
	}
	p->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir == -1 || fstatfs(p->dir, &fs) != 0) {
		snprintf(p->why, sizeof p->why, "cannot open %.200s: %s%s",
		    path, strerror(errno), errno == ENOENT ?
		    "; mount it, or name another folder with --root" : "");
		procs_close(p);
		return false;
	}
	p->live = fs.f_type == PROC_SUPER_MAGIC;
	p->hz = p->live ? (double)sysconf(_SC_CLK_TCK) : 100;
	p->page = p->live ? (double)sysconf(_SC_PAGESIZE) : 4096;
	read_uptime(p);
	if (!p->live && !list_recorded(p)) {
		procs_close(p);
		return false;
	}
	return true;
}

void
procs_close(struct procs *p)
{
	no_process(p);
	if (p->dir != -1)
		close(p->dir);
	p->dir = -1;
	if (p->recorded != NULL)
		mem_free(p->world.mem, p->recorded,
		    LIM_PROC_RECORDED * sizeof *p->recorded);
	p->recorded = NULL;
}

/* The next number; a sign where there may be one. */
static double
number(const char **at, const char *end)
{
	const char *p = *at, *from;
	uint64_t v = 0;
	bool minus;

	while (p < end && *p == ' ')
		p++;
	minus = p < end && *p == '-';
	for (from = p += minus; p < end && *p >= '0' && *p <= '9' &&
	    p - from < 20; p++)
		v = v * 10 + (uint64_t)(*p - '0');
	/* a 20th digit may be one too many; no number that is asked for here
	 * has more than 15 */
	if (p == from || p - from > 19 || (p < end && *p != ' ' && *p != '\n')) {
		while (p < end && *p != ' ')
			p++;
		*at = p;
		return NUM_NIL;
	}
	*at = p;
	return minus ? 0 - (double)v : (double)v;
}

/* What can only be wrong below zero is unknown then. */
static double
positive(double v, double unit)
{
	return v >= 0 ? v * unit : NUM_NIL;
}

/*
 * PID (NAME) STATE PPID ...: the name may hold anything, parentheses and
 * newlines too, so that it ends at the last one.
 */
static void
read_stat(struct procs *p, const char *text, size_t n)
{
	const char *end = text + n, *open, *close, *at;
	struct proc_stat *s = &p->stat;
	double f[25];		/* fields by their numbers in proc(5) */
	int i;

	*s = (struct proc_stat){ .comm = STR_NIL, .state = '\0' };
	open = memchr(text, '(', n);
	close = memrchr(text, ')', n);
	if (open == NULL || close == NULL || close < open)
		at = end;
	else {
		i = (int)(close - open - 1);
		if (i > LIM_PROC_COMM)
			i = LIM_PROC_COMM;
		memcpy(p->comm, open + 1, (size_t)i);
		s->comm = str_of(p->comm, (size_t)i);
		at = close + 1;
	}
	if (end - at >= 2 && at[0] == ' ' && at[1] >= 'A' && at[1] <= 'z') {
		s->state = at[1];
		at += 2;
	} else
		at = end;
	for (i = 4; i <= 24; i++)
		f[i] = number(&at, end);
	s->ppid = positive(f[4], 1);
	s->tty = f[7];
	s->flags = positive(f[9], 1);
	s->utime = f[14] >= 0 ? f[14] / p->hz : NUM_NIL;
	s->stime = f[15] >= 0 ? f[15] / p->hz : NUM_NIL;
	s->ticks = f[14] >= 0 && f[15] >= 0 ? f[14] + f[15] : NUM_NIL;
	s->threads = positive(f[20], 1);
	s->starttime = positive(f[22], 1);
	s->vsz = positive(f[23], 1);
	s->rss = positive(f[24], p->page);
}

static bool
no_resources(void)
{
	return errno == EMFILE || errno == ENFILE || errno == ENOMEM;
}

void
procs_failed(struct procs *p, int error)
{
	errno = error;
	if (no_resources())
		p->missed = true;
}

static int
open_folder(const struct procs *p)
{
	char name[21];

	name[number_text((unsigned)p->pid, name)] = '\0';
	return openat(p->dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
}

/* Opens stat: below the folder where that is open, else by its path. */
static void
open_stat(struct procs *p)
{
	char path[32];
	size_t n = 0;

	if (p->self == -1) {
		n = number_text((unsigned)p->pid, path);
		path[n++] = '/';
	}
	memcpy(path + n, "stat", sizeof "stat");
	p->statfd = openat(p->self == -1 ? p->dir : p->self, path,
	    O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

static void
read_owner(struct procs *p)
{
	char name[21];
	struct stat st;
	int r;

	p->owner = p->group = NUM_NIL;
	if (!p->live)
		return;
	if (p->self != -1)
		r = fstat(p->self, &st);
	else {
		name[number_text((unsigned)p->pid, name)] = '\0';
		r = fstatat(p->dir, name, &st, AT_SYMLINK_NOFOLLOW);
	}
	if (r == 0) {
		p->owner = st.st_uid;
		p->group = st.st_gid;
	} else
		procs_failed(p, errno);
}

enum found { FOUND, GONE, WRONG };

/*
 * The stat and the owner of a process.  The owner is looked up between the
 * open and the read: that the read succeeds proves that the process of this
 * stat had the number all the time (and that the owner is not root's for want
 * of a process).
 */
static enum found
look_at(struct procs *p, pid_t pid)
{
	ssize_t n = -1;

	no_process(p);
	p->have = 0;
	p->missed = false;
	p->pid = pid;
	if ((p->deep || !p->live) && (p->self = open_folder(p)) == -1)
		return no_resources() ? WRONG : GONE;
	open_stat(p);
	if (p->statfd == -1 && no_resources())
		return WRONG;
	/* hidepid: it is there, and that is all */
	if (p->statfd == -1 && errno != EACCES && errno != EPERM)
		return GONE;
	read_owner(p);
	/* it comes whole in one read */
	if (p->statfd != -1) {
		while ((n = read(p->statfd, p->text, sizeof p->text)) == -1 &&
		    errno == EINTR)
			;
		if (n == -1 && no_resources())
			return WRONG;
		if (n <= 0)
			return GONE;
	}
	read_stat(p, p->text, n < 0 ? 0 : (size_t)n);
	return FOUND;
}

int
procs_folder(struct procs *p)
{
	char c;

	if (p->self != -1 || p->statfd == -1)
		return p->self;
	/* Who asks this of one asks it of all: the next ones are held by their
	 * folders from the start.  Of this one, that its stat can still be read
	 * proves that the folder is its own. */
	p->deep = true;
	if ((p->self = open_folder(p)) == -1)
		procs_failed(p, errno);
	else if (  pread(p->statfd, &c, 1, 0) != 1) {
		close(p->self);
		p->self = -1;
	}
	return p->self;
}

enum table_next
procs_next(struct procs *p)
{
	int error = 0;
	pid_t pid;

	for (;;) {
		if (p->turn++ % STOP_EVERY == 0 && p->world.stop != NULL &&
		    p->world.stop(p->world.arg)) {
			snprintf(p->why, sizeof p->why, "the run was to end "
			    "while processes were read");
			return TABLE_FAILED;
		}
		if (p->recorded == NULL)
			pid = next_listed(p, &error);
		else
			pid = p->next < p->nrecorded ? p->recorded[p->next++] :
			    0;
		if (pid == 0 && error == 0)
			return TABLE_END;
		if (pid != 0) {
			switch (look_at(p, pid)) {
			case FOUND:
				return TABLE_ROW;
			case GONE:
				continue;
			case WRONG:
				error = errno;
			}
		}
		snprintf(p->why, sizeof p->why, "cannot read %.200s/proc: %s",
		    p->world.root == NULL ? "" : p->world.root,
		    strerror(error));
		no_process(p);
		return TABLE_FAILED;
	}
}

bool
procs_at(struct procs *p, pid_t pid)
{
	enum found f;
	int error;

	errno = 0;
	if ((f = look_at(p, pid)) == FOUND)
		return true;
	error = f == WRONG ? errno : ESRCH;
	no_process(p);
	errno = error;
	return false;
}

void
procs_again(struct procs *p)
{
	no_process(p);
	p->deep = false;
	p->at = p->n = 0;
	(void)lseek(p->dir, 0, SEEK_SET);
	read_uptime(p);
}

pid_t
procs_list(struct procs *p, int *error)
{
	pid_t pid = next_listed(p, error);

	if (pid == 0)
		no_process(p);
	return pid;
}

bool
procs_of_stat(struct procs *p, pid_t pid, int statfd)
{
	ssize_t n;

	no_process(p);
	p->have = 0;
	p->missed = false;
	p->pid = pid;
	p->owner = p->group = NUM_NIL;
	while ((n = pread(statfd, p->text, sizeof p->text, 0)) == -1 &&
	    errno == EINTR)
		;
	if (n > 0)
		read_stat(p, p->text, (size_t)n);
	return n > 0;
}

bool
procs_zombie(const struct procs *p)
{
	return p->stat.state == 'Z' || p->stat.state == 'X' ||
	    p->stat.state == 'x';
}

bool
procs_kernel(const struct procs *p)
{
	return p->stat.flags >= 0 && p->stat.flags < 4294967296.0 &&
	    ((uint32_t)p->stat.flags & KERNEL_THREAD) != 0;
}

double
procs_age(const struct procs *p)
{
	double age;

	if (num_none(p->uptime) || num_none(p->stat.starttime))
		return NUM_NIL;
	age = (p->uptime - p->stat.starttime) / p->hz;
	return age < 0 ? 0 : age;	/* began after the walk did */
}

double
procs_cpu(const struct procs *p)
{
	return num_none(p->stat.ticks) ? NUM_NIL : p->stat.ticks / p->hz;
}
