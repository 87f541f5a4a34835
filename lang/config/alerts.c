/* alerts.cfg: which scripts run together, when, and who is told. */
#include "lang/config/config.h"

#include <stdio.h>

#include "lang/base/num.h"

#define LIM_EVERY	(366 * 86400.0)	/* seconds: a year, leap day included */
#define LIM_EVERY_MIN	1.0		/* seconds, as of a script: less is no
					 * schedule but a loop */
#define LIM_TIMEOUT	86400.0		/* language.md 1.1: at most 24h */

enum item {
#define CA(id, word, kind, args, meaning) id,
#include "lang/table/config.def"
#undef CA
	ALERT_ITEMS
};

enum kind { KIND_TIMING, KIND_DURATION, KIND_MINUTES, KIND_NICE, KIND_TEXT,
    KIND_STATUS, KIND_LEVEL, KIND_ADDRESSES, KIND_ADDRESS, KIND_NAMES,
    KIND_OVERLAP, KIND_ALARMS };

static const char *const keyword[ALERT_ITEMS] = {
#define CA(id, word, kind, args, meaning) word,
#include "lang/table/config.def"
#undef CA
};
static const enum kind kinds[ALERT_ITEMS] = {
#define CA(id, word, kind, args, meaning) kind,
#include "lang/table/config.def"
#undef CA
};

struct reader {
	struct config	*c;
	struct stanza	 st;
	uint32_t	 pos;
	struct config_word word;	/* the one at hand */
	bool		 more;		/* there is one */
	struct site_alert *alert;
	struct alert_source *source;
	struct span	 given[ALERT_ITEMS];	/* len 0: not yet */
	int		 drift;		/* minutes, 0: none */
};

static void
advance(struct reader *r)
{
	r->more = config_word(r->c, &r->st, &r->pos, &r->word);
}

/* The item that the word at hand names, or ALERT_ITEMS. */
static enum item
item_of(const struct reader *r)
{
	unsigned k;

	for (k = 0; k < ALERT_ITEMS; k++)
		if (!r->word.quoted && str_eq(r->word.text,
		    str_c(keyword[k])))
			break;
	return (enum item)k;
}

/* A value: there is a word, and it is no keyword. */
static bool
has_value(const struct reader *r)
{
	return r->more && item_of(r) == ALERT_ITEMS;
}

static void
bad(struct reader *r, const char *want)
{
	diag_at(r->c->diag, r->word.span, E_CONF_VALUE, r->word.text,
	    str_c(want), STR_NIL);
}

static bool
reads_timing(char c)
{
	return (c >= '0' && c <= '9') || c == '*' || c == '@';
}

/* Blanks made one, so that a list shows it well. */
static struct str
tidy(struct arena *a, struct str s)
{
	struct buf b;
	size_t i;

	buf_init(&b, a->mem);
	s = str_trim(s);
	for (i = 0; i < s.n; i++)
		if (strchr(" \t\r", s.p[i]) == NULL)
			buf_putc(&b, s.p[i]);
		else if (b.p[b.n - 1] != ' ')
			buf_putc(&b, ' ');
	s = arena_dup(a, buf_view(&b));
	buf_free(&b);
	return s;
}

/* The words of one line are one timing. */
static void
timing(struct reader *r)
{
	struct site_timing *list = r->alert->timing, *t;
	struct source_set *src = r->c->src;
	size_t n = r->alert->ntiming;
	struct cron_fault fault;
	struct span span = r->word.span;
	struct diag_item *item;
	struct cron cron;
	char field[40];

	if (r->word.quoted) {		/* as in scripts */
		span.at++;
		span.len -= 2;
		advance(r);
	} else do {
		span.len = r->word.span.at + r->word.span.len - span.at;
		advance(r);
	} while (has_value(r) && !r->word.first && !r->word.quoted);
	if (!cron_parse(str_of(src->text.p + span.at, span.len), &cron,
	    &fault)) {
		snprintf(field, sizeof field, "%s%s", fault.field == NULL ?
		    "" : fault.field, fault.field == NULL ? "" : ": ");
		item = diag_at(r->c->diag, (struct span){ span.at +
		    (uint32_t)fault.at, (uint32_t)fault.len }, E_ALERT_TIMING,
		    str_c(field), str_c(fault.text), STR_NIL);
		if (fault.field == NULL)
			diag_hint(r->c->diag, item, STR_LIT("a timing is: "
			    "minute hour day-of-month month day-of-week "
			    "[drift]"));
		return;
	}
	/* doubled when full: sizes are powers of two */
	if ((n & (n - 1)) == 0) {
		list = arena_alloc(r->c->arena, (n == 0 ? 1 : n * 2) *
		    sizeof *list);
		if (n > 0)
			memcpy(list, r->alert->timing, n * sizeof *list);
		r->alert->timing = list;
	}
	t = &r->alert->timing[r->alert->ntiming++];
	t->cron = cron;
	t->text = tidy(r->c->arena, str_of(src->text.p + span.at, span.len));
}

