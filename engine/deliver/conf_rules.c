/* The lines of picket.conf that have a grammar; route.h has what they mean. */
#include <stdio.h>

#include "engine/deliver/conf_inner.h"
#include "engine/deliver/target.h"
#include "engine/deliver/words.h"
#include "lang/base/num.h"
#include "lang/base/re.h"

/* In which rules a part may stand. */
#define IN_ROUTE	1u
#define IN_ESCALATE	2u
#define IN_MAINTENANCE	4u
#define IN_QUIET	8u
#define IN_HEARTBEAT	16u
#define IN_EMERGENCY	32u
#define IN_WHEN		(IN_ROUTE | IN_ESCALATE | IN_MAINTENANCE)

enum part {
#define W(id, word, rules, arg, help) id,
#include "engine/deliver/conf.def"
#undef W
	PART_COUNT
};

static const struct part_row {
	const char	*word;
	unsigned	 in;
	const char	*arg;
} parts[PART_COUNT] = {
#define W(id, word, rules, arg, help) { word, rules, arg },
#include "engine/deliver/conf.def"
#undef W
};

struct given {
	bool		 is[PART_COUNT];
	struct str_list	 value[PART_COUNT];
};

static bool
fault(struct parse *p, const char *what, struct str word)
{
	conf_fault_word(p, what, word, "");
	return false;
}

static bool
fault_near(struct parse *p, const char *what, struct str word,
    const struct nearest *near)
{
	char hint[80] = "";

	if (near->best != NULL)
		snprintf(hint, sizeof hint, "; did you mean \"%s\"?",
		    near->best);
	conf_fault_word(p, what, word, hint);
	return false;
}

static void
offer_parts(struct nearest *near, unsigned in)
{
	int k;

	for (k = 0; k < PART_COUNT; k++)
		if ((parts[k].in & in) != 0)
			words_offer(near, parts[k].word);
}

static int
find_part(struct str word, unsigned in)
{
	int k;

	for (k = 0; k < PART_COUNT; k++)
		if ((parts[k].in & in) != 0 &&
		    str_eq(word, str_c(parts[k].word)))
			return k;
	return -1;
}

/* The words of the language; -1: none of them. */
static int
find_level(struct str s)
{
	int l;

	if (str_eq(s, STR_LIT("alert")))
		return LEVEL_URGENT;
	for (l = 0; l < LEVEL_COUNT; l++)
		if (str_eq(s, str_c(level_name[l])))
			return l;
	return -1;
}

/*
 * The parts of a rule.  A word that begins a part ends the list before it, so
 * a script of such a name is written [t]o.
 */
static bool
read_parts(struct parse *p, unsigned in, const struct str *word, int n,
    struct given *g)
{
	struct nearest near;
	char needs[60];
	int i, k, from, most;

	memset(g, 0, sizeof *g);
	for (i = 0; i < n;) {
		k = find_part(word[i], in);
		if (k < 0) {
			near = words_nearest(word[i]);
			offer_parts(&near, in);
			return fault_near(p, "unexpected", word[i], &near);
		}
		if (g->is[k])
			return fault(p, "given twice:", word[i]);
		g->is[k] = true;
		most = parts[k].arg[0] == '\0' ? 0 :
		    strstr(parts[k].arg, "...") == NULL ? 1 : n;
		/* `alert` is a level as well, if it follows at once */
		for (from = ++i; i < n && i - from < most &&
		    (find_part(word[i], in) < 0 || (k == PART_LEVEL &&
		    i == from && find_level(word[i]) >= 0));)
			i++;
		if (i == from && most > 0) {
			snprintf(needs, sizeof needs, "%s must follow",
			    parts[k].arg);
			return fault(p, needs, word[from - 1]);
		}
		g->value[k] = (struct str_list){ word + from,
		    (size_t)(i - from) };
	}
	return true;
}

