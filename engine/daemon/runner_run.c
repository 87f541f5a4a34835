/*
 * runner_run: one run of an entry of the image, as picketd starts it.  Its
 * process is the run's: bounded in memory and processor time, in the cgroup
 * that picketd made for it, and parent of all that its script leaves.
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/daemon/descend.h"
#include "engine/daemon/runner.h"
#include "lang/base/num.h"
#include "lang/base/sanitizer.h"

#define RUN_ROOM	((size_t)512 << 20) /* bytes of address space besides what
				 * a script may take: libraries, mail, what it
				 * leaves (LIM_OUTCOME), a store of its own
				 * where there is no other */
#define RUNNER_NICE_TEXT "-10"
_Static_assert(RUNNER_NICE == -10, "the text says the same");
#define RUN_CPU_MORE	60	/* seconds of processor time past the deadlines:
				 * telling and committing */
#define EXEC_SOME	8	/* processes that `exec` may leave and nobody
				 * looks: most services */
#define LIM_EXEC_LEFT	32	/* and that may have become more at each look:
				 * a service that starts so many does so at
				 * once */
#define EXEC_LOOKS	5
#define EXEC_LOOK	0.1	/* seconds between looks */

/* Only the soft limits: children get back what picketd was started with. */
static void
limit(int what, double most)
{
	struct rlimit l;

	if (getrlimit((__rlimit_resource_t)what, &l) != 0 ||
	    (l.rlim_cur != RLIM_INFINITY && (double)l.rlim_cur <= most))
		return;
	l.rlim_cur = (rlim_t)most;
	(void)setrlimit((__rlimit_resource_t)what, &l);
}

static void
take_limits(const struct site_alert *s)
{
	double memory = LIM_RUN_MEM, seconds = RUN_CPU_MORE;
	const struct program *p;
	size_t i;

	for (i = 0; i < s->nalarm; i++) {
		p = &s->alarm[i];
		if ((double)p->memory_max > memory)
			memory = (double)p->memory_max;
		seconds += p->timeout > 0 ? p->timeout : s->timeout > 0 ?
		    s->timeout : s->every > RUN_TIMEOUT ? s->every :
		    RUN_TIMEOUT;
	}
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_CPU, seconds);
#ifndef WATCHED
	limit(RLIMIT_AS, memory + (double)LIM_RUN_TEXT + (double)RUN_ROOM);
#endif
}

/* What picketd gives besides the image; before any descriptor is opened. */
static void
take_fds(struct runner *r)
{
	if (fcntl(RUNNER_FD_CAGE, F_GETFD) != -1) {
		if (write(RUNNER_FD_CAGE, "0", 1) == -1) {
			/* picketd sees that the group is empty */
		}
		(void)close(RUNNER_FD_CAGE);
	}
	if (fcntl(RUNNER_FD_AWAY, F_GETFD) != -1)
		r->origin.away = RUNNER_FD_AWAY;
}

/* From here on they are no business of children. */
static void
keep_fds(const struct runner *r)
{
	(void)fcntl(RUNNER_FD_IMAGE, F_SETFD, FD_CLOEXEC);
	if (r->origin.away > 0)
		(void)fcntl(r->origin.away, F_SETFD, FD_CLOEXEC);
}

/*
 * Before and after its scripts a run goes first: it is short, and a storm that
 * one has started must not keep the others from their time.  Not so scripts.
 */
static void
hurry(const struct runner *r, bool on)
{
	const char *text = on ? RUNNER_NICE_TEXT : "0";
	int fd = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);

	/* that of our session, of which we are the leader */
	if (fd != -1) {
		if (getsid(0) == getpid() && write(fd, text, strlen(text)) ==
		    -1) {
			/* it takes CAP_SYS_NICE, as the next one does */
		}
		(void)close(fd);
	}
	(void)setpriority(PRIO_PROCESS, 0, on ? RUNNER_NICE : r->origin.nice);
}

