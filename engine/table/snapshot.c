/* snapshot: see snapshot.h.  Here: the processes.  snapshot_files.c has what is
 * kept open, snapshot_rows.c the tables. */
#include <sys/resource.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/table/snapshot_inner.h"

#define HURRY_SHARE 8	/* snapshots in a hurry until each one was looked at */
#define GIVEN_UP 8	/* at a time: a new process takes 10 KB, an open stat has
			 * five */
#define FREE	(64 + LIM_SNAPSHOT_SPARES) /* descriptors that are left: files,
				 * the store, pipes, and what is given up */

bool
snapshot_open(struct snapshot *s, struct mem *mem,
    const struct table_world *w, char why[LIM_TABLE_WHY])
{
	memset(s, 0, sizeof *s);
	s->world = *w;
	s->world.snapshot = NULL;
	s->mem = s->world.mem = mem;
	s->taken = NUM_NIL;
	buf_init(&s->text, mem);
	buf_room(&s->text, SNAPSHOT_TEXT);
	s->p = mem_zalloc(mem, sizeof *s->p);
	if (!procs_open(s->p, &s->world)) {
		memcpy(why, s->p->why, LIM_TABLE_WHY);
		snapshot_close(s);
		return false;
	}
	s->cap = SNAPSHOT_FIRST;
	s->now = s->both = mem_zalloc(mem, 2 * s->cap * sizeof *s->both);
	s->next = s->both + s->cap;
	snapshot_files_open(s);
	snapshot_room(s);
	return true;
}

void
snapshot_close(struct snapshot *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->now[i].fd != -1)
			close(s->now[i].fd);
	while (s->nspare > 0)
		close(s->spare[--s->nspare]);
	snapshot_files_close(s);
	if (s->p != NULL) {
		procs_close(s->p);
		mem_free(s->mem, s->p, sizeof *s->p);
	}
	if (s->have_names)
		names_close(&s->names);
	if (s->both != NULL)
		mem_free(s->mem, s->both, 2 * s->cap * sizeof *s->both);
	buf_free(&s->text);
	memset(s, 0, sizeof *s);
}

/* Users as /etc/passwd has them now. */
static void
read_names(struct snapshot *s)
{
	char path[PATH_MAX];
	struct stat st;

	if (!table_path(&s->world, "/etc/passwd", path, sizeof path) ||
	    stat(path, &st) != 0)
		memset(&st.st_mtim, 0, sizeof st.st_mtim);
	if (s->have_names && st.st_mtim.tv_sec == s->passwd.tv_sec &&
	    st.st_mtim.tv_nsec == s->passwd.tv_nsec)
		return;
	if (s->have_names)
		names_close(&s->names);
	s->have_names = false;
	names_open(&s->names, &s->world);
	s->have_names = true;
	s->passwd = st.st_mtim;
}

void
snapshot_room(struct snapshot *s)
{
	struct snapshot_process *both;
	size_t cap = s->cap, i;

	read_names(s);
	while (cap < LIM_SNAPSHOT && s->n + s->left_out > cap / 2)
		cap *= 2;
	if (cap != s->cap) {
		both = mem_zalloc(s->mem, 2 * cap * sizeof *both);
		memcpy(both, s->now, s->n * sizeof *both);
		mem_free(s->mem, s->both, 2 * s->cap * sizeof *both);
		s->now = s->both = both;
		s->next = both + cap;
		s->cap = cap;
	}
	if (!s->text_full)
		return;
	s->text_full = false;
	if (s->text.cap < LIM_SNAPSHOT_TEXT) {
		buf_room(&s->text, s->text.cap);
		return;
	}
	/* those that are gone fill it: all are read anew */
	s->text.n = 0;
	for (i = 0; i < s->n; i++) {
		s->now[i].ncgroup = s->now[i].nunit = USHRT_MAX;
		s->now[i].slow_rss = SNAPSHOT_NONE;
	}
}

/* The text in the pool, put there if it is not; *n USHRT_MAX: NIL. */
static uint32_t
pooled(struct snapshot *s, struct str t, uint16_t *n)
{
	const char *at = s->text.p, *end = at + s->text.n;
	uint16_t k;

	*n = USHRT_MAX;
	if (str_none(t) || t.n >= USHRT_MAX)
		return 0;
	/* each behind its length: some dozens, asked for by new processes */
	for (; at < end; at += sizeof k + k) {
		memcpy(&k, at, sizeof k);
		if (k == t.n && memcmp(at + sizeof k, t.p, k) == 0)
			break;
	}
	if (at >= end) {
		if (s->text.cap - s->text.n < sizeof k + t.n) {
			s->text_full = true;
			return 0;
		}
		k = (uint16_t)t.n;
		buf_add(&s->text, (const char *)&k, sizeof k);
		buf_add(&s->text, t.p, t.n);
		at = s->text.p + s->text.n - t.n - sizeof k;
	}
	*n = (uint16_t)t.n;
	return (uint32_t)(at - s->text.p + (ptrdiff_t)sizeof k);
}

