/*
 * log: the alert's log, files of `output log`, syslog.  One write() a line,
 * so that lines of several processes do not mix.  Lines are made in l->line,
 * which never grows: a run that has lost its memory can still say so.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "engine/effect/recorded_inner.h"
#include "engine/effect/scarce.h"
#include "engine/effect/state.h"
#include "engine/vm/clock.h"

#define SYSLOG_NOTICE	"<29>"		/* LOG_DAEMON | LOG_NOTICE */
#define SYSLOG_AUDIT	"<85>"		/* LOG_AUTHPRIV | LOG_NOTICE */
#define LIM_JOURNAL_TEXT (64 * 1024)	/* bytes of a message: a datagram takes it,
					 * and nobody reads more */
#define SYSLOG_WAIT	1.0		/* seconds for a syslog that is behind: it
					 * may be what is ill, and the run goes on */

static const char *const kind_name[LOG_KINDS] = { "ERROR", "WARNING", "INFO" };

/* "Apr 17 01:54:41": made once a second, in C whatever the locale. */
static const char *
stamp(struct live *l)
{
	static const char month[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t now = (time_t)clock_wall();
	struct tm tm;

	if ((double)now == l->head_time)
		return l->head;
	if (localtime_r(&now, &tm) == NULL)
		memset(&tm, 0, sizeof tm);
	snprintf(l->head, sizeof l->head, "%.3s %2d %02d:%02d:%02d",
	    month + 3 * (tm.tm_mon % 12), tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec);
	l->head_time = (double)now;
	return l->head;
}

static const char *
host(struct live *l)
{
	if (l->host[0] == '\0') {
		if (gethostname(l->host, sizeof l->host - 1) != 0 ||
		    l->host[0] == '\0')
			strcpy(l->host, "localhost");
		l->host[strcspn(l->host, ".")] = '\0';
	}
	return l->host;
}

/* The whole of l->line in one write; a FIFO or full disk must not hold us. */
static bool
write_line(struct live *l, int fd, const char *name)
{
	ssize_t n;

	do
		n = write(fd, l->line.p, l->line.n);
	while (n == -1 && errno == EINTR);
	if (n == (ssize_t)l->line.n)
		return true;
	live_fail(l, "%s: %s", name, strerror(n == -1 ? errno : ENOSPC));
	return false;
}

/* l->line made what a person reads on standard error. */
static void
tell(struct live *l, const char *kind, struct str text)
{
	if (l->o.err_fd == -1)
		return;
	buf_clear(&l->line);
	buf_puts(&l->line, "picket: ");
	buf_puts(&l->line, kind);
	buf_puts(&l->line, ": ");
	if (!str_none(l->o.script)) {
		buf_escaped(&l->line, l->o.script, LIM_WHY / 4);
		buf_puts(&l->line, ": ");
	}
	buf_escaped(&l->line, text, LIM_LOG_TEXT);
	buf_putc(&l->line, '\n');
	live_write(l, l->o.err_fd, l->line.p, l->line.n, l->err_polled);
}

int
log_fd(struct live *l)
{
	char name[PATH_MAX];
	struct str alert = str_none(l->o.alert) ? l->o.script : l->o.alert;

	if (l->log_fd != -1 || l->log_tried || str_none(l->o.logdir))
		return l->log_fd;
	l->log_tried = true;
	if (str_none(alert) || alert.n == 0 || alert.p[0] == '.' ||
	    str_find(alert, '/', 0) < alert.n ||
	    l->o.logdir.n + alert.n + sizeof "/.log" > sizeof name)
		live_fail(l, "no log can have the alert's name");
	else {
		int n = snprintf(name, sizeof name, "%.*s/%.*s.log",
		    (int)l->o.logdir.n, l->o.logdir.p, (int)alert.n, alert.p);

		l->log_fd = path_open_write(l, str_of(name, (size_t)n), 'a');
	}
	/* a child may get it, and there it is an ordinary file */
	l->log_fd = fd_high(l->log_fd);
	if (l->log_fd != -1)
		fcntl(l->log_fd, F_SETFL, O_APPEND);
	else
		tell(l, kind_name[LOG_ERROR], str_c(l->why));
	return l->log_fd;
}

/* One line for the alert's log: 9.6 of the old manual, shortened. */
static bool
put(struct live *l, enum log_kind kind, struct str text)
{
	struct buf *b = &l->line;
	int fd = l->o.scarce != NULL ? -1 : log_fd(l);

	if (fd == -1 && l->o.scarce == NULL)
		return false;
	buf_clear(b);
	buf_printf(b, "%s %s picket[%ld]: [%s] ", stamp(l), host(l),
	    (long)getpid(), kind_name[kind]);
	if (!str_none(l->o.script)) {
		buf_putc(b, '(');
		buf_escaped(b, l->o.script, LIM_WHY / 4);
		buf_puts(b, ") ");
	}
	buf_escaped(b, text, LIM_LOG_TEXT);
	buf_putc(b, '\n');
	if (l->o.scarce != NULL) {
		scarce_keep(l->o.scarce, &l->o.scarce->log, buf_view(b));
		return true;
	}
	return write_line(l, fd, "the alert's log");
}

void
log_line(void *h, enum log_kind kind, struct str text)
{
	struct live *l = h;
	char why[LIM_WHY];

	/* what is shared with the live host says things, too */
	if (l->o.recorded != NULL) {
		recorded_log(l, kind, text);
		return;
	}
	/* logging is no call whose failure is asked for: keep the reason */
	memcpy(why, l->why, sizeof why);
	put(l, kind, text);
	if (kind != LOG_INFO)
		tell(l, kind_name[kind], text);
	memcpy(l->why, why, sizeof why);
}

bool
log_own(struct live *l, struct str text)
{
	if (str_none(l->o.logdir)) {
		live_fail(l, "there is no folder for logs: logdir in "
		    "picket.conf names one");
		return false;
	}
	return put(l, LOG_INFO, text);
}

/* "what: show", or "what, how: show". */
void
log_end(struct live *l, const char *what, const char *how, struct str show)
{
	char text[LIM_LOG_TEXT];
	int n;

	if (str_none(l->o.logdir))
		return;
	n = snprintf(text, sizeof text, "%s%s%s: ", what,
	    how == NULL ? "" : ", ", how == NULL ? "" : how);
	if (show.n > sizeof text - (size_t)n)
		show.n = sizeof text - (size_t)n;
	if (show.n > 0)
		memcpy(text + n, show.p, show.n);
	log_line(l, LOG_INFO, str_of(text, (size_t)n + show.n));
}

void
log_command(struct live *l, const char *what, struct str show)
{
	log_end(l, what, NULL, show);
}

void
log_said(struct live *l, enum log_kind kind, struct str text)
{
	char line[LIM_LOG_TEXT];
	size_t at, n, nl = 0;

	while (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	for (at = text.n; at > 0; at--)
		if (text.p[at - 1] == '\n' && ++nl == LIM_LOG_OUTPUT)
			break;
	while (at < text.n) {
		n = str_find(text, '\n', at) - at;
		memcpy(line, "| ", 2);
		if (n > sizeof line - 2) {
			memcpy(line + 2, text.p + at, sizeof line - 2);
			log_line(l, kind, str_of(line, sizeof line));
		} else {
			memcpy(line + 2, text.p + at, n);
			log_line(l, kind, str_of(line, n + 2));
		}
		at += n + 1;
	}
}

/* The open file of that path, opened now if it is not. */
static int
find_file(struct live *l, struct str path)
{
	struct log_file *f;
	char *copy;
	int i, fd;

	if (str_none(path)) {
		live_fail(l, "no path");
		return -1;
	}
	for (i = 0; i < LIM_LOG_FILES; i++) {
		f = &l->file[i];
		if (f->path != NULL && str_eq(str_of(f->path, f->n), path))
			return f->fd;
	}
	copy = mem_alloc(l->mem, path.n);
	memcpy(copy, path.p, path.n);
	trail_add(l->o.trail, TRAIL_WROTE, path);
	fd = path_open_write(l, path, 'a');
	if (fd == -1) {
		mem_free(l->mem, copy, path.n);
		return -1;
	}
	f = &l->file[l->next_file];
	l->next_file = (l->next_file + 1) % LIM_LOG_FILES;
	if (f->path != NULL) {
		close(f->fd);
		mem_free(l->mem, f->path, f->n);
	}
	*f = (struct log_file){ .path = copy, .n = path.n, .fd = fd };
	return fd;
}

bool
log_file(struct live *l, struct str path, struct str text)
{
	struct iovec v[2];
	struct str s = str_shown(text);
	char nl = '\n', name[80];
	int fd = find_file(l, path);
	ssize_t n;

	if (fd == -1)
		return false;
	v[0] = (struct iovec){ (char *)(uintptr_t)s.p, s.n };
	v[1] = (struct iovec){ &nl, 1 };
	do
		n = writev(fd, v, 2);
	while (n == -1 && errno == EINTR);
	if (n == (ssize_t)s.n + 1)
		return true;
	snprintf(name, sizeof name, "%.*s", path.n > 79 ? 79 : (int)path.n,
	    path.p);
	live_fail(l, "%s: %s", name, strerror(n == -1 ? errno : ENOSPC));
	return false;
}

/*
 * One datagram to a daemon's socket, opened when it is first needed.  Why not
 * syslog(3): it waits without end for a daemon that is stuck.
 */
static bool
datagram(struct live *l, int *fd, const char *name, struct str bytes)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct pollfd p[2];
	double until = live_now() + SYSLOG_WAIT;
	bool again = true;

	for (;;) {
		if (*fd == -1) {
			if (strlen(name) >= sizeof to.sun_path) {
				errno = ENAMETOOLONG;
				break;
			}
			strcpy(to.sun_path, name);
			*fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK |
			    SOCK_CLOEXEC, 0);
			if (*fd == -1 || connect(*fd,
			    (struct sockaddr *)&to, sizeof to) != 0)
				break;
		}
		if (send(*fd, bytes.p, bytes.n, MSG_NOSIGNAL) != -1)
			return true;
		if (errno == EINTR)
			continue;
		if (errno == EMSGSIZE)
			break;
		if (errno == EAGAIN) {
			p[0] = (struct pollfd){ .fd = *fd,
			    .events = POLLOUT };
			if (live_poll(l, p, 1, until, true) == 1 &&
			    live_now() < until)
				continue;
			errno = EAGAIN;
			break;
		}
		/* the daemon was restarted: once more */
		if (!again)
			break;
		again = false;
		close(*fd);
		*fd = -1;
	}
	again = errno == EMSGSIZE;
	live_fail(l, "%s: %s", name, strerror(errno));
	if (*fd != -1 && !again) {
		close(*fd);
		*fd = -1;
	}
	return false;
}

