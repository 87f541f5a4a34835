/*
 * control_do: what the commands of the control socket do and say.  The words
 * of status are read by picket status and picket-http.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/daemon/daemon.h"
#include "engine/vm/clock.h"
#include "lang/base/num.h"

#define LOOK_AGAIN	10.0	/* seconds between looks whether rules may act
				 * again: the clock may be set */
#define LIM_NEAREST	4	/* edits of a name that may be meant */
#define LIM_LINE_SHOWN	300	/* bytes of one privilege that is missing */

/* --- what is held --- */

static void
say_unless_kept(struct daemon *d, char why[200])
{
	if (hold_write(&d->hold, d->state_dir, why, 200)) {
		why[0] = '\0';
		return;
	}
	daemon_say(d, SAY_ERROR, "%s: what is paused and disarmed will not "
	    "be known after a restart", why);
}

/* Whether rules may act, and when to ask again. */
static void
set_armed(struct daemon *d)
{
	char why[200];
	double wait;

	if (d->hold.disarmed && d->hold.until > 0 &&
	    d->hold.until <= clock_wall()) {
		d->hold.disarmed = false;
		d->hold.until = 0;
		daemon_say(d, SAY_NOTICE, "armed: the time is over for which "
		    "rules did nothing");
		say_unless_kept(d, why);
	}
	if (d->disarmed != d->hold.disarmed) {
		d->disarmed = d->hold.disarmed;
		services_arm(d);
	}
	wait = d->hold.until - clock_wall();
	if (d->hold.disarmed && d->hold.until > 0)
		timer_set(&d->loop, &d->rearm, d->loop.now + (wait >
		    LOOK_AGAIN ? LOOK_AGAIN : wait < 0.01 ? 0.01 : wait));
	else
		timer_clear(&d->loop, &d->rearm);
}

static void
on_rearm(struct timer *t)
{
	set_armed(t->arg);
}

static uint32_t
entry_named(const struct daemon *d, const char *name)
{
	long i = schedule_find(d->site.schedule, name);

	return i < 0 ? AGENDA_NONE : (uint32_t)i;
}

static void
set_group(struct daemon *d)
{
	char why[200];

	if (!control_group(&d->control, schedule_setting(d->site.schedule,
	    "control"), why, sizeof why))
		daemon_say(d, SAY_ERROR, "%s: only root and the user of "
		    "picketd may use the control socket", why);
}

void
control_site(struct daemon *d)
{
	uint32_t entry;
	size_t i;

	/* an alert may have been away, and is here again */
	for (i = 0; i < d->hold.n; i++)
		if ((entry = entry_named(d, d->hold.name[i])) != AGENDA_NONE)
			agenda_pause(d->site.agenda, entry, true);
	agenda_pause(d->site.agenda, AGENDA_ALL, d->hold.all);
	set_group(d);
}

/* --- status --- */

static void
put_bool(struct control_client *c, const char *name, bool is)
{
	control_put(c, ",\"%s\":%s", name, is ? "true" : "false");
}

static void
put_number(struct control_client *c, const char *name, double n)
{
	control_put(c, ",\"%s\":", name);
	control_number(c, n);
}

static void
put_text(struct control_client *c, const char *name, const char *s)
{
	control_put(c, ",\"%s\":", name);
	control_string(c, s);
}

static double
or_none(double t)
{
	return t > 0 && isfinite(t) ? t : NUM_NIL;
}

static void
put_head(struct daemon *d, struct control_client *c)
{
	control_put(c, "{\"ok\":true");
	put_text(c, "version", PACKAGE_VERSION);
	put_number(c, "pid", (double)getpid());
	put_number(c, "now", clock_wall());
	put_number(c, "started", d->began);
	put_text(c, "config", d->opt.config);
	put_text(c, "state", d->opt.state);
	put_text(c, "run", d->opt.run);
	put_text(c, "log", logger_where(&d->log));
	put_number(c, "log_lost", (double)d->log.lost_ever);
	put_bool(c, "stopping", d->stopping);
	put_number(c, "loaded", or_none(d->site.loaded));
	control_put(c, ",\"reload\":{\"good\":%s", d->ndiag == 0 ? "true" :
	    "false");
	put_bool(c, "goes_on", d->reloading);
	put_number(c, "time", d->ndiag == 0 ? or_none(d->site.loaded) :
	    d->diag_time);
	control_put(c, ",\"diagnostics\":\"");
}

