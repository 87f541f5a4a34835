/*
 * incidents: incidents as rows of the state's file, and a table of those
 * at hand.  Why apart: the machine knows no store.
 *
 * A row's fields are those of fields.def in their order; query.def has the
 * questions.  Texts of what is read are in the table's arena.
 */
#ifndef ENGINE_STATE_INCIDENTS_H
#define ENGINE_STATE_INCIDENTS_H

#include "lang/base/map.h"
#include "engine/incident/incident.h"
#include "engine/state/client.h"

/* Fields of each part, with the key in front. */
enum {
	INCIDENT_RUN_FIELDS = 1
#define F_RUN(type, name, meaning) + 1
#include "engine/incident/fields.def"
#undef F_RUN
	,
	INCIDENT_TOLD_FIELDS = 1
#define F_TOLD(type, name, meaning) + 1
#include "engine/incident/fields.def"
#undef F_TOLD
	,
	INCIDENT_HUMAN_FIELDS = 1
#define F_HUMAN(type, name, meaning) + 1
#include "engine/incident/fields.def"
#undef F_HUMAN
};

/* The parameters of each part's query. */
void	incident_run_params(const struct incident *,
	    struct param[INCIDENT_RUN_FIELDS]);
void	incident_told_params(const struct incident *,
	    struct param[INCIDENT_TOLD_FIELDS]);
void	incident_human_params(const struct incident *,
	    struct param[INCIDENT_HUMAN_FIELDS]);
/* Both parts of who has the lock of telling; and the part of people. */
void	incident_put(struct batch *, const struct incident *);
void	incident_put_human(struct batch *, const struct incident *);
/*
 * An incident of a row: the key and all fields.  What is no number is 0; what
 * no machine leaves, as a state that there is none of, is as never seen.
 * Texts are views of the row.
 */
void	incident_of_row(struct incident *, const struct str *column);

/*
 * A silence of a row (id pattern made until ended who why); its texts are
 * copied.  *n: its number, *ended: when a person ended it, 0: not.  Both may
 * be NULL.
 */
void	silence_of_row(struct silence *, const struct str *column,
	    struct arena *, double *n, double *ended);

/* Incidents by key. */
struct incidents {
	struct arena	 arena;
	struct map	 by_key;	/* to struct incident * */
};
void	incidents_init(struct incidents *, struct mem *);
void	incidents_free(struct incidents *);
struct incident *incidents_find(const struct incidents *, struct str key);
/* The one of the key, a new one if there is none. */
struct incident *incidents_add(struct incidents *, struct str key,
	    bool *is_new);
/* One of a row, its texts copied; in place of the one with its key. */
struct incident *incidents_take(struct incidents *, const struct str *column);
/* The n-th, in the order in which they came. */
static inline struct incident *
incidents_at(const struct incidents *t, size_t i)
{
	return t->by_key.entry[i].v.ptr;
}
/* What a question gives whose rows are incidents; false: see state_why. */
bool	incidents_load(struct incidents *, struct state *, enum query,
	    const struct param *);
/* Whether the key fires; one that is not in the table does not. */
bool	incidents_fires(const struct incidents *, struct str key);
/* incident_inhibit for each, by what fires now. */
void	incidents_inhibit(struct incidents *);

#endif
