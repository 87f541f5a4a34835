/*
 * look: the incidents and silences of the state as people and programs see
 * them: which word stands for one, what is worse, its JSON.  Why a module:
 * the commands and the status page must not say two things of one incident.
 */
#ifndef ENGINE_DAEMON_LOOK_H
#define ENGINE_DAEMON_LOOK_H

#include <jansson.h>

#include "engine/state/incidents.h"

/* A silence as the store has it. */
struct hush {
	struct silence	 is;		/* its id is "s12" */
	double		 n;		/* 12 */
	double		 ended;		/* by a person, 0: it was not */
};

struct look {
	struct mem	*mem;
	struct arena	*arena;		/* of the silences */
	struct incidents incidents;
	struct hush	*quiet;		/* the newest first */
	size_t		 nquiet, capquiet;
	double		 now;
};

/* Reads all; false: see state_why, and nothing is to be freed. */
bool	look_load(struct look *, struct mem *, struct arena *, struct state *,
	    double now);
void	look_free(struct look *);

/* The silence that holds it back the longest, or NULL. */
const struct hush *look_silence(const struct look *, const struct incident *);
/* Whether a silence holds now, whatever it is about. */
bool	hush_holds(const struct hush *, double now);
/* "firing", "acknowledged", "silenced", "inhibited" ...: one word for it. */
const char *look_word(const struct look *, const struct incident *);
/* For qsort of struct incident *: the worst first. */
int	look_worse(const void *, const void *);
/* How long it has been what it is. */
double	look_lasts(const struct look *, const struct incident *);

/* "14:05" today, else "2026-11-23 14:05", in the local zone. */
void	look_moment(struct buf *, double t, double now);
/* "2h 5m" */
void	look_span(struct buf *, double seconds);

/* All of it for programs. */
json_t	*look_json_incident(const struct look *, const struct incident *);
json_t	*look_json_silence(const struct look *, const struct hush *);
/* A text whose bytes may be anything: what is not UTF-8 is escaped.  NIL is
 * null. */
json_t	*look_json_text(struct mem *, struct str);
json_t	*look_json_number(double);

#endif
