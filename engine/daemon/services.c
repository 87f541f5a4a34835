/*
 * services: the programs that stay, each on a socket of ours.  One that ends
 * is started again, at once at first and then ever more seldom; that it did is
 * an incident, told once, and over when it has run for ten minutes.
 *
 * Each ends by itself when we are gone: it sees the end of its socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/daemon/daemon.h"
#include "engine/daemon/emergency_page.h"
#include "engine/vm/clock.h"

#define EXIT_AGAIN	75
#define AGAIN_AFTER	2.0	/* seconds */
#define BACKOFF_FIRST	0.1	/* seconds */
#define BACKOFF_MOST	30.0
#define BACKOFF_STORE	2.0	/* seconds: all runs wait for it */
#define BACKOFF_SOON	5.0	/* seconds: one that ends later than that has
				 * done its work, and begins from the first */
#define BACKOFF_MISSING	300.0	/* seconds until an absent program is looked for
				 * again: somebody installs it */
#define AGAIN_MOST	5	/* in AGAIN_WITHIN seconds; then something is wrong
				 * with it */
#define AGAIN_WITHIN	60.0
#define PULSE_MISSED	3	/* looks without an answer, or a beat: it hangs */
#define PULSE_START	30	/* and while it opens the state, which it may have
				 * to mend */
#define WELL_AFTER	600.0	/* seconds of running: then it is well again */
#define STORE_SOCKET	"store.sock"
#define STORE_QUEUE	128	/* runners that wait while the store starts */

const char *const service_name[SERVICE_COUNT] = { "store", "courier",
    "emergency-1", "emergency-2", "http" };

static char program[SERVICE_COUNT][PATH_MAX];
static char address[160];	/* of http */
static struct timer deliver;	/* when picket-deliver is well again */
static char http_site[600];	/* and what else it is started with */
static int page = -1;		/* that both emergency workers share */
static int listening = -1;	/* STATE/store.sock */

static bool start(struct service *);

/* Runs that end as we do still want the store. */
static bool
ends(const struct service *v)
{
	return !v->wanted || (v->d->stopping && v->id != SERVICE_STORE);
}

/*
 * Whether the store still answers.  Why this way: who says nothing, and will
 * not, is let go at once by a store whose loop turns; so no word of its
 * protocol is needed here, and nothing is waited for.
 */
static struct {
	struct watch	*watch;
	int		 fd;		/* -1: nothing is asked */
	pid_t		 pid;		/* of the one that is meant */
	unsigned	 missed;
	bool		 answered;	/* that one has, before */
} pulse = { .fd = -1 };

static void
again(struct timer *t)
{
	struct service *v = t->arg;

	if (v->child == NULL && !ends(v))
		(void)start(v);
}

static void
well(struct timer *t)
{
	struct service *v = t->arg;
	char key[40];

	v->backoff = 0;
	v->missing = false;
	v->told = false;
	(void)snprintf(key, sizeof key, "crash:%s", service_name[v->id]);
	news_resolved(v->d, key, "%s has run for %.0f minutes again",
	    service_name[v->id], WELL_AFTER / 60);
	(void)snprintf(key, sizeof key, "hang:%s", service_name[v->id]);
	news_resolved(v->d, key, "%s has answered for %.0f minutes again",
	    service_name[v->id], WELL_AFTER / 60);
}

static void
hang_up(struct service *v)
{
	watch_end(v->watch);
	v->watch = NULL;
	if (v->talk != -1)
		(void)close(v->talk);
	v->talk = -1;
}

static void
deliver_well(struct timer *t)
{
	news_resolved(t->arg, "crash:deliver", "deliver has run for %.0f "
	    "minutes again", WELL_AFTER / 60);
}

/* The courier's picket-deliver has gone; the next one comes with a job. */
static void
deliver_gone(struct daemon *d, char *how, size_t n)
{
	size_t i;

	for (i = 0; i < n && how[i] != '\n'; i++)
		if ((unsigned char)how[i] < ' ' || how[i] == 0x7f)
			how[i] = '?';
	news_firing(d, "crash:deliver", "%.*s, and is started again", (int)i,
	    how);
	timer_clear(&d->loop, &deliver);
	deliver = (struct timer){ .fire = deliver_well, .arg = d };
	timer_set(&d->loop, &deliver, d->loop.now + WELL_AFTER);
}