/* The words of a list outlive the line that they were split from. */
static struct str_list
keep(struct parse *p, struct str_list l)
{
	struct str *to;

	if (l.n == 0)
		return l;
	to = arena_alloc(p->arena, l.n * sizeof *to);
	memcpy(to, l.p, l.n * sizeof *to);
	return (struct str_list){ to, l.n };
}

/* --- levels --- */

static bool
unknown_level(struct parse *p, struct str word, unsigned in)
{
	struct nearest near = words_nearest(word);
	int l;

	for (l = 0; l < LEVEL_COUNT; l++)
		words_offer(&near, level_name[l]);
	offer_parts(&near, in);
	return fault_near(p, "unknown level", word, &near);
}

/* LEVEL, LEVEL+ (and above), LEVEL-LEVEL. */
static bool
read_level(struct parse *p, struct str s, unsigned in, unsigned *bits)
{
	size_t dash = str_find(s, '-', 0);
	int from, to;

	if (str_ends(s, "+")) {
		from = LEVEL_EMERGENCY;
		to = find_level(str_of(s.p, s.n - 1));
	} else {
		from = to = find_level(str_of(s.p, dash));
		if (dash < s.n)
			to = find_level(str_of(s.p + dash + 1,
			    s.n - dash - 1));
	}
	if (from < 0 || to < 0)
		return unknown_level(p, s, in);
	for (; from != to; from += from < to ? 1 : -1)
		*bits |= 1u << from;
	*bits |= 1u << to;
	return true;
}

/* --- conditions --- */

static bool
read_match(struct parse *p, struct str pattern)
{
	struct re_ctx *ctx = re_ctx_new();
	struct re_error error;
	struct re *re;
	bool fine;

	snprintf(error.text, sizeof error.text, "no memory");
	re = ctx == NULL ? NULL : re_compile(ctx, pattern, false, &error);
	fine = re != NULL;
	if (!fine) {
		char hint[sizeof error.text + 4];

		snprintf(hint, sizeof hint, ": %s", error.text);
		conf_fault_word(p, "no regular expression:", pattern, hint);
	}
	if (re != NULL)
		re_free(re);
	if (ctx != NULL)
		re_ctx_free(ctx);
	return fine;
}

static bool
read_condition(struct parse *p, unsigned in, const struct given *g,
    struct condition *c)
{
	size_t i;

	*c = (struct condition){ .match = STR_NIL };
	for (i = 0; i < g->value[PART_LEVEL].n; i++)
		if (!read_level(p, g->value[PART_LEVEL].p[i], in, &c->levels))
			return false;
	c->alert = keep(p, g->value[PART_ALERT]);
	c->script = keep(p, g->value[PART_SCRIPT]);
	c->host = keep(p, g->value[PART_HOST]);
	c->key = keep(p, g->value[PART_KEY]);
	if (!g->is[PART_MATCH])
		return true;
	c->match = g->value[PART_MATCH].p[0];
	return read_match(p, c->match);
}

/* --- the rules --- */

/* Whether one more goes into a list. */
static bool
room(struct parse *p, size_t n, size_t max)
{
	char what[60];

	if (n < max)
		return true;
	snprintf(what, sizeof what, "too many of these: at most %zu", max);
	conf_fault(p, str_c(what));
	return false;
}

static bool
read_duration(struct parse *p, struct str s, double least, double most,
    const char *what, double *d)
{
	*d = num_parse_duration(s);
	return (*d >= least && *d <= most) || fault(p, what, s);
}

static bool
read_addresses(struct parse *p, struct str_list in, struct str_list *out)
{
	unsigned before = p->nerror;
	size_t i, n = 0;
	struct str *to = arena_alloc(p->arena, LIM_CONF_MAILTO * sizeof *to);

	for (i = 0; i < in.n; i++)
		if (!conf_add_address(p, in.p[i], to, &n))
			return false;
	*out = (struct str_list){ to, n };
	return p->nerror == before;
}

