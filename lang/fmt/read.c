#include "lang/fmt/read.h"

#include <stdio.h>

#include "lang/compile.h"
#include "lang/syntax/ast.h"
#include "lang/syntax/directive.h"

#define NONE	SIZE_MAX

/* Longest first, as the lexer takes them. */
static const char *const signs[] = {
	"=~~", "!~~", "!>=", "!<=", "**=", "<<=", ">>=",
	"==", "!=", "<>", "<=", ">=", "!>", "!<", "=~", "!~", "&&", "||",
	"<<", ">>", "**", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", ".=",
	"=", "<", ">", "!", "~", "&", "|", "^", "+", "*", "/", "%", ".", "-"
};

static bool
name_char(char c)
{
	return macro_letter(c) || (c >= '0' && c <= '9') || c == '_';
}

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

size_t
read_column(struct str s, size_t column)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] == '\n')
			column = 0;
		else if (s.p[i] == '\t')
			column = (column / 8 + 1) * 8;
		else
			column++;
	return column;
}

static void
fail(struct reader *r, size_t at, size_t len, enum diag_id id, struct str arg,
    const char *hint)
{
	struct diag_item *d;

	if (r->failed)
		return;
	r->failed = true;
	if (r->diag == NULL)
		return;
	d = diag_in(r->diag, source_place_in(r->diag->src, r->file,
	    (uint32_t)at), (uint32_t)len, id, arg, STR_NIL, STR_NIL);
	if (hint != NULL)
		diag_hint(r->diag, d, str_c(hint));
}

bool
read_start(struct reader *r, struct diag *diag, uint32_t file)
{
	char limit[32];
	size_t nul;

	*r = (struct reader){ .diag = diag, .file = file,
	    .t = diag->src->file[file].text };
	quote_init(&r->quote);
	if (r->t.n > LIM_SOURCE) {
		r->failed = true;
		snprintf(limit, sizeof limit, "%u MiB", LIM_SOURCE >> 20);
		diag_in(diag, source_place_in(diag->src, file, 0), 0,
		    E_SOURCE_BIG, diag->src->file[file].name, str_c(limit),
		    STR_NIL);
		return false;
	}
	nul = str_find(r->t, '\0', 0);
	if (nul < r->t.n)
		fail(r, nul, 1, E_NUL, STR_NIL, NULL);
	r->standalone = str_starts(r->t, "#!");
	return !r->failed;
}

/* The length of the comment at i, or 0. */
static size_t
comment(struct reader *r, size_t i)
{
	struct str t = r->t;
	char next = i + 1 < t.n ? t.p[i + 1] : '\n';
	const char *end;

	if (t.p[i] == '#' && r->standalone && (read_blank(next) ||
	    next == '\n'))
		return str_find(t, '\n', i) - i;
	if (t.p[i] != '/')
		return 0;
	if (next == '/')
		return str_find(t, '\n', i) - i;
	if (next != '*')
		return 0;
	end = memmem(t.p + i + 2, t.n - i - 2, "*/", 2);
	if (end != NULL)
		return (size_t)(end - (t.p + i)) + 2;
	fail(r, i, 2, E_COMMENT_OPEN, STR_NIL, NULL);
	return t.n - i;
}

/* One step of the quotes, or over a comment outside of them. */
static size_t
step(struct reader *r, size_t i)
{
	size_t n;

	if (quote_outside(&r->quote) && (n = comment(r, i)) > 0)
		return n;
	if (!quote_wants[(unsigned char)r->t.p[i]])
		return 1;
	n = quote_step(&r->quote, r->t, i, str_of(r->t.p, i));
	return n > r->t.n - i ? r->t.n - i : n;
}

/* The index behind the name of a macro that the = at i uses, or i. */
static size_t
macro_name(const struct reader *r, size_t i)
{
	struct str t = r->t;
	char before = i == 0 ? '\n' : t.p[i - 1];
	size_t n = i + 1;

	if (n >= t.n || !macro_letter(t.p[n]) ||
	    quote_kind(&r->quote) == QUOTE_RAW)
		return i;
	if (macro_name_char(before) && before != '.' && before != '-')
		return i;
	if (strchr("=<>!+-*%", before) != NULL ||
	    (quote_kind(&r->quote) == QUOTE_CODE &&
	    strchr("/.|&^", before) != NULL))
		return i;
	while (n < t.n && macro_name_char(t.p[n]))
		n++;
	return n;
}

/*
 * Follows an argument list as the preprocessor does: double quotes and
 * parentheses nest, apostrophes do not.
 */
struct arg_list {
	size_t	depth;
	bool	in_string, escaped;
};

