/*
 * place: the folder of the state and the locks in it.  Why one module: the
 * store, the run of an alert, whoever tells of incidents and whoever sends
 * mail each hold a lock there, and a lock that is not safe is none.
 *
 * A lock is a record lock (fcntl) on a file of its own and not flock(2): it
 * tells who holds it, and works where the state is on NFS.  It is gone with
 * its process, however that ends.  It is the process's: closing any
 * descriptor of that file gives it up, so nobody else opens these files.
 */
#ifndef ENGINE_STATE_PLACE_H
#define ENGINE_STATE_PLACE_H

#include <sys/types.h>

#include "lang/base/buf.h"

#define LOCK_TELL	"tell.lock"	/* who tells of incidents */
#define LOCK_SEND	"send.lock"	/* who empties the outbox */

/*
 * The folder of a path (all before its last '/') and those above it, for the
 * user alone; they may be there.  false: why ends with the reason.
 */
bool	place_folder(struct str path, struct mem *, struct buf *why);
/* A connection to the socket of that path, however long, and its sends wait
 * for so many seconds at most; -1: errno, EAGAIN: too many wait there. */
int	place_connect(struct str path, double wait, struct mem *);

enum lock_kind {
	LOCK_SHARED,		/* shared; nothing is made */
	LOCK_ALONE		/* alone; made if it is not there, mode 0600 */
};
enum lock_got {
	LOCK_GOT,
	LOCK_HELD,		/* by another, for longer than we would wait */
	LOCK_NONE		/* cannot be had at all: see error */
};
struct lock {
	int	 fd;		/* -1: none */
	pid_t	 holder;	/* of LOCK_HELD; 0: it is not known */
	int	 error;		/* errno of LOCK_NONE; 0: it is no file that could
				 * be a lock of ours (a link, a pipe, another
				 * user's) */
};
/* wait: seconds, 0: not at all. */
enum lock_got lock_take(struct lock *, const char *path, enum lock_kind,
	    double wait);
/* For a descriptor that is open already. */
enum lock_got lock_fd(struct lock *, enum lock_kind, double wait);
void	lock_drop(struct lock *);
/* What is wrong, after LOCK_HELD and LOCK_NONE: one line, what to do. */
void	lock_why(const struct lock *, enum lock_got, const char *path,
	    struct buf *);

#endif
