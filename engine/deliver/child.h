/*
 * child: a program that gets a text, says something, and must end: sendmail,
 * a mail command, picket-deliver itself.  Starting is effect/spawn's; this
 * adds the text, the deadline, and what the program said.
 *
 * The text is its standard input as a file that has no name: a program that
 * does not read it, or reads it twice, or dies, costs no SIGPIPE and no
 * deadlock.
 */
#ifndef ENGINE_DELIVER_CHILD_H
#define ENGINE_DELIVER_CHILD_H

#include <signal.h>

#include "engine/effect/spawn.h"
#include "lang/base/buf.h"

#define CHILD_STOP	5.0		/* seconds: picketd ends within 10, and
					 * TERM and KILL take their time */
#define LIM_CHILD_OUTPUT (16 * 1024)	/* bytes kept of what it says; the
					 * rest is read and thrown away */

struct child {
	const char *const *argv;	/* argv[0] a path; NULL after the last */
	struct str	 input;
	struct str	 path;		/* PATH of its environment */
	struct str	 run_id;	/* PICKET_RUN_ID; may be empty */
	double		 timeout;	/* seconds; then its process group gets
					 * TERM, and KILL SPAWN_TERM_WAIT later */
	size_t		 keep;		/* bytes of its output; 0: the limit above */
	const volatile sig_atomic_t *stop; /* not 0: it has CHILD_STOP seconds
					 * more; or NULL */
};

struct child_end {
	bool	started;
	bool	timed_out;
	int	status;			/* exit status, or 128 + signal */
	char	why[LIM_SPAWN_WHY];	/* if it was not started */
};

/*
 * Runs it to its end; standard output and error go to out.  Ends with the
 * program itself: what it left in the background may go on (a sendmail that
 * delivers after it has answered).  May jump (mem.h) only before the start.
 */
void	child_run(const struct child *, struct buf *out, struct child_end *);
/* The last line of an output that is not blank. */
struct str child_last_line(struct str out);

#endif
