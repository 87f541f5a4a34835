/* Which part of a run's mail goes where. */
#include "engine/deliver/compose_inner.h"

#include <stdint.h>

/* A part for each route, and one more for lines that wait. */
#define LIM_PARTS	(2 * (LIM_CONF_RULES + 1))

struct split {
	const struct mail_split *in;
	struct arena	*arena;
	struct mail_part *part;
	double		 hold[LIM_PARTS];
	size_t		 source[LIM_PARTS];	/* section of in that its last
						 * one is of, + 1 */
	size_t		 n;
	const struct route *route[LIM_CONF_RULES];	/* of one piece */
	size_t		 nroute;
};

static void
to_default(struct split *s)
{
	s->route[0] = NULL;
	s->nroute = 1;
}

static void
find_routes(struct split *s, const struct about *a, struct str only)
{
	const struct mail_split *in = s->in;
	const struct route *r;
	size_t i;

	s->nroute = 0;
	if (only.n > 0 && (r = route_named(in->conf, only)) != NULL) {
		s->route[s->nroute++] = r;
		return;
	}
	for (i = 0; i < in->nroute && s->nroute < LIM_CONF_RULES; i++)
		if ((r = route_named(in->conf, in->route[i])) != NULL)
			s->route[s->nroute++] = r;
	if (s->nroute == 0)
		s->nroute = route_match(in->conf, a, s->route);
	if (s->nroute == 0)
		to_default(s);
}

/* Those of these names, besides. */
static void
add_routes(struct split *s, const struct str *name, size_t n)
{
	const struct route *r;
	size_t i, k;

	for (i = 0; i < n && s->nroute < LIM_CONF_RULES; i++) {
		if ((r = route_named(s->in->conf, name[i])) == NULL)
			continue;
		for (k = 0; k < s->nroute && s->route[k] != r; k++)
			;
		if (k == s->nroute)
			s->route[s->nroute++] = r;
	}
}

/* The section of the part for a route, to which a piece of section i goes. */
static struct mail_section *
place(struct split *s, const struct route *r, double hold, size_t i)
{
	const struct mail_section *of = &s->in->section[i];
	struct mail_part *p;
	size_t k;

	for (k = 0; k < s->n; k++)
		if (s->part[k].route == r && (s->hold[k] > 0) == (hold > 0))
			break;
	p = &s->part[k];
	if (k == s->n) {
		*p = (struct mail_part){ .route = r, .section = arena_alloc(
		    s->arena, s->in->nsection * sizeof *p->section) };
		s->hold[k] = 0;
		s->source[k] = 0;
		s->n++;
	}
	if (hold > s->hold[k])
		s->hold[k] = hold;
	if (s->source[k] != i + 1) {
		s->source[k] = i + 1;
		p->section[p->nsection++] = (struct mail_section){
		    .level = of->level, .script = of->script,
		    .task = of->task, .lines = STR_EMPTY,
		    .error = STR_EMPTY, .done = STR_EMPTY };
	}
	return &p->section[p->nsection - 1];
}

static struct about
about(const struct split *s, const struct mail_section *of)
{
	return (struct about){ .alert = s->in->alert, .script = of->script,
	    .key = STR_NIL, .level = of->level, .host = s->in->host,
	    .nhost = s->in->nhost,
	    .text = of->lines.n > 0 ? of->lines : of->error };
}

static void
split_lines(struct split *s, size_t i)
{
	const struct mail_section *of = &s->in->section[i];
	const struct conf *conf = s->in->conf;
	struct about a = about(s, of);
	struct mail_section *to;
	double hold;
	size_t k;

	if (of->lines.n == 0 && of->error.n == 0 && !of->interrupted)
		return;
	hold = maintenance_until(conf, s->in->now, &a);
	if (grace_holds(conf, s->in->uptime) &&
	    s->in->now + conf->grace - s->in->uptime > hold)
		hold = s->in->now + conf->grace - s->in->uptime;
	find_routes(s, &a, STR_EMPTY);
	for (k = 0; k < s->nroute; k++) {
		to = place(s, s->route[k], hold, i);
		to->lines = of->lines;
		to->error = of->error;
		to->interrupted = of->interrupted;
		to->done = of->done;
	}
}

static void
split_change(struct split *s, size_t i, const struct change *c)
{
	const struct mail_section *of = &s->in->section[i];
	struct about a = about(s, of);
	struct mail_section *to;
	struct change *list;
	size_t k;

	a.key = c->incident->key;
	a.level = compose_level_of(c->incident->level);
	a.text = c->incident->message;
	find_routes(s, &a, c->route);
	add_routes(s, c->also, c->nalso);
	for (k = 0; k < s->nroute; k++) {
		to = place(s, s->route[k], 0, i);
		if (to->nchange == 0)
			to->change = arena_alloc(s->arena, of->nchange *
			    sizeof *to->change);
		/* ours: it was made here */
		list = (struct change *)(uintptr_t)to->change;
		list[to->nchange++] = *c;
	}
}

/* Quiet hours, as the worst of the part is; they may begin where something
 * else that it waits for ends. */
static void
settle(struct split *s, size_t k)
{
	struct mail_part *p = &s->part[k];
	struct mail m = { .section = p->section, .nsection = p->nsection };
	double from = s->hold[k] > 0 ? s->hold[k] : s->in->now;

	p->level = compose_level(&m);
	p->after = quiet_until(s->in->conf, p->route, from, p->level);
	if (p->after <= 0)
		p->after = s->hold[k];
}

size_t
compose_split(const struct mail_split *in, struct arena *a,
    struct mail_part **part)
{
	struct split s = { .in = in, .arena = a };
	size_t i, k;

	s.part = arena_alloc(a, LIM_PARTS * sizeof *s.part);
	for (i = 0; i < in->nsection; i++) {
		split_lines(&s, i);
		for (k = 0; k < in->section[i].nchange; k++)
			split_change(&s, i, &in->section[i].change[k]);
	}
	for (k = 0; k < s.n; k++)
		settle(&s, k);
	*part = s.part;
	return s.n;
}
