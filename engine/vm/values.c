/* values: strings that variables own, keys, loops over keys. */
#include <stdio.h>
#include <stdlib.h>

#include "lang/base/format.h"
#include "engine/vm/state.h"

#define KEY_JOIN	'\034'	/* awk's SUBSEP: no text of people holds it */

/* A new block for a variable; the old one may still be viewed. */
static void
grow(struct vm *vm, struct own *own, size_t n)
{
	size_t cap = own->cap * 2 > n ? own->cap * 2 : n;
	char *p;

	if (cap < 32)
		cap = 32;
	p = mem_alloc(vm->mem, cap);
	vm_retire(vm, own->p, own->cap);
	own->p = p;
	own->cap = cap;
}

void
vm_store(struct vm *vm, struct own *own, struct str *view, struct str v)
{
	const char *old = own->p;

	(void)old;
	if (str_none(v)) {
		*view = v;
		return;
	}
	if (v.n > own->cap)
		grow(vm, own, v.n);	/* v may view the old block: retired */
	if (v.n > 0)
		memmove(own->p, v.p, v.n);
	*view = str_of(v.n == 0 ? "" : own->p, v.n);
}

void
vm_append(struct vm *vm, struct own *own, struct str *view, struct str v)
{
	struct str was = *view;

	v = str_shown(v);
	if (str_none(was)) {
		if (was.n != 0)
			vm_store(vm, own, &was, str_shown(was));
		else
			was = STR_EMPTY;
	}
	if (was.n + v.n > own->cap) {
		grow(vm, own, was.n + v.n);
		if (was.n > 0)
			memcpy(own->p, was.p, was.n);
	}
	if (v.n > 0)
		memmove(own->p + was.n, v.p, v.n);
	*view = str_of(was.n + v.n == 0 ? "" : own->p, was.n + v.n);
}

void
vm_values(struct vm *vm, host_value_fn *fn, void *arg)
{
	const struct program *p = vm->p;
	const struct array_item *it;
	const struct array *a;
	char t[NUM_TEXT_MAX];
	uint32_t i;
	size_t k;
	double d;

	vm_unwind(vm);
	for (i = 0; i < p->nnvar + p->nfarn; i++) {
		d = i < p->nnvar ? vm->n[i] : vm->farn[i - p->nnvar];
		fn(arg, STR_NIL, true, p->nvar_name[i], STR_NIL, str_of(t,
		    num_text(d, t)));
	}
	for (i = 0; i < p->nsvar + p->nfars; i++)
		fn(arg, STR_NIL, false, p->svar_name[i], STR_NIL, str_shown(
		    i < p->nsvar ? vm->s[i] : vm->fars[i - p->nsvar]));
	for (i = 0; i < p->narray; i++) {
		a = &vm->arr[i];
		for (k = 0; k < a->nitem; k++) {
			it = &a->item[k];
			if (it->key != NULL)
				fn(arg, STR_NIL, a->number, p->array[i].name,
				    str_of(it->key, it->nkey), a->number ?
				    str_of(t, num_text(it->n, t)) :
				    str_shown(array_item_str(it)));
		}
	}
}

struct str
vm_cat(struct vm *vm, const struct str *s, unsigned n)
{
	size_t total = 0;
	struct str v;
	unsigned k;
	char *p, *q;

	for (k = 0; k < n; k++)
		total += str_shown(s[k]).n;
	p = q = vm_text(vm, total);
	for (k = 0; k < n; k++) {
		v = str_shown(s[k]);
		if (v.n > 0)
			memcpy(q, v.p, v.n);
		q += v.n;
	}
	return str_of(p, total);
}

struct str
vm_join_key(struct vm *vm, const struct str *s, unsigned n)
{
	size_t total = n - 1;
	struct str v;
	unsigned k;
	char *p, *q;

	for (k = 0; k < n; k++) {
		if (str_none(s[k]) && s[k].n != 0)
			return STR_ERR;
		total += str_shown(s[k]).n;
	}
	p = q = vm_text(vm, total);
	for (k = 0; k < n; k++) {
		v = str_shown(s[k]);
		if (k > 0)
			*q++ = KEY_JOIN;
		if (v.n > 0)
			memcpy(q, v.p, v.n);
		q += v.n;
	}
	return str_of(p, total);
}

