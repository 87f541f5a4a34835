/*
 * client: what outlives a run: previous values, positions in logs, time
 * series.  The store itself (SQLite) is another program, picket-store: so
 * picket starts without it, one process alone has the file open, and the
 * daemon's store speaks the same messages (wire.h).
 *
 * A run's outcome is collected here and handed over as one message, which the
 * store applies in one transaction: all of it or nothing.  No transaction is
 * open while a script runs.  Everything belongs to (alert, script).
 *
 * A struct state is the client.  When it is first asked something it finds
 * picketd's store by the socket beside the file, or starts one of its own; so
 * a run that needs no state opens none.
 */
#ifndef ENGINE_STATE_CLIENT_H
#define ENGINE_STATE_CLIENT_H

#include "lang/base/buf.h"
#include "lang/base/num.h"
#include "engine/state/query.h"

#define STATE_PROGRAM	"picket-store"
#define STATE_FILE	"state.db"
#define STATE_SOCKET	"store.sock"	/* beside it, while picketd runs */
/* A path that is none: the state is in memory, of this store alone, and gone
 * with it.  For what is only tried out. */
#define STATE_MEMORY	":memory:"
#define LIM_OUTCOME	(32u * 1024 * 1024)	/* bytes of what one run leaves:
				 * half a million keys; what is larger is no
				 * state of a host */
#define LIM_STATE_ANSWER 120.0	/* seconds for one answer: the store's own wait
				 * for others, and a slow disk's sync */

/* What a person must hear although the run goes on: "state.db was damaged:
 * it is kept as ...". */
typedef void state_say_fn(void *arg, struct str);

struct state_options {
	struct mem	*mem;
	struct str	 path;		/* of state.db, or STATE_MEMORY; the store
					 * makes its folder */
	const char	*program;	/* the path of picket-store */
	bool		 read_only;	/* dry runs: a missing file is an empty
					 * one, nothing is written */
	double		 patience;	/* seconds for one answer; 0:
					 * LIM_STATE_ANSWER */
	const char	*socket;	/* another than the one beside the file, and
					 * no store of one's own; or NULL */
	state_say_fn	*say;		/* or NULL */
	void		*say_arg;
};

struct state;

/* Opens and starts nothing.  What the options point to is copied, but mem. */
struct state *state_new(const struct state_options *);
/* Ends the store.  Safe after a jump out of memory. */
void	state_free(struct state *);

/* Whose state. */
struct state_owner {
	struct str	alert, script;
};

/*
 * All previous values of an owner, one call each, in no order; one may come
 * twice.  key: of the line, or NIL for the script's own.  element: an array's
 * key, or NIL for a scalar.  text: a number as by $text; NIL and ERR are kept
 * as such.  The texts are valid for the call.  false: failed, see state_why.
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
/* A name that is kept; values of all other names are dropped. */
void	outcome_name(struct outcome *, bool number, struct str name);
void	outcome_value(struct outcome *, struct str key, bool number,
	    struct str name, struct str element, struct str text);
/* The key was seen in this run: its values that are not given stay. */
void	outcome_seen(struct outcome *, struct str key);
void	outcome_position(struct outcome *, struct str name,
	    struct str position);
/* A point of a time series (`record`). */
void	outcome_point(struct outcome *, struct str series, double time,
	    double value);
/* Its values again, as they were given. */
void	outcome_each(const struct outcome *, state_value_fn *, void *arg);
bool	outcome_is_empty(const struct outcome *);
/* How many bytes; beyond LIM_OUTCOME it is refused. */
size_t	outcome_size(const struct outcome *);

/* How values of keys that were not seen are kept; 0 and 0: dropped. */
struct state_expire {
	double		runs;		/* `expire N`: so many runs without it */
	double		seconds;	/* `expire 30d` */
};
/*
 * One transaction.  ended_well: values are replaced as language.md section 6
 * says: the script's own all, a seen key's one by one, and series grow; else
 * only positions are taken.  false: failed, nothing was changed.
 */
bool	state_apply(struct state *, const struct state_owner *,
	    const struct outcome *, bool ended_well,
	    const struct state_expire *, double now);

/*
 * Everything else that outlives a run is rows: incidents, notices and what
 * is to be sent, silences, the history of runs.  query.def has the questions
 * and the changes.
 */
struct param {
	bool		 number;
	double		 n;		/* NUM_NIL: NULL */
	struct str	 t;		/* NIL: NULL */
};
#define PT(s)	((struct param){ .t = (s) })
#define PN(x)	((struct param){ .number = true, .n = (x) })

/* One row; NULL is NIL, numbers as %.17g.  The texts are valid for the
 * call.  It does not ask the store anything itself: that is refused, as in
 * all that get an answer piece by piece. */
typedef void state_row_fn(void *arg, const struct str *column, unsigned n);
/*
 * Asks; there is one param for each letter of the query's shape.  No file is
 * no rows.  false: failed, see state_why; rows that were given before that
 * are not all.  What writes is refused here, and what asks in a batch.
 */
bool	state_ask(struct state *, enum query, const struct param *,
	    state_row_fn *, void *arg);

/*
 * Changes that are made together: outcomes of scripts and rows.  All that is
 * given is copied.  What cannot be taken (LIM_OUTCOME, LIM_ROW of one row's
 * texts, LIM_BATCH of all) is refused by state_commit.
 */
struct batch;
struct batch *batch_new(struct mem *);
void	batch_free(struct batch *);
/* What it takes its memory from. */
struct mem *batch_mem(const struct batch *);
void	batch_row(struct batch *, enum query, const struct param *);
/* As state_apply. */
void	batch_outcome(struct batch *, const struct state_owner *,
	    const struct outcome *, bool ended_well,
	    const struct state_expire *, double now);
bool	batch_is_empty(const struct batch *);
/*
 * One transaction: all of it, in order, or nothing.  durable: on the disk
 * before this returns true, as mail and incidents must be.  A store that dies
 * is asked once more, and takes a batch once; a batch that is committed twice
 * by the caller is two.
 */
bool	state_commit(struct state *, const struct batch *, bool durable);

/*
 * For who lives long: to sleep until a commit brings notices or rows of the
 * outbox, or these seconds are over.  Only picketd's store tells; false: there
 * is none, or it cannot.  From then on state_fd's descriptor is readable when
 * state_watched has something to say.  Anything else that is asked of the
 * state ends the watch; nothing is missed between two.  The first is over at
 * once.
 */
bool	state_watch(struct state *, double seconds);
/* True: it is over, whatever the reason; look what there is, and watch again. */
bool	state_watched(struct state *);
int	state_fd(const struct state *);		/* -1: none */

/* After state_apply and state_commit: it failed, but the store may have taken
 * it all before it was gone. */
bool	state_is_unknown(const struct state *);
/* The reason of the last failure, one line, and what to do. */
struct str state_why(const struct state *);

#endif
