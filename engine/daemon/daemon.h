/*
 * daemon: what picketd knows.  Why one struct: the scheduler is one process
 * with one loop, started once; every part of it (runs, services, control)
 * reads and changes this, and nothing of it is global but the struct itself,
 * in daemon_main.c.
 *
 * After start all tables are of fixed size and nothing is allocated but by a
 * reload: a scheduler that needs memory stops where it is needed most.
 *
 *	daemon_main.c	the start, signals, the end
 *	daemon_options.c	what it is started with
 *	daemon_place.c	its state, and its lock there
 *	loop.c		watches and timers
 *	children.c	posix_spawn, the table of children, the reaping
 *	load.c		the site: compiled by a child, swapped when it is right
 *	keep.c		the last good one, for a start with one that is wrong
 *	runs.c		what is due, one runner each
 *	runs_left.c	what killed ones left in the state, written down
 *	services.c	the programs that stay: store, courier, ...
 *	orphans.c	what a killed runner has left behind
 *	cage.c		cgroups, where there are any
 *	news.c		what a person must hear of picketd itself
 *	notify.c	what systemd must hear
 */
#ifndef ENGINE_DAEMON_DAEMON_H
#define ENGINE_DAEMON_DAEMON_H

#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "lang/base/str.h"
#include "engine/daemon/cage.h"
#include "engine/effect/spawn.h"
#include "engine/daemon/control.h"
#include "engine/daemon/hold.h"
#include "engine/daemon/logger.h"
#include "engine/daemon/loop.h"
#include "engine/deliver/conf.h"
#include "engine/image/schedule.h"
#include "engine/sched/queue.h"

#define LIM_RUNS	LIM_CONF_PARALLEL
#define LIM_PARALLEL_MIN 8	/* most runs wait for disks and commands */
#define LIM_RUN_OUTPUT	65536	/* bytes of a run's output that are logged; it
				 * is not what a run is for */
#define LIM_DIAG	65536	/* bytes of a compiler's messages: a person
				 * reads no more at once */
#define LIM_END		10.0	/* seconds from TERM to the end: what init
				 * systems wait for at least */

/* How the last run of an entry ended. */
#define RUN_ENDS \
	RE(NONE, "none")		/* there was none */ \
	RE(OK, "ok") \
	RE(FAILED, "failed")		/* it says that something is wrong */ \
	RE(HELD, "held")		/* another run of it was going on */ \
	RE(STOPPED, "stopped")		/* past its deadline, or by us */ \
	RE(DIED, "died")		/* a signal, or an exit that is none of ours */ \
	RE(STUCK, "stuck")		/* past KILL: in the kernel */
enum run_end {
#define RE(id, word) RUN_END_##id,
	RUN_ENDS
#undef RE
	RUN_END_COUNT
};
extern const char *const run_end_word[RUN_END_COUNT];

/*
 * What is known of an entry of the site's schedule besides: how its last run
 * went.  The order is the image's; a reload takes it along by the name.
 */
struct entry {
	double		 due;		/* of the last one that was started */
	double		 began;		/* when, clock_wall; 0: never */
	float		 took, cpu;	/* seconds; of the last that has ended */
	float		 late;		/* seconds that it was started after due */
	int16_t		 exit;		/* its exit status, or -signal */
	uint8_t		 end;		/* enum run_end of the last one */
	bool		 held_back;	/* was due while it ran: said once */
};

/* The site as it is in force. */
struct site_view {
	int		 fd;		/* the image, sealed; -1: none */
	struct schedule	*schedule;
	struct agenda	*agenda;
	struct queue	*queue;
	struct entry	*entry;		/* as many as the schedule has */
	uint32_t	 n;
	double		 loaded;	/* clock_wall; 0: there is no site yet */
	unsigned	 parallel;
};

struct daemon;

/* A process that picketd started. */
struct child;
typedef void child_fn(struct child *, int wstatus, const struct rusage *);
struct child {
	pid_t		 pid;		/* 0: free */
	child_fn	*ended;		/* the place is free again when it is called;
					 * may be NULL */
	void		*arg;
	const char	*what;		/* for messages */
	double		 began;		/* clock_steady */
};
#define LIM_CHILDREN	(LIM_RUNS + 64)	/* runs, services, and what is short */

/* A line that somebody has begun to say. */
struct voice {
	char		 line[512];
	size_t		 n;
};

