/* runner_left: what runs have left that picketd must know of, or people. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/daemon/runner.h"
#include "engine/effect/trail.h"
#include "engine/vm/clock.h"
#include "lang/base/num.h"

/*
 * One row for each alert and due: where there is one, of the run's own end or
 * of its record, this changes nothing.
 */
static bool
add_died(struct runner *r, struct state *st)
{
	struct batch *b = batch_new(&r->mem);
	struct str text, name, why;
	double due, now = clock_wall();
	size_t i, blank;
	bool ok;

	for (i = 0; i < r->ndied; i++) {
		text = str_c(r->died[i]);
		blank = str_find(text, ' ', 0);
		due = num_parse(str_of(text.p, blank), false);
		name = str_of(text.p + blank + 1, text.n - blank - 1);
		if (!num_fine(due) || name.n == 0)
			continue;
		batch_row(b, Q_RUN_ADD, (struct param[]){ PT(text), PT(name),
		    PT(image_dir(r->image)), PN(due), PN(now),
		    PT(STR_LIT("interrupted")), PN(NUM_NIL), PN(due),
		    PT(STR_LIT("scheduled")), PN(NUM_NIL), PT(STR_LIT("it was "
		    "killed before it began")), PN(NUM_NIL) });
	}
	ok = batch_is_empty(b) || state_commit(st, b, false);
	if (!ok) {
		why = state_why(st);
		runner_say("%.*s", (int)why.n, why.p);
	}
	batch_free(b);
	return ok;
}

#define LIM_ENVIRON	8192	/* bytes: that of a script's command is short */
#define LIM_SWEEPS	200	/* looks at all processes: four seconds */

/* --- processes that killed runs have left --- */

/* id: "PICKET_RUN_ID=..."; mark: spawn_mark of it. */
static bool
is_of(const char *id, uint64_t mark, long pid)
{
	char text[LIM_ENVIRON + 1], *p;
	size_t n = 0;
	ssize_t k;
	int fd;

	if ((spawn_mark_of((pid_t)pid) & ~SPAWN_MARK_EXEC) == mark)
		return true;
	(void)snprintf(text, sizeof text, "/proc/%ld/environ", pid);
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	while (n < LIM_ENVIRON && (k = read(fd, text + n, LIM_ENVIRON - n)) > 0)
		n += (size_t)k;
	(void)close(fd);
	text[n] = '\0';
	for (p = text; p < text + n; p += strlen(p) + 1)
		if (strcmp(p, id) == 0)
			return true;
	return false;
}

/* Again and again, until there is none: while some are ended others start. */
static void
sweep(const char *id)
{
	struct timespec tick = { 0, 20000000 };
	uint64_t mark = spawn_mark(id + sizeof SPAWN_RUN_ID);
	struct dirent *e;
	unsigned turn, found = 1, all = 0;
	DIR *proc;
	long pid;

	for (turn = 0; turn < LIM_SWEEPS && found > 0; turn++) {
		found = 0;
		proc = opendir("/proc");
		if (proc == NULL)
			return;
		while ((e = readdir(proc)) != NULL) {
			pid = strtol(e->d_name, NULL, 10);
			if (pid > 0 && is_of(id, mark, pid) &&
			    kill((pid_t)pid, SIGKILL) == 0)
				found++;
		}
		(void)closedir(proc);
		all += found;
		if (found > 0)
			nanosleep(&tick, NULL);
	}
	if (all > 0)
		runner_say("processes that killed runs have left are ended: "
		    "%u", all);
}

/*
 * Whoever has the trail of a killed run does this, not only `left`: a runner
 * may outlive the picketd that started it and be killed then, and no other
 * picketd hears of that before the next run of its alert.
 */
void
runner_sweep(struct mem *m, struct str run)
{
	struct buf id;

	buf_init(&id, m);
	buf_printf(&id, SPAWN_RUN_ID "=%.*s", (int)run.n, run.p);
	sweep(buf_c(&id));
	buf_free(&id);
}

int
runner_left(struct runner *r)
{
	struct alert_place at;
	struct state *st;
	bool ok;

	if (!runner_place(r, &at))
		return RUNNER_PROBLEMS;
	st = alert_state(&at, false);
	ok = alert_left_all(&at, st);
	ok = add_died(r, st) && ok;
	state_free(st);
	return ok ? RUNNER_FINE : RUNNER_PROBLEMS;
}

/* alert, seconds */
static void
print_due(void *arg, const struct str *column, unsigned n)
{
	(void)arg;
	/* a name is a word of alerts.cfg or of a script: it has no newline */
	if (n == 2 && printf("%.*s %.*s\n", (int)column[1].n, column[1].p,
	    (int)column[0].n, column[0].p) < 0)
		return;
}

static void
print_head(void *arg, const struct trail_head *h)
{
	char t[NUM_TEXT_MAX];

	(void)arg;
	if (num_fine(h->due))
		(void)printf("%.*s %.*s\n", (int)num_text(h->due, t), t,
		    (int)h->alert.n, h->alert.p);
}

/*
 * The trails of runs that go on, and the rows of those that have ended: a
 * picketd that was killed and started again must not do either twice.  In
 * this order, as one that ends now has its row before its trail goes.
 */
int
runner_last(struct runner *r)
{
	struct alert_place at;
	struct state *st;
	struct buf why;
	struct str s;
	int status = RUNNER_FINE;

	if (!runner_place(r, &at))
		return RUNNER_PROBLEMS;
	buf_init(&why, &r->mem);
	if (!trail_heads(&r->mem, at.state, print_head, NULL, &why)) {
		runner_say("%s", buf_c(&why));
		status = RUNNER_PROBLEMS;
	}
	buf_free(&why);
	st = alert_state(&at, true);
	if (!state_ask(st, Q_RUN_DUE, NULL, print_due, NULL)) {
		s = state_why(st);
		runner_say("%.*s", (int)s.n, s.p);
		status = RUNNER_PROBLEMS;
	}
	state_free(st);
	if (fflush(stdout) != 0 || ferror(stdout))
		status = RUNNER_PROBLEMS;
	return status;
}
