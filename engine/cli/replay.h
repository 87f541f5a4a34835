/*
 * replay: what the files of `picket replay` share: old logs as one row of
 * lines with their times, and what runs over them would have told and done.
 */
#ifndef ENGINE_CLI_REPLAY_H
#define ENGINE_CLI_REPLAY_H

#include "engine/cli/cli.h"
#include "engine/sim/sim.h"
#include "engine/sim/stamp.h"

/* --- replay_log.c --- */

struct logs;

struct logs_sum {
	double		 bytes;		/* of lines */
	double		 nline;
	double		 nbare;		/* of them, without a stamp of their own */
	double		 done, all;	/* bytes of the files, as they stand */
};

/*
 * Opens them and finds out how each says the time.  format: of stamps, as
 * strptime(3) takes it; or NULL.  NULL: it was said what is wrong.
 */
struct logs *logs_open(struct cli *, char *const *path, size_t n,
	    const char *format);
/* The next line of all of them by time, a view until the next call, and its
 * time: its own, or that of the line before it. */
bool	 logs_next(struct logs *, struct str *line, double *t);
/* What is wrong with the files that came to their end was said; true: none. */
bool	 logs_close(struct logs *);
void	 logs_count(const struct logs *, struct logs_sum *);
/* "syslog", "iso" ...: how the first one says the time. */
const char *logs_stamp(const struct logs *);

/* --- replay_sum.c --- */

#define LIM_REPLAY_CLASSES 1000	/* kinds of lines that are told apart in one
				 * list: a person reads some dozens */
#define REPLAY_SHOWN	20	/* of them in the text; --json has all */
#define REPLAY_EXAMPLES	3

enum replay_list {		/* what there is to tell of */
	REPLAY_MAIL, REPLAY_COMMAND, REPLAY_ACT, REPLAY_OUTPUT, REPLAY_ERROR,
	REPLAY_WARNING, REPLAY_UNANSWERED, REPLAY_LISTS
};

struct replay_sum;
struct replay_sum *replay_sum_new(struct mem *);
void	 replay_sum_free(struct replay_sum *);
/* What a run has told and done; false: nothing. */
bool	 replay_sum_add(struct replay_sum *, const struct sim_result *,
	    const struct recorded *, double now);

/* What stands above the lists. */
struct replay_about {
	struct cli	*c;
	struct str	 script;
	struct logs_sum	 logs;
	const char	*stamp;
	char *const	*file;
	size_t		 nfile;
	double		 begin, end;	/* first line, last run; NIL: none */
	const char	*step;		/* "every 5m" */
	double		 runs, skipped, left_out, took;
	double		 read;		/* lines that its rules have had */
	bool		 doexec;
};
void	 replay_sum_text(const struct replay_sum *, const struct replay_about *,
	    struct buf *);
void	 replay_sum_json(const struct replay_sum *, const struct replay_about *,
	    struct buf *);
/* Runs that ended badly. */
double	 replay_sum_failed(const struct replay_sum *);

#endif
