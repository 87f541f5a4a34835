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
 * Logrotate may be at work at the same moment, or may have been killed in the
 * middle of it.  The states that a run can meet, and what is done:
 *
 *  renamed	LOG may be missing, LOG.1 be LOG.2 a moment later.  The folder's
 *		files are opened while it is read and known by inode, none twice;
 *		what was missed is remembered (LIM_LOG_MISSED) and found later.
 *  copied	(copy, copytruncate) LOG.1 is a beginning of LOG that grows.  LOG
 *		is opened first: a copy that is not whole when the folder is read
 *		ends behind what LOG held then, so it will hold the stream up to
 *		the offset of this run.  It gives nothing while LOG is there.
 *  whole	LOG.1 is whole, LOG not yet emptied: more may come into LOG that
 *		no copy gets.  A run reads it.  LOG.1 is then shorter than the
 *		stream, and LOG, the only other holder, is emptied.
 *  emptied	at any moment, and filled further than before.  LOG is looked at
 *		again before it is read, and after each read, whose bytes count
 *		only if it was still the same; its marks (below) and the bytes
 *		before the part are taken before.  Copies' sizes are taken again,
 *		too: they are whole.  If it was emptied before it was read, what
 *		was found to be a copy of it has not been read, either.
 *  begun	a first line without its newline is like the beginning of any
 *		text: it is none that was cut.
 *  packed	LOG.1 and LOG.1.gz are there: LOG.1 counts.  What a writer still
 *		adds to it after gzip came to its end is read, but not in the
 *		packed file: that one is shorter than the stream.
 *  killed	a part of a copy, followed by a longer copy of the same text, each
 *		packed or not, seen at once or one by one: of those that hold a
 *		stream the longest is read on.  A broken copy's open last line
 *		waits LOG_QUIET, packed or not.  LOG.1 beside a part of LOG.1.gz.
 *		Where LOG.1 stands in the way, it becomes LOG.1-DATE.backup, over
 *		the one before: then only a gzip that is still at work may have
 *		the text, in a file that waits.
 *
 * So a file may be a beginning of a text whose rest is in no file any more.
 * To know it, a stream keeps marks, fingerprints of 256 bytes at places all
 * along it and closer towards its end: a file that is shorter than the
 * stream's offset, and like it at each mark, has been read.  Of two files
 * that hold a stream the longer one is read on.  Both only where the text is
 * dated: lines without a date or a number may come again, and of such a log
 * only inodes and times of birth tell a copy from a new text.
 *
 * What cannot be unpacked (yet) waits for the next run.  Packed files are
 * unpacked by the programs that packed them, once: later they are known by
 * device, inode, size and time.
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
#define LOG_QUIET	60	/* seconds after which nobody adds to a rotated
				 * file: its open last line is one */
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
	bool		 open;		/* an open last line is not yet one */
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
/*
 * To be asked after each read of a part: false: the file has been emptied or
 * replaced, maybe before that read, whose bytes are none of the part.
 */
bool	logfile_still(const struct logfile *, size_t number);
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
