/* words: the directives by name. */
#include "lang/syntax/directive.h"

static const struct directive table[] = {
#define DIR(id, words, does, family, args, help) \
	{ words, DO_##does, FAMILY_##family, args },
#include "lang/table/directives.def"
#undef DIR
};
#define NTABLE	(sizeof table / sizeof *table)

/* The next of the words at *list; NIL behind the last. */
static struct str
next(const char **list)
{
	const char *p = *list + strspn(*list, " ");
	size_t n = strcspn(p, " ");

	*list = p + n;
	return n == 0 ? STR_NIL : str_of(p, n);
}

const struct directive *
directive_find(struct str word)
{
	const char *list;
	struct str w;
	size_t i;

	for (i = 0; i < NTABLE; i++)
		for (list = table[i].words; !str_none(w = next(&list)); )
			if (str_eq(w, word))
				return &table[i];
	return NULL;
}

struct str
directive_near(struct str word)
{
	struct str w, near = STR_NIL;
	unsigned best = 3, d;
	const char *list;
	size_t i;

	for (i = 0; i < NTABLE; i++)
		for (list = table[i].words; !str_none(w = next(&list)); ) {
			d = str_distance(word, w, 2);
			if (d < best && d < word.n) {
				best = d;
				near = w;
			}
		}
	return near;
}

struct str
directive_like(enum directive_family f, enum directive_does does)
{
	const char *list;
	size_t i;

	for (i = 0; i < NTABLE; i++)
		if (table[i].family == f && (table[i].does == does ||
		    (does == DO_ELIFN && table[i].does == DO_ELIF))) {
			list = table[i].words;
			return next(&list);
		}
	return STR_EMPTY;
}