struct str
vm_number_key(struct vm *vm, double d)
{
	char t[NUM_TEXT_MAX];
	struct str text;

	if (!(d >= 0)) {
		text = str_of(t, num_text(d, t));
		vm_log(vm, LOG_ERROR, "array index %.*s: %s", (int)text.n,
		    text.p, num_none(d) ? "no number" : "negative");
		return STR_ERR;
	}
	return vm_dup(vm, str_of(t, num_text(d, t)));
}

struct str
vm_decimals(struct vm *vm, double d, double decimals)
{
	char t[NUM_TEXT_MAX];
	struct format_part f;
	struct buf *b;
	size_t n;

	if (!(decimals >= 0 && decimals <= LIM_FORMAT_FIELD) ||
	    !num_is_int(decimals)) {
		n = num_text(decimals, t);
		vm_log(vm, LOG_ERROR, "$text: %.*s is no number of decimals, 0 "
		    "to %d", (int)n, t, LIM_FORMAT_FIELD);
		return STR_ERR;
	}
	if (num_none(d))
		return num_is_nil(d) ? STR_NIL : STR_ERR;
	memset(&f, 0, sizeof f);
	f.conv = 'f';
	f.prec = (int)decimals;
	b = vm_buf(vm);
	format_number(b, &f, d);
	return vm_dup(vm, buf_view(b));
}

/* --- loops over keys --- */

struct sortable {
	struct str	 key;
	const struct array_item *item;
	double		 num;		/* of the key, or NIL */
};

static int
by_number(double a, double b)
{
	/* numbers before what is none */
	if (num_none(a) || num_none(b))
		return num_none(a) - num_none(b);
	return (a > b) - (a < b);
}

static int
by_key(const void *va, const void *vb)
{
	const struct sortable *a = va, *b = vb;
	int r = by_number(a->num, b->num);

	return r != 0 ? r : str_cmp(a->key, b->key);
}

static int
by_key_down(const void *a, const void *b)
{
	return by_key(b, a);
}

static int
by_value(const void *va, const void *vb)
{
	const struct sortable *a = va, *b = vb;
	int r;

	if (a->item->p == NULL && b->item->p == NULL)
		r = by_number(a->item->n, b->item->n);
	else
		r = str_cmp(str_shown(array_item_str(a->item)),
		    str_shown(array_item_str(b->item)));
	/* equal values: in the order of their keys, so that lists are stable */
	return r != 0 ? r : by_key(va, vb);
}

static int
by_value_down(const void *va, const void *vb)
{
	const struct sortable *a = va, *b = vb;
	int r = by_value(vb, va);

	return r == 0 ? 0 : a->item->p == NULL && b->item->p == NULL &&
	    by_number(a->item->n, b->item->n) == 0 ? by_key(va, vb) : r;
}

void
vm_iter(struct vm *vm, unsigned slot, const struct array *a, enum order order)
{
	static int (*const cmp[])(const void *, const void *) = { NULL,
	    by_key, by_key_down, by_value, by_value_down };
	struct slot *sl = &vm->r.slot[slot];
	struct sortable *all;
	size_t i, n = 0, bytes = 0;
	char *p;

	vm_retire(vm, sl->key, sl->nkey * sizeof *sl->key);
	vm_retire(vm, sl->bytes, sl->nbytes);
	memset(sl, 0, sizeof *sl);
	if (a->nlive == 0)
		return;
	all = arena_alloc(&vm->temp, a->nlive * sizeof *all);
	vm->dirty = true;
	for (i = 0; i < a->nitem; i++) {
		const struct array_item *it = &a->item[i];

		if (it->key == NULL)
			continue;
		all[n].key = str_of(it->key, it->nkey);
		all[n].item = it;
		all[n++].num = order == ORDER_INSERTED ? NUM_NIL :
		    num_parse(str_of(it->key, it->nkey), false);
		bytes += it->nkey;
	}
	if (cmp[order] != NULL)
		qsort(all, n, sizeof *all, cmp[order]);
	sl->key = mem_alloc(vm->mem, n * sizeof *sl->key);
	sl->nkey = n;
	sl->bytes = p = mem_alloc(vm->mem, bytes + 1);
	sl->nbytes = bytes + 1;
	for (i = 0; i < n; i++) {
		if (all[i].key.n > 0)
			memcpy(p, all[i].key.p, all[i].key.n);
		sl->key[i] = str_of(p, all[i].key.n);
		p += all[i].key.n;
	}
}
