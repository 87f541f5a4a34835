/*
 * syntax: what to say when the parser stops.  Why not bison's own sentence:
 * the common slips (a bare call, else if, braces, =) deserve their own.
 */
#include <stdlib.h>

#include "lang/syntax/build.h"
#include "lang/syntax/lexer.h"
#include "lang/syntax/parser.h"

static bool
wants(const char *const *want, int n, const char *name)
{
	int i;

	for (i = 0; i < n; i++)
		if (strcmp(want[i], name) == 0)
			return true;
	return false;
}

static const char *
closer(int token)
{
	switch (token) {
	case T_IF: return "fi";
	case T_WHILE: return "endwhile";
	case T_REPEAT: return "until";
	case T_FOR: return "endfor";
	case T_FOREACH: return "endforeach";
	default: return "endsw";
	}
}

static const char *
opener(int token)
{
	switch (token) {
	case T_IF: return "if";
	case T_WHILE: return "while";
	case T_REPEAT: return "repeat";
	case T_FOR: return "for";
	case T_FOREACH: return "foreach";
	default: return "switch";
	}
}

/* The source text of a token, as a person wrote it. */
static struct str
written(struct parse *p, struct span at)
{
	const struct buf *t = &p->src->text;

	if (at.at >= t->n)
		return STR_LIT("end of file");
	if (at.len == 0)
		at.len = 1;
	if (at.at + at.len > t->n)
		at.len = (uint32_t)(t->n - at.at);
	return str_of(t->p + at.at, at.len);
}

static bool
block_missing(struct parse *p, struct span at, struct str got)
{
	struct lexer *lx = p->lex;
	size_t n = lx->nblock > 0 ? lx->nblock : lx->nleft;
	struct lex_block *b;
	struct diag_item *d;

	if (n == 0)
		return false;
	b = &lx->block[n - 1];
	lx->nleft = 0;
	d = diag_at(p->diag, at, b->else_if ? E_ELSE_IF : E_BLOCK_OPEN, str_c(opener(b->token)),
	    str_c(closer(b->token)), got);
	if (d != NULL)
		diag_other(p->diag, d, source_place(p->src, b->span.at));
	return true;
}

static void
unknown_word(struct parse *p, struct span at, struct str word,
    const char *const *want, int nwant)
{
	struct diag_item *d;
	struct str best = STR_NIL, s;
	unsigned dist, bestd = 3;
	struct buf b;
	size_t i;

	for (i = 0; i < keyword_count; i++) {
		s = str_c(keyword_table[i].word);
		dist = str_distance(s, word, bestd);
		/* what could stand here wins over what could not */
		if (dist < bestd || (dist == bestd && dist < 3 &&
		    wants(want, nwant, keyword_table[i].word))) {
			best = s;
			bestd = dist;
		}
	}
	d = diag_at(p->diag, at, E_WORD, word, STR_NIL, STR_NIL);
	if (d == NULL || str_none(best))
		return;
	buf_init(&b, p->arena->mem);
	buf_puts(&b, "did you mean ");
	buf_str(&b, best);
	buf_putc(&b, '?');
	diag_hint(p->diag, d, arena_dup(p->arena, buf_view(&b)));
	buf_free(&b);
}

/* What the parser could take, in a few words; NIL if that is too much. */
static struct str
expected(struct parse *p, const char *const *want, int n)
{
	struct buf b;
	struct str s;
	int i, shown = 0;

	if (wants(want, n, "set"))
		return STR_LIT("a statement");
	if (wants(want, n, "string") && wants(want, n, "number") &&
	    wants(want, n, "NIL"))
		return STR_LIT("an expression");
	if (wants(want, n, "status") && wants(want, n, "task"))
		return STR_LIT("an item of init or a section");
	if (wants(want, n, "**") && n > 6)
		return STR_NIL;
	if (n == 0 || n > 4)
		return STR_NIL;
	buf_init(&b, p->arena->mem);
	for (i = 0; i < n; i++) {
		if (shown++ > 0)
			buf_puts(&b, i == n - 1 ? " or " : ", ");
		buf_puts(&b, want[i]);
	}
	s = arena_dup(p->arena, buf_view(&b));
	buf_free(&b);
	return s;
}

void
build_syntax_error(struct parse *p, struct span at, const char *got,
    const char *const *want, int nwant)
{
	struct str text = written(p, at), exp;
	bool statement = wants(want, nwant, "set");
	size_t n;

	if (p->stop)
		return;
	if (strcmp(got, "word") == 0) {
		unknown_word(p, at, text, want, nwant);
		return;
	}
	if (statement && (strcmp(got, "number function") == 0 ||
	    strcmp(got, "string function") == 0)) {
		diag_at(p->diag, at, E_BARE_CALL, text, STR_NIL, STR_NIL);
		return;
	}
	if (statement && (strcmp(got, "number variable") == 0 ||
	    strcmp(got, "string variable") == 0)) {
		diag_at(p->diag, at, E_BARE_VAR, text, STR_NIL, STR_NIL);
		return;
	}
	if (text.n > 0 && text.p[0] == '=' && text.n == 1 &&
	    wants(want, nwant, "==")) {
		diag_at(p->diag, at, E_ASSIGN_IN_EXPR, STR_NIL, STR_NIL,
		    STR_NIL);
		return;
	}
	if (strcmp(got, "end of file") == 0 || strcmp(got, "script name") == 0 ||
	    strcmp(got, "rule") == 0 || strcmp(got, "end") == 0 ||
	    strcmp(got, "begin") == 0) {
		if (block_missing(p, at, text))
			return;
	}
	for (n = 0; n < text.n && n < 40 && text.p[n] != '\n'; n++)
		;
	text.n = n;
	exp = expected(p, want, nwant);
	if (str_none(exp))
		diag_at(p->diag, at, E_SYNTAX, text, STR_NIL, STR_NIL);
	else
		diag_at(p->diag, at, E_SYNTAX_WANT, text, exp, STR_NIL);
}

void
build_too_deep(struct parse *p, struct span at)
{
	if (p->stop)
		return;
	diag_at(p->diag, at, E_DEEP, STR_LIT("200 levels"), STR_NIL, STR_NIL);
	p->stop = true;
}
