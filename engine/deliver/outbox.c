#include "engine/deliver/outbox_inner.h"

#include <stdio.h>
#include <time.h>

#include "lang/base/num.h"
#include "engine/state/place.h"
#include "engine/vm/clock.h"

#define ARENA_BLOCK	(16 * 1024)

/* A batch that could not be committed, and whether anything is in it. */
struct outbox_debt {
	struct mem	*mem;
	struct batch	*batch;
};

struct outbox_debt *
outbox_debt_new(struct mem *m)
{
	struct outbox_debt *d = mem_zalloc(m, sizeof *d);

	d->mem = m;
	return d;
}

void
outbox_debt_free(struct outbox_debt *d)
{
	if (d == NULL)
		return;
	batch_free(d->batch);
	mem_free(d->mem, d, sizeof *d);
}

bool
outbox_debt_owed(const struct outbox_debt *d)
{
	return d != NULL && d->batch != NULL;
}

void
outbox_say(struct flush *f, const struct outbox_row *r, const char *fmt, ...)
{
	struct buf b;
	va_list ap;

	if (f->o->say == NULL)
		return;
	buf_init(&b, f->o->mem);
	if (r != NULL) {
		buf_puts(&b, "mail ");
		buf_printf(&b, "%.0f", r->id);
		if (r->subject.n > 0) {
			buf_puts(&b, " (");
			buf_escaped(&b, r->subject, 60);
			buf_putc(&b, ')');
		}
		buf_puts(&b, ": ");
	}
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	f->o->say(f->o->arg, buf_view(&b));
	buf_free(&b);
}

/* --- the lock of sending --- */

/* Held by one process at a time; what is wrong is said, but not that another
 * one sends. */
static enum lock_got
take_lock(struct flush *f, struct lock *l)
{
	enum lock_got got;
	struct buf path, why;

	buf_init(&path, f->o->mem);
	buf_init(&why, f->o->mem);
	buf_str(&path, f->o->folder);
	buf_puts(&path, "/" LOCK_SEND);
	got = f->o->locked ? LOCK_GOT :
	    lock_take(l, buf_c(&path), LOCK_ALONE, 0);
	if (got == LOCK_NONE) {
		lock_why(l, got, buf_c(&path), &why);
		outbox_say(f, NULL, "%s: nothing can be sent that waits",
		    buf_c(&why));
	}
	buf_free(&path);
	buf_free(&why);
	return got;
}

/* --- a flush --- */

static bool
store_failed(struct flush *f)
{
	struct str why = state_why(f->o->state);

	outbox_say(f, NULL, "the outbox: %.*s", (int)why.n, why.p);
	return false;
}

static void
got_count(void *arg, const struct str *c, unsigned n)
{
	double *v = arg;
	unsigned i;

	for (i = 0; i < n; i++)
		v[i] = str_none(c[i]) ? NUM_NIL : num_parse(c[i], false);
}

/* How many wait, are dead, the oldest, the next; how many a clock that was
 * set back left in the future. */
enum { COUNT_WAIT, COUNT_DEAD, COUNT_TRIED, COUNT_OLDEST, COUNT_NEXT,
    COUNT_FUTURE, COUNTS };
static bool
count(struct flush *f, double v[COUNTS])
{
	size_t i;

	for (i = 0; i < COUNTS; i++)
		v[i] = i == COUNT_OLDEST || i == COUNT_NEXT ? NUM_NIL : 0;
	if (!state_ask(f->o->state, Q_OUTBOX_SUM, (const struct param[]){
	    PN(f->now) }, got_count, v))
		return store_failed(f);
	f->sum->waiting = (size_t)v[COUNT_WAIT];
	f->sum->dead = (size_t)v[COUNT_DEAD];
	f->sum->tried = (size_t)v[COUNT_TRIED];
	f->sum->oldest = v[COUNT_OLDEST];
	f->sum->next = v[COUNT_NEXT];
	return true;
}

static bool
is_due(struct flush *f, const double v[COUNTS])
{
	return v[COUNT_FUTURE] > 0 || (!num_none(v[COUNT_NEXT]) &&
	    v[COUNT_NEXT] <= f->now);
}

struct next {
	struct flush	*f;
	struct outbox_row row;
	bool		 got;
};

static void
got_next(void *arg, const struct str *c, unsigned n)
{
	struct next *x = arg;

	(void)n;
	outbox_row_read(&x->row, c, x->f->arena);
	x->got = true;
}

/* The way of a row has not taken the last ones: all of it waits. */
static struct trouble *
trouble_of(struct flush *f, const struct outbox_row *r)
{
	struct trouble *t;

	for (t = f->trouble; t < f->trouble + f->ntrouble; t++)
		if (str_eq(t->way, r->way) && str_eq(t->route, r->route) &&
		    str_eq(t->first, r->first))
			return t;
	if (f->ntrouble == LIM_TROUBLES)
		return NULL;
	t = &f->trouble[f->ntrouble++];
	t->way = arena_dup(&f->ways, r->way);
	t->route = arena_dup(&f->ways, r->route);
	t->first = arena_dup(&f->ways, r->first);
	t->n = 0;
	return t;
}

