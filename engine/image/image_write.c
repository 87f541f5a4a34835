/* image_write: a site into an image. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lang/base/map.h"
#include "lang/base/num.h"
#include "lang/code/progfile.h"
#include "engine/alert/alert.h"
#include "engine/image/image_inner.h"

static const char *const conf_word[CONF_KEYS] = {
#define K(id, word, kind, dflt, help) word,
#include "engine/deliver/conf.def"
#undef K
};

struct writer {
	const struct image_site *site;
	struct arena	 arena;
	struct buf	 body;		/* the parts, one behind the other */
	struct buf	 row;		/* their rows; offsets are the body's */
	struct buf	 one;		/* scratch: a program's bytes */
	uint32_t	*alarm;		/* program numbers, entry by entry */
	size_t		 nalarm;
	struct map	 known;		/* sum and length of a program -> number */
	uint32_t	 nprogram;
	size_t		*program_at;	/* where in `program` each begins */
	struct buf	 program;	/* all of them */
	/* of the schedule */
	struct map	 text, cron, script, kind;
	struct buf	 texts, crons, scripts, kinds, timings, entries;
	char		*why;
};

static bool
too_much(struct writer *w, const char *fmt, struct str name, size_t most)
{
	snprintf(w->why, LIM_IMAGE_WHY, fmt, (int)(name.n < 60 ? name.n : 60),
	    name.p, most);
	return false;
}

/* --- programs, each once --- */

/* The number of a program's bytes, which are in w->one. */
static uint32_t
number_of(struct writer *w)
{
	uint64_t sum[2] = { image_sum((const unsigned char *)w->one.p,
	    w->one.n), w->one.n };
	struct map_entry *e;
	size_t at;
	bool fresh;

	e = map_put(&w->known, str_of((const char *)sum, sizeof sum), &fresh);
	if (!fresh) {
		at = w->program_at[e->v.num];
		if (memcmp(w->program.p + at, w->one.p, w->one.n) == 0)
			return (uint32_t)e->v.num;
	} else
		e->v.num = w->nprogram;
	w->program_at[w->nprogram] = w->program.n;
	buf_add(&w->program, w->one.p, w->one.n);
	w->program_at[++w->nprogram] = w->program.n;
	return w->nprogram - 1;
}

static bool
programs(struct writer *w)
{
	const struct image_site *s = w->site;
	const struct site_alert *a;
	struct program_set set;
	size_t i, k, n = 0;

	for (i = 0; i < s->nentry; i++) {
		a = s->entry[i].alert;
		if (a->nalarm > LIM_IMAGE_SCRIPTS)
			return too_much(w, "alert %.*s has more than %zu "
			    "scripts", a->name, LIM_IMAGE_SCRIPTS);
		n += a->nalarm;
	}
	w->alarm = arena_alloc(&w->arena, (n + 1) * sizeof *w->alarm);
	w->program_at = arena_alloc(&w->arena, (n + 1) *
	    sizeof *w->program_at);
	for (i = 0; i < s->nentry; i++) {
		a = s->entry[i].alert;
		for (k = 0; k < a->nalarm; k++) {
			set = (struct program_set){ &a->alarm[k], 1 };
			buf_clear(&w->one);
			progfile_write(&set, &w->one);
			w->alarm[w->nalarm++] = number_of(w);
			if (w->program.n > LIM_IMAGE)
				return too_much(w, "alert %.*s is too much: "
				    "an image has at most %zu bytes", a->name,
				    LIM_IMAGE);
		}
	}
	return true;
}

/* --- the schedule --- */

/* A text's place among the texts, of a table of such. */
static uint32_t
place(struct map *known, struct buf *all, struct str s, size_t of, bool text)
{
	struct map_entry *e;
	bool fresh;

	e = map_put(known, s, &fresh);
	if (fresh) {
		e->v.num = all->n / of;
		buf_add(all, s.p, s.n);
		if (text)
			buf_putc(all, '\0');
	}
	return (uint32_t)e->v.num;
}

/* As C has it: up to a zero byte. */
static uint32_t
text(struct writer *w, struct str s)
{
	if (str_none(s))
		s = STR_EMPTY;
	s.n = strnlen(s.p, s.n);
	return place(&w->text, &w->texts, s, 1, true);
}

/* How long the scripts of a run may take, one after the other. */
static double
longest(const struct site_alert *a)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < a->nalarm; i++)
		sum += a->alarm[i].timeout > 0 ? a->alarm[i].timeout :
		    alert_time_allowed(a);
	return sum;
}

