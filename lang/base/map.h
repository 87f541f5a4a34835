/*
 * map: text key to a pointer or number, in insertion order.  Keys are copied
 * into the map.  Used for symbols, macros, interned constants.
 * Hashing is seeded per process, so that crafted names cannot collide.
 */
#ifndef LANG_BASE_MAP_H
#define LANG_BASE_MAP_H

#include <stdint.h>
#include "lang/base/arena.h"

struct map_entry {
	struct str	 key;
	uint64_t	 hash;
	union {
		void	*ptr;
		size_t	 num;
	} v;
};

struct map {
	struct arena		*arena;		/* keys and tables live here */
	struct map_entry	*entry;		/* [0..n), insertion order */
	uint32_t		*slot;		/* entry index + 1, 0 empty */
	size_t			 n, cap, nslot;
};

void	map_init(struct map *, struct arena *);
struct map_entry *map_get(const struct map *, struct str key);	/* or NULL */
/* The entry of the key, made with v zero if it is new. */
struct map_entry *map_put(struct map *, struct str key, bool *is_new);
/* The nearest key by spelling, for hints, or NULL. */
const struct map_entry *map_nearest(const struct map *, struct str key);
uint64_t hash_bytes(const char *, size_t);

#endif
