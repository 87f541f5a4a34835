/*
 * shape: what the shape column of opcodes.def says, taken apart.  Why: the
 * verifier and the disassembler walk operands by it, so neither knows single
 * operations where the table knows them.
 */
#ifndef LANG_CODE_SHAPE_H
#define LANG_CODE_SHAPE_H

#include "lang/code/program.h"

struct shape {
	char	a, b, c;	/* letters of the narrow operands, '-' unused */
	char	bx, ax;		/* letters of the wide ones, '-' none */
	bool	ext;		/* an EXT word follows */
	bool	cond;		/* a JMP word follows, after EXT if both do */
};

struct shape shape_of(enum opcode);
/* Words of the instruction at that shape: 1, 2 or 3. */
static inline uint32_t
shape_words(struct shape s)
{
	return 1u + s.ext + s.cond;
}

#endif
