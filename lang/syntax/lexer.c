#include <ctype.h>

#include "lang/syntax/lexer.h"
#include "lang/syntax/build.h"
#include "lang/syntax/parser.h"

static const struct keyword keyword_rows[] = {
#define KW(token, word, class) { word, T_##token, KW_##class },
#include "lang/table/keywords.def"
#undef KW
};
const struct keyword *const keyword_table = keyword_rows;
const size_t keyword_count = sizeof keyword_rows / sizeof keyword_rows[0];

extern int pk_lex_lex(union token_value *, struct span *, void *);

static const struct keyword *
keyword_find(const struct lexer *lx, struct str s)
{
	size_t i;

	for (i = 0; i < keyword_count; i++)
		if (keyword_rows[i].word[0] == s.p[0] &&
		    str_eq(str_c(keyword_rows[i].word), s))
			return keyword_rows[i].class == KW_CLAUSE &&
			    !lx_in_incident(lx) ? NULL : &keyword_rows[i];
	return NULL;
}

struct lex_bracket *
lx_innermost(struct lexer *lx)
{
	return lx->nbracket == 0 ? NULL : &lx->bracket[lx->nbracket - 1];
}

void
lx_begin(struct lexer *lx, struct span *loc, uint32_t len)
{
	loc->at = lx->at;
	loc->len = len;
	lx->at += len;
}

int
lx_error(struct lexer *lx, struct span span, enum diag_id id, struct str text)
{
	static const struct { const char *c, *hint; } typed[] = {
		{ "\342\200\234", "quotes are \"...\"" },	/* as a word */
		{ "\342\200\235", "quotes are \"...\"" },	/* processor */
		{ "\342\200\236", "quotes are \"...\"" },	/* makes them */
		{ "\342\200\230", "quotes are '...'" },
		{ "\342\200\231", "quotes are '...'" },
		{ "\342\200\223", "write -" }, { "\342\200\224", "write -" },
		{ "\302\240", "this is a no-break space: write a blank" },
		{ "\357\273\277", "this is a byte order mark: save the file "
		    "without it" },
	};
	struct diag_item *d;
	size_t i;

	d = diag_at(lx->p->diag, span, id, text, STR_NIL, STR_NIL);
	for (i = 0; id == E_CHAR && i < sizeof typed / sizeof typed[0]; i++)
		if (str_starts(text, typed[i].c))
			diag_hint(lx->p->diag, d, str_c(typed[i].hint));
	return T_BAD;
}

int
lx_foreign(struct lexer *lx, struct span span, struct str text)
{
	bool *told = text.p[0] == ';' ? &lx->semicolon : &lx->braces;

	if (!*told)
		lx_error(lx, span, text.p[0] == ';' ? E_SEMICOLON : E_BRACES,
		    text);
	*told = true;
	return T_BAD;
}

struct span
lx_end(const struct lexer *lx)
{
	const struct buf *t = &lx->p->src->text;
	size_t n = t->n;

	while (n > 0 && memchr(" \t\r\n\f\v", t->p[n - 1], 6) != NULL)
		n--;
	return (struct span){ (uint32_t)n, 0 };
}

struct str
lx_rest(const struct lexer *lx)
{
	const struct buf *t = &lx->p->src->text;

	return lx->at >= t->n ? STR_EMPTY : str_of(t->p + lx->at, t->n - lx->at);
}

bool
lx_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_';
}

bool
lx_section_next(struct str s)
{
	static const char *const sections[] = { "init", "begin", "rule", "end" };
	size_t i, n;

	for (i = 0; i < s.n && (s.p[i] == ' ' || s.p[i] == '\t' ||
	    s.p[i] == '\n' || s.p[i] == '\r'); i++)
		;
	s = str_of(s.p + i, s.n - i);
	for (i = 0; i < sizeof sections / sizeof sections[0]; i++) {
		n = strlen(sections[i]);
		if (s.n >= n && memcmp(s.p, sections[i], n) == 0 &&
		    (s.n == n || !lx_word_byte(s.p[n])))
			return true;
	}
	return false;
}

