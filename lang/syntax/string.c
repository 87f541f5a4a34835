#include "lang/syntax/lexer.h"
#include "lang/syntax/build.h"
#include "lang/syntax/parser.h"

/* How a string that begins here is read. */
static enum string_mode
mode_here(struct lexer *lx)
{
	const struct lex_bracket *b = lx_innermost(lx);

	if (b != NULL && (b->cmdarg >= 0 || b->close != ')' || b->to_string))
		return b->cmdarg >= 0 && b->arg == b->cmdarg ? MODE_CMD :
		    MODE_PLAIN;
	if (b != NULL) {
		/* plain parentheses pass on what stands round them */
		for (; b >= lx->bracket; b--) {
			if (b->cmdarg >= 0)
				return b->arg == b->cmdarg ? MODE_CMD :
				    MODE_PLAIN;
			if (b->close != ')' || b->to_string)
				return MODE_PLAIN;
		}
	}
	if (lx->plain_once) {
		lx->plain_once = false;
		return MODE_PLAIN;
	}
	return lx->next_mode;
}

int
lx_string(struct lexer *lx, struct span span, bool block)
{
	struct str s = lx_rest(lx);
	const char *e;
	size_t i;

	lx->mode = mode_here(lx);
	lx->block_text = block;
	lx->open_quote = span;
	lx->unclosed_told = false;
	lx->in_string = true;
	buf_clear(&lx->text);
	if (block) {
		/* the closing line's indentation is removed from all */
		lx->indent = 0;
		e = s.n < 3 ? NULL : memmem(s.p, s.n, "\"\"\"", 3);
		if (e != NULL) {
			for (i = (size_t)(e - s.p); i > 0 &&
			    (s.p[i - 1] == ' ' || s.p[i - 1] == '\t'); i--)
				lx->indent++;
			if (i == 0 || s.p[i - 1] != '\n')
				lx->indent = 0;
		}
	}
	return T_STRBEGIN;
}

int
lx_string_end(struct lexer *lx)
{
	lx->in_string = false;
	lx->block_text = false;
	return T_STREND;
}

/* Follows the shell's quotes through the text of a command. */
static void
shell_quotes(struct lexer *lx, char c, uint32_t at)
{
	if (lx->sq)
		lx->sq = c != '\'';
	else if (lx->esc)
		lx->esc = false;
	else if (c == '\\')
		lx->esc = true;
	else if (c == '"')
		lx->dq = !lx->dq;
	else if (c == '\'' && !lx->dq) {
		lx->sq = true;
		lx->sq_at = at;
	}
}

void
lx_char(struct lexer *lx, char c)
{
	if (lx->text.n == 0)
		lx->text_at = lx->at - 1;
	buf_putc(&lx->text, c);
	if (lx->mode == MODE_CMD || lx->mode == MODE_INIT_CMD)
		shell_quotes(lx, c, lx->at - 1);
}

void
lx_text(struct lexer *lx, struct str s)
{
	size_t i;

	if (lx->text.n == 0)
		lx->text_at = lx->at - (uint32_t)s.n;
	buf_add(&lx->text, s.p, s.n);
	if (lx->mode == MODE_CMD || lx->mode == MODE_INIT_CMD)
		for (i = 0; i < s.n; i++)
			shell_quotes(lx, s.p[i],
			    lx->at - (uint32_t)(s.n - i));
}

void
lx_escape(struct lexer *lx, struct str s)
{
	bool cmd = lx->mode == MODE_CMD || lx->mode == MODE_INIT_CMD;
	char c = s.p[1];

	if (c == '\n')
		return;
	if (strchr("$#\"\\=/", c) != NULL)
		lx_char(lx, c);
	else if (!cmd && c == 'n')
		lx_char(lx, '\n');
	else if (!cmd && c == 't')
		lx_char(lx, '\t');
	else if (!cmd && (c == 'x' || c == 'X') && s.n == 4)
		lx_char(lx, (char)(lx_hex(s.p[2]) << 4 | lx_hex(s.p[3])));
	else
		lx_text(lx, s);
}

