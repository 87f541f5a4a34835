/*
 * source: the files of one compile and where each byte of the text that the
 * lexer sees came from.  Why: macros replace text before lexing, and an
 * error must still point at the bytes that a person wrote.
 *
 * The lexer's text is made of segments.  A segment's bytes were copied from
 * one place of one file; a segment made by a macro also knows the use that
 * made it, which may itself stand in a macro: that chain is the trail.
 * The set owns all texts.  Offsets are bytes from 0.
 */
#ifndef LANG_BASE_SOURCE_H
#define LANG_BASE_SOURCE_H

#include <stdint.h>
#include "lang/base/arena.h"
#include "lang/base/buf.h"

#define SOURCE_NONE	UINT32_MAX

struct source_file {
	struct str	 name;		/* as shown in messages */
	struct str	 text;
	uint32_t	*line;		/* offsets of line starts, made when asked */
	uint32_t	 nline;
	uint32_t	 from, from_off; /* what includes it; from SOURCE_NONE:
					 * nothing does */
	bool		 made;		/* by a command: its name is no path */
};

/* A use of a macro: where it stands and what it expands. */
struct source_use {
	struct str	 macro;		/* its name */
	uint32_t	 file, off;	/* the use, in the text it stands in */
	uint32_t	 parent;	/* use that holds this one, or SOURCE_NONE */
	uint32_t	 def_file, def_off; /* definition, or SOURCE_NONE */
};

struct source_seg {
	uint32_t	 at;		/* first offset in the lexer's text */
	uint32_t	 file, off;	/* what it was copied from */
	uint32_t	 use;		/* or SOURCE_NONE */
};

struct source_set {
	struct mem	*mem;
	struct arena	*arena;
	struct source_file *file;
	struct source_use  *use;
	struct source_seg  *seg;
	size_t		 nfile, nuse, nseg, capfile, capuse, capseg;
	struct buf	 text;		/* what the lexer reads */
};

struct place {
	uint32_t	file, off, line, col;	/* line and column from 1, bytes */
	uint32_t	use;			/* innermost use, or SOURCE_NONE */
};

void	 source_init(struct source_set *, struct mem *, struct arena *);
void	 source_free(struct source_set *);
/* Adds a file; the text is not copied and must outlive the set. */
uint32_t source_add(struct source_set *, struct str name, struct str text);
/* The same of one that another includes, at off of file from. */
uint32_t source_add_from(struct source_set *, struct str name, struct str text,
	    uint32_t from, uint32_t off);
uint32_t source_add_use(struct source_set *, struct source_use);
/* Appends bytes to the lexer's text, saying where they came from. */
void	 source_emit(struct source_set *, struct str, uint32_t file,
	    uint32_t off, uint32_t use);
/* Where a byte of the lexer's text stands; the end of the text is allowed. */
struct place source_place(struct source_set *, uint32_t at);
/* The same for a byte of a file. */
struct place source_place_in(struct source_set *, uint32_t file, uint32_t off);
/* The line (without its end) that holds the place. */
struct str source_line(struct source_set *, struct place);
/* True if the byte is the first of its line, as a person wrote it, too. */
bool	 source_column_one(struct source_set *, uint32_t at);

#endif
