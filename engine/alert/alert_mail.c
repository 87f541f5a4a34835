/* alert_mail: mails that do not go by the outbox. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/alert/alert_inner.h"
#include "engine/deliver/mailbox.h"
#include "engine/deliver/send.h"

/* No transport took it: a file keeps it, and a person is told where. */
static void
keep(struct alert *a, struct str run_id, struct str message)
{
	struct str dir = alert_folder(a->at, UNDELIVERED, true);
	struct buf path;
	int fd;

	if (str_none(dir)) {
		alert_say(a->at, "the mail was not sent, and there is no folder to "
		    "keep it in; here it is:");
		(void)a->at->write(2, message);
		return;
	}
	buf_init(&path, a->at->mem);
	buf_printf(&path, "%s/%.*s.eml", dir.p, (int)run_id.n, run_id.p);
	fd = open(buf_c(&path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd < 0 || !a->at->write(fd, message) || fsync(fd) != 0) {
		alert_say(a->at, "%s: %s; here is the mail:", buf_c(&path),
		    strerror(errno));
		(void)a->at->write(2, message);
	} else
		alert_say(a->at, "the mail was not sent; it is kept in %s",
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
say_report(const struct alert_place *at, struct str report)
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
			alert_say(at, "mail: %.*s", (int)line.n, line.p);
		else if (str_eq(str_of(line.p, k), STR_LIT("left")))
			alert_say(at, "mail: %.*s has not got it",
			    (int)(line.n - k - 1), line.p + k + 1);
		else
			alert_say(at, "mail: %.*s", (int)(line.n - k - 1),
			    line.p + k + 1);
	}
}

/*
 * A mail that could not be put into the outbox: it goes at once, and if that
 * fails, too, a file keeps it.
 */
bool
alert_send_now(void *arg, const struct notice *n)
{
	struct alert *a = arg;
	const struct alert_place *at = a->at;
	struct buf report, program;
	struct job job;
	size_t i;
	bool ok;

	job_from_conf(&job, at->conf, at->arena);
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
		alert_say(a->at, "no way to send mail: picket.conf names none and "
		    "there is no " CONF_SENDMAIL_PATH);
		keep(a, n->id, n->message);
		a->failed = true;
		return false;
	}
	buf_init(&report, at->mem);
	buf_init(&program, at->mem);
	send_program(&program);
	ok = send_job(&job, buf_c(&program), 0, &report);
	if (!ok) {
		say_report(at, buf_view(&report));
		keep(a, n->id, n->message);
		a->failed = true;
	}
	buf_free(&report);
	buf_free(&program);
	return ok;
}

/* --mail: shown, or appended to a mailbox file, instead of being sent. */
bool
alert_show_mail(void *arg, const struct notice *n)
{
	struct alert *a = arg;
	const char *to = a->mail;
	struct buf text, why;
	size_t i;

	buf_init(&text, a->at->mem);
	buf_init(&why, a->at->mem);
	if (to == NULL) {		/* a dry run */
		buf_puts(&text, "dry-run: mail not sent: ");
		buf_str(&text, n->subject);
		buf_puts(&text, ", to");
		for (i = 0; i < n->nto; i++)
			buf_printf(&text, " %.*s", (int)n->to[i].n, n->to[i].p);
		buf_puts(&text, " (--mail stdout shows it)\n");
		(void)a->at->write(1, buf_view(&text));
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
		if (!a->at->write(1, buf_view(&text)))
			a->failed = true;
	} else if (!mailbox_append(to, n->from, (time_t)n->made, n->message,
	    &why)) {
		alert_say(a->at, "--mail: %s", buf_c(&why));
		keep(a, n->id, n->message);
		a->failed = true;
	}
	buf_free(&text);
	buf_free(&why);
	return true;
}
