#include "lang/check/shell.h"

void *
sh_grow(struct arena *a, void *p, size_t n, size_t *cap, size_t size)
{
	void *q;

	if (n < *cap)
		return p;
	*cap = *cap == 0 ? 4 : *cap * 2;
	q = arena_alloc(a, *cap * size);
	if (n > 0)
		memcpy(q, p, n * size);
	return q;
}

void
sh_error(struct shell *s, size_t at, enum diag_id id, struct str a,
    struct str b)
{
	struct span span = { 0, 1 };
	size_t k = 0, off;

	if (s->npart > 0) {
		while (k + 1 < s->npart && s->start[k + 1] <= at)
			k++;
		span = s->part[k].span;
		if (!s->part[k].data) {
			/* escapes make the source longer than the text */
			off = at - s->start[k];
			if (span.len > 0 && off >= span.len)
				off = span.len - 1;
			span.at += (uint32_t)off;
			span.len = 1;
		}
	}
	diag_at(s->diag, span, id, a, b, STR_NIL);
	s->failed = true;
}

void
sh_refuse(struct shell *s, struct sh_data *d, enum diag_id id,
    struct str what)
{
	if (!d->told && !s->broken)
		sh_error(s, d->at, id, d->part->text, what);
	d->told = true;
}

void
sh_mark(struct shell *s, size_t from, size_t to, uint32_t flags)
{
	size_t i;

	for (i = 0; i < s->ndata; i++)
		if (s->data[i].at >= from && s->data[i].at < to)
			s->data[i].flags |= flags;
}

void
sh_broken(struct shell *s, size_t at, enum diag_id id, const char *a)
{
	if (!s->broken)
		sh_error(s, at, id, str_c(a), STR_NIL);
	s->broken = true;
	s->at = s->n;
}

void
sh_disagree(struct shell *s, size_t at, const char *what)
{
	if (s->ndata > 0 && !s->broken)
		sh_error(s, at, E_CMD_SHELLS, str_c(what), STR_NIL);
}

/*
 * Each level of backticks takes away one layer of backslashes and ends at the
 * first ` without one, whatever quotes stand around that.
 */
int
sh_unit(const struct shell *s, unsigned level, size_t at, size_t *next)
{
	size_t after;
	int c, d;

	if (level == 0) {
		*next = at < s->n ? at + 1 : at;
		return at < s->n ? s->unit[at] : SH_END;
	}
	c = sh_unit(s, level - 1, at, next);
	if (c == '`')
		return SH_TICK;
	if (c == SH_TICK)
		return SH_END;
	if (c == '\\') {
		d = sh_unit(s, level - 1, *next, &after);
		if (d == '$' || d == '`' || d == '\\' ||
		    (d == '"' && s->quoted[level])) {
			*next = after;
			return d;
		}
	}
	return c;
}

int
sh_look(const struct shell *s, size_t *at, size_t *next)
{
	size_t after;
	int c;

	while ((c = sh_unit(s, s->level, *at, next)) == '\\' && !s->verbatim &&
	    sh_unit(s, s->level, *next, &after) == '\n')
		*at = after;
	return c;
}

int
sh_peek(const struct shell *s)
{
	size_t at = s->at, next;

	return sh_look(s, &at, &next);
}

int
sh_peek2(const struct shell *s)
{
	size_t at = s->at, next, after;

	sh_look(s, &at, &next);
	return sh_look(s, &next, &after);
}

void
sh_get(struct shell *s)
{
	size_t next;

	sh_look(s, &s->at, &next);
	s->at = next;
}

int
sh_escaped(struct shell *s)
{
	size_t next;
	int c = sh_unit(s, s->level, s->at, &next);

	if (c == SH_DATA)
		sh_refuse(s, &s->data[s->seen], E_CMD_JOIN,
		    STR_LIT("a backslash"));
	else if (c != SH_END && c != SH_TICK)
		s->at = next;
	return c;
}

bool
sh_over(int c)
{
	return c == SH_END || c == SH_TICK;
}

bool
sh_is_name(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	    (c >= '0' && c <= '9');
}

bool
sh_is_digit(int c)
{
	return c >= '0' && c <= '9';
}

bool
sh_ends_word(int c)
{
	return sh_over(c) || (c < SH_DATA && strchr(" \t\n;&|()<>", c) != NULL);
}

bool
sh_enter(struct shell *s)
{
	if (s->broken)
		return false;
	if (s->depth == LIM_SHELL_NEST) {
		sh_broken(s, s->at, E_CMD_DEEP, NULL);
		return false;
	}
	s->depth++;
	return true;
}

