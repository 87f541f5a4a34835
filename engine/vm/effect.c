/* effect: what a script does to the world, by way of the host. */
#include <unistd.h>

#include "engine/vm/state.h"

bool
vm_ftest(struct vm *vm, struct str path, int test)
{
	struct stat st;

	if (str_none(path) || memchr(path.p, '\0', path.n) != NULL)
		return false;
	if (test == 'r' || test == 'w' || test == 'x')
		return vm->host->access(vm->h, path, test == 'r' ? R_OK :
		    test == 'w' ? W_OK : X_OK) == 0;
	if (vm->host->stat(vm->h, path, &st, test != 'l') != 0)
		return false;
	switch (test) {
	case 'e': return true;
	case 'z': return st.st_size == 0;
	case 's': return st.st_size > 0;
	case 'f': return S_ISREG(st.st_mode);
	case 'd': return S_ISDIR(st.st_mode);
	case 'c': return S_ISCHR(st.st_mode);
	case 'b': return S_ISBLK(st.st_mode);
	case 'p': return S_ISFIFO(st.st_mode);
	case 'l': return S_ISLNK(st.st_mode);
	case 'S': return S_ISSOCK(st.st_mode);
	case 'u': return (st.st_mode & S_ISUID) != 0;
	case 'g': return (st.st_mode & S_ISGID) != 0;
	case 'k': return (st.st_mode & S_ISVTX) != 0;
	default: return false;
	}
}

/* As in the shells: a file that is missing is older than one that is not. */
bool
vm_newer(struct vm *vm, struct str a, struct str b)
{
	struct stat sa, sb;

	if (str_none(a) || vm->host->stat(vm->h, a, &sa, true) != 0)
		return false;
	if (str_none(b) || vm->host->stat(vm->h, b, &sb, true) != 0)
		return true;
	return sa.st_mtim.tv_sec != sb.st_mtim.tv_sec ?
	    sa.st_mtim.tv_sec > sb.st_mtim.tv_sec :
	    sa.st_mtim.tv_nsec > sb.st_mtim.tv_nsec;
}

void
vm_suppressed(struct vm *vm, struct str effect)
{
	struct array_item *it;
	struct buf b;
	uint32_t i;

	/* the same statement: others may well say the same, and so may a
	 * function that is called at several places */
	buf_init(&b, vm->mem);
	for (i = 0; i < vm->depth; i++)
		buf_printf(&b, "%u ", (unsigned)(vm->frame[i]->ret -
		    vm->p->code));
	buf_printf(&b, "%u ", vm->pc);
	buf_str(&b, effect);
	it = array_make(&vm->seen, buf_view(&b));
	buf_free(&b);
	it->n = num_is_nil(it->n) ? 1 : it->n + 1;
	if (it->n < 3 || vm->must_end)
		return;
	buf_init(&b, vm->mem);
	buf_puts(&b, "the run ends here: this was not done and came a third "
	    "time, so a loop waits for what never happens: ");
	buf_escaped(&b, effect, LIM_EXEC_TEXT);
	vm_end(vm, VM_SUPPRESSED, buf_view(&b));
	buf_free(&b);
}

void
vm_set_exec(struct vm *vm, const struct exec_result *r)
{
	vm->exitcode = r->started ? r->status : 127;
	buf_clear(&vm->output);
	buf_str(&vm->output, str_none(r->output) ? STR_EMPTY : r->output);
	vm_waited(vm);
}

int
vm_exitcode(struct vm *vm)
{
	return vm->exitcode;
}

