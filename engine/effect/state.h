/*
 * state: what the files of the two hosts share: struct live itself and the
 * ways to wait, to fail and to log.  Private to engine/effect.
 *
 * Everything that must be ended with the run hangs on a list here before it
 * is opened, so a jump out of an allocation leaves nothing behind that
 * live_free does not find.
 */
#ifndef ENGINE_EFFECT_STATE_H
#define ENGINE_EFFECT_STATE_H

#include <limits.h>
#include <math.h>
#include <poll.h>
#include <signal.h>

#include "lang/base/map.h"
#include "engine/effect/live.h"
#include "engine/effect/tap.h"
#include "engine/effect/user.h"
#include "engine/state/incidents.h"

#define LIM_WHY		512		/* bytes of a reason: a path and a sentence */
#define LIM_LOG_TEXT	2000		/* bytes of a text shown in a log line: what
					 * a person reads, and a syslog daemon takes */
#define LIM_LOG_LINE	(4 * LIM_LOG_TEXT + 512) /* escaped, with its head */
#define LIM_LOG_OUTPUT	20		/* last lines of a child's output that go
					 * into the log */
#define LIM_DONE_TEXT	4000		/* bytes of effects that an alert names:
					 * the log has them all */
#define LIM_LOG_FILES	8		/* `output log` files kept open */
#define LIM_OUT		(32 * 1024 - 1)	/* bytes of `output` held back: with the
					 * zero byte behind them no page wasted */
#define LIM_STDERR	(4 * 1024)	/* last bytes kept of what a command that
					 * is read from says on standard error */
#define LIM_GO		256		/* exec without wait, running at once; the
					 * next one waits until one has ended, so
					 * that a rule cannot make a storm */

#define LIM_STEPS	5000		/* incidents of one run: more than a person
					 * can have things that can be wrong */

/* Seconds. */
#define WAIT_CLOSED	1.0		/* for a child whose pipe we closed early */
#define WAIT_TERM	((double)SPAWN_TERM_WAIT)
#define WAIT_KILL	1.0		/* then it is stuck in the kernel: left */
#define WAIT_DRAIN	1.0		/* for what grandchildren still write */

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:" \
	    "/sbin:/bin"

struct kid;
struct act_state;
struct log_file {
	char		*path;		/* NULL: free */
	size_t		 n;
	int		 fd;
};

struct live {
	struct live_options o;
	struct mem	*mem;
	const char	*path;		/* PATH of children; may be `own_path` */
	char		*own_path;
	size_t		 nown_path;

	/* why a run ends */
	double		 deadline;	/* monotonic, INFINITY: none */
	volatile sig_atomic_t sig;	/* live_interrupt */
	int		 wake;		/* eventfd that live_interrupt writes */
	bool		 stopped;	/* stop has said so */
	char		 why[LIM_WHY];

	/* texts out */
	struct buf	 out, mail, print, mail_to, done;
	bool		 out_polled, err_polled; /* no file: may block */
	bool		 out_tty;	/* each line at once */
	bool		 flushing;
	size_t		 effects;
	size_t		 disarmed;	/* of them, told of by disarmed_host */
	struct buf	 line;		/* log and label lines are made here: sized
					 * once, so that telling of lost memory
					 * needs none */
	int		 log_fd;	/* LOGDIR/ALERT.log, -1: not open */
	bool		 log_tried;
	struct log_file	 file[LIM_LOG_FILES];
	size_t		 next_file;
	int		 syslog_fd;	/* -1: not connected */
	int		 journal_fd;
	char		 host[HOST_NAME_MAX + 1];
	double		 head_time;	/* second that `head` was made for */
	char		 head[64];

	/* children and what is open */
	struct kid	*kids;
	size_t		 ngo;		/* of them, exec without wait */
	struct stream	*streams;
	struct live_input *inputs;
	struct table	*tables;
	struct user	 self, other;	/* mem NULL: not looked up; other is the
					 * last `as` */
	struct tap	 tap, err_tap;	/* of exec and capture */
	struct buf	 captured;
	char		*tail;		/* 2 * LIM_EXEC_OUTPUT bytes, of exec, */
	char		*err_tail;	/* 2 * LIM_STDERR, of capture */
	char		 answer[LIM_WHY]; /* what why() gave out */
	struct buf	 fact;		/* the last answer about a path */
	struct buf	 archived;	/* the last copy's path */
	char		 archive_note[LIM_WHY];
	/* incidents: those asked for, and what was evaluated */
	bool		 incidents_ready, incidents_lost, steps_told;
	unsigned	 incidents_asked;
	struct incidents incidents;
	struct arena	 step_arena;
	struct live_step *step;
	size_t		 nstep, capstep;
	struct map	 step_by_key;
	struct arena	 asked_arena;	/* answers of users and names; mem NULL: */
	struct map	 asked;		/* nothing was asked */
	double		 ask_until;	/* an answer must be there; 0: LIM_ASK */
	struct act_state *act;		/* NULL: nothing was acted on */
};

