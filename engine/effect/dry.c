/*
 * dry: the host that only tells: what would change the world becomes one
 * labelled line on standard output, in order with what the script prints
 * there.  What is only read really runs.
 *
 * disarmed: of a host whose people have said `picket disarm`: what acts is
 * told of, in the alert's log and in what mails say was done; mail, logs and
 * incidents are as ever.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/effect/act.h"
#include "engine/effect/contact.h"
#include "engine/effect/facts.h"
#include "engine/effect/incidents.h"
#include "engine/effect/memory.h"
#include "engine/effect/state.h"
#include "engine/effect/tables.h"

#define LABEL		"dry-run: "
#define LABEL_COLOUR	"\033[33mdry-run:\033[0m "

/* "not done (disarmed): exec: /bin/x", where people look for what was done. */
static void
disarmed_tell(struct live *l, const char *what, struct str name, struct str text)
{
	struct buf *b = &l->fact;

	buf_clear(b);
	buf_printf(b, "not done (disarmed): %s", what);
	if (!str_none(name)) {
		buf_puts(b, ": ");
		buf_str(b, name);
	}
	if (!str_none(text)) {
		buf_puts(b, ": ");
		buf_str(b, text);
	}
	log_line(l, LOG_INFO, buf_view(b));
	if (l->done.n + b->n < LIM_DONE_TEXT) {
		buf_str(&l->done, buf_view(b));
		buf_putc(&l->done, '\n');
	}
	l->effects++;
	l->disarmed++;
}

/* "dry-run: what name: text"; name and text may be NIL.  Each is an effect. */
void
dry_tell(struct live *l, const char *what, struct str name, struct str text)
{
	struct buf *b = &l->line;
	size_t most = LIM_LOG_TEXT;

	if (l->o.disarmed) {
		disarmed_tell(l, what, name, text);
		return;
	}
	buf_clear(b);
	buf_puts(b, l->o.colour ? LABEL_COLOUR : LABEL);
	buf_puts(b, what);
	if (!str_none(name)) {
		buf_putc(b, ' ');
		if (!str_none(text))
			most /= 2;	/* both must find room */
		buf_escaped(b, name, most);
	}
	if (!str_none(text)) {
		buf_puts(b, ": ");
		buf_escaped(b, text, most);
	}
	buf_putc(b, '\n');
	live_print_out(l, buf_view(b));
	l->effects++;
	if (l->out_tty)
		live_flush(l);
}

static bool
dry_output(void *h, enum out to, struct str target, struct str text)
{
	struct live *l = h;

	text = str_shown(text);
	switch (to) {
	case OUT_STDOUT:
		return live_output(h, to, target, text);
	case OUT_MAIL:
		dry_tell(l, "mail", STR_NIL, text);
		return live_output(h, to, target, text);
	case OUT_PRINT:
		dry_tell(l, "print", STR_NIL, text);
		return live_output(h, to, target, text);
	case OUT_LOG:
		dry_tell(l, "log", str_shown(target), text);
		break;
	case OUT_PIKTLOG:
		dry_tell(l, "piktlog", STR_NIL, text);
		break;
	case OUT_SYSLOG:
		dry_tell(l, "syslog", STR_NIL, text);
		break;
	case OUT_JOURNAL:
		dry_tell(l, "journal", STR_NIL, text);
		break;
	case OUT_MAIL_TO:
		dry_tell(l, "mail to", str_shown(target), text);
		return live_output(h, to, target, text);
	case OUT_COUNT:
		return live_output(h, to, target, text);
	}
	return true;
}

