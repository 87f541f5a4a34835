/*
 * facts: what both hosts answer to `ask` (engine/vm/host.h).  Private to
 * engine/effect but for what a test calls.
 */
#ifndef ENGINE_EFFECT_FACTS_H
#define ENGINE_EFFECT_FACTS_H

#include "engine/vm/host.h"

int	live_ask(void *, enum fact, struct str key, struct str *answer);
int	live_open(void *, struct str path);
/* paths.c: the facts about paths. */
struct live;
int	paths_ask(struct live *, enum fact, struct str key, struct str *answer);
/*
 * The sessions of a user: as the file utmp has them, or where there is none,
 * the folder of logind's, which knows users by number.  -1: neither is there.
 */
int	facts_sessions(const char *utmp, const char *folder, struct str user,
	    struct str number);

#endif
