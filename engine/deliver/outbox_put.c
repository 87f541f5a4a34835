/* outbox_put: rows of a notice, as they are put and as they are read back, and
 * which transports a row's way means. */
#include "engine/deliver/outbox_inner.h"

#include <stdio.h>

#include "engine/deliver/address.h"
#include "lang/base/num.h"

/* --- ways --- */

/* The way of a transport with the option always; conf.c sees to it that no two
 * of them have one label. */
static void
always_way(const struct transport *t, struct buf *b)
{
	buf_puts(b, WAY_ALWAYS);
	transport_label(t, b);
}

static struct str
given(struct str s)
{
	return str_none(s) ? STR_EMPTY : s;
}

static void
add_row(struct batch *b, const struct notice *n, struct str way,
    struct str rcpt, double due, size_t part, enum outbox_fold fold)
{
	double since = n->after > n->made ? n->after : n->made;
	bool urgent = n->level <= LEVEL_CRITICAL || n->distrust;
	char key[LIM_OUTBOX_KEY];

	snprintf(key, sizeof key, "%.*s %.*s %zu", (int)n->id.n, n->id.p,
	    (int)way.n, way.p, part);
	batch_row(b, Q_OUTBOX_ADD, (const struct param[]){ PT(str_c(key)),
	    PT(n->id), PT(way), PT(rcpt),
	    PT(str_eq(way, STR_LIT(WAY_MAIL)) ? given(n->first) :
	    str_eq(way, STR_LIT(WAY_ALSO)) ? given(n->also) : STR_EMPTY),
	    PT(given(n->route)), PN(due), PN(n->made), PN(since), PN(urgent),
	    PN(fold) });
}

/* A row for each LIM_JOB_RCPT of its recipients. */
static void
add_rows(struct batch *b, const struct notice *n, struct str way, double due,
    enum outbox_fold fold)
{
	char rcpt[LIM_JOB_RCPT * (LIM_ADDRESS + 1)];
	size_t i = 0, part = 0, used;

	do {
		for (used = 0; i < n->nto && i < (part + 1) * LIM_JOB_RCPT;
		    i++) {
			if (n->to[i].n == 0 || n->to[i].n > LIM_ADDRESS)
				continue;	/* no address: nobody is there */
			if (used > 0)
				rcpt[used++] = '\n';
			memcpy(rcpt + used, n->to[i].p, n->to[i].n);
			used += n->to[i].n;
		}
		add_row(b, n, way, str_of(rcpt, used), due, part++, fold);
	} while (i < n->nto);
}

/* --- rows as they come --- */

static double
number(struct str s)
{
	double d = str_none(s) ? NUM_NIL : num_parse(s, false);

	return num_none(d) ? 0 : d;
}

void
outbox_row_read(struct outbox_row *r, const struct str *c, struct arena *a)
{
	struct str *text[] = { &r->key, &r->notice, &r->way, &r->rcpt,
	    &r->first, &r->route };
	double *num[] = { &r->due, &r->made, &r->since, &r->tries };
	size_t i;

	memset(r, 0, sizeof *r);
	r->id = number(*c++);
	for (i = 0; i < sizeof text / sizeof *text; i++, c++)
		*text[i] = arena_dup(a, given(*c));
	for (i = 0; i < sizeof num / sizeof *num; i++)
		*num[i] = number(*c++);
	r->state = (enum outbox_state)number(*c++);
	r->urgent = number(*c++) != 0;
	r->fold = (enum outbox_fold)number(*c++);
	r->why = arena_dup(a, given(*c++));
	r->run = str_none(*c) ? STR_NIL : arena_dup(a, *c);
	c++;
	r->alert = arena_dup(a, given(*c++));
	r->level = (enum level)number(*c++);
	if (r->level >= LEVEL_COUNT)
		r->level = LEVEL_DEBUG;
	r->subject = arena_dup(a, given(*c++));
	r->sender = arena_dup(a, given(*c++));
}

size_t
outbox_addresses(struct str rcpt, struct str to[LIM_JOB_RCPT])
{
	size_t at, end, n = 0;

	for (at = 0; at < rcpt.n && n < LIM_JOB_RCPT; at = end + 1) {
		end = str_find(rcpt, '\n', at);
		to[n++] = str_of(rcpt.p + at, end - at);
	}
	return n;
}

/* NULL: the default. */
static bool
route_of(const struct conf *c, struct str name, const struct route **r)
{
	*r = NULL;
	if (name.n == 0 || str_eq(name, STR_LIT(ROUTE_DEFAULT)))
		return true;
	*r = route_named(c, name);
	return *r != NULL;
}

static bool
is_via(const struct conf *c, const struct route *r, const struct transport *t)
{
	size_t i;

	for (i = 0; r != NULL && i < r->via.n; i++)
		if (conf_transport(c, r->via.p[i]) == t)
			return true;
	return false;
}

