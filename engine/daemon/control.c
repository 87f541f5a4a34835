/* control: clients of the control socket, none of whom can stop picketd. */
#include "engine/daemon/control.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/vm/clock.h"

#define LIM_WHO		200	/* bytes of a message to one who is refused */
#define BACKLOG		64	/* that wait to be accepted */
#define TURN_REQUESTS	8	/* of one client in a turn of the loop */
#define CHECK		1.0	/* seconds between looks at who is idle */

static void on_client(struct watch *, short revents);
static void on_idle(struct timer *);
static void serve(struct control_client *);

/* --- answers that come in pieces, or later --- */

void
control_stream(struct control_client *c, control_piece_fn *more)
{
	c->more = more;
	c->stage = 0;
	c->at = 0;
}

void
control_wait(struct control_client *c, unsigned n)
{
	c->waits = n;
}

void
control_wake(struct control *l, control_piece_fn *more)
{
	struct control_client *c;

	for (c = l->client; c < l->client + LIM_CLIENTS + LIM_ADOPTED; c++)
		if (c->watch != NULL && c->waits > 0 && --c->waits == 0) {
			c->took = l->loop->now;
			control_stream(c, more);
			serve(c);
		}
}

/* --- clients --- */

static void
let_go(struct control_client *c)
{
	struct control *l = c->control;

	watch_end(c->watch);
	c->watch = NULL;
	(void)close(c->fd);
	/* what was spared is there again */
	if (l->spare == -1) {
		l->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (l->spare != -1 && l->watch != NULL)
			l->watch->events = POLLIN;
	}
}

static bool
is_answering(const struct control_client *c)
{
	return c->nout > 0 || c->more != NULL || c->waits > 0;
}

