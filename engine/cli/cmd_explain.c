/* cmd_explain: what a script reads, its thresholds, what it would tell and
 * do, for who has to decide whether it may run. */
#include <unistd.h>

#include "engine/cli/doc_script.h"
#include "engine/cli/incident.h"
#include "engine/cli/plan.h"

#define MARGIN		12	/* columns of the words at the left */
#define NAME_WIDTH	26	/* and of a macro's name */

struct explain {
	struct cli	*c;
	struct compile	*compile;
	const struct program *program;
	uint32_t	 script;	/* its number */
	struct buf	 b;
	json_t		*json;		/* NULL: text */
};

/* --- finding it --- */

/* The file of a script, and the only one in it that is meant; NIL: told of. */
static struct str
find(struct cli *c, const char *arg, struct str *only)
{
	bool file = cli_says_file(str_c(arg));
	const struct site_script *s;
	struct nearest near;
	struct str path;

	*only = STR_NIL;
	if (!cli_open_site(c, file))
		return STR_NIL;
	if (!file && c->site != NULL &&
	    (s = site_script(c->site, str_c(arg))) != NULL &&
	    s->program != NULL) {
		*only = str_c(arg);
		return s->program->file;
	}
	if (file || access(arg, F_OK) == 0)
		return str_c(arg);
	*only = str_c(arg);
	path = cli_bundled_path(c, arg);
	if (!str_none(path))
		return path;
	near = words_nearest(str_c(arg));
	plan_offer_scripts(c, &near);
	if (near.best != NULL)
		cli_say("explain: %s: no such script or file; did you mean %s?",
		    arg, near.best);
	else
		cli_say("explain: %s: no such script or file; picket doc lists "
		    "those that come with Picket, picket list those of the "
		    "site", arg);
	return path;
}

/* --- text --- */

static void
colour(struct explain *e, const char *code)
{
	if (e->c->colour_out)
		buf_puts(&e->b, code);
}

/* A word at the left, once; behind it, or below, what belongs to it. */
static void
label(struct explain *e, const char *word)
{
	size_t n = strlen(word), i;

	colour(e, "\033[1m");
	buf_puts(&e->b, word);
	colour(e, "\033[0m");
	for (i = n; i < MARGIN; i++)
		buf_putc(&e->b, ' ');
}

static void
under(struct explain *e, bool *first, const char *word)
{
	label(e, *first ? word : "");
	*first = false;
}

/* "DiskFull.pikt:20", of a site's own "/etc/picket/macros.cfg:3" */
static void
where(struct explain *e, struct place p)
{
	struct diag *d = compile_diag(e->compile);
	struct str name;
	size_t i, at = 0;

	if (p.file >= d->src->nfile)
		return;
	name = d->src->file[p.file].name;
	for (i = 0; i < name.n; i++)
		if (name.p[i] == '/')
			at = i + 1;
	/* which macros.cfg: the one of the site is where to change it */
	if (str_ends(name, ".cfg") && !str_starts(name, cli_library()))
		at = 0;
	colour(e, "\033[2m");
	buf_printf(&e->b, "  %.*s:%u", (int)(name.n - at), name.p + at,
	    p.line);
	colour(e, "\033[0m");
}

static void
schedule(struct explain *e)
{
	const struct site *s = e->c->site;
	const struct program *p = e->program;
	const struct site_alert *a;
	bool first = true, own;
	size_t i, k, t;

	for (i = 0; s != NULL && i < s->nalert; i++) {
		a = &s->alert[i];
		for (k = 0; k < a->nalarm; k++)
			if (str_eq(a->alarm[k].name, p->name))
				break;
		if (k == a->nalarm)
			continue;
		under(e, &first, "runs");
		buf_puts(&e->b, "in alert ");
		buf_str(&e->b, a->name);
		for (t = 0; t < a->ntiming; t++) {
			buf_puts(&e->b, t == 0 ? ": " : "; ");
			cli_timing(&e->b, &a->timing[t]);
		}
		if (a->every > 0) {
			buf_puts(&e->b, ": every ");
			cli_duration(&e->b, a->every);
		}
		buf_printf(&e->b, "  (%s, %s)\n", status_name[a->alarm[k].status],
		    level_name[a->alarm[k].level]);
	}
	/* its own times are not used where an alert has others */
	own = first && (p->every > 0 || !str_none(p->timing));
	if (own || p->watch_memory) {
		under(e, &first, "runs");
		if (own && p->every > 0) {
			buf_puts(&e->b, "every ");
			cli_duration(&e->b, p->every);
		} else if (own)
			buf_str(&e->b, p->timing);
		if (p->watch_memory)
			buf_puts(&e->b, own ? ", and when memory gets short" :
			    "when memory gets short");
		buf_putc(&e->b, '\n');
	}
	if (first) {
		under(e, &first, "runs");
		buf_puts(&e->b, "in no alert here; try it: picket run -n ");
		buf_str(&e->b, p->name);
		buf_putc(&e->b, '\n');
	}
}

