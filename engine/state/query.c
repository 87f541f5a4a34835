#include "engine/state/query.h"

/* The parameters of what writes a part of an incident: its key, its fields. */
#define LETTER_S "t"
#define LETTER_N "n"
static const char shape_run[] = "t"
#define F_RUN(type, name, meaning) LETTER_##type
#include "engine/incident/fields.def"
#undef F_RUN
    ;
static const char shape_told[] = "t"
#define F_TOLD(type, name, meaning) LETTER_##type
#include "engine/incident/fields.def"
#undef F_TOLD
    ;
static const char shape_human[] = "t"
#define F_HUMAN(type, name, meaning) LETTER_##type
#include "engine/incident/fields.def"
#undef F_HUMAN
    ;

const struct query_shape query_shape[QUERY_COUNT] = {
#define Q(id, shape, columns, sql) [Q_##id] = { #id, shape, columns },
#include "engine/state/query.def"
#undef Q
};

static uint32_t
mix(uint32_t h, const char *s)
{
	do {
		h = (h ^ (unsigned char)*s) * 16777619;	/* FNV */
	} while (*s++ != '\0');
	return h;
}

uint32_t
query_print(void)
{
	uint32_t h = 2166136261u;
	unsigned i;

	for (i = 0; i < QUERY_COUNT; i++) {
		h = mix(h, query_shape[i].name);
		h = mix(h, query_shape[i].shape);
		h = (h ^ query_shape[i].columns) * 16777619;
	}
	return h;
}
