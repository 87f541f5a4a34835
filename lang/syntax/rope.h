/*
 * rope: a text and where each byte of it came from, before it is part of the
 * lexer's text.  Why: macros and arguments are put together from pieces, and
 * the pieces keep their places (lang/base/source.h).
 *
 * Text and segments are views or live in an arena.
 */
#ifndef LANG_SYNTAX_ROPE_H
#define LANG_SYNTAX_ROPE_H

#include "lang/base/source.h"

#define ROPE_OWN	(SOURCE_NONE - 1) /* in a segment: the rope's own use */
#define ROPE_FIXED	0x80000000u	/* added to a segment's file: its text
					 * has no macros and no comments */

struct rope {
	struct str		 text;
	struct source_seg	*seg;	/* `at` counts in text */
	size_t			 nseg;
	uint32_t		 use;	/* what ROPE_OWN means */
};

/* A rope that is being made. */
struct rope_maker {
	struct arena		*arena;
	char			*p;
	size_t			 n, cap;
	struct source_seg	*seg;
	size_t			 nseg, capseg;
};

/* A rope over a part of one file. */
struct rope rope_of(struct arena *, struct str, uint32_t file, uint32_t off);
/* Bytes [from, to) of a rope. */
struct rope rope_part(struct arena *, const struct rope *, size_t from,
	    size_t to);
/* The segment that holds byte i; of an empty rope none may be asked. */
const struct source_seg *rope_seg(const struct rope *, size_t i);
/* The place of byte i (the end is allowed) with its use. */
struct place rope_place(struct source_set *, const struct rope *, size_t i);

/* True of a byte that is to be left as it is. */
static inline bool
rope_fixed(const struct rope *r, size_t i)
{
	return (rope_seg(r, i)->file & ROPE_FIXED) != 0;
}

/* Room for n bytes at first: who makes a rope often knows how long it gets. */
void	 rope_start(struct rope_maker *, struct arena *, size_t n);
void	 rope_add(struct rope_maker *, struct str, uint32_t file, uint32_t off,
	    uint32_t use);
/* Adds bytes [from, to) of a rope. */
void	 rope_add_part(struct rope_maker *, const struct rope *, size_t from,
	    size_t to);
struct rope rope_done(const struct rope_maker *, uint32_t use);

#endif
