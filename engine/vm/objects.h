/*
 * objects: the object sets of a site (objects.cfg) as a run sees them: a name
 * and lines.  Why an interface: `input object`, #inobject and $lookup ask,
 * and a site, a test of rules or nobody at all answers.
 *
 * The texts live as long as the run.  Lines come without their newline, the
 * blanks at both ends taken off; empty ones are no lines.
 */
#ifndef ENGINE_VM_OBJECTS_H
#define ENGINE_VM_OBJECTS_H

#include <stdbool.h>
#include "lang/base/str.h"

struct objects {
	const void *o;
	/* false: there is no such set */
	bool	(*lines)(const void *o, struct str set,
		    const struct str **line, size_t *n);
	/* the known set whose name is nearest, for a message; NIL if none */
	struct str (*nearest)(const void *o, struct str set);
};

#endif
