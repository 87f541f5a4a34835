/*
 * serve: the store as picketd has it: many clients on one listening socket,
 * which picketd made and keeps, so that a store that dies loses none of those
 * who have come.  Why one process for all: a commit that must be on the disk
 * waits for the disk once for all that have come by then, and nobody waits for
 * a lock.
 *
 * It works in turns: what has come of each client is read, questions are
 * answered, and then the COMMITs of all are done in one transaction, each in a
 * savepoint of its own; the answers go when they are on the disk.  It never
 * waits for a client.  With nothing to do it sleeps without end.
 *
 * Only root, its own user and, to ask, the reader may talk to it (SO_PEERCRED).
 * A HELLO that says it only asks holds for good: who connects as root may give
 * its rights up afterwards (picket-http).  It lives in a jail that has the
 * state's folder, and ends with TERM, and with picketd.
 */
#ifndef ENGINE_STATE_SERVE_H
#define ENGINE_STATE_SERVE_H

#include <sys/types.h>

#include "lang/base/mem.h"
#include "lang/base/str.h"

#define SERVE_FD	3	/* the listening socket: STATE/store.sock */
#define SERVE_READ_FD	4	/* another whose clients may only ask, if there
				 * is a reader */
#define LIM_GUESTS	900	/* at once: descriptors, and more runs than any
				 * host has; others wait in the socket's queue */
#define LIM_READERS	32	/* of these, who may only ask */
#define LIM_SERVE_BYTES	((size_t)512 << 20)	/* of all their buffers: who
				 * sends more then is sent away */
#define LIM_SERVE_MEM	((size_t)1 << 30)	/* with what doubles; who dies of
				 * it is started again */
#define LIM_SERVE_TURN	16	/* questions of one client in a turn */
#define SERVE_IDLE	5.0	/* seconds after the last commit until the
				 * journal is written back */

struct serve_options {
	struct mem	*mem;
	struct str	 folder;	/* absolute, of state.db */
	bool		 has_reader;
	uid_t		 reader;
};
/* Until it is told to end; the exit status. */
int	serve(const struct serve_options *);

#endif
