/*
 * live: the host that acts, and what both hosts share: texts out, the clock,
 * why a run ends.  Processes are in exec, stream and input; logs in log.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/effect/act.h"
#include "engine/effect/contact.h"
#include "engine/effect/facts.h"
#include "engine/effect/kid.h"
#include "engine/effect/incidents.h"
#include "engine/effect/memory.h"
#include "engine/effect/proc.h"
#include "engine/effect/recorded_inner.h"
#include "engine/effect/scarce.h"
#include "engine/effect/tables.h"
#include "engine/vm/clock.h"

#define POLL_MAX	3600.0		/* seconds of one poll: fits its int */

double
live_now(void)
{
	return clock_steady();
}

void
live_fail(struct live *l, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	vsnprintf(l->why, sizeof l->why, fmt, ap);
	va_end(ap);
	for (p = l->why; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
}

struct str
live_why(void *h)
{
	struct live *l = h;

	/* others may fail while it is being looked at */
	memcpy(l->answer, l->why, sizeof l->answer);
	return str_c(l->answer);
}

bool
live_stop(struct live *l)
{
	if (l->sig != 0)
		live_fail(l, l->sig == SPAWN_DUE_AGAIN ? "ended, as its alert is "
		    "due again (overlap kill)" : "ended by signal %d",
		    (int)l->sig);
	else if (l->o.recorded != NULL)
		return recorded_stop(l);
	else if (l->o.scarce != NULL && l->o.scarce->stop != NULL &&
	    l->o.scarce->stop(l->o.scarce->stop_arg))
		live_fail(l, "another worker acts now");
	else if (l->deadline < INFINITY && live_now() >= l->deadline)
		live_fail(l, "the run's deadline of %gs has passed",
		    l->o.timeout);
	else
		return false;
	return true;
}

bool
live_stop_host(void *h)
{
	return live_stop(h);
}

void
live_interrupt(struct live *l, int sig)
{
	uint64_t one = 1;
	int error = errno;

	l->sig = sig;
	/* so that a poll that has not begun yet ends, too */
	if (write(l->wake, &one, sizeof one) == -1) {
		/* full: it is awake */
	}
	errno = error;
}

int
live_poll(struct live *l, struct pollfd *p, nfds_t n, double until, bool heed)
{
	double end = until, left;
	int r, ms;

	if (heed && l->deadline < end)
		end = l->deadline;
	p[n] = (struct pollfd){ .fd = l->wake, .events = POLLIN };
	for (;;) {
		if (heed && live_stop(l))
			return -1;
		left = end == INFINITY ? POLL_MAX : end - live_now();
		ms = left <= 0 ? 0 : left >= POLL_MAX ? (int)POLL_MAX * 1000 :
		    (int)ceil(left * 1000);
		if (ms > 0 && l->out.n > 0 && !l->flushing) {
			/* nothing may be held back while we wait */
			r = poll(p, n, 0);
			if (r > 0)
				return 1;
			live_flush(l);
		}
		r = poll(p, heed ? n + 1 : n, ms);
		if (r == -1 && errno != EINTR)
			return 1;	/* whoever reads is told */
		if (r > (heed && p[n].revents != 0))
			return 1;
		if (r == 0 && live_now() >= until)
			return 0;
	}
}

bool
live_write(struct live *l, int fd, const char *p, size_t n, bool polled)
{
	struct pollfd set[2];
	ssize_t done;
	int r;

	while (n > 0) {
		set[0] = (struct pollfd){ .fd = fd, .events = POLLOUT };
		r = polled ? live_poll(l, set, 1, 0, false) : 1;
		if (r == 0)
			r = live_poll(l, set, 1, INFINITY, true);
		if (r == -1)
			r = live_poll(l, set, 1, live_now() + WAIT_CLOSED,
			    false);
		if (r != 1) {
			live_fail(l, "nobody reads what is written");
			return false;
		}
		/* a pipe that is ready takes this much without waiting */
		done = write(fd, p, polled && n > PIPE_BUF ? PIPE_BUF : n);
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		} else if (done == -1 && errno == EAGAIN)
			polled = true;
		else if (done == 0 || errno != EINTR) {
			live_fail(l, "cannot write: %s",
			    strerror(done == 0 ? ENOSPC : errno));
			return false;
		}
	}
	return true;
}

