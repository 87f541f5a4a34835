/*
 * client: what outlives a run: previous values, positions in logs, time
 * series.  The store itself (SQLite) is another program, picket-store: so
 * picket starts without it, one process alone has the file open, and the
 * daemon's store speaks the same messages.
 *
 * A run's outcome is collected here and handed over as one message, which the
 * store applies in one transaction: all of it or nothing.  No transaction is
 * open while a script runs.  Everything belongs to (alert, script).
 *
 * A struct state is the client.  It starts the store when it is first asked
 * something, so a run that needs no state opens none.
 */
#ifndef ENGINE_STATE_CLIENT_H
#define ENGINE_STATE_CLIENT_H

#include "lang/base/buf.h"

struct state_options {
	struct mem	*mem;
	struct str	 path;		/* of state.db; its folder is there */
	const char	*program;	/* picket-store */
	bool		 read_only;	/* dry runs: a missing file is an empty one */
};

struct state;

/* NULL only without memory.  Opens and starts nothing. */
struct state *state_new(const struct state_options *);
/* Ends the store.  Safe after a jump out of memory. */
void	state_free(struct state *);

/* Whose state: texts are copied. */
struct state_owner {
	struct str	alert, script;
};

/*
 * All previous values of an owner, one call each, in no order.  key: of the
 * line, or NIL for the script's own.  element: an array's key, or NIL for a
 * scalar.  text: a number as by $text.  false: failed, see state_why.
 */
typedef void state_value_fn(void *arg, struct str key, bool number,
	    struct str name, struct str element, struct str text);
bool	state_values(struct state *, const struct state_owner *,
	    state_value_fn *, void *arg);
/* A position in a log (any bytes; empty if there is none yet); name is the
 * log's as the script writes it.  The text is valid until the next call. */
bool	state_position(struct state *, const struct state_owner *,
	    struct str name, struct str *position);
/* How many runs of this owner have been applied. */
bool	state_runs(struct state *, const struct state_owner *, double *);

/* What a run leaves.  Nothing reaches the store before state_apply. */
struct outcome;
struct outcome *outcome_new(struct mem *);
void	outcome_free(struct outcome *);
void	outcome_value(struct outcome *, struct str key, bool number,
	    struct str name, struct str element, struct str text);
/* The key was seen in this run: its values that are not given stay. */
void	outcome_seen(struct outcome *, struct str key);
void	outcome_position(struct outcome *, struct str name,
	    struct str position);
/* A point of a time series (`record`). */
void	outcome_point(struct outcome *, struct str series, double time,
	    double value);
bool	outcome_is_empty(const struct outcome *);

/* How values of keys that were not seen are kept; 0 and 0: dropped. */
struct state_expire {
	double		runs;		/* `expire N` */
	double		seconds;	/* `expire 30d` */
};
/*
 * One transaction.  ended_well: values are replaced as language.md section 6
 * says; else only positions are taken.  false: failed, nothing was changed.
 */
bool	state_apply(struct state *, const struct state_owner *,
	    const struct outcome *, bool ended_well,
	    const struct state_expire *, double now);

/* The reason of the last failure, one line, and what to do. */
struct str state_why(const struct state *);

#endif