/* What a run is while it is there. */
struct run {
	bool		 used;		/* false: the place is free */
	pid_t		 pid;
	struct daemon	*d;
	struct queue_item item;		/* its entry in `site`; AGENDA_NONE: a
					 * reload took it out */
	char		 name[64];	/* of it, for messages, perhaps cut */
	double		 began;		/* clock_wall */
	double		 steady;	/* the same, clock_steady */
	struct timer	 deadline;
	int		 signals;	/* sent: 0, TERM, KILL; then it is stuck */
	bool		 due_again;	/* why: overlap kill */
	bool		 killed;	/* by us, for its deadline or our end */
	bool		 stuck;		/* abandoned: the queue has its place back */
	int		 out;		/* its output; -1: at its end */
	struct watch	*watch;
	size_t		 nout;		/* bytes taken */
	struct voice	 voice;
	struct cage	 cage;
};

/* A program that stays: services.c. */
enum service_id { SERVICE_STORE, SERVICE_COURIER, SERVICE_EMERGENCY_1,
    SERVICE_EMERGENCY_2, SERVICE_HTTP, SERVICE_COUNT };
struct service {
	struct child	*child;		/* NULL: it does not run */
	struct daemon	*d;
	enum service_id	 id;
	bool		 wanted;
	bool		 missing;	/* the program is not installed */
	bool		 replaced;	/* ended by us, to be started otherwise */
	bool		 told;		/* that it has crashed */
	int		 talk;		/* our end of its socket, -1: none */
	struct watch	*watch;
	struct timer	 again;		/* its next start */
	struct timer	 well;		/* it has run long enough */
	double		 backoff;	/* seconds */
	unsigned	 crashes;	/* since start, for status */
	double		 first;		/* of nagain: clock_steady */
	unsigned	 nagain;	/* ends that are no news, lately */
};
extern const char *const service_name[SERVICE_COUNT];

#define ALIVE_FILE	"picketd.alive"
#define EXIT_FINE	0	/* of picketd and of what it starts */
#define EXIT_PROBLEMS	1
#define EXIT_USAGE	2

struct options {
	char	 config[PATH_MAX];
	char	 state[PATH_MAX];
	char	 run[PATH_MAX];
	char	 log[PATH_MAX];		/* of --log; empty: picket.conf's */
	char	 pidfile[PATH_MAX];	/* empty: none */
	bool	 foreground, check_only, trust;
};

struct daemon {
	struct loop	 loop;
	struct logger	 log;
	struct mem	 mem;		/* of the site: only a reload takes any */
	struct options	 opt;
	struct site_view site;
	struct child	 child[LIM_CHILDREN];
	struct run	 run[LIM_RUNS];
	int		 voice;		/* where all others say what they have to */
	struct voice	 voices;
	struct service	 service[SERVICE_COUNT];
	unsigned	 nrun;
	/* totals since start, for status and metrics */
	uint64_t	 started, done, failed, held, died, stuck, skipped;
	unsigned	 nstuck;	/* of the runs: abandoned, and still there */
	uint64_t	 swept, spawn_failed, reloads, bad_reloads;
	double		 began;		/* clock_wall */
	double		 late_max;	/* seconds */
	/* the last reload: what the compiler said; empty: it was good */
	char		*diag;		/* LIM_DIAG bytes and a 0 */
	size_t		 ndiag;
	double		 diag_time;	/* clock_wall */
	bool		 ready;		/* before that nothing is started */
	bool		 reload_wanted;	/* before that, too */
	bool		 reloading, stopping;
	bool		 disarmed;	/* runs are told so */
	struct hold	 hold;		/* what people have stopped */
	int		 state_dir;	/* where that is kept */
	struct timer	 rearm;
	struct control	 control;
	char		 origin[SPAWN_ORIGIN_TEXT];	/* how we were started */
	bool		 away;		/* the state is not where it belongs, */
	char		 why_away[300];	/* because of this */
	char		 home[PATH_MAX];	/* where it belongs */
	/* privileges that are missing, a line each: shown by status */
	char		 missing[512];
};

