/* snapshot_rows: the tables processes and cgroups as a snapshot has them.  Of
 * the cgroups it knows one, the own one or that above it which has a limit. */
#include <stdio.h>
#include <string.h>

#include "engine/table/snapshot.h"

struct processes {
	struct table	 t;
	const struct snapshot *s;
	const struct snapshot_process *q;
	size_t		 at;
	double		 uptime;	/* ticks */
	pid_t		 only;
	char		 text[LIM_SNAPSHOT_ARGS + 2];
};

static const struct table_maker processes_maker;

struct table *
snapshot_processes(const struct table_world *w, const struct table_ask *ask)
{
	struct processes *t = (struct processes *)table_make(w,
	    &processes_maker, sizeof *t);
	char text[120];

	t->s = w->snapshot;
	t->only = ask->only;
	t->uptime = t->s->p->uptime;
	if (t->s->left_out > 0 && t->only == 0 && w->warn != NULL) {
		snprintf(text, sizeof text, "table processes: %zu processes "
		    "are left out: there was room for %zu", t->s->left_out,
		    t->s->cap);
		w->warn(w->arg, str_c(text));
	}
	return &t->t;
}

static enum table_next
processes_next(struct table *table)
{
	struct processes *t = (struct processes *)table;

	if (t->only != 0) {
		t->q = t->at++ == 0 ? snapshot_find(t->s, t->only) : NULL;
		return t->q == NULL ? TABLE_END : TABLE_ROW;
	}
	while (t->at < t->s->n && t->s->now[t->at].gone)
		t->at++;
	if (t->at >= t->s->n)
		return TABLE_END;
	t->q = &t->s->now[t->at++];
	return TABLE_ROW;
}

static void
processes_close(struct table *t)
{
	mem_free(t->world.mem, t, sizeof(struct processes));
}

static double
times(uint32_t v, double unit)
{
	return v == SNAPSHOT_NONE ? NUM_NIL : v * unit;
}

static double
processes_number(struct row *row, enum table_column c)
{
	const struct processes *t = (struct processes *)row;
	const struct snapshot_process *q = t->q;
	const double hz = t->s->p->hz, page = t->s->p->page;
	double age = (t->uptime - (double)q->start) / hz;

	if (age < 0)
		age = 0;	/* began after the snapshot did */
	switch (c) {
	case COLUMN_PROCESSES_pid:
		return q->pid;
	case COLUMN_PROCESSES_ppid:
		return q->ppid;
	case COLUMN_PROCESSES_uid:
		return times(q->uid, 1);
	case COLUMN_PROCESSES_gid:
		return times(q->gid, 1);
	case COLUMN_PROCESSES_rss:
		return times(q->rss, page);
	case COLUMN_PROCESSES_vsz:
		return (double)q->vsz;
	case COLUMN_PROCESSES_swap:
		return times(q->swap, page);
	case COLUMN_PROCESSES_shared:
		return times(q->shared, page);
	case COLUMN_PROCESSES_utime:
		return times(q->utime, 1 / hz);
	case COLUMN_PROCESSES_stime:
		return times(q->stime, 1 / hz);
	case COLUMN_PROCESSES_cpu:
		return q->utime == SNAPSHOT_NONE || q->stime == SNAPSHOT_NONE ?
		    NUM_NIL : ((double)q->utime + q->stime) / hz /
		    (age < 1 / hz ? 1 / hz : age);
	case COLUMN_PROCESSES_starttime:
		return (double)q->start;
	case COLUMN_PROCESSES_age:
		return age;
	case COLUMN_PROCESSES_threads:
		return times(q->threads, 1);
	case COLUMN_PROCESSES_oom_score:
		return q->score == SHRT_MIN ? NUM_NIL : q->score;
	case COLUMN_PROCESSES_oom_score_adj:
		return q->adj == SHRT_MIN ? NUM_NIL : q->adj;
	default:		/* fds: they would have to be listed */
		return NUM_NIL;
	}
}

