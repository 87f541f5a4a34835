/*
 * disasm: a program as a listing for people: what init says, the tables, then
 * the code, each instruction with its meaning in terms of the script's own
 * names, filled into the text that opcodes.def has for it.
 */
#ifndef LANG_CODE_DISASM_H
#define LANG_CODE_DISASM_H

#include "lang/base/buf.h"
#include "lang/code/program.h"

/* Appends the listing of a verified program. */
void	 program_disasm(const struct program *, struct buf *out, bool colour);

#endif
