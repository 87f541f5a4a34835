/*
 * proc: what /proc tells about processes, as far as the hosts need it.
 */
#ifndef ENGINE_EFFECT_PROC_H
#define ENGINE_EFFECT_PROC_H

#include <stdbool.h>
#include <sys/types.h>

#include "lang/base/str.h"

/* The lowest pid of a process with that command name, or 0.  Zombies are not
 * counted: what is dead does not run. */
pid_t	 proc_by_name(struct str comm);
/* True if processes other than its leader are alive in a process group. */
bool	 proc_group_others(pid_t pgid);

#endif
