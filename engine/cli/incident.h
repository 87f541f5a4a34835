/*
 * incident: what the commands that show and quiet incidents share: the state
 * with its incidents and silences, how one is named, and how a person sees
 * times and texts.
 */
#ifndef ENGINE_CLI_INCIDENT_H
#define ENGINE_CLI_INCIDENT_H

#include <jansson.h>

#include "engine/cli/outbox.h"
#include "engine/state/incidents.h"

#define LIM_SILENCE	(400 * 86400.0)	/* seconds: what is never to be told is
					 * no matter of a silence, but of the
					 * script */
#define LIM_SILENCE_TEXT 1000	/* bytes of a reason or a pattern: a person
				 * types it, a line shows it */

/* A silence as the store has it. */
struct hush {
	struct silence	 is;		/* its id is "s12" */
	double		 n;		/* 12 */
	double		 ended;		/* by a person, 0: it was not */
};

struct at_hand {
	struct cli	*c;
	struct outbox_options o;	/* the state is in it */
	struct incidents incidents;	/* all */
	struct hush	*quiet;		/* the newest first */
	size_t		 nquiet, capquiet;
	double		 now;
};

/* Opens the state and reads all; false: told of. */
bool	hand_open(struct cli *, bool read_only, struct at_hand *);
void	hand_close(struct at_hand *);
/* The state has failed: says so.  EXIT_PROBLEMS. */
int	hand_failed(const struct at_hand *);
/* By its key or id, or the beginning of an id; NULL: told of, with the
 * nearest key. */
struct incident *hand_find(struct at_hand *, const char *name);
/* The silence that holds it back the longest, or NULL. */
const struct hush *hand_silence(const struct at_hand *,
	    const struct incident *);
/* Whether a silence holds now, whatever it is about. */
bool	hush_holds(const struct hush *, double now);

/* "firing", "acknowledged", "silenced", "inhibited" ...: one word for it. */
const char *hand_word(const struct at_hand *, const struct incident *);
/* Its colour on a terminal, or "". */
const char *hand_colour(const struct at_hand *, const struct incident *);
/* All of it for programs. */
json_t	*cli_json_incident(const struct at_hand *, const struct incident *);
json_t	*cli_json_silence(const struct at_hand *, const struct hush *);

/* "14:05" today, else "2026-11-23 14:05", in the local zone. */
void	cli_moment(struct buf *, double t, double now);
/* "2h 5m" */
void	cli_span(struct buf *, double seconds);
/* Who calls: the login name behind sudo, else that of the real user. */
struct str cli_who(struct cli *);

/* json.c: a text whose bytes may be anything, a number, and a whole document,
 * which it frees. */
json_t	*cli_json_text(struct cli *, struct str);
json_t	*cli_json_number(double);
void	cli_json_put(json_t *, struct buf *);

#endif
