/* outbox_send: one row, sent, and what that means for it and its notice. */
#include "engine/deliver/outbox_inner.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>

#include "lang/base/num.h"
#include "engine/deliver/resident.h"
#include "engine/deliver/send.h"
#include "engine/vm/clock.h"

struct sending {
	struct flush	*f;
	const struct outbox_row *row;
	struct batch	*batch;
	struct job	 job;
	struct report	 report;
	struct buf	 said;		/* picket-deliver's report */
	struct buf	 why;		/* of it, for people */
};

double
outbox_wait(double tries)
{
	double wait = RETRY_FIRST;
	uint32_t chance = 0;

	for (; tries > 1 && wait < RETRY_MOST; tries--)
		wait *= 2;
	if (wait > RETRY_MOST)
		wait = RETRY_MOST;
	/* without it hosts are merely more alike */
	(void)!getrandom(&chance, sizeof chance, GRND_NONBLOCK);
	return wait * (1 + RETRY_CHANCE * (chance / 4294967296.0));
}

struct texts {
	struct sending	*s;
	bool		 got;
};

static void
got_notice(void *arg, const struct str *c, unsigned n)
{
	struct texts *t = arg;
	struct job *j = &t->s->job;
	struct arena *a = t->s->f->arena;

	(void)n;
	/* notice run alert level made subject sender message body json */
	t->got = !str_none(c[7]) && !str_none(c[8]) && !str_none(c[6]);
	if (!t->got)
		return;
	j->run = str_none(c[1]) ? STR_EMPTY : arena_dup(a, c[1]);
	j->from = arena_dup(a, c[6]);
	j->message = arena_dup(a, c[7]);
	j->body = arena_dup(a, c[8]);
	j->notice = str_none(c[9]) ? STR_EMPTY : arena_dup(a, c[9]);
}

static void
delivery(struct sending *s, struct str rcpt, struct str transport,
    const char *outcome, struct str why)
{
	batch_row(s->batch, Q_DELIVERY_ADD, (const struct param[]){
	    PN(clock_wall()), PT(s->row->notice), PT(s->row->way), PT(rcpt),
	    PT(transport), PT(str_c(outcome)), PT(why) });
}

static bool
is_way(const struct sending *s, const char *way)
{
	return str_eq(s->row->way, str_c(way));
}

static bool
told(const struct sending *s)
{
	const struct flush *f = s->f;

	return f->o->all || (!str_none(f->mine) && !str_none(s->row->run) &&
	    str_eq(f->mine, s->row->run));
}

/* It goes nowhere any more; it is kept, and shown. */
static void
bury(struct sending *s, struct str rcpt, struct str why)
{
	const struct outbox_row *r = s->row;

	batch_row(s->batch, Q_OUTBOX_TRIED, (const struct param[]){
	    PN(r->id), PT(rcpt), PN(r->due), PN(r->tries + 1),
	    PN(OUTBOX_DEAD), PT(why) });
	delivery(s, STR_EMPTY, STR_EMPTY, "dead", why);
	outbox_say(s->f, r, "given up: %.*s", (int)why.n, why.p);
}

/* Mail cannot go now: what waits for that need not wait longer. */
static void
fall_back(struct sending *s, bool dead)
{
	if (is_way(s, WAY_MAIL) && (dead || !s->f->o->linger))
		batch_row(s->batch, Q_OUTBOX_SOON, (const struct param[]){
		    PT(s->row->notice), PT(STR_LIT(WAY_FALLBACK)),
		    PN(s->f->now) });
}

/* A row of those recipients who are refused for good, beside the one of
 * those for whom it is tried again. */
static void
bury_some(struct sending *s, struct str address, struct str why)
{
	char key[LIM_OUTBOX_KEY];

	snprintf(key, sizeof key, "%.*s <%.*s>", (int)s->row->key.n,
	    s->row->key.p, (int)address.n, address.p);
	batch_row(s->batch, Q_OUTBOX_BURY, (const struct param[]){
	    PN(s->row->id), PT(str_c(key)), PT(address), PT(why) });
	delivery(s, address, STR_EMPTY, "dead", why);
	outbox_say(s->f, s->row, "given up for %.*s: %.*s", (int)address.n,
	    address.p, (int)why.n, why.p);
}