/*
 * A route's own list is what it names, whatever else that is used for; the
 * fall-backs are then those that it does not name.
 */
static size_t
ways(const struct conf *c, const struct route *r, struct str way,
    const struct transport *list[LIM_CONF_TRANSPORTS], struct mem *m)
{
	bool mail = str_eq(way, STR_LIT(WAY_MAIL));
	bool fallback = str_eq(way, STR_LIT(WAY_FALLBACK));
	const struct transport *t;
	struct buf name;
	size_t i, n = 0;

	if (mail && r != NULL && r->via.n > 0) {
		for (i = 0; i < r->via.n && n < LIM_CONF_TRANSPORTS; i++)
			if ((t = conf_transport(c, r->via.p[i])) != NULL)
				list[n++] = t;
		return n;
	}
	buf_init(&name, m);
	for (i = 0; i < c->ntransport; i++) {
		t = &c->transport[i];
		buf_clear(&name);
		if (mail ? conf_role(c, i) != ROLE_LIST : fallback ?
		    conf_role(c, i) != ROLE_FALLBACK || is_via(c, r, t) :
		    conf_role(c, i) != ROLE_ALWAYS)
			continue;
		if (!mail && !fallback)
			always_way(t, &name);
		if (mail || fallback || str_eq(buf_view(&name), way))
			list[n++] = t;
	}
	buf_free(&name);
	return n;
}

size_t
outbox_transports(const struct conf *c, const struct outbox_row *row,
    const struct transport *list[LIM_CONF_TRANSPORTS], struct buf *why,
    bool *gone)
{
	const struct route *r;
	size_t n = 0;

	*gone = true;
	/* a route that was renamed or removed while it waits: who it is for
	 * stands in the row, and the default brings it there */
	(void)route_of(c, row->route, &r);
	n = ways(c, r, row->way, list, why->mem);
	if (n > 0)
		return n;
	if (str_starts(row->way, WAY_ALWAYS)) {
		buf_puts(why, "picket.conf has no such transport any more: ");
		buf_str(why, str_of(row->way.p + sizeof WAY_ALWAYS - 1,
		    row->way.n - sizeof WAY_ALWAYS + 1));
	} else if (str_eq(row->way, STR_LIT(WAY_FALLBACK))) {
		buf_puts(why, "picket.conf has no fall-back any more");
	} else {
		*gone = false;
		buf_puts(why, "no way to send mail: picket.conf names none "
		    "and there is no " CONF_SENDMAIL_PATH);
	}
	return 0;
}

/*
 * The rows stand before their notice: they are added only while that is not
 * there, so that a batch which is written twice sends nothing twice.
 */
void
outbox_add(struct batch *b, const struct notice *n, const struct conf *c,
    enum outbox_fold fold)
{
	const struct transport *list[LIM_CONF_TRANSPORTS];
	double since = n->after > n->made ? n->after : n->made;
	bool urgent = n->level <= LEVEL_CRITICAL || n->distrust, fallback;
	const struct route *route;
	struct buf way;
	size_t i;

	(void)route_of(c, given(n->route), &route);
	fallback = ways(c, route, STR_LIT(WAY_FALLBACK), list,
	    batch_mem(b)) > 0;
	/* rows go out in the order of their time, then as they were put */
	if (fallback && n->distrust)
		add_rows(b, n, STR_LIT(WAY_FALLBACK), since, fold);
	add_rows(b, n, STR_LIT(WAY_MAIL), since, fold);
	if (fallback && !n->distrust)
		add_rows(b, n, STR_LIT(WAY_FALLBACK), urgent ? since :
		    since + FALLBACK_AFTER, fold);
	buf_init(&way, batch_mem(b));
	/* those have got already what is folded */
	for (i = 0; i < c->ntransport && fold <= FOLD_ALERT; i++)
		if (conf_role(c, i) == ROLE_ALWAYS) {
			buf_clear(&way);
			always_way(&c->transport[i], &way);
			add_rows(b, n, buf_view(&way), since, fold);
		}
	buf_free(&way);
	if (given(n->also).n > 0 && fold <= FOLD_ALERT)
		add_rows(b, n, STR_LIT(WAY_ALSO), since, fold);
	batch_row(b, Q_NOTICE_ADD, (const struct param[]){ PT(n->id),
	    PT(given(n->run)), PT(n->alert), PN(n->level), PN(n->made),
	    PT(n->subject), PT(n->from), PT(n->message), PT(n->body),
	    PT(given(n->json)) });
}

void
outbox_put(struct batch *b, const struct notice *n, const struct conf *c)
{
	outbox_add(b, n, c, n->digest && !n->distrust &&
	    n->level > LEVEL_CRITICAL ? FOLD_ALERT : FOLD_NOT);
}

