/*
 * syslog: a message for each change of an incident and each line of a script.
 *
 * To this host: as syslog(3) writes it, which is what rsyslog and journald
 * expect of /dev/log; they take RFC 5424 there for text with a strange start.
 * Not by syslog(3) itself: that waits without end for a daemon that is stuck,
 * and tells nobody when there is none.
 *
 * To another host: RFC 5424; by UDP a datagram a message (RFC 5426), by TCP and
 * TLS counted bytes (RFC 6587, 5425).  Syslog has no answers.  What can be
 * known is known: that somebody is there, that his system has got all bytes,
 * and that he did not close the connection.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "engine/deliver/encode.h"
#include "engine/deliver/http.h"
#include "engine/deliver/items.h"
#include "engine/deliver/stock.h"
#include "engine/deliver/target.h"
#include "engine/deliver/secure.h"

#define LIM_SYSLOG	500	/* messages of a notice: more is no news, but a
				 * flood; the last one counts the rest */
#define LIM_LOCAL	1000	/* bytes of a message: what every daemon takes, by
				 * RFC 3164 1024 */
#define LIM_REMOTE	2000	/* bytes: a receiver should take 2048 (RFC 5424
				 * 6.1), with the header */
#define LIM_MSGID	32	/* RFC 5424 6 */
#define LIM_PROCID	128
#define LIM_HOSTNAME	255
#define LIM_LOCAL_WAIT	5	/* seconds that a full /dev/log is waited for */
#define UDP_WAIT	100	/* ms in which a host on this net says that nobody
				 * listens */
#define POLL_STEP	50	/* ms */

/* Where messages go. */
struct line {
	const struct attempt *a;
	const struct items *all;
	bool		 remote;
	double		 end;		/* when our time is over */
	int		 fd;
	CURL		*curl;		/* tcp and tls, else NULL */
	struct buf	*b;		/* one message, as it is sent */
	size_t		 sent;
};

/* A field of the header: printable ASCII without blanks, "-" for none. */
static void
header_field(struct buf *b, struct str s, size_t most)
{
	size_t i;

	if (s.n == 0)
		buf_putc(b, '-');
	for (i = 0; i < s.n && i < most; i++)
		buf_putc(b, s.p[i] > ' ' && s.p[i] <= '~' ? s.p[i] : '_');
}

static void
local_head(struct buf *b, unsigned priority)
{
	char when[TIME_TEXT_MAX];

	encode_ctime(time(NULL), when);
	/* "Apr 25 00:17:02" of "Tue Apr 25 00:17:02 2000" */
	buf_printf(b, "<%u>%.15s picket[%ld]: ", priority, when + 4,
	    (long)getpid());
}

static void
remote_head(struct buf *b, unsigned priority, const struct items *all,
    struct str msgid)
{
	char when[TEXT_TIME_MAX];

	text_time(all->time, when);
	buf_printf(b, "<%u>1 %s ", priority, when);
	header_field(b, all->host, LIM_HOSTNAME);
	buf_puts(b, " picket ");
	header_field(b, all->run, LIM_PROCID);
	buf_putc(b, ' ');
	header_field(b, msgid, LIM_MSGID);
	buf_puts(b, " - ");
}

/* Sends bytes by curl's connection; it does not wait, so we do. */
static bool
push(struct line *l, const char *p, size_t n)
{
	struct pollfd pfd = { .fd = l->fd, .events = POLLOUT };
	CURLcode rc;
	size_t done;

	while (n > 0) {
		rc = curl_easy_send(l->curl, p, n, &done);
		if (rc == CURLE_AGAIN) {
			if (clock_steady() > l->end) {
				buf_puts(l->a->why, "it takes nothing more");
				return false;
			}
			poll(&pfd, 1, POLL_STEP);
			continue;
		}
		if (rc != CURLE_OK) {
			buf_puts(l->a->why, curl_easy_strerror(rc));
			return false;
		}
		p += done;
		n -= done;
	}
	return true;
}

static bool
transmit(struct line *l)
{
	char count[24];
	int n;

	l->sent++;
	if (l->curl != NULL) {
		n = snprintf(count, sizeof count, "%zu ", l->b->n);
		return push(l, count, (size_t)n) && push(l, l->b->p, l->b->n);
	}
	if (send(l->fd, l->b->p, l->b->n, MSG_NOSIGNAL) != -1)
		return true;
	buf_puts(l->a->why, strerror(errno));
	return false;
}

