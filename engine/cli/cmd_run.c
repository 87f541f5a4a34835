/* cmd_run: the scripts of one file, once, and their mail. */
#include <sys/resource.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "engine/cli/alert.h"
#include "engine/cli/plan.h"
#include "engine/deliver/address.h"
#include "engine/deliver/words.h"
#include "engine/vm/clock.h"

#define MAILCMD_TIMEOUT	60.0	/* seconds: as in conf.def */

/* The run that a signal ends; the handler's only way to it. */
static struct live *volatile running;
static volatile sig_atomic_t interrupted;

static void
on_signal(int sig)
{
	struct live *l = running;

	interrupted = sig;
	if (l != NULL)
		live_interrupt(l, sig);
}

static void
catch_signals(void)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa;
	size_t i;

	memset(&sa, 0, sizeof sa);
	sa.sa_handler = on_signal;
	sigemptyset(&sa.sa_mask);
	for (i = 0; i < sizeof sigs / sizeof sigs[0]; i++) {
		struct sigaction old;

		/* under nohup HUP stays ignored */
		if (sigaction(sigs[i], NULL, &old) == 0 &&
		    old.sa_handler == SIG_IGN)
			continue;
		(void)sigaction(sigs[i], &sa, NULL);
	}
}

/* Who gets the mail: --mailto, else the configuration's. */
static bool
recipients(struct alert *a)
{
	struct cli *c = a->c;
	const char *fault;
	size_t i;

	for (i = 0; i < c->nmailto; i++)
		if ((fault = address_fault(c->mailto[i])) != NULL) {
			cli_say("--mailto %s: %s", c->mailto[i].p, fault);
			return false;
		}
	if (c->nmailto > 0) {
		a->mailto = c->mailto;
		a->nmailto = c->nmailto;
	}
	return true;
}

static void
run_one(struct alert *a, const struct program *p)
{
	struct run_result *r = &a->result[a->n];
	struct mail_section *s = &a->section[a->n];
	int fd;

	a->program[a->n++] = p;
	a->o.program = p;
	a->o.doexec = p->doexec || cli_define(a->c, "doexec");
	a->o.dry = a->dry || p->status == STATUS_TESTING;
	if (p->status == STATUS_TESTING && !a->dry)
		cli_say("%.*s: status testing: effects are only told of",
		    (int)p->name.n, p->name.p);
	/* a program of one's own reads what is given to it, as awk does */
	fd = a->o.input_fd;
	if (fd < 0 && p->standalone && p->has_rules && p->input == INPUT_NONE)
		a->o.input_fd = STDIN_FILENO;
	run_script(&a->o, r);
	a->o.input_fd = fd;
	if ((r->end != RUN_OK && r->end != RUN_SUPPRESSED) || r->out_lost ||
	    r->state_lost)
		a->failed = true;
	if (r->status >= 0)
		a->status = r->status;
	if (a->o.dry) {
		struct buf b;

		buf_init(&b, &a->c->mem);
		if (r->end == RUN_SUPPRESSED)
			buf_printf(&b, "dry-run: %.*s\n", (int)r->error.n,
			    r->error.p);
		buf_printf(&b, "dry-run: %.*s: %zu effect%s, none done\n",
		    (int)p->name.n, p->name.p, r->effects,
		    r->effects == 1 ? "" : "s");
		(void)cli_write(1, buf_view(&b));
		buf_free(&b);
	}
	s->level = p->level;
	s->script = p->name;
	s->task = buf_view(&r->task);
	s->lines = s->error = STR_EMPTY;
	if (p->status == STATUS_TESTING && !a->dry) {
		buf_clear(&r->mail_to);	/* told of, and not sent */
		buf_clear(&r->print);
		return;
	}
	s->lines = buf_view(&r->mail);
	s->error = r->end == RUN_SUPPRESSED ? STR_EMPTY : buf_view(&r->error);
}