bool
log_syslog(struct live *l, struct str text)
{
	const char *name = l->o.syslog == NULL ? "/dev/log" : l->o.syslog;
	char why[sizeof l->why];

	buf_clear(&l->line);
	buf_printf(&l->line, SYSLOG_NOTICE "%s picket[%ld]: ", stamp(l),
	    (long)getpid());
	buf_escaped(&l->line, text, LIM_LOG_TEXT);
	if (datagram(l, &l->syslog_fd, name, buf_view(&l->line)))
		return true;
	memcpy(why, l->why, sizeof why);
	live_fail(l, "syslog (%s)", why);
	return false;
}

/*
 * Who reads it asks what was done on this host and by what.  A host without
 * syslog has the alert's log: that it is missing is no failure of the act.
 */
void
log_audit(struct live *l, const char *what, const char *text)
{
	const char *name = l->o.syslog == NULL ? "/dev/log" : l->o.syslog;
	char why[sizeof l->why];

	memcpy(why, l->why, sizeof why);
	buf_clear(&l->line);
	buf_printf(&l->line, SYSLOG_AUDIT "%s picket[%ld]: act (", stamp(l),
	    (long)getpid());
	if (!str_none(l->o.alert)) {
		buf_escaped(&l->line, l->o.alert, LIM_WHY / 4);
		buf_putc(&l->line, '/');
	}
	buf_escaped(&l->line, str_shown(l->o.script), LIM_WHY / 4);
	buf_printf(&l->line, ") %s: ", what);
	buf_escaped(&l->line, str_c(text), LIM_LOG_TEXT);
	if (l->o.scarce != NULL)
		scarce_keep(l->o.scarce, &l->o.scarce->audit,
		    buf_view(&l->line));
	else
		(void)datagram(l, &l->syslog_fd, name, buf_view(&l->line));
	memcpy(l->why, why, sizeof l->why);
}

