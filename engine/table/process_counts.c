/*
 * process_counts: how many processes each user has of each name.  Everything
 * is counted in one walk, when the first row is asked for, into tables that
 * were there before: a host where thousands of processes are to be counted is
 * one where no memory may be had.
 */
#include <stdio.h>
#include <string.h>

#include "lang/base/map.h"
#include "engine/table/names.h"
#include "engine/table/procs.h"
#include "engine/table/snapshot.h"

#define LIM_COUNTS	8192	/* users x names: busy hosts have some hundred; a
				 * fork bomb with names of its own fills it.  A
				 * power of 2 */
#define LIM_PARENTS	32768	/* the same x parents: as many processes as
				 * kernel.pid_max is by default.  A power of 2 */

struct count {
	uint32_t	 uid, n;
	uint32_t	 ppid, most;	/* the parent of most of them, how many */
	pid_t		 pid;		/* the oldest */
	bool		 nobody;	/* whose they are is not known */
	bool		 many;		/* more parents than could be counted */
	unsigned char	 ncomm;
	char		 comm[LIM_PROC_COMM];
	double		 start;		/* of the oldest */
	double		 age, rss;
	double		 ticks;		/* of processors */
};

struct parent {
	uint32_t	 count, ppid, n;
};

struct process_counts {
	struct table	 t;
	struct names	 names;
	bool		 counted;
	size_t		 n, nparents, row;	/* row: next one */
	double		 left_out;
	struct str	 unit;			/* of the row's oldest */
	bool		 has_unit;
	uint32_t	 slot[2 * LIM_COUNTS];	/* index + 1, 0: empty */
	uint32_t	 parent_slot[2 * LIM_PARENTS];
	struct count	 count[LIM_COUNTS];
	struct parent	 parent[LIM_PARENTS];
	struct procs	 p;
};

static struct table *
process_counts_open(const struct table_world *w, const struct table_ask *ask,
    char why[LIM_TABLE_WHY])
{
	struct process_counts *t;

	(void)ask;
	t = (struct process_counts *)table_make(w, &table_process_counts,
	    sizeof *t);
	if (w->snapshot != NULL) {
		t->p.dir = t->p.self = t->p.statfd = -1;
		return &t->t;
	}
	if (!procs_open(&t->p, w)) {
		memcpy(why, t->p.why, LIM_TABLE_WHY);
		mem_free(w->mem, t, sizeof *t);
		return NULL;
	}
	names_open(&t->names, &t->t.world);
	return &t->t;
}

static void
process_counts_close(struct table *table)
{
	struct process_counts *t = (struct process_counts *)table;

	procs_close(&t->p);
	names_close(&t->names);
	mem_free(table->world.mem, t, sizeof *t);
}

/* The count of the process's user and name, made if it is the first; NULL:
 * there is no place. */
static struct count *
count_of(struct process_counts *t, double uid, struct str comm)
{
	bool nobody = num_none(uid);
	uint32_t u = nobody || uid > UINT32_MAX ? UINT32_MAX : (uint32_t)uid;
	size_t i = (size_t)(hash_bytes(comm.p, comm.n) + u * 0x9e3779b1u);
	struct count *c;

	for (;; i++) {
		i &= 2 * LIM_COUNTS - 1;
		if (t->slot[i] == 0)
			break;
		c = &t->count[t->slot[i] - 1];
		if (c->uid == u && c->nobody == nobody && c->ncomm == comm.n &&
		    memcmp(c->comm, comm.p, comm.n) == 0)
			return c;
	}
	if (t->n == LIM_COUNTS)
		return NULL;
	c = &t->count[t->n++];
	t->slot[i] = (uint32_t)t->n;
	c->uid = u;
	c->nobody = nobody;
	c->ncomm = (unsigned char)comm.n;
	memcpy(c->comm, comm.p, comm.n);
	c->start = c->age = NUM_NIL;
	return c;
}

/* Of parents with as many the one with the lowest number: what is told does
 * not depend on the order. */
static void
count_parent(struct process_counts *t, struct count *c, double ppid)
{
	uint32_t of = (uint32_t)(c - t->count), pp = (uint32_t)ppid;
	size_t i = (of * (size_t)2654435761u + pp) * 0x9e3779b1u >> 8;
	struct parent *q;

	for (;; i++) {
		i &= 2 * LIM_PARENTS - 1;
		if (t->parent_slot[i] == 0) {
			if (t->nparents == LIM_PARENTS) {
				c->many = true;
				return;
			}
			q = &t->parent[t->nparents++];
			t->parent_slot[i] = (uint32_t)t->nparents;
			*q = (struct parent){ of, pp, 0 };
			break;
		}
		q = &t->parent[t->parent_slot[i] - 1];
		if (q->count == of && q->ppid == pp)
			break;
	}
	q->n++;
	if (q->n > c->most || (q->n == c->most && pp < c->ppid)) {
		c->most = q->n;
		c->ppid = pp;
	}
}

/* A process of this stat, which is no zombie. */
static void
count_one(struct process_counts *t, const struct proc_stat *s, pid_t pid,
    double uid, double age)
{
	struct count *c;

	c = count_of(t, uid, s->comm);
	if (c == NULL) {
		t->left_out++;
		return;
	}
	c->n++;
	c->rss += num_none(s->rss) ? 0 : s->rss;
	c->ticks += num_none(s->ticks) ? 0 : s->ticks;
	if (s->ppid >= 0 && s->ppid <= INT32_MAX)
		count_parent(t, c, s->ppid);
	if (c->pid == 0 || s->starttime < c->start ||
	    (s->starttime == c->start && pid < c->pid) ||
	    (num_none(c->start) && !num_none(s->starttime))) {
		c->pid = pid;
		c->start = s->starttime;
		c->age = age;
	}
}