/* Commands and the context are no thresholds. */
static bool
is_setting(struct explain *e, const struct compile_macro *m)
{
	struct diag *d = compile_diag(e->compile);
	struct str name;
	size_t i, at = 0;

	if (m->place.file >= d->src->nfile)
		return true;
	name = d->src->file[m->place.file].name;
	for (i = 0; i < name.n; i++)
		if (name.p[i] == '/')
			at = i + 1;
	name = str_of(name.p + at, name.n - at);
	return !str_starts(name, "macros-") && (name.n == 0 ||
	    name.p[0] != '=');
}

static void
settings(struct explain *e)
{
	const struct compile_macro *m;
	bool first = true;
	size_t i, n, k;

	m = compile_macros(e->compile, &n);
	for (i = 0; i < n; i++) {
		if (!is_setting(e, &m[i]))
			continue;
		under(e, &first, "thresholds");
		buf_str(&e->b, m[i].name);
		for (k = m[i].name.n; k < NAME_WIDTH; k++)
			buf_putc(&e->b, ' ');
		buf_putc(&e->b, ' ');
		buf_escaped(&e->b, m[i].body, 60);
		where(e, m[i].place);
		buf_putc(&e->b, '\n');
	}
}

/* Items of some kinds under one word. */
static void
items(struct explain *e, unsigned kinds, const char *word)
{
	const struct compile_outline *o;
	bool first = true;
	size_t i, n;

	o = compile_outline(e->compile, &n);
	for (i = 0; i < n; i++) {
		if (o[i].script != e->script || (kinds & 1u << o[i].kind) == 0)
			continue;
		under(e, &first, word);
		if (o[i].kind == OUTLINE_CLAUSE)
			buf_puts(&e->b, "    ");
		if (o[i].kind != OUTLINE_ACT && o[i].word.n > 0) {
			buf_str(&e->b, o[i].word);
			buf_putc(&e->b, ' ');
		}
		buf_escaped(&e->b, o[i].text, 0);
		where(e, o[i].place);
		if (o[i].doexec)
			buf_puts(&e->b, e->program->doexec ||
			    cli_define(e->c, "doexec") ?
			    "  (define doexec is TRUE)" :
			    "  (not done: define doexec is FALSE)");
		buf_putc(&e->b, '\n');
	}
	if (first && word[0] == 'd') {
		label(e, word);
		buf_puts(&e->b, "nothing but read and tell\n");
	}
}

/* Each name once. */
static void
kept(struct explain *e)
{
	const struct program *p = e->program;
	bool first = true;
	uint32_t i;

	for (i = 0; i < p->nkept; i++) {
		if (!p->kept[i].previous)
			continue;
		if (first)
			under(e, &first, "keeps");
		else
			buf_puts(&e->b, ", ");
		buf_putc(&e->b, p->kept[i].number ? '#' : '$');
		buf_str(&e->b, p->kept[i].name);
	}
	if (!first)
		buf_puts(&e->b, " from run to run\n");
}

static void
help(struct explain *e, struct str path)
{
	struct site_bundled f = { e->program->name, path };
	struct buf page;
	struct str h;

	buf_init(&page, &e->c->mem);
	colour(e, "\033[1m");
	buf_str(&e->b, e->program->name);
	colour(e, "\033[0m");
	if (doc_script(e->c, &f, &page)) {
		h = doc_script_help(buf_view(&page), e->program->name);
		if (h.n > 0 && e->script == 0) {
			buf_puts(&e->b, ": ");
			buf_str(&e->b, h);
		}
	}
	buf_putc(&e->b, '\n');
	buf_free(&page);
	label(e, "file");
	buf_str(&e->b, path);
	buf_putc(&e->b, '\n');
	label(e, "level");
	buf_printf(&e->b, "%s, status %s\n", level_name[e->program->level],
	    status_name[e->program->status]);
}

