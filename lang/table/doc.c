#include <strings.h>

#include "lang/table/doc.h"
#include "lang/table/tables.h"

/* What keywords.def calls the classes of its words. */
enum { SECTION, INIT, STMT, CLOSE, WORD, OPER, CLAUSE };
static const char *const group_name[] = { "Sections", "Items of init",
    "Statements", "Statements", "Words inside statements", "Operators",
    "Clauses of incident" };

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

static const struct directive {
	const char	*words;		/* by blanks, without # */
	const char	*args, *help;
} directive[] = {
#define DIR(id, words, does, family, args, help) { words, args, help },
#include "lang/table/directives.def"
#undef DIR
};

static const struct {
	const char	*word, *example, *gives;
} shown[] = {
#define E(word, example, gives) { word, example, gives },
#include "lang/table/words.def"
#undef E
};

static const struct {
	const char	*word, *by;
} shown_by[] = {
#define S(word, by) { word, by },
#include "lang/table/words.def"
#undef S
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
	return BI_COUNT + COUNT(word) + COUNT(directive) + TABLE_COUNT;
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

/* The table of entry i, or NULL. */
static const struct table_info *
table_of(size_t i)
{
	size_t first = BI_COUNT + COUNT(word) + COUNT(directive);

	return i < first ? NULL : &table_info[i - first];
}

/* "input table files(string [, integer])" */
static void
table_signature(const struct table_info *t, struct buf *b)
{
	const char *p;
	bool some = false;

	buf_printf(b, "input table %s", t->name);
	if (*t->args == '\0')
		return;
	buf_putc(b, '(');
	for (p = t->args; *p != '\0'; p++) {
		if (*p == '|') {
			buf_puts(b, " [");
			continue;
		}
		buf_printf(b, "%s%s", some ? ", " : "",
		    *p == 's' ? "string" : "integer");
		some = true;
	}
	buf_puts(b, strchr(t->args, '|') != NULL ? "])" : ")");
}

/* The directive of entry i, or NULL. */
static const struct directive *
directive_of(size_t i)
{
	return i < BI_COUNT + COUNT(word) || table_of(i) != NULL ? NULL :
	    &directive[i - BI_COUNT - COUNT(word)];
}

static struct doc
directive_doc(const struct directive *d)
{
	struct doc r = { DOC_DIRECTIVE, -1, "Directives, with # in column 1",
	    d->args, d->help, NULL, "", "", true };
	struct str name = nth(d->words, 0);
	size_t i;

	for (i = 0; i < COUNT(shown_by); i++)
		if (str_eq(str_c(shown_by[i].word), name)) {
			name = str_c(shown_by[i].by);
			break;
		}
	for (i = 0; i < COUNT(shown); i++)
		if (str_eq(str_c(shown[i].word), name)) {
			r.example = shown[i].example;
			r.gives = shown[i].gives;
		}
	return r;
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
	if (table_of(i) != NULL)
		return (struct doc){ DOC_TABLE, (int)(table_of(i) - table_info),
		    "Native tables", "input table", table_of(i)->help, NULL,
		    "", "", false };
	if (directive_of(i) != NULL)
		return directive_doc(directive_of(i));
	w = &word[i - BI_COUNT];
	k = keyword_find(str_c(w->word));
	return (struct doc){ DOC_WORD, -1, group_name[k == NULL ? STMT :
	    k->class], w->syntax, w->help, NULL, w->example, w->gives, true };
}

void
doc_signature(size_t i, struct buf *b)
{
	const struct directive *d = directive_of(i);
	struct str name;

	if (table_of(i) != NULL)
		table_signature(table_of(i), b);
	else if (i < BI_COUNT)
		builtin_signature((int)i, builtin_main_name((int)i), b);
	else if (d != NULL) {
		name = nth(d->words, 0);
		buf_putc(b, '#');
		buf_str(b, name);
		if (*d->args != '\0')
			buf_printf(b, " %s", d->args);
	} else
		buf_puts(b, word[i - BI_COUNT].syntax);
}

struct str
doc_name(size_t i, size_t k)
{
	const struct keyword *main;
	const char *name;
	size_t j;

	if (i < BI_COUNT)
		return nth(builtin_info[i].names, k);
	if (table_of(i) != NULL)
		return k == 0 ? str_c(table_of(i)->name) : STR_NIL;
	if (directive_of(i) != NULL)
		return nth(directive_of(i)->words, k);
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
	if (table_of(i) != NULL)
		return str_eq(name, STR_LIT("tables"));
	if (directive_of(i) != NULL)
		return name.n > 0 && name.p[0] == '#' &&
		    doc_is(i, without_sigil(name));
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
	const struct table_info *t = table_of(i);
	struct doc d = doc_get(i);
	struct str name;
	size_t k;

	for (k = 0; !str_none(name = doc_name(i, k)); k++)
		if (within(name, s))
			return true;
	for (k = t == NULL ? 0 : t->first; t != NULL && k < t[1].first; k++)
		if (within(str_c(column_info[k].name), s) ||
		    within(str_c(column_info[k].help), s))
			return true;
	return within(str_c(d.help), s) ||
	    (d.note != NULL && within(str_c(d.note), s)) ||
	    (d.syntax != NULL && within(str_c(d.syntax), s));
}
