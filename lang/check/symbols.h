/*
 * symbols: the names of one script.  $foo and #foo are two variables, an
 * array and a scalar of one name and sigil are an error; handles have no
 * sigil.
 */
#ifndef LANG_CHECK_SYMBOLS_H
#define LANG_CHECK_SYMBOLS_H

#include "lang/base/map.h"
#include "lang/syntax/ast.h"

enum symbol_kind { SYM_SCALAR, SYM_ARRAY, SYM_DAT, SYM_HANDLE,
    SYM_HISTORY };		/* of another: no script can write its name */

struct symbol {
	struct str	 name;		/* without sigil */
	enum symbol_kind kind;
	bool		 number;
	bool		 set;		/* some statement can give it a value */
	bool		 used;
	bool		 built;		/* a string made by . or .=: see rule 7 */
	bool		 missing;	/* not declared in its function: told of */
	bool		 in_command;	/* first used inside a command's string */
	struct span	 span;		/* where it was met first */
	struct span	 use;		/* first use */
	uint32_t	 index;		/* register, array, dat or handle number */
	/* values that outlive a line or a run */
	bool		 previous;	/* stands somewhere as %x */
	bool		 preceding;	/* or as @x */
	bool		 set_in_rule;
	struct symbol	*before;	/* of an array: that of the run before */
	uint32_t	 kept;		/* number in the program's table, if any */
	const struct symbol *of;	/* of a history: whose, */
	enum kept_kind	 history;	/* what of it, */
	double		 param;		/* and how much */
};

struct symbols {
	struct arena	*arena;
	struct map	 by_name;	/* "#foo", "$foo", "FOO", "#foo[]" share
					 * the entry of "#foo" */
	uint32_t	 nnum, nstr, narray, ndat, nhandle;
	struct symbol	**all;
	size_t		 n, cap;
};

void	symbols_init(struct symbols *, struct arena *);
/*
 * The symbol, made if it is new.  sigil is '#', '$' or 0.  If it is there
 * with another kind (scalar and array), NULL; *there is that one.
 */
struct symbol *symbols_get(struct symbols *, char sigil, struct str name,
	    enum symbol_kind, struct span, struct symbol **there);
/* The symbol if it is there, of any kind. */
struct symbol *symbols_find(const struct symbols *, char sigil, struct str);

#endif
