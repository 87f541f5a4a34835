/*
 * progfile: compiled programs as bytes, the .pkc file.  Why: resident
 * processes load programs and never compile; a file may come from another
 * version, another machine, or be damaged.
 *
 * The bytes (all numbers little-endian):
 *	8	magic "picket\x1a\n"
 *	4	PROGFILE_VERSION
 *	8	hash of the tables of operations, builtins and columns
 *	8	length of what follows the checksum
 *	8	checksum of what follows (FNV-1a, 64 bits)
 *	...	the programs
 * The checksum finds damage, it does not prove who made the file.
 */
#ifndef LANG_CODE_PROGFILE_H
#define LANG_CODE_PROGFILE_H

#include "lang/base/buf.h"
#include "lang/code/program.h"

#define PROGFILE_VERSION 3	/* of the layout; the hash covers the tables */
#define PROGFILE_HEAD	36	/* bytes up to the programs */

/* True if the bytes begin as a compiled file does. */
bool	 progfile_is(struct str bytes);
/* Appends the file's bytes. */
void	 progfile_write(const struct program_set *, struct buf *out);
/*
 * Reads a file's bytes; everything made lives in the arena, nothing points
 * into the bytes.  False with *why, a clause that goes with the file's name
 * ("is cut short").  The programs must still pass program_verify.
 */
bool	 progfile_read(struct str bytes, struct arena *,
	    struct program_set *out, const char **why);
/* The checksum of some bytes. */
uint64_t progfile_sum(struct str);
/* The hash of the tables: programs of another one mean something else. */
uint64_t progfile_tables(void);

#endif
