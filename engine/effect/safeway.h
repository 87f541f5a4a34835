/*
 * safeway: the way to a file that lies where others may put names, walked so
 * that nobody else can have led it elsewhere.  Why not open(2) with the whole
 * path: it follows what another user has laid on the way.
 *
 * Each folder on the way belongs to root, to who runs this, or to one other
 * user, and is not writable by everybody unless it is sticky and the next name
 * in it belongs to root, to who runs this or to that user.  Symbolic links of
 * root or of who runs this are followed on the way (/var/mail is one on many
 * systems), in folders of that other user none.  The last component is never
 * followed.
 */
#ifndef ENGINE_EFFECT_SAFEWAY_H
#define ENGINE_EFFECT_SAFEWAY_H

#include <limits.h>
#include <sys/stat.h>

#include "engine/effect/state.h"

#define LIM_WAY_LINKS	40	/* symbolic links on one way: as the kernel */

struct safeway {
	int		 dir;		/* the folder, O_PATH; -1: none */
	struct stat	 st;		/* of it */
	bool		 foreign;	/* a folder on the way belongs to */
	uid_t		 whose;		/* this user, neither root nor us */
	char		 base[NAME_MAX + 1]; /* the last component */
};

/* The path from /; false with the reason: too long. */
bool	safeway_absolute(struct live *, struct str path, char to[PATH_MAX]);
/*
 * To the folder of an absolute path, or, if whole, to the folder that it
 * names.  false: the reason is set, nothing is open.  Allocates nothing.
 */
bool	safeway_walk(struct live *, const char *path, bool whole,
	    struct safeway *);
void	safeway_close(struct safeway *);

#endif
