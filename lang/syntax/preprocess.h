/*
 * preprocess: source text to the text that the lexer reads.  Strips comments,
 * expands macros, and keeps for every byte where it came from
 * (lang/base/source.h).
 */
#ifndef LANG_SYNTAX_PREPROCESS_H
#define LANG_SYNTAX_PREPROCESS_H

#include "lang/base/diag.h"
#include "lang/base/map.h"
#include "lang/compile.h"

#define LIM_MACRO_DEPTH	100	/* language.md 7: deeper is a loop by mistake */
#define LIM_MACRO_ARGS	64	/* no person calls with more */

struct preprocess {
	struct source_set	*src;
	struct diag		*diag;
	struct arena		*arena;
	struct map		 macro;		/* name -> definition */
};

/* Reads the macro values and files of the options; reports what is wrong. */
void	preprocess_init(struct preprocess *, struct source_set *,
	    struct diag *, struct arena *, const struct compile_options *);
/*
 * Each appends one file, with all that it includes, to src->text.  They may
 * be called for several files in turn: a file's text is what is behind the
 * src->text.n that was before, it begins a line, and its defines hold for the
 * files after it.  A line of it stands in column 1 if the text says so;
 * source_place knows where each byte came from.
 *
 * A script; any other text in which macros and all directives hold; and one
 * without macros, where #include and #verbatim are the only directives.
 */
void	preprocess_file(struct preprocess *, uint32_t file);
void	preprocess_config(struct preprocess *, uint32_t file);
void	preprocess_plain(struct preprocess *, uint32_t file);

#endif
