/*
 * live: the host that acts (engine/vm/host.h); dry: the same host, but what
 * would change the world is told of, labelled, and not done; disarmed: only
 * what acts on others is told of, and mail and incidents are real.  What is only
 * read (input, filter, popen for reading, $command) runs in both.
 *
 * Mail and print lines are collected here; engine/run takes them at the end.
 */
#ifndef ENGINE_EFFECT_LIVE_H
#define ENGINE_EFFECT_LIVE_H

#include "lang/base/buf.h"
#include "engine/effect/spawn.h"
#include "engine/effect/trail.h"
#include "engine/input/reader.h"
#include "engine/state/client.h"
#include "engine/vm/host.h"

struct live_options {
	struct mem	*mem;
	struct str	 script, alert;	/* for log lines */
	struct str	 logdir;	/* alert's log: LOGDIR/ALERT.log; NIL: none */
	struct str	 path;		/* PATH of children */
	int		 out_fd;	/* `output`, and dry-run labels (1) */
	int		 err_fd;	/* ERROR and WARNING lines for people, trace (2);
					 * -1: none */
	double		 timeout;	/* seconds the run may take */
	size_t		 line_max;	/* bytes, 0: LIM_LINE */
	const char	*run_id;	/* PICKET_RUN_ID of children */
	bool		 colour;
	bool		 trace_to_log;	/* status debugging */
	/* limits, nice, umask that children start with; NULL: as we are */
	const struct spawn_origin *origin;
	/* What outlives the run.  NULL: nothing is there, nothing is kept. */
	struct state	*state;
	struct outcome	*outcome;	/* where it is collected; NULL: nowhere */
	struct trail	*trail;		/* what is said and done is added to it as it
					 * happens; NULL: none */
	struct str	 state_script;	/* whose: the script, or its test */
	struct mem	*table_mem;	/* of native tables; NULL: mem */
	const char	*root;		/* the folder that they read proc, sys and
					 * etc of; NULL: the machine */
	const char	*syslog;	/* its socket; NULL: /dev/log */
	const char	*journal;	/* systemd's; NULL: where it always is */
	enum level	 level;		/* the script's: a line's there */
	/* what no acting function touches: names or globs of commands,
	 * "user:NAME", "unit:NAME" */
	const struct str *protect;
	size_t		 nprotect;
	/* The world that is written down, for recorded_host; NULL: the real
	 * one.  Nothing here is then opened, started or waited for. */
	struct recorded	*recorded;
	struct str	 state_home;	/* the state's folder; NIL: there is none */
	bool		 disarmed;	/* for disarmed_host */
	/* Memory is short: tables and acts answer from here, and nothing is
	 * opened, started or sent (scarce.h); NULL: all is well. */
	struct scarce	*scarce;
};

struct live;
struct incident;
struct recorded;
struct scarce;

extern const struct host live_host, dry_host, disarmed_host;

/*
 * Both hosts share this state; NULL without memory.  What the options point
 * to must outlive it.  From here on SIGPIPE and SIGXFSZ are ignored and SIGCHLD is
 * not: a write must fail, not kill, and children must wait to be looked at.
 */
struct live *live_new(const struct live_options *);
/* Ends children that are still ours (popen left open: closed; exec go: left
 * running), closes streams and inputs, frees.  Allocates nothing, so it is
 * right after a jump (mem.h), too. */
void	 live_free(struct live *);
/* The outcome is about to be freed: what is to be kept from here on is
 * dropped. */
void	 live_keep_nothing(struct live *);
/* Puts the outcome into what the alert commits. */
void	 live_leave(struct live *, struct batch *, bool ended_well,
	    const struct state_expire *);
/* Writes out what `output` still holds; also done by live_free. */
bool	 live_flush(struct live *);
/* What was collected: one line after the other, each ended by '\n'. */
struct buf *live_mail(struct live *);
struct buf *live_print(struct live *);
/* `output mail to`: "ADDRESS\tTEXT\n" each. */
struct buf *live_mail_to(struct live *);
/*
 * The evaluations of incident statements, in order; each key once.  The texts
 * of seen are copies, those of was are the store's; all are valid until
 * live_free.
 */
struct live_step {
	struct incident_seen seen;
	enum incident_verdict verdict;	/* what the statement was answered */
	const struct incident *was;	/* as the store had it, or new */
};
size_t	 live_incidents(const struct live *, const struct live_step **);
bool	 live_incidents_all(const struct live *);	/* none was too many */
/* Effects so far, a line each. */
struct buf *live_done(struct live *);
size_t	 live_effects(const struct live *);	/* done or told of */
size_t	 live_disarmed(const struct live *);	/* of them, not done */
/* What another run has kept of logs while memory was short is written now. */
void	 live_say_kept(struct live *, struct scarce *);
/* Ends the run from a signal handler's flag: SIGINT, SIGTERM, or, under
 * picketd, SPAWN_DUE_AGAIN. */
void	 live_interrupt(struct live *, int sig);

/*
 * The script's input (INPUT_PROC or INPUT_FILE or a descriptor), through the
 * filter command if there is one.  NULL: failed, the host's why says it (a
 * file that cannot be opened, a command that cannot be started).  Exit
 * statuses come with input_close.  A descriptor stays the caller's.
 */
struct live_input;
struct live_input *input_open_command(struct live *,
	    const struct command *, const struct command *filter);
struct live_input *input_open_file(struct live *, struct str path,
	    const struct command *filter);
struct live_input *input_open_fd(struct live *, int fd,
	    const struct command *filter);
/*
 * A part of a log: a regular file from where it stands, at most limit bytes;
 * or all that the program (its words) makes of it.  The descriptor is taken
 * over; the program's exit status comes with input_close.
 */
struct live_input *input_open_part(struct live *, int fd, uint64_t limit);
/* Lines that somebody has written down; they stay until input_close.  status:
 * as if a command had given them that ended so. */
struct live_input *input_open_text(struct live *, struct str lines,
	    int status);
struct live_input *input_open_through(struct live *, char *const *argv,
	    size_t argc, int fd);
struct reader *input_reader(struct live_input *);
struct input_end {
	int	status;			/* of the command; 0 for files */
	int	filter_status;
	bool	failed;			/* 126, 127, a signal, the deadline,
					 * or a read error: the run fails */
	char	why[200];
};
/*
 * Ends the input.  Closed early (`last`), the commands are ended and how they
 * ended is no failure.  The input is gone afterwards.
 */
void	 input_close(struct live_input *, struct input_end *);

#endif
