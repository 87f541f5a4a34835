/*
 * layout: the lines of a source, each with its indentation.  Internal to
 * lang/fmt; fmt.c writes them out.
 */
#ifndef LANG_FMT_LAYOUT_H
#define LANG_FMT_LAYOUT_H

#include "lang/base/buf.h"
#include "lang/fmt/read.h"

#define LIM_FMT_IF	64	/* nested #if whose blocks are kept apart: as
				 * many as the preprocessor takes */
#define FMT_TAB		8	/* columns */

enum line_kind { LINE_CODE, LINE_COMMENT, LINE_RAW };

/* Offsets are in the layout's text, of raw lines in the source. */
struct line {
	uint32_t	at, n;
	uint32_t	note_at, note_n; /* a comment behind code: of the source */
	uint32_t	indent;		/* columns */
	uint32_t	column;		/* where it stood; SOURCE_NONE: nowhere */
	uint32_t	split;		/* bytes up to a blank that is made wider,
					 * so that what follows is aligned */
	uint32_t	more;		/* ... by so many */
	uint8_t		kind;
	bool		blank;		/* an empty line before it */
	bool		tall;		/* a piece of it has several lines */
};

/* Makes out lines (struct line, in the buffer) and the text of code. */
void	 layout_scripts(struct reader *, struct buf *lines, struct buf *text);
/*
 * The same for statements that are a macro's body: all indented by one tab
 * at least, nothing changed within a line.
 */
void	 layout_body(struct reader *, struct buf *lines, struct buf *text);
/*
 * Writes lines out.  Neighbours are aligned: at tab stops, split lines from
 * column `split` on, comments behind code from column `note` on.  False: it
 * would be more than LIM_FMT_OUT.
 */
bool	 layout_write(struct buf *lines, struct str text,
	    struct str source, uint32_t split, uint32_t note,
	    struct buf *out);

#endif