/* A number of something that there is not more than 2^32 of. */
static uint32_t
small(double v, double unit)
{
	return num_none(v) || v / unit >= SNAPSHOT_NONE ? SNAPSHOT_NONE :
	    (uint32_t)(v / unit);
}

static int16_t
score(double v)
{
	return num_none(v) || v < -32767 || v > 32767 ? SHRT_MIN : (int16_t)v;
}

/* Descriptors of a stat of our own, each read once: the first read has the
 * kernel take its page. */
static void
open_spares(struct snapshot *s)
{
	char c;
	int fd;

	while (s->nspare < LIM_SNAPSHOT_SPARES) {
		fd = openat(s->p->dir, "self/stat", O_RDONLY | O_CLOEXEC);
		if (fd == -1)
			return;
		if (pread(fd, &c, 1, 0) != 1) {
			close(fd);
			return;
		}
		s->spare[s->nspare++] = fd;
	}
}

/* What changes seldom, of the process at hand. */
static void
read_slow(struct snapshot *s, struct snapshot_process *q)
{
	struct procs *p = s->p;
	const struct proc_status *st = procs_status(p);
	struct str t;

	q->uid = small(procs_uid(p), 1);
	q->gid = small(procs_gid(p), 1);
	q->swap = small(st->swap, p->page);
	q->other = st->other;
	q->shared = small(procs_shared(p), p->page);
	q->score = score(procs_oom_score(p));
	q->adj = score(procs_oom_score_adj(p));
	t = s->hurry ? STR_NIL : procs_args(p);
	if (!s->hurry)
		q->nargs = UCHAR_MAX;
	if (!str_none(t)) {
		q->nargs = (uint8_t)(t.n < LIM_SNAPSHOT_ARGS ? t.n :
		    LIM_SNAPSHOT_ARGS);
		memcpy(q->args, t.p, q->nargs);
	}
	q->cgroup = pooled(s, procs_cgroup(p), &q->ncgroup);
	q->unit = pooled(s, procs_unit(p), &q->nunit);
	q->slow_rss = s->hurry ? SNAPSHOT_NONE : q->rss;
	p->deep = false;	/* the next one's folder may not be wanted */
}

/* What its stat says. */
static void
read_stat(struct snapshot_process *q, const struct procs *p)
{
	const struct proc_stat *t = &p->stat;

	q->pid = p->pid;
	q->start = num_none(t->starttime) ? 0 : (uint64_t)t->starttime;
	q->ppid = num_none(t->ppid) ? 0 : (pid_t)t->ppid;
	q->vsz = num_none(t->vsz) ? 0 : (uint64_t)t->vsz;
	q->rss = small(t->rss, p->page);
	q->utime = small(t->utime, 1 / p->hz);
	q->stime = small(t->stime, 1 / p->hz);
	q->threads = small(t->threads, 1);
	q->tty = num_none(t->tty) ? 0 : (int32_t)t->tty;
	q->state = t->state;
	q->kernel = procs_kernel(p);
	q->gone = false;
	q->ncomm = 0;
	if (!str_none(t->comm)) {
		q->ncomm = (uint8_t)(t->comm.n < LIM_SNAPSHOT_COMM ?
		    t->comm.n : LIM_SNAPSHOT_COMM);
		memcpy(q->comm, t->comm.p, q->ncomm);
	}
}

/* Has it become another: a program of another name? */
static bool
renamed(const struct snapshot_process *q, const struct snapshot_process *old)
{
	return q->ncomm != old->ncomm || memcmp(q->comm, old->comm,
	    q->ncomm) != 0;
}

/* Is it of another size? */
static bool
resized(const struct snapshot_process *q)
{
	uint32_t by = q->rss > q->slow_rss ? q->rss - q->slow_rss :
	    q->slow_rss - q->rss;

	return by > q->slow_rss / 8 + 256;
}

static bool
scarce(int error)
{
	return error == ENOMEM || error == EMFILE || error == ENFILE;
}