bool
lx_newline(struct lexer *lx, struct str s)
{
	struct str r = lx_rest(lx);
	size_t i, lines = 0;
	const char *q;
	uint32_t k;

	if (lx->block_text) {
		/* the CR of CR LF was taken as text */
		if (s.p[-1] == '\r' && lx->text.n > 0)
			lx->text.n--;
		for (i = 0; i < s.n && (s.p[i] == ' ' || s.p[i] == '\t'); i++)
			if (lx->text.n > 0)
				lx_char(lx, s.p[i]);
		while (i < s.n) {
			/* one line end, then its line's indentation */
			while (i < s.n && s.p[i] != '\n')
				i++;
			i++;
			if (lines++ > 0 || lx->text.n > 0 ||
			    lx->prev != T_STRBEGIN)
				lx_char(lx, '\n');
			for (k = 0; i < s.n && (s.p[i] == ' ' ||
			    s.p[i] == '\t') ; i++, k++)
				if (k >= lx->indent)
					lx_char(lx, s.p[i]);
		}
		return true;
	}
	if (r.n == 0 || s.p[s.n - 1] == '\n')
		return false;
	/* a newline with the blanks round it is one space; those before it
	 * were taken as text */
	for (q = s.p; lx->text.n > 0 && (q[-1] == ' ' || q[-1] == '\t' ||
	    q[-1] == '\r'); q--)
		lx->text.n--;
	lx_char(lx, ' ');
	return true;
}

/* The newline before the closing quotes is not part of a text block. */
void
lx_block_end(struct lexer *lx)
{
	if (lx->text.n > 0 && lx->text.p[lx->text.n - 1] == '\n')
		lx->text.n--;
}

/*
 * In a command, inside the shell's single quotes, a double quote is text,
 * unless it closes the literal: the next non-blank is a '.' before a blank,
 * '$' or '"' (language.md, 5.1).
 */
bool
lx_quote_is_text(struct lexer *lx)
{
	struct str s;
	size_t i;

	if ((lx->mode != MODE_CMD && lx->mode != MODE_INIT_CMD) || !lx->sq)
		return false;
	s = lx_rest(lx);
	for (i = 0; i < s.n && (s.p[i] == ' ' || s.p[i] == '\t'); i++)
		;
	if (i + 1 < s.n && s.p[i] == '.' && strchr(" \t\n$\"", s.p[i + 1]))
		return false;
	return true;
}

bool
lx_text_only(const struct lexer *lx)
{
	return lx->mode == MODE_INIT || lx->mode == MODE_INIT_CMD;
}

int
lx_flush(struct lexer *lx, union token_value *v, struct span *loc)
{
	v->text = arena_dup(lx->p->arena, buf_view(&lx->text));
	loc->at = lx->text_at;
	loc->len = lx->at - lx->text_at;
	buf_clear(&lx->text);
	return T_STRTEXT;
}

/*
 * How much of the text is a raw string.  One that is not closed, or only by
 * the apostrophe of another script, ends with its line.
 */
size_t
lx_raw_length(struct lexer *lx, struct span at, struct str s)
{
	size_t i, n = s.n;
	bool closed = s.n > 1 && s.p[s.n - 1] == '\'';

	for (i = 1; closed && i + 2 < s.n; i++)
		closed = s.p[i] != '\n' ||
		    strchr(" \t\n\r'", s.p[i + 1]) != NULL;
	if (closed)
		return n;
	at.len = 1;
	lx_error(lx, at, E_STR_OPEN, STR_LIT("'"));
	return str_find(s, '\n', 0);
}

/* '...': as it stands. */
int
lx_raw(struct lexer *lx, union token_value *v, struct str s)
{
	bool closed = s.n > 1 && s.p[s.n - 1] == '\'';

	lx->plain_once = false;
	v->text = arena_dup(lx->p->arena, str_of(s.p + 1,
	    s.n - (closed ? 2 : 1)));
	return T_STRTEXT;
}

void
lx_unclosed(struct lexer *lx)
{
	struct span at = { lx->sq_at, 1 };

	if (lx->unclosed_told)
		return;
	lx->unclosed_told = true;
	if (lx->sq && (lx->mode == MODE_CMD || lx->mode == MODE_INIT_CMD)) {
		/* why the " behind it did not end the string */
		diag_hint(lx->p->diag, diag_at(lx->p->diag, at, E_CMD_OPEN,
		    STR_LIT("'"), STR_NIL, STR_NIL),
		    STR_LIT("inside the shell's ' a \" does not end the string"));
		lx->sq = false;
		return;
	}
	lx_error(lx, lx->open_quote, E_STR_OPEN, lx->block_text ?
	    STR_LIT("\"\"\"") : STR_LIT("\""));
}
