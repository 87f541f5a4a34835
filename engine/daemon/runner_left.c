/* runner_left: what runs have left that picketd must know of, or people. */
#include <stdio.h>

#include "engine/daemon/runner.h"

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

int
runner_last(struct runner *r)
{
	struct alert_place at;
	struct state *st;
	int status = RUNNER_FINE;

	if (!runner_place(r, &at))
		return RUNNER_PROBLEMS;
	st = alert_state(&at, true);
	if (!state_ask(st, Q_RUN_DUE, NULL, print_due, NULL)) {
		struct str why = state_why(st);

		runner_say("%.*s", (int)why.n, why.p);
		status = RUNNER_PROBLEMS;
	}
	state_free(st);
	if (fflush(stdout) != 0 || ferror(stdout))
		status = RUNNER_PROBLEMS;
	return status;
}
