/*
 * picket-http: the status page's server.  libevent reads requests and writes
 * answers; here stand the limits: how long a connection may last, how many
 * there may be, what a request may look like.  A connection carries one
 * request: then all its time counts from its start, and who sends a byte now
 * and then is cut off like who sends none.
 */
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lang/base/num.h"
#include "engine/daemon/http.h"
#include "engine/effect/spawn.h"
#include "engine/jail/jail.h"
#include "engine/vm/clock.h"

#define PORT		"7458"		/* as picket.conf's default */
#define BACKLOG		512		/* connections that wait in the kernel */
#define ANSWERS		8		/* of one picture that are kept */
#define EXIT_AGAIN	75		/* what we had open is gone: start us anew;
					 * EX_TEMPFAIL of sysexits(3) */
#define LOST_AFTER	10.0		/* seconds: so often we may begin anew */
#define LIM_CONTROL_PATH (sizeof ((struct sockaddr_un *)0)->sun_path)

/* A connection, from its start to its end or its time's. */
struct guest {
	TAILQ_ENTRY(guest) next;
	struct bufferevent *bev;	/* one reference is ours */
	double		 until;		/* clock_steady */
};

struct answer {
	char		*ask;		/* path and query */
	struct buf	 body;
	int		 status;
	const char	*type;
};

struct server {
	struct web	 web;
	struct event_base *base;
	struct evhttp	*http;
	struct evconnlistener *listener;
	struct event	*again;		/* listens again after a pause */
	TAILQ_HEAD(guests, guest) guests;	/* the oldest first */
	unsigned	 nguest;
	bool		 loopback;
	double		 picture;	/* web.steady of the answers kept */
	struct answer	 kept[ANSWERS];
	unsigned	 nkept;
	double		 began;		/* clock_steady */
	bool		 lost;		/* no memory, no store or no scheduler */
};

/* --- connections --- */

static bool
is_over(struct guest *g)
{
	bufferevent_event_cb on_event;

	/* libevent takes its callbacks off when it lets go of one */
	bufferevent_getcb(g->bev, NULL, NULL, &on_event, NULL);
	return on_event == NULL;
}

static void
forget(struct server *s, struct guest *g)
{
	TAILQ_REMOVE(&s->guests, g, next);
	s->nguest--;
	(void)bufferevent_decref(g->bev);
	free(g);
}

static void
cut_off(struct guest *g)
{
	if (!is_over(g))
		bufferevent_trigger_event(g->bev, BEV_EVENT_TIMEOUT |
		    BEV_EVENT_READING, 0);
}

/*
 * Lets go of what libevent has let go of.  Our reference keeps its event on a
 * descriptor that is closed: it must be gone before the number is used again.
 */
static void
tidy(struct server *s)
{
	struct guest *g, *next;

	for (g = TAILQ_FIRST(&s->guests); g != NULL; g = next) {
		next = TAILQ_NEXT(g, next);
		if (is_over(g))
			forget(s, g);
	}
}

static void
sweep(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	double now = clock_steady();
	struct guest *g;

	(void)fd;
	(void)what;
	TAILQ_FOREACH(g, &s->guests, next)
		if (g->until <= now)
			cut_off(g);
	tidy(s);
	if (s->web.steady != 0 && now - s->web.steady > 60 * HTTP_FRESH)
		web_forget(&s->web);	/* nobody looks: no memory for it */
}

static struct bufferevent *
on_connection(struct event_base *base, void *arg)
{
	struct server *s = arg;
	struct guest *g;

	tidy(s);
	if (s->nguest >= LIM_HTTP_CONNECTIONS) {
		/* rather the oldest than the one who looks now */
		cut_off(TAILQ_FIRST(&s->guests));
		tidy(s);
	}
	g = calloc(1, sizeof *g);
	if (g == NULL)
		return NULL;
	g->bev = bufferevent_socket_new(base, -1, 0);
	if (g->bev == NULL) {
		free(g);
		return NULL;
	}
	bufferevent_incref(g->bev);
	g->until = clock_steady() + LIM_HTTP_TIME;
	TAILQ_INSERT_TAIL(&s->guests, g, next);
	s->nguest++;
	return g->bev;
}