/* Sends what there is; false: it was closed. */
static bool
flush(struct control_client *c, size_t *done)
{
	ssize_t k;

	while (c->sent < c->nout) {
		k = send(c->fd, c->out + c->sent, c->nout - c->sent,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (k == -1 && errno == EINTR)
			continue;
		if (k == -1 && errno != EAGAIN && errno != ENOBUFS &&
		    errno != ENOMEM) {
			let_go(c);
			return false;
		}
		if (k <= 0)
			return true;
		c->sent += (size_t)k;
		c->moved = c->control->loop->now;
		*done += (size_t)k;
	}
	c->nout = c->sent = 0;
	return true;
}

/*
 * Goes on with the answer as far as the client reads, but no more than
 * LIM_CONTROL_TURN; false: the client is gone.
 */
static bool
answer(struct control_client *c)
{
	struct control *l = c->control;
	size_t done = 0;

	for (;;) {
		while (c->more != NULL && !c->broken &&
		    sizeof c->out - c->nout > LIM_PIECE)
			if (!c->more(l->arg, c)) {
				c->more = NULL;
				control_put(c, "\n");
			}
		if (c->broken) {
			let_go(c);
			return false;
		}
		if (!flush(c, &done))
			return false;
		if (c->nout > 0 || c->more == NULL || done > LIM_CONTROL_TURN)
			return true;
	}
}

/* All whole lines that it has sent, one after the other. */
static void
serve(struct control_client *c)
{
	unsigned left = TURN_REQUESTS;
	char *end;
	size_t n;

	while (left-- > 0) {
		if (is_answering(c)) {
			if (!answer(c))
				return;
			if (is_answering(c))
				break;
			c->took = 0;
			c->since = c->control->loop->now;
		}
		if (c->ending) {
			let_go(c);
			return;
		}
		end = memchr(c->in, '\n', c->nin);
		n = end == NULL ? c->nin : (size_t)(end - c->in);
		if (end == NULL && c->nin < LIM_REQUEST && !c->eof) {
			c->watch->events = POLLIN;
			return;
		}
		if (end == NULL && c->nin == 0) {	/* it has gone */
			let_go(c);
			return;
		}
		c->took = c->moved = c->control->loop->now;
		if (end == NULL) {
			control_error(c, c->eof ? "the last line has no end" :
			    "a request has at most %d bytes", LIM_REQUEST);
			c->ending = true;
		} else if (!control_take(c, c->in, n)) {
			c->control->refused++;
			c->ending = true;
		}
		n = end == NULL ? n : n + 1;
		c->nin -= n;
		memmove(c->in, c->in + n, c->nin);
	}
	/* what it says meanwhile waits in the kernel, up to its limit */
	c->watch->events = c->waits > 0 ? 0 : POLLOUT;
}

static void
on_client(struct watch *w, short revents)
{
	struct control_client *c = w->arg;
	ssize_t n;

	if ((revents & (POLLERR | POLLNVAL)) != 0 ||
	    ((revents & POLLHUP) != 0 && is_answering(c))) {
		let_go(c);
		return;
	}
	if (!is_answering(c) && (revents & (POLLIN | POLLHUP)) != 0) {
		n = recv(c->fd, c->in + c->nin, LIM_REQUEST - c->nin,
		    MSG_DONTWAIT);
		if (n == -1) {
			if (errno != EAGAIN && errno != EINTR)
				let_go(c);
			return;
		}
		c->eof |= n == 0;
		c->nin += (size_t)n;
	}
	serve(c);
}

static void
on_idle(struct timer *t)
{
	struct control *l = t->arg;
	struct control_client *c;
	double now = l->loop->now;
	bool any = false;

	for (c = l->client; c < l->client + LIM_CLIENTS + LIM_ADOPTED; c++) {
		if (c->watch == NULL)
			continue;
		if (c->waits > 0 || (c->adopted && c->took <= 0)) {
			if (c->waits > 0 && now - c->took > LIM_CONTROL_WAIT) {
				c->waits = 0;
				control_error(c, "there was no result in time");
				serve(c);
			}
			any = true;
			continue;
		}
		if (c->took > 0 ? now - c->took > LIM_CONTROL_TAKE :
		    now - c->since > LIM_CONTROL_IDLE) {
			let_go(c);
			continue;
		}
		any = true;
	}
	if (any)
		timer_set(l->loop, t, now + CHECK);
}

static void
begin(struct control_client *c, struct control *l, int fd, uid_t uid)
{
	/* not the buffers: their pages may never have been touched */
	memset(c, 0, offsetof(struct control_client, in));
	c->control = l;
	c->fd = fd;
	c->uid = uid;
	c->since = l->loop->now;
	if (!l->idle.set)
		timer_set(l->loop, &l->idle, l->loop->now + CHECK);
}

/*
 * A place.  Whoever has asked for nothing for the longest makes room; if all
 * have asked, who does not read what he is told.
 */
static struct control_client *
place(struct control *l)
{
	struct control_client *c, *oldest = NULL;

	for (c = l->client; c < l->client + LIM_CLIENTS; c++) {
		if (c->watch == NULL)
			return c;
		if (!is_answering(c) &&
		    (oldest == NULL || c->since < oldest->since))
			oldest = c;
	}
	for (c = l->client; oldest == NULL && c < l->client + LIM_CLIENTS; c++)
		if (c->waits == 0 &&
		    l->loop->now - c->moved > LIM_CONTROL_STALL)
			oldest = c;
	if (oldest != NULL)
		let_go(oldest);
	return oldest;
}

/* --- who --- */

static bool
in_group(int fd, const struct ucred *who, gid_t gid)
{
	gid_t list[LIM_CONTROL_GROUPS];
	socklen_t size = sizeof list;
	size_t i;

	if (who->gid == gid)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, list, &size) != 0)
		return false;
	for (i = 0; i < size / sizeof *list; i++)
		if (list[i] == gid)
			return true;
	return false;
}

static bool
may_ask(const struct control *l, int fd, struct ucred *who)
{
	socklen_t size = sizeof *who;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, who, &size) != 0) {
		who->uid = (uid_t)-1;
		return false;
	}
	return who->uid == 0 || who->uid == geteuid() ||
	    (l->gid != (gid_t)-1 && in_group(fd, who, l->gid));
}

static void
refuse(struct control *l, int fd, const char *why)
{
	char t[LIM_WHO];
	int n = snprintf(t, sizeof t, "{\"ok\":false,\"error\":\"%s\"}\n", why);

	l->refused++;
	(void)send(fd, t, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)close(fd);
}

