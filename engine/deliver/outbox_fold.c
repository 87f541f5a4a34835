/*
 * outbox_fold: many notices in one mail: those of an alert that collects them
 * (digest), and those that exceed what a person gets in an hour (limit).
 * Nothing that is critical or above is ever held.
 */
#include "engine/deliver/outbox_inner.h"

#include <stdio.h>

#include "engine/deliver/encode.h"
#include "engine/deliver/plain.h"
#include "lang/base/num.h"

#define HOUR		3600.0
#define LIM_FOLD	1000		/* notices in one mail; more are in the
					 * next */
#define LIM_FOLD_TEXT	(256 * 1024)	/* bytes of their texts in it; the others
					 * are listed */

/* --- limits --- */

static void
got_time(void *arg, const struct str *c, unsigned n)
{
	(void)n;
	*(double *)arg = num_parse(c[0], false);
}

/*
 * When a mail to this address is within the limit again; 0: it is.  False:
 * the store could not be asked.
 */
static bool
room_at(struct flush *f, struct str address, double *at)
{
	*at = 0;
	if (!state_ask(f->o->state, Q_DELIVERY_NTH, (const struct param[]){
	    PT(address), PN(f->now - HOUR), PN(f->now), PT(STR_LIT("ok")),
	    PT(STR_LIT(WAY_MAIL)), PN(f->o->conf->limit) }, got_time, at))
		return false;
	if (*at > 0)
		*at += HOUR;
	return true;
}

static void
add_address(struct buf *b, struct str address)
{
	if (b->n > 0)
		buf_putc(b, '\n');
	buf_str(b, address);
}

/* They wait for room; the others, if there are such, go now. */
static void
hold(struct flush *f, const struct outbox_row *r, struct str over,
    struct str others, double at, struct batch *b)
{
	char why[LIM_OUTBOX_KEY], key[LIM_OUTBOX_KEY];

	snprintf(why, sizeof why, "there were %u mails in an hour, which is "
	    "the limit: it goes together with others", f->o->conf->limit);
	if (others.n == 0) {
		batch_row(b, Q_OUTBOX_TRIED, (const struct param[]){
		    PN(r->id), PT(r->rcpt), PN(at), PN(r->tries),
		    PN(OUTBOX_HELD), PT(str_c(why)) });
		/* it is held, not stuck: nothing else need tell of it */
		batch_row(b, Q_OUTBOX_UNUSED, (const struct param[]){
		    PT(r->notice), PT(STR_LIT(WAY_FALLBACK)), PN(r->id),
		    PT(STR_LIT(WAY_MAIL)) });
		return;
	}
	snprintf(key, sizeof key, "%.*s held", (int)r->key.n, r->key.p);
	batch_row(b, Q_OUTBOX_SPLIT, (const struct param[]){ PN(r->id),
	    PT(str_c(key)), PT(over), PN(at), PT(str_c(why)) });
	batch_row(b, Q_OUTBOX_TRIED, (const struct param[]){ PN(r->id),
	    PT(others), PN(r->due), PN(r->tries), PN(r->state), PT(r->why) });
}

/* True: somebody of the row has had enough, and the batch says so. */
static bool
over_limit(struct flush *f, const struct outbox_row *r, struct batch *b,
    bool *failed)
{
	struct str to[LIM_JOB_RCPT];
	size_t i, n = outbox_addresses(r->rcpt, to);
	struct buf over, others;
	double at, last = 0;

	buf_init(&over, f->o->mem);
	buf_init(&others, f->o->mem);
	for (i = 0; i < n && !*failed; i++) {
		*failed = !room_at(f, to[i], &at);
		if (at > last)
			last = at;
		add_address(at > f->now ? &over : &others, to[i]);
	}
	if (over.n > 0 && !*failed)
		hold(f, r, buf_view(&over), buf_view(&others), last, b);
	i = over.n;
	buf_free(&over);
	buf_free(&others);
	return i > 0 || *failed;
}

/* --- many in one --- */

struct fold {
	struct flush	*f;
	const struct outbox_row *row;	/* the one that is due */
	struct outbox_row *list;
	size_t		 n;
	enum level	 worst;
};

static void
got_row(void *arg, const struct str *c, unsigned n)
{
	struct fold *x = arg;
	struct outbox_row *r = &x->list[x->n];

	(void)n;
	if (x->n == LIM_FOLD)
		return;
	outbox_row_read(r, c, x->f->arena);
	if (r->level < x->worst)
		x->worst = r->level;
	x->n++;
}

static void
add_time(struct buf *b, double t)
{
	char text[TIME_TEXT_MAX];

	encode_ctime((time_t)t, text);
	buf_puts(b, text);
}

static void
add_list(const struct fold *x, struct buf *b)
{
	const struct outbox_row *r;

	for (r = x->list; r < x->list + x->n; r++) {
		buf_puts(b, "  ");
		add_time(b, r->made);
		buf_printf(b, "  %-9s  ", level_name[r->level]);
		buf_escaped(b, r->subject, 0);
		buf_putc(b, '\n');
	}
}

static void
got_body(void *arg, const struct str *c, unsigned n)
{
	struct buf *b = arg;

	/* notice run alert level made subject sender message body json */
	(void)n;
	if (!str_none(c[8]))
		buf_str(b, c[8]);
}

