/*
 * tables: the rows of tables.def as enums and an array: the native tables and
 * their columns.
 */
#ifndef LANG_TABLE_TABLES_H
#define LANG_TABLE_TABLES_H

#include <stdbool.h>
#include "lang/base/str.h"

#define TABLE_ARGS	2	/* most that a table takes */

enum table_id {
#define T(id, name, args, help) TABLE_##id,
#include "lang/table/tables.def"
	TABLE_COUNT
};

/* Every column by a number of its own: COLUMN_PROCESSES_rss.  The columns of
 * a table stand together; see table_info. */
enum table_column {
#define C(id, name, sigil, help) COLUMN_##id##_##name,
#include "lang/table/tables.def"
	COLUMN_COUNT
};

struct column_info {
	enum table_id	 table;
	const char	*name;
	char		 sigil;		/* '#' or '$' */
	const char	*help;
};
extern const struct column_info column_info[COLUMN_COUNT];

struct table_info {
	const char	*name;
	const char	*args;		/* as in tables.def */
	const char	*help;
	unsigned	 first;		/* its columns in column_info, up to
					 * the next one's first */
};
extern const struct table_info table_info[TABLE_COUNT + 1];

/* The table of that name, or -1. */
int	 table_find(struct str name);
/* Can it be asked for single values (#column)?  Not if it has arguments, or if
 * it goes on where the last run has ended. */
bool	 table_single(enum table_id);
/* Can it be answered when nothing can be opened any more, from a snapshot and
 * what is open (engine/table/snapshot.h)? */
bool	 table_held(enum table_id);
/* The column (an enum table_column) of that name, whatever its sigil, or -1. */
int	 table_column_find(enum table_id, struct str name);

#endif
