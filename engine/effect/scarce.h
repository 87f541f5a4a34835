/*
 * scarce: a run when memory is short, for an emergency worker.  The snapshot
 * (engine/table/snapshot.h) answers for /proc; nothing is opened, started,
 * sent or waited for but time and the end of a process; what goes into logs is
 * kept here until there is memory again.
 *
 * Whoever sets it up owns it; a run only adds to the two texts, and never more
 * than they have room for.
 */
#ifndef ENGINE_EFFECT_SCARCE_H
#define ENGINE_EFFECT_SCARCE_H

#include "lang/base/buf.h"
#include "lang/code/program.h"
#include "engine/state/incidents.h"
#include "engine/table/snapshot.h"
#include "engine/vm/host.h"

#define LIM_SCARCE_LOG	(64u * 1024)	/* bytes of log lines kept: some hundred;
				 * a script that says more has said enough */
#define LIM_SCARCE_AGE	30.0	/* seconds: a process that cannot be looked at
				 * is what an older snapshot calls it no more:
				 * its number may be another's */

/*
 * What a script's runs have left, in memory: as the store had it when it could
 * be asked last, and as its runs have gone on since.
 */
struct scarce_held {
	struct buf	 values;	/* of the run before */
	double		 runs;
	struct incidents *incidents;	/* its map points into it */
};

struct scarce {
	struct snapshot	*snapshot;
	struct scarce_held *held;	/* of the script at hand, or NULL */
	struct buf	 log;		/* whole lines for the alert's log */
	struct buf	 audit;		/* lines for the host's syslog */
	size_t		 room;		/* bytes, of each */
	size_t		 dropped;	/* lines that there was no room for */
	/* true: somebody else acts now, the run must end; or NULL */
	bool		(*stop)(void *arg);
	void		*stop_arg;
};

/* Takes the room, in bytes, that each of the texts gets. */
void	 scarce_init(struct scarce *, struct mem *, struct snapshot *,
	    size_t room);
void	 scarce_free(struct scarce *);
void	 scarce_keep(struct scarce *, struct buf *to, struct str line);

void	 scarce_held_init(struct scarce_held *, struct mem *);
void	 scarce_held_free(struct scarce_held *);
/* What the store has of the script, in place of what is held.  False: it
 * cannot say it: what is held stays. */
bool	 scarce_load(struct scarce_held *, struct state *,
	    const struct state_owner *);
/* The values of the run before. */
void	 scarce_previous(const struct scarce_held *, host_value_fn *,
	    void *arg);
/* What a run has left that ended well, for the next one. */
void	 scarce_leave(struct scarce_held *, const struct outcome *);
/* An evaluation of that run. */
void	 scarce_step(struct scarce_held *, const struct state_owner *,
	    const struct incident_seen *, double now, bool good);

/*
 * Whether a program can run so: its input is a native table or none, and it
 * calls nothing that starts, opens or asks something.  False: why says what it
 * does, and file and line of it, for a person.
 */
bool	 scarce_can(const struct program *, char *why, size_t n);

#endif
