/*
 * learn: what was seen while `picket learn` watched, and what follows from
 * it: for each incident how often its condition held and the largest and the
 * smallest value in it, and a new value for the macro that stands for its
 * threshold.
 */
#ifndef ENGINE_CLI_LEARN_H
#define ENGINE_CLI_LEARN_H

#include "lang/base/map.h"
#include "engine/cli/cli.h"
#include "engine/run/run.h"

#define LEARN_ROOM	0.2	/* above the most that was seen, as a part: a
				 * threshold at it would be met again */

/* An incident's key. */
struct learned {
	struct str	 key, script, place, message;
	struct str	 file;		/* of the script */
	enum level	 level;
	double		 runs, held;	/* evaluations; of them: it held */
	double		 low, high;	/* of the value in its condition while it
					 * held; NIL: there is none */
	bool		 holds;		/* at the last one */
};

struct learn {
	struct arena	*arena;
	struct map	 by_key;	/* -> struct learned */
};

void	 learn_init(struct learn *, struct arena *);
void	 learn_seen(struct learn *, const struct program *,
	    const struct run_seen *);

/* A macro and the value that it might have. */
struct proposal {
	struct str	 macro, was, is;
	const struct learned *from;	/* the one that asks for most */
};
/*
 * The proposals of one script, from what stands in its file; macros and
 * outline are those of a compile with options.outline.  Conditions whose
 * threshold is no single macro give none.
 */
size_t	 learn_propose(struct learn *, struct compile *, struct str script,
	    struct proposal **list);
/*
 * The value of "#share >= 0.9 (#share = 0.93)", and whether more of it is
 * worse; NIL if the condition does not begin with a number and a comparison.
 */
double	 learn_value(struct str evidence, bool *more);
/* 96% of 90% and 0.93: a threshold like `was` that `value` does not meet;
 * NIL: there is none. */
struct str learn_threshold(struct arena *, struct str was, double value,
	    bool more);

#endif