void
live_did(struct live *l, const char *what, struct str name)
{
	char text[LIM_TRAIL_TEXT];
	int n;

	n = snprintf(text, sizeof text, "%s: ", what);
	if (name.n > sizeof text - (size_t)n)
		name.n = sizeof text - (size_t)n;
	if (name.n > 0)
		memcpy(text + n, name.p, name.n);
	name = str_of(text, (size_t)n + name.n);
	if (l->o.trail != NULL)
		trail_add(l->o.trail, TRAIL_DID, name);
	if (l->done.n + name.n < LIM_DONE_TEXT) {
		buf_str(&l->done, name);
		buf_putc(&l->done, '\n');
	}
}

bool
live_flush(struct live *l)
{
	size_t n = l->out.n;
	bool good;

	if (n == 0 || l->flushing)
		return true;
	l->flushing = true;
	good = live_write(l, l->o.out_fd, l->out.p, n, l->out_polled);
	buf_clear(&l->out);
	l->flushing = false;
	return good;
}

bool
live_print_out(struct live *l, struct str s)
{
	if (l->o.out_fd == -1) {
		live_fail(l, "there is no standard output");
		return false;
	}
	if (l->out.cap == 0)
		buf_room(&l->out, LIM_OUT);
	if (l->out.n + s.n > LIM_OUT && !live_flush(l))
		return false;
	if (s.n > LIM_OUT)
		return live_write(l, l->o.out_fd, s.p, s.n, l->out_polled);
	buf_add(&l->out, s.p, s.n);
	return true;
}

/* "ADDRESS\tTEXT\n": whoever sends it judges the address. */
static bool
mail_to(struct live *l, struct str address, struct str text)
{
	struct buf *b = &l->mail_to;
	size_t i, k;

	if (str_none(address))
		address = STR_EMPTY;
	for (i = 0; i < address.n; i++)
		if ((unsigned char)address.p[i] <= ' ' || address.p[i] == 127)
			break;
	if (address.n == 0 || i < address.n) {
		/* the line is not lost: the alert's recipients get it */
		(void)live_output(l, OUT_MAIL, STR_NIL, text);
		live_fail(l, "output mail to: that is no address; the line "
		    "goes to the alert's recipients");
		return false;
	}
	i = b->n;
	buf_room(b, address.n + text.n + 2);
	buf_add(b, address.p, address.n);
	buf_putc(b, '\t');
	/* a newline in the text would begin another entry */
	for (k = 0; k < text.n; k++)
		buf_putc(b, text.p[k] == '\n' ? ' ' : text.p[k]);
	trail_add(l->o.trail, TRAIL_MAIL_TO, str_of(b->p + i, b->n - i));
	buf_putc(b, '\n');
	return true;
}

bool
live_output(void *h, enum out to, struct str target, struct str text)
{
	struct live *l = h;

	text = str_shown(text);
	if (to == OUT_MAIL)
		trail_add(l->o.trail, TRAIL_MAIL, text);
	switch (to) {
	case OUT_STDOUT:
		if (l->o.scarce != NULL)	/* nobody reads it then */
			return log_own(l, text);
		return live_print_out(l, text) &&
		    live_print_out(l, STR_LIT("\n")) &&
		    (!l->out_tty || live_flush(l));
	case OUT_MAIL:
	case OUT_PRINT: {
		struct buf *b = to == OUT_MAIL ? &l->mail : &l->print;

		buf_room(b, text.n + 1);	/* a whole line or none */
		buf_add(b, text.p, text.n);
		buf_putc(b, '\n');
		return true;
	}
	case OUT_MAIL_TO:
		return mail_to(l, target, text);
	case OUT_LOG:
		l->effects++;
		return log_file(l, target, text);
	case OUT_PIKTLOG:
		l->effects++;
		return log_own(l, text);
	case OUT_SYSLOG:
		l->effects++;
		return log_syslog(l, text);
	case OUT_JOURNAL:
		l->effects++;
		return log_journal(l, text);
	case OUT_COUNT:
		break;
	}
	live_fail(l, "no such output");
	return false;
}