static void
timings(struct reader *r)
{
	timing(r);
	while (has_value(r) && r->word.first && (r->word.quoted ||
	    reads_timing(r->word.text.p[0])))
		timing(r);
}

/* Words up to the next keyword. */
static void
list(struct reader *r, struct str **out, size_t *n, bool addresses)
{
	struct config_word w[64];
	size_t k = 0, i;
	struct str t;

	while (has_value(r)) {
		t = r->word.text;
		while (addresses && t.n > 0 && t.p[t.n - 1] == ',')
			t.n--;
		if (addresses && (str_find(t, '@', 0) == 0 ||
		    str_find(t, '@', 0) + 1 == t.n || t.n == 0))
			bad(r, "a mail address");
		else if (!addresses && !config_name(r->c, t, r->word.span))
			;
		else if (k == sizeof w / sizeof *w)
			bad(r, "one of at most 64");
		else {
			w[k] = r->word;
			w[k++].text = arena_dup(r->c->arena, t);
		}
		advance(r);
	}
	*out = arena_alloc(r->c->arena, (k + 1) * sizeof **out);
	*n = k;
	for (i = 0; i < k; i++)
		(*out)[i] = w[i].text;
}

static void
alarms(struct reader *r)
{
	struct alert_source *s = r->source;
	struct alert_name *grown;
	size_t i;

	for (; has_value(r); advance(r)) {
		if (!config_name(r->c, r->word.text, r->word.span))
			continue;
		for (i = 0; i < s->nalarm; i++)
			if (str_eq(s->alarm[i].name, r->word.text))
				break;
		if (i < s->nalarm) {
			config_twice(r->c, r->word.span, E_ALARM_DUP,
			    r->word.text, r->alert->name, s->alarm[i].span);
			continue;
		}
		i = s->nalarm;
		if ((i & (i - 1)) == 0) {
			grown = arena_alloc(r->c->arena, (i == 0 ? 1 : i * 2) *
			    sizeof *grown);
			if (i > 0)
				memcpy(grown, s->alarm, i * sizeof *grown);
			s->alarm = grown;
		}
		s->alarm[s->nalarm++] = (struct alert_name){
		    arena_dup(r->c->arena, r->word.text), r->word.span };
	}
}

static void
choice(struct reader *r, const char *what, const char *const *known,
    size_t n, unsigned *out)
{
	unsigned k;

	for (k = 0; k < n; k++)
		if (str_eq(r->word.text, str_c(known[k])))
			break;
	if (k == n && known == level_name &&
	    str_eq(r->word.text, STR_LIT("alert")))
		k = LEVEL_URGENT;
	if (k < n)
		*out = k;
	else
		config_unknown(r->c, r->word.span, E_CONF_CHOICE,
		    r->word.text, str_c(what), known, n);
}

static void
duration(struct reader *r, double *out, double min, double max,
    const char *want)
{
	double d = num_parse_duration(r->word.text);

	/* a bare number would leave it open of what */
	if (num_none(d) || d <= 0 || d < min || d > max ||
	    (r->word.text.p[r->word.text.n - 1] >= '0' &&
	    r->word.text.p[r->word.text.n - 1] <= '9' &&
	    str_find(r->word.text, ':', 0) == r->word.text.n))
		bad(r, want);
	else
		*out = d;
}

