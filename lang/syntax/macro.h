/*
 * macro: the definitions of macros.  A file of them is scanned once for names
 * and bodies, which stay views of its text; a body is cleaned of comments
 * when it is first used, since a script uses few of the library's macros.
 *
 * Internal to the preprocessor.
 */
#ifndef LANG_SYNTAX_MACRO_H
#define LANG_SYNTAX_MACRO_H

#include "lang/syntax/preprocess.h"
#include "lang/syntax/rope.h"

struct macro {
	struct str	 name;
	struct str	*param;
	size_t		 nparam;
	bool		 takes_args;	/* name(...), even with no parameter */
	bool		 clean;		/* body has been made */
	uint32_t	 file, off;	/* of the name */
	uint32_t	 body_off;
	struct str	 raw;		/* body as written */
	struct rope	 body;
};

/* Letters, digits, - _ and . : what a macro's name is made of. */
static inline bool
macro_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}
static inline bool
macro_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/*
 * Adds the definitions of a file, or one value; names that are known already
 * stay as they are, so the strongest source comes first.
 */
void	 macro_add_file(struct preprocess *, const struct macro_source *);
/* prefix: "-M " or the like, for the name that messages show. */
void	 macro_add_value(struct preprocess *, const char *prefix,
	    const struct macro_value *);
/* The body, cleaned. */
const struct rope *macro_body(struct preprocess *, struct macro *);

/*
 * A # in column 1 of t at i.  True if it was a directive or a mistaken one,
 * which is reported.  glued: a directive has no blank after its # (standalone
 * programs).
 */
bool	 directive_check(struct preprocess *, uint32_t file, struct str t,
	    size_t i, bool glued);
/* False, and reported, if a text is too large or holds a NUL byte. */
bool	 text_check(struct preprocess *, uint32_t file);

#endif
