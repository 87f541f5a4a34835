/*
 * user: who a child is: ids, groups, and the clean environment made of it.
 * Why ahead of time: the user database may allocate, lock and ask the
 * network, none of which may happen between fork and exec.
 */
#ifndef ENGINE_EFFECT_USER_H
#define ENGINE_EFFECT_USER_H

#include <stdbool.h>
#include <sys/types.h>

#include "lang/base/mem.h"

#define LIM_USER_NAME	256		/* bytes, as login(1) */
#define LIM_USER_GROUPS	65536		/* NGROUPS_MAX of Linux */
#define USER_ENV	8		/* PATH HOME LOGNAME USER TZ PICKET_RUN_ID,
					 * NULL, and one to spare */

struct user {
	struct mem	*mem;
	uid_t		 uid;
	gid_t		 gid;
	gid_t		*group;		/* of initgroups */
	size_t		 ngroup;
	char		 name[LIM_USER_NAME];
	char		*env[USER_ENV];
	char		*text;		/* owns the environment's texts */
	size_t		 ntext;
};

/*
 * Fills *u with the user of that name, or, with NULL, with the one we are
 * (then even without an entry in the user database).  False: not known, or
 * the database failed: why gets the reason.  May jump (mem.h).
 */
bool	user_find(struct user *u, struct mem *, const char *name,
	    const char *path, const char *run_id, char *why, size_t nwhy);
void	user_free(struct user *);

#endif
