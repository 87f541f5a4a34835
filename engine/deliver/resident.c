#include "engine/deliver/resident.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/deliver/report.h"
#include "engine/deliver/send.h"
#include "engine/deliver/target.h"
#include "engine/deliver/trust.h"
#include "engine/effect/spawn.h"
#include "engine/vm/clock.h"

#define LIM_ANSWER	((size_t)4 << 20)	/* bytes: as LIM_REPORT of send.c */
#define READ_BLOCK	4096

struct resident {
	struct resident_options o;
	pid_t		 pid;
	int		 fd;		/* -1: it is not there */
	unsigned	 ended;		/* in a row, without a job done */
	double		 rest;		/* none is started before (clock_steady) */
	struct buf	 heard;		/* of the answer at hand */
};

#define REST_MOST	30.0	/* seconds between starts of one that dies at once */

struct resident *
resident_new(const struct resident_options *o)
{
	struct resident *r = mem_zalloc(o->mem, sizeof *r);

	r->o = *o;
	r->fd = -1;
	buf_init(&r->heard, o->mem);
	return r;
}

static void
say(struct resident *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void
say(struct resident *r, const char *fmt, ...)
{
	struct buf b;
	va_list ap;

	if (r->o.say == NULL)
		return;
	buf_init(&b, r->o.mem);
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	r->o.say(r->o.arg, buf_view(&b));
	buf_free(&b);
}

/* Ends it; how it ended. */
static int
end(struct resident *r)
{
	int ws = 0;

	if (r->fd != -1)
		close(r->fd);
	r->fd = -1;
	if (r->pid > 0) {
		(void)kill(r->pid, SIGKILL);
		while (waitpid(r->pid, &ws, 0) == -1 && errno == EINTR)
			;
	}
	r->pid = 0;
	return spawn_status(ws);
}

void
resident_free(struct resident *r)
{
	if (r == NULL)
		return;
	(void)end(r);
	buf_free(&r->heard);
	mem_free(r->o.mem, r, sizeof *r);
}

pid_t
resident_pid(const struct resident *r)
{
	return r->pid;
}

int
resident_fd(const struct resident *r)
{
	return r->fd;
}

/* It has gone, by itself or as it was out of step: when the next one may come. */
static void
gone(struct resident *r, struct buf *how)
{
	int status;

	/* what it was killed by, not our own KILL behind it */
	if (r->fd != -1)
		(void)shutdown(r->fd, SHUT_RDWR);
	status = end(r);
	buf_printf(how, status > 128 ? SEND_PROGRAM " ended by signal %d" :
	    SEND_PROGRAM " ended with status %d", status > 128 ?
	    status - 128 : status);
	r->rest = clock_steady();
	if (r->ended > 0)
		r->rest += r->ended > 8 ? REST_MOST : 0.1 * (1 << r->ended);
	r->ended++;
	say(r, "%s", buf_c(how));
	if (r->o.gone != NULL)
		r->o.gone(r->o.arg, buf_view(how));
}

/* --- talking --- */

enum got { GOT, GONE, LATE, ABSENT };

/* Ready for `what` before `until`? *stop leaves RESIDENT_STOP seconds. */
static enum got
await(struct resident *r, short what, double *until)
{
	struct pollfd p = { .fd = r->fd, .events = what };
	double now;
	int n;

	for (;;) {
		now = clock_steady();
		if (r->o.stop != NULL && *r->o.stop &&
		    *until > now + RESIDENT_STOP)
			*until = now + RESIDENT_STOP;
		if (now >= *until)
			return LATE;
		/* a signal between the look and the wait costs a second */
		n = poll(&p, 1, *until - now > 1 ? 1000 :
		    (int)((*until - now) * 1000) + 1);
		if (n > 0)
			return GOT;
	}
}

static enum got
put(struct resident *r, const char *p, size_t n, double *until)
{
	enum got g = GOT;
	ssize_t k;

	while (n > 0 && (g = await(r, POLLOUT, until)) == GOT) {
		k = send(r->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (k == -1 && errno != EINTR && errno != EAGAIN)
			return GONE;
		if (k > 0) {
			p += k;
			n -= (size_t)k;
		}
	}
	return g;
}

static enum got
put_message(struct resident *r, struct str s, double *until)
{
	uint32_t length = (uint32_t)s.n;
	enum got g = put(r, (const char *)&length, sizeof length, until);

	return g == GOT ? put(r, s.p, s.n, until) : g;
}

/*
 * Reads until a line begins with `word`: what stands before it is left in
 * r->heard, the rest of that line in *rest.
 */
static enum got
hear(struct resident *r, const char *word, double *until, struct str *rest)
{
	struct buf *b = &r->heard;
	size_t line = 0, nl;
	enum got g;
	ssize_t k;

	buf_clear(b);
	for (;;) {
		while ((nl = str_find(buf_view(b), '\n', line)) < b->n) {
			if (str_starts(str_of(b->p + line, nl - line), word)) {
				*rest = str_of(b->p + line + strlen(word),
				    nl - line - strlen(word));
				b->n = line;
				return GOT;
			}
			line = nl + 1;
		}
		if (b->n > LIM_ANSWER)
			return GONE;
		if ((g = await(r, POLLIN, until)) != GOT)
			break;
		k = recv(r->fd, buf_room(b, READ_BLOCK), READ_BLOCK,
		    MSG_DONTWAIT);
		if (k == 0 || (k == -1 && errno != EINTR && errno != EAGAIN)) {
			g = GONE;
			break;
		}
		if (k > 0)
			b->n += (size_t)k;
	}
	b->n = line;			/* half a line says nothing */
	return g;
}

/* --- starting --- */

static int
above_two(int fd)
{
	int high;

	if (fd == -1 || fd > STDERR_FILENO)
		return fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(fd);
	return high;
}

static bool
start(struct resident *r, struct buf *why)
{
	const char *argv[] = { r->o.program, "--serve", r->o.user, NULL };
	static char lang[] = "LANG=C.UTF-8";
	struct user user;
	struct spawn s = { .argv = (char *const *)argv, .user = &user };
	struct spawn_result res;
	const char *tz = getenv("TZ");
	char zone[256];
	int pair[2], err;

	memset(&user, 0, sizeof user);
	user.uid = geteuid();
	user.gid = getegid();
	user.env[0] = lang;
	if (tz != NULL && strlen(tz) < sizeof zone - 4) {
		snprintf(zone, sizeof zone, "TZ=%s", tz);
		user.env[1] = zone;
	}
	s.path = "/";			/* the program's is a whole one */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1) {
		buf_printf(why, "no socket: %s", strerror(errno));
		return false;
	}
	pair[0] = above_two(pair[0]);
	pair[1] = above_two(pair[1]);
	err = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	s.fd[0] = s.fd[1] = pair[1];
	s.fd[2] = err;
	if (pair[0] == -1 || pair[1] == -1 || !spawn_start(&s, &res)) {
		buf_puts(why, pair[0] == -1 || pair[1] == -1 ?
		    "no descriptors" : res.why);
		if (pair[0] != -1)
			close(pair[0]);
		pair[0] = -1;
	} else {
		r->pid = res.pid;
		r->fd = pair[0];
	}
	if (pair[1] != -1)
		close(pair[1]);
	if (err != -1)
		close(err);
	return pair[0] != -1;
}

/* Is there one?  Else it is started.  False: why says what is wrong. */
static bool
ready(struct resident *r, struct buf *why)
{
	double until = clock_steady() + RESIDENT_START;
	struct str lacks;
	struct pollfd p;

	p = (struct pollfd){ .fd = r->fd, .events = POLLIN };
	if (r->fd != -1 && poll(&p, 1, 0) > 0)
		gone(r, why);		/* it has nothing to say by itself */
	if (r->fd != -1)
		return true;
	if (clock_steady() < r->rest) {
		if (why->n == 0)
			buf_puts(why, SEND_PROGRAM " ends again and again");
		return false;
	}
	buf_clear(why);
	if (!start(r, why)) {
		r->rest = clock_steady() + 1;
		return false;
	}
	if (hear(r, "ready", &until, &lacks) != GOT) {
		gone(r, why);
		return false;
	}
	lacks = str_trim(lacks);
	if (lacks.n > 0)
		say(r, SEND_PROGRAM " goes on without: %.*s", (int)lacks.n,
		    lacks.p);
	return true;
}

bool
resident_ready(struct resident *r)
{
	struct buf why;
	bool ok;

	buf_init(&why, r->o.mem);
	ok = ready(r, &why);
	buf_free(&why);
	return ok;
}

/* --- jobs --- */

bool
transport_is_local(const struct transport *t)
{
	switch (t->kind) {
	case TRANSPORT_SENDMAIL:
	case TRANSPORT_MAILCMD:
	case TRANSPORT_FILE:
	case TRANSPORT_WALL:
	case TRANSPORT_JOURNAL:
		return true;
	case TRANSPORT_SYSLOG:
		return str_starts(t->target, "/");
	default:
		return false;
	}
}

/* One try.  GOT: *status is what it said at the end. */
static enum got
try_job(struct resident *r, struct str bytes, double timeout, int *status,
    struct buf *report, struct buf *why)
{
	double until = clock_steady() + timeout;
	struct str rest = STR_EMPTY;
	enum got g;

	buf_clear(why);
	if (!ready(r, why))
		return ABSENT;
	buf_clear(&r->heard);
	g = put_message(r, bytes, &until);
	if (g == GOT)
		g = hear(r, "end ", &until, &rest);
	buf_add(report, r->heard.p, r->heard.n);
	if (g == GOT) {
		r->ended = 0;
		*status = rest.n > 0 && rest.n < 4 ? atoi(rest.p) : JOB_LATER;
	} else if (g == GONE) {
		gone(r, why);
	} else {
		(void)end(r);
		r->ended = 0;
		buf_printf(why, SEND_PROGRAM " not ended after %.0f s",
		    timeout - (until - clock_steady()));
		say(r, "%s", buf_c(why));
		if (r->o.gone != NULL)
			r->o.gone(r->o.arg, buf_view(why));
	}
	return g;
}

/* A file that a line names, read as whom we are. */
static void
add_file(struct job *j, struct str path, bool is_secret, struct arena *a)
{
	char secret[LIM_SECRET + 1];
	struct buf text, why;
	struct job_file *f;
	enum trust got;

	if (j->nfile == LIM_JOB_FILES || job_file(j, path) != NULL)
		return;
	buf_init(&text, a->mem);
	buf_init(&why, a->mem);
	if (is_secret) {
		got = trust_read_secret(path.p, secret, &why);
		buf_puts(&text, secret);
		explicit_bzero(secret, sizeof secret);
	} else {
		got = trust_read(path.p, LIM_CONF_FILE, true, &text, &why);
	}
	if (got == TRUST_MISSING) {
		buf_escaped(&why, path, 0);
		buf_puts(&why, ": this file is missing");
	}
	f = &j->file[j->nfile++];
	f->path = path;
	f->missing = got != TRUST_FINE;
	f->text = arena_dup(a, buf_view(f->missing ? &why : &text));
	if (text.n > 0)
		explicit_bzero(text.p, text.n);
	buf_free(&text);
	buf_free(&why);
}

static void
add_files(struct job *j, const struct transport *t, struct arena *a)
{
	struct str path;
	unsigned i;

	if (!str_none(t->ca))
		add_file(j, t->ca, false, a);
	for (i = 0; !str_none(path = transport_secret(t, i)); i++)
		add_file(j, path, true, a);
}

static void
forget_files(struct job *j)
{
	size_t i;

	for (i = 0; i < j->nfile; i++)
		explicit_bzero((void *)(uintptr_t)j->file[i].text.p,
		    j->file[i].text.n);
	j->nfile = 0;
}

static bool
all_taken(const struct job *j, struct str said)
{
	struct report r;

	report_read(&r, said, j);
	return r.ntaken == r.n;
}

/* Those of the piece who have it are taken out. */
static void
keep_left(struct job *j, struct str said)
{
	struct report r;
	size_t i, n = 0;

	report_read(&r, said, j);
	for (i = 0; i < j->nto; i++)
		if (!r.rcpt[i].taken)
			j->to[n++] = j->to[i];
	j->nto = n;
}

/* A piece that the resident one does. */
static void
by_resident(struct resident *r, struct job *j, struct arena *a,
    struct buf *report)
{
	struct buf bytes, why;
	struct transport t;
	size_t i, from = report->n;
	int status = JOB_LATER, tries;
	enum got g;

	buf_init(&bytes, r->o.mem);
	buf_init(&why, r->o.mem);
	for (i = 0; i < j->ntransport; i++) {
		if (transport_parse_line(&t, j->transport[i], a, &why))
			add_files(j, &t, a);
	}
	for (tries = 0;; tries++) {
		buf_clear(&bytes);
		job_write(j, &bytes);
		g = try_job(r, buf_view(&bytes), send_timeout(j, r->o.mem),
		    &status, report, &why);
		explicit_bzero(bytes.p, bytes.n);
		/* whoever has it by now is not sent to again */
		if (g != GONE || tries > 0 ||
		    report->n > from || (r->o.stop != NULL && *r->o.stop))
			break;
	}
	forget_files(j);
	if (g == ABSENT) {
		/* no user of that name, no jail: alerts go out even so, as
		 * without picketd.  Not when one has died of the job. */
		(void)send_job_until(j, r->o.program, r->o.stop, report);
	} else if (g != GOT) {
		buf_puts(report, "retry ");
		buf_str(report, STR_LIT(SEND_PROGRAM " "));
		buf_escaped(report, buf_view(&why), 0);
		buf_putc(report, '\n');
	} else if (status != JOB_SENT && status != JOB_REFUSED &&
	    status != JOB_LATER) {
		buf_printf(report, "retry " SEND_PROGRAM " ended with status "
		    "%d\n", status);
	}
	buf_free(&bytes);
	buf_free(&why);
}

bool
resident_job(struct resident *r, const struct job *whole, struct buf *report)
{
	struct job *j = mem_alloc(r->o.mem, sizeof *j);
	size_t i, from = report->n, before;
	struct transport t;
	struct arena a;
	struct buf why;
	bool local, mine, done = false;

	*j = *whole;
	arena_init(&a, r->o.mem, 4096);
	buf_init(&why, r->o.mem);
	for (i = 0; i < whole->ntransport && !done; ) {
		/* neighbours of a kind make a piece */
		j->ntransport = 0;
		local = mine = false;
		for (; i < whole->ntransport; i++) {
			local = transport_parse_line(&t, whole->transport[i],
			    &a, &why) && transport_is_local(&t);
			if (j->ntransport > 0 && local != mine)
				break;
			mine = local;
			j->transport[j->ntransport++] = whole->transport[i];
		}
		before = report->n;
		if (mine)
			(void)send_job_until(j, r->o.program, r->o.stop,
			    report);
		else
			by_resident(r, j, &a, report);
		done = all_taken(j, str_of(report->p + before,
		    report->n - before));
		keep_left(j, str_of(report->p + before, report->n - before));
		if (r->o.stop != NULL && *r->o.stop)
			break;
	}
	buf_free(&why);
	arena_free(&a);
	mem_free(r->o.mem, j, sizeof *j);
	return all_taken(whole, str_of(report->p + from, report->n - from));
}

/* --- addresses --- */

static void
add_host(struct buf *b, struct str host, unsigned port)
{
	if (host.n == 0 || port == 0)
		return;
	buf_str(b, host);
	buf_printf(b, " %u\n", port);
}

static void
add_url(struct buf *b, struct str url)
{
	struct str host;
	unsigned port;

	if (!str_none(url) && target_url_host(url, &host, &port))
		add_host(b, host, port);
}

static void
add_transport(struct buf *b, const struct transport *t)
{
	char url[LIM_SECRET + 1];
	struct buf why;
	size_t i;

	if (t->kind == TRANSPORT_SMTP || (t->kind == TRANSPORT_SYSLOG &&
	    !transport_is_local(t)))
		add_host(b, t->target, t->port);
	for (i = 0; i < t->nurl; i++)
		add_url(b, t->url[i]);
	if (transport_has(t, OPTION_URL))
		add_url(b, t->arg[OPTION_URL]);
	else if (t->kind == TRANSPORT_PAGERDUTY)
		add_host(b, STR_LIT("events.pagerduty.com"), 443);
	if (transport_has(t, OPTION_URLFILE)) {
		buf_init(&why, b->mem);
		if (trust_read_secret(t->arg[OPTION_URLFILE].p, url, &why) ==
		    TRUST_FINE)
			add_url(b, str_c(url));
		explicit_bzero(url, sizeof url);
		buf_free(&why);
	}
}

void
resident_hosts(struct resident *r, const struct conf *c)
{
	double until = clock_steady() + 1;
	struct buf b;
	size_t i;

	if (!resident_ready(r))
		return;
	buf_init(&b, r->o.mem);
	buf_puts(&b, HOSTS_MAGIC);
	for (i = 0; i < c->ntransport; i++)
		add_transport(&b, &c->transport[i]);
	add_url(&b, c->heartbeat.url);
	add_url(&b, c->heartbeat.fail);
	/* half a message: it would take the next job for the rest */
	if (put_message(r, buf_view(&b), &until) != GOT)
		(void)end(r);
	buf_free(&b);
}
