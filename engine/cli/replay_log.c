/*
 * replay_log: old logs as lines with their times.  Each file is looked at
 * first: what its stamps look like, when it begins, and, where they have no
 * year, all of it, to know how many years it spans.  Then the files are read
 * by time, those that rotation made of one log after the other.
 */
#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "engine/cli/replay.h"
#include "engine/input/logfile.h"
#include "engine/input/reader.h"
#include "engine/vm/clock.h"

#define BLOCK		(256 * 1024)
#define LOOK_LINES	1000	/* of a log that say how its stamps look */
#define LINE_MIN	64	/* of an entry of an exported journal: its stamp */

extern char **environ;

struct log {
	struct logs	*all;
	const char	*path;
	int		 file;		/* the file itself, -1: none */
	int		 fd;		/* what is read: it, or what unpacks it */
	pid_t		 pid;		/* of that; 0: none */
	enum log_pack	 pack;
	double		 mtime, size;
	bool		 export;	/* of a journal: fields instead of lines */
	struct stamp	 stamp;
	int		 year;
	double		 first;		/* time of the first stamp */
	/* what is being read */
	char		*buf;
	size_t		 cap, start, end;
	bool		 at_end;
	struct buf	 entry;
	/* the line at hand */
	bool		 has;
	struct str	 line;
	double		 t;
};

struct logs {
	struct cli	*c;
	struct log	*log;		/* by time */
	size_t		 n, next;	/* those before next are open or done */
	struct log	*last;		/* whose line was given out */
	struct logs_sum	 sum;
	bool		 bad;
};

/* --- bytes --- */

static bool
starts(const unsigned char *p, ssize_t n, const char *magic, size_t nmagic)
{
	return n >= (ssize_t)nmagic && memcmp(p, magic, nmagic) == 0;
}

static enum log_pack
pack_of(int fd)
{
	unsigned char p[6];
	ssize_t n = pread(fd, p, sizeof p, 0);

	return starts(p, n, "\x1f\x8b", 2) ? PACK_GZ :
	    starts(p, n, "BZh", 3) ? PACK_BZ2 :
	    starts(p, n, "\xfd" "7zXZ", 6) ? PACK_XZ :
	    starts(p, n, "\x28\xb5\x2f\xfd", 4) ? PACK_ZST : PACK_NONE;
}

/* What unpacks the file writes to the pipe that is read. */
static bool
unpack(struct log *g)
{
	char *argv[3];
	posix_spawn_file_actions_t act;
	int fd[2], r;

	argv[0] = (char *)(uintptr_t)log_unpacker[g->pack][0];
	argv[1] = (char *)(uintptr_t)log_unpacker[g->pack][1];
	argv[2] = NULL;
	if (pipe2(fd, O_CLOEXEC) != 0) {
		cli_say("%s: %s", g->path, strerror(errno));
		return false;
	}
	posix_spawn_file_actions_init(&act);
	posix_spawn_file_actions_adddup2(&act, g->file, 0);
	posix_spawn_file_actions_adddup2(&act, fd[1], 1);
	/* that it failed is told of once, by us */
	posix_spawn_file_actions_addopen(&act, 2, "/dev/null", O_WRONLY, 0);
	r = posix_spawnp(&g->pid, argv[0], &act, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&act);
	(void)close(fd[1]);
	g->fd = fd[0];
	if (r == 0)
		return true;
	g->pid = 0;
	(void)close(fd[0]);
	g->fd = -1;
	cli_say("%s: %s, which unpacks it, cannot be run: %s", g->path,
	    argv[0], strerror(r));
	return false;
}

/* Again from its start. */
static bool
begin(struct log *g)
{
	(void)lseek(g->file, 0, SEEK_SET);
	g->start = g->end = 0;
	g->at_end = g->has = false;
	g->fd = g->file;
	return g->pack == PACK_NONE || unpack(g);
}

/* Ends the reading; early: nobody wanted the rest. */
static bool
stop(struct log *g, bool early)
{
	int status = 0;
	bool ok = true;

	if (g->pid > 0) {
		(void)close(g->fd);
		while (waitpid(g->pid, &status, 0) == -1 && errno == EINTR)
			;
		g->pid = 0;
		ok = early || status == 0;
		if (!ok)
			cli_say("%s: is broken: %s ended with status %d; what "
			    "came before is taken", g->path,
			    log_unpacker[g->pack][0], WIFEXITED(status) ?
			    WEXITSTATUS(status) : 128 + WTERMSIG(status));
	}
	g->fd = -1;
	return ok;
}

