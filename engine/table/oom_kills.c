/*
 * oom_kills: whom the kernel ended for want of memory, by its own messages,
 * and checked against its counter oom_kill in /proc/vmstat: what was counted
 * and is in the log no more is told of in a last row.
 *
 * What kernels write, 3.x to 6.x, each line a record:
 *
 *	imapd invoked oom-killer: gfp_mask=...
 *	Task in /a/b killed as a result of limit of /a		(to 4.20)
 *	oom-kill:constraint=CONSTRAINT_MEMCG,...,oom_memcg=/a,
 *	    task_memcg=/a/b,task=imapd,pid=1234,uid=1000	(5.0 on)
 *	Memory cgroup out of memory: Killed process 1234 (imapd)
 *	    total-vm:10kB, anon-rss:5kB, file-rss:4kB, shmem-rss:0kB, UID:1000
 *
 * "Out of memory: " stands there for the host's memory, in old kernels
 * nothing; the oldest write "1234, UID 1000, (imapd)".  Only what the kernel
 * itself wrote counts (facility 0): anybody who may write to /dev/kmsg could
 * invent a kill else.  A name may hold any bytes.
 */
#include <stdio.h>
#include <string.h>

#include "engine/table/kmsg.h"

#define LIM_OOM_CGROUP	4096	/* bytes of a cgroup's path, as any path */
#define LIM_COMM	15	/* bytes of a process's name: the kernel's */

struct oom_kills {
	struct table	 table;
	struct kmsg	 log;
	struct lines	 lines;
	bool		 readable;	/* the log is */
	bool		 ended, waited;
	double		 counted;	/* by the kernel when it was opened, NIL */
	double		 base;		/* of these, what runs before have seen */
	double		 seen;		/* in this run */
	/* from the lines before a kill */
	bool		 limit;		/* a cgroup's, not the host's */
	size_t		 ncgroup;
	char		 cgroup[LIM_OOM_CGROUP];
	double		 said_pid, said_uid;
	/* the row */
	struct str	 victim;
	double		 pid, uid, rss, missed;
	bool		 of_limit;
};

static double
count_now(struct oom_kills *o)
{
	char why[LIM_TABLE_WHY];
	struct str line, w;
	double v = NUM_NIL;

	if (!lines_open(&o->lines, &o->table.world, "/proc/vmstat", why))
		return NUM_NIL;
	while (lines_next(&o->lines, &line))
		if (line_word(&line, &w) && line_is(w, "oom_kill"))
			v = line_word_number(&line);
	lines_close(&o->lines);
	return v;
}

static void
oom_warn(struct oom_kills *o, const char *text)
{
	const struct table_world *w = &o->table.world;

	if (w->warn != NULL)
		w->warn(w->arg, str_c(text));
}

static struct table *
oom_open(const struct table_world *w, const struct table_ask *ask,
    char why[LIM_TABLE_WHY])
{
	struct oom_kills *o = (struct oom_kills *)table_make(w,
	    &table_oom_kills, sizeof *o);
	char text[LIM_TABLE_WHY + 100];
	struct str position;

	(void)ask;
	o->lines.fd = -1;
	position = w->position == NULL ? STR_EMPTY :
	    w->position(w->arg, STR_LIT("oom_kills"));
	o->said_pid = o->said_uid = NUM_NIL;
	o->readable = kmsg_open(&o->log, &o->table.world, position, why);
	o->counted = count_now(o);
	/* the counter begins at 0 with each boot */
	o->base = o->log.first ? NUM_NIL :
	    o->log.same_boot ? line_number(o->log.rest) : 0;
	if (!o->readable && num_none(o->counted)) {
		kmsg_close(&o->log);
		mem_free(w->mem, o, sizeof *o);
		return NULL;
	}
	if (!o->readable) {
		snprintf(text, sizeof text, "oom_kills: %s; kills are counted "
		    "by /proc/vmstat only", why);
		oom_warn(o, text);
	}
	return &o->table;
}

