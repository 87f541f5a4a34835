/* alert: see alert.h. */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "engine/cli/alert.h"
#include "engine/cli/outbox.h"
#include "engine/deliver/address.h"
#include "engine/deliver/child.h"
#include "engine/deliver/mailbox.h"
#include "engine/deliver/send.h"
#include "lang/base/num.h"
#include "engine/vm/clock.h"

#define LPCMD_TIMEOUT	60.0	/* seconds a print command may take */

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

struct str
state_path(struct cli *c, const char *leaf)
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
	return arena_dup(&c->arena, str_of(t, (size_t)k));
}

struct str
state_home(struct cli *c)
{
	struct str path = state_path(c, "");

	return str_none(path) ? path : str_of(path.p, path.n - 1);
}

struct str
state_folder(struct cli *c, const char *leaf)
{
	struct str path = state_path(c, leaf);

	if (!str_none(path) && access(path.p, W_OK) != 0 &&
	    !make_folders(path.p))
		return STR_NIL;
	return path;
}

/* No transport took it: a file keeps it, and a person is told where. */
static void
keep(struct alert *a, struct str run_id, struct str message)
{
	struct str dir = state_folder(a->c, UNDELIVERED);
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

/*
 * What picket-deliver reports, for people: "retry WAY WHY", "fail WAY WHY",
 * "ok WAY WHY", "left ADDRESS".
 */
static void
say_report(struct str report)
{
	struct str line;
	size_t n, k;

	for (; report.n > 0; report.p += n, report.n -= n) {
		for (n = 0; n < report.n && report.p[n] != '\n'; n++)
			;
		line = str_of(report.p, n);
		n += n < report.n;
		for (k = 0; k < line.n && line.p[k] != ' '; k++)
			;
		if (k == line.n)
			cli_say("mail: %.*s", (int)line.n, line.p);
		else if (str_eq(str_of(line.p, k), STR_LIT("left")))
			cli_say("mail: %.*s has not got it",
			    (int)(line.n - k - 1), line.p + k + 1);
		else
			cli_say("mail: %.*s", (int)(line.n - k - 1),
			    line.p + k + 1);
	}
}

/*
 * A mail that could not be put into the outbox: it goes at once, and if that
 * fails, too, a file keeps it.
 */
static bool
send_now(void *arg, const struct notice *n)
{
	struct alert *a = arg;
	struct cli *c = a->c;
	struct buf report, program;
	struct job job;
	size_t i;
	bool ok;

	job_from_conf(&job, &c->conf, &c->arena);
	if (n->first.n > 0) {
		if (job.ntransport == LIM_CONF_TRANSPORTS)
			job.ntransport--;
		memmove(job.transport + 1, job.transport, job.ntransport *
		    sizeof *job.transport);
		job.transport[0] = n->first;
		job.ntransport++;
	}
	job.run = n->run;
	for (i = job.nto = 0; i < n->nto && job.nto < LIM_JOB_RCPT; i++)
		job.to[job.nto++] = n->to[i];
	job.message = n->message;
	job.body = n->body;
	job.notice = n->json;
	if (job.ntransport == 0) {
		cli_say("no way to send mail: picket.conf names none and "
		    "there is no " CONF_SENDMAIL_PATH);
		keep(a, n->id, n->message);
		a->failed = true;
		return false;
	}
	buf_init(&report, &c->mem);
	buf_init(&program, &c->mem);
	send_program(&program);
	ok = send_job(&job, buf_c(&program), 0, &report);
	if (!ok) {
		say_report(buf_view(&report));
		keep(a, n->id, n->message);
		a->failed = true;
	}
	buf_free(&report);
	buf_free(&program);
	return ok;
}

/* --mail: shown, or appended to a mailbox file, instead of being sent. */
static bool
show_mail(void *arg, const struct notice *n)
{
	struct alert *a = arg;
	const char *to = a->c->value[OPT_MAIL];
	struct buf text, why;
	size_t i;

	buf_init(&text, &a->c->mem);
	buf_init(&why, &a->c->mem);
	if (to == NULL) {		/* a dry run */
		buf_puts(&text, "dry-run: mail not sent: ");
		buf_str(&text, n->subject);
		buf_puts(&text, ", to");
		for (i = 0; i < n->nto; i++)
			buf_printf(&text, " %.*s", (int)n->to[i].n, n->to[i].p);
		buf_puts(&text, " (--mail stdout shows it)\n");
		(void)cli_write(1, buf_view(&text));
	} else if (strcmp(to, "stdout") == 0) {
		buf_puts(&text, "To: ");
		for (i = 0; i < n->nto; i++) {
			buf_puts(&text, i > 0 ? ", " : "");
			buf_str(&text, n->to[i]);
		}
		buf_puts(&text, "\nSubject: ");
		buf_str(&text, n->subject);
		buf_puts(&text, "\n\n");
		buf_str(&text, n->body);
		if (!cli_write(1, buf_view(&text)))
			a->failed = true;
	} else if (!mailbox_append(to, n->from, (time_t)n->made, n->message,
	    &why)) {
		cli_say("--mail: %s", buf_c(&why));
		keep(a, n->id, n->message);
		a->failed = true;
	}
	buf_free(&text);
	buf_free(&why);
	return true;
}

/* `output print`: the lines of all scripts, to the print command. */
bool
alert_print(struct alert *a)
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
static void
others(struct alert *a, struct tell *t)
{
	struct mail_section *section;
	struct str all, to, text, addr, done[LIM_CONF_MAILTO];
	const char *fault;
	size_t i, k, n = 0, nsection;
	bool more = true;
	struct buf lines;

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
		section = arena_zalloc(&a->c->arena, (a->n + 1) *
		    sizeof *section);
		for (i = 0; i < a->n; i++) {
			buf_init(&lines, &a->c->mem);
			all = buf_view(&a->result[i].mail_to);
			while (next_to(&all, &addr, &text))
				if (str_eq(addr, to))
					buf_str(&lines, text);
			if (lines.n > 0) {
				section[nsection] = a->section[i];
				section[nsection].error = STR_EMPTY;
				section[nsection++].lines = arena_dup(
				    &a->c->arena, buf_view(&lines));
			}
			buf_free(&lines);
		}
		fault = address_fault(to);
		if (fault != NULL)
			cli_say("output mail to %.*s: %s; it goes to the "
			    "alert's recipients", (int)to.n, to.p, fault);
		tell_mail(t, section, nsection, fault == NULL ? to :
		    STR_EMPTY);
	}
}

