#include "engine/vm/fill.h"

#include <errno.h>
#include <pwd.h>

#define LIM_VALUE_SHOWN	200		/* bytes of a value in a message */
#define LIM_PASSWD	(64 * 1024)	/* bytes of one user's record */
#define LIM_PID		2147483647.0	/* more could wrap round to -1 */

bool
fill_is_safe(char c)
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

struct str
fill_next_word(struct str v, size_t *at)
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
		if (fill_is_safe(v.p[i]))
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
		while (!str_none(w = fill_next_word(v, &at)))
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
			while (!str_none(word = fill_next_word(v, &at)))
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
	    (program && !fill_is_safe(c));
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
		starts = !p->data && c != '/' && !fill_is_safe(c);
	}
	return true;
}

bool
fill_check(struct fill *f)
{
	const struct template *t = f->t;
	uint32_t i, k;

	/* in shell form the text has every data part once */
	for (i = 0; i < (t->shell ? 1 : t->nword); i++)
		for (k = 0; k < t->word[i].npiece; k++)
			if (t->word[i].piece[k].data &&
			    !check_data(f, &t->word[i].piece[k]))
				return false;
	for (i = t->shell; i < t->nword; i++)
		if (!check_dash(f, &t->word[i]) ||
		    !check_program(f, &t->word[i]) ||
		    !check_path(f, &t->word[i]))
			return false;
	return true;
}
