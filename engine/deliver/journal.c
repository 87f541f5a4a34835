/*
 * journal: entries for systemd's journal, by its native protocol: a datagram
 * of FIELD=value lines, where a value with a newline in it has its length
 * before it (systemd's "Native Journal Protocol").  Not by libsystemd: what it
 * does more, passing big entries as files, we have no use for.
 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/deliver/items.h"
#include "engine/deliver/transport.h"

#define LIM_JOURNAL_VALUE 8000	/* bytes: nine of them fit into a datagram, which
				 * may have 200 kB */
#define LIM_JOURNAL_WAIT 5	/* seconds that a full socket is waited for */

static void
field(struct buf *b, const char *name, struct str value)
{
	struct buf cut;
	uint64_t n;
	int i;

	if (value.n == 0)
		return;
	buf_init(&cut, b->mem);
	text_cut(&cut, value, TEXT_BYTES, LIM_JOURNAL_VALUE);
	buf_puts(b, name);
	if (str_find(buf_view(&cut), '\n', 0) == cut.n) {
		buf_putc(b, '=');
	} else {
		buf_putc(b, '\n');
		for (n = cut.n, i = 0; i < 8; i++, n >>= 8)
			buf_putc(b, (char)(n & 0xff));
	}
	buf_add(b, cut.p, cut.n);
	buf_putc(b, '\n');
	buf_free(&cut);
}

static void
entry(struct buf *b, const struct items *all, const struct item *it,
    const struct transport *t)
{
	struct buf text;

	buf_init(&text, b->mem);
	items_line(it, &text);
	if (it->lines.n > 0) {
		if (text.n > 0)
			buf_putc(&text, '\n');
		buf_str(&text, it->lines);
	}
	field(b, "MESSAGE", buf_view(&text));
	buf_free(&text);
	/* our levels are syslog's severities, in their order */
	buf_printf(b, "PRIORITY=%d\nSYSLOG_FACILITY=%u\n"
	    "SYSLOG_IDENTIFIER=picket\n", (int)it->level, t->facility);
	field(b, "PICKET_NOTICE", all->id);
	field(b, "PICKET_RUN", all->run);
	field(b, "PICKET_HOST", all->host);
	field(b, "PICKET_ALERT", all->alert);
	field(b, "PICKET_SCRIPT", it->script);
	field(b, "PICKET_LEVEL", str_c(level_name[it->level]));
	field(b, "PICKET_WHAT", it->what);
	field(b, "PICKET_INCIDENT", it->key);
	field(b, "PICKET_INCIDENT_ID", it->id);
	field(b, "PICKET_EVIDENCE", it->evidence);
	field(b, "PICKET_PLACE", it->place);
	field(b, "PICKET_DONE", it->done);
}

static int
open_socket(const struct transport *t, struct buf *why)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct timeval wait = { .tv_sec = LIM_JOURNAL_WAIT };
	int fd;

	if (t->target.n >= sizeof sa.sun_path) {
		buf_puts(why, "the path of the socket is too long");
		return -1;
	}
	memcpy(sa.sun_path, t->target.p, t->target.n);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd != -1) {
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
		if (connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0)
			return fd;
	}
	buf_str(why, t->target);
	buf_printf(why, ": %s", strerror(errno));
	if (fd != -1)
		close(fd);
	return -1;
}

static enum outcome
journal_send(struct attempt *a)
{
	struct items all;
	struct buf b;
	size_t i;
	int fd = open_socket(a->transport, a->why);

	if (fd == -1)
		return OUTCOME_RETRY;	/* it may be about to start */
	items_read(&all, a);
	buf_init(&b, a->why->mem);
	for (i = 0; i < all.n; i++) {
		buf_clear(&b);
		entry(&b, &all, &all.item[i], a->transport);
		if (send(fd, b.p, b.n, MSG_NOSIGNAL) == -1)
			break;
	}
	if (i < all.n)
		buf_printf(a->why, "%s, after %zu of %zu entries",
		    strerror(errno), i, all.n);
	else
		buf_printf(a->why, "%zu entries", all.n);
	buf_free(&b);
	close(fd);
	return i < all.n ? OUTCOME_RETRY : OUTCOME_OK;
}

const struct sender journal_sender = {
	.name = "journal",
	.send = journal_send,
};
