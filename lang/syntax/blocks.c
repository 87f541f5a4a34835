/*
 * blocks: the tokens as the parser gets them.  Why: a block or bracket that
 * is left open would make the parser stumble far from the mistake, and over
 * everything after it.  Here it is told of where it was opened, and closed.
 */
#include "lang/syntax/lexer.h"
#include "lang/syntax/build.h"
#include "lang/syntax/parser.h"

struct lex_held {
	union token_value v;
	struct span	 span;
	int		 token;
};

extern int pk_lex_lex(union token_value *, struct span *, void *);

static const struct block {
	int		 token, close;
	const char	*open_word, *close_word;
} blocks[] = {
	{ T_IF, T_FI, "if", "fi" },
	{ T_WHILE, T_ENDWHILE, "while", "endwhile" },
	{ T_REPEAT, T_UNTIL, "repeat", "until" },
	{ T_FOR, T_ENDFOR, "for", "endfor" },
	{ T_FOREACH, T_ENDFOREACH, "foreach", "endforeach" },
	{ T_SWITCH, T_ENDSW, "switch", "endsw" },
	{ T_FUNCTION, T_ENDFUNCTION, "function", "endfunction" },
	{ T_INCIDENT, T_ENDINCIDENT, "incident", "endincident" },
};

bool
lx_in_incident(const struct lexer *lx)
{
	size_t i;

	for (i = lx->nblock; i > 0; i--)
		if (lx->block[i - 1].token == T_INCIDENT)
			return true;
	return false;
}

/* A word that divides an incident; until may end a repeat in it. */
static bool
is_clause(const struct lexer *lx, int token)
{
	size_t i;

	switch (token) {
	case T_UNTIL:
		for (i = lx->nblock; i > 0; i--)
			if (lx->block[i - 1].token == T_REPEAT)
				return false;
			else if (lx->block[i - 1].token == T_INCIDENT)
				return true;
		return false;
	case T_WHEN: case T_HOLD: case T_REMIND: case T_ABSENT: case T_LEVEL:
	case T_UNLESS: case T_MESSAGE: case T_ONSET: case T_CLEAR:
		return lx_in_incident(lx);
	}
	return false;
}