/* The courier tells of its picket-deliver; a word of an emergency worker says
 * that it has left mail. */
static void
hear(struct watch *w, short revents)
{
	struct service *v = w->arg;
	char block[512];
	ssize_t n;

	(void)revents;
	while ((n = recv(v->talk, block, sizeof block, MSG_DONTWAIT)) > 0)
		if (v->id == SERVICE_COURIER)
			deliver_gone(v->d, block, (size_t)n);
		else if (v->id == SERVICE_EMERGENCY_1 ||
		    v->id == SERVICE_EMERGENCY_2)
			services_poke(v->d);
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		hang_up(v);
}

static void
more_backoff(struct service *v)
{
	double most = v->id == SERVICE_STORE ? BACKOFF_STORE : BACKOFF_MOST;

	v->backoff = v->backoff == 0 ? BACKOFF_FIRST : 2 * v->backoff;
	if (v->backoff > most)
		v->backoff = most;
}

static void
ended(struct child *c, int w, const struct rusage *used)
{
	struct service *v = c->arg;
	struct daemon *d = v->d;
	const char *why, *colon;
	char key[40], how[80];

	(void)used;
	v->child = NULL;
	hang_up(v);
	timer_clear(&d->loop, &v->well);
	if (ends(v)) {
		v->replaced = false;
		return;
	}
	if (v->replaced) {
		v->replaced = false;
		timer_set(&d->loop, &v->again, d->loop.now + AGAIN_AFTER);
		return;
	}
	/* of another build than we are: to start it again and again is no use */
	if (WIFEXITED(w) && WEXITSTATUS(w) == EXIT_USAGE) {
		if (!v->missing)
			daemon_say(d, SAY_ERROR, "%s does not know its role: "
			    "install Picket as a whole; goes on without",
			    program[v->id]);
		v->missing = true;
		timer_set(&d->loop, &v->again, d->loop.now + BACKOFF_MISSING);
		return;
	}
	/* it has lost us or the store, and wants to begin anew: no news */
	if (v->nagain == 0 || d->loop.now - v->first > AGAIN_WITHIN) {
		v->first = d->loop.now;
		v->nagain = 0;
	}
	if (WIFEXITED(w) && WEXITSTATUS(w) == EXIT_AGAIN &&
	    ++v->nagain < AGAIN_MOST) {
		timer_set(&d->loop, &v->again, d->loop.now + AGAIN_AFTER);
		return;
	}
	if (WIFSIGNALED(w))
		(void)snprintf(how, sizeof how, "was killed by signal %d",
		    WTERMSIG(w));
	else
		(void)snprintf(how, sizeof how, "ended with status %d",
		    WEXITSTATUS(w));
	v->crashes++;
	if (clock_steady() - c->began >= BACKOFF_SOON)
		v->backoff = 0;
	more_backoff(v);
	why = voice_last(d, program[v->id]);
	colon = why == NULL ? "" : ": ";
	if (why == NULL)
		why = "";
	daemon_say(d, SAY_ERROR, "%s, process %ld, %s%s%s; it is started again "
	    "in %.1f s", service_name[v->id], (long)c->pid, how, colon, why,
	    v->backoff);
	if (!v->told) {
		v->told = true;
		(void)snprintf(key, sizeof key, "crash:%s",
		    service_name[v->id]);
		news_firing(d, key, "%s %s, and is started again%s%s",
		    service_name[v->id], how, colon, why);
	}
	timer_set(&d->loop, &v->again, d->loop.now + v->backoff);
}

/* Our side stays here, the other is returned; -1: errno. */
static int
talk(struct service *v, int type)
{
	int p[2];

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, p) != 0 &&
	    (errno != EMFILE || !children_spare(v->d) ||
	    socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, p) != 0))
		return -1;
	(void)fcntl(p[0], F_SETFL, O_NONBLOCK);
	v->talk = p[0];
	v->watch = loop_watch(&v->d->loop, p[0], POLLIN, hear, v);
	return p[1];
}

