/*
 * send: has a job (job.h) done by picket-deliver.  Why here and not in each
 * command: where the program is, how long it may take and what its answer
 * means are one thing.
 */
#ifndef ENGINE_DELIVER_SEND_H
#define ENGINE_DELIVER_SEND_H

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

#endif
