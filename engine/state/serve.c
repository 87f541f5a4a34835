#include "engine/state/serve.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "lang/base/num.h"
#include "engine/jail/jail.h"
#include "engine/state/guest.h"
#include "engine/vm/clock.h"

#define LISTENERS	2
#define OTHER_FILES	32	/* descriptors: the state's, sockets, SQLite's */
#define SAY_EVERY	10.0	/* seconds between two complaints: who sends
				 * garbage fills no log */
#define ACCEPT_REST	0.1	/* seconds, when there are no descriptors */

struct serve {
	struct mem	*mem;
	struct store	 store;
	const struct serve_options *o;
	int		 listener[LISTENERS];
	unsigned	 nlistener;
	struct guest	*guest[LIM_GUESTS];
	size_t		 n, most, readers;
	struct pollfd	 poll[LISTENERS + LIM_GUESTS];
	size_t		 first;		/* whose turn it is to be the first */
	struct buf	 path, out, note;
	double		 now;
	double		 news;		/* counts commits that bring mail */
	double		 written;	/* the last commit; INFINITY: none since the
					 * journal was written back */
	double		 rest;		/* until then no one is let in */
	double		 said;		/* the last complaint */
	bool		 more;		/* there is work at hand */
};

static volatile sig_atomic_t told_to_end;

static void
on_end(int sig)
{
	(void)sig;
	told_to_end = 1;
}

static void
complain(struct serve *v, const struct guest *g, const char *what)
{
	if (v->now - v->said < SAY_EVERY)
		return;
	v->said = v->now;
	(void)fprintf(stderr, "picket-store: a client of user %ld %s\n",
	    (long)g->uid, what);
}

/* --- answers --- */

static void
answer_text(struct serve *v, struct guest *g, enum wire_kind kind,
    struct str text)
{
	wire_begin(&v->note, kind);
	wire_text(&v->note, text);
	wire_end(&v->note);
	(void)guest_send(g, buf_view(&v->note));
}

static bool
send_rows(void *arg, struct str message)
{
	return guest_send(arg, message);
}

static void
answer(struct serve *v, struct guest *g, enum request_end end)
{
	if (v->store.note.n > 0 && (end == REQUEST_DONE ||
	    end == REQUEST_FAILED))
		answer_text(v, g, WIRE_NOTE, buf_view(&v->store.note));
	switch (end) {
	case REQUEST_DONE:
		wire_end(&v->out);
		(void)guest_send(g, buf_view(&v->out));
		break;
	case REQUEST_FAILED:
		answer_text(v, g, WIRE_FAILED, buf_view(&v->store.why));
		break;
	case REQUEST_BAD:
		complain(v, g, "asked what it may not, or sent what is no "
		    "question; it was sent away, and nothing was changed");
		g->gone = true;
		return;
	case REQUEST_GONE:
		g->gone = true;
		return;
	}
	buf_clear(&v->store.note);
}

static void
end_watch(struct serve *v, struct guest *g)
{
	g->watches = false;
	wire_begin(&v->out, WIRE_DONE);
	wire_num(&v->out, v->news);
	answer(v, g, REQUEST_DONE);
}

/* --- requests --- */

static enum request_end
hello(struct serve *v, struct guest *g, struct wire *w)
{
	struct str path;
	bool read_only = false;

	switch (request_hello(w, &path, &read_only)) {
	case GREETED:
		break;
	case GREETED_BY_OTHER:
		answer_text(v, g, WIRE_FAILED, STR_LIT("the picketd that runs "
		    "is of another build than this program: restart it, or "
		    "install Picket as a whole"));
		g->ended = true;
		return REQUEST_DONE;
	case GREETED_BADLY:
		return REQUEST_BAD;
	}
	g->greeted = true;
	g->stage.read_only = g->asks_only || read_only;
	wire_begin(&v->out, WIRE_DONE);
	answer(v, g, REQUEST_DONE);
	return REQUEST_DONE;
}

static enum request_end
watch(struct serve *v, struct guest *g, struct wire *w)
{
	double seconds;

	g->known = wire_get_num(w);
	seconds = wire_get_num(w);
	if (w->bad || w->left > 0 || g->stage.first != NULL ||
	    num_none(seconds))
		return REQUEST_BAD;
	g->watches = true;
	g->until = v->now + seconds;
	return REQUEST_DONE;
}