/* Whether emergency workers act, or only tell what they would do. */
static void
say_armed(struct service *v)
{
	const char *word;

	if (v->d == NULL)
		return;			/* it is told when it starts */
	word = v->d->disarmed ? "disarm" : "arm";
	if (v->talk != -1 && (v->id == SERVICE_EMERGENCY_1 ||
	    v->id == SERVICE_EMERGENCY_2))
		(void)send(v->talk, word, strlen(word), MSG_NOSIGNAL |
		    MSG_DONTWAIT);
}

void
services_arm(struct daemon *d)
{
	say_armed(&d->service[SERVICE_EMERGENCY_1]);
	say_armed(&d->service[SERVICE_EMERGENCY_2]);
}

static bool
start(struct service *v)
{
	struct daemon *d = v->d;
	char *argv[16], path[PATH_MAX + 20];
	const char *user;
	struct start st = { .path = program[v->id], .argv = argv,
	    .precious = v->id == SERVICE_STORE || v->id ==
	    SERVICE_EMERGENCY_1 || v->id == SERVICE_EMERGENCY_2,
	    .urgent = v->id == SERVICE_STORE || v->id == SERVICE_EMERGENCY_1 ||
	    v->id == SERVICE_EMERGENCY_2, .what = service_name[v->id], .fd = { -1, d->voice, d->voice, -1, -1, -1 },
	    .ended = ended, .arg = v };
	int n = 0, theirs = -1, error;

	argv[n++] = program[v->id];
	switch (v->id) {
	case SERVICE_STORE:
		argv[n++] = ARG("--serve");
		st.fd[3] = listening;
		break;
	case SERVICE_COURIER:
		argv[n++] = ARG("courier");
		theirs = talk(v, SOCK_STREAM);
		st.fd[3] = d->site.fd;
		st.fd[4] = theirs;
		break;
	case SERVICE_EMERGENCY_1:
	case SERVICE_EMERGENCY_2:
		argv[n++] = ARG("emergency");
		argv[n++] = ARG("--seat");
		argv[n++] = v->id == SERVICE_EMERGENCY_1 ? ARG("0") : ARG("1");
		if (d->disarmed)
			argv[n++] = ARG("--disarmed");
		theirs = talk(v, SOCK_SEQPACKET);
		st.fd[3] = d->site.fd;
		st.fd[4] = theirs;
		st.fd[5] = page;
		break;
	case SERVICE_HTTP:
		argv[n++] = ARG("--listen");
		argv[n++] = address;
		argv[n++] = ARG("--control");
		(void)snprintf(path, sizeof path, "%s/control.sock",
		    d->opt.run);
		argv[n++] = path;
		argv[n++] = ARG("--host");
		argv[n++] = (char *)(uintptr_t)schedule_host(d->site.schedule);
		user = schedule_setting(d->site.schedule, "user");
		if (user != NULL && user[0] != '\0' && geteuid() == 0) {
			argv[n++] = ARG("--user");
			argv[n++] = (char *)(uintptr_t)user;
		}
		break;
	case SERVICE_COUNT:
		break;
	}
	argv[n++] = ARG("--state");
	argv[n++] = d->opt.state;
	argv[n] = NULL;
	v->child = children_start(d, &st);
	error = errno;
	if (theirs != -1)
		(void)close(theirs);
	if (v->child != NULL) {
		if (d->disarmed)
			say_armed(v);
		v->well = (struct timer){ .fire = well, .arg = v };
		timer_set(&d->loop, &v->well, d->loop.now + WELL_AFTER);
		daemon_say(d, SAY_DEBUG, "%s is process %ld",
		    service_name[v->id], (long)v->child->pid);
		return true;
	}
	hang_up(v);
	if (error == ENOENT && !v->missing)
		daemon_say(d, SAY_ERROR, "%s: there is no such program; goes "
		    "on without", program[v->id]);
	v->missing = error == ENOENT;
	more_backoff(v);
	timer_set(&d->loop, &v->again, d->loop.now + (v->missing ?
	    BACKOFF_MISSING : v->backoff));
	return false;
}

