/*
 * nest: the blocks that are open at one place of a source.  Internal to
 * lang/fmt.  It follows words alone: a source that is laid out need not be
 * right, and a macro may open what another closes.
 */
#ifndef LANG_FMT_NEST_H
#define LANG_FMT_NEST_H

#include "lang/fmt/read.h"
#include "lang/syntax/ast.h"

enum block_kind { B_NONE, B_IF, B_WHILE, B_REPEAT, B_FOR, B_FOREACH, B_SWITCH,
    B_INCIDENT,
    B_CLAUSE,		/* the statements of onset and clear */
    B_FUNCTION };

enum section { IN_NOTHING, IN_INIT, IN_CODE };

struct nest {
	struct open_block {
		enum block_kind	 kind;
		uint32_t	 indent;	/* of the line that opened it */
	}		 block[LIM_NEST];
	size_t		 nblock;
	size_t		 over;		/* open ones that had no room */
	size_t		 paren;
	enum section	 section;
	bool		 named;		/* behind a script's name */
};

/* The words of an incident's clauses are such only in one: what the table
 * says of the piece is put right. */
void	 nest_word(const struct nest *, struct fmt_piece *);
/* The block that a word opens; that it ends, or divides. */
enum block_kind nest_opens(const struct fmt_piece *);
enum block_kind nest_ends(const struct fmt_piece *, bool *divides);
bool	 nest_is_section(const struct fmt_piece *);

void	 nest_open(struct nest *, enum block_kind, uint32_t indent);
/*
 * A word that ends or divides a block: what is open inside of it is not
 * closed by anything.  False if no such block is open, as a macro may have
 * opened it.
 */
bool	 nest_end(struct nest *, enum block_kind, bool divides,
	    uint32_t *indent);
/* A word that begins a section: nothing is open. */
void	 nest_section(struct nest *, const struct fmt_piece *);

#endif
