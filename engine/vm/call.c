/*
 * call: functions that the source defines.  Each call has registers of its
 * own, made at the first call of that depth and kept for the next.
 *
 * Temporaries: what the caller still needs of its string temporaries is
 * copied before the call, the others are emptied.  So nothing outside the
 * callee views bytes that are retired, and the callee may drop its own
 * temporaries, back to where it began, as a section does.
 */
#include <stdio.h>

#include "engine/vm/state.h"

#define OWN_KEPT	4096	/* bytes of a string local that wait for the next
				 * call; more is given back */

static void
free_slots(struct vm *vm, struct slot *sl, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		mem_free(vm->mem, sl[i].key, sl[i].nkey * sizeof *sl[i].key);
		mem_free(vm->mem, sl[i].bytes, sl[i].nbytes);
		memset(&sl[i], 0, sizeof sl[i]);
	}
}

/* The most that any function needs: frames fit all of them. */
static void
measure(struct vm *vm)
{
	const struct func *f;
	uint32_t i;

	for (i = 0; i < vm->p->nfunc; i++) {
		f = &vm->p->func[i];
		if (f->nsvar > vm->most.own)
			vm->most.own = f->nsvar;
		if (f->nslot > vm->most.slot)
			vm->most.slot = f->nslot;
		if (f->narray > vm->most.array)
			vm->most.array = f->narray;
		if (f->nhandle > vm->most.handle)
			vm->most.handle = f->nhandle;
	}
	vm->most.known = true;
}

static struct frame *
new_frame(struct vm *vm)
{
	const struct program *p = vm->p;
	struct frame *fr;
	uint32_t i;

	if (!vm->most.known)
		measure(vm);
	/* in the table first, so that whatever comes next is freed */
	fr = vm->frame[vm->depth] = mem_zalloc(vm->mem, sizeof *fr);
	fr->own = mem_zalloc(vm->mem, (vm->most.own + 1) * sizeof *fr->own);
	fr->slot = mem_zalloc(vm->mem,
	    (vm->most.slot + 1) * sizeof *fr->slot);
	fr->arr = mem_zalloc(vm->mem,
	    (vm->most.array + 1) * sizeof *fr->arr);
	fr->ar = mem_zalloc(vm->mem, (vm->most.array + 1) * sizeof *fr->ar);
	fr->stream = mem_zalloc(vm->mem,
	    (vm->most.handle + 1) * sizeof *fr->stream);
	fr->eof = mem_zalloc(vm->mem, vm->most.handle + 1);
	for (i = 0; i < p->nnconst; i++)
		fr->n[LIM_REGS - 1 - i] = p->num[i];
	for (i = 0; i < p->nsconst; i++)
		fr->s[LIM_REGS - 1 - i] = p->text[i];
	fr->ready = true;
	return fr;
}

static void
free_got(struct vm *vm, struct got *g)
{
	mem_free(vm->mem, g->capbytes, g->ncapbytes);
	mem_free(vm->mem, g->cur, g->capcur * sizeof *g->cur);
}

void
vm_free_frames(struct vm *vm)
{
	struct mem *m = vm->mem;
	struct frame *fr;
	uint32_t i, k;

	for (i = 0; i < LIM_CALL_DEPTH; i++) {
		if ((fr = vm->frame[i]) == NULL)
			continue;
		if (i < vm->depth && fr->f->fields)	/* left by a jump */
			free_got(vm, &fr->got);
		for (k = 0; fr->arr != NULL && k < vm->most.array; k++)
			if (fr->arr[k].mem != NULL)
				array_free(&fr->arr[k]);
		for (k = 0; fr->own != NULL && k < vm->most.own; k++)
			mem_free(m, fr->own[k].p, fr->own[k].cap);
		if (fr->slot != NULL)
			free_slots(vm, fr->slot, vm->most.slot);
		mem_free(m, fr->own, (vm->most.own + 1) * sizeof *fr->own);
		mem_free(m, fr->slot, (vm->most.slot + 1) * sizeof *fr->slot);
		mem_free(m, fr->arr, (vm->most.array + 1) * sizeof *fr->arr);
		mem_free(m, fr->ar, (vm->most.array + 1) * sizeof *fr->ar);
		mem_free(m, fr->stream,
		    (vm->most.handle + 1) * sizeof *fr->stream);
		mem_free(m, fr->eof, vm->most.handle + 1);
		mem_free(m, fr, sizeof *fr);
		vm->frame[i] = NULL;
	}
}

static bool
damaged(struct vm *vm, const struct func *f, const char *what)
{
	char t[200];
	int n;

	n = snprintf(t, sizeof t, "%.*s: %s", f->name.n > 100 ? 100 :
	    (int)f->name.n, f->name.p, what);
	vm_end(vm, VM_FAILED, str_of(t, (size_t)n));
	return false;
}

