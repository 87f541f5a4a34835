/* math: rounding, arithmetic and the statistics of lists of numbers. */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "engine/builtin/arg.h"

/* One number in, one out; NIL and ERR pass. */
static void
each(struct call *c, double (*fn)(double))
{
	c->rn = num_none(c->n[0]) ? c->n[0] : fn(c->n[0]);
}

void
bi_abs(struct call *c)
{
	each(c, fabs);
}

void
bi_ceiling(struct call *c)
{
	each(c, ceil);
}

void
bi_floor(struct call *c)
{
	each(c, floor);
}

void
bi_round(struct call *c)
{
	each(c, round);		/* C's: halves away from zero, as PIKT's */
}

void
bi_trunc(struct call *c)
{
	each(c, trunc);
}

static double
sign(double d)
{
	return (d > 0) - (d < 0);
}

void
bi_sign(struct call *c)
{
	each(c, sign);
}

/* The result of a function that is not defined everywhere. */
static void
domain(struct call *c, double (*fn)(double))
{
	char t[NUM_TEXT_MAX];
	double d;

	if (arg_none(c))
		return;
	d = fn(c->n[0]);
	if (num_fine(d))
		c->rn = d;
	else
		vm_domain(c, "no result for %.*s",
		    (int)num_text(c->n[0], t), t);
}

void
bi_sqrt(struct call *c)
{
	domain(c, sqrt);
}

void
bi_exp(struct call *c)
{
	domain(c, exp);
}

void
bi_ln(struct call *c)
{
	domain(c, log);
}

void
bi_log10(struct call *c)
{
	domain(c, log10);
}

/* The operators' own kernel, so that #mod(a, b) is a % b in every case. */
static void
operator(struct call *c, enum num_op op)
{
	enum num_fault fault;

	c->rn = num_op(op, c->n[0], c->n[1], &fault);
	if (fault != NUM_FINE)
		vm_domain(c, "%s", num_fault_text(fault));
}

void
bi_mod(struct call *c)
{
	operator(c, NUM_MOD);
}

void
bi_pow(struct call *c)
{
	operator(c, NUM_POW);
}

void
bi_random(struct call *c)
{
	uint64_t r, n, top;
	int64_t arg = 0;

	if (arg_none(c))
		return;
	if (c->nn > 0 && !arg_int(c, 0, 1, (int64_t)NUM_EXACT, &arg))
		return;
	n = (uint64_t)arg;
	/* The last, incomplete stretch of multiples of n is thrown again. */
	top = n == 0 ? UINT64_MAX : UINT64_MAX - UINT64_MAX % n;
	do {
		/* Up to 256 bytes come whole, unless a signal came before
		 * the kernel's pool was ever filled. */
		if (getrandom(&r, sizeof r, 0) != (ssize_t)sizeof r) {
			if (errno == EINTR) {
				r = UINT64_MAX;
				continue;
			}
			vm_failed(c, "getrandom: %s", strerror(errno));
			return;
		}
	} while (r >= top);
	c->rn = n == 0 ? (double)(r >> 11) * 0x1p-53 : (double)(r % n);
}

/* --- lists --- */

struct list {
	const double	*v;
	size_t		 n;
};

/*
 * The numbers of the arguments from `first` on, or those of the array that
 * stands there.  False: the result is set: one of them is NIL or ERR, or
 * there are none, which makes NIL.
 */
static bool
list_get(struct call *c, unsigned first, struct list *l)
{
	bool nil, err = false;
	struct array *a;
	double *copy;
	size_t i;

	*l = (struct list){ c->n + first, c->nn - first };
	if (c->array_arg) {
		a = vm_array(c->vm, c->n[c->nn - 1]);
		l->n = 0;
		if (!a->number) {
			vm_domain(c, "an array of texts");
			return false;
		}
		l->v = copy = arg_scratch(c, a->nlive * sizeof *copy);
		for (i = 0; i < a->nitem; i++)
			if (a->item[i].key != NULL)
				copy[l->n++] = a->item[i].n;
	}
	nil = l->n == 0;
	for (i = 0; i < l->n; i++) {
		nil = nil || num_is_nil(l->v[i]);
		err = err || num_is_err(l->v[i]);
	}
	if (!nil && !err)
		return true;
	c->rn = err ? NUM_ERR : NUM_NIL;
	return false;
}

