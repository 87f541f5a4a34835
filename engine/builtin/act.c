/*
 * act: what a script does to processes.  The host does it or only tells of
 * it; here its arguments are judged.  An argument without a value is an
 * ERROR, not a NIL that goes on: nobody may take what was not done for done.
 */
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
