#include "engine/state/wire.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "lang/base/num.h"
#include "engine/vm/clock.h"

#define LEN_NIL		UINT32_MAX
#define LEN_ERR		(UINT32_MAX - 1)

static void
put(struct buf *b, uint64_t v, unsigned bytes)
{
	char t[8];
	unsigned i;

	for (i = 0; i < bytes; i++)
		t[i] = (char)(v >> 8 * i);
	buf_add(b, t, bytes);
}

void
wire_begin(struct buf *b, enum wire_kind kind)
{
	buf_clear(b);
	put(b, 0, WIRE_HEAD);
	put(b, kind, 1);
}

void
wire_u8(struct buf *b, unsigned v)
{
	put(b, v, 1);
}

void
wire_u32(struct buf *b, uint32_t v)
{
	put(b, v, 4);
}

void
wire_num(struct buf *b, double d)
{
	put(b, num_bits(d), 8);
}

void
wire_text(struct buf *b, struct str s)
{
	if (str_none(s)) {
		put(b, s.n == 0 ? LEN_NIL : LEN_ERR, 4);
		return;
	}
	put(b, s.n, 4);
	buf_add(b, s.p, s.n);
}

void
wire_end(struct buf *b)
{
	size_t n = b->n - WIRE_HEAD;
	unsigned i;

	for (i = 0; i < WIRE_HEAD; i++)
		b->p[i] = (char)(n >> 8 * i);
}

static uint64_t
get(struct wire *w, unsigned bytes)
{
	uint64_t v = 0;
	unsigned i;

	if (w->bad || w->left < bytes) {
		w->bad = true;
		return 0;
	}
	for (i = 0; i < bytes; i++)
		v |= (uint64_t)(unsigned char)w->p[i] << 8 * i;
	w->p += bytes;
	w->left -= bytes;
	return v;
}

unsigned
wire_get_u8(struct wire *w)
{
	return (unsigned)get(w, 1);
}

uint32_t
wire_get_u32(struct wire *w)
{
	return (uint32_t)get(w, 4);
}

double
wire_get_num(struct wire *w)
{
	double d = num_of_bits(get(w, 8));

	/* of what is no number only our own two */
	if (num_fine(d) || num_is_nil(d))
		return d;
	return NUM_ERR;
}

struct str
wire_get_text(struct wire *w)
{
	uint32_t n = wire_get_u32(w);
	struct str s;

	if (w->bad || n == LEN_NIL)
		return STR_NIL;
	if (n == LEN_ERR)
		return STR_ERR;
	if (n > w->left) {
		w->bad = true;
		return STR_NIL;
	}
	s = str_of(n == 0 ? "" : w->p, n);
	w->p += n;
	w->left -= n;
	return s;
}

struct str
wire_get_given(struct wire *w)
{
	struct str s = wire_get_text(w);

	if (str_none(s)) {
		w->bad = true;
		return STR_EMPTY;
	}
	return s;
}

bool
wire_send(int fd, struct str s)
{
	ssize_t n;

	while (s.n > 0) {
		n = send(fd, s.p, s.n, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return false;
		s = str_of(s.p + n, s.n - (size_t)n);
	}
	return true;
}

/* n bytes into p. */
static enum wire_got
fill(int fd, char *p, size_t n, double until)
{
	struct pollfd f = { .fd = fd, .events = POLLIN };
	size_t done = 0;
	double left;
	ssize_t k;

	while (done < n) {
		if (until >= 0) {
			left = until - clock_steady();
			if (left < 0)
				return WIRE_LATE;
			if (poll(&f, 1, (int)(left * 1000) + 1) <= 0)
				continue;
		}
		k = recv(fd, p + done, n - done, 0);
		if (k == -1 && errno == EINTR)
			continue;
		if (k <= 0)
			return done == 0 ? WIRE_END : WIRE_BROKEN;
		done += (size_t)k;
	}
	return WIRE_GOT;
}

enum wire_got
wire_receive(int fd, struct buf *b, double wait)
{
	double until = wait < 0 ? -1 : clock_steady() + wait;
	char head[WIRE_HEAD];
	struct wire w = { .p = head, .left = sizeof head };
	enum wire_got got;
	size_t part;
	uint32_t n;

	buf_clear(b);
	got = fill(fd, head, sizeof head, until);
	if (got != WIRE_GOT)
		return got;
	n = wire_get_u32(&w);
	if (n == 0 || n > LIM_STATE_MESSAGE)
		return WIRE_BROKEN;
	/* in parts: a length alone takes no memory */
	while (b->n < n) {
		part = n - b->n < 1024 * 1024 ? n - b->n : 1024 * 1024;
		got = fill(fd, buf_room(b, part), part, until);
		if (got != WIRE_GOT)
			return got == WIRE_END ? WIRE_BROKEN : got;
		b->n += part;
	}
	return WIRE_GOT;
}
