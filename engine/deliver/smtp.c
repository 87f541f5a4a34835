/*
 * smtp: the mail goes to a relay, by libcurl.  curl speaks the protocol,
 * TLS, SASL and does the dot-stuffing; this decides what is asked of it, and
 * reads from the dialogue which recipients were taken.
 *
 * Whatever curl would take from its surroundings (proxies, netrc, other
 * protocols, a user's own settings) is off: what the job says happens.
 */
#include <stdio.h>

#include "engine/deliver/address.h"
#include "engine/deliver/attempt.h"
#include "engine/deliver/stock.h"
#include "engine/deliver/secure.h"

#define LIM_CONNECT	15L	/* seconds; a relay that takes longer to answer
				 * a SYN is down, and the next one waits */
#define LIM_QUIT	3L	/* seconds for QUIT's answer: the mail is taken */
#define SLOW_BYTES	10L	/* bytes/s; below this for half the timeout the
				 * relay is stalled */

/* The option was born with a spelling mistake.  Before it, one recipient
 * that is refused fails the mail for all. */
#if CURL_AT_LEAST_VERSION(8, 2, 0)
#define RCPT_MAY_FAIL	CURLOPT_MAIL_RCPT_ALLOWFAILS
#elif CURL_AT_LEAST_VERSION(7, 69, 0)
#define RCPT_MAY_FAIL	CURLOPT_MAIL_RCPT_ALLLOWFAILS
#endif

/* What is being said.  The commands carry the password: never keep them. */
struct dialogue {
	struct attempt	*a;
	size_t		 next;		/* recipient whose RCPT is to come */
	bool		 rcpt;		/* RCPT was sent, its answer is awaited */
	bool		 mail;		/* it was offered a mail */
	bool		 quit;
	bool		 sent_data;
	char		 reply[LIM_REASON];	/* the last line of an answer */
};

struct upload {
	struct str	 text;
	size_t		 at;
};

static size_t
read_upload(char *to, size_t size, size_t count, void *arg)
{
	struct upload *u = arg;
	size_t n = u->text.n - u->at;

	if (n > size * count)
		n = size * count;
	memcpy(to, u->text.p + u->at, n);
	u->at += n;
	return n;
}

static size_t
drop(char *from, size_t size, size_t count, void *arg)
{
	(void)from;
	(void)arg;
	return size * count;
}

/* Line ends as SMTP wants them.  A CR that stands alone is a line end to
 * some servers and none to others (smuggling), so it becomes a blank. */
static void
crlf(struct buf *b, struct str s)
{
	size_t at, end, cr;
	struct str line;

	buf_room(b, s.n + s.n / 16 + 2);
	for (at = 0; at < s.n; at = end + 1) {
		end = str_find(s, '\n', at);
		line = str_of(s.p + at, end - at);
		if (str_ends(line, "\r"))
			line.n--;
		for (; line.n > 0; line = str_of(line.p + cr, line.n - cr)) {
			cr = str_find(line, '\r', 0);
			buf_add(b, line.p, cr);
			if (cr < line.n) {
				buf_putc(b, ' ');
				cr++;
			}
		}
		buf_add(b, "\r\n", 2);
	}
}

static int
reply_code(struct str s)
{
	size_t i;

	for (i = 0; i < 3; i++)
		if (i >= s.n || s.p[i] < '0' || s.p[i] > '9')
			return 0;
	return (s.p[0] - '0') * 100 + (s.p[1] - '0') * 10 + (s.p[2] - '0');
}

static void
heard_rcpt(struct dialogue *d, struct str line, int code)
{
	struct recipient *r = d->a->rcpt[d->next++];

	d->rcpt = false;
	if (code / 100 == 2)
		return;
	r->refused = true;
	r->outcome = code / 100 == 5 ? OUTCOME_FAIL : OUTCOME_RETRY;
	r->why = arena_dup(d->a->arena, line);
}

