/*
 * runner_courier: the role courier: empties the outbox of picketd's state.
 * It stays, so that mail needs no new process, and so does the picket-deliver
 * that it hands jobs to (engine/deliver/resident.h).
 *
 * It looks when the store tells of a commit with mail (state_watch), when
 * picketd pokes it at the end of a run (a byte on descriptor 4), when a row is
 * due, and at least every LOOK_EVERY seconds, as a store that does not serve
 * tells nothing.  `picket run` by hand finds the lock of sending with us, and
 * leaves its mail.  Once a minute it tells what time alone brings about.
 *
 * What it says to picketd is that its picket-deliver has gone, and how: a line
 * on descriptor 4.
 *
 * A new image comes on descriptor 4 as well.  Then we begin anew in the same
 * process: exec, with the new image as descriptor 3.  What is due is in the
 * state, and what was sent is written there, so nothing is lost or sent twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/daemon/runner.h"
#include "engine/deliver/resident.h"
#include "engine/deliver/send.h"
#include "engine/state/place.h"
#include "engine/vm/clock.h"
#include "lang/base/num.h"

#define FD_DAEMON	4
#define LIM_GONE	300	/* bytes: a number, or a reason of the system's */
#define LOOK_EVERY	5.0	/* seconds: a question to the store, of no cost */
#define TICK_EVERY	60.0	/* seconds: reminders and silences count minutes */
#define HOSTS_EVERY	300.0	/* seconds: an address is good for longer, mostly */
#define FAILED_MOST	30.0	/* seconds until a store that fails is asked again */
#define LOCK_WAIT	0.5	/* seconds: who sends by hand is soon done */

struct courier {
	struct runner	*r;
	struct alert_place at;
	struct outbox_options o;
	struct lock	 lock;
	double		 tick, hosts, look;	/* when next, clock_steady */
	double		 failed;	/* seconds of patience with the store */
	bool		 orphan;	/* picketd has gone */
};

static bool
stopping(const struct courier *c)
{
	return *c->r->interrupted != 0 || c->orphan;
}

/* --- picketd's word --- */

/* The descriptor that came along, or -1. */
static int
passed(struct msghdr *m)
{
	struct cmsghdr *h = CMSG_FIRSTHDR(m);
	int fd = -1;

	if (h != NULL && h->cmsg_level == SOL_SOCKET &&
	    h->cmsg_type == SCM_RIGHTS &&
	    h->cmsg_len == CMSG_LEN(sizeof fd))
		memcpy(&fd, CMSG_DATA(h), sizeof fd);
	return fd;
}

