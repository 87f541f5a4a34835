/* memory: the hosts' functions for what outlives a run; see memory.c. */
#ifndef ENGINE_EFFECT_MEMORY_H
#define ENGINE_EFFECT_MEMORY_H

#include "engine/effect/live.h"

bool	live_previous(void *, host_value_fn *, void *);
double	live_runs(void *);
void	live_keep(void *, struct str key, bool number, struct str name,
	    struct str element, struct str text);
void	live_seen(void *, struct str key);
void	live_record(void *, struct str series, double value);

#endif