static void
read_route(struct parse *p, const struct str *word, int n)
{
	struct conf *c = p->conf;
	struct route r = { .line = p->line, .name = word[0] };
	const struct route *other = route_named(c, r.name);
	struct given g;
	char hint[60];

	if (!words_name_ok(r.name)) {
		fault(p, WORDS_NAME ", not", r.name);
		return;
	}
	if (str_eq(r.name, STR_LIT(ROUTE_DEFAULT))) {
		fault(p, "what no route takes is called", r.name);
		return;
	}
	if (other != NULL) {
		snprintf(hint, sizeof hint, " is that of line %u already",
		    other->line);
		conf_fault_word(p, "the name", r.name, hint);
		return;
	}
	if (!read_parts(p, IN_ROUTE, word + 1, n - 1, &g) ||
	    !read_condition(p, IN_ROUTE, &g, &r.when) ||
	    !read_addresses(p, g.value[PART_TO], &r.to))
		return;
	r.via = keep(p, g.value[PART_VIA]);
	if (r.via.n > LIM_CONF_TRANSPORTS) {
		fault(p, "too many ways for", r.name);
		return;
	}
	r.stop = g.is[PART_STOP];
	if (!room(p, c->nroute, LIM_CONF_RULES))
		return;
	if (c->nroute == 0)
		c->route = arena_alloc(p->arena, LIM_CONF_RULES * sizeof r);
	c->route[c->nroute++] = r;
}

static void
read_quiet(struct parse *p, const struct str *word, int n)
{
	struct conf *c = p->conf;
	struct quiet q = { .line = p->line, .route = word[0] };
	struct str level;
	struct given g;
	unsigned bits = 0;
	int l;

	if (n < 3) {
		fault(p, "days and times must follow", word[n - 1]);
		return;
	}
	buf_clear(p->why);
	if (!window_parse(&q.window, word[1], word[2], p->why)) {
		conf_fault(p, buf_view(p->why));
		return;
	}
	if (!read_parts(p, IN_QUIET, word + 3, n - 3, &g))
		return;
	if (g.is[PART_EXCEPT]) {
		level = g.value[PART_EXCEPT].p[0];
		if (str_ends(level, "+"))
			level.n--;
		l = find_level(level);
		if (l < 0) {
			unknown_level(p, level, 0);
			return;
		}
		for (bits = 0; l >= 0; l--)
			bits |= 1u << l;
	}
	q.except = bits;
	if (!room(p, c->nquiet, LIM_CONF_RULES))
		return;
	if (c->nquiet == 0)
		c->quiet = arena_alloc(p->arena, LIM_CONF_RULES * sizeof q);
	c->quiet[c->nquiet++] = q;
}

static void
read_escalation(struct parse *p, const struct str *word, int n)
{
	struct conf *c = p->conf;
	struct conf_escalation e = { .line = p->line };
	struct given g;

	if (!read_duration(p, word[0], LIM_ESCALATE_MIN, LIM_ESCALATE_MAX,
	    "escalate needs a duration from 1m to 7d, not", &e.after))
		return;
	if (n < 2) {
		fault(p, "the name of a route must follow", word[0]);
		return;
	}
	e.route = word[1];
	if (!read_parts(p, IN_ESCALATE, word + 2, n - 2, &g) ||
	    !read_condition(p, IN_ESCALATE, &g, &e.when))
		return;
	if (!room(p, c->nescalation, LIM_ESCALATIONS))
		return;
	if (c->nescalation == 0)
		c->escalation = arena_alloc(p->arena, LIM_ESCALATIONS * sizeof e);
	e.bit = route_escalation_bit(c, e.after, e.route);
	c->escalation[c->nescalation++] = e;
}

