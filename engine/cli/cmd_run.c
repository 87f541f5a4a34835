/* cmd_run: the scripts of one file, once, and their mail. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "engine/cli/alert.h"
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

static bool
configuration(struct cli *c)
{
	const char *dir = c->value[OPT_CONFIG];
	struct buf errors;
	char path[4096];
	bool ok;
	int k;

	k = snprintf(path, sizeof path, "%s/picket.conf",
	    dir == NULL ? PICKET_SYSCONFDIR : dir);
	if (k < 0 || (size_t)k >= sizeof path) {
		cli_say("--config: the path is too long");
		return false;
	}
	if (dir != NULL && access(path, F_OK) != 0) {
		cli_say("%s: %s", path, strerror(errno));
		return false;
	}
	buf_init(&errors, &c->mem);
	ok = conf_read(&c->conf, path, c->given[OPT_TRUST], &c->arena,
	    &errors);
	if (!ok)
		(void)cli_write(2, buf_view(&errors));
	buf_free(&errors);
	return ok;
}

/* Who gets the mail: --mailto, else the configuration's. */
static bool
recipients(struct cli *c)
{
	const char *fault;
	size_t i;

	for (i = 0; i < c->nmailto; i++)
		if ((fault = address_fault(c->mailto[i])) != NULL) {
			cli_say("--mailto %s: %s", c->mailto[i].p, fault);
			return false;
		}
	if (c->nmailto == 0)
		return true;
	for (i = 0; i < c->nmailto; i++)
		c->conf.mailto[i] = c->mailto[i];
	c->conf.nmailto = c->nmailto;
	return true;
}

static void
run_one(struct alert *a, const struct program *p)
{
	struct run_result *r = &a->result[a->n++];
	struct mail_section *s;

	a->o.program = p;
	a->o.dry = a->dry || p->status == STATUS_TESTING;
	if (p->status == STATUS_TESTING && !a->dry)
		cli_say("%.*s: status testing: effects are only told of",
		    (int)p->name.n, p->name.p);
	run_script(&a->o, r);
	if ((r->end != RUN_OK && r->end != RUN_SUPPRESSED) || r->out_lost)
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
	s = &a->section[a->nsection++];	/* the result's number, too */
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
mail_command(const struct cli *c)
{
	size_t i;

	for (i = 0; i < c->conf.ntransport; i++)
		if (c->conf.transport[i].kind == TRANSPORT_MAILCMD)
			return c->conf.transport[i].target;
	return STR_EMPTY;
}

static int
open_input(struct cli *c)
{
	const char *path = c->value[OPT_INPUT];
	int fd;

	if (path == NULL)
		return -1;
	if (strcmp(path, "-") == 0)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		cli_say("%s: %s", path, strerror(errno));
	return fd;
}

int
cmd_run(struct cli *c)
{
	struct alert a;
	struct loaded l;
	struct timespec now;
	struct str *args;
	size_t i;
	int r = EXIT_FINE;
	bool died = false;

	if (c->narg == 0) {
		cli_usage(c, CMD_RUN, 2);
		return EXIT_USAGE;
	}
	if (!configuration(c) || !recipients(c))
		return EXIT_USAGE;
	/* a configuration's log folder; else one beside the state, which a
	 * dry run does not make */
	c->logdir = c->conf.line[CONF_LOGDIR] > 0 ?
	    c->conf.value[CONF_LOGDIR] : c->given[OPT_DRY] ?
	    state_path(c, "log") : state_folder(c, "log");
	cli_load(c, c->arg[0], c->given[OPT_TRACE], &l);
	if (!l.ok) {
		if (c->given[OPT_JSON] && l.compile != NULL) {
			struct json_diag *j = json_diag_new();

			json_diag_add(j, compile_diag(l.compile));
			(void)json_diag_end(j);
		}
		cli_unload(&l);
		return EXIT_PROBLEMS;
	}
	memset(&a, 0, sizeof a);
	a.c = c;
	a.dry = c->given[OPT_DRY];
	a.status = -1;
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(a.run_id, sizeof a.run_id, "%lld.%09ld.%ld",
	    (long long)now.tv_sec, now.tv_nsec, (long)getpid());
	args = arena_zalloc(&c->arena, (c->narg + 1) * sizeof *args);
	for (i = 1; i < c->narg; i++)
		args[i - 1] = str_c(c->arg[i]);
	a.o.input_fd = open_input(c);
	if (a.o.input_fd < 0 && c->given[OPT_INPUT]) {
		cli_unload(&l);
		return EXIT_PROBLEMS;
	}
	a.o.trace = c->given[OPT_TRACE];
	a.o.doexec = cli_define(c, "doexec");
	a.o.facts.alert = STR_LIT(ALERT_NAME);
	a.o.facts.mailcmd = mail_command(c);
	a.o.facts.lpcmd = c->conf.value[CONF_LPCMD];
	a.o.facts.infile = c->given[OPT_INPUT] ? str_c(c->value[OPT_INPUT]) :
	    STR_EMPTY;
	a.o.facts.arg = args;
	a.o.facts.narg = (unsigned)c->narg - 1;
	a.o.facts.runs = 1;
	a.o.path = c->conf.value[CONF_PATH];
	a.o.logdir = a.dry ? STR_NIL : c->logdir;
	a.o.run_id = a.run_id;
	a.o.out_fd = 1;
	a.o.err_fd = 2;
	a.o.colour = c->colour_out;
	a.o.running = &running;
	a.result = arena_zalloc(&c->arena, (l.set.n + 1) * sizeof *a.result);
	a.section = arena_zalloc(&c->arena, (l.set.n + 1) * sizeof *a.section);
	catch_signals();
	for (i = 0; i < l.set.n && !died && !interrupted; i++) {
		const struct program *p = &l.set.program[i];

		if (p->status == STATUS_INACTIVE ||
		    p->status == STATUS_SUSPENDED) {
			cli_say("%.*s: status %s: skipped", (int)p->name.n,
			    p->name.p, status_name[p->status]);
			continue;
		}
		run_one(&a, p);
		died = a.result[a.n - 1].end == RUN_DIED;
	}
	if (!alert_mail(&a))
		a.failed = true;
	if (!alert_mail_others(&a))
		a.failed = true;
	if (!alert_print(&a))
		a.failed = true;
	for (i = 0; i < a.n; i++)
		run_result_free(&a.result[i]);
	if (a.o.input_fd > 0)
		(void)close(a.o.input_fd);
	cli_unload(&l);
	if (a.failed || interrupted)
		r = EXIT_PROBLEMS;
	else if (a.status >= 0)
		r = a.status;
	return r;
}
