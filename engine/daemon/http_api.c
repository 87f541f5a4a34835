/*
 * http_api: /api/v1, JSON for programs.  Incidents and silences are as in
 * `picket incidents --json`; numbers are seconds, times since 1970.
 */
#include "engine/daemon/http.h"

#include "lang/base/num.h"

static int
add(const char *p, size_t n, void *arg)
{
	buf_add(arg, p, n);
	return 0;
}

static void
put(struct web *w, json_t *o, struct buf *b)
{
	json_object_set_new(o, "host", look_json_text(&w->mem, w->host));
	json_object_set_new(o, "time", look_json_number(w->now));
	(void)json_dump_callback(o, add, b, JSON_COMPACT);
	buf_putc(b, '\n');
	json_decref(o);
}

static void
text(struct web *w, json_t *o, const char *name, struct str s)
{
	json_object_set_new(o, name, look_json_text(&w->mem, s));
}

static void
number(json_t *o, const char *name, double d)
{
	json_object_set_new(o, name, num_none(d) ? json_null() :
	    look_json_number(d));
}

static void
incidents(struct web *w, const struct web_query *q, json_t *top)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < w->nworst; i++)
		if (q->all || w->worst[i]->state != INCIDENT_QUIET ||
		    incident_is_unknown(w->worst[i]))
			json_array_append_new(list, look_json_incident(
			    &w->look, w->worst[i]));
	json_object_set_new(top, "incidents", list);
}

static void
silences(struct web *w, const struct web_query *q, json_t *top)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; w->has_store && i < w->look.nquiet; i++)
		if (q->all || hush_holds(&w->look.quiet[i], w->now))
			json_array_append_new(list, look_json_silence(
			    &w->look, &w->look.quiet[i]));
	json_object_set_new(top, "silences", list);
}

static void
runs(struct web *w, const struct web_query *q, json_t *top)
{
	size_t i, n = num_none(q->limit) ? 100 : (size_t)q->limit;
	json_t *list = json_array(), *o;
	struct web_run *r = NULL;

	n = web_runs(w, q->alert, n, &r);
	for (i = 0; i < n; i++) {
		o = json_object();
		text(w, o, "run", r[i].run);
		text(w, o, "alert", r[i].alert);
		text(w, o, "result", r[i].result);
		text(w, o, "reason", r[i].reason);
		text(w, o, "error", r[i].error);
		number(o, "due", r[i].due);
		number(o, "began", r[i].began);
		number(o, "ended", r[i].ended);
		number(o, "lines", r[i].lines);
		json_object_set_new(o, "level",
		    json_string(level_name[r[i].level]));
		json_array_append_new(list, o);
	}
	json_object_set_new(top, "runs", list);
}

static void
scripts(struct web *w, json_t *top)
{
	json_t *list = json_array(), *o;
	size_t i;

	for (i = 0; i < w->nowner; i++) {
		o = json_object();
		text(w, o, "alert", w->owner[i].alert);
		text(w, o, "script", w->owner[i].script);
		number(o, "runs", w->owner[i].runs);
		number(o, "good", w->owner[i].good);
		number(o, "bad_in_a_row", w->owner[i].bad);
		number(o, "last", w->owner[i].last);
		json_array_append_new(list, o);
	}
	json_object_set_new(top, "scripts", list);
}

static void
series(struct web *w, const struct web_query *q, json_t *top)
{
	struct web_step step[HTTP_STEPS + 1];
	json_t *list = json_array(), *o, *points, *p;
	const struct web_series *s;
	size_t i, k, n;

	for (i = 0; i < w->nseries; i++) {
		s = &w->series[i];
		if ((!str_none(q->alert) && !str_eq(q->alert, s->alert)) ||
		    (!str_none(q->script) && !str_eq(q->script, s->script)) ||
		    (!str_none(q->series) && !str_eq(q->series, s->name)))
			continue;
		o = json_object();
		text(w, o, "alert", s->alert);
		text(w, o, "script", s->script);
		text(w, o, "series", s->name);
		number(o, "points", s->points);
		number(o, "last_time", s->time);
		number(o, "last", s->value);
		json_array_append_new(list, o);
		if (str_none(q->series) || str_none(q->alert))
			continue;
		n = web_steps(w, s, w->now - q->hours * 3600, step);
		points = json_array();
		for (k = 0; k < n; k++) {
			p = json_object();
			number(p, "time", step[k].time);
			number(p, "mean", step[k].mean);
			number(p, "least", step[k].least);
			number(p, "most", step[k].most);
			number(p, "count", step[k].n);
			json_array_append_new(points, p);
		}
		json_object_set_new(o, "steps", points);
	}
	json_object_set_new(top, "series", list);
}

static void
health(struct web *w, json_t *top)
{
	json_t *list = json_array();
	struct str rest;
	struct buf why;
	size_t k;

	buf_init(&why, &w->mem);
	web_health(w, &why);
	json_object_set_new(top, "well", json_boolean(why.n == 0));
	for (rest = buf_view(&why); rest.n > 0; ) {
		k = str_find(rest, '\n', 0);
		json_array_append_new(list, look_json_text(&w->mem,
		    str_of(rest.p, k)));
		k += k < rest.n;
		rest = str_of(rest.p + k, rest.n - k);
	}
	buf_free(&why);
	json_object_set_new(top, "why", list);
}

bool
web_api(struct web *w, struct str path, const struct web_query *q,
    struct buf *b)
{
	static const char *const known[][2] = {
#define API(path, meaning) { path, meaning },
#include "engine/daemon/http.def"
#undef API
	};
	json_t *top = json_object(), *o;
	size_t i;

	if (path.n > 0 && path.p[0] == '/')
		path = str_of(path.p + 1, path.n - 1);
#define IS(name) str_eq(path, STR_LIT(name))
	if (path.n == 0) {
		o = json_object();
		for (i = 0; i < sizeof known / sizeof known[0]; i++)
			json_object_set_new(o, known[i][0],
			    json_string(known[i][1]));
		json_object_set_new(top, "paths", o);
	} else if (IS("status")) {
		if (w->status != NULL)
			json_object_update(top, w->status);
		else
			json_object_set_new(top, "ok", json_false());
	} else if (IS("alerts")) {
		o = json_object_get(w->status, "alerts");
		json_object_set(top, "alerts", o == NULL ? json_null() : o);
	} else if (IS("health"))
		health(w, top);
	else if (IS("incidents"))
		incidents(w, q, top);
	else if (IS("silences"))
		silences(w, q, top);
	else if (IS("runs"))
		runs(w, q, top);
	else if (IS("scripts"))
		scripts(w, top);
	else if (IS("series"))
		series(w, q, top);
	else if (IS("outbox")) {
		number(top, "waiting", w->waiting);
		number(top, "dead", w->dead);
		number(top, "tried_in_vain", w->tried);
		number(top, "oldest", w->oldest);
	} else {
		json_decref(top);
		return false;
	}
#undef IS
	put(w, top, b);
	return true;
}
