/* logfile_inner: what the files of logfile share.  Private to them. */
#ifndef ENGINE_INPUT_LOGFILE_INNER_H
#define ENGINE_INPUT_LOGFILE_INNER_H

#include <limits.h>
#include <sys/stat.h>

#include "engine/input/logfile.h"

#define FIRST		64	/* bytes kept as they are: a date at least */
#define HEADS		4	/* prefixes of 128, 256, 512, 1024 bytes */
#define NO_STREAM	UINT32_MAX

/* The first bytes of a text, of any length. */
struct log_head {
	char		first[FIRST];
	unsigned	nfirst;
	uint64_t	hash[HEADS];	/* of the first 128 << k bytes */
	unsigned	n;		/* of them */
};

/* A text up to an offset, enough to know it again. */
struct log_print {
	uint64_t	offset;
	struct log_head	head;		/* of what lies before the offset */
	uint64_t	whole;		/* of its first LOG_HEAD bytes */
	uint64_t	tail;		/* of its last LOG_TAIL bytes */
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
	uint64_t	 unpacked;	/* bytes, if this run has unpacked it */
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
/* As much of the texts as both have is alike, as far as heads can tell. */
bool	 log_alike(const struct log_head *, const struct log_head *);
/* All n bytes at an offset, or false. */
bool	 log_pread(int fd, char *, size_t n, uint64_t offset);

/* --- position.c --- */
bool	 log_decode(struct logfile *, struct str);
void	 log_encode(const struct logfile *, struct buf *);
struct log_stream *log_add_stream(struct logfile *);
struct log_seen *log_add_seen(struct logfile *);

/* --- folder.c --- */
/* Lists the log and its rotated files, oldest first, with what stat says. */
bool	 log_list(struct logfile *);
bool	 log_is_rotated(struct str name, struct str base, struct log_file *);

/* --- judge.c --- */
/* Finds out what each file is. */
bool	 log_judge(struct logfile *);

#endif
