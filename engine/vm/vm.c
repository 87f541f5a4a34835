/* vm: the machine's life, its sections, and what it offers to builtins. */
#include <stdarg.h>
#include <stdio.h>

#include "lang/base/map.h"
#include "engine/vm/state.h"

#define TEMP_BLOCK	(16 * 1024)	/* bytes: most lines need no more */
#define REDO_COST	1000		/* instructions a redo counts for */

struct vm *
vm_new(const struct vm_options *o)
{
	struct vm *vm = mem_zalloc(o->mem, sizeof *vm);
	const struct program *p = o->program;
	struct mem *m = o->mem;
	uint32_t i;

	vm->o = *o;
	vm->p = p;
	vm->host = o->host;
	vm->h = o->h;
	vm->mem = m;
	vm->inputexit = NUM_NIL;
	arena_init(&vm->temp, m, TEMP_BLOCK);
	buf_init(&vm->buf, m);
	buf_init(&vm->result, m);
	buf_init(&vm->first_bad, m);
	buf_init(&vm->row_text, m);
	buf_init(&vm->cmd_why, m);
	buf_init(&vm->output, m);
	buf_init(&vm->why, m);
	buf_init(&vm->errtext, m);
	buf_init(&vm->archived, m);
	for (i = 0; i < LIM_REGS; i++) {
		vm->n[i] = NUM_NIL;
		vm->s[i] = STR_NIL;
	}
	for (i = 0; i < p->nnconst; i++)
		vm->n[LIM_REGS - 1 - i] = p->num[i];
	for (i = 0; i < p->nsconst; i++)
		vm->s[LIM_REGS - 1 - i] = p->text[i];
	vm->own = mem_zalloc(m, (p->nsvar + 1) * sizeof *vm->own);
	vm->farn = mem_zalloc(m, (p->nfarn + 1) * sizeof *vm->farn);
	for (i = 0; i < p->nfarn; i++)
		vm->farn[i] = NUM_NIL;
	vm->fars = mem_zalloc(m, (p->nfars + 1) * sizeof *vm->fars);
	vm->farown = mem_zalloc(m, (p->nfars + 1) * sizeof *vm->farown);
	vm->arr = mem_zalloc(m, (p->narray + 1) * sizeof *vm->arr);
	/* one more than there are, so that index 0 is always one */
	for (i = 0; i <= p->narray; i++)
		array_init(&vm->arr[i], m, i < p->narray &&
		    p->array[i].number, vm_retire, vm);
	vm->ar = mem_zalloc(m, (p->narray + 1) * sizeof *vm->ar);
	for (i = 0; i <= p->narray; i++)
		vm->ar[i] = &vm->arr[i];
	vm->slot = mem_zalloc(m, (p->nslot + 1) * sizeof *vm->slot);
	vm->stream = mem_zalloc(m, (p->nhandle + 1) * sizeof *vm->stream);
	vm->eof = mem_zalloc(m, p->nhandle + 1);
	vm->datn = mem_zalloc(m, (p->ndat + 1) * sizeof *vm->datn);
	vm->dats = mem_zalloc(m, (p->ndat + 1) * sizeof *vm->dats);
	vm->column = mem_zalloc(m, (p->ndat + 1) * sizeof *vm->column);
	arena_init(&vm->texts, m, 4096);
	vm->datgen = mem_zalloc(m, (p->ndat + 1) * sizeof *vm->datgen);
	vm->re = mem_zalloc(m, (p->nregex + 1) * sizeof *vm->re);
	if (p->nregex > DIGEST_AFTER) {
		vm->digest = mem_zalloc(m, sizeof *vm->digest);
		vm->holds = mem_zalloc(m, p->nregex * sizeof *vm->holds);
	}
	array_init(&vm->seen, m, true, vm_retire, vm);
	vm->r = (struct regs){ .n = vm->n, .s = vm->s, .own = vm->own,
	    .slot = vm->slot, .ar = vm->ar, .nar = p->narray,
	    .nsvar = p->nsvar, .nstemp = p->nstemp,
	    .base = arena_mark(&vm->temp) };
	kept_open(vm);
	vm->gen = 1;
	vm->incident = STR_NIL;
	vm->line = vm->got.zero = vm->rdlin = vm->task = vm->path = STR_NIL;
	vm->status = -1;
	vm->budget = p->budget > 0 ? p->budget : LIM_BUDGET;
	return vm;
}