static void
oom_close(struct table *t)
{
	struct oom_kills *o = (struct oom_kills *)t;
	const struct table_world *w = &t->world;
	struct buf b;

	if (w->leave != NULL) {
		buf_init(&b, w->mem);
		kmsg_position(&o->log, &b);
		if (!num_none(o->base))
			buf_printf(&b, " %.0f", o->base + o->seen);
		w->leave(w->arg, STR_LIT("oom_kills"), buf_view(&b));
		buf_free(&b);
	}
	kmsg_close(&o->log);
	lines_close(&o->lines);
	mem_free(w->mem, o, sizeof *o);
}

/* Where text stands in s for the last time, or s.n. */
static size_t
find_last(struct str s, const char *text)
{
	size_t n = strlen(text), i;

	if (n > s.n)
		return s.n;
	for (i = s.n - n + 1; i-- > 0; )
		if (memcmp(s.p + i, text, n) == 0)
			return i;
	return s.n;
}

static size_t
find_first(struct str s, const char *text)
{
	const char *p = s.n == 0 ? NULL :
	    memmem(s.p, s.n, text, strlen(text));

	return p == NULL ? s.n : (size_t)(p - s.p);
}

static struct str
from(struct str s, size_t at)
{
	return at >= s.n ? STR_EMPTY : str_of(s.p + at, s.n - at);
}

/* The digits that s begins with. */
static double
digits(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return line_number(str_of(s.p, n));
}

/* The number behind the last such text. */
static double
behind(struct str s, const char *text)
{
	size_t at = find_last(s, text);

	return at == s.n ? NUM_NIL : digits(from(s, at + strlen(text)));
}

static void
set_cgroup(struct oom_kills *o, struct str path)
{
	o->limit = path.n > 0 && path.n <= sizeof o->cgroup;
	o->ncgroup = o->limit ? path.n : 0;
	memcpy(o->cgroup, path.p, o->ncgroup);
}

/* Lines that say what the next kill is for. */
static void
context(struct oom_kills *o, struct str s)
{
	static const char was[] = " killed as a result of limit of ";
	size_t at;

	if (find_first(s, " invoked oom-killer: ") < s.n) {
		o->limit = false;
		o->said_pid = o->said_uid = NUM_NIL;
	} else if (str_starts(s, "Task in ") &&
	    (at = find_last(s, was)) < s.n) {
		set_cgroup(o, from(s, at + sizeof was - 1));
	} else if (str_starts(s, "oom-kill:constraint=")) {
		struct str path = from(s, find_first(s, ",oom_memcg="));

		path = from(path, sizeof ",oom_memcg=" - 1);
		path.n = find_first(path, ",task_memcg=");
		set_cgroup(o, path);
		o->said_uid = behind(s, ",uid=");
		at = find_last(s, ",uid=");
		o->said_pid = behind(str_of(s.p, at), ",pid=");
	}
}

/* "NAME:123kB" as bytes; NIL: it does not stand there. */
static double
kilobytes(struct str s, const char *name)
{
	return 1024 * behind(s, name);
}

static double
sum(double a, double b)
{
	return num_none(a) ? b : num_none(b) ? a : a + b;
}

