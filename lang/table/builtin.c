#include "lang/table/builtin.h"

const struct builtin_info builtin_info[BI_COUNT] = {
#define BI(id, names, args, ret, flags, fn, help, example, gives) \
	{ names, args, ret, flags, help, example, gives },
#include "lang/table/builtins.def"
#undef BI
};

/* The next name of a blank-separated list; advances *p. */
static struct str
next_name(const char **p)
{
	const char *s = *p, *e;

	while (*s == ' ')
		s++;
	for (e = s; *e != '\0' && *e != ' '; e++)
		;
	*p = e;
	return str_of(s, (size_t)(e - s));
}

int
builtin_find(struct str name)
{
	const char *p;
	struct str s;
	int i;

	for (i = 0; i < BI_COUNT; i++) {
		/* Most names differ in their first two bytes. */
		for (p = builtin_info[i].names;;) {
			s = next_name(&p);
			if (s.n == 0)
				break;
			if (str_eq(s, name))
				return i;
		}
	}
	return -1;
}

struct str
builtin_main_name(int id)
{
	const char *p = builtin_info[id].names;

	return next_name(&p);
}

struct str
builtin_nearest(struct str name)
{
	struct str s, best = STR_NIL;
	unsigned d, bestd = 3;
	const char *p;
	int i;

	for (i = 0; i < BI_COUNT; i++) {
		for (p = builtin_info[i].names;;) {
			s = next_name(&p);
			if (s.n == 0)
				break;
			d = str_distance(s, name, bestd);
			if (d < bestd) {
				bestd = d;
				best = s;
			}
		}
	}
	return best;
}