static void
explain(struct explain *e, struct str path)
{
	if (e->b.n > 0)
		buf_putc(&e->b, '\n');
	help(e, path);
	schedule(e);
	items(e, 1u << OUTLINE_INPUT, "reads");
	settings(e);
	items(e, 1u << OUTLINE_INCIDENT | 1u << OUTLINE_CLAUSE, "incidents");
	items(e, 1u << OUTLINE_OUTPUT, "writes");
	items(e, 1u << OUTLINE_EXEC | 1u << OUTLINE_ACT, "does");
	items(e, 1u << OUTLINE_RECORD, "records");
	kept(e);
}

/* --- JSON --- */

static void
json_place(struct explain *e, json_t *o, struct place p)
{
	struct diag *d = compile_diag(e->compile);

	if (p.file >= d->src->nfile)
		return;
	json_object_set_new(o, "file", look_json_text(&e->c->mem,
	    d->src->file[p.file].name));
	json_object_set_new(o, "line", json_integer(p.line));
}

static void
explain_json(struct explain *e)
{
	static const char *const kind[] = { "input", "incident", "clause",
	    "output", "exec", "act", "record", "before" };
	json_t *s = json_object(), *list = json_array(), *o;
	const struct compile_outline *out;
	const struct compile_macro *m;
	size_t i, n;

	json_object_set_new(s, "script", look_json_text(&e->c->mem, e->program->name));
	json_object_set_new(s, "level",
	    json_string(level_name[e->program->level]));
	m = compile_macros(e->compile, &n);
	for (i = 0; i < n; i++) {
		if (!is_setting(e, &m[i]))
			continue;
		o = json_object();
		json_object_set_new(o, "name", look_json_text(&e->c->mem, m[i].name));
		json_object_set_new(o, "value", look_json_text(&e->c->mem, m[i].body));
		json_place(e, o, m[i].place);
		json_array_append_new(list, o);
	}
	json_object_set_new(s, "thresholds", list);
	list = json_array();
	out = compile_outline(e->compile, &n);
	for (i = 0; i < n; i++) {
		if (out[i].script != e->script)
			continue;
		o = json_object();
		json_object_set_new(o, "kind", json_string(kind[out[i].kind]));
		json_object_set_new(o, "word", look_json_text(&e->c->mem, out[i].word));
		json_object_set_new(o, "text", look_json_text(&e->c->mem, out[i].text));
		json_object_set_new(o, "doexec", json_boolean(out[i].doexec));
		json_place(e, o, out[i].place);
		json_array_append_new(list, o);
	}
	json_object_set_new(s, "items", list);
	json_array_append_new(e->json, s);
}

/* --- the command --- */

int
cmd_explain(struct cli *c)
{
	struct explain e = { .c = c };
	struct str path, only;
	struct loaded l;
	int r = EXIT_FINE;
	json_t *top;
	size_t i;

	if (c->narg != 1) {
		cli_usage(c, CMD_EXPLAIN, 2);
		return EXIT_USAGE;
	}
	if (!cli_configuration(c, c->value[OPT_CONFIG]))
		return EXIT_USAGE;
	path = find(c, c->arg[0], &only);
	if (str_none(path))
		return EXIT_PROBLEMS;
	cli_load(c, arena_dup(&c->arena, path).p, false, &l);
	if (!l.ok || l.compile == NULL) {
		if (l.ok)
			cli_say("explain: %.*s is compiled: its source is "
			    "needed", (int)path.n, path.p);
		cli_unload(&l);
		return EXIT_PROBLEMS;
	}
	buf_init(&e.b, &c->mem);
	e.compile = l.compile;
	if (c->given[OPT_JSON])
		e.json = json_array();
	for (i = 0; i < l.set.n; i++) {
		e.program = &l.set.program[i];
		e.script = (uint32_t)i;
		if (!str_none(only) && !str_eq(e.program->name, only) &&
		    l.set.n > 1)
			continue;
		if (e.json != NULL)
			explain_json(&e);
		else
			explain(&e, path);
	}
	if (e.json != NULL) {
		top = json_object();
		json_object_set_new(top, "scripts", e.json);
		cli_json_put(top, &e.b);
	}
	if (!cli_write(1, buf_view(&e.b)))
		r = EXIT_PROBLEMS;
	buf_free(&e.b);
	cli_unload(&l);
	site_free(c->site);
	return r;
}
