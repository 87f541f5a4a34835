#include "engine/state/client.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lang/base/num.h"
#include "engine/state/batch.h"
#include "engine/state/place.h"
#include "engine/state/wire.h"

#define LIM_STATE_TRIES	10	/* times that picketd's store may be lost while
				 * it is asked one thing: some five seconds; */
#define STATE_AGAIN	0.05	/* seconds between two of them, doubling to 1 */
#define LIM_STATE_END	10.0	/* seconds for the store to go when it is told;
				 * all is committed by then */

extern char **environ;

struct state {
	struct mem	*mem;
	struct buf	 path, program, socket;
	bool		 shared;	/* socket is there: it may be connected to */
	bool		 alone;		/* no store of our own */
	bool		 read_only;
	double		 patience;
	state_say_fn	*say;
	void		*say_arg;
	int		 fd;		/* -1: no store yet */
	pid_t		 pid;		/* 0: it is picketd's */
	bool		 visits;	/* so it is, or was */
	bool		 watching;	/* a WATCH is not answered yet */
	double		 news;		/* what the last one's answer was */
	struct buf	 hello, out, in;	/* messages at hand, each way */
	struct buf	 position;
	struct buf	 why;
	bool		 unknown;	/* whether the last request was done */
	bool		 asking;	/* an answer is being given */
	unsigned	 napply;	/* makes ids differ */
};

/* Whom the rows of an answer are for. */
struct taker {
	state_value_fn	*value;
	state_row_fn	*row;
	unsigned	 columns;
	void		*arg;
	bool		 given;		/* it has got some */
};

struct state *
state_new(const struct state_options *o)
{
	struct state *st = mem_zalloc(o->mem, sizeof *st);

	st->mem = o->mem;
	st->fd = -1;
	buf_init(&st->path, o->mem);
	buf_init(&st->program, o->mem);
	buf_init(&st->socket, o->mem);
	buf_init(&st->hello, o->mem);
	buf_init(&st->out, o->mem);
	buf_init(&st->in, o->mem);
	buf_init(&st->position, o->mem);
	buf_init(&st->why, o->mem);
	buf_str(&st->path, o->path);
	buf_puts(&st->program, o->program);
	st->read_only = o->read_only;
	st->patience = o->patience > 0 ? o->patience : LIM_STATE_ANSWER;
	st->alone = o->socket != NULL;
	st->news = NUM_NIL;
	if (st->alone)
		buf_puts(&st->socket, o->socket);
	else if (o->path.n > sizeof STATE_FILE && str_eq(str_of(o->path.p +
	    o->path.n - sizeof STATE_FILE, sizeof STATE_FILE),
	    STR_LIT("/" STATE_FILE)))
		buf_str(&st->socket, str_of(o->path.p,
		    o->path.n - (sizeof STATE_FILE - 1)));
	if (!st->alone && st->socket.n > 0)
		buf_puts(&st->socket, STATE_SOCKET);
	st->say = o->say;
	st->say_arg = o->say_arg;
	return st;
}

/* Its wait status, or -1. */
static int
reap(struct state *st, bool gone)
{
	struct timespec tick = { 0, 1000000 };
	double waited = 0;
	pid_t got;
	int ws;

	if (st->pid == 0)
		return -1;
	if (!gone)
		(void)kill(st->pid, SIGKILL);
	/* one that is stuck in the kernel does not die of KILL either */
	while ((got = waitpid(st->pid, &ws, gone ? 0 : WNOHANG)) != st->pid) {
		if (got == -1 && errno != EINTR)
			return -1;
		waited += 0.001;
		if (waited > LIM_STATE_END)
			return -1;
		nanosleep(&tick, NULL);
	}
	return ws;
}

/* The store goes when our end is closed; one that does not is ended. */
static int
end_store(struct state *st)
{
	enum wire_got got;

	if (st->fd == -1)
		return -1;
	st->watching = false;
	if (st->pid == 0) {
		(void)close(st->fd);
		st->fd = -1;
		return -1;
	}
	(void)shutdown(st->fd, SHUT_WR);
	while ((got = wire_receive(st->fd, &st->in, LIM_STATE_END)) ==
	    WIRE_GOT)
		;
	(void)close(st->fd);
	st->fd = -1;
	return reap(st, got == WIRE_END);
}

void
state_free(struct state *st)
{
	if (st == NULL)
		return;
	(void)end_store(st);
	buf_free(&st->path);
	buf_free(&st->program);
	buf_free(&st->socket);
	buf_free(&st->hello);
	buf_free(&st->out);
	buf_free(&st->in);
	buf_free(&st->position);
	buf_free(&st->why);
	mem_free(st->mem, st, sizeof *st);
}