/*
 * The process at hand, as it was (NULL: new), into *q.  False: there was not
 * memory enough.  What was known of it then is worth more than what could be
 * read: a process that has lost its cgroup is not found by who looks there.
 */
static bool
put(struct snapshot *s, const struct snapshot_process *old,
    struct snapshot_process *q)
{
	struct procs *p = s->p;
	uint32_t uid = small(procs_uid(p), 1);

	if (old == NULL) {
		memset(q, 0, sizeof *q);
		q->fd = -1;
		q->nargs = UCHAR_MAX;
	} else
		*q = *old;
	read_stat(q, p);
	if (old == NULL || renamed(q, old) || (!num_none(p->owner) &&
	    uid != q->uid) || (!s->hurry && (resized(q) ||
	    ((unsigned)q->pid + s->turn) % SNAPSHOT_SLOW == 0))) {
		if (p->statfd == -1 && p->self == -1) {
			if (!procs_at(p, q->pid))
				return !scarce(errno);
			if ((uint64_t)p->stat.starttime != q->start)
				return true;	/* it has gone */
		}
		read_slow(s, q);
	}
	return !p->missed;
}

/* Descriptors of those that are in both go over; the others are closed. */
static void
close_gone(struct snapshot *s, size_t n)
{
	size_t i, k = 0;

	for (i = 0; i < s->n; i++) {
		while (k < n && s->next[k].pid < s->now[i].pid)
			k++;
		if (s->now[i].fd != -1 && (k == n ||
		    s->next[k].fd != s->now[i].fd)) {
			close(s->now[i].fd);
			s->nopen--;
		}
	}
}

/* The power of two of its size; -1: it is none that is worth ending. */
static int
size_of(const struct snapshot_process *q)
{
	return q->kernel || q->rss == SNAPSHOT_NONE ? -1 : q->rss == 0 ? 0 :
	    32 - __builtin_clz(q->rss);
}

static void
open_one(struct snapshot *s, struct snapshot_process *q)
{
	char name[40];

	snprintf(name, sizeof name, "%ld/stat", (long)q->pid);
	q->fd = openat(s->p->dir, name, O_RDONLY | O_CLOEXEC);
	if (q->fd == -1)
		return;
	/* the first read has the kernel take its page */
	if (procs_of_stat(s->p, q->pid, q->fd) &&
	    (uint64_t)s->p->stat.starttime == q->start) {
		s->nopen++;
		return;
	}
	close(q->fd);
	q->fd = -1;
}

/* So many that descriptors are left for what comes of a run. */
static size_t
most_open(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur < 2 * FREE)
		return 0;
	return r.rlim_cur - FREE < LIM_SNAPSHOT_OPEN ? r.rlim_cur - FREE :
	    LIM_SNAPSHOT_OPEN;
}

/*
 * The largest are kept open: those of at least 2^k pages, with k so that they
 * are not too many, and as many as there is place for of those half as large.
 * One is let go when it is smaller than that.
 */
static void
keep_open(struct snapshot *s)
{
	size_t count[34] = { 0 }, sum = 0, most = most_open(), i;
	struct snapshot_process *q;
	int least, k;

	for (i = 0; i < s->n; i++)
		count[size_of(&s->now[i]) + 1]++;
	for (least = 33; least > 0 && sum + count[least] <= most; least--)
		sum += count[least];
	for (i = 0; i < s->n; i++) {
		q = &s->now[i];
		if (q->fd == -1 || size_of(q) >= least - 1)
			continue;
		close(q->fd);
		q->fd = -1;
		s->nopen--;
	}
	for (k = least; k >= least - 1 && k >= 0; k--)
		for (i = 0; i < s->n && s->nopen < most; i++)
			if (s->now[i].fd == -1 && size_of(&s->now[i]) >= k)
				open_one(s, &s->now[i]);
}

/*
 * What the kernel keeps for an open stat is enough to look at another process,
 * and it goes to who frees it: the spare ones are given up, so many at a time,
 * and then the smallest.  False: no more.
 */
static bool
give_up(struct snapshot *s)
{
	struct snapshot_process *least;
	size_t i, k;

	if (s->nspare > 0) {
		for (k = 0; k < GIVEN_UP && s->nspare > 0; k++)
			close(s->spare[--s->nspare]);
		return true;
	}
	if (s->nopen < 3 * GIVEN_UP)
		return false;
	for (k = 0; k < GIVEN_UP; k++) {
		least = NULL;
		for (i = 0; i < s->n; i++)
			if (s->now[i].fd != -1 && (least == NULL ||
			    s->now[i].rss < least->rss))
				least = &s->now[i];
		if (least == NULL)
			return false;
		close(least->fd);
		least->fd = -1;
		s->nopen--;
	}
	return true;
}

