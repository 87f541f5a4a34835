#include "lang/check/shell.h"

/* The words that the template must hold. */
static bool
wanted(const struct shell *s, const struct sh_word *w)
{
	return !s->needed || (sh_has_data(w) && w->role != SH_APART);
}

/* $1 and its like in a program: there awk's own, or the shell's, is usual. */
static bool
is_field(struct str s)
{
	size_t i;

	for (i = 1; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 1 && s.p[0] == '$';
}

/* What only the whole word tells about its data parts. */
static void
finish_word(struct shell *s, const struct sh_word *w)
{
	bool literal = false, path = false, alone = w->npiece == 1 &&
	    !w->quoted && !w->open && w->role == SH_PLAIN;
	const struct sh_piece *p;
	struct sh_data *d;
	size_t i;

	for (i = 0; i < w->npiece; i++)
		if (!w->piece[i].data)
			path = path || memchr(w->piece[i].p, '/',
			    w->piece[i].n) != NULL;
	for (i = 0; i < w->npiece; i++) {
		p = &w->piece[i];
		if (!p->data) {
			literal = true;
			continue;
		}
		d = &s->data[p->part];
		if (d->part->kind == DATA_WORDS && !alone)
			sh_refuse(s, d, E_CMD_WORDS, STR_NIL);
		if (d->part->kind == DATA_PLAIN && d->part->built && alone)
			diag_at(s->diag, d->part->span, E_CMD_ONE_WORD,
			    d->part->text, STR_NIL, STR_NIL);
		if ((d->flags & (DP_PROG_SH | DP_PROG_OTHER)) != 0 &&
		    !d->told && is_field(d->part->text))
			diag_at(s->diag, d->part->span, E_CMD_FIELD,
			    d->part->text, STR_NIL, STR_NIL);
		if (w->role == SH_APART)
			continue;
		if (!literal)
			d->flags |= DP_STARTS_WORD;
		if (path)
			d->flags |= DP_PATH;
	}
}

static struct piece
data_piece(const struct shell *s, size_t i)
{
	const struct cmd_part *part = s->data[i].part;

	return (struct piece){ .data = true, .kind = part->kind,
	    .text = arena_dup(s->arena, part->text),
	    .flags = s->data[i].flags, .index = (uint32_t)i };
}

static void
build_word(const struct shell *s, const struct sh_word *w, struct word *out)
{
	size_t i;

	out->piece = arena_alloc(s->arena, (w->npiece + 1) *
	    sizeof *out->piece);
	for (i = 0; i < w->npiece; i++) {
		const struct sh_piece *p = &w->piece[i];

		out->piece[i] = p->data ? data_piece(s, p->part) :
		    (struct piece){ .text = arena_dup(s->arena,
		    str_of(p->p, p->n)) };
	}
	out->npiece = (uint32_t)w->npiece;
}

/* The text as written, data parts between its pieces. */
static void
build_text(const struct shell *s, struct word *out)
{
	struct piece *p = arena_alloc(s->arena, (2 * s->ndata + 1) *
	    sizeof *p);
	size_t i, at = 0, k, end;
	char *text;

	out->piece = p;
	for (i = 0; i <= s->ndata; i++) {
		end = i < s->ndata ? s->data[i].at : s->n;
		if (i < s->ndata && (s->data[i].flags & DP_TILDE))
			end--;
		if (end > at) {
			text = arena_text(s->arena, end - at);
			for (k = at; k < end; k++)
				text[k - at] = (char)s->unit[k];
			*p++ = (struct piece){ .text = str_of(text, end - at) };
		}
		if (i < s->ndata) {
			*p++ = data_piece(s, i);
			at = s->data[i].at + 1;
		}
	}
	out->npiece = (uint32_t)(p - out->piece);
}

static struct str
shown(const struct shell *s)
{
	size_t i, n = 0;
	char *text;

	for (i = 0; i < s->npart; i++)
		n += s->part[i].text.n;
	text = arena_text(s->arena, n + 1);
	for (i = n = 0; i < s->npart; i++) {
		if (s->part[i].text.n > 0)
			memcpy(text + n, s->part[i].text.p, s->part[i].text.n);
		n += s->part[i].text.n;
	}
	text[n] = '\0';
	return str_of(text, n);
}

bool
command_template(struct arena *a, struct diag *diag,
    const struct cmd_part *part, size_t npart, struct template *out)
{
	struct shell s = { .arena = a, .diag = diag, .part = part,
	    .npart = npart };
	struct sh_word *w;
	size_t i, n = 0;

	sh_read(&s);
	for (w = s.word; w != NULL && !s.broken; w = w->next) {
		finish_word(&s, w);
		n += wanted(&s, w);
	}
	if (s.failed)
		return false;
	for (i = 0; i < s.ndata; i++)
		if (s.data[i].part->number)
			s.data[i].flags |= DP_NUMBER;
	*out = (struct template){ .shell = s.needed, .raw = s.raw,
	    .show = shown(&s), .ndata = (uint32_t)s.ndata };
	out->word = arena_alloc(a, (n + 1) * sizeof *out->word);
	if (s.needed)
		build_text(&s, &out->word[out->nword++]);
	for (w = s.word; w != NULL; w = w->next)
		if (wanted(&s, w))
			build_word(&s, w, &out->word[out->nword++]);
	return true;
}
