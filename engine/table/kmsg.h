/*
 * kmsg: the records of the kernel's log from where the last run left off, for
 * the tables kernel and oom_kills.  From /dev/kmsg; where that may not be
 * read from syslog(2); of a recorded folder from the plain file ROOT/dev/kmsg.
 *
 * A position is a text: boot id, number of the next record, time of the last
 * one and how many of that time were seen (for syslog(2), which has no
 * numbers), then what the table itself keeps.  After another boot all of that
 * boot's records are new.
 */
#ifndef ENGINE_TABLE_KMSG_H
#define ENGINE_TABLE_KMSG_H

#include "lang/base/buf.h"
#include "engine/table/lines.h"

#define LIM_KMSG_RECORD	8192	/* bytes of a record: the kernel writes no
				 * longer ones (CONSOLE_EXT_LOG_MAX) */
#define LIM_KMSG_LOG	(64u << 20)	/* bytes of the log that syslog(2)
				 * gives at once; log_buf_len is far below */

struct kmsg_record {
	double		 seq;		/* NIL: from syslog(2) */
	double		 usec;		/* since boot */
	unsigned	 level, facility;
	struct str	 text;
	bool		 old;		/* the last run had it */
	/* inside */
	bool		 more;		/* continues the record before it */
	char		 raw[LIM_KMSG_RECORD];
};

enum kmsg_from { KMSG_DEVICE, KMSG_FILE, KMSG_SYSLOG };

struct kmsg {
	const struct table_world *world;
	enum kmsg_from	 from;
	struct lines	 lines;		/* KMSG_FILE, KMSG_SYSLOG */
	int		 fd;		/* KMSG_DEVICE */
	char		*log;		/* KMSG_SYSLOG */
	size_t		 nlog;
	char		 boot[64];	/* id; "" if it is not known */
	double		 start;		/* seconds since 1970 of usec 0, or NIL */
	bool		 first;		/* there was no position */
	bool		 same_boot;	/* as the position's */
	double		 next;		/* number of the next record, or NIL */
	double		 last;		/* usec of the last one, or NIL */
	double		 same;		/* records of that usec */
	double		 passed;	/* of them seen in this run */
	double		 lost;		/* records that were overrun */
	struct str	 rest;		/* of the position: the table's own */
	bool		 have;		/* ahead is filled */
	struct kmsg_record now, ahead;
};

/* The position is looked into while k is used. */
bool	 kmsg_open(struct kmsg *, const struct table_world *,
	    struct str position, char why[LIM_TABLE_WHY]);
/* The next record is in k->now, the old ones too. */
enum table_next kmsg_next(struct kmsg *, char why[LIM_TABLE_WHY]);
/* Waits a little for another one; false: none came. */
bool	 kmsg_wait(struct kmsg *);
/* The position behind k->now, without the table's own part. */
void	 kmsg_position(const struct kmsg *, struct buf *);
/* Seconds since 1970, or NIL. */
double	 kmsg_time(const struct kmsg *, double usec);
void	 kmsg_close(struct kmsg *);

#endif
