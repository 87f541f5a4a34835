/*
 * fmt: sources laid out in one style, for `picket fmt` (picket(1) shows the
 * style).  The facade of lang/fmt.
 *
 * It works on the text as written, before macros expand, since a macro may be
 * anything: statements, half a condition, an end of a block.  So it knows no
 * grammar, only what is a string, a comment, a macro's use and a word, and
 * the keywords.  What it changes is blanks between words, indentation and
 * empty lines; lines stay lines, and no byte of a string, of a macro's
 * arguments or of a comment changes.
 */
#ifndef LANG_FMT_FMT_H
#define LANG_FMT_FMT_H

#include "lang/base/diag.h"

#define LIM_FMT_OUT	(64u << 20)	/* bytes made of one source: four times
					 * the largest; only a source that is
					 * nothing but open blocks makes more */

enum fmt_kind {
	FMT_SCRIPTS,		/* *.pikt, alarms*.cfg */
	FMT_MACROS,		/* macros*.cfg */
	FMT_STANZAS,		/* systems, defines, alerts: names, indented lines */
	FMT_FOREIGN		/* all others: their bytes may be anybody's */
};

/* By the last part of a path. */
enum fmt_kind fmt_kind(struct str path);
/*
 * Appends the source, laid out, to the buffer.  False if it cannot be read
 * for sure, with the reason in diag: a NUL byte, a string or a comment that
 * is never closed.  Then nothing of the buffer is of use.
 */
bool	 fmt_source(struct diag *, uint32_t file, enum fmt_kind,
	    struct buf *out);
/*
 * Appends the difference of two texts as a unified diff, nothing if they are
 * equal.  It is made for fmt's changes: lines that changed in their place,
 * and lines that went.
 */
void	 fmt_diff(struct str name, struct str old, struct str new,
	    struct buf *out);

#endif