/* The store's clients come here, whether it runs just now or not. */
static bool
listen_store(struct daemon *d)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int dir = open(d->opt.state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mode_t um = umask(0177);
	bool ok = false;

	/* a path that is too long for an address is none by this way */
	(void)snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/"
	    STORE_SOCKET, dir);
	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (dir != -1 && listening != -1 &&
	    (unlinkat(dir, STORE_SOCKET, 0) == 0 || errno == ENOENT) &&
	    bind(listening, (const struct sockaddr *)&a, sizeof a) == 0 &&
	    listen(listening, STORE_QUEUE) == 0)
		ok = true;
	if (!ok)
		daemon_say(d, SAY_ERROR, "%s/" STORE_SOCKET ": %s",
		    d->opt.state, strerror(errno));
	(void)umask(um);
	if (dir != -1)
		(void)close(dir);
	return ok;
}

static void
pulse_end(void)
{
	watch_end(pulse.watch);
	pulse.watch = NULL;
	if (pulse.fd != -1)
		(void)close(pulse.fd);
	pulse.fd = -1;
}

static void
on_pulse(struct watch *w, short revents)
{
	char c;
	ssize_t n = recv(pulse.fd, &c, 1, MSG_DONTWAIT);

	(void)w;
	(void)revents;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	pulse.missed = 0;
	pulse.answered = true;
	pulse_end();
}

/* False: it did not even take us, as too many wait. */
static bool
pulse_ask(struct daemon *d)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	bool full;

	(void)snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/"
	    STORE_SOCKET, d->state_dir);
	pulse.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (pulse.fd == -1)
		return true;
	if (connect(pulse.fd, (const struct sockaddr *)&a, sizeof a) != 0) {
		full = errno == EAGAIN;
		pulse_end();
		return !full;
	}
	(void)shutdown(pulse.fd, SHUT_WR);
	pulse.watch = loop_watch(&d->loop, pulse.fd, POLLIN, on_pulse, d);
	if (pulse.watch == NULL)
		pulse_end();
	return true;
}

/* It is there and does nothing: another one is better. */
static void
hangs(struct service *v)
{
	char key[40];

	daemon_say(v->d, SAY_ERROR, "%s, process %ld, does not answer: it is "
	    "killed and started again", service_name[v->id],
	    (long)v->child->pid);
	(void)snprintf(key, sizeof key, "hang:%s", service_name[v->id]);
	news_firing(v->d, key, "%s did not answer, and was killed and started "
	    "again", service_name[v->id]);
	v->told = true;		/* that is why it ends */
	(void)kill(v->child->pid, SIGKILL);
}

static void
pulse_store(struct daemon *d)
{
	struct service *v = &d->service[SERVICE_STORE];

	if (v->child == NULL || d->stopping) {
		pulse_end();
		return;
	}
	if (pulse.pid != v->child->pid) {
		pulse_end();
		pulse.pid = v->child->pid;
		pulse.missed = 0;
		pulse.answered = false;
	}
	/* we may have been stopped, and it may be here already */
	if (pulse.watch != NULL)
		on_pulse(pulse.watch, POLLIN);
	/* looks are counted, not seconds: a host that sleeps is none */
	if (pulse.fd == -1 ? pulse_ask(d) : ++pulse.missed < (pulse.answered ?
	    PULSE_MISSED : PULSE_START))
		return;
	if (pulse.fd == -1 && ++pulse.missed < (pulse.answered ?
	    PULSE_MISSED : PULSE_START))
		return;
	pulse_end();
	hangs(v);
}

/*
 * An emergency worker writes when it has looked last, every second, and that it
 * waits for the store.  One that has not taken its seat yet is starting, and
 * asks the store first.
 */
static void
pulse_worker(struct service *v, int at)
{
	static struct {
		pid_t		 pid;
		uint64_t	 beat;
		unsigned	 missed;
	} last[2];
	struct emergency_page now;
	const struct emergency_seat *s = &now.seat[at];

	if (v->child == NULL || v->d->stopping || pread(page, &now, sizeof now,
	    0) != (ssize_t)sizeof now || s->pid != (uint32_t)v->child->pid ||
	    s->waits) {
		last[at].pid = 0;
		return;
	}
	if (last[at].pid != v->child->pid || last[at].beat != s->beat) {
		last[at].pid = v->child->pid;
		last[at].beat = s->beat;
		last[at].missed = 0;
	} else if (++last[at].missed >= PULSE_MISSED) {
		last[at].pid = 0;
		hangs(v);
	}
}

