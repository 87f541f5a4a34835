#include "lang/test/token.h"

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The byte at i; 0 behind the end, as a text holds none (E_NUL). */
static char
at(const struct tokens *k, uint32_t i)
{
	return i < k->src->text.n ? k->src->text.p[i] : '\0';
}

static bool
stands(const struct tokens *k, uint32_t i, const char *s)
{
	for (; *s != '\0'; s++, i++)
		if (at(k, i) != *s)
			return false;
	return true;
}

static int
hex(char c)
{
	return digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	    c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A \ at i: what it stands for goes to b; returns where the text goes on. */
static uint32_t
escape(const struct tokens *k, uint32_t i, struct buf *b)
{
	uint32_t nl = i + (at(k, i + 1) == '\r' ? 2 : 1);
	char c = at(k, i + 1);

	if (at(k, nl) == '\n') {
		while (at(k, nl + 1) == ' ' || at(k, nl + 1) == '\t')
			nl++;
		return nl + 1;
	}
	if (c == '\0') {
		buf_putc(b, '\\');
		return i + 1;
	}
	if (strchr("$#\"\\=/", c) != NULL)
		buf_putc(b, c);
	else if (c == 'n')
		buf_putc(b, '\n');
	else if (c == 't')
		buf_putc(b, '\t');
	else if ((c == 'x' || c == 'X') && hex(at(k, i + 2)) >= 0 &&
	    hex(at(k, i + 3)) >= 0) {
		buf_putc(b, (char)(hex(at(k, i + 2)) << 4 |
		    hex(at(k, i + 3))));
		return i + 4;
	} else {
		buf_putc(b, '\\');
		buf_putc(b, c);
	}
	return i + 2;
}

/* The blanks round a newline at i: where the text goes on; i: it does not. */
static uint32_t
over_lines(const struct tokens *k, uint32_t i)
{
	uint32_t e = i;

	while (blank(at(k, e)))
		e++;
	return at(k, e) == '\0' || at(k, e - 1) == '\n' ? i : e;
}

/* Of a text block: the indentation of the line that closes it. */
static uint32_t
indentation(const struct tokens *k, uint32_t i)
{
	uint32_t e = i, n;

	while (at(k, e) != '\0' && !stands(k, e, "\"\"\""))
		e += at(k, e) == '\\' && at(k, e + 1) != '\0' ? 2 : 1;
	for (n = 0; e > i && (at(k, e - 1) == ' ' || at(k, e - 1) == '\t'); n++)
		e--;
	return e > i && at(k, e - 1) == '\n' ? n : 0;
}

/* """ at i. */
static uint32_t
block(struct tokens *k, uint32_t i, struct buf *b)
{
	uint32_t indent, n;
	bool first = true;

	i += 3;
	indent = indentation(k, i);
	while (at(k, i) != '\0' && !stands(k, i, "\"\"\"")) {
		if (at(k, i) == '\\') {
			i = escape(k, i, b);
			first = false;
			continue;
		}
		if (at(k, i) == '\r' && at(k, i + 1) == '\n')
			i++;
		if (at(k, i) == '\n') {
			/* the one behind the opening quotes is none */
			if (!first || b->n > 0)
				buf_putc(b, '\n');
			i++;
			for (n = 0; n < indent && (at(k, i) == ' ' ||
			    at(k, i) == '\t'); n++)
				i++;
		} else
			buf_putc(b, at(k, i++));
		first = false;
	}
	if (at(k, i) == '\0')
		return i;
	if (b->n > 0 && b->p[b->n - 1] == '\n')
		b->n--;
	return i + 3;
}

/*
 * A string in "..." at i; returns the end of what is closed, else the place of
 * the zero.  command: as in scripts a " inside the shell's '...' is text.
 */
static uint32_t
string(struct tokens *k, uint32_t i, bool command, struct buf *b)
{
	bool single = false;
	uint32_t next;

	for (i++; at(k, i) != '\0' && (single || at(k, i) != '"'); ) {
		if (at(k, i) == '\\' && !(single && at(k, i + 1) == '\'')) {
			i = escape(k, i, b);
			continue;
		}
		if (at(k, i) == '\n') {
			next = over_lines(k, i);
			if (next == i)
				return (uint32_t)k->src->text.n;
			while (b->n > 0 && blank(b->p[b->n - 1]))
				b->n--;
			buf_putc(b, ' ');
			i = next;
			continue;
		}
		if (command && at(k, i) == '\'')
			single = !single;
		buf_putc(b, at(k, i++));
	}
	return at(k, i) == '\0' ? i : i + 1;
}

/* '...' at i. */
static uint32_t
raw(struct tokens *k, uint32_t i, struct buf *b)
{
	for (i++; at(k, i) != '\0' && at(k, i) != '\''; i++) {
		if (at(k, i) == '\n' && over_lines(k, i) == i)
			return (uint32_t)k->src->text.n;
		buf_putc(b, at(k, i));
	}
	return at(k, i) == '\0' ? i : i + 1;
}

/* False: it is never closed, and reported. */
static bool
text(struct tokens *k, uint32_t i)
{
	char quote[4] = { at(k, i), '\0' };
	uint32_t e;
	struct buf b;
	bool command = k->t.kind == TOKEN_WORD &&
	    str_eq(k->t.text, STR_LIT("exec"));

	buf_init(&b, k->arena->mem);
	if (stands(k, i, "\"\"\"")) {
		memset(quote, '"', 3);
		e = block(k, i, &b);
	} else if (quote[0] == '"')
		e = string(k, i, command, &b);
	else
		e = raw(k, i, &b);
	k->t.kind = TOKEN_TEXT;
	k->t.text = arena_dup(k->arena, buf_view(&b));
	buf_free(&b);
	k->at = e;
	if (e < k->src->text.n || e - i >= 2 * strlen(quote)) {
		size_t n = strlen(quote);

		/* it may end the file */
		if (e - i >= 2 * n && stands(k, e - (uint32_t)n, quote))
			return true;
	}
	diag_at(k->diag, (struct span){ i, (uint32_t)strlen(quote) },
	    E_STR_OPEN, str_c(quote), STR_NIL, STR_NIL);
	k->at = (uint32_t)k->src->text.n;
	return false;
}

static uint32_t
name_end(const struct tokens *k, uint32_t i)
{
	while (letter(at(k, i)) || digit(at(k, i)))
		i++;
	return i;
}

static uint32_t
op_end(const struct tokens *k, uint32_t i)
{
	static const char *const ops[] = { "=~~", "!~~", "=~", "!~", "==", "!=",
	    "<>", "<=", ">=", "<", ">" };
	size_t n;

	for (n = 0; n < sizeof ops / sizeof *ops; n++)
		if (stands(k, i, ops[n]))
			return i + (uint32_t)strlen(ops[n]);
	return i;
}

void
token_next(struct tokens *k)
{
	uint32_t i = k->at, e;
	enum token_kind kind;
	char c;

	k->before = k->t.span;
again:
	while (blank(at(k, i)) || at(k, i) == ',')
		i++;
	c = at(k, i);
	if (c == '"' || c == '\'') {
		if (text(k, i)) {
			k->t.span = (struct span){ i, k->at - i };
			return;
		}
		i = k->at;
		c = '\0';
	}
	kind = TOKEN_OP;
	e = op_end(k, i);
	if (c == '\0')
		kind = TOKEN_END;
	else if (letter(c)) {
		kind = TOKEN_WORD;
		for (e = i; letter(at(k, e)) || digit(at(k, e)) ||
		    at(k, e) == '-' || at(k, e) == '.'; )
			e++;
	} else if (digit(c) || (c == '-' && digit(at(k, i + 1)))) {
		kind = TOKEN_NUMBER;
		for (e = i + 1; letter(at(k, e)) || digit(at(k, e)) ||
		    at(k, e) == '.' || at(k, e) == '%'; )
			e++;
	} else if ((c == '#' || c == '$') && letter(at(k, i + 1))) {
		kind = TOKEN_VAR;
		e = name_end(k, i + 1);
	} else if (c == '[' || c == ']') {
		kind = c == '[' ? TOKEN_OPEN : TOKEN_CLOSE;
		e = i + 1;
	} else if (e == i) {
		for (e = i + 1; (unsigned char)at(k, e) >= 0x80 &&
		    (unsigned char)c >= 0x80; )
			e++;
		diag_at(k->diag, (struct span){ i, e - i }, E_CHAR,
		    str_of(k->src->text.p + i, e - i), STR_NIL, STR_NIL);
		i = e;
		goto again;
	}
	k->t.kind = kind;
	k->t.text = str_of(c == '\0' ? "" : k->src->text.p + i, e - i);
	k->t.span = (struct span){ i, e - i };
	k->at = e;
}
