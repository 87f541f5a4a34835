/*
 * act: what a script does to processes.  The host does it or only tells of
 * it; here its arguments are judged.  An argument without a value is an
 * ERROR, not a NIL that goes on: nobody may take what was not done for done.
 */
#include <math.h>

#include "engine/builtin/arg.h"
#include "lang/base/signals.h"

#define LIM_PID		(4 << 20)	/* PID_MAX_LIMIT of Linux */
#define LIM_WAIT	86400.0		/* seconds of #terminate: a day is not
					 * waiting any more */

/* The i-th number, a pid. */
static bool
pid_arg(struct call *c, unsigned i, struct act *a)
{
	int64_t pid;

	if (!arg_int(c, i, 1, LIM_PID, &pid))
		return false;
	a->pid = (double)pid;
	return true;
}

/* The i-th number, if it is given: ticks since boot. */
static bool
start_arg(struct call *c, unsigned i, struct act *a)
{
	int64_t start;

	a->start = NUM_NIL;
	if (i >= c->nn)
		return true;
	if (!arg_int(c, i, 0, (int64_t)NUM_EXACT, &start))
		return false;
	a->start = (double)start;
	return true;
}

/* A signal: the text, or the next number; to is where its name is made. */
static bool
signal_arg(struct call *c, unsigned text, unsigned *number, struct act *a,
    char to[16])
{
	int64_t n;
	int sig;

	if (c->ns > text) {
		if (!arg_c(c, text))
			return false;
		sig = signal_number(c->s[text]);
		if (sig < 0) {
			vm_domain(c, "there is no signal \"%.*s\"",
			    arg_cut(c->s[text]), c->s[text].p);
			return false;
		}
	} else {
		if (!arg_int(c, (*number)++, 0, LIM_SIGNAL, &n))
			return false;
		sig = (int)n;
	}
	a->sig = signal_name(sig, to);
	return true;
}

/* what: heads the reason if it fails, and tells effects apart. */
static void
act(struct call *c, const struct act *a, struct str what)
{
	struct act_result r = { .n = -1, .text = STR_EMPTY };
	const struct host *host;
	void *h;

	host = vm_host(c->vm, &h);
	host->act(h, a, &r);
	if (r.n < 0 && !r.suppressed) {
		arg_host_failed(c, what);
		return;
	}
	c->rn = r.n;
	if (r.suppressed)
		vm_suppressed(c->vm, what);
}

void
bi_kill(struct call *c)
{
	struct act a = { .kind = ACT_KILL };
	struct buf *b;
	unsigned n = 1;
	char name[16];

	if (!pid_arg(c, 0, &a) || !signal_arg(c, 0, &n, &a, name) ||
	    !start_arg(c, n, &a))
		return;
	b = vm_buf(c->vm);
	buf_printf(b, "kill %.0f %.*s", a.pid, (int)a.sig.n, a.sig.p);
	act(c, &a, arg_result(c, b));
}

void
bi_terminate(struct call *c)
{
	struct act a = { .kind = ACT_TERMINATE };
	struct buf *b;

	if (!pid_arg(c, 0, &a) || !start_arg(c, 2, &a))
		return;
	a.value = c->n[1];
	if (!(a.value >= 0 && a.value <= LIM_WAIT)) {
		char t[NUM_TEXT_MAX];

		vm_domain(c, "%.*s is no time of 0 to %.0f seconds",
		    (int)num_text(a.value, t), t, LIM_WAIT);
		return;
	}
	b = vm_buf(c->vm);
	buf_printf(b, "terminate %.0f", a.pid);
	act(c, &a, arg_result(c, b));
}