void
live_say_kept(struct live *l, struct scarce *s)
{
	struct str rest = buf_view(&s->audit);
	const char *name = l->o.syslog == NULL ? "/dev/log" : l->o.syslog;
	int fd = s->log.n == 0 ? -1 : log_fd(l);

	if (s->dropped > 0) {
		buf_clear(&l->line);
		buf_printf(&l->line, "%zu lines of the time when memory was "
		    "short are lost: there were too many", s->dropped);
		log_line(l, LOG_WARNING, buf_view(&l->line));
	}
	if (fd != -1) {
		buf_clear(&l->line);
		buf_str(&l->line, buf_view(&s->log));
		(void)write_line(l, fd, "the alert's log");
	}
	while (rest.n > 0) {
		size_t n = str_find(rest, '\n', 0);

		if (!datagram(l, &l->syslog_fd, name, str_of(rest.p, n)))
			break;
		rest = str_of(rest.p + n + 1, rest.n - n - 1);
	}
	s->log.n = s->audit.n = s->dropped = 0;
}

/* A field of the journal; one with newlines has its length before it. */
static void
field(struct buf *b, const char *name, struct str value)
{
	unsigned i;

	buf_puts(b, name);
	if (memchr(value.p, '\n', value.n) == NULL) {
		buf_putc(b, '=');
	} else {
		buf_putc(b, '\n');
		for (i = 0; i < 8; i++)
			buf_putc(b, (char)((uint64_t)value.n >> 8 * i));
	}
	buf_str(b, value);
	buf_putc(b, '\n');
}