/* Arrays: parameters are the caller's, locals begin empty. */
static bool
bind_arrays(struct vm *vm, struct frame *fr, const struct func *f)
{
	uint32_t i;

	for (i = 0; i < f->naparam; i++) {
		fr->ar[i] = vm->aarg[i];
		vm->aarg[i] = NULL;
		/* only code that no compiler made comes here without */
		if (fr->ar[i] == NULL ||
		    fr->ar[i]->number != f->array[i].number)
			return damaged(vm, f, "was called without its arrays");
	}
	for (; i < f->narray; i++) {
		array_init(&fr->arr[i], vm->mem, f->array[i].number,
		    vm_retire, vm);
		fr->ar[i] = &fr->arr[i];
	}
	return true;
}

/* $0 $1 ... are the caller's again when the function returns. */
static void
save_fields(struct vm *vm, struct frame *fr)
{
	fr->got = vm->got;
	memset(&vm->got, 0, sizeof vm->got);
	vm->got.own_fields = true;
	vm->got.zero = STR_NIL;
}

static void
save_streams(struct vm *vm, struct frame *fr, const struct func *f)
{
	uint32_t i;

	for (i = 0; i < f->nhandle; i++) {
		fr->stream[i] = vm->stream[f->handle + i];
		fr->eof[i] = vm->eof[f->handle + i];
		vm->stream[f->handle + i] = NULL;
		vm->eof[f->handle + i] = false;
	}
}

bool
vm_enter(struct vm *vm, const struct func *f, instr ext, const instr *ret)
{
	struct regs *r = &vm->r;
	struct frame *fr;
	uint32_t i, keep = CALL_SB(ext) - r->nsvar;
	struct str *s;

	if (vm->depth == LIM_CALL_DEPTH)
		return damaged(vm, f, "calls in one another, more than 200 "
		    "deep");
	fr = vm->frame[vm->depth];
	if (fr == NULL || !fr->ready)
		fr = new_frame(vm);
	if (f->narray > 0 && !bind_arrays(vm, fr, f))
		return false;
	for (i = 0; i < f->nnparam; i++)
		fr->n[i] = r->n[CALL_NB(ext) + i];
	for (; i < f->nnvar; i++)
		fr->n[i] = NUM_NIL;
	for (i = 0; i < f->nsparam; i++)
		vm_store(vm, &fr->own[i], &fr->s[i], r->s[CALL_SB(ext) + i]);
	for (; i < f->nsvar + f->nstemp; i++)
		fr->s[i] = STR_NIL;
	s = &r->s[r->nsvar];
	for (i = 0; i < keep; i++)
		s[i] = vm_dup(vm, s[i]);
	for (; i < r->nstemp; i++)
		s[i] = STR_NIL;

	fr->f = f;
	fr->ret = ret;
	fr->up = *r;
	r->n = fr->n;
	r->s = fr->s;
	r->own = fr->own;
	r->slot = fr->slot;
	r->ar = fr->ar;
	r->nar = f->narray;
	r->nsvar = f->nsvar;
	r->nstemp = f->nstemp;
	r->base = arena_mark(&vm->temp);
	if (f->fields)
		save_fields(vm, fr);
	if (f->nhandle > 0)
		save_streams(vm, fr, f);
	vm->depth++;
	return true;
}

/* The innermost call is over. */
static void
leave(struct vm *vm)
{
	struct frame *fr = vm->frame[--vm->depth];
	const struct func *f = fr->f;
	uint32_t i;

	for (i = 0; i < f->nsvar; i++)
		if (fr->own[i].cap > OWN_KEPT) {
			mem_free(vm->mem, fr->own[i].p, fr->own[i].cap);
			memset(&fr->own[i], 0, sizeof fr->own[i]);
		}
	if (f->nslot > 0)
		free_slots(vm, fr->slot, f->nslot);
	for (i = f->naparam; i < f->narray; i++)
		array_free(&fr->arr[i]);
	if (f->fields) {
		free_got(vm, &vm->got);
		vm->got = fr->got;
	}
	for (i = 0; i < f->nhandle; i++) {
		if (vm->stream[f->handle + i] != NULL)
			(void)vm->host->close(vm->h,
			    vm->stream[f->handle + i]);
		vm->stream[f->handle + i] = fr->stream[i];
		vm->eof[f->handle + i] = fr->eof[i];
	}
	vm->r = fr->up;
}

/* The result is copied out before what it may view is gone. */
struct str
vm_leave(struct vm *vm, struct str result)
{
	struct arena_mark base = vm->r.base;

	if (!str_none(result)) {
		buf_clear(&vm->result);
		buf_str(&vm->result, result);
	}
	leave(vm);
	vm_free_retired(vm);
	if (arena_dirty(&vm->temp, base))
		arena_reset(&vm->temp, base);
	return str_none(result) ? result :
	    vm_dup(vm, buf_view(&vm->result));
}

void
vm_unwind(struct vm *vm)
{
	uint32_t i;

	if (vm->depth == 0)
		return;
	while (vm->depth > 0)
		leave(vm);
	for (i = 0; i < vm->r.nstemp; i++)
		vm->r.s[vm->r.nsvar + i] = STR_NIL;
}

struct str
vm_where(const struct vm *vm)
{
	return vm->depth == 0 ? STR_NIL : vm->frame[vm->depth - 1]->f->name;
}
