/*
 * alive: how picketd learns after a stop what it has missed.  STATE/
 * picketd.alive says when it was there last; `picket-runner last` when each
 * entry was due last, by the rows of its runs and by what killed ones left.
 * The stamp is written in place, a few bytes, every ten seconds: it costs no
 * memory, and a torn one is none.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lang/base/num.h"
#include "engine/daemon/daemon.h"
#include "engine/vm/clock.h"

#define ALIVE_EVERY	10.0	/* seconds */
#define ALIVE_PULSE	2	/* stamps between two looks whether the services
				 * live: one wake-up is for both */
#define STAMP_LEN	48
#define LIM_LAST	15.0	/* seconds for each question: what waits for the
				 * first run is more than what was missed */

static struct {
	int		 fd;
	struct timer	 tick, late;
	unsigned	 ticks;
	struct child	*child;
	int		 out;
	char		 line[1024];
	size_t		 n;
	uint32_t	 lines;
	bool		 ok;
} a = { .fd = -1, .out = -1 };

void
alive_write(struct daemon *d)
{
	char t[STAMP_LEN + 1];
	int n;

	if (a.fd == -1)
		return;
	n = snprintf(t, sizeof t, "%.6f %u", runs_sure(d),
	    agenda_turn(d->site.agenda));
	if (n < 0 || n >= STAMP_LEN)
		return;
	memset(t + n, ' ', (size_t)(STAMP_LEN - 1 - n));
	t[STAMP_LEN - 1] = '\n';
	(void)!pwrite(a.fd, t, STAMP_LEN, 0);
}

static void
tick(struct timer *t)
{
	struct daemon *d = t->arg;

	alive_write(d);
	if (a.ticks++ % ALIVE_PULSE == 0)
		services_pulse(d);
	timer_set(&d->loop, t, d->loop.now + ALIVE_EVERY);
}

static void
read_stamp(double *alive, unsigned *turn)
{
	char t[STAMP_LEN + 1], *end;
	ssize_t n = pread(a.fd, t, STAMP_LEN, 0);

	*alive = NUM_NIL;
	*turn = 0;
	if (n != STAMP_LEN || t[STAMP_LEN - 1] != '\n')
		return;
	t[n] = '\0';
	*alive = strtod(t, &end);
	if (end == t || !(*alive > 0)) {
		*alive = NUM_NIL;
		return;
	}
	*turn = (unsigned)strtoul(end, NULL, 10);
}

/* "DUE NAME": what an entry was due by. */
static void
take_line(struct daemon *d)
{
	char *end;
	double due;
	long i;

	a.line[a.n] = '\0';
	a.n = 0;
	due = strtod(a.line, &end);
	if (end == a.line || *end != ' ')
		return;
	i = schedule_find(d->site.schedule, end + 1);
	if (i < 0)
		return;
	agenda_last(d->site.agenda, (uint32_t)i, due);
	if (due > d->site.entry[i].due)
		d->site.entry[i].due = due;
	a.lines++;
}

static void
hear(struct watch *w, short revents)
{
	struct daemon *d = w->arg;
	char block[4096];
	ssize_t n, i;

	(void)revents;
	while ((n = read(a.out, block, sizeof block)) > 0)
		for (i = 0; i < n; i++) {
			if (block[i] == '\n')
				take_line(d);
			else if (a.n < sizeof a.line - 1)
				a.line[a.n++] = block[i];
		}
}

static void
ended(struct child *c, int w, const struct rusage *used)
{
	struct watch last = { .arg = c->arg };

	(void)used;
	a.child = NULL;
	hear(&last, POLLIN);
	a.ok = WIFEXITED(w) && WEXITSTATUS(w) == 0;
}

static void
too_late(struct timer *t)
{
	(void)t;
	if (a.child != NULL)
		(void)kill(-a.child->pid, SIGKILL);
}

/* One after the other; the loop turns meanwhile. */
static bool
ask(struct daemon *d, const char *role)
{
	static char runner[PATH_MAX];
	char *argv[] = { runner, (char *)(uintptr_t)role,
	    ARG("--state"), d->opt.state, NULL };
	struct start st = { .path = runner, .argv = argv, .what = role,
	    .fd = { -1, -1, d->voice, d->site.fd, -1, -1 }, .ended = ended,
	    .arg = d };
	struct watch *w;
	int p[2];

	daemon_helper(runner, "picket-runner");
	if (pipe2(p, O_CLOEXEC) != 0)
		return false;
	(void)fcntl(p[0], F_SETFL, O_NONBLOCK);
	a.out = p[0];
	a.ok = false;
	st.fd[1] = p[1];
	w = loop_watch(&d->loop, p[0], POLLIN, hear, d);
	a.child = w == NULL ? NULL : children_start(d, &st);
	(void)close(p[1]);
	a.late = (struct timer){ .fire = too_late, .arg = d };
	timer_set(&d->loop, &a.late, clock_steady() + LIM_LAST);
	while (a.child != NULL && !d->stopping)
		loop_turn(&d->loop);
	timer_clear(&d->loop, &a.late);
	watch_end(w);
	(void)close(p[0]);
	return a.ok;
}

bool
alive_start(struct daemon *d)
{
	char path[PATH_MAX + 16];
	double alive;
	unsigned turn;

	(void)snprintf(path, sizeof path, "%s/" ALIVE_FILE, d->opt.state);
	a.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (a.fd == -1) {
		daemon_say(d, SAY_ERROR, "%s: %s", path, strerror(errno));
		return false;
	}
	read_stamp(&alive, &turn);
	/* what killed runs left first: it is among what was due last */
	if (!ask(d, "left"))
		daemon_say(d, SAY_WARNING, "what killed runs have left could "
		    "not be told now");
	if (d->stopping)
		return true;
	if (ask(d, "last"))
		daemon_say(d, SAY_INFO, "%u entries were due before", a.lines);
	else {
		/* then nothing is made up, rather than all done twice */
		daemon_say(d, SAY_WARNING, "it is not known what was due "
		    "last: nothing that was missed is made up");
		alive = NUM_NIL;
	}
	agenda_start(d->site.agenda, alive, turn);
	a.tick = (struct timer){ .fire = tick, .arg = d };
	tick(&a.tick);
	return true;
}
