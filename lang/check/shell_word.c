#include "lang/check/shell.h"

static void dollar(struct shell *, struct sh_word *, uint32_t quote);
static void tick(struct shell *, struct sh_word *, uint32_t quote);

struct sh_word *
sh_word_new(struct shell *s, enum sh_role role)
{
	struct sh_word *w = arena_zalloc(s->arena, sizeof *w);

	if (s->cut)
		s->needed = true;
	w->from = s->at;
	w->role = role;
	*s->last = w;
	s->last = &w->next;
	return w;
}

static struct sh_piece *
piece_new(struct shell *s, struct sh_word *w)
{
	w->piece = sh_grow(s->arena, w->piece, w->npiece, &w->cap,
	    sizeof *w->piece);
	w->piece[w->npiece] = (struct sh_piece){ .data = false };
	return &w->piece[w->npiece++];
}

/* The word has an expansion here. */
static void
opened(struct sh_word *w)
{
	if (w == NULL)
		return;
	w->open = true;
	w->open_at = w->nlit;
}

/* A literal byte; w is NULL where no word is made (here-documents). */
static void
lit(struct shell *s, struct sh_word *w, int c)
{
	struct sh_piece *p;

	if (w == NULL)
		return;
	p = w->npiece > 0 ? &w->piece[w->npiece - 1] : NULL;
	if (p == NULL || p->data || p->p + p->n != s->scratch + s->nscratch) {
		p = piece_new(s, w);
		p->p = s->scratch + s->nscratch;
	}
	s->scratch[s->nscratch++] = (char)c;
	p->n++;
	w->nlit++;
}

void
sh_take(struct shell *s, struct sh_word *w, uint32_t flags)
{
	struct sh_data *d = &s->data[s->seen];
	bool bare = (flags & (DP_IN_DOUBLE | DP_IN_SINGLE)) == 0;
	struct sh_piece *p;

	d->flags |= flags;
	if (s->forbid != NULL)
		sh_refuse(s, d, E_CMD_PLACE, str_c(s->forbid));
	if (d->part->kind == DATA_WORDS && (!bare || w == NULL))
		sh_refuse(s, d, E_CMD_WORDS, STR_NIL);
	if (d->part->kind == DATA_RAW) {
		if (bare && s->level > 0)
			sh_refuse(s, d, E_CMD_RAW, STR_NIL);
		s->raw = s->needed = true;
		d->text = bare;
		opened(w);
	} else if (w != NULL) {
		p = piece_new(s, w);
		p->data = true;
		p->part = s->seen;
	}
	sh_get(s);
	s->seen++;
}

static void
squote(struct shell *s, struct sh_word *w)
{
	size_t open = s->at;
	bool outer = s->verbatim;
	int c;

	sh_get(s);
	if (w != NULL)
		w->quoted = true;
	s->verbatim = true;
	while ((c = sh_peek(s)) != '\'' && !sh_over(c)) {
		if (c == SH_DATA) {
			sh_take(s, w, DP_IN_SINGLE);
			continue;
		}
		lit(s, w, c);
		sh_get(s);
	}
	s->verbatim = outer;
	if (sh_over(c))
		sh_broken(s, open, E_CMD_OPEN, "'");
	else
		sh_get(s);
}

/* $'...': dash has no such thing, so a \' in it ends it there or not. */
static void
ansi(struct shell *s, struct sh_word *w)
{
	size_t open = s->at;
	const char *outer = s->forbid;
	bool joined = s->verbatim;
	int c;

	sh_get(s);
	if (w != NULL)
		w->quoted = true;
	opened(w);
	s->verbatim = true;
	s->forbid = "$'...'";
	while ((c = sh_peek(s)) != '\'' && !sh_over(c)) {
		if (c == SH_DATA) {
			sh_take(s, NULL, DP_IN_SINGLE);
			continue;
		}
		sh_get(s);
		if (c == '\\' && sh_escaped(s) == '\'')
			sh_disagree(s, open, "\\' in $'...'");
	}
	s->verbatim = joined;
	s->forbid = outer;
	if (sh_over(c))
		sh_broken(s, open, E_CMD_OPEN, "$'");
	else
		sh_get(s);
}

void
sh_inside(struct shell *s, struct sh_word *w, int c)
{
	switch (c) {
	case SH_DATA:
		sh_take(s, w, DP_IN_DOUBLE);
		break;
	case '$':
		dollar(s, w, DP_IN_DOUBLE);
		break;
	case '`':
		tick(s, w, DP_IN_DOUBLE);
		break;
	case '\\':
		sh_get(s);
		c = sh_escaped(s);
		if (c != '$' && c != '`' && c != '\\' && c != '"')
			lit(s, w, '\\');
		if (c < SH_DATA)
			lit(s, w, c);
		break;
	default:
		lit(s, w, c);
		sh_get(s);
	}
}