static unsigned
flags_of(const struct image_entry *e)
{
	const struct site_alert *a = e->alert;
	unsigned flags = e->own ? ENTRY_OWN : 0;
	size_t i;

	for (i = 0; i < a->nalarm; i++)
		flags |= image_traits(&a->alarm[i]);
	if (a->nalarm == 0 || a->status == STATUS_INACTIVE ||
	    a->status == STATUS_SUSPENDED)
		flags |= ENTRY_SLEEPS;
	return flags;
}

static void
timings(struct writer *w, const struct image_entry *e)
{
	const struct site_alert *a = e->alert;
	struct image_io io = { .out = &w->timings }, cron = { .out = &w->one };
	size_t i;

	for (i = 0; i < a->ntiming; i++) {
		buf_clear(&w->one);
		io_cron(&cron, &a->timing[i].cron);
		io_int(&io, 4, place(&w->cron, &w->crons, buf_view(&w->one),
		    CRON_BYTES, false));
		io_int(&io, 4, (uint64_t)(e->drift[i] * DRIFT_PARTS));
	}
}

/* Where the list of an alert's scripts is: one that many have is kept once. */
static uint32_t
scripts(struct writer *w, const struct site_alert *a)
{
	struct image_io io = { .out = &w->one };
	size_t i;

	buf_clear(&w->one);
	for (i = 0; i < a->nalarm; i++)
		io_int(&io, 4, text(w, a->alarm[i].name));
	return place(&w->script, &w->scripts, buf_view(&w->one), 4, false);
}

/* Where what it has is that others have, too. */
static uint32_t
kind(struct writer *w, const struct image_entry *e)
{
	const struct site_alert *a = e->alert;
	struct image_io io = { .out = &w->one };

	buf_clear(&w->one);
	io_int(&io, 2, a->ntiming);
	io_int(&io, 2, a->nalarm);
	io_int(&io, 8, num_bits(a->every));
	io_int(&io, 8, num_bits(a->timeout));
	io_int(&io, 8, num_bits(longest(a)));
	io_int(&io, 1, a->status);
	io_int(&io, 1, a->level);
	io_int(&io, 1, a->overlap);
	io_int(&io, 1, (uint64_t)(a->priority + PRIORITY_ZERO));
	io_int(&io, 2, flags_of(e));
	io_int(&io, 2, (a->has_level ? HAS_LEVEL : 0u) |
	    (a->has_priority ? HAS_PRIORITY : 0u));
	return place(&w->kind, &w->kinds, buf_view(&w->one), KIND_BYTES,
	    false);
}

static bool
entry(struct writer *w, const struct image_entry *e)
{
	const struct site_alert *a = e->alert;
	struct image_io io = { .out = &w->entries };

	if (a->ntiming > LIM_IMAGE_TIMINGS)
		return too_much(w, "alert %.*s has more than %zu timings",
		    a->name, LIM_IMAGE_TIMINGS);
	if (strnlen(a->name.p, a->name.n) != a->name.n || a->name.n == 0)
		return too_much(w, "the name \"%.*s\" has none of %zu bytes",
		    a->name, a->name.n);
	io_int(&io, 4, text(w, a->name));
	io_int(&io, 4, w->timings.n / TIMING_BYTES);
	io_int(&io, 4, scripts(w, a));
	io_int(&io, 4, (uint64_t)(e->every_drift * DRIFT_PARTS));
	io_int(&io, 4, kind(w, e));
	timings(w, e);
	return true;
}

struct named {
	struct str	 name;
	uint32_t	 entry;
};

static int
by_name(const void *a, const void *b)
{
	return str_cmp(((const struct named *)a)->name,
	    ((const struct named *)b)->name);
}

/* The entries in the order of their names, which must differ. */
static bool
sorted(struct writer *w, struct image_io *io)
{
	const struct image_site *s = w->site;
	struct named *n = arena_alloc(&w->arena, (s->nentry + 1) * sizeof *n);
	size_t i;

	for (i = 0; i < s->nentry; i++)
		n[i] = (struct named){ s->entry[i].alert->name, (uint32_t)i };
	qsort(n, s->nentry, sizeof *n, by_name);
	for (i = 0; i < s->nentry; i++) {
		if (i > 0 && str_eq(n[i].name, n[i - 1].name))
			return too_much(w, "%.*s is there %zu times", n[i].name,
			    2);
		io_int(io, 4, n[i].entry);
	}
	return true;
}

