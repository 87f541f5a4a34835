/*
 * arg: what all built-in functions do with their arguments, and their
 * prototypes.
 *
 * The rule for arguments without a value: ERR makes the result ERR, else NIL
 * makes it NIL, and nothing is logged, as in arithmetic; what acts on the
 * world with such an argument says vm_domain instead.
 */
#ifndef ENGINE_BUILTIN_ARG_H
#define ENGINE_BUILTIN_ARG_H

#include "engine/vm/builtin.h"

/* One prototype a row; the rows of builtins.def itself are the compiler's. */
#define BI(id, names, args, ret, flags, fn, help, example, gives) \
	void fn(struct call *);
#include "lang/table/builtins-math.def"
#include "lang/table/builtins-text.def"
#include "lang/table/builtins-time.def"
#include "lang/table/builtins-world.def"
#include "lang/table/builtins-act.def"
#include "lang/table/builtins-rates.def"
#include "lang/table/builtins-safe.def"
#include "lang/table/builtins-net.def"
#undef BI

#define ARG_SHOWN	200	/* bytes of a text argument in a message */

/* True if an argument has no value; the result then is set. */
bool	arg_none(struct call *);
/* The i-th number, an integer of lo to hi; false: vm_domain was called. */
bool	arg_int(struct call *, unsigned i, int64_t lo, int64_t hi,
	    int64_t *out);
/* False (vm_domain) unless the i-th text has a value and no NUL byte, so
 * that the system's calls see all of it. */
bool	arg_c(struct call *, unsigned i);
/* Rule 9 (language.md 8), no way out of a folder by data: a component "..". */
bool	arg_dotdot(struct str);
/* False (vm_domain) unless the i-th text is a path for what changes files: not
 * empty, as arg_c, and without components that are empty or "..". */
bool	arg_path(struct call *, unsigned i);
/* The i-th text, zero-terminated, in the call's memory. */
char	*arg_zero(struct call *, unsigned i);
/* n bytes, aligned for numbers and pointers, gone with the call's memory. */
void	*arg_scratch(struct call *, size_t n);
/* What %.*s wants: the text's bytes, at most ARG_SHOWN. */
int	arg_cut(struct str);
/*
 * The host's last call failed: WARNING with its reason, which is headed by
 * what failed unless it names that itself.  The result is -1.
 */
void	arg_host_failed(struct call *, struct str what);
/* The result, copied out of the machine's buf. */
struct str arg_result(struct call *, const struct buf *);

/* A result that is too large for a number is ERR, and said. */
void	 arg_number(struct call *, double);

#endif