/* True if this byte, the first of which is the (, closes the list. */
static bool
list_byte(struct arg_list *l, char c)
{
	if (l->escaped)
		l->escaped = false;
	else if (c == '\\')
		l->escaped = true;
	else if (c == '"')
		l->in_string = !l->in_string;
	else if (!l->in_string && c == '(')
		l->depth++;
	else if (!l->in_string && c == ')')
		return --l->depth == 0;
	return false;
}

/* The argument list in a string whose ( stands at i: where it ends, or i. */
static size_t
list_in_string(struct reader *r, size_t i)
{
	struct arg_list l = { 0 };
	size_t j;

	for (j = i; j < r->t.n; j++)
		if (list_byte(&l, r->t.p[j]))
			return j + 1;
	if (++r->nopen == LIM_OPEN_LISTS)
		fail(r, i, 1, E_MACRO_ARG_OPEN, STR_LIT("..."), NULL);
	return i;
}

/*
 * The string at i.  A use of a macro in it may have arguments in quotes of
 * their own, so that what is a string depends on how it is read: up to the
 * end of such a list all is one piece.
 */
static size_t
string(struct reader *r, size_t i)
{
	size_t at = i, hold = i, from = i, n;

	i += step(r, i);
	if (quote_outside(&r->quote)) {
		/* an apostrophe that begins no string */
		if (memchr(r->t.p + i, '\'', r->t.n - i) == NULL)
			fail(r, at, 1, E_STR_OPEN, STR_LIT("'"), NULL);
		else
			fail(r, at, 1, E_CHAR, STR_LIT("'"),
			    "a blank before it makes it the quote of a string");
		return i;
	}
	while (!r->failed && i < r->t.n &&
	    (i < hold || !quote_outside(&r->quote))) {
		if (r->t.p[i] == '=' && i >= hold &&
		    (n = macro_name(r, i)) > i && n < r->t.n &&
		    r->t.p[n] == '(')
			hold = list_in_string(r, n);
		from = i;
		i += step(r, i);
		if (r->t.p[from] == '\n' && quote_outside(&r->quote) &&
		    i >= hold)
			break;		/* a text in column 1: never closed */
	}
	if (!quote_outside(&r->quote) || r->t.p[i - 1] == '\n') {
		n = r->t.n - at > 3 && memcmp(r->t.p + at, "\"\"\"", 3) == 0 ?
		    3 : 1;
		fail(r, at, n, E_STR_OPEN, str_of(r->t.p + at, n), NULL);
	}
	return i;
}

/* The use of a macro at i, its name ending at n: where it ends. */
static size_t
macro_use(struct reader *r, size_t i, size_t n)
{
	struct str t = r->t;
	struct arg_list l = { 0 };
	size_t j, k, from, at = n;
	bool closed = false;

	if (n < t.n && t.p[n] == '=' && n + 1 < t.n &&
	    macro_name_char(t.p[n + 1]))
		return n + 1;
	if (n == t.n || t.p[n] != '(')
		return n;
	while (n < t.n && !closed) {
		if (quote_outside(&r->quote) && (k = comment(r, n)) > 0) {
			n += k;
			continue;
		}
		from = n;
		k = step(r, n);
		for (j = 0; j < k && !closed; j++)
			closed = list_byte(&l, t.p[from + j]);
		n = from + j;
	}
	if (!closed)
		fail(r, i, at - i, E_MACRO_ARG_OPEN,
		    str_of(t.p + i + 1, at - i - 1), NULL);
	else if (!quote_outside(&r->quote))
		fail(r, n - 1, 1, E_CHAR, STR_LIT(")"),
		    "in a macro's argument a '...' does not hide parentheses");
	return n;
}

static size_t
number(struct str t, size_t i)
{
	size_t k;

	while (i < t.n && digit(t.p[i]))
		i++;
	if (i + 1 < t.n && t.p[i] == '.' && digit(t.p[i + 1]))
		for (i++; i < t.n && digit(t.p[i]); )
			i++;
	if (i < t.n && (t.p[i] | 0x20) == 'e') {
		k = i + 1;
		if (k < t.n && (t.p[k] == '+' || t.p[k] == '-'))
			k++;
		if (k < t.n && digit(t.p[k]))
			i = k;
	}
	for (k = i; i < t.n && name_char(t.p[i]); )
		i++;
	/* 10% is a percent, but not where an operand follows */
	if (i == k && i < t.n && t.p[i] == '%' && (i + 1 == t.n ||
	    (!name_char(t.p[i + 1]) && (t.p[i + 1] == '\0' ||
	    strchr("$#@(\"'[", t.p[i + 1]) == NULL))))
		i++;
	return i;
}

