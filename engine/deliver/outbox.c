#include "engine/deliver/outbox_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lang/base/num.h"
#include "engine/deliver/address.h"
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

/* --- putting --- */

/*
 * The way of a transport with the option always: its label, numbered where
 * several have the same.
 */
static void
always_way(const struct conf *c, size_t i, struct buf *b)
{
	struct buf other;
	size_t k, same = 1, from;

	buf_puts(b, WAY_ALWAYS);
	from = b->n;
	transport_label(&c->transport[i], b);
	buf_init(&other, b->mem);
	for (k = 0; k < i; k++) {
		buf_clear(&other);
		transport_label(&c->transport[k], &other);
		same += conf_role(c, k) == ROLE_ALWAYS && str_eq(
		    buf_view(&other), str_of(b->p + from, b->n - from));
	}
	buf_free(&other);
	if (same > 1)
		buf_printf(b, "#%zu", same);
}

static struct str
given(struct str s)
{
	return str_none(s) ? STR_EMPTY : s;
}

static void
add_row(struct batch *b, const struct notice *n, struct str way,
    struct str rcpt, double due, size_t part)
{
	double since = n->after > n->made ? n->after : n->made;
	bool urgent = n->level <= LEVEL_CRITICAL || n->distrust;
	char key[LIM_OUTBOX_KEY];

	snprintf(key, sizeof key, "%.*s %.*s %zu", (int)n->id.n, n->id.p,
	    (int)way.n, way.p, part);
	batch_row(b, Q_OUTBOX_ADD, (const struct param[]){ PT(str_c(key)),
	    PT(n->id), PT(way), PT(rcpt),
	    PT(str_eq(way, STR_LIT(WAY_MAIL)) ? given(n->first) : STR_EMPTY),
	    PT(given(n->route)), PN(due), PN(n->made), PN(since), PN(urgent),
	    PN(n->digest && !urgent ? FOLD_ALERT : FOLD_NOT) });
}

/* A row for each LIM_JOB_RCPT of its recipients. */
static void
add_rows(struct batch *b, const struct notice *n, struct str way, double due)
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
		add_row(b, n, way, str_of(rcpt, used), due, part++);
	} while (i < n->nto);
}

/*
 * The rows stand before their notice: they are added only while that is not
 * there, so that a batch which is written twice sends nothing twice.
 */
void
outbox_put(struct batch *b, const struct notice *n, const struct conf *c)
{
	double since = n->after > n->made ? n->after : n->made;
	bool urgent = n->level <= LEVEL_CRITICAL || n->distrust;
	bool fallback = false;
	struct buf way;
	size_t i;

	for (i = 0; i < c->ntransport; i++)
		fallback = fallback || conf_role(c, i) == ROLE_FALLBACK;
	/* rows go out in the order of their time, then as they were put */
	if (fallback && n->distrust)
		add_rows(b, n, STR_LIT(WAY_FALLBACK), since);
	add_rows(b, n, STR_LIT(WAY_MAIL), since);
	if (fallback && !n->distrust)
		add_rows(b, n, STR_LIT(WAY_FALLBACK), urgent ? since :
		    since + FALLBACK_AFTER);
	buf_init(&way, batch_mem(b));
	for (i = 0; i < c->ntransport; i++)
		if (conf_role(c, i) == ROLE_ALWAYS) {
			buf_clear(&way);
			always_way(c, i, &way);
			add_rows(b, n, buf_view(&way), since);
		}
	buf_free(&way);
	batch_row(b, Q_NOTICE_ADD, (const struct param[]){ PT(n->id),
	    PT(given(n->run)), PT(n->alert), PN(n->level), PN(n->made),
	    PT(n->subject), PT(n->from), PT(n->message), PT(n->body),
	    PT(given(n->json)) });
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

size_t
outbox_transports(const struct conf *c, const struct outbox_row *r,
    const struct transport *list[LIM_CONF_TRANSPORTS], struct buf *why,
    bool *gone)
{
	enum transport_role role = ROLE_ALWAYS;
	struct buf way;
	size_t i, n = 0;

	*gone = false;
	if (str_eq(r->way, STR_LIT(WAY_MAIL)))
		role = ROLE_LIST;
	else if (str_eq(r->way, STR_LIT(WAY_FALLBACK)))
		role = ROLE_FALLBACK;
	buf_init(&way, why->mem);
	for (i = 0; i < c->ntransport; i++) {
		if (conf_role(c, i) != role)
			continue;
		buf_clear(&way);
		if (role == ROLE_ALWAYS)
			always_way(c, i, &way);
		if (role != ROLE_ALWAYS || str_eq(buf_view(&way), r->way))
			list[n++] = &c->transport[i];
	}
	buf_free(&way);
	if (n > 0)
		return n;
	*gone = role != ROLE_LIST;
	if (role == ROLE_LIST)
		buf_puts(why, "no way to send mail: picket.conf names none "
		    "and there is no " CONF_SENDMAIL_PATH);
	else if (role == ROLE_FALLBACK)
		buf_puts(why, "picket.conf has no fall-back any more");
	else {
		buf_puts(why, "picket.conf has no such transport any more: ");
		buf_str(why, str_of(r->way.p + 7, r->way.n - 7));
	}
	return 0;
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

/*
 * Held by one process at a time and gone with it, however it ends.  -1: another
 * has it; -2: it cannot be had, and it was said why.
 */
static int
take_lock(struct flush *f)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct buf path;
	int fd, error = 0;

	buf_init(&path, f->o->mem);
	buf_str(&path, f->o->folder);
	buf_puts(&path, "/" SEND_LOCK);
	/* O_NONBLOCK: a pipe of that name is not waited for */
	fd = open(buf_c(&path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
	    O_NOCTTY | O_NONBLOCK, 0600);
	if (fd == -1 || fcntl(fd, F_SETLK, &l) == -1) {
		error = errno;
		if (fd != -1)
			(void)close(fd);
		fd = fd != -1 && (error == EAGAIN || error == EACCES) ? -1 : -2;
	}
	if (fd == -2)
		outbox_say(f, NULL, "%s: %s: nothing can be sent that waits",
		    buf_c(&path), strerror(error));
	buf_free(&path);
	return fd;
}

/* --- a flush --- */

static bool
store_failed(struct flush *f)
{
	struct str why = state_why(f->o->state);

	outbox_say(f, NULL, "%.*s", (int)why.n, why.p);
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
	bool ok = can_write(f);

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
	int fd;

	memset(sum, 0, sizeof *sum);
	sum->oldest = sum->next = NUM_NIL;
	arena_init(&a, o->mem, ARENA_BLOCK);
	arena_init(&f.ways, o->mem, 1024);
	f.arena = &a;
	ok = pay_debt(&f) && count(&f, v);
	/* what was put while we held the lock was left to us: look again */
	while (ok && is_due(&f, v)) {
		fd = take_lock(&f);
		if (fd < 0) {
			sum->left = fd == -1;
			ok = fd == -1;
			break;
		}
		ok = send_due(&f);
		(void)close(fd);
		f.now = clock_wall();
		ok = ok && count(&f, v);
		if (o->stop != NULL && *o->stop)
			break;
	}
	arena_free(&f.ways);
	arena_free(&a);
	return ok;
}
