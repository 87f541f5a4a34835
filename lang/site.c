#include "lang/site.h"

#include <stdio.h>
#include <stdlib.h>

#include "lang/config/config.h"
#include "lang/syntax/preprocess.h"

#define ARENA_BLOCK	(32 * 1024)	/* bytes: a small site needs one */
#define LIM_SITE_MEM	((size_t)1 << 30) /* bytes, scripts not counted: each
					 * has LIM_COMPILE_MEM */

/* A file with scripts. */
struct file {
	struct str	 path, text;
	struct compile	*plain;		/* outside of any alert */
	bool		 varies;	/* it asks which alert it runs in */
	struct compile	*now;		/* in the alert at hand, or NULL */
};

/* Where a script is defined. */
struct where {
	size_t		 file;
	size_t		 number;	/* of the script there, among all */
	struct place	 place;		/* in plain's source set */
};

struct whole {
	struct site	 site;		/* first: what callers hold */
	const struct site_options *o;
	struct mem	 mem;
	jmp_buf		 fail;
	struct arena	 arena;
	struct source_set src;
	struct diag	 diag;		/* of the configuration */
	struct preprocess pp;
	struct config	 config;
	struct systems	*systems;
	struct alert_source *source;
	struct file	*file;
	size_t		 nfile;
	struct map	 where;		/* script -> struct where */
	bool		 scripts_failed;
	struct compile	**compile;	/* all that are to be freed */
	size_t		 ncompile, capcompile;
	struct map	 said;		/* what has been reported */
	struct diag	**part;
	size_t		 npart;
	struct macro_source macros, defines;
	const struct macro_source *library;
};

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

/* A place of a script's source set as one of ours. */
static struct place
our_place(struct whole *w, const struct diag *d, struct place p)
{
	const struct source_file *f = &d->src->file[p.file];
	uint32_t i;

	for (i = 0; i < w->src.nfile; i++)
		if (str_eq(w->src.file[i].name, f->name))
			break;
	if (i == w->src.nfile)
		i = source_add(&w->src, f->name, f->text);
	return source_place_in(&w->src, i, p.off);
}

/* --- files --- */

/* False, and reported, if it cannot be read. */
static bool
read_file(struct whole *w, struct str path, struct str *text)
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

	if (str_none(path) || !read_file(w, path, &text))
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

/* The context macros with those that an alert fills. */
static void
set_context(struct whole *w, struct str alert, const char *status,
    const char *level, struct compile_options *o)
{
	const struct compile_options *base = &w->site.compile;
	struct macro_value *v = arena_alloc(&w->arena, (base->ncontext + 3) *
	    sizeof *v);
	const struct macro_value own[] = {
		{ STR_LIT("piktalert"), alert },
		{ STR_LIT("piktstatus"), str_c(status) },
		{ STR_LIT("piktlevel"), str_c(level) }
	};
	size_t i, k, n = 0;

	*o = *base;
	for (i = 0; i < base->ncontext; i++) {
		for (k = 0; k < 3; k++)
			if (str_eq(base->context[i].name, own[k].name))
				break;
		if (k == 3)
			v[n++] = base->context[i];
	}
	for (k = 0; k < 3; k++)
		v[n++] = own[k];
	o->context = v;
	o->ncontext = n;
}

/* --- scripts --- */

static struct compile *
keep(struct whole *w, struct compile *c)
{
	size_t cap;

	if (c == NULL)
		mem_fail(&w->mem, false);
	if (w->ncompile == w->capcompile) {
		cap = w->capcompile == 0 ? 16 : w->capcompile * 2;
		w->compile = mem_realloc(&w->mem, w->compile, w->capcompile *
		    sizeof *w->compile, cap * sizeof *w->compile);
		w->capcompile = cap;
	}
	return w->compile[w->ncompile++] = c;
}

