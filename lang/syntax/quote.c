#include "lang/syntax/quote.h"

#define LOOK_BACK	24	/* tokens: options of exec are fewer */

/* Besides its own bytes those at which comments and macros begin. */
const bool quote_wants[256] = {
	['"'] = true, ['\''] = true, ['\\'] = true, ['\n'] = true,
	['$'] = true, ['#'] = true, ['='] = true, ['/'] = true,
	['('] = true, [')'] = true, ['{'] = true, ['}'] = true
};

static const struct {
	const char	*names, *args;
	char		 ret;
} function[] = {
#define BI(id, names, args, ret, flags, fn, help, example, gives) \
	{ names, args, ret },
#include "lang/table/builtins.def"
#undef BI
};

void
quote_init(struct quote *q)
{
	*q = (struct quote){ .top = 0 };
}

static bool
name_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
one_of(struct str s, const char *words)
{
	const char *p = words;
	size_t n;

	while (*p != '\0') {
		n = strcspn(p, " ");
		if (n == s.n && memcmp(p, s.p, n) == 0)
			return true;
		p += n;
		p += *p == ' ';
	}
	return false;
}

/* True of a built-in function, named with its sigil, that takes a command. */
static bool
takes_command(struct str name)
{
	size_t i;

	for (i = 0; i < sizeof function / sizeof *function; i++)
		if (strchr(function[i].args, 'c') != NULL &&
		    one_of(name, function[i].names))
			return true;
	return false;
}

/* True of a built-in function that may stand in a string. */
static bool
interpolates(struct str name)
{
	size_t i;

	for (i = 0; i < sizeof function / sizeof *function; i++)
		if (function[i].ret == '$' &&
		    one_of(name, function[i].names))
			return true;
	return false;
}

/* The name, with its sigil if any, that ends the text. */
static struct str
last_name(struct str t)
{
	size_t i = t.n;

	while (i > 0 && name_char(t.p[i - 1]))
		i--;
	if (i < t.n && i > 0 && strchr("$#@%=", t.p[i - 1]) != NULL)
		i--;
	return str_of(t.p + i, t.n - i);
}

enum answer { NO, YES, AS_BEFORE };

/*
 * Whether a string that begins after this text is a command, by what stands
 * before it: the statement or function, and between them and the string only
 * options, other arguments and parentheses.
 */
static enum answer
is_command(struct str t)
{
	struct str name;
	int i;

	for (i = 0; i < LOOK_BACK; i++) {
		while (t.n > 0 && blank(t.p[t.n - 1]))
			t.n--;
		if (t.n == 0)
			return NO;
		switch (t.p[t.n - 1]) {
		case '.':
			return AS_BEFORE;
		case ',':
			t.n--;
			continue;
		case '(':
			t.n--;
			name = last_name(t);
			if (name.n > 0 && !name_char(name.p[0]))
				return takes_command(name) ? YES : NO;
			continue;
		case '"':
			for (t.n--; t.n > 0 && t.p[t.n - 1] != '"'; )
				t.n--;
			if (t.n > 0)
				t.n--;
			continue;
		}
		name = last_name(t);
		if (name.n == 0 || !name_char(name.p[0]))
			return NO;
		if (one_of(name, "exec doexec proc process filter in"))
			return YES;
		/* Options, durations and sizes, a handle before a comma. */
		if (!one_of(name, "wait detached as timeout limit memory cpu") &&
		    !(name.p[0] >= '0' && name.p[0] <= '9') &&
		    !(name.p[0] >= 'A' && name.p[0] <= 'Z'))
			return NO;
		t.n -= name.n;
	}
	return NO;
}

static bool
push(struct quote *q, enum quote_kind kind, char open, char close)
{
	if (q->top + 1 == LIM_QUOTE_NEST)
		return false;
	q->level[++q->top] = (struct quote_level){ .kind = kind, .open = open,
	    .close = close, .depth = 1 };
	return true;
}

static void
open_string(struct quote *q, bool block, struct str before)
{
	struct quote_level *l;
	enum answer a;

	if (!push(q, block ? QUOTE_BLOCK : QUOTE_STRING, 0, 0))
		return;
	l = &q->level[q->top];
	a = is_command(before);
	l->command = a == AS_BEFORE ? q->command : a == YES;
	l->single = a == AS_BEFORE && q->single;
}