static bool
read_once(struct parse *p, const struct str *word, int n,
    struct maintenance *m)
{
	if (n < 3 || !str_eq(word[1], STR_LIT("-")))
		return fault(p, "maintenance is \"FROM\" - \"TO\", or days and "
		    "times, not", word[0]);
	buf_clear(p->why);
	if (!window_moment(word[0], false, &m->from, p->why) ||
	    !window_moment(word[2], true, &m->to, p->why)) {
		conf_fault(p, buf_view(p->why));
		return false;
	}
	return m->from < m->to || fault(p, "it ends before it begins:",
	    word[2]);
}

static bool
read_weekly(struct parse *p, const struct str *word, int n,
    struct maintenance *m)
{
	if (n < 2)
		return fault(p, "times must follow", word[0]);
	buf_clear(p->why);
	if (window_parse(&m->window, word[0], word[1], p->why))
		return true;
	conf_fault(p, buf_view(p->why));
	return false;
}

static void
read_maintenance(struct parse *p, const struct str *word, int n)
{
	struct conf *c = p->conf;
	struct maintenance m = { .line = p->line };
	struct given g;
	int used;

	m.weekly = window_is_days(word[0]);
	used = m.weekly ? 2 : 3;
	if (!(m.weekly ? read_weekly(p, word, n, &m) :
	    read_once(p, word, n, &m)) ||
	    !read_parts(p, IN_MAINTENANCE, word + used, n - used, &g) ||
	    !read_condition(p, IN_MAINTENANCE, &g, &m.when))
		return;
	if (!room(p, c->nmaintenance, LIM_CONF_RULES))
		return;
	if (c->nmaintenance == 0)
		c->maintenance = arena_alloc(p->arena, LIM_CONF_RULES * sizeof m);
	c->maintenance[c->nmaintenance++] = m;
}

/* limit N per hour */
static void
read_limit(struct parse *p, const struct str *word, int n)
{
	double v = num_parse(word[0], false);

	if (n != 3 || !str_eq(word[1], STR_LIT("per")) ||
	    !str_eq(word[2], STR_LIT("hour")))
		fault(p, "a limit is like `20 per hour`, not", word[n == 3 ?
		    (str_eq(word[1], STR_LIT("per")) ? 2 : 1) : 0]);
	else if (!num_is_int(v) || v < 1 || v > LIM_CONF_LIMIT)
		fault(p, "limit must be from 1 to 10000, not", word[0]);
	else
		p->conf->limit = (unsigned)v;
}

static bool
url(struct parse *p, struct str s, struct str *to)
{
	struct str host = STR_EMPTY;
	const char *wrong = target_url_fault(s, &host);

	*to = s;
	if (!str_starts(s, "https://") && !str_starts(s, "http://"))
		return fault(p, "an address begins with http:// or https://:",
		    s);
	/* its path is often what lets one in: it is not shown */
	return wrong == NULL || fault(p, wrong, host);
}

static void
read_heartbeat(struct parse *p, const struct str *word, int n)
{
	struct heartbeat h = { .url = word[0], .fail = STR_NIL };
	struct given g;

	if (!url(p, word[0], &h.url) ||
	    !read_parts(p, IN_HEARTBEAT, word + 1, n - 1, &g))
		return;
	if (g.is[PART_EVERY] && !read_duration(p, g.value[PART_EVERY].p[0],
	    LIM_HEARTBEAT_MIN, LIM_HEARTBEAT_MAX,
	    "every must be from 10s to 1d, not", &h.every))
		return;
	if (g.is[PART_FAIL] && !url(p, g.value[PART_FAIL].p[0], &h.fail))
		return;
	p->conf->heartbeat = h;
}

/* "10%" as a share from 1% to most. */
static bool
read_percent(struct parse *p, struct str s, double most, const char *what,
    double *share)
{
	double v = s.n > 1 && s.p[s.n - 1] == '%' ? num_parse(str_of(s.p,
	    s.n - 1), false) : NUM_NIL;

	*share = v / 100;
	return (v >= 1 && v <= 100 * most) || fault(p, what, s);
}

