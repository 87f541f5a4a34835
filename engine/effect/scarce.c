/* scarce: see scarce.h. */
#include <sys/syscall.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lang/base/signals.h"
#include "engine/effect/act.h"
#include "engine/effect/scarce_inner.h"

#define LIM_ROUNDS	50	/* of #killall, as its sweeps */
#define LIM_DYING	10.0	/* seconds for what has had its signal to end */
#define DYING		0.02	/* seconds between two looks at them */

void
scarce_init(struct scarce *s, struct mem *mem, struct snapshot *snapshot,
    size_t room)
{
	memset(s, 0, sizeof *s);
	s->snapshot = snapshot;
	buf_init(&s->log, mem);
	buf_init(&s->audit, mem);
	s->room = room < LIM_SCARCE_LOG ? room : LIM_SCARCE_LOG;
	(void)buf_room(&s->log, s->room);
	(void)buf_room(&s->audit, s->room);
}

void
scarce_free(struct scarce *s)
{
	buf_free(&s->log);
	buf_free(&s->audit);
}

void
scarce_keep(struct scarce *s, struct buf *to, struct str line)
{
	if (line.n + 1 > s->room - to->n) {
		s->dropped++;
		return;
	}
	buf_add(to, line.p, line.n);
	if (line.n == 0 || line.p[line.n - 1] != '\n')
		buf_putc(to, '\n');
}

struct str
scarce_user(const struct live *l, uid_t uid)
{
	return snapshot_user(l->o.scarce->snapshot, uid);
}

static void
as_process(const struct live *l, const struct snapshot_process *q,
    struct process *p)
{
	memset(p, 0, sizeof *p);
	p->pid = q->pid;
	p->ppid = q->ppid;
	p->start = q->start;
	p->state = q->state;
	p->kernel = q->kernel;
	p->other = q->other;
	p->uid = q->uid;
	p->ncomm = q->ncomm;
	memcpy(p->comm, q->comm, q->ncomm);
	p->user = scarce_user(l, q->uid);
}

/*
 * One that is kept open is known for certain.  Of another one it is tried to
 * look, and if that takes what there is none of, a young snapshot counts.
 */
int
scarce_look(struct live *l, pid_t pid, struct target *t)
{
	const struct snapshot *s = l->o.scarce->snapshot;
	const struct snapshot_process *q = snapshot_find(s, pid);
	struct process now;
	char path[32];
	int r;

	memset(t, 0, sizeof *t);
	t->pidfd = -1;
	if (q == NULL || !snapshot_alive(s, q))
		return 0;
	as_process(l, q, &t->p);
	t->snapshot = s;
	t->q = q;
	if (q->fd != -1)
		return 1;
	snprintf(path, sizeof path, "/proc/%ld", (long)pid);
	r = process_stat(AT_FDCWD, path, &now);
	if (r == 1) {
		t->p.state = now.state;
		return now.start == q->start;
	}
	if (r == 0 || !target_scarce(errno))
		return r;
	if (live_now() - q->looked <= LIM_SCARCE_AGE)
		return 1;
	errno = ESTALE;
	return -1;
}

void
scarce_own(struct live *l, struct act_state *a)
{
	const struct snapshot_process *q;
	pid_t pid = getpid();

	for (a->nown = 0; pid > 0 && a->nown < LIM_PARENTS; pid = q->ppid) {
		a->own[a->nown++] = pid;
		q = snapshot_find(l->o.scarce->snapshot, pid);
		if (pid == 1 || q == NULL)
			break;
	}
}

void
scarce_places(const struct live *l, pid_t pid, struct str place[2])
{
	const struct snapshot *s = l->o.scarce->snapshot;
	const struct snapshot_process *q = snapshot_find(s, pid);

	place[0] = place[1] = STR_NIL;
	if (q == NULL)
		return;
	place[0] = snapshot_text(s, q->cgroup, q->ncgroup);
	place[1] = snapshot_text(s, q->unit, q->nunit);
}

/* --- #killall --- */