/* Logs one line: a message without a line end.  (logger.c) */
void	daemon_say(struct daemon *, enum logger_level, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
/* Ends the loop after running what runs, or stopping it, within LIM_END. */
void	daemon_stop(struct daemon *);

/* A word of an argv, which nobody changes; it lives longer than any block. */
#define ARG(s)	((char *)(uintptr_t)(s))

/* children.c: see there. */
struct start {
	const char	*path;
	char *const	*argv;
	const char	*what;		/* kept, not copied */
	int		 fd[6];		/* what is its 0 to 5: 0 to 2 -1 for
					 * /dev/null, others -1 for closed */
	child_fn	*ended;
	void		*arg;
	bool		 precious;	/* it keeps our oom_score_adj */
	bool		 urgent;	/* it keeps our priority, children_hurry */
	bool		 apart;		/* it makes a session of its own */
};
bool	children_init(struct daemon *);
/* What is due in time must not wait behind what scripts have started; false:
 * errno, and we have the priority of before. */
bool	children_hurry(int nice);
/* picketd has lowered its oom_score_adj from that: children get it back. */
void	children_adjusted(int was);
/* NULL: errno says why. */
struct child *children_start(struct daemon *, const struct start *);
/* Reaps all that have ended, calls their functions. */
void	children_reap(struct daemon *);
/* Of descriptors: gives some of the reserve back, takes them again. */
bool	children_spare(struct daemon *);
void	children_refill(struct daemon *);

/* daemon_options.c */
/* -1: go on; else the exit status. */
int	options_take(struct options *, int argc, char **argv);

/* daemon_place.c: each has said what is wrong. */
bool	place_take(struct daemon *);
bool	place_write_pid(struct daemon *);
void	place_forget_pid(const struct daemon *);
/* The folder with the newer file of that name: of the state, or of the place
 * that it has when that cannot be written. */
const char *place_newer(const struct daemon *, const char *name);

/* daemon_main.c */
/* What is mapped from here on stays in memory, too. */
void	daemon_lock_memory(struct daemon *);
/* The path of a program of ours that is no command. */
void	daemon_helper(char to[PATH_MAX], const char *program);

/* voice.c */
bool	voice_init(struct daemon *);
/* Logs the lines that are whole; the end logs what is not. */
void	voice_lines(struct voice *, struct daemon *, const char *who,
	    const char *, size_t);
void	voice_end(struct voice *, struct daemon *, const char *who);
/* What that program said last, if it was just now; NULL: nothing. */
const char *voice_last(struct daemon *, const char *program);

/* load.c: the first load; false, and said why, without a valid site, and one
 * that was kept. */
bool	load_first(struct daemon *);
/* Only says what is wrong. */
bool	load_check(struct daemon *);
/* Asks for a reload; more than one while it goes on are one more. */
void	load_again(struct daemon *);
/* Our end: the compiler goes, and what it has made is not taken. */
void	load_stop(struct daemon *);

/* keep.c: the image of the site outlives us. */
void	keep_image(struct daemon *);
/* The one that was kept, on a memory file; -1: there is none that we would
 * take. */
int	keep_fetch(struct daemon *);

/* runs.c */
bool	runs_init(struct daemon *);
/* Looks at what is due, starts what may start, sets the timer. */
void	runs_look(struct daemon *);
/* A run by hand; false: it runs or waits already. */
bool	runs_now(struct daemon *, uint32_t entry);
/* An entry or AGENDA_ALL. */
void	runs_pause(struct daemon *, uint32_t entry, bool);
/* A reload: entry i is now to[i], or AGENDA_NONE. */
void	runs_moved(struct daemon *, const uint32_t *to);
/* TERM to all, or KILL. */
void	runs_signal(struct daemon *, int sig);
/* Our end: nothing is left in a cage. */
void	runs_end(struct daemon *);

/* A run must be told of by `picket-runner left`. */
void	runs_left(struct daemon *);
/* This run was killed; and the first of all. */
void	runs_note_died(const struct run *);
void	runs_left_init(struct daemon *);

/* alive.c: the stamp of STATE/picketd.alive, and what was due before. */
bool	alive_start(struct daemon *);
void	alive_write(struct daemon *);
double	runs_sure(const struct daemon *);	/* all that was due before is known */

/* services.c */
bool	services_init(struct daemon *);
/* They end: what is started is told, nothing is started again. */
void	services_stop(struct daemon *, enum service_id from,
	    enum service_id to);
/* From time to time: one that hangs is killed and started again. */
void	services_pulse(struct daemon *);
/* A new image is in force; a run has ended. */
void	services_reload(struct daemon *);
void	services_poke(struct daemon *);
/* d->disarmed has changed: those that act by themselves are told. */
void	services_arm(struct daemon *);

/* news.c: an incident of picketd itself, and its mail: key is what follows
 * "picketd:".  The last one of a key counts, and the same one is not told
 * again. */
void	news_init(struct daemon *);
void	news_firing(struct daemon *, const char *key, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
void	news_resolved(struct daemon *, const char *key, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
bool	news_waiting(const struct daemon *);

/* control_do.c: what was held before holds again, and the socket; false: said
 * why.  There is a site. */
bool	control_start(struct daemon *);
/* A new site is in force. */
void	control_site(struct daemon *);
/* A reload has ended, well or not: those who wait for it are told. */
void	control_reloaded(struct daemon *);
void	control_end(struct daemon *);

/* orphans.c: ends what a killed run has left. */
void	orphans_init(struct daemon *);
/* began: clock_wall; a number may have been another runner's before. */
void	orphans_sweep(struct daemon *, pid_t runner, double began);
/* KILL to all below a runner that does not die of it itself. */
void	orphans_below(pid_t runner);

#endif
