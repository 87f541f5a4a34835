/*
 * host: all that a script can do to the world, and all that it can ask of it,
 * behind one const struct of functions.  Why: live runs, dry runs, rule
 * tests, traces and replays are one mechanism with different hosts; the
 * machine and the builtins never act themselves.
 *
 * Every function gets the host's own state h.  Texts handed in are valid for
 * the call only; texts handed out belong to the host and are valid until
 * its next call of the same function (streams: of the same stream).
 * A function that fails returns what is said with it and leaves a reason for
 * `why`.
 */
#ifndef ENGINE_VM_HOST_H
#define ENGINE_VM_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "lang/base/str.h"
#include "lang/code/program.h"

/* A command ready to run: an argument vector in either form (the shell's is
 * sh, -c, text, sh, values...). */
struct command {
	char *const	*argv;		/* NULL after the last */
	size_t		 argc;
	bool		 shell;
	struct str	 show;		/* one line for people: values quoted */
};

enum exec_mode { EXEC_GO, EXEC_WAIT, EXEC_DETACHED };

struct exec_opts {
	struct str	 as;		/* user, NIL: unchanged */
	struct str	 dir;		/* NIL: unchanged */
	double		 timeout;	/* seconds, 0: none written */
	double		 memory;	/* bytes of address space, 0: no limit */
	double		 cpu;		/* seconds, 0: no limit */
};

/* How a child ended. */
struct exec_result {
	bool		 started;	/* else `why` says what failed */
	bool		 suppressed;	/* the host only told of it */
	bool		 timed_out;
	int		 status;	/* exit status, or 128 + signal; 127 not
					 * found, 126 not executable */
	struct str	 output;	/* last lines, at most LIM_EXEC_OUTPUT */
};
#define LIM_EXEC_OUTPUT	(16 * 1024)	/* bytes of a child's last output kept
					 * for the log and $output() */

/* What can be asked of the host; those up to FACT_LAST_OWN take no key. */
enum fact {
	FACT_HOSTNAME, FACT_DOMAIN, FACT_OS, FACT_OSVERSION, FACT_ARCH,
	FACT_UPTIME,		/* seconds since the machine was started */
	FACT_USER, FACT_LAST_OWN = FACT_USER,
	FACT_ENV,		/* name: value */
	FACT_UID, FACT_HOME,	/* user: number, folder */
	FACT_GID,		/* group: number */
	FACT_USERNAME, FACT_GROUPNAME,	/* number: name */
	FACT_LOGGEDIN,		/* user: how many sessions */
	FACT_RESOLVE,		/* host: addresses, by blanks */
	FACT_LINK, FACT_REALPATH, /* path: where it points, what it is */
	FACT_DISKUSED,		/* path: the used part of its filesystem */
	FACT_GLOB		/* pattern: paths, each with a zero byte */
};

enum log_kind { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_KINDS };

struct stream;		/* an open file or process; the host's */

enum read_result { READ_LINE = 1, READ_END = 0, READ_FAILED = -1 };

typedef void host_value_fn(void *arg, struct str key, bool number,
	    struct str name, struct str element, struct str text);

/*
 * One evaluation of an incident statement (language.md section 9).  when and
 * until: 1, 0, or NIL if an operand was NIL, which is unknown.  A host keeps
 * no view of it.
 */
struct incident_seen {
	struct str	 key;
	double		 when, until;
	bool		 has_until;	/* else it is: not when */
	double		 hold, remind;	/* seconds; 0: at once, never */
	double		 absent;	/* runs; 0: not said */
	enum level	 level;
	struct str	 message;	/* NIL: when is false */
	struct str	 evidence;	/* "#queued >= 5000 (#queued = 5210)" */
	struct str	 unless;	/* another key, or NIL */
	struct str	 place;		/* file:line */
};
/* What the statement has to do. */
enum incident_verdict { VERDICT_NOTHING, VERDICT_ONSET, VERDICT_CLEAR };
/* What can be asked of an incident: functions.md, incidents. */
enum incident_fact {
	INCIDENT_FIRING,	/* 1 or 0 */
	INCIDENT_ACKED,		/* 1 or 0 */
	INCIDENT_SINCE,		/* seconds since 1970 of its onset, or NIL */
	INCIDENT_DURATION	/* seconds that it has lasted, or lasted in
				 * all if it has just ended; or NIL */
};

/*
 * What a script does to processes and files besides commands: functions.md,
 * "acting on processes" and "keeping things safe".
 */
enum act_kind {
	ACT_KILL,	/* pid, sig, start: 0 or -1 */
	ACT_KILLALL,	/* user, comm, sig: how many, or -1 */
	ACT_TERMINATE,	/* pid, seconds, start: 1 TERM was enough, 2 KILL, -1 */
	ACT_RENICE,	/* pid, value, start */
	ACT_SETLIMIT,	/* pid, what, soft, hard, start */
	ACT_OOMADJUST,	/* pid, value, start */
	ACT_FREEZE,	/* pid or (what) a cgroup's path */
	ACT_THAW,
	ACT_ARCHIVE,	/* path, dir: bytes, or -1; text: the new path */
	ACT_QUARANTINE,
	ACT_ROTATE,	/* path, value: how many are kept */
	ACT_KINDS
};
struct act {
	enum act_kind	 kind;
	double		 pid, start;	/* start: NIL: not said */
	struct str	 user, comm, sig, what;
	double		 value, soft, hard;	/* soft, hard: NIL: unchanged,
					 * INFINITY: unlimited */
	struct str	 path, dir;	/* dir NIL: the default */
	double		 now;		/* archive, quarantine: #now(), for the
					 * copy's name; NIL: the clock */
};
struct act_result {
	double		 n;		/* as above; -1: failed or refused, `why`
					 * says it */
	bool		 suppressed;	/* the host only told of it */
	struct str	 text;		/* valid until the next act */
	struct str	 note;		/* it was done, but not as well as it can
					 * be: for a WARNING; NIL: it was */
};