/* The same processes as a snapshot has them. */
static void
count_snapshot(struct process_counts *t, const struct snapshot *s)
{
	const double hz = s->p->hz, page = s->p->page, now = s->p->uptime;
	const struct snapshot_process *q;
	struct proc_stat p;
	size_t i;

	for (i = 0; i < s->n; i++) {
		q = &s->now[i];
		if (q->gone || q->state == 'Z' || q->state == 'X')
			continue;
		p = (struct proc_stat){ .comm = str_of(q->comm, q->ncomm),
		    .ppid = q->ppid, .starttime = (double)q->start,
		    .rss = q->rss == SNAPSHOT_NONE ? NUM_NIL : q->rss * page,
		    .ticks = q->utime == SNAPSHOT_NONE || q->stime ==
		    SNAPSHOT_NONE ? NUM_NIL : (double)q->utime + q->stime };
		count_one(t, &p, q->pid, q->uid == SNAPSHOT_NONE ? NUM_NIL :
		    q->uid, now < p.starttime ? 0 : (now - p.starttime) / hz);
	}
	t->left_out += (double)s->left_out;
	t->p.hz = hz;
}

static enum table_next
count_all(struct process_counts *t)
{
	const struct snapshot *s = t->t.world.snapshot;
	struct procs *p = &t->p;
	enum table_next r = TABLE_END;

	if (s != NULL)
		count_snapshot(t, s);
	else
		while ((r = procs_next(p)) == TABLE_ROW)
			if (!procs_zombie(p) && !str_none(p->stat.comm))
				count_one(t, &p->stat, p->pid, procs_uid(p),
				    procs_age(p));
	return r;
}

static void
say_left_out(struct process_counts *t)
{
	char text[160];
	int n;

	if (t->left_out == 0 || t->t.world.warn == NULL)
		return;
	n = snprintf(text, sizeof text, "table process_counts: %.0f processes "
	    "are left out: there are more than %d different users and names",
	    t->left_out, LIM_COUNTS);
	t->t.world.warn(t->t.world.arg, str_of(text, (size_t)n));
}

static enum table_next
process_counts_next(struct table *table)
{
	struct process_counts *t = (struct process_counts *)table;
	enum table_next r;

	if (!t->counted) {
		r = count_all(t);
		if (r == TABLE_FAILED) {
			memcpy(table->why, t->p.why, LIM_TABLE_WHY);
			return r;
		}
		t->counted = true;
		say_left_out(t);
	}
	if (t->row == t->n)
		return TABLE_END;
	t->row++;
	t->has_unit = false;
	return TABLE_ROW;
}

static double
process_counts_number(struct row *row, enum table_column col)
{
	struct process_counts *t = (struct process_counts *)row;
	const struct count *c = &t->count[t->row - 1];

	switch (col) {
	case COLUMN_PROCESS_COUNTS_uid:
		return c->nobody ? NUM_NIL : c->uid;
	case COLUMN_PROCESS_COUNTS_count:
		return c->n;
	case COLUMN_PROCESS_COUNTS_rss:
		return c->rss;
	case COLUMN_PROCESS_COUNTS_cpu:
		return c->ticks / t->p.hz;
	case COLUMN_PROCESS_COUNTS_pid:
		return c->pid;
	case COLUMN_PROCESS_COUNTS_age:
		return c->age;
	case COLUMN_PROCESS_COUNTS_ppid:
		return c->many || c->most == 0 ? NUM_NIL : c->ppid;
	default:
		return NUM_NIL;
	}
}

/* The oldest is asked now; it must still be the one that was counted. */
static struct str
unit(struct process_counts *t, const struct count *c)
{
	const struct snapshot *s = t->t.world.snapshot;
	const struct snapshot_process *q;

	if (s != NULL) {
		q = snapshot_find(s, c->pid);
		return q == NULL ? STR_NIL : snapshot_text(s, q->unit,
		    q->nunit);
	}
	if (!t->has_unit)
		t->unit = procs_at(&t->p, c->pid) &&
		    t->p.stat.starttime == c->start ? procs_unit(&t->p) :
		    STR_NIL;
	t->has_unit = true;
	return t->unit;
}

static struct str
process_counts_text(struct row *row, enum table_column col)
{
	struct process_counts *t = (struct process_counts *)row;
	const struct count *c = &t->count[t->row - 1];

	switch (col) {
	case COLUMN_PROCESS_COUNTS_user:
		return c->nobody ? STR_NIL : t->t.world.snapshot != NULL ?
		    snapshot_user(t->t.world.snapshot, c->uid) :
		    names_user(&t->names, c->uid);
	case COLUMN_PROCESS_COUNTS_comm:
		return str_of(c->comm, c->ncomm);
	case COLUMN_PROCESS_COUNTS_unit:
		return unit(t, c);
	default:
		return STR_NIL;
	}
}

const struct table_maker table_process_counts = {
	process_counts_open, process_counts_next, process_counts_close,
	{ process_counts_number, process_counts_text }
};
