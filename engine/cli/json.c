/* json: diagnostics for programs that read them. */
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "lang/base/num.h"
#include "engine/cli/incident.h"

#define LIM_TRAIL	256	/* macros and includes have lower limits */

struct json_diag {
	json_t	*list;
	json_t	*changed;	/* NULL: nothing is */
	size_t	 nerror, nwarning;
};

struct json_diag *
json_diag_new(void)
{
	struct json_diag *j = calloc(1, sizeof *j);

	if (j != NULL)
		j->list = json_array();
	return j;
}

/* Bytes that are no UTF-8 are shown escaped, as on a terminal. */
static json_t *
text(struct str s)
{
	json_t *t = json_stringn(str_shown(s).p, str_shown(s).n);
	struct mem m;
	struct buf b;

	if (t != NULL)
		return t;
	mem_init(&m, (size_t)64 << 20, NULL);
	buf_init(&b, &m);
	buf_escaped(&b, s, 0);
	t = json_stringn(buf_view(&b).p, b.n);
	buf_free(&b);
	return t;
}

static void
place(json_t *o, struct diag *d, struct place p)
{
	struct str name = d->src != NULL && p.file < d->src->nfile ?
	    d->src->file[p.file].name : STR_EMPTY;

	json_object_set_new(o, "file", text(name));
	json_object_set_new(o, "line", json_integer(p.line));
	json_object_set_new(o, "column", json_integer(p.col));
}

/* What led there: uses of macros, innermost first, then includes. */
static json_t *
trail(struct diag *d, struct place p)
{
	json_t *list = json_array(), *o;
	const struct source_file *f;
	const struct source_use *u;
	size_t n;

	for (n = 0; d->src != NULL && p.use != SOURCE_NONE && n < LIM_TRAIL;
	    n++) {
		u = &d->src->use[p.use];
		p = source_place_in(d->src, u->file, u->off);
		p.use = u->parent;
		o = json_object();
		place(o, d, p);
		json_object_set_new(o, "macro", text(u->macro));
		json_array_append_new(list, o);
	}
	for (; d->src != NULL && p.file < d->src->nfile && n < LIM_TRAIL &&
	    d->src->file[p.file].from != SOURCE_NONE; n++) {
		f = &d->src->file[p.file];
		p = source_place_in(d->src, f->from, f->from_off);
		o = json_object();
		place(o, d, p);
		json_array_append_new(list, o);
	}
	return list;
}

void
json_diag_add(struct json_diag *j, struct diag *d)
{
	const struct diag_item *it;
	json_t *o, *q;
	size_t i;

	if (j == NULL)
		return;
	j->nerror += d->nerror;
	j->nwarning += d->nwarning;
	for (i = 0; i < d->n; i++) {
		it = &d->item[i];
		o = json_object();
		place(o, d, it->place);
		json_object_set_new(o, "length", json_integer(it->len));
		json_object_set_new(o, "severity", json_string(
		    it->severity == DIAG_ERROR ? "error" : "warning"));
		json_object_set_new(o, "id", json_string(diag_name(it->id)));
		json_object_set_new(o, "message", text(it->text));
		if (it->hint.n > 0)
			json_object_set_new(o, "hint", text(it->hint));
		if (it->other_note != NULL) {
			q = json_object();
			place(q, d, it->other);
			json_object_set_new(q, "message",
			    json_string(it->other_note));
			json_object_set_new(o, "related", q);
		}
		q = trail(d, it->place);
		if (json_array_size(q) > 0)
			json_object_set(o, "from", q);
		json_decref(q);
		json_array_append_new(j->list, o);
	}
}

void
json_diag_say(struct json_diag *j, struct str path,
    enum diag_severity severity, struct str what)
{
	json_t *o;

	if (j == NULL)
		return;
	if (severity == DIAG_ERROR)
		j->nerror++;
	else
		j->nwarning++;
	o = json_object();
	json_object_set_new(o, "file", text(path));
	json_object_set_new(o, "severity", json_string(
	    severity == DIAG_ERROR ? "error" : "warning"));
	json_object_set_new(o, "message", text(what));
	json_array_append_new(j->list, o);
}

void
json_diag_changed(struct json_diag *j, struct str path)
{
	if (j == NULL)
		return;
	if (j->changed == NULL)
		j->changed = json_array();
	json_array_append_new(j->changed, text(path));
}

static int
put(const char *p, size_t n, void *ctx)
{
	(void)ctx;
	return cli_write(1, str_of(p, n)) ? 0 : -1;
}

int
json_diag_end(struct json_diag *j)
{
	json_t *o;
	int r;

	if (j == NULL)
		return EXIT_PROBLEMS;
	o = json_object();
	json_object_set_new(o, "errors", json_integer((json_int_t)j->nerror));
	json_object_set_new(o, "warnings",
	    json_integer((json_int_t)j->nwarning));
	json_object_set_new(o, "diagnostics", j->list);
	if (j->changed != NULL)
		json_object_set_new(o, "changed", j->changed);
	r = j->nerror > 0 ? EXIT_PROBLEMS : EXIT_FINE;
	if (json_dump_callback(o, put, NULL, JSON_INDENT(2)) != 0 ||
	    !cli_write(1, STR_LIT("\n")))
		r = EXIT_PROBLEMS;
	json_decref(o);
	free(j);
	return r;
}

static int
add(const char *p, size_t n, void *arg)
{
	buf_add(arg, p, n);
	return 0;
}

void
cli_json_put(json_t *top, struct buf *b)
{
	(void)json_dump_callback(top, add, b, JSON_INDENT(2));
	buf_putc(b, '\n');
	json_decref(top);
}
