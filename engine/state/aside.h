/*
 * aside: files beside the state's: copies before an upgrade, and a file that
 * is damaged.  Why apart: nothing that SQLite cannot read is ever deleted, and
 * what replaces it is whole before it has its name.
 */
#ifndef ENGINE_STATE_ASIDE_H
#define ENGINE_STATE_ASIDE_H

#include "engine/state/store.h"

/* A name that nothing has: PATH + what + time + tail. */
void	aside_name(struct store *, struct buf *to, const char *what,
	    const char *tail);
/* A file's bytes and its name in the folder are on the disk. */
bool	aside_sync(struct store *, const char *path);
/*
 * The file, which is closed and damaged, and its journals get names that
 * nobody reads; one with what could be saved of it (salvage.h) takes its
 * place, and the store's note says so.  False: it is left where it is, see
 * the store's why.
 */
bool	aside_set(struct store *);

#endif
