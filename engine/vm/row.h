/*
 * row: a line of a native table as the machine sees it: columns that are read
 * when a script asks for them.  Why a vtable: the rows come from the kernel,
 * from a recorded folder or from a test, and the machine must not know.
 */
#ifndef ENGINE_VM_ROW_H
#define ENGINE_VM_ROW_H

#include "lang/base/str.h"
#include "lang/table/tables.h"

struct row;

struct row_ops {
	/* a column of this table, by its sigil; NUM_NIL or STR_NIL: the system
	 * does not tell.  A text is valid until the next row. */
	double	(*number)(struct row *, enum table_column);
	struct str (*text)(struct row *, enum table_column);
};

/* First member of whatever makes rows. */
struct row {
	const struct row_ops *ops;
};

#endif