static struct str
mail_command(const struct cli *c, const struct site_alert *a)
{
	size_t i;

	if (a != NULL && !str_none(a->mailcmd))
		return a->mailcmd;
	for (i = 0; i < c->conf.ntransport; i++)
		if (c->conf.transport[i].kind == TRANSPORT_MAILCMD)
			return c->conf.transport[i].target;
	return STR_EMPTY;
}

static void
say_state(void *arg, struct str text)
{
	(void)arg;
	cli_say("%.*s", (int)text.n, text.p);
}

/* The client; the store itself starts when a script asks for it. */
static void
open_state(struct alert *a)
{
	struct state_options o;
	struct buf program;

	memset(&o, 0, sizeof o);
	o.path = state_path(a->c, STATE_FILE);
	if (str_none(o.path))
		return;
	buf_init(&program, &a->c->mem);
	spawn_helper(&program, STATE_PROGRAM);
	o.mem = &a->c->mem;
	o.program = buf_c(&program);
	o.read_only = a->dry;
	o.say = say_state;
	a->o.state = state_new(&o);
	buf_free(&program);
}

static int
open_input(struct cli *c)
{
	const char *path = c->value[OPT_INPUT];

	return path == NULL ? -1 : cli_open(path);
}

/* The alert's own ways: its mail goes by its command, then by the others. */
static void
take_ways(struct alert *a)
{
	const struct site_alert *s = a->site;
	struct conf *conf = &a->c->conf;
	struct transport t;
	struct buf b;

	if (!str_none(s->mailfrom))
		a->mailfrom = s->mailfrom;
	if (!str_none(s->lpcmd))
		conf->value[CONF_LPCMD] = s->lpcmd;
	if (s->nmailto > 0 && a->c->nmailto == 0) {
		a->mailto = s->mailto;
		a->nmailto = s->nmailto;
	}
	if (!str_none(s->webhook)) {
		buf_init(&b, &a->c->mem);
		cli_webhook(s->webhook, &b);
		a->also = arena_dup(&a->c->arena, buf_view(&b));
		buf_free(&b);
	}
	if (str_none(s->mailcmd))
		return;
	memset(&t, 0, sizeof t);
	t.kind = TRANSPORT_MAILCMD;
	t.target = s->mailcmd;
	t.ca = t.user = t.passfile = t.name = STR_NIL;
	t.timeout = MAILCMD_TIMEOUT;
	buf_init(&b, &a->c->mem);
	transport_format(&t, &b);
	a->first = arena_dup(&a->c->arena, buf_view(&b));
	buf_free(&b);
}

/* Priority and nicecmd.  The latter starts picket anew, once. */
static void
take_priority(struct cli *c, const struct site_alert *a)
{
	static const char mark[] = "PICKET_NICED";
	const char **argv;
	struct buf b;
	size_t i, n;

	if (a->has_priority && setpriority(PRIO_PROCESS, 0, a->priority) != 0)
		cli_say("priority %d: %s", a->priority, strerror(errno));
	if (str_none(a->nicecmd) || a->nicecmd.n == 0 || getenv(mark) != NULL) {
		(void)unsetenv(mark);
		return;
	}
	for (n = 0; c->argv[n] != NULL; )
		n++;
	argv = arena_alloc(&c->arena, (n + 5) * sizeof *argv);
	buf_init(&b, &c->mem);
	buf_puts(&b, "exec ");
	buf_str(&b, a->nicecmd);
	buf_puts(&b, " \"$@\"");
	argv[0] = "sh";
	argv[1] = "-c";
	argv[2] = buf_c(&b);
	argv[3] = "sh";
	argv[4] = c->self;
	for (i = 1; i <= n; i++)
		argv[4 + i] = c->argv[i];
	(void)setenv(mark, "1", 1);
	(void)execv("/bin/sh", (char *const *)(uintptr_t)argv);
	cli_say("nicecmd: %s", strerror(errno));
	(void)unsetenv(mark);
	buf_free(&b);
}

