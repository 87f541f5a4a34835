/*
 * trail: what a run has said and done so far, in a file that is also the lock
 * of its alert: STATE/run/NAME.run.  Why: a run that is killed has its mail in
 * memory and its effects behind it; whoever comes next, the alert's next run
 * or `picket deliver`, finds both here and tells.
 *
 * A record is a line, "KIND TEXT", and one write(2), so that what a killed
 * run leaves is whole lines; what a power failure or a full disk tears is
 * not read.  Whoever opens a trail has the lock until it ends or closes it:
 *
 *	trail_open	the lock; what a killed run left is still in it
 *	trail_left	that
 *	trail_begin	empties it: this run begins
 *	trail_add	as things happen
 *	trail_end	all is committed: the file goes
 *
 * A process that is killed between its commit and trail_end leaves a trail
 * whose run is in the table `run`: then there is nothing to tell.
 */
#ifndef ENGINE_EFFECT_TRAIL_H
#define ENGINE_EFFECT_TRAIL_H

#include "lang/base/buf.h"

#define TRAIL_FOLDER	"run"		/* of the state's folder */
#define TRAIL_TAIL	".run"
#define LIM_TRAIL	(2u * 1024 * 1024)	/* bytes of mail lines kept: as many
				 * as one mail holds; then "and more" */
#define LIM_TRAIL_MORE	(64u * 1024)	/* bytes past that for effects */
#define LIM_TRAIL_TEXT	2000		/* bytes of one effect: what a person reads */

/* TR(NAME, "word"): what a line begins with. */
#define TRAIL_KINDS \
	TR(RUN, "run")		/* the run's id */ \
	TR(ALERT, "alert") \
	TR(ORIGIN, "origin")	/* the site's folder, or the file */ \
	TR(BEGAN, "began")	/* seconds since 1970 */ \
	TR(SCRIPT, "script")	/* what follows is of this script */ \
	TR(LEVEL, "level")	/* its level, as enum level */ \
	TR(MAIL, "mail")	/* a line of mail */ \
	TR(MAIL_TO, "mailto")	/* ADDRESS, tab, a line */ \
	TR(DID, "did")		/* an effect that begins now */ \
	TR(WROTE, "wrote")	/* a log file is written to */ \
	TR(SENT, "sent")	/* the run's mail went out without the store */ \
	TR(MORE, "more")	/* there was more than is kept */ \
	/* of the head, too; not in that of an older Picket */ \
	TR(DUE, "due")		/* seconds since 1970; not of a run by hand */ \
	TR(REASON, "reason")	/* why it ran */ \
	TR(PID, "pid")
enum trail_kind {
#define TR(id, word) TRAIL_##id,
	TRAIL_KINDS
#undef TR
	TRAIL_COUNT
};

struct trail;
enum trail_got {
	TRAIL_GOT,
	TRAIL_HELD,		/* a run of this alert is going on: see why */
	TRAIL_NONE		/* cannot be made: see why.  The run goes on
				 * without: nothing keeps another from it */
};
/*
 * state: the state's folder.  The alert's name may hold any bytes.  why: is
 * added to.  *t is NULL but for TRAIL_GOT.
 */
enum trail_got trail_open(struct trail **t, struct mem *, struct str state,
	    struct str alert, struct buf *why);
/* Gives the lock up and leaves the file. */
void	trail_close(struct trail *);

/* What the head of a trail says. */
struct trail_head {
	struct str	 run, alert, origin;
	double		 began;
	double		 due;		/* NUM_NIL: by hand */
	struct str	 reason;
	double		 pid;		/* NUM_NIL: an older Picket's has none */
};
/*
 * What a killed run left: its head, then each record in order.  false: there
 * is nothing.  A trail whose head is torn is nothing, too: it said and did
 * nothing.  The texts are valid for the call; the head until trail_begin or
 * trail_close.
 */
typedef void trail_fn(void *arg, enum trail_kind, struct str text);
bool	trail_left(struct trail *, struct trail_head *, trail_fn *, void *arg);

/*
 * This run begins.  What cannot be written (a full disk) is not kept, here
 * and in trail_add; the run goes on, and trail_is_whole says it.
 */
void	trail_begin(struct trail *, const struct trail_head *);
/*
 * One record.  The first DID waits until all so far is on the disk: what was
 * done is then known after a power failure, too.
 */
void	trail_add(struct trail *, enum trail_kind, struct str text);
/*
 * Its mail went out, and the row of its run could not be kept: the trail stays
 * until it can be.  Of this run, or of one that was left.
 */
void	trail_sent(struct trail *);
/* The script that what follows is of. */
void	trail_script(struct trail *, struct str script, unsigned level);
/* false: some could not be written. */
bool	trail_is_whole(const struct trail *);
/* Removes the file, then gives the lock up. */
void	trail_end(struct trail *);

/*
 * All trails that killed runs have left: fn gets each, locked.  It returns
 * true if what was left is told of and committed: the file goes.  Those that
 * are held are of runs that are going on.  false: a folder that cannot be
 * read, see why; no folder is no trails.  Not for a process that has a trail
 * open: it would take its own lock, and lose it.
 */
typedef bool trail_left_fn(void *arg, struct trail *);
bool	trail_each(struct mem *, struct str state, trail_left_fn *, void *arg,
	    struct buf *why);
/*
 * What runs are going on, or were killed: the heads of all trails, read
 * without a lock.  One that is begun or ends just now may be missing.  As
 * above.
 */
typedef void trail_head_fn(void *arg, const struct trail_head *);
bool	trail_heads(struct mem *, struct str state, trail_head_fn *, void *arg,
	    struct buf *why);

#endif
