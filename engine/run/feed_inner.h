/* feed_inner: what the files of feed share.  Private to them. */
#ifndef ENGINE_RUN_FEED_INNER_H
#define ENGINE_RUN_FEED_INNER_H

#include <glob.h>

#include "engine/input/logfile.h"
#include "engine/run/feed.h"

/* Where a line of a log stands, and the bytes before and behind it. */
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
	bool		 opened, marked; /* marked: lines' marks are kept */
	int		 spool;		/* what the filter reads, or -1 */
	bool		 spooled;
};

/* A line and what belongs to it. */
struct item {
	struct str	 line;
	struct buf	 text, header;	/* the line, if it must be kept; the names
					 * of a new file's columns */
	bool		 has_header;
	const char	*name;		/* of its file, NULL: not of a list */
	struct mark	 mark;		/* where it stands in a log */
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
	bool		 line_open;	/* a line is at hand, not yet done with */
	char		 why[300];
};

/* --- feed.c --- */
void	 feed_warn(struct feed *, const char *text);
void	 feed_host_why(struct feed *);	/* into f->why */
const struct command *feed_filter(struct feed *, bool *good);
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

#endif