void
vm_close(struct vm *vm)
{
	uint32_t i;

	vm_unwind(vm);
	for (i = 0; i < vm->p->nhandle; i++)
		if (vm->stream[i] != NULL) {
			(void)vm->host->close(vm->h, vm->stream[i]);
			vm->stream[i] = NULL;
		}
}

void
vm_free_retired(struct vm *vm)
{
	while (vm->nret > 0) {
		vm->nret--;
		mem_free(vm->mem, vm->ret[vm->nret].p, vm->ret[vm->nret].n);
	}
}

void
vm_free(struct vm *vm)
{
	const struct program *p;
	struct mem *m;
	uint32_t i;

	if (vm == NULL)
		return;
	p = vm->p;
	m = vm->mem;
	kept_free(vm);
	for (i = 0; i <= p->narray; i++)
		array_free(&vm->arr[i]);
	array_free(&vm->seen);
	vm_free_frames(vm);
	vm_free_retired(vm);
	mem_free(m, vm->ret, vm->capret * sizeof *vm->ret);
	for (i = 0; i < p->nsvar; i++)
		mem_free(m, vm->own[i].p, vm->own[i].cap);
	for (i = 0; i < p->nfars; i++)
		mem_free(m, vm->farown[i].p, vm->farown[i].cap);
	mem_free(m, vm->task_own.p, vm->task_own.cap);
	mem_free(m, vm->incident_own.p, vm->incident_own.cap);
	mem_free(m, vm->rdown.p, vm->rdown.cap);
	mem_free(m, vm->infile_own.p, vm->infile_own.cap);
	for (i = 0; i < p->nslot; i++) {
		mem_free(m, vm->slot[i].key,
		    vm->slot[i].nkey * sizeof *vm->slot[i].key);
		mem_free(m, vm->slot[i].bytes, vm->slot[i].nbytes);
	}
	for (i = 0; i < p->nregex; i++)
		re_free(vm->re[i]);
	for (i = 0; i < PATTERN_CACHE; i++) {
		re_free(vm->cache[i].re);
		mem_free(m, vm->cache[i].pattern, vm->cache[i].n);
	}
	re_ctx_free(vm->rectx);
	mem_free(m, vm->got.capbytes, vm->got.ncapbytes);
	mem_free(m, vm->field, vm->capfield * sizeof *vm->field);
	mem_free(m, vm->got.cur, vm->got.capcur * sizeof *vm->got.cur);
	mem_free(m, vm->own, (p->nsvar + 1) * sizeof *vm->own);
	mem_free(m, vm->farn, (p->nfarn + 1) * sizeof *vm->farn);
	mem_free(m, vm->fars, (p->nfars + 1) * sizeof *vm->fars);
	mem_free(m, vm->farown, (p->nfars + 1) * sizeof *vm->farown);
	mem_free(m, vm->arr, (p->narray + 1) * sizeof *vm->arr);
	mem_free(m, vm->ar, (p->narray + 1) * sizeof *vm->ar);
	mem_free(m, vm->slot, (p->nslot + 1) * sizeof *vm->slot);
	mem_free(m, vm->stream, (p->nhandle + 1) * sizeof *vm->stream);
	mem_free(m, vm->eof, p->nhandle + 1);
	mem_free(m, vm->datn, (p->ndat + 1) * sizeof *vm->datn);
	mem_free(m, vm->dats, (p->ndat + 1) * sizeof *vm->dats);
	vm_drop_doc(vm);
	arena_free(&vm->texts);
	mem_free(m, vm->column, (p->ndat + 1) * sizeof *vm->column);
	mem_free(m, vm->datgen, (p->ndat + 1) * sizeof *vm->datgen);
	mem_free(m, vm->re, (p->nregex + 1) * sizeof *vm->re);
	if (vm->digest != NULL) {
		mem_free(m, vm->digest, sizeof *vm->digest);
		mem_free(m, vm->holds, p->nregex * sizeof *vm->holds);
	}
	buf_free(&vm->buf);
	buf_free(&vm->result);
	buf_free(&vm->first_bad);
	buf_free(&vm->row_text);
	mem_free(m, vm->row_dat, (p->ndat + 1) * sizeof *vm->row_dat);
	buf_free(&vm->cmd_why);
	buf_free(&vm->output);
	buf_free(&vm->why);
	buf_free(&vm->errtext);
	buf_free(&vm->archived);
	arena_free(&vm->temp);
	mem_free(m, vm, sizeof *vm);
}

