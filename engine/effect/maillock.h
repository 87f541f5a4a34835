/*
 * maillock: the two locks that those who write to a mailbox take, as they do:
 * a record lock (fcntl) on the file, then FILE.lock beside it.  Neither waits
 * while the other is held, so whoever takes them the other way round is not
 * held up for ever.
 *
 * What a Picket that was killed has left as FILE.lock is known by its text and
 * taken away; a lock of anybody else is respected, however old it is.
 */
#ifndef ENGINE_EFFECT_MAILLOCK_H
#define ENGINE_EFFECT_MAILLOCK_H

#include "engine/effect/safeway.h"

#define LIM_MAILLOCK	5.0	/* seconds for both together: a delivery takes
				 * less, and a storm does not wait longer */
#define MAILLOCK_TICK	0.02	/* seconds between two tries: a delivery is short,
				 * and others wait for the next gap, too */
#define MAILLOCK_TOUCH	60.0	/* seconds: others take a lock for stale that has
				 * not been touched for five minutes */

struct maillock {
	int	 fd;		/* the file, with the record lock if held */
	bool	 record;
	bool	 writing;	/* fd is open to write: the lock is alone */
	int	 dot;		/* FILE.lock, open; -1: not held */
	char	 name[NAME_MAX + 1];
	double	 touched;
	char	 why[200];	/* what is held by others, or cannot be had */
};

/*
 * 1: both are held; 0: not both within LIM_MAILLOCK, see why; what could be had
 * is held; -1: the run must end, nothing is held.  Allocates nothing.
 */
int	maillock_take(struct live *, const struct safeway *, int fd,
	    bool writing, struct maillock *);
/* From time to time while it is held. */
void	maillock_touch(struct maillock *);
/* Closes no fd but its own. */
void	maillock_drop(const struct safeway *, struct maillock *);

#endif
