/* arrays: the functions of whole arrays. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/builtin/arg.h"

void
bi_elements(struct call *c)
{
	c->rn = (double)vm_array(c->vm, c->n[0])->nlive;
}

void
bi_clear(struct call *c)
{
	struct array *a = vm_array(c->vm, c->n[0]);

	c->rn = (double)a->nlive;
	array_clear(a);
}

/* Values by order, those that are none last: NIL, then ERR. */
static int
number_order(const void *pa, const void *pb)
{
	const double *a = pa, *b = pb;

	if (num_none(*a) || num_none(*b))
		return (num_none(*a) + num_is_err(*a)) -
		    (num_none(*b) + num_is_err(*b));
	return (*a > *b) - (*a < *b);
}

static int
text_order(const void *pa, const void *pb)
{
	const struct str *a = pa, *b = pb;

	if (str_none(*a) || str_none(*b))
		return (str_none(*a) + (str_none(*a) && a->n != 0)) -
		    (str_none(*b) + (str_none(*b) && b->n != 0));
	return str_cmp(*a, *b);
}

static struct str
key_text(size_t i, char out[NUM_TEXT_MAX])
{
	return str_of(out, num_text((double)i, out));
}

static void
sort_numbers(struct call *c, struct array *a)
{
	double *v = arg_scratch(c, a->nlive * sizeof *v);
	char key[NUM_TEXT_MAX];
	size_t i, n = 0;

	for (i = 0; i < a->nitem; i++)
		if (a->item[i].key != NULL)
			v[n++] = a->item[i].n;
	qsort(v, n, sizeof *v, number_order);
	array_clear(a);
	for (i = 0; i < n; i++)
		array_make(a, key_text(i + 1, key))->n = v[i];
}

/* The texts are retired by array_clear, so the views of them stay good. */
static void
sort_texts(struct call *c, struct array *a)
{
	struct str *v = arg_scratch(c, a->nlive * sizeof *v);
	char key[NUM_TEXT_MAX];
	size_t i, n = 0;

	for (i = 0; i < a->nitem; i++)
		if (a->item[i].key != NULL)
			v[n++] = array_item_str(&a->item[i]);
	qsort(v, n, sizeof *v, text_order);
	array_clear(a);
	for (i = 0; i < n; i++)
		array_put_str(a, key_text(i + 1, key), v[i]);
}

void
bi_sort(struct call *c)
{
	struct array *a = vm_array(c->vm, c->n[0]);

	if (a->number)
		sort_numbers(c, a);
	else
		sort_texts(c, a);
	c->rn = (double)a->nlive;
}

void
bi_join(struct call *c)
{
	struct array *a = vm_array(c->vm, c->n[0]);
	struct buf *b = vm_buf(c->vm);
	char t[NUM_TEXT_MAX];
	bool first = true;
	size_t i;

	if (arg_none(c))
		return;
	for (i = 0; i < a->nitem; i++) {
		const struct array_item *it = &a->item[i];

		if (it->key == NULL)
			continue;
		if (!first)
			buf_str(b, c->s[0]);
		first = false;
		if (a->number)
			buf_add(b, t, num_text(it->n, t));
		else
			buf_str(b, array_item_str(it));
	}
	c->rs = arg_result(c, b);
}