static void
say_line(void *arg, struct str line)
{
	(void)arg;
	cli_say("%.*s", (int)line.n, line.p);
}

static double
uptime(void)
{
	struct timespec ts;

	return clock_gettime(CLOCK_BOOTTIME, &ts) == 0 ? (double)ts.tv_sec :
	    NUM_NIL;
}

void
alert_options(struct alert *a, struct tell_options *o)
{
	struct cli *c = a->c;

	memset(o, 0, sizeof *o);
	o->mem = &c->mem;
	o->state = a->o.state;
	o->folder = state_home(c);
	o->conf = &c->conf;
	o->alert = a->name;
	o->origin = a->origin;
	o->run = str_c(a->run_id);
	if (c->site != NULL) {
		o->group = c->site->compile.member;
		o->ngroup = c->site->compile.nmember;
	}
	o->uptime = uptime();
	o->mailfrom = a->mailfrom;
	o->mailto = a->mailto;
	o->nmailto = a->nmailto;
	if (a->site != NULL) {
		o->route = a->site->route;
		o->nroute = a->site->nroute;
		o->digest = a->site->digest;
		o->keep_ways = a->c->nmailto == 0;
	}
	o->first = a->first;
	o->also = a->also;
	o->say = say_line;
}

/* Of this run's mail something has to wait. */
static void
say_waits(void *arg, struct str line)
{
	struct alert *a = arg;

	say_line(arg, line);
	a->failed = true;
}

/* Why nothing could be kept, into the log of each script and to people. */
static void
complain(struct alert *a, struct str why)
{
	struct buf b;
	size_t i;

	buf_init(&b, &a->c->mem);
	buf_printf(&b, "%s: ", a->o.state != NULL && state_is_unknown(
	    a->o.state) ? "it is not known whether this run was kept" :
	    "nothing was kept of this run");
	buf_str(&b, why);
	for (i = 0; i < a->n; i++)
		if (run_needs_state(a->program[i]) &&
		    !a->result[i].state_lost) {	/* else it has been said */
			a->o.program = a->program[i];
			run_complain(&a->o, buf_view(&b));
		}
	buf_free(&b);
	a->failed = true;
}

/* Whether the run leaves anything that wants a place. */
static bool
leaves_something(const struct alert *a)
{
	size_t i;

	if (a->site != NULL)
		return true;	/* a row of the history */
	for (i = 0; i < a->n; i++)
		if (run_needs_state(a->program[i]) ||
		    a->section[i].lines.n > 0 || a->section[i].error.n > 0 ||
		    a->result[i].mail_to.n > 0)
			return true;
	return false;
}

static void
run_row(struct alert *a, struct batch *b)
{
	enum run_end worst = RUN_OK;
	size_t i;

	for (i = 0; i < a->n; i++)
		if (a->result[i].end > worst)
			worst = a->result[i].end;
	batch_row(b, Q_RUN_ADD, (struct param[]){ PT(str_c(a->run_id)),
	    PT(a->name), PT(a->origin), PN(a->began), PN(clock_wall()),
	    PT(str_c(run_end_name[worst])), PN(NUM_NIL) });
}

/* Whether the site still has that script in that alert. */
static bool
is_there(void *arg, struct str alert, struct str script)
{
	const struct site *s = arg;
	const struct site_alert *a = site_alert(s, alert);
	size_t i;

	for (i = 0; a != NULL && i < a->nalarm; i++)
		if (str_eq(a->alarm[i].name, script))
			return true;
	return false;
}

