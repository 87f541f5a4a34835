/*
 * fill: one filling of a command template, between template.c, which makes
 * the command, and template_check.c, which holds the rules.  Nobody else
 * includes it.
 */
#ifndef ENGINE_VM_FILL_H
#define ENGINE_VM_FILL_H

#include "engine/vm/template.h"

struct fill {
	const struct template *t;
	struct str	*data;		/* a user's name becomes his home */
	struct arena	*arena;
	struct buf	*why;
	char		**argv;
	size_t		 argc, cap, bytes;
};

/* Rules 2 to 6 on all values and words; false: f->why says which and why. */
bool	 fill_check(struct fill *);
/* The blank-separated word from *at on, or NIL; moves *at behind it. */
struct str fill_next_word(struct str, size_t *at);
/* True for characters that are only themselves in every program. */
bool	 fill_is_safe(char);

#endif
