/*
 * rowcopy: a row with values of its own.  A row of a table is gone with the
 * next one; #eoi, dat variables in the end section and %x of a dat look at
 * one later.  Only the columns that the program names are copied.
 */
#ifndef ENGINE_RUN_ROWCOPY_H
#define ENGINE_RUN_ROWCOPY_H

#include "lang/base/mem.h"
#include "lang/code/program.h"
#include "engine/vm/row.h"

struct rowcopy;

struct rowcopy *rowcopy_new(struct mem *, const struct program *);
void	 rowcopy_free(struct rowcopy *);
void	 rowcopy_take(struct rowcopy *, struct row *);
struct row *rowcopy_row(struct rowcopy *);

#endif