static void
keyword(struct fmt_piece *p)
{
	size_t i;

	for (i = 0; i < keyword_count; i++)
		if (keyword_table[i].word[0] == p->text.p[0] &&
		    str_eq(str_c(keyword_table[i].word), p->text)) {
			p->token = keyword_table[i].token;
			p->class = (int)keyword_table[i].class;
			return;
		}
}

/* A variable with its sigils, or only the sigil. */
static size_t
value(struct str t, size_t i)
{
	size_t n = i + 1;

	if ((t.p[i] == '%' || t.p[i] == '@') && n < t.n &&
	    (t.p[n] == '#' || t.p[n] == '$'))
		n++;
	if (n >= t.n || !name_char(t.p[n]) || (digit(t.p[n]) && t.p[i] != '$'))
		return i;
	while (n < t.n && name_char(t.p[n]))
		n++;
	return n;
}

static size_t
sign(struct str t, size_t i)
{
	size_t k, n;

	for (k = 0; k < sizeof signs / sizeof signs[0]; k++) {
		n = strlen(signs[k]);
		if (t.n - i >= n && memcmp(t.p + i, signs[k], n) == 0)
			return i + n;
	}
	return i;
}

/* --- directives --- */

/* The word behind the # of a directive. */
static struct str
directive_word(struct str line)
{
	size_t i = 1, k;

	while (i < line.n && (line.p[i] == ' ' || line.p[i] == '\t'))
		i++;
	for (k = i; k < line.n && name_char(line.p[k]); )
		k++;
	return str_of(line.p + i, k - i);
}

/* What follows a word that is a variable: an index, a call, an assignment. */
static bool
assigns(struct str t, size_t i)
{
	if (i < t.n && (t.p[i] == '[' || t.p[i] == '('))
		return true;
	while (i < t.n && read_blank(t.p[i]))
		i++;
	while (i < t.n && t.p[i] != '\0' && strchr("+-*/%&|^<>.", t.p[i]))
		i++;
	return i < t.n && t.p[i] == '=';
}

/*
 * Where the region ends that #fix or #indent at i begins: with its end, others
 * of its kind inside counted.
 */
static size_t
region(struct str t, size_t i, enum directive_family family)
{
	const struct directive *d;
	size_t depth = 1;

	for (i = str_find(t, '\n', i); i < t.n; i = str_find(t, '\n', i)) {
		i++;
		if (i == t.n || t.p[i] != '#')
			continue;
		d = directive_find(directive_word(str_of(t.p + i,
		    str_find(t, '\n', i) - i)));
		if (d == NULL || d->family != family)
			continue;
		if (d->does != DO_END)
			depth++;
		else if (--depth == 0)
			return str_find(t, '\n', i);
	}
	return t.n - (t.n > 0 && t.p[t.n - 1] == '\n');
}

/* The end of a directive's line, whose command or comment may run over it. */
static size_t
line_end(struct reader *r, size_t i)
{
	struct str t = r->t;
	size_t end = str_find(t, '\n', i), close;
	const char *p;

	while (i < end) {
		close = i;
		if (t.p[i] == '"') {
			for (close = i + 1; close < end &&
			    t.p[close] != '"'; close++)
				close += t.p[close] == '\\';
			if (close >= end)
				return end;
		} else if (t.p[i] == '[') {
			close = directive_bracket(t, i + 1);
			if (close >= t.n)
				fail(r, i, 1, E_DIRECTIVE_COMMAND, STR_NIL,
				    NULL);
		} else if (t.p[i] == '/' && i + 1 < t.n && t.p[i + 1] == '*') {
			p = memmem(t.p + i + 2, t.n - i - 2, "*/", 2);
			if (p == NULL)
				fail(r, i, 2, E_COMMENT_OPEN, STR_NIL, NULL);
			close = p == NULL ? t.n : (size_t)(p - t.p) + 1;
		} else if (t.p[i] == '/' && i + 1 < t.n && t.p[i + 1] == '/')
			return end;
		if (close >= t.n)
			return end;
		i = close + 1;
		if (i > end)
			end = str_find(t, '\n', i);
	}
	return end;
}

size_t
read_line(struct reader *r, size_t i)
{
	struct str t = r->t, w;
	size_t end = str_find(t, '\n', i);
	const struct directive *d;

	if (i == 0 && r->standalone)
		return end;
	w = directive_word(str_of(t.p + i, end - i));
	if (w.n == 0 || !macro_letter(w.p[0]) ||
	    (r->standalone && w.p != t.p + i + 1))
		return i;
	d = directive_find(w);
	if (d == NULL)
		return assigns(t, (size_t)(w.p - t.p) + w.n) || r->standalone ?
		    i : end;
	if (d->does == DO_FIX || d->does == DO_INDENT)
		return region(t, i, d->family);
	return line_end(r, (size_t)(w.p - t.p) + w.n);
}

