#include "lang/check/shell.h"

static bool
is_one_of(struct str t, const char *const *list)
{
	for (; *list != NULL; list++)
		if (str_eq(t, str_c(*list)))
			return true;
	return false;
}

/* Blanks and a comment. */
static void
blanks(struct shell *s)
{
	const char *outer = s->forbid;
	int c;

	while ((c = sh_peek(s)) == ' ' || c == '\t')
		sh_get(s);
	if (c != '#')
		return;
	s->needed = s->verbatim = true;
	s->forbid = "a comment";
	while ((c = sh_peek(s)) != '\n' && !sh_over(c)) {
		if (c == SH_DATA)
			sh_take(s, NULL, 0);
		else
			sh_get(s);
	}
	s->verbatim = false;
	s->forbid = outer;
}

/* here-documents and other redirections */

/* Where a line that is the delimiter ends, if one begins at a unit; else 0. */
static size_t
delimiter_at(const struct shell *s, const struct sh_here *h, size_t at)
{
	size_t next, i;
	int c;

	while (h->strip && sh_unit(s, s->level, at, &next) == '\t')
		at = next;
	for (i = 0; i < h->n; i++, at = next)
		if (sh_unit(s, s->level, at, &next) !=
		    (unsigned char)h->delim[i])
			return 0;
	c = sh_unit(s, s->level, at, &next);
	return c == '\n' ? next : sh_over(c) ? at : 0;
}

/* The end by lines alone, as bash finds it; 0 if there is none. */
static size_t
first_delimiter(const struct shell *s, const struct sh_here *h)
{
	size_t at = s->at, next, end;
	int c;

	while ((end = delimiter_at(s, h, at)) == 0) {
		while ((c = sh_unit(s, s->level, at, &next)) != '\n' &&
		    !sh_over(c))
			at = next;
		if (c != '\n')
			return 0;
		at = next;
	}
	return end;
}

static void
here_body(struct shell *s, const struct sh_here *h)
{
	const char *outer = s->forbid;
	size_t from = s->at, first = first_delimiter(s, h), end;
	int c;

	if (h->quoted)
		s->forbid = "a quoted here-document";
	while ((end = delimiter_at(s, h, s->at)) == 0) {
		s->verbatim = h->quoted;
		while ((c = sh_peek(s)) != '\n' && !sh_over(c)) {
			if (c == SH_DATA)
				sh_take(s, NULL, DP_IN_DOUBLE);
			else if (h->quoted)
				sh_get(s);
			else
				sh_inside(s, NULL, c);
		}
		s->verbatim = false;
		if (sh_over(c)) {
			sh_broken(s, h->at, E_CMD_HEREDOC, h->delim);
			break;
		}
		sh_get(s);
	}
	if (!s->broken && end != first)
		sh_disagree(s, h->at, "a here-document with its delimiter "
		    "inside a $( )");
	if (!s->broken)
		s->at = end;
	s->forbid = outer;
	sh_mark(s, from, s->at, DP_FED);
}

static void
here_bodies(struct shell *s)
{
	struct sh_here *h = s->here;

	s->here = NULL;
	for (; h != NULL && !s->broken; h = h->next)
		here_body(s, h);
}

static void
here_new(struct shell *s, size_t at, bool strip)
{
	struct sh_here *h = arena_zalloc(s->arena, sizeof *h), **last;
	struct sh_word *w = arena_zalloc(s->arena, sizeof *w);
	const char *outer = s->forbid;
	char *text;
	size_t i;

	s->forbid = "the delimiter of a here-document";
	w->from = s->at;
	sh_word(s, w);
	s->forbid = outer;
	h->delim = text = arena_text(s->arena, w->to - w->from + 1);
	for (i = 0; i < w->npiece; i++)
		if (!w->piece[i].data) {
			memcpy(text + h->n, w->piece[i].p, w->piece[i].n);
			h->n += w->piece[i].n;
		}
	text[h->n] = '\0';
	h->quoted = w->quoted;
	h->strip = strip;
	h->at = at;
	for (last = &s->here; *last != NULL; )
		last = &(*last)->next;
	*last = h;
}

