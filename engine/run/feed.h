/*
 * feed: the lines of a script's input, whatever it is made of: one command or
 * file, the files that match a pattern, one after the other, an object set.
 * Why: the run sees one line after the other and what belongs to each: the
 * file that it is of, and whether another one follows.
 *
 * The texts of a line stay until the next feed_line.
 */
#ifndef ENGINE_RUN_FEED_H
#define ENGINE_RUN_FEED_H

#include "engine/effect/live.h"
#include "engine/run/rowcopy.h"
#include "engine/vm/vm.h"

#define LIM_FEED_FILES	65536	/* files that a pattern may match: more is a
				 * mistake in the pattern */
#define LIM_FEED_TOLD	10	/* files that cannot be read, each named in a
				 * WARNING; the others are only counted */

struct feed;

struct feed_options {
	const struct program *program;
	const struct host *host;
	struct live	*live;
	struct vm	*vm;
	struct mem	*mem;
	const struct objects *objects;
	int		 input_fd;	/* instead of the script's input; -1 */
	struct recorded	*recorded;	/* its lines instead; or NULL */
	bool		 look_ahead;	/* the script asks #eoi */
	/* a log's position, and where its new one goes; NULL: nowhere */
	struct state	*state;
	struct state_owner owner;
	struct outcome	*outcome;
};

/* Opens nothing yet. */
struct feed *feed_new(const struct feed_options *);
/* Opens the input; no line is read.  false: failed, see feed_why. */
bool	 feed_open(struct feed *);
struct str feed_why(const struct feed *);
/* The next line; the machine is told what belongs to it. */
enum reader_result feed_line(struct feed *, struct str *line);
/* Does the script read a table?  Then, in place of feed_line: the next row
 * that counts; how is VM_DONE, or how `where` ended the run. */
bool	 feed_has_rows(const struct feed *);
enum reader_result feed_row(struct feed *, struct row **,
	    enum vm_result *how);
/* The row that came last, the caller's; NULL: none, or nobody looks at it. */
struct rowcopy *feed_last_row(struct feed *);
/* The line at hand is done with, though no other one is asked for: else, at
 * the close, it counts as the one that stopped the run. */
void	 feed_done(struct feed *);
/* The line that came last, for the end section; NIL if there was none. */
struct str feed_last(const struct feed *);
/* Lines that were cut. */
size_t	 feed_ncut(const struct feed *, size_t *line_max);
/* Ends the input; the feed is gone afterwards.  Safe after a jump. */
void	 feed_close(struct feed *, struct input_end *);

#endif
