/* processes: a row for each process; its columns are those of procs. */
#include "engine/table/names.h"
#include "engine/table/procs.h"
#include "engine/table/snapshot.h"

struct processes {
	struct table	 t;
	struct names	 names;
	struct procs	 p;
	pid_t		 only;		/* 0: all of them */
	bool		 had;		/* that one was looked at */
};

static struct table *
processes_open(const struct table_world *w, const struct table_ask *ask,
    char why[LIM_TABLE_WHY])
{
	struct processes *t;

	if (w->snapshot != NULL)
		return snapshot_processes(w, ask);
	t = (struct processes *)table_make(w, &table_processes, sizeof *t);
	t->only = ask->only;
	if (!procs_open(&t->p, w)) {
		memcpy(why, t->p.why, LIM_TABLE_WHY);
		mem_free(w->mem, t, sizeof *t);
		return NULL;
	}
	names_open(&t->names, &t->t.world);
	return &t->t;
}

/* A thread has a folder, too, which is in no list. */
static bool
is_process(struct procs *p)
{
	double tgid = procs_status(p)->tgid;

	return num_none(tgid) || tgid == p->pid;
}

static enum table_next
processes_next(struct table *table)
{
	struct processes *t = (struct processes *)table;
	enum table_next r;

	if (t->only != 0) {
		if (t->had)
			return TABLE_END;
		t->had = true;
		return procs_at(&t->p, t->only) && is_process(&t->p) ?
		    TABLE_ROW : TABLE_END;
	}
	r = procs_next(&t->p);
	if (r == TABLE_FAILED)
		memcpy(table->why, t->p.why, LIM_TABLE_WHY);
	return r;
}

static void
processes_close(struct table *table)
{
	struct processes *t = (struct processes *)table;

	procs_close(&t->p);
	names_close(&t->names);
	mem_free(table->world.mem, t, sizeof *t);
}

/* Processors that it used on the average; a process lives a tick at least. */
static double
average(const struct procs *p)
{
	double age = procs_age(p), cpu = procs_cpu(p);

	if (num_none(age) || num_none(cpu))
		return NUM_NIL;
	return cpu / (age < 1 / p->hz ? 1 / p->hz : age);
}

static double
processes_number(struct row *row, enum table_column c)
{
	struct procs *p = &((struct processes *)row)->p;

	switch (c) {
	case COLUMN_PROCESSES_pid:
		return p->pid;
	case COLUMN_PROCESSES_ppid:
		return p->stat.ppid;
	case COLUMN_PROCESSES_uid:
		return procs_uid(p);
	case COLUMN_PROCESSES_gid:
		return procs_gid(p);
	case COLUMN_PROCESSES_rss:
		return p->stat.rss;
	case COLUMN_PROCESSES_vsz:
		return p->stat.vsz;
	case COLUMN_PROCESSES_swap:
		return procs_status(p)->swap;
	case COLUMN_PROCESSES_shared:
		return procs_shared(p);
	case COLUMN_PROCESSES_utime:
		return p->stat.utime;
	case COLUMN_PROCESSES_stime:
		return p->stat.stime;
	case COLUMN_PROCESSES_cpu:
		return average(p);
	case COLUMN_PROCESSES_starttime:
		return p->stat.starttime;
	case COLUMN_PROCESSES_age:
		return procs_age(p);
	case COLUMN_PROCESSES_threads:
		return p->stat.threads;
	case COLUMN_PROCESSES_fds:
		return procs_fds(p);
	case COLUMN_PROCESSES_oom_score:
		return procs_oom_score(p);
	case COLUMN_PROCESSES_oom_score_adj:
		return procs_oom_score_adj(p);
	default:
		return NUM_NIL;
	}
}

static struct str
processes_text(struct row *row, enum table_column c)
{
	struct processes *t = (struct processes *)row;
	struct procs *p = &t->p;

	switch (c) {
	case COLUMN_PROCESSES_user:
		return names_of(&t->names, procs_uid(p));
	case COLUMN_PROCESSES_state:
		return p->stat.state == '\0' ? STR_NIL :
		    str_of(&p->stat.state, 1);
	case COLUMN_PROCESSES_comm:
		return p->stat.comm;
	case COLUMN_PROCESSES_args:
		return procs_args(p);
	case COLUMN_PROCESSES_tty:
		return procs_tty(p);
	case COLUMN_PROCESSES_cgroup:
		return procs_cgroup(p);
	case COLUMN_PROCESSES_unit:
		return procs_unit(p);
	default:
		return STR_NIL;
	}
}

const struct table_maker table_processes = {
	processes_open, processes_next, processes_close,
	{ processes_number, processes_text }
};
