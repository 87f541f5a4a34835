/* emergency: one worker; see emergency.h. */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/daemon/emergency.h"
#include "engine/daemon/runner.h"
#include "engine/vm/clock.h"
#include "lang/base/num.h"

#define TALK	4		/* descriptors */
#define PAGE	5
#define CHANGED	0.02		/* share of memory that has gone since the last
				 * snapshot: there is something new */
#define ROOM_REST 60.0		/* seconds between two looks at the room */
#define LIM_SAID 4096		/* bytes of lines that wait */

struct worker {
	struct emergency e;
	struct emergency_page *page;	/* NULL: alone */
	struct emergency_seat *seat;
	struct emergency_look look;
	double		 taken_left;	/* what was left at the last snapshot */
	double		 tried;		/* when the last one was tried */
	double		 room;		/* when there was room made last */
	double		 led;		/* since when it leads; NIL: it does not */
	double		 short_since;	/* NIL: it is not short */
	double		 back;		/* when it was short last */
	double		 next, pause;	/* of the next run */
	bool		 stuck;		/* all stood still at the last one */
	bool		 held;		/* no page can be added */
	struct emergency_wake wake;
	double		 woken;		/* when the kernel told of something last */
	bool		 known;		/* what the store has was asked for since it
					 * led last */
	volatile sig_atomic_t *ended;	/* a signal says so */
};

/* What has been said while nothing may be written. */
static char said[LIM_SAID];
static size_t nsaid;
static bool quiet;

