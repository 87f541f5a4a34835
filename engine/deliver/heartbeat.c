/*
 * heartbeat: tells a service that watches the watcher that we live, and that
 * all was sent: healthchecks and what speaks its way.  A job without a body
 * is a sign of life; a body is why not all is well, and goes to the fail form.
 *
 * rid pairs the start and the end of a run; ours is the run's id as a UUID.
 */
#include <stdio.h>

#include "engine/deliver/http.h"
#include "engine/deliver/items.h"

#define LIM_BEAT	(10 * 1024)	/* bytes: what healthchecks' own service
					 * keeps of a body is 100 kB; a reason is
					 * a line */

/* A UUID (version 8: made our way) of a run's id. */
static void
add_rid(struct buf *b, struct str run)
{
	uint64_t h[2] = { UINT64_C(0xcbf29ce484222325),
	    UINT64_C(0x84222325cbf29ce4) };
	size_t i, k;

	for (k = 0; k < 2; k++)		/* FNV-1a: it need only differ */
		for (i = 0; i < run.n; i++)
			h[k] = (h[k] ^ (unsigned char)run.p[i]) *
			    UINT64_C(0x100000001b3);
	buf_printf(b, "%08x-%04x-8%03x-%04x-%012llx",
	    (unsigned)(h[0] >> 32), (unsigned)(h[0] >> 16 & 0xffff),
	    (unsigned)(h[0] & 0xfff), (unsigned)(h[1] >> 48 & 0x3fff) | 0x8000,
	    (unsigned long long)(h[1] & UINT64_C(0xffffffffffff)));
}

static void
make_url(struct buf *b, const struct attempt *a, struct str base, bool failed)
{
	const struct transport *t = a->transport;
	size_t query;

	if (failed && transport_has(t, OPTION_FAIL)) {
		buf_str(b, t->arg[OPTION_FAIL]);
	} else {
		/* /fail belongs to the path, which ends where a query begins */
		query = str_find(base, '?', 0);
		buf_add(b, base.p, query);
		while (failed && b->n > 0 && b->p[b->n - 1] == '/')
			b->n--;
		if (failed)
			buf_puts(b, "/fail");
		buf_add(b, base.p + query, base.n - query);
	}
	if (a->job->run.n == 0)
		return;
	buf_puts(b, str_find(buf_view(b), '?', 0) < b->n ? "&rid=" : "?rid=");
	add_rid(b, a->job->run);
}

static enum outcome
heartbeat_send(struct attempt *a)
{
	const struct transport *t = a->transport;
	char secret[LIM_SECRET + 1] = "";
	struct http_request r = { .timeout = t->timeout };
	struct str reason = str_trim(a->job->body);
	struct http_answer w;
	struct buf url, text, cut;
	enum outcome o;

	if (transport_has(t, OPTION_URLFILE) &&
	    !http_secret(a, OPTION_URLFILE, secret))
		return OUTCOME_FAIL;
	buf_init(&url, a->why->mem);
	buf_init(&text, a->why->mem);
	buf_init(&cut, a->why->mem);
	http_answer_init(&w, a->why->mem);
	make_url(&url, a, t->nurl > 0 ? t->url[0] : str_c(secret),
	    reason.n > 0);
	text_clean(&text, reason);
	text_cut(&cut, buf_view(&text), TEXT_BYTES, LIM_BEAT);
	r.url = buf_view(&url);
	r.method = reason.n > 0 ? "POST" : "GET";
	if (reason.n > 0) {
		r.body = buf_view(&cut);
		r.type = "text/plain; charset=utf-8";
	}
	o = http_do(a, &r, &w);
	explicit_bzero(secret, sizeof secret);
	http_answer_free(&w);
	buf_free(&cut);
	buf_free(&text);
	buf_free(&url);
	return o;
}

const struct sender heartbeat_sender = {
	.name = "heartbeat",
	.send = heartbeat_send,
};
