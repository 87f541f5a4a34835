/*
 * arena: many small pieces that die together.  Why: a compile, a run and an
 * input line each make garbage of one life; it is reset, not freed.
 *
 * The arena owns its blocks; what arena_alloc returns is valid until the
 * arena is reset past it or freed.
 */
#ifndef LANG_BASE_ARENA_H
#define LANG_BASE_ARENA_H

#include "lang/base/mem.h"
#include "lang/base/str.h"

struct arena_block;

struct arena {
	struct mem		*mem;
	struct arena_block	*head;	/* newest first */
	struct arena_block	*spare;	/* kept by a reset to empty, or NULL */
	char			*p, *end;
	size_t			 block;	/* bytes of an ordinary block */
};

struct arena_mark {
	struct arena_block	*head;
	char			*p;
};

/* block: bytes of an ordinary block; nothing is allocated yet. */
void	 arena_init(struct arena *, struct mem *, size_t block);
/* n bytes, aligned for any type. */
void	*arena_alloc(struct arena *, size_t n);
void	*arena_zalloc(struct arena *, size_t n);
/* n bytes without alignment, for text. */
char	*arena_text(struct arena *, size_t n);
/* A copy of a view; a zero byte follows it. */
struct str arena_dup(struct arena *, struct str);
struct arena_mark arena_mark(const struct arena *);
/*
 * Back to a mark; blocks newer than it are freed.  A mark of an empty arena
 * keeps one ordinary block for the next use.
 */
void	 arena_reset(struct arena *, struct arena_mark);
void	 arena_free(struct arena *);
/* True if anything has been taken since the arena was empty. */
static inline bool
arena_dirty(const struct arena *a, struct arena_mark m)
{
	return a->head != m.head || a->p != m.p;
}

#endif
