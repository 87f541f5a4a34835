/*
 * incident: what the commands that show and quiet incidents share: the state
 * with its incidents and silences, how one is named, and how a person sees
 * times and texts.
 */
#ifndef ENGINE_CLI_INCIDENT_H
#define ENGINE_CLI_INCIDENT_H

#include "engine/cli/outbox.h"
#include "engine/daemon/look.h"

#define LIM_SILENCE	(400 * 86400.0)	/* seconds: what is never to be told is
					 * no matter of a silence, but of the
					 * script */
#define LIM_SILENCE_TEXT 1000	/* bytes of a reason or a pattern: a person
				 * types it, a line shows it */

struct at_hand {
	struct cli	*c;
	struct outbox_options o;	/* the state is in it */
	struct look	 l;		/* incidents and silences */
};

/* Opens the state and reads all; false: told of. */
bool	hand_open(struct cli *, bool read_only, struct at_hand *);
void	hand_close(struct at_hand *);
/* The state has failed: says so.  EXIT_PROBLEMS. */
int	hand_failed(const struct at_hand *);
/* By its key or id, or the beginning of an id; NULL: told of, with the
 * nearest key. */
struct incident *hand_find(struct at_hand *, const char *name);
/* Its colour on a terminal, or "". */
const char *hand_colour(const struct at_hand *, const struct incident *);
/* Who calls: the login name behind sudo, else that of the real user. */
struct str cli_who(struct cli *);

/* json.c: a whole document, which it frees. */
void	cli_json_put(json_t *, struct buf *);

#endif