/* More bytes behind `end`; false: there are none. */
static bool
fill(struct log *g)
{
	struct mem *m = &g->all->c->mem;
	size_t n = g->end - g->start, cap;
	ssize_t k;

	if (g->at_end)
		return false;
	if (g->start > 0) {
		memmove(g->buf, g->buf + g->start, n);
		g->start = 0;
		g->end = n;
	}
	if (g->cap < n + BLOCK) {
		cap = g->cap == 0 ? 2 * BLOCK : 2 * g->cap;
		g->buf = mem_realloc(m, g->buf, g->cap, cap);
		g->cap = cap;
	}
	do
		k = read(g->fd, g->buf + g->end, BLOCK);
	while (k == -1 && errno == EINTR);
	if (k > 0) {
		g->end += (size_t)k;
		return true;
	}
	if (k == -1) {
		cli_say("%s: %s", g->path, strerror(errno));
		g->all->bad = true;
	}
	g->at_end = true;
	return false;
}

/* A line without its newline; what is over LIM_LINE is cut. */
static bool
raw_line(struct log *g, struct str *line)
{
	size_t seen = 0, n;
	const char *nl;

	for (;;) {
		n = g->end - g->start;
		nl = n == seen ? NULL : memchr(g->buf + g->start + seen, '\n',
		    n - seen);
		if (nl != NULL || n > LIM_LINE)
			break;
		seen = n;
		if (!fill(g)) {
			if (n == 0)
				return false;
			break;
		}
	}
	n = nl == NULL ? g->end - g->start :
	    (size_t)(nl - (g->buf + g->start));
	*line = str_of(g->buf + g->start, n > LIM_LINE ? LIM_LINE : n);
	g->start += n + (nl != NULL);
	if (nl != NULL || n <= LIM_LINE)
		return true;
	/* the rest of a line that is too long */
	buf_clear(&g->entry);
	buf_str(&g->entry, *line);
	*line = buf_view(&g->entry);
	while (fill(g)) {
		nl = memchr(g->buf + g->start, '\n', g->end - g->start);
		g->start = nl == NULL ? g->end : (size_t)(nl - g->buf) + 1;
		if (nl != NULL)
			break;
	}
	return true;
}

/* --- an exported journal --- */

struct entry {
	double		 t;
	char		 host[100], name[100], pid[20];
};

static void
keep(char *to, size_t size, struct str value)
{
	if (value.n >= size)
		value.n = size - 1;
	memcpy(to, value.p, value.n);
	to[value.n] = '\0';
}

static void
field(struct log *g, struct entry *e, struct str name, struct str value)
{
	size_t i;

	if (str_eq(name, STR_LIT("__REALTIME_TIMESTAMP"))) {
		char t[32];

		keep(t, sizeof t, value);
		e->t = strtod(t, NULL) / 1e6;
	} else if (str_eq(name, STR_LIT("_HOSTNAME")))
		keep(e->host, sizeof e->host, value);
	else if (str_eq(name, STR_LIT("SYSLOG_IDENTIFIER")))
		keep(e->name, sizeof e->name, value);
	else if (str_eq(name, STR_LIT("_COMM")) && e->name[0] == '\0')
		keep(e->name, sizeof e->name, value);
	else if (str_eq(name, STR_LIT("_PID")))
		keep(e->pid, sizeof e->pid, value);
	else if (str_eq(name, STR_LIT("MESSAGE"))) {
		buf_clear(&g->entry);
		buf_str(&g->entry, value);
		for (i = 0; i < g->entry.n; i++)
			if (g->entry.p[i] == '\n')
				g->entry.p[i] = ' ';
	}
}

/* The value of a field that holds any bytes: its length, itself, a newline. */
static bool
binary(struct log *g, struct str *value)
{
	uint64_t n = 0;
	int i;

	while (g->end - g->start < 8)
		if (!fill(g))
			return false;
	for (i = 7; i >= 0; i--)
		n = n << 8 | (unsigned char)g->buf[g->start + (size_t)i];
	if (n > LIM_LINE)
		return false;
	while (g->end - g->start < 8 + n + 1)
		if (!fill(g))
			return false;
	*value = str_of(g->buf + g->start + 8, (size_t)n);
	g->start += 8 + (size_t)n + 1;
	return true;
}