/* From < or > on. */
static void
redirect(struct shell *s)
{
	const char *outer = s->forbid;
	size_t at = s->at;
	struct sh_word *w;
	bool strip;
	int c, d;

	s->needed = true;
	c = sh_peek(s);
	sh_get(s);
	d = sh_peek(s);
	if (c == '<' && d == '<') {
		sh_get(s);
		if (sh_peek(s) == '<') {
			sh_get(s);
			blanks(s);
			w = sh_word_new(s, SH_APART);
			sh_word(s, w);
			sh_mark(s, w->from, w->to, DP_FED);
			return;
		}
		if ((strip = sh_peek(s) == '-'))
			sh_get(s);
		blanks(s);
		here_new(s, at, strip);
		return;
	}
	if (d == '&')
		s->forbid = "the number of a descriptor";
	if (d == '&' || d == '>' || (c == '>' && d == '|'))
		sh_get(s);
	blanks(s);
	w = sh_word_new(s, SH_TARGET);
	sh_word(s, w);
	s->forbid = outer;
}

/* compound commands */

/* A word whose place takes no data. */
static struct sh_word *
literal_word(struct shell *s, const char *what)
{
	const char *outer = s->forbid;
	struct sh_word *w;

	blanks(s);
	w = sh_word_new(s, SH_APART);
	s->forbid = what;
	sh_word(s, w);
	s->forbid = outer;
	return w;
}

static void
newlines(struct shell *s)
{
	for (blanks(s); sh_peek(s) == '\n'; blanks(s)) {
		sh_get(s);
		here_bodies(s);
	}
}

/* From the word after `case` to esac. */
static void
case_command(struct shell *s, size_t at)
{
	struct sh_word *w;
	bool paren;

	if (!sh_enter(s))
		return;
	blanks(s);
	sh_word(s, sh_word_new(s, SH_APART));
	newlines(s);
	w = literal_word(s, "a reserved word");
	if (!str_eq(sh_plain(w), STR_LIT("in"))) {
		sh_broken(s, at, E_CMD_OPEN, "case");
		return;
	}
	for (;;) {
		newlines(s);
		if ((paren = sh_peek(s) == '('))
			sh_get(s);
		for (;;) {
			blanks(s);
			if (sh_peek(s) == ')' || sh_over(sh_peek(s)))
				break;
			w = sh_word_new(s, SH_APART);
			sh_word(s, w);
			if (!paren && str_eq(sh_plain(w), STR_LIT("esac"))) {
				s->depth--;
				return;
			}
			blanks(s);
			if (sh_peek(s) != '|')
				break;
			sh_get(s);
		}
		if (s->broken || sh_peek(s) != ')') {
			sh_broken(s, at, E_CMD_OPEN, "case");
			return;
		}
		sh_get(s);
		if (sh_list(s, ';')) {
			s->depth--;
			return;
		}
		if (sh_peek(s) != ';') {
			sh_broken(s, at, E_CMD_OPEN, "case");
			return;
		}
		sh_get(s);
		sh_get(s);
		if (sh_peek(s) == '&')
			sh_get(s);		/* bash's ;;& */
	}
}

/* From the word after `for` or `select` to what follows the name. */
static bool
for_head(struct shell *s)
{
	struct sh_word *w;
	struct str t;

	s->needed = true;
	blanks(s);
	if (sh_peek(s) == '(')		/* bash's for ((...)) */
		return false;
	literal_word(s, "the name of a loop's variable");
	blanks(s);
	if (sh_ends_word(sh_peek(s)))
		return false;
	w = literal_word(s, "a reserved word");
	t = sh_plain(w);
	return !str_eq(t, STR_LIT("do"));
}

/* From [[ to ]]: what stands between is bash's own. */
static void
double_bracket(struct shell *s, size_t open)
{
	const char *outer = s->forbid;
	struct sh_word *w;

	s->needed = true;
	s->forbid = "[[ ]]";
	for (;;) {
		newlines(s);
		if (sh_over(sh_peek(s))) {
			sh_broken(s, open, E_CMD_OPEN, "[[");
			break;
		}
		w = sh_word_new(s, SH_APART);
		sh_word(s, w);
		if (w->from == w->to)
			sh_get(s);		/* an operator */
		if (str_eq(sh_plain(w), STR_LIT("]]")))
			break;
	}
	s->forbid = outer;
}