static bool
say(struct line *l, const struct item *it, struct str text)
{
	unsigned priority = l->a->transport->facility << 3 |
	    (unsigned)it->level;		/* severities, in their order */
	size_t i, from;

	buf_clear(l->b);
	if (l->remote)
		remote_head(l->b, priority, l->all, it->change ? it->what :
		    STR_LIT("lines"));
	else
		local_head(l->b, priority);
	from = l->b->n;
	/* a head has less than 500 bytes: its fields have their limits */
	text_cut(l->b, text, TEXT_BYTES, (l->remote ? LIM_REMOTE : LIM_LOCAL) -
	    from);
	for (i = from; i < l->b->n; i++)	/* a newline would end it */
		if (l->b->p[i] == '\n')
			l->b->p[i] = ' ';
	return transmit(l);
}

static bool
say_change(struct line *l, const struct item *it)
{
	struct buf b;
	bool fine;

	buf_init(&b, l->a->why->mem);
	buf_str(&b, l->all->alert);
	buf_puts(&b, b.n > 0 ? ": " : "");
	items_line(it, &b);
	if (it->evidence.n > 0) {
		buf_puts(&b, "; ");
		buf_str(&b, it->evidence);
	}
	if (it->place.n > 0) {
		buf_puts(&b, "; ");
		buf_str(&b, it->place);
	}
	fine = say(l, it, buf_view(&b));
	buf_free(&b);
	return fine;
}

static bool
say_lines(struct line *l, const struct item *it, size_t *over)
{
	struct str s = it->lines;
	struct buf b;
	size_t at, end;
	bool fine = true;

	buf_init(&b, l->a->why->mem);
	for (at = 0; at < s.n && fine; at = end + 1) {
		end = str_find(s, '\n', at);
		if (end == at)
			continue;
		if (l->sent >= LIM_SYSLOG) {
			++*over;
			continue;
		}
		buf_clear(&b);
		buf_str(&b, it->script.n > 0 ? it->script : l->all->alert);
		buf_puts(&b, b.n > 0 ? ": " : "");
		buf_add(&b, s.p + at, end - at);
		fine = say(l, it, buf_view(&b));
	}
	buf_free(&b);
	return fine;
}

static bool
say_all(struct line *l)
{
	const struct items *all = l->all;
	size_t i, over = 0;
	bool fine = true;
	struct buf b;

	for (i = 0; i < all->n && fine; i++) {
		if (!all->item[i].change)
			fine = say_lines(l, &all->item[i], &over);
		else if (l->sent >= LIM_SYSLOG)
			over++;
		else
			fine = say_change(l, &all->item[i]);
	}
	if (fine && over + all->left > 0) {
		buf_init(&b, l->a->why->mem);
		buf_printf(&b, "%zu more lines are in the mail", over +
		    all->left);
		fine = say(l, &all->item[0], buf_view(&b));
		buf_free(&b);
	}
	return fine;
}

static bool
open_local(struct line *l)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct timeval wait = { .tv_sec = LIM_LOCAL_WAIT };
	struct str path = l->a->transport->target;

	if (path.n >= sizeof sa.sun_path) {
		buf_puts(l->a->why, "the path of the socket is too long");
		return false;
	}
	memcpy(sa.sun_path, path.p, path.n);
	l->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (l->fd != -1) {
		setsockopt(l->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
		if (connect(l->fd, (struct sockaddr *)&sa, sizeof sa) == 0)
			return true;
	}
	buf_str(l->a->why, path);
	buf_printf(l->a->why, ": %s", strerror(errno));
	return false;
}