static void
integer(struct reader *r, int *out, int lo, int hi, const char *want)
{
	double d = num_parse(r->word.text, false);

	if (num_none(d) || !num_is_int(d) || d < lo || d > hi)
		bad(r, want);
	else
		*out = (int)d;
}

static void
one_value(struct reader *r, enum item k)
{
	struct site_alert *a = r->alert;
	struct str *text[ALERT_ITEMS] = {
		[ALERT_NICECMD] = &a->nicecmd, [ALERT_MAILCMD] = &a->mailcmd,
		[ALERT_LPCMD] = &a->lpcmd, [ALERT_EXECCMD] = &a->execcmd,
		[ALERT_WEBHOOK] = &a->webhook
	};
	unsigned u = 0;
	size_t sign;

	switch (kinds[k]) {
	case KIND_DURATION:
		duration(r, k == ALERT_EVERY ? &a->every :
		    k == ALERT_TIMEOUT ? &a->timeout : &a->digest,
		    k == ALERT_EVERY ? LIM_EVERY_MIN : 0,
		    k == ALERT_TIMEOUT ? LIM_TIMEOUT : LIM_EVERY,
		    k == ALERT_TIMEOUT ? "a duration of at most a day, like "
		    "30s or 5m" : k == ALERT_EVERY ? "a duration from a "
		    "second to a year, like 30s or 5m" : "a duration of at "
		    "most a year, like 30s or 5m");
		break;
	case KIND_MINUTES:
		integer(r, &r->drift, 0, LIM_CRON_DRIFT,
		    "a number of minutes from 0 to 1440");
		break;
	case KIND_NICE:
		integer(r, &a->priority, -20, 19,
		    "a nice value: -20 to 19");
		a->has_priority = true;
		break;
	case KIND_TEXT:
		*text[k] = arena_dup(r->c->arena, r->word.text);
		break;
	case KIND_STATUS:
		u = a->status;
		choice(r, "status", status_name, STATUS_COUNT, &u);
		a->status = (enum status)u;
		break;
	case KIND_LEVEL:
		u = a->level;
		choice(r, "level", level_name, LEVEL_COUNT, &u);
		a->level = (enum level)u;
		a->has_level = true;
		break;
	case KIND_OVERLAP:
		u = a->overlap;
		choice(r, "overlap", overlap_name, OVERLAP_COUNT, &u);
		a->overlap = (enum overlap)u;
		break;
	default:	/* KIND_ADDRESS */
		sign = str_find(r->word.text, '@', 0);
		if (sign == 0 || sign + 1 >= r->word.text.n)
			bad(r, "a mail address");
		else
			a->mailfrom = arena_dup(r->c->arena, r->word.text);
		break;
	}
	advance(r);
}

static void
item(struct reader *r, enum item k)
{
	struct span span = r->word.span;
	enum item same = k == ALERT_NICE ? ALERT_PRIORITY : k;

	if (r->given[same].len > 0 && k != ALERT_TIMING && k != ALERT_ALARMS)
		config_twice(r->c, span, E_CONF_ITEM_DUP, str_c(keyword[k]),
		    r->alert->name, r->given[same]);
	r->given[same] = span;
	advance(r);
	if (!has_value(r)) {
		/* what `#if` leaves of a list may be nothing */
		if (k != ALERT_ALARMS)
			diag_at(r->c->diag, span, E_CONF_EMPTY,
			    str_c(keyword[k]), STR_NIL, STR_NIL);
		return;
	}
	switch (kinds[k]) {
	case KIND_TIMING:
		timings(r);
		break;
	case KIND_ALARMS:
		alarms(r);
		break;
	case KIND_ADDRESSES:
		list(r, &r->alert->mailto, &r->alert->nmailto, true);
		break;
	case KIND_NAMES:
		list(r, &r->alert->route, &r->alert->nroute, false);
		break;
	default:
		one_value(r, k);
		break;
	}
}