/* What the compiler said, in pieces; true: there is more. */
static bool
put_diag(struct daemon *d, struct control_client *c)
{
	/* another reload may have come in between */
	if (c->at < d->ndiag)
		c->at += control_inside(c, d->diag + c->at, d->ndiag - c->at,
		    LIM_PIECE - 100);
	return c->at < d->ndiag;
}

static void
put_missing(struct daemon *d, struct control_client *c)
{
	const char *s = d->missing, *comma = "";
	size_t n;

	control_put(c, ",\"missing\":[");
	for (; *s != '\0'; s += n + (s[n] == '\n')) {
		n = strcspn(s, "\n");
		control_put(c, "%s", comma);
		control_text(c, s, n, LIM_LINE_SHOWN);
		comma = ",";
	}
	control_put(c, "]");
}

static void
put_services(struct daemon *d, struct control_client *c)
{
	const struct service *v;
	int i;

	control_put(c, ",\"services\":[");
	for (i = 0; i < SERVICE_COUNT; i++) {
		v = &d->service[i];
		control_put(c, "%s{\"name\":\"%s\"", i > 0 ? "," : "",
		    service_name[i]);
		put_bool(c, "wanted", v->wanted);
		put_bool(c, "missing", v->missing);
		put_number(c, "pid", v->child == NULL ? NUM_NIL :
		    (double)v->child->pid);
		put_number(c, "began", v->child == NULL ? NUM_NIL :
		    clock_wall() - (clock_steady() - v->child->began));
		put_number(c, "crashes", v->crashes);
		control_put(c, "}");
	}
	control_put(c, "]");
}

static void
put_rest(struct daemon *d, struct control_client *c)
{
	control_put(c, "\"}");
	put_bool(c, "paused", d->hold.all);
	put_number(c, "paused_alerts", (double)d->hold.n);
	put_bool(c, "disarmed", d->hold.disarmed);
	put_number(c, "disarmed_until", or_none(d->hold.until));
	put_number(c, "next", or_none(agenda_wake(d->site.agenda)));
	put_number(c, "entries", d->site.n);
	put_number(c, "running", d->nrun);
	put_number(c, "queued", queue_waiting(d->site.queue));
	put_number(c, "oldest", or_none(queue_oldest(d->site.queue)));
	put_number(c, "parallel", d->site.parallel);
	put_number(c, "stuck", d->nstuck);
	put_number(c, "late_max", d->late_max);
	control_put(c, ",\"totals\":{\"reloads\":%llu",
	    (unsigned long long)d->reloads);
#define TOTAL(name) put_number(c, #name, (double)d->name);
	TOTAL(bad_reloads) TOTAL(started) TOTAL(done) TOTAL(failed)
	TOTAL(held) TOTAL(died) TOTAL(stuck) TOTAL(skipped) TOTAL(swept)
	TOTAL(spawn_failed)
#undef TOTAL
	put_number(c, "requests", (double)d->control.requests);
	put_number(c, "refused", (double)d->control.refused);
	control_put(c, "}");
	put_missing(d, c);
}

static const struct run *
run_of(const struct daemon *d, uint32_t i)
{
	const struct run *r;

	for (r = d->run; r < d->run + LIM_RUNS; r++)
		if (r->used && !r->stuck && r->item.entry == i)
			return r;
	return NULL;
}

