#include "lang/syntax/directive.h"

#include <stdio.h>

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* --- a line --- */

struct diag_item *
line_error(struct line *l, size_t off, size_t len, enum diag_id id,
    struct str a, struct str b, struct str c)
{
	struct preprocess *pp = l->x->pass->pp;

	return diag_in(pp->diag, source_place_in(pp->src, l->x->file,
	    (uint32_t)off), (uint32_t)len, id, a, b, c);
}

bool
line_over(struct line *l)
{
	struct str t = l->t;

	while (l->i < t.n && blank(t.p[l->i]))
		l->i++;
	return l->i == t.n || t.p[l->i] == '\n' || (t.p[l->i] == '/' &&
	    l->i + 1 < t.n && (t.p[l->i + 1] == '/' || t.p[l->i + 1] == '*'));
}

struct str
line_token(const struct line *l, size_t *len)
{
	size_t n = l->i;

	*len = 1;
	if (n == l->t.n || l->t.p[n] == '\n')
		return STR_LIT("the end of the line");
	while (n < l->t.n && macro_name_char(l->t.p[n]))
		n++;
	if (n > l->i)
		*len = n - l->i;
	return str_of(l->t.p + l->i, *len);
}

void
line_want(struct line *l, const char *what)
{
	struct str got;
	char hint[120];
	size_t n;

	if (line_over(l)) {
		got = STR_LIT("the end of the line");
		n = 1;
	} else
		got = line_token(l, &n);
	snprintf(hint, sizeof hint, "write: #%.*s %s", (int)l->word.n,
	    l->word.p, l->d->args);
	diag_hint(l->x->pass->pp->diag, line_error(l, l->i, n,
	    E_DIRECTIVE_WANT, l->word, str_c(what), got), str_c(hint));
}

struct str
line_name(struct line *l)
{
	size_t start;

	while (l->i < l->t.n && blank(l->t.p[l->i]))
		l->i++;
	start = l->i;
	while (l->i < l->t.n && macro_name_char(l->t.p[l->i]))
		l->i++;
	return str_of(l->t.p + start, l->i - start);
}

bool
line_char(struct line *l, char c)
{
	while (l->i < l->t.n && blank(l->t.p[l->i]))
		l->i++;
	if (l->i == l->t.n || l->t.p[l->i] != c)
		return false;
	l->i++;
	return true;
}

size_t
directive_bracket(struct str t, size_t i)
{
	size_t depth = 1;
	char quote = 0;

	for (; i < t.n; i++) {
		char c = t.p[i];

		if (c == '\\' && quote != '\'') {
			i++;
		} else if (quote != 0) {
			if (c == quote)
				quote = 0;
		} else if (c == '\'' || c == '"') {
			quote = c;
		} else if (c == '[') {
			depth++;
		} else if (c == ']' && --depth == 0)
			return i;
	}
	return t.n;
}

bool
line_command(struct line *l, struct str *command)
{
	size_t open, end;

	if (!line_char(l, '['))
		return false;
	open = l->i - 1;
	end = directive_bracket(l->t, l->i);
	if (end == l->t.n) {
		line_error(l, open, 1, E_DIRECTIVE_COMMAND, STR_NIL, STR_NIL,
		    STR_NIL);
		l->x->pass->stop = true; /* all that follows is in doubt */
		return false;
	}
	*command = str_trim(str_of(l->t.p + l->i, end - l->i));
	l->i = end + 1;
	if (command->n > 0)
		return true;
	l->i = end;
	line_want(l, "a command");
	return false;
}

/* The start of the line after i. */
static size_t
next_line(struct str t, size_t i)
{
	size_t end = str_find(t, '\n', i);

	return end == t.n ? end : end + 1;
}

/*
 * What may stand behind a directive: comments, one of which may run over
 * lines.  Returns where the next line begins.
 */
static size_t
finish(struct line *l)
{
	struct str t = l->t, got;
	const char *end;
	size_t n;

	for (;;) {
		if (!line_over(l)) {
			got = line_token(l, &n);
			line_error(l, l->i, n, E_DIRECTIVE_REST, got, l->word,
			    STR_NIL);
			break;
		}
		if (l->i == t.n || t.p[l->i] == '\n' || t.p[l->i + 1] == '/')
			break;
		end = memmem(t.p + l->i + 2, t.n - l->i - 2, "*/", 2);
		if (end == NULL) {
			line_error(l, l->i, 2, E_COMMENT_OPEN, STR_NIL,
			    STR_NIL, STR_NIL);
			return t.n;
		}
		l->i = (size_t)(end - t.p) + 2;
	}
	return next_line(t, l->i);
}

