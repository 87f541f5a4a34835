/*
 * archive_inner: a copy being made; what archive.c, archive_copy.c and
 * archive_last.c share.
 */
#ifndef ENGINE_EFFECT_ARCHIVE_INNER_H
#define ENGINE_EFFECT_ARCHIVE_INNER_H

#include "engine/builtin/checksum.h"
#include "engine/effect/archive.h"
#include "engine/effect/maillock.h"

struct archive {
	struct live	*l;
	char		 path[PATH_MAX];	/* absolute */
	char		 folder[PATH_MAX];	/* of the copies */
	uint64_t	 hash;			/* of the path */
	double		 now;
	struct safeway	 from, to;
	int		 in, out;		/* -1: not open */
	int		 sync;			/* the folder of copies */
	bool		 writing;		/* in is open to write */
	struct maillock	 lock;
	bool		 locked;		/* by both locks */
	bool		 torn;			/* it changed while it was copied */
	struct stat	 st;			/* under the locks */
	char		 sum[CHECKSUM_TEXT];	/* of its first st_size bytes */
	char		 temp[NAME_MAX + 1];	/* the copy, "": none */
	char		 name[NAME_MAX + 1];	/* its final name */
	char		*block;			/* two of ARCHIVE_BLOCK */
};

/* --- archive_copy.c --- */
/* The sum of the first n bytes; false with the reason. */
bool	archive_sum(struct archive *, int fd, off_t n,
	    char sum[CHECKSUM_TEXT]);
/* Makes a.temp, whole and synced.  false: the reason is set. */
bool	archive_copy(struct archive *);
/* Gives it its name. */
bool	archive_name(struct archive *);
/* Which one is wished for at the i-th try: BASE.TIME, BASE.TIME.1 ... */
void	archive_wish(const struct archive *, int i, char to[NAME_MAX + 1]);
void	archive_drop_copy(struct archive *);

/* --- archive_last.c: what was archived last of a path --- */
/* True: a.name is a whole copy of the file as it is. */
bool	archive_is_kept(struct archive *);
/* Best effort: without it, it is copied once more. */
void	archive_remember(struct archive *);

#endif
