#include "lang/base/diag.h"

#include <stdlib.h>

#define DIAG_KEPT	1000	/* more is counted only: no source may fill the
				 * memory with its errors */
#define ARG_SHOWN	300	/* bytes of an argument */
#define LINE_SHOWN	160	/* bytes of a source line */
#define LINE_BEFORE	70	/* of them before the caret */
#define TRAIL_SHOWN	8	/* uses: the rest of a deep trail says nothing */

static const struct {
	const char	*name;
	enum diag_severity severity;
	const char	*text, *hint;
} message[] = {
#define E(id, severity, text, hint) { #id, severity, text, hint },
#include "lang/table/errors.def"
#undef E
};

void
diag_init(struct diag *d, struct source_set *src, struct arena *a)
{
	*d = (struct diag){ .src = src, .arena = a };
}

const char *
diag_name(enum diag_id id)
{
	return message[id].name;
}

/* The message with its arguments, in the arena. */
static struct str
fill(struct diag *d, const char *text, const struct str arg[3])
{
	struct str made;
	struct buf b;

	if (strchr(text, '%') == NULL)
		return str_c(text);
	buf_init(&b, d->arena->mem);
	for (; *text != '\0'; text++) {
		if (*text == '%' && text[1] >= '1' && text[1] <= '3') {
			text++;
			if (!str_none(arg[*text - '1']))
				buf_escaped(&b, arg[*text - '1'], ARG_SHOWN);
		} else
			buf_putc(&b, *text);
	}
	made = arena_dup(d->arena, buf_view(&b));
	buf_free(&b);
	return made;
}

struct diag_item *
diag_in(struct diag *d, struct place place, uint32_t len, enum diag_id id,
    struct str a, struct str b, struct str c)
{
	const struct str arg[3] = { a, b, c };
	struct diag_item *item;
	size_t cap;

	for (cap = d->n < DIAG_KEPT ? d->n : 0; cap > 0; cap--) {
		item = &d->item[cap - 1];
		if (item->id == id && item->place.file == place.file &&
		    item->place.off == place.off &&
		    item->place.use == place.use)
			return item;		/* it is told already */
	}
	if (message[id].severity == DIAG_ERROR)
		d->nerror++;
	else
		d->nwarning++;
	if (d->n + 1 >= d->cap) {	/* one beyond: what is counted only */
		cap = d->cap == 0 ? 16 : d->cap * 2;
		item = arena_alloc(d->arena, cap * sizeof *item);
		if (d->n > 0)
			memcpy(item, d->item, d->n * sizeof *item);
		d->item = item;
		d->cap = cap;
	}
	item = &d->item[d->n];
	*item = (struct diag_item){ .id = id, .severity = message[id].severity,
	    .place = place, .len = len };
	item->text = item->hint = STR_EMPTY;
	if (d->n == DIAG_KEPT)
		return item;
	d->n++;
	item->text = fill(d, message[id].text, arg);
	item->hint = fill(d, message[id].hint, arg);
	return item;
}

struct diag_item *
diag_at(struct diag *d, struct span s, enum diag_id id, struct str a,
    struct str b, struct str c)
{
	struct place p = { SOURCE_NONE, 0, 0, 0, SOURCE_NONE };

	if (d->src != NULL)
		p = source_place(d->src, s.at);
	return diag_in(d, p, s.len, id, a, b, c);
}

void
diag_other(struct diag *d, struct diag_item *item, struct place p,
    const char *note)
{
	(void)d;
	item->other = p;
	item->other_note = note;
}

void
diag_hint(struct diag *d, struct diag_item *item, struct str hint)
{
	item->hint = arena_dup(d->arena, hint);
}

static bool
has_place(const struct diag *d, struct place p)
{
	return d->src != NULL && p.file < d->src->nfile;
}

/* The place in a file: of the outermost macro. */
static struct place
root(const struct diag *d, struct place p)
{
	const struct source_use *u;

	while (d->src != NULL && p.use != SOURCE_NONE) {
		u = &d->src->use[p.use];
		p.file = u->file;
		p.off = u->off;
		p.use = u->parent;
	}
	return p;
}

