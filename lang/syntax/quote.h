/*
 * quote: follows strings through a text that no lexer has seen yet.  Why:
 * comments are none inside strings, and macros are none inside raw ones.
 *
 * It reads "...", '...' and """...""", code inside strings (${ }, #{ },
 * $function( )), and commands, where a " inside the shell's single quotes
 * does not end the string (language.md 5.1).  Where a text is in doubt it
 * errs on the side of a string, so that nothing is taken away.
 */
#ifndef LANG_SYNTAX_QUOTE_H
#define LANG_SYNTAX_QUOTE_H

#include <stdint.h>
#include "lang/base/str.h"

#define LIM_QUOTE_NEST	16	/* deeper code in strings is read as text */

enum quote_kind { QUOTE_CODE, QUOTE_STRING, QUOTE_RAW, QUOTE_BLOCK };

struct quote {
	struct quote_level {
		enum quote_kind	 kind;
		char		 open, close;	/* of code inside a string */
		unsigned	 depth;		/* open brackets of that kind */
		bool		 command, single;
	} level[LIM_QUOTE_NEST];
	size_t	 top;
	bool	 command, single;	/* of the last string, for a . after it */
};

/* The bytes at which quote_step must be called; others change nothing. */
extern const bool quote_wants[256];

void	 quote_init(struct quote *);
/*
 * Reads what stands at t.p[i] and returns its length.  before: the text
 * before it, which may be another than t's (what macros expanded to).
 */
size_t	 quote_step(struct quote *, struct str t, size_t i, struct str before);

static inline bool
quote_outside(const struct quote *q)		/* of every string */
{
	return q->top == 0;
}
static inline enum quote_kind
quote_kind(const struct quote *q)
{
	return q->level[q->top].kind;
}
/* The index of the first byte from i on that quote_step wants, or t.n. */
static inline size_t
quote_skip(struct str t, size_t i)
{
	while (i < t.n && !quote_wants[(unsigned char)t.p[i]])
		i++;
	return i;
}

#endif