static void
listen_again(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	(void)fd;
	(void)what;
	(void)evconnlistener_enable(s->listener);
}

/* No descriptor is left: to ask again at once would be all that we do. */
static void
on_accept_error(struct evconnlistener *l, void *arg)
{
	struct timeval pause = { 0, 100000 };
	struct server *s = arg;

	(void)evconnlistener_disable(l);
	sweep(-1, 0, s);
	if (!TAILQ_EMPTY(&s->guests))
		cut_off(TAILQ_FIRST(&s->guests));
	(void)event_add(s->again, &pause);
}

/* --- requests --- */

/*
 * Whom the request says it talks to.  A page of a stranger can have a name of
 * his that leads to 127.0.0.1, and a browser would let it read the answer: so
 * on the loopback only this host's names and addresses are answered.
 */
static bool
is_for_us(const struct server *s, const char *host)
{
	unsigned char address[16];
	char name[256];
	size_t n;

	if (!s->loopback)
		return true;
	if (host == NULL)
		return true;		/* HTTP/1.0: no browser */
	if (host[0] == '[') {
		n = strcspn(host + 1, "]");
		host++;
	} else
		n = strcspn(host, ":");
	if (n == 0 || n >= sizeof name)
		return false;
	memcpy(name, host, n);
	name[n] = '\0';
	return strcmp(name, "localhost") == 0 ||
	    inet_pton(AF_INET, name, address) == 1 ||
	    inet_pton(AF_INET6, name, address) == 1 ||
	    str_eq(str_c(name), s->web.host) || (str_starts(s->web.host,
	    name) && s->web.host.p[n] == '.');
}

static double
number_in(const char *t, double least, double most, double other)
{
	char *end;
	double d;

	if (t == NULL || *t == '\0')
		return other;
	d = strtod(t, &end);
	if (*end != '\0' || !(d >= least))
		return other;
	return d > most ? most : d;
}

/* The times that graphs are made of: few, or each request would be new work
 * for the store. */
static double
hours(const char *t)
{
	static const double of[] = { 6, 24, 168, 720 };
	double d = number_in(t, 0, 720, 24);
	size_t i;

	for (i = 0; of[i] < d; i++)
		;
	return of[i];
}

static void
read_query(struct evkeyvalq *list, struct web_query *q)
{
	const char *t;

	q->alert = str_c(evhttp_find_header(list, "alert"));
	q->series = str_c(evhttp_find_header(list, "series"));
	q->script = str_c(evhttp_find_header(list, "script"));
	q->hours = hours(evhttp_find_header(list, "hours"));
	q->limit = number_in(evhttp_find_header(list, "limit"), 1,
	    LIM_HTTP_RUNS, NUM_NIL);
	t = evhttp_find_header(list, "all");
	q->all = t != NULL && strcmp(t, "1") == 0;
}

/* Makes the answer of a path; b is empty. */
static void
make(struct server *s, const char *path, const struct web_query *q,
    struct answer *a)
{
	struct web *w = &s->web;

	a->status = HTTP_OK;
	a->type = "text/plain; charset=utf-8";
	if (strcmp(path, "/") == 0) {
		a->type = "text/html; charset=utf-8";
		web_page(w, q, &a->body);
	} else if (strcmp(path, "/metrics") == 0) {
		a->type = "text/plain; version=0.0.4; charset=utf-8";
		web_metrics(w, &a->body);
	} else if (strcmp(path, "/healthz") == 0) {
		web_health(w, &a->body);
		if (a->body.n > 0)
			a->status = 503;
		else
			buf_puts(&a->body, "ok\n");
	} else if (strncmp(path, "/api/v1", 7) == 0 && (path[7] == '\0' ||
	    path[7] == '/')) {
		a->type = "application/json";
		if (!web_api(w, str_c(path + 7), q, &a->body)) {
			a->status = HTTP_NOTFOUND;
			buf_puts(&a->body, "{\"error\":\"no such path; "
			    "/api/v1 lists them\"}\n");
		}
	} else {
		a->status = HTTP_NOTFOUND;
		buf_puts(&a->body, "there is /, /metrics, /healthz and "
		    "/api/v1\n");
	}
}