/* Where a person finds it first: what includes the file that includes it. */
static struct place
outermost(const struct diag *d, struct place p)
{
	const struct source_file *f;

	while (has_place(d, p) && d->src->file[p.file].from != SOURCE_NONE) {
		f = &d->src->file[p.file];
		p.file = f->from;
		p.off = f->from_off;
	}
	return p;
}

struct order {
	struct place	 first, place;
	size_t		 index;
};

static int
compare_places(struct place a, struct place b)
{
	if (a.file != b.file)
		return a.file < b.file ? -1 : 1;
	return (a.off > b.off) - (a.off < b.off);
}

static int
compare(const void *va, const void *vb)
{
	const struct order *a = va, *b = vb;
	int r = compare_places(a->first, b->first);

	if (r == 0)
		r = compare_places(a->place, b->place);
	return r != 0 ? r : (a->index > b->index) - (a->index < b->index);
}

static void
put_place(struct diag *d, struct buf *out, uint32_t file, uint32_t off)
{
	struct place p;

	if (d->src == NULL || file >= d->src->nfile)
		return;
	p = source_place_in(d->src, file, off);
	buf_escaped(out, d->src->file[file].name, 0);
	buf_printf(out, ":%u:%u", p.line, p.col);
}

static bool
continues(char c)		/* a UTF-8 character, so has no width */
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/*
 * Adds a part of a source line to out, and to under what stands below it:
 * tabs as tabs, the rest as `fill`, one for each character shown.
 */
static void
put_part(struct buf *out, struct buf *under, struct str part, char with)
{
	size_t i, tab, start;

	for (i = 0; i < part.n; i = tab + 1) {
		tab = str_find(part, '\t', i);
		start = out->n;
		buf_escaped(out, str_of(part.p + i, tab - i), 0);
		if (under != NULL)
			for (; start < out->n; start++)
				if (!continues(out->p[start]))
					buf_putc(under, with);
		if (tab == part.n)
			break;
		buf_putc(out, '\t');
		if (under != NULL)
			buf_putc(under, '\t');
	}
}

/* The source line and the caret. */
static void
put_line(struct diag *d, struct buf *out, struct place p, uint32_t len,
    bool colour)
{
	struct str line = source_line(d->src, p);
	size_t at = p.col - 1, from = 0, to, mark;
	struct buf under;

	if (at > line.n)
		at = line.n;
	if (at > LINE_BEFORE && line.n > LINE_SHOWN)
		from = at - LINE_BEFORE;
	while (from > 0 && from < at && continues(line.p[from]))
		from++;
	to = line.n - from > LINE_SHOWN ? from + LINE_SHOWN : line.n;
	while (to < line.n && to > at + 1 && continues(line.p[to]))
		to--;
	mark = to - at < len ? to : at + len;
	while (mark < to && mark > at && continues(line.p[mark]))
		mark++;			/* a character is marked as a whole */

	buf_init(&under, d->arena->mem);
	if (from > 0) {
		buf_puts(out, "...");
		buf_puts(&under, "   ");
	}
	put_part(out, &under, str_of(line.p + from, at - from), ' ');
	if (colour)
		buf_puts(&under, "\033[1;32m");
	buf_putc(&under, '^');
	if (mark > at) {
		size_t first = at + 1;

		while (first < mark && continues(line.p[first]))
			first++;
		put_part(out, NULL, str_of(line.p + at, first - at), '~');
		put_part(out, &under, str_of(line.p + first, mark - first),
		    '~');
	}
	put_part(out, NULL, str_of(line.p + mark, to - mark), ' ');
	if (to < line.n)
		buf_puts(out, "...");
	if (colour)
		buf_puts(&under, "\033[0m");
	buf_putc(out, '\n');
	buf_str(out, buf_view(&under));
	buf_putc(out, '\n');
	buf_free(&under);
}