/* A terminal's name as far as its number says it. */
static struct str
terminal(struct processes *t)
{
	unsigned dev = (unsigned)t->q->tty, major = dev >> 8 & 0xfff;
	unsigned minor = (dev & 0xff) | (dev >> 12 & 0xfff00);
	int n;

	if (dev == 0)
		return STR_NIL;
	if (major >= 136 && major <= 143)
		n = snprintf(t->text, sizeof t->text, "pts/%u",
		    (major - 136) * 256 + minor);
	else if (major == 4 && minor < 64)
		n = snprintf(t->text, sizeof t->text, "tty%u", minor);
	else
		n = snprintf(t->text, sizeof t->text, "%u:%u", major, minor);
	return str_of(t->text, (size_t)n);
}

static struct str
processes_text(struct row *row, enum table_column c)
{
	struct processes *t = (struct processes *)row;
	const struct snapshot_process *q = t->q;

	switch (c) {
	case COLUMN_PROCESSES_user:
		return snapshot_user(t->s, q->uid);
	case COLUMN_PROCESSES_state:
		return q->state == '\0' ? STR_NIL : str_of(&q->state, 1);
	case COLUMN_PROCESSES_comm:
		return str_of(q->comm, q->ncomm);
	case COLUMN_PROCESSES_args:
		return q->nargs == UCHAR_MAX ? STR_NIL : str_of(q->args,
		    q->nargs);
	case COLUMN_PROCESSES_tty:
		return terminal(t);
	case COLUMN_PROCESSES_cgroup:
		return snapshot_text(t->s, q->cgroup, q->ncgroup);
	case COLUMN_PROCESSES_unit:
		return snapshot_text(t->s, q->unit, q->nunit);
	default:
		return STR_NIL;
	}
}

static const struct table_maker processes_maker = {
	NULL, processes_next, processes_close,
	{ processes_number, processes_text }
};

/* --- cgroups --- */

struct cgroups {
	struct table	 t;
	const struct snapshot_group *g;
	bool		 had;
};

static enum table_next
cgroups_next(struct table *table)
{
	struct cgroups *t = (struct cgroups *)table;

	if (t->had || t->g->version == 0)
		return TABLE_END;
	t->had = true;
	return TABLE_ROW;
}

static void
cgroups_close(struct table *t)
{
	mem_free(t->world.mem, t, sizeof(struct cgroups));
}

static double
files_memory(const struct snapshot_group *g)
{
	const char *v1 = g->version == 1 ? "total_" : "";
	char name[40];
	double a, b;

	snprintf(name, sizeof name, "%sinactive_file", v1);
	a = snapshot_field(g->stat, name);
	snprintf(name, sizeof name, "%sactive_file", v1);
	b = snapshot_field(g->stat, name);
	return num_none(a) || num_none(b) ? NUM_NIL : a + b;
}

static double
cgroups_number(struct row *r, enum table_column c)
{
	const struct snapshot_group *g = ((struct cgroups *)r)->g;

	switch (c) {
	case COLUMN_CGROUPS_version:
		return g->version;
	case COLUMN_CGROUPS_mem_used:
		return snapshot_number(g->used);
	case COLUMN_CGROUPS_mem_max:
		return snapshot_number(g->max);
	case COLUMN_CGROUPS_mem_files:
		return files_memory(g);
	case COLUMN_CGROUPS_under_oom:
		return g->version == 1 ? snapshot_field(g->oom, "under_oom") :
		    NUM_NIL;
	case COLUMN_CGROUPS_oom_kills:
		return snapshot_field(g->oom, "oom_kill");
	case COLUMN_CGROUPS_mem_fails:
		return g->version == 2 ? snapshot_field(g->oom, "max") :
		    NUM_NIL;
	case COLUMN_CGROUPS_pids:
		return snapshot_number(g->pids);
	case COLUMN_CGROUPS_pids_max:
		return snapshot_number(g->pids_max);
	default:
		return NUM_NIL;
	}
}

static struct str
cgroups_text(struct row *r, enum table_column c)
{
	(void)c;
	return str_c(((struct cgroups *)r)->g->path);
}

static const struct table_maker cgroups_maker = {
	NULL, cgroups_next, cgroups_close, { cgroups_number, cgroups_text }
};

struct table *
snapshot_cgroups(const struct table_world *w)
{
	struct cgroups *t = (struct cgroups *)table_make(w, &cgroups_maker,
	    sizeof *t);

	t->g = &w->snapshot->group;
	return &t->t;
}
