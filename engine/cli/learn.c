/* learn: see learn.h. */
#include <math.h>
#include <stdio.h>

#include "lang/base/num.h"
#include "engine/cli/learn.h"

void
learn_init(struct learn *l, struct arena *a)
{
	l->arena = a;
	map_init(&l->by_key, a);
}

/* --- what was seen --- */

static struct str
part(struct str s, size_t from, size_t to)
{
	while (from < to && s.p[from] == ' ')
		from++;
	while (to > from && s.p[to - 1] == ' ')
		to--;
	return str_of(s.p + from, to - from);
}

double
learn_value(struct str e, bool *more)
{
	struct str name, value;
	size_t i, open, at, n;

	for (i = 0; i < e.n && e.p[i] != '<' && e.p[i] != '>'; i++)
		if (e.p[i] == '&' || e.p[i] == '|' || e.p[i] == '=' ||
		    e.p[i] == '!' || e.p[i] == '(')
			return NUM_NIL;
	if (i == 0 || i == e.n)
		return NUM_NIL;
	*more = e.p[i] == '>';
	name = part(e, 0, i);
	if (name.n < 2 || name.p[0] != '#')
		return NUM_NIL;
	for (open = e.n; open-- > i && (e.p[open] != '(' || open == 0 ||
	    e.p[open - 1] != ' '); )
		;
	if (open <= i)
		return NUM_NIL;
	for (at = open + 1; at + name.n + 3 < e.n; at++) {
		if (memcmp(e.p + at, name.p, name.n) != 0 ||
		    memcmp(e.p + at + name.n, " = ", 3) != 0 ||
		    (at > open + 1 && e.p[at - 1] != ' '))
			continue;
		at += name.n + 3;
		for (n = at; n < e.n && e.p[n] != ',' && e.p[n] != ')'; n++)
			;
		value = part(e, at, n);
		return num_parse(value, false);
	}
	return NUM_NIL;
}

void
learn_seen(struct learn *l, const struct program *p, const struct run_seen *s)
{
	struct map_entry *e;
	struct learned *k;
	bool is_new, more;
	double v;

	e = map_put(&l->by_key, s->seen.key, &is_new);
	if (is_new) {
		k = arena_zalloc(l->arena, sizeof *k);
		k->key = arena_dup(l->arena, s->seen.key);
		e->key = k->key;
		e->v.ptr = k;
		k->script = arena_dup(l->arena, p->name);
		k->file = arena_dup(l->arena, p->file);
		k->place = arena_dup(l->arena, s->seen.place);
		k->message = STR_EMPTY;
		k->low = k->high = NUM_NIL;
	}
	k = e->v.ptr;
	k->level = s->seen.level;
	k->runs++;
	k->holds = !num_none(s->seen.when) && s->seen.when != 0;
	if (!k->holds)
		return;
	k->held++;
	if (!str_none(s->seen.message))
		k->message = arena_dup(l->arena, s->seen.message);
	v = str_none(s->seen.evidence) ? NUM_NIL :
	    learn_value(s->seen.evidence, &more);
	if (num_none(v))
		return;
	if (num_none(k->low) || v < k->low)
		k->low = v;
	if (num_none(k->high) || v > k->high)
		k->high = v;
}

/* --- what follows --- */

/* Two digits that count, up or down. */
static double
round_two(double v, bool up)
{
	double digits, unit;

	if (v == 0)
		return 0;
	digits = 1 - floor(log10(fabs(v)));
	unit = pow(10, fabs(digits));	/* 10, 100: exact, which 0.1 is not */
	v = digits < 0 ? v / unit : v * unit;
	v = up ? ceil(v - 1e-9) : floor(v + 1e-9);
	return digits < 0 ? v * unit : v / unit;
}