enum branch
read_branch(struct str line)
{
	const struct directive *d = directive_find(directive_word(str_of(
	    line.p, str_find(line, '\n', 0))));

	if (d == NULL)
		return BRANCH_NONE;
	switch (d->does) {
	case DO_IF: case DO_IFN:
		return BRANCH_OPEN;
	case DO_ELIF: case DO_ELIFN: case DO_ELSE:
		return BRANCH_NEXT;
	case DO_END:
		return d->family == FAMILY_IF || d->family == FAMILY_SYS ||
		    d->family == FAMILY_DEF ? BRANCH_END : BRANCH_NONE;
	default:
		return BRANCH_NONE;
	}
}

/* --- pieces --- */

static void
classify(struct reader *r, struct fmt_piece *p, bool wide)
{
	struct str t = r->t;
	size_t i = r->i, n = i;
	char c = t.p[i];

	if (p->column_one && c == '#' && !r->in_body &&
	    (n = read_line(r, i)) > i) {
		p->kind = PIECE_LINES;
		r->i = n;
		quote_init(&r->quote);	/* as the preprocessor does */
		return;
	}
	if ((n = comment(r, i)) > 0) {
		p->kind = c == '/' && t.p[i + 1] == '*' ? PIECE_BLOCK :
		    PIECE_COMMENT;
		r->i = i + n;
		return;
	}
	if (c == '"' || c == '\'') {
		p->kind = PIECE_STRING;
		r->i = string(r, i);
		return;
	}
	if (c == '=' && (n = macro_name(r, i)) > i) {
		p->kind = PIECE_MACRO;
		r->i = macro_use(r, i, n);
		return;
	}
	n = i + 1;
	p->kind = PIECE_OTHER;
	if (macro_letter(c) || c == '_') {
		p->kind = PIECE_WORD;
		while (n < t.n && (name_char(t.p[n]) || (wide &&
		    c != '_' && macro_name_char(t.p[n]))))
			n++;
	} else if (digit(c)) {
		p->kind = PIECE_VALUE;
		n = number(t, i);
	} else if ((c == '#' || c == '$' || c == '%' || c == '@') &&
	    value(t, i) > i) {
		p->kind = PIECE_VALUE;
		n = value(t, i);
	} else if (c == '(' || c == '[' || c == '{')
		p->kind = PIECE_OPEN;
	else if (c == ')' || c == ']' || c == '}')
		p->kind = PIECE_CLOSE;
	else if (c == ',')
		p->kind = PIECE_COMMA;
	else if (c == '\\')
		n += n < t.n && t.p[n] != '\n';
	else if (sign(t, i) > i) {
		p->kind = PIECE_SIGN;
		n = sign(t, i);
	}
	r->i = n;
}

void
read_piece(struct reader *r, struct fmt_piece *p)
{
	struct str t = r->t;
	size_t from = r->i, line = NONE;

	*p = (struct fmt_piece){ .kind = PIECE_END, .class = -1 };
	if (r->i == 0)
		line = 0;
	for (; r->i < t.n && (read_blank(t.p[r->i]) || t.p[r->i] == '\n');
	    r->i++)
		if (t.p[r->i] == '\n') {
			p->newlines++;
			line = r->i + 1;
		}
	p->glued = r->i == from && line == NONE;
	if (r->i == t.n || r->failed)
		return;
	if (line != NONE) {
		p->column = read_column(str_of(t.p + line, r->i - line), 0);
		p->column_one = r->i == line;
	}
	from = r->i;
	classify(r, p, p->column_one);
	p->text = str_of(t.p + from, r->i - from);
	if (p->kind == PIECE_WORD)
		keyword(p);
	if (p->kind == PIECE_COMMENT || p->kind == PIECE_LINES)
		while (p->text.n > 0 && read_blank(p->text.p[p->text.n - 1]))
			p->text.n--;
	if (r->failed)
		*p = (struct fmt_piece){ .kind = PIECE_END, .class = -1 };
}

void
read_ahead(const struct reader *r, struct fmt_piece *p)
{
	struct reader copy = *r;

	copy.diag = NULL;	/* what is wrong is told when it is read */
	do
		read_piece(&copy, p);
	while (p->kind == PIECE_COMMENT || p->kind == PIECE_BLOCK);
}
