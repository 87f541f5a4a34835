/* cmd_run: the scripts of one file, once, and their mail. */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "engine/cli/cli.h"
#include "engine/deliver/address.h"
#include "engine/deliver/child.h"
#include "engine/deliver/compose.h"
#include "engine/deliver/mailbox.h"
#include "engine/deliver/send.h"
#include "engine/run/run.h"

#define ALERT_NAME	"run"	/* what a file's scripts belong to */
#define LPCMD_TIMEOUT	60.0	/* seconds a print command may take */

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

/* Makes a folder and those above it, for the user alone. */
static bool
make_folders(const char *path)
{
	char t[4096];
	size_t i, n = strlen(path);

	if (n >= sizeof t)
		return false;
	memcpy(t, path, n + 1);
	for (i = 1; i <= n; i++) {
		if (t[i] != '/' && t[i] != '\0')
			continue;
		t[i] = '\0';
		if (mkdir(t, 0700) != 0 && errno != EEXIST)
			return false;
		t[i] = i == n ? '\0' : '/';
	}
	return true;
}

/*
 * A folder of the state: /var/lib/picket for root, else under
 * $XDG_STATE_HOME or ~/.local/state; NIL if there is no place.
 */
static struct str
state_folder(struct cli *c, const char *leaf)
{
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char t[4096];
	int k;

	if (xdg != NULL && xdg[0] == '/')
		k = snprintf(t, sizeof t, "%s/picket/%s", xdg, leaf);
	else if (geteuid() == 0)
		k = snprintf(t, sizeof t, "/var/lib/picket/%s", leaf);
	else if (home != NULL && home[0] == '/')
		k = snprintf(t, sizeof t, "%s/.local/state/picket/%s", home,
		    leaf);
	else
		return STR_NIL;
	if (k < 0 || (size_t)k >= sizeof t)
		return STR_NIL;
	if (access(t, W_OK) != 0 && !make_folders(t))
		return STR_NIL;
	return arena_dup(&c->arena, str_of(t, (size_t)k));
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

struct alert {
	struct cli	*c;
	char		 run_id[64];
	struct run_options o;
	struct run_result *result;
	struct mail_section *section;
	size_t		 n, nsection;
	bool		 dry;
	int		 status;	/* of `quit n` */
	bool		 failed;
};

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
	if (r->end != RUN_OK && r->end != RUN_SUPPRESSED)
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
		buf_clear(&r->mail_to);	/* it was told of, and is not sent */
		return;
	}
	s->lines = buf_view(&r->mail);
	s->error = r->end == RUN_SUPPRESSED ? STR_EMPTY : buf_view(&r->error);
}

