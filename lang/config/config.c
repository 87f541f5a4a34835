#include "lang/config/config.h"

#include <stdio.h>

const char *const config_file_name[CONFIG_COUNT] = {
#define CF(id, name, meaning) name,
#include "lang/table/config.def"
#undef CF
};
const char *const overlap_name[OVERLAP_COUNT] = { "skip", "queue", "kill" };

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char
at(const struct config *c, uint32_t i)
{
	return c->src->text.p[i];
}

static struct span
span(uint32_t from, uint32_t to)
{
	return (struct span){ from, to - from };
}

/* True if the byte begins its line and is no blank. */
static bool
column_one(const struct config *c, uint32_t i)
{
	return !blank(at(c, i)) && (i == 0 || at(c, i - 1) == '\n');
}

static uint32_t
next_line(const struct config *c, uint32_t i)
{
	size_t nl = str_find(buf_view(&c->src->text), '\n', i);

	return nl < c->end ? (uint32_t)nl + 1 : c->end;
}

bool
config_stanza(struct config *c, struct stanza *s)
{
	bool told = false;
	uint32_t i;

	for (i = c->at; i < c->end && !column_one(c, i); i++) {
		if (blank(at(c, i)) || told)
			continue;
		told = true;	/* once for the lines up to the next name */
		diag_at(c->diag, span(i, i + 1), E_CONF_LOST, STR_NIL,
		    STR_NIL, STR_NIL);
	}
	if (i == c->end)
		return false;
	s->span.at = i;
	while (i < c->end && !blank(at(c, i)))
		i++;
	s->span.len = i - s->span.at;
	s->name = str_of(c->src->text.p + s->span.at, s->span.len);
	s->from = i;
	do
		i = next_line(c, i);
	while (i < c->end && !column_one(c, i));
	s->to = c->at = i;
	return true;
}

/* What a \ and a byte stand for in a string, 0 if for both. */
static char
escape(char c, char quote)
{
	return c == quote || c == '\\' || c == '=' ? c : 0;
}

/*
 * A string: as in scripts a newline with the blanks round it is one space,
 * and \c stays two characters unless it is \" \\ or \=.
 */
static bool
string(struct config *c, const struct stanza *s, uint32_t *i,
    struct config_word *w)
{
	uint32_t k = *i + 1, start = *i;
	char quote = at(c, start), made;
	struct buf b;

	buf_init(&b, c->arena->mem);
	for (; k < s->to && at(c, k) != quote; k++) {
		if (quote == '"' && at(c, k) == '\\' && k + 1 < s->to) {
			made = escape(at(c, k + 1), quote);
			if (made == 0)
				buf_putc(&b, '\\');
			buf_putc(&b, at(c, ++k));
		} else if (at(c, k) == '\n') {
			while (b.n > 0 && blank(b.p[b.n - 1]))
				b.n--;
			while (k + 1 < s->to && blank(at(c, k + 1)))
				k++;
			buf_putc(&b, ' ');
		} else
			buf_putc(&b, at(c, k));
	}
	w->text = arena_dup(c->arena, buf_view(&b));
	buf_free(&b);
	w->quoted = true;
	if (k == s->to) {
		*i = k;
		diag_at(c->diag, span(start, start + 1), E_STR_OPEN,
		    quote == '"' ? STR_LIT("\"") : STR_LIT("'"), STR_NIL,
		    STR_NIL);
		return false;
	}
	*i = k + 1;
	w->span = span(start, *i);
	return true;
}

bool
config_word(struct config *c, const struct stanza *s, uint32_t *pos,
    struct config_word *w)
{
	uint32_t i = *pos, start;
	bool ok;

	*w = (struct config_word){ .text = STR_EMPTY };
	for (; i < s->to && blank(at(c, i)); i++)
		if (at(c, i) == '\n')
			w->first = true;
	*pos = i;
	if (i == s->to)
		return false;
	if (at(c, i) == '"' || at(c, i) == '\'') {
		ok = string(c, s, &i, w);
		*pos = i;
		return ok;
	}
	for (start = i; i < s->to && !blank(at(c, i)); )
		i++;
	w->text = str_of(c->src->text.p + start, i - start);
	w->span = span(start, i);
	*pos = i;
	return true;
}

bool
config_line(struct config *c, const struct stanza *s, uint32_t *pos,
    struct str *line)
{
	uint32_t next;

	while (*pos < s->to) {
		next = next_line(c, *pos);
		if (next > s->to)
			next = s->to;
		*line = str_trim(str_of(c->src->text.p + *pos, next - *pos));
		*pos = next;
		if (line->n > 0)
			return true;
	}
	return false;
}

bool
config_name(struct config *c, struct str name, struct span where)
{
	size_t i;
	char k;

	for (i = 0; i < name.n; i++) {
		k = name.p[i];
		if (!((k >= 'a' && k <= 'z') || (k >= 'A' && k <= 'Z') ||
		    (k >= '0' && k <= '9') ||
		    (i > 0 && (k == '-' || k == '_' || k == '.'))))
			break;
	}
	if (i == name.n && i > 0)
		return true;
	diag_at(c->diag, where, E_CONF_NAME, name, STR_NIL, STR_NIL);
	return false;
}

void
config_twice(struct config *c, struct span where, enum diag_id id,
    struct str a, struct str b, struct span first)
{
	struct diag_item *item = diag_at(c->diag, where, id, a, b, STR_NIL);

	diag_other(c->diag, item, source_place(c->src, first.at),
	    "first here");
}

void
config_unknown(struct config *c, struct span where, enum diag_id id,
    struct str word, struct str in, const char *const *known, size_t nknown)
{
	struct diag_item *item = diag_at(c->diag, where, id, word, in,
	    STR_NIL);
	unsigned best = word.n < 4 ? 2 : word.n < 8 ? 3 : 4, d;
	const char *near = NULL;
	struct buf b;
	size_t i;

	for (i = 0; i < nknown; i++) {
		d = str_distance(word, str_c(known[i]), best);
		if (d < best) {
			best = d;
			near = known[i];
		}
	}
	buf_init(&b, c->arena->mem);
	if (near != NULL)
		buf_printf(&b, "did you mean %s?", near);
	else
		for (i = 0; i < nknown; i++)
			buf_printf(&b, "%s%s", i == 0 ? "one of " : " ",
			    known[i]);
	if (b.n > 0)
		diag_hint(c->diag, item, buf_view(&b));
	buf_free(&b);
}
