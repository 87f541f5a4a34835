#include "engine/vm/fill.h"

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

	while (!str_none(word = fill_next_word(v, &at)))
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
	while (!str_none(fill_next_word(f->data[p->index], &at)))
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

	for (i = 0; i < v.n && (fill_is_safe(v.p[i]) || v.p[i] == '/'); i++)
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

	while (!str_none(word = fill_next_word(v, &at))) {
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

	f.data = arena_alloc(arena, (t->ndata + 1) * sizeof *f.data);
	if (t->ndata > 0)
		memcpy(f.data, data, t->ndata * sizeof *f.data);
	if (!fill_check(&f))
		return false;
	if (t->shell ? !shell(&f) : !vector(&f))
		return false;
	if (f.argc == 0) {		/* no compiler makes such a template */
		buf_puts(why, "the command is empty");
		return false;
	}
	*out = (struct command){ .argv = f.argv, .argc = f.argc,
	    .shell = t->shell, .show = shown(&f) };
	buf_clear(why);
	return true;
}
