/*
 * queue: who runs next.  Why: what is due goes through here on its way to a
 * runner, so that no more than some run at once, each in its turn, and no
 * entry beside itself.  It decides and starts nothing.
 *
 * An entry has one run and one place in the queue at most.  Places are in
 * order of their due time; those of the same time as they came.  So nobody
 * waits for ever: what is due later stands behind him.  A run by hand is due
 * when it is asked for.
 *
 * What is due while its run goes on:
 *	skip	is not run; it is counted, and the one who asks told
 *	queue	waits for the end of that run; what is due meanwhile is skipped
 *	kill	waits too; that run is to be ended, once
 * What is due while it waits already is skipped: the place that it has is the
 * older one.
 */
#ifndef ENGINE_SCHED_QUEUE_H
#define ENGINE_SCHED_QUEUE_H

#include "lang/site.h"		/* enum overlap */
#include "engine/sched/agenda.h"

struct queue_item {
	uint32_t	 entry;
	double		 due;		/* NUM_NIL: by hand */
	double		 at;		/* when it was due or asked for */
	enum reason	 reason;
};

enum queue_says {
	QUEUE_WAITS,			/* it has a place: queue_take */
	QUEUE_SKIPPED,			/* its run goes on */
	QUEUE_HAS_PLACE,		/* it waits already: skipped, too */
	QUEUE_KILL			/* it waits; its run is to be ended */
};

struct queue;

/* Of n entries; at most `most` run at once. */
struct queue *queue_new(struct mem *, uint32_t n, unsigned most);
void	 queue_free(struct queue *);
void	 queue_most(struct queue *, unsigned most);

/*
 * An entry is due, by agenda_pop, or by hand: then due is NUM_NIL and now is
 * when.
 */
enum queue_says queue_put(struct queue *, const struct agenda_due *,
	    enum overlap, double now);
/* The next one to start: it counts as running from here on.  False: nobody
 * waits, or enough are running. */
bool	 queue_take(struct queue *, struct queue_item *);
/* It could not be started, and is to be in its place again. */
void	 queue_back(struct queue *, const struct queue_item *);
/* Its run has ended; AGENDA_NONE: that of an entry that a reload took out. */
void	 queue_ended(struct queue *, uint32_t entry);
/* It is not to wait any more, or AGENDA_ALL; how many did. */
uint32_t queue_drop(struct queue *, uint32_t entry);

/*
 * A reload: places, runs and counts go over to the new one, of a site whose
 * entries were from[] in the old one (agenda_keep).  Runs of those that are
 * not there any more count on; their places are lost: how many.
 */
uint32_t queue_keep(struct queue *, const struct queue *old,
	    const uint32_t *from);

unsigned queue_running(const struct queue *);
uint32_t queue_waiting(const struct queue *);	/* blocked ones too */
bool	 queue_runs(const struct queue *, uint32_t entry);
bool	 queue_waits(const struct queue *, uint32_t entry);
uint32_t queue_skipped(const struct queue *, uint32_t entry);
/* When the first of all that wait was due, or INFINITY: what was due before
 * is started, see agenda_start. */
double	 queue_oldest(const struct queue *);

/* Bytes that it takes. */
size_t	 queue_size(const struct queue *);

#endif