/* --- temporaries --- */

void
vm_retire(void *ctx, void *p, size_t n)
{
	struct vm *vm = ctx;
	size_t cap;

	if (p == NULL)
		return;
	if (vm->nret == vm->capret) {
		cap = vm->capret == 0 ? 64 : vm->capret * 2;
		vm->ret = mem_realloc(vm->mem, vm->ret,
		    vm->capret * sizeof *vm->ret, cap * sizeof *vm->ret);
		vm->capret = cap;
	}
	vm->ret[vm->nret].p = p;
	vm->ret[vm->nret++].n = n;
	vm->dirty = true;
}

/* No register may view bytes that go. */
static inline void
empty_temporaries(struct vm *vm)
{
	struct str *s = &vm->r.s[vm->r.nsvar], *end = s + vm->r.nstemp;

	for (; s < end; s++)
		*s = STR_NIL;
}

void
vm_drop(struct vm *vm)
{
	empty_temporaries(vm);
	vm_free_retired(vm);
	arena_reset(&vm->temp, vm->r.base);
	vm->cmd_ok = false;
	vm->xopt.as = vm->xopt.dir = STR_NIL;
	vm->now_valid = false;
	vm->dirty = false;
}

char *
vm_text(struct vm *vm, size_t n)
{
	vm->dirty = true;
	return arena_text(&vm->temp, n);
}

struct str
vm_dup(struct vm *vm, struct str s)
{
	char *p;

	if (str_none(s))
		return s;
	p = vm_text(vm, s.n);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return str_of(p, s.n);
}

struct buf *
vm_buf(struct vm *vm)
{
	vm->dirty = true;
	buf_clear(&vm->buf);
	return &vm->buf;
}

struct mem *
vm_mem(struct vm *vm)
{
	return vm->mem;
}

/* --- sections --- */

static void
pass(struct vm *vm)
{
	vm_unwind(vm);
	vm->budget = vm->p->budget > 0 ? vm->p->budget : LIM_BUDGET;
	vm->now_valid = false;
	vm->must_end = false;
	if (vm->seen.nlive > 0)
		array_clear(&vm->seen);
	vm_drop(vm);
}

struct str
vm_run_task(struct vm *vm)
{
	if (vm->p->has_task && str_none(vm->task)) {
		pass(vm);
		(void)vm_execute(vm, vm->p->pc_task);
		vm_store(vm, &vm->task_own, &vm->task, vm->task);
	}
	return vm->task;
}

const struct command *
vm_run_input(struct vm *vm)
{
	pass(vm);
	(void)vm_execute(vm, vm->p->pc_input);
	return vm->cmd_ok ? &vm->cmd : NULL;
}

struct str
vm_run_path(struct vm *vm)
{
	pass(vm);
	(void)vm_execute(vm, vm->p->pc_input);
	return vm->path;
}

struct str
vm_run_bakfile(struct vm *vm)
{
	pass(vm);
	(void)vm_execute(vm, vm->p->pc_bakfile);
	return vm->path;
}

/* Keeps the temporaries: the input's command may still stand in them. */
const struct command *
vm_run_filter(struct vm *vm)
{
	(void)vm_execute(vm, vm->p->pc_filter);
	return vm->cmd_ok ? &vm->cmd : NULL;
}

enum vm_result
vm_run_begin(struct vm *vm)
{
	if (!vm->p->has_begin)
		return VM_DONE;
	pass(vm);
	return vm_execute(vm, vm->p->pc_begin);
}

void
vm_run_args(struct vm *vm)
{
	pass(vm);
	(void)vm_execute(vm, vm->p->pc_input);
}