static int
overhear(CURL *curl, curl_infotype type, char *data, size_t n, void *arg)
{
	struct dialogue *d = arg;
	struct str line = str_trim(str_of(data, n));
	int code;

	if (type == CURLINFO_HEADER_OUT) {
		if (str_starts(line, "MAIL FROM:"))
			d->mail = true;
		else if (str_starts(line, "RCPT TO:"))
			d->rcpt = d->next < d->a->nrcpt;
		else if (str_eq(line, STR_LIT("DATA")))
			d->sent_data = true;
		else if (str_eq(line, STR_LIT("QUIT"))) {
			d->quit = true;
			curl_easy_setopt(curl,
			    CURLOPT_SERVER_RESPONSE_TIMEOUT, LIM_QUIT);
		}
		return 0;
	}
	code = reply_code(line);
	if (type != CURLINFO_HEADER_IN || code == 0 || d->quit ||
	    (line.n > 3 && line.p[3] == '-'))
		return 0;		/* not the last line of an answer */
	if (line.n > LIM_REASON - 1)
		line.n = LIM_REASON - 1;
	memcpy(d->reply, line.p, line.n);
	d->reply[line.n] = '\0';
	if (d->rcpt)
		heard_rcpt(d, line, code);
	return 0;
}

static struct curl_slist *
recipient_list(const struct attempt *a)
{
	struct curl_slist *list = NULL, *more;
	char text[LIM_ADDRESS + 3];
	size_t i;

	for (i = 0; i < a->nrcpt; i++) {
		snprintf(text, sizeof text, "<%.*s>",
		    (int)a->rcpt[i]->address.n, a->rcpt[i]->address.p);
		more = curl_slist_append(list, text);
		if (more == NULL) {
			curl_slist_free_all(list);
			return NULL;
		}
		list = more;
	}
	return list;
}

/* The relay, and the name by which we greet it. */
static CURLcode
set_url(CURL *curl, const struct attempt *a)
{
	const struct transport *t = a->transport;
	bool ipv6 = str_find(t->target, ':', 0) < t->target.n;
	struct buf url;
	CURLcode rc;

	buf_init(&url, a->why->mem);
	buf_printf(&url, ipv6 ? "%s://[%.*s]:%u/%.*s" : "%s://%.*s:%u/%.*s",
	    t->tls == SMTP_TLS ? "smtps" : "smtp", (int)t->target.n,
	    t->target.p, t->port, (int)a->job->host.n, a->job->host.p);
	rc = curl_easy_setopt(curl, CURLOPT_URL, buf_c(&url));
	buf_free(&url);
	return rc;
}

static CURLcode
set_security(CURL *curl, const struct transport *t, const char *password)
{
	CURLcode rc = CURLE_OK;

	SET(CURLOPT_USE_SSL, (long)(t->tls == SMTP_PLAIN ? CURLUSESSL_NONE :
	    CURLUSESSL_ALL));
	if (!str_none(t->user)) {
		SET(CURLOPT_USERNAME, t->user.p);
		SET(CURLOPT_PASSWORD, password);
		/* the line is TLS or does not leave the host, so nothing is
		 * won by the weak challenge methods */
		SET(CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN");
	}
	return rc;
}

static CURLcode
set_limits(CURL *curl, const struct attempt *a)
{
	const struct transport *t = a->transport;
	long seconds = (long)(t->timeout + 0.999);
	CURLcode rc = secure_connection(curl, a, "smtp,smtps");

	SET(CURLOPT_TIMEOUT_MS, (long)(t->timeout * 1000));
	SET(CURLOPT_CONNECTTIMEOUT, seconds < LIM_CONNECT ? seconds :
	    LIM_CONNECT);
	SET(CURLOPT_SERVER_RESPONSE_TIMEOUT, seconds);
	SET(CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES);
	SET(CURLOPT_LOW_SPEED_TIME, (seconds + 1) / 2);
	return rc;
}

static CURLcode
set_mail(CURL *curl, const struct attempt *a, struct curl_slist *rcpt,
    struct upload *u, struct dialogue *d)
{
	char from[LIM_ADDRESS + 3];
	CURLcode rc = CURLE_OK;

	snprintf(from, sizeof from, "<%.*s>", (int)a->job->from.n,
	    a->job->from.p);
	SET(CURLOPT_MAIL_FROM, from);
	SET(CURLOPT_MAIL_RCPT, rcpt);
#ifdef RCPT_MAY_FAIL
	SET(RCPT_MAY_FAIL, 1L);
#endif
	SET(CURLOPT_UPLOAD, 1L);
	SET(CURLOPT_READFUNCTION, read_upload);
	SET(CURLOPT_READDATA, u);
	SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)u->text.n);
	SET(CURLOPT_WRITEFUNCTION, drop);
	SET(CURLOPT_VERBOSE, 1L);	/* makes curl call: */
	SET(CURLOPT_DEBUGFUNCTION, overhear);
	SET(CURLOPT_DEBUGDATA, d);
	return rc;
}

