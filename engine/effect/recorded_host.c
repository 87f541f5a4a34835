/*
 * recorded_host: the host itself: commands, texts out, the clock, facts.
 * Mail lines, incidents and values go the way of the live host.
 */
#include <stdio.h>

#include "lang/base/num.h"
#include "engine/effect/incidents.h"
#include "engine/effect/memory.h"
#include "engine/effect/recorded_inner.h"
#include "engine/vm/clock.h"

static const char *const mode_name[] = { "exec", "exec wait",
    "exec detached" };

/* --- the run --- */

void
recorded_begin(struct live *l)
{
	struct recorded *r = l->o.recorded;

	r->real_end = clock_steady() + LIM_RECORDED_REAL;
	l->deadline = l->o.timeout > 0 ? r->now + l->o.timeout : INFINITY;
}

void
recorded_end(struct live *l)
{
	recorded_close_all(l->o.recorded);
}

bool
recorded_stop(struct live *l)
{
	struct recorded *r = l->o.recorded;

	if (r->now >= l->deadline)
		live_fail(l, "the run's deadline of %gs has passed",
		    l->o.timeout);
	else if (r->full)
		live_fail(l, "the run does more than %u MiB of things",
		    LIM_RECORDED >> 20);
	else if (clock_steady() >= r->real_end)
		live_fail(l, "the run takes more than %gs of real time",
		    LIM_RECORDED_REAL);
	else
		return false;
	return true;
}

/* --- texts out --- */

static bool
output(void *h, enum out to, struct str target, struct str text)
{
	struct live *l = h;
	struct recorded *r = recorded_of(h);
	struct canned_file *f;
	bool good;

	text = str_shown(text);
	switch (to) {
	case OUT_MAIL:
		return live_output(h, to, target, text);
	case OUT_PRINT:
		recorded_did(r, RECORDED_PRINT, STR_NIL, text);
		return live_output(h, to, target, text);
	case OUT_MAIL_TO:
		good = live_output(h, to, target, text);
		if (good)
			recorded_did(r, RECORDED_MAIL_TO, target, text);
		return good;
	case OUT_STDOUT:
		recorded_did(r, RECORDED_STDOUT, STR_NIL, text);
		return true;
	case OUT_PIKTLOG:
		l->effects++;
		recorded_did(r, RECORDED_LOG, STR_NIL, text);
		return true;
	case OUT_SYSLOG:
		l->effects++;
		recorded_did(r, RECORDED_SYSLOG, STR_NIL, text);
		return true;
	case OUT_JOURNAL:
		l->effects++;
		recorded_did(r, RECORDED_JOURNAL, STR_NIL, text);
		return true;
	case OUT_LOG:
		l->effects++;
		f = recorded_file_write(l, target, false);
		if (f == NULL)
			return false;
		recorded_did(r, RECORDED_LOG, target, text);
		buf_str(&f->content, text);
		buf_putc(&f->content, '\n');
		return true;
	case OUT_COUNT:
		break;
	}
	live_fail(l, "no such output");
	return false;
}

void
recorded_log(void *h, enum log_kind kind, struct str text)
{
	if (kind != LOG_INFO)
		recorded_did(recorded_of(h), kind == LOG_ERROR ?
		    RECORDED_ERROR : RECORDED_WARNING, STR_NIL, text);
}

static void
trace(void *h, struct str text)
{
	(void)h;
	(void)text;
}

/* --- commands --- */

/* An effect needs no answer: what nobody has said ends well, and is silent. */
static void
exec(void *h, const struct command *c, enum exec_mode mode,
    const struct exec_opts *o, struct exec_result *res)
{
	const struct recorded_answer *a;
	struct live *l = h;
	struct recorded *r = recorded_of(h);
	struct str out = STR_EMPTY;

	l->effects++;
	live_did(l, mode_name[mode], c->show);
	recorded_did(r, RECORDED_EXEC, o->as, c->show);
	a = recorded_answer(r, c->show);
	*res = (struct exec_result){ .started = true, .output = STR_EMPTY };
	if (a == NULL)
		return;
	res->status = a->status;
	out = a->text;
	if (out.n > LIM_EXEC_OUTPUT)
		out = str_of(out.p + out.n - LIM_EXEC_OUTPUT,
		    LIM_EXEC_OUTPUT);
	if (mode == EXEC_WAIT)
		res->output = out;
}

static void
exec_told(void *h, const struct command *c, enum exec_mode mode,
    const struct exec_opts *o, struct exec_result *res)
{
	struct live *l = h;

	(void)mode;
	l->effects++;
	recorded_did(recorded_of(h), RECORDED_EXEC, o->as, c->show);
	*res = (struct exec_result){ .started = true, .suppressed = true,
	    .output = STR_EMPTY };
}

static struct str
capture(void *h, const struct command *c, size_t max, struct exec_result *res)
{
	const struct recorded_answer *a;
	struct live *l = h;
	struct recorded *r = recorded_of(h);

	*res = (struct exec_result){ .status = SPAWN_NOT_RUN,
	    .output = STR_EMPTY };
	a = recorded_answer(r, c->show);
	if (a == NULL) {
		recorded_unanswered(l, "command", c->show);
		return STR_EMPTY;
	}
	recorded_did(r, RECORDED_READ, STR_NIL, c->show);
	res->started = true;
	res->status = a->status;
	return str_of(a->text.p, a->text.n < max ? a->text.n : max);
}