static void
on_listen(struct watch *w, short revents)
{
	struct control *l = w->arg;
	struct control_client *c;
	struct ucred who;
	int fd, i;

	(void)revents;
	/* so many in a turn: others have their turn, too */
	for (i = 0; i < LIM_CLIENTS; i++) {
		fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd == -1 && (errno == EMFILE || errno == ENFILE) &&
		    l->spare != -1) {
			/* one at a time, until there are descriptors again */
			(void)close(l->spare);
			l->spare = -1;
			fd = accept4(l->fd, NULL, NULL,
			    SOCK_CLOEXEC | SOCK_NONBLOCK);
			if (fd != -1)
				w->events = 0;
		}
		if (fd == -1) {
			if (l->spare == -1)
				l->spare = open("/dev/null",
				    O_RDONLY | O_CLOEXEC);
			return;
		}
		if (!may_ask(l, fd, &who)) {
			logger_say(l->log, SAY_WARNING, "control socket: user "
			    "%ld is refused", (long)(int)who.uid);
			refuse(l, fd, "only root and the user of picketd may "
			    "ask; `control group` in picket.conf lets others");
			continue;
		}
		/* the web server, which asks each time that it is asked */
		if (l->is_ours != NULL && l->is_ours(l->arg, who.pid)) {
			/* never as a person, who may do more than read */
			if (!control_adopt(l, fd))
				refuse(l, fd, "too many ask at once");
			continue;
		}
		c = place(l);
		if (c == NULL) {
			refuse(l, fd, "too many ask at once");
			continue;
		}
		begin(c, l, fd, who.uid);
		c->watch = loop_watch(l->loop, fd, POLLIN, on_client, c);
		if (c->watch == NULL)
			refuse(l, fd, "too many ask at once");
		else	/* it may have been cut off by who comes next */
			on_client(c->watch, POLLIN);
	}
}

bool
control_adopt(struct control *l, int fd)
{
	struct control_client *c;

	for (c = l->client + LIM_CLIENTS; c->watch != NULL; c++)
		if (c == l->client + LIM_CLIENTS + LIM_ADOPTED - 1)
			return false;
	begin(c, l, fd, 0);
	c->adopted = true;
	c->watch = loop_watch(l->loop, fd, POLLIN, on_client, c);
	return c->watch != NULL;
}

/* --- the socket --- */

void
control_init(struct control *l, struct loop *loop, struct logger *log,
    control_fn *act, void *arg)
{
	/* not the clients: most of their pages are never touched */
	memset(l, 0, offsetof(struct control, client));
	l->loop = loop;
	l->log = log;
	l->act = act;
	l->arg = arg;
	l->fd = l->dir = l->spare = -1;
	l->gid = (gid_t)-1;
	l->idle.fire = on_idle;
	l->idle.arg = l;
	/* else jansson opens /dev/urandom when it is first used */
	json_object_seed(1);
}

/* The address of the socket in a folder of any length. */
static bool
address(int dir, const char *folder, struct sockaddr_un *sa)
{
	int n;

	memset(sa, 0, sizeof *sa);
	sa->sun_family = AF_UNIX;
	n = snprintf(sa->sun_path, sizeof sa->sun_path, "%s/" CONTROL_SOCKET,
	    folder);
	if (n < 0 || (size_t)n >= sizeof sa->sun_path)
		n = snprintf(sa->sun_path, sizeof sa->sun_path,
		    "/proc/self/fd/%d/" CONTROL_SOCKET, dir);
	return n > 0;
}

/* Whether somebody listens there. */
static bool
is_taken(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool taken = false;

	if (fd != -1) {
		taken = connect(fd, (const struct sockaddr *)sa,
		    sizeof *sa) == 0 || errno == EAGAIN;
		(void)close(fd);
	}
	return taken;
}

