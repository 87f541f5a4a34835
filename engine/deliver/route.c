#include "engine/deliver/route.h"

#include <stdint.h>

#include "engine/deliver/conf.h"
#include "lang/base/re.h"

static bool
any_fits(struct str_list pattern, const struct str *text, size_t n)
{
	size_t i, k;

	if (pattern.n == 0)
		return true;
	for (i = 0; i < pattern.n; i++)
		for (k = 0; k < n; k++)
			if (!str_none(text[k]) &&
			    glob_match(pattern.p[i], text[k]))
				return true;
	return false;
}

/* A pattern that takes too long does not match: what is told of then goes to
 * somebody else, but goes. */
static bool
matches(struct str pattern, struct str text)
{
	struct re_ctx *ctx = re_ctx_new();
	struct re_error error;
	struct re *re;
	bool yes;

	re = ctx == NULL ? NULL : re_compile(ctx, pattern, false, &error);
	yes = re != NULL && re_match(re, str_shown(text), 0, NULL) == RE_YES;
	if (re != NULL)
		re_free(re);
	if (ctx != NULL)
		re_ctx_free(ctx);
	return yes;
}

bool
condition_holds(const struct condition *c, const struct about *a)
{
	return (c->levels == 0 || (c->levels & 1u << a->level) != 0) &&
	    any_fits(c->alert, &a->alert, 1) &&
	    any_fits(c->script, &a->script, 1) &&
	    any_fits(c->host, a->host, a->nhost) &&
	    any_fits(c->key, &a->key, 1) &&
	    (str_none(c->match) || matches(c->match, a->text));
}

size_t
route_match(const struct conf *c, const struct about *a,
    const struct route *out[LIM_CONF_RULES])
{
	size_t i, n = 0;

	for (i = 0; i < c->nroute; i++) {
		if (!condition_holds(&c->route[i].when, a))
			continue;
		out[n++] = &c->route[i];
		if (c->route[i].stop)
			break;
	}
	return n;
}

const struct route *
route_named(const struct conf *c, struct str name)
{
	size_t i;

	for (i = 0; i < c->nroute; i++)
		if (str_eq(c->route[i].name, name))
			return &c->route[i];
	return NULL;
}

/* Windows that follow one another are one. */
double
quiet_until(const struct conf *c, const struct route *r, double now,
    enum level l)
{
	struct str name = r == NULL ? STR_LIT(ROUTE_DEFAULT) : r->name;
	const struct quiet *q;
	double end, t = now;
	bool longer = true;
	size_t i;

	while (longer && t - now < LIM_QUIET) {
		longer = false;
		for (i = 0; i < c->nquiet; i++) {
			q = &c->quiet[i];
			if (!str_eq(q->route, name) ||
			    (q->except & 1u << l) != 0)
				continue;
			end = window_end(&q->window, t);
			if (end > 0 && end > t) {
				t = end;
				longer = true;
			}
		}
	}
	if (t - now > LIM_QUIET)
		return now + LIM_QUIET;
	return t > now ? t : 0;
}

double
maintenance_until(const struct conf *c, double now, const struct about *a)
{
	const struct maintenance *m;
	double end, found = 0;
	size_t i;

	for (i = 0; i < c->nmaintenance; i++) {
		m = &c->maintenance[i];
		end = m->weekly ? window_end(&m->window, now) :
		    now >= m->from && now < m->to ? m->to : 0;
		if (end > found && condition_holds(&m->when, a))
			found = end;
	}
	return found;
}

bool
grace_holds(const struct conf *c, double uptime)
{
	return uptime < c->grace;
}

size_t
route_escalations(const struct conf *c, const struct about *a,
    struct escalation out[LIM_ESCALATIONS])
{
	size_t i, n = 0;

	for (i = 0; i < c->nescalation; i++)
		if (condition_holds(&c->escalation[i].when, a))
			out[n++] = (struct escalation){
			    c->escalation[i].after, c->escalation[i].bit };
	return n;
}

struct str
route_of_bit(const struct conf *c, unsigned bit)
{
	size_t i;

	for (i = 0; i < c->nescalation; i++)
		if (c->escalation[i].bit == bit)
			return c->escalation[i].route;
	return STR_EMPTY;
}

/* FNV-1a; the next that is free, if it is taken. */
unsigned
route_escalation_bit(const struct conf *c, double after, struct str route)
{
	uint32_t h = UINT32_C(2166136261) ^ (uint32_t)after;
	unsigned bit;
	size_t i;

	for (i = 0; i < route.n; i++)
		h = (h * UINT32_C(16777619)) ^ (unsigned char)route.p[i];
	h *= UINT32_C(16777619);
	bit = (h >> 16) % LIM_ESCALATIONS;
	for (i = 0; i < LIM_ESCALATIONS &&
	    route_of_bit(c, bit).n > 0; i++)
		bit = (bit + 1) % LIM_ESCALATIONS;
	return bit;
}
