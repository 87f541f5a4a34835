#include "engine/run/run.h"

#include <stdio.h>

#include "engine/effect/live.h"
#include "engine/effect/recorded.h"
#include "engine/run/feed.h"

#define LIM_WARN_TEXT	400	/* bytes of the line about bad values */

const char *const run_end_name[RUN_ENDS] = {
	[RUN_OK] = "ok",
	[RUN_SUPPRESSED] = "suppressed",
	[RUN_FAILED] = "failed",
	[RUN_STOPPED] = "stopped",
	[RUN_DIED] = "died",
};

/* All of a run that a jump out of an allocation must find. */
struct run {
	const struct run_options *o;
	struct run_result	*res;
	const struct host	*host;
	struct mem		 mem;
	jmp_buf			 fail;
	struct live		*live;
	struct vm		*vm;
	struct feed		*in;
	struct outcome		*outcome; /* what the run leaves; or NULL */
	struct buf		 script; /* whose state */
	struct buf		 last;	/* line, where it is asked for */
	struct str		 last_line; /* NIL: there was none */
	struct rowcopy		*last_row; /* the same of a table, or NULL */
	double			 skip;
	bool			 input_well;	/* its commands ended well */
};

/* The run ends badly: the reason is the mail's last line and the log's. */
static void
fails(struct run *r, enum run_end how, struct str why)
{
	if (r->res->end != RUN_OK)
		return;
	r->res->end = how;
	buf_clear(&r->res->error);
	buf_str(&r->res->error, why);
	if (how != RUN_SUPPRESSED && r->live != NULL) {
		char t[LIM_WARN_TEXT];
		int k = snprintf(t, sizeof t, "%s%.*s", how == RUN_DIED ? "died: " : "the run ends: ",
		    (int)why.n, why.p);

		if (k < 0)
			return;
		if ((size_t)k >= sizeof t)
			k = sizeof t - 1;
		r->host->log(r->live, LOG_ERROR, str_of(t, (size_t)k));
	}
}

/* How a piece of code ended; true: the input goes on. */
static bool
go_on(struct run *r, enum vm_result v)
{
	switch (v) {
	case VM_DONE: case VM_REDO:
		return true;
	case VM_SKIP:
		r->skip = vm_skip(r->vm);
		return true;
	case VM_LAST:
		return false;
	case VM_QUIT:
		r->res->status = vm_status(r->vm);
		return false;
	case VM_DIE:
		fails(r, RUN_DIED, vm_why(r->vm));
		return false;
	case VM_STOPPED:
		fails(r, RUN_STOPPED, vm_why(r->vm));
		return false;
	case VM_SUPPRESSED:
		fails(r, RUN_SUPPRESSED, vm_why(r->vm));
		return false;
	default:
		fails(r, RUN_FAILED, vm_why(r->vm));
		return false;
	}
}

/* Does the program call this function? */
static bool
calls(const struct program *p, int id)
{
	uint32_t i;

	for (i = 0; i < p->ncode; i++)
		if (I_OP(p->code[i]) == OP_CALLN && I_BX(p->code[i]) == (unsigned)id)
			return true;
	return false;
}

bool
run_needs_state(const struct program *p)
{
	uint32_t i;

	for (i = 0; i < p->nkept; i++)
		if (p->kept[i].previous)
			return true;
	for (i = 0; i < p->ncode; i++)
		if (I_OP(p->code[i]) == OP_RECORD ||
		    I_OP(p->code[i]) == OP_INCIDENT)
			return true;
	return p->input == INPUT_LOGFILE || p->input == INPUT_JOURNAL ||
	    (p->input == INPUT_TABLE && (p->table == TABLE_KERNEL ||
	    p->table == TABLE_OOM_KILLS)) ||
	    calls(p, BI_RUNS) || calls(p, BI_FIRING) || calls(p, BI_ACKED) ||
	    calls(p, BI_SINCE);
}

bool
run_leaves_traces(const struct program *p)
{
	uint32_t i;

	for (i = 0; i < p->ncode; i++)
		if (I_OP(p->code[i]) == OP_EXEC || I_OP(p->code[i]) ==
		    OP_CMD || (I_OP(p->code[i]) == OP_OUT &&
		    I_A(p->code[i]) != OUT_STDOUT) || ((I_OP(p->code[i]) ==
		    OP_CALLN || I_OP(p->code[i]) == OP_CALLS) &&
		    (builtin_info[I_BX(p->code[i])].flags & FN_ACTS) != 0))
			return true;
	return run_needs_state(p) || p->nhandle > 0;
}