static void
drop_answers(struct server *s)
{
	unsigned i;

	for (i = 0; i < s->nkept; i++) {
		buf_free(&s->kept[i].body);
		free(s->kept[i].ask);
	}
	s->nkept = 0;
}

/* The answer to a request, kept while the picture holds. */
static struct answer *
answer(struct server *s, const char *ask, const char *path,
    const struct web_query *q)
{
	struct answer *a;
	unsigned i;

	web_look(&s->web);
	if (s->picture != s->web.steady)
		drop_answers(s);
	s->picture = s->web.steady;
	for (i = 0; i < s->nkept; i++)
		if (strcmp(s->kept[i].ask, ask) == 0)
			return &s->kept[i];
	if (s->nkept == ANSWERS) {
		a = &s->kept[ANSWERS - 1];
		s->nkept--;
		buf_free(&a->body);
		free(a->ask);
	} else
		a = &s->kept[s->nkept];
	a->ask = strdup(ask);
	if (a->ask == NULL)
		mem_fail(&s->web.mem, false);
	buf_init(&a->body, &s->web.mem);
	s->nkept++;
	make(s, path, q, a);
	return a;
}

static void
reply(struct evhttp_request *req, int status, const char *type,
    struct str body)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(req);
	struct evbuffer *b = evbuffer_new();
	char length[24];

	/* libevent would send a body for HEAD */
	snprintf(length, sizeof length, "%zu", body.n);
	if (evhttp_request_get_command(req) == EVHTTP_REQ_HEAD)
		(void)evhttp_add_header(out, "Content-Length", length);
	else if (b != NULL)
		(void)evbuffer_add(b, body.p, body.n);
	(void)evhttp_add_header(out, "Content-Type", type);
	(void)evhttp_add_header(out, "Cache-Control", "no-store");
	(void)evhttp_add_header(out, "X-Content-Type-Options", "nosniff");
	(void)evhttp_add_header(out, "Content-Security-Policy",
	    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
	    "form-action 'none'; frame-ancestors 'none'");
	(void)evhttp_add_header(out, "Referrer-Policy", "no-referrer");
	(void)evhttp_add_header(out, "Connection", "close");
	evhttp_send_reply(req, status, NULL, b);
	if (b != NULL)
		evbuffer_free(b);
}

/*
 * What we had open is gone, and in the jail we cannot open it anew: who
 * started us can.  Not at once, or without a store that would be all we do.
 */
static bool
lost(const struct server *s)
{
	return s->web.talks && (s->web.talk < 0 || !s->web.has_store) &&
	    clock_steady() - s->began > LOST_AFTER;
}

static void
on_request(struct evhttp_request *req, void *arg)
{
	enum evhttp_cmd_type how = evhttp_request_get_command(req);
	const char *ask = evhttp_request_get_uri(req), *query, *there;
	struct evkeyvalq list = { NULL, NULL };
	struct evhttp_uri *uri;
	struct server *s = arg;
	struct web_query q;
	struct answer *a;
	char *path;

	s->web.served++;
	if (how != EVHTTP_REQ_GET && how != EVHTTP_REQ_HEAD) {
		(void)evhttp_add_header(evhttp_request_get_output_headers(req),
		    "Allow", "GET, HEAD");
		reply(req, 405, "text/plain; charset=utf-8",
		    STR_LIT("nothing can be changed here\n"));
		return;
	}
	/* NULL: libevent gave the request up, and lets us say so */
	uri = ask == NULL ? NULL : evhttp_uri_parse(ask);
	/* an address as a whole has a host, too */
	there = uri == NULL ? NULL : evhttp_uri_get_host(uri);
	if (!is_for_us(s, evhttp_find_header(
	    evhttp_request_get_input_headers(req), "Host")) ||
	    (there != NULL && !is_for_us(s, there))) {
		reply(req, 421, "text/plain; charset=utf-8",
		    STR_LIT("this is not the host that was asked for\n"));
		if (uri != NULL)
			evhttp_uri_free(uri);
		return;
	}
	path = uri == NULL || evhttp_uri_get_path(uri) == NULL ? NULL :
	    evhttp_uridecode(evhttp_uri_get_path(uri), 0, NULL);
	query = uri == NULL ? NULL : evhttp_uri_get_query(uri);
	if (path == NULL || (query != NULL && evhttp_parse_query_str(query,
	    &list) != 0)) {
		reply(req, HTTP_BADREQUEST, "text/plain; charset=utf-8",
		    STR_LIT("the request cannot be read, or is too long\n"));
	} else if (setjmp(s->web.fail) != 0) {
		/* whatever was being made is given up as a whole */
		s->lost = true;
		reply(req, 503, "text/plain; charset=utf-8",
		    STR_LIT("no memory for the answer\n"));
		(void)event_base_loopexit(s->base, NULL);
	} else {
		read_query(&list, &q);
		a = answer(s, ask, path[0] == '\0' ? "/" : path, &q);
		reply(req, a->status, a->type, buf_view(&a->body));
	}
	evhttp_clear_headers(&list);
	free(path);
	if (uri != NULL)
		evhttp_uri_free(uri);
	s->lost = s->lost || lost(s);
	if (s->lost)
		(void)event_base_loopexit(s->base, NULL);
}

