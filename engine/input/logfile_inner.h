/* logfile_inner: what the files of logfile share.  Private to them. */
#ifndef ENGINE_INPUT_LOGFILE_INNER_H
#define ENGINE_INPUT_LOGFILE_INNER_H

#include <limits.h>
#include <sys/stat.h>

#include "engine/input/logfile.h"

#define FIRST		64	/* bytes kept as they are: a date at least */
#define HEADS		4	/* prefixes of 128, 256, 512, 1024 bytes */
#define NO_STREAM	UINT32_MAX
#define NO_FILE		SIZE_MAX
#define MARKS		40	/* marks of a text: see log_marks */

/* The first bytes of a text, of any length. */
struct log_head {
	char		first[FIRST];
	unsigned	nfirst;
	uint64_t	hash[HEADS];	/* of the first 128 << k bytes */
	unsigned	n;		/* of them */
};

/* The LOG_TAIL bytes before an offset. */
struct log_mark {
	uint64_t	offset, hash;
};

/* A text up to an offset, enough to know it again, or a beginning of it. */
struct log_print {
	uint64_t	offset;
	struct log_head	head;		/* of what lies before the offset */
	uint64_t	whole;		/* of its first LOG_HEAD bytes */
	uint64_t	tail;		/* of its last LOG_TAIL bytes */
	struct log_mark	mark[MARKS];	/* ascending; none: a beginning of it */
	unsigned	nmark;		/* is not told from another text */
	bool		dated;			/* see log_dated */
};

struct log_stream {
	struct log_print print;
	unsigned	 gone;		/* runs since a file held it */
	bool		 held;		/* by a file of this run */
	uint32_t	 holder;	/* that gives its lines */
	bool		 has_holder;
};

/* A file as it was when a run looked at it. */
struct log_seen {
	uint64_t	dev, ino, size;
	int64_t		mtime;		/* nanoseconds */
	unsigned	gone;	/* runs since it was there */
	uint32_t	stream;		/* or NO_STREAM: nothing more to read */
};

enum log_verdict {
	LOG_UNKNOWN,
	LOG_SKIP,	/* nothing to read, and not to be remembered */
	LOG_DONE,	/* nothing to read in it */
	LOG_HOLDS,	/* its stream's holder */
	LOG_NEW		/* to be read from its start */
};

struct log_file {
	char		*name;
	size_t		 nname;
	enum log_pack	 pack;
	bool		 live;
	bool		 numbered;	/* log.3: */
	unsigned long	 number;
	int		 fd;		/* -1: not open */
	uint64_t	 dev, ino, size;
	int64_t		 mtime, btime;	/* btime: 0 if it is not known */
	char		 head[LOG_HEAD];
	size_t		 nhead;
	struct log_head	 hashes;
	enum log_verdict verdict;
	uint32_t	 stream;	/* or NO_STREAM */
	size_t		 like;		/* it is a beginning of this file, or
					 * NO_FILE */
	struct log_mark	 mark[MARKS];	/* of its text, as far as known */
	unsigned	 nmark;
	uint64_t	 unpacked;	/* bytes, if this run has unpacked it */
	uint64_t	 unpacked_tail;	/* the hash of the last of them */
	bool		 emptied;	/* since it was judged: another text */
	char		 before[LOG_TAIL];	/* what is read of it */
	size_t		 nbefore;
	/* what was read of it in this run */
	uint64_t	 offset;
	char		 tail[LOG_TAIL];
	size_t		 ntail;
	bool		 whole, was_read;
};

struct logfile {
	struct log_options o;
	struct mem	*mem;
	char		 path[PATH_MAX];
	char		 real[PATH_MAX];	/* where its links lead; "" */
	char		 old_real[PATH_MAX];	/* led in the last run */
	bool		 first_run;
	bool		 damaged;	/* the position */
	struct log_stream *stream;
	size_t		 nstream, capstream;
	struct log_seen	*seen;
	size_t		 nseen, capseen;
	struct log_file	*file;		/* oldest first */
	size_t		 nfile, capfile;
	size_t		 next;		/* part to read */
	/* the line that stopped the last run */
	uint64_t	 stop_dev, stop_ino, stop_offset;
	unsigned	 stops;
	bool		 stopped_now;
	char		 why[600];
};

/* --- print.c --- */
uint64_t log_hash(const char *, size_t);
void	 log_head(struct log_head *, const char *, size_t);
/* The fingerprint of a text's first offset bytes: head holds its first
 * LOG_HEAD or all, tail the last LOG_TAIL before the offset. */
void	 log_print(struct log_print *, uint64_t offset, const char *head,
	    size_t nhead, const char *tail, size_t ntail);
/*
 * Gives a text of n bytes its marks: those of `have` that are its, and of an
 * open file (fd -1: none) the others.  They are at the powers of four, and at
 * the two last multiples of each 16th power of two: so a beginning of it that
 * is d bytes shorter has a mark at most 32 d before its end, or behind its
 * first quarter.  The marks of a longer text that lie in it are its own, too.
 */
unsigned log_marks(struct log_mark *to, const struct log_mark *have,
	    unsigned nhave, int fd, uint64_t n);
/* Have most lines of a head a date or a number, and are none that was there
 * before?  If not, equal texts may well be two. */
bool	 log_dated(const char *head, size_t n);
/* As much of the texts as both have is alike, as far as heads can tell. */
bool	 log_alike(const struct log_head *, const struct log_head *);
/* All n bytes at an offset, or false. */
bool	 log_pread(int fd, char *, size_t n, uint64_t offset);

/* --- position.c --- */
bool	 log_decode(struct logfile *, struct str);
void	 log_encode(const struct logfile *, struct buf *);
/* Room in all lists: then a loop may go from an empty one's start to its end. */
void	log_reserve(struct logfile *);
struct log_stream *log_add_stream(struct logfile *);
struct log_seen *log_add_seen(struct logfile *);

/* --- folder.c --- */
/* Lists the log and its rotated files, oldest first, with what stat says. */
bool	 log_list(struct logfile *);
/* The time of the last change, in nanoseconds. */
int64_t	 log_mtime(const struct stat *);
bool	 log_is_rotated(struct str name, struct str base, struct log_file *);

/* --- judge.c --- */
/* Finds out what each file is. */
bool	 log_judge(struct logfile *);
void	 log_set_holder(struct logfile *, struct log_file *, uint32_t stream);
/* Is a text of so many bytes, of which a has the head, the beginning of b? */
bool	 log_begins(const struct log_file *a, const char *tail, size_t ntail,
	    uint64_t size, const struct log_file *b);
/* May a, whose text b begins with, be a copy?  Else it is a text of its own
 * that is the same. */
bool	 log_may_be_copy(const struct logfile *, const struct log_file *a,
	    const struct log_file *b);
/* A file's size bytes and a stream's first ones: are their heads alike, and is
 * `last`, the last mark that is alike, near enough to the end? */
bool	 log_is_beginning(const struct log_file *, uint64_t size,
	    uint64_t last, const struct log_print *);

/* --- packed.c --- */
void	 log_judge_packed(struct logfile *, struct log_file *);

#endif
