/*
 * walk: the names below a folder, one after the other, each folder entered
 * only when told to.  Links are never followed, so no folder can lead out of
 * the tree; memory and descriptors are bounded by the depth.
 */
#ifndef ENGINE_TABLE_WALK_H
#define ENGINE_TABLE_WALK_H

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "lang/base/str.h"

#define LIM_WALK_DEPTH	32	/* folders in one another: a descriptor each */

struct walk {
	DIR		*dir[LIM_WALK_DEPTH];
	size_t		 len[LIM_WALK_DEPTH];	/* of path, where it ends */
	unsigned	 depth;			/* folders that are open */
	unsigned char	 type;			/* d_type of the name */
	size_t		 n;			/* of path, with the name */
	char		 path[PATH_MAX];	/* below the top: "a/b" */
};

/* False: errno says why.  The top itself may be a link. */
bool	 walk_open(struct walk *, const char *top);
/* The next name; false: the end, or errno is not 0: the folder that it is in
 * cannot be read to its end.  Names that make a path too long are left out. */
bool	 walk_next(struct walk *);
/* Of the name that walk_next gave. */
int	 walk_dir(const struct walk *);
const char *walk_name(const struct walk *);
/* False: the listing says that it is no folder. */
bool	 walk_maybe_dir(const struct walk *);
/* Go on in the folder that it names.  False: errno; ELOOP: too deep. */
bool	 walk_enter(struct walk *);
void	 walk_close(struct walk *);

#endif