static bool
fail(struct state *st, const char *what, int error)
{
	buf_clear(&st->why);
	if (st->visits)
		buf_puts(&st->why, "picketd's ");
	buf_str(&st->why, buf_view(&st->program));
	buf_printf(&st->why, ": %s", what);
	if (error != 0)
		buf_printf(&st->why, ": %s", strerror(error));
	return false;
}

/*
 * Whose it is: the state belongs to its user and to root, and nobody else
 * could tell us what it holds.
 */
static bool
is_trusted(int fd)
{
	struct ucred who;
	socklen_t n = sizeof who;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 &&
	    (who.uid == 0 || who.uid == geteuid());
}

/* picketd's store, if there is one; -1, errno: why not. */
static int
visit(struct state *st)
{
	int fd, error;

	if (st->socket.n == 0)
		return -1;
	fd = place_connect(buf_view(&st->socket), st->patience, st->mem);
	if (fd != -1 && !is_trusted(fd)) {
		error = errno;
		(void)close(fd);
		fd = -1;
		errno = error;
	}
	return fd;
}

/*
 * Its standard input is the socket, both ways.  It stands in a process group
 * of its own: the terminal's interrupt ends the script, whose positions the
 * store then still has to take.
 */
static bool
spawn(struct state *st)
{
	char *argv[] = { (char *)(uintptr_t)STATE_PROGRAM, NULL };
	posix_spawn_file_actions_t act;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int sv[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) != 0)
		return fail(st, "no socket for it", errno);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&act);
	posix_spawn_file_actions_adddup2(&act, sv[1], 0);
	posix_spawn_file_actions_addopen(&act, 1, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF |
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setpgroup(&attr, 0);
	r = posix_spawn(&st->pid, buf_c(&st->program), &act, &attr, argv,
	    environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&act);
	(void)close(sv[1]);
	if (r != 0) {
		(void)close(sv[0]);
		return fail(st, "cannot be started; is Picket installed as a "
		    "whole?", r);
	}
	st->fd = sv[0];
	return true;
}

/* The store is no more, or no store. */
static bool
lost(struct state *st, enum wire_got got)
{
	char t[64];
	int ws;

	st->watching = false;
	if (got == WIRE_LATE) {
		(void)close(st->fd);
		st->fd = -1;
		(void)reap(st, false);
		(void)snprintf(t, sizeof t, "gave no answer for %.0f seconds; "
		    "is the disk well?", st->patience);
		return fail(st, t, 0);
	}
	ws = end_store(st);
	if (st->pid == 0)
		return fail(st, "broke off; look at picketd's log", 0);
	if (ws != -1 && WIFSIGNALED(ws))
		snprintf(t, sizeof t, "was ended by signal %d", WTERMSIG(ws));
	else if (ws != -1 && WEXITSTATUS(ws) == 127)
		snprintf(t, sizeof t, "cannot be run");
	else
		snprintf(t, sizeof t, "broke off (exit status %d)",
		    ws == -1 ? -1 : WEXITSTATUS(ws));
	return fail(st, t, 0);
}

#define MOST_COLUMNS	64	/* of all queries; checked where they are sent */
_Static_assert(INCIDENT_COLUMNS <= MOST_COLUMNS, "the longest row");

/* Hands each row of a ROWS message to the caller's function. */
static bool
rows(struct wire *w, struct taker *t)
{
	struct str column[MOST_COLUMNS];
	struct str key, name, element, text;
	bool number;
	unsigned i;

	if (t == NULL)
		return false;		/* that was no question */
	t->given = t->given || w->left > 0;
	while (w->left > 0 && t->row != NULL) {
		for (i = 0; i < t->columns; i++)
			column[i] = wire_get_text(w);
		if (w->bad)
			return false;
		t->row(t->arg, column, t->columns);
	}
	while (w->left > 0) {
		key = wire_get_text(w);
		number = wire_get_u8(w) != 0;
		name = wire_get_given(w);
		element = wire_get_text(w);
		text = wire_get_text(w);
		if (w->bad)
			return false;
		if (t->value != NULL)
			t->value(t->arg, key, number, name, element, text);
	}
	return true;
}

enum answer { ANSWERED, REFUSED, LOST };

/* One request, with what comes before it, and its answer; *w reads what DONE
 * holds. */
static enum answer
talk(struct state *st, const struct part *before, const struct buf *request,
    struct wire *w, struct taker *t)
{
	enum wire_got got;
	struct str text;
	bool sent = true;

