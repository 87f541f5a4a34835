/*
 * batch: the messages of a commit, for the client that sends them; people ask
 * for them by client.h.
 */
#ifndef ENGINE_STATE_BATCH_H
#define ENGINE_STATE_BATCH_H

#include "engine/state/client.h"

/* A message of a batch: an APPLY, or a DO that more rows may be added to. */
struct part {
	struct part	*next;
	struct buf	 m;
	bool		 rows;
};

struct batch {
	struct mem	*mem;
	struct part	*first, *last;
	size_t		 bytes;
	const char	*refused;	/* why, or NULL */
};

/* The parameters of a query, behind what the message has. */
void	batch_params(struct buf *, enum query, const struct param *);

#endif