/* An entry, as input journal gives it: journalctl -o short. */
static bool
export_line(struct log *g, struct str *line, double *t)
{
	struct entry e;
	struct str s, value;
	char head[300], name[100];
	struct buf *b = &g->entry;
	struct tm tm;
	time_t sec;
	size_t eq, n;
	bool any = false;

	memset(&e, 0, sizeof e);
	e.t = NUM_NIL;
	buf_clear(b);
	while (raw_line(g, &s)) {
		if (s.n == 0) {
			if (any)
				break;
			continue;
		}
		any = true;
		eq = str_find(s, '=', 0);
		if (eq < s.n)
			field(g, &e, str_of(s.p, eq), str_of(s.p + eq + 1,
			    s.n - eq - 1));
		else {
			keep(name, sizeof name, s);
			if (!binary(g, &value))
				break;
			field(g, &e, str_c(name), value);
		}
	}
	if (!any || num_none(e.t))
		return false;
	sec = (time_t)e.t;
	if (localtime_r(&sec, &tm) == NULL)
		return false;
	n = strftime(head, LINE_MIN, "%b %d %H:%M:%S", &tm);
	n += (size_t)snprintf(head + n, sizeof head - n, " %s %s%s%s%s: ",
	    e.host[0] == '\0' ? "-" : e.host, e.name[0] == '\0' ? "unknown" :
	    e.name, e.pid[0] == '\0' ? "" : "[", e.pid, e.pid[0] == '\0' ? "" :
	    "]");
	(void)buf_room(b, n);
	if (b->n > 0)
		memmove(b->p + n, b->p, b->n);
	memcpy(b->p, head, n);
	b->n += n;
	*line = buf_view(b);
	*t = e.t;
	return true;
}

/* The next line and its time. */
static bool
next_line(struct log *g, bool *stamped)
{
	double t;

	g->has = false;
	*stamped = true;
	if (g->export) {
		g->has = export_line(g, &g->line, &g->t);
		return g->has;
	}
	if (!raw_line(g, &g->line))
		return false;
	g->has = true;
	*stamped = stamp_read(&g->stamp, g->line, &t);
	if (*stamped)
		g->t = t;
	return true;
}

/* --- the first look --- */

/* How many of the first lines have a stamp of each kind. */
static bool
find_kind(struct log *g, enum stamp_kind *kind)
{
	struct stamp s[STAMP_KINDS];
	unsigned found[STAMP_KINDS] = { 0 }, most = 0, lines = 0, k;
	struct str line;
	double t;

	for (k = 0; k < STAMP_GIVEN; k++)
		stamp_init(&s[k], (enum stamp_kind)k, NULL, STAMP_YEAR);
	while ((lines < LOOK_LINES || most == 0) && raw_line(g, &line)) {
		if (lines++ == 0 && (str_starts(line, "__CURSOR=") ||
		    str_starts(line, "__REALTIME_TIMESTAMP="))) {
			g->export = true;
			return true;
		}
		for (k = 0; k < STAMP_GIVEN; k++)
			if (stamp_read(&s[k], line, &t) && ++found[k] > most) {
				most = found[k];
				*kind = (enum stamp_kind)k;
			}
	}
	return most > 0;
}

/* Reads it through for its years, or only to its first stamp. */
static bool
survey(struct log *g, const char *format)
{
	enum stamp_kind kind = STAMP_GIVEN;
	bool stamped, known = true, has_year;

	g->first = NUM_NIL;
	if (!begin(g))
		return false;
	if (format == NULL)
		known = find_kind(g, &kind);
	(void)stop(g, true);
	if (!known)
		return true;
	if (!begin(g))
		return false;
	stamp_init(&g->stamp, kind, format, STAMP_YEAR);
	has_year = g->export || stamp_has_year(&g->stamp);
	while ((has_year ? num_none(g->first) : true) &&
	    next_line(g, &stamped))
		if (stamped && num_none(g->first))
			g->first = g->t;
	g->year = STAMP_YEAR;
	if (!has_year && !num_none(g->first)) {
		g->year = stamp_first_year(&g->stamp, g->mtime);
		(void)stop(g, true);
		if (!begin(g))
			return false;
		stamp_init(&g->stamp, kind, format, g->year);
		do
			stamped = false;
		while (next_line(g, &stamped) && !stamped);
		g->first = g->t;
	}
	(void)stop(g, true);
	stamp_init(&g->stamp, kind, format, g->year);
	return true;
}

/* What cannot be read twice becomes a file without a name. */
static int
copied(const char *path, int fd)
{
	char block[65536], name[] = "/tmp/picket.XXXXXX";
	int to = mkostemp(name, O_CLOEXEC);
	ssize_t n;

	if (to == -1) {
		cli_say("%s: a file in /tmp: %s", path, strerror(errno));
		return -1;
	}
	(void)unlink(name);
	while ((n = read(fd, block, sizeof block)) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 || !cli_write(to, str_of(block, (size_t)n))) {
			cli_say("%s: %s", path, strerror(errno));
			(void)close(to);
			return -1;
		}
	}
	return to;
}