struct str
learn_threshold(struct arena *a, struct str was, double value, bool more)
{
	static const struct { char unit; double of; } unit[] = {
	    { 'G', 1073741824 }, { 'M', 1048576 }, { 'K', 1024 } };
	double v = more ? value * (1 + LEARN_ROOM) : value * (1 - LEARN_ROOM);
	char t[NUM_TEXT_MAX + 2];
	size_t i, n;

	was = part(was, 0, was.n);
	if (was.n == 0)
		return STR_NIL;
	if (was.p[was.n - 1] == '%') {
		v = more ? value + (1 - value) / 2 : v;
		v = floor(v * 1000 + (more ? 0.999 : 0)) / 10;
		if (v >= 100 || v <= 0)
			return STR_NIL;
		n = num_text(v, t);
		t[n++] = '%';
		return arena_dup(a, str_of(t, n));
	}
	if (!num_none(num_parse(was, false))) {
		n = num_text(round_two(v, more), t);
		return arena_dup(a, str_of(t, n));
	}
	for (i = 0; i < 3; i++)
		if (was.p[was.n - 1] == unit[i].unit &&
		    !num_none(num_parse_size(was))) {
			n = num_text(round_two(v / unit[i].of, more), t);
			t[n++] = unit[i].unit;
			return arena_dup(a, str_of(t, n));
		}
	return STR_NIL;
}

/* The line at the end of "file:line". */
static uint32_t
line_of(struct str place)
{
	size_t i = place.n;
	uint32_t n = 0;

	while (i > 0 && place.p[i - 1] != ':')
		i--;
	for (; i < place.n && place.p[i] >= '0' && place.p[i] <= '9'; i++)
		n = n * 10 + (uint32_t)(place.p[i] - '0');
	return n;
}

/* The `when` of the incident statement on a line; NULL: there is none. */
static const struct compile_outline *
clause(const struct compile_outline *o, size_t n, uint32_t line,
    const char *word)
{
	bool at = false;
	size_t i;

	for (i = 0; i < n; i++) {
		if (o[i].kind == OUTLINE_INCIDENT)
			at = o[i].place.line == line;
		else if (at && o[i].kind == OUTLINE_CLAUSE &&
		    str_eq(o[i].word, str_c(word)))
			return &o[i];
	}
	return NULL;
}

static const struct compile_macro *
find_macro(struct compile *c, struct str name)
{
	const struct compile_macro *m;
	size_t i, n;

	m = compile_macros(c, &n);
	for (i = 0; i < n; i++)
		if (str_eq(m[i].name, name))
			return &m[i];
	return NULL;
}

static void
propose(struct learn *l, struct compile *c, const struct learned *k,
    struct proposal *list, size_t *n)
{
	const struct compile_outline *o, *when;
	const struct compile_macro *m;
	double value;
	bool more;
	struct str is;
	size_t i, count;

	o = compile_outline(c, &count);
	when = clause(o, count, line_of(k->place), "when");
	if (when == NULL || when->macros.n == 0 ||
	    str_find(when->macros, ' ', 0) < when->macros.n)
		return;
	m = find_macro(c, when->macros);
	if (m == NULL)
		return;
	for (i = 0; i < when->text.n && when->text.p[i] != '<' &&
	    when->text.p[i] != '>'; i++)
		;
	if (i == when->text.n)
		return;
	more = when->text.p[i] == '>';
	value = more ? k->high : k->low;
	if (num_none(value))
		return;
	is = learn_threshold(l->arena, m->body, value, more);
	if (str_none(is))
		return;
	for (i = 0; i < *n; i++)
		if (str_eq(list[i].macro, m->name))
			break;
	if (i == *n)
		list[(*n)++] = (struct proposal){ m->name, m->body, is, k };
	else if (more ? list[i].from->high < k->high :
	    list[i].from->low > k->low) {
		list[i].is = is;
		list[i].from = k;
	}
}

size_t
learn_propose(struct learn *l, struct compile *c, struct str script,
    struct proposal **list)
{
	const struct learned *k;
	size_t i, n = 0;

	*list = arena_alloc(l->arena, (l->by_key.n + 1) * sizeof **list);
	for (i = 0; i < l->by_key.n; i++) {
		k = l->by_key.entry[i].v.ptr;
		if (k->held > 0 && str_eq(k->script, script))
			propose(l, c, k, *list, &n);
	}
	for (i = 0; i < n; i++) {	/* they outlive the compile */
		(*list)[i].macro = arena_dup(l->arena, (*list)[i].macro);
		(*list)[i].was = arena_dup(l->arena, (*list)[i].was);
	}
	return n;
}