bool
run_has_incidents(const struct program *p)
{
	uint32_t i;

	for (i = 0; i < p->ncode; i++)
		if (I_OP(p->code[i]) == OP_INCIDENT)
			return true;
	return false;
}

static bool
open_input(struct run *r)
{
	struct feed_options o = { .program = r->o->program, .host = r->host,
	    .live = r->live, .vm = r->vm, .mem = &r->mem,
	    .objects = r->o->facts.objects, .input_fd = r->o->input_fd,
	    .look_ahead = calls(r->o->program, BI_EOI), .state = r->o->state,
	    .owner = { r->o->facts.alert, buf_view(&r->script) },
	    .outcome = r->outcome, .recorded = r->o->recorded };
	struct input_end end;
	struct feed *in;

	if (o.input_fd < 0 && o.program->input == INPUT_NONE &&
	    (r->o->recorded == NULL || !o.program->standalone ||
	    !o.program->has_rules))
		return true;
	r->in = in = feed_new(&o);
	if (feed_open(in))
		return true;
	fails(r, RUN_FAILED, feed_why(in));
	r->in = NULL;
	feed_close(in, &end);
	return false;
}

/* The next line or row goes through the rules; false: there is none. */
static bool
next(struct run *r, enum vm_result *v)
{
	struct row *row;
	struct str line;

	*v = VM_DONE;
	if (feed_has_rows(r->in)) {
		if (feed_row(r->in, &row, v) != READER_LINE)
			return false;
		if (*v != VM_DONE)
			return true;
	} else if (feed_line(r->in, &line) != READER_LINE)
		return false;
	r->res->lines++;
	if (r->skip > 0) {
		r->skip--;
		vm_skip_line(r->vm);
	} else if (feed_has_rows(r->in))
		*v = vm_run_row(r->vm, row);
	else
		*v = vm_run_line(r->vm, line);
	return true;
}

/* Feeds the lines; true if the sections' flow leads to `end`. */
static bool
lines(struct run *r, struct buf *last)
{
	enum vm_result v = VM_DONE;
	bool more = true;
	size_t ncut, max;

	while (more && next(r, &v)) {
		if (v == VM_DONE)
			continue;
		more = go_on(r, v);
		if (r->res->end != RUN_OK)
			return false;
		if (v == VM_LAST || v == VM_QUIT) {
			feed_done(r->in);
			break;
		}
	}
	if (r->o->program->end_uses_line && r->res->lines > 0) {
		if (feed_has_rows(r->in))
			r->last_row = feed_last_row(r->in);
		else
			buf_str(last, feed_last(r->in));
	}
	r->res->complete = more && v != VM_LAST && v != VM_QUIT;
	if (v == VM_QUIT)
		return false;
	ncut = feed_ncut(r->in, &max);
	if (ncut > 0) {
		char t[LIM_WARN_TEXT];
		int k = snprintf(t, sizeof t, "%zu input line%s longer "
		    "than %zu bytes: the rest was cut", ncut,
		    ncut == 1 ? "" : "s", max);

		r->host->log(r->live, LOG_WARNING, str_of(t, (size_t)k));
	}
	return true;
}

static bool
close_input(struct run *r)
{
	struct input_end end;
	struct feed *in = r->in;

	r->in = NULL;
	feed_close(in, &end);
	vm_set_inputexit(r->vm, end.status);
	if (end.failed || end.status != 0 || end.filter_status != 0)
		r->input_well = false;
	if (end.failed)
		fails(r, r->host->stop(r->live) ? RUN_STOPPED : RUN_FAILED,
		    str_c(end.why));
	return !end.failed;
}

static void
sections(struct run *r)
{
	const struct program *p = r->o->program;
	enum vm_result v;
	struct str s = STR_NIL;
	bool to_end = true;

	v = vm_run_begin(r->vm);
	if (v != VM_LAST && !go_on(r, v))
		return;
	if (v != VM_LAST) {
		if (!open_input(r))
			return;
		if (r->in != NULL) {
			to_end = lines(r, &r->last);
			if (!close_input(r))
				to_end = false;
			if (r->last_row != NULL)
				vm_set_last_row(r->vm,
				    rowcopy_row(r->last_row));
			else if (p->end_uses_line && r->res->lines > 0)
				s = r->last_line = buf_view(&r->last);
		}
	}
	if (to_end && r->res->end == RUN_OK)
		(void)go_on(r, vm_run_end(r->vm, s));
}

