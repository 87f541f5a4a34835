/*
 * runs_left: what killed runs have left behind in the state, written down by
 * `picket-runner left`, one at a time.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "engine/daemon/daemon.h"

#define LEFT_AGAIN	2.0	/* seconds */
#define LIM_DIED_TEXT	320	/* bytes: seconds, and a name as long as any */

static char runner[PATH_MAX];
static struct {
	struct timer	 left;
	bool		 left_runs, left_wanted;
	/* "DUE NAME" of those that died: one that was killed before its record
	 * began has no other trace */
	char		 died[LIM_RUNS][LIM_DIED_TEXT];
	unsigned	 ndied, nasked;	/* nasked: of them, those it was asked for */
} s;

static void
left_ended(struct child *c, int w, const struct rusage *used)
{
	struct daemon *d = c->arg;

	(void)used;
	s.left_runs = false;
	if (!WIFEXITED(w) || WEXITSTATUS(w) != 0) {
		daemon_say(d, SAY_WARNING, "picket-runner left did not end "
		    "well: what killed runs left is told later");
		timer_set(&d->loop, &s.left, d->loop.now + 15 * LEFT_AGAIN);
	} else {
		s.ndied -= s.nasked;
		memmove(s.died, s.died + s.nasked, s.ndied * sizeof *s.died);
		if (s.left_wanted)
			timer_set(&d->loop, &s.left, d->loop.now);
	}
	s.nasked = 0;
	services_poke(d);
}

static void
start_left(struct timer *t)
{
	struct daemon *d = t->arg;
	char *argv[5 + 2 * LIM_RUNS] = { runner, ARG("left"), ARG("--state"),
	    d->opt.state };
	unsigned n = 4, i;
	struct start st = { .path = runner, .argv = argv, .what = "left",
	    .fd = { -1, d->voice, d->voice, d->site.fd, -1, -1 }, .ended = left_ended,
	    .arg = d };

	if (s.left_runs)
		return;
	for (i = 0; i < s.ndied; i++) {
		argv[n++] = ARG("--died");
		argv[n++] = s.died[i];
	}
	argv[n] = NULL;
	s.left_wanted = false;
	s.left_runs = children_start(d, &st) != NULL;
	s.nasked = s.left_runs ? s.ndied : 0;
	if (!s.left_runs) {
		s.left_wanted = true;
		timer_set(&d->loop, t, d->loop.now + LEFT_AGAIN);
	}
}

void
runs_left(struct daemon *d)
{
	s.left_wanted = true;
	if (!s.left.set)
		timer_set(&d->loop, &s.left, d->loop.now + 0.1);
}

/* More than there is room for, while left cannot be asked, are not named. */
void
runs_note_died(const struct run *r)
{
	struct schedule_entry e;
	int n;

	if (isnan(r->item.due) || r->item.entry == AGENDA_NONE ||
	    s.ndied == LIM_RUNS)
		return;
	schedule_entry(r->d->site.schedule, r->item.entry, &e);
	n = snprintf(s.died[s.ndied], LIM_DIED_TEXT, "%.6f %s", r->item.due,
	    e.name);
	s.ndied += n > 0 && n < LIM_DIED_TEXT;
}

void
runs_left_init(struct daemon *d)
{
	daemon_helper(runner, "picket-runner");
	s.left = (struct timer){ .fire = start_left, .arg = d };
}
