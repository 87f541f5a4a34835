/*
 * reader: lines from a descriptor in 64 KiB blocks, memchr for the line ends.
 * Why not stdio: half the time a line, and a limit on a line's length.
 *
 * A line is a view into the block: valid until the next reader_line that
 * returns a line.  The one that returns the end keeps the last line, too.
 * Descriptors may be non-blocking pipes: then wait() is called (poll with the
 * run's deadline) before each read.
 */
#ifndef ENGINE_INPUT_READER_H
#define ENGINE_INPUT_READER_H

#include <stdint.h>

#include "lang/base/mem.h"
#include "lang/base/str.h"

#define READER_BLOCK	(64 * 1024)	/* bytes a read asks for */
#define LIM_LINE	(1 << 20)	/* bytes of a line unless the script says
					 * otherwise; the rest is cut and counted */

#define READER_TAIL	256	/* bytes kept of what was read before a place */

enum reader_result { READER_LINE, READER_END, READER_FAILED, READER_STOPPED };

struct reader {
	struct mem	*mem;
	int		 fd;
	char		*buf;
	size_t		 cap, start, end;
	size_t		 line_max;
	struct str	 last;		/* the last line returned, kept at the end */
	char		*kept;		/* owns `last` when the block had to move */
	size_t		 nkept, capkept;
	bool		 at_end, had_newline;	/* of the line returned last */
	int		 error;		/* errno of READER_FAILED */
	size_t		 ncut;		/* lines over line_max: their rest was dropped */
	struct str	 text;		/* of reader_text: what is left of it */
	uint64_t	 left;		/* bytes that may still be read */
	uint64_t	 nread;		/* bytes read so far */
	uint64_t	 line_at;	/* bytes given out before it */
	/* The bytes before buf[tail_at], and before the last line if that was
	 * cut: for whoever must know this place again. */
	char		 tail[READER_TAIL], before[READER_TAIL];
	size_t		 ntail, nbefore, tail_at;
	bool		 was_cut;
	/* waits until fd is readable; false: stop (deadline, interrupt) */
	bool		(*wait)(void *ctx, int fd);
	void		*ctx;
	/* is what was just read still what is read?  false: the bytes of this
	 * read are none, and the end has come; NULL: it is */
	bool		(*still)(void *arg);
	void		*still_arg;
};

void	reader_init(struct reader *, struct mem *, int fd, size_t line_max,
	    bool (*wait)(void *, int), void *ctx);
/* It reads these bytes instead of its descriptor; they stay where they are. */
void	reader_text(struct reader *, struct str);
/* The next line without its newline; errno is kept on READER_FAILED. */
enum reader_result reader_line(struct reader *, struct str *line);
/* The next bytes, however many there are; a view until the next call. */
enum reader_result reader_block(struct reader *, struct str *bytes);
/* Reads over n bytes; READER_END: there are fewer. */
enum reader_result reader_skip(struct reader *, uint64_t n);
/* Bytes given out so far, those of the last line included. */
static inline uint64_t
reader_at(const struct reader *r)
{
	return r->nread - (r->end - r->start);
}
/*
 * The last bytes, at most READER_TAIL, before this place, or (line) before
 * the last line.  Returns how many.
 */
size_t	reader_tail(const struct reader *, bool line, char to[READER_TAIL]);
void	reader_free(struct reader *);	/* does not close fd */

#endif