/* Has the process this user, by name or number? */
static bool
is_of(const struct live *l, const struct snapshot_process *q, struct str user)
{
	char number[20];

	if (q->uid == SNAPSHOT_NONE)
		return false;
	return str_eq(scarce_user(l, q->uid), user) || str_eq(str_of(number,
	    number_text(q->uid, number)), user);
}

struct round {
	size_t	 hit, kept, denied, left;
	char	 why[LIM_WHY / 2];
};

/* Those that are meant, once; first: they get the signal, else they are only
 * counted. */
static void
round_of(struct live *l, const struct act *a, int sig, bool first,
    struct round *r)
{
	const struct snapshot *s = l->o.scarce->snapshot;
	const struct snapshot_process *q;
	char why[LIM_WHY / 2 - 20];
	struct target t;
	size_t i;
	int error;

	memset(r, 0, sizeof *r);
	for (i = 0; i < s->n && !live_stop(l); i++) {
		q = &s->now[i];
		if (q->gone || q->kernel || q->other || !str_eq(str_of(q->comm,
		    q->ncomm), a->comm) || !is_of(l, q, a->user) ||
		    scarce_look(l, q->pid, &t) != 1 || t.p.state == 'Z' ||
		    t.p.state == 'X')
			continue;
		error = 0;
		if (process_protected(l, &t.p, why, sizeof why))
			r->kept++;
		else if (!first || (error = target_signal(&t, sig)) == 0) {
			r->hit += first;
			r->left++;
			continue;
		} else if (error == ESRCH)
			continue;
		else {
			r->denied++;
			snprintf(why, sizeof why, "%s", strerror(error));
		}
		if (r->why[0] == '\0')
			snprintf(r->why, sizeof r->why, "%ld: %s",
			    (long)q->pid, why);
	}
}

bool
scarce_killall(struct live *l, const struct act *a, bool dry,
    struct act_result *res)
{
	int sig = signal_number(a->sig);
	char text[LIM_WHO + 64];
	struct round r, look;
	double until = live_now() + LIM_DYING;

	if (act_state(l) == NULL)
		return false;
	snprintf(text, sizeof text, "%.*s %.*s %.*s", a->user.n > 100 ? 100 :
	    (int)a->user.n, a->user.p, a->comm.n > 15 ? 15 : (int)a->comm.n,
	    a->comm.p, (int)a->sig.n, a->sig.p);
	round_of(l, a, sig, false, &look);
	res->n = (double)look.left;
	if (sig == 0 || !act_begins(l, dry, "killall", text, res, res->n))
		return true;
	round_of(l, a, sig, true, &r);
	res->n = (double)r.hit;
	look = r;
	while (look.left > 0 && live_now() < until && live_sleep(l, DYING))
		round_of(l, a, sig, false, &look);
	if (look.left > 0)
		live_fail(l, "%zu got the signal, and %zu of them go on",
		    r.hit, look.left);
	else if (r.kept + r.denied > 0)
		live_fail(l, "%zu ended, %zu are left: %s: %s", r.hit, r.kept +
		    r.denied, r.kept > 0 ? "not touched" : "not allowed",
		    r.why);
	return look.left + r.kept + r.denied == 0;
}

/* --- what can run --- */

bool
scarce_can(const struct program *p, char *why, size_t n)
{
	const struct line_entry *at;
	const char *what;
	struct str name;
	uint32_t pc;

	if (p->input == INPUT_TABLE && !table_held((enum table_id)p->table)) {
		snprintf(why, n, "its input is table %s, for which files must "
		    "be opened", table_info[p->table].name);
		return false;
	}
	if (p->input != INPUT_TABLE && p->input != INPUT_NONE) {
		snprintf(why, n, "its input is %s: it takes native tables only",
		    input_name[p->input]);
		return false;
	}
	for (pc = 0; pc < p->ncode; pc++) {
		if ((what = program_opens(p->code[pc], &name)) == NULL)
			continue;
		at = program_where(p, pc);
		snprintf(why, n, "%.*s:%u %s%.*s", at == NULL ? 0 :
		    (int)p->files[at->file].n, at == NULL ? "" :
		    p->files[at->file].p, at == NULL ? 0 : at->line, what,
		    (int)name.n, name.p);
		return false;
	}
	return true;
}
