/*
 * doc_script: pages of the bundled scripts.  A script's page is the comment
 * that its file begins with: a line "NAME: what it is for", then sections
 * with their text indented.
 */
#ifndef ENGINE_CLI_DOC_SCRIPT_H
#define ENGINE_CLI_DOC_SCRIPT_H

#include "engine/cli/cli.h"

/* The comment without its marks, lines as they stand; false: the file cannot
 * be read, and that was said. */
bool	 doc_script(struct cli *, const struct site_bundled *,
	    struct buf *page);
/* What it is for: the rest of the page's first line, with the lines that
 * continue it. */
struct str doc_script_help(struct str page, struct str name);

#endif
