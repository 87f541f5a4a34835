/*
 * exec: commands that a script runs to their end, or leaves running: exec in
 * its three modes, #system, $command.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/effect/kid.h"

#define GO_LOOK		0.05		/* seconds between looks for a free place
					 * among LIM_GO children */

bool
exec_prepare(struct live *l, const struct command *c, struct spawn *s)
{
	char why[LIM_WHY];

	*s = (struct spawn){ .argv = c->argv, .path = l->path,
	    .user = &l->self, .fd = { -1, -1, -1 }, .origin = l->o.origin };
	kids_look(l);
	if (l->self.mem == NULL && !user_find(&l->self, l->mem, NULL, l->path,
	    l->o.run_id, why, sizeof why)) {
		live_fail(l, "%s", why);
		return false;
	}
	/* its output must come after ours */
	live_flush(l);
	return !live_stop(l);
}

/* `as`: the last one is kept, as a rule may run a command per line. */
static bool
find_user(struct live *l, struct str name, struct spawn *s)
{
	char text[LIM_USER_NAME], why[LIM_WHY];

	if (l->other.mem == NULL || !str_eq(str_c(l->other.name), name)) {
		user_free(&l->other);
		if (name.n == 0 || name.n >= sizeof text ||
		    memchr(name.p, '\0', name.n) != NULL) {
			live_fail(l, "no such user");
			return false;
		}
		memcpy(text, name.p, name.n);
		text[name.n] = '\0';
		if (!user_find(&l->other, l->mem, text, l->path, l->o.run_id,
		    why, sizeof why)) {
			user_free(&l->other);
			live_fail(l, "%s", why);
			return false;
		}
	}
	s->user = &l->other;
	s->become = true;
	return true;
}

/* A place among those that nobody waits for; false: the run must end. */
static bool
wait_place(struct live *l)
{
	struct pollfd none[1];

	for (; l->ngo >= LIM_GO; kids_look(l))
		if (live_poll(l, none, 0, live_now() + GO_LOOK, true) == -1)
			return false;
	return true;
}

static bool
start_go(struct live *l, struct kid *k, struct spawn *s, int *status)
{
	if (!wait_place(l))
		return false;
	/* a pipe of ours would end with the run, and the child with it; so its
	 * output stands in the log as it writes it */
	s->fd[1] = s->fd[2] = log_fd(l);
	if (!kid_start(l, k, s, status))
		return false;
	k->go = true;
	l->ngo++;
	return true;
}

/*
 * Waits for the child until `until` or the run's end, then ends it.  The
 * status is left in the kid.  True: it ended by itself.
 */
static bool
finish(struct live *l, struct kid *k, struct tap *const tap[KID_TAPS],
    double until)
{
	bool by_itself = kid_wait(l, k, tap, until, true) == 1;
	int i;

	if (by_itself)
		kid_reap(k);
	else
		kid_end(l, k, tap, 0);
	until = live_now() + WAIT_DRAIN;
	for (i = 0; i < KID_TAPS && tap[i] != NULL; i++)
		tap_close(l, tap[i], until);
	return by_itself;
}

static void
run_wait(struct live *l, struct kid *k, struct spawn *s, double timeout,
    struct exec_result *res)
{
	struct tap *const tap[KID_TAPS] = { &l->tap, NULL };
	struct str show = str_of(k->show, k->nshow);
	double until = timeout > 0 ? live_now() + timeout : INFINITY;
	char how[32];

	if (l->tail == NULL)
		l->tail = mem_alloc(l->mem, 2 * LIM_EXEC_OUTPUT);
	l->tap.all = NULL;
	l->tap.tail = (struct tail){ .p = l->tail, .keep = LIM_EXEC_OUTPUT };
	if (!tap_open(l, &l->tap))
		return;
	s->fd[1] = s->fd[2] = l->tap.w;
	if (!kid_start(l, k, s, &res->status)) {
		tap_drop(&l->tap);
		return;
	}
	res->started = true;
	if (!finish(l, k, tap, until)) {
		res->timed_out = l->sig == 0;
		if (!live_stop(l))
			live_fail(l, "ended after its timeout of %gs", timeout);
	}
	res->status = k->status;
	res->output = tail_text(&l->tap.tail);
	kid_how(k, how);
	log_end(l, res->timed_out ? "exec wait timed out" : "exec wait", how,
	    show);
	log_said(l, LOG_INFO, res->output);
}

