/* Many mails as one. */
#include "engine/deliver/compose_inner.h"

#include "engine/deliver/encode.h"

#define LIM_TABLE	1000	/* rows: nobody reads more, and they are in the
				 * outbox's history */

static void
row(struct buf *b, const struct digest_item *it)
{
	char when[TIME_TEXT_MAX];

	encode_ctime((time_t)it->made, when);
	compose_indent(b, COMPOSE_INDENT);
	buf_puts(b, when);
	buf_puts(b, "  ");
	buf_escaped(b, it->subject, LIM_SUBJECT);
	buf_putc(b, '\n');
}

/* A body as it was, all of it or none: it has its own head. */
static void
bodies(struct buf *b, const struct digest_item *item, size_t n)
{
	size_t i, from = b->n, left = n;
	int l;

	for (l = 0; l < LEVEL_COUNT; l++)
		for (i = 0; i < n; i++) {
			if ((int)item[i].level != l)
				continue;
			if (b->n - from + item[i].body.n > LIM_MAIL_TEXT)
				continue;
			buf_putc(b, '\n');
			compose_indent(b, COMPOSE_INDENT);
			buf_puts(b, "----------------------------------------"
			    "\n\n");
			buf_str(b, item[i].body);
			left--;
		}
	if (left > 0) {
		buf_putc(b, '\n');
		compose_indent(b, COMPOSE_INDENT);
		buf_printf(b, "[%zu more are too long to be shown here]\n",
		    left);
	}
}

void
compose_digest(const struct mail *m, struct str why,
    const struct digest_item *item, size_t n, struct buf *subject,
    struct buf *body, struct buf *message, struct buf *json)
{
	enum level l = LEVEL_DEBUG;
	struct buf plain;
	struct str text;
	size_t i, from = body->n;

	for (i = 0; i < n; i++)
		if (item[i].level < l)
			l = item[i].level;
	buf_init(&plain, body->mem);
	buf_puts(&plain, "PIKT Alert on ");
	buf_str(&plain, m->host);
	buf_puts(&plain, ": ");
	if (m->alert.n > 0) {
		buf_str(&plain, m->alert);
		buf_puts(&plain, ", ");
	}
	buf_printf(&plain, "%zu alert%s", n, n == 1 ? "" : "s");
	buf_escaped(subject, buf_view(&plain), LIM_SUBJECT);
	buf_free(&plain);

	compose_head(m, body);
	buf_putc(body, '\n');
	compose_indent(body, COMPOSE_INDENT);
	buf_printf(body, "%zu alert%s in one mail: ", n, n == 1 ? "" : "s");
	buf_escaped(body, why, LIM_SUBJECT);
	buf_puts(body, "\n\n");
	for (i = 0; i < n && i < LIM_TABLE; i++)
		row(body, &item[i]);
	if (n > LIM_TABLE) {
		compose_indent(body, COMPOSE_INDENT);
		buf_printf(body, "[and %zu more]\n", n - LIM_TABLE);
	}
	bodies(body, item, n);
	text = str_of(body->p + from, body->n - from);
	compose_write(m, buf_view(subject), l, text, message);
	compose_json(m, buf_view(subject), l, text, item, n, json);
}
