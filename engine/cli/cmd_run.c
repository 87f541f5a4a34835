/* cmd_run: the scripts of one file, once, and their mail. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/alert/alert.h"
#include "engine/cli/plan.h"
#include "engine/deliver/address.h"

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
recipients(struct cli *c, struct alert *a)
{
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
		a->only_to = true;
	}
	return true;
}

static int
open_input(struct cli *c)
{
	const char *path = c->value[OPT_INPUT];

	return path == NULL ? -1 : cli_open(path);
}

/* What a person adds to a run. */
static void
set_options(struct cli *c, struct alert *a)
{
	struct str *args;
	size_t i;

	args = arena_zalloc(&c->arena, (c->narg + 1) * sizeof *args);
	for (i = 1; i < c->narg; i++)
		args[i - 1] = str_c(c->arg[i]);
	a->o.facts.arg = args;
	a->o.facts.narg = (unsigned)c->narg - 1;
	if (c->given[OPT_INPUT])
		a->o.facts.infile = str_c(c->value[OPT_INPUT]);
	a->o.trace = c->given[OPT_TRACE];
	a->o.root = c->value[OPT_ROOT];
	a->o.colour = c->colour_out;
	a->o.running = &running;
	a->interrupted = &interrupted;
	a->dry = c->given[OPT_DRY];
	a->mail = c->value[OPT_MAIL];
	a->doexec = cli_define(c, "doexec");
	a->owns_stdin = true;
}

int
cmd_run(struct cli *c)
{
	struct alert_place at;
	struct alert a;
	struct plan p;
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
	cli_place(c, &at);
	if (p.alert != NULL)
		alert_nice(&at, p.alert, c->self, c->argv);
	alert_init(&a, &at, p.name, p.alert);
	a.origin = p.alert != NULL || c->site != NULL ? c->dir :
	    str_c(c->arg[0]);
	set_options(c, &a);
	/* nobody but a person: cron would mail it each time */
	if (c->site != NULL && c->given[OPT_CONFIG] && isatty(2) == 1)
		(void)cli_warn_ways(c, c->site, c->value[OPT_CONFIG], NULL);
	if (!recipients(c, &a)) {
		r = EXIT_USAGE;
		goto out;
	}
	if (c->given[OPT_INPUT] && p.alert != NULL && p.n > 1) {
		cli_say("--input is for one script: name it, with --alert %s",
		    p.name.p);
		r = EXIT_USAGE;
		goto out;
	}
	a.o.input_fd = open_input(c);
	if (a.o.input_fd < 0 && c->given[OPT_INPUT]) {
		r = EXIT_PROBLEMS;
		goto out;
	}
	catch_signals();
	alert_run(&a, p.program, p.n);
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