void
exec_run(void *h, const struct command *c, enum exec_mode mode,
    const struct exec_opts *o, struct exec_result *res)
{
	static const char *const what[] = { "exec", "exec wait",
	    "exec detached" };
	struct live *l = h;
	char dir[PATH_MAX], text[64];
	struct spawn s;
	struct kid *k;

	*res = (struct exec_result){ .status = SPAWN_NOT_RUN,
	    .output = STR_EMPTY };
	l->effects++;
	if (!exec_prepare(l, c, &s))
		return;
	if (!str_none(o->as) && !find_user(l, o->as, &s))
		return;
	if (!str_none(o->dir)) {
		if (!live_path(l, o->dir, dir))
			return;
		s.dir = dir;
	}
	s.memory = o->memory;
	s.cpu = o->cpu;
	/* nobody waits in the other modes: a watcher keeps it */
	if (mode != EXEC_WAIT)
		s.timeout = o->timeout;
	s.detached = mode == EXEC_DETACHED;
	if (!s.detached)
		s.mark = SPAWN_EXEC;

	k = kid_new(l, c->show);
	live_did(l, what[mode], c->show);
	log_command(l, what[mode], c->show);
	switch (mode) {
	case EXEC_GO:
		res->started = start_go(l, k, &s, &res->status);
		break;
	case EXEC_WAIT:
		run_wait(l, k, &s, o->timeout, res);
		break;
	case EXEC_DETACHED:
		res->started = kid_start(l, k, &s, &res->status);
		if (res->started)
			snprintf(text, sizeof text, "exec detached, pid %ld",
			    (long)k->pid);
		break;
	}
	if (!res->started) {
		char why[LIM_WHY];

		strcpy(why, l->why);
		log_end(l, what[mode], why, c->show);
	} else if (mode == EXEC_DETACHED)
		log_command(l, text, c->show);
	if (!k->go)
		kid_free(l, k);
}

struct str
exec_capture(void *h, const struct command *c, size_t max,
    struct exec_result *res)
{
	struct live *l = h;
	struct tap *const tap[KID_TAPS] = { &l->tap, &l->err_tap };
	struct spawn s;
	struct kid *k;
	char how[LIM_WHY];

	*res = (struct exec_result){ .status = SPAWN_NOT_RUN,
	    .output = STR_EMPTY };
	buf_clear(&l->captured);
	if (!exec_prepare(l, c, &s))
		return STR_EMPTY;
	if (l->err_tail == NULL)
		l->err_tail = mem_alloc(l->mem, 2 * LIM_STDERR);
	l->tap.all = &l->captured;
	l->tap.max = max;
	l->err_tap.all = NULL;
	l->err_tap.tail = (struct tail){ .p = l->err_tail,
	    .keep = LIM_STDERR };
	k = kid_new(l, c->show);
	if (tap_open(l, &l->tap) && tap_open(l, &l->err_tap)) {
		s.fd[1] = l->tap.w;
		s.fd[2] = l->err_tap.w;
		res->started = kid_start(l, k, &s, &res->status);
	}
	if (res->started) {
		if (!finish(l, k, tap, INFINITY)) {
			res->timed_out = l->sig == 0;
			live_stop(l);
		}
		res->status = k->status;
		kid_how(k, how);
	} else {
		tap_drop(&l->tap);
		tap_drop(&l->err_tap);
		strcpy(how, l->why);
	}
	log_end(l, "command", how, c->show);
	if (res->started) {
		log_said(l, res->status == 0 ? LOG_INFO : LOG_WARNING,
		    tail_text(&l->err_tap.tail));
		if (l->tap.over)
			log_end(l, "command", "output was cut", c->show);
	}
	kid_free(l, k);
	return buf_view(&l->captured);
}

/* The text as a standard input; it is one write into an empty pipe. */
static int
as_input(struct live *l, struct str text)
{
	int p[2];

	if (!fd_pipe(l, p))
		return -1;
	if (write(p[1], text.p, text.n) != (ssize_t)text.n) {
		live_fail(l, "pipe: %s", strerror(errno));
		close(p[0]);
		p[0] = -1;
	}
	close(p[1]);
	return p[0];
}

struct str
exec_helper(struct live *l, const char *program, struct str in, size_t max,
    double until, struct exec_result *res)
{
	struct tap *const tap[KID_TAPS] = { &l->tap, NULL };
	struct command c = { .show = str_c(program), .argc = 1 };
	char *argv[2] = { NULL, NULL };
	struct spawn s;
	struct kid *k;

	*res = (struct exec_result){ .status = SPAWN_NOT_RUN,
	    .output = STR_EMPTY };
	buf_clear(&l->captured);
	buf_clear(&l->fact);
	spawn_helper(&l->fact, program);
	argv[0] = (char *)(uintptr_t)buf_c(&l->fact);
	c.argv = argv;
	if (!exec_prepare(l, &c, &s))
		return STR_EMPTY;
	l->tap.all = &l->captured;
	l->tap.max = max;
	k = kid_new(l, c.show);
	if (tap_open(l, &l->tap)) {
		s.fd[1] = l->tap.w;
		s.fd[0] = as_input(l, in);
		if (s.fd[0] != -1) {
			res->started = kid_start(l, k, &s, &res->status);
			close(s.fd[0]);
		}
		if (res->started)
			res->timed_out = !finish(l, k, tap, until);
		else
			tap_drop(&l->tap);
	}
	kid_free(l, k);
	return buf_view(&l->captured);
}
