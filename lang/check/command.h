/*
 * command: makes a template of a command expression (language.md section 8).
 * Why: data never becomes shell text.  Literal text carries the shell's
 * quoting state; each data part is one argument, or part of one.
 *
 * Knows nothing of the AST: the caller flattens the expression into parts.
 */
#ifndef LANG_CHECK_COMMAND_H
#define LANG_CHECK_COMMAND_H

#include "lang/base/diag.h"
#include "lang/code/program.h"

struct cmd_part {
	bool		 data;
	struct str	 text;		/* literal bytes; for data its source form */
	enum data_kind	 kind;
	bool		 number;	/* the data is a number expression */
	bool		 built;		/* a string variable that the script builds
					 * by . or .= with blanks: for rule 7's hint */
	struct span	 span;		/* for messages; a literal's first byte */
};

/*
 * Analyses the parts, reports what rules 1 to 8 forbid, and fills *out (all
 * of it in the arena).  Returns false if it reported an error.  Data parts
 * are numbered in the order given.
 */
bool	command_template(struct arena *, struct diag *,
	    const struct cmd_part *, size_t npart, struct template *out);

#endif