static bool
shares_queue(const struct sending *s, struct str label)
{
	const struct conf *c = s->f->o->conf;
	struct transport t;
	struct buf b;
	size_t i;
	bool shares = true;

	buf_init(&b, s->f->o->mem);
	for (i = 0; i < s->job.ntransport; i++) {
		buf_clear(&b);
		if (!transport_parse_line(&t, s->job.transport[i],
		    s->f->arena, &b))
			continue;
		buf_clear(&b);
		transport_label(&t, &b);
		if (str_eq(buf_view(&b), label))
			shares = transport_shares_queue(&t,
			    c->value[CONF_HOSTNAME]);
	}
	buf_free(&b);
	return shares;
}

/* All have it.  Is the fall-back of no more use? */
static void
taken(struct sending *s)
{
	const struct outbox_row *r = s->row;
	bool shares = false;
	size_t i;

	batch_row(s->batch, Q_OUTBOX_DROP, (const struct param[]){
	    PN(r->id) });
	s->f->sum->sent++;
	for (i = 0; i < s->report.n; i++)
		shares = shares || shares_queue(s, s->report.rcpt[i].by);
	if (is_way(s, WAY_MAIL) && !(r->urgent && shares))
		batch_row(s->batch, Q_OUTBOX_UNUSED, (const struct param[]){
		    PT(r->notice), PT(STR_LIT(WAY_FALLBACK)), PN(r->id),
		    PT(STR_LIT(WAY_MAIL)) });
	if (s->f->o->all)
		outbox_say(s->f, r, "taken by %.*s: %.*s",
		    (int)s->report.rcpt[0].by.n, s->report.rcpt[0].by.p,
		    (int)s->report.rcpt[0].why.n, s->report.rcpt[0].why.p);
}

static void
wait_again(struct sending *s, struct str rcpt)
{
	const struct outbox_row *r = s->row;
	double tries = r->tries + 1, wait = outbox_wait(tries);
	struct buf why;

	if (wait < s->report.again)	/* as it asks, within reason */
		wait = s->report.again < RETRY_MOST ? s->report.again :
		    RETRY_MOST;
	if (s->f->now - r->since >= LIM_OUTBOX_AGE &&
	    tries >= LIM_OUTBOX_TRIES) {
		buf_init(&why, s->f->o->mem);
		buf_printf(&why, "tried %.0f times in %.0f days; at last: ",
		    tries, (s->f->now - r->since) / 86400);
		buf_str(&why, buf_view(&s->why));
		bury(s, rcpt, buf_view(&why));
		buf_free(&why);
		fall_back(s, true);
		return;
	}
	batch_row(s->batch, Q_OUTBOX_TRIED, (const struct param[]){
	    PN(r->id), PT(rcpt), PN(s->f->now + wait), PN(tries),
	    PN(OUTBOX_WAITS), PT(buf_view(&s->why)) });
	fall_back(s, false);
	if (told(s))
		outbox_say(s->f, r, "not sent: %s; next try in %.0f s",
		    buf_c(&s->why), wait);
}

/* The report, as rows. */
static void
note_attempts(struct sending *s)
{
	struct str said = buf_view(&s->said);
	const struct report_rcpt *c;
	struct report_line l;
	char outcome[8];
	size_t i;

	while (report_next(&said, &s->job, &l)) {
		if (str_eq(l.outcome, STR_LIT("ok")))
			continue;
		snprintf(outcome, sizeof outcome, "%.*s", (int)l.outcome.n,
		    l.outcome.p);
		delivery(s, str_none(l.address) ? STR_EMPTY : l.address,
		    l.transport, outcome, l.why);
	}
	for (i = 0; i < s->report.n; i++) {
		c = &s->report.rcpt[i];
		if (c->taken)
			delivery(s, c->address, c->by, "ok", c->why);
	}
}