/* A command's text with the alert's own name, status and level put in. */
static void
put_context(struct reader *r, struct str *text)
{
	const struct site_alert *a = r->alert;
	struct buf b;
	size_t i;

	if (str_none(*text) || str_find(*text, '\001', 0) == text->n)
		return;
	buf_init(&b, r->c->arena->mem);
	for (i = 0; i < text->n; i++) {
		struct str rest = str_of(text->p + i, text->n - i);

		if (str_starts(rest, MARK_ALERT))
			buf_str(&b, a->name);
		else if (str_starts(rest, MARK_STATUS))
			buf_puts(&b, status_name[a->status]);
		else if (str_starts(rest, MARK_LEVEL))
			buf_puts(&b, level_name[a->level]);
		else {
			buf_putc(&b, text->p[i]);
			continue;
		}
		i += strlen(MARK_ALERT) - 1;
	}
	*text = arena_dup(r->c->arena, buf_view(&b));
	buf_free(&b);
}

/* SysAdmins=pikttest: PIKT's test runs have alerts of another name. */
static struct str
plain_name(struct str name)
{
	if (str_ends(name, "=pikttest"))
		name.n -= strlen("=pikttest");
	return name;
}

static void
read_alert(struct reader *r)
{
	struct site_alert *a = r->alert;
	enum item k;
	size_t i;

	a->status = STATUS_ACTIVE;
	a->level = LEVEL_NOTICE;
	a->nicecmd = a->mailcmd = a->lpcmd = a->execcmd = a->mailfrom =
	    a->webhook = STR_NIL;
	advance(r);
	while (r->more) {
		k = item_of(r);
		if (k < ALERT_ITEMS) {
			item(r, k);
			continue;
		}
		config_unknown(r->c, r->word.span, E_CONF_WORD, r->word.text,
		    STR_LIT("alerts.cfg"), keyword, ALERT_ITEMS);
		do
			advance(r);	/* what follows it is its own */
		while (has_value(r) && !r->word.first);
	}
	a->drift = (unsigned)r->drift;
	for (i = 0; i < a->ntiming; i++)
		if (!a->timing[i].cron.has_drift && r->drift > 0) {
			a->timing[i].cron.has_drift = true;
			a->timing[i].cron.drift = (unsigned)r->drift;
		}
	put_context(r, &a->nicecmd);
	put_context(r, &a->mailcmd);
	put_context(r, &a->lpcmd);
	put_context(r, &a->execcmd);
	put_context(r, &a->webhook);
	if (r->given[ALERT_TIMING].len == 0 && a->every <= 0)
		diag_at(r->c->diag, r->st.span, E_ALERT_NEVER, a->name,
		    STR_NIL, STR_NIL);
	if (r->given[ALERT_ALARMS].len == 0)
		diag_at(r->c->diag, r->st.span, E_ALERT_EMPTY, a->name,
		    STR_NIL, STR_NIL);
}

struct alert_source *
alerts_read(struct config *c)
{
	struct site *site = c->site;
	struct alert_source *source;
	struct stanza st;
	struct reader *r;
	struct map where;
	struct map_entry *e;
	struct str name;
	uint32_t at = c->at;
	size_t n = 0;
	bool is_new;

	while (config_stanza(c, &st))
		n++;
	c->at = at;
	map_init(&where, c->arena);
	site->alert = arena_zalloc(c->arena, (n + 1) * sizeof *site->alert);
	source = arena_zalloc(c->arena, (n + 1) * sizeof *source);
	while (config_stanza(c, &st)) {
		name = plain_name(st.name);
		if (!config_name(c, name, st.span))
			continue;
		e = map_put(&where, name, &is_new);
		if (!is_new) {
			config_twice(c, st.span, E_CONF_DUP, STR_LIT("alert"),
			    name, (struct span){ (uint32_t)e->v.num, 1 });
			continue;
		}
		e->v.num = st.span.at;
		r = arena_zalloc(c->arena, sizeof *r);
		r->c = c;
		r->st = st;
		r->pos = st.from;
		r->alert = &site->alert[site->nalert];
		r->source = &source[site->nalert++];
		r->source->span = st.span;
		r->alert->name = e->key;
		read_alert(r);
	}
	return source;
}
