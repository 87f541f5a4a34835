/* feed_inner: what the files of feed share.  Private to them. */
#ifndef ENGINE_RUN_FEED_INNER_H
#define ENGINE_RUN_FEED_INNER_H

#include <glob.h>

#include "engine/input/journal.h"
#include "engine/input/logfile.h"
#include "engine/run/feed.h"

/* Where a line of a log stands, and the bytes before and behind it; of the
 * journal: the places before and behind it. */
struct mark {
	size_t		 part;
	uint64_t	 start, end;
	char		 before[LOG_TAIL], after[LOG_TAIL];
	size_t		 nbefore, nafter;
};

/* A log that is being read. */
struct feed_log {
	struct logfile	*file;
	struct log_world world;
	struct buf	 path, bakfile;
	struct log_part	 part;		/* at hand */
	uint64_t	 base;		/* offset at which its reader began */
	struct buf	 header;	/* of a part that begins later */
	bool		 has_header;
	bool		 opened;
};

/* The journal that is being read; places as picket-journal has them. */
struct feed_journal {
	struct buf	 matches, program;
	char		 from[JOURNAL_PLACE + 1]; /* where the run began; "": it
						 * is the first */
	char		 at[JOURNAL_PLACE + 1];	/* behind the last line */
	char		 before[JOURNAL_PLACE + 1];	/* and before it */
	char		 stopped[JOURNAL_PLACE + 1];	/* the line that stopped
						 * the last run */
	unsigned	 nstop;		/* that many in a row */
};

/* The table that is being read. */
struct feed_table {
	struct table	*table;
	size_t		 nrow;		/* read, also those that were dropped */
	enum vm_result	 how;		/* `where` ended for the last one */
	struct rowcopy	*at, *ahead;	/* the row at hand, the next one; NULL:
					 * nobody looks at them later */
	bool		 has_last;	/* there was a row that counts */
};

/* A line and what belongs to it. */
struct item {
	struct str	 line;
	struct buf	 text, header;	/* the line, if it must be kept; the names
					 * of a new file's columns */
	bool		 has_header;
	const char	*name;		/* of its file, NULL: not of a list */
	struct mark	 mark;		/* where it stands */
};

struct feed {
	struct feed_options o;
	struct live_input *in;		/* NULL: between two, or none left */
	struct input_end end;		/* how the ones before ended */
	/* the files of a pattern */
	glob_t		 glob;
	bool		 has_glob;
	size_t		 next;		/* of them */
	size_t		 nbad;
	const char	*name;		/* of the one at hand */
	const char	*told;		/* as the machine knows it */
	/* an object set */
	const struct str *object;
	size_t		 nobject;
	/* records of several lines, and their header */
	struct buf	 record;
	bool		 wants_header, new_file;
	struct item	*at, *ahead;	/* the line at hand; the next */
	struct item	 item[2];
	bool		 started, ended, at_end;
	struct buf	 kept;		/* the last line of a file before */
	struct str	 last;
	size_t		 ncut, line_max;
	struct feed_log	*log;		/* NULL: the input is none */
	struct feed_journal *journal;	/* NULL: the input is none */
	struct feed_table *table;	/* NULL: the input is none */
	int		 spool;		/* what the filter reads, or -1 */
	bool		 spooled;
	bool		 marked;	/* lines' marks are kept */
	bool		 has_mark;
	struct mark	 mark;		/* then: of the line at hand */
	bool		 line_open;	/* a line is at hand, not yet done with */
	char		 why[300];
};

/* --- feed.c --- */
void	 feed_warn(struct feed *, const char *text);
void	 feed_host_why(struct feed *);	/* into f->why */
const struct command *feed_filter(struct feed *, bool *good);
/* The reader at hand is about to go: of what it has given the last line is
 * kept, if it may be looked at later. */
void	 feed_leave(struct feed *);
/* Ends the file at hand; true if the run can go on. */
bool	 feed_end_file(struct feed *);

/* --- feed_log.c --- */
bool	 feed_log_open(struct feed *);
/* The next line of the log as it stands. */
enum reader_result feed_log_line(struct feed *, struct str *line);
/* Where the line that came last stands: all of it, or its end. */
void	 feed_log_mark(struct feed *, struct mark *, bool end_only);
/* Settles what the next run begins with; the reader is still there. */
void	 feed_log_settle(struct feed *);
void	 feed_log_close(struct feed *);

/* --- feed_journal.c: the same of the journal --- */
bool	 feed_journal_open(struct feed *);
enum reader_result feed_journal_line(struct feed *, struct str *line);
void	 feed_journal_mark(struct feed *, struct mark *, bool end_only);
void	 feed_journal_settle(struct feed *);
void	 feed_journal_close(struct feed *);

/* --- feed_table.c --- */
bool	 feed_table_open(struct feed *);
void	 feed_table_close(struct feed *);

/* --- feed_place.c --- */
/* All new lines go through the filter at once. */
bool	 feed_spool(struct feed *,
	    enum reader_result (*next)(struct feed *, struct str *));
/* Are lines marked? */
bool	 feed_has_place(const struct feed *);
void	 feed_mark(struct feed *, struct mark *, bool end_only);
/* Where the line at hand stands, if there is one. */
bool	 feed_line_mark(struct feed *, struct mark *);
/* The line that stopped the run is told of, and left behind.  what: of the
 * log, or of the journal. */
void	 feed_skip_line(struct feed *, struct str what);
void	 feed_settle(struct feed *);

#endif
