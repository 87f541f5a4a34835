/* act: what the acting functions of both hosts share. */
#ifndef ENGINE_EFFECT_ACT_H
#define ENGINE_EFFECT_ACT_H

#include "engine/effect/state.h"
#include "engine/effect/target.h"

void	live_act(void *, const struct act *, struct act_result *);
void	dry_act(void *, const struct act *, struct act_result *);

/*
 * An act begins: it goes into the trail, the alert's log and the audit log
 * of the system.  False: the host only tells of it, the result is set.
 */
bool	act_begins(struct live *, bool dry, const char *what, const char *text,
	    struct act_result *, double plausible);

/* One for each kind, or some; false with the reason. */
bool	act_kill(struct live *, const struct act *, bool dry,
	    struct act_result *);
bool	act_terminate(struct live *, const struct act *, bool dry,
	    struct act_result *);
bool	act_killall(struct live *, const struct act *, bool dry,
	    struct act_result *);
bool	act_renice(struct live *, const struct act *, bool dry,
	    struct act_result *);
bool	act_setlimit(struct live *, const struct act *, bool dry,
	    struct act_result *);
bool	act_oomadjust(struct live *, const struct act *, bool dry,
	    struct act_result *);
/* And thaws. */
bool	act_freeze(struct live *, const struct act *, bool dry,
	    struct act_result *);

#endif
