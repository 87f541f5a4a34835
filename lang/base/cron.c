#include "lang/base/cron.h"

#include <stdio.h>

#define CRON_FIELDS	5

static const char *const month_name[] = { "january", "february", "march",
	"april", "may", "june", "july", "august", "september", "october",
	"november", "december", NULL };
static const char *const day_name[] = { "sunday", "monday", "tuesday",
	"wednesday", "thursday", "friday", "saturday", NULL };

static const struct field {
	const char	*name;
	unsigned	 lo, hi;
	const char *const *word;	/* names, the first means lo */
} fields[CRON_FIELDS] = {
	{ "minute", 0, 59, NULL },
	{ "hour", 0, 23, NULL },
	{ "day of month", 1, 31, NULL },
	{ "month", 1, 12, month_name },
	{ "day of week", 0, 7, day_name }
};

static const struct {
	const char	*word, *fields;
} nicks[] = {
	{ "@hourly", "0 * * * *" }, { "@daily", "0 0 * * *" },
	{ "@midnight", "0 0 * * *" }, { "@weekly", "0 0 * * 0" },
	{ "@monthly", "0 0 1 * *" }, { "@yearly", "0 0 1 1 *" },
	{ "@annually", "0 0 1 1 *" }
};
#define NNICK	(sizeof nicks / sizeof *nicks)

struct reader {
	struct str		 t;
	size_t			 i;
	const struct field	*f;
	struct cron_fault	*fault;
};

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}
static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Always false.  What stands from `at` to i is shown with it. */
static bool
wrong(struct reader *r, size_t at, const char *what)
{
	struct cron_fault *f = r->fault;
	size_t n = r->i - at, k, shown;

	f->at = at;
	f->len = n;
	f->field = r->f == NULL ? NULL : r->f->name;
	shown = n > 24 ? 24 : n;
	k = 0;
	if (shown > 0) {
		memcpy(f->text, r->t.p + at, shown);
		k = shown;
		if (shown < n) {
			memcpy(f->text + k, "...", 3);
			k += 3;
		}
		f->text[k++] = ' ';
	}
	snprintf(f->text + k, sizeof f->text - k, "%s", what);
	return false;
}

static bool
field_end(const struct reader *r)
{
	return r->i == r->t.n || blank(r->t.p[r->i]);
}

/* To the end of the part, so that a message shows all of it. */
static void
skip_part(struct reader *r)
{
	while (!field_end(r) && r->t.p[r->i] != ',')
		r->i++;
}

static bool
number(struct reader *r, unsigned *v)
{
	size_t start = r->i;

	for (*v = 0; r->i < r->t.n && digit(r->t.p[r->i]); r->i++)
		if (*v < 100000)
			*v = *v * 10 + (unsigned)(r->t.p[r->i] - '0');
	return r->i > start;
}

/* A name's value, or false.  upper: the end of a range, where Sunday is 7. */
static bool
name(struct reader *r, bool upper, unsigned *v)
{
	size_t start = r->i, n, k;
	const char *const *w = r->f->word;

	while (!field_end(r) && lower(r->t.p[r->i]) >= 'a' &&
	    lower(r->t.p[r->i]) <= 'z')
		r->i++;
	n = r->i - start;
	for (*v = r->f->lo; w != NULL && *w != NULL; w++, ++*v) {
		if (n != 3 && n != strlen(*w))
			continue;
		for (k = 0; k < n; k++)
			if (lower(r->t.p[start + k]) != (*w)[k])
				break;
		if (k < n)
			continue;
		if (upper && *v == 0)
			*v = r->f->hi;
		return true;
	}
	r->i = start;
	return false;
}

static bool
value(struct reader *r, bool upper, unsigned *v)
{
	size_t start = r->i;
	char what[64];

	if (field_end(r) || !(digit(r->t.p[r->i]) ? number(r, v) :
	    name(r, upper, v))) {
		skip_part(r);
		return wrong(r, start, r->i == start ? "a value is missing" :
		    r->f->word == NULL ? "is no number" :
		    "is neither a number nor a name");
	}
	if (*v < r->f->lo || *v > r->f->hi) {
		snprintf(what, sizeof what, "is not from %u to %u", r->f->lo,
		    r->f->hi);
		return wrong(r, start, what);
	}
	return true;
}

