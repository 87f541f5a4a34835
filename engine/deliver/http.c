#include "engine/deliver/http.h"

#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#include "engine/deliver/items.h"
#include "engine/deliver/stock.h"
#include "engine/deliver/target.h"
#include "engine/deliver/secure.h"
#include "lang/base/num.h"

#define LIM_CONNECT	10.0	/* seconds: as long as a lost SYN needs twice */
#define SLOW_BYTES	10L	/* bytes/s; below this for half the timeout the
				 * server is stalled */
#define LIM_PIECE	8	/* bytes: shorter pieces of a URL are words like
				 * "services", not secrets */
#define LIM_SHOWN	200	/* bytes of an answer in a reason */

struct talk {
	struct http_answer *answer;
	bool		 full;		/* we have read enough of it */
};

void
http_answer_init(struct http_answer *r, struct mem *m)
{
	*r = (struct http_answer){ .again = NUM_NIL };
	buf_init(&r->body, m);
}

void
http_answer_free(struct http_answer *r)
{
	buf_free(&r->body);
}

bool
http_secret(struct attempt *a, enum transport_option o,
    char secret[LIM_SECRET + 1])
{
	return attempt_secret(a, a->transport->arg[o], secret);
}

void
http_url_part(struct buf *b, struct str s)
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned char c;
	size_t i;

	for (i = 0; i < s.n; i++) {
		c = (unsigned char)s.p[i];
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || (c != '\0' &&
		    strchr("-._~", c) != NULL)) {
			buf_putc(b, (char)c);
		} else {
			buf_putc(b, '%');
			buf_putc(b, hex[c >> 4]);
			buf_putc(b, hex[c & 15]);
		}
	}
}

static size_t
keep(char *from, size_t size, size_t count, void *arg)
{
	struct talk *t = arg;
	struct buf *b = &t->answer->body;
	size_t n = size * count, room = LIM_HTTP_ANSWER - b->n;

	buf_add(b, from, n < room ? n : room);
	t->full = n > room;
	return t->full ? 0 : n;		/* 0 ends it */
}

/* What is the same for every request: what curl may do. */
static CURLcode
set_limits(CURL *curl, const struct attempt *a, double timeout)
{
	long seconds = (long)(timeout + 0.999);
	CURLcode rc = secure_connection(curl, a, "http,https");

	SET(CURLOPT_TIMEOUT_MS, (long)(timeout * 1000));
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)((timeout < LIM_CONNECT ? timeout :
	    LIM_CONNECT) * 1000));
	SET(CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES);
	SET(CURLOPT_LOW_SPEED_TIME, (seconds + 1) / 2);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	return rc;
}

/* True with one more line at the list. */
static bool
add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *more = curl_slist_append(*list, line);

	if (more != NULL)
		*list = more;
	return more != NULL;
}

/* A token, too, is checked: it becomes a header. */
static bool
printable(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

static CURLcode
set_headers(CURL *curl, const struct http_request *r,
    struct curl_slist **list, struct mem *m)
{
	struct buf b;
	bool fine;

	buf_init(&b, m);
	/* no wait for a server's leave to send the body */
	fine = add_header(list, "Expect:");
	if (r->type != NULL) {
		buf_printf(&b, "Content-Type: %s", r->type);
		fine = fine && add_header(list, buf_c(&b));
	}
	if (r->bearer != NULL) {
		buf_clear(&b);
		buf_printf(&b, "Authorization: Bearer %s", r->bearer);
		fine = fine && add_header(list, buf_c(&b));
		explicit_bzero(b.p, b.n);
	}
	buf_free(&b);
	return !fine ? CURLE_OUT_OF_MEMORY :
	    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *list);
}

static CURLcode
set_request(CURL *curl, const struct attempt *a, const struct http_request *r,
    struct talk *talk)
{
	const struct transport *t = a->transport;
	CURLcode rc = CURLE_OK;

	SET(CURLOPT_URL, arena_dup(a->arena, r->url).p);
	SET(CURLOPT_USERAGENT, "picket");
	if (strcmp(r->method, "GET") != 0) {
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
		SET(CURLOPT_POSTFIELDS, r->body.p);
		SET(CURLOPT_CUSTOMREQUEST, r->method);
	}
	if (r->password != NULL) {
		SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		SET(CURLOPT_USERNAME, t->user.p);
		SET(CURLOPT_PASSWORD, r->password);
	}
	SET(CURLOPT_WRITEFUNCTION, keep);
	SET(CURLOPT_WRITEDATA, talk);
	return rc;
}

