/*
 * logfile: which bytes of which files are the lines that a log got since the
 * last run, whatever was done to it in between.
 *
 * What is kept is the log's streams: a text that was read up to an offset,
 * with a fingerprint of its first KiB and of the bytes before the offset.
 * Files are holders of a stream.  A run lists the log's folder, finds out by
 * content which stream each file holds, and reads what comes after the
 * offset, oldest file first; a file that holds no known stream is new and
 * read from its start.  So it does not matter whether a file was renamed,
 * copied and emptied, packed, moved, or several of these more than once.
 *
 * A copy of what another file holds gives nothing.  Packed files are unpacked
 * by the programs that packed them, once: later they are known by device,
 * inode, size and time.
 *
 * Starts no processes and says nothing by itself: struct log_world.
 */
#ifndef ENGINE_INPUT_LOGFILE_H
#define ENGINE_INPUT_LOGFILE_H

#include <stdint.h>

#include "lang/base/buf.h"

#define LOG_HEAD	1024	/* bytes at a file's start that tell it from
				 * others: more than any fixed first lines */
#define LOG_TAIL	256	/* bytes before the offset: a line or two */
#define LIM_LOG_FILES	1000	/* files of one log that are looked at, the
				 * newest: some years of daily rotation */
#define LIM_LOG_GONE	32	/* streams that no file holds any more: one may
				 * be about to come back packed */
#define LIM_LOG_MISSED	10	/* runs that a file is remembered unseen: while
				 * names are moved a folder does not show all */
#define LIM_LOG_STOPS	3	/* runs that one line may stop (language.md 2) */

enum log_pack { PACK_NONE, PACK_GZ, PACK_BZ2, PACK_XZ, PACK_ZST, PACK_COUNT };
/* The program that unpacks from its standard input, and its option. */
extern const char *const log_unpacker[PACK_COUNT][2];

/* What must be done for it. */
struct log_world {
	void	*arg;
	/* a WARNING */
	void	(*warn)(void *arg, const char *text);
	/* unpacks a whole file, block by block; the descriptor stays the
	 * caller's.  false: failed, and told of */
	bool	(*unpack)(void *arg, int fd, enum log_pack, const char *name,
		    void (*take)(void *to, const char *p, size_t n), void *to);
};

struct log_options {
	struct mem	*mem;
	struct str	 path, bakfile;	/* bakfile: NIL if there is none */
	bool		 from_start;
	const struct log_world *world;
};

/* A part to read: of an open file, from an offset on. */
struct log_part {
	size_t		 number;	/* which one it is */
	const char	*name;
	int		 fd;		/* the logfile's */
	const char	*head;		/* the file's first bytes, of a packed one */
	size_t		 nhead;		/* those that unpacking gave */
	enum log_pack	 pack;
	bool		 live;		/* an open last line is not yet one */
	uint64_t	 from, to;	/* offsets; of a packed file `to` is none */
};

struct logfile;

struct logfile *logfile_new(const struct log_options *);
void	logfile_free(struct logfile *);
/*
 * Finds out what there is to read.  position: as logfile_position left it,
 * empty before the first run.  false: failed, logfile_why says why.
 */
bool	logfile_open(struct logfile *, struct str position);
const char *logfile_why(const struct logfile *);
/* The next part, oldest lines first; false: there is none. */
bool	logfile_next(struct logfile *, struct log_part *);
/*
 * A part has been read up to an offset; tail: the last bytes before it, at
 * most LOG_TAIL, as they were read (the file may be gone by now).  whole: to
 * its end, and if it is packed it is not to be looked at again.
 */
void	logfile_read(struct logfile *, size_t number, uint64_t offset,
	    const char *tail, size_t ntail, bool whole);
/* What was said of later parts was too early: they have not been read. */
void	logfile_unread_after(struct logfile *, size_t number);
void	logfile_unread_all(struct logfile *);
/*
 * The line at this offset of a part has stopped the run: how often in a row
 * it has done so, this time included.
 */
unsigned logfile_stopped(struct logfile *, size_t number, uint64_t offset);
/* What the next run must know. */
void	logfile_position(struct logfile *, struct buf *);

#endif