static void
read_emergency(struct parse *p, const struct str *word, int n)
{
	struct conf_emergency e = p->conf->emergency;
	struct given g;

	if (!read_parts(p, IN_EMERGENCY, word, n, &g))
		return;
	if (g.is[PART_AVAILABLE] && !read_percent(p,
	    g.value[PART_AVAILABLE].p[0], 0.5,
	    "available must be from 1% to 50%, not", &e.available))
		return;
	if (g.is[PART_PRESSURE] && !read_percent(p,
	    g.value[PART_PRESSURE].p[0], 1,
	    "pressure must be from 1% to 100%, not", &e.pressure))
		return;
	p->conf->emergency = e;
}

void
conf_rule(struct parse *p, enum conf_key k, const struct str *word, int n)
{
	bool once = k == CONF_GRACE || k == CONF_LIMIT || k == CONF_HEARTBEAT ||
	    k == CONF_EMERGENCY;

	if (once && p->conf->line[k] != 0) {
		fault(p, "given twice:", word[0]);
		return;
	}
	word++;
	n--;
	switch (k) {
	case CONF_ROUTE:
		read_route(p, word, n);
		break;
	case CONF_QUIET:
		read_quiet(p, word, n);
		break;
	case CONF_ESCALATE:
		read_escalation(p, word, n);
		break;
	case CONF_MAINTENANCE:
		read_maintenance(p, word, n);
		break;
	case CONF_GRACE:
		if (n > 1)
			fault(p, "unexpected", word[1]);
		else
			read_duration(p, word[0], 0, LIM_GRACE, "grace must be "
			    "a duration up to 1d, not", &p->conf->grace);
		break;
	case CONF_LIMIT:
		read_limit(p, word, n);
		break;
	case CONF_HEARTBEAT:
		read_heartbeat(p, word, n);
		break;
	case CONF_EMERGENCY:
		read_emergency(p, word, n);
		break;
	default:
		break;
	}
}

/* --- names --- */

static void
check_route(struct parse *p, struct str name, bool dflt, unsigned line)
{
	struct nearest near = words_nearest(name);
	size_t i;

	if (route_named(p->conf, name) != NULL ||
	    (dflt && str_eq(name, STR_LIT(ROUTE_DEFAULT))))
		return;
	for (i = 0; i < p->conf->nroute; i++)	/* a zero byte is behind it */
		words_offer(&near, p->conf->route[i].name.p);
	if (dflt)
		words_offer(&near, ROUTE_DEFAULT);
	p->line = line;
	fault_near(p, "there is no route", name, &near);
}

static void
check_way(struct parse *p, struct str name, unsigned line)
{
	struct nearest near = words_nearest(name);
	const struct conf *c = p->conf;
	const char *kind;
	size_t i;

	if (conf_transport(c, name) != NULL)
		return;
	p->line = line;
	for (i = 0; i < c->ntransport; i++) {
		kind = transport_name[c->transport[i].kind];
		if (!str_none(c->transport[i].name))
			words_offer(&near, c->transport[i].name.p);
		else if (conf_transport(c, str_c(kind)) != NULL)
			words_offer(&near, kind);
		else if (str_eq(str_c(kind), name)) {
			fault(p, "give them names, there are several of",
			    name);
			return;
		}
	}
	fault_near(p, "there is no way with the name", name, &near);
}

void
conf_settle_rules(struct parse *p)
{
	const struct conf *c = p->conf;
	size_t i, k;

	for (i = 0; i < c->nroute; i++)
		for (k = 0; k < c->route[i].via.n; k++)
			check_way(p, c->route[i].via.p[k], c->route[i].line);
	for (i = 0; i < c->nquiet; i++)
		check_route(p, c->quiet[i].route, true, c->quiet[i].line);
	for (i = 0; i < c->nescalation; i++)
		check_route(p, c->escalation[i].route, false,
		    c->escalation[i].line);
}
