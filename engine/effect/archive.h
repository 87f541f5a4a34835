/*
 * archive: #archive, #quarantine and #rotate (functions.md, "keeping things
 * safe").  A copy is made beside its final name, is read back, synced, and
 * gets that name when it is whole: whoever is killed leaves no half archive.
 * What a script names may lie where others can write: see safeway.h.
 *
 * Whose file: it is a regular file with one name, and belongs to root, to who
 * runs this, to the owner of its folder, or to the user whose name it has
 * (/var/mail/USER, .USER.pop).
 */
#ifndef ENGINE_EFFECT_ARCHIVE_H
#define ENGINE_EFFECT_ARCHIVE_H

#include "engine/effect/safeway.h"

#define ARCHIVE_BLOCK	(256 * 1024)	/* bytes of a read: few calls, and an
					 * interrupt is heeded at once */
#define LIM_ARCHIVE_FREE 10	/* percent of the target's filesystem that stay
				 * free: who keeps evidence must not fill it */
#define LIM_ARCHIVE_TRIES 3	/* copies of a file that changes meanwhile; times
				 * that it is exchanged before it is locked */
#define LIM_ARCHIVE_SAME 1000	/* archives of one name and second */
#define LIM_ARCHIVE_BASE 200	/* bytes of a name before .TIME.N; a longer one
				 * is cut, and a number tells it apart */

/* ACT_ARCHIVE and ACT_QUARANTINE; ACT_ROTATE.  dry: only told of.  False: the
 * reason is set. */
bool	archive_act(struct live *, const struct act *, bool dry,
	    struct act_result *);
bool	archive_rotate(struct live *, const struct act *, bool dry,
	    struct act_result *);

/* --- for its own files --- */

/* A path looked at: refused, or the file's status. */
bool	archive_look(struct live *, const char *path, struct safeway *,
	    struct stat *);
/* FNV-1a: names of our own files are made of it. */
uint64_t archive_hash(const char *);

#endif