static void
bad_values(struct run *r)
{
	char t[LIM_WARN_TEXT];
	struct str first = vm_first_bad(r->vm);
	size_t n = vm_nbad(r->vm);
	int k;

	if (n == 0)
		return;
	k = snprintf(t, sizeof t, "%zu value%s missing or no number%s; "
	    "the first: %.*s", n, n == 1 ? "" : "s", n == 1 ? "" : "s",
	    (int)(first.n < 250 ? first.n : 250), first.p);
	if (k > 0)
		r->host->log(r->live, LOG_WARNING, str_of(t,
		    (size_t)k < sizeof t ? (size_t)k : sizeof t - 1));
}

/* What cannot be read or kept is said; the run goes on. */
static void
state_fails(struct run *r, const char *what, struct str why)
{
	char t[LIM_WARN_TEXT * 2];
	int k = snprintf(t, sizeof t, "%s%s%.*s", what,
	    what[0] == '\0' ? "" : ": ", why.n < LIM_WARN_TEXT ? (int)why.n : LIM_WARN_TEXT, why.p);

	r->host->log(r->live, LOG_ERROR, str_of(t, (size_t)k));
	r->res->state_lost = true;
	live_keep_nothing(r->live);
	outcome_free(r->outcome);
	r->outcome = NULL;
}

static void
recall(struct run *r)
{
	double runs;

	if (!run_needs_state(r->o->program))
		return;
	if (r->o->state == NULL && r->o->scarce == NULL)
		state_fails(r, "nothing is kept", STR_LIT("there is no folder "
		    "for the state: set HOME or XDG_STATE_HOME"));
	else if (!vm_load(r->vm))
		state_fails(r, "no previous values", r->host->why(r->live));
	else if (calls(r->o->program, BI_RUNS)) {
		runs = r->host->runs(r->live);
		if (runs < 0)
			state_fails(r, "#runs", r->host->why(r->live));
		else
			vm_set_runs(r->vm, runs + 1);
	}
}

/* All that the run leaves, for the alert's transaction. */
static void
apply(struct run *r)
{
	const struct program *p = r->o->program;
	struct state_expire e = { p->expire_runs, p->expire_seconds };
	bool well = r->res->end == RUN_OK;
	uint32_t i;

	if (r->outcome == NULL)
		return;
	for (i = 0; well && i < p->nkept; i++)
		if (p->kept[i].previous)
			outcome_name(r->outcome, p->kept[i].number,
			    p->kept[i].name);
	if (outcome_size(r->outcome) > LIM_OUTCOME)
		state_fails(r, "", STR_LIT("the run leaves more than 32M of "
		    "values; nothing of it was kept: keep fewer keys or "
		    "names"));
	else
		live_leave(r->live, r->o->batch, well, &e);
}

static void
start(struct run *r)
{
	const struct run_options *o = r->o;
	const struct program *p = o->program;
	struct live_options lo;
	struct vm_options vo;

	memset(&lo, 0, sizeof lo);
	lo.mem = &r->res->mem;
	lo.script = p->name;
	lo.alert = o->facts.alert;
	lo.logdir = o->logdir;
	lo.path = o->path;
	lo.protect = o->protect;
	lo.nprotect = o->nprotect;
	lo.out_fd = o->out_fd;
	lo.err_fd = o->err_fd;
	lo.timeout = p->timeout > 0 ? p->timeout : o->timeout > 0 ?
	    o->timeout : RUN_TIMEOUT;
	lo.line_max = p->line_max > 0 ? (size_t)p->line_max : 0;
	lo.run_id = o->run_id;
	lo.colour = o->colour;
	lo.level = p->level;
	lo.state = o->state;
	lo.state_home = o->state_home;
	lo.trail = o->trail;
	if (o->trail != NULL)
		trail_script(o->trail, p->name, p->level);
	/* no script can have this name: under test it has values of its own */
	buf_str(&r->script, p->name);
	if (p->status == STATUS_TESTING)
		buf_puts(&r->script, " (testing)");
	lo.state_script = buf_view(&r->script);
	lo.table_mem = &r->mem;
	lo.root = o->root;
	if (o->state != NULL && o->batch != NULL && run_needs_state(p))
		lo.outcome = r->outcome = outcome_new(&r->mem);
	lo.trace_to_log = !o->trace;
	lo.scarce = o->scarce;
	lo.recorded = o->recorded;
	lo.origin = o->origin;
	lo.disarmed = o->disarmed && !o->dry;
	r->live = live_new(&lo);
	if (r->live == NULL)
		mem_fail(&r->mem, false);
	if (o->running != NULL)
		*o->running = r->live;
	memset(&vo, 0, sizeof vo);
	vo.program = p;
	vo.host = r->host;
	vo.h = r->live;
	vo.mem = &r->mem;
	vo.facts = o->facts;
	vo.doexec = o->doexec;
	/* status debugging is traced as well, to the log */
	vo.trace = o->trace || p->status == STATUS_DEBUGGING;
	vo.plain = o->scarce != NULL;
	vo.met = o->met;
	vo.met_arg = o->arg;
	r->vm = vm_new(&vo);
	recall(r);
	buf_str(&r->res->task, p->has_task ? vm_run_task(r->vm) : STR_EMPTY);
}

