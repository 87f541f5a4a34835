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
#define LIM_DIRECTIVE_NEST 256	/* PIKT had 64: more is a program's text, which
				 * may go a little further */
#define LIM_CLASS_NEST	64	/* parentheses: no person reads so many */
#define LIM_INCLUDE_DEPTH 64	/* deeper is a loop under other names */
#define LIM_INCLUDES	10000	/* of one text: files that include others twice
				 * would double without end */

#define LIM_ENVIRONMENT	(128u << 10)	/* bytes: no kernel takes a larger
					 * variable */

struct preprocess {
	struct source_set	*src;
	struct diag		*diag;
	struct arena		*arena;
	const struct compile_options *opt;
	struct map		 macro;		/* name -> definition */
	struct map		 define;	/* name -> what it is */
	struct map		 left;		/* words in column 1 of what blocks
						 * of scripts left out */
	struct environment	*env;		/* what #set and #unset changed */
	size_t			 nenv, capenv;
};

/*
 * Reads the defines and macros of the options, which must outlive it; reports
 * what is wrong.
 */
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
/* Whether the define is TRUE, as what was read so far leaves it. */
bool	preprocess_defined(const struct preprocess *, struct str name);

#endif
