/*
 * str: a view of bytes.  Why: scripts handle bytes of any value and of known
 * length; a view costs no copy.  A view never owns what it points to.
 *
 * Two views are no strings: NIL (no value) and ERR (a failed value).  Both
 * have a null pointer, so one test finds either.
 */
#ifndef LANG_BASE_STR_H
#define LANG_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
	const char	*p;
	size_t		 n;		/* bytes */
};

#define STR_LIT(s)	((struct str){ (s), sizeof(s) - 1 })
#define STR_EMPTY	((struct str){ "", 0 })
#define STR_NIL		((struct str){ NULL, 0 })
#define STR_ERR		((struct str){ NULL, 1 })

static inline struct str
str_of(const char *p, size_t n)
{
	return (struct str){ p, n };
}

/* A view of a C string; NULL gives NIL. */
static inline struct str
str_c(const char *s)
{
	return s == NULL ? STR_NIL : str_of(s, strlen(s));
}

static inline bool
str_none(struct str s)			/* NIL or ERR */
{
	return s.p == NULL;
}

static inline bool
str_eq(struct str a, struct str b)	/* of real strings only */
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* What a value shows as: itself, or <<NIL>> or <<ERR>> (PIKT's texts). */
static inline struct str
str_shown(struct str s)
{
	if (s.p != NULL)
		return s;
	return s.n == 0 ? STR_LIT("<<NIL>>") : STR_LIT("<<ERR>>");
}

/* Bytewise order, a shorter prefix first: <0, 0, >0. */
int	str_cmp(struct str a, struct str b);
/* True if the view starts or ends so. */
bool	str_starts(struct str s, const char *prefix);
bool	str_ends(struct str s, const char *suffix);
/* The index of the first byte c from offset `from`, or s.n. */
size_t	str_find(struct str s, char c, size_t from);
/* Without blanks, tabs, CR and LF at either end. */
struct str str_trim(struct str s);
/*
 * The edit distance (Levenshtein) of two short names, for "did you mean";
 * at most `max` + 1 is returned.
 */
unsigned str_distance(struct str a, struct str b, unsigned max);

#endif