/*
 * What came of it.  A 5xx is the relay's last word on a mail; before there was
 * one, and by 53x (log in, TLS), it speaks of us: who sets the relay or the
 * password right has the mail taken.
 */
static enum outcome
judge(struct attempt *a, CURLcode rc, const struct dialogue *d,
    const char *error)
{
	int code = reply_code(str_c(d->reply));

	if (rc == CURLE_OK) {
		buf_puts(a->why, d->reply);
		return OUTCOME_OK;
	}
	if (code >= 400 && rc != CURLE_OPERATION_TIMEDOUT) {
		buf_puts(a->why, d->reply);
		return code / 100 == 5 && code / 10 != 53 && d->mail ?
		    OUTCOME_FAIL : OUTCOME_RETRY;
	}
	attempt_curl(a->why, error[0] != '\0' ? error : curl_easy_strerror(rc));
	if (d->sent_data && rc == CURLE_OPERATION_TIMEDOUT)
		buf_puts(a->why, " (it may have been taken)");
	return OUTCOME_RETRY;
}

static enum outcome
smtp_send(struct attempt *a)
{
	char error[CURL_ERROR_SIZE] = "", password[LIM_SECRET + 1] = "";
	const struct transport *t = a->transport;
	struct dialogue d = { .a = a };
	struct curl_slist *rcpt;
	struct upload up;
	enum outcome o;
	struct buf text;
	CURLcode rc;
	CURL *curl;

	if (!str_none(t->passfile) &&
	    !attempt_secret(a, t->passfile, password))
		return OUTCOME_RETRY;
	buf_init(&text, a->why->mem);
	crlf(&text, a->job->message);
	up = (struct upload){ .text = buf_view(&text) };
	curl = curl_easy_init();
	rcpt = recipient_list(a);
	rc = curl == NULL || rcpt == NULL ? CURLE_OUT_OF_MEMORY : CURLE_OK;
	SET(CURLOPT_ERRORBUFFER, error);
	if (rc == CURLE_OK)
		rc = set_url(curl, a);
	if (rc == CURLE_OK)
		rc = set_limits(curl, a);
	if (rc == CURLE_OK)
		rc = set_security(curl, t, password);
	explicit_bzero(password, sizeof password);
	if (rc == CURLE_OK)
		rc = set_mail(curl, a, rcpt, &up, &d);
	if (rc == CURLE_OK)
		rc = stock_perform(a, curl, t->target, t->port, t->timeout);
	o = judge(a, rc, &d, error);
	curl_easy_cleanup(curl);
	curl_slist_free_all(rcpt);
	buf_free(&text);
	return o;
}

const struct sender smtp_sender = {
	.name = "smtp",
	.by_address = true,
	.send = smtp_send,
};