/* True if the text is of a kill: the row is filled. */
static bool
killed(struct oom_kills *o, struct str s)
{
	static const char word[] = "Killed process ";
	struct str rest, name, tail;
	size_t at, open, close;

	if ((at = find_first(s, word)) == s.n)
		return false;
	rest = str_of(s.p, at);
	o->of_limit = str_starts(rest, "Memory cgroup out of memory");
	if (at == 0)
		o->of_limit = o->limit;
	else if ((!o->of_limit && !str_starts(rest, "Out of memory")) ||
	    !str_ends(rest, ": "))
		return false;
	rest = from(s, at + sizeof word - 1);
	o->pid = digits(rest);
	open = find_first(rest, "(");
	if (num_none(o->pid) || open == rest.n)
		return false;
	name = from(rest, open + 1);
	/* the last ") total-vm:" that leaves a name of a kernel's length */
	close = find_last(str_of(name.p, name.n < LIM_COMM + 11 ? name.n :
	    LIM_COMM + 11), ") total-vm:");
	if (close >= name.n || close > LIM_COMM)
		return false;
	tail = from(name, close + 1);
	o->victim = str_of(name.p, close);
	o->rss = kilobytes(tail, "anon-rss:");
	o->rss = sum(o->rss, kilobytes(tail, "file-rss:"));
	o->rss = sum(o->rss, kilobytes(tail, "shmem-rss:"));
	if (num_none(o->rss))
		o->rss = NUM_NIL;
	o->uid = behind(tail, " UID:");
	if (num_none(o->uid))
		o->uid = behind(str_of(rest.p, open), ", UID ");
	if (num_none(o->uid) && o->pid == o->said_pid)
		o->uid = o->said_uid;
	o->missed = 0;
	return true;
}

/* The last row, of what was counted and not seen. */
static enum table_next
missed(struct oom_kills *o)
{
	double n;

	o->ended = true;
	if (num_none(o->counted)) {
		if (o->log.lost > 0)
			oom_warn(o, "oom_kills: messages of the kernel were "
			    "overrun before they were read, and it does not "
			    "count its kills: some may be missing");
		return TABLE_END;
	}
	n = num_none(o->base) ? 0 : o->counted - o->base - o->seen;
	if (num_none(o->base) || n > 0) {
		o->base = o->counted;
		o->seen = 0;
	}
	if (!(n > 0))
		return TABLE_END;
	o->missed = n;
	o->victim = STR_NIL;
	o->pid = o->uid = o->rss = NUM_NIL;
	o->of_limit = false;
	return TABLE_ROW;
}

static enum table_next
oom_next(struct table *t)
{
	struct oom_kills *o = (struct oom_kills *)t;
	const struct kmsg_record *r = &o->log.now;
	enum table_next got = TABLE_END;

	if (o->ended)
		return TABLE_END;
	for (;;) {
		while (o->readable &&
		    (got = kmsg_next(&o->log, t->why)) == TABLE_ROW) {
			if (r->facility != 0)
				continue;
			context(o, r->text);
			if (killed(o, r->text) && !r->old) {
				o->seen++;
				return TABLE_ROW;
			}
		}
		if (got == TABLE_FAILED)
			return got;
		/* counted a moment ago, and its message comes only now? */
		if (!o->readable || o->waited || num_none(o->base) ||
		    num_none(o->counted) ||
		    !(o->counted > o->base + o->seen) || o->log.lost > 0 ||
		    !kmsg_wait(&o->log))
			return missed(o);
		o->waited = true;
	}
}

static double
oom_number(struct row *r, enum table_column c)
{
	const struct oom_kills *o = (struct oom_kills *)r;
	bool own = o->missed > 0;

	switch (c) {
	case COLUMN_OOM_KILLS_seq:
		return own ? NUM_NIL : o->log.now.seq;
	case COLUMN_OOM_KILLS_time:
		return own ? NUM_NIL : kmsg_time(&o->log, o->log.now.usec);
	case COLUMN_OOM_KILLS_pid:
		return o->pid;
	case COLUMN_OOM_KILLS_uid:
		return o->uid;
	case COLUMN_OOM_KILLS_rss:
		return o->rss;
	default:
		return o->missed;
	}
}

static struct str
oom_text(struct row *r, enum table_column c)
{
	const struct oom_kills *o = (struct oom_kills *)r;

	if (c == COLUMN_OOM_KILLS_victim)
		return o->victim;
	return o->of_limit && o->limit ? str_of(o->cgroup, o->ncgroup) :
	    STR_NIL;
}

const struct table_maker table_oom_kills = {
	oom_open, oom_next, oom_close, { oom_number, oom_text }
};
