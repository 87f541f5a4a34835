/*
 * safe: keeping things safe: copies of files that could be lost, and taking
 * bad ones away.  What is copied and how: engine/effect/archive.h.
 */
#include "engine/builtin/arg.h"

#define LIM_KEEP	1000	/* old files that #rotate keeps: each is a call */

/* Does it; false: the result is -1, and it has been said. */
static bool
act(struct call *c, struct act *a, struct act_result *r)
{
	const struct host *host;
	struct buf *b;
	void *h;

	host = vm_host(c->vm, &h);
	host->act(h, a, r);
	if (r->suppressed) {
		struct str name = builtin_main_name(a->kind == ACT_ROTATE ?
		    BI_ROTATE : a->kind == ACT_ARCHIVE ? BI_ARCHIVE :
		    BI_QUARANTINE);

		b = vm_buf(c->vm);
		buf_str(b, name);
		buf_putc(b, ' ');
		buf_str(b, a->path);
		vm_suppressed(c->vm, arg_result(c, b));
	}
	c->rn = r->n;
	if (r->n >= 0)
		return true;
	arg_host_failed(c, a->path);
	return false;
}

static void
keep(struct call *c, enum act_kind kind)
{
	struct act a = { .kind = kind, .path = c->s[0], .dir = STR_NIL,
	    .now = vm_now(c->vm) };
	struct act_result r = { .n = -1, .text = STR_NIL, .note = STR_NIL };

	/* what fails has no copy that a mail could name */
	vm_set_archived(c->vm, STR_NIL);
	if (!arg_path(c, 0) || (c->ns > 1 && !arg_path(c, 1)))
		return;
	if (c->ns > 1)
		a.dir = c->s[1];
	if (!act(c, &a, &r))
		return;
	vm_set_archived(c->vm, r.text);
	if (!str_none(r.note)) {
		vm_failed(c, "%.*s: %.*s", arg_cut(a.path), a.path.p,
		    arg_cut(r.note), r.note.p);
		c->rn = r.n;
	}
}

void
bi_archive(struct call *c)
{
	keep(c, ACT_ARCHIVE);
}

void
bi_quarantine(struct call *c)
{
	keep(c, ACT_QUARANTINE);
}

void
bi_archived(struct call *c)
{
	c->rs = vm_dup(c->vm, vm_archived(c->vm));
}

void
bi_rotate(struct call *c)
{
	struct act a = { .kind = ACT_ROTATE, .path = c->s[0], .dir = STR_NIL,
	    .now = NUM_NIL };
	struct act_result r = { .n = -1, .text = STR_NIL, .note = STR_NIL };
	int64_t n;

	if (!arg_path(c, 0) || !arg_int(c, 0, 1, LIM_KEEP, &n))
		return;
	a.value = (double)n;
	(void)act(c, &a, &r);
}