static void
judge(struct sending *s)
{
	const struct report *p = &s->report;
	size_t i, refused = 0;
	struct str left;
	struct buf b;

	note_attempts(s);
	if (p->ntaken == p->n) {
		taken(s);
		return;
	}
	report_why(buf_view(&s->said), &s->job, LIM_OUTBOX_WHY, &s->why);
	if (s->why.n == 0)
		buf_puts(&s->why, SEND_PROGRAM " said nothing");
	for (i = 0; i < p->n; i++)
		refused += p->rcpt[i].refused;
	if (p->ntaken + refused == p->n) {	/* nobody to try again for */
		buf_init(&b, s->f->o->mem);
		for (i = 0; i < p->n; i++)
			if (p->rcpt[i].refused) {
				if (b.n > 0)
					buf_putc(&b, '\n');
				buf_str(&b, p->rcpt[i].address);
			}
		bury(s, arena_dup(s->f->arena, buf_view(&b)),
		    buf_view(&s->why));
		buf_free(&b);
		fall_back(s, true);
		return;
	}
	buf_init(&b, s->f->o->mem);
	for (i = 0; i < p->n; i++) {
		if (p->rcpt[i].taken)
			continue;
		if (p->rcpt[i].refused) {
			bury_some(s, p->rcpt[i].address, buf_view(&s->why));
			continue;
		}
		if (b.n > 0)
			buf_putc(&b, '\n');
		buf_str(&b, p->rcpt[i].address);
	}
	left = arena_dup(s->f->arena, buf_view(&b));
	buf_free(&b);
	wait_again(s, left);
}

/* Fills the job; false: *gone, or it cannot be sent now, and why says so. */
static bool
make_job(struct sending *s, bool *gone)
{
	const struct transport *list[LIM_CONF_TRANSPORTS];
	const struct outbox_row *r = s->row;
	struct flush *f = s->f;
	struct texts t = { .s = s };
	struct buf line;
	size_t i, n;

	*gone = true;
	job_from_conf(&s->job, f->o->conf, f->arena);
	s->job.ntransport = 0;
	s->job.nto = outbox_addresses(r->rcpt, s->job.to);
	if (!state_ask(f->o->state, Q_NOTICE_GET, (const struct param[]){
	    PT(r->notice) }, got_notice, &t)) {
		*gone = false;
		buf_str(&s->why, state_why(f->o->state));
		return false;
	}
	if (!t.got) {
		buf_puts(&s->why, "its text is not in the state any more");
		return false;
	}
	n = outbox_transports(f->o->conf, r, list, &s->why, gone);
	if (n == 0 && r->first.n == 0)
		return false;
	buf_clear(&s->why);
	if (r->first.n > 0)
		s->job.transport[s->job.ntransport++] = r->first;
	buf_init(&line, f->o->mem);
	for (i = 0; i < n && s->job.ntransport < LIM_CONF_TRANSPORTS; i++) {
		buf_clear(&line);
		transport_format(list[i], &line);
		s->job.transport[s->job.ntransport++] = arena_dup(f->arena,
		    buf_view(&line));
	}
	buf_free(&line);
	return true;
}

bool
outbox_job(struct flush *f, const struct job *j, struct buf *said)
{
	return f->o->resident != NULL ?
	    resident_job(f->o->resident, j, said) :
	    send_job(j, f->o->program, 0, said);
}

void
outbox_send(struct flush *f, const struct outbox_row *r, struct batch *b)
{
	struct sending *s = arena_zalloc(f->arena, sizeof *s);
	bool gone;

	s->f = f;
	s->row = r;
	s->batch = b;
	buf_init(&s->said, f->o->mem);
	buf_init(&s->why, f->o->mem);
	if (make_job(s, &gone)) {
		(void)outbox_job(f, &s->job, &s->said);
		report_read(&s->report, buf_view(&s->said), &s->job);
		judge(s);
	} else if (gone) {
		bury(s, r->rcpt, buf_view(&s->why));
		fall_back(s, true);
	} else {
		wait_again(s, r->rcpt);
	}
	buf_free(&s->said);
	buf_free(&s->why);
}
