/*
 * tell_ways: who is told of an alert.  Its own run knows; for whoever tells
 * later (a silence has ended, a reminder) the run leaves it in the store, a
 * line each:
 *
 *	from ADDRESS
 *	to ADDRESS
 *	first TRANSPORT LINE
 *	also TRANSPORT LINE
 *	route NAME
 *	digest SECONDS
 */
#include "engine/deliver/tell_inner.h"

#include "lang/base/num.h"
#include "engine/deliver/address.h"

#define WAYS		"ways:"		/* of the row's name in table meta */

static void
line(struct buf *b, const char *word, struct str value)
{
	if (str_none(value) || value.n == 0 ||
	    str_find(value, '\n', 0) < value.n)
		return;
	buf_puts(b, word);
	buf_putc(b, ' ');
	buf_str(b, value);
	buf_putc(b, '\n');
}

static struct str
row_name(struct tell *t, struct str alert)
{
	struct buf b;
	struct str s;

	buf_init(&b, t->o.mem);
	buf_puts(&b, WAYS);
	buf_str(&b, alert);
	s = arena_dup(&t->arena, buf_view(&b));
	buf_free(&b);
	return s;
}

void
tell_keep_ways(struct tell *t)
{
	struct ways w = tell_ways(t, t->o.alert);
	struct param p[2];
	struct buf b;
	size_t i;

	buf_init(&b, t->o.mem);
	line(&b, "from", w.from);
	for (i = 0; i < w.nto; i++)
		line(&b, "to", w.to[i]);
	line(&b, "first", w.first);
	line(&b, "also", w.also);
	for (i = 0; i < w.nroute; i++)
		line(&b, "route", w.route[i]);
	if (w.digest > 0)
		buf_printf(&b, "digest %.17g\n", w.digest);
	p[0] = PT(row_name(t, t->o.alert));
	p[1] = PT(buf_view(&b));
	batch_row(t->batch, Q_META_PUT, p);
	buf_free(&b);
}

struct reading {
	struct tell	*t;
	struct ways	*w;
	struct str	 to[LIM_CONF_MAILTO], route[LIM_CONF_RULES];
};

static void
read_line(struct reading *r, struct str word, struct str value)
{
	struct ways *w = r->w;

	if (str_eq(word, STR_LIT("from")) && address_fault(value) == NULL)
		w->from = value;
	else if (str_eq(word, STR_LIT("to")) && w->nto < LIM_CONF_MAILTO &&
	    address_fault(value) == NULL)
		r->to[w->nto++] = value;
	else if (str_eq(word, STR_LIT("first")))
		w->first = value;
	else if (str_eq(word, STR_LIT("also")))
		w->also = value;
	else if (str_eq(word, STR_LIT("route")) &&
	    w->nroute < LIM_CONF_RULES)
		r->route[w->nroute++] = value;
	else if (str_eq(word, STR_LIT("digest")))
		w->digest = tell_number(value);
}

static void
take(void *arg, const struct str *column, unsigned n)
{
	struct reading *r = arg;
	struct str s, one;
	size_t at, end, k;

	if (n < 1 || str_none(column[0]))
		return;
	s = arena_dup(&r->t->arena, column[0]);
	for (at = 0; at < s.n; at = end + 1) {
		end = str_find(s, '\n', at);
		one = str_of(s.p + at, end - at);
		k = str_find(one, ' ', 0);
		if (k < one.n)
			read_line(r, str_of(one.p, k), str_of(one.p + k + 1,
			    one.n - k - 1));
	}
}

struct ways
tell_ways(struct tell *t, struct str alert)
{
	struct reading *r;
	struct ways w;
	struct param p;

	memset(&w, 0, sizeof w);
	w.from = STR_EMPTY;
	w.first = w.also = STR_EMPTY;
	if (str_eq(alert, t->o.alert)) {
		w.from = t->o.mailfrom;
		w.to = t->o.mailto;
		w.nto = t->o.nmailto;
		w.first = t->o.first;
		w.also = t->o.also;
		w.route = t->o.route;
		w.nroute = t->o.nroute;
		w.digest = t->o.digest;
		return w;
	}
	r = arena_zalloc(&t->arena, sizeof *r);
	r->t = t;
	r->w = &w;
	p = PT(row_name(t, alert));
	if (t->open)
		(void)state_ask(t->o.state, Q_META_GET, &p, take, r);
	w.to = r->to;
	w.route = r->route;
	return w;
}