static enum request_end
keep(struct serve *v, struct guest *g, enum wire_kind kind, struct wire w,
    struct str message)
{
	struct buf copy;
	bool ok;

	buf_init(&copy, v->mem);
	buf_str(&copy, message);
	ok = stage_add(&g->stage, kind, w, &copy);
	buf_free(&copy);
	return ok ? REQUEST_DONE : REQUEST_BAD;
}

/* One message; a COMMIT stays in the buffer until the turn's end. */
static void
one(struct serve *v, struct guest *g, struct str message)
{
	struct wire w = { message.p, message.n, false };
	enum wire_kind kind = (enum wire_kind)wire_get_u8(&w);
	enum request_end end;

	if (g->watches)
		end_watch(v, g);
	if ((kind == WIRE_HELLO) == g->greeted)
		end = REQUEST_BAD;
	else if (kind == WIRE_HELLO)
		end = hello(v, g, &w);
	else if (kind == WIRE_WATCH)
		end = watch(v, g, &w);
	else if (kind == WIRE_APPLY || kind == WIRE_DO)
		end = keep(v, g, kind, w, message);
	else if (kind == WIRE_COMMIT) {
		g->commits = true;
		return;
	} else {
		end = request_do(&v->store, kind, &w, &g->stage, send_rows, g,
		    &v->out);
		answer(v, g, end);
	}
	if (end == REQUEST_BAD && !g->gone)
		answer(v, g, end);
	if (!g->gone)
		guest_done(g, message);
}

static void
take_turn(struct serve *v, struct guest *g)
{
	struct str message;
	unsigned asked;

	for (asked = 0; !g->gone && !g->commits && g->out.n == 0; asked++) {
		if (asked == LIM_SERVE_TURN) {
			v->more = true;
			return;
		}
		if (!guest_next(g, &message)) {
			if (g->gone)
				complain(v, g, "sent what is no message, or is "
				    "too long; it was sent away");
			/* what was begun will not be ended */
			g->gone = g->gone || g->ended;
			return;
		}
		one(v, g, message);
	}
}

/* --- commits --- */

static struct wire
commit_of(struct guest *g, struct str *message)
{
	(void)guest_next(g, message);	/* it was there, and is */
	return (struct wire){ message->p + 1, message->n - 1, false };
}

static void
commit(struct serve *v)
{
	struct group_member member[LIM_GUESTS];
	struct guest *of[LIM_GUESTS], *g;
	enum request_end end;
	struct str message;
	struct wire w;
	size_t i, n = 0;

	for (i = 0; i < v->n; i++) {
		g = v->guest[(i + v->first) % v->n];
		if (!g->commits || g->gone)
			continue;
		of[n] = g;
		member[n++] = (struct group_member){ commit_of(g, &message),
		    &g->stage, false };
	}
	if (n > 1)
		request_group(&v->store, member, n);
	for (i = 0; i < n; i++) {
		g = of[i];
		w = commit_of(g, &message);
		end = REQUEST_DONE;
		if (member[i].done)
			wire_begin(&v->out, WIRE_DONE);
		else
			end = request_do(&v->store, WIRE_COMMIT, &w, &g->stage,
			    send_rows, g, &v->out);
		if (end == REQUEST_DONE) {
			v->written = v->now;
			v->news += stage_has_mail(&g->stage);
		}
		answer(v, g, end);
		stage_clear(&g->stage);
		g->commits = false;
		guest_done(g, message);
		v->more = v->more || g->in.n > g->taken;
	}
}

/* --- guests --- */

static void
refuse(struct serve *v, int fd, const char *why)
{
	wire_begin(&v->out, WIRE_FAILED);
	wire_text(&v->out, str_c(why));
	wire_end(&v->out);
	(void)send(fd, v->out.p, v->out.n, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)close(fd);
}

static void
let_in(struct serve *v, int fd, bool asks_only)
{
	struct ucred who;
	socklen_t n = sizeof who;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0) {
		(void)close(fd);
		return;
	}
	if (who.uid != 0 && who.uid != geteuid()) {
		if (!v->o->has_reader || who.uid != v->o->reader) {
			refuse(v, fd, "picketd keeps this state for another "
			    "user: ask as that user, or as root");
			return;
		}
		asks_only = true;
	}
	if (asks_only && v->readers == LIM_READERS) {
		refuse(v, fd, "too many ask at once: try again");
		return;
	}
	v->readers += asks_only;
	v->guest[v->n++] = guest_new(v->mem, fd, who.uid, asks_only, v->now);
}

