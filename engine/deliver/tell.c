#include "engine/deliver/tell_inner.h"

#include <stdint.h>

#include "lang/base/num.h"
#include "engine/deliver/route.h"
#include "engine/state/incidents.h"
#include "engine/vm/clock.h"

#define ROW_FIELDS	(INCIDENT_RUN_FIELDS + INCIDENT_TOLD_FIELDS + \
			INCIDENT_HUMAN_FIELDS - 2)
#define LIM_ASKED	16	/* keys that the store is asked for one by one */
#define HISTORY_TEXT	400	/* bytes of a text in the history */

struct tell *
tell_new(const struct tell_options *o)
{
	struct tell *t = mem_zalloc(o->mem, sizeof *t);

	t->o = *o;
	t->lock.fd = -1;
	buf_init(&t->why, o->mem);
	t->now = clock_wall();
	arena_init(&t->arena, o->mem, 16 * 1024);
	t->batch = batch_new(o->mem);
	t->host = o->conf->value[CONF_HOSTNAME];
	map_init(&t->known, &t->arena);
	t->tail = &t->saying;
	t->others_tail = &t->others;
	return t;
}

void
tell_free(struct tell *t)
{
	if (t == NULL)
		return;
	lock_drop(&t->lock);
	buf_free(&t->why);
	batch_free(t->batch);
	arena_free(&t->arena);
	mem_free(t->o.mem, t, sizeof *t);
}

struct batch *
tell_batch(struct tell *t)
{
	return t->batch;
}

/* --- what is known --- */

static struct known *
add_known(struct tell *t, struct str key)
{
	struct map_entry *e = map_put(&t->known, key, NULL);
	struct known *k = e->v.ptr;

	if (k == NULL) {
		k = e->v.ptr = arena_zalloc(&t->arena, sizeof *k);
		incident_new(&k->i, e->key);
		k->was = k->i;
	}
	return k;
}

static void
take_row(void *arg, const struct str *column, unsigned n)
{
	struct tell *t = arg;
	struct str own[ROW_FIELDS];
	struct known *k;
	unsigned i;

	if (n != ROW_FIELDS || str_none(column[0]))
		return;
	k = add_known(t, column[0]);
	if (k->stored)
		return;
	for (i = 0; i < n; i++)
		own[i] = str_none(column[i]) ? column[i] :
		    arena_dup(&t->arena, column[i]);
	incident_of_row(&k->i, own);
	k->was = k->i;
	k->stored = true;
}

struct known *
tell_known(struct tell *t, struct str key)
{
	struct map_entry *e = map_get(&t->known, key);

	return e == NULL ? NULL : e->v.ptr;
}

struct known *
tell_new_known(struct tell *t, struct str key, const struct tell_script *s)
{
	struct known *k = add_known(t, key);
	char id[INCIDENT_ID + 1];

	incident_id(t->host, key, id);
	k->i.id = arena_dup(&t->arena, str_c(id));
	k->i.alert = s->owner.alert;
	k->i.script = s->owner.script;
	return k;
}

void
tell_fetch(struct tell *t, const struct known *k)
{
	struct param p = PT(k->i.key);
	struct param of[] = { PT(k->i.alert), PT(k->i.script) };

	/* the first few one by one, then all at once */
	if (!t->open || t->nasked > LIM_ASKED)
		return;
	if (t->nasked++ < LIM_ASKED ? !state_ask(t->o.state, Q_INCIDENT_GET,
	    &p, take_row, t) : !state_ask(t->o.state, Q_INCIDENT_OTHERS, of,
	    take_row, t))
		t->lost = true;
}

double
tell_number(struct str s)
{
	double d = str_none(s) ? 0 : num_parse(s, false);

	return num_fine(d) ? d : 0;
}

static void
take_silence(void *arg, const struct str *column, unsigned n)
{
	struct tell *t = arg;

	if (n < 7)
		return;
	if (t->nsilence == t->capsilence) {
		size_t cap = t->capsilence == 0 ? 16 : 2 * t->capsilence;
		struct silence *more = arena_alloc(&t->arena,
		    cap * sizeof *more);

		if (t->nsilence > 0)
			memcpy(more, t->silence, t->nsilence * sizeof *more);
		t->silence = more;
		t->capsilence = cap;
	}
	silence_of_row(&t->silence[t->nsilence++], column, &t->arena, NULL,
	    NULL);
}

