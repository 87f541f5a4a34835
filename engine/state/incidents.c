#include "engine/state/incidents.h"

#include <stdio.h>

#include "lang/base/num.h"

#define INCIDENTS_BLOCK	(16 * 1024)

#define S(name) p[i++] = PT(in->name);
#define N(name) p[i++] = PN(in->name);

void
incident_run_params(const struct incident *in,
    struct param p[INCIDENT_RUN_FIELDS])
{
	size_t i = 0;

	S(key)
#define F_RUN(type, name, meaning) type(name)
#include "engine/incident/fields.def"
#undef F_RUN
}

void
incident_told_params(const struct incident *in,
    struct param p[INCIDENT_TOLD_FIELDS])
{
	size_t i = 0;

	S(key)
#define F_TOLD(type, name, meaning) type(name)
#include "engine/incident/fields.def"
#undef F_TOLD
}

void
incident_human_params(const struct incident *in,
    struct param p[INCIDENT_HUMAN_FIELDS])
{
	size_t i = 0;

	S(key)
#define F_HUMAN(type, name, meaning) type(name)
#include "engine/incident/fields.def"
#undef F_HUMAN
}
#undef S
#undef N

void
incident_put(struct batch *b, const struct incident *in)
{
	struct param run[INCIDENT_RUN_FIELDS], told[INCIDENT_TOLD_FIELDS];

	incident_run_params(in, run);
	incident_told_params(in, told);
	batch_row(b, Q_INCIDENT_PUT_RUN, run);
	batch_row(b, Q_INCIDENT_PUT_TOLD, told);
}

void
incident_put_human(struct batch *b, const struct incident *in)
{
	struct param human[INCIDENT_HUMAN_FIELDS];

	incident_human_params(in, human);
	batch_row(b, Q_INCIDENT_PUT_HUMAN, human);
}

static struct str
text(struct str s)
{
	return str_none(s) ? STR_EMPTY : s;
}

static double
number(struct str s)
{
	double d = str_none(s) ? 0 : num_parse(s, false);

	return num_fine(d) ? d : 0;
}

void
silence_of_row(struct silence *q, const struct str *column, struct arena *a,
    double *n, double *ended)
{
	char id[32];

	snprintf(id, sizeof id, "s%.0f", number(column[0]));
	q->id = arena_dup(a, str_c(id));
	q->pattern = arena_dup(a, text(column[1]));
	q->made = number(column[2]);
	q->until = number(column[3]);
	q->who = arena_dup(a, text(column[5]));
	q->why = arena_dup(a, text(column[6]));
	if (n != NULL)
		*n = number(column[0]);
	if (ended != NULL)
		*ended = number(column[4]);
}

void
incident_of_row(struct incident *in, const struct str *column)
{
	size_t i = 0;

	in->key = text(column[i++]);
#define S(name) in->name = text(column[i++]);
#define N(name) in->name = number(column[i++]);
#define F_RUN(type, name, meaning) type(name)
#define F_TOLD(type, name, meaning) type(name)
#define F_HUMAN(type, name, meaning) type(name)
#include "engine/incident/fields.def"
#undef S
#undef N
#undef F_RUN
#undef F_TOLD
#undef F_HUMAN
	if (!(in->state == INCIDENT_PENDING || in->state == INCIDENT_FIRES))
		in->state = INCIDENT_QUIET;
	if (in->state == INCIDENT_FIRES && !(in->episode >= 1))
		in->episode = 1;	/* 0 would never be told */
	if (!(in->how >= END_NONE && in->how < END_KINDS))
		in->how = END_NONE;
	if (!(in->level >= 0 && in->level < LEVEL_COUNT))
		in->level = LEVEL_ERROR;
	if (!(in->escalated >= 0 && in->escalated <= UINT32_MAX))
		in->escalated = 0;
}

void
incidents_init(struct incidents *t, struct mem *m)
{
	arena_init(&t->arena, m, INCIDENTS_BLOCK);
	map_init(&t->by_key, &t->arena);
}

void
incidents_free(struct incidents *t)
{
	arena_free(&t->arena);
}

struct incident *
incidents_find(const struct incidents *t, struct str key)
{
	struct map_entry *e = map_get(&t->by_key, key);

	return e == NULL ? NULL : e->v.ptr;
}

struct incident *
incidents_add(struct incidents *t, struct str key, bool *is_new)
{
	struct map_entry *e = map_put(&t->by_key, key, is_new);

	if (*is_new) {
		e->v.ptr = arena_alloc(&t->arena, sizeof(struct incident));
		incident_new(e->v.ptr, e->key);
	}
	return e->v.ptr;
}

struct incident *
incidents_take(struct incidents *t, const struct str *column)
{
	struct str copy[INCIDENT_COLUMNS];
	struct incident *in;
	bool is_new;
	size_t i;

	for (i = 0; i < INCIDENT_COLUMNS; i++)
		copy[i] = str_none(column[i]) ? column[i] :
		    arena_dup(&t->arena, column[i]);
	in = incidents_add(t, text(copy[0]), &is_new);
	copy[0] = in->key;
	incident_of_row(in, copy);
	return in;
}

static void
take(void *arg, const struct str *column, unsigned n)
{
	if (n == INCIDENT_COLUMNS)
		(void)incidents_take(arg, column);
}

bool
incidents_load(struct incidents *t, struct state *st, enum query q,
    const struct param *p)
{
	return state_ask(st, q, p, take, t);
}

bool
incidents_fires(const struct incidents *t, struct str key)
{
	const struct incident *in = incidents_find(t, key);

	return in != NULL && in->state == INCIDENT_FIRES;
}

void
incidents_inhibit(struct incidents *t)
{
	struct incident *in;
	size_t i;

	for (i = 0; i < t->by_key.n; i++) {
		in = incidents_at(t, i);
		incident_inhibit(in, in->unless.n > 0 &&
		    incidents_fires(t, in->unless));
	}
}
