/* incidents: the hosts' functions for incident statements; see incidents.c. */
#ifndef ENGINE_EFFECT_INCIDENTS_H
#define ENGINE_EFFECT_INCIDENTS_H

#include "engine/effect/live.h"

enum incident_verdict live_incident(void *, const struct incident_seen *);
enum incident_verdict dry_incident(void *, const struct incident_seen *);
double	live_incident_fact(void *, enum incident_fact, struct str key);

#endif
