/*
 * queue: what the readers of mail queues share.  Private to queue*.c.
 *
 * A queue is read from the spool where that may be read, for it costs no
 * process when none can be had; else from what the mailer's own program
 * lists.  In a recorded folder the listing may lie in ROOT/queue/postfix (of
 * postqueue -j), ROOT/queue/exim (of exim -bp), ROOT/queue/sendmail (of mailq).
 */
#ifndef ENGINE_TABLE_QUEUE_H
#define ENGINE_TABLE_QUEUE_H

#include "lang/base/buf.h"
#include "engine/table/lines.h"
#include "engine/table/walk.h"

#define LIM_QUEUE_LISTING (64u << 20)	/* bytes of a listing: 150,000 messages
					 * of postqueue -j */
#define LIM_QUEUE_RECIPIENTS 32768	/* bytes of $recipients; the rest of
					 * them is only counted */
#define LIM_QUEUE_REASON 2000		/* bytes of $reason: four times the
					 * longest reply that SMTP allows */
#define LIM_QUEUE_DONE	(256 * 1024)	/* bytes of the addresses that a
					 * message of exim's has reached */
#define LIM_QUEUE_ENTRY	(16u << 20)	/* bytes of JSON of one message */

struct queue;

/* A row: true; false: the end, or q->failed and the table's why. */
typedef bool queue_next_fn(struct queue *);

struct queue {
	struct table	 table;
	queue_next_fn	*next;
	bool		 failed;
	unsigned	 wrong;		/* entries that cannot be understood */
	unsigned long	 rows;
	struct buf	 listing;	/* of a program */
	struct str	 rest;		/* of it */
	struct walk	 walk;		/* of a spool */
	struct lines	 lines;		/* of a file in it */
	struct buf	 done;		/* see LIM_QUEUE_DONE */
	/* the row */
	char		 id[256];
	struct str	 name;		/* of the queue, or NIL */
	char		 folder[256];	/* dir: its name */
	double		 size, arrived;
	bool		 has_sender, has_reason;
	struct buf	 sender, recipients, reason;
	double		 count;		/* NIL: not known */
};

/* An empty row with this id. */
void	 queue_row(struct queue *, struct str id);
void	 queue_sender(struct queue *, struct str);
void	 queue_recipient(struct queue *, struct str);
/* The first one holds. */
void	 queue_reason(struct queue *, struct str);
/* The next line of the listing. */
bool	 queue_line(struct queue *, struct str *line);
bool	 queue_more(const struct queue *);	/* and is there one? */
struct str queue_peek(const struct queue *);
/* Without < and > around it. */
struct str queue_address(struct str);
/* A spool's next file; its folder is walk_dir, its name walk_name. */
bool	 queue_file(struct queue *, unsigned depth);

/* Of a listing, or of a spool. */
queue_next_fn queue_postfix_next, queue_exim_next, queue_exim_spool_next,
	    queue_sendmail_next, queue_sendmail_spool_next;

#endif