void
bi_min(struct call *c)
{
	struct list l;
	size_t i;

	if (!list_get(c, 0, &l))
		return;
	c->rn = l.v[0];
	for (i = 1; i < l.n; i++)
		if (l.v[i] < c->rn)
			c->rn = l.v[i];
}

void
bi_max(struct call *c)
{
	struct list l;
	size_t i;

	if (!list_get(c, 0, &l))
		return;
	c->rn = l.v[0];
	for (i = 1; i < l.n; i++)
		if (l.v[i] > c->rn)
			c->rn = l.v[i];
}

/* The sum with the lost low bits carried along (Neumaier), so that 0.1 + 0.2
 * + 0.3 is 0.6 also when people look at it. */
static double
sum(const double *v, size_t n)
{
	double s = 0, lost = 0, t;
	size_t i;

	for (i = 0; i < n; i++) {
		t = s + v[i];
		lost += fabs(s) >= fabs(v[i]) ? (s - t) + v[i] :
		    (v[i] - t) + s;
		s = t;
	}
	return num_fine(s) ? s + lost : s;
}

void
bi_sum(struct call *c)
{
	struct list l;

	if (!list_get(c, 0, &l)) {
		/* The sum of nothing is known. */
		if (num_is_nil(c->rn) && l.n == 0)
			c->rn = 0;
		return;
	}
	arg_number(c, sum(l.v, l.n));
}

void
bi_avg(struct call *c)
{
	struct list l;

	if (!list_get(c, 0, &l))
		return;
	arg_number(c, sum(l.v, l.n) / (double)l.n);
}

void
bi_stddev(struct call *c)
{
	double mean, squares = 0;
	struct list l;
	size_t i;

	if (!list_get(c, 0, &l))
		return;
	mean = sum(l.v, l.n) / (double)l.n;
	for (i = 0; i < l.n; i++)
		squares += (l.v[i] - mean) * (l.v[i] - mean);
	arg_number(c, sqrt(squares / (double)l.n));
}

static int
by_value(const void *pa, const void *pb)
{
	const double *a = pa, *b = pb;

	return (*a > *b) - (*a < *b);
}

/*
 * The value at `part` (0 to 1) of the way through the sorted list; between
 * two of them by proportion (the usual definition: R's type 7, numpy's).
 */
static double
quantile(struct call *c, const struct list *l, double part)
{
	double at = part * (double)(l->n - 1), below, above, *v;
	size_t i = (size_t)at;

	v = arg_scratch(c, l->n * sizeof *v);
	memcpy(v, l->v, l->n * sizeof *v);
	qsort(v, l->n, sizeof *v, by_value);
	below = v[i];
	above = i + 1 < l->n ? v[i + 1] : below;
	at -= (double)i;
	/* Not below + at * (above - below): that difference may overflow. */
	return below * (1 - at) + above * at;
}

void
bi_median(struct call *c)
{
	struct list l;

	if (!list_get(c, 0, &l))
		return;
	c->rn = quantile(c, &l, 0.5);
}

void
bi_percentile(struct call *c)
{
	char t[NUM_TEXT_MAX];
	double p = c->n[0];
	struct list l;

	if (num_none(p)) {
		c->rn = p;
		return;
	}
	if (p < 0 || p > 100) {
		vm_domain(c, "%.*s is no percentage from 0 to 100",
		    (int)num_text(p, t), t);
		return;
	}
	if (!list_get(c, 1, &l))
		return;
	c->rn = quantile(c, &l, p / 100);
}