/* From behind `(`: a subshell, or with a message of its own an array. */
static void
group(struct shell *s, size_t open)
{
	s->needed = true;
	if (sh_peek(s) == '(') {
		sh_get(s);
		sh_closed(s, open, "((...))", 2, 0);
		return;
	}
	if (!sh_enter(s))
		return;
	sh_list(s, ')');
	s->depth--;
	if (sh_peek(s) != ')')
		sh_broken(s, open, E_CMD_OPEN, "(");
	else
		sh_get(s);
}

/* simple commands */

/* What a reserved word makes of the words after it. */
enum after { AFTER_NONE, AFTER_COMMAND, AFTER_END, AFTER_ESAC, AFTER_LIST };

static enum after
reserved(struct shell *s, const struct sh_word *w)
{
	static const char *const opens[] = { "if", "then", "elif", "else",
	    "while", "until", "do", "{", "!", "coproc", NULL };
	static const char *const closes[] = { "fi", "done", "}", NULL };
	struct str t = sh_plain(w);

	if (t.n == 0)
		return AFTER_NONE;
	if (is_one_of(t, opens)) {
		s->needed = true;
		return AFTER_COMMAND;
	}
	if (is_one_of(t, closes)) {
		s->needed = true;
		return AFTER_END;
	}
	if (str_eq(t, STR_LIT("esac"))) {
		s->needed = true;
		return AFTER_ESAC;
	}
	if (str_eq(t, STR_LIT("case"))) {
		s->needed = true;
		case_command(s, w->from);
		return AFTER_END;
	}
	if (str_eq(t, STR_LIT("[["))) {
		double_bracket(s, w->from);
		return AFTER_END;
	}
	if (str_eq(t, STR_LIT("for")) || str_eq(t, STR_LIT("select")))
		return for_head(s) ? AFTER_LIST : AFTER_COMMAND;
	if (str_eq(t, STR_LIT("function"))) {
		s->needed = true;
		literal_word(s, "the name of a function");
		blanks(s);
		if (sh_peek(s) == '(') {
			sh_get(s);
			blanks(s);
			if (sh_peek(s) == ')')
				sh_get(s);
		}
		return AFTER_COMMAND;
	}
	return AFTER_NONE;
}

/* NAME=( ... ): bash evaluates subscripts in it. */
static void
array(struct shell *s)
{
	const char *outer = s->forbid;
	size_t open = s->at;

	s->forbid = "a list of array elements";
	sh_get(s);
	group(s, open);
	s->forbid = outer;
}

static bool
is_number(const struct sh_word *w)
{
	struct str t = sh_plain(w);
	size_t i;

	for (i = 0; i < t.n; i++)
		if (!sh_is_digit((unsigned char)t.p[i]))
			return false;
	return t.n > 0;
}

/* Words and redirections up to an operator; true if esac came instead. */
static bool
simple(struct shell *s)
{
	struct sh_word **word = NULL, *w;
	size_t n = 0, cap = 0;
	enum after after = AFTER_COMMAND, r;
	bool start = true;	/* a reserved word is one here */
	int c;

	for (;;) {
		blanks(s);
		c = sh_peek(s);
		if (c == '(' && n == 1 && after == AFTER_COMMAND) {
			sh_get(s);
			blanks(s);
			if (sh_peek(s) != ')') {
				sh_broken(s, s->at, E_CMD_CLOSE, "(");
				return false;
			}
			sh_get(s);	/* NAME(): a function */
			s->needed = start = true;
			n = 0;
			continue;
		}
		if ((c == '<' || c == '>') && sh_peek2(s) != '(') {
			redirect(s);
			start = false;
			continue;
		}
		if (c != '<' && c != '>' && sh_ends_word(c))
			break;
		w = sh_word_new(s, SH_PLAIN);
		sh_word(s, w);
		c = sh_peek(s);
		if ((c == '<' || c == '>') && is_number(w)) {
			s->needed = true;
			continue;
		}
		r = start ? reserved(s, w) : AFTER_NONE;
		if (r == AFTER_ESAC)
			return true;
		if (r != AFTER_NONE) {
			after = r;
			start = r == AFTER_COMMAND;
			continue;
		}
		start = false;
		if (n == 0 && after == AFTER_COMMAND && w->assign) {
			w->role = SH_ASSIGN;
			s->needed = true;
			if (sh_peek(s) == '(')
				array(s);
			continue;
		}
		word = sh_grow(s->arena, word, n, &cap, sizeof *word);
		word[n++] = w;
	}
	if (after == AFTER_COMMAND && n > 0)
		sh_simple(s, word, n);
	return false;
}

