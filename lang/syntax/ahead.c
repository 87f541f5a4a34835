#include "lang/syntax/lexer.h"

/* True if `foreach #keys(` stands before t[i]: a scalar follows.  In
 * `for $k in #keys(` it is the array. */
static bool
keys_of_foreach(const char *t, size_t i)
{
	if (i < 6 || memcmp(t + i - 6, "#keys(", 6) != 0)
		return false;
	for (i -= 6; i > 0 && strchr(" \t\n\r", t[i - 1]) != NULL; i--)
		;
	return i >= 7 && memcmp(t + i - 7, "foreach", 7) == 0;
}

/* Does what stands before i make the variable there a scalar? */
static bool
makes_scalar(const char *t, size_t i)
{
	static const char *const before[] = { "set", "local", "dat", "data",
	    "for", "line" };
	size_t n, k;

	while (i > 0 && strchr(" \t\n\r", t[i - 1]) != NULL)
		i--;
	if (i > 0 && t[i - 1] == '(')
		return keys_of_foreach(t, i);
	for (n = 0; n < sizeof before / sizeof before[0]; n++) {
		k = strlen(before[n]);
		if (i >= k && memcmp(t + i - k, before[n], k) == 0 &&
		    (i == k || !lx_word_byte(t[i - k - 1])))
			return true;
	}
	return false;
}

/* Where the script or function that begins at `at` ends: at the next line
 * that begins with the word function, or with a word and a section's. */
static size_t
scope_end(const struct lexer *lx, size_t at)
{
	static const char word[] = "function";
	const struct buf *t = &lx->p->src->text;
	const char *p = t->p + at, *end = t->p + t->n, *q;

	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		for (q = ++p; q < end && (lx_word_byte(*q) || *q == '.' ||
		    *q == '-'); q++)
			;
		if (q == p || !source_column_one(lx->p->src,
		    (uint32_t)(p - t->p)))
			continue;
		if (str_eq(str_of(p, (size_t)(q - p)), STR_LIT(word)) ||
		    lx_section_next(str_of(q, (size_t)(end - q))))
			return (size_t)(p - t->p);
	}
	return SIZE_MAX;
}

/* The scalars from here to there: of a function its parameters, too. */
static void
find_scalars(struct lexer *lx, size_t from, size_t to)
{
	const struct buf *t = &lx->p->src->text;
	const char *at = t->p + from, *q, *head = at;
	const char *end = t->p + (to < t->n ? to : t->n);
	bool is_new;

	if (str_starts(str_of(at, (size_t)(end - at)), "function") &&
	    (head = memchr(at, ')', (size_t)(end - at))) == NULL)
		head = end;
	map_init(&lx->scalar, lx->p->arena);
	while ((at = memchr(at, '$', (size_t)(end - at))) != NULL) {
		for (q = ++at; q < end && lx_word_byte(*q); q++)
			;
		if (q > at && (q == end || *q != '[') && (q <= head ||
		    makes_scalar(t->p, (size_t)(at - 1 - t->p))))
			(void)map_put(&lx->scalar, str_of(at,
			    (size_t)(q - at)), &is_new);
		at = q;
	}
}

/*
 * "$name[": an index if the name is an array.  A scalar is one that is set,
 * read by dat, or gone over by for without an index anywhere in the script:
 * the next one may have an array of that name.
 */
bool
lx_is_array(struct lexer *lx, struct str name)
{
	size_t from = lx->scope_to;

	while (lx->at >= lx->scope_to) {
		from = lx->scope_to;
		lx->scope_to = scope_end(lx, from);
	}
	if (from != lx->scope_to)
		find_scalars(lx, from, lx->scope_to);
	return map_get(&lx->scalar, name) == NULL;
}

/*
 * The functions that the text defines, once: the word function that is the
 * first of its line, or has no quote before it there, then a name.
 */
static void
find_funcs(struct lexer *lx)
{
	static const char word[] = "function";
	const struct buf *t = &lx->p->src->text;
	const char *at = t->p, *end = t->p + t->n, *q, *line;
	bool is_new;

	lx->funcs_found = true;
	while (t->n > 0 && (at = memmem(at, (size_t)(end - at), word,
	    sizeof word - 1)) != NULL) {
		for (line = at; line > t->p && line[-1] != '\n' &&
		    strchr("\"'", line[-1]) == NULL; line--)
			;
		q = at + sizeof word - 1;
		if ((line > t->p && line[-1] != '\n') ||
		    (at > t->p && lx_word_byte(at[-1]))) {
			at = q;
			continue;
		}
		while (q < end && strchr(" \t\n\r", *q) != NULL)
			q++;
		for (at = q; q < end && (q == at ? *q == '$' || *q == '#' :
		    lx_word_byte(*q)); q++)
			;
		if (q < end && *q == '(' && q > at + 1)
			(void)map_put(&lx->func, str_of(at, (size_t)(q - at)),
			    &is_new);
		at = q;
	}
}

/* A name that a call in a string may have. */
bool
lx_is_func(struct lexer *lx, struct str name)
{
	if (builtin_find(name) >= 0)
		return true;
	if (!lx->funcs_found)
		find_funcs(lx);
	return map_get(&lx->func, name) != NULL;
}
