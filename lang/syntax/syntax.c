/*
 * syntax: what to say when the parser stops.  Why not bison's own sentence:
 * the common slips (a bare call, a comma, =, words of other languages)
 * deserve their own.
 */
#include <ctype.h>
#include <stdlib.h>

#include "lang/syntax/build.h"
#include "lang/syntax/lexer.h"
#include "lang/syntax/parser.h"
#include "lang/table/builtin.h"
#include "lang/table/tables.h"

#define TEXT_SHOWN	40	/* bytes of a token */

static bool
wants(const char *const *want, int n, const char *name)
{
	int i;

	for (i = 0; i < n; i++)
		if (strcmp(want[i], name) == 0)
			return true;
	return false;
}

/* The source text of a token, as a person wrote it. */
static struct str
written(struct parse *p, struct span at)
{
	const struct buf *t = &p->src->text;

	if (at.len == 0)
		at.len = 1;
	if (at.at >= t->n)
		return STR_LIT("end of file");
	if (at.at + at.len > t->n)
		at.len = (uint32_t)(t->n - at.at);
	return str_of(t->p + at.at, at.len);
}

static void
hint(struct parse *p, struct diag_item *d, const char *fmt, struct str s)
{
	struct buf b;

	buf_init(&b, p->arena->mem);
	buf_printf(&b, fmt, (int)s.n, s.p);
	diag_hint(p->diag, d, buf_view(&b));
	buf_free(&b);
}

/* Words that other languages have here. */
static const char *
foreign(struct str word)
{
	static const struct { const char *word, *hint; } rows[] = {
		{ "then", "leave it out" }, { "endif;", "write fi" },
		{ "and", "write &&" }, { "or", "write ||" },
		{ "not", "write !" }, { "mod", "write %" },
		{ "is", "write == for numbers, eq for strings" },
		{ "equals", "write == for numbers, eq for strings" },
		{ "contains", "write =~" }, { "matches", "write =~" },
		{ "done", "write endwhile or endfor" },
		{ "esac", "write endsw" }, { "elsif", "write elif" },
		{ "echo", "write output" }, { "printf", "write output" },
		{ "puts", "write output" }, { "let", "write set" },
		{ "var", "write set" }, { "my", "write set" },
		{ "unless", "write if ! (...)" },
		{ "true", "write 1 or #true()" },
		{ "false", "write 0 or #false()" },
		{ "null", "write NIL" }, { "nil", "write NIL" },
		{ "undef", "write NIL" }, { "exit", "write quit" },
		{ "sleep", "write pause" }, { "system", "write exec wait" },
		{ "call", "write do" },
	};
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (str_eq(str_c(rows[i].word), word))
			return rows[i].hint;
	return NULL;
}

/* The name that the grammar has for a reserved word's token. */
static const char *
token_word(int token)
{
	size_t i;

	for (i = 0; i < keyword_count; i++)
		if (keyword_table[i].token == token)
			return keyword_table[i].word;
	return "";
}

/* A word where an operand stands: a function, a column, or a text. */
static void
hint_operand(struct parse *p, struct diag_item *d, struct span at,
    struct str word)
{
	size_t end = at.at + at.len, i;
	char name[32];
	int k;

	for (i = 0; i < 2 && word.n < sizeof name - 1; i++) {
		name[0] = "#$"[i];
		memcpy(name + 1, word.p, word.n);
		if (end < p->src->text.n && p->src->text.p[end] == '(' &&
		    builtin_find(str_of(name, word.n + 1)) >= 0) {
			hint(p, d, "did you mean %.*s?", str_of(name, word.n +
			    1));
			return;
		}
	}
	for (i = 0; i < TABLE_COUNT; i++) {
		k = table_column_find((enum table_id)i, word);
		if (k < 0 || word.n >= sizeof name - 1)
			continue;
		name[0] = column_info[k].sigil;
		memcpy(name + 1, word.p, word.n);
		hint(p, d, "a text stands in quotes, and a column is %.*s",
		    str_of(name, word.n + 1));
		return;
	}
	hint(p, d, "a text stands in quotes: \"%.*s\"", word);
}

static void
unknown_word(struct parse *p, struct span at, struct str word,
    const char *const *want, int nwant)
{
	const char *known = foreign(word);
	struct diag_item *d;
	struct str best = STR_NIL, s;
	unsigned dist, bestd = 3;
	size_t i;

	if (p->lex->before == T_OUTPUT &&
	    str_eq(word, STR_LIT("webhook"))) {
		diag_at(p->diag, at, E_LATER, str_of(p->src->text.p +
		    p->lex->before_span.at, at.at + at.len -
		    p->lex->before_span.at), STR_NIL, STR_NIL);
		return;
	}
	d = diag_at(p->diag, at, E_WORD, word, STR_NIL, STR_NIL);
	if (known != NULL) {
		diag_hint(p->diag, d, str_c(known));
		return;
	}
	if (p->lex->before == T_FUNCTION) {
		hint(p, d, "a function's name begins with # or $: #%.*s(...)",
		    word);
		return;
	}
	/* only what could stand here, and is no other word of that length */
	for (i = 0; i < keyword_count; i++) {
		s = str_c(keyword_table[i].word);
		if (!wants(want, nwant, token_word(keyword_table[i].token)))
			continue;
		dist = str_distance(s, word, bestd);
		if (dist < bestd && dist < s.n) {
			best = s;
			bestd = dist;
		}
	}
	if (!str_none(best))
		hint(p, d, "did you mean %.*s?", best);
	else if (wants(want, nwant, "string") && isupper((unsigned char)
	    word.p[0]) && p->lex->before == T_NFUNC)
		diag_hint(p->diag, d,
		    STR_LIT("a handle is written in capitals"));
	else if (p->lex->before == T_INTERP)
		hint(p, d, "an expression stands there: ${$%.*s}", word);
	else if (wants(want, nwant, "string"))
		hint_operand(p, d, at, word);
}

