/*
 * contact: daemons and other hosts are asked whether they answer.  Why not by
 * commands: a rule that looks at twenty daemons a minute must not fork twenty
 * times, and no daemon, however it misbehaves, may hold the run up.
 *
 * Sockets here never block; all waiting is live_poll's, which heeds the run's
 * deadline and interrupts.  Names are looked up as $resolve does it.  What
 * needs a protocol is asked by a program of its own: contact_url.c.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/effect/contact.h"
#include "engine/effect/facts.h"
#include "engine/effect/state.h"

#define LIM_TALK	(16 * 1024)	/* bytes of an answer that are looked at: a
				 * greeting, a line or a page of a status */
#define LIM_SHOWN	100	/* bytes of it in a reason */
#define LIM_ADDRESSES	16	/* of a name: as many as $resolve gives */
#define FULL_AGAIN	0.01	/* seconds until a full queue is tried again */

union address {
	struct sockaddr		 any;
	struct sockaddr_in	 v4;
	struct sockaddr_in6	 v6;
	struct sockaddr_un	 un;
};

bool
contact_split(struct live *l, struct str s, char host[LIM_HOST + 1],
    unsigned *port)
{
	size_t colon = s.n, i;
	bool bracket = s.n > 0 && s.p[0] == '[';
	struct str name;

	while (colon > 0 && s.p[colon - 1] != ':')
		colon--;
	*port = 0;
	for (i = colon; i < s.n && s.p[i] >= '0' && s.p[i] <= '9' &&
	    *port <= 0xffff; i++)
		*port = *port * 10 + (unsigned)(s.p[i] - '0');
	name = str_of(s.p, colon > 0 ? colon - 1 : 0);
	if (bracket && name.n > 2 && name.p[name.n - 1] == ']')
		name = str_of(name.p + 1, name.n - 2);
	else if (bracket)
		name.n = 0;
	if (i < s.n || colon == s.n || *port == 0 || *port > 0xffff) {
		live_fail(l, "no port from 1 to 65535 behind the host");
		return false;
	}
	for (i = 0; i < name.n; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "0123456789.-_", name.p[i]) == NULL &&
		    !(bracket && name.p[i] == ':'))
			break;
	if (name.n == 0 || name.n > LIM_HOST || i < name.n ||
	    name.p[0] == '-') {
		live_fail(l, "no name or address of a host; one of IPv6 stands "
		    "in brackets");
		return false;
	}
	memcpy(host, name.p, name.n);
	host[name.n] = '\0';
	return true;
}

/* An address in numbers. */
static bool
numbers(const char *s, unsigned port, union address *a)
{
	memset(a, 0, sizeof *a);
	if (inet_pton(AF_INET, s, &a->v4.sin_addr) == 1) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons((uint16_t)port);
		return true;
	}
	if (inet_pton(AF_INET6, s, &a->v6.sin6_addr) == 1) {
		a->v6.sin6_family = AF_INET6;
		a->v6.sin6_port = htons((uint16_t)port);
		return true;
	}
	return false;
}

/* The addresses of host:port; 0 with the reason. */
static size_t
find(struct live *l, struct str where, double until,
    union address list[LIM_ADDRESSES])
{
	char host[LIM_HOST + 1], one[INET6_ADDRSTRLEN];
	struct str answer;
	size_t n = 0, at, end;
	unsigned port;
	int r;

	if (!contact_split(l, where, host, &port))
		return 0;
	if (numbers(host, port, &list[0]))
		return 1;
	l->ask_until = until;
	r = live_ask(l, FACT_RESOLVE, str_c(host), &answer);
	l->ask_until = 0;
	for (at = 0; r == 1 && at < answer.n && n < LIM_ADDRESSES;
	    at = end + 1) {
		end = str_find(answer, ' ', at);
		if (end - at >= sizeof one)
			continue;
		memcpy(one, answer.p + at, end - at);
		one[end - at] = '\0';
		if (numbers(one, port, &list[n]))
			n++;
	}
	if (n == 0 && r != -1)
		live_fail(l, "there is no host of that name");
	return n;
}

/* A connection; -1 with the reason. */
static int
reach(struct live *l, const union address *a, socklen_t n, double seconds,
    double until)
{
	struct pollfd p[2];
	socklen_t size = sizeof(int);
	int fd, r = 1, error;

	fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0);
	if (fd == -1) {
		live_fail(l, "socket: %s", strerror(errno));
		return -1;
	}
	error = connect(fd, &a->any, n) == 0 ? 0 : errno;
	/* who listens there but never accepts: there is no place for us */
	while (error == EAGAIN && r != -1 && live_now() < until) {
		r = live_poll(l, p, 0, fmin(until, live_now() + FULL_AGAIN),
		    true);
		if (r != -1)
			error = connect(fd, &a->any, n) == 0 ? 0 : errno;
	}
	if (error == EINPROGRESS || error == EINTR) {
		p[0] = (struct pollfd){ .fd = fd, .events = POLLOUT };
		r = live_poll(l, p, 1, until, true);
		if (r == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error,
		    &size) == -1)
			error = errno;
	} else if (error == EAGAIN && r != -1)
		r = 0;
	if (r == 1 && error == 0)
		return fd;
	if (r == 1)
		live_fail(l, "%s", strerror(error));
	else if (r == 0)
		live_fail(l, "no connection within %gs", seconds);
	close(fd);
	return -1;
}

