#include "engine/deliver/notice.h"

#include <jansson.h>

#include "engine/deliver/compose_inner.h"
#include "lang/base/num.h"

/* Bytes that are no UTF-8 are shown escaped, as in the mail. */
static void
put(json_t *o, const char *name, struct str s, struct mem *m)
{
	json_t *t = json_stringn(s.p, s.n);
	struct buf b;

	if (t == NULL) {
		buf_init(&b, m);
		buf_escaped(&b, s, 0);
		t = json_stringn(buf_c(&b), b.n);
		buf_free(&b);
	}
	json_object_set_new(o, name, t);
}

/* The same, where there is something. */
static void
put_some(json_t *o, const char *name, struct str s, struct mem *m)
{
	if (!str_none(s) && s.n > 0)
		put(o, name, s, m);
}

static void
put_number(json_t *o, const char *name, double d)
{
	json_object_set_new(o, name, num_is_int(d) ?
	    json_integer((json_int_t)d) : num_fine(d) ? json_real(d) :
	    json_integer(0));
}

/* No more than the mail itself has: whole lines, and how much is left out. */
static void
put_lines(json_t *o, struct str lines, size_t max, struct mem *m)
{
	size_t cut = max, i, n = 0;
	struct buf b;

	if (lines.n <= max) {
		put_some(o, "lines", lines, m);
		return;
	}
	while (cut > 0 && lines.p[cut - 1] != '\n')
		cut--;
	if (cut == 0)
		cut = max;
	for (i = cut; i < lines.n; i = str_find(lines, '\n', i) + 1)
		n++;
	buf_init(&b, m);
	buf_add(&b, lines.p, cut);
	buf_printf(&b, "%s[%zu more lines, %zu bytes, are not shown]\n",
	    lines.p[cut - 1] == '\n' ? "" : "\n", n, lines.n - cut);
	put(o, "lines", buf_view(&b), m);
	buf_free(&b);
}

static json_t *
script(const struct mail_section *s, size_t share, struct mem *m)
{
	json_t *o = json_object();

	put(o, "script", s->script, m);
	json_object_set_new(o, "level", json_string(level_name[s->level]));
	put_some(o, "task", s->task, m);
	put_lines(o, s->lines, share, m);
	put_some(o, "error", s->error, m);
	if (s->interrupted)
		put(o, "interrupted", s->done, m);
	return o;
}

static json_t *
change(const struct change *c, struct str script, struct mem *m)
{
	const struct incident *in = c->incident;
	json_t *o = json_object();
	struct buf says;

	buf_init(&says, m);
	incident_says(in, c->what, c->now, &says);
	json_object_set_new(o, "what", json_string(notice_name[c->what]));
	put(o, "says", buf_view(&says), m);
	put(o, "key", in->key, m);
	put(o, "id", in->id, m);
	put(o, "script", in->script.n > 0 ? in->script : script, m);
	json_object_set_new(o, "level",
	    json_string(level_name[compose_level_of(in->level)]));
	put(o, "message", in->message, m);
	put_some(o, "evidence", in->evidence, m);
	put_some(o, "place", in->place, m);
	put_some(o, "done", in->done, m);
	put_number(o, "since", in->since);
	put_number(o, "fired", in->fired);
	put_number(o, "ended", in->ended);
	put_number(o, "remind", in->remind);
	put_some(o, "who", c->who.n > 0 ? c->who : in->acked_by, m);
	put_some(o, "why", c->why.n > 0 ? c->why : in->acked_why, m);
	put_some(o, "thread", in->thread, m);
	buf_free(&says);
	return o;
}

static int
dump(const char *p, size_t n, void *to)
{
	buf_add(to, p, n);
	return 0;
}

/* What the JSON of another notice has in a list goes into this one's. */
static void
take(json_t *list, const json_t *other, const char *name)
{
	json_t *from = json_object_get(other, name);

	if (json_is_array(from))
		(void)json_array_extend(list, from);
}

void
compose_json(const struct mail *m, struct str subject, enum level l,
    struct str body, const struct digest_item *item, size_t n, struct buf *out)
{
	json_t *o = json_object(), *scripts = json_array(),
	    *changes = json_array(), *other;
	const struct mail_section *s;
	struct buf id;
	size_t i, k, share = LIM_MAIL_TEXT / 2 / (m->nsection + 1);

	for (k = 0; k < m->nsection; k++) {
		s = &m->section[k];
		if (s->lines.n > 0 || s->error.n > 0 || s->interrupted)
			json_array_append_new(scripts, script(s, share,
			    out->mem));
		for (i = 0; i < s->nchange; i++)
			json_array_append_new(changes, change(&s->change[i],
			    s->script, out->mem));
	}
	for (i = 0; i < n; i++) {
		other = json_loadb(item[i].json.p, item[i].json.n, 0, NULL);
		take(scripts, other, "scripts");
		take(changes, other, "changes");
		json_decref(other);
	}
	buf_init(&id, out->mem);
	compose_own_id(m, &id);
	put(o, "id", buf_view(&id), out->mem);
	buf_free(&id);
	put(o, "run", m->run_id, out->mem);
	put(o, "host", m->host, out->mem);
	put(o, "alert", m->alert, out->mem);
	json_object_set_new(o, "level", json_string(level_name[l]));
	put_number(o, "time", (double)m->when);
	put(o, "subject", subject, out->mem);
	put(o, "text", body, out->mem);
	json_object_set_new(o, "scripts", scripts);
	json_object_set_new(o, "changes", changes);
	(void)json_dump_callback(o, dump, out, JSON_COMPACT);
	json_decref(o);
}

void
notice_json(const struct mail *m, struct str body, struct buf *out)
{
	struct buf subject;

	buf_init(&subject, out->mem);
	compose_subject(m, &subject);
	compose_json(m, buf_view(&subject), compose_level(m), body, NULL, 0,
	    out);
	buf_free(&subject);
}