/* Behind all others, as it holds their sum. */
static bool
schedule(struct writer *w, struct buf *out)
{
	const struct image_site *s = w->site;
	struct image_io io = { .out = out };
	uint32_t setting[CONF_KEYS][2], where[3];
	size_t i, n = 0;

	for (i = 0; i < s->nentry; i++)
		if (!entry(w, &s->entry[i]))
			return false;
	for (i = 0; i < CONF_KEYS; i++)
		if (!str_none(s->conf->value[i]) && s->conf->value[i].n > 0) {
			setting[n][0] = text(w, str_c(conf_word[i]));
			setting[n++][1] = text(w, s->conf->value[i]);
		}
	where[0] = text(w, s->host);
	where[1] = text(w, s->dir);
	where[2] = text(w, s->logdir);
	io_int(&io, 4, s->nentry);
	io_int(&io, 4, w->timings.n / TIMING_BYTES);
	io_int(&io, 4, w->crons.n / CRON_BYTES);
	io_int(&io, 4, w->scripts.n / 4);
	io_int(&io, 4, w->kinds.n / KIND_BYTES);
	io_int(&io, 4, n);
	io_int(&io, 4, w->texts.n);
	for (i = 0; i < 3; i++)
		io_int(&io, 4, where[i]);
	io_int(&io, 8, image_sum((const unsigned char *)w->row.p, w->row.n));
	if (!sorted(w, &io))
		return false;
	buf_str(out, buf_view(&w->entries));
	buf_str(out, buf_view(&w->timings));
	buf_str(out, buf_view(&w->crons));
	buf_str(out, buf_view(&w->scripts));
	buf_str(out, buf_view(&w->kinds));
	for (i = 0; i < n; i++) {
		io_int(&io, 4, setting[i][0]);
		io_int(&io, 4, setting[i][1]);
	}
	buf_str(out, buf_view(&w->texts));
	return true;
}

/* --- what runs ask of the site --- */

static void
objects(struct writer *w, struct buf *out)
{
	const struct map *m = w->site->object;
	struct image_io io = { .out = out };
	const struct site_object *o;
	size_t i, k;

	io_count(&io, m->n, 8);
	for (i = 0; i < m->n; i++) {
		o = m->entry[i].v.ptr;
		io_text(&io, m->entry[i].key);
		io_count(&io, o->n, 4);
		for (k = 0; k < o->n; k++)
			io_text(&io, o->line[k]);
	}
}

static int
pair_order(const void *a, const void *b)
{
	return image_pair_order(a, b);
}

/* In order, so that it can be searched; their places first. */
static void
pairs(struct writer *w, struct buf *out)
{
	const struct image_site *s = w->site;
	struct image_pair *p = arena_alloc(&w->arena, (s->npair + 1) *
	    sizeof *p);
	struct image_io io = { .out = out }, one = { .out = &w->one };
	size_t i, at;

	for (i = 0; i < s->npair; i++)
		p[i] = s->pair[i];
	qsort(p, s->npair, sizeof *p, pair_order);
	io_count(&io, s->npair, 4);
	buf_clear(&w->one);
	for (i = 0; i < s->npair; i++) {
		at = w->one.n;
		io_int(&io, 4, at);
		io_text(&one, p[i].alert);
		io_text(&one, p[i].script);
	}
	buf_str(out, buf_view(&w->one));
}

static void
where(struct writer *w, struct buf *out)
{
	const struct image_site *s = w->site;
	struct image_where place = { s->conf_name, s->conf_text, s->dir,
	    s->logdir, s->host, (struct str *)(uintptr_t)s->group, s->ngroup };
	struct image_io io = { .out = out };

	io_where(&io, &place);
}

/* --- the parts --- */

/* The part that begins at `at` of the body is whole. */
static bool
finish(struct writer *w, size_t at)
{
	struct image_io io = { .out = &w->row };
	size_t n = w->body.n - at;

	if (n > LIM_IMAGE_PART || w->body.n > LIM_IMAGE)
		return too_much(w, "%.*sa part of it has more than %zu bytes",
		    STR_EMPTY, LIM_IMAGE_PART);
	io_int(&io, 8, at);
	io_int(&io, 8, n);
	io_int(&io, 8, image_sum((const unsigned char *)w->body.p + at, n));
	return true;
}

