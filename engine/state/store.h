/*
 * store: the state's file, for picket-store alone.  Why not held open: each
 * request takes the lock, opens the file, does its work and closes it, so
 * that runs of other scripts never wait for longer than one request, and a
 * run that is killed leaves nothing half done.  What only reads makes no file
 * and writes none, so it works where nothing can be written, too.
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
#define LIM_STORE_BUSY	5000	/* ms to wait for programs that are not ours and
				 * have the file open */

/* A statement that a store in memory keeps; sql: a literal of ours. */
#define LIM_STORE_READY	64	/* more than there are literals that it runs */
struct store_ready {
	const char	*sql;
	sqlite3_stmt	*q;
	bool		 used;
};

struct store {
	struct mem	*mem;
	bool		 memory;	/* STATE_MEMORY: open from the first request
					 * to the end */
	struct store_ready ready[LIM_STORE_READY];
	unsigned	 nready;
	struct buf	 path, lock_path;
	bool		 read_only;	/* a dry run: all only reads */
	bool		 held;		/* the lock could not be had last time */
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
void	store_close(struct store *);
/*
 * Makes the reason of SQLite's last failure.  True: the file is damaged, and
 * is closed.  If it was open for writing it is set aside (see note), and to
 * open it again gives an empty one; else that remains to be done, but not by
 * a dry run.
 */
bool	store_failed(struct store *, int rc);

#endif
