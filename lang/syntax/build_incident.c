/* build_incident: the parts of an incident statement. */
#include "lang/syntax/build.h"

#define LIM_CONDITION	400	/* bytes of a condition that are shown with an
				 * incident: five lines of a script */

/*
 * The condition as it is written (macros expanded), on one line: blanks
 * outside of strings are one.
 */
static struct str
condition_text(struct parse *p, struct span at)
{
	const struct buf *t = &p->src->text;
	struct str s, r;
	struct buf b;
	char quote = '\0';
	size_t i;

	if (at.at + at.len > t->n)
		return STR_EMPTY;
	s = str_trim(str_of(t->p + at.at, at.len));
	buf_init(&b, p->arena->mem);
	for (i = 0; i < s.n && b.n < LIM_CONDITION; i++) {
		if (quote == '\0' && memchr(" \t\r\n", s.p[i], 4) != NULL) {
			if (b.n > 0 && b.p[b.n - 1] != ' ')
				buf_putc(&b, ' ');
			continue;
		}
		if (quote == '\0' && (s.p[i] == '"' || s.p[i] == '\''))
			quote = s.p[i];
		else if (s.p[i] == quote)
			quote = '\0';
		buf_putc(&b, s.p[i]);
		if (quote == '"' && s.p[i] == '\\' && i + 1 < s.n)
			buf_putc(&b, s.p[++i]);
	}
	if (i < s.n)
		buf_puts(&b, "...");
	r = arena_dup(p->arena, buf_view(&b));
	buf_free(&b);
	return r;
}

struct node *
build_clause(struct parse *p, enum clause which, struct node *a,
    struct span word, struct span text)
{
	struct node *n = ast_un(p, S_CLAUSE, (int)which, word, a);

	if (which == CL_WHEN)
		n->text = condition_text(p, text);
	return n;
}

struct node *
build_level_clause(struct parse *p, struct str level, struct span word,
    struct span at)
{
	struct node *n = build_clause(p, CL_LEVEL, ast_new(p, X_STR, at),
	    word, at);

	n->a->text = level;
	return n;
}

struct node *
build_incident(struct parse *p, struct node *key, struct node *clauses,
    struct span word)
{
	struct node *n = ast_un(p, S_INCIDENT, 0, word, key);

	n->list = clauses;
	return n;
}
