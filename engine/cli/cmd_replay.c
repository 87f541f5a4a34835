/*
 * cmd_replay: a script over old logs, with the clock of their time stamps.
 * What it would have told and done is summed up; nothing is done, and no
 * command that it asks is run.
 *
 * The lines are parted into runs by the times at which the script runs: those
 * of its alert, its own, or --step.  Runs without lines are made, too, as
 * incidents end and are reminded of by them; but not for ever, where nothing
 * is open and nothing was told for REPLAY_QUIET runs.
 */
#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "engine/cli/plan.h"
#include "engine/cli/replay.h"
#include "engine/deliver/window.h"
#include "engine/sched/calendar.h"
#include "engine/vm/clock.h"
#include "engine/vm/when.h"

#define REPLAY_STEP	300.0	/* seconds: what most scripts run at */
#define REPLAY_QUIET	12	/* runs in which nothing was: an hour of such */
#define REPLAY_LOOK	0.2	/* seconds between looks at the progress */
#define LIM_REPLAY_BARE	10000	/* runs in a row without lines, although incidents
				 * are open: a month of every five minutes,
				 * and one wrong stamp must not make millions */

struct replay {
	struct cli	*c;
	struct plan	 plan;
	const struct program *program;
	struct logs	*logs;
	struct sim	*sim;
	struct replay_sum *sum;
	struct replay_about about;
	double		 from, to;	/* NIL: not said */
	/* when it runs */
	double		 every;		/* seconds; 0: by the timings */
	const struct cron *cron[LIM_CLI_LIST];
	size_t		 ncron;
	struct cron	 own;
	char		 step[80];
	/* the run at hand */
	struct buf	 lines;
	double		 end;		/* NIL: there is none yet */
	unsigned	 quiet, bare;	/* runs in a row */
	/* progress */
	bool		 tty;
	double		 begun, told;
	struct buf	 why;
};

/* --- when it runs --- */

/* When the run is that gets a line of that time. */
static double
run_after(const struct replay *r, double t)
{
	double next = INFINITY, at;
	size_t i;

	if (r->every > 0)
		return calendar_every(r->every, t);
	for (i = 0; i < r->ncron; i++) {
		at = calendar_after(NULL, r->cron[i], t);
		if (at < next)
			next = at;
	}
	return next;
}

static void
take_every(struct replay *r, double seconds)
{
	char span[WHEN_SPAN_MAX];

	r->every = seconds;
	snprintf(r->step, sizeof r->step, "every %.*s",
	    (int)when_span(seconds, span), span);
}

static void
take_cron(struct replay *r, const struct cron *c, struct str text)
{
	if (r->ncron == LIM_CLI_LIST)
		return;
	r->cron[r->ncron++] = c;
	snprintf(r->step, sizeof r->step, "at %.*s%s",
	    text.n < 60 ? (int)text.n : 60, text.p, r->ncron > 1 ? " ..." :
	    "");
}

/* --step, the alert's times, the script's own, or REPLAY_STEP. */
static bool
take_step(struct replay *r)
{
	const struct site_alert *a = r->plan.alert;
	const char *step = r->c->value[OPT_STEP];
	struct cron_fault fault;
	double d;
	size_t i;

	if (step != NULL) {
		d = num_parse_duration(str_c(step));
		if (!(d >= 1 && d <= 31 * 86400.0)) {
			cli_say("--step wants a duration from 1s to 31d, not "
			    "'%s'", step);
			return false;
		}
		take_every(r, d);
		return true;
	}
	if (a != NULL && a->every > 0)
		take_every(r, a->every);
	else if (a != NULL && a->ntiming > 0)
		for (i = 0; i < a->ntiming; i++)
			take_cron(r, &a->timing[i].cron, a->timing[i].text);
	else if (r->program->every > 0)
		take_every(r, r->program->every);
	else if (!str_none(r->program->timing) &&
	    cron_parse(r->program->timing, &r->own, &fault))
		take_cron(r, &r->own, r->program->timing);
	else
		take_every(r, REPLAY_STEP);
	return true;
}

/* --- what is asked for --- */