/* systemd's native protocol; its levels are ours, in our order. */
bool
log_journal(struct live *l, struct str text)
{
	const char *name = l->o.journal == NULL ?
	    "/run/systemd/journal/socket" : l->o.journal;
	char level[2] = { (char)('0' + l->o.level), '\0' };
	char why[sizeof l->why];
	struct buf b;
	bool ok;

	if (text.n > LIM_JOURNAL_TEXT)
		text.n = LIM_JOURNAL_TEXT;
	buf_init(&b, l->mem);
	field(&b, "MESSAGE", text);
	field(&b, "PRIORITY", str_c(level));
	field(&b, "SYSLOG_IDENTIFIER", STR_LIT("picket"));
	field(&b, "PICKET_SCRIPT", str_shown(l->o.script));
	field(&b, "PICKET_ALERT", str_shown(l->o.alert));
	ok = datagram(l, &l->journal_fd, name, buf_view(&b));
	buf_free(&b);
	if (ok)
		return true;
	memcpy(why, l->why, sizeof why);
	live_fail(l, "journal (%s)", why);
	return false;
}

void
log_close(struct live *l)
{
	int i;

	for (i = 0; i < LIM_LOG_FILES; i++)
		if (l->file[i].path != NULL) {
			close(l->file[i].fd);
			mem_free(l->mem, l->file[i].path, l->file[i].n);
			l->file[i].path = NULL;
		}
	if (l->log_fd != -1)
		close(l->log_fd);
	if (l->syslog_fd != -1)
		close(l->syslog_fd);
	if (l->journal_fd != -1)
		close(l->journal_fd);
	l->log_fd = l->syslog_fd = l->journal_fd = -1;
}
