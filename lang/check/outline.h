/*
 * outline: what a script says that a person wants to know before it runs: its
 * input, its incidents with their conditions, what it writes, runs and does,
 * each as it is written, macros expanded.  For `picket explain`.
 */
#ifndef LANG_CHECK_OUTLINE_H
#define LANG_CHECK_OUTLINE_H

#include "lang/syntax/ast.h"

#define LIM_OUTLINE_TEXT 300	/* bytes of one item: what a person reads */

struct outline {
	struct arena	*arena;
	struct source_set *src;
	struct compile_outline *item;
	size_t		 n, cap;
};

/* Adds what one script says; texts are copies in the arena. */
void	 outline_script(struct outline *, const struct script *,
	    uint32_t number);

#endif