/* The evaluations of incidents, with texts of their own. */
static void
take_seen(struct run *r)
{
	const struct live_step *step;
	struct run_result *res = r->res;
	struct arena *a = &res->texts;
	struct incident_seen *s;
	size_t i, n = live_incidents(r->live, &step);

	/* what the limit left out was not looked at, which is not to say that
	 * it is not there */
	if (!live_incidents_all(r->live))
		res->complete = false;
	if (n == 0)
		return;
	res->seen = arena_zalloc(a, n * sizeof *res->seen);
	for (i = 0; i < n; i++) {
		s = &res->seen[i].seen;
		*s = step[i].seen;
		res->seen[i].verdict = step[i].verdict;
		s->key = arena_dup(a, s->key);
		s->place = arena_dup(a, s->place);
		if (!str_none(s->message))
			s->message = arena_dup(a, s->message);
		if (!str_none(s->evidence))
			s->evidence = arena_dup(a, s->evidence);
		if (!str_none(s->unless))
			s->unless = arena_dup(a, s->unless);
	}
	res->nseen = n;
}

/* The text changes hands without a copy: there may be no memory for one. */
static void
take_over(struct buf *to, struct buf *from)
{
	*to = *from;
	memset(from, 0, sizeof *from);
	from->mem = to->mem;
}

