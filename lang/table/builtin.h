/*
 * builtin: the rows of builtins.def as an enum and an array, for the parser's
 * checks, the machine's dispatch, the disassembler and `picket doc`.
 */
#ifndef LANG_TABLE_BUILTIN_H
#define LANG_TABLE_BUILTIN_H

#include "lang/base/buf.h"
#include "lang/base/str.h"

#define FN_PURE		0x01	/* same arguments, same result, no effect */
#define FN_INTRINSIC	0x02	/* compiled in place */
#define FN_ACTS		0x04	/* changes the world */
#define FN_OPENS	0x08	/* opens, starts or asks what may need memory, or
				 * may not answer: not for `watch memory` */

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
/* "#split(string [, string, array])": how it is called, under that name. */
void	 builtin_signature(int id, struct str name, struct buf *);
/* What there is to say beyond the row's help, or NULL. */
const char *builtin_note(int id);
/* True if the row's example is a program, not an expression. */
bool	 builtin_example_is_program(int id);

enum builtin_family {
#define F(id, title, intro) FAMILY_##id,
#include "lang/table/families.def"
#undef F
	FAMILIES
};
extern const struct builtin_family_info {
	const char	*title, *intro;
} builtin_family_info[FAMILIES];
enum builtin_family builtin_family(int id);

/* The nearest name by spelling, NIL if none is near. */
struct str builtin_nearest(struct str name);

#endif