static bool
take_moment(const char *name, const char *text, bool last, double *t)
{
	struct buf why;
	struct mem mem;
	jmp_buf fail;
	bool ok;

	*t = NUM_NIL;
	if (text == NULL)
		return true;
	mem_init(&mem, 65536, &fail);
	if (setjmp(fail) != 0)
		return false;
	buf_init(&why, &mem);
	ok = window_moment(str_c(text), last, t, &why);
	if (ok && last && strchr(text, ':') != NULL)
		*t += 60;	/* the minute is meant, too */
	if (!ok) {
		*t = when_parse(text, "%Y-%m-%d", clock_wall());
		ok = !num_none(*t);
		if (ok && last)
			*t = when_parse(text, "%Y-%m-%d", clock_wall()) +
			    86400;
	}
	buf_free(&why);
	if (!ok)
		cli_say("--%s wants a day or a moment, such as 2000-04-25 or "
		    "'2000-04-25 00:17', not '%s'", name, text);
	return ok;
}

static bool
reads_lines(const struct program *p)
{
	return p->has_rules && p->input != INPUT_TABLE &&
	    (p->input != INPUT_NONE || p->standalone);
}

/* The one script that reads lines. */
static bool
take_script(struct replay *r)
{
	const struct program *p;
	struct buf names;
	size_t i, n = 0;

	buf_init(&names, &r->c->mem);
	for (i = 0; i < r->plan.n; i++) {
		p = &r->plan.program[i];
		if (!reads_lines(p))
			continue;
		r->program = p;
		buf_puts(&names, n++ > 0 ? ", " : "");
		buf_str(&names, p->name);
	}
	if (n == 0)
		cli_say("%s: no script of it has lines to read", r->c->arg[0]);
	else if (n > 1)
		cli_say("%s: these read lines: %s; a replay is of one script",
		    r->c->arg[0], buf_c(&names));
	buf_free(&names);
	return n == 1;
}

/* --- runs --- */

static void
progress(struct replay *r, bool last)
{
	struct logs_sum sum;
	double now;
	char text[100], when[20] = "";
	time_t t = (time_t)(num_none(r->end) ? 0 : r->end);
	struct tm tm;
	int n;

	if (!r->tty)
		return;
	now = clock_steady();
	if (last && r->told > r->begun) {
		(void)cli_write(2, STR_LIT("\r\033[K"));
		return;
	}
	if (last || now - r->told < REPLAY_LOOK)
		return;
	r->told = now;
	logs_count(r->logs, &sum);
	if (localtime_r(&t, &tm) != NULL)
		(void)strftime(when, sizeof when, "%Y-%m-%d %H:%M", &tm);
	n = snprintf(text, sizeof text, "\r\033[K%s  %.0f %%  %.0f lines, "
	    "%.0f runs", when, sum.all > 0 ? 100 * sum.done / sum.all : 0,
	    sum.nline, r->about.runs);
	(void)cli_write(2, str_of(text, (size_t)n));
}

/* False: the sim is gone, and it was said. */
static bool
run(struct replay *r)
{
	struct recorded *world = sim_world(r->sim);
	struct sim_result res;
	bool some = r->lines.n > 0;

	recorded_set_clock(world, r->end);
	recorded_set_input(world, buf_view(&r->lines));
	recorded_forget(world);
	if (!sim_run(r->sim, &r->program, 1, r->about.doexec, &res, &r->why)) {
		cli_say("%s", buf_c(&r->why));
		return false;
	}
	if (replay_sum_add(r->sum, &res, world, r->end))
		some = true;
	if (res.nscript > 0)
		r->about.read += res.script[0].lines;
	r->bare = r->lines.n > 0 ? 0 : r->bare + 1;
	r->quiet = some ? 0 : r->quiet + 1;
	r->about.runs++;
	r->about.end = r->end;
	buf_clear(&r->lines);
	progress(r, false);
	return true;
}

/* All runs before the line's own. */
static bool
run_until(struct replay *r, double t)
{
	double next, left;

	while (r->end <= t) {
		if (!run(r))
			return false;
		next = run_after(r, r->end);
		/* nothing goes on: the runs up to the line would be alike */
		if (next <= t && (r->bare >= LIM_REPLAY_BARE ||
		    (r->quiet >= REPLAY_QUIET && r->quiet % REPLAY_QUIET == 0 &&
		    !sim_is_open(r->sim)))) {
			next = run_after(r, t);
			left = r->every > 0 ? floor((next - r->end) /
			    r->every) - 1 : 1;
			if (left > 0)
				r->about.skipped += left;
			r->bare = 0;
		}
		r->end = next;
	}
	return true;
}

