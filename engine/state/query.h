/*
 * query: the questions and changes of query.def by number, as the client and
 * the store both see them.  Apart from the SQL (sql.h), which only the store
 * has.
 */
#ifndef ENGINE_STATE_QUERY_H
#define ENGINE_STATE_QUERY_H

#include <stdint.h>

enum query {
#define Q(id, shape, columns, sql) Q_##id,
#include "engine/state/query.def"
#undef Q
	QUERY_COUNT
};

/* Columns of an incident, in this order: key, then those of fields.def. */
enum {
	INCIDENT_COLUMNS = 1
#define F_RUN(type, name, meaning) + 1
#define F_TOLD(type, name, meaning) + 1
#define F_HUMAN(type, name, meaning) + 1
#include "engine/incident/fields.def"
#undef F_RUN
#undef F_TOLD
#undef F_HUMAN
};

/* Of table meta: what became of a damaged file, until people were told. */
#define META_DAMAGED	"damaged"

struct query_shape {
	const char	*name;
	const char	*shape;		/* a letter for each parameter: t n */
	unsigned	 columns;	/* 0: it writes */
};
extern const struct query_shape query_shape[QUERY_COUNT];

/* A number that differs where the table does: a client and a store of two
 * builds must not take one question for another. */
uint32_t query_print(void);

#endif