/* The uses, innermost first; of a deep trail the middle is left out. */
static void
put_trail(struct diag *d, struct buf *out, uint32_t use)
{
	const struct source_use *u;
	size_t n = 0, i;
	uint32_t next;

	for (next = use; next != SOURCE_NONE; n++)
		next = d->src->use[next].parent;
	for (i = 0; use != SOURCE_NONE; i++, use = u->parent) {
		u = &d->src->use[use];
		if (n > TRAIL_SHOWN && i + 1 >= TRAIL_SHOWN && i + 1 < n) {
			if (i + 1 == TRAIL_SHOWN)
				buf_printf(out, "note: in %zu more macro%s\n",
				    n - TRAIL_SHOWN,
				    n - TRAIL_SHOWN == 1 ? "" : "s");
			continue;
		}
		put_place(d, out, u->file, u->off);
		buf_puts(out, ": note: in macro =");
		buf_escaped(out, u->macro, ARG_SHOWN);
		if (u->def_file != SOURCE_NONE) {
			buf_puts(out, ", defined at ");
			put_place(d, out, u->def_file, u->def_off);
		}
		buf_putc(out, '\n');
	}
}

/* What includes the file, innermost first, cut as the uses are. */
static void
put_includes(struct diag *d, struct buf *out, uint32_t file)
{
	const struct source_file *f;
	size_t n = 0, i;
	uint32_t next;

	for (next = file; next < d->src->nfile; n++)
		next = d->src->file[next].from;
	for (i = 1; i < n; i++) {
		f = &d->src->file[file];
		file = f->from;
		if (n > TRAIL_SHOWN + 1 && i >= TRAIL_SHOWN && i + 1 < n) {
			if (i == TRAIL_SHOWN)
				buf_printf(out, "included from %zu more\n",
				    n - 1 - TRAIL_SHOWN);
			continue;
		}
		buf_puts(out, "included from ");
		put_place(d, out, f->from, f->from_off);
		buf_putc(out, '\n');
	}
}

static void
put_item(struct diag *d, struct buf *out, const struct diag_item *item,
    bool colour)
{
	bool error = item->severity == DIAG_ERROR;

	if (has_place(d, item->place)) {
		put_place(d, out, item->place.file, item->place.off);
		buf_puts(out, ": ");
	}
	if (colour)
		buf_puts(out, error ? "\033[1;31m" : "\033[1;35m");
	buf_puts(out, error ? "error:" : "warning:");
	if (colour)
		buf_puts(out, "\033[0m");
	buf_putc(out, ' ');
	buf_str(out, item->text);
	buf_putc(out, '\n');
	if (has_place(d, item->place))
		put_line(d, out, item->place, item->len, colour);
	if (item->hint.n > 0) {
		buf_puts(out, "hint: ");
		buf_escaped(out, item->hint, 0);
		buf_putc(out, '\n');
	}
	if (item->other_note != NULL && has_place(d, item->other)) {
		put_place(d, out, item->other.file, item->other.off);
		buf_printf(out, ": note: %s\n", item->other_note);
	}
	if (d->src != NULL) {
		put_trail(d, out, item->place.use);
		put_includes(d, out, root(d, item->place).file);
	}
}

static void
put_more(struct buf *out, size_t n, const char *what, bool first)
{
	if (n > 0)
		buf_printf(out, "%s%zu more %s%s", first ? "" : ", ", n, what,
		    n == 1 ? "" : "s");
}

void
diag_render(struct diag *d, struct buf *out, bool colour)
{
	size_t i, errors = d->nerror, warnings = d->nwarning;
	struct order *order;

	if (d->n == 0)
		return;
	order = arena_alloc(d->arena, d->n * sizeof *order);
	for (i = 0; i < d->n; i++) {
		struct place p = root(d, d->item[i].place);

		order[i] = (struct order){ outermost(d, p), p, i };
	}
	qsort(order, d->n, sizeof *order, compare);
	for (i = 0; i < d->n && i < LIM_DIAG_SHOWN; i++) {
		const struct diag_item *item = &d->item[order[i].index];

		if (item->severity == DIAG_ERROR)
			errors--;
		else
			warnings--;
		put_item(d, out, item, colour);
	}
	if (errors + warnings > 0) {
		buf_puts(out, "and ");
		put_more(out, errors, "error", true);
		put_more(out, warnings, "warning", errors == 0);
		buf_putc(out, '\n');
	}
}