static bool
bind_it(struct control *l, const struct sockaddr_un *sa, const char **what)
{
	mode_t old;
	struct stat st;
	int r;

	*what = "socket";
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd == -1)
		return false;
	*what = "bind";
	old = umask(0177);	/* never another mode, not for a moment */
	r = bind(l->fd, (const struct sockaddr *)sa, sizeof *sa);
	(void)umask(old);
	if (r != 0)
		return false;
	*what = "stat";
	if (fstatat(l->dir, CONTROL_SOCKET, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	*what = "listen";
	return listen(l->fd, BACKLOG) == 0;
}

bool
control_listen(struct control *l, const char *folder, char *why, size_t size)
{
	struct sockaddr_un sa;
	struct stat st;
	const char *what;

	/* whatever umask says: the control group passes through it */
	if (mkdir(folder, 0755) == 0)
		(void)chmod(folder, 0755);
	else if (errno != EEXIST) {
		snprintf(why, size, "%.300s: %s", folder, strerror(errno));
		return false;
	}
	l->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->dir == -1 || fstat(l->dir, &st) != 0) {
		snprintf(why, size, "%.300s: %s", folder, strerror(errno));
		return false;
	}
	if ((st.st_uid != geteuid() && st.st_uid != 0) ||
	    ((st.st_mode & 022) != 0 && (st.st_mode & S_ISVTX) == 0)) {
		snprintf(why, size, "%.300s: others may write to it; --run "
		    "names another folder", folder);
		return false;
	}
	(void)address(l->dir, folder, &sa);
	if (is_taken(&sa)) {
		snprintf(why, size, "%.300s/" CONTROL_SOCKET ": another picketd "
		    "listens there; --run gives this one another folder",
		    folder);
		return false;
	}
	if (fstatat(l->dir, CONTROL_SOCKET, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !S_ISSOCK(st.st_mode)) {
		snprintf(why, size, "%.300s/" CONTROL_SOCKET ": is no socket; "
		    "remove it", folder);
		return false;
	}
	(void)unlinkat(l->dir, CONTROL_SOCKET, 0);
	if (!bind_it(l, &sa, &what)) {
		snprintf(why, size, "%.300s/" CONTROL_SOCKET ": %s: %s", folder,
		    what, strerror(errno));
		return false;
	}
	l->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	l->watch = loop_watch(l->loop, l->fd, POLLIN, on_listen, l);
	if (l->watch == NULL)
		snprintf(why, size, "too many descriptors are watched");
	return l->watch != NULL;
}

/* Of this host's own file: another source may be a server that is away. */
static bool
find_group(const char *name, gid_t *gid)
{
	FILE *f = fopen("/etc/group", "re");
	struct group *g = NULL;

	if (f == NULL)
		return false;
	while ((g = fgetgrent(f)) != NULL && strcmp(g->gr_name, name) != 0)
		;
	if (g != NULL)
		*gid = g->gr_gid;
	(void)fclose(f);
	return g != NULL;
}

bool
control_group(struct control *l, const char *group, char *why, size_t size)
{
	bool some = group != NULL && group[0] != '\0';

	l->gid = (gid_t)-1;
	if (some && !find_group(group, &l->gid))
		snprintf(why, size, "control group %.100s: /etc/group has no "
		    "such group", group);
	if (l->dir == -1)
		return l->gid != (gid_t)-1 || !some;
	if (l->gid == (gid_t)-1) {
		(void)fchmodat(l->dir, CONTROL_SOCKET, 0600, 0);
		return !some;
	}
	/* first the group, then its right */
	if (fchownat(l->dir, CONTROL_SOCKET, (uid_t)-1, l->gid,
	    AT_SYMLINK_NOFOLLOW) != 0 ||
	    fchmodat(l->dir, CONTROL_SOCKET, 0660, 0) != 0) {
		snprintf(why, size, "control group %.100s: %s", group,
		    strerror(errno));
		l->gid = (gid_t)-1;
		return false;
	}
	return true;
}

void
control_close(struct control *l)
{
	struct control_client *c;
	struct stat st;

	for (c = l->client; c < l->client + LIM_CLIENTS + LIM_ADOPTED; c++)
		if (c->watch != NULL)
			let_go(c);
	timer_clear(l->loop, &l->idle);
	watch_end(l->watch);
	l->watch = NULL;
	if (l->fd != -1) {
		/* not another's, who came after us */
		if (fstatat(l->dir, CONTROL_SOCKET, &st, AT_SYMLINK_NOFOLLOW) ==
		    0 && st.st_dev == l->dev && st.st_ino == l->ino)
			(void)unlinkat(l->dir, CONTROL_SOCKET, 0);
		(void)close(l->fd);
	}
	if (l->dir != -1)
		(void)close(l->dir);
	if (l->spare != -1)
		(void)close(l->spare);
	l->fd = l->dir = l->spare = -1;
}