/* How long the server asks us to wait, by its header or in the JSON of its
 * answer, as Telegram, Discord and Matrix do. */
static double
asked_wait(CURL *curl, const struct http_answer *r)
{
	double wait = NUM_NIL;
	curl_off_t seconds = 0;
	json_t *o, *v;

#if CURL_AT_LEAST_VERSION(7, 66, 0)
	if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds) ==
	    CURLE_OK && seconds > 0)
		wait = (double)seconds;
#endif
	if (r->status != 429)
		return wait;
	o = json_loadb(r->body.p, r->body.n, 0, NULL);
	v = json_object_get(json_object_get(o, "parameters"), "retry_after");
	if (v == NULL)
		v = json_object_get(o, "retry_after");
	if (json_is_number(v) && !(json_number_value(v) <= wait))
		wait = json_number_value(v);
	v = json_object_get(o, "retry_after_ms");
	if (json_is_number(v) && !(json_number_value(v) / 1000 <= wait))
		wait = json_number_value(v) / 1000;
	json_decref(o);
	return wait;
}

/*
 * Refused for good is what is wrong with this text.  A key that is not good
 * any more, a page that is gone, a redirect are mended by a person, and then
 * what waits must go.
 */
static enum outcome
by_status(long status)
{
	if (status / 100 == 2)
		return OUTCOME_OK;
	switch (status) {
	case 400: case 411: case 413: case 414: case 415: case 417:
	case 422: case 431:
		return OUTCOME_FAIL;
	default:
		return OUTCOME_RETRY;
	}
}

/* Puts *** for each place where the secret stands. */
static void
hide(struct buf *b, size_t from, const char *secret, size_t n)
{
	char *at;

	if (n == 0)
		return;
	while (from < b->n && (at = memmem(b->p + from, b->n - from, secret,
	    n)) != NULL) {
		size_t rest = b->n - (size_t)(at - b->p) - n;

		from = (size_t)(at - b->p);
		memmove(at, at + n, rest);
		b->n -= n;
		buf_room(b, 3);
		memmove(b->p + from + 3, b->p + from, rest);
		memcpy(b->p + from, "***", 3);
		b->n += 3;
		from += 3;
	}
}

/* The pieces of a URL behind its host, each alone: they come back in JSON
 * (\/), in HTML or with other escapes between them. */
static void
hide_url(struct buf *b, size_t from, struct str url)
{
	size_t i, end, slashes = 0;

	for (i = 0; i < url.n && slashes < 3; i++)
		slashes += url.p[i] == '/';
	for (; i < url.n; i = end + 1) {
		for (end = i; end < url.n && strchr("/?&=:", url.p[end]) == NULL;)
			end++;
		if (end - i >= LIM_PIECE)
			hide(b, from, url.p + i, end - i);
	}
}

/* USER:PASSWORD as it goes over the wire: a server may show it to us. */
static void
hide_basic(struct buf *b, size_t from, struct str user, const char *password)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	struct buf plain, code;
	unsigned v;
	size_t i;

	buf_init(&plain, b->mem);
	buf_init(&code, b->mem);
	buf_str(&plain, user);
	buf_printf(&plain, ":%s", password);
	/* whole groups only: the last one may be padded */
	for (i = 0; i + 3 <= plain.n; i += 3) {
		v = (unsigned)(unsigned char)plain.p[i] << 16 |
		    (unsigned)(unsigned char)plain.p[i + 1] << 8 |
		    (unsigned char)plain.p[i + 2];
		buf_putc(&code, digit[v >> 18]);
		buf_putc(&code, digit[v >> 12 & 63]);
		buf_putc(&code, digit[v >> 6 & 63]);
		buf_putc(&code, digit[v & 63]);
	}
	hide(b, from, code.p, code.n);
	explicit_bzero(plain.p, plain.n);
	if (code.n > 0)
		explicit_bzero(code.p, code.n);
	buf_free(&plain);
	buf_free(&code);
}