/* One part of a list: *, N, N-M, and a step. */
static bool
part(struct reader *r, uint64_t *set)
{
	unsigned lo, hi, step = 1;
	size_t start = r->i, at;
	bool range = true;

	if (!field_end(r) && r->t.p[r->i] == '*') {
		r->i++;
		lo = r->f->lo;
		hi = r->f->hi == 7 ? 6 : r->f->hi;
	} else {
		if (!value(r, false, &lo))
			return false;
		hi = lo;
		range = !field_end(r) && r->t.p[r->i] == '-';
		if (range) {
			r->i++;
			if (!value(r, true, &hi))
				return false;
			if (hi < lo)
				return wrong(r, start,
				    "ends before it begins");
		}
	}
	if (!field_end(r) && r->t.p[r->i] == '/') {
		at = ++r->i;
		if (!number(r, &step) || step == 0) {
			skip_part(r);
			return wrong(r, at, r->i == at ?
			    "a step is missing" : "is no step");
		}
		if (!range)
			return wrong(r, start,
			    "has a step but no range: write N-M/STEP");
		if (step > r->f->hi)
			return wrong(r, at, "is a step beyond the range");
	}
	if (!field_end(r) && r->t.p[r->i] != ',') {
		skip_part(r);
		return wrong(r, start, "is no part of a list");
	}
	for (; lo <= hi; lo += step)
		*set |= UINT64_C(1) << lo;
	return true;
}

static bool
list(struct reader *r, uint64_t *set)
{
	for (*set = 0; ; r->i++) {
		if (!part(r, set))
			return false;
		if (field_end(r))
			return true;
	}
}

static void
blanks(struct reader *r)
{
	while (r->i < r->t.n && blank(r->t.p[r->i]))
		r->i++;
}

/* Nothing, or the drift, and then nothing. */
static bool
ending(struct reader *r, struct cron *c)
{
	size_t start;

	r->f = NULL;
	blanks(r);
	if (r->i == r->t.n)
		return true;
	start = r->i;
	if (!number(r, &c->drift) || !field_end(r) ||
	    c->drift > LIM_CRON_DRIFT) {
		while (!field_end(r))
			r->i++;
		return wrong(r, start, "is no drift: a sixth field is minutes "
		    "from 0 to 1440");
	}
	c->has_drift = true;
	blanks(r);
	if (r->i == r->t.n)
		return true;
	start = r->i;
	while (!field_end(r))
		r->i++;
	return wrong(r, start, "is one field too many");
}

static bool
nick(struct reader *r, struct cron *c)
{
	size_t start = r->i, k;
	struct cron_fault unused;
	struct cron made;
	struct str word;

	while (!field_end(r))
		r->i++;
	word = str_of(r->t.p + start, r->i - start);
	for (k = 0; k < NNICK; k++)
		if (str_eq(word, str_c(nicks[k].word)))
			break;
	if (k == NNICK)
		return wrong(r, start, "is none of @hourly @daily @midnight "
		    "@weekly @monthly @yearly @annually");
	(void)cron_parse(str_c(nicks[k].fields), &made, &unused);
	*c = made;
	return ending(r, c);
}

bool
cron_parse(struct str text, struct cron *c, struct cron_fault *fault)
{
	struct reader r = { text, 0, NULL, fault };
	uint64_t set[CRON_FIELDS];
	bool star[CRON_FIELDS];
	size_t k, start;

	*c = (struct cron){ 0 };
	*fault = (struct cron_fault){ 0 };
	blanks(&r);
	if (r.i < text.n && text.p[r.i] == '@')
		return nick(&r, c);
	start = r.i;
	for (k = 0; k < CRON_FIELDS; k++) {
		blanks(&r);
		if (r.i == text.n) {
			char what[120];

			while (r.i > start && blank(text.p[r.i - 1]))
				r.i--;
			start = r.i;
			snprintf(what, sizeof what, "%s has no value: five "
			    "fields are needed, here %s %zu", fields[k].name,
			    k == 1 ? "is" : "are", k);
			return wrong(&r, start, what);
		}
		r.f = &fields[k];
		star[k] = text.p[r.i] == '*';
		if (!list(&r, &set[k]))
			return false;
		r.f = NULL;
	}
	c->min = set[0];
	c->hour = (uint32_t)set[1];
	c->dom = (uint32_t)set[2];
	c->month = (uint32_t)set[3];
	c->dow = (uint32_t)((set[4] | set[4] >> 7) & 0x7f);
	c->either_day = !star[2] && !star[4];
	c->wild = star[0] || star[1];
	return ending(&r, c);
}

bool
cron_is_never(const struct cron *c)
{
	static const unsigned days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30,
	    31, 30, 31 };
	unsigned m;

	if (c->either_day)
		return false;
	for (m = 1; m <= 12; m++)
		if ((c->month >> m & 1) != 0 &&
		    (c->dom & ((UINT64_C(2) << days[m - 1]) - 1)) != 0)
			return false;
	return true;
}
