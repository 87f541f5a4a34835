/*
 * schema: the tables of the state's file, and how a file of an older Picket
 * gets those of this one.  Each version is a text of SQL on top of the one
 * before, so a new file and an upgraded one have the same tables.
 */
#ifndef ENGINE_STATE_SCHEMA_H
#define ENGINE_STATE_SCHEMA_H

#include "engine/state/store.h"

#define STORE_VERSION	3	/* of the schema */

/* schema_of[v]: from version v to v + 1; 0 is an empty file. */
extern const char *const schema_of[STORE_VERSION];

/*
 * Brings the open file from a version to STORE_VERSION in one transaction;
 * SQLite's code.  What is killed within leaves the version as it was.
 */
int	schema_make(struct store *, int from);

#endif
