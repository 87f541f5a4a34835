/*
 * net: what is asked of daemons and other hosts.  Their arguments are judged
 * here; the host does the asking (engine/effect/contact.c).
 */
#include "engine/builtin/arg.h"
#include "lang/base/re.h"

#define LIM_SECONDS	3600.0	/* an hour is not a check any more */
#define WAIT_SECONDS	30.0	/* if nothing is said */
#define LIM_PAGE	(1 << 20)	/* bytes of a page: a status, not a download */

struct wanted {
	struct re	*re;
	bool		 limit;		/* it was too much work */
};

static bool
enough(void *arg, struct str got)
{
	struct wanted *w = arg;
	enum re_result r;

	/* $ is for the end of the last line, not for what ends it */
	if (got.n > 0 && got.p[got.n - 1] == '\n')
		got.n--;
	if (got.n > 0 && got.p[got.n - 1] == '\r')
		got.n--;
	r = re_match(w->re, got, 0, NULL);
	w->limit = r == RE_LIMIT;
	return r != RE_NO;
}

/* The i-th number, if it is given. */
static bool
seconds(struct call *c, unsigned i, struct contact *a)
{
	char t[NUM_TEXT_MAX];

	a->seconds = i < c->nn ? c->n[i] : WAIT_SECONDS;
	if (a->seconds > 0 && a->seconds <= LIM_SECONDS)
		return true;
	vm_domain(c, "%.*s is no time above 0, up to %.0f seconds",
	    (int)num_text(a->seconds, t), t, LIM_SECONDS);
	return false;
}

/* The first text and the first number: "host:port". */
static bool
host_port(struct call *c, struct contact *a)
{
	struct buf *b = vm_buf(c->vm);
	int64_t port;
	bool bare;

	if (!arg_int(c, 0, 1, 65535, &port))
		return false;
	bare = str_find(c->s[0], ':', 0) < c->s[0].n && c->s[0].p[0] != '[';
	buf_puts(b, bare ? "[" : "");
	buf_str(b, c->s[0]);
	buf_printf(b, bare ? "]:%d" : ":%d", (int)port);
	a->address = arg_result(c, b);
	return true;
}

/* Asks; false: it failed, which was said. */
static bool
ask(struct call *c, const struct contact *a, struct contact_result *r)
{
	const struct host *host;
	void *h;

	host = vm_host(c->vm, &h);
	host->contact(h, a, r);
	if (!num_none(r->n) && (r->n >= 0 || a->kind == CONTACT_CERT))
		return true;
	arg_host_failed(c, a->address);
	if (a->kind == CONTACT_CERT)
		c->rn = NUM_ERR;	/* -1 is a day */
	return false;
}

void
bi_talk(struct call *c)
{
	struct contact a = { .kind = CONTACT_SEND };
	struct contact_result r = { .n = -1 };
	struct wanted w = { NULL, false };

	if (arg_none(c) || !arg_c(c, 0) || !seconds(c, 0, &a))
		return;
	a.address = c->s[0];
	a.send = c->s[1];
	if (c->s[2].n > 0) {
		w.re = vm_pattern(c, c->s[2], false);
		if (w.re == NULL)
			return;
		a.enough = enough;
		a.arg = &w;
	}
	if (!ask(c, &a, &r))
		return;
	if (w.limit)
		vm_domain(c, "the pattern needs too much work on the answer "
		    "(match limit)");
	else
		c->rn = r.n;
}

void
bi_tcpcheck(struct call *c)
{
	struct contact a = { .kind = CONTACT_TCP };
	struct contact_result r = { .n = -1 };

	if (arg_none(c) || !arg_c(c, 0) || !seconds(c, 1, &a) ||
	    !host_port(c, &a))
		return;
	if (ask(c, &a, &r))
		c->rn = r.n;
}

void
bi_httpcheck(struct call *c)
{
	struct contact a = { .kind = CONTACT_HTTP };
	struct contact_result r = { .n = -1 };

	if (arg_none(c) || !arg_c(c, 0) || !seconds(c, 0, &a))
		return;
	a.address = c->s[0];
	if (ask(c, &a, &r))
		c->rn = r.n;
}

void
bi_httpget(struct call *c)
{
	struct contact a = { .kind = CONTACT_HTTP, .max = LIM_PAGE };
	struct contact_result r = { .n = -1, .text = STR_EMPTY };

	if (arg_none(c) || !arg_c(c, 0) || !seconds(c, 0, &a))
		return;
	a.address = c->s[0];
	if (!ask(c, &a, &r))
		return;
	if (r.n >= 200 && r.n < 300)
		c->rs = vm_dup(c->vm, r.text);
	else
		vm_failed(c, "%.*s: the status is %.0f", arg_cut(a.address),
		    a.address.p, r.n);
}

void
bi_certdays(struct call *c)
{
	struct contact a = { .kind = CONTACT_CERT };
	struct contact_result r = { .n = NUM_NIL };

	if (arg_none(c) || !arg_c(c, 0) || !seconds(c, 1, &a) ||
	    !host_port(c, &a))
		return;
	if (ask(c, &a, &r))
		c->rn = r.n;
}