static void
let_all_in(struct serve *v, unsigned which)
{
	int fd;

	while (v->n < v->most) {
		fd = accept4(v->listener[which], NULL, NULL, SOCK_NONBLOCK |
		    SOCK_CLOEXEC);
		if (fd != -1)
			let_in(v, fd, which > 0);
		else if (errno == EMFILE || errno == ENFILE ||
		    errno == ENOBUFS || errno == ENOMEM) {
			v->rest = v->now + ACCEPT_REST;
			return;
		} else if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

static void
sweep(struct serve *v)
{
	struct guest *g;
	size_t i, kept = 0;

	for (i = 0; i < v->n; i++) {
		g = v->guest[i];
		if (!g->gone && v->now >= guest_until(g)) {
			complain(v, g, g->out.n > 0 ? "does not read its "
			    "answer; it was sent away" : "stopped in the midst "
			    "of a message; it was sent away");
			g->gone = true;
		}
		/* the last that it asked for has been read */
		if (g->ended && g->out.n == 0 && !v->more)
			g->gone = true;
		if (!g->gone) {
			v->guest[kept++] = g;
			continue;
		}
		v->readers -= g->asks_only;
		guest_free(g);
	}
	v->n = kept;
}

/* --- turns --- */

static void
turn(struct serve *v, const struct pollfd *listening, const struct pollfd *p)
{
	const size_t were = v->n;
	struct guest *g;
	size_t i;

	for (i = 0; i < were; i++) {
		g = v->guest[i];
		if (p[i].revents & POLLOUT)
			guest_write(g, v->now);
		if (p[i].revents & (POLLIN | POLLHUP | POLLERR)) {
			guest_read(g, v->now);
			if ((p[i].revents & POLLERR) || (g->ended &&
			    (p[i].revents & POLLHUP) && g->out.n > 0))
				g->gone = true;
		}
		if (v->mem->used > LIM_SERVE_BYTES && g->in.n +
		    g->stage.bytes > GUEST_SMALL) {
			complain(v, g, "sends more than there is room for; it "
			    "was sent away");
			g->gone = true;
		}
	}
	for (i = 0; i < v->nlistener; i++)
		if (listening[i].revents != 0)
			let_all_in(v, (unsigned)i);
	v->more = false;
	for (i = 0; i < v->n; i++)
		take_turn(v, v->guest[(i + v->first) % v->n]);
	commit(v);
	v->first++;
	for (i = 0; i < v->n; i++) {
		g = v->guest[i];
		if (g->watches && !g->gone && (v->now >= g->until ||
		    g->known != v->news))
			end_watch(v, g);
	}
	sweep(v);
	store_tidy(&v->store, false);
	if (v->now >= v->written + SERVE_IDLE) {
		store_tidy(&v->store, true);
		v->written = INFINITY;
	}
}

/* When there is something to do, whatever comes. */
static double
next(const struct serve *v)
{
	double t = INFINITY;
	size_t i;

	if (v->more)
		return v->now;
	if (v->n < v->most && v->rest > v->now)
		t = v->rest;
	if (!isinf(v->written))
		t = fmin(t, v->written + SERVE_IDLE);
	for (i = 0; i < v->n; i++) {
		t = fmin(t, guest_until(v->guest[i]));
		if (v->guest[i]->watches)
			t = fmin(t, v->guest[i]->until);
	}
	return t;
}

static void
wait_and_turn(struct serve *v, const sigset_t *awake)
{
	struct pollfd *p = v->poll + LISTENERS;
	struct timespec ts;
	double t;
	size_t i;

	v->now = clock_steady();
	t = next(v) - v->now;
	if (t < 0)
		t = 0;
	if (!isinf(t)) {
		ts.tv_sec = (time_t)t;
		ts.tv_nsec = (long)((t - floor(t)) * 1e9);
	}
	for (i = 0; i < LISTENERS; i++)
		v->poll[i] = (struct pollfd){ i < v->nlistener &&
		    v->n < v->most && v->rest <= v->now ? v->listener[i] : -1,
		    POLLIN, 0 };
	for (i = 0; i < v->n; i++)
		p[i] = (struct pollfd){ v->guest[i]->fd,
		    guest_events(v->guest[i]), 0 };
	if (ppoll(v->poll, LISTENERS + v->n, isinf(t) ? NULL : &ts, awake) < 0)
		for (i = 0; i < LISTENERS + v->n; i++)
			v->poll[i].revents = 0;
	v->now = clock_steady();
	turn(v, v->poll, p);
}

/* --- the beginning --- */

static void
set_signals(sigset_t *awake)
{
	struct sigaction end = { .sa_handler = on_end };
	sigset_t term;

	sigemptyset(&end.sa_mask);
	(void)sigaction(SIGTERM, &end, NULL);
	/* of a terminal: picketd says when it is over */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &term, awake);
	sigdelset(awake, SIGTERM);
}

static bool
listens(int fd)
{
	int yes = 0;
	socklen_t n = sizeof yes;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &n) != 0 || !yes)
		return false;
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return true;
}

