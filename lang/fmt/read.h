/*
 * read: a source as fmt sees it: words, signs, strings, comments and uses of
 * macros, and what stands between them.  Internal to lang/fmt.
 *
 * It follows strings with lang/syntax/quote.h, as the preprocessor does.
 * Where the two could come to differ about what is a string it either takes
 * all that is in doubt as one piece, or gives up.
 */
#ifndef LANG_FMT_READ_H
#define LANG_FMT_READ_H

#include "lang/base/diag.h"
#include "lang/syntax/quote.h"

#define LIM_OPEN_LISTS	100	/* "=name(" in a string, never closed: each
				 * costs a look at the rest of the file */

enum piece_kind {
	PIECE_END,
	PIECE_WORD,		/* also a script's name */
	PIECE_VALUE,		/* $x #x %x @x, a number */
	PIECE_STRING,		/* "...", '...', """...""", with all inside */
	PIECE_MACRO,		/* =name, =name(...) with all inside */
	PIECE_SIGN,		/* an operator, by the lexer's rules */
	PIECE_OPEN, PIECE_CLOSE,	/* ( [ { and their ends */
	PIECE_COMMA,
	PIECE_OTHER,		/* a byte of no meaning here */
	PIECE_COMMENT,		/* to the end of its line */
	PIECE_BLOCK,		/* a comment that has its own end */
	PIECE_LINES		/* a directive's line, and what it keeps as is */
};

struct fmt_piece {
	enum piece_kind	 kind;
	struct str	 text;		/* a view of the source */
	size_t		 newlines;	/* before it, outside of other pieces */
	size_t		 column;	/* from 0, a tab is 8; only of a line's
					 * first piece */
	bool		 column_one;	/* on a line's first byte */
	bool		 glued;		/* to the piece before */
	int		 token;		/* of a keyword, else 0 */
	int		 class;		/* of a keyword */
};

struct reader {
	struct diag	*diag;
	uint32_t	 file;
	struct str	 t;
	size_t		 i;
	struct quote	 quote;
	bool		 standalone;	/* begins with #! */
	bool		 in_body;	/* a macro's body: no directives */
	bool		 failed;	/* it has been told why */
	unsigned	 nopen;
};

/* False, and told, if the text is none that can be read. */
bool	 read_start(struct reader *, struct diag *, uint32_t file);
/* The next piece; PIECE_END at the end, and if reading failed. */
void	 read_piece(struct reader *, struct fmt_piece *);
/* The next piece that is no comment; nothing is read. */
void	 read_ahead(const struct reader *, struct fmt_piece *);
/* The # in column 1 at i: where its line ends, or i if it is no directive. */
size_t	 read_line(struct reader *, size_t i);
/* Where a text ends that begins in a column. */
size_t	 read_column(struct str, size_t column);
/* What a PIECE_LINES is to the blocks of #if and its kin. */
enum branch { BRANCH_NONE, BRANCH_OPEN, BRANCH_NEXT, BRANCH_END };
enum branch read_branch(struct str lines);

static inline bool
read_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

#endif