void
run_script(const struct run_options *o, struct run_result *res)
{
	struct run run, *r = &run;
	const size_t limit = o->program->memory_max > 0 ?
	    (size_t)o->program->memory_max : LIM_RUN_MEM;
	volatile bool ended = false;

	memset(r, 0, sizeof *r);
	memset(res, 0, sizeof *res);
	r->o = o;
	r->res = res;
	r->host = o->recorded != NULL ? (o->dry ? &recorded_told_host :
	    &recorded_host) : o->dry ? &dry_host : o->disarmed ?
	    &disarmed_host : &live_host;
	res->status = -1;
	mem_init(&r->mem, limit, &r->fail);
	mem_init(&res->mem, LIM_RUN_TEXT, &r->fail);
	buf_init(&res->task, &res->mem);
	buf_init(&res->mail, &res->mem);
	buf_init(&res->print, &res->mem);
	buf_init(&res->mail_to, &res->mem);
	buf_init(&res->error, &res->mem);
	buf_init(&res->done, &res->mem);
	arena_init(&res->texts, &res->mem, 1024);
	(void)buf_room(&res->error, 1024);	/* for the worst moment */
	buf_init(&r->last, &r->mem);
	r->last_line = STR_NIL;
	r->input_well = res->complete = true;
	buf_init(&r->script, &r->mem);

	if (setjmp(r->fail) == 0) {
		start(r);
		sections(r);
		if (r->outcome != NULL && res->end == RUN_OK)
			vm_keep(r->vm, r->last_line);
		if (o->left != NULL)
			vm_values(r->vm, o->left, o->arg);
		ended = true;
	} else {
		char t[100];
		bool run_mem = r->mem.at_limit;
		int k = snprintf(t, sizeof t, run_mem || res->mem.at_limit ?
		    "more than %zu MiB of memory (%s)" : "the system gives no "
		    "memory", (run_mem ? limit : (size_t)LIM_RUN_TEXT) >> 20,
		    run_mem ? "memory" : "mail and output");

		/* what is said now may need a little */
		r->mem.limit += 64 * 1024;
		res->mem.limit += 64 * 1024;
		if (setjmp(r->fail) == 0)
			fails(r, RUN_FAILED, str_of(t, (size_t)k));
		else
			res->end = RUN_FAILED;
	}
	/* the end, in a way that a second refusal cannot stop */
	if (setjmp(r->fail) == 0 && r->vm != NULL && r->live != NULL) {
		if (ended)
			bad_values(r);
		if (r->in != NULL) {
			struct input_end end;
			struct feed *in = r->in;

			r->in = NULL;
			feed_close(in, &end);
		}
		vm_close(r->vm);
	}
	if (setjmp(r->fail) == 0 && r->live != NULL) {
		if (!live_flush(r->live)) {
			struct str why = r->host->why(r->live);
			char t[LIM_WARN_TEXT];
			int k = snprintf(t, sizeof t, "standard output: %.*s",
			    why.n < 200 ? (int)why.n : 200, why.p);

			res->out_lost = true;
			r->host->log(r->live, LOG_WARNING, str_of(t,
			    (size_t)k));
		}
	}
	if (r->live != NULL) {		/* no copies: nothing can fail here */
		res->effects = live_effects(r->live);
		res->disarmed = live_disarmed(r->live);
		take_over(&res->mail, live_mail(r->live));
		take_over(&res->mail_to, live_mail_to(r->live));
		take_over(&res->print, live_print(r->live));
		take_over(&res->done, live_done(r->live));
	}
	/* only now: what is remembered has been said.  A run whose incidents
	 * are not known has not gone well: they would count as not seen, and
	 * end */
	if (setjmp(r->fail) == 0) {
		if (r->live != NULL)
			take_seen(r);
		if (r->live != NULL && r->vm != NULL)
			apply(r);
	} else {
		res->mem.limit += 64 * 1024;
		if (setjmp(r->fail) == 0)
			fails(r, RUN_FAILED, STR_LIT("what it leaves takes "
			    "more than 16 MiB of memory (incidents and mail)"));
		if (res->end == RUN_OK)
			res->end = RUN_FAILED;
	}
	res->good = res->end == RUN_OK && r->input_well;
	if (o->running != NULL)
		*o->running = NULL;
	if (setjmp(r->fail) == 0) {
		vm_free(r->vm);
		outcome_free(r->outcome);
		buf_free(&r->last);
		rowcopy_free(r->last_row);
	}
	live_free(r->live);
	buf_free(&r->script);
	res->mem.fail = &res->fail;
}

void
run_result_free(struct run_result *res)
{
	buf_free(&res->task);
	buf_free(&res->mail);
	buf_free(&res->print);
	buf_free(&res->mail_to);
	buf_free(&res->error);
	buf_free(&res->done);
	arena_free(&res->texts);
}

/* The options of a host that only logs. */
static void
log_options(const struct run_options *o, struct mem *mem,
    struct live_options *lo)
{
	memset(lo, 0, sizeof *lo);
	lo->mem = mem;
	lo->script = o->program->name;
	lo->alert = o->facts.alert;
	lo->logdir = o->logdir;
	lo->path = o->path;
	lo->out_fd = o->out_fd;
	lo->err_fd = o->err_fd;
	lo->timeout = RUN_TIMEOUT;
	lo->run_id = o->run_id;
	lo->colour = o->colour;
	lo->level = o->program->level;
}

void
run_complain(const struct run_options *o, struct str text)
{
	struct live_options lo;
	struct live *live;
	struct mem mem;
	jmp_buf fail;

	if (setjmp(fail) != 0)
		return;
	mem_init(&mem, LIM_RUN_TEXT, &fail);
	log_options(o, &mem, &lo);
	live = live_new(&lo);
	if (live == NULL)
		return;
	live_host.log(live, LOG_ERROR, text);
	live_free(live);
}

void
run_say_kept(const struct run_options *o)
{
	struct live_options lo;
	struct live *live;
	struct mem mem;
	jmp_buf fail;

	if (setjmp(fail) != 0)
		return;
	mem_init(&mem, LIM_RUN_TEXT, &fail);
	log_options(o, &mem, &lo);
	live = live_new(&lo);
	if (live == NULL)
		return;
	live_say_kept(live, o->scarce);
	live_free(live);
}
