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

#endif
