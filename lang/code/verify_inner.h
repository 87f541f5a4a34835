/*
 * verify_inner: what the two halves of the proof share: verify.c looks at all
 * that a program declares, verify_code.c at its instructions.
 */
#ifndef LANG_CODE_VERIFY_INNER_H
#define LANG_CODE_VERIFY_INNER_H

#include "lang/code/verify.h"

#define LIM_FAR		0x10000		/* sixteen bits in an instruction */

struct check {
	const struct program	*p;
	struct buf		*why;
	uint32_t		 pc;	/* of the instruction at hand */
	uint32_t		 lo, hi; /* its piece of code */
	const struct func	*f;	/* if that is a function */
	/* what it may name */
	uint32_t		 nnvar, nsvar, nntemp, nstemp, narray, nslot;
	const struct array_decl	*array;
};

/* False, with the script's name and what is wrong of it. */
bool	verify_bad(struct check *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
/* When all else is right. */
bool	verify_code(struct check *);

#endif