/* A dry run tells what mail there would be, and --mail shows it. */
static void
dry_finish(struct alert *a, struct tell *t)
{
	tell_direct(t, STR_NIL, show_mail, a);
}

void
alert_finish(struct alert *a)
{
	struct tell_script s;
	struct tell *t = a->tell;
	const char *mail = a->c->value[OPT_MAIL];
	struct str why = STR_LIT("there is no folder for the state: set HOME "
	    "or XDG_STATE_HOME");
	size_t i;
	bool kept;

	if (!leaves_something(a))
		return;
	if (!a->dry && !tell_open(t) && a->o.state != NULL)
		why = state_why(a->o.state);
	for (i = 0; i < a->n; i++) {
		memset(&s, 0, sizeof s);
		s.owner = (struct state_owner){ a->name, a->program[i]->name };
		s.incidents = run_has_incidents(a->program[i]) && !a->dry &&
		    a->program[i]->status != STATUS_TESTING;
		s.affects_mail = a->program[i]->affects_mail;
		s.result = &a->result[i];
		s.section = a->section[i];
		tell_script(t, &s);
	}
	others(a, t);
	/* scripts that have errors are left out of a site, and not gone */
	if (a->site != NULL && a->c->site->nerror == 0)
		tell_gone(t, is_there, a->c->site);
	if (a->dry) {
		dry_finish(a, t);
		return;
	}
	run_row(a, tell_batch(t));
	a->kept = kept = tell_commit(t, mail != NULL ? show_mail : NULL, a);
	if (!kept) {
		if (a->o.state != NULL && state_why(a->o.state).n > 0)
			why = state_why(a->o.state);
		complain(a, why);
		tell_direct(t, why, mail != NULL ? show_mail : send_now, a);
	}
}

/* A module that tells what is no run of this alert's. */
static struct tell *
tell_apart(struct alert *a, struct str run)
{
	struct tell_options o;

	alert_options(a, &o);
	o.alert = o.first = o.also = o.mailfrom = STR_EMPTY;
	o.mailto = o.route = NULL;
	o.nmailto = o.nroute = 0;
	o.digest = 0;
	o.keep_ways = false;
	o.run = run;
	return tell_new(&o);
}

bool
alert_left(void *arg, struct trail *trail)
{
	struct alert *a = arg;
	struct trail_head head;
	struct tell *t;
	struct buf run;
	bool told;

	if (!trail_left(trail, &head, NULL, NULL))
		return true;
	buf_init(&run, &a->c->mem);
	buf_str(&run, head.run);
	buf_puts(&run, ".left");
	t = tell_apart(a, buf_view(&run));
	(void)tell_open(t);
	told = !tell_left(t, trail) || tell_commit(t, NULL, NULL);
	if (!told) {
		tell_direct(t, STR_NIL, send_now, a);
		told = true;
	}
	a->kept = true;		/* there may be something to send */
	tell_free(t);
	buf_free(&run);
	return told;
}

/* What killed runs left, and what time brings about. */
static void
rest(struct alert *a)
{
	struct tell *t;
	struct buf why;
	char id[sizeof a->run_id + 8];

	buf_init(&why, &a->c->mem);
	if (!trail_each(&a->c->mem, state_home(a->c), alert_left, a, &why))
		cli_say("%s", buf_c(&why));
	snprintf(id, sizeof id, "%s.rest", a->run_id);
	t = tell_apart(a, str_c(id));
	if (tell_open(t)) {
		tell_rest(t);
		(void)tell_commit(t, NULL, NULL);
	}
	tell_free(t);
	buf_free(&why);
}

void
alert_send(struct alert *a)
{
	struct outbox_options o;
	struct outbox_sum sum;
	struct buf program;

	if (a->dry || !a->kept)
		return;
	rest(a);
	buf_init(&program, &a->c->mem);
	send_program(&program);
	memset(&o, 0, sizeof o);
	o.state = a->o.state;
	o.folder = state_home(a->c);
	o.conf = &a->c->conf;
	o.program = buf_c(&program);
	o.mem = &a->c->mem;
	o.say = say_waits;
	o.arg = a;
	if (!outbox_flush(&o, str_c(a->run_id), &sum))
		a->failed = true;
	buf_free(&program);
}

bool
alert_tick(struct cli *c, struct state *st, const char *what, bool send)
{
	struct alert a;

	memset(&a, 0, sizeof a);
	a.c = c;
	a.name = a.origin = a.first = a.also = a.mailfrom = STR_EMPTY;
	a.o.state = st;
	a.kept = true;
	snprintf(a.run_id, sizeof a.run_id, "%s.%.0f.%ld", what,
	    clock_wall() * 1000, (long)getpid());
	if (send)
		alert_send(&a);
	else
		rest(&a);
	return !a.failed;
}