	for (; before != NULL && sent; before = before->next)
		sent = wire_send(st->fd, buf_view(&before->m));
	if (sent)
		(void)wire_send(st->fd, buf_view(request));
	/* if it could not be sent the answer tells */
	for (;;) {
		got = wire_receive(st->fd, &st->in, st->patience);
		if (got != WIRE_GOT) {
			(void)lost(st, got);
			return got == WIRE_LATE ? REFUSED : LOST;
		}
		*w = (struct wire){ st->in.p, st->in.n, false };
		switch (wire_get_u8(w)) {
		case WIRE_DONE:
			if (!st->watching)
				return ANSWERED;
			/* the watch that our request has ended */
			st->watching = false;
			st->news = wire_get_num(w);
			break;
		case WIRE_FAILED:
			text = wire_get_given(w);
			buf_clear(&st->why);
			buf_str(&st->why, text);
			return REFUSED;
		case WIRE_NOTE:
			text = wire_get_given(w);
			if (st->say != NULL && !w->bad)
				st->say(st->say_arg, text);
			break;
		case WIRE_ROWS_KIND:
			if (rows(w, t))
				break;
			/* FALLTHROUGH */
		default:
			(void)close(st->fd);
			st->fd = -1;
			(void)reap(st, false);
			(void)fail(st, "speaks another language; is it of "
			    "this version?", 0);
			return REFUSED;
		}
	}
}

static enum answer
start(struct state *st)
{
	enum answer a;
	struct wire w;

	st->pid = 0;
	st->fd = visit(st);
	st->visits = st->fd != -1 || st->alone;
	if (st->fd == -1 && st->alone) {
		(void)fail(st, "is not there: is picketd running?", errno);
		return REFUSED;
	}
	if (st->fd == -1 && !spawn(st))
		return REFUSED;
	wire_begin(&st->hello, WIRE_HELLO);
	wire_u32(&st->hello, WIRE_VERSION);
	wire_u32(&st->hello, query_print());
	wire_text(&st->hello, buf_view(&st->path));
	wire_u8(&st->hello, st->read_only);
	wire_end(&st->hello);
	a = talk(st, NULL, &st->hello, &w, NULL);
	if (a != ANSWERED)
		(void)end_store(st);
	return a;
}

static bool
refuse(struct state *st, const char *why)
{
	buf_clear(&st->why);
	buf_puts(&st->why, why);
	st->unknown = false;
	return false;
}

/* picketd has been started since: its store has the file, and ours waits. */
static void
join(struct state *st)
{
	int fd;

	if (st->fd == -1 || st->pid == 0 || (fd = visit(st)) == -1)
		return;
	(void)close(fd);
	(void)end_store(st);
}

/*
 * The request in st->out.  A store that dies is started once more: every
 * request may be asked twice, COMMIT too, for it has an id.  But not when
 * some rows have been given: they would come again.
 *
 * picketd's store may die more often than that, and picketd with it: whoever
 * has killed both has not killed us, and has our request to be kept.  So there
 * it is asked again until one of them is back, for some seconds.
 */
static bool
ask(struct state *st, const struct part *before, struct wire *w,
    struct taker *t)
{
	struct timespec pause = { 0, 0 };
	enum answer a = LOST;
	double wait = STATE_AGAIN;
	int tries, visits = 0;

	if (st->asking)
		return refuse(st, "asked in the midst of an answer");
	wire_end(&st->out);
	st->unknown = false;
	join(st);
	for (tries = 0; a == LOST && tries < LIM_STATE_TRIES; tries++) {
		if (t != NULL && t->row != NULL && t->given)
			return false;
		if (tries > 1) {
			pause.tv_sec = (time_t)wait;
			pause.tv_nsec = (long)((wait - (double)pause.tv_sec) *
			    1e9);
			nanosleep(&pause, NULL);
			wait = wait < 0.5 ? 2 * wait : 1;
		}
		a = st->fd != -1 ? ANSWERED : start(st);
		if (a == ANSWERED) {
			st->asking = true;
			a = talk(st, before, &st->out, w, t);
			st->asking = false;
			st->unknown = st->unknown || a == LOST;
		} else if (a == REFUSED)
			return false;	/* nothing has been asked */
		visits += st->visits;
		if (tries > 0 && visits == 0)
			break;
	}
	if (a != LOST)
		st->unknown = false;
	return a == ANSWERED;
}

static void
owner(struct state *st, enum wire_kind kind, const struct state_owner *o)
{
	wire_begin(&st->out, kind);
	wire_text(&st->out, o->alert);
	wire_text(&st->out, o->script);
}