/* How long a script of the alert may run: its interval, within reason. */
static double
time_allowed(const struct site_alert *a)
{
	if (a->timeout > 0)
		return a->timeout;
	return a->every < RUN_TIMEOUT ? RUN_TIMEOUT : a->every > 86400 ?
	    86400 : a->every;
}

/* What every script of the run is given. */
static void
set_options(struct alert *a, const struct plan *p)
{
	struct cli *c = a->c;
	struct str *args;
	size_t i;

	args = arena_zalloc(&c->arena, (c->narg + 1) * sizeof *args);
	for (i = 1; i < c->narg; i++)
		args[i - 1] = str_c(c->arg[i]);
	a->o.trace = c->given[OPT_TRACE];
	a->o.root = c->value[OPT_ROOT];
	a->o.facts.alert = p->name;
	a->o.facts.objects = c->site == NULL ? NULL : cli_objects(c, c->site);
	a->o.timeout = p->alert == NULL ? 0 : time_allowed(p->alert);
	a->o.facts.mailcmd = mail_command(c, p->alert);
	a->o.facts.lpcmd = c->conf.value[CONF_LPCMD];
	a->o.facts.infile = c->given[OPT_INPUT] ? str_c(c->value[OPT_INPUT]) :
	    STR_EMPTY;
	a->o.facts.arg = args;
	a->o.facts.narg = (unsigned)c->narg - 1;
	a->o.facts.runs = 1;
	a->o.path = c->conf.value[CONF_PATH];
	a->o.protect = c->conf.protect;
	a->o.nprotect = c->conf.nprotect;
	a->o.logdir = a->dry ? STR_NIL : c->logdir;
	a->o.state_home = state_home(c);
	a->o.run_id = a->run_id;
	a->o.out_fd = 1;
	a->o.err_fd = 2;
	a->o.colour = c->colour_out;
	a->o.running = &running;
}

/*
 * The lock of the alert, and the record of what its run does.  A run that
 * only reads and prints needs neither.  False: another one goes on.
 */
static bool
take_trail(struct alert *a, const struct plan *p)
{
	struct str folder = state_home(a->c);
	struct trail_head head = { str_c(a->run_id), a->name, a->origin,
	    a->began };
	struct timespec tick = { 0, 100000000 };
	double left = RUN_TIMEOUT;	/* by no clock: a test's may stand */
	struct buf name, why;
	enum trail_got got = TRAIL_NONE;
	bool waits = p->alert == NULL || p->alert->overlap == OVERLAP_QUEUE;
	size_t i;

	for (i = 0; i < p->n && !run_leaves_traces(&p->program[i]); i++)
		;
	if (a->dry || str_none(folder) || i == p->n)
		return true;
	buf_init(&name, &a->c->mem);
	buf_init(&why, &a->c->mem);
	buf_str(&name, a->name);
	if (p->alert == NULL) {		/* of files each for itself */
		buf_putc(&name, ' ');
		buf_str(&name, p->program[0].name);
	}
	for (;;) {
		buf_clear(&why);
		got = trail_open(&a->trail, &a->c->mem, folder,
		    buf_view(&name), &why);
		if (got != TRAIL_HELD || !waits || interrupted || left <= 0)
			break;
		nanosleep(&tick, NULL);
		left -= 0.1;
	}
	if (got == TRAIL_HELD)
		cli_say("%.*s: %s; this run is skipped", (int)a->name.n,
		    a->name.p, buf_c(&why));
	else if (got == TRAIL_GOT) {
		(void)alert_left(a, a->trail);
		trail_begin(a->trail, &head);
	}
	buf_free(&name);
	buf_free(&why);
	a->o.trail = a->trail;
	return got != TRAIL_HELD;
}