struct str
vm_output(struct vm *vm)
{
	struct str s = buf_view(&vm->output);

	if (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;		/* as $command */
	return vm_dup(vm, s);
}

/* doexec with define doexec FALSE: the command goes into the mail. */
static void
only_told(struct vm *vm)
{
	struct buf b;

	buf_init(&b, vm->mem);
	buf_puts(&b, "not done (define doexec is FALSE): ");
	buf_str(&b, vm->cmd.show);
	if (!vm->host->output(vm->h, OUT_MAIL, STR_NIL, buf_view(&b)))
		vm_log(vm, LOG_ERROR, "the mail line could not be kept");
	buf_free(&b);
	vm_suppressed(vm, vm->cmd.show);
}

void
vm_exec(struct vm *vm, unsigned how)
{
	static const enum exec_mode mode[] = { EXEC_GO, EXEC_WAIT,
	    EXEC_DETACHED, EXEC_GO };
	struct exec_result r;
	struct exec_opts o = vm->xopt;
	struct str why;

	memset(&vm->xopt, 0, sizeof vm->xopt);
	memset(&r, 0, sizeof r);
	vm->now_valid = false;
	if (!vm->cmd_ok) {
		(void)vm_command(vm);
		return;		/* the refusal was logged */
	}
	if ((how & 4) != 0 && !vm->o.doexec) {
		only_told(vm);
		return;
	}
	vm->host->exec(vm->h, &vm->cmd, mode[how & 3], &o, &r);
	if (!r.started) {
		why = vm->host->why(vm->h);
		vm_log(vm, LOG_ERROR, "exec: %.*s", (int)why.n, why.p);
	} else if (r.timed_out)
		vm_log(vm, LOG_ERROR, "exec: ended at its time-out: %.*s",
		    (int)vm->cmd.show.n, vm->cmd.show.p);
	vm_set_exec(vm, &r);
	if (r.suppressed)
		vm_suppressed(vm, vm->cmd.show);
}

/* Seconds or runs that a clause gave; what is none counts as not said. */
static double
clause_number(struct vm *vm, const char *word, double v, double most)
{
	char t[NUM_TEXT_MAX];

	if (v >= 0 && v <= most)
		return v;
	vm_log(vm, LOG_ERROR, "incident: %s is %.*s: taken as not written",
	    word, (int)num_text(v, t), t);
	return 0;
}

enum incident_verdict
vm_incident(struct vm *vm, const double *n, const struct str *s)
{
	const struct line_entry *e = program_where(vm->p, vm->pc);
	enum incident_verdict v = VERDICT_NOTHING;
	struct incident_seen seen = { .key = vm->incident,
	    .when = n[STEP_WHEN], .until = n[STEP_UNTIL],
	    .has_until = num_true(n[STEP_HAS_UNTIL]),
	    .message = s[STEP_MESSAGE], .evidence = s[STEP_EVIDENCE],
	    .unless = s[STEP_UNLESS] };
	struct buf place;

	seen.hold = clause_number(vm, "hold", n[STEP_HOLD], LIM_CLAUSE);
	seen.remind = clause_number(vm, "remind", n[STEP_REMIND], LIM_CLAUSE);
	seen.absent = floor(clause_number(vm, "absent", n[STEP_ABSENT],
	    LIM_CLAUSE));
	seen.level = n[STEP_LEVEL] >= 0 && n[STEP_LEVEL] < LEVEL_COUNT ?
	    (enum level)n[STEP_LEVEL] : vm->p->level;
	if (seen.when != 0)		/* NIL: that is unknown */
		seen.message = str_shown(seen.message);
	buf_init(&place, vm->mem);
	if (e != NULL && e->file < vm->p->nfiles) {
		buf_str(&place, vm->p->files[e->file]);
		buf_printf(&place, ":%u", e->line);
	}
	seen.place = buf_view(&place);
	/* a host of a test may have none */
	if (vm->host->incident != NULL)
		v = vm->host->incident(vm->h, &seen);
	buf_free(&place);
	vm->now_valid = false;	/* the blocks may read the clock anew */
	vm_waited(vm);
	return v;
}

void
vm_out(struct vm *vm, enum out kind, struct str target, struct str text)
{
	struct str why;

	bool aimed = kind == OUT_LOG || kind == OUT_MAIL_TO;

	if (aimed && str_none(target)) {
		vm_log(vm, LOG_ERROR, "output: the %s is %.*s",
		    kind == OUT_LOG ? "path" : "address", (int)str_shown(target).n, str_shown(target).p);
		return;
	}
	if (vm->host->output(vm->h, kind, aimed ? target : STR_NIL,
	    str_shown(text)))
		return;
	why = vm->host->why(vm->h);
	vm_log(vm, LOG_WARNING, "output: %.*s", (int)why.n, why.p);
}

void
vm_trace_line(struct vm *vm)
{
	struct buf b;

	buf_init(&b, vm->mem);
	buf_printf(&b, "line %.0f: ", vm->innum);
	buf_escaped(&b, vm_line(vm), LIM_EXEC_TEXT);
	vm->host->trace(vm->h, buf_view(&b));
	buf_free(&b);
}

void
vm_trace_stmt(struct vm *vm, struct str where)
{
	struct buf b;

	buf_init(&b, vm->mem);
	buf_puts(&b, "  ");
	buf_escaped(&b, where, LIM_EXEC_TEXT);
	vm->host->trace(vm->h, buf_view(&b));
	buf_free(&b);
}

void
vm_trace_value(struct vm *vm, struct str name, struct str value)
{
	struct buf b;

	buf_init(&b, vm->mem);
	buf_puts(&b, "      ");
	if (!str_none(name)) {
		buf_str(&b, name);
		buf_puts(&b, " = ");
	}
	buf_escaped(&b, value, LIM_EXEC_TEXT);
	vm->host->trace(vm->h, buf_view(&b));
	buf_free(&b);
}
