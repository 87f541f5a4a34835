/* alert: see alert.h. */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "engine/cli/alert.h"
#include "engine/deliver/address.h"
#include "engine/deliver/child.h"
#include "engine/deliver/mailbox.h"
#include "engine/deliver/send.h"
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
		say_report(buf_view(&report));
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
	m.alert = a->name;
	if (number == 0)
		m.run_id = str_c(a->run_id);
	else {
		snprintf(id, sizeof id, "%s.%zu", a->run_id, number);
		m.run_id = str_c(id);
	}
	m.when = (time_t)clock_wall();
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
bool
alert_mail_others(struct alert *a)
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

bool
alert_mail(struct alert *a)
{
	return mail(a, a->section, a->nsection, a->c->conf.mailto,
	    a->c->conf.nmailto, 0);
}