/* All scripts in order, then what comes of it. */
static void
run_all(struct alert *a, const struct plan *p)
{
	struct cli *c = a->c;
	struct tell_options to;
	bool died = false;
	size_t i;

	a->result = arena_zalloc(&c->arena, (p->n + 1) * sizeof *a->result);
	a->section = arena_zalloc(&c->arena, (p->n + 1) * sizeof *a->section);
	a->program = arena_zalloc(&c->arena, (p->n + 1) *
	    sizeof *a->program);
	open_state(a);
	catch_signals();
	if (!take_trail(a, p)) {
		a->failed = true;
		state_free(a->o.state);
		return;
	}
	alert_options(a, &to);
	a->tell = tell_new(&to);
	a->o.batch = a->dry ? NULL : tell_batch(a->tell);
	if (c->site != NULL)
		cli_object_files(c, c->site);
	for (i = 0; i < p->n && !died && !interrupted; i++) {
		const struct program *one = &p->program[i];

		if (one->status == STATUS_INACTIVE ||
		    one->status == STATUS_SUSPENDED) {
			cli_say("%.*s: status %s: skipped", (int)one->name.n,
			    one->name.p, status_name[one->status]);
			continue;
		}
		run_one(a, one);
		died = a->result[a->n - 1].end == RUN_DIED;
	}
	alert_finish(a);
	tell_free(a->tell);
	if (a->trail != NULL)
		trail_end(a->trail);
	alert_send(a);
	state_free(a->o.state);
	if (!alert_print(a))
		a->failed = true;
	for (i = 0; i < a->n; i++)
		run_result_free(&a->result[i]);
}

int
cmd_run(struct cli *c)
{
	struct alert a;
	struct plan p;
	struct timespec now;
	int r = EXIT_FINE;

	if (c->narg == 0) {
		cli_say("run wants an alert, a script or a file: picket run -n "
		    "DiskFilling looks at the disks (see picket help run)");
		return EXIT_USAGE;
	}
	if (!cli_configuration(c, c->value[OPT_CONFIG]))
		return EXIT_USAGE;
	/* a configuration's log folder; else one beside the state, which a
	 * dry run does not make */
	c->logdir = c->conf.line[CONF_LOGDIR] > 0 ?
	    c->conf.value[CONF_LOGDIR] : c->given[OPT_DRY] ?
	    state_path(c, "log") : state_folder(c, "log");
	r = plan_make(c, &p);
	if (r >= 0)
		goto out;
	r = EXIT_FINE;
	if (!plan_arguments_meant(c, &p)) {
		r = EXIT_USAGE;
		goto out;
	}
	memset(&a, 0, sizeof a);
	a.c = c;
	a.name = p.name;
	a.site = p.alert;
	a.origin = p.alert != NULL || c->site != NULL ? c->dir :
	    str_c(c->arg[0]);
	a.mailfrom = c->conf.value[CONF_MAILFROM];
	a.first = a.also = STR_EMPTY;
	a.dry = c->given[OPT_DRY];
	a.status = -1;
	a.began = clock_wall();
	if (p.alert != NULL) {
		take_priority(c, p.alert);
		take_ways(&a);
	}
	/* nobody but a person: cron would mail it each time */
	if (c->site != NULL && c->given[OPT_CONFIG] && isatty(2) == 1)
		(void)cli_warn_ways(c, c->site, c->value[OPT_CONFIG], NULL);
	if (!recipients(&a)) {
		r = EXIT_USAGE;
		goto out;
	}
	if (c->given[OPT_INPUT] && p.alert != NULL && p.n > 1) {
		cli_say("--input is for one script: name it, with --alert %s",
		    p.name.p);
		r = EXIT_USAGE;
		goto out;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(a.run_id, sizeof a.run_id, "%lld.%09ld.%ld",
	    (long long)now.tv_sec, now.tv_nsec, (long)getpid());
	a.o.input_fd = open_input(c);
	if (a.o.input_fd < 0 && c->given[OPT_INPUT]) {
		r = EXIT_PROBLEMS;
		goto out;
	}
	set_options(&a, &p);
	run_all(&a, &p);
	if (a.o.input_fd > 0)
		(void)close(a.o.input_fd);
	if (a.failed || interrupted)
		r = EXIT_PROBLEMS;
	else if (a.status >= 0)
		r = a.status;
out:
	cli_unload(&p.loaded);
	site_free(c->site);
	return r;
}