/* --- blocks --- */

static void
block_open(struct line *l, bool is_true)
{
	struct pass *p = l->x->pass;
	struct block *b;
	char limit[16];

	if (p->nblock == LIM_DIRECTIVE_NEST) {
		snprintf(limit, sizeof limit, "%d", LIM_DIRECTIVE_NEST);
		line_error(l, l->at, l->len, E_DIRECTIVE_DEEP,
		    STR_LIT("directives"), str_c(limit), STR_NIL);
		p->stop = true;		/* the ends would not fit any more */
		return;
	}
	b = &p->block[p->nblock];
	*b = (struct block){ .d = l->d, .word = l->word,
	    .otherwise = STR_NIL, .file = l->x->file,
	    .off = (uint32_t)l->at, .len = (uint32_t)l->len, .outer = pass_active(p) };
	b->active = b->taken = b->outer && is_true;
	p->nblock++;
}

/* The innermost open block of the text, which the word must belong to. */
static struct block *
block_of(struct line *l)
{
	enum directive_family mine = l->d->family, its;
	struct pass *p = l->x->pass;
	struct diag_item *item;
	struct block *b;
	struct str fits;
	char hint[64];
	unsigned i;

	for (i = p->nblock; i > l->x->base; i--)
		if (p->block[i - 1].d->family == mine)
			break;
	b = p->nblock == l->x->base ? NULL : &p->block[p->nblock - 1];
	its = b == NULL ? FAMILY_NONE : b->d->family;
	if (its == mine)
		return b;
	if (b == NULL || (i == l->x->base && (mine >= FAMILY_FIX ||
	    its >= FAMILY_FIX))) {
		line_error(l, l->at, l->len, E_DIRECTIVE_ALONE,
		    l->word, directive_like(mine, mine == FAMILY_FIX ? DO_FIX :
		    mine == FAMILY_INDENT ? DO_INDENT : DO_IF), STR_NIL);
		return NULL;
	}
	item = line_error(l, l->at, l->len, i > l->x->base ?
	    E_DIRECTIVE_CROSS : E_DIRECTIVE_MIX, l->word,
	    b->word, STR_NIL);
	diag_other(p->pp->diag, item, source_place_in(p->pp->src, b->file,
	    b->off), "it began here");
	if (its < FAMILY_FIX || l->d->does == DO_END) {
		fits = directive_like(its, l->d->does);
		snprintf(hint, sizeof hint, "#%.*s goes with #%.*s",
		    (int)fits.n, fits.p, (int)b->word.n, b->word.p);
		diag_hint(p->pp->diag, item, str_c(hint));
		return b;		/* as if it had been that word */
	}
	return NULL;
}

static void
block_next(struct line *l)
{
	struct block *b = block_of(l);
	bool is_true = true;

	if (b == NULL) {
		l->i = str_find(l->t, '\n', l->i);
		return;
	}
	if (!str_none(b->otherwise)) {
		line_error(l, l->at, l->len, E_DIRECTIVE_ELSE, l->word,
		    b->otherwise, STR_NIL);
		b->active = false;
		l->i = str_find(l->t, '\n', l->i);
		return;
	}
	if (l->d->does == DO_ELSE)
		b->otherwise = l->word;
	else if (!b->outer || b->taken) {
		l->i = str_find(l->t, '\n', l->i);	/* not asked */
		is_true = false;
	} else if (!define_condition(l, &is_true)) {
		l->i = str_find(l->t, '\n', l->i);
		is_true = false;
	}
	b->active = b->outer && !b->taken && is_true;
	b->taken = b->taken || b->active;
}

static void
block_end(struct line *l)
{
	struct pass *p = l->x->pass;
	struct block *b = block_of(l);

	if (b == NULL)
		return;
	if (b->d->family == FAMILY_FIX)
		l->x->nfix--;
	if (b->d->family == FAMILY_INDENT)
		p->nindent--;
	p->nblock--;
}

