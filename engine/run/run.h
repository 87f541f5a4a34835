/*
 * run: one script, once: its program on a machine, its input, its deadline;
 * what came of it is in a struct run_result.  What a run says by mail is
 * handed up, not sent: an alert's scripts share one mail.
 */
#ifndef ENGINE_RUN_RUN_H
#define ENGINE_RUN_RUN_H

#include "engine/effect/live.h"
#include "engine/vm/vm.h"

#define LIM_RUN_MEM	(64u << 20)	/* bytes of a run, unless `memory` says
				 * otherwise: no honest rule needs them, and
				 * a host in trouble can give them */
#define LIM_RUN_TEXT	(16u << 20)	/* bytes of the run's mail and output on
				 * their way out */
#define RUN_TIMEOUT	300.0		/* seconds, unless `timeout` says so */

struct run_options {
	const struct program *program;	/* verified */
	bool		 dry;		/* effects are told of, not done */
	bool		 trace;		/* the program was compiled for it */
	bool		 doexec;	/* define doexec is TRUE */
	int		 input_fd;	/* instead of the script's input; -1: none */
	struct run_facts facts;
	double		 timeout;	/* of a script that says nothing itself;
					 * 0: RUN_TIMEOUT */
	const char	*root;		/* of /proc, /sys and /etc for tables, or
					 * NULL */
	struct str	 logdir, path;
	const struct str *protect;	/* what acting functions leave alone */
	size_t		 nprotect;
	struct str	 state_home;	/* the state's folder; NIL: there is none */
	struct state	*state;		/* NULL: there is no place for it */
	struct batch	*batch;		/* gets what the run leaves; NULL: it is
					 * dropped */
	struct trail	*trail;		/* or NULL */
	const char	*run_id;
	/* what children start with; NULL: as we are */
	const struct spawn_origin *origin;
	bool		 disarmed;	/* what acts is told of, and not done */
	int		 out_fd, err_fd;
	bool		 colour;
	/* the world that is written down (effect/recorded.h) instead of the
	 * real one, and what is met of a program compiled for trace */
	struct recorded	*recorded;
	void		(*met)(void *arg, const struct program *, uint32_t pc,
			    bool taken);
	/* gets each variable as the run leaves it (vm_values) */
	host_value_fn	*left;
	void		*arg;		/* of met and left */
	struct scarce	*scarce;	/* memory is short (effect/scarce.h) */
	/* where an interrupt from a signal handler finds the run */
	struct live	*volatile *running;
};

enum run_end {
	RUN_OK,
	RUN_SUPPRESSED,	/* a dry run's loop waited for what never happens */
	RUN_FAILED,	/* ERROR: budget, memory, input, assertion */
	RUN_STOPPED,	/* deadline, interrupt */
	RUN_DIED,	/* `die`: the alert ends, too */
	RUN_ENDS
};

extern const char *const run_end_name[RUN_ENDS];	/* "ok" ... */

/* An evaluation of an incident statement, and what it was answered. */
struct run_seen {
	struct incident_seen seen;
	enum incident_verdict verdict;
};

struct run_result {
	enum run_end	 end;
	bool		 good;		/* for incidents: it ended well, and so did
					 * the commands that it reads from */
	bool		 complete;	/* all of its input was read */
	struct run_seen	*seen;		/* in order */
	size_t		 nseen;
	int		 status;	/* of `quit n`, or -1 */
	double		 lines;		/* input lines */
	size_t		 effects;
	size_t		 disarmed;	/* of them, not done for that */
	bool		 state_lost;	/* nothing could be kept, or read */
	bool		 out_lost;	/* standard output took not all */
	struct mem	 mem;		/* of the texts below; no jump */
	jmp_buf		 fail;
	struct buf	 task, mail, mail_to, print, error;
	struct buf	 done;		/* its effects, a line each */
	struct arena	 texts;		/* of seen */
};

/* Does anything of the program outlive its run? */
bool	run_needs_state(const struct program *);
/* Does it do anything but read and print? */
bool	run_leaves_traces(const struct program *);
/* Does it have incident statements? */
bool	run_has_incidents(const struct program *);
/* An ERROR line in the log of the script's alert, after its run. */
void	run_complain(const struct run_options *, struct str text);

/* What its logs and the host's are to have of a run that had no memory for it
 * (o.scarce), now that there is. */
void	run_say_kept(const struct run_options *);

void	run_script(const struct run_options *, struct run_result *);
void	run_result_free(struct run_result *);

#endif
