/*
 * array: a script's array, text key to number or string, in insertion order.
 * Owns keys and values.  Values and keys that leave by array_del, array_put
 * or array_clear are handed to `retire`, not freed at once: a register may
 * still view them until the end of the statement.
 */
#ifndef ENGINE_VM_ARRAY_H
#define ENGINE_VM_ARRAY_H

#include <stdint.h>
#include "lang/base/mem.h"
#include "lang/base/str.h"

struct array_item {
	char		*key;		/* NULL: deleted */
	size_t		 nkey;
	uint64_t	 hash;
	double		 n;
	char		*p;		/* string value; NULL with n set as NIL/ERR */
	size_t		 np, cap;
};

struct array {
	struct mem	*mem;
	void		(*retire)(void *ctx, void *p, size_t n);
	void		*ctx;
	struct array_item *item;	/* insertion order, with holes */
	uint32_t	*slot;		/* index + 1, 0 empty */
	size_t		 nitem, cap;	/* used, room */
	size_t		 nlive;
	size_t		 nslot;
	bool		 number;
	/* where items go, as they were, before they are changed for the first
	 * time; NULL: nowhere */
	struct array	*before;
};

void	 array_init(struct array *, struct mem *, bool number,
	    void (*retire)(void *, void *, size_t), void *ctx);
void	 array_free(struct array *);
struct array_item *array_find(const struct array *, struct str key);
/* The item of the key, made (NIL) if missing. */
struct array_item *array_make(struct array *, struct str key);
void	 array_put_str(struct array *, struct str key, struct str v); /* copies */
struct str array_item_str(const struct array_item *);
bool	 array_del(struct array *, struct str key);
void	 array_clear(struct array *);

#endif