static void
take_lock(struct tell *t)
{
	enum lock_got got;
	struct buf path;

	buf_init(&path, t->o.mem);
	buf_str(&path, t->o.folder);
	buf_puts(&path, "/" LOCK_TELL);
	if (place_folder(buf_view(&path), t->o.mem, &t->why) &&
	    (got = lock_take(&t->lock, buf_c(&path), LOCK_ALONE,
	    LIM_TELL_LOCK)) == LOCK_HELD && t->o.say != NULL) {
		/* without it: a notice may come twice, but none is lost; and
		 * where no lock can be made, nothing can be kept: that is
		 * told of */
		buf_clear(&t->why);
		lock_why(&t->lock, got, buf_c(&path), &t->why);
		t->o.say(t->o.arg, buf_view(&t->why));
	}
	buf_free(&path);
}

bool
tell_open(struct tell *t)
{
	t->now = clock_wall();
	if (t->o.state == NULL)
		return false;
	if (!str_none(t->o.folder))
		take_lock(t);
	t->open = state_ask(t->o.state, Q_INCIDENT_OPEN, NULL, take_row, t) &&
	    state_ask(t->o.state, Q_SILENCE_LIVE, NULL, take_silence, t);
	if (!t->open)
		lock_drop(&t->lock);
	return t->open;
}

bool
tell_load(struct tell *t, const struct state_owner *o)
{
	struct param p[] = { PT(o->alert), PT(o->script) };

	if (!state_ask(t->o.state, Q_INCIDENT_OF, p, take_row, t))
		t->lost = true;
	return !t->lost;
}

void
tell_history(struct tell *t, const struct known *k, const char *what,
    struct str who, struct str text, struct str notice)
{
	struct param p[] = { PN(t->now), PT(k->i.key), PN(k->i.episode),
	    PT(str_c(what)), PT(who), PT(str_of(text.p, text.n < HISTORY_TEXT ?
	    text.n : HISTORY_TEXT)), PT(notice) };

	batch_row(t->batch, Q_HISTORY_ADD, p);
	t->rows = true;
}

/* --- what there is to say --- */

struct saying *
tell_saying(struct tell *t, struct str alert, struct str script,
    enum level level)
{
	struct saying *p;

	for (p = t->saying; p != NULL; p = p->next)
		if (str_eq(p->alert, alert) &&
		    str_eq(p->s.script, script))
			return p;
	p = arena_zalloc(&t->arena, sizeof *p);
	p->alert = alert;
	p->s.level = level;
	p->s.script = script;
	p->s.task = p->s.lines = p->s.error = STR_EMPTY;
	*t->tail = p;
	t->tail = &p->next;
	return p;
}

static void
about(const struct tell *t, const struct incident *i, struct about *a)
{
	memset(a, 0, sizeof *a);
	a->alert = i->alert;
	a->script = i->script;
	a->key = i->key;
	a->level = (enum level)(int)i->level;
	a->text = i->message;
	a->host = t->o.group;
	a->nhost = t->o.ngroup;
}

static bool
held(const struct tell *t, const struct incident *i, const struct about *a)
{
	size_t n;

	for (n = 0; n < t->nsilence; n++)
		if (silence_holds(&t->silence[n], i, t->now))
			return true;
	return maintenance_until(t->o.conf, t->now, a) > 0 ||
	    (!num_is_nil(t->o.uptime) && grace_holds(t->o.conf, t->o.uptime));
}

/*
 * Who was called by an escalation hears that somebody acts, and the end: it
 * may be the only way by which they do, and a pager rings until then.
 */
static void
called(struct tell *t, double bits, struct change *c)
{
	struct str name, *list;
	unsigned bit;

	list = arena_alloc(&t->arena, LIM_ESCALATIONS * sizeof *list);
	c->also = list;
	for (bit = 0; bit < LIM_ESCALATIONS; bit++) {
		name = (uint32_t)bits >> bit & 1 ?
		    route_of_bit(t->o.conf, bit) : STR_EMPTY;
		if (name.n > 0)
			list[c->nalso++] = name;
	}
}

void
tell_changes(struct tell *t, struct known *k)
{
	struct escalation esc[LIM_ESCALATIONS];
	struct telling how = { .now = t->now, .escalation = esc };
	enum notice_kind what;
	struct known *other;
	struct change *c;
	struct saying *p;
	struct about a;
	unsigned bit = 0;

	about(t, &k->i, &a);
	how.held = held(t, &k->i, &a);
	how.nescalation = route_escalations(t->o.conf, &a, esc);
	if (k->i.unless.n > 0) {
		other = tell_known(t, k->i.unless);
		incident_inhibit(&k->i, other != NULL &&
		    other->i.state == INCIDENT_FIRES);
	}
	while ((what = incident_tell(&k->i, &how, &bit)) != NOTICE_NONE) {
		p = tell_saying(t, k->i.alert, k->i.script,
		    (enum level)(int)k->i.level);
		if (p->nchange == p->capchange) {
			size_t cap = p->capchange == 0 ? 4 : 2 * p->capchange;

			c = arena_alloc(&t->arena, cap * sizeof *c);
			if (p->nchange > 0)
				memcpy(c, p->change, p->nchange * sizeof *c);
			p->change = c;
			p->capchange = cap;
		}
		c = &p->change[p->nchange++];
		memset(c, 0, sizeof *c);
		c->what = what;
		c->route = what == NOTICE_ESCALATED ?
		    route_of_bit(t->o.conf, bit) : STR_EMPTY;
		if (what == NOTICE_RESOLVED || what == NOTICE_ACKED)
			called(t, k->i.escalated, c);
		c->incident = &k->i;
		c->now = t->now;
		c->who = what == NOTICE_ACKED ? k->i.acked_by : STR_EMPTY;
		c->why = what == NOTICE_ACKED ? k->i.acked_why : STR_EMPTY;
	}
}