/* To the first of its addresses that takes it; none may use up all the time. */
static int
reach_tcp(struct live *l, struct str where, double seconds, double until,
    double *began)
{
	union address list[LIM_ADDRESSES];
	size_t n = find(l, where, until, list), i;
	double now;
	int fd = -1;

	*began = now = live_now();
	for (i = 0; i < n && fd == -1 && (i == 0 || now < until); i++) {
		fd = reach(l, &list[i], list[i].any.sa_family == AF_INET ?
		    sizeof list[i].v4 : sizeof list[i].v6, seconds,
		    now + (until - now) / (double)(n - i));
		if (fd == -1 && live_stop(l))
			break;
		now = live_now();
	}
	return fd;
}

static int
reach_unix(struct live *l, struct str path, double seconds, double until)
{
	union address a;

	memset(&a, 0, sizeof a);
	if (path.n == 0 || path.p[0] != '/' ||
	    path.n >= sizeof a.un.sun_path ||
	    memchr(path.p, '\0', path.n) != NULL) {
		live_fail(l, "a socket's path begins with / and has at most "
		    "%zu bytes", sizeof a.un.sun_path - 1);
		return -1;
	}
	a.un.sun_family = AF_UNIX;
	memcpy(a.un.sun_path, path.p, path.n);
	return reach(l, &a, sizeof a.un, seconds, until);
}

static void
not_enough(struct live *l, const char *what, const char *got, size_t n)
{
	if (n == 0)
		live_fail(l, "%s, and has answered nothing", what);
	else
		live_fail(l, "%s, and has answered \"%.*s\"%s", what,
		    n > LIM_SHOWN ? LIM_SHOWN : (int)n, got,
		    n > LIM_SHOWN ? " ..." : "");
}

/* Says what is to be said, and listens until that was enough. */
static bool
talk(struct live *l, int fd, const struct contact *c, double until)
{
	struct pollfd p[2];
	char got[LIM_TALK], what[64];
	size_t n = 0, sent = 0;
	bool says = c->send.n > 0;
	ssize_t k;
	int r;

	while (says || c->enough != NULL) {
		p[0] = (struct pollfd){ .fd = fd, .events = POLLIN };
		if (says)
			p[0].events |= POLLOUT;
		r = live_poll(l, p, 1, until, true);
		if (r == -1)
			return false;
		/* who floods us and does not listen has no more time */
		if (r == 0 || (c->enough == NULL && live_now() >=
		    until)) {
			snprintf(what, sizeof what, "%gs have passed",
			    c->seconds);
			not_enough(l, what, got, n);
			return false;
		}
		if (says && (p[0].revents & ~POLLIN) != 0) {
			k = send(fd, c->send.p + sent, c->send.n - sent,
			    MSG_NOSIGNAL);
			if (k > 0)
				sent += (size_t)k;
			/* whoever does not listen may have answered */
			else if (errno != EAGAIN && errno != EINTR)
				says = false;
			if (sent == c->send.n)
				says = false;
		}
		if ((p[0].revents & ~POLLOUT) == 0)
			continue;
		k = recv(fd, got + n, sizeof got - n, 0);
		if (k == -1 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (k <= 0) {
			not_enough(l, k == 0 ? "it has ended the connection" :
			    strerror(errno), got, n);
			return false;
		}
		n += (size_t)k;
		if (c->enough != NULL && c->enough(c->arg, str_of(got, n)))
			return true;
		if (n == sizeof got) {
			if (c->enough == NULL)
				n = 0;	/* nobody wants to know */
			else {
				not_enough(l, "it does not end", got, n);
				return false;
			}
		}
	}
	if (c->send.n > sent) {
		live_fail(l, "it has ended the connection before all was said");
		return false;
	}
	return true;
}

static void
ask_socket(struct live *l, const struct contact *c, struct contact_result *r)
{
	double began = live_now(), until = began + c->seconds;
	bool tcp = c->kind == CONTACT_TCP || str_starts(c->address, "tcp:");
	size_t skip = c->kind == CONTACT_TCP ? 0 : tcp ? 4 : 5;
	struct str where = str_of(c->address.p + skip, c->address.n - skip);
	int fd;

	fd = tcp ? reach_tcp(l, where, c->seconds, until, &began) :
	    reach_unix(l, where, c->seconds, until);
	if (fd == -1)
		return;
	if (c->kind == CONTACT_TCP || talk(l, fd, c, until))
		r->n = round((live_now() - began) * 1e6) / 1000;
	close(fd);
}

void
live_contact(void *h, const struct contact *c, struct contact_result *r)
{
	struct live *l = h;

	*r = (struct contact_result){ .n = c->kind == CONTACT_CERT ? NUM_NIL :
	    -1, .text = STR_EMPTY };
	if (live_stop(l))
		return;
	live_flush(l);
	if (c->kind == CONTACT_HTTP || c->kind == CONTACT_CERT)
		contact_url(l, c, r);
	else if (c->kind == CONTACT_SEND && !str_starts(c->address, "tcp:") &&
	    !str_starts(c->address, "unix:"))
		live_fail(l, "an address is unix:/PATH or tcp:HOST:PORT");
	else
		ask_socket(l, c, r);
}