/* A mail's text, set in. */
static void
add_body(struct buf *b, struct str s)
{
	size_t at, end;

	for (at = 0; at < s.n; at = end + 1) {
		end = str_find(s, '\n', at);
		if (end > at)
			buf_puts(b, "    ");
		buf_add(b, s.p + at, end - at);
		buf_putc(b, '\n');
	}
}

static bool
add_bodies(const struct fold *x, struct buf *b)
{
	size_t i, from = b->n, missing = 0;
	struct buf body;
	bool ok = true;

	buf_init(&body, b->mem);
	for (i = 0; i < x->n && ok; i++) {
		buf_clear(&body);
		ok = state_ask(x->f->o->state, Q_NOTICE_GET,
		    (const struct param[]){ PT(x->list[i].notice) }, got_body,
		    &body);
		if (b->n - from + body.n > LIM_FOLD_TEXT) {
			missing++;
			continue;
		}
		buf_printf(b, "\n%zu of %zu: ", i + 1, x->n);
		buf_escaped(b, x->list[i].subject, 0);
		buf_puts(b, "\n\n");
		add_body(b, buf_view(&body));
	}
	if (missing > 0)
		buf_printf(b, "\n%zu more are too long for this mail: "
		    "see the list above\n", missing);
	buf_free(&body);
	return ok;
}

static void
add_head(const struct fold *x, bool held, struct buf *b)
{
	if (held)
		buf_printf(b, "There were %u mails in an hour, which is the "
		    "limit in picket.conf.\nThese %zu waited:\n\n",
		    x->f->o->conf->limit, x->n);
	else {
		buf_printf(b, "%zu notices, which the alert collects:\n\n",
		    x->n);
	}
}

/* One notice of them all, and what becomes of each. */
static bool
fold(struct fold *x, bool held, struct batch *b)
{
	struct flush *f = x->f;
	const struct conf *conf = f->o->conf;
	struct plain p = { .host = conf->value[CONF_HOSTNAME],
	    .from = x->row->sender, .alert = x->row->alert,
	    .level = x->worst, .now = f->now };
	struct str to[LIM_JOB_RCPT];
	const struct outbox_row *r;
	struct buf subject, text;
	struct notice n;
	char run[80];
	bool ok;

	snprintf(run, sizeof run, "digest.%.0f.%.0f", f->now * 1000,
	    x->row->id);
	buf_init(&subject, f->o->mem);
	buf_init(&text, f->o->mem);
	buf_printf(&subject, "%zu notices on ", x->n);
	buf_str(&subject, p.host);
	buf_puts(&subject, held ? ", over the limit" : ": ");
	if (!held)
		buf_str(&subject, p.alert);
	add_head(x, held, &text);
	add_list(x, &text);
	ok = add_bodies(x, &text);
	p.run = str_c(run);
	p.subject = buf_view(&subject);
	p.title = held ? STR_LIT("What the limit held back") :
	    STR_LIT("Digest");
	p.text = buf_view(&text);
	p.to = to;
	p.nto = outbox_addresses(x->row->rcpt, to);
	plain_notice(&p, &n, f->arena);
	n.first = x->row->first;
	n.route = x->row->route;
	outbox_add(b, &n, conf, held ? FOLD_SUM : FOLD_SEVERAL);
	for (r = x->list; r < x->list + x->n; r++) {
		batch_row(b, Q_OUTBOX_DROP, (const struct param[]){
		    PN(r->id) });
		batch_row(b, Q_OUTBOX_UNUSED, (const struct param[]){
		    PT(r->notice), PT(STR_LIT(WAY_FALLBACK)), PN(r->id),
		    PT(STR_LIT(WAY_MAIL)) });
		batch_row(b, Q_DELIVERY_ADD, (const struct param[]){
		    PN(f->now), PT(r->notice), PT(r->way), PT(r->rcpt),
		    PT(STR_EMPTY), PT(STR_LIT("folded")), PT(n.id) });
	}
	buf_free(&subject);
	buf_free(&text);
	return ok;
}

/* What can go together with this row; false: the store could not be asked. */
static bool
others(struct fold *x, struct str alert)
{
	const struct outbox_row *r = x->row;

	x->n = 0;
	x->worst = LEVEL_DEBUG;
	return state_ask(x->f->o->state, Q_OUTBOX_FOLD,
	    (const struct param[]){ PT(r->way), PT(r->rcpt), PT(r->first),
	    PT(r->route), PT(alert), PN(LIM_FOLD) }, got_row, x);
}

bool
outbox_hold(struct flush *f, const struct outbox_row *r, struct batch *b,
    bool *failed)
{
	struct fold x = { .f = f, .row = r };

	*failed = false;
	if (r->urgent || str_none(r->run) ||
	    !str_eq(r->way, STR_LIT(WAY_MAIL)))
		return false;
	if (r->fold == FOLD_ALERT || r->state == OUTBOX_HELD)
		x.list = arena_alloc(f->arena, LIM_FOLD * sizeof *x.list);
	if (r->fold == FOLD_ALERT) {
		*failed = !others(&x, r->alert);
		if (!*failed && x.n > 1)
			*failed = !fold(&x, false, b);
		if (*failed || x.n > 1)
			return true;
	}
	if (f->o->conf->limit > 0 && r->fold != FOLD_SUM &&
	    over_limit(f, r, b, failed))
		return true;
	if (r->state != OUTBOX_HELD)
		return false;
	*failed = !others(&x, STR_NIL);
	if (!*failed && x.n > 1)
		*failed = !fold(&x, true, b);
	return *failed || x.n > 1;
}