/* --- the input --- */

bool
recorded_has_input(const struct recorded *r)
{
	return r->has_input;
}

struct live_input *
recorded_input(struct live *l, enum input kind, struct str which)
{
	const struct recorded_answer *a;
	struct recorded *r = l->o.recorded;
	struct str text;

	if (r->has_input)
		return input_open_text(l, buf_view(&r->input), 0);
	if (kind == INPUT_PROC) {
		a = recorded_answer(r, which);
		if (a != NULL) {
			recorded_did(r, RECORDED_READ, STR_NIL, which);
			return input_open_text(l, a->text, a->status);
		}
		recorded_unanswered(l, "input command", which);
	} else if (kind == INPUT_FILE || kind == INPUT_LOGFILE) {
		text = recorded_content(l, which);
		if (!str_none(text))
			return input_open_text(l, text, 0);
	} else
		recorded_unanswered(l, "input", str_none(which) ? STR_EMPTY :
		    which);
	return NULL;
}

/* --- the clock --- */

static double
now(void *h)
{
	return recorded_of(h)->now;
}

static bool
sleeps(void *h, double seconds)
{
	struct live *l = h;
	struct recorded *r = recorded_of(h);

	if (seconds > 0)
		r->now += seconds;
	if (r->now > l->deadline)
		r->now = l->deadline;
	if (clock_is_set())
		clock_set(r->now);
	return !live_stop(l);
}

/* --- facts --- */

/* What there is to say although nobody has said it. */
static struct str
known(const struct recorded *r, enum fact what, struct str key)
{
	size_t dot;

	switch (what) {
	case FACT_HOSTNAME:
		return r->host;
	case FACT_DOMAIN:
		dot = str_find(r->host, '.', 0);
		return dot < r->host.n ? str_of(r->host.p + dot + 1,
		    r->host.n - dot - 1) : STR_EMPTY;
	case FACT_OS:
		return STR_LIT("linux");
	case FACT_USER:
		return STR_LIT("root");
	case FACT_UID: case FACT_GID:
		return str_eq(key, STR_LIT("root")) ? STR_LIT("0") : STR_NIL;
	case FACT_HOME:
		return str_eq(key, STR_LIT("root")) ? STR_LIT("/root") :
		    STR_NIL;
	case FACT_USERNAME: case FACT_GROUPNAME:
		return recorded_name(r, key);
	default:
		return STR_NIL;
	}
}

static int
ask(void *h, enum fact what, struct str key, struct str *answer)
{
	static const char *const name[] = {
		[FACT_HOSTNAME] = "fact hostname", [FACT_DOMAIN] = "fact domain",
		[FACT_OS] = "fact os", [FACT_OSVERSION] = "fact osversion",
		[FACT_ARCH] = "fact arch", [FACT_UPTIME] = "fact uptime",
		[FACT_USER] = "fact user", [FACT_ENV] = "fact env",
		[FACT_UID] = "fact uid", [FACT_HOME] = "fact home",
		[FACT_GID] = "fact gid", [FACT_USERNAME] = "fact username",
		[FACT_GROUPNAME] = "fact groupname",
		[FACT_LOGGEDIN] = "fact loggedin",
		[FACT_RESOLVE] = "fact resolve", [FACT_LINK] = "fact link",
		[FACT_REALPATH] = "fact realpath",
		[FACT_DISKUSED] = "fact diskused", [FACT_GLOB] = "fact glob",
	};
	struct live *l = h;
	struct recorded *r = recorded_of(h);
	struct str t;

	if (recorded_fact_said(r, what, key, &t)) {
		*answer = t;
		return !str_none(t);
	}
	if (what == FACT_LINK || what == FACT_REALPATH || what == FACT_GLOB)
		return recorded_paths(l, what, key, answer);
	*answer = known(r, what, str_none(key) ? STR_EMPTY : key);
	if (!str_none(*answer))
		return 1;
	recorded_unanswered(l, name[what], str_none(key) ? STR_EMPTY : key);
	return what <= FACT_LAST_OWN || what >= FACT_LINK ? -1 : 0;
}

#define HOST(self, tells, run, dead)					\
const struct host self = {						\
	.name = "recorded",						\
	.suppresses = tells,						\
	.output = output,						\
	.log = recorded_log,							\
	.exec = run,							\
	.popen = recorded_popen,					\
	.capture = capture,						\
	.fopen = recorded_fopen,					\
	.read = recorded_read,						\
	.write = recorded_write,					\
	.flush = recorded_flush,					\
	.eof = recorded_eof,						\
	.close = recorded_close,					\
	.stat = recorded_stat,						\
	.access = recorded_access,					\
	.open = recorded_open,						\
	.clock = now,							\
	.monotonic = now,						\
	.sleep = sleeps,						\
	.stop = live_stop_host,						\
	.pid = recorded_pid,						\
	.ask = ask,							\
	.previous = live_previous,					\
	.keep = live_keep,						\
	.seen = live_seen,						\
	.record = live_record,						\
	.runs = live_runs,						\
	.incident = live_incident,					\
	.incident_fact = live_incident_fact,				\
	.act = dead,							\
	.contact = recorded_meet,					\
	.table = recorded_rows,						\
	.why = live_why,						\
	.trace = trace,							\
}

HOST(recorded_host, false, exec, recorded_act);
HOST(recorded_told_host, true, exec_told, recorded_act_told);