bool
sh_list(struct shell *s, int until)
{
	size_t open;
	int c;

	for (;;) {
		blanks(s);
		c = sh_peek(s);
		if (s->broken || sh_over(c))
			return false;
		open = s->at;
		switch (c) {
		case ')':
			if (until == ')')
				return false;
			sh_broken(s, open, E_CMD_CLOSE, ")");
			return false;
		case ';':
			c = sh_peek2(s);
			if (until == ';' && (c == ';' || c == '&'))
				return false;
			sh_get(s);
			s->needed = true;
			break;
		case '\n':
			sh_get(s);
			here_bodies(s);
			s->cut = s->cut || s->word != NULL;
			break;
		case '&':
			sh_get(s);
			if (sh_peek(s) == '>')
				sh_disagree(s, open, "&>");
			s->needed = true;
			break;
		case '|':
			sh_get(s);
			if (sh_peek(s) == '&')
				sh_get(s);
			s->needed = true;
			break;
		case '(':
			sh_get(s);
			group(s, open);
			break;
		default:
			if (simple(s))
				return true;
		}
	}
}

/* Parts to units. */
static bool
flatten(struct shell *s)
{
	static const uint16_t mark[] = { '_', '_', 'p' };
	size_t i, k, n = 0, ndata = 0;

	s->start = arena_zalloc(s->arena, (s->npart + 1) * sizeof *s->start);
	for (k = 0; k < s->npart; k++) {
		s->start[k] = n;
		n += s->part[k].data ? 1 : s->part[k].text.n;
		ndata += s->part[k].data;
	}
	if (n > LIM_COMMAND || ndata > LIM_COMMAND_DATA) {
		sh_error(s, 0, E_CMD_LONG, STR_NIL, STR_NIL);
		return false;
	}
	s->unit = arena_alloc(s->arena, (n + 1) * sizeof *s->unit);
	s->scratch = arena_text(s->arena, n + 1);
	s->data = arena_zalloc(s->arena, (ndata + 1) * sizeof *s->data);
	for (k = 0; k < s->npart; k++) {
		if (s->part[k].data) {
			s->data[s->ndata].part = &s->part[k];
			s->data[s->ndata++].at = s->n;
			s->unit[s->n++] = SH_DATA;
		} else
			for (i = 0; i < s->part[k].text.n; i++)
				s->unit[s->n++] =
				    (unsigned char)s->part[k].text.p[i];
	}
	for (i = 0; i < s->n; i++) {
		if (s->unit[i] == '\0')
			sh_error(s, i, E_CMD_NUL, STR_NIL, STR_NIL);
		if (ndata > 0 && i + 3 < s->n && sh_is_digit(s->unit[i + 3]) &&
		    memcmp(&s->unit[i], mark, sizeof mark) == 0)
			sh_error(s, i, E_CMD_RESERVED, STR_NIL, STR_NIL);
	}
	return !s->failed;
}

void
sh_read(struct shell *s)
{
	size_t i;

	s->last = &s->word;
	if (!flatten(s))
		return;
	sh_list(s, SH_END);
	if (s->here != NULL)
		sh_broken(s, s->here->at, E_CMD_HEREDOC, s->here->delim);
	if (s->word == NULL && !s->raw && !s->failed)
		sh_error(s, 0, E_CMD_EMPTY, STR_NIL, STR_NIL);
	for (i = 0; i < s->ndata; i++)
		if (s->data[i].flags & DP_FED) {
			s->data[i].flags &= ~DP_FED;
			s->data[i].flags |= s->stdin_flags;
		}
	if (s->integer && s->ndata > 0)
		sh_refuse(s, &s->data[0], E_CMD_PLACE,
		    STR_LIT("a command that declares integers"));
}