/* Is the word in column 1 a script's name (language.md, 1)? */
bool
lx_is_name(struct lexer *lx, struct str word)
{
	const struct keyword *k = keyword_find(lx, word);

	if (k != NULL && k->class == KW_SECTION)
		return false;
	if (!source_column_one(lx->p->src, lx->at - (uint32_t)word.n))
		return false;
	if (k == NULL && lx->nbracket == 0) {
		/* Without sigil and in lower case it may still be a slip; it
		 * is a name all the same: no statement starts so. */
		return true;
	}
	return lx_section_next(lx_rest(lx));
}

int
lx_word(struct lexer *lx, union token_value *v, struct str word)
{
	const struct keyword *k = keyword_find(lx, word);
	size_t i;

	if (k == NULL) {
		v->text = arena_dup(lx->p->arena, word);
		if (str_eq(word, STR_LIT("NIL")))
			return T_NIL;
		if (str_eq(word, STR_LIT("ERR")))
			return T_ERRV;
		for (i = 0; i < word.n; i++)
			if (word.p[i] >= 'a' && word.p[i] <= 'z')
				return T_WORD;
		return T_HANDLE;
	}
	if (lx->nbracket == 0) {
		/* Where a command is expected, and where that ends. */
		switch (k->token) {
		case T_EXEC: case T_DOEXEC:
			lx->next_mode = MODE_CMD;
			lx->sq = lx->dq = lx->esc = false;
			break;
		case T_PROC: case T_FILTER:
			lx->next_mode = MODE_INIT_CMD;
			lx->sq = lx->dq = lx->esc = false;
			break;
		case T_FILE: case T_LOGFILE: case T_JOURNAL: case T_OBJECT:
			if (lx->prev == T_INPUT)	/* not: output journal */
				lx->next_mode = MODE_INIT;
			break;
		case T_AS: case T_IN:
			if (lx->next_mode == MODE_CMD)
				lx->plain_once = true;
			if (lx->foreach_line) {
				lx->next_mode = MODE_CMD;
				lx->sq = lx->dq = lx->esc = false;
				lx->foreach_line = false;
			}
			break;
		case T_LINE:
			if (lx->prev == T_FOREACH)
				lx->foreach_line = true;
			break;
		case T_TIMEOUT: case T_MEMORY:
			if (lx->next_mode == MODE_CMD)
				break;
			lx->next_mode = MODE_PLAIN;
			break;
		default:
			if (k->class != KW_WORD && k->class != KW_OPER)
				lx->next_mode = MODE_PLAIN;
			break;
		}
	}
	return k->token;
}

/* Opens a bracket; the token is returned unless it is one too many. */
int
lx_open(struct lexer *lx, char close, bool to_string, int token,
    struct span span)
{
	struct lex_bracket *b;

	if (lx->nbracket == LIM_NEST) {
		build_too_deep(lx->p, span, "200 levels");
		return T_BAD;
	}
	b = &lx->bracket[lx->nbracket++];
	memset(b, 0, sizeof *b);
	b->close = close;
	b->to_string = to_string;
	b->span = span;
	b->cmdarg = -1;
	if (to_string) {
		b->mode = lx->mode;
		b->block = lx->block_text;
		b->indent = lx->indent;
		b->open_quote = lx->open_quote;
		lx->in_string = false;
	}
	b->sq = lx->sq;
	b->dq = lx->dq;
	b->esc = lx->esc;
	return token;
}

int
lx_close(struct lexer *lx, char c, struct span span)
{
	struct lex_bracket *b = lx_innermost(lx);

	if (b == NULL || b->close != c) {
		char want[2] = { b == NULL ? '\0' : b->close, '\0' };
		struct diag_item *d;

		if (b == NULL && c == '}')
			return lx_foreign(lx, span, STR_LIT("}"));
		if (b == NULL)
			return lx_error(lx, span, E_CLOSE, str_of(&c, 1));
		d = diag_at(lx->p->diag, span, E_CLOSE_OTHER, str_of(&c, 1),
		    str_c(want), STR_NIL);
		if (d != NULL)
			diag_other(lx->p->diag, d,
			    source_place(lx->p->src, b->span.at),
			    "opened here");
		/* take it for the one that was meant */
	}
	lx->sq = b->sq;
	lx->dq = b->dq;
	lx->esc = b->esc;
	if (b->to_string) {
		lx->in_string = true;
		lx->mode = b->mode;
		lx->block_text = b->block;
		lx->indent = b->indent;
		lx->open_quote = b->open_quote;
		lx->unclosed_told = false;
	}
	lx->nbracket--;
	return b->close;
}

