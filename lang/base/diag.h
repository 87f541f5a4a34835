/*
 * diag: everything that is wrong with a source, in one list.  Messages live
 * in lang/table/errors.def; their only arguments are texts (%1 %2 %3), so a
 * name from a source can never act as a format.
 *
 * Rendering is the caller's: diag_render makes what a person reads; the JSON
 * form is made by the command line from the same fields.
 */
#ifndef LANG_BASE_DIAG_H
#define LANG_BASE_DIAG_H

#include "lang/base/source.h"

enum diag_severity { DIAG_ERROR, DIAG_WARNING };

enum diag_id {
#define E(id, severity, text, hint) id,
#include "lang/table/errors.def"
#undef E
	DIAG_COUNT
};

#define LIM_DIAG_SHOWN	20	/* a person reads no more; the rest is counted */

struct span {
	uint32_t	at, len;	/* bytes in the lexer's text */
};

struct diag_item {
	enum diag_id	 id;
	enum diag_severity severity;
	struct str	 text;		/* with arguments filled in */
	struct str	 hint;		/* empty if none */
	struct place	 place;
	uint32_t	 len;		/* bytes under the caret */
	struct place	 other;		/* a second place, */
	const char	*other_note;	/* and what is there: NULL if none */
};

struct diag {
	struct source_set *src;		/* may be NULL: no places */
	struct arena	*arena;
	struct diag_item *item;
	size_t		 n, cap;
	size_t		 nerror, nwarning;	/* all, shown or not */
};

void	diag_init(struct diag *, struct source_set *, struct arena *);
/* Reports id at a span; up to three texts follow (NIL for none). */
struct diag_item *diag_at(struct diag *, struct span, enum diag_id,
	    struct str, struct str, struct str);
/* The same at a place of a file (the preprocessor's). */
struct diag_item *diag_in(struct diag *, struct place, uint32_t len,
	    enum diag_id, struct str, struct str, struct str);
/* Adds a second place; the note, such as "first here", is not copied. */
void	diag_other(struct diag *, struct diag_item *, struct place,
	    const char *note);
/* A hint of its own instead of the table's. */
void	diag_hint(struct diag *, struct diag_item *, struct str);

/*
 * file:line:column: error: text, the source line, a caret, the hint and the
 * trail, sorted by place, at most LIM_DIAG_SHOWN, then how many more.
 * Tabs before the caret are kept as tabs; control characters are escaped;
 * a long line is cut around the caret.  With colour ANSI codes are added.
 */
void	diag_render(struct diag *, struct buf *out, bool colour);
const char *diag_name(enum diag_id);	/* "E_UNKNOWN_WORD" */

#endif