static void
dquote(struct shell *s, struct sh_word *w)
{
	size_t open = s->at;
	bool outer = s->verbatim;
	int c;

	sh_get(s);
	if (w != NULL)
		w->quoted = true;
	s->verbatim = false;
	while ((c = sh_peek(s)) != '"' && !sh_over(c))
		sh_inside(s, w, c);
	s->verbatim = outer;
	if (sh_over(c))
		sh_broken(s, open, E_CMD_OPEN, "\"");
	else
		sh_get(s);
}

void
sh_nested(struct shell *s, size_t open, int until, const char *what)
{
	struct sh_here *outer = s->here;

	if (!sh_enter(s))
		return;
	s->here = NULL;
	sh_list(s, until);
	if (s->here != NULL)
		sh_broken(s, s->here->at, E_CMD_HEREDOC, s->here->delim);
	s->here = outer;
	s->depth--;
	if (sh_peek(s) != until)
		sh_broken(s, open, E_CMD_OPEN, what);
	else
		sh_get(s);
}

void
sh_closed(struct shell *s, size_t open, const char *what, unsigned depth,
    uint32_t quote)
{
	const char *outer = s->forbid;
	size_t first = 0;	/* of the two that close */
	int c, before = 0;

	if (!sh_enter(s))
		return;
	if (outer == NULL)
		s->forbid = what;
	for (; !sh_over(c = sh_peek(s)); before = c) {
		if (c == '\'' && quote != 0)
			sh_disagree(s, s->at, "' in \"${...}\"");
		if (depth == 0 && c == '}')
			break;
		if (depth > 0) {
			if (c == '(')
				depth++;
			if (c == ')' && --depth == 1)
				first = s->at;
			if (depth == 0)
				break;
			if (c == ';' || (c == '#' && (before == ' ' ||
			    before == '\t' || before == '\n')))
				sh_disagree(s, open, what);
		}
		if (c == '\'' && quote == 0)
			squote(s, NULL);
		else if (c == '"')
			dquote(s, NULL);
		else
			sh_inside(s, NULL, c);
	}
	s->forbid = outer;
	s->depth--;
	if (sh_over(c)) {
		sh_broken(s, open, E_CMD_OPEN, what);
		return;
	}
	if (depth == 0 && c == ')' && first + 1 != s->at)
		sh_disagree(s, open, what);
	sh_get(s);
}

/* From a $ on. */
static void
dollar(struct shell *s, struct sh_word *w, uint32_t quote)
{
	size_t open = s->at;
	int c;

	sh_get(s);
	c = sh_peek(s);
	if (c == SH_DATA) {
		sh_refuse(s, &s->data[s->seen], E_CMD_JOIN, STR_LIT("$"));
		return;
	}
	if (quote == 0 && (c == '\'' || c == '"')) {
		s->needed = true;
		if (c == '\'') {
			ansi(s, w);
			return;
		}
		sh_disagree(s, open, "$\"...\"");
		return;
	}
	if (c == '[') {
		s->needed = true;
		sh_disagree(s, open, "$[...]");
	}
	if (!(c == '(' || c == '{' || sh_is_name(c) ||
	    (c < SH_DATA && c != 0 && strchr("@*#?-$!", c) != NULL))) {
		lit(s, w, '$');
		return;
	}
	s->needed = true;
	opened(w);
	sh_get(s);
	if (c == '(' && sh_peek(s) == '(') {
		sh_get(s);
		sh_closed(s, open, "$((...))", 2, 0);
	} else if (c == '(')
		sh_nested(s, open, ')', "$(");
	else if (c == '{')
		sh_closed(s, open, "${...}", 0, quote);
	else if (sh_is_name(c) && !sh_is_digit(c))
		while (sh_is_name(sh_peek(s)))
			sh_get(s);
}

/* From a ` on. */
static void
tick(struct shell *s, struct sh_word *w, uint32_t quote)
{
	size_t open = s->at, at, next;
	bool outer = s->verbatim;
	int c;

	s->needed = true;
	if (s->level == LIM_TICKS) {
		sh_broken(s, open, E_CMD_DEEP, NULL);
		return;
	}
	sh_get(s);
	opened(w);
	s->level++;
	s->quoted[s->level] = w != NULL && quote != 0;
	s->verbatim = false;
	/* in a here-document dash takes the backslash of a \" away */
	for (at = s->at; w == NULL && !sh_over(c = sh_unit(s, s->level, at,
	    &next)); at = next)
		if (c == '\\' && sh_unit(s, s->level, next, &at) == '"')
			sh_disagree(s, open, "\\\" in `...` in a here-document");
	sh_nested(s, open, SH_TICK, "`");
	s->verbatim = outer;
	s->level--;
}