void
tell_each_change(const struct tell *t, void (*fn)(void *arg,
    const struct change *), void *arg)
{
	const struct saying *p;
	size_t i;

	for (p = t->saying; p != NULL; p = p->next)
		for (i = 0; i < p->nchange; i++)
			fn(arg, &p->change[i]);
}

void
tell_mail(struct tell *t, struct mail_section *section, size_t n,
    struct str to)
{
	struct others *o = arena_zalloc(&t->arena, sizeof *o);

	o->section = section;
	o->n = n;
	o->to = to;
	*t->others_tail = o;
	t->others_tail = &o->next;
}

/* --- the commit --- */

struct showing {
	tell_mail_fn	*fn;
	void		*arg;
	bool		 held;		/* a mail was not shown */
};

static bool
put_mail(struct tell *t, const struct notice *n, void *arg)
{
	struct showing *s = arg;

	t->rows = true;
	if (s->fn != NULL) {
		/* tell_direct shows it when there is no store, with why */
		s->held = !t->open || t->lost;
		return s->held || s->fn(s->arg, n);
	}
	outbox_put(t->batch, n, t->o.conf);
	return true;
}

/* Something that affects mail fires, so mail goes by the fall-backs first. */
static bool
mail_is_affected(const struct tell *t)
{
	const struct known *k;
	size_t i;

	for (i = 0; i < t->known.n; i++) {
		k = t->known.entry[i].v.ptr;
		if (k->i.affects > 0 && k->i.state == INCIDENT_FIRES)
			return true;
	}
	return false;
}

/* Whether two are the same but for when they were seen. */
static bool
same(const struct incident *a, const struct incident *b)
{
	double seen = a->seen;

#define S(name) && str_eq(a->name, b->name)
#define N(name) && (a->name == b->name || &a->name == &a->seen)
#define F_RUN(type, name, meaning) type(name)
#define F_TOLD(type, name, meaning) type(name)
	return seen - b->seen < INCIDENT_LEFT / 2
#include "engine/incident/fields.def"
	;
#undef F_RUN
#undef F_TOLD
#undef S
#undef N
}

/* Whether the store has to have it: one that is quiet, and was, need not be
 * written each time that it is seen. */
static bool
is_news(const struct known *k)
{
	if (!k->stored)
		return k->i.state != INCIDENT_QUIET || k->i.unknown > 0 ||
		    k->i.blind > 0 || k->i.missed > 0;
	return !same(&k->i, &k->was);
}

bool
tell_commit(struct tell *t, tell_mail_fn *shown, void *arg)
{
	struct showing s = { shown, arg, false };
	struct known *k;
	size_t i;
	bool ok;

	t->distrust = mail_is_affected(t);
	if (t->o.keep_ways)
		tell_keep_ways(t);
	ok = tell_mails(t, put_mail, &s);
	for (i = 0; t->open && i < t->known.n; i++) {
		k = t->known.entry[i].v.ptr;
		if (!is_news(k))
			continue;
		incident_put(t->batch, &k->i);
		t->rows = true;
	}
	if (batch_is_empty(t->batch))
		return ok && !s.held;
	return t->open && !t->lost &&
	    state_commit(t->o.state, t->batch, t->rows) && ok;
}

struct direct {
	tell_mail_fn	*fn;
	void		*arg;
};

static bool
direct_mail(struct tell *t, const struct notice *n, void *arg)
{
	const struct direct *d = arg;

	(void)t;
	return d->fn(d->arg, n);
}

void
tell_direct(struct tell *t, struct str fault, tell_mail_fn *fn, void *arg)
{
	struct direct d = { fn, arg };
	struct saying *p;

	if (!str_none(fault)) {
		p = tell_saying(t, t->o.alert, STR_LIT("picket"), LEVEL_ERROR);
		p->s.task = STR_LIT("The state's file.");
		p->s.error = arena_dup(&t->arena, fault);
	}
	(void)tell_mails(t, direct_mail, &d);
}