static void
read_scripts(struct whole *w)
{
	const struct site_options *o = w->o;
	size_t i;

	w->file = arena_zalloc(&w->arena, (o->nscript + 1) *
	    sizeof *w->file);
	for (i = 0; i <= o->nscript; i++) {
		struct file *f = &w->file[w->nfile];

		f->path = i == 0 ? o->file[CONFIG_ALARMS] : o->script[i - 1];
		if (!str_none(f->path) && read_file(w, f->path, &f->text))
			w->nfile++;
		else if (!str_none(f->path))
			w->scripts_failed = true;
	}
}

/* A script's name, and where: two of one name are an error. */
static void
add_script(struct whole *w, size_t file, size_t number,
    const struct compile_script *cs)
{
	struct diag *d = compile_diag(w->file[file].plain);
	const struct where *first;
	struct diag_item *item;
	struct map_entry *e;
	struct where *at;
	bool is_new;

	e = map_put(&w->where, cs->name, &is_new);
	if (!is_new) {
		first = e->v.ptr;
		if (first->file == file)
			return;		/* the compiler has said so */
		item = diag_in(&w->diag, our_place(w, d, cs->place),
		    (uint32_t)cs->name.n, E_SCRIPT_DUP, cs->name, STR_NIL,
		    STR_NIL);
		diag_other(&w->diag, item, our_place(w,
		    compile_diag(w->file[first->file].plain), first->place),
		    "first here");
		return;
	}
	at = arena_alloc(&w->arena, sizeof *at);
	*at = (struct where){ file, number, cs->place };
	e->v.ptr = at;
}

/* Compiles each file as if it stood alone: which scripts are there? */
static void
compile_plain(struct whole *w)
{
	struct site *s = &w->site;
	const struct compile_script *cs;
	size_t i, k, n, j;

	for (i = 0; i < w->nfile; i++) {
		struct file *f = &w->file[i];

		f->plain = keep(w, compile_source(f->path, f->text,
		    &s->compile));
		f->varies = compile_uses(f->plain, STR_LIT("piktalert")) ||
		    compile_uses(f->plain, STR_LIT("piktstatus")) ||
		    compile_uses(f->plain, STR_LIT("piktlevel"));
		cs = compile_scripts(f->plain, &n);
		if (compile_diag(f->plain)->nerror > 0 &&
		    (n == 0 || !f->varies))
			w->scripts_failed = true;
		for (k = 0; k < n; k++)
			add_script(w, i, k, &cs[k]);
	}
	s->nscript = w->where.n;
	s->script = arena_zalloc(&w->arena, (s->nscript + 1) *
	    sizeof *s->script);
	for (j = 0; j < s->nscript; j++) {
		const struct where *at = w->where.entry[j].v.ptr;
		const struct program_set *set =
		    compile_programs(w->file[at->file].plain);

		s->script[j].name = w->where.entry[j].key;
		if (at->number < set->n)
			s->script[j].program = &set->program[at->number];
	}
}

/* --- alerts --- */

/* How much a status forbids, from nothing on. */
static int
restricts(enum status s)
{
	static const int order[STATUS_COUNT] = {
		[STATUS_ACTIVE] = 0, [STATUS_DEBUGGING] = 1,
		[STATUS_TESTING] = 2, [STATUS_SUSPENDED] = 3,
		[STATUS_INACTIVE] = 4
	};

	return order[s];
}

static void
unknown_alarm(struct whole *w, const struct alert_name *a)
{
	const struct map_entry *near = map_nearest(&w->where, a->name);
	struct diag_item *item = diag_at(&w->diag, a->span, E_ALARM_UNKNOWN,
	    a->name, STR_NIL, STR_NIL);
	struct buf b;

	if (near == NULL)
		return;
	buf_init(&b, &w->mem);
	buf_puts(&b, "did you mean ");
	buf_str(&b, near->key);
	buf_putc(&b, '?');
	diag_hint(&w->diag, item, buf_view(&b));
	buf_free(&b);
}

/* The file's scripts as this alert has them. */
static struct compile *
compile_for(struct whole *w, struct file *f, const struct site_alert *a,
    const struct compile_options *o)
{
	if (!f->varies && (a->status != STATUS_DEBUGGING ||
	    w->site.compile.trace))
		return f->plain;
	if (f->now == NULL)
		f->now = keep(w, compile_source(f->path, f->text, o));
	return f->now;
}

