/*
 * template: fills a command template with values (language.md section 8).
 * The result is an argument vector; data is never part of shell text.
 */
#ifndef ENGINE_VM_TEMPLATE_H
#define ENGINE_VM_TEMPLATE_H

#include "lang/base/arena.h"
#include "lang/base/buf.h"
#include "engine/vm/host.h"

#define LIM_ARG		(128 * 1024)	/* bytes of one data value: Linux refuses
					 * an argument above 128 KiB */
#define LIM_ARGV	(1 << 20)	/* bytes of all arguments together */

/*
 * Fills the template with ndata values.  True: *out is ready, all of it in
 * the arena.  False: a rule refused; *why gets one line that names the rule,
 * the part ("$user") and the value (escaped, cut at 200 bytes).
 */
bool	template_fill(const struct template *, const struct str *data,
	    struct arena *, struct command *out, struct buf *why);

#endif
