/*
 * scripts: the scripts of a site, compiled once by themselves, so that it is
 * known which there are, and once more for each alert in which they mean
 * something else.
 */
#include "lang/config/whole.h"
#include "lang/syntax/macro.h"

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

#define LIM_NEAR_MACRO	6	/* bytes of a name: two edits of a shorter one are
				 * another word */

/* The context macros with those that an alert fills. */
void
whole_context(struct whole *w, struct str alert, const char *status,
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

void
scripts_read(struct whole *w)
{
	const struct site_options *o = w->o;
	size_t i;

	w->file = arena_zalloc(&w->arena, (o->nscript + 1 + o->nbundled) *
	    sizeof *w->file);
	for (i = 0; i <= o->nscript; i++) {
		struct file *f = &w->file[w->nfile];

		f->path = i == 0 ? o->file[CONFIG_ALARMS] : o->script[i - 1];
		if (!str_none(f->path) && whole_read(w, f->path, &f->text))
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

/* Compiles a file as if it stood alone: which scripts are there? */
static void
compile_plain(struct whole *w, size_t i)
{
	const struct compile_script *cs;
	struct file *f = &w->file[i];
	size_t k, n;

	f->plain = keep(w, compile_source(f->path, f->text,
	    &w->site.compile));
	f->varies = compile_uses(f->plain, STR_LIT("piktalert")) ||
	    compile_uses(f->plain, STR_LIT("piktstatus")) ||
	    compile_uses(f->plain, STR_LIT("piktlevel"));
	cs = compile_scripts(f->plain, &n);
	if (compile_diag(f->plain)->nerror > 0 && (n == 0 || !f->varies))
		w->scripts_failed = true;
	for (k = 0; k < n; k++)
		add_script(w, i, k, &cs[k]);
}

/* Whether it is a script of other hosts. */
static bool
left_out(const struct whole *w, struct str name)
{
	size_t i;

	for (i = 0; i < w->nfile; i++)
		if (compile_left_out(w->file[i].plain, name))
			return true;
	return false;
}

/* A bundled script that an alert names, unless the site has one of that
 * name. */
static void
bundled(struct whole *w, struct str name)
{
	const struct site_options *o = w->o;
	struct file *f = &w->file[w->nfile];
	size_t i;

	if (map_get(&w->where, name) != NULL || left_out(w, name))
		return;
	for (i = 0; i < o->nbundled; i++)
		if (str_eq(o->bundled[i].name, name))
			break;
	if (i == o->nbundled)
		return;
	f->path = o->bundled[i].path;
	if (whole_read(w, f->path, &f->text))
		compile_plain(w, w->nfile++);
	else
		w->scripts_failed = true;
}

void
scripts_compile(struct whole *w)
{
	struct site *s = &w->site;
	size_t i, k, j;

	for (i = 0; i < w->nfile; i++)
		compile_plain(w, i);
	for (i = 0; i < s->nalert; i++)
		for (k = 0; k < w->source[i].nalarm; k++)
			bundled(w, w->source[i].alarm[k].name);
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

void
scripts_link(struct whole *w, struct site_alert *a,
    const struct alert_source *source)
{
	struct compile_options o;
	const struct program_set *set;
	struct compile *c;
	struct program *p;
	size_t i, k;

	whole_context(w, a->name, status_name[a->status], level_name[a->level],
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
			if (!w->scripts_failed &&
			    !left_out(w, source->alarm[i].name))
				unknown_alarm(w, &source->alarm[i]);
			continue;
		}
		k = (size_t)(e - w->where.entry);	/* as site.script has it */
		if (w->site.script[k].alert == NULL)
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

/* When a script runs is wrong: never, or not when it says. */
void
scripts_unused(struct whole *w)
{
	const struct site_script *s = w->site.script;
	const struct where *at;
	enum diag_id id;
	size_t i;
	bool own, watches;

	/* without alerts scripts are started by other means */
	if (w->scripts_failed || str_none(w->o->file[CONFIG_ALERTS]))
		return;
	for (i = 0; i < w->site.nscript; i++, s++) {
		own = s->program != NULL && (s->program->every > 0 ||
		    !str_none(s->program->timing));
		watches = s->program != NULL && s->program->watch_memory;
		if (s->alert != NULL ? !own : own || watches)
			continue;
		id = s->alert != NULL ? E_ALARM_TIMED : E_ALARM_UNUSED;
		at = map_get(&w->where, s->name)->v.ptr;
		diag_in(&w->diag, our_place(w,
		    compile_diag(w->file[at->file].plain), at->place),
		    (uint32_t)s->name.n, id, s->name, s->alert == NULL ?
		    STR_NIL : s->alert->name, STR_NIL);
	}
}

/* Whether anything of the site has used the macro. */
static bool
is_used(const struct whole *w, struct str macro)
{
	size_t i;

	for (i = 0; i < w->src.nuse; i++)
		if (str_eq(w->src.use[i].macro, macro))
			return true;
	for (i = 0; i < w->ncompile; i++)
		if (compile_uses(w->compile[i], macro))
			return true;
	return false;
}

void
scripts_macros(struct whole *w)
{
	struct compile_options bare = w->site.compile;
	struct preprocess library;
	const struct macro *m;
	struct str name, near;
	unsigned d, best;
	size_t i, k;

	if (w->scripts_failed || str_none(w->o->file[CONFIG_MACROS]))
		return;
	bare.nmacro_file = 0;
	preprocess_init(&library, &w->src, &w->diag, &w->arena, &bare);
	for (i = 0; i < w->pp.macro.n; i++) {
		name = w->pp.macro.entry[i].key;
		m = w->pp.macro.entry[i].v.ptr;
		if (name.n < LIM_NEAR_MACRO || !str_eq(w->src.file[m->file].
		    name, w->macros.name) || map_get(&library.macro, name) !=
		    NULL || is_used(w, name))
			continue;
		near = STR_NIL;
		best = 3;
		for (k = 0; k < library.macro.n; k++) {
			d = str_distance(library.macro.entry[k].key, name,
			    best);
			if (d < best) {
				best = d;
				near = library.macro.entry[k].key;
			}
		}
		if (!str_none(near))
			diag_in(&w->diag, source_place_in(&w->src, m->file,
			    m->off), (uint32_t)name.n, E_MACRO_NEAR, name,
			    near, STR_NIL);
	}
}

/* Whether what the file means outside of any alert matters to anyone. */
bool
scripts_matter(const struct whole *w, size_t file)
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
