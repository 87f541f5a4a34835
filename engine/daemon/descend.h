/*
 * descend: what a run started and has not ended.  picket-runner is a
 * subreaper (prctl(2)): whose parent dies becomes its child, whatever session
 * it has made itself, so all that its script started is below it.  What is
 * detached is not: spawn.c lets that fall past.
 */
#ifndef ENGINE_DAEMON_DESCEND_H
#define ENGINE_DAEMON_DESCEND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lang/base/mem.h"

#define LIM_DESCEND	5.0	/* seconds: what is not ended by then is in the
				 * kernel, or multiplies faster than we end it;
				 * picketd goes on with that */

enum descend_what {
	DESCEND_ALL,		/* also what `exec` has left */
	DESCEND_MINE		/* that may go on */
};

/*
 * Ends our descendants: stopped first, so that none is made meanwhile, then
 * killed, until there is none.  Programs of ours in the folder libexec that
 * are our own children are spared (NULL: none).  *n: how many were ended.
 * False: some are left.
 */
bool	descend_end(struct mem *, enum descend_what, const char *libexec,
	    size_t *n);
/* How many there are, of all that `exec` left. */
size_t	descend_count(struct mem *);
/* No child, so nothing below us: one system call.  Takes up what has ended. */
bool	descend_none(void);

#endif
