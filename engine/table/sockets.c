/*
 * sockets: the lines of /proc/net/tcp and its like, and of /proc/net/unix.
 * Which process has a socket open is nowhere in them: if somebody asks, all
 * links of all processes are read once, at the first row that he asks it of.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/table/procs.h"

#define LIM_SOCKET_OWNERS 262144	/* sockets whose process is known: 8 MB; a
				 * power of 2 */
#define FIRST_OWNERS	1024

static const char *const protos[] = { "tcp", "tcp6", "udp", "udp6", "raw",
    "raw6", "unix" };
#define PROTOS	(sizeof protos / sizeof protos[0])
#define UNIX	(PROTOS - 1)

struct owner {
	uint64_t	 inode;		/* 0: empty */
	pid_t		 pid;
	double		 start;		/* that it is still that process */
};

struct sockets {
	struct table	 t;
	struct lines	 lines;
	size_t		 proto, found;	/* which file; how many there were */
	bool		 open;
	/* the row */
	struct str	 state, local, peer;
	double		 port, uid, inode, queue;
	/* the processes */
	bool		 asked, walked;
	struct owner	*owner;		/* open addressing by inode */
	size_t		 nowner, cap;
	struct procs	 p;
	char		 local_text[64], peer_text[64];
	_Alignas(uint64_t) char dents[8192];
};

static bool
open_file(struct sockets *t, char why[LIM_TABLE_WHY])
{
	char path[32];

	snprintf(path, sizeof path, "/proc/net/%s", protos[t->proto]);
	t->open = lines_open(&t->lines, &t->t.world, path, why);
	t->found += t->open;
	return t->open;
}

static struct table *
sockets_open(const struct table_world *w, const struct table_ask *ask,
    char why[LIM_TABLE_WHY])
{
	struct sockets *t;
	char other[LIM_TABLE_WHY];

	(void)ask;
	t = (struct sockets *)table_make(w, &table_sockets, sizeof *t);
	/* a kernel may lack some; it does not lack all */
	if (open_file(t, why))
		return &t->t;
	while (++t->proto < PROTOS)
		if (open_file(t, other))
			return &t->t;
	mem_free(w->mem, t, sizeof *t);
	return NULL;
}

static void
sockets_close(struct table *table)
{
	struct sockets *t = (struct sockets *)table;

	if (t->open)
		lines_close(&t->lines);
	if (t->walked)
		procs_close(&t->p);
	mem_free(table->world.mem, t->owner, t->cap * sizeof *t->owner);
	mem_free(table->world.mem, t, sizeof *t);
}