/* How many guests there are descriptors for. */
static size_t
descriptors(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) != 0)
		return LIM_GUESTS / 4;
	return l.rlim_cur >= LIM_GUESTS + OTHER_FILES ? LIM_GUESTS :
	    l.rlim_cur > 2 * OTHER_FILES ? (size_t)l.rlim_cur - OTHER_FILES :
	    OTHER_FILES;
}

/*
 * Its user is the folder's, root or not: who owns that needs no right to pass
 * over those of others.  The folder is made before; what else there is to
 * make is within.
 */
static bool
enter(struct serve *v)
{
	struct jail jail = { .class = JAIL_STORE, .user = "",
	    .files = LIM_GUESTS + OTHER_FILES };
	struct buf lacks, folder;
	bool ok;

	buf_init(&lacks, v->mem);
	buf_init(&folder, v->mem);
	buf_str(&folder, v->o->folder);
	jail.read[0] = "/dev/urandom";
	jail.write[0] = buf_c(&folder);
	(void)place_folder(buf_view(&v->path), v->mem, &lacks);
	buf_clear(&lacks);	/* who asks for the file is told */
	ok = jail_enter(&jail, &lacks);
	if (lacks.n > 0)
		(void)fprintf(stderr, "picket-store: limits that could not be "
		    "had: %s\n", buf_c(&lacks));
	buf_free(&lacks);
	buf_free(&folder);
	return ok;
}

int
serve(const struct serve_options *o)
{
	struct serve *v;
	sigset_t awake;
	pid_t parent = getppid();

	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
		return 1;
	set_signals(&awake);
	if (!listens(SERVE_FD)) {
		(void)fprintf(stderr, "picket-store: descriptor %d is no "
		    "listening socket: picketd starts this program\n",
		    SERVE_FD);
		return 2;
	}
	v = mem_zalloc(o->mem, sizeof *v);
	v->mem = o->mem;
	v->o = o;
	v->listener[v->nlistener++] = SERVE_FD;
	if (o->has_reader && listens(SERVE_READ_FD))
		v->listener[v->nlistener++] = SERVE_READ_FD;
	buf_init(&v->path, o->mem);
	buf_str(&v->path, o->folder);
	buf_puts(&v->path, "/" STATE_FILE);
	if (!enter(v))
		return 1;
	v->most = descriptors();
	v->written = INFINITY;
	v->said = -INFINITY;
	/* who knew the count of a store before this one looks */
	v->news = floor(clock_wall() * 1000);
	buf_init(&v->out, o->mem);
	buf_init(&v->note, o->mem);
	store_init(&v->store, o->mem, buf_view(&v->path), false);
	v->store.holds = true;
	if (store_open(&v->store, true) == STORE_FAILED)
		(void)fprintf(stderr, "picket-store: %s\n",
		    buf_c(&v->store.why));
	while (!told_to_end)
		wait_and_turn(v, &awake);
	while (v->n > 0)
		guest_free(v->guest[--v->n]);
	store_free(&v->store);
	buf_free(&v->path);
	buf_free(&v->out);
	buf_free(&v->note);
	mem_free(o->mem, v, sizeof *v);
	return 0;
}