double
live_clock(void *h)
{
	const struct live *l = h;

	return l->o.recorded != NULL ? recorded_clock(l->o.recorded) :
	    clock_wall();
}

double
live_monotonic(void *h)
{
	(void)h;
	return live_now();
}

bool
live_sleep(void *h, double seconds)
{
	struct live *l = h;
	struct pollfd none[1];
	bool whole;

	if (!(seconds > 0))
		seconds = 0;
	live_flush(l);
	whole = live_poll(l, none, 0, live_now() + seconds, true) == 0;
	kids_look(l);
	return whole;
}

int
live_stat(void *h, struct str path, struct stat *st, bool follow)
{
	struct live *l = h;
	char name[PATH_MAX];

	if (!live_path(l, path, name))
		return -1;
	if (fstatat(AT_FDCWD, name, st, follow ? 0 : AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	live_fail(l, "%s: %s", name, strerror(errno));
	return -1;
}

int
live_access(void *h, struct str path, int mode)
{
	struct live *l = h;
	char name[PATH_MAX];

	if (!live_path(l, path, name))
		return -1;
	if (faccessat(AT_FDCWD, name, mode, AT_EACCESS) == 0)
		return 0;
	live_fail(l, "%s: %s", name, strerror(errno));
	return -1;
}

int
live_pid(void *h, struct str comm)
{
	(void)h;
	return str_none(comm) || comm.n == 0 ? 0 : proc_by_name(comm);
}

void
live_trace(void *h, struct str text)
{
	struct live *l = h;

	if (l->o.err_fd == -1 || l->o.trace_to_log) {
		log_line(l, LOG_INFO, text);
		return;
	}
	buf_clear(&l->line);
	buf_escaped(&l->line, text, LIM_LOG_TEXT);
	buf_putc(&l->line, '\n');
	live_write(l, l->o.err_fd, l->line.p, l->line.n, l->err_polled);
}

struct buf *
live_done(struct live *l)
{
	return &l->done;
}

struct buf *
live_mail(struct live *l)
{
	return &l->mail;
}

struct buf *
live_print(struct live *l)
{
	return &l->print;
}

struct buf *
live_mail_to(struct live *l)
{
	return &l->mail_to;
}

size_t
live_disarmed(const struct live *l)
{
	return l->disarmed;
}

size_t
live_effects(const struct live *l)
{
	return l->effects;
}

static bool
may_block(int fd, bool *tty)
{
	struct stat st;

	*tty = false;
	if (fd == -1 || fstat(fd, &st) != 0 || S_ISREG(st.st_mode))
		return false;
	*tty = S_ISCHR(st.st_mode) && isatty(fd);
	return true;
}

static void
ready_signals(void)
{
	static const int fails[] = { SIGPIPE, SIGXFSZ };
	struct sigaction sa;
	size_t i;

	for (i = 0; i < sizeof fails / sizeof fails[0]; i++)
		if (sigaction(fails[i], NULL, &sa) == 0 &&
		    sa.sa_handler == SIG_DFL) {
			sa.sa_handler = SIG_IGN;
			sigaction(fails[i], &sa, NULL);
		}
	if (sigaction(SIGCHLD, NULL, &sa) == 0 && (sa.sa_handler == SIG_IGN ||
	    (sa.sa_flags & SA_NOCLDWAIT))) {
		sa.sa_handler = SIG_DFL;
		sa.sa_flags = 0;
		sigaction(SIGCHLD, &sa, NULL);
	}
}

struct live *
live_new(const struct live_options *o)
{
	struct live *l = mem_zalloc(o->mem, sizeof *l);
	bool tty;

	l->o = *o;
	l->mem = o->mem;
	l->wake = l->log_fd = l->syslog_fd = l->journal_fd = -1;
	l->tap.r = l->tap.w = l->err_tap.r = l->err_tap.w = -1;
	l->head_time = -1;
	buf_init(&l->out, l->mem);
	buf_init(&l->mail, l->mem);
	buf_init(&l->print, l->mem);
	buf_init(&l->done, l->mem);
	buf_init(&l->mail_to, l->mem);
	buf_init(&l->line, l->mem);
	buf_init(&l->captured, l->mem);
	buf_init(&l->fact, l->mem);
	buf_init(&l->archived, l->mem);
	buf_room(&l->line, LIM_LOG_LINE);
	l->path = DEFAULT_PATH;
	if (!str_none(o->path) && o->path.n > 0) {
		l->nown_path = o->path.n + 1;
		l->own_path = mem_alloc(l->mem, l->nown_path);
		memcpy(l->own_path, o->path.p, o->path.n);
		l->own_path[o->path.n] = '\0';
		l->path = l->own_path;
	}
	if (o->recorded != NULL) {
		recorded_begin(l);
		return l;
	}
	if (o->scarce == NULL)
		l->wake = fd_high(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	l->out_polled = may_block(o->out_fd, &l->out_tty);
	l->err_polled = may_block(o->err_fd, &tty);
	l->deadline = o->timeout > 0 ? live_now() + o->timeout : INFINITY;
	ready_signals();
	trail_script(o->trail, str_none(o->script) ? STR_EMPTY : o->script,
	    o->level);
	return l;
}

void
live_free(struct live *l)
{
	struct tap *const none[KID_TAPS] = { NULL, NULL };
	struct kid *k;
	bool some = false;

	if (l == NULL)
		return;
	if (l->o.recorded != NULL)
		recorded_end(l);
	/* whoever does not read by now is not waited for */
	if (l->deadline > live_now() + WAIT_CLOSED)
		l->deadline = live_now() + WAIT_CLOSED;
	live_flush(l);
	tap_drop(&l->tap);
	tap_drop(&l->err_tap);
	stream_close_fds(l);
	input_close_fds(l);
	kids_look(l);
	for (k = l->kids; k != NULL; k = k->next)
		if (!k->go && !k->ended)
			k->ending = some = true;
	if (some)
		kids_end(l, none, WAIT_CLOSED);
	stream_free_all(l);
	input_free_all(l);
	tables_free_all(l);
	while (l->kids != NULL)
		kid_free(l, l->kids);
	log_close(l);
	if (l->wake != -1)
		close(l->wake);
	user_free(&l->self);
	user_free(&l->other);
	if (l->tail != NULL)
		mem_free(l->mem, l->tail, 2 * LIM_EXEC_OUTPUT);
	if (l->err_tail != NULL)
		mem_free(l->mem, l->err_tail, 2 * LIM_STDERR);
	if (l->own_path != NULL)
		mem_free(l->mem, l->own_path, l->nown_path);
	if (l->asked_arena.mem != NULL)
		arena_free(&l->asked_arena);
	act_state_free(l);
	if (l->step_arena.mem != NULL)
		arena_free(&l->step_arena);
	if (l->incidents.arena.mem != NULL)
		incidents_free(&l->incidents);
	buf_free(&l->out);
	buf_free(&l->mail);
	buf_free(&l->print);
	buf_free(&l->done);
	buf_free(&l->mail_to);
	buf_free(&l->line);
	buf_free(&l->captured);
	buf_free(&l->fact);
	buf_free(&l->archived);
	mem_free(l->mem, l, sizeof *l);
}

const struct host live_host = {
	.name = "live",
	.suppresses = false,
	.output = live_output,
	.log = log_line,
	.exec = exec_run,
	.popen = stream_popen,
	.capture = exec_capture,
	.fopen = stream_fopen,
	.read = stream_read,
	.write = stream_write,
	.flush = stream_flush,
	.eof = stream_eof,
	.close = stream_close,
	.stat = live_stat,
	.access = live_access,
	.open = live_open,
	.clock = live_clock,
	.monotonic = live_monotonic,
	.sleep = live_sleep,
	.stop = live_stop_host,
	.pid = live_pid,
	.ask = live_ask,
	.previous = live_previous,
	.keep = live_keep,
	.seen = live_seen,
	.record = live_record,
	.runs = live_runs,
	.incident = live_incident,
	.incident_fact = live_incident_fact,
	.act = live_act,
	.table = live_table,
	.contact = live_contact,
	.why = live_why,
	.trace = live_trace,
};
