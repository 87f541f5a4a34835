/*
 * resident: jobs (job.h) for the picket-deliver that stays, from the courier.
 * Why one that stays: a new one each mail needs a process, memory and files,
 * and these are what is short when there is most to tell; and what speaks with
 * mail servers should not be root.  It is in the jail (engine/jail): it opens
 * no secret, starts nothing, writes no file.
 *
 *	courier -> picket-deliver --serve, standard input, a socket:
 *		u32 length (ours, it is our own machine), then a job, or
 *		"picket-hosts 1\n" and lines of HOST PORT (stock.h)
 *	back:	"ready WHAT THE JAIL LACKS\n" once; for each job the lines of
 *		its report, and "end STATUS\n" (enum job_exit)
 *
 * Secrets and certificates that transports name are read here and travel in
 * the job.  What needs root, a file or a program of this host (sendmail,
 * mailcmd, file, wall, the sockets of syslog and journal) is not for it: for
 * those a picket-deliver of the old kind is started, as whom we are; a job of
 * both kinds is done in pieces, in its order.
 *
 * Where none can be made ready (a user who is not there), one of the old kind
 * does the job.  One that dies, hangs beyond the job's time or is out of step is ended and
 * started again; a job that it had is tried once more at once, and else waits
 * as the outbox has it.
 */
#ifndef ENGINE_DELIVER_RESIDENT_H
#define ENGINE_DELIVER_RESIDENT_H

#include <signal.h>
#include <sys/types.h>

#include "engine/deliver/job.h"

#define HOSTS_MAGIC	"picket-hosts 1\n"
#define RESIDENT_STOP	6.0	/* seconds that the job at hand has once *stop is
				 * set: picketd ends within 10 */
#define RESIDENT_START	10.0	/* seconds until it is ready, on a machine that
				 * swaps */

struct resident;

struct resident_options {
	struct mem	*mem;
	const char	*program;	/* picket-deliver */
	const char	*user;		/* of picket.conf; NULL: the default */
	struct str	 path;		/* PATH, for programs of this host */
	const volatile sig_atomic_t *stop; /* or NULL */
	void		(*say)(void *arg, struct str line); /* for the log */
	/* one has gone that was to stay: what the log was told; or NULL */
	void		(*gone)(void *arg, struct str how);
	void		*arg;
};

struct resident *resident_new(const struct resident_options *);
void	resident_free(struct resident *);	/* and ends it */
/* Starts it if it is not there; false: it could not be. */
bool	resident_ready(struct resident *);
pid_t	resident_pid(const struct resident *);	/* 0: it is not there */
/*
 * Readable or hung up when it has gone, without a word, between jobs: for who
 * waits.  -1: it is not there.
 */
int	resident_fd(const struct resident *);
/* What send_job does. */
bool	resident_job(struct resident *, const struct job *, struct buf *report);
/* Tells it whom the transports will ask, so that it knows their addresses. */
void	resident_hosts(struct resident *, const struct conf *);

/* True if a transport is for the old kind. */
bool	transport_is_local(const struct transport *);

#endif