static void
close_string(struct quote *q)
{
	const struct quote_level *l = &q->level[q->top--];

	q->command = l->command;
	q->single = l->command && l->single;
}

static bool
is_block(struct str t, size_t i)
{
	return t.n - i >= 3 && memcmp(t.p + i, "\"\"\"", 3) == 0;
}

/*
 * Whether a " at i, inside the shell's single quotes, ends the string all the
 * same: only if a . joins something to it.
 */
static bool
joined(struct str t, size_t i)
{
	for (i++; i < t.n && blank(t.p[i]); i++)
		;
	return i + 1 < t.n && t.p[i] == '.' && (blank(t.p[i + 1]) ||
	    t.p[i + 1] == '$' || t.p[i + 1] == '"');
}

/* A $ or # in a string: does code begin there?  Its length with the bracket. */
static size_t
code_in_string(struct quote *q, struct str t, size_t i)
{
	size_t j = i + 1;

	if (j < t.n && t.p[j] == '{')
		return push(q, QUOTE_CODE, '{', '}') ? 2 : 1;
	if (t.p[i] != '$')
		return 1;
	while (j < t.n && name_char(t.p[j]))
		j++;
	if (j < t.n && t.p[j] == '(' && j > i + 1 &&
	    interpolates(str_of(t.p + i, j - i)) &&
	    push(q, QUOTE_CODE, '(', ')'))
		return j + 1 - i;
	return 1;
}

/* A newline before a text in column 1 ends what was not closed. */
static bool
starts_afresh(struct str t, size_t i)
{
	return i + 1 < t.n && !blank(t.p[i + 1]);
}

static size_t
step_code(struct quote *q, struct str t, size_t i, struct str before)
{
	struct quote_level *l = &q->level[q->top];
	char c = t.p[i];
	bool block;

	switch (c) {
	case '"':
		block = is_block(t, i);
		open_string(q, block, before);
		return block ? 3 : 1;
	case '\'':
		/* don't: an apostrophe, not a quote. */
		if (before.n > 0 && name_char(before.p[before.n - 1]))
			return 1;
		if (memchr(t.p + i + 1, '\'', t.n - i - 1) != NULL)
			push(q, QUOTE_RAW, 0, 0);
		return 1;
	case '\\':
		return i + 1 < t.n && t.p[i + 1] != '\n' ? 2 : 1;
	case '\n':
		if (q->top > 0 && starts_afresh(t, i))
			quote_init(q);
		return 1;
	}
	if (q->top > 0 && c == l->open)
		l->depth++;
	else if (q->top > 0 && c == l->close && --l->depth == 0)
		q->top--;
	return 1;
}

size_t
quote_step(struct quote *q, struct str t, size_t i, struct str before)
{
	struct quote_level *l = &q->level[q->top];
	bool shell = l->command && l->single;

	if (l->kind == QUOTE_CODE)
		return step_code(q, t, i, before);
	switch (t.p[i]) {
	case '\n':
		if (l->kind != QUOTE_BLOCK && starts_afresh(t, i))
			quote_init(q);
		return 1;
	case '\'':
		if (l->kind == QUOTE_RAW)
			q->top--;
		else if (l->command)
			l->single = !l->single;
		return 1;
	case '\\':
		if (l->kind == QUOTE_RAW || i + 1 == t.n ||
		    (shell && t.p[i + 1] == '\''))
			return 1;
		return i + 2 < t.n && t.p[i + 1] == '\r' &&
		    t.p[i + 2] == '\n' ? 3 : 2;
	case '"':
		if (l->kind == QUOTE_BLOCK && is_block(t, i)) {
			close_string(q);
			return 3;
		}
		if (l->kind == QUOTE_STRING && (!shell || joined(t, i)))
			close_string(q);
		return 1;
	case '$':
	case '#':
		if (l->kind != QUOTE_RAW)
			return code_in_string(q, t, i);
		return 1;
	}
	return 1;
}