/* --- live.c --- */
double	live_now(void);			/* monotonic, seconds */
/* Sets the reason; control characters become '?'. */
void	live_fail(struct live *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
/* True if the run must end; the reason is set. */
bool	live_stop(struct live *);
/*
 * Polls n descriptors (room for one more in p) until one is ready (1), the
 * time has come (0), or, if heed, the run must end (-1).
 */
int	live_poll(struct live *, struct pollfd *p, nfds_t n, double until,
	    bool heed);
/* A view as a C string in to[PATH_MAX]; false with the reason if it cannot be
 * one. */
bool	live_path(struct live *, struct str, char to[PATH_MAX]);
/*
 * All of it to a descriptor; where that may block (polled) until the run's
 * deadline, and past that for a moment.
 */
bool	live_write(struct live *, int fd, const char *, size_t n, bool polled);
/* An effect that begins now, for the trail: "exec wait: /bin/x". */
void	live_did(struct live *, const char *what, struct str name);
bool	live_output(void *, enum out, struct str target, struct str text);
/* Bytes for standard output. */
bool	live_print_out(struct live *, struct str);
bool	live_sleep(void *, double);
bool	live_stop_host(void *);
double	live_clock(void *);
double	live_monotonic(void *);
int	live_stat(void *, struct str, struct stat *, bool);
int	live_access(void *, struct str, int);
int	live_pid(void *, struct str);
void	live_trace(void *, struct str);
struct str live_why(void *);

/* --- log.c --- */
void	log_line(void *, enum log_kind, struct str);
/* INFO about a command: "exec wait: /bin/x". */
void	log_command(struct live *, const char *what, struct str show);
void	log_end(struct live *, const char *what, const char *how,
	    struct str show);
/* The last lines of what a command said. */
void	log_said(struct live *, enum log_kind, struct str text);
bool	log_own(struct live *, struct str text);	/* output piktlog */
bool	log_file(struct live *, struct str path, struct str text);
bool	log_syslog(struct live *, struct str text);
/* A line for those who watch over the host: "what: text". */
void	log_audit(struct live *, const char *what, const char *text);
bool	log_journal(struct live *, struct str text);
int	log_fd(struct live *);		/* of the alert's log, -1: none */
void	log_close(struct live *);

/* --- path.c --- */
int	path_open_read(struct live *, struct str path, struct stat *);
/* Mode 'w' (emptied) or 'a'. */
int	path_open_write(struct live *, struct str path, int mode);

/* --- exec.c --- */
void	exec_run(void *, const struct command *, enum exec_mode,
	    const struct exec_opts *, struct exec_result *);
struct str exec_capture(void *, const struct command *, size_t max,
	    struct exec_result *);
/*
 * A program of ours, which gets the text, at most PIPE_BUF bytes, as its
 * input.  Its output, at most max bytes.  Not started: the reason is set; not
 * ended by `until` or the run's end, which ends it: timed_out.
 */
struct str exec_helper(struct live *, const char *program, struct str in,
	    size_t max, double until, struct exec_result *);
/* Fills what every child gets; its descriptors are /dev/null.  False with the
 * reason: the run must end. */
bool	exec_prepare(struct live *, const struct command *, struct spawn *);

/* --- stream.c --- */
struct stream *stream_popen(void *, const struct command *, int mode);
struct stream *stream_fopen(void *, struct str path, int mode);
/* One that only tells what is written to it (dry). */
struct stream *stream_told(struct live *, const char *what, struct str name);
enum read_result stream_read(void *, struct stream *, struct str *, size_t *);
bool	stream_write(void *, struct stream *, struct str);
bool	stream_flush(void *, struct stream *);
bool	stream_eof(void *, struct stream *);
int	stream_close(void *, struct stream *);
void	stream_close_fds(struct live *);	/* of all, before they are ended */
void	stream_free_all(struct live *);

/* --- input.c --- */
void	input_close_fds(struct live *);
void	input_free_all(struct live *);

/* --- dry.c --- */
void	dry_tell(struct live *, const char *what, struct str name,
	    struct str text);

#endif
