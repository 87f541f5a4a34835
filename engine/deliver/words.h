/*
 * words: a line of picket.conf as words, and back.  Why a module: the reader
 * of the file and the reader of a transport's line inside a job must agree
 * byte for byte, so that what was checked is what is used.
 *
 * Blanks separate.  "..." holds blanks; in it \" is a quote, \\ a backslash,
 * any other \c stays two characters (as in scripts).  // and # begin a
 * comment at the start of the line or after a blank.
 */
#ifndef ENGINE_DELIVER_WORDS_H
#define ENGINE_DELIVER_WORDS_H

#include "lang/base/arena.h"
#include "lang/base/buf.h"

#define LIM_WORDS	128	/* words a line: LIM_CONF_MAILTO and some */
#define LIM_WORDS_NAME	40	/* bytes: a column of a report */

/*
 * Splits; the texts live in the arena.  Returns how many, at most
 * LIM_WORDS, or -1 with *why for a person.
 */
int	words_split(struct str line, struct arena *, struct str word[LIM_WORDS],
	    const char **why);
/*
 * Adds `what "WORD"`, the word safe to show and cut if it is long.  Always
 * false, so that a check can end with it.
 */
bool	words_wrong(struct buf *why, const char *what, struct str word);
/* A name that people give: a word in every list and report. */
bool	words_name_ok(struct str);
#define WORDS_NAME "a name is up to 40 letters, digits, -, _ and dots"
/*
 * For "did you mean": offer the known words one after the other; best is the
 * one nearest to what was written, or NULL if none is near.
 */
struct nearest {
	struct str	 word;
	unsigned	 least;		/* edits must be fewer */
	const char	*best;
};
struct nearest words_nearest(struct str word);
void	words_offer(struct nearest *, const char *known);
/* Adds a word so that words_split reads it back, quoted only if it must be. */
void	words_add(struct buf *, struct str);

#endif
