/*
 * logger: what picketd and its programs say of themselves.  Why not syslog(3):
 * it waits for a daemon that is stuck, allocates, and tells nobody what was
 * lost; and a file or the journal it does not know.
 *
 * One message is one line, with control characters escaped.  Nothing here
 * allocates, and nothing waits: what a full disk, a full socket or a syslog
 * that is not there does not take is counted, and told of when it takes
 * something again.  (A file on a file system that hangs does hang.  Logs
 * belong on a local disk.)
 *
 * A message that comes again and again is written once and counted; so is
 * what exceeds LIM_LOG_BURST.
 */
#ifndef ENGINE_DAEMON_LOGGER_H
#define ENGINE_DAEMON_LOGGER_H

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define LIM_LOG_LINE	2000	/* bytes of a message, escaped: diagnostics with
				 * two long paths are shorter */
#define LIM_LOG_SYSLOG	1000	/* bytes of one for syslog: what every daemon
				 * takes, by RFC 3164 1024 with the head */
#define LIM_LOG_BURST	5000	/* messages: a start with 10,000 alerts says
				 * less; more is a flood that fills a disk */
#define LOG_RATE	100	/* messages a second that a flood is cut to:
				 * 500 MB a day at the very most */
#define LOG_DEFAULT	SAY_NOTICE
#define LOG_REPEAT	30.0	/* seconds; then 4 times that, up to ... */
#define LOG_REPEAT_MAX	3600.0	/* ... this: when repeats are told of */
#define LOG_SYSLOG_PATH	"/dev/log"
#define LOG_JOURNAL_PATH "/run/systemd/journal/socket"

enum logger_level {
#define L(id, word, severity) id,
#include "engine/daemon/log.def"
#undef L
	LOG_LEVELS
};

enum logger_to { LOG_TO_STDERR, LOG_TO_SYSLOG, LOG_TO_JOURNAL, LOG_TO_FILE };

struct logger {
	const char	*name;		/* of the program: "picketd" */
	enum logger_to	 to;
	enum logger_level	 most;		/* finer ones are not written */
	int		 fd;		/* -1: not open */
	bool		 is_stream;	/* an old syslog's socket */
	bool		 prefix;	/* standard error is the journal's */
	bool		 cut;		/* the last line has no end */
	char		 path[PATH_MAX];	/* of file or socket */
	/* the last message, and how often it came since */
	char		 last[LIM_LOG_LINE + 1];
	enum logger_level	 last_level;
	unsigned	 repeats;
	double		 repeats_due, repeats_wait;
	/* a bucket of messages that may still be written */
	double		 tokens, filled;
	unsigned long	 dropped;	/* a flood's, not told of yet */
	/* what did not arrive */
	unsigned long	 lost, lost_ever;
	int		 error;		/* why: errno */
};

/*
 * Setting: as picket.conf has it, "syslog", "journal", "stderr" or the absolute
 * path of a file, and perhaps a blank and a level; without one it is notice.
 * NULL: the journal where standard error is the journal's, else standard
 * error in the foreground, else syslog.
 *
 * A file is opened now, sockets when something is said.  False, and why: then
 * messages go to standard error.  The name must outlive the log.
 */
bool	logger_open(struct logger *, const char *name, const char *setting,
	    bool foreground, char *why, size_t size);
void	logger_close(struct logger *);
/*
 * The file again, by its name (SIGUSR1: it was turned away), or the socket.
 * If it cannot be opened the old one stays, and the log says so.
 */
void	logger_reopen(struct logger *);
/* The level of that name; LOG_LEVELS: there is none. */
enum logger_level logger_level_named(const char *word);
const char *logger_level_word(enum logger_level);
/* Where it goes, for people. */
const char *logger_where(const struct logger *);

void	logger_say(struct logger *, enum logger_level, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
void	logger_vsay(struct logger *, enum logger_level, const char *fmt, va_list)
	    __attribute__((format(printf, 3, 0)));
/*
 * Tells of repeats whose time has come; returns in how many seconds it wants
 * to be called again, or -1: not before something is said.
 */
double	logger_tick(struct logger *);

#endif