/* What the parser could take, in a few words; NIL if that is too much. */
static struct str
expected(struct parse *p, const char *const *want, int n)
{
	struct buf b;
	struct str s;
	int i;

	if (wants(want, n, "string") && wants(want, n, "NIL"))
		return STR_LIT("an expression");
	if (n == 2 && wants(want, n, "number function"))
		return STR_LIT("a function's name with its (");
	if (wants(want, n, "+="))
		return STR_LIT("= or another assignment");
	if (wants(want, n, "&&"))
		return STR_NIL;		/* an operator, or whatever follows */
	if (wants(want, n, "set"))
		return wants(want, n, "onset") ?
		    STR_LIT("a statement or a clause of incident") :
		    STR_LIT("a statement");
	if (wants(want, n, "onset"))
		return STR_LIT("a clause of incident");
	if (wants(want, n, "status") && wants(want, n, "task"))
		return STR_LIT("an item of init or a section");
	if (wants(want, n, "number variable") &&
	    wants(want, n, "string variable"))
		return STR_LIT("a variable");
	if (n == 0 || n > 4)
		return STR_NIL;
	buf_init(&b, p->arena->mem);
	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_puts(&b, i == n - 1 ? " or " : ", ");
		buf_puts(&b, want[i]);
	}
	s = arena_dup(p->arena, buf_view(&b));
	buf_free(&b);
	return s;
}

static bool
is(const char *got, const char *a, const char *b)
{
	return strcmp(got, a) == 0 || strcmp(got, b) == 0;
}

/* A comparison where one has just been made. */
static bool
compares(const char *got)
{
	static const char *const all[] = { "'<'", "'>'", "<=", ">=", "==",
	    "!=", "!>", "!<", "!>=", "!<=", "lt", "gt", "le", "ge", "eq", "ne",
	    "=~", "=~~", "!~", "!~~" };
	size_t i;

	for (i = 0; i < sizeof all / sizeof all[0]; i++)
		if (strcmp(got, all[i]) == 0)
			return true;
	return false;
}

/* True: it was one of the slips that have a message of their own. */
static bool
slip(struct parse *p, struct span at, struct str text, const char *got,
    const char *const *want, int n)
{
	const struct lexer *lx = p->lex;
	bool statement = wants(want, n, "set"), more = wants(want, n, "&&");
	char c = text.p[0], next = at.at + 1 < p->src->text.n ?
	    p->src->text.p[at.at + 1] : '\0';
	struct span was = lx->before_span;

	if (lx->before == T_NAME) {
		struct str name = written(p, was), best = STR_NIL, s;
		unsigned d, bestd = 3;
		struct diag_item *item;
		size_t i;

		item = diag_at(p->diag, was, E_NAME_SLIP, name, STR_NIL,
		    STR_NIL);
		for (i = 0; i < keyword_count; i++) {
			s = str_c(keyword_table[i].word);
			d = str_distance(s, name, bestd);
			if (d < bestd && keyword_table[i].class == KW_STMT) {
				best = s;
				bestd = d;
			}
		}
		if (!str_none(best))
			hint(p, item, "did you mean %.*s?", best);
		return true;
	}
	if (lx->before == T_TABLE && isalpha((unsigned char)c)) {
		struct diag_item *item = diag_at(p->diag, at, E_TABLE_UNKNOWN,
		    text, STR_NIL, STR_NIL);
		struct str best = STR_NIL, s;
		unsigned d, bestd = 3;
		size_t i;

		for (i = 0; i < TABLE_COUNT; i++) {
			s = str_c(table_info[i].name);
			d = str_distance(s, text, bestd);
			if (d < bestd) {
				best = s;
				bestd = d;
			}
		}
		if (!str_none(best))
			hint(p, item, "did you mean %.*s?", best);
		return true;
	}
	if ((c == '(' || c == '[') && at.len == 1 &&
	    (lx->before == T_NVAR || lx->before == T_SVAR)) {
		was.len = at.at + 1 - was.at;
		diag_at(p->diag, was, E_BLANK_NAME, str_of(text.p, 1),
		    STR_NIL, STR_NIL);
		return true;
	}
	if ((c == '+' || c == '-') && at.len == 1 && (next == c ||
	    (at.at > 0 && p->src->text.p[at.at - 1] == c))) {
		at.len = 2;
		if (next != c)
			at.at--;
		diag_at(p->diag, at, E_INCREMENT, written(p, at), STR_NIL,
		    STR_NIL);
		return true;
	}
	if (c == '=' && at.len == 1 && more) {
		diag_at(p->diag, at, E_ASSIGN_IN_EXPR, STR_NIL, STR_NIL,
		    STR_NIL);
		return true;
	}
	if (more && compares(got)) {
		diag_at(p->diag, at, E_CHAIN, text, STR_NIL, STR_NIL);
		return true;
	}
	if (statement && is(got, "number function", "string function")) {
		diag_at(p->diag, at, E_BARE_CALL, text, STR_NIL, STR_NIL);
		return true;
	}
	if (statement && (is(got, "number variable", "string variable") ||
	    is(got, "number array", "string array"))) {
		diag_at(p->diag, at, E_BARE_VAR, text, STR_NIL, STR_NIL);
		return true;
	}
	if (strcmp(got, "in") == 0 && lx->before == T_NVAR) {
		diag_at(p->diag, was, E_FORIN, STR_NIL, STR_NIL, STR_NIL);
		return true;
	}
	return false;
}

