#include "lang/site.h"

#include <stdio.h>
#include <stdlib.h>

#include "lang/config/whole.h"

#define ARENA_BLOCK	(32 * 1024)	/* bytes: a small site needs one */
#define LIM_SITE_MEM	((size_t)1 << 30) /* bytes, scripts not counted: each
					 * has LIM_COMPILE_MEM */

/* --- reports --- */

/* Leaves out what an earlier part has said of the same place. */
static void
only_new(struct whole *w, struct diag *d)
{
	struct diag_item *it;
	struct buf key;
	size_t i, n = 0;
	bool is_new;

	buf_init(&key, &w->mem);
	for (i = 0; i < d->n; i++) {
		it = &d->item[i];
		buf_clear(&key);
		if (d->src != NULL && it->place.file < d->src->nfile)
			buf_str(&key, d->src->file[it->place.file].name);
		buf_printf(&key, ":%u:%u:%d:", it->place.line, it->place.col,
		    (int)it->id);
		buf_str(&key, it->text);
		(void)map_put(&w->said, buf_view(&key), &is_new);
		if (is_new)
			d->item[n++] = *it;
		else if (it->severity == DIAG_ERROR)
			d->nerror--;
		else
			d->nwarning--;
	}
	d->n = n;
	buf_free(&key);
}

static void
add_part(struct whole *w, struct diag *d)
{
	only_new(w, d);
	w->site.nerror += d->nerror;
	w->site.nwarning += d->nwarning;
	w->part[w->npart++] = d;
}

/* --- files --- */

/* False, and reported, if it cannot be read. */
bool
whole_read(struct whole *w, struct str path, struct str *text)
{
	const struct compile_world *world = w->o->base->world;
	struct str why = STR_LIT("there is nobody to read it");

	if (world != NULL && world->read(world->w, path, text, &why))
		return true;
	diag_in(&w->diag, (struct place){ SOURCE_NONE, 0, 0, 0, SOURCE_NONE },
	    0, E_READ, path, why, STR_NIL);
	return false;
}

/*
 * Reads a file through a preprocessor and makes it the part that config_...
 * work on.  False: there is none.
 */
static bool
load(struct whole *w, enum config_file k,
    void (*preprocess)(struct preprocess *, uint32_t))
{
	struct str path = w->o->file[k], text;
	uint32_t file;

	if (str_none(path) || !whole_read(w, path, &text))
		return false;
	file = source_add(&w->src, path, text);
	w->config.at = (uint32_t)w->src.text.n;
	w->config.file = config_file_name[k];
	preprocess(&w->pp, file);
	w->config.end = (uint32_t)w->src.text.n;
	/* the preprocessor may have begun a line first */
	while (w->config.at < w->config.end &&
	    w->src.text.p[w->config.at] == '\n')
		w->config.at++;
	return true;
}

/* --- which host --- */

static bool
among(const struct str *list, size_t n, struct str s)
{
	while (n-- > 0)
		if (str_eq(list[n], s))
			return true;
	return false;
}

static void
nearest_host(struct whole *w)
{
	struct site *s = &w->site;
	unsigned best = 4, d;
	size_t i;

	for (i = 0; i < s->nhost; i++) {
		d = str_distance(w->o->host, s->host[i], best);
		if (d < best) {
			best = d;
			s->near_host = s->host[i];
		}
	}
}

/* What `#if` finds true, and which names it knows. */
static void
find_members(struct whole *w)
{
	const struct site_options *o = w->o;
	struct site *s = &w->site;
	const struct str *found = NULL, *known = NULL;
	struct str *list;
	size_t nfound = 0, nknown = 0, i;

	if (w->systems != NULL) {
		found = systems_members(w->systems, o->host, &nfound);
		for (i = 0; found == NULL && o->is_here && i < o->nown; i++)
			found = systems_members(w->systems, o->own[i],
			    &nfound);
		s->host = (struct str *)systems_hosts(w->systems, &s->nhost);
		known = systems_names(w->systems, &nknown);
	}
	s->host_known = found != NULL || (w->systems == NULL && o->is_here);
	if (!s->host_known)
		nearest_host(w);
	list = arena_alloc(&w->arena, (nfound + o->nown + 1) * sizeof *list);
	s->compile.member = list;
	for (i = 0; i < nfound; i++)
		list[s->compile.nmember++] = found[i];
	if (found == NULL)
		list[s->compile.nmember++] = o->host;
	for (i = 0; found == NULL && o->is_here && i < o->nown; i++)
		list[s->compile.nmember++] = o->own[i];
	if (known == NULL)
		return;
	list = arena_alloc(&w->arena, (nknown + o->nown + o->nsystem + 1) *
	    sizeof *list);
	s->compile.registered = list;
	for (i = 0; i < nknown; i++)
		list[s->compile.nregistered++] = known[i];
	for (i = 0; i < o->nown; i++)
		list[s->compile.nregistered++] = o->own[i];
	for (i = 0; i < o->nsystem; i++)
		list[s->compile.nregistered++] = o->system[i].name;
}

