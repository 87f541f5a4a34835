#include "engine/deliver/plain.h"

#include <jansson.h>

#include "engine/deliver/compose.h"
#include "lang/base/num.h"

static json_t *
text(struct str s, struct mem *m)
{
	json_t *t = json_stringn(s.p, s.n);
	struct buf b;

	if (t != NULL)
		return t;
	buf_init(&b, m);		/* no UTF-8 */
	buf_escaped(&b, s, 0);
	t = json_stringn(b.p, b.n);
	buf_free(&b);
	return t;
}

static int
dump(const char *p, size_t n, void *arg)
{
	buf_add(arg, p, n);
	return 0;
}

/* See notice.h. */
static void
add_json(const struct plain *p, struct str id, struct str body, struct buf *b)
{
	json_t *o = json_object();

	json_object_set_new(o, "id", text(id, b->mem));
	json_object_set_new(o, "run", text(p->run, b->mem));
	json_object_set_new(o, "host", text(p->host, b->mem));
	json_object_set_new(o, "alert", text(p->alert, b->mem));
	json_object_set_new(o, "level", json_string(level_name[p->level]));
	json_object_set_new(o, "time", num_is_int(p->now) ?
	    json_integer((json_int_t)p->now) : json_real(p->now));
	json_object_set_new(o, "subject", text(p->subject, b->mem));
	json_object_set_new(o, "text", text(body, b->mem));
	json_object_set_new(o, "scripts", json_array());
	json_object_set_new(o, "changes", json_array());
	(void)json_dump_callback(o, dump, b, JSON_COMPACT);
	json_decref(o);
}

/* The id that the message got. */
static struct str
message_id(struct str message)
{
	static const char name[] = "\nMessage-ID: <";
	size_t at, n = sizeof name - 1, end;

	for (at = 0; at + n < message.n; at++)
		if (memcmp(message.p + at, name, n) == 0) {
			end = str_find(message, '>', at);
			return str_of(message.p + at + n, end - at - n);
		}
	return STR_EMPTY;
}

void
plain_notice(const struct plain *p, struct notice *n, struct arena *a)
{
	struct mail_section section = { .level = p->level, .script = p->title,
	    .task = STR_EMPTY, .lines = p->text, .error = STR_EMPTY };
	struct mail m = { .host = p->host, .alert = p->alert,
	    .run_id = p->run, .when = (time_t)p->now, .from = p->from,
	    .to = p->to, .nto = p->nto, .section = &section, .nsection = 1 };
	struct buf subject, body, message, json;
	size_t i;

	buf_init(&subject, a->mem);
	buf_init(&body, a->mem);
	buf_init(&message, a->mem);
	buf_init(&json, a->mem);
	for (i = 0; i < p->subject.n; i++) {
		if (p->subject.p[i] == '%')	/* it is no template */
			buf_putc(&subject, '%');
		buf_putc(&subject, p->subject.p[i]);
	}
	m.subject = buf_view(&subject);
	compose_body(&m, &body);
	compose_message(&m, buf_view(&body), &message);
	memset(n, 0, sizeof *n);
	n->message = arena_dup(a, buf_view(&message));
	n->body = arena_dup(a, buf_view(&body));
	n->id = arena_dup(a, message_id(n->message));
	add_json(p, n->id, n->body, &json);
	n->json = arena_dup(a, buf_view(&json));
	n->run = arena_dup(a, p->run);
	n->alert = arena_dup(a, p->alert);
	n->level = p->level;
	n->made = p->now;
	n->subject = arena_dup(a, p->subject);
	n->from = p->from;
	n->to = p->to;
	n->nto = p->nto;
	n->first = n->route = STR_EMPTY;
	buf_free(&subject);
	buf_free(&body);
	buf_free(&message);
	buf_free(&json);
}
