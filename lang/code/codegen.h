/* codegen: a checked script to a program. */
#ifndef LANG_CODE_CODEGEN_H
#define LANG_CODE_CODEGEN_H

#include "lang/check/check.h"
#include "lang/code/program.h"

/*
 * Fills *p, all of it in the arena (the caller's, apart from the compile's).
 * False: a limit was told of in c->diag.
 */
bool	codegen(struct check *, struct arena *, bool trace, bool cover,
	    struct program *p);

#endif