/* What is asked of others on the network or by a socket of this host. */
enum contact_kind {
	CONTACT_SEND,	/* address, send, expect: ms, or -1 */
	CONTACT_TCP,	/* address host:port: ms, or -1 */
	CONTACT_HTTP,	/* address a URL: status; text: the body */
	CONTACT_CERT	/* address host:port: days until the certificate ends */
};
struct contact {
	enum contact_kind	 kind;
	struct str	 address, send;
	double		 seconds;
	/* CONTACT_SEND: does what came so far suffice? */
	bool		(*enough)(void *arg, struct str got);
	void		*arg;
	size_t		 max;		/* bytes of a body */
};
struct contact_result {
	double		 n;		/* -1, of CONTACT_CERT NIL: failed, `why`
					 * says it */
	struct str	 text;		/* valid until the next contact */
};

struct table;			/* engine/table/table.h */
struct table_ask;

struct host {
	const char *name;		/* "live", "dry" */
	bool	suppresses;		/* effects are told of, not done */

	/* texts out.  target: log path, else NIL.  false: failed, see why */
	bool	(*output)(void *h, enum out, struct str target, struct str text);
	/* a line for the alert's log; text may hold any bytes */
	void	(*log)(void *h, enum log_kind, struct str text);

	/* processes */
	void	(*exec)(void *h, const struct command *, enum exec_mode,
		    const struct exec_opts *, struct exec_result *);
	/* mode 'r' or 'w'; NULL: failed */
	struct stream *(*popen)(void *h, const struct command *, int mode);
	/* all output of a command up to max bytes, then *result */
	struct str (*capture)(void *h, const struct command *, size_t max,
		    struct exec_result *result);

	/* files; path rules (language.md section 8, 9) are checked before */
	struct stream *(*fopen)(void *h, struct str path, int mode); /* r w a */
	/* a line without its newline; *len counts the newline if there was one */
	enum read_result (*read)(void *h, struct stream *, struct str *line,
		    size_t *len);
	bool	(*write)(void *h, struct stream *, struct str);
	bool	(*flush)(void *h, struct stream *);
	bool	(*eof)(void *h, struct stream *);
	/* exit status of a process, 0 of a file, -1 failed; frees the stream */
	int	(*close)(void *h, struct stream *);
	/* 0 or -1; follow: through links */
	int	(*stat)(void *h, struct str path, struct stat *, bool follow);
	int	(*access)(void *h, struct str path, int mode);	/* R_OK ... */
	/* a regular file to read; a descriptor, the caller's, or -1 */
	int	(*open)(void *h, struct str path);

	/* the clock: seconds since 1970 with fractions, wall and monotonic */
	double	(*clock)(void *h);
	double	(*monotonic)(void *h);
	/* false if the run's deadline or an interrupt came first */
	bool	(*sleep)(void *h, double seconds);
	/* true when the run must end: deadline, signal; why says which */
	bool	(*stop)(void *h);

	/* pid of a process with that command name, the lowest, or 0 */
	int	(*pid)(void *h, struct str comm);

	/* a fact of the host or of whom the key names: 1 and the answer, 0 if
	 * there is none, -1 failed */
	int	(*ask)(void *h, enum fact, struct str key, struct str *answer);

	/* What outlives the run.  All values of the run before, one call each;
	 * one may come twice.  key: of a line, or NIL for the script's own;
	 * element: of an array, or NIL; numbers as by $text. */
	bool	(*previous)(void *h, host_value_fn *, void *arg);
	/* one for the next run, once this one has ended well */
	void	(*keep)(void *h, struct str key, bool number, struct str name,
		    struct str element, struct str text);
	/* a line's key was met: what is not kept of it anew stays */
	void	(*seen)(void *h, struct str key);
	/* a point of a time series, of now */
	void	(*record)(void *h, struct str series, double value);
	/* runs of this script before this one; less than 0: failed */
	double	(*runs)(void *h);

	/* A step of an incident.  Verdicts are given as if the run ended well;
	 * what is kept and told of is settled at its end. */
	enum incident_verdict (*incident)(void *h,
		    const struct incident_seen *);
	double	(*incident_fact)(void *h, enum incident_fact, struct str key);

	void	(*act)(void *h, const struct act *, struct act_result *);
	void	(*contact)(void *h, const struct contact *, struct contact_result *);
	/* A native table, to be read by table_next and closed by table_close
	 * before the run ends; NULL: failed. */
	struct table *(*table)(void *h, const struct table_ask *);

	/* the reason of the last failure, one line */
	struct str (*why)(void *h);
	/* a line of --trace output */
	void	(*trace)(void *h, struct str);
};

#endif
