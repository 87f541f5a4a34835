/*
 * mem: counted memory with a limit.  Why: no input may take the machine's
 * memory, and code that cannot get memory must end in one defined place
 * instead of testing each pointer.
 *
 * Whoever starts a piece of work (one compile, one run) sets up a struct mem
 * with a limit and a jump buffer; an allocation that is refused by the limit
 * or by the system jumps there and never returns.
 */
#ifndef LANG_BASE_MEM_H
#define LANG_BASE_MEM_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

struct mem {
	size_t	 used;		/* bytes handed out now */
	size_t	 peak;		/* highest `used` */
	size_t	 limit;		/* bytes */
	jmp_buf	*fail;		/* where refusal goes; value 1 */
	bool	 at_limit;	/* refused by the limit, not by the system */
};

void	 mem_init(struct mem *, size_t limit, jmp_buf *fail);
/* n bytes, never NULL; the caller owns them and frees with the same n. */
void	*mem_alloc(struct mem *, size_t n);
void	*mem_zalloc(struct mem *, size_t n);
void	*mem_realloc(struct mem *, void *p, size_t oldn, size_t n);
void	 mem_free(struct mem *, void *p, size_t n);
/* Counts bytes that somebody else allocated (libraries); may jump. */
void	 mem_charge(struct mem *, size_t n);
void	 mem_uncharge(struct mem *, size_t n);
/* Leaves through the jump buffer. */
_Noreturn void mem_fail(struct mem *, bool at_limit);

#endif