void
directive_end(struct text *x)
{
	struct pass *p = x->pass;
	struct block *b;

	for (; p->nblock > x->base; p->nblock--) {
		b = &p->block[p->nblock - 1];
		if (b->d->family == FAMILY_INDENT)
			p->nindent--;
		if (!p->stop)
			diag_in(p->pp->diag, source_place_in(p->pp->src,
			    b->file, b->off), b->len, E_DIRECTIVE_OPEN,
			    b->word, STR_NIL, STR_NIL);
	}
}

/* --- words --- */

/* What follows a word that is a variable: an index, a call, an assignment. */
static bool
assigns(struct str t, size_t i)
{
	if (i < t.n && (t.p[i] == '[' || t.p[i] == '('))
		return true;
	while (i < t.n && blank(t.p[i]))
		i++;
	while (i < t.n && t.p[i] != '\0' && strchr("+-*/%&|^<>.", t.p[i]))
		i++;
	return i < t.n && t.p[i] == '=';
}

static void
unknown(struct line *l)
{
	struct diag *d = l->x->pass->pp->diag;
	struct str near = STR_NIL;
	struct diag_item *item;
	char hint[64];

	item = line_error(l, l->at, l->len, E_DIRECTIVE, l->word, STR_NIL,
	    STR_NIL);
	if (d->nerror <= LIM_DIAG_SHOWN)
		near = directive_near(l->word);
	if (!str_none(near)) {
		snprintf(hint, sizeof hint, "did you mean #%.*s?",
		    (int)near.n, near.p);
		diag_hint(d, item, str_c(hint));
	}
}

static void
act(struct line *l)
{
	struct text *x = l->x;
	struct pass *p = x->pass;
	bool is_true = false, ok = true;

	switch (l->d->does) {
	case DO_IF:
	case DO_IFN:
		if (pass_active(p))
			ok = define_condition(l, &is_true);
		if (!ok || !pass_active(p))
			l->i = str_find(l->t, '\n', l->i);
		block_open(l, is_true);
		if (!ok && p->nblock > 0)	/* of a bad one nothing is kept */
			p->block[p->nblock - 1].taken = true;
		break;
	case DO_ELIF:
	case DO_ELIFN:
	case DO_ELSE:
		block_next(l);
		break;
	case DO_END:
		block_end(l);
		break;
	case DO_FIX:
		block_open(l, true);
		x->nfix += !p->stop;
		break;
	case DO_INDENT:
		block_open(l, true);
		p->nindent += !p->stop;
		break;
	case DO_DEFINE:
	case DO_UNDEFINE:
	case DO_SETDEF:
		define_set(l);
		break;
	case DO_INCLUDE:
	case DO_VERBATIM:
	case DO_EXEC:
	case DO_PIKTEXEC:
		include_do(l);
		break;
	case DO_SET:
	case DO_UNSET:
	case DO_ECHO:
		include_set(l);
		break;
	}
}

size_t
directive(struct text *x, size_t i)
{
	struct pass *p = x->pass;
	struct line l = { .x = x, .t = x->t, .at = i };
	struct str t = x->t;
	bool active = pass_active(p);
	size_t j = i + 1, k;

	while (!p->standalone && j < t.n && (t.p[j] == ' ' || t.p[j] == '\t'))
		j++;
	for (k = j; k < t.n && macro_letter(t.p[k]); )
		k++;
	if (k == j)
		return 0;
	while (k < t.n && macro_name_char(t.p[k]) && t.p[k] != '.' &&
	    t.p[k] != '-')
		k++;
	l.word = str_of(t.p + j, k - j);
	l.d = directive_find(l.word);
	l.i = k;
	l.len = k - i;
	if (l.d == NULL) {
		/* Left out, fixed, or the script's: no matter of ours. */
		if (!active || x->nfix > 0 || p->standalone ||
		    (p->kind == PASS_SCRIPT && assigns(t, k)))
			return 0;
		unknown(&l);
		text_keep(x, i);
		x->run = next_line(t, k);
		return x->run - i;
	}
	if (!active && (l.d->family == FAMILY_NONE ||
	    l.d->family >= FAMILY_FIX))
		return 0;
	text_keep(x, i);
	if (p->kind == PASS_PLAIN && l.d->does != DO_INCLUDE &&
	    l.d->does != DO_VERBATIM) {
		line_error(&l, i, k - i, E_DIRECTIVE_PLACE, l.word, STR_NIL,
		    STR_NIL);
		l.i = str_find(t, '\n', k);
	} else
		act(&l);
	x->run = finish(&l);
	return x->run - i;
}