/* No transport took it: a file keeps it, and a person is told where. */
static void
keep(struct alert *a, struct str run_id, struct str message)
{
	struct str dir = state_folder(a->c, "undelivered");
	struct buf path;
	int fd;

	if (str_none(dir)) {
		cli_say("the mail was not sent, and there is no folder to "
		    "keep it in; here it is:");
		(void)cli_write(2, message);
		return;
	}
	buf_init(&path, &a->c->mem);
	buf_printf(&path, "%s/%.*s.eml", dir.p, (int)run_id.n, run_id.p);
	fd = open(buf_c(&path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd < 0 || !cli_write(fd, message) || fsync(fd) != 0) {
		cli_say("%s: %s; here is the mail:", buf_c(&path),
		    strerror(errno));
		(void)cli_write(2, message);
	} else
		cli_say("the mail was not sent; it is kept in %s",
		    buf_c(&path));
	if (fd >= 0)
		(void)close(fd);
	buf_free(&path);
}

/* By the transports of the configuration, in another program. */
static bool
hand_over(struct alert *a, const struct mail *m, struct str message,
    struct str body)
{
	struct cli *c = a->c;
	struct buf report, program;
	struct job job;
	bool ok;

	job_from_conf(&job, &c->conf, &c->arena);
	job.run = m->run_id;
	for (job.nto = 0; job.nto < m->nto; job.nto++)
		job.to[job.nto] = m->to[job.nto];
	job.message = message;
	job.body = body;
	if (job.ntransport == 0) {
		cli_say("no way to send mail: picket.conf names none and "
		    "there is no " CONF_SENDMAIL_PATH);
		return false;
	}
	buf_init(&report, &c->mem);
	buf_init(&program, &c->mem);
	send_program(&program);
	ok = send_job(&job, buf_c(&program), 0, &report);
	if (!ok)
		(void)cli_write(2, buf_view(&report));
	buf_free(&report);
	buf_free(&program);
	return ok;
}

static bool
append(struct cli *c, const struct mail *m, const char *box,
    struct str message)
{
	struct buf report;
	bool ok;

	buf_init(&report, &c->mem);
	ok = mailbox_append(box, m->from, m->when, message, &report);
	if (!ok)
		cli_say("--mail: %s", buf_c(&report));
	buf_free(&report);
	return ok;
}

static void
tell_unsent(const struct mail *m, struct buf *text)
{
	size_t i;

	buf_puts(text, "dry-run: mail not sent: ");
	compose_subject(m, text);
	buf_puts(text, ", to");
	for (i = 0; i < m->nto; i++)
		buf_printf(text, " %.*s", (int)m->to[i].n, m->to[i].p);
	buf_puts(text, " (--mail stdout shows it)\n");
}

/* Has picket-deliver send it; a report on standard error if it could not. */
static bool
send(struct alert *a, const struct mail *m, struct str message,
    struct str body)
{
	struct cli *c = a->c;
	struct buf report, program;
	struct job job;
	bool ok;

	job_from_conf(&job, &c->conf, &c->arena);
	job.run = m->run_id;
	for (job.nto = 0; job.nto < m->nto; job.nto++)
		job.to[job.nto] = m->to[job.nto];
	job.message = message;
	job.body = body;
	if (job.ntransport == 0) {
		cli_say("no way to send mail: picket.conf names none and "
		    "there is no " CONF_SENDMAIL_PATH);
		return false;
	}
	buf_init(&report, &c->mem);
	buf_init(&program, &c->mem);
	send_program(&program);
	ok = send_job(&job, buf_c(&program), 0, &report);
	if (!ok)
		(void)cli_write(2, buf_view(&report));
	buf_free(&report);
	buf_free(&program);
	return ok;
}

/* What a dry run says of its mail instead of sending it. */
static bool
tell_mail(const struct mail *m, struct buf *text)
{
	size_t i;

	buf_clear(text);
	buf_puts(text, "dry-run: mail not sent: ");
	compose_subject(m, text);
	buf_puts(text, ", to");
	for (i = 0; i < m->nto; i++)
		buf_printf(text, " %.*s", (int)m->to[i].n, m->to[i].p);
	buf_puts(text, " (--mail stdout shows it)\n");
	return cli_write(1, buf_view(text));
}

static bool
deliver(struct alert *a, const struct mail *m, struct str body)
{
	const char *to = a->c->value[OPT_MAIL];
	struct buf text, why;
	bool ok;

	buf_init(&text, &a->c->mem);
	if (to != NULL && strcmp(to, "stdout") == 0) {
		compose_readable(m, body, &text);
		ok = cli_write(1, buf_view(&text));
		buf_free(&text);
		return ok;
	}
	compose_message(m, body, &text);
	if (to != NULL) {
		buf_init(&why, &a->c->mem);
		ok = mailbox_append(to, m->from, m->when, buf_view(&text),
		    &why);
		if (!ok)
			cli_say("--mail: %s", buf_c(&why));
		buf_free(&why);
	} else if (a->dry) {
		ok = tell_mail(m, &text);
		buf_free(&text);
		return ok;
	} else
		ok = send(a, m, buf_view(&text), body);
	if (!ok)
		keep(a, m->run_id, buf_view(&text));
	buf_free(&text);
	return ok;
}

/* One mail; number tells the mails of one run apart (0: the alert's). */
static bool
mail(struct alert *a, const struct mail_section *section, size_t nsection,
    const struct str *to, size_t nto, size_t number)
{
	struct cli *c = a->c;
	struct mail m;
	struct buf body;
	char id[sizeof a->run_id + 24];
	bool ok;

	memset(&m, 0, sizeof m);
	m.host = c->conf.value[CONF_HOSTNAME];
	m.alert = STR_LIT(ALERT_NAME);
	if (number == 0)
		m.run_id = str_c(a->run_id);
	else {
		snprintf(id, sizeof id, "%s.%zu", a->run_id, number);
		m.run_id = str_c(id);
	}
	m.when = time(NULL);
	m.from = c->conf.value[CONF_MAILFROM];
	m.to = to;
	m.nto = nto;
	m.subject = c->conf.value[CONF_SUBJECT];
	m.section = section;
	m.nsection = nsection;
	if (!compose_speaks(&m))
		return true;
	buf_init(&body, &c->mem);
	compose_body(&m, &body);
	ok = deliver(a, &m, buf_view(&body));
	buf_free(&body);
	return ok;
}

/* `output print`: the lines of all scripts, to the print command. */
static bool
print_lines(struct alert *a)
{
	struct str cmd = a->c->conf.value[CONF_LPCMD], line;
	const char *argv[4] = { "/bin/sh", "-c", NULL, NULL };
	struct buf text, out;
	struct child child;
	struct child_end end;
	size_t i;
	bool ok = true;

	buf_init(&text, &a->c->mem);
	buf_init(&out, &a->c->mem);
	for (i = 0; i < a->n; i++)
		if (!a->dry)
			buf_str(&text, buf_view(&a->result[i].print));
	if (text.n == 0)
		return true;
	if (str_none(cmd) || cmd.n == 0) {
		cli_say("output print: picket.conf names no lpcmd; the lines "
		    "were:");
		(void)cli_write(2, buf_view(&text));
		buf_free(&text);
		return false;
	}
	argv[2] = arena_dup(&a->c->arena, cmd).p;
	memset(&child, 0, sizeof child);
	child.argv = argv;
	child.input = buf_view(&text);
	child.path = a->c->conf.value[CONF_PATH];
	child.run_id = str_c(a->run_id);
	child.timeout = LPCMD_TIMEOUT;
	child_run(&child, &out, &end);
	if (!end.started || end.status != 0) {
		line = child_last_line(buf_view(&out));
		if (!end.started)
			line = str_c(end.why);
		cli_say("lpcmd: exit status %d: %.*s", end.status,
		    (int)line.n, line.p);
		ok = false;
	}
	buf_free(&text);
	buf_free(&out);
	return ok;
}

/* One line of `output mail to`, taken off the front. */
static bool
next_to(struct str *all, struct str *address, struct str *text)
{
	size_t end, tab;

	if (all->n == 0)
		return false;
	end = str_find(*all, '\n', 0);
	tab = str_find(*all, '\t', 0);
	*address = str_of(all->p, tab);
	*text = str_of(all->p + tab + 1, end - tab);	/* with its newline */
	*all = str_of(all->p + end + 1, all->n - end - 1);
	return true;
}

/*
 * `output mail to`: one mail for each address that the scripts named, with
 * the lines that each script has for it.  What names no address goes to the
 * alert's own recipients, so that nothing is lost.
 */
static bool
mail_others(struct alert *a)
{
	struct mail_section *section;
	struct str all, to, text, done[LIM_CONF_MAILTO];
	const char *fault;
	size_t i, k, n = 0, nsection;
	bool ok = true, more = true;
	struct buf *lines;

	section = arena_zalloc(&a->c->arena, (a->n + 1) * sizeof *section);
	lines = arena_zalloc(&a->c->arena, (a->n + 1) * sizeof *lines);
	while (more && n < LIM_CONF_MAILTO) {
		/* the next address that has not had its mail */
		more = false;
		for (i = 0; i < a->n && !more; i++) {
			all = buf_view(&a->result[i].mail_to);
			while (!more && next_to(&all, &to, &text)) {
				for (k = 0; k < n && !str_eq(done[k], to); k++)
					;
				more = k == n;
			}
		}
		if (!more)
			break;
		done[n++] = to;
		nsection = 0;
		for (i = 0; i < a->n; i++) {
			struct str addr;

			buf_init(&lines[i], &a->c->mem);
			all = buf_view(&a->result[i].mail_to);
			while (next_to(&all, &addr, &text))
				if (str_eq(addr, to))
					buf_str(&lines[i], text);
			if (lines[i].n == 0)
				continue;
			section[nsection] = a->section[i];
			section[nsection].error = STR_EMPTY;
			section[nsection++].lines = buf_view(&lines[i]);
		}
		fault = address_fault(to);
		if (fault != NULL)
			cli_say("output mail to %.*s: %s; it goes to the "
			    "alert's recipients", (int)to.n, to.p, fault);
		if (!mail(a, section, nsection, fault == NULL ? &to :
		    a->c->conf.mailto, fault == NULL ? 1 :
		    a->c->conf.nmailto, n))
			ok = false;
		for (i = 0; i < a->n; i++)
			buf_free(&lines[i]);
	}
	return ok;
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
	/* a configuration's log folder; else one beside the state */
	a.o.logdir = a.dry ? STR_NIL : c->conf.line[CONF_LOGDIR] > 0 ?
	    c->conf.value[CONF_LOGDIR] : state_folder(c, "log");
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
	if (!mail(&a, a.section, a.nsection, c->conf.mailto, c->conf.nmailto,
	    0))
		a.failed = true;
	if (!mail_others(&a))
		a.failed = true;
	if (!print_lines(&a))
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