/* Options as the language writes them, then the command. */
static void
dry_exec(void *h, const struct command *c, enum exec_mode mode,
    const struct exec_opts *o, struct exec_result *res)
{
	static const char *const word[] = { "exec", "exec wait",
	    "exec detached" };
	struct live *l = h;
	char what[LIM_LOG_TEXT / 2];
	int n, cap = (int)sizeof what, as, dir;

	n = snprintf(what, sizeof what, "%s", word[mode]);
	as = o->as.n > 200 ? 200 : (int)o->as.n;
	dir = o->dir.n > 400 ? 400 : (int)o->dir.n;
	if (!str_none(o->as))
		n += snprintf(what + n, (size_t)(cap - n), " as \"%.*s\"", as,
		    o->as.p);
	if (o->timeout > 0)
		n += snprintf(what + n, (size_t)(cap - n), " timeout %gs",
		    o->timeout);
	if (!str_none(o->dir))
		n += snprintf(what + n, (size_t)(cap - n), " in \"%.*s\"", dir,
		    o->dir.p);
	if (o->memory > 0)
		n += snprintf(what + n, (size_t)(cap - n),
		    " limit memory %.0f", o->memory);
	if (o->cpu > 0)
		snprintf(what + n, (size_t)(cap - n), " limit cpu %gs",
		    o->cpu);
	for (n = 0; what[n] != '\0'; n++)
		if ((unsigned char)what[n] < ' ' || what[n] == 0x7f)
			what[n] = '?';
	dry_tell(l, what, c->show, STR_NIL);
	*res = (struct exec_result){ .started = true, .suppressed = true,
	    .output = STR_EMPTY };
}

static struct stream *
dry_popen(void *h, const struct command *c, int mode)
{
	struct live *l = h;

	if (mode != 'w')
		return stream_popen(h, c, mode);
	dry_tell(l, "popen", c->show, STR_NIL);
	return stream_told(l, "write", c->show);
}

static struct stream *
dry_fopen(void *h, struct str path, int mode)
{
	struct live *l = h;
	char name[PATH_MAX];

	if (mode == 'r')
		return stream_fopen(h, path, mode);
	if (!live_path(l, path, name))
		return NULL;
	dry_tell(l, mode == 'a' ? "append to" : "write over", path, STR_NIL);
	return stream_told(l, "write", path);
}

const struct host dry_host = {
	.name = "dry",
	.suppresses = true,
	.output = dry_output,
	.log = log_line,
	.exec = dry_exec,
	.popen = dry_popen,
	.capture = exec_capture,
	.fopen = dry_fopen,
	.read = stream_read,
	.write = stream_write,
	.flush = stream_flush,
	.eof = stream_eof,
	.close = stream_close,
	.stat = live_stat,
	.access = live_access,
	.open = live_open,
	.clock = live_clock,
	.monotonic = live_monotonic,
	.sleep = live_sleep,
	.stop = live_stop_host,
	.pid = live_pid,
	.ask = live_ask,
	.previous = live_previous,
	.keep = live_keep,
	.seen = live_seen,
	.record = live_record,
	.runs = live_runs,
	.incident = dry_incident,
	.incident_fact = live_incident_fact,
	.act = dry_act,
	.table = live_table,
	.contact = live_contact,
	.why = live_why,
	.trace = live_trace,
};

const struct host disarmed_host = {
	.name = "disarmed",
	.suppresses = true,
	.output = live_output,
	.log = log_line,
	.exec = dry_exec,
	.popen = dry_popen,
	.capture = exec_capture,
	.fopen = dry_fopen,
	.read = stream_read,
	.write = stream_write,
	.flush = stream_flush,
	.eof = stream_eof,
	.close = stream_close,
	.stat = live_stat,
	.access = live_access,
	.open = live_open,
	.clock = live_clock,
	.monotonic = live_monotonic,
	.sleep = live_sleep,
	.stop = live_stop_host,
	.pid = live_pid,
	.ask = live_ask,
	.previous = live_previous,
	.keep = live_keep,
	.seen = live_seen,
	.record = live_record,
	.runs = live_runs,
	.incident = live_incident,
	.incident_fact = live_incident_fact,
	.act = dry_act,
	.table = live_table,
	.contact = live_contact,
	.why = live_why,
	.trace = live_trace,
};