static bool
open_log(struct log *g, const char *format)
{
	struct stat st;
	int fd;

	g->file = fd = cli_open(g->path);
	if (fd == -1)
		return false;
	if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
		cli_say("%s: %s", g->path, S_ISDIR(st.st_mode) ?
		    "is a folder: name the logs in it" : strerror(errno));
		return false;
	}
	g->mtime = (double)st.st_mtime;
	if (!S_ISREG(st.st_mode)) {
		g->file = copied(g->path, fd);
		if (fd > 2)
			(void)close(fd);
		if (g->file == -1 || fstat(g->file, &st) != 0)
			return false;
		g->mtime = clock_wall();
	}
	g->size = (double)st.st_size;
	g->pack = pack_of(g->file);
	if (!survey(g, format))
		return false;
	if (!num_none(g->first) || g->size == 0)
		return true;
	if (format != NULL)
		cli_say("%s: no line has a stamp like --time '%s'", g->path,
		    format);
	else
		cli_say("%s: no line has a time stamp that is known: say how "
		    "it looks, as strptime(3) does: --time '%%d.%%m.%%Y "
		    "%%H:%%M:%%S'", g->path);
	return false;
}

static int
by_first(const void *a, const void *b)
{
	const struct log *p = a, *q = b;

	return p->first < q->first ? -1 : p->first > q->first;
}

static void
free_logs(struct logs *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		(void)stop(&l->log[i], true);
		if (l->log[i].file > 0)
			(void)close(l->log[i].file);
		if (l->log[i].buf != NULL)
			mem_free(&l->c->mem, l->log[i].buf, l->log[i].cap);
		l->log[i].buf = NULL;
		buf_free(&l->log[i].entry);
	}
}

struct logs *
logs_open(struct cli *c, char *const *path, size_t n, const char *format)
{
	struct logs *l = arena_zalloc(&c->arena, sizeof *l);
	const char *fault = format == NULL ? NULL : stamp_fault(format);
	struct log *g;
	size_t i;

	if (fault != NULL) {
		cli_say("--time '%s' %s", format, fault);
		return NULL;
	}
	l->c = c;
	l->log = arena_zalloc(&c->arena, n * sizeof *l->log);
	for (i = 0; i < n; i++) {
		g = &l->log[l->n];
		g->all = l;
		g->path = path[i];
		g->file = g->fd = -1;
		g->export = false;
		buf_init(&g->entry, &c->mem);
		l->n++;
		if (!open_log(g, format)) {
			free_logs(l);
			return NULL;
		}
		l->sum.all += g->size;
		if (!num_none(g->first))
			continue;
		cli_say("%s: is empty", path[i]);
		(void)close(g->file);
		l->n--;
	}
	if (l->n == 0) {
		cli_say("there is not one line to replay");
		return NULL;
	}
	qsort(l->log, l->n, sizeof *l->log, by_first);
	return l;
}

/* --- the lines --- */

static void
forward(struct logs *l, struct log *g)
{
	bool stamped;

	if (next_line(g, &stamped)) {
		if (!stamped)
			l->sum.nbare++;
		return;
	}
	if (!stop(g, false))
		l->bad = true;
	l->sum.done += g->size;
}

bool
logs_next(struct logs *l, struct str *line, double *t)
{
	struct log *g, *best;
	size_t i;

	if (l->last != NULL && l->last->has)
		forward(l, l->last);
	for (;;) {
		best = NULL;
		for (i = 0; i < l->next; i++)
			if (l->log[i].has && (best == NULL || l->log[i].t <
			    best->t))
				best = &l->log[i];
		if (l->next == l->n || (best != NULL && best->t <
		    l->log[l->next].first))
			break;
		g = &l->log[l->next++];
		g->t = g->first;
		if (begin(g))
			forward(l, g);
		else
			l->bad = true;
	}
	l->last = best;
	if (best == NULL)
		return false;
	*line = best->line;
	*t = best->t;
	l->sum.nline++;
	l->sum.bytes += (double)line->n + 1;
	return true;
}

bool
logs_close(struct logs *l)
{
	bool ok = !l->bad;

	free_logs(l);
	return ok;
}

void
logs_count(const struct logs *l, struct logs_sum *s)
{
	off_t at;

	*s = l->sum;
	if (l->last != NULL && l->last->has &&
	    (at = lseek(l->last->file, 0, SEEK_CUR)) > 0)
		s->done += (double)at;
}

const char *
logs_stamp(const struct logs *l)
{
	return l->log[0].export ? "journal export" :
	    stamp_name[l->log[0].stamp.kind];
}
