/* table: the built-in functions by number; NULL where the compiler acts. */
#include "engine/builtin/arg.h"

const builtin_fn builtin_table[BI_COUNT] = {
#define BI(id, names, args, ret, flags, fn, help, example, gives) \
	[BI_##id] = fn,
#include "lang/table/builtins.def"
#undef BI
};
