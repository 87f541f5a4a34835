/*
 * recorded: the host of rule tests and replays (engine/vm/host.h).  It answers
 * from a world that somebody has written down, and writes down what a script
 * does; nothing outside this process is touched, asked or waited for.  It is
 * the live host (live.h) with this world in live_options.recorded: what is
 * kept, incidents, mail and limits are the same code as in a real run.
 *
 * What a script asks and the world does not hold is answered as a failure and
 * is written down as RECORDED_UNANSWERED: a test that has such a thing fails,
 * and says so.
 */
#ifndef ENGINE_EFFECT_RECORDED_H
#define ENGINE_EFFECT_RECORDED_H

#include "lang/base/buf.h"
#include "engine/table/table.h"
#include "engine/vm/host.h"

struct recorded;

struct recorded *recorded_new(struct mem *);
void	 recorded_free(struct recorded *);

/* --- the world; each holds until it is said anew; texts are copied --- */

/* Wall clock and steady clock go together; `pause` and timeouts move both on
 * at once, nothing waits. */
void	 recorded_set_clock(struct recorded *, double now);
double	 recorded_clock(const struct recorded *);
void	 recorded_set_host(struct recorded *, struct str name);
struct str recorded_hostname(const struct recorded *);
/* The lines of the script's input of whatever kind, each ended by '\n': as the
 * rules get them, behind a filter.  NIL: nobody has said any; then what the
 * input's command or file is said to hold is the input, or it fails. */
void	 recorded_set_input(struct recorded *, struct str lines);

/* What a command writes and how it ends, by what it looks like when all is
 * expanded (struct command.show), runs of blanks as one.  As a pattern: a
 * regular expression that must be found in it.  The answers are given in
 * turn, the last one again and again. */
struct recorded_answer {
	struct str	 text;
	int		 status;
};
void	 recorded_command(struct recorded *, struct str show, bool pattern,
	    const struct recorded_answer *, size_t n);

struct recorded_file {
	struct str	 path;
	struct str	 type;		/* NIL: "file"; as $filetype says it */
	struct str	 content;	/* NIL: none, only its size; of a link:
					 * where it points */
	double		 size;		/* NIL: that of the content */
	double		 mode;		/* NIL: 0644, folders 0755 */
	struct str	 owner, group;	/* NIL: root */
	double		 mtime;		/* NIL: the clock as it is now */
	double		 links;		/* NIL: 1 */
	bool		 gone;		/* it is not there (any more) */
};
void	 recorded_file(struct recorded *, const struct recorded_file *);
/* The rows of a table, ncolumn values each, texts as a script writes numbers;
 * a value "-" is NIL.  Table files need not be said: its rows are those of
 * recorded_file then.  Kills by #kill, #killall and #terminate take the
 * processes out of processes and process_counts. */
void	 recorded_table(struct recorded *, enum table_id,
	    const enum table_column *, size_t ncolumn, const struct str *value,
	    size_t nrow);
/* What #talk, #tcpcheck, #httpcheck ... get of an address; NIL: no answer. */
void	 recorded_contact(struct recorded *, struct str address, double n,
	    struct str text);
/* An environment variable, a user, a group: what host->ask is asked. */
void	 recorded_fact(struct recorded *, enum fact, struct str key,
	    struct str answer);
/* A process that kills do not get rid of: #killall of that user and name gives
 * -1 and this reason. */
void	 recorded_survivor(struct recorded *, struct str user, struct str comm,
	    struct str why);

/* --- what was done, in order, since recorded_forget --- */

enum recorded_kind {
	RECORDED_EXEC,		/* text: the command */
	RECORDED_ACT,		/* "kill 17 TERM", "killall groucho imapd KILL",
				 * "archive /var/mail/groucho" */
	RECORDED_PRINT,		/* output print */
	RECORDED_STDOUT, RECORDED_MAIL_TO, RECORDED_SYSLOG, RECORDED_JOURNAL,
	RECORDED_LOG,		/* target: the path; text: the line */
	RECORDED_WRITE,		/* target: the file or command written to */
	RECORDED_ERROR, RECORDED_WARNING,	/* lines of the alert's log */
	RECORDED_READ,		/* a command that was only read from */
	RECORDED_UNANSWERED,	/* text: what was asked */
	RECORDED_KINDS
};
extern const char *const recorded_kind_name[RECORDED_KINDS];
struct recorded_did {
	enum recorded_kind kind;
	struct str	 target, text;
};
const struct recorded_did *recorded_done(const struct recorded *, size_t *n);
void	 recorded_forget(struct recorded *);

/* recorded_told_host: effects are only told of, as with dry_host. */
extern const struct host recorded_host, recorded_told_host;

/* --- for engine/run --- */
struct live;
struct live_input;
bool	 recorded_has_input(const struct recorded *);
/*
 * The script's input.  Without lines for it: what the command (which: as it
 * is shown) writes, or what is in the file; NULL: nobody has said that, and
 * the host's why says so.
 */
struct live_input *recorded_input(struct live *, enum input, struct str which);

#endif