void
services_pulse(struct daemon *d)
{
	pulse_store(d);
	pulse_worker(&d->service[SERVICE_EMERGENCY_1], 0);
	pulse_worker(&d->service[SERVICE_EMERGENCY_2], 1);
}

static void
set_http(struct daemon *d)
{
	const char *to = schedule_setting(d->site.schedule, "http");
	const char *user = schedule_setting(d->site.schedule, "user");
	struct service *v = &d->service[SERVICE_HTTP];
	char with[sizeof http_site];

	if (to == NULL)
		to = "";
	(void)snprintf(with, sizeof with, "%s %s", user == NULL ? "" : user,
	    schedule_host(d->site.schedule));
	if (strcmp(to, address) == 0 && (to[0] == '\0' ||
	    strcmp(with, http_site) == 0))
		return;
	memcpy(http_site, with, sizeof with);
	(void)snprintf(address, sizeof address, "%s", to);
	v->wanted = address[0] != '\0';
	v->backoff = 0;
	/* otherwise: it is ended, and started by ended() or by this */
	if (v->child != NULL) {
		v->replaced = true;
		(void)kill(v->child->pid, SIGTERM);
	}
	timer_set(&d->loop, &v->again, d->loop.now + BACKOFF_FIRST);
}

bool
services_init(struct daemon *d)
{
	static const char *const name[SERVICE_COUNT] = { "picket-store",
	    "picket-runner", "picket-runner", "picket-runner", "picket-http" };
	struct service *v;
	unsigned i;

	if (!listen_store(d))
		return false;
	/* without it each of them leads, and both act */
	page = memfd_create("picket-emergency", MFD_CLOEXEC);
	if (page == -1 || ftruncate(page, EMERGENCY_PAGE) != 0)
		daemon_say(d, SAY_ERROR, "a page for the emergency workers: "
		    "%s", strerror(errno));
	for (i = 0; i < SERVICE_COUNT; i++) {
		v = &d->service[i];
		*v = (struct service){ .d = d, .id = (enum service_id)i,
		    .talk = -1, .wanted = i != SERVICE_HTTP,
		    .again = { .fire = again, .arg = v } };
		daemon_helper(program[i], name[i]);
		if (v->wanted)
			(void)start(v);
	}
	set_http(d);
	return true;
}

/* The new image by SCM_RIGHTS; who does not take it now is started anew. */
static void
send_image(struct service *v)
{
	union {
		char		 space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr	 align;
	} u;
	char word[] = "image";
	struct iovec io = { word, sizeof word - 1 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1,
	    .msg_control = u.space, .msg_controllen = sizeof u.space };
	struct cmsghdr *c;

	if (v->child == NULL || v->talk == -1)
		return;
	memset(&u, 0, sizeof u);
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &v->d->site.fd, sizeof(int));
	if (sendmsg(v->talk, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == -1) {
		daemon_say(v->d, SAY_WARNING, "%s does not take the new site: "
		    "it is started again", service_name[v->id]);
		(void)kill(v->child->pid, SIGTERM);
	}
}

void
services_reload(struct daemon *d)
{
	send_image(&d->service[SERVICE_COURIER]);
	send_image(&d->service[SERVICE_EMERGENCY_1]);
	send_image(&d->service[SERVICE_EMERGENCY_2]);
	services_arm(d);	/* they begin anew, as they were started */
	set_http(d);
}

void
services_poke(struct daemon *d)
{
	struct service *v = &d->service[SERVICE_COURIER];

	/* one that is full of pokes needs no other */
	if (v->talk != -1)
		(void)send(v->talk, "poke", 4, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void
services_stop(struct daemon *d, enum service_id from, enum service_id to)
{
	unsigned i;

	for (i = from; i <= to; i++) {
		d->service[i].wanted = false;
		if (d->service[i].child != NULL)
			(void)kill(d->service[i].child->pid, SIGTERM);
	}
}
