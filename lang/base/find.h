/*
 * find: a short text in a line.  Why not memmem: libc's prepares a table at
 * each call, which for lines of logs costs more than the search.  Here what
 * is known of the text, its two rarest bytes, is found out once, and sixteen
 * places at a time are looked at for both.
 */
#ifndef LANG_BASE_FIND_H
#define LANG_BASE_FIND_H

#include <stdint.h>
#include "lang/base/str.h"

struct find {
	uint32_t	 a, b;		/* where in the text those bytes stand */
};

void	 find_prepare(struct find *, struct str text);
/*
 * Where the text, for which f was made, stands first in s; NULL if nowhere.
 * An empty text stands everywhere.
 */
const char *find_in(const struct find *f, struct str s, struct str text);

/*
 * Which pairs of neighbouring bytes a line holds, letters of either case as
 * one.  Why: once it is made, a pattern whose text is not in the line costs
 * three looks at a table, however long the line is.  It may say that a text
 * could be there which is not, never the reverse.
 */
#define FIND_PAIRS	3	/* of a text; of three rare ones a line without
				 * the text seldom has all */
#define FIND_SLOTS	4096	/* a line has some hundred pairs */

struct find_digest {
	uint8_t		 mark;		/* what seen[] has for this line */
	uint8_t		 seen[FIND_SLOTS + 1]; /* the last one always has it */
};

struct find_text {		/* of a text: zeroed, it could be anywhere */
	uint16_t	 slot[FIND_PAIRS];	/* from the last one down */
};

void	 find_digest(struct find_digest *, struct str line);
void	 find_digest_text(struct find_text *, struct str text);

static inline bool
find_lacks(const struct find_digest *d, const struct find_text *t)
{
	return ((d->seen[FIND_SLOTS - t->slot[0]] ^ d->mark) |
	    (d->seen[FIND_SLOTS - t->slot[1]] ^ d->mark) |
	    (d->seen[FIND_SLOTS - t->slot[2]] ^ d->mark)) != 0;
}

#endif