void
vm_begin_line(struct vm *vm)
{
	vm_unwind(vm);		/* the line before may have failed in a call */
	if (vm->dirty || vm->seen.nlive > 0 || vm->now_valid)
		pass(vm);
	else {
		empty_temporaries(vm);	/* they may view the line before */
		vm->budget = vm->p->budget > 0 ? vm->p->budget : LIM_BUDGET;
	}
}

enum vm_result
vm_run_line(struct vm *vm, struct str line)
{
	vm->innum++;
	vm_begin_line(vm);
	vm_new_line(vm, line);
	return vm_rules(vm);
}

enum vm_result
vm_rules(struct vm *vm)
{
	enum vm_result r;

	if (vm->o.trace)
		vm_trace_line(vm);
	if (!vm->p->has_rules) {
		if (vm->kept != NULL)
			kept_line_end(vm);
		return VM_DONE;
	}
	while ((r = vm_execute(vm, vm->p->pc_rules)) == VM_REDO) {
		vm_drop(vm);
		vm->got.own_fields = false;
		vm->got.zero = vm->line;
		vm->budget -= REDO_COST;
		if (vm->budget <= 0 || vm->host->stop(vm->h)) {
			if (!vm_look(vm))
				return vm->end_with;
		}
	}
	if (vm->kept != NULL && r <= VM_QUIT)
		kept_line_end(vm);
	return r;
}

enum vm_result
vm_run_end(struct vm *vm, struct str last)
{
	vm->eoi = vm->in_end = true;
	if (!vm->p->has_end)
		return VM_DONE;
	pass(vm);
	/* the input's bytes are gone: without the last line there is none */
	vm_new_line(vm, last);
	vm_last_row(vm);
	return vm_execute(vm, vm->p->pc_end);
}

void
vm_end(struct vm *vm, enum vm_result how, struct str why)
{
	vm->must_end = true;
	vm->end_with = how;
	buf_clear(&vm->why);
	buf_str(&vm->why, why);
}

void
vm_skip_line(struct vm *vm)
{
	vm->innum++;
}

void
vm_waited(struct vm *vm)
{
	if (!vm->must_end && vm->host->stop(vm->h))
		vm_end(vm, VM_STOPPED, vm->host->why(vm->h));
}

double
vm_skip(const struct vm *vm)
{
	return vm->skip;
}

int
vm_status(const struct vm *vm)
{
	return vm->status;
}

struct str
vm_why(const struct vm *vm)
{
	return buf_view(&vm->why);
}

void
vm_set_eoi(struct vm *vm)
{
	vm->eoi = true;
}

void
vm_set_infile(struct vm *vm, struct str path)
{
	vm_store(vm, &vm->infile_own, &vm->o.facts.infile, path);
}

void
vm_set_runs(struct vm *vm, double runs)
{
	vm->o.facts.runs = runs;
}

void
vm_set_inputexit(struct vm *vm, int status)
{
	vm->inputexit = status;
}

size_t
vm_nbad(const struct vm *vm)
{
	return vm->nbad;
}

struct str
vm_first_bad(const struct vm *vm)
{
	return buf_view(&vm->first_bad);
}

/* --- what is said in the log --- */

/* "file:line: ", the text and the input line; the host adds the script. */
static void
log_line(struct vm *vm, enum log_kind kind, const char *fmt, va_list ap)
{
	const struct line_entry *e = program_where(vm->p, vm->pc);
	struct str in;
	struct buf b;

	buf_init(&b, vm->mem);
	if (e != NULL) {
		if (e->file < vm->p->nfiles) {
			buf_str(&b, vm->p->files[e->file]);
			buf_putc(&b, ':');
		}
		buf_printf(&b, "%u: ", e->line);
	}
	in = vm_where(vm);
	if (!str_none(in))
		buf_printf(&b, "in %.*s: ", (int)in.n, in.p);
	buf_vprintf(&b, fmt, ap);
	if (!str_none(vm->line)) {
		buf_printf(&b, " (input line %.0f: \"", vm->innum);
		buf_escaped(&b, vm_line(vm), LIM_EXEC_TEXT);
		buf_puts(&b, "\")");
	}
	vm->host->log(vm->h, kind, buf_view(&b));
	buf_free(&b);
}

