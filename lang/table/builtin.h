/*
 * builtin: the rows of builtins.def as an enum and an array, for the parser's
 * checks, the machine's dispatch, the disassembler and `picket doc`.
 */
#ifndef LANG_TABLE_BUILTIN_H
#define LANG_TABLE_BUILTIN_H

#include "lang/base/str.h"

#define FN_PURE		0x01	/* same arguments, same result, no effect */
#define FN_INTRINSIC	0x02	/* compiled in place */
#define FN_ACTS		0x04	/* changes the world */

enum builtin_id {
#define BI(id, names, args, ret, flags, fn, help, example, gives) BI_##id,
#include "lang/table/builtins.def"
#undef BI
	BI_COUNT
};

struct builtin_info {
	const char	*names;		/* main name, then synonyms, by blanks */
	const char	*args;
	char		 ret;		/* '#' or '$' */
	unsigned	 flags;
	const char	*help, *example, *gives;
};

extern const struct builtin_info builtin_info[BI_COUNT];

/* The built-in with that name (sigil included), or -1. */
int	 builtin_find(struct str name);
/* The main name, with sigil. */
struct str builtin_main_name(int id);
/* The nearest name by spelling, NIL if none is near. */
struct str builtin_nearest(struct str name);

#endif