/* The block that a token opens (by open) or belongs to; NULL: none. */
static const struct block *
block_of(const struct lexer *lx, int token, bool open)
{
	size_t i;

	if (!open && is_clause(lx, token))
		token = T_ENDINCIDENT;
	if (!open && (token == T_ELIF || token == T_ELSE))
		token = T_FI;
	if (!open && (token == T_CASE || token == T_DEFAULT))
		token = T_ENDSW;
	for (i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
		if (token == (open ? blocks[i].token : blocks[i].close))
			return &blocks[i];
	return NULL;
}

static struct str
text_at(const struct lexer *lx, int token, struct span at)
{
	const struct buf *t = &lx->p->src->text;

	if (token == T_EOF || at.at + at.len > t->n)
		return STR_LIT("end of file");
	return str_of(t->p + at.at, at.len);
}

/* The innermost open block is closed by nothing. */
static void
tell_open(struct lexer *lx, const struct lex_block *b, int token,
    struct span at)
{
	const struct block *k = block_of(lx, b->token, true);
	struct diag_item *d;

	if (lx->braces)
		return;		/* told of, and likely the reason */
	if (b->else_if.len > 0) {
		diag_at(lx->p->diag, b->else_if, E_ELSE_IF, STR_NIL, STR_NIL,
		    STR_NIL);
		return;
	}
	d = diag_at(lx->p->diag, b->span, E_BLOCK_OPEN, str_c(k->open_word),
	    str_c(k->close_word), text_at(lx, token, at));
	if (token != T_EOF)
		diag_other(lx->p->diag, d, source_place(lx->p->src, at.at),
		    "before this");
}

static void
open_block(struct lexer *lx, int token, struct span span)
{
	struct lex_block *b;

	if (lx->nblock == LIM_NEST) {
		build_too_deep(lx->p, span, "200 levels");
		return;
	}
	if (token == T_IF && lx->before == T_ELSE && lx->nblock > 0)
		lx->block[lx->nblock - 1].else_if = span;
	b = &lx->block[lx->nblock++];
	b->token = token;
	b->span = span;
	b->else_if.len = 0;
}

/*
 * A word that ends or divides a block: makes the innermost one fit.  Returns
 * the token that the parser shall get, T_BAD for none.
 */
static int
divide_block(struct lexer *lx, const struct block *k, int token,
    struct span span)
{
	bool closes = token == k->close;
	const struct block *top;
	struct diag_item *d;
	size_t i;

	for (i = lx->nblock; i > 0 && lx->block[i - 1].token != k->token; i--)
		;
	if (i > 0) {
		/* what is open in between was not closed */
		for (lx->nclose = lx->nblock - i; i < lx->nblock; i++)
			tell_open(lx, &lx->block[i], token, span);
		if (closes && lx->nclose == 0)
			lx->nblock--;
		return token;
	}
	top = lx->nblock == 0 ? NULL :
	    block_of(lx, lx->block[lx->nblock - 1].token, true);
	if (top == NULL || !closes || token == T_UNTIL ||
	    top->close == T_UNTIL) {
		if (!lx->braces)
			diag_at(lx->p->diag, span, E_ALONE,
			    text_at(lx, token, span), str_c(k->open_word),
			    STR_NIL);
		/* what belongs to it makes no sense either */
		lx->quiet = 1;
		return T_BAD;
	}
	d = diag_at(lx->p->diag, span, E_CLOSE_OTHER,
	    text_at(lx, token, span), str_c(top->close_word), STR_NIL);
	lx->nblock--;
	diag_other(lx->p->diag, d, source_place(lx->p->src,
	    lx->block[lx->nblock].span.at), "opened here");
	return top->close;
}

/* A word that cannot stand in brackets: what is open is not closed. */
static void
leave_brackets(struct lexer *lx, int token, struct span span)
{
	const struct lex_bracket *b = &lx->bracket[lx->nbracket - 1];
	char want[2] = { b->close, '\0' };
	struct diag_item *d;

	if (lx->quiet == 0) {
		d = diag_at(lx->p->diag, span, E_CLOSE_OTHER,
		    text_at(lx, token, span), str_c(want), STR_NIL);
		diag_other(lx->p->diag, d,
		    source_place(lx->p->src, b->span.at), "opened here");
	}
	lx->quiet = 1;
	lx->nbracket = 0;
	lx->in_string = lx->sq = lx->dq = lx->esc = false;
}

static bool
never_in_brackets(int token)
{
	size_t i;

	if (token == T_NAME || token == T_EOF)
		return true;
	if (token == T_SET)
		return false;		/* for (set ...) */
	for (i = 0; i < keyword_count; i++)
		if (keyword_table[i].token == token)
			return keyword_table[i].class == KW_SECTION ||
			    keyword_table[i].class == KW_STMT ||
			    keyword_table[i].class == KW_CLOSE ||
			    keyword_table[i].class == KW_CLAUSE;
	return false;
}

/* The next token that is one; those that were reported are dropped. */
static int
scan(struct lexer *lx, union token_value *v, struct span *loc)
{
	const struct block *k;
	int token;

	lx->quiet = 0;
	for (;;) {
		token = pk_lex_lex(v, loc, lx->scanner);
		if (lx->p->stop)
			return T_EOF;
		if (token == T_BAD) {
			lx->quiet = 1;
			continue;
		}
		if (lx->nbracket > 0 && never_in_brackets(token))
			leave_brackets(lx, token, *loc);
		if (token != T_AS && token != T_IN && token != T_STRBEGIN &&
		    token != '(')
			lx->plain_once = false;	/* that was no string */
		lx->before = lx->prev;
		lx->before_span = lx->prev_span;
		lx->prev = token;
		lx->prev_span = *loc;
		if (lx->nbracket > 0)
			return token;
		if (token == T_FUNCTION)
			return token;	/* what is open ends before it */
		if ((k = block_of(lx, token, true)) != NULL)
			open_block(lx, token, *loc);
		else if ((k = block_of(lx, token, false)) != NULL) {
			token = divide_block(lx, k, token, *loc);
			if (token == T_BAD)
				continue;
		}
		return lx->p->stop ? T_EOF : token;
	}
}

/* Closes one block that was left open. */
static int
close_one(struct lexer *lx, struct span *loc, struct span before)
{
	const struct block *k;

	loc->at = before.at;
	loc->len = 0;
	lx->nclose--;
	k = block_of(lx, lx->block[--lx->nblock].token, true);
	lx->condition = k->close == T_UNTIL;
	return k->close;
}

int
lexer_next(union token_value *v, struct span *loc, struct parse *p)
{
	struct lexer *lx = p->lex;
	struct lex_held *h = lx->held;
	size_t i;
	int token;

	if (p->stop) {
		loc->at = lx->at;
		loc->len = 0;
		return T_EOF;
	}
	if (lx->condition) {
		lx->condition = false;
		loc->at = h->span.at;
		loc->len = 0;
		memset(v, 0, sizeof *v);
		v->q.num = 1;
		return T_NUM;
	}
	if (lx->nclose > 0)
		return close_one(lx, loc, h->span);
	if (h != NULL && h->token != T_BAD) {
		token = h->token;
		*v = h->v;
		*loc = h->span;
		h->token = T_BAD;
		if (token == T_FUNCTION)
			open_block(lx, token, *loc);
		if (block_of(lx, token, false) != NULL &&
		    block_of(lx, token, false)->close == token)
			lx->nblock--;
		return token;
	}
	token = scan(lx, v, loc);
	switch (token) {
	case T_NAME: case T_INIT: case T_BEGIN: case T_RULE: case T_END:
	case T_FUNCTION: case T_EOF:
		if (p->stop)
			break;
		for (i = lx->nblock; i > 0; i--)
			tell_open(lx, &lx->block[i - 1], token, *loc);
		lx->nclose = lx->nblock;
		break;
	}
	if (lx->nclose == 0) {
		if (token == T_FUNCTION)
			open_block(lx, token, *loc);
		return token;
	}
	if (h == NULL)
		h = lx->held = arena_zalloc(p->arena, sizeof *h);
	h->token = token;
	h->v = *v;
	h->span = *loc;
	return close_one(lx, loc, h->span);
}