void
vm_log(struct vm *vm, enum log_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(vm, kind, fmt, ap);
	va_end(ap);
}

/* The name of the function whose call is at hand. */
static struct str
call_name(const struct vm *vm)
{
	return builtin_main_name((int)I_BX(vm->p->code[vm->pc]));
}

static void
call_log(struct call *c, enum log_kind kind, const char *fmt, va_list ap)
{
	struct buf *keep = &c->vm->errtext;
	struct str name = call_name(c->vm);
	struct buf b;

	buf_init(&b, c->vm->mem);
	buf_vprintf(&b, fmt, ap);
	vm_log(c->vm, kind, "%.*s: %.*s", (int)name.n, name.p, (int)b.n,
	    b.n == 0 ? "" : b.p);
	buf_clear(keep);
	buf_str(keep, buf_view(&b));
	buf_free(&b);
}

void
vm_domain(struct call *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	call_log(c, LOG_ERROR, fmt, ap);
	va_end(ap);
	c->rn = NUM_ERR;
	c->rs = STR_ERR;
}

void
vm_failed(struct call *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	call_log(c, LOG_WARNING, fmt, ap);
	va_end(ap);
	vm_waited(c->vm);	/* the deadline may be why */
}

void
vm_set_archived(struct vm *vm, struct str path)
{
	buf_clear(&vm->archived);
	if (!str_none(path))
		buf_str(&vm->archived, path);
}

struct str
vm_archived(struct vm *vm)
{
	return vm->archived.n == 0 ? STR_NIL : buf_view(&vm->archived);
}

struct str
vm_errtext(struct vm *vm)
{
	return buf_view(&vm->errtext);
}

void
vm_fault(struct vm *vm, enum num_fault f)
{
	vm_log(vm, LOG_ERROR, "%s", num_fault_text(f));
}

/* --- facts --- */

const struct host *
vm_host(struct vm *vm, void **h)
{
	*h = vm->h;
	return vm->host;
}

const struct program *
vm_program(struct vm *vm)
{
	return vm->p;
}

double
vm_now(struct vm *vm)
{
	if (!vm->now_valid) {
		vm->now = floor(vm->host->clock(vm->h));
		vm->now_valid = true;
		vm->dirty = true;	/* the next turn asks again */
	}
	return vm->now;
}

struct array *
vm_array(struct vm *vm, double index)
{
	/* a verified program's constants; a damaged one gets some array */
	if (!(index >= 0 && index < vm->r.nar))
		return &vm->arr[0];
	return vm->r.ar[(size_t)index];
}

static size_t
handle(const struct vm *vm, double index)
{
	return index >= 0 && index < vm->p->nhandle ? (size_t)index : 0;
}

struct stream **
vm_handle(struct vm *vm, double index)
{
	return &vm->stream[handle(vm, index)];
}

struct str
vm_handle_name(struct vm *vm, double index)
{
	return vm->p->nhandle == 0 ? STR_EMPTY :
	    vm->p->handle[handle(vm, index)];
}

void
vm_handle_set_eof(struct vm *vm, double index, bool on)
{
	vm->eof[handle(vm, index)] = on;
}

const struct command *
vm_command(struct vm *vm)
{
	static const struct exec_result refused = { .started = true,
	    .status = 126 };

	if (vm->cmd_ok)
		return &vm->cmd;
	vm_set_exec(vm, &refused);
	return NULL;
}

struct str
vm_task(struct vm *vm)
{
	return str_none(vm->task) ? STR_EMPTY : vm->task;
}

const struct run_facts *
vm_facts(struct vm *vm)
{
	return &vm->o.facts;
}

struct str
vm_incident_key(struct vm *vm)
{
	return vm->incident;
}

bool
vm_doexec(struct vm *vm)
{
	return vm->o.doexec;
}

double
vm_innum(struct vm *vm)
{
	return vm->innum;
}

bool
vm_eoi(struct vm *vm)
{
	return vm->eoi;
}

double
vm_inputexit(struct vm *vm)
{
	return vm->inputexit;
}