static void
hide_secrets(struct attempt *a, size_t from, const struct http_request *r)
{
	struct buf *b = a->why;

	if (r->bearer != NULL)
		hide(b, from, r->bearer, strlen(r->bearer));
	if (r->secret != NULL)
		hide(b, from, r->secret, strlen(r->secret));
	if (r->password != NULL) {
		hide(b, from, r->password, strlen(r->password));
		hide_basic(b, from, a->transport->user, r->password);
	}
	hide_url(b, from, r->url);
}

/* "403 what it says"; a 3xx says no more than that it is one. */
static void
explain(struct attempt *a, const struct http_answer *r)
{
	struct str said = str_trim(buf_view(&r->body));

	buf_printf(a->why, "%ld", r->status);
	if (r->status / 100 == 3) {
		buf_puts(a->why, ": a redirect, which is not followed");
	} else if (said.n > 0) {
		buf_puts(a->why, " ");
		/* secrets are looked for before anything is cut off them */
		buf_str(a->why, said);
	}
}

static CURLcode
perform(struct attempt *a, CURL *curl, struct str url, double timeout)
{
	struct str host = STR_EMPTY;
	unsigned port = 0;

	/* it has been found to be one */
	(void)target_url_host(url, &host, &port);
	return stock_perform(a, curl, host, port, timeout);
}

static enum outcome
once(struct attempt *a, const struct http_request *r, struct http_answer *w,
    double timeout)
{
	struct talk talk = { .answer = w };
	struct curl_slist *headers = NULL;
	char error[CURL_ERROR_SIZE] = "";
	size_t from = a->why->n;
	curl_off_t sent = 0;
	CURL *curl = curl_easy_init();
	CURLcode rc = curl == NULL ? CURLE_OUT_OF_MEMORY : CURLE_OK;
	enum outcome o = OUTCOME_RETRY;

	SET(CURLOPT_ERRORBUFFER, error);
	if (rc == CURLE_OK)
		rc = set_limits(curl, a, timeout);
	if (rc == CURLE_OK)
		rc = set_request(curl, a, r, &talk);
	if (rc == CURLE_OK)
		rc = set_headers(curl, r, &headers, a->why->mem);
	if (rc == CURLE_OK)
		rc = perform(a, curl, r->url, timeout);
	if (curl != NULL) {
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &w->status);
		curl_easy_getinfo(curl, CURLINFO_SIZE_UPLOAD_T, &sent);
		w->again = asked_wait(curl, w);
	}
	if (w->status >= 200) {
		/* a status is an answer, whatever became of its body */
		o = by_status(w->status);
		explain(a, w);
	} else {
		attempt_curl(a->why, error[0] != '\0' ? error :
		    curl_easy_strerror(rc));
		if (sent > 0 && (size_t)sent == r->body.n)
			buf_puts(a->why, " (it may have been taken)");
	}
	hide_secrets(a, from, r);
	if (a->why->n - from > LIM_SHOWN)
		a->why->n = from + LIM_SHOWN;
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	return o;
}

enum outcome
http_do(struct attempt *a, const struct http_request *r,
    struct http_answer *w)
{
	double end = clock_steady() + r->timeout, wait;
	size_t from = a->why->n;
	struct timespec pause;
	const char *fault;
	struct str host;
	enum outcome o;

	fault = target_url_fault(r->url, &host);
	if (fault == NULL && r->bearer != NULL && !printable(r->bearer))
		fault = "a token holds no control characters";
	if (fault != NULL) {
		buf_puts(a->why, fault);
		return OUTCOME_RETRY;	/* of a file that may be set right */
	}
	o = once(a, r, w, r->timeout);
	wait = w->again;
	if (o == OUTCOME_RETRY && (w->status == 429 || w->status == 503) &&
	    wait <= LIM_HTTP_WAIT && clock_steady() + wait + 1 < end) {
		pause.tv_sec = (time_t)wait;
		pause.tv_nsec = (long)((wait - (double)pause.tv_sec) * 1e9);
		nanosleep(&pause, NULL);
		a->why->n = from;
		buf_clear(&w->body);
		w->status = 0;
		o = once(a, r, w, end - clock_steady());
	}
	if (o == OUTCOME_RETRY && w->again > 0)
		buf_printf(a->why, REPORT_AGAIN "%.0fs", w->again);
	return o;
}
