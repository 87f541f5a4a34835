/*
 * apply: what one run of a script leaves, put into the tables of values,
 * positions and series.  Apart from the other requests (request.h): it is
 * most of the work, and knows what expires and what is kept.
 */
#ifndef ENGINE_STATE_APPLY_H
#define ENGINE_STATE_APPLY_H

#include "engine/state/store.h"
#include "engine/state/wire.h"

struct owner {
	sqlite3_int64	 id;		/* 0: none yet */
	double		 runs, good;
	bool		 same_names;	/* as were kept the last time */
};
/* SQLite's code, as of all that follow. */
int	owner_find(struct store *, struct str alert, struct str script,
	    struct owner *, struct str names);

/* Whether what follows the kind of a message is an APPLY; does nothing. */
bool	apply_look(struct wire);
/* Does it; a transaction is open. */
int	apply_do(struct store *, struct wire);

#endif