static const char *
tcp_state(const struct sockets *t, uint64_t v)
{
	static const char *const names[] = { NULL, "ESTABLISHED", "SYN_SENT",
	    "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE",
	    "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "SYN_RECV" };

	if (v == 7 && t->proto > 1)	/* of udp and raw: bound, if at all */
		return "UNCONNECTED";
	return v < sizeof names / sizeof names[0] ? names[v] : NULL;
}

/*
 * "0100007F:0019": the address as 32-bit words of the host's own order (of the
 * host that is read: a recording of one with the other order reads backwards),
 * the port as a plain number.
 */
static bool
address(struct str s, char to[64], struct str *shown, double *port, bool *none)
{
	struct str hex = line_part(&s, ':');
	char text[INET6_ADDRSTRLEN];
	uint32_t word[4] = { 0 };
	uint64_t v, p;
	size_t i, words = hex.n / 8;
	int n;

	if ((hex.n != 8 && hex.n != 32) || !line_hex(s, &p) || p > 65535)
		return false;
	for (i = 0; i < words; i++) {
		if (!line_hex(str_of(hex.p + 8 * i, 8), &v))
			return false;
		word[i] = (uint32_t)v;
	}
	if (inet_ntop(words == 1 ? AF_INET : AF_INET6, word, text,
	    sizeof text) == NULL)
		return false;
	n = snprintf(to, 64, words == 1 ? "%s:%u" : "[%s]:%u", text,
	    (unsigned)p);
	*shown = str_of(to, (size_t)n);
	*port = (double)p;
	*none = p == 0 && (word[0] | word[1] | word[2] | word[3]) == 0;
	return true;
}

/* sl local peer st tx:rx tr:when retrnsmt uid timeout inode */
static bool
take_inet(struct sockets *t, struct str line)
{
	struct str w, local, peer, st, queues;
	uint64_t state, rx;
	bool none;
	double port;

	line_word(&line, &w);
	line_word(&line, &local);
	line_word(&line, &peer);
	line_word(&line, &st);
	line_word(&line, &queues);
	if (!address(local, t->local_text, &t->local, &t->port, &none) ||
	    !address(peer, t->peer_text, &t->peer, &port, &none) ||
	    !line_hex(st, &state))
		return false;
	if (none)
		t->peer = STR_NIL;
	t->state = str_c(tcp_state(t, state));
	line_part(&queues, ':');
	t->queue = line_hex(queues, &rx) ? (double)rx : NUM_NIL;
	line_word(&line, &w);
	line_word(&line, &w);
	t->uid = line_word_number(&line);
	line_word(&line, &w);
	t->inode = line_word_number(&line);
	return true;
}

/*
 * Num RefCount Protocol Flags Type St Inode Path: a path may hold blanks, and
 * a newline.  What follows that is left out if it is no line; who makes it look
 * like one has made up a row, which the text cannot tell from others.
 */
static bool
take_unix(struct sockets *t, struct str line)
{
	struct str num, w, flags, st;
	uint64_t f, s;
	int i;

	line_word(&line, &num);
	for (i = 0; i < 2; i++)
		if (!line_word(&line, &w) || w.n != 8 || !line_hex(w, &f))
			return false;
	line_word(&line, &flags);
	line_word(&line, &w);
	line_word(&line, &st);
	if (num.n == 0 || num.p[num.n - 1] != ':' || !line_hex(flags, &f) ||
	    !line_hex(st, &s))
		return false;
	t->inode = line_word_number(&line);
	if (num_none(t->inode))
		return false;
	t->state = (f & 0x10000) != 0 ? STR_LIT("LISTEN") : s == 3 ?
	    STR_LIT("CONNECTED") : s == 1 ? STR_LIT("UNCONNECTED") : s == 2 ?
	    STR_LIT("CONNECTING") : s == 4 ? STR_LIT("DISCONNECTING") : STR_NIL;
	t->local = line.n > 1 ? str_of(line.p + 1, line.n - 1) : STR_NIL;
	t->peer = STR_NIL;
	t->port = t->uid = t->queue = NUM_NIL;
	return true;
}

static enum table_next
sockets_next(struct table *table)
{
	struct sockets *t = (struct sockets *)table;
	char other[LIM_TABLE_WHY];
	struct str line;

	t->asked = false;
	for (;;) {
		while (t->open && lines_next(&t->lines, &line))
			if (t->proto == UNIX ? take_unix(t, line) :
			    take_inet(t, line)) {
				if (t->inode == 0)	/* of TIME_WAIT: gone */
					t->inode = NUM_NIL;
				return TABLE_ROW;
			}
		if (t->open && t->lines.error != 0) {
			table_whyf(table->why, "cannot read /proc/net/%s: %s",
			    protos[t->proto], strerror(t->lines.error));
			return TABLE_FAILED;
		}
		if (t->open)
			lines_close(&t->lines);
		t->open = false;
		if (t->proto + 1 >= PROTOS)
			return TABLE_END;
		t->proto++;
		open_file(t, other);
	}
}

static struct owner *
slot(const struct sockets *t, uint64_t inode)
{
	size_t i = (size_t)(inode * 0x9e3779b97f4a7c15u >> 20);

	for (;; i++) {
		i &= t->cap - 1;
		if (t->owner[i].inode == 0 || t->owner[i].inode == inode)
			return &t->owner[i];
	}
}

static void
grow(struct sockets *t)
{
	struct owner *old = t->owner;
	size_t n = t->cap, i;

	t->owner = mem_zalloc(t->t.world.mem, 2 * n * sizeof *old);
	t->cap = 2 * n;
	for (i = 0; i < n; i++)
		if (old[i].inode != 0)
			*slot(t, old[i].inode) = old[i];
	mem_free(t->t.world.mem, old, n * sizeof *old);
}

/* 0: no inode has such a number. */
static uint64_t
inode_of(double d)
{
	return d > 0 && d < 18446744073709551616.0 ? (uint64_t)d : 0;
}

/* The first process that has it is the one with the lowest number. */
static bool
own(struct sockets *t, uint64_t inode)
{
	struct owner *o;

	if (inode == 0)
		return true;
	o = slot(t, inode);
	if (o->inode != 0)
		return true;
	if (t->nowner == LIM_SOCKET_OWNERS)
		return false;
	*o = (struct owner){ inode, t->p.pid, t->p.stat.starttime };
	if (2 * ++t->nowner > t->cap)
		grow(t);
	return true;
}

static bool
look_through(struct sockets *t)
{
	struct dents d = { openat(procs_folder(&t->p), "fd", O_RDONLY |
	    O_DIRECTORY | O_CLOEXEC), t->dents, sizeof t->dents, 0, 0, 0 };
	const char *name;
	char link[64];
	struct str s;
	ssize_t n;
	bool room = true;

	while (d.fd != -1 && room && (name = dents_next(&d)) != NULL) {
		n = readlinkat(d.fd, name, link, sizeof link);
		s = str_of(link, n < 0 ? 0 : (size_t)n);
		if (!str_starts(s, "socket:["))
			continue;
		line_part(&s, '[');
		room = own(t, inode_of(line_number(line_part(&s, ']'))));
	}
	if (d.fd != -1)
		close(d.fd);
	return room;
}

static void
warn(const struct sockets *t, const char *text)
{
	char line[LIM_TABLE_WHY + 64];
	int n;

	n = snprintf(line, sizeof line, "table sockets: processes of some "
	    "sockets are not known: %s", text);
	if (t->t.world.warn != NULL)
		t->t.world.warn(t->t.world.arg, str_of(line, (size_t)n));
}

static void
walk(struct sockets *t)
{
	enum table_next r = TABLE_END;

	t->walked = true;
	t->owner = mem_zalloc(t->t.world.mem, FIRST_OWNERS * sizeof *t->owner);
	t->cap = FIRST_OWNERS;
	if (!procs_open(&t->p, &t->t.world)) {
		warn(t, t->p.why);
		return;
	}
	while ((r = procs_next(&t->p)) == TABLE_ROW)
		if (!look_through(t)) {
			warn(t, "there are too many");
			return;
		}
	if (r == TABLE_FAILED)
		warn(t, t->p.why);
}

static const struct owner *
owner(struct sockets *t)
{
	const uint64_t inode = inode_of(t->inode);
	const struct owner *o;

	if (inode == 0)
		return NULL;
	if (!t->walked)
		walk(t);
	o = slot(t, inode);
	return o->inode == 0 ? NULL : o;
}

/* Its name now, if it is still there. */
static struct str
comm(struct sockets *t)
{
	const struct owner *o = owner(t);

	if (o == NULL)
		return STR_NIL;
	if (!t->asked || t->p.pid != o->pid)
		procs_at(&t->p, o->pid);
	t->asked = true;
	return t->p.pid == o->pid && t->p.stat.starttime == o->start ?
	    t->p.stat.comm : STR_NIL;
}

static double
sockets_number(struct row *row, enum table_column c)
{
	struct sockets *t = (struct sockets *)row;
	const struct owner *o;

	switch (c) {
	case COLUMN_SOCKETS_local_port:
		return t->port;
	case COLUMN_SOCKETS_uid:
		return t->uid;
	case COLUMN_SOCKETS_inode:
		return t->inode;
	case COLUMN_SOCKETS_queue:
		return t->queue;
	case COLUMN_SOCKETS_pid:
		o = owner(t);
		return o == NULL ? NUM_NIL : o->pid;
	default:
		return NUM_NIL;
	}
}

static struct str
sockets_text(struct row *row, enum table_column c)
{
	struct sockets *t = (struct sockets *)row;

	switch (c) {
	case COLUMN_SOCKETS_proto:
		return str_c(protos[t->proto]);
	case COLUMN_SOCKETS_state:
		return t->state;
	case COLUMN_SOCKETS_local:
		return t->local;
	case COLUMN_SOCKETS_peer:
		return t->peer;
	case COLUMN_SOCKETS_comm:
		return comm(t);
	default:
		return STR_NIL;
	}
}

const struct table_maker table_sockets = {
	sockets_open, sockets_next, sockets_close,
	{ sockets_number, sockets_text }
};