/* A ~ that the shell would expand: at the start of a word or a value. */
static void
tilde(struct shell *s, struct sh_word *w)
{
	size_t at, next;
	int c;

	sh_get(s);
	at = s->at;
	if ((c = sh_look(s, &at, &next)) != SH_DATA) {
		s->needed = true;
		lit(s, w, '~');
		while (sh_is_name(c) || c == '-' || c == '.') {
			at = next;
			c = sh_look(s, &at, &next);
		}
		if (c == SH_DATA)
			sh_refuse(s, &s->data[s->seen], E_CMD_TILDE,
			    STR_NIL);
		return;
	}
	c = sh_look(s, &next, &at);
	if ((!sh_ends_word(c) && c != '/' && !(c == ':' && w->assign)) ||
	    s->data[s->seen].part->kind != DATA_PLAIN)
		sh_refuse(s, &s->data[s->seen], E_CMD_TILDE, STR_NIL);
	sh_take(s, w, DP_TILDE);
}

/* True if what the word holds so far can be the name of a variable. */
static bool
name_so_far(const struct sh_word *w, bool plus)
{
	const struct sh_piece *p = w->piece;
	size_t i, n;

	if (w->npiece != 1 || p->data || w->quoted || w->open)
		return false;
	n = p->n;
	if (plus && n > 1 && p->p[n - 1] == '+')
		n--;
	for (i = 0; i < n; i++)
		if (!sh_is_name((unsigned char)p->p[i]))
			return false;
	return !sh_is_digit((unsigned char)p->p[0]);
}

struct str
sh_plain(const struct sh_word *w)
{
	if (w->quoted || w->open || w->npiece != 1 || w->piece[0].data)
		return STR_EMPTY;
	return str_of(w->piece[0].p, w->piece[0].n);
}

bool
sh_in_list(const char *list, struct str name)
{
	size_t n;

	for (; *list != '\0'; list += n + (list[n] == ' ')) {
		n = strcspn(list, " ");
		if (str_eq(str_of(list, n), name))
			return true;
	}
	return false;
}

bool
sh_has_data(const struct sh_word *w)
{
	size_t i;

	for (i = 0; i < w->npiece; i++)
		if (w->piece[i].data)
			return true;
	return false;
}

/* Bytes that make a word more than text where they stand unquoted. */
static void
bare(struct shell *s, struct sh_word *w, int c, int before)
{
	switch (c) {
	case '~':
		if (w->from == s->at || (w->assign && w->role == SH_PLAIN &&
		    (before == '=' || before == ':'))) {
			tilde(s, w);
			return;
		}
		break;
	case '*': case '?': case '[':
		s->needed = true;
		break;
	case '{':
		/* find's {} is no brace expansion */
		if (sh_peek2(s) != '}')
			w->brace = s->needed = true;
		break;
	case '=':
		if (!w->assign && name_so_far(w, true))
			w->assign = true;
		else if (!w->assign && sh_has_data(w))
			w->sign = true;
		break;
	}
	lit(s, w, c);
	sh_get(s);
}

void
sh_word(struct shell *s, struct sh_word *w)
{
	int c, before = 0;
	size_t i;

	for (; ; before = c) {
		c = sh_peek(s);
		if ((c == '<' || c == '>') && sh_peek2(s) == '(') {
			const char *outer = s->forbid;
			size_t open = s->at;

			s->needed = true;
			opened(w);
			s->forbid = c == '<' ? "<(...)" : ">(...)";
			sh_get(s);
			sh_get(s);
			sh_nested(s, open, ')', s->forbid);
			s->forbid = outer;
			continue;
		}
		if (sh_ends_word(c))
			break;
		switch (c) {
		case SH_DATA:
			sh_take(s, w, 0);
			break;
		case '\'':
			squote(s, w);
			break;
		case '"':
			dquote(s, w);
			break;
		case '$':
			dollar(s, w, 0);
			break;
		case '`':
			tick(s, w, 0);
			break;
		case '\\':
			sh_get(s);
			w->quoted = true;
			c = sh_escaped(s);
			lit(s, w, c < SH_DATA ? c : '\\');
			break;
		default:
			bare(s, w, c, before);
		}
	}
	w->to = s->at;
	for (i = 0; w->brace && i < w->npiece; i++)
		if (w->piece[i].data)
			sh_refuse(s, &s->data[w->piece[i].part], E_CMD_PLACE,
			    STR_LIT("{...}"));
}