static bool
well(struct state *st, const struct wire *w)
{
	return !w->bad || fail(st, "gave half an answer", 0);
}

bool
state_values(struct state *st, const struct state_owner *o,
    state_value_fn *fn, void *arg)
{
	struct taker t = { .value = fn, .arg = arg };
	struct wire w;

	owner(st, WIRE_VALUES, o);
	return ask(st, NULL, &w, &t);
}

bool
state_position(struct state *st, const struct state_owner *o,
    struct str name, struct str *position)
{
	struct wire w;

	owner(st, WIRE_POSITION, o);
	wire_text(&st->out, name);
	if (!ask(st, NULL, &w, NULL))
		return false;
	buf_clear(&st->position);
	buf_str(&st->position, wire_get_given(&w));
	*position = buf_view(&st->position);
	return well(st, &w);
}

bool
state_runs(struct state *st, const struct state_owner *o, double *runs)
{
	struct wire w;

	owner(st, WIRE_RUNS, o);
	if (!ask(st, NULL, &w, NULL))
		return false;
	*runs = wire_get_num(&w);
	return well(st, &w);
}

/* --- rows and batches --- */

bool
state_ask(struct state *st, enum query query, const struct param *p,
    state_row_fn *fn, void *arg)
{
	struct taker t = { .row = fn, .arg = arg };
	struct wire w;

	t.columns = query_shape[query].columns;
	if (t.columns == 0 || t.columns > MOST_COLUMNS)
		return refuse(st, "that is no question but a change");
	wire_begin(&st->out, WIRE_ASK);
	wire_u32(&st->out, query);
	batch_params(&st->out, query, p);
	return ask(st, NULL, &w, &t);
}

/* Told apart from every other: the store takes an id once. */
static struct str
new_id(struct state *st, char *t, size_t size)
{
	struct timespec ts;
	int n;

	clock_gettime(CLOCK_REALTIME, &ts);
	n = snprintf(t, size, "%lld.%09ld.%ld.%u", (long long)ts.tv_sec,
	    ts.tv_nsec, (long)getpid(), st->napply++);
	return str_of(t, (size_t)n);
}

bool
state_commit(struct state *st, const struct batch *b, bool durable)
{
	struct wire w;
	char id[80];

	if (b->refused != NULL)
		return refuse(st, b->refused);
	if (batch_is_empty(b))
		return true;
	if (st->read_only)
		return refuse(st, "a dry run keeps nothing");
	wire_begin(&st->out, WIRE_COMMIT);
	wire_text(&st->out, new_id(st, id, sizeof id));
	wire_u8(&st->out, durable);
	return ask(st, b->first, &w, NULL);
}

bool
state_apply(struct state *st, const struct state_owner *o,
    const struct outcome *out, bool ended_well,
    const struct state_expire *expire, double now)
{
	struct batch *b = batch_new(st->mem);
	bool ok;

	batch_outcome(b, o, out, ended_well, expire, now);
	ok = state_commit(st, b, false);
	batch_free(b);
	return ok;
}

bool
state_watch(struct state *st, double seconds)
{
	unsigned tries;

	if (st->asking || st->watching)
		return st->watching;
	for (tries = 0; tries < 2; tries++) {
		join(st);
		if (st->fd == -1 && start(st) != ANSWERED)
			continue;
		if (st->pid != 0)
			return refuse(st, "there is no picketd that could "
			    "tell");
		wire_begin(&st->out, WIRE_WATCH);
		wire_num(&st->out, st->news);
		wire_num(&st->out, seconds);
		wire_end(&st->out);
		st->watching = wire_send(st->fd, buf_view(&st->out));
		if (st->watching)
			return true;
		(void)lost(st, WIRE_BROKEN);
	}
	return false;
}

bool
state_watched(struct state *st)
{
	struct pollfd p = { st->fd, POLLIN, 0 };
	enum wire_got got;
	struct wire w;

	if (!st->watching)
		return true;
	if (poll(&p, 1, 0) <= 0)
		return false;
	got = wire_receive(st->fd, &st->in, st->patience);
	if (got == WIRE_GOT) {
		w = (struct wire){ st->in.p, st->in.n, false };
		st->watching = false;
		if (wire_get_u8(&w) == WIRE_DONE) {
			st->news = wire_get_num(&w);
			return true;
		}
		got = WIRE_BROKEN;
	}
	(void)lost(st, got);
	return true;
}

int
state_fd(const struct state *st)
{
	return st->fd;
}

bool
state_is_unknown(const struct state *st)
{
	return st->unknown;
}

struct str
state_why(const struct state *st)
{
	return buf_view(&st->why);
}
