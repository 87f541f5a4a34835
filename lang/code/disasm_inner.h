/* disasm_inner: what the disassembler's files share.  Private to them. */
#ifndef LANG_CODE_DISASM_INNER_H
#define LANG_CODE_DISASM_INNER_H

#include "lang/base/buf.h"
#include "lang/code/program.h"
#include "lang/code/shape.h"

#define SHOWN_TEXT	40	/* bytes of a text in the code's remarks */
#define SHOWN_LINE	200	/* bytes of one in the tables */

#define DIS_BOLD	"\033[1m"
#define DIS_DIM		"\033[2m"
#define DIS_CYAN	"\033[36m"
#define DIS_PLAIN	"\033[0m"

struct dis {
	const struct program	*p;
	struct buf		*out;
	bool			 colour;
	const struct func	*f;	/* whose code is at hand, or NULL */
	/* the instruction at hand */
	instr			 i, ext;
	struct shape		 s;
};

void	dis_paint(struct dis *, const char *code);
void	dis_title(struct dis *, const char *);
void	dis_text(struct dis *, struct str, size_t max);	/* quoted */
void	dis_num(struct dis *, double);
void	dis_name(struct dis *, bool number, struct str);	/* with sigil */
void	dis_regex(struct dis *, uint32_t, size_t max);
void	dis_head(struct dis *);
void	dis_tables(struct dis *);

#endif