static void
put_entry(struct daemon *d, struct control_client *c, uint32_t i)
{
	const struct entry *e = &d->site.entry[i];
	const struct run *r = run_of(d, i);
	bool ended = e->end != RUN_END_NONE && (r == NULL || e->took > 0);
	struct schedule_entry s;

	schedule_entry(d->site.schedule, i, &s);
	control_put(c, "%s{\"name\":", i > 0 ? "," : "");
	control_string(c, s.name);
	put_text(c, "level", s.has_level ? level_name[s.level] : NULL);
	put_text(c, "status", status_name[s.status]);
	put_bool(c, "sleeps", (s.flags & ENTRY_SLEEPS) != 0);
	put_bool(c, "paused", d->hold.all || agenda_paused(d->site.agenda, i));
	put_bool(c, "waiting", queue_waits(d->site.queue, i));
	put_number(c, "pid", r == NULL ? NUM_NIL : (double)r->pid);
	put_number(c, "next", or_none(agenda_next(d->site.agenda, i)));
	put_number(c, "due", or_none(e->due));
	put_number(c, "began", or_none(e->began));
	put_text(c, "result", ended ? run_end_word[e->end] : NULL);
	put_number(c, "ended", ended && r == NULL ? or_none(e->began +
	    (double)e->took) : NUM_NIL);
	put_number(c, "took", ended ? (double)e->took : NUM_NIL);
	put_number(c, "cpu", ended ? (double)e->cpu : NUM_NIL);
	put_number(c, "late", e->began > 0 ? (double)e->late : NUM_NIL);
	put_number(c, "exit", ended ? e->exit : NUM_NIL);
	put_number(c, "skipped", queue_skipped(d->site.queue, i));
	control_put(c, "}");
}

/* The stages of an answer: at counts within one. */
enum { HEAD, DIAG, REST, SERVICES, ALERTS };

static bool
piece(struct daemon *d, struct control_client *c, bool brief)
{
	switch (c->stage) {
	case HEAD:
		put_head(d, c);
		c->stage = DIAG;
		break;
	case DIAG:
		if (put_diag(d, c))
			break;
		c->stage = REST;
		c->at = 0;
		break;
	case REST:
		put_rest(d, c);
		c->stage = SERVICES;
		break;
	case SERVICES:
		put_services(d, c);
		if (brief) {
			control_put(c, "}");
			return false;
		}
		control_put(c, ",\"alerts\":[");
		c->stage = ALERTS;
		c->mark = d->site.loaded;
		break;
	default:
		/* numbers of entries are another site's after a reload */
		if (c->mark < d->site.loaded || c->mark > d->site.loaded) {
			control_put(c, "],\"complete\":false}");
			return false;
		}
		if (c->at >= d->site.n) {
			control_put(c, "],\"complete\":true}");
			return false;
		}
		put_entry(d, c, (uint32_t)c->at++);
		break;
	}
	return true;
}

static bool
piece_all(void *arg, struct control_client *c)
{
	return piece(arg, c, false);
}

static bool
piece_brief(void *arg, struct control_client *c)
{
	return piece(arg, c, true);
}

/* --- reload --- */

static bool
piece_reload(void *arg, struct control_client *c)
{
	struct daemon *d = arg;

	switch (c->stage) {
	case HEAD:
		if (d->ndiag == 0) {
			control_put(c, "{\"ok\":true,\"entries\":%u}",
			    d->site.n);
			return false;
		}
		control_put(c, "{\"ok\":false,\"error\":\"the configuration "
		    "is not taken: the one of before stays in force\","
		    "\"diagnostics\":\"");
		c->stage = DIAG;
		return true;
	default:
		if (put_diag(d, c))
			return true;
		control_put(c, "\"}");
		return false;
	}
}

void
control_reloaded(struct daemon *d)
{
	control_wake(&d->control, piece_reload);
}

static void
reload(struct daemon *d, struct control_client *c)
{
	/* one that goes on began before what is asked for was written */
	control_wait(c, d->reloading ? 2 : 1);
	load_again(d);
}

/* --- alerts by name --- */

