/*
 * runs: what is due is started here, a runner each, and what comes of it is
 * noted.  When what is due is the agenda's to know, and who goes first the
 * queue's; nothing of a run is judged here but how its process ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lang/base/num.h"
#include "engine/daemon/daemon.h"
#include "engine/vm/clock.h"

#define EXIT_HELD	75	/* EX_TEMPFAIL: another run of it goes on */
#define DEADLINE_MORE	10.0	/* seconds: the runner ends its scripts itself,
				 * and tells; this is for one that does not */
#define DEADLINE_NONE	3600.0	/* seconds, where the schedule has none */
#define KILL_AFTER	5.0	/* seconds between TERM and KILL */
#define STUCK_AFTER	10.0	/* seconds after KILL: it is in the kernel */
#define SPAWN_AGAIN	0.5	/* seconds, doubling to SPAWN_SELDOM: there is no
				 * process or memory to be had just now */
#define SPAWN_SELDOM	10.0
#define SPAWN_TELL	4	/* failures in a row that a person is told of */
#define HELD_AGAIN	5.0	/* seconds: a run of a daemon before this one, or
				 * of somebody by hand, has the lock */
#define JUST_BEFORE	0.001	/* seconds: less than two due times can differ */
#define SURE_AFTER	60.0	/* seconds: by then a runner has its trail, which
				 * tells that the run was begun */
#define LIM_END_LOOKS	5	/* at a cage at our end: what was killed takes a
				 * moment, and what is in the kernel stays */
#define CAGE_AGAIN	0.1	/* seconds: what was killed takes a moment */

const char *const run_end_word[RUN_END_COUNT] = {
#define RE(id, word) word,
	RUN_ENDS
#undef RE
};

#define LOOK_FILE	0.1	/* seconds between looks at a clock in a file */

static char runner[PATH_MAX];
static struct {
	int		 wall;		/* timerfd of the wall clock */
	double		 boot;		/* clock_boot of the last look */
	struct timer	 again, held, cages;
	double		 backoff;
	unsigned	 failures;	/* in a row */
	struct queue_item later[LIM_RUNS];	/* held ones */
	unsigned	 nlater;
	bool		 looking;
} s;

/* fmin(3) is in a library that is larger than picketd. */
static double
least(double a, double b)
{
	return a < b ? a : b;
}

/* --- output --- */

/* What is more than LIM_RUN_OUTPUT is read, and not logged. */
static void
log_output(struct run *r, const char *p, size_t n)
{
	size_t room = r->nout < LIM_RUN_OUTPUT ? LIM_RUN_OUTPUT - r->nout : 0;
	bool more = r->nout <= LIM_RUN_OUTPUT && n > room;

	voice_lines(&r->voice, r->d, r->name, p, n < room ? n : room);
	r->nout += n;
	if (!more)
		return;
	voice_end(&r->voice, r->d, r->name);
	daemon_say(r->d, SAY_NOTICE, "%s: says more than the %u bytes that "
	    "are logged of a run", r->name, LIM_RUN_OUTPUT);
}

static void
close_output(struct run *r)
{
	watch_end(r->watch);
	r->watch = NULL;
	if (r->out != -1)
		(void)close(r->out);
	r->out = -1;
}

/* At most some blocks in a turn: others want to be heard, too. */
static void
hear(struct watch *w, short revents)
{
	struct run *r = w->arg;
	char block[4096];
	ssize_t n = -1;
	int turn;

	(void)revents;
	for (turn = 0; turn < 16; turn++) {
		n = read(r->out, block, sizeof block);
		if (n <= 0)
			break;
		log_output(r, block, (size_t)n);
	}
	if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
		close_output(r);
}

/* --- ends --- */

static void
release(void *arg, pid_t pid)
{
	(void)arg;
	cage_release(pid);
}

static void
end_cages(struct timer *t)
{
	struct daemon *d = t->arg;
	struct run *r;
	bool more = false;

	for (r = d->run; r < d->run + LIM_RUNS; r++)
		if (r->cage.dir != -1 && !r->used) {
			cage_kill(&r->cage);
			more = !cage_end(&r->cage) || more;
		}
	if (more)
		timer_set(&d->loop, t, d->loop.now + CAGE_AGAIN);
}

/* Its place is free; died: its own end was not its own. */
static void
free_run(struct run *r, bool died)
{
	struct daemon *d = r->d;

	timer_clear(&d->loop, &r->deadline);
	close_output(r);
	r->used = false;
	r->pid = 0;
	d->nrun--;
	if (r->cage.dir != -1 && !cage_end(&r->cage)) {
		/* a runner that has ended well has ended all that it had to;
		 * what is detached is in a group of its own */
		if (!died)
			(void)cage_each(&r->cage, release, NULL);
		timer_set(&d->loop, &s.cages, d->loop.now);
	}
}

