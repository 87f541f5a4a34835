#include <strings.h>

#include "lang/table/doc.h"

/* What keywords.def calls the classes of its words. */
enum { SECTION, INIT, STMT, CLOSE, WORD, OPER };
static const char *const group_name[] = { "Sections", "Items of init",
    "Statements", "Statements", "Words inside statements", "Operators" };

static const struct keyword {
	const char	*token, *word;
	int		 class;
} keyword[] = {
#define KW(token, word, class) { #token, word, class },
#include "lang/table/keywords.def"
#undef KW
};

static const struct word {
	const char	*word, *syntax, *help, *example, *gives;
} word[] = {
#define W(word, syntax, help, example, gives) \
	{ word, syntax, help, example, gives },
#include "lang/table/words.def"
#undef W
};

static const struct {
	const char	*word, *of;	/* of: words by blanks */
} part[] = {
#define P(word, of) { word, of },
#include "lang/table/words.def"
#undef P
};

#define COUNT(a)	(sizeof(a) / sizeof(a)[0])

static const struct keyword *
keyword_find(struct str s)
{
	size_t i;

	for (i = 0; i < COUNT(keyword); i++)
		if (str_eq(str_c(keyword[i].word), s))
			return &keyword[i];
	return NULL;
}

size_t
doc_count(void)
{
	return BI_COUNT + COUNT(word);
}

struct doc
doc_get(size_t i)
{
	const struct builtin_info *b;
	const struct keyword *k;
	const struct word *w;

	if (i < BI_COUNT) {
		b = &builtin_info[i];
		return (struct doc){ DOC_FUNCTION, (int)i,
		    builtin_family_info[builtin_family((int)i)].title, NULL,
		    b->help, builtin_note((int)i), b->example, b->gives,
		    builtin_example_is_program((int)i) };
	}
	w = &word[i - BI_COUNT];
	k = keyword_find(str_c(w->word));
	return (struct doc){ DOC_WORD, -1, group_name[k == NULL ? STMT :
	    k->class], w->syntax, w->help, NULL, w->example, w->gives, true };
}

void
doc_signature(size_t i, struct buf *b)
{
	if (i < BI_COUNT)
		builtin_signature((int)i, builtin_main_name((int)i), b);
	else
		buf_puts(b, word[i - BI_COUNT].syntax);
}

/* The k-th word of a list by blanks, or NIL. */
static struct str
nth(const char *list, size_t k)
{
	size_t n;

	for (;;) {
		list += strspn(list, " ");
		n = strcspn(list, " ");
		if (n == 0)
			return STR_NIL;
		if (k-- == 0)
			return str_of(list, n);
		list += n;
	}
}

struct str
doc_name(size_t i, size_t k)
{
	const struct keyword *main;
	const char *name;
	size_t j;

	if (i < BI_COUNT)
		return nth(builtin_info[i].names, k);
	name = word[i - BI_COUNT].word;
	main = keyword_find(str_c(name));
	if (k == 0 || main == NULL)
		return k == 0 ? str_c(name) : STR_NIL;
	for (j = 0; j < COUNT(keyword); j++)
		if (strcmp(keyword[j].token, main->token) == 0 &&
		    strcmp(keyword[j].word, name) != 0 && --k == 0)
			return str_c(keyword[j].word);
	return STR_NIL;
}

static struct str
without_sigil(struct str s)
{
	if (s.n > 0 && (s.p[0] == '#' || s.p[0] == '$'))
		return str_of(s.p + 1, s.n - 1);
	return s;
}

/* The word, or a synonym of it, is a part of what `owner` begins. */
static bool
is_part(struct str s, const char *owner)
{
	const struct keyword *k = keyword_find(s), *q;
	size_t i, j;
	struct str of;

	for (i = 0; i < COUNT(part); i++) {
		q = keyword_find(str_c(part[i].word));
		if (k == NULL || q == NULL || strcmp(k->token, q->token) != 0)
			continue;
		for (j = 0; !str_none(of = nth(part[i].of, j)); j++)
			if (str_eq(of, str_c(owner)))
				return true;
	}
	return false;
}

bool
doc_is(size_t i, struct str name)
{
	struct str s;
	size_t k;

	for (k = 0; !str_none(s = doc_name(i, k)); k++)
		if (str_eq(s, name) || str_eq(without_sigil(s), name))
			return true;
	return i >= BI_COUNT && is_part(name, word[i - BI_COUNT].word);
}

static bool
within(struct str text, struct str s)
{
	size_t at;

	for (at = 0; at + s.n <= text.n; at++)
		if (strncasecmp(text.p + at, s.p, s.n) == 0)
			return true;
	return false;
}

bool
doc_mentions(size_t i, struct str s)
{
	struct doc d = doc_get(i);
	struct str name;
	size_t k;

	for (k = 0; !str_none(name = doc_name(i, k)); k++)
		if (within(name, s))
			return true;
	return within(str_c(d.help), s) ||
	    (d.note != NULL && within(str_c(d.note), s)) ||
	    (d.syntax != NULL && within(str_c(d.syntax), s));
}
