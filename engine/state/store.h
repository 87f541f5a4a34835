/*
 * store: the state's file, for picket-store alone.  Why not held open: each
 * request takes the lock, opens the file, does its work and closes it, so
 * that runs of other scripts never wait for longer than one request, and a
 * run that is killed leaves nothing half done.  What only reads makes no file
 * and writes none, so it works where nothing can be written, too.
 *
 * The store of picketd (serve.h) is the one that all ask, and holds it: open
 * from the first request that finds a file, its statements kept, checkpoints
 * made between requests.  Others may read the file meanwhile (sqlite3).
 *
 * A file that SQLite calls damaged is set aside under another name and begun
 * anew; it is never deleted.  A file of an older Picket is copied and then
 * upgraded (schema.h) by the first request that writes.
 */
#ifndef ENGINE_STATE_STORE_H
#define ENGINE_STATE_STORE_H

#include <sqlite3.h>

#include "lang/base/buf.h"
#include "engine/state/client.h"
#include "engine/state/place.h"

#define STORE_ID	0x7069636b	/* "pick": whose SQLite file it is */
#define LIM_STORE_LOCK_AGAIN 1.0 /* seconds, after one that was in vain */
#define LIM_STORE_LOCK	15.0	/* seconds to wait for other runs: a request
				 * takes milliseconds, a large one some seconds */
#define STORE_LOOK	0.1	/* seconds of that between two looks whether it is
				 * picketd's store that has it, and keeps it */
#define LIM_STORE_BUSY	5000	/* ms to wait for programs that are not ours and
				 * have the file open */

/* A statement that is kept with the open file; sql: a literal of ours. */
#define LIM_STORE_READY	160	/* more than there are literals that it runs */
#define LIM_STORE_WAL	1000	/* pages that the journal grows by between two
				 * checkpoints of a file that is held: 4 MB, some
				 * milliseconds */
struct store_ready {
	const char	*sql;
	sqlite3_stmt	*q;
	bool		 used;
};

struct store {
	struct mem	*mem;
	bool		 memory;	/* STATE_MEMORY */
	bool		 holds;		/* the file stays open after a request */
	bool		 kept;		/* it now is, or it is memory: */
	struct store_ready ready[LIM_STORE_READY];
	unsigned	 nready;
	struct buf	 path, lock_path;
	bool		 full;		/* each commit waits for the disk */
	int		 journal;	/* pages in it, of a file that is held */
	int		 written;	/* of these, at the last checkpoint */
	bool		 read_only;	/* a dry run: all only reads */
	bool		 held;		/* the lock could not be had last time */
	bool		 served;	/* picketd's store has it: who asks is to ask
					 * that */
	bool		 writing;	/* the file is open for more */
	sqlite3		*db;		/* NULL: closed */
	int		 version;	/* of the open file's tables */
	struct lock	 lock;
	struct buf	 why;		/* of a failure */
	struct buf	 note;		/* what people must hear */
};

enum store_got {
	STORE_READY,
	STORE_EMPTY,		/* there is no file to read */
	STORE_FAILED		/* see why */
};

/* path: absolute, or STATE_MEMORY. */
void	store_init(struct store *, struct mem *, struct str path,
	    bool read_only);
void	store_free(struct store *);
/* write: for more than reading; makes what is not there. */
enum store_got store_open(struct store *, bool write);
void	store_close(struct store *);	/* but what is held */
/*
 * Of a file that is held, when nobody waits: a checkpoint if the journal has
 * grown by LIM_STORE_WAL, or, idle, at all.
 */
void	store_tidy(struct store *, bool idle);
/*
 * Makes the reason of SQLite's last failure.  True: the file is damaged, and
 * is closed.  If it was open for writing it is set aside (see note), and to
 * open it again gives an empty one; else that remains to be done, but not by
 * a dry run.
 */
bool	store_failed(struct store *, int rc);

#endif