/* Whether a script was stopped: by its deadline, or by picketd. */
static bool
was_stopped(const struct alert *a)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		if (a->result[i].end == RUN_STOPPED)
			return true;
	return *a->interrupted != 0;
}

static void
end_all(struct runner *r, enum descend_what what, const char *libexec)
{
	size_t n;
	bool ok = descend_end(&r->mem, what, libexec, &n);

	if (n > 0)
		runner_say("%zu process%s that it left %s ended%s", n,
		    n == 1 ? "" : "es", n == 1 ? "was" : "were", ok ? "" :
		    ", and some cannot be");
}

static void
scripts_begin(void *arg)
{
	hurry(arg, false);
}

/* A stopped script is told of at once: its processes go before that. */
static void
scripts_ended(void *arg, const struct alert *a)
{
	struct runner *r = arg;
	struct buf b;

	hurry(r, true);
	if (!was_stopped(a))
		return;
	buf_init(&b, &r->mem);
	spawn_helper(&b, "");
	if (b.n > 0)
		b.n--;		/* its last '/' */
	end_all(r, DESCEND_ALL, buf_c(&b));
	buf_free(&b);
}

/*
 * A service that `exec` has started again lives on.  What becomes more and
 * more does not.
 */
static bool
multiplies(struct runner *r)
{
	struct timespec ts = { 0, (long)(EXEC_LOOK * 1e9) };
	size_t n = descend_count(&r->mem), before;
	int i;

	if (n < EXEC_SOME)
		return false;
	for (i = 0; i < EXEC_LOOKS; i++) {
		nanosleep(&ts, NULL);
		before = n;
		n = descend_count(&r->mem);
		if (n <= before)
			return false;
	}
	return n >= LIM_EXEC_LEFT;
}

static bool
clean_up(struct runner *r, const struct alert *a)
{
	if (descend_none())
		return true;
	if (was_stopped(a)) {
		end_all(r, DESCEND_ALL, NULL);
		return true;
	}
	end_all(r, DESCEND_MINE, NULL);
	if (descend_none() || !multiplies(r))
		return true;
	runner_say("what it executed starts more and more processes");
	end_all(r, DESCEND_ALL, NULL);
	return false;
}

int
runner_run(struct runner *r)
{
	const struct site_alert *s;
	struct alert_place at;
	struct alert a;
	struct buf why;

	take_fds(r);
	(void)setsid();
	if (getenv(ALERT_NICED) == NULL)
		hurry(r, true);
	runner_catch(r);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (!runner_place(r, &at))
		return RUNNER_PROBLEMS;
	buf_init(&why, &r->mem);
	s = image_alert(r->image, (size_t)r->entry, NULL, &why);
	if (s == NULL) {
		runner_say("entry %ld of the site's image: %s", r->entry,
		    buf_c(&why));
		return RUNNER_PROBLEMS;
	}
	buf_free(&why);
	if (getenv(ALERT_NICED) == NULL)
		hurry(r, false);
	alert_nice(&at, s, r->argv[0], r->argv);
	if (s->has_priority || !str_none(s->nicecmd))
		r->origin.nice = getpriority(PRIO_PROCESS, 0);
	hurry(r, true);
	keep_fds(r);
	take_limits(s);
	alert_init(&a, &at, s->name, s);
	a.origin = image_dir(r->image);
	a.due = r->due;
	a.reason = str_c(r->reason);
	a.disarmed = r->disarmed;
	a.always_trail = a.no_wait = a.no_send = true;
	r->origin.mark = spawn_mark(a.run_id);
	a.o.origin = &r->origin;
	a.o.running = r->running;
	a.interrupted = r->interrupted;
	a.begins = scripts_begin;
	a.ended = scripts_ended;
	a.arg = r;
	alert_run(&a, s->alarm, s->nalarm);
	if (!a.held && !clean_up(r, &a))
		a.failed = true;
	/* no freeing: the process ends */
	return a.held ? RUNNER_HELD : a.failed || *r->interrupted ?
	    RUNNER_PROBLEMS : RUNNER_FINE;
}