static bool
run_all(struct replay *r)
{
	struct str line;
	double t;

	while (logs_next(r->logs, &line, &t)) {
		if ((!num_none(r->from) && t < r->from) ||
		    (!num_none(r->to) && t >= r->to)) {
			r->about.left_out++;
			continue;
		}
		if (num_none(r->end)) {
			r->about.begin = t;
			r->end = run_after(r, t);
			if (isinf(r->end)) {
				cli_say("%s never runs: name a --step",
				    r->c->arg[0]);
				return false;
			}
		} else if (!run_until(r, t))
			return false;
		buf_str(&r->lines, line);
		buf_putc(&r->lines, '\n');
	}
	if (num_none(r->end)) {
		cli_say("no line is of the time that --from and --to say");
		return false;
	}
	return run(r);
}

static bool
open_sim(struct replay *r)
{
	struct cli *c = r->c;
	struct sim_options o;
	struct buf program;
	struct str *args;

	memset(&o, 0, sizeof o);
	buf_init(&program, &c->mem);
	spawn_helper(&program, STATE_PROGRAM);
	o.mem = &c->mem;
	o.store = buf_c(&program);
	o.conf = &c->conf;
	o.alert = r->plan.name;
	o.facts.objects = c->site == NULL ? NULL : cli_objects(c, c->site);
	args = arena_zalloc(&c->arena, sizeof *args);
	o.facts.arg = args;
	/* what a script reads is given, whether this host has such a log or
	 * not; as with picket run --input */
	o.facts.infile = str_c(c->arg[1]);
	o.dry = true;
	r->sim = sim_new(&o, &r->why);
	buf_free(&program);
	if (r->sim == NULL) {
		cli_say("%s", buf_c(&r->why));
		return false;
	}
	recorded_set_host(sim_world(r->sim), cli_hostname(c));
	return true;
}

static int
replay(struct replay *r)
{
	struct cli *c = r->c;
	struct buf b;
	int status = EXIT_FINE;
	bool ok;

	r->sum = replay_sum_new(&c->mem);
	ok = run_all(r);
	progress(r, true);
	r->about.took = clock_steady() - r->begun;
	logs_count(r->logs, &r->about.logs);
	r->about.stamp = logs_stamp(r->logs);
	if (!logs_close(r->logs))
		status = EXIT_PROBLEMS;
	if (ok) {
		buf_init(&b, &c->mem);
		if (c->given[OPT_JSON])
			replay_sum_json(r->sum, &r->about, &b);
		else
			replay_sum_text(r->sum, &r->about, &b);
		if (!cli_write(1, buf_view(&b)))
			status = EXIT_PROBLEMS;
		buf_free(&b);
		if (replay_sum_failed(r->sum) > 0) {
			cli_say("%.0f of %.0f runs ended badly",
			    replay_sum_failed(r->sum), r->about.runs);
			status = EXIT_PROBLEMS;
		}
	} else
		status = EXIT_PROBLEMS;
	replay_sum_free(r->sum);
	return status;
}

int
cmd_replay(struct cli *c)
{
	struct replay *r = arena_zalloc(&c->arena, sizeof *r);
	int status;

	if (c->narg < 2) {
		if (c->narg == 1)
			cli_say("replay wants the logs, too: picket replay "
			    "%s LOG...", c->arg[0]);
		cli_usage(c, CMD_REPLAY, 2);
		return EXIT_USAGE;
	}
	r->c = c;
	r->end = r->about.begin = r->about.end = NUM_NIL;
	buf_init(&r->lines, &c->mem);
	buf_init(&r->why, &c->mem);
	if (!take_moment("from", c->value[OPT_FROM], false, &r->from) ||
	    !take_moment("to", c->value[OPT_TILL], true, &r->to))
		return EXIT_USAGE;
	if (!cli_configuration(c, c->value[OPT_CONFIG]))
		return EXIT_USAGE;
	c->logdir = c->conf.value[CONF_LOGDIR];
	status = plan_make(c, &r->plan);
	if (status < 0) {
		status = EXIT_USAGE;
		r->tty = isatty(2) == 1;
		if (take_script(r) && take_step(r)) {
			status = EXIT_PROBLEMS;
			r->begun = r->told = clock_steady();
			r->about.c = c;
			r->about.script = r->program->name;
			r->about.file = c->arg + 1;
			r->about.nfile = c->narg - 1;
			r->about.step = r->step;
			r->about.doexec = r->program->doexec ||
			    cli_define(c, "doexec");
			r->logs = logs_open(c, c->arg + 1, c->narg - 1,
			    c->value[OPT_STAMP]);
			if (r->logs != NULL && open_sim(r))
				status = replay(r);
			sim_free(r->sim);
		}
	}
	cli_unload(&r->plan.loaded);
	site_free(c->site);
	buf_free(&r->lines);
	buf_free(&r->why);
	return status;
}