/* --- start --- */

static int
usage(void)
{
	(void)fprintf(stderr, "usage: picket-http --listen [ADDRESS:]PORT "
	    "--state DIR [--control SOCKET | --talk FD] [--host NAME] "
	    "[--user NAME]\n"
	    "It is started by picketd where picket.conf has a line http.\n");
	return 2;	/* picketd: of another build */
}

static int
fails(const char *what, const char *why)
{
	(void)fprintf(stderr, "picket-http: %s: %s\n", what, why);
	return 1;
}

/* "127.0.0.1:7458", "7458", "[::1]:7458" */
static bool
address(const char *text, struct sockaddr_storage *ss, int *len, bool *loop)
{
	char t[128];
	size_t i, n = strlen(text);

	for (i = 0; i < n && text[i] >= '0' && text[i] <= '9'; i++)
		;
	*len = sizeof *ss;
	if ((size_t)snprintf(t, sizeof t, i == n ? "127.0.0.1:%s" : "%s",
	    text) >= sizeof t || evutil_parse_sockaddr_port(t,
	    (struct sockaddr *)ss, len) != 0)
		return false;
	if (ss->ss_family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)ss;

		*loop = ntohl(in->sin_addr.s_addr) >> 24 == 127;
		return in->sin_port != 0;
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

		*loop = IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
		return in6->sin6_port != 0;
	}
}