static bool
open_udp(struct line *l)
{
	struct addrinfo hint = { .ai_socktype = SOCK_DGRAM }, *list, *ai;
	const struct transport *t = l->a->transport;
	char port[8];
	int rc;

	snprintf(port, sizeof port, "%u", t->port);
	rc = getaddrinfo(arena_dup(l->a->arena, t->target).p, port, &hint,
	    &list);
	if (rc != 0) {
		buf_puts(l->a->why, gai_strerror(rc));
		return false;
	}
	for (ai = list; ai != NULL; ai = ai->ai_next) {
		l->fd = socket(ai->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (l->fd == -1)
			continue;
		if (connect(l->fd, ai->ai_addr, ai->ai_addrlen) == 0)
			break;
		close(l->fd);
		l->fd = -1;
	}
	freeaddrinfo(list);
	if (l->fd == -1)
		buf_puts(l->a->why, strerror(errno));
	return l->fd != -1;
}

/* curl makes the connection and checks the certificate; what is said over it
 * is ours. */
static bool
open_stream(struct line *l)
{
	const struct transport *t = l->a->transport;
	bool tls = transport_has(t, OPTION_SYSLOG_TLS);
	char error[CURL_ERROR_SIZE] = "";
	CURL *curl = l->curl = curl_easy_init();
	CURLcode rc = curl == NULL ? CURLE_OUT_OF_MEMORY :
	    secure_connection(curl, l->a, NULL);
	curl_socket_t fd = CURL_SOCKET_BAD;
	struct buf url;

	buf_init(&url, l->a->why->mem);
	buf_puts(&url, tls ? "https://" : "http://");
	target_add_relay(t, &url);
	SET(CURLOPT_ERRORBUFFER, error);
	SET(CURLOPT_URL, buf_c(&url));
	SET(CURLOPT_CONNECT_ONLY, 1L);
	SET(CURLOPT_TIMEOUT_MS, (long)(t->timeout * 1000));
	SET(CURLOPT_SSL_ENABLE_ALPN, 0L);
	if (rc == CURLE_OK)
		rc = stock_perform(l->a, curl, t->target, t->port, t->timeout);
	if (rc == CURLE_OK)
		rc = curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &fd);
	if (rc != CURLE_OK)
		attempt_curl(l->a->why, error[0] != '\0' ? error :
		    curl_easy_strerror(rc));
	else if (curl != NULL)		/* error goes out of scope */
		curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
	buf_free(&url);
	l->fd = (int)fd;
	return rc == CURLE_OK;
}

/* True once the other system has all bytes, and its program is still there. */
static bool
arrived(struct line *l)
{
	struct pollfd pfd = { .fd = l->fd, .events = POLLIN };
	char answer[64];
	CURLcode rc;
	size_t n;
	int left = 0;

	for (;;) {
		poll(&pfd, 1, POLL_STEP);
		rc = curl_easy_recv(l->curl, answer, sizeof answer, &n);
		if (rc != CURLE_AGAIN && (rc != CURLE_OK || n == 0)) {
			buf_puts(l->a->why, "it has closed the connection");
			return false;
		}
		if (ioctl(l->fd, SIOCOUTQ, &left) == -1 || left == 0)
			return true;
		if (clock_steady() > l->end) {
			buf_puts(l->a->why, "it takes nothing more");
			return false;
		}
	}
}

/* A datagram to a port where nobody listens comes back as an error. */
static bool
not_refused(struct line *l)
{
	struct pollfd pfd = { .fd = l->fd, .events = POLLIN };
	socklen_t n = sizeof(int);
	int error = 0;

	poll(&pfd, 1, UDP_WAIT);
	getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &n);
	if (error != 0)
		buf_puts(l->a->why, strerror(error));
	return error == 0;
}

static enum outcome
syslog_send(struct attempt *a)
{
	const struct transport *t = a->transport;
	struct items all;
	struct buf b;
	struct line l = { .a = a, .all = &all, .b = &b, .fd = -1,
	    .end = clock_steady() + t->timeout, .remote = !str_starts(t->target, "/") };
	bool stream = transport_has(t, OPTION_TCP) ||
	    transport_has(t, OPTION_SYSLOG_TLS);
	bool fine;

	items_read(&all, a);
	buf_init(&b, a->why->mem);
	fine = !l.remote ? open_local(&l) : stream ? open_stream(&l) :
	    open_udp(&l);
	if (fine) {
		fine = say_all(&l);
		if (fine && stream)
			fine = arrived(&l);
		else if (fine && l.remote)
			fine = not_refused(&l);
		if (fine)
			buf_printf(a->why, "%zu messages%s", l.sent,
			    l.remote && !stream ? ", which nobody confirms" :
			    "");
	}
	if (l.curl != NULL)
		curl_easy_cleanup(l.curl);
	else if (l.fd != -1)
		close(l.fd);
	buf_free(&b);
	return fine ? OUTCOME_OK : OUTCOME_RETRY;
}

const struct sender syslog_sender = {
	.name = "syslog",
	.send = syslog_send,
};
