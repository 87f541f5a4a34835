/*
 * re: regular expressions, PCRE2 behind one wrapper.  Why a wrapper: limits
 * are always on, the JIT compiles only what has proved hot, literal patterns
 * never reach the library, and nothing else includes pcre2.h.
 *
 * Dialect (language.md 5.2): bytes unless the pattern says (*UTF); $ only at
 * the very end (DOLLAR_ENDONLY); \< and \> are word boundaries; POSIX classes.
 */
#ifndef LANG_BASE_RE_H
#define LANG_BASE_RE_H

#include <stdint.h>
#include "lang/base/mem.h"
#include "lang/base/str.h"

#define LIM_RE_GROUPS	99	/* $1..$99; more is an error at compile time */
#define LIM_RE_MATCH	10000000 /* PCRE2 match limit: about a second of work */
#define LIM_RE_DEPTH	20000	/* PCRE2 depth limit */
#define LIM_RE_JIT_STACK (256 * 1024) /* bytes; grows from 32 KiB */
#define RE_JIT_AFTER	24	/* matches by interpreter before the JIT is worth it */

struct re_ctx;		/* what patterns of one run share: match data, JIT stack,
			 * limits; made on the first match */
struct re;		/* one compiled pattern */

struct re_error {
	size_t	at;		/* byte in the pattern */
	char	text[160];
};

enum re_result { RE_LIMIT = -1, RE_NO = 0, RE_YES = 1 };

/*
 * Compiles; NULL and *err on a bad pattern (or without memory).  The pattern
 * is copied where it is needed.  The context must outlive it.
 * Memory is PCRE2's own, released by re_free.
 */
struct re_ctx *re_ctx_new(void);	/* NULL without memory */
/* From here on no pattern is made machine code. */
void	 re_ctx_plain(struct re_ctx *);
void	 re_ctx_free(struct re_ctx *);	/* after its patterns */
struct re *re_compile(struct re_ctx *, struct str pattern, bool icase,
	    struct re_error *err);
void	 re_free(struct re *);
unsigned re_groups(const struct re *);
/*
 * Matches from byte `from`.  ov (may be NULL) gets 2 * (groups + 1) offsets,
 * SIZE_MAX for an unset group.  RE_LIMIT: the match or depth limit was hit.
 */
enum re_result re_match(struct re *, struct str subject, size_t from,
	    size_t *ov);
/*
 * Text that every match must hold, letters of either case if the pattern
 * ignores it; empty if none is known.
 */
struct str re_holds(const struct re *);
/*
 * The longest text that every match must hold, or empty: lets a caller skip
 * lines that lack it before it asks re_match.
 */
struct str re_required(const struct re *);

#endif
