/*
 * send: has a job (job.h) done by picket-deliver.  Why here and not in each
 * command: where the program is, how long it may take and what its answer
 * means are one thing.
 */
#ifndef ENGINE_DELIVER_SEND_H
#define ENGINE_DELIVER_SEND_H

#include <signal.h>

#include "engine/deliver/job.h"

#define SEND_PROGRAM	"picket-deliver"

/* The path of picket-deliver. */
void	send_program(struct buf *path);
/*
 * Runs picket-deliver on a job.  timeout: seconds for all of it; 0: what its
 * transports may take one after the other.  Its report (job.h) is added to
 * `report`, with a line of the same form if it failed itself.  True if the
 * mail was taken for all recipients.
 */
bool	send_job(const struct job *, const char *program, double timeout,
	    struct buf *report);
/* The same for one who is to go soon once *stop is not 0 (child.h). */
bool	send_job_until(const struct job *, const char *program,
	    const volatile sig_atomic_t *stop, struct buf *report);
/* Seconds that the transports of a job may take one after the other. */
double	send_timeout(const struct job *, struct mem *);

#endif