/* The library's common part, and that of the host's operating system. */
static void
find_library(struct whole *w)
{
	const struct site_options *o = w->o;
	struct compile_options *c = &w->site.compile;
	struct macro_source *list;
	size_t i, k;

	for (i = 0; i < o->nsystem; i++)
		if (among(c->member, c->nmember, o->system[i].name))
			break;
	for (k = 0; i == o->nsystem && k < o->nsystem; k++)
		if (among(o->own, o->nown, o->system[k].name))
			i = k;
	if (i == o->nsystem)
		return;
	list = arena_alloc(&w->arena, (c->nlibrary + 1) * sizeof *list);
	for (k = 0; k < c->nlibrary; k++)
		list[k] = c->library[k];
	list[k] = o->system[i].macros;
	c->library = list;
	c->nlibrary++;
}

/* --- all of it --- */

static void
work(struct whole *w)
{
	const struct site_options *o = w->o;
	struct site *s = &w->site;
	struct compile_options *c = &s->compile, bare, files;
	size_t i;

	w->config = (struct config){ &w->arena, &w->diag, &w->src, s, 0, 0,
	    NULL };
	map_init(&s->object, &w->arena);
	map_init(&w->where, &w->arena);
	map_init(&w->said, &w->arena);
	*c = *o->base;
	for (i = 0; i < CONFIG_COUNT; i++)
		s->has_file[i] = !str_none(o->file[i]);
	s->nfile = o->nscript;

	bare = (struct compile_options){ .world = c->world,
	    .include_dir = c->include_dir };
	preprocess_init(&w->pp, &w->src, &w->diag, &w->arena, &bare);
	if (load(w, CONFIG_SYSTEMS, preprocess_plain))
		w->systems = systems_read(&w->config);
	find_members(w);
	find_library(w);
	if (!str_none(o->file[CONFIG_MACROS]) && whole_read(w,
	    o->file[CONFIG_MACROS], &w->macros.text)) {
		w->macros.name = o->file[CONFIG_MACROS];
		c->macro_file = &w->macros;
		c->nmacro_file = 1;
	}
	if (!str_none(o->file[CONFIG_DEFINES]) && whole_read(w,
	    o->file[CONFIG_DEFINES], &w->defines.text)) {
		w->defines.name = o->file[CONFIG_DEFINES];
		c->define_file = &w->defines;
		c->ndefine_file = 1;
	}
	whole_context(w, STR_LIT(MARK_ALERT), MARK_STATUS, MARK_LEVEL, &files);
	preprocess_init(&w->pp, &w->src, &w->diag, &w->arena, &files);
	if (load(w, CONFIG_OBJECTS, preprocess_config))
		objects_read(&w->config);
	if (!o->no_alerts) {
		if (load(w, CONFIG_ALERTS, preprocess_file))
			w->source = alerts_read(&w->config);
		if (load(w, CONFIG_PROGRAMS, preprocess_config))
			install_read(&w->config, false);
		if (load(w, CONFIG_FILES, preprocess_config))
			install_read(&w->config, true);
		scripts_read(w);
		scripts_compile(w);
		for (i = 0; i < s->nalert; i++)
			scripts_link(w, &s->alert[i], &w->source[i]);
		scripts_unused(w);
		scripts_macros(w);
	}
	w->part = arena_alloc(&w->arena, (w->ncompile + 1) *
	    sizeof *w->part);
	add_part(w, &w->diag);
	for (i = 0; i < w->ncompile; i++)
		if (i >= w->nfile || scripts_matter(w, i))
			add_part(w, compile_diag(w->compile[i]));
}

static struct whole *
whole_new(const struct site_options *o)
{
	struct whole *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	w->o = o;
	mem_init(&w->mem, LIM_SITE_MEM, &w->fail);
	arena_init(&w->arena, &w->mem, ARENA_BLOCK);
	source_init(&w->src, &w->mem, &w->arena);
	diag_init(&w->diag, &w->src, &w->arena);
	w->site.near_host = STR_NIL;
	return w;
}

static bool
attempt(struct whole *w)
{
	if (setjmp(w->fail) != 0)
		return false;
	work(w);
	return true;
}

struct site *
site_read(const struct site_options *o)
{
	struct whole *w = whole_new(o);

	if (w == NULL || attempt(w))
		return w == NULL ? NULL : &w->site;
	site_free(&w->site);
	return NULL;
}

void
site_free(struct site *s)
{
	struct whole *w = (struct whole *)s;
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < w->ncompile; i++)
		compile_free(w->compile[i]);
	mem_free(&w->mem, w->compile, w->capcompile * sizeof *w->compile);
	source_free(&w->src);
	arena_free(&w->arena);
	free(w);
}

struct diag *
site_diag(struct site *s, size_t i)
{
	struct whole *w = (struct whole *)s;

	return i < w->npart ? w->part[i] : NULL;
}

const struct site_alert *
site_alert(const struct site *s, struct str name)
{
	size_t i;

	for (i = 0; i < s->nalert; i++)
		if (str_eq(s->alert[i].name, name))
			return &s->alert[i];
	return NULL;
}

const struct site_script *
site_script(const struct site *s, struct str name)
{
	size_t i;

	for (i = 0; i < s->nscript; i++)
		if (str_eq(s->script[i].name, name))
			return &s->script[i];
	return NULL;
}

bool
site_object(const struct site *s, struct str set, const struct str **line,
    size_t *n)
{
	const struct map_entry *e = map_get(&s->object, set);
	const struct site_object *o;

	if (e == NULL)
		return false;
	o = e->v.ptr;
	*line = o->line;
	*n = o->n;
	return true;
}

struct str
site_object_nearest(const struct site *s, struct str set)
{
	const struct map_entry *e = map_nearest(&s->object, set);

	return e == NULL ? STR_NIL : e->key;
}