static void
unknown(struct daemon *d, struct control_client *c, const char *name)
{
	struct str wanted = str_c(name);
	struct schedule_entry e;
	const char *best = NULL;
	unsigned k, least = LIM_NEAREST;
	uint32_t i;

	if (wanted.n / 2 + 1 < least)
		least = (unsigned)wanted.n / 2 + 1;
	for (i = 0; i < d->site.n; i++) {
		schedule_entry(d->site.schedule, i, &e);
		k = str_distance(wanted, str_c(e.name), least);
		if (k < least) {
			least = k;
			best = e.name;
		}
	}
	if (best == NULL)
		control_error(c, "there is no alert \"%.200s\"; see picket "
		    "list", name);
	else
		control_error(c, "there is no alert \"%.200s\"; did you mean "
		    "\"%.200s\"?", name, best);
}

static void
runnow(struct daemon *d, struct control_client *c, const char *name)
{
	uint32_t i = entry_named(d, name);
	const struct run *r;

	if (i == AGENDA_NONE) {
		unknown(d, c, name);
		return;
	}
	if (!runs_now(d, i)) {
		r = run_of(d, i);
		if (r != NULL)
			control_error(c, "%.200s runs already, as process %ld",
			    name, (long)r->pid);
		else
			control_error(c, "%.200s is about to run already: it "
			    "waits for its turn", name);
		return;
	}
	daemon_say(d, SAY_NOTICE, "%s is run now, as user %ld asks", name,
	    (long)c->uid);
	r = run_of(d, i);
	control_put(c, "{\"ok\":true,\"alert\":");
	control_string(c, name);
	put_number(c, "pid", r == NULL ? NUM_NIL : (double)r->pid);
	put_bool(c, "disarmed", d->disarmed);
	control_put(c, "}\n");
}

/* The end of the answer to what was changed. */
static void
put_changed(struct daemon *d, struct control_client *c)
{
	char why[200];

	say_unless_kept(d, why);
	control_put(c, "{\"ok\":true");
	put_bool(c, "paused", d->hold.all);
	put_number(c, "paused_alerts", (double)d->hold.n);
	put_bool(c, "disarmed", d->hold.disarmed);
	put_number(c, "disarmed_until", or_none(d->hold.until));
	put_number(c, "running", d->nrun);
	if (why[0] != '\0') {
		control_put(c, ",\"warning\":");
		control_string(c, why);
	}
	control_put(c, "}\n");
}

/* All names are known, or nothing is done. */
static bool
all_known(struct daemon *d, struct control_client *c,
    const struct control_request *q)
{
	size_t i;

	for (i = 0; i < q->nalert; i++)
		if (entry_named(d, q->alert[i]) == AGENDA_NONE &&
		    !hold_has(&d->hold, q->alert[i])) {
			unknown(d, c, q->alert[i]);
			return false;
		}
	return true;
}

static void
pause_some(struct daemon *d, struct control_client *c,
    const struct control_request *q, bool on)
{
	uint32_t entry;
	size_t i;

	if (!all_known(d, c, q))
		return;
	if (q->nalert == 0) {
		d->hold.all = on;
		if (on)		/* what waits for its turn, too */
			(void)queue_drop(d->site.queue, AGENDA_ALL);
		runs_pause(d, AGENDA_ALL, on);
		daemon_say(d, SAY_NOTICE, "%s by user %ld", on ? "paused" :
		    "resumed", (long)c->uid);
	}
	for (i = 0; i < q->nalert; i++) {
		if (on && !hold_add(&d->hold, q->alert[i])) {
			control_error(c, "%.200s could not be paused: there is "
			    "no memory for it", q->alert[i]);
			return;
		}
		if (!on)
			(void)hold_remove(&d->hold, q->alert[i]);
		entry = entry_named(d, q->alert[i]);
		if (on && entry != AGENDA_NONE)
			(void)queue_drop(d->site.queue, entry);
		if (entry != AGENDA_NONE)
			runs_pause(d, entry, on);
		daemon_say(d, SAY_NOTICE, "%s is %s by user %ld", q->alert[i],
		    on ? "paused" : "resumed", (long)c->uid);
	}
	put_changed(d, c);
}