static size_t
begin(struct writer *w, size_t number)
{
	struct image_io io = { .out = &w->body };
	size_t at = w->body.n;

	io_int(&io, PART_NUMBER, number);
	return at;
}

static bool
entries(struct writer *w)
{
	const struct image_site *s = w->site;
	struct image_io io = { .out = &w->body };
	struct site_alert a;
	size_t i, k, at, alarm = 0;

	for (i = 0; i < s->nentry; i++) {
		at = begin(w, PART_COUNT + i);
		a = *s->entry[i].alert;
		io_int(&io, 1, s->entry[i].own);
		io_alert(&io, &a);
		for (k = 0; k < a.nalarm; k++) {
			io_int(&io, 4, w->alarm[alarm++]);
			io_int(&io, 1, a.alarm[k].doexec);
		}
		if (!finish(w, at))
			return false;
	}
	for (i = 0; i < w->nprogram; i++) {
		at = begin(w, PART_COUNT + s->nentry + i);
		buf_add(&w->body, w->program.p + w->program_at[i],
		    w->program_at[i + 1] - w->program_at[i]);
		if (!finish(w, at))
			return false;
	}
	return true;
}

/* The head, the rows with places in the file, the body. */
static bool
assemble(struct writer *w, struct buf *out)
{
	struct image_io io = { .out = out };
	const unsigned char *row = (const unsigned char *)w->row.p;
	size_t first = IMAGE_HEAD + w->row.n, i;

	if (first + w->body.n > LIM_IMAGE)
		return too_much(w, "%.*sit has more than %zu bytes",
		    STR_EMPTY, LIM_IMAGE);
	buf_add(out, IMAGE_MAGIC, 8);
	io_int(&io, 4, IMAGE_VERSION);
	io_int(&io, 4, w->site->nentry);
	io_int(&io, 4, w->nprogram);
	io_int(&io, 4, 0);
	io_int(&io, 8, progfile_tables());
	io_int(&io, 8, first + w->body.n);
	io_int(&io, 8, image_sum((const unsigned char *)out->p,
	    IMAGE_HEAD - 8));
	for (i = 0; i < w->row.n; i += IMAGE_ROW) {
		io_int(&io, 8, image_get(row + i, 8) + first);
		buf_add(out, w->row.p + i + 8, IMAGE_ROW - 8);
	}
	buf_str(out, buf_view(&w->body));
	return true;
}

static bool
work(struct writer *w, struct buf *out)
{
	size_t at, i;
	struct buf first;
	bool ok;

	if (w->site->nentry > LIM_IMAGE_ENTRIES)
		return too_much(w, "%.*smore than %zu alerts and scripts are "
		    "to run", STR_EMPTY, LIM_IMAGE_ENTRIES);
	if (!programs(w))
		return false;
	for (i = PART_SITE; i < PART_COUNT; i++) {
		at = begin(w, i);
		if (i == PART_SITE)
			where(w, &w->body);
		else if (i == PART_OBJECTS)
			objects(w, &w->body);
		else
			pairs(w, &w->body);
		if (!finish(w, at))
			return false;
	}
	if (!entries(w))
		return false;
	/* the schedule's row is the first, and its bytes are the last */
	at = begin(w, PART_SCHEDULE);
	if (!schedule(w, &w->body))
		return false;
	first = w->row;
	buf_init(&w->row, out->mem);
	ok = finish(w, at);
	buf_str(&w->row, buf_view(&first));
	buf_free(&first);
	return ok && assemble(w, out);
}

bool
image_write(const struct image_site *site, struct buf *out,
    char why[LIM_IMAGE_WHY])
{
	struct writer w = { .site = site, .why = why };
	struct buf *b[] = { &w.body, &w.row, &w.one, &w.program, &w.texts,
	    &w.crons, &w.scripts, &w.kinds, &w.timings, &w.entries };
	size_t i;
	bool ok;

	arena_init(&w.arena, out->mem, 65536);
	for (i = 0; i < sizeof b / sizeof *b; i++)
		buf_init(b[i], out->mem);
	map_init(&w.known, &w.arena);
	map_init(&w.text, &w.arena);
	map_init(&w.cron, &w.arena);
	map_init(&w.script, &w.arena);
	map_init(&w.kind, &w.arena);
	ok = work(&w, out);
	for (i = 0; i < sizeof b / sizeof *b; i++)
		buf_free(b[i]);
	arena_free(&w.arena);
	return ok;
}