void
emergency_say(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(said + nsaid, sizeof said - nsaid, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	/* what has no place is cut: the first is what counts */
	nsaid += (size_t)n < sizeof said - nsaid ? (size_t)n :
	    sizeof said - nsaid - 1;
	if (nsaid > 0 && said[nsaid - 1] != '\n' && nsaid < sizeof said - 1)
		said[nsaid++] = '\n';
	if (!quiet)
		emergency_say_held();
}

void
emergency_say_held(void)
{
	size_t at = 0;
	ssize_t n;

	while (at < nsaid) {
		n = write(STDERR_FILENO, said + at, nsaid - at);
		if (n > 0)
			at += (size_t)n;
		else if (n == 0 || errno != EINTR)
			break;		/* nobody listens */
	}
	nsaid = 0;
}

/* --- the lead --- */

static void
beat(struct worker *w)
{
	if (w->seat != NULL)
		atomic_store(&w->seat->beat,
		    (uint64_t)(clock_steady() * 1000));
}

/* Whoever looks whether we live is told that it may take a while. */
static void
waits(struct worker *w, bool is)
{
	if (w->seat != NULL)
		atomic_store(&w->seat->waits, is);
	beat(w);
}

static bool
leads(const struct worker *w)
{
	return w->page == NULL || atomic_load(&w->page->leader) ==
	    (uint32_t)getpid();
}

/* The other one's seat, if somebody well sits in it. */
static struct emergency_seat *
partner(const struct worker *w)
{
	struct emergency_seat *s;
	uint64_t now = (uint64_t)(clock_steady() * 1000), last;
	uint32_t pid;

	if (w->page == NULL)
		return NULL;
	s = &w->page->seat[w->seat == &w->page->seat[0]];
	pid = atomic_load(&s->pid);
	last = atomic_load(&s->beat);
	/* one that is stopped or hangs is there, but of no use */
	return pid == 0 || now > last + (uint64_t)(EMERGENCY_HANG * 1000) ||
	    (kill((pid_t)pid, 0) != 0 && errno == ESRCH) ? NULL : s;
}

/* From who leads, if it is nobody or does not beat any more. */
static void
take_lead(struct worker *w)
{
	uint32_t now;

	if (w->page == NULL || leads(w) || partner(w) != NULL)
		return;
	now = atomic_load(&w->page->leader);
	if (now != 0 && now != atomic_load(&w->page->seat[w->seat ==
	    &w->page->seat[0]].pid))
		now = atomic_load(&w->page->leader);
	if (atomic_compare_exchange_strong(&w->page->leader, &now,
	    (uint32_t)getpid()) && now != 0)
		emergency_say("takes over from emergency worker %lu, which "
		    "does not answer", (unsigned long)now);
}

/* To the other one, if there is one; false: there is none. */
static bool
give_lead(struct worker *w)
{
	struct emergency_seat *s = partner(w);
	uint32_t me = (uint32_t)getpid();

	return s != NULL && atomic_compare_exchange_strong(&w->page->leader,
	    &me, atomic_load(&s->pid));
}

/* A run asks whether it must end: another one acts, if this one has hung. */
static bool
stop(void *arg)
{
	struct worker *w = arg;

	beat(w);
	return *w->ended || !leads(w);
}

static void
did(void *arg, const struct emergency_run *r)
{
	const struct worker *w = arg;
	const struct str name = r->entry->alert->name;
	const struct str done = buf_view(&r->scarce.audit);
	struct emergency_seat *s = w->seat;
	uint32_t n;
	int k;

	if (w->page == NULL || (n = atomic_load(&s->nlost)) >= sizeof s->lost)
		return;
	k = snprintf(s->lost + n, sizeof s->lost - n,
	    "%.*s at %.0f: %zu effects\n%.*s", (int)name.n, name.p,
	    r->alert.due, r->alert.result[0].effects, (int)done.n, done.n == 0 ?
	    "" : done.p);
	if (k > 0)
		atomic_store(&s->nlost, (size_t)k < sizeof s->lost - n ? n +
		    (uint32_t)k : (uint32_t)sizeof s->lost);
}

/* What the one who sat there has done, if he died before he told of it. */
static void
tell_lost(struct emergency_seat *s, uint32_t pid)
{
	uint32_t n = atomic_exchange(&s->nlost, 0);

	if (n > sizeof s->lost)
		n = sizeof s->lost;
	if (n > 0)
		emergency_say("emergency worker %lu has died before it could "
		    "tell what it did while memory was short: %.*s",
		    (unsigned long)pid, (int)n, s->lost);
}

static void
look_for_lost(struct worker *w)
{
	struct emergency_seat *s;
	uint32_t pid;

	if (w->page == NULL)
		return;
	s = &w->page->seat[w->seat == &w->page->seat[0]];
	pid = atomic_load(&s->pid);
	if (atomic_load(&s->nlost) > 0 && kill((pid_t)pid, 0) != 0 &&
	    errno == ESRCH)
		tell_lost(s, pid);
}

/* The page, and a seat in it that is free or whose owner is gone. */
static void
take_seat(struct worker *w, long mine)
{
	struct stat st;
	uint32_t was;
	int i;

	if (fstat(PAGE, &st) != 0 || !S_ISREG(st.st_mode) ||
	    (size_t)st.st_size < sizeof *w->page)
		return;
	w->page = mmap(NULL, sizeof *w->page, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_POPULATE, PAGE, 0);
	if (w->page == MAP_FAILED) {
		w->page = NULL;
		return;
	}
	was = 0;
	if (!atomic_compare_exchange_strong(&w->page->magic, &was,
	    EMERGENCY_MAGIC) && was != EMERGENCY_MAGIC) {
		w->page = NULL;
		return;
	}
	/* picketd has reaped who had that seat before; its number may be that
	 * of some other process by now */
	if (mine >= 0) {
		w->seat = &w->page->seat[mine];
		atomic_store(&w->seat->waits, 0);
		was = atomic_exchange(&w->seat->pid, (uint32_t)getpid());
		tell_lost(w->seat, was);
		return;
	}
	for (i = 0; i < 2; i++) {
		was = atomic_load(&w->page->seat[i].pid);
		if (was != 0 && was != (uint32_t)getpid() &&
		    !(kill((pid_t)was, 0) != 0 && errno == ESRCH))
			continue;
		if (atomic_compare_exchange_strong(&w->page->seat[i].pid,
		    &was, (uint32_t)getpid())) {
			w->seat = &w->page->seat[i];
			tell_lost(w->seat, was);
			return;
		}
	}
	emergency_say("both seats are taken: it works alone");
	w->page = NULL;
}

static void
leave_seat(struct worker *w)
{
	uint32_t me = (uint32_t)getpid();

	if (w->page == NULL)
		return;
	if (!give_lead(w))
		(void)atomic_compare_exchange_strong(&w->page->leader, &me, 0);
	atomic_store(&w->seat->pid, 0);
}

/* --- memory --- */

/* Whether anything may be written. */
static void
be_quiet(bool is)
{
	quiet = is;
	if (!is && nsaid > 0)
		emergency_say_held();
}

/*
 * Outside of what is done while memory is plenty nothing may take a page: the
 * kernel would have to wait for it, and the worker with it.
 */
static void
hold(struct worker *w, bool is)
{
	if (w->held != is)
		emergency_hold(is);
	w->held = is;
}

/* A snapshot if it is time for one; true: there was not enough for it. */
static bool
take_snapshot(struct worker *w, double now)
{
	double since = now - w->tried, gone = w->taken_left - w->look.left;
	double rest = !leads(w) ? EMERGENCY_REST_SECOND : w->look.left > 0.5 ?
	    EMERGENCY_REST_FREE : EMERGENCY_REST;
	/* some have had no place: there is more room for them at once */
	bool more = w->look.level == MEMORY_PLENTY &&
	    w->e.snapshot.left_out > 0 && w->e.snapshot.cap < LIM_SNAPSHOT;
	enum snapshot_got got;

	/* a run that asks has waited long enough */
	if (!w->e.snapshot.hurry && (since < EMERGENCY_LOOK ||
	    (since < rest && !more && w->look.level == MEMORY_PLENTY &&
	    gone < CHANGED) || (since < 1 && !more && gone < CHANGED)))
		return false;
	w->tried = now;
	if (more || (w->look.level == MEMORY_PLENTY && now - w->room >=
	    ROOM_REST)) {
		w->room = now;
		if (setjmp(w->e.fail) == 0)
			snapshot_room(&w->e.snapshot);
	}
	got = snapshot_take(&w->e.snapshot, now);
	if (got == SNAPSHOT_FAILED)
		emergency_say("%s", w->e.snapshot.p->why);
	if (got == SNAPSHOT_TAKEN)
		w->taken_left = w->look.left;
	return got == SNAPSHOT_SCARCE;
}

/* Runs, once memory is short and then again. */
static void
act(struct worker *w, double now)
{
	bool first = num_none(w->short_since);

	if (first) {
		w->short_since = w->next = now;
		w->pause = EMERGENCY_CLOSE;
		w->stuck = false;
	}
	w->back = now;
	if (now < w->next && w->look.stuck <= w->stuck)
		return;
	w->stuck = w->look.stuck;
	hold(w, true);
	be_quiet(true);
	/* an open may be waited for, so not before the first run; later what
	 * has come since may be what it is about */
	if (!first) {
		w->e.snapshot.hurry = true;
		(void)take_snapshot(w, now);
		w->e.snapshot.hurry = false;
	}
	snapshot_look(&w->e.snapshot);
	emergency_run_all(&w->e);
	/* until there was something to do the next one is soon: who is not
	 * known yet may be what it is about */
	if (w->pause < EMERGENCY_PAUSE && emergency_acted(&w->e))
		w->pause = EMERGENCY_PAUSE;
	w->next = clock_steady() + w->pause;
	w->pause = w->pause * 1.5 < EMERGENCY_PAUSE_MOST ? w->pause * 1.5 :
	    EMERGENCY_PAUSE_MOST;
}

/* Memory is back: what was done is written down, while the other one leads. */
static void
settle(struct worker *w)
{
	hold(w, false);
	be_quiet(false);
	w->short_since = NUM_NIL;
	if (w->e.nrun == 0 && w->e.quiet == 0)
		return;
	if (leads(w))
		(void)give_lead(w);
	waits(w, true);
	emergency_settle(&w->e);
	waits(w, false);
	if (w->page != NULL)
		atomic_store(&w->seat->nlost, 0);
	w->known = false;
}

/*
 * One asks the store while the other one leads, and leads then itself: what
 * the store takes for its answer holds up nobody.
 */
static void
remember(struct worker *w, double now)
{
	if (w->look.level != MEMORY_PLENTY || quiet)
		return;
	if (leads(w) && w->page != NULL) {
		if (num_none(w->led))
			w->led = now;
		if (now - w->led >= EMERGENCY_TURN && give_lead(w)) {
			w->led = NUM_NIL;
			w->known = false;
		}
		return;
	}
	w->led = NUM_NIL;
	if (w->known)
		return;
	hold(w, false);
	waits(w, true);
	w->known = emergency_remember(&w->e);
	waits(w, false);
}

static void
step(struct worker *w)
{
	double now = clock_steady();
	bool scarce = false;

	beat(w);
	take_lead(w);
	emergency_look(&w->e.snapshot, &w->e.limits, &w->look);
	hold(w, w->look.level != MEMORY_PLENTY);
	if (w->look.level != MEMORY_SHORT)
		scarce = take_snapshot(w, now);
	if (scarce)
		w->look.level = MEMORY_SHORT;
	if (w->look.level == MEMORY_SHORT && leads(w))
		act(w, now);
	else if (!num_none(w->short_since) && now - w->back >= EMERGENCY_BACK)
		settle(w);
	else {
		if (!quiet)
			look_for_lost(w);
		remember(w, now);
	}
}

/* --- picketd --- */

/* Once more from the beginning, with another image: nothing of the old one
 * stays behind. */
static void
start_again(struct worker *w, int image, char *const *argv)
{
	if (dup2(image, RUNNER_FD_IMAGE) == -1)
		return;
	settle(w);
	leave_seat(w);
	(void)fcntl(TALK, F_SETFD, 0);
	if (w->page != NULL)
		(void)fcntl(PAGE, F_SETFD, 0);
	(void)execv("/proc/self/exe", argv);
	emergency_say("cannot be started again: %s", strerror(errno));
}

/* What picketd says: "image" with a descriptor, "arm", "disarm".  False: it is
 * gone. */
static bool
hear(struct worker *w, char *const *argv)
{
	union {
		char		 space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr	 align;
	} u;
	char text[64];
	struct iovec io = { text, sizeof text };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1,
	    .msg_control = u.space, .msg_controllen = sizeof u.space };
	struct cmsghdr *c;
	struct str word;
	ssize_t n;
	int fd;

	n = recvmsg(TALK, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR || errno == ENOMEM ||
		    errno == ENOBUFS;
	if (n == 0)
		return false;
	word = str_of(text, (size_t)n);
	if (str_eq(word, STR_LIT("disarm")) || str_eq(word, STR_LIT("arm")))
		w->e.disarmed = word.n > 3;
	c = CMSG_FIRSTHDR(&m);
	if (c != NULL && c->cmsg_type == SCM_RIGHTS) {
		memcpy(&fd, CMSG_DATA(c), sizeof fd);
		if (str_eq(word, STR_LIT("image")))
			start_again(w, fd, argv);
		(void)close(fd);
	}
	return true;
}

/* Until the next look, or until somebody has something to say; false: picketd
 * is gone. */
static bool
rest(struct worker *w, char *const *argv)
{
	struct pollfd p[1 + WAKES] = { { .fd = w->e.alone ? -1 : TALK,
	    .events = POLLIN } };
	double now = clock_steady(), wait = w->look.level != MEMORY_PLENTY ?
	    EMERGENCY_CLOSE : leads(w) ? EMERGENCY_LOOK : EMERGENCY_LOOK_SECOND;
	/* one that tells all the time is not asked all the time */
	bool all = w->look.level == MEMORY_PLENTY && now - w->woken >=
	    EMERGENCY_LOOK;
	int i;

	for (i = 0; i < WAKES; i++) {
		p[1 + i].fd = all ? w->wake.fd[i] : -1;
		p[1 + i].events = w->wake.events[i];
	}
	if (poll(p, 1 + WAKES, (int)(wait * 1000)) <= 0)
		return true;
	for (i = 0; i < WAKES; i++)
		if (p[1 + i].revents != 0) {
			emergency_wake_heard(&w->wake, i);
			w->woken = clock_steady();
		}
	return (p[0].revents & (POLLIN | POLLHUP | POLLERR)) == 0 ||
	    hear(w, argv);
}

/* What has been said already: one that was disarmed acts not even once. */
static bool
hear_all(struct worker *w, char *const *argv)
{
	struct pollfd p = { .fd = w->e.alone ? -1 : TALK, .events = POLLIN };

	while (poll(&p, 1, 0) > 0)
		if (!hear(w, argv))
			return false;
	return true;
}

static void
loop(struct worker *w, char *const *argv)
{
	if (!hear_all(w, argv))
		*w->ended = 1;
	while (!*w->ended && !(w->e.spoiled && w->e.nrun == 0)) {
		step(w);
		if (!rest(w, argv))
			break;
	}
	settle(w);
	leave_seat(w);
}

/* --- the start --- */

static void
prepare(void)
{
	struct rlimit files;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	/* reads the zone's file, now and not then */
	tzset();
	/* a descriptor for each of the largest processes */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur <
	    2 * LIM_SNAPSHOT_OPEN) {
		files.rlim_cur = files.rlim_max < 2 * LIM_SNAPSHOT_OPEN ?
		    files.rlim_max : 2 * LIM_SNAPSHOT_OPEN;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

static bool
start(struct worker *w, const char *state)
{
	struct table_world tw = { .root = "", .limited = true };
	char why[LIM_TABLE_WHY];
	struct emergency *e = &w->e;

	if (!emergency_load(e, RUNNER_FD_IMAGE, state))
		return false;
	if (setjmp(e->fail) != 0) {
		emergency_say("there is no memory for a snapshot");
		return false;
	}
	if (!snapshot_open(&e->snapshot, &e->mem, &tw, why)) {
		emergency_say("%s", why);
		return false;
	}
	(void)snapshot_take(&e->snapshot, clock_steady());
	snapshot_room(&e->snapshot);
	if (e->snapshot.left_out > 0)
		(void)snapshot_take(&e->snapshot, clock_steady());
	emergency_wake_open(&w->wake, &e->snapshot, &e->limits);
	w->known = emergency_remember(e);
	e->stop = stop;
	e->stop_arg = w;
	e->did = did;
	emergency_lock(EMERGENCY_HEAP + (e->counts ? EMERGENCY_COUNTS : 0),
	    why, sizeof why);
	if (why[0] != '\0')
		emergency_say("%s", why);
	return true;
}

int
runner_emergency(struct runner *r)
{
	static struct worker worker;
	struct worker *w = &worker;
	struct stat st;

	runner_catch(r);
	prepare();
	emergency_lock_begin();
	w->e.running = r->running;
	w->ended = r->interrupted;
	w->e.disarmed = r->disarmed;
	w->e.alone = fstat(TALK, &st) != 0 || !S_ISSOCK(st.st_mode);
	w->short_since = w->led = NUM_NIL;
	if (!start(w, r->state))
		return RUNNER_PROBLEMS;
	w->taken_left = 1;
	take_seat(w, r->seat);
	emergency_say("emergency worker %ld is ready: %zu scripts, %zu "
	    "processes, %s", (long)getpid(), w->e.nentry, w->e.snapshot.n,
	    w->page == NULL ? "alone" : "with another one");
	loop(w, r->argv);
	snapshot_close(&w->e.snapshot);
	emergency_unload(&w->e);
	return w->e.spoiled ? RUNNER_PROBLEMS : RUNNER_FINE;
}
