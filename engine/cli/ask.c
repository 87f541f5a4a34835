/* ask: the command's end of picketd's control socket. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/cli/ask.h"
#include "engine/cli/incident.h"
#include "engine/daemon/control.h"
#include "lang/base/num.h"

#define RUN_DIR		"/run/picket"
#define LIM_PLACES	2

/* A socket in a folder, whose path may be longer than an address. */
static int
dial(const char *folder)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int n, fd, e, dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir == -1)
		return -1;
	n = snprintf(sa.sun_path, sizeof sa.sun_path, "%s/" CONTROL_SOCKET,
	    folder);
	if (n < 0 || (size_t)n >= sizeof sa.sun_path)
		(void)snprintf(sa.sun_path, sizeof sa.sun_path,
		    "/proc/self/fd/%d/" CONTROL_SOCKET, dir);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd != -1 && connect(fd, (struct sockaddr *)&sa, sizeof sa) != 0) {
		e = errno;
		(void)close(fd);
		errno = e;
		fd = -1;
	}
	e = errno;
	(void)close(dir);
	errno = e;
	return fd;
}

/* Where picketd may be: it takes the first of these that it may. */
static size_t
places(struct cli *c, struct str list[LIM_PLACES])
{
	size_t n = 0;

	if (c->given[OPT_RUNDIR])
		list[n++] = str_c(c->value[OPT_RUNDIR]);
	else if (c->given[OPT_STATE])
		list[n++] = str_c(c->value[OPT_STATE]);
	else {
		list[n++] = STR_LIT(RUN_DIR);
		list[n] = state_home(c);
		n += !str_none(list[n]);
	}
	return n;
}

static int
reach(struct cli *c)
{
	struct str list[LIM_PLACES];
	size_t i, n = places(c, list);
	bool dead = false;
	struct buf b;
	int fd;

	buf_init(&b, &c->mem);
	for (i = 0; i < n; i++) {
		fd = dial(list[i].p);
		if (fd != -1) {
			buf_free(&b);
			return fd;
		}
		if (errno == EACCES || errno == EPERM) {
			cli_say("%s/" CONTROL_SOCKET ": you may not talk to "
			    "this picketd: be root or its user, or in the "
			    "group that `control group` in picket.conf names",
			    list[i].p);
			buf_free(&b);
			return -1;
		}
		if (errno != ENOENT && errno != ENOTDIR &&
		    errno != ECONNREFUSED) {
			cli_say("%s/" CONTROL_SOCKET ": %s", list[i].p,
			    strerror(errno));
			buf_free(&b);
			return -1;
		}
		dead |= errno == ECONNREFUSED;
		buf_puts(&b, i > 0 ? " or in " : "");
		buf_escaped(&b, list[i], 0);
	}
	cli_say("no picketd runs: %s in %s; start it by your init system "
	    "(systemctl start picketd) or by `picketd`%s", dead ? "nobody "
	    "listens on " CONTROL_SOCKET : "there is no " CONTROL_SOCKET,
	    buf_c(&b), c->given[OPT_RUNDIR] || c->given[OPT_STATE] ? "" :
	    ", or say where it is by --run DIR");
	buf_free(&b);
	return -1;
}

/* The line of the answer; false: said why there is none. */
static bool
take(int fd, struct buf *b)
{
	char *end = NULL;
	ssize_t n;

	while (end == NULL) {
		n = recv(fd, buf_room(b, 65536), 65536, 0);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			cli_say("picketd does not answer");
		else if (n == -1)
			cli_say("picketd: %s", strerror(errno));
		else if (n == 0)
			cli_say("picketd has closed the connection; it may "
			    "have ended: see its log");
		if (n <= 0)
			return false;
		end = memchr(b->p + b->n, '\n', (size_t)n);
		b->n += (size_t)n;
		if (b->n > LIM_ANSWER) {
			cli_say("the answer of picketd is too long");
			return false;
		}
	}
	b->n = (size_t)(end - b->p);
	return true;
}

json_t *
ask_picketd(struct cli *c, json_t *request, int seconds)
{
	char *line = json_dumps(request, JSON_COMPACT);
	struct timeval wait = { .tv_sec = seconds };
	json_t *answer = NULL;
	json_error_t e;
	struct buf b;
	int fd;

	json_decref(request);
	if (line == NULL || strlen(line) >= LIM_REQUEST) {
		cli_say(line == NULL ? "a name is no UTF-8, so there is no such "
		    "alert" : "that is too much for one request: name fewer "
		    "alerts");
		free(line);
		return NULL;
	}
	fd = reach(c);
	if (fd == -1) {
		free(line);
		return NULL;
	}
	buf_init(&b, &c->mem);
	buf_puts(&b, line);
	buf_putc(&b, '\n');
	free(line);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
	/* who refuses may have closed it already, and said why */
	(void)send(fd, b.p, b.n, MSG_NOSIGNAL);
	buf_clear(&b);
	if (take(fd, &b)) {
		answer = json_loadb(b.p, b.n, 0, &e);
		if (answer == NULL)
			cli_say("the answer of picketd makes no sense: %s",
			    e.text);
	}
	buf_free(&b);
	(void)close(fd);
	return answer;
}

const char *
ask_text(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

double
ask_number(const json_t *o, const char *name)
{
	const json_t *n = json_object_get(o, name);

	return json_is_number(n) ? json_number_value(n) : NUM_NIL;
}

bool
ask_is(const json_t *o, const char *name)
{
	return json_is_true(json_object_get(o, name));
}

bool
ask_says(struct cli *c, const json_t *answer)
{
	const char *error = ask_text(answer, "error"),
	    *warning = ask_text(answer, "warning"),
	    *diag = ask_text(answer, "diagnostics");
	bool ok = ask_is(answer, "ok");
	struct buf b;

	if (c->given[OPT_JSON]) {
		buf_init(&b, &c->mem);
		cli_json_put(json_deep_copy(answer), &b);
		ok = cli_write(1, buf_view(&b)) && ok;
		buf_free(&b);
		return ok;
	}
	if (diag != NULL && !ok)
		(void)cli_write(2, str_c(diag));
	if (!ok)
		cli_say("%s", error == NULL ? "picketd has not done it" : error);
	if (warning != NULL)
		cli_say("warning: %s: it holds until picketd is started again "
		    "only", warning);
	return ok;
}