void
bi_killall(struct call *c)
{
	struct act a = { .kind = ACT_KILLALL };
	struct buf *b;
	unsigned n = 0;
	char name[16];

	if (!arg_c(c, 0) || !arg_c(c, 1) || !signal_arg(c, 2, &n, &a, name))
		return;
	if (c->s[0].n == 0 || c->s[1].n == 0) {
		vm_domain(c, "an empty name");
		return;
	}
	if (str_eq(a.sig, STR_LIT("STOP"))) {
		vm_domain(c, "STOP ends nobody: those that start others go on, "
		    "and what stands still must be woken one by one");
		return;
	}
	a.user = c->s[0];
	a.comm = c->s[1];
	b = vm_buf(c->vm);
	buf_printf(b, "killall %.*s %.*s %.*s", arg_cut(a.user), a.user.p,
	    arg_cut(a.comm), a.comm.p, (int)a.sig.n, a.sig.p);
	act(c, &a, arg_result(c, b));
}

/* A pid, a number of lo to hi, and a start time. */
static void
adjust(struct call *c, enum act_kind kind, const char *what, int64_t lo,
    int64_t hi)
{
	struct act a = { .kind = kind };
	struct buf *b;
	int64_t v;

	if (!pid_arg(c, 0, &a) || !arg_int(c, 1, lo, hi, &v) ||
	    !start_arg(c, 2, &a))
		return;
	a.value = (double)v;
	b = vm_buf(c->vm);
	buf_printf(b, "%s %.0f %.0f", what, a.pid, a.value);
	act(c, &a, arg_result(c, b));
}

void
bi_renice(struct call *c)
{
	adjust(c, ACT_RENICE, "renice", -20, 19);
}

void
bi_oomadjust(struct call *c)
{
	adjust(c, ACT_OOMADJUST, "oomadjust", -1000, 1000);
}

/* A limit: -1 is none, NIL leaves it. */
static bool
limit_arg(struct call *c, unsigned i, double *to)
{
	int64_t v;

	*to = NUM_NIL;
	if (num_is_nil(c->n[i]))
		return true;
	if (!arg_int(c, i, -1, (int64_t)NUM_EXACT, &v))
		return false;
	*to = v == -1 ? INFINITY : (double)v;
	return true;
}

void
bi_setlimit(struct call *c)
{
	static const char *const known[] = { "as", "cpu", "nofile", "nproc",
	    "data", "stack", "core", "fsize", "memlock" };
	struct act a = { .kind = ACT_SETLIMIT };
	struct buf *b;
	size_t i;

	if (!pid_arg(c, 0, &a) || !arg_c(c, 0) || !limit_arg(c, 1, &a.soft) ||
	    !limit_arg(c, 2, &a.hard) || !start_arg(c, 3, &a))
		return;
	for (i = 0; i < sizeof known / sizeof known[0]; i++)
		if (str_eq(c->s[0], str_c(known[i])))
			break;
	if (i == sizeof known / sizeof known[0]) {
		vm_domain(c, "there is no limit \"%.*s\": as, cpu, nofile, "
		    "nproc, data, stack, core, fsize, memlock",
		    arg_cut(c->s[0]), c->s[0].p);
		return;
	}
	a.what = c->s[0];
	b = vm_buf(c->vm);
	buf_printf(b, "setlimit %.0f %.*s", a.pid, arg_cut(a.what), a.what.p);
	act(c, &a, arg_result(c, b));
}

static void
freeze(struct call *c, enum act_kind kind, const char *what)
{
	struct act a = { .kind = kind, .start = NUM_NIL, .what = STR_NIL };
	struct buf *b = vm_buf(c->vm);

	if (c->ns > 0) {
		if (!arg_c(c, 0))
			return;
		if (c->nn > 0) {
			vm_domain(c, "a cgroup has no start time");
			return;
		}
		a.what = c->s[0];
		buf_printf(b, "%s %.*s", what, arg_cut(a.what), a.what.p);
	} else {
		if (!pid_arg(c, 0, &a) || !start_arg(c, 1, &a))
			return;
		buf_printf(b, "%s %.0f", what, a.pid);
	}
	act(c, &a, arg_result(c, b));
}

void
bi_freeze(struct call *c)
{
	freeze(c, ACT_FREEZE, "freeze");
}

void
bi_thaw(struct call *c)
{
	freeze(c, ACT_THAW, "thaw");
}