static void
disarm(struct daemon *d, struct control_client *c,
    const struct control_request *q)
{
	d->hold.disarmed = true;
	d->hold.until = num_none(q->seconds) ? 0 : clock_wall() + q->seconds;
	set_armed(d);
	daemon_say(d, SAY_NOTICE, "disarmed by user %ld: rules tell what they "
	    "would do, and do nothing", (long)c->uid);
	put_changed(d, c);
}

static void
arm(struct daemon *d, struct control_client *c)
{
	d->hold.disarmed = false;
	d->hold.until = 0;
	set_armed(d);
	daemon_say(d, SAY_NOTICE, "armed by user %ld", (long)c->uid);
	put_changed(d, c);
}

static void
act(void *arg, struct control_client *c, const struct control_request *q)
{
	struct daemon *d = arg;

	if (d->stopping && q->command != CONTROL_STATUS &&
	    q->command != CONTROL_PING) {
		control_error(c, "picketd is about to end");
		return;
	}
	switch (q->command) {
	case CONTROL_PING:
		control_put(c, "{\"ok\":true,\"pid\":%ld}\n", (long)getpid());
		break;
	case CONTROL_STATUS:
		control_stream(c, q->brief ? piece_brief : piece_all);
		break;
	case CONTROL_RELOAD:
		reload(d, c);
		break;
	case CONTROL_RUNNOW:
		runnow(d, c, q->alert[0]);
		break;
	case CONTROL_PAUSE:
	case CONTROL_RESUME:
		pause_some(d, c, q, q->command == CONTROL_PAUSE);
		break;
	case CONTROL_DISARM:
		disarm(d, c, q);
		break;
	case CONTROL_ARM:
		arm(d, c);
		break;
	case CONTROL_COUNT:
		break;
	}
}

/* --- the start --- */

static bool
is_ours(void *arg, pid_t pid)
{
	const struct child *c =
	    ((const struct daemon *)arg)->service[SERVICE_HTTP].child;

	return c != NULL && c->pid == pid;
}

/* What people have said last holds wherever the state is. */
static void
read_hold(struct daemon *d)
{
	const char *folder = place_newer(d, HOLD_FILE);
	char why[200];
	int dir = d->state_dir, error = 0;

	if (strcmp(folder, d->opt.state) != 0) {
		dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		error = errno;
	}
	if (hold_read(&d->hold, dir, why, sizeof why) == HOLD_DAMAGED)
		daemon_say(d, SAY_ERROR, "%s/" HOLD_FILE ": %s; what was "
		    "paused is not known, and rules do nothing until picket "
		    "arm", folder, dir == -1 ? strerror(error) : why);
	else if (dir != d->state_dir && !hold_write(&d->hold, d->state_dir, why,
	    sizeof why))
		daemon_say(d, SAY_ERROR, "%s: %s", d->opt.state, why);
	if (dir != d->state_dir && dir != -1)
		(void)close(dir);
}

bool
control_start(struct daemon *d)
{
	char why[400];

	d->state_dir = open(d->opt.state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	read_hold(d);
	d->rearm = (struct timer){ .fire = on_rearm, .arg = d };
	set_armed(d);
	if (d->hold.disarmed || d->hold.all || d->hold.n > 0)
		daemon_say(d, SAY_NOTICE, "from before: %s%s%zu alerts are "
		    "paused", d->hold.disarmed ? "disarmed; " : "",
		    d->hold.all ? "all is paused; " : "", d->hold.n);
	control_init(&d->control, &d->loop, &d->log, act, d);
	d->control.is_ours = is_ours;
	if (!control_listen(&d->control, d->opt.run, why, sizeof why)) {
		daemon_say(d, SAY_ERROR, "%s", why);
		return false;
	}
	control_site(d);
	return true;
}

void
control_end(struct daemon *d)
{
	control_close(&d->control);
	hold_free(&d->hold);
	if (d->state_dir != -1)
		(void)close(d->state_dir);
}
