/*
 * outbox_care: what follows a whole flush: the heartbeat, by which somebody
 * else learns that we live and that our alerts get out; and the end of what
 * has been kept long enough.
 */
#include "engine/deliver/outbox_inner.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "engine/deliver/words.h"
#include "lang/base/num.h"

#define HEARTBEAT_EVERY	60.0	/* seconds, if the conf does not say */
#define HEARTBEAT_LATE	3600.0	/* seconds: what has waited longer is the fail
				 * form's */
#define HEARTBEAT_TIMEOUT "10s"	/* it must not hold up a run */
#define TRIM_EVERY	3600.0	/* seconds */
#define LIM_TRIM	2.0	/* seconds it may take a run then; what is left
				 * goes at the next flush */
#define KEPT		(400 * 86400.0)	/* seconds: a year can be compared with
				 * the one before */
#define META_BEAT	"heartbeat"
#define META_TRIM	"trimmed"

struct care {
	double	beat, trim;		/* when last; 0: never */
	bool	any;			/* something was ever sent */
};

static void
got_meta(void *arg, const struct str *c, unsigned n)
{
	struct care *x = arg;
	double t = str_none(c[1]) ? NUM_NIL : num_parse(c[1], false);

	(void)n;
	x->any = true;
	if (num_none(t))
		return;
	if (str_eq(c[0], STR_LIT(META_BEAT)))
		x->beat = t;
	else if (str_eq(c[0], STR_LIT(META_TRIM)))
		x->trim = t;
}

/* A time of the future is from before the clock was set back. */
static bool
is_time(double last, double every, double now)
{
	return last > now || now - last >= every;
}

static void
note(struct batch *b, const char *name, double now)
{
	char t[NUM_TEXT_MAX];

	batch_row(b, Q_META_PUT, (const struct param[]){ PT(str_c(name)),
	    PT(str_of(t, num_text(now, t))) });
}

static bool
trim_once(struct flush *f, double when)
{
	static const enum query tables[] = { Q_RUN_TRIM, Q_INCIDENT_TRIM,
	    Q_HISTORY_TRIM, Q_SILENCE_TRIM, Q_OUTBOX_TRIM, Q_NOTICE_TRIM,
	    Q_DELIVERY_TRIM };
	struct batch *b = batch_new(f->o->mem);
	size_t i;
	bool ok;

	note(b, META_TRIM, when);
	for (i = 0; i < sizeof tables / sizeof *tables; i++)
		batch_row(b, tables[i], (const struct param[]){
		    PN(f->now - KEPT) });
	/* it is done next time, if not now */
	ok = state_commit(f->o->state, b, false);
	batch_free(b);
	return ok;
}

static void
got_number(void *arg, const struct str *c, unsigned n)
{
	(void)n;
	*(double *)arg = str_none(c[0]) ? 0 : num_parse(c[0], false);
}

static double
seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/*
 * A step takes a thousand rows at most, so that it holds up nobody; a host
 * with many alerts makes more of them in an hour.
 */
static void
trim(struct flush *f)
{
	double start = seconds(), left = INFINITY, before;

	if (!trim_once(f, f->now))
		return;
	do {
		before = left;
		left = 0;
		if (!state_ask(f->o->state, Q_TRIM_LEFT, NULL, got_number,
		    &left) || left <= 0 || left >= before)
			return;
	} while (trim_once(f, seconds() - start < LIM_TRIM ? f->now : 0) &&
	    seconds() - start < LIM_TRIM);
}

/* Why not all is well; empty: it is. */
static void
complaint(const struct flush *f, struct buf *b)
{
	const struct outbox_sum *s = f->sum;
	double late;

	if (num_none(s->oldest) || f->now - s->oldest < HEARTBEAT_LATE)
		return;
	late = (f->now - s->oldest) / 60;
	buf_printf(b, "%zu notice%s wait%s to be sent, the oldest for %.0f "
	    "minutes\n", s->waiting, s->waiting == 1 ? "" : "s",
	    s->waiting == 1 ? "s" : "", late);
}

static void
beat(struct flush *f)
{
	const struct heartbeat *h = &f->o->conf->heartbeat;
	struct job *j = arena_zalloc(f->arena, sizeof *j);
	struct buf line, body, said, why;
	struct batch *b = batch_new(f->o->mem);
	bool ok;

	buf_init(&line, f->o->mem);
	buf_init(&body, f->o->mem);
	buf_init(&said, f->o->mem);
	buf_init(&why, f->o->mem);
	/* first, so that of two who come at once one goes */
	note(b, META_BEAT, f->now);
	ok = state_commit(f->o->state, b, false);
	batch_free(b);
	job_from_conf(j, f->o->conf, f->arena);
	buf_puts(&line, "heartbeat ");
	words_add(&line, h->url);
	if (!str_none(h->fail)) {
		buf_puts(&line, " fail ");
		words_add(&line, h->fail);
	}
	buf_puts(&line, " timeout " HEARTBEAT_TIMEOUT);
	complaint(f, &body);
	j->run = str_none(f->mine) ? STR_EMPTY : f->mine;
	j->nto = 0;
	j->transport[0] = buf_view(&line);
	j->ntransport = 1;
	j->message = j->notice = STR_EMPTY;
	j->body = buf_view(&body);
	if (ok && !outbox_job(f, j, &said)) {
		report_why(buf_view(&said), j, LIM_OUTBOX_WHY, &why);
		outbox_say(f, NULL, "%s", buf_c(&why));
	}
	buf_free(&line);
	buf_free(&body);
	buf_free(&said);
	buf_free(&why);
}

void
outbox_care(struct flush *f)
{
	const struct heartbeat *h = &f->o->conf->heartbeat;
	struct care last = { 0, 0, false };

	if (!state_ask(f->o->state, Q_META_LIST, NULL, got_meta, &last))
		return;
	if (last.any && is_time(last.trim, TRIM_EVERY, f->now))
		trim(f);
	if (!str_none(h->url) && is_time(last.beat, h->every > 0 ? h->every :
	    HEARTBEAT_EVERY, f->now))
		beat(f);
}
