/*
 * cfg: lines of configuration files, which are texts more than code.
 * Internal to lang/fmt.
 */
#ifndef LANG_FMT_CFG_H
#define LANG_FMT_CFG_H

#include "lang/fmt/layout.h"

/*
 * macros.cfg: a definition of one line has its body aligned; a body of
 * several lines that begins with a statement is indented as code is; any
 * other stays as it is.
 */
void	 cfg_macros(struct reader *, struct buf *lines, struct buf *text);
/*
 * A name in column 1, lines below it that are indented: by one tab, or two
 * where they stood deeper than the first.  Nothing within a line changes.
 */
void	 cfg_stanzas(struct reader *, struct buf *lines, struct buf *text);

#endif
