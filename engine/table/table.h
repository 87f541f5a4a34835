/*
 * table: native tables (lang/table/tables.def): rows that the engine reads
 * itself from /proc, /sys and system calls, without starting a process, so
 * that they are there when none can be started any more.
 *
 *	t = table_open(&world, &ask, why, sizeof why);
 *	while (table_next(t) == TABLE_ROW)
 *		... (t is a struct row: ops->number, ops->text)
 *	table_close(t);
 *
 * A table that cannot be opened says why in one line that names the file and
 * what to do.  One row that cannot be read (a process that has gone) is left
 * out; a value that cannot be read is NIL.  Memory comes from the world's mem
 * when the table is opened; rows of processes and process_counts take none.
 */
#ifndef ENGINE_TABLE_TABLE_H
#define ENGINE_TABLE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lang/base/buf.h"
#include "lang/base/mem.h"
#include "engine/vm/row.h"

#define LIM_TABLE_WHY	300	/* bytes of a reason: a path and a sentence */

/* Whose rows, and what belongs to it.  Functions may be NULL. */
struct table_world {
	struct mem	*mem;
	const char	*root;		/* folder with proc, sys, etc in it, or "":
					 * the machine itself */
	double		 now;		/* seconds since 1970 */
	bool		 limited;	/* no more than what was in memory when it
					 * began: no name service */
	/* what there was before memory became short, and is answered from
	 * instead of the machine (snapshot.h); NULL: the machine is asked */
	const struct snapshot *snapshot;
	void		*arg;
	/* Open tables, oldest first, for whoever closes what a jump out of
	 * memory has left; NULL: nobody does.  A table that reads another one
	 * makes itself first, and closes the other. */
	struct table	**list;
	/* a WARNING in the run's log */
	void		(*warn)(void *arg, struct str text);
	/* a user's name through the system's name service; NIL: none */
	struct str	(*username)(void *arg, uid_t);
	struct str	(*groupname)(void *arg, gid_t);
	/* where the last run has left off (kernel, oom_kills): any bytes, empty
	 * the first time; and what the next run begins with */
	struct str	(*position)(void *arg, struct str name);
	void		(*leave)(void *arg, struct str name, struct str position);
	/* all output of a program, words up to NULL, at most max bytes; false:
	 * it failed, *out says why */
	bool		(*command)(void *arg, const char *const *argv, size_t max,
			    struct str *out);
	/* true: the run must end */
	bool		(*stop)(void *arg);
};

struct table_ask {
	enum table_id	 id;
	struct str	 text[TABLE_ARGS];	/* its arguments, by place; valid
						 * while it is opened */
	double		 number[TABLE_ARGS];
	unsigned	 narg;
	pid_t		 only;		/* processes: this one, 0: all */
};

enum table_next { TABLE_ROW = 1, TABLE_END = 0, TABLE_FAILED = -1 };

struct snapshot;
struct table;		/* begins with a struct row */

struct table *table_open(const struct table_world *, const struct table_ask *,
	    char why[LIM_TABLE_WHY]);
enum table_next table_next(struct table *);
struct row *table_row(struct table *);
/* After TABLE_FAILED. */
const char *table_why(const struct table *);
void	 table_close(struct table *);

/* --- for those who make tables: a struct table_maker each, table_NAME --- */

struct table_maker {
	/* allocates the table's own struct, which begins with struct table */
	struct table	*(*open)(const struct table_world *,
			    const struct table_ask *, char why[LIM_TABLE_WHY]);
	enum table_next	 (*next)(struct table *);
	void		 (*close)(struct table *);
	struct row_ops	 row;
};

struct table {
	struct row	 row;		/* first */
	struct table	*next;		/* in the world's list */
	const struct table_maker *maker;
	struct table_world world;
	char		 why[LIM_TABLE_WHY];
};

/*
 * A struct of n bytes that begins with a struct table, zeroed and filled.
 * From here on it may be closed at any time: `close` ends and frees what there
 * is of it.  An open that fails later frees it.
 */
struct table *table_make(const struct table_world *,
	    const struct table_maker *, size_t n);
/* ROOT/path into to; false: too long. */
bool	 table_path(const struct table_world *, const char *path, char *to,
	    size_t n);

#define T(id, name, args, help) extern const struct table_maker table_##name;
#include "lang/table/tables.def"

#endif
