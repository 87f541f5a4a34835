/*
 * tables: native tables for both hosts.  Private to engine/effect.
 */
#ifndef ENGINE_EFFECT_TABLES_H
#define ENGINE_EFFECT_TABLES_H

#include "engine/vm/host.h"

struct table *live_table(void *, const struct table_ask *);
/* Closes those that a jump out of memory has left open. */
struct live;
void	 tables_free_all(struct live *);

#endif