static void
link_alert(struct whole *w, struct site_alert *a,
    const struct alert_source *source)
{
	struct compile_options o;
	const struct program_set *set;
	struct compile *c;
	struct program *p;
	size_t i, k;

	set_context(w, a->name, status_name[a->status], level_name[a->level],
	    &o);
	if (a->status == STATUS_DEBUGGING)
		o.trace = true;
	for (i = 0; i < w->nfile; i++)
		w->file[i].now = NULL;
	a->alarm = arena_zalloc(&w->arena, (source->nalarm + 1) *
	    sizeof *a->alarm);
	for (i = 0; i < source->nalarm; i++) {
		const struct map_entry *e = map_get(&w->where,
		    source->alarm[i].name);
		const struct where *at = e == NULL ? NULL : e->v.ptr;

		if (at == NULL) {
			/* not of scripts that were lost to an error */
			if (!w->scripts_failed)
				unknown_alarm(w, &source->alarm[i]);
			continue;
		}
		for (k = 0; k < w->site.nscript; k++)
			if (w->site.script[k].alert == NULL && str_eq(
			    w->site.script[k].name, source->alarm[i].name))
				w->site.script[k].alert = a;
		c = compile_for(w, &w->file[at->file], a, &o);
		set = compile_programs(c);
		if (at->number >= set->n)
			continue;	/* it has errors */
		p = &a->alarm[a->nalarm++];
		*p = set->program[at->number];
		if (restricts(a->status) > restricts(p->status))
			p->status = a->status;
		if (!p->has_level && a->has_level)
			p->level = a->level;
	}
}

/* Scripts that nothing ever starts. */
static void
find_unused(struct whole *w)
{
	const struct site_script *s = w->site.script;
	const struct where *at;
	size_t i;

	for (i = 0; i < w->site.nscript && !w->scripts_failed; i++, s++) {
		if (s->alert != NULL || (s->program != NULL &&
		    (s->program->every > 0 || !str_none(s->program->timing))))
			continue;
		at = map_get(&w->where, s->name)->v.ptr;
		diag_in(&w->diag, our_place(w,
		    compile_diag(w->file[at->file].plain), at->place),
		    (uint32_t)s->name.n, E_ALARM_UNUSED, s->name, STR_NIL,
		    STR_NIL);
	}
}

/* Whether what the file means outside of any alert matters to anyone. */
static bool
stands_alone(const struct whole *w, size_t file)
{
	size_t i;

	if (!w->file[file].varies || w->scripts_failed)
		return true;
	for (i = 0; i < w->site.nscript; i++)
		if (((const struct where *)w->where.entry[i].v.ptr)->file ==
		    file && w->site.script[i].alert == NULL)
			return true;
	return false;
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
	if (!str_none(o->file[CONFIG_MACROS]) && read_file(w,
	    o->file[CONFIG_MACROS], &w->macros.text)) {
		w->macros.name = o->file[CONFIG_MACROS];
		c->macro_file = &w->macros;
		c->nmacro_file = 1;
	}
	if (!str_none(o->file[CONFIG_DEFINES]) && read_file(w,
	    o->file[CONFIG_DEFINES], &w->defines.text)) {
		w->defines.name = o->file[CONFIG_DEFINES];
		c->define_file = &w->defines;
		c->ndefine_file = 1;
	}
	set_context(w, STR_LIT(MARK_ALERT), MARK_STATUS, MARK_LEVEL, &files);
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
		read_scripts(w);
		compile_plain(w);
		for (i = 0; i < s->nalert; i++)
			link_alert(w, &s->alert[i], &w->source[i]);
		find_unused(w);
	}
	w->part = arena_alloc(&w->arena, (w->ncompile + 1) *
	    sizeof *w->part);
	add_part(w, &w->diag);
	for (i = 0; i < w->ncompile; i++)
		if (i >= w->nfile || stands_alone(w, i))
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
