/*
 * outbox_fold: many notices in one mail: those of an alert that collects them
 * (digest), and those that exceed what a person gets in an hour (limit).
 * Nothing that is critical or above is ever held.
 */
#include "engine/deliver/outbox_inner.h"

#include <stdio.h>

#include "engine/deliver/compose.h"
#include "lang/base/num.h"

#define HOUR		3600.0
#define LIM_FOLD	1000		/* notices in one mail; more are in the
					 * next */
#define LIM_FOLD_BYTES	((size_t)16 << 20)	/* of their texts; the mail
					 * itself holds LIM_MAIL_TEXT of them */

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
	/* it may happen again to others of the row */
	snprintf(key, sizeof key, "%.*s held %.3f", (int)r->key.n, r->key.p,
	    f->now);
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

struct content {
	struct digest_item *item;
	struct arena	*arena;
};

static void
got_content(void *arg, const struct str *c, unsigned n)
{
	struct content *x = arg;

	/* notice run alert level made subject sender message body json */
	(void)n;
	if (!str_none(c[8]))
		x->item->body = arena_dup(x->arena, c[8]);
	if (!str_none(c[9]))
		x->item->json = arena_dup(x->arena, c[9]);
}

/*
 * What they say, until it is too much: the rest goes in another one, next.
 * False: the store could not be asked.
 */
static bool
load(struct fold *x, struct digest_item *item)
{
	const struct outbox_row *r = x->list;
	struct content t = { .arena = x->f->arena };
	size_t i, bytes = 0;

	for (i = 0; i < x->n && bytes < LIM_FOLD_BYTES; i++, r++) {
		item[i] = (struct digest_item){ .made = r->made,
		    .level = r->level, .subject = r->subject,
		    .body = STR_EMPTY, .json = STR_EMPTY };
		t.item = &item[i];
		if (!state_ask(x->f->o->state, Q_NOTICE_GET,
		    (const struct param[]){ PT(r->notice) }, got_content, &t))
			return false;
		bytes += item[i].body.n + item[i].json.n;
	}
	x->n = i;
	return true;
}

/* They are gone; the notice that they went into is kept with each. */
static void
drop_folded(const struct fold *x, struct str id, struct batch *b)
{
	const struct outbox_row *r;

	for (r = x->list; r < x->list + x->n; r++) {
		batch_row(b, Q_OUTBOX_DROP, (const struct param[]){
		    PN(r->id) });
		batch_row(b, Q_OUTBOX_UNUSED, (const struct param[]){
		    PT(r->notice), PT(STR_LIT(WAY_FALLBACK)), PN(r->id),
		    PT(STR_LIT(WAY_MAIL)) });
		batch_row(b, Q_DELIVERY_ADD, (const struct param[]){
		    PN(x->f->now), PT(r->notice), PT(r->way), PT(r->rcpt),
		    PT(STR_EMPTY), PT(STR_LIT("folded")), PT(id) });
	}
}

/* One notice of them all, and what becomes of each. */
static bool
fold(struct fold *x, bool held, struct batch *b)
{
	struct flush *f = x->f;
	struct digest_item *item = arena_zalloc(f->arena, x->n * sizeof *item);
	const struct conf *conf = f->o->conf;
	struct str to[LIM_JOB_RCPT];
	struct mail m = { .host = conf->value[CONF_HOSTNAME],
	    .alert = held ? STR_EMPTY : x->row->alert,
	    .when = (time_t)f->now, .from = x->row->sender, .to = to };
	struct buf subject, body, message, json, id;
	struct notice n;
	char run[80], why[80];

	if (!load(x, item))
		return false;
	snprintf(run, sizeof run, "digest.%.0f.%.0f", f->now * 1000,
	    x->row->id);
	if (held)
		snprintf(why, sizeof why, "there were %u mails in an hour, "
		    "which is the limit", conf->limit);
	else
		snprintf(why, sizeof why, "the alert collects them");
	buf_init(&subject, f->o->mem);
	buf_init(&body, f->o->mem);
	buf_init(&message, f->o->mem);
	buf_init(&json, f->o->mem);
	buf_init(&id, f->o->mem);
	m.nto = outbox_addresses(x->row->rcpt, to);
	m.run_id = str_c(run);
	compose_id(m.run_id, 0, m.host, &id);
	m.message_id = buf_view(&id);
	compose_digest(&m, str_c(why), item, x->n, &subject, &body, &message,
	    &json);
	n = (struct notice){ .id = m.message_id, .run = m.run_id,
	    .alert = x->row->alert, .level = x->worst, .made = f->now,
	    .subject = buf_view(&subject), .from = m.from, .to = to,
	    .nto = m.nto, .first = x->row->first, .route = x->row->route,
	    .message = buf_view(&message), .body = buf_view(&body),
	    .json = buf_view(&json) };
	outbox_add(b, &n, conf, held ? FOLD_SUM : FOLD_SEVERAL);
	drop_folded(x, n.id, b);
	buf_free(&subject);
	buf_free(&body);
	buf_free(&message);
	buf_free(&json);
	buf_free(&id);
	return true;
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