static int
connect_control(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof un.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(un.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd != -1 && connect(fd, (struct sockaddr *)&un, sizeof un) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void
on_term(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	(void)event_base_loopexit(arg, NULL);
}

static bool
serve(struct server *s, int fd)
{
	struct timeval second = { 1, 0 };
	struct event *tick, *term, *intr;

	s->base = event_base_new();
	s->http = s->base == NULL ? NULL : evhttp_new(s->base);
	if (s->http == NULL)
		return false;
	TAILQ_INIT(&s->guests);
	evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD |
	    EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
	    EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
	evhttp_set_max_headers_size(s->http, LIM_HTTP_HEAD);
	evhttp_set_max_body_size(s->http, LIM_HTTP_BODY);
	evhttp_set_timeout(s->http, LIM_HTTP_TIME);
	evhttp_set_bevcb(s->http, on_connection, s);
	evhttp_set_gencb(s->http, on_request, s);
	/* fd listens already: a backlog of 0 says so */
	s->listener = evconnlistener_new(s->base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (s->listener == NULL ||
	    evhttp_bind_listener(s->http, s->listener) == NULL)
		return false;
	evconnlistener_set_error_cb(s->listener, on_accept_error);
	s->again = evtimer_new(s->base, listen_again, s);
	tick = event_new(s->base, -1, EV_PERSIST, sweep, s);
	term = evsignal_new(s->base, SIGTERM, on_term, s->base);
	intr = evsignal_new(s->base, SIGINT, on_term, s->base);
	if (s->again == NULL || tick == NULL || term == NULL || intr == NULL)
		return false;
	(void)event_add(tick, &second);
	(void)event_add(term, NULL);
	(void)event_add(intr, NULL);
	return event_base_dispatch(s->base) != -1;
}

static int
listening(const struct sockaddr_storage *ss, int len)
{
	int on = 1, fd = socket(ss->ss_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);

	if (fd == -1)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (ss->ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (bind(fd, (const struct sockaddr *)ss, (socklen_t)len) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

struct given {
	const char	*listen, *state, *control, *talk, *host, *user;
};

static bool
options(int argc, char **argv, struct given *g)
{
	const char **to[] = { &g->listen, &g->state, &g->control, &g->host,
	    &g->user, &g->talk };
	static const char *const name[] = { "--listen", "--state",
	    "--control", "--host", "--user", "--talk" };
	const size_t n = sizeof name / sizeof name[0];
	size_t k;
	int i;

	memset(g, 0, sizeof *g);
	for (i = 1; i + 1 < argc; i += 2) {
		for (k = 0; k < n && strcmp(argv[i], name[k]) != 0; k++)
			;
		if (k == n)
			return false;
		*to[k] = argv[i + 1];
	}
	return i == argc && g->listen != NULL && g->state != NULL;
}

int
main(int argc, char **argv)
{
	static struct server s;
	struct jail jail = { .class = JAIL_HTTP, .empty = true,
	    .network = true, .files = LIM_HTTP_CONNECTIONS + 64 };
	struct sockaddr_storage ss;
	struct state_options o;
	struct buf path, program, lacks, door;
	struct given g;
	char why[200];
	int len, fd;

	if (!options(argc, argv, &g))
		return usage();
	(void)signal(SIGPIPE, SIG_IGN);
	memset(&ss, 0, sizeof ss);
	if (!address(g.listen, &ss, &len, &s.loopback))
		return fails(g.listen, "is no [ADDRESS:]PORT");
	if (setjmp(s.web.fail) != 0)
		return fails("start", "no memory");
	mem_init(&s.web.mem, LIM_HTTP_MEM, &s.web.fail);
	arena_init(&s.web.arena, &s.web.mem, 65536);
	s.web.host = str_c(g.host != NULL ? g.host : "this host");
	s.web.oldest = NUM_NIL;
	s.web.talks = g.control != NULL || g.talk != NULL;
	/* who comes after a picketd that was killed wants the address */
	if (s.web.talks)
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	fd = listening(&ss, len);
	if (fd == -1)
		return fails(g.listen, errno == EADDRINUSE ? "another program "
		    "listens there: http in picket.conf may name another port" :
		    strerror(errno));
	s.web.talk = g.talk == NULL ? -1 : (int)number_in(g.talk, 3, 1023, -1);
	if (s.web.talk != -1 && fcntl(s.web.talk, F_SETFD, FD_CLOEXEC) == -1)
		return fails(g.talk, strerror(errno));
	if (g.control != NULL) {
		s.web.talk = connect_control(g.control);
		if (s.web.talk == -1) {
			(void)fails(g.control, strerror(errno));
			return EXIT_AGAIN;
		}
	}
	buf_init(&path, &s.web.mem);
	buf_init(&program, &s.web.mem);
	buf_init(&lacks, &s.web.mem);
	buf_init(&door, &s.web.mem);
	buf_printf(&door, "%s/store.sock", g.state);
	buf_printf(&path, "%s/" STATE_FILE, g.state);
	spawn_helper(&program, STATE_PROGRAM);
	memset(&o, 0, sizeof o);
	o.mem = &s.web.mem;
	o.path = buf_view(&path);
	o.program = buf_c(&program);
	o.read_only = true;
	o.patience = HTTP_PATIENCE;
	o.socket = s.web.talks ? buf_c(&door) : NULL;
	s.web.state = state_new(&o);
	tzset();
	s.began = clock_steady();
	web_look(&s.web);	/* connects to the store while it still may */
	jail.user = g.user;
	if (!jail_enter(&jail, &lacks)) {
		snprintf(why, sizeof why, "%s", buf_c(&lacks));
		return fails("start", why);
	}
	if (lacks.n > 0)
		(void)fprintf(stderr, "picket-http: limits that could not be "
		    "had: %s\n", buf_c(&lacks));
	if (!serve(&s, fd))
		return fails("start", "libevent does not work here");
	return s.lost ? EXIT_AGAIN : 0;
}
