/*
 * runner_tell: what picketd has to say of itself: an incident, with its
 * history, mail, reminders and silences, as those of rules.  Why here: picketd
 * neither speaks to the store nor composes mail.
 *
 *	picket-runner tell --state DIR --key KEY --firing|--resolved
 *	    --message TEXT
 *
 * Where nothing can be kept it goes by mail, at once.
 *
 * Each key is of a script of its own, "picketd" in the alert picketd, whose
 * runs these are: so one key says nothing of the others.
 */
#include <stdio.h>
#include <time.h>

#include "engine/daemon/runner.h"
#include "engine/deliver/tell.h"
#include "engine/vm/clock.h"
#include "lang/base/num.h"

#define TELL_ALERT	"picketd"
#define TELL_LEVEL	LEVEL_CRITICAL	/* what watches the host is not well */

static double
uptime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (double)ts.tv_sec;
}

int
runner_tell(struct runner *r)
{
	struct alert_place at;
	struct tell_options o;
	struct tell_script s;
	struct run_result result;
	struct run_seen seen;
	struct state *st;
	struct tell *t;
	struct str why;
	char id[80];
	bool open, told;

	if (!runner_place(r, &at))
		return RUNNER_PROBLEMS;
	st = alert_state(&at, false);
	(void)snprintf(id, sizeof id, "picketd.%.6f.%ld", clock_wall(),
	    (long)getpid());
	memset(&o, 0, sizeof o);
	o.mem = &r->mem;
	o.state = st;
	o.folder = at.state;
	o.conf = at.conf;
	o.alert = STR_LIT(TELL_ALERT);
	o.origin = STR_LIT(TELL_ALERT);
	o.run = str_c(id);
	o.group = at.group;
	o.ngroup = at.ngroup;
	o.uptime = uptime();
	o.say = at.say;
	o.arg = at.say_arg;

	memset(&seen, 0, sizeof seen);
	seen.seen.key = str_c(r->key);
	seen.seen.when = r->firing;
	seen.seen.level = TELL_LEVEL;
	seen.seen.message = str_c(r->message);
	seen.seen.evidence = STR_EMPTY;
	seen.seen.unless = STR_NIL;
	seen.seen.place = STR_LIT(TELL_ALERT);
	memset(&result, 0, sizeof result);
	result.good = result.complete = true;
	result.seen = &seen;
	result.nseen = 1;
	buf_init(&result.error, &r->mem);
	buf_init(&result.done, &r->mem);
	memset(&s, 0, sizeof s);
	s.owner = (struct state_owner){ STR_LIT(TELL_ALERT), str_c(r->key) };
	s.incidents = true;
	s.result = &result;
	s.section.level = TELL_LEVEL;
	s.section.script = str_c(r->key);
	s.section.task = s.section.lines = s.section.error =
	    s.section.done = STR_EMPTY;

	t = tell_new(&o);
	open = tell_open(t);
	tell_script(t, &s);
	told = open && tell_commit(t, NULL, NULL);
	if (!told) {
		why = state_why(st);
		runner_say("picketd: %s is not kept: %.*s", r->key,
		    (int)why.n, why.p);
		/* people hear of it all the same; that all is well again
		 * can wait */
		told = r->firing && alert_direct(&at, t, why);
	}
	tell_free(t);
	state_free(st);
	return told ? RUNNER_FINE : RUNNER_PROBLEMS;
}
