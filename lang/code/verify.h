/*
 * verify: proves, before anything runs, that a program keeps to the rules of
 * opcodes.def, so that the machine needs no tests of its own and a damaged or
 * hostile file is an error, not a crash.
 *
 * Proved: every operand names something that exists and is of its type;
 * written registers are none that hold constants or own bytes for others;
 * jumps stay inside their piece of code and land on instructions; only LOOP,
 * which counts the budget, goes backwards; no piece runs off its end; calls
 * fit their builtin's arguments; templates, regexes, dat rows and the line
 * table refer to what is there.
 *
 * Not proved, and so the machine's to test: the index in an array or handle
 * argument (a value in a register), the pending command of a call or EXEC
 * (its rules may have refused it), patterns (PCRE2 judges them at load).
 */
#ifndef LANG_CODE_VERIFY_H
#define LANG_CODE_VERIFY_H

#include "lang/base/buf.h"
#include "lang/code/program.h"

/* False with one line added to why. */
bool	 program_verify(const struct program *, struct buf *why);

#endif
