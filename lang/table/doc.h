/*
 * doc: what can be looked up by name, as one list: the functions of
 * builtins.def, the words of words.def, the directives of directives.def, the
 * native tables of tables.def.  Why:
 * `picket doc`, its completion and the tests of all examples go over the same
 * entries.
 */
#ifndef LANG_TABLE_DOC_H
#define LANG_TABLE_DOC_H

#include "lang/table/builtin.h"

enum doc_kind { DOC_FUNCTION, DOC_WORD, DOC_DIRECTIVE, DOC_TABLE, DOC_KINDS };

struct doc {
	enum doc_kind	 kind;
	int		 id;		/* of a function or table, else -1 */
	const char	*group;		/* "Strings", "Statements" ... */
	const char	*syntax;	/* NULL of a function */
	const char	*help, *note;	/* note NULL: no more to say */
	const char	*example, *gives; /* "": none */
	bool		 program;	/* the example is one */
};

size_t	 doc_count(void);
struct doc doc_get(size_t i);
/* How it is written: a function's signature, a word's syntax. */
void	 doc_signature(size_t i, struct buf *);
/*
 * Its k-th name as it is written (a directive's without its #), the main one
 * first; NIL behind the last.
 */
struct str doc_name(size_t i, size_t k);
/* True if it is called so, or is written with that word; a sigil may be left
 * out. */
bool	 doc_is(size_t i, struct str name);
/* True if the word occurs in a name or in what is said of it. */
bool	 doc_mentions(size_t i, struct str word);

#endif
