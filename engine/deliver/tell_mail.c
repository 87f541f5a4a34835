/*
 * tell_mail: who gets what.  What the scripts of an alert have to say is
 * parted by routes (compose_split); each part is a mail.
 */
#include "engine/deliver/tell_inner.h"

/* A mail to be. */
struct group {
	struct mail_part part;
	struct str	 alert, to;	/* to: one address, or empty */
};

/* The first mail of an onset is what the later ones answer to. */
static void
take_thread(struct tell *t, const struct group *g, struct str id)
{
	const struct change *c;
	struct known *k;
	size_t i, n;

	for (i = 0; i < g->part.nsection; i++)
		for (n = 0; n < g->part.section[i].nchange; n++) {
			c = &g->part.section[i].change[n];
			k = tell_known(t, c->incident->key);
			if (c->what == NOTICE_FIRING &&
			    !str_eq(k->i.thread, id) && !k->threaded) {
				k->i.thread = id;
				k->threaded = true;
			}
			tell_history(t, k, notice_name[c->what], c->who,
			    c->why, id);
		}
}

static bool
one_mail(struct tell *t, const struct group *g, const struct ways *w,
    bool (*fn)(struct tell *, const struct notice *, void *), void *arg)
{
	const struct conf *conf = t->o.conf;
	bool ok;
	struct str to[1] = { g->to };
	struct buf body, message, subject, json, mid;
	struct notice n;
	struct mail m;
	memset(&m, 0, sizeof m);
	memset(&n, 0, sizeof n);
	m.host = t->host;
	m.alert = g->alert;
	m.run_id = t->o.run;
	m.when = (time_t)t->now;
	m.from = w->from.n > 0 ? w->from : conf->value[CONF_MAILFROM];
	m.subject = conf->value[CONF_SUBJECT];
	m.section = g->part.section;
	m.nsection = g->part.nsection;
	if (g->to.n > 0) {
		m.to = to;
		m.nto = 1;
	} else if (g->part.route != NULL && g->part.route->to.n > 0) {
		m.to = g->part.route->to.p;
		m.nto = g->part.route->to.n;
	} else if (w->nto > 0) {
		m.to = w->to;
		m.nto = w->nto;
	} else {
		m.to = conf->mailto;
		m.nto = conf->nmailto;
	}
	if (!compose_speaks(&m))
		return true;
	buf_init(&body, t->o.mem);
	buf_init(&message, t->o.mem);
	buf_init(&subject, t->o.mem);
	buf_init(&json, t->o.mem);
	buf_init(&mid, t->o.mem);
	compose_id(t->o.run, t->nmail++, t->host, &mid);
	n.id = m.message_id = arena_dup(&t->arena, buf_view(&mid));
	take_thread(t, g, n.id);
	compose_subject(&m, &subject);
	compose_body(&m, &body);
	compose_message(&m, buf_view(&body), &message);
	notice_json(&m, buf_view(&body), &json);
	n.run = t->o.run;
	n.alert = g->alert;
	n.level = compose_level(&m);
	n.made = t->now;
	n.subject = buf_view(&subject);
	n.from = m.from;
	n.to = m.to;
	n.nto = m.nto;
	n.first = g->to.n == 0 ? w->first : STR_EMPTY;
	n.also = g->to.n == 0 ? w->also : STR_EMPTY;
	n.route = g->part.route == NULL ? STR_EMPTY : g->part.route->name;
	n.distrust = t->distrust;
	n.after = g->part.after;
	n.digest = g->part.after > 0;
	if (w->digest > 0 && n.level > LEVEL_CRITICAL) {
		n.digest = true;
		if (n.after < t->now + w->digest)
			n.after = t->now + w->digest;
	}
	n.message = buf_view(&message);
	n.body = buf_view(&body);
	n.json = buf_view(&json);
	ok = fn(t, &n, arg);
	buf_free(&body);
	buf_free(&message);
	buf_free(&subject);
	buf_free(&json);
	buf_free(&mid);
	return ok;
}

/* What the scripts of one alert have to say: a mail for each route. */
static bool
of_alert(struct tell *t, struct str alert,
    bool (*fn)(struct tell *, const struct notice *, void *), void *arg)
{
	const struct saying *p;
	struct mail_section *s;
	struct mail_split split;
	struct mail_part *part;
	struct ways w = tell_ways(t, alert);
	struct group g;
	size_t i, n = 0;
	bool ok = true;

	for (p = t->saying; p != NULL; p = p->next)
		n += str_eq(p->alert, alert);
	s = arena_zalloc(&t->arena, n * sizeof *s);
	for (n = 0, p = t->saying; p != NULL; p = p->next)
		if (str_eq(p->alert, alert)) {
			s[n] = p->s;
			s[n].change = p->change;
			s[n++].nchange = p->nchange;
		}
	memset(&split, 0, sizeof split);
	split.conf = t->o.conf;
	split.alert = alert;
	split.host = t->o.group;
	split.nhost = t->o.ngroup;
	split.route = w.route;
	split.nroute = w.nroute;
	split.now = t->now;
	split.uptime = t->o.uptime;
	split.section = s;
	split.nsection = n;
	n = compose_split(&split, &t->arena, &part);
	for (i = 0; i < n; i++) {
		g.part = part[i];
		g.alert = alert;
		g.to = STR_EMPTY;
		ok = one_mail(t, &g, &w, fn, arg) && ok;
	}
	return ok;
}

bool
tell_mails(struct tell *t, bool (*fn)(struct tell *, const struct notice *,
    void *), void *arg)
{
	const struct saying *p, *q;
	struct ways w = tell_ways(t, t->o.alert);
	const struct others *o;
	struct group g;
	bool ok = true;

	t->nmail = 0;
	for (p = t->saying; p != NULL; p = p->next) {
		for (q = t->saying; q != p; q = q->next)
			if (str_eq(q->alert, p->alert))
				break;
		if (q == p)
			ok = of_alert(t, p->alert, fn, arg) && ok;
	}
	for (o = t->others; o != NULL; o = o->next) {
		memset(&g, 0, sizeof g);
		g.alert = t->o.alert;
		g.to = o->to;
		g.part.section = o->section;
		g.part.nsection = o->n;
		ok = one_mail(t, &g, &w, fn, arg) && ok;
	}
	return ok;
}