static enum run_end
judge(const struct run *r, int w)
{
	if (WIFEXITED(w) && !r->killed)
		switch (WEXITSTATUS(w)) {
		case 0: return RUN_END_OK;
		case 1: return RUN_END_FAILED;
		case EXIT_HELD: return RUN_END_HELD;
		}
	return r->killed ? RUN_END_STOPPED : RUN_END_DIED;
}

static double
seconds(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

/* Another run of it, which is not ours, goes on. */
static void
held(struct run *r)
{
	struct daemon *d = r->d;
	struct schedule_entry e;

	d->held++;
	if (r->item.entry == AGENDA_NONE)
		return;
	schedule_entry(d->site.schedule, r->item.entry, &e);
	if (!d->site.entry[r->item.entry].held_back)
		daemon_say(d, SAY_INFO, "%s: another run of it goes on%s",
		    r->name, e.overlap == OVERLAP_SKIP ? "" : "; waits");
	d->site.entry[r->item.entry].held_back = true;
	if (e.overlap == OVERLAP_SKIP || s.nlater == LIM_RUNS)
		return;
	s.later[s.nlater++] = r->item;
	if (!s.held.set)
		timer_set(&d->loop, &s.held, d->loop.now + HELD_AGAIN);
}

static void
ended(struct child *c, int w, const struct rusage *used)
{
	struct run *r = c->arg;
	struct daemon *d = r->d;
	struct watch last = { .arg = r };
	enum run_end end = judge(r, w);
	struct entry *e;
	bool died = end == RUN_END_DIED || end == RUN_END_STOPPED;

	if (r->out != -1)
		hear(&last, POLLIN);
	voice_end(&r->voice, d, r->name);
	if (r->nout > LIM_RUN_OUTPUT)
		daemon_say(d, SAY_NOTICE, "%s: has said %zu bytes", r->name,
		    r->nout);
	if (end == RUN_END_DIED && WIFSIGNALED(w))
		daemon_say(d, SAY_WARNING, "%s: its run was killed by signal "
		    "%d", r->name, WTERMSIG(w));
	else if (end == RUN_END_DIED)
		daemon_say(d, SAY_WARNING, "%s: its run ended with status %d",
		    r->name, WEXITSTATUS(w));
	if (r->stuck) {
		d->nstuck--;
		daemon_say(d, SAY_NOTICE, "%s: its run, which was stuck, has "
		    "ended", r->name);
		if (d->nstuck == 0)
			news_resolved(d, "stuck", "process %ld, a run of %s, "
			    "has ended after all, and no other is stuck",
			    (long)c->pid, r->name);
	} else
		queue_ended(d->site.queue, r->item.entry);
	if (r->item.entry != AGENDA_NONE && end != RUN_END_HELD) {
		e = &d->site.entry[r->item.entry];
		e->end = (uint8_t)end;
		e->exit = (int16_t)(WIFSIGNALED(w) ? -WTERMSIG(w) :
		    WEXITSTATUS(w));
		e->took = (float)(clock_steady() - r->steady);
		e->cpu = (float)(seconds(used->ru_utime) +
		    seconds(used->ru_stime));
		e->held_back = false;
	}
	switch (end) {
	case RUN_END_HELD: held(r); break;
	case RUN_END_OK: d->done++; break;
	case RUN_END_FAILED: d->failed++; break;
	default: d->died++; break;
	}
	if (died)
		runs_note_died(r);
	free_run(r, died);
	if (died) {
		runs_left(d);
		orphans_sweep(d, c->pid, r->began);
	}
	services_poke(d);
	runs_look(d);
}

/* Past its deadline, or told to end: TERM, KILL, and then it is let be. */
static void
push(struct timer *t)
{
	struct run *r = t->arg;
	struct daemon *d = r->d;

	r->killed = true;
	switch (r->signals++) {
	case 0:
		daemon_say(d, SAY_WARNING, "%s: its run is ended after %.0f "
		    "seconds%s", r->name, clock_steady() - r->steady,
		    r->due_again ? ": it is due again (overlap kill)" : "");
		(void)kill(r->pid, r->due_again ? SPAWN_DUE_AGAIN : SIGTERM);
		(void)kill(r->pid, SIGCONT);
		timer_set(&d->loop, t, d->loop.now + KILL_AFTER);
		break;
	case 1:
		(void)kill(-r->pid, SIGKILL);
		(void)kill(r->pid, SIGKILL);	/* no session yet */
		cage_kill(&r->cage);
		timer_set(&d->loop, t, d->loop.now + STUCK_AFTER);
		break;
	default:
		r->stuck = true;
		d->nstuck++;
		d->stuck++;
		orphans_below(r->pid);
		if (r->item.entry != AGENDA_NONE) {
			struct entry *e = &d->site.entry[r->item.entry];

			e->end = RUN_END_STUCK;
			e->took = (float)(clock_steady() - r->steady);
			e->exit = 0;
		}
		daemon_say(d, SAY_ERROR, "%s: its run, process %ld, does not "
		    "end: it is stuck in the kernel", r->name, (long)r->pid);
		news_firing(d, "stuck", "process %ld, a run of %s, has not "
		    "ended when it was killed: it is stuck in the kernel, and "
		    "perhaps a disk or a mount is, too", (long)r->pid, r->name);
		queue_ended(d->site.queue, r->item.entry);
		runs_look(d);
		break;
	}
}

/* --- starts --- */

static struct run *
free_place(struct daemon *d)
{
	struct run *r;

	for (r = d->run; r < d->run + LIM_RUNS; r++)
		if (!r->used && r->cage.dir == -1)
			return r;
	return NULL;
}

static bool
output_pipe(struct daemon *d, int p[2])
{
	if (pipe2(p, O_CLOEXEC) != 0 && (errno != EMFILE ||
	    !children_spare(d) || pipe2(p, O_CLOEXEC) != 0))
		return false;
	(void)fcntl(p[0], F_SETFL, O_NONBLOCK);
	return true;
}

/* False: errno. */
static bool
start(struct daemon *d, struct run *r, const struct schedule_entry *e)
{
	char entry[16], due[32];
	char *argv[16];
	struct start st = { .path = runner, .argv = argv, .what = "run",
	    .ended = ended, .arg = r, .urgent = true, .apart = true };
	struct child *c;
	int p[2], n = 0, entrance = -1, error;

	if (!output_pipe(d, p))
		return false;
	argv[n++] = runner;
	argv[n++] = ARG("run");
	argv[n++] = ARG("--state");
	argv[n++] = d->opt.state;
	argv[n++] = ARG("--entry");
	(void)snprintf(entry, sizeof entry, "%u", r->item.entry);
	argv[n++] = entry;
	if (!isnan(r->item.due)) {
		argv[n++] = ARG("--due");
		(void)snprintf(due, sizeof due, "%.6f", r->item.due);
		argv[n++] = due;
	}
	argv[n++] = ARG("--reason");
	argv[n++] = (char *)(uintptr_t)reason_word[r->item.reason];
	argv[n++] = ARG("--origin");
	argv[n++] = d->origin;
	if (d->disarmed)
		argv[n++] = ARG("--disarmed");
	argv[n] = NULL;
	if ((e->flags & ENTRY_COMMANDS) && cage_make(&r->cage,
	    (unsigned)(r - d->run)))
		entrance = cage_entrance(&r->cage);
	st.fd[0] = -1;
	st.fd[1] = st.fd[2] = p[1];
	st.fd[3] = d->site.fd;
	st.fd[4] = entrance;
	st.fd[5] = entrance == -1 ? -1 : cage_detached();
	r->out = p[0];
	r->watch = loop_watch(&d->loop, p[0], POLLIN, hear, r);
	c = children_start(d, &st);
	error = errno;
	(void)close(p[1]);
	if (entrance != -1)
		(void)close(entrance);
	if (c == NULL) {
		close_output(r);
		(void)cage_end(&r->cage);
		errno = error;
		return false;
	}
	r->pid = c->pid;
	return true;
}

static bool
start_item(struct daemon *d, const struct queue_item *item)
{
	struct run *r = free_place(d);
	struct schedule_entry e;
	struct entry *last = &d->site.entry[item->entry];

	if (r == NULL) {
		errno = EAGAIN;
		return false;
	}
	*r = (struct run){ .d = d, .item = *item, .out = -1,
	    .cage = { .dir = -1 }, .deadline = { .fire = push, .arg = r } };
	schedule_entry(d->site.schedule, item->entry, &e);
	(void)snprintf(r->name, sizeof r->name, "%s", e.name);
	r->began = clock_wall();
	r->steady = clock_steady();
	if (!start(d, r, &e))
		return false;
	r->used = true;
	d->nrun++;
	d->started++;
	last->due = isnan(item->due) ? item->at : item->due;
	last->began = r->began;
	last->late = (float)(r->began - item->at);
	if (item->reason == REASON_SCHEDULED && last->late > d->late_max)
		d->late_max = last->late;
	timer_set(&d->loop, &r->deadline, r->steady + DEADLINE_MORE +
	    (e.longest > 0 ? e.longest : DEADLINE_NONE));
	return true;
}

/* No process, no memory, no descriptor: it keeps its place, and we try again. */
static void
could_not(struct daemon *d, const struct queue_item *item, int error)
{
	queue_back(d->site.queue, item);
	d->spawn_failed++;
	s.failures++;
	s.backoff = s.backoff == 0 ? SPAWN_AGAIN : least(2 * s.backoff,
	    SPAWN_SELDOM);
	if (s.failures == 1)
		daemon_say(d, SAY_WARNING, "no run can be started: %s; %u "
		    "wait", strerror(error), queue_waiting(d->site.queue));
	if (s.failures == SPAWN_TELL)
		news_firing(d, "start", "runs cannot be started: %s",
		    strerror(error));
	timer_set(&d->loop, &s.again, d->loop.now + s.backoff);
}

static void
start_all(struct daemon *d)
{
	struct queue_item item;

	if (s.again.set)
		return;			/* not yet again */
	while (d->nrun < LIM_RUNS && queue_take(d->site.queue, &item)) {
		if (!start_item(d, &item)) {
			could_not(d, &item, errno);
			return;
		}
		/* a picketd before this one may have said otherwise */
		if (d->started == 1) {
			news_resolved(d, "start", "runs are started again");
			news_resolved(d, "stuck", "no run is stuck any more");
		}
		if (s.failures > 0) {
			daemon_say(d, SAY_NOTICE, "runs are started again");
			if (s.failures >= SPAWN_TELL)
				news_resolved(d, "start", "runs are started "
				    "again");
			s.failures = 0;
			s.backoff = 0;
		}
	}
}

/* --- what is due --- */

/* Whether it waits for the end of a run that is not ours. */
static bool
is_later(uint32_t entry)
{
	unsigned i;

	for (i = 0; i < s.nlater; i++)
		if (s.later[i].entry == entry)
			return true;
	return false;
}

/* That run is to end: the next one of its alert waits (overlap kill). */
static void
end_run_of(struct daemon *d, uint32_t entry)
{
	struct run *r;

	for (r = d->run; r < d->run + LIM_RUNS; r++)
		if (r->used && !r->stuck && r->item.entry == entry &&
		    r->signals == 0) {
			r->due_again = true;
			push(&r->deadline);
		}
}

static void
put(struct daemon *d, const struct agenda_due *due)
{
	struct schedule_entry e;

	schedule_entry(d->site.schedule, due->entry, &e);
	switch (is_later(due->entry) ? QUEUE_HAS_PLACE :
	    queue_put(d->site.queue, due, e.overlap, clock_wall())) {
	case QUEUE_WAITS:
		break;
	case QUEUE_SKIPPED:
	case QUEUE_HAS_PLACE:
		d->skipped++;
		if (!d->site.entry[due->entry].held_back)
			daemon_say(d, SAY_INFO, "%s: is due while it runs or "
			    "waits: skipped", e.name);
		d->site.entry[due->entry].held_back = true;
		break;
	case QUEUE_KILL:
		end_run_of(d, due->entry);
		break;
	}
}

/* The wall clock's timer also goes off when the clock is set. */
static void
set_wall(double at)
{
	struct itimerspec it = { .it_value = { 0, 0 } };
	struct timespec now;
	double t;

	/* of a clock that a test sets the kernel knows nothing */
	if (clock_by_file())
		at = least(at, clock_wall() + LOOK_FILE);
	if (isfinite(at)) {
		/* PICKET_CLOCK may have moved our clock from the system's */
		clock_gettime(CLOCK_REALTIME, &now);
		t = at - clock_wall() + (double)now.tv_sec +
		    (double)now.tv_nsec / 1e9;
		if (t < 1)
			t = 1;
		it.it_value.tv_sec = (time_t)t;
		it.it_value.tv_nsec = (long)((t - (double)it.it_value.tv_sec) * 1e9);
	} else
		it.it_value.tv_sec = (time_t)1 << 40;
	(void)timerfd_settime(s.wall, TFD_TIMER_ABSTIME |
	    TFD_TIMER_CANCEL_ON_SET, &it, NULL);
}

static void
on_wall(struct watch *w, short revents)
{
	uint64_t times;

	(void)revents;
	(void)!read(w->fd, &times, sizeof times);
	runs_look(w->arg);
}

void
runs_look(struct daemon *d)
{
	struct agenda_due due;
	double boot, wake;

	if (!d->ready || d->stopping || s.looking)
		return;
	s.looking = true;
	boot = clock_boot();
	agenda_look(d->site.agenda, clock_wall(), boot - s.boot);
	s.boot = boot;
	while (agenda_pop(d->site.agenda, &due))
		put(d, &due);
	start_all(d);
	wake = agenda_wake(d->site.agenda);
	set_wall(wake);
	s.looking = false;
}

static void
on_again(struct timer *t)
{
	runs_look(t->arg);
}

static void
on_held(struct timer *t)
{
	struct daemon *d = t->arg;
	struct agenda_due due;
	unsigned i, n = s.nlater;

	s.nlater = 0;
	for (i = 0; i < n; i++) {
		if (s.later[i].entry == AGENDA_NONE)
			continue;
		due = (struct agenda_due){ s.later[i].entry, s.later[i].due,
		    s.later[i].reason };
		put(d, &due);
	}
	runs_look(d);
}

bool
runs_now(struct daemon *d, uint32_t entry)
{
	struct agenda_due due = { entry, NUM_NIL, REASON_BY_HAND };

	switch (queue_put(d->site.queue, &due, OVERLAP_SKIP, clock_wall())) {
	case QUEUE_WAITS:
		runs_look(d);
		return true;
	default:
		return false;
	}
}

void
runs_pause(struct daemon *d, uint32_t entry, bool on)
{
	agenda_pause(d->site.agenda, entry, on);
	runs_look(d);
}

void
runs_moved(struct daemon *d, const uint32_t *to)
{
	struct run *r;
	unsigned i;

	for (r = d->run; r < d->run + LIM_RUNS; r++)
		if (r->used && r->item.entry != AGENDA_NONE)
			r->item.entry = to[r->item.entry];
	for (i = 0; i < s.nlater; i++)
		if (s.later[i].entry != AGENDA_NONE)
			s.later[i].entry = to[s.later[i].entry];
}

double
runs_sure(const struct daemon *d)
{
	double wall = clock_wall(), sure = wall, now = clock_steady();
	const struct run *r;
	unsigned i;

	/* what is due and nobody has looked at yet, as all that was missed is
	 * when we start; what waits; what may not have begun */
	sure = least(sure, agenda_wake(d->site.agenda));
	sure = least(sure, queue_oldest(d->site.queue));
	for (r = d->run; r < d->run + LIM_RUNS; r++)
		if (r->used && now - r->steady < SURE_AFTER)
			sure = least(sure, r->item.at);
	for (i = 0; i < s.nlater; i++)
		sure = least(sure, s.later[i].at);
	/* a time up to which all is sure is before that of what is not */
	return sure < wall ? sure - JUST_BEFORE : sure;
}

void
runs_signal(struct daemon *d, int sig)
{
	struct run *r;

	for (r = d->run; r < d->run + LIM_RUNS; r++) {
		if (!r->used)
			continue;
		r->killed = true;
		r->signals = sig == SIGKILL ? 2 : 1;
		if (sig == SIGKILL)
			(void)kill(-r->pid, sig);
		(void)kill(r->pid, sig);
		if (sig == SIGKILL)
			cage_kill(&r->cage);
		timer_set(&d->loop, &r->deadline, d->loop.now + LIM_END);
	}
}

void
runs_end(struct daemon *d)
{
	struct timespec tick = { 0, 10000000 };
	struct run *r;
	int turn;

	for (r = d->run; r < d->run + LIM_RUNS; r++)
		for (turn = 0; turn < LIM_END_LOOKS && !cage_end(&r->cage);
		    turn++) {
			cage_kill(&r->cage);
			nanosleep(&tick, NULL);
		}
}

bool
runs_init(struct daemon *d)
{
	struct run *r;

	daemon_helper(runner, "picket-runner");
	for (r = d->run; r < d->run + LIM_RUNS; r++)
		r->cage.dir = r->out = -1;
	s.again = (struct timer){ .fire = on_again, .arg = d };
	s.held = (struct timer){ .fire = on_held, .arg = d };
	runs_left_init(d);
	s.cages = (struct timer){ .fire = end_cages, .arg = d };
	s.boot = clock_boot();
	s.wall = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	return s.wall != -1 &&
	    loop_watch(&d->loop, s.wall, POLLIN, on_wall, d) != NULL;
}
