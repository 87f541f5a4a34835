/* scarce_inner: what hosts ask when memory is short. */
#ifndef ENGINE_EFFECT_SCARCE_INNER_H
#define ENGINE_EFFECT_SCARCE_INNER_H

#include "engine/effect/scarce.h"
#include "engine/effect/state.h"
#include "engine/effect/target.h"

/* As target_look: 1: it is that one, 0: there is none, -1: errno. */
int	 scarce_look(struct live *, pid_t, struct target *);
/* Picket and its parents, as find_own. */
void	 scarce_own(struct live *, struct act_state *);
struct str scarce_user(const struct live *, uid_t);
/* Its cgroup and its unit, NIL: none. */
void	 scarce_places(const struct live *, pid_t, struct str place[2]);
/* As act_killall; false with the reason. */
bool	 scarce_killall(struct live *, const struct act *, bool dry,
	    struct act_result *);

#endif
