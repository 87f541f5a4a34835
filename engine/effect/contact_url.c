/* contact_url: pages and certificates, asked for by picket-contact. */
#include <stdio.h>
#include <string.h>

#include "engine/effect/contact.h"
#include "engine/effect/kid.h"

#define HELPER_GRACE	1.0	/* seconds that it may be late: it keeps the time
				 * itself, and starts and ends in that */

/* The URL goes into a request's first line; false with the reason. */
static bool
url_fine(struct live *l, struct str url)
{
	size_t at = str_starts(url, "https://") ? 8 : 7, i;
	const char *what = NULL;

	if (at == 7 && !str_starts(url, "http://"))
		what = "a URL begins with http:// or https://";
	else if (url.n > LIM_CONTACT_URL)
		what = "a URL this long is none";
	for (i = 0; what == NULL && i < url.n; i++)
		if (url.p[i] <= ' ' || url.p[i] > '~')
			what = "a URL holds no blanks and no characters but "
			    "ASCII: see $urlencode";
	for (i = at; what == NULL && i < url.n &&
	    memchr("/?#", url.p[i], 3) == NULL; i++)
		if (url.p[i] == '@')
			what = "no user and no password in a URL: others see "
			    "it";
	if (what == NULL && i == at)
		what = "a URL needs a host";
	if (what != NULL)
		live_fail(l, "%s", what);
	return what == NULL;
}

/* The request's line; its length, 0 with the reason. */
static size_t
request(struct live *l, const struct contact *c,
    char line[LIM_CONTACT_URL + 100])
{
	const size_t most = LIM_CONTACT_URL + 100;
	char host[LIM_HOST + 1];
	const char *scheme = "https";
	unsigned port;

	if (c->kind == CONTACT_HTTP) {
		if (!url_fine(l, c->address))
			return 0;
		return (size_t)snprintf(line, most, "page %.3f %zu %.*s\n",
		    c->seconds, c->max, (int)c->address.n, c->address.p);
	}
	if (!contact_split(l, c->address, host, &port))
		return 0;
	/* where TLS begins when it is asked for */
	if (port == 25 || port == 587)
		scheme = "smtp";
	else if (port == 143)
		scheme = "imap";
	else if (port == 110)
		scheme = "pop3";
	return (size_t)snprintf(line, most, strchr(host, ':') != NULL ?
	    "cert %.3f 0 %s://[%s]:%u\n" : "cert %.3f 0 %s://%s:%u\n",
	    c->seconds, scheme, host, port);
}

static void
understand(struct live *l, struct str s, struct contact_result *r)
{
	size_t end = str_find(s, '\n', 0);
	struct str head = str_of(s.p, end);
	double n;

	if (end < s.n && str_starts(head, "fail ")) {
		live_fail(l, "%.*s", (int)head.n - 5, head.p + 5);
		return;
	}
	n = end < s.n && str_starts(head, "ok ") ? num_parse(str_of(head.p + 3,
	    head.n - 3), false) : NUM_NIL;
	if (num_none(n)) {
		live_fail(l, CONTACT_PROGRAM " gives no answer");
		return;
	}
	r->n = n;
	r->text = str_of(s.p + end + 1, s.n - end - 1);
}

void
contact_url(struct live *l, const struct contact *c, struct contact_result *r)
{
	char line[LIM_CONTACT_URL + 100];
	size_t n = request(l, c, line);
	struct exec_result res;
	struct str said;

	_Static_assert(sizeof line <= PIPE_BUF, "what a helper can be given");
	if (n == 0)
		return;
	said = exec_helper(l, CONTACT_PROGRAM, str_of(line, n), c->max +
	    LIM_CONTACT_ANSWER, live_now() + c->seconds + HELPER_GRACE, &res);
	if (res.timed_out && !live_stop(l))
		live_fail(l, "no answer within %gs", c->seconds);
	else if (res.started && !res.timed_out)
		understand(l, said, r);
}
