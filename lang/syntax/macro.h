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
	const struct rope *from;	/* the text of its file, */
	size_t		 raw, nraw;	/* and the body in it, as written */
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

/* The start of the line after i; in a body a block comment may hold lines. */
size_t	 macro_next_line(struct str, size_t i, bool has_block);
/* False, and reported, if a text is too large or holds a NUL byte. */
bool	 text_check(struct preprocess *, uint32_t file);

#endif