/* name( with its sigil: the function's token, brackets opened. */
int
lx_func(struct lexer *lx, union token_value *v, struct span span, struct str text,
    bool to_string)
{
	struct str name = str_of(text.p, text.n - 1);
	const char *cmd;
	int id = builtin_find(name), token;

	token = lx_open(lx, ')', to_string,
	    name.p[0] == '#' ? T_NFUNC : T_SFUNC, span);
	if (token == T_BAD)
		return token;
	if (id < 0)		/* the source's own, if it defines it */
		(void)ast_function(lx->p, name, &id);
	else if ((cmd = strchr(builtin_info[id].args, 'c')) != NULL)
		lx_innermost(lx)->cmdarg = (int)(cmd - builtin_info[id].args);
	if (lx_innermost(lx)->cmdarg >= 0)
		lx->sq = lx->dq = lx->esc = false;
	v->id = id;
	return token;
}

void
lx_comma(struct lexer *lx)
{
	struct lex_bracket *b = lx_innermost(lx);

	if (b == NULL)
		return;
	b->arg++;
	if (b->arg == b->cmdarg)
		lx->sq = lx->dq = lx->esc = false;
}

int
lx_number(struct lexer *lx, union token_value *v, struct span span, struct str s)
{
	static const struct { char c; int unit; double by; } units[] = {
		{ 's', UNIT_DURATION, 1 }, { 'm', UNIT_DURATION, 60 },
		{ 'h', UNIT_DURATION, 3600 }, { 'd', UNIT_DURATION, 86400 },
		{ 'w', UNIT_DURATION, 604800 }, { 'K', UNIT_SIZE, 1024 },
		{ 'M', UNIT_SIZE, 1048576 }, { 'G', UNIT_SIZE, 1073741824 },
		{ 'T', UNIT_SIZE, 1099511627776 }, { '%', UNIT_PERCENT, .01 },
	};
	double by = 1;
	size_t i;

	v->q.unit = UNIT_NONE;
	for (i = 0; i < sizeof units / sizeof units[0]; i++)
		if (s.p[s.n - 1] == units[i].c) {
			v->q.unit = units[i].unit;
			by = units[i].by;
			s.n--;
			break;
		}
	v->q.num = num_parse(s, false);
	if (v->q.unit == UNIT_PERCENT)
		v->q.num /= 100;
	else
		v->q.num *= by;
	if (!num_fine(v->q.num)) {
		lx_error(lx, span, E_NUMBER_BIG, s);
		v->q.num = 0;
	}
	return T_NUM;
}

int
lx_hex(char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

int
lx_no_number(struct lexer *lx, union token_value *v, struct span span,
    struct str s)
{
	struct diag_item *d;
	struct buf b;
	double n = 0;
	size_t i;

	d = diag_at(lx->p->diag, span, E_NUMBER, s, STR_NIL, STR_NIL);
	for (i = 2; i < s.n && isxdigit((unsigned char)s.p[i]); i++)
		n = n * 16 + lx_hex(s.p[i]);
	if (s.n > 2 && s.p[0] == '0' && (s.p[1] | 0x20) == 'x' && i == s.n &&
	    n <= NUM_EXACT) {
		buf_init(&b, lx->p->arena->mem);
		buf_printf(&b, "write %.0f", n);
		diag_hint(lx->p->diag, d, buf_view(&b));
		buf_free(&b);
	}
	v->q.unit = UNIT_NONE;
	v->q.num = 0;
	lx->quiet = 1;
	return T_NUM;
}

/* Did the token before end an operand?  Then % is an operator. */
bool
lx_after_operand(const struct lexer *lx)
{
	switch (lx->prev) {
	case T_NUM: case T_NVAR: case T_SVAR: case T_FIELD: case T_STREND:
	case ')': case ']': case T_PREV:
		return true;
	}
	return false;
}