/* Reads all that was said; *image: the newest one, or as it was. */
static void
hear(struct courier *c, int *image)
{
	union {
		char		 space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr	 align;
	} u;
	char block[512];
	struct iovec io = { block, sizeof block };
	struct msghdr m;
	ssize_t n;
	int fd;

	for (;;) {
		m = (struct msghdr){ .msg_iov = &io, .msg_iovlen = 1,
		    .msg_control = u.space, .msg_controllen = sizeof u.space };
		n = recvmsg(FD_DAEMON, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (n > 0) {
			fd = passed(&m);
			if (fd != -1 && *image != -1)
				(void)close(*image);
			if (fd != -1)
				*image = fd;
			continue;
		}
		if (n == -1 && errno == EINTR)
			continue;
		if (n == 0 || errno != EAGAIN)
			c->orphan = true;
		return;
	}
}

/*
 * The same program with the new site.  It returns when that cannot be, now:
 * memory is short; the old one goes on, and it is tried again.
 */
static void
begin_anew(struct courier *c, int *image)
{
	if (outbox_debt_owed(c->o.debt))
		return;			/* nobody else knows of that */
	if (dup2(*image, RUNNER_FD_IMAGE) == -1 ||
	    fcntl(FD_DAEMON, F_SETFD, 0) == -1)
		return;
	(void)close(*image);
	*image = -1;
	resident_free(c->o.resident);
	c->o.resident = NULL;
	(void)execv("/proc/self/exe", c->r->argv);
	runner_say("courier: %s", strerror(errno));
	c->orphan = true;		/* picketd starts another one */
}

/* Until there is something to do, or `until`. */
static void
doze(struct courier *c, double until)
{
	struct pollfd p[3] = { { .fd = FD_DAEMON, .events = POLLIN },
	    { .fd = -1, .events = POLLIN }, { .fd = -1, .events = POLLIN } };
	double s = until - clock_steady();

	if (s <= 0 || stopping(c))
		return;
	if (c->failed == 0 && state_watch(c->o.state, s))
		p[1].fd = state_fd(c->o.state);
	if (c->o.resident != NULL)
		p[2].fd = resident_fd(c->o.resident);
	(void)poll(p, 3, (int)(s * 1000) + 1);
	/* it has nothing to say by itself: it has gone, and the next one is
	 * there before it is needed */
	if (p[2].revents != 0)
		(void)resident_ready(c->o.resident);
	if (p[1].fd != -1)
		(void)state_watched(c->o.state);
}

/* --- work --- */

/* The lock stays with us; whoever has it now is about to end, or sends. */
static void
take_lock(struct courier *c)
{
	struct str folder = alert_folder(&c->at, LOCK_SEND, false);
	struct buf path;

	if (c->o.locked || str_none(folder))
		return;
	buf_init(&path, &c->r->mem);
	buf_str(&path, folder);
	c->o.locked = lock_take(&c->lock, buf_c(&path), LOCK_ALONE,
	    LOCK_WAIT) == LOCK_GOT;
	buf_free(&path);
}

static void
look(struct courier *c)
{
	struct outbox_sum sum;
	double now, wait = LOOK_EVERY;

	take_lock(c);
	if (clock_steady() >= c->tick) {
		(void)alert_tick(&c->at, c->o.state, "courier", false);
		c->tick = clock_steady() + TICK_EVERY;
	}
	if (c->o.resident != NULL && clock_steady() >= c->hosts) {
		resident_hosts(c->o.resident, &c->r->conf);
		c->hosts = clock_steady() + HOSTS_EVERY;
	}
	if (outbox_flush(&c->o, STR_NIL, &sum)) {
		c->failed = 0;
		now = clock_wall();
		if (!num_none(sum.next) && sum.next - now < wait)
			wait = sum.next - now;
		if (sum.left || wait < 0.1)
			wait = 0.1;	/* who sends now may go any time */
	} else {
		c->failed = c->failed > 0 ? 2 * c->failed : 0.5;
		if (c->failed > FAILED_MOST)
			c->failed = FAILED_MOST;
		wait = c->failed;
	}
	c->look = clock_steady() + wait;
}

/* That picket-deliver has gone is news of picketd's, as of its own. */
static void
deliver_gone(void *arg, struct str how)
{
	char t[LIM_GONE + 1];
	size_t n = how.n < LIM_GONE ? how.n : LIM_GONE;

	(void)arg;
	memcpy(t, how.p, n);
	t[n] = '\n';
	(void)send(FD_DAEMON, t, n + 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool
set_up(struct courier *c)
{
	struct runner *r = c->r;
	struct resident_options ro;
	struct buf program;
	struct str user;

	if (!runner_place(r, &c->at))
		return false;
	runner_catch(r);
	c->o.state = alert_state(&c->at, false);
	if (c->o.state == NULL)
		return false;
	buf_init(&program, &r->mem);
	send_program(&program);
	c->o.program = arena_dup(&r->arena, buf_view(&program)).p;
	buf_free(&program);
	c->o.folder = c->at.state;
	c->o.conf = &r->conf;
	c->o.mem = &r->mem;
	c->o.linger = true;
	c->o.stop = r->interrupted;
	c->o.say = c->at.say;
	c->o.arg = c->at.say_arg;
	c->o.debt = outbox_debt_new(&r->mem);
	memset(&ro, 0, sizeof ro);
	user = r->conf.value[CONF_USER];
	if (user.n > 0)
		ro.user = arena_dup(&r->arena, user).p;
	ro.mem = &r->mem;
	ro.program = c->o.program;
	ro.stop = c->o.stop;
	ro.say = c->o.say;
	ro.arg = c->o.arg;
	ro.gone = deliver_gone;
	c->o.resident = resident_new(&ro);
	return true;
}

int
runner_courier(struct runner *r)
{
	struct courier c = { .r = r, .lock = { .fd = -1 } };
	struct arena_mark mark;
	int image = -1;

	/* its picket-deliver is ours to end, whatever ends us */
	if (!set_up(&c))
		return RUNNER_PROBLEMS;
	mark = arena_mark(&r->arena);
	while (!stopping(&c)) {
		hear(&c, &image);
		if (image != -1)
			begin_anew(&c, &image);
		if (stopping(&c))
			break;
		look(&c);
		arena_reset(&r->arena, mark);
		doze(&c, c.look);
	}
	resident_free(c.o.resident);
	outbox_debt_free(c.o.debt);
	state_free(c.o.state);
	if (c.o.locked)
		lock_drop(&c.lock);
	return RUNNER_FINE;
}