/*
 * In a hurry an open is for who is new, and for some of those that are not
 * kept open: one that was small may have grown.  A thread of the kernel is
 * never worth one.
 */
static bool
known_enough(const struct snapshot *s, const struct snapshot_process *old)
{
	return old != NULL && old->fd == -1 && !old->gone && (old->kernel ||
	    ((unsigned)old->pid + s->turn) % HURRY_SHARE != 0);
}

static enum snapshot_got
take(struct snapshot *s, double steady)
{
	struct snapshot_process *old, *spare;
	struct procs *p = s->p;
	size_t i = 0, n = 0, left_out = 0;
	int error = 0;
	pid_t pid;

	s->turn++;
	procs_again(p);
	while ((pid = procs_list(p, &error)) != 0) {
		while (i < s->n && s->now[i].pid < pid)
			i++;
		old = i < s->n && s->now[i].pid == pid ? &s->now[i] : NULL;
		if (n == s->cap) {
			left_out++;
			continue;
		}
		if (s->hurry && known_enough(s, old)) {
			s->next[n++] = *old;
			continue;
		}
		if (old == NULL || old->fd == -1 ||
		    !procs_of_stat(p, pid, old->fd)) {
			if (!procs_at(p, pid)) {
				if (!scarce(errno))
					continue;
				if (!s->hurry || old == NULL || old->gone ||
				    old->fd != -1)
					return SNAPSHOT_SCARCE;
				s->next[n++] = *old;
				continue;
			}
			if (old != NULL && ((uint64_t)p->stat.starttime !=
			    old->start || old->fd != -1))
				old = NULL;
		}
		if (!put(s, old, &s->next[n]))
			return SNAPSHOT_SCARCE;
		s->next[n].looked = steady;
		/* somebody else may have got the number in between */
		if (s->next[n].pid == pid)
			n++;
	}
	if (error != 0) {
		snprintf(p->why, sizeof p->why, "/proc: %s", strerror(error));
		return scarce(error) ? SNAPSHOT_SCARCE : SNAPSHOT_FAILED;
	}
	close_gone(s, n);
	spare = s->now;
	s->now = s->next;
	s->next = spare;
	s->n = n;
	s->left_out = left_out;
	s->taken = steady;
	keep_open(s);
	if (!s->hurry)
		open_spares(s);
	return SNAPSHOT_TAKEN;
}

enum snapshot_got
snapshot_take(struct snapshot *s, double steady)
{
	enum snapshot_got got;

	do
		got = take(s, steady);
	while (got == SNAPSHOT_SCARCE && s->hurry && give_up(s));
	return got;
}

void
snapshot_look(struct snapshot *s)
{
	struct snapshot_process *q;
	size_t i;

	for (i = 0; i < s->n; i++) {
		q = &s->now[i];
		if (q->gone)
			continue;
		if (q->fd == -1)
			q->gone = kill(q->pid, 0) != 0 && errno == ESRCH;
		else if (procs_of_stat(s->p, q->pid, q->fd))
			read_stat(q, s->p);
		else
			q->gone = true;
	}
}

const struct snapshot_process *
snapshot_find(const struct snapshot *s, pid_t pid)
{
	size_t lo = 0, hi = s->n, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (s->now[mid].pid < pid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->n && s->now[lo].pid == pid && !s->now[lo].gone ?
	    &s->now[lo] : NULL;
}

bool
snapshot_alive(const struct snapshot *s, const struct snapshot_process *q)
{
	if (q->gone)
		return false;
	if (q->fd == -1)
		return kill(q->pid, 0) == 0 || errno != ESRCH;
	return procs_of_stat(s->p, q->pid, q->fd) && !procs_zombie(s->p);
}

struct str
snapshot_user(const struct snapshot *s, uint32_t uid)
{
	/* names keeps what it was asked, and the number of who has no name */
	return uid == SNAPSHOT_NONE || !s->have_names ? STR_NIL :
	    names_user((struct names *)(uintptr_t)&s->names, uid);
}

struct str
snapshot_text(const struct snapshot *s, uint32_t at, uint16_t n)
{
	return n == USHRT_MAX ? STR_NIL : str_of(s->text.p + at, n);
}
