#include "engine/state/guest.h"

#include <sys/socket.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <unistd.h>

struct guest *
guest_new(struct mem *m, int fd, uid_t uid, bool asks_only, double now)
{
	struct guest *g = mem_zalloc(m, sizeof *g);

	g->mem = m;
	g->fd = fd;
	g->uid = uid;
	g->asks_only = asks_only;
	g->came = g->moved = now;
	buf_init(&g->in, m);
	buf_init(&g->out, m);
	stage_init(&g->stage, m);
	g->stage.read_only = asks_only;
	return g;
}

void
guest_free(struct guest *g)
{
	(void)close(g->fd);
	stage_clear(&g->stage);
	buf_free(&g->in);
	buf_free(&g->out);
	mem_free(g->mem, g, sizeof *g);
}

/* All of it is done with: what was large is given back. */
static void
empty(struct buf *b, size_t *done)
{
	struct mem *m = b->mem;

	*done = 0;
	b->n = 0;
	if (b->cap > GUEST_SMALL) {
		buf_free(b);
		buf_init(b, m);
	}
}

/* How long the message is that begins in the buffer, with its length; 0: that
 * is not there yet. */
static size_t
length(const struct guest *g)
{
	struct wire w;

	if (g->in.n - g->taken < WIRE_HEAD)
		return 0;
	w = (struct wire){ .p = g->in.p + g->taken,
	    .left = g->in.n - g->taken };
	return (size_t)wire_get_u32(&w) + WIRE_HEAD;
}

void
guest_read(struct guest *g, double now)
{
	size_t most = LIM_GUEST_READ, part, want;
	ssize_t n;

	if (g->taken > 0 && g->taken == g->in.n)
		empty(&g->in, &g->taken);
	while (most > 0 && !g->ended) {
		/* what is large gets its room at once, when it has begun */
		want = length(g);
		part = want > g->in.n - g->taken + 4096 &&
		    g->in.n > GUEST_SMALL / 2 ? GUEST_SMALL : 4096;
		n = recv(g->fd, buf_room(&g->in, part), part, MSG_DONTWAIT);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n <= 0) {
			g->ended = true;
			g->gone = g->gone || n == -1;
			return;
		}
		g->in.n += (size_t)n;
		g->moved = now;
		if ((size_t)n < part)
			return;
		most -= most < (size_t)n ? most : (size_t)n;
	}
}

bool
guest_next(struct guest *g, struct str *message)
{
	size_t n = length(g), most = LIM_STATE_MESSAGE;

	if (g->asks_only)
		most = LIM_GUEST_ASKS;
	if (n == WIRE_HEAD || n > most + WIRE_HEAD) {
		g->gone = true;
		return false;
	}
	if (n == 0 || n > g->in.n - g->taken)
		return false;
	*message = str_of(g->in.p + g->taken + WIRE_HEAD, n - WIRE_HEAD);
	return true;
}

void
guest_done(struct guest *g, struct str message)
{
	size_t left;

	g->taken += WIRE_HEAD + message.n;
	left = g->in.n - g->taken;
	if (left == 0) {
		empty(&g->in, &g->taken);
	} else if (left < g->taken) {
		/* what follows moves to the front, and never often */
		memcpy(g->in.p, g->in.p + g->taken, left);
		g->in.n = left;
		g->taken = 0;
	}
}

/* As much as the socket takes; how much, or -1: nobody is there. */
static ssize_t
push(int fd, struct str s)
{
	size_t done = 0;
	ssize_t n;

	while (done < s.n) {
		n = send(fd, s.p + done, s.n - done, MSG_NOSIGNAL |
		    MSG_DONTWAIT);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno == EAGAIN || errno == EWOULDBLOCK ?
			    (ssize_t)done : -1;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

bool
guest_send(struct guest *g, struct str m)
{
	ssize_t n = 0;

	if (g->gone)
		return false;
	if (g->out.n == 0)
		n = push(g->fd, m);
	if (n == -1 || g->out.n - g->sent + m.n > LIM_GUEST_OUT) {
		g->gone = true;
		return false;
	}
	buf_add(&g->out, m.p + n, m.n - (size_t)n);
	return true;
}

void
guest_write(struct guest *g, double now)
{
	ssize_t n = push(g->fd, str_of(g->out.p + g->sent,
	    g->out.n - g->sent));

	if (n == -1) {
		g->gone = true;
		return;
	}
	if (n > 0)
		g->moved = now;
	g->sent += (size_t)n;
	if (g->sent == g->out.n)
		empty(&g->out, &g->sent);
}

short
guest_events(const struct guest *g)
{
	if (g->out.n > 0)
		return POLLOUT;	/* first it takes what it asked for */
	return g->ended ? 0 : POLLIN;
}

double
guest_until(const struct guest *g)
{
	if (!g->greeted)
		return g->came + LIM_GUEST_HELLO;
	if (g->out.n > 0 || g->in.n > g->taken)
		return g->moved + LIM_GUEST_PART;
	return INFINITY;
}