/*
 * One transaction with what came of a row.  It was sent by now: if the store
 * does not take that, it is tried again, and kept for the next flush.
 */
static bool
settle(struct flush *f, struct batch *b, bool sent)
{
	static const double waits[] = { 0.1, 0.5, 2 };
	struct timespec ts;
	size_t i;

	for (i = 0; ; i++) {
		if (state_commit(f->o->state, b, true)) {
			batch_free(b);
			return true;
		}
		if (!sent || i == sizeof waits / sizeof *waits)
			break;
		ts.tv_sec = (time_t)waits[i];
		ts.tv_nsec = (long)((waits[i] - (double)ts.tv_sec) * 1e9);
		nanosleep(&ts, NULL);
	}
	(void)store_failed(f);
	if (sent)
		outbox_say(f, NULL, "a mail was sent, and that cannot be "
		    "written down: %s", f->o->debt != NULL ? "it is "
		    "remembered as long as this runs" : "it may be sent twice");
	if (sent && f->o->debt != NULL && f->o->debt->batch == NULL)
		f->o->debt->batch = b;
	else
		batch_free(b);
	return false;
}

static bool
pay_debt(struct flush *f)
{
	struct outbox_debt *d = f->o->debt;

	if (d == NULL || d->batch == NULL)
		return true;
	if (!state_commit(f->o->state, d->batch, true))
		return store_failed(f);
	batch_free(d->batch);
	d->batch = NULL;
	return true;
}

/* A full disk must show before something is sent that cannot be noted. */
static bool
can_write(struct flush *f)
{
	struct batch *b = batch_new(f->o->mem);
	char t[NUM_TEXT_MAX];
	bool ok;

	batch_row(b, Q_META_PUT, (const struct param[]){ PT(STR_LIT("flush")),
	    PT(str_of(t, num_text(f->now, t))) });
	batch_row(b, Q_OUTBOX_CLOCK, (const struct param[]){ PN(f->now) });
	ok = state_commit(f->o->state, b, false);
	batch_free(b);
	return ok || store_failed(f);
}

static bool
send_due(struct flush *f)
{
	struct arena_mark mark = arena_mark(f->arena);
	struct trouble *t;
	struct batch *b;
	struct next x;
	size_t before;
	bool ok = can_write(f), failed;

	while (ok && (f->o->stop == NULL || !*f->o->stop)) {
		arena_reset(f->arena, mark);
		f->now = clock_wall();
		x = (struct next){ .f = f };
		if (!state_ask(f->o->state, Q_OUTBOX_NEXT,
		    (const struct param[]){ PN(f->now) }, got_next, &x))
			return store_failed(f);
		if (!x.got)
			break;
		b = batch_new(f->o->mem);
		t = trouble_of(f, &x.row);
		if (t != NULL && t->n >= LIM_OUTBOX_TROUBLE) {
			batch_row(b, Q_OUTBOX_PUT_OFF, (const struct param[]){
			    PN(f->now), PT(x.row.way), PT(x.row.route),
			    PT(x.row.first), PN(f->now + outbox_wait(1)),
			    PT(STR_LIT("not tried: this way did not take the "
			    "last ones")) });
			ok = settle(f, b, false);
			continue;
		}
		if (outbox_hold(f, &x.row, b, &failed)) {
			if (failed) {
				batch_free(b);
				return store_failed(f);
			}
			ok = settle(f, b, false);
			continue;
		}
		before = f->sum->sent;
		outbox_send(f, &x.row, b);
		if (t != NULL)
			t->n = f->sum->sent > before ? 0 : t->n + 1;
		ok = settle(f, b, true);
	}
	arena_reset(f->arena, mark);
	return ok;
}

bool
outbox_flush(const struct outbox_options *o, struct str mine,
    struct outbox_sum *sum)
{
	struct flush f = { .o = o, .now = clock_wall(), .mine = mine,
	    .sum = sum };
	double v[COUNTS];
	struct arena a;
	bool ok;
	enum lock_got got;
	struct lock lock;

	memset(sum, 0, sizeof *sum);
	sum->oldest = sum->next = NUM_NIL;
	arena_init(&a, o->mem, ARENA_BLOCK);
	arena_init(&f.ways, o->mem, 1024);
	f.arena = &a;
	ok = pay_debt(&f) && count(&f, v);
	/* what was put while we held the lock was left to us: look again */
	while (ok && is_due(&f, v)) {
		got = take_lock(&f, &lock);
		if (got != LOCK_GOT) {
			sum->left = ok = got == LOCK_HELD;
			break;
		}
		ok = send_due(&f);
		if (!o->locked)
			lock_drop(&lock);
		f.now = clock_wall();
		ok = ok && count(&f, v);
		if (o->stop != NULL && *o->stop)
			break;
	}
	if (ok && !sum->left && (o->stop == NULL || !*o->stop))
		outbox_care(&f);
	arena_free(&f.ways);
	arena_free(&a);
	return ok;
}
