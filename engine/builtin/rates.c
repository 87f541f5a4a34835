/*
 * rates: a number beside what it was in earlier runs.  The compiler adds the
 * history to the arguments (lang/check/history.c), engine/vm/kept.c keeps it.
 */
#include <stdlib.h>

#include "engine/builtin/arg.h"

void
bi_delta(struct call *c)
{
	if (!arg_none(c))
		arg_number(c, c->n[0] - c->n[1]);
}

/*
 * n: the value, that of the run before, when that run began.  A counter that
 * is less than it was has been reset: what it shows now is what has come
 * since.  None is below zero: then it is a difference like another.
 */
void
bi_rate(struct call *c)
{
	double now = c->n[0], was, seconds;

	if (arg_none(c))
		return;
	was = now < c->n[1] && now >= 0 ? 0 : c->n[1];
	seconds = vm_began(c->vm) - c->n[2];
	/* a clock that was set back tells nothing */
	if (num_none(seconds) || seconds <= 0) {
		c->rn = NUM_NIL;
		return;
	}
	arg_number(c, (now - was) / seconds);
}

/* n: the value, its weight, the average until now. */
void
bi_ewma(struct call *c)
{
	if (!arg_none(c))
		arg_number(c, vm_ewma(c->n[2], c->n[0], c->n[1]));
}

static int
by_value(const void *pa, const void *pb)
{
	const double *a = pa, *b = pb;

	return (*a > *b) - (*a < *b);
}

/* The numbers of a text that was kept; a state is data, too. */
static size_t
values(struct str s, double *v, size_t most)
{
	size_t n = 0, at = 0, end;

	while (at < s.n && n < most) {
		end = str_find(s, ' ', at);
		v[n] = num_parse(str_of(s.p + at, end - at), false);
		if (!num_none(v[n]))
			n++;
		at = end + 1;
	}
	return n;
}

/* As #percentile has it: between two values by proportion. */
static double
p95(double *v, size_t n)
{
	double at = 0.95 * (double)(n - 1), above;
	size_t i = (size_t)at;

	qsort(v, n, sizeof *v, by_value);
	above = i + 1 < n ? v[i + 1] : v[i];
	at -= (double)i;
	return v[i] * (1 - at) + above * at;
}

/* n: the value, how many; s: what of them, the values until now. */
void
bi_window(struct call *c)
{
	double v[LIM_WINDOW + 1], d;
	size_t n, most, i;

	if (arg_none(c))
		return;
	most = c->n[1] >= 2 && c->n[1] <= LIM_WINDOW ? (size_t)c->n[1] :
	    LIM_WINDOW;
	n = values(c->s[1], v, most);
	/* they were most before this one came */
	if (n == most)
		memmove(v, v + 1, --n * sizeof *v);
	v[n++] = c->n[0];
	d = v[0];
	if (str_eq(c->s[0], STR_LIT("p95")))
		d = p95(v, n);
	else if (str_eq(c->s[0], STR_LIT("avg"))) {
		for (i = 1; i < n; i++)
			d += v[i];
		d /= (double)n;
	} else
		for (i = 1; i < n; i++)
			if ((v[i] < d) == str_eq(c->s[0], STR_LIT("min")))
				d = v[i];
	arg_number(c, d);
}
