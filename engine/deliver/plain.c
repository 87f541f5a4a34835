#include "engine/deliver/plain.h"

#include "engine/deliver/compose.h"
#include "engine/deliver/notice.h"

void
plain_notice(const struct plain *p, struct notice *n, struct arena *a)
{
	struct mail_section section = { .level = p->level, .script = p->title,
	    .task = STR_EMPTY, .lines = p->text, .error = STR_EMPTY };
	struct mail m = { .host = p->host, .alert = p->alert,
	    .run_id = p->run, .when = (time_t)p->now, .from = p->from,
	    .to = p->to, .nto = p->nto, .section = &section, .nsection = 1 };
	struct buf subject, body, message, json, id;
	size_t i;

	buf_init(&subject, a->mem);
	buf_init(&body, a->mem);
	buf_init(&message, a->mem);
	buf_init(&json, a->mem);
	buf_init(&id, a->mem);
	for (i = 0; i < p->subject.n; i++) {
		if (p->subject.p[i] == '%')	/* it is no template */
			buf_putc(&subject, '%');
		buf_putc(&subject, p->subject.p[i]);
	}
	m.subject = buf_view(&subject);
	compose_id(p->run, 0, p->host, &id);
	m.message_id = buf_view(&id);
	compose_body(&m, &body);
	compose_message(&m, buf_view(&body), &message);
	notice_json(&m, buf_view(&body), &json);
	memset(n, 0, sizeof *n);
	n->id = arena_dup(a, buf_view(&id));
	n->message = arena_dup(a, buf_view(&message));
	n->body = arena_dup(a, buf_view(&body));
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
	buf_free(&id);
}
