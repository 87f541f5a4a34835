/*
 * jpath: the way to a value in a JSON document, as a dat writes it:
 * a.b[0].c, [0] where the document is an array, ["a.b"] for names with other
 * characters.  Why here: the compiler judges what the machine walks.
 */
#ifndef LANG_BASE_JPATH_H
#define LANG_BASE_JPATH_H

#include "lang/base/str.h"

#define LIM_JPATH_INDEX	1000000000	/* of [n]: no line holds as many values */

struct jpath_step {
	struct str	 name;		/* of a member; NIL: an element */
	size_t		 index;		/* from 0 */
};

/*
 * The step at *at, which moves behind it; false at the end, and where the
 * path is bad: then *at is not its length.
 */
bool	jpath_next(struct str path, size_t *at, struct jpath_step *);
/* True for a path of at least one step; else *at is where it is bad. */
bool	jpath_check(struct str path, size_t *at);

#endif
