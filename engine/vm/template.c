#include "engine/vm/template.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#define LIM_VALUE_SHOWN	200		/* bytes of a value in a message */
#define LIM_PASSWD	(64 * 1024)	/* bytes of one user's record */
#define LIM_PID		2147483647.0	/* more could wrap round to -1 */

/* One filling. */
struct fill {
	const struct template *t;
	struct str	*data;		/* a user's name becomes his home */
	struct arena	*arena;
	struct buf	*why;
	char		**argv;
	size_t		 argc, cap, bytes;
};

/* Characters that are only themselves in every shell and program. */
static bool
is_safe(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || (c != '\0' &&
	    strchr("_.@:+,=%-", c) != NULL);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static bool
refuse(struct fill *f, const struct piece *p, struct str value,
    const char *rule)
{
	buf_clear(f->why);
	buf_escaped(f->why, p->text, LIM_VALUE_SHOWN);
	buf_puts(f->why, ": ");
	if (!str_none(value)) {
		buf_putc(f->why, '"');
		buf_escaped(f->why, value, LIM_VALUE_SHOWN);
		buf_puts(f->why, "\": ");
	}
	buf_puts(f->why, rule);
	return false;
}

/* The blank-separated word from *at on, or NIL; moves *at behind it. */
static struct str
next_word(struct str v, size_t *at)
{
	size_t from;

	while (*at < v.n && is_blank(v.p[*at]))
		++*at;
	if (*at == v.n)
		return STR_NIL;
	for (from = *at; *at < v.n && !is_blank(v.p[*at]); ++*at)
		;
	return str_of(v.p + from, *at - from);
}

/* values */

static bool
is_pid(struct str v)
{
	double d = 0;
	size_t i;

	for (i = 0; i < v.n && i < 11; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
		d = d * 10 + (v.p[i] - '0');
	}
	return i == v.n && i > 0 && v.p[0] != '0' && d > 1 && d <= LIM_PID;
}

static bool
is_signal(struct str v)
{
	size_t i;

	for (i = 0; i < v.n; i++)
		if (!((v.p[i] >= 'A' && v.p[i] <= 'Z') ||
		    (v.p[i] >= '0' && v.p[i] <= '9')))
			return false;
	return v.n > 0;
}

static bool
is_harmless(struct str v, uint32_t flags)
{
	size_t i;

	for (i = 0; i < v.n; i++) {
		if (is_safe(v.p[i]))
			continue;
		if (v.p[i] == '/' && !(flags & DP_PROG_OTHER))
			continue;
		if (v.p[i] == '\\' && !(flags & DP_PROG_SH) &&
		    i + 1 < v.n && v.p[i + 1] == '/') {
			i++;
			continue;
		}
		return false;
	}
	return true;
}

/* Rules that look at one value, or at one word of $words(). */
static bool
check_value(struct fill *f, const struct piece *p, struct str v)
{
	if ((p->flags & (DP_PROG_SH | DP_PROG_OTHER)) &&
	    !is_harmless(v, p->flags))
		return refuse(f, p, v, p->flags & DP_PROG_SH ?
		    "is in a word that is a program, so only A-Z a-z 0-9 and "
		    "_.@:+,=%-/ may be in it (rule 3)" :
		    "is in a word that is a program, so only A-Z a-z 0-9 and "
		    "_.@:+,=%- and \\/ may be in it (rule 3)");
	if ((p->flags & DP_KILL) && !is_pid(v))
		return refuse(f, p, v,
		    "kill takes only integers above 1 (rule 4)");
	if ((p->flags & DP_SIGNAL) && !is_signal(v))
		return refuse(f, p, v,
		    "is no signal: A-Z and 0-9 only (rule 4)");
	if ((p->flags & DP_IS_COMMAND) && (v.n == 0 ||
	    memchr(v.p, '/', v.n) != NULL))
		return refuse(f, p, v, "names the command, so it is not empty "
		    "and has no / (rule 2)");
	return true;
}

/* A user's home in place of the name (rule 6). */
static bool
find_home(struct fill *f, const struct piece *p)
{
	struct passwd pw, *found = NULL;
	struct str name = arena_dup(f->arena, f->data[p->index]);
	size_t room = 4096;
	char *text;
	int e;

	do {
		text = arena_text(f->arena, room);
		e = getpwnam_r(name.p, &pw, text, room, &found);
		room *= 4;
	} while (e == ERANGE && room <= LIM_PASSWD);
	if (found == NULL || found->pw_dir == NULL || found->pw_dir[0] != '/')
		return refuse(f, p, name,
		    "no user with a home of that name (rule 6)");
	f->data[p->index] = arena_dup(f->arena, str_c(found->pw_dir));
	return true;
}

static bool
check_data(struct fill *f, const struct piece *p)
{
	struct str v = f->data[p->index], w;
	size_t at = 0;

	if (str_none(v))
		return refuse(f, p, v, v.n == 0 ? "NIL is not run (rule 5)" :
		    "ERR is not run (rule 5)");
	if (str_eq(v, str_shown(STR_NIL)) || str_eq(v, str_shown(STR_ERR)))
		return refuse(f, p, v, "no value is not run (rule 5)");
	if (v.n > 0 && memchr(v.p, '\0', v.n) != NULL)
		return refuse(f, p, v,
		    "a NUL byte is not run (rule 5)");
	if (v.n >= LIM_ARG)
		return refuse(f, p, v,
		    "over 128 KiB is not run (rule 5)");
	if (p->kind == DATA_RAW)
		return true;
	if (p->kind == DATA_WORDS) {
		while (!str_none(w = next_word(v, &at)))
			if (!check_value(f, p, w))
				return false;
		return true;
	}
	if (!check_value(f, p, v))
		return false;
	return (p->flags & DP_TILDE) == 0 || find_home(f, p);
}

/* words */

#define DASH	"a value that begins with \"-\" is not run (rule 4: write -- " \
		"before it, or $opt())"

/* Rule 4: true if the data parts before the first literal byte give no -. */
static bool
check_dash(struct fill *f, const struct word *w)
{
	struct str v, word;
	size_t at = 0;
	uint32_t i;

	for (i = 0; i < w->npiece; i++) {
		const struct piece *p = &w->piece[i];

		if (!p->data || !(p->flags & DP_STARTS_WORD))
			return true;
		v = f->data[p->index];
		if (p->kind == DATA_WORDS && !(p->flags & DP_AFTER_DASHES))
			while (!str_none(word = next_word(v, &at)))
				if (word.p[0] == '-')
					return refuse(f, p, word, DASH);
		if (v.n == 0 || p->kind == DATA_WORDS)
			continue;
		if (v.p[0] == '-' && p->kind != DATA_OPT &&
		    !(p->flags & (DP_AFTER_DASHES | DP_KILL)))
			return refuse(f, p, v, DASH);
		return true;
	}
	return true;
}

/* What ends a path's component in a literal text. */
static bool
is_border(char c, bool program)
{
	return c == '/' || c == '=' || c == ':' || c == ',' ||
	    (program && !is_safe(c));
}

/* The part of a word between two borders. */
struct component {
	const struct piece *data;	/* gave something, if only nothing */
	size_t		 n, dots;	/* bytes; of them dots */
	char		 left;		/* the border before, 0: the word's start */
	bool		 literal;	/* that border was no data */
};

static bool
check_component(struct fill *f, const struct component *c, char right,
    bool literal)
{
	if (c->data == NULL)
		return true;
	if (c->n == 2 && c->dots == 2)
		return refuse(f, c->data, f->data[c->data->index],
		    "a .. in a path is not run (rule 5)");
	if (c->n == 0 && c->literal && literal &&
	    (c->left == '/' || right == '/'))
		return refuse(f, c->data, f->data[c->data->index],
		    "an empty value would shorten a path (rule 5)");
	return true;
}

/*
 * Rule 5: the assembled word is walked from border to border.  A component
 * that has data must not be .., and data must not have left it empty beside
 * a literal /.
 */
static bool
check_path(struct fill *f, const struct word *w)
{
	struct component c = { .literal = true };
	bool program = false, path = false, border;
	struct str v;
	uint32_t i;
	size_t k;

	for (i = 0; i < w->npiece; i++) {
		program = program || (w->piece[i].flags & DP_PROG_SH);
		path = path || (w->piece[i].flags & DP_PATH);
	}
	for (i = 0; path && i < w->npiece; i++) {
		const struct piece *p = &w->piece[i];

		if (p->data && p->kind != DATA_RAW)
			c.data = p;
		v = p->data ? f->data[p->index] : p->text;
		for (k = 0; k < v.n; k++) {
			if (program && !p->data && (v.p[k] == '"' ||
			    v.p[k] == '\''))
				continue;	/* its shell takes them away */
			border = p->data ? v.p[k] == '/' :
			    is_border(v.p[k], program);
			if (!border) {
				c.n++;
				c.dots += v.p[k] == '.';
				continue;
			}
			if (!check_component(f, &c, v.p[k], !p->data))
				return false;
			c = (struct component){ .data = p->data ? p : NULL,
			    .left = v.p[k], .literal = !p->data };
		}
	}
	return check_component(f, &c, '\0', true);
}

/* Rule 4 for the words inside a shell's program. */
static bool
check_program(struct fill *f, const struct word *w)
{
	bool starts = true;
	struct str v;
	uint32_t i;
	char c;

	for (i = 0; i < w->npiece; i++) {
		const struct piece *p = &w->piece[i];

		v = p->data ? f->data[p->index] : p->text;
		if (v.n == 0)
			continue;
		if (p->data && starts && v.p[0] == '-' &&
		    (p->flags & DP_PROG_SH) && p->kind == DATA_PLAIN)
			return refuse(f, p, v, DASH);
		c = v.p[v.n - 1];
		starts = !p->data && c != '/' && !is_safe(c);
	}
	return true;
}

/* results */

static bool
add_arg(struct fill *f, struct str s)
{
	char **argv, *p;

	f->bytes += s.n + 1;
	if (s.n >= LIM_ARG || f->bytes > LIM_ARGV) {
		buf_clear(f->why);
		buf_puts(f->why, s.n >= LIM_ARG ?
		    "an argument over 128 KiB is not run (rule 5)" :
		    "arguments over 1 MiB are not run (rule 5)");
		return false;
	}
	if (f->argc + 1 >= f->cap) {
		f->cap = f->cap == 0 ? 16 : f->cap * 2;
		argv = arena_alloc(f->arena, f->cap * sizeof *argv);
		if (f->argc > 0)
			memcpy(argv, f->argv, f->argc * sizeof *argv);
		f->argv = argv;
	}
	p = arena_text(f->arena, s.n + 1);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	f->argv[f->argc++] = p;
	f->argv[f->argc] = NULL;
	return true;
}

static bool
add_words(struct fill *f, struct str v)
{
	struct str word;
	size_t at = 0;

	while (!str_none(word = next_word(v, &at)))
		if (!add_arg(f, word))
			return false;
	return true;
}

static bool
is_words(const struct word *w)
{
	return w->npiece == 1 && w->piece[0].data &&
	    w->piece[0].kind == DATA_WORDS;
}

/*
 * Texts are put together in the buffer for reasons, which the caller frees
 * even if memory runs out here.
 */
static struct str
assembled(struct fill *f, const struct word *w)
{
	uint32_t i;

	buf_clear(f->why);
	for (i = 0; i < w->npiece; i++)
		buf_str(f->why, w->piece[i].data ?
		    f->data[w->piece[i].index] : w->piece[i].text);
	return buf_view(f->why);
}

static bool
vector(struct fill *f)
{
	const struct word *w;
	uint32_t i;

	for (i = 0; i < f->t->nword; i++) {
		w = &f->t->word[i];
		if (is_words(w) ? !add_words(f, f->data[w->piece[0].index]) :
		    !add_arg(f, assembled(f, w)))
			return false;
	}
	return true;
}

/* How often a piece of shell text refers to values: a $words() several times,
 * and raw text outside quotes never. */
static size_t
references(const struct fill *f, const struct piece *p)
{
	size_t at = 0, n = 0;

	if (!p->data || (p->kind == DATA_RAW &&
	    !(p->flags & (DP_IN_DOUBLE | DP_IN_SINGLE))))
		return 0;
	if (p->kind != DATA_WORDS)
		return 1;
	while (!str_none(next_word(f->data[p->index], &at)))
		n++;
	return n;
}

/* Rule 1: the reference to the n-th value where the quoting is so. */
static void
refer(struct buf *b, uint32_t flags, size_t n)
{
	if (flags & DP_IN_DOUBLE)
		buf_printf(b, "${__p%zu}", n);
	else if (flags & DP_IN_SINGLE)
		buf_printf(b, "'\"${__p%zu}\"'", n);
	else
		buf_printf(b, "\"${__p%zu}\"", n);
}

/* The text for sh -c; its first line takes the values over. */
static struct str
shell_text(struct fill *f)
{
	const struct word *w = &f->t->word[0];
	struct buf *b = f->why;
	size_t n = 0, i, k;
	uint32_t at;

	buf_clear(b);
	for (at = 0; at < w->npiece; at++)
		for (k = references(f, &w->piece[at]); k > 0; k--, n++)
			buf_printf(b, "__p%zu=${%zu} ", n + 1, n + 1);
	/* never first, where a text that begins with - would be options */
	buf_puts(b, n > 0 ? "; set --\n" : "\n");
	for (at = 0, i = 0; at < w->npiece; at++) {
		const struct piece *p = &w->piece[at];

		if (!p->data) {
			buf_str(b, p->text);
			continue;
		}
		n = references(f, p);
		if (n == 0 && p->kind == DATA_RAW)
			buf_str(b, f->data[p->index]);
		for (k = 0; k < n; k++) {
			if (k > 0)
				buf_putc(b, ' ');
			refer(b, p->flags, ++i);
		}
	}
	return buf_view(b);
}

static bool
shell(struct fill *f)
{
	const struct word *w = &f->t->word[0];
	struct str v;
	uint32_t i;

	if (!add_arg(f, STR_LIT("/bin/sh")) || !add_arg(f, STR_LIT("-c")) ||
	    !add_arg(f, shell_text(f)) || !add_arg(f, STR_LIT("sh")))
		return false;
	for (i = 0; i < w->npiece; i++) {
		if (references(f, &w->piece[i]) == 0)
			continue;
		v = f->data[w->piece[i].index];
		if (w->piece[i].kind == DATA_WORDS ? !add_words(f, v) :
		    !add_arg(f, v))
			return false;
	}
	return true;
}

/* for people */

/* A value as bash would read it back, on one line. */
static void
show_quoted(struct buf *b, struct str v)
{
	size_t i, from, at = b->n;
	bool ansi;

	for (i = 0; i < v.n && (is_safe(v.p[i]) || v.p[i] == '/'); i++)
		;
	if (i == v.n && v.n > 0) {
		buf_str(b, v);
		return;
	}
	buf_putc(b, '\'');
	buf_escaped(b, v, 0);
	ansi = !str_eq(str_of(b->p + at + 1, b->n - at - 1), v);
	b->n = at;
	buf_puts(b, ansi ? "$'" : "'");
	for (i = from = 0; i <= v.n; i++) {
		if (i < v.n && v.p[i] != '\'' && !(ansi && v.p[i] == '\\'))
			continue;
		buf_escaped(b, str_of(v.p + from, i - from), 0);
		if (i < v.n)
			buf_puts(b, v.p[i] == '\\' ? "\\\\" : ansi ? "\\'" :
			    "'\\''");
		from = i + 1;
	}
	buf_putc(b, '\'');
}

/* A value inside the quotes that the text has there. */
static void
show_inside(struct buf *b, struct str v, uint32_t flags)
{
	const char *special = flags & DP_IN_DOUBLE ? "\\\"$`" : "'";
	size_t i, from;

	for (i = from = 0; i <= v.n; i++) {
		if (i < v.n && (v.p[i] == '\0' ||
		    strchr(special, v.p[i]) == NULL))
			continue;
		buf_escaped(b, str_of(v.p + from, i - from), 0);
		if (i < v.n && !(flags & DP_IN_DOUBLE))
			buf_puts(b, "'\\''");
		else if (i < v.n) {
			buf_putc(b, '\\');
			buf_putc(b, v.p[i]);
		}
		from = i + 1;
	}
}

static void
show_words(struct buf *b, struct str v)
{
	struct str word;
	size_t at = 0;
	bool first = true;

	while (!str_none(word = next_word(v, &at))) {
		if (!first)
			buf_putc(b, ' ');
		show_quoted(b, word);
		first = false;
	}
}

static struct str
shown(struct fill *f)
{
	struct buf *b = f->why;
	size_t i;
	uint32_t k;

	buf_clear(b);
	for (i = 0; !f->t->shell && i < f->argc; i++) {
		if (i > 0)
			buf_putc(b, ' ');
		show_quoted(b, str_c(f->argv[i]));
	}
	for (k = 0; f->t->shell && k < f->t->word[0].npiece; k++) {
		const struct piece *p = &f->t->word[0].piece[k];

		if (!p->data)
			buf_escaped(b, p->text, 0);
		else if (p->flags & (DP_IN_DOUBLE | DP_IN_SINGLE))
			show_inside(b, f->data[p->index], p->flags);
		else if (p->kind == DATA_RAW)
			buf_escaped(b, f->data[p->index], 0);
		else if (p->kind == DATA_WORDS)
			show_words(b, f->data[p->index]);
		else
			show_quoted(b, f->data[p->index]);
	}
	return arena_dup(f->arena, buf_view(b));
}

bool
template_fill(const struct template *t, const struct str *data,
    struct arena *arena, struct command *out, struct buf *why)
{
	struct fill f = { .t = t, .arena = arena, .why = why };
	uint32_t i, k;

	f.data = arena_alloc(arena, (t->ndata + 1) * sizeof *f.data);
	if (t->ndata > 0)
		memcpy(f.data, data, t->ndata * sizeof *f.data);
	for (i = 0; i < t->nword && !(t->shell && i > 0); i++)
		for (k = 0; k < t->word[i].npiece; k++)
			if (t->word[i].piece[k].data &&
			    !check_data(&f, &t->word[i].piece[k]))
				return false;
	for (i = t->shell; i < t->nword; i++)
		if (!check_dash(&f, &t->word[i]) ||
		    !check_program(&f, &t->word[i]) ||
		    !check_path(&f, &t->word[i]))
			return false;
	if (t->shell ? !shell(&f) : !vector(&f))
		return false;
	*out = (struct command){ .argv = f.argv, .argc = f.argc,
	    .shell = t->shell, .show = shown(&f) };
	buf_clear(why);
	return true;
}