/* The closing word of a block; it is right by the time it comes here. */
static bool
closes(const char *got)
{
	static const char *const words[] = { "fi", "endwhile", "until",
	    "endfor", "endforeach", "endsw", "elif", "else", "case",
	    "default", "endfunction", "endincident" };
	size_t i;

	for (i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(got, words[i]) == 0)
			return true;
	return false;
}

static bool
is_statement(const char *got)
{
	size_t i;

	for (i = 0; i < keyword_count; i++)
		if (strcmp(keyword_table[i].word, got) == 0)
			return keyword_table[i].class == KW_STMT;
	return false;
}

void
build_syntax_error(struct parse *p, struct span at, const char *got,
    const char *const *want, int nwant)
{
	struct str text, exp;
	struct diag_item *d;
	struct buf b;
	size_t n;

	/* A block's end comes unexpected when its beginning was lost. */
	if (p->stop || p->lex->quiet > 0 ||
	    (closes(got) && p->diag->nerror > 0 &&
	    !wants(want, nwant, "NIL")))
		return;
	text = strcmp(got, "end of file") == 0 ? STR_LIT("end of file") :
	    written(p, at);
	if (strcmp(got, "word") == 0) {
		unknown_word(p, at, text, want, nwant);
		return;
	}
	if (slip(p, at, text, got, want, nwant))
		return;
	for (n = 0; n < text.n && n < TEXT_SHOWN && text.p[n] != '\n'; n++)
		;
	text.n = n;
	buf_init(&b, p->arena->mem);
	if (text.n > 0 && strchr("\"'#$", text.p[0]) == NULL &&
	    strchr(",.()[]{}<>=!~+-*/%&|^:", text.p[0]) != NULL) {
		buf_putc(&b, '\'');
		buf_str(&b, text);
		buf_putc(&b, '\'');
	} else if (is(got, "string", "string text"))
		buf_puts(&b, "string");
	else
		buf_str(&b, text);
	exp = expected(p, want, nwant);
	if (wants(want, nwant, "NIL") && memchr(p->src->text.p +
	    p->lex->before_span.at, '\n', at.at - p->lex->before_span.at) !=
	    NULL) {
		/* it is missing at the end of the line before */
		at.at = p->lex->before_span.at + p->lex->before_span.len;
		at.len = 0;
	}
	if (str_none(exp))
		d = diag_at(p->diag, at, E_SYNTAX, buf_view(&b), STR_NIL,
		    STR_NIL);
	else
		d = diag_at(p->diag, at, E_SYNTAX_WANT, buf_view(&b), exp,
		    STR_NIL);
	buf_free(&b);
	if (wants(want, nwant, "onset") && !wants(want, nwant, "set") &&
	    is_statement(got))
		diag_hint(p->diag, d, STR_LIT("the statements of an incident "
		    "stand behind onset and clear"));
	else if (strcmp(got, "','") == 0 && wants(want, nwant, "&&"))
		diag_hint(p->diag, d, STR_LIT("texts are joined with ."));
	else if (is(got, "previous value", "previous element") &&
	    text.p[0] == '%' && wants(want, nwant, "&&"))
		hint(p, d, "this is a previous value; for the modulus write: "
		    "%% #%.*s", str_of(text.p + 1, text.n - 1));
	else if (wants(want, nwant, "set") && (is(got, "mail", "print") ||
	    is(got, "log", "syslog") || is(got, "piktlog", "piktlog")))
		hint(p, d, "write: output %.*s ...", text);
}

void
build_too_deep(struct parse *p, struct span at, const char *what)
{
	if (p->stop)
		return;
	diag_at(p->diag, at, E_DEEP, str_c(what), STR_NIL, STR_NIL);
	p->stop = true;
}
