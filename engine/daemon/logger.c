/* logger: one line a message, to whoever takes it; nothing waits. */
#include "engine/daemon/logger.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lang/base/buf.h"

#define FACILITY	(3 << 3)	/* daemon */
#define LIM_HEAD	128		/* bytes before the text */
#define LIM_RAW		8192		/* bytes of a message before it is cut: on
					 * the stack */

static const struct level_row {
	const char	*word;
	int		 severity;
} levels[LOG_LEVELS] = {
#define L(id, word, severity) { word, severity },
#include "engine/daemon/log.def"
#undef L
};

enum logger_level
logger_level_named(const char *word)
{
	int i;

	for (i = 0; i < LOG_LEVELS; i++)
		if (strcmp(word, levels[i].word) == 0)
			break;
	return (enum logger_level)i;
}

const char *
logger_level_word(enum logger_level level)
{
	return levels[level].word;
}

const char *
logger_where(const struct logger *l)
{
	static const char *const word[] = { "stderr", "syslog", "journal" };

	return l->to == LOG_TO_FILE ? l->path : word[l->to];
}

static double
steady(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- where it goes --- */

/* Whether standard error is a stream of the journal: systemd says which. */
static bool
stderr_is_journal(void)
{
	const char *s = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return s != NULL && sscanf(s, "%llu:%llu", &dev, &ino) == 2 &&
	    fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev &&
	    st.st_ino == ino;
}

/*
 * A regular file of ours alone: a link could lead a daemon of root to any
 * file, and a FIFO would stop it.
 */
static int
open_file(const char *path, char *why, size_t size)
{
	struct stat st;
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW |
	    O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);

	if (fd == -1) {
		if (errno == ELOOP)
			snprintf(why, size, "%.300s: is a symbolic link; a log "
			    "must be a file", path);
		else if (errno == ENXIO)
			snprintf(why, size, "%.300s: is no regular file", path);
		else
			snprintf(why, size, "%.300s: %s", path, strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		snprintf(why, size, "%.300s: is no regular file", path);
	else if (st.st_nlink > 1)
		snprintf(why, size, "%.300s: has another name elsewhere (a hard "
		    "link)", path);
	else
		return fd;
	close(fd);
	return -1;
}

static bool
open_socket(struct logger *l)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int type = SOCK_DGRAM;

	if (strlen(l->path) >= sizeof sa.sun_path) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(sa.sun_path, l->path, strlen(l->path));
	for (;;) {
		l->fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (l->fd == -1)
			return false;
		l->is_stream = type == SOCK_STREAM;
		if (connect(l->fd, (struct sockaddr *)&sa, sizeof sa) == 0)
			return true;
		close(l->fd);
		l->fd = -1;
		/* syslogs of old have a stream */
		if (errno != EPROTOTYPE || l->to != LOG_TO_SYSLOG ||
		    type == SOCK_STREAM)
			return false;
		type = SOCK_STREAM;
	}
}

/* Takes the level off the end of a setting, what is left is where it goes. */
static void
take_setting(struct logger *l, const char *setting)
{
	char *blank, text[PATH_MAX + 20];
	enum logger_level level;

	l->most = LOG_DEFAULT;
	snprintf(text, sizeof text, "%s", setting);
	blank = strrchr(text, ' ');
	level = blank == NULL ? LOG_LEVELS : logger_level_named(blank + 1);
	if (level != LOG_LEVELS) {
		l->most = level;
		*blank = '\0';
	}
	text[sizeof l->path - 1] = '\0';	/* open says that it is too long */
	memcpy(l->path, text, strlen(text) + 1);
}

bool
logger_open(struct logger *l, const char *name, const char *setting,
    bool foreground, char *why, size_t size)
{
	struct tm tm;
	time_t now = time(NULL);
	bool journal = stderr_is_journal();

	memset(l, 0, sizeof *l);
	l->name = name;
	l->to = LOG_TO_STDERR;
	l->fd = STDERR_FILENO;
	l->prefix = journal;
	l->tokens = LIM_LOG_BURST;
	l->filled = steady();
	/* the zone's file is read here once, not while something is said */
	tzset();
	localtime_r(&now, &tm);
	take_setting(l, setting != NULL ? setting : journal ? "journal" :
	    foreground ? "stderr" : "syslog");
	if (strcmp(l->path, "stderr") == 0)
		return true;
	if (strcmp(l->path, "journal") == 0 && journal)
		return true;
	if (l->path[0] == '/') {
		int fd = open_file(l->path, why, size);

		if (fd == -1)
			return false;
		l->fd = fd;
		l->to = LOG_TO_FILE;
		return true;
	}
	if (strcmp(l->path, "syslog") == 0) {
		l->to = LOG_TO_SYSLOG;
		memcpy(l->path, LOG_SYSLOG_PATH, sizeof LOG_SYSLOG_PATH);
	} else if (strcmp(l->path, "journal") == 0) {
		l->to = LOG_TO_JOURNAL;
		memcpy(l->path, LOG_JOURNAL_PATH, sizeof LOG_JOURNAL_PATH);
	} else {
		snprintf(why, size, "a log is syslog, journal, stderr or the "
		    "path of a file, which begins with /, and perhaps a "
		    "level, not \"%.200s\"", setting);
		return false;
	}
	l->fd = -1;
	return true;
}

static void
drop(struct logger *l)
{
	if (l->to != LOG_TO_STDERR && l->fd != -1)
		close(l->fd);
	l->fd = -1;
}

/* --- writing one line --- */

/* Bytes to a descriptor that may be anything, without waiting. */
static ssize_t
put_stderr(int fd, const char *p, size_t n)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	ssize_t r = send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (r != -1 || errno != ENOTSOCK)
		return r;
	/*
	 * The description is shared with our parent, so it cannot be made
	 * non-blocking.  A pipe that is ready takes PIPE_BUF bytes, and no
	 * line is longer; a file is always ready.
	 */
	r = poll(&pfd, 1, 0);
	if (r == 1 && (pfd.revents & (POLLERR | POLLNVAL)) != 0) {
		errno = EPIPE;	/* writing would be a SIGPIPE */
		return -1;
	}
	if (r == 0)
		errno = EAGAIN;
	return r == 1 ? write(fd, p, n) : -1;
}

static_assert(LIM_HEAD + LIM_LOG_LINE + 2 <= PIPE_BUF,
    "a ready pipe takes a line whole");

static void
put_time(char *p, size_t size, bool syslog)
{
	static const char month[12][4] = { "Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct timespec t;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &t);
	localtime_r(&t.tv_sec, &tm);
	if (syslog)
		snprintf(p, size, "%s %2d %02d:%02d:%02d",
		    month[tm.tm_mon % 12], tm.tm_mday, tm.tm_hour, tm.tm_min,
		    tm.tm_sec);
	else
		snprintf(p, size, "%04d-%02d-%02d %02d:%02d:%02d.%03ld",
		    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		    tm.tm_min, tm.tm_sec, t.tv_nsec / 1000000);
}

/* A text in the form that its receiver wants; returns its length. */
static size_t
frame(const struct logger *l, enum logger_level level, const char *text,
    char out[LIM_HEAD + LIM_LOG_LINE + 2])
{
	size_t n = strlen(text), head;
	int severity = levels[level].severity;
	char when[64];

	switch (l->to) {
	case LOG_TO_SYSLOG:
		put_time(when, sizeof when, true);
		head = (size_t)snprintf(out, LIM_HEAD, "<%d>%s %.30s[%ld]: ",
		    FACILITY | severity, when, l->name, (long)getpid());
		if (n > LIM_LOG_SYSLOG)	/* not inside a character */
			for (n = LIM_LOG_SYSLOG; n > 0 &&
			    ((unsigned char)text[n] & 0xc0) == 0x80;)
				n--;
		memcpy(out + head, text, n);
		/* on a stream a zero byte ends it, as syslog(3) has it */
		out[head + n] = '\0';
		return head + n + l->is_stream;
	case LOG_TO_JOURNAL:
		head = (size_t)snprintf(out, LIM_HEAD, "PRIORITY=%d\n"
		    "SYSLOG_IDENTIFIER=%.30s\nMESSAGE=", severity, l->name);
		break;
	default:
		if (l->prefix) {
			head = (size_t)snprintf(out, LIM_HEAD, "<%d>",
			    severity);
			break;
		}
		put_time(when, sizeof when, false);
		/* what a full disk has cut ends here */
		head = (size_t)snprintf(out, LIM_HEAD, "%s%s %.30s[%ld] %s: ",
		    l->cut ? "\n" : "", when, l->name, (long)getpid(),
		    levels[level].word);
		break;
	}
	memcpy(out + head, text, n);
	out[head + n] = '\n';
	return head + n + 1;
}

static bool
put_once(struct logger *l, enum logger_level level, const char *text)
{
	char out[LIM_HEAD + LIM_LOG_LINE + 2];
	bool socket = l->to == LOG_TO_SYSLOG || l->to == LOG_TO_JOURNAL;
	ssize_t r;
	size_t n;

	if (l->fd == -1 && (!socket || !open_socket(l)))
		return false;
	n = frame(l, level, text, out);
	do {
		if (socket)
			r = send(l->fd, out, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		else if (l->to == LOG_TO_FILE)
			r = write(l->fd, out, n);
		else
			r = put_stderr(l->fd, out, n);
	} while (r == -1 && errno == EINTR);
	if (r == (ssize_t)n) {
		l->cut = false;
		return true;
	}
	if (r > 0) {
		l->cut = true;
		errno = ENOSPC;
	} else if (r == 0)
		errno = EIO;
	return false;
}

/* One line; what is not taken is counted.  errno is the caller's. */
static bool
put(struct logger *l, enum logger_level level, const char *text)
{
	int saved = errno, e;
	bool socket = l->to == LOG_TO_SYSLOG || l->to == LOG_TO_JOURNAL, ok;

	ok = put_once(l, level, text);
	if (!ok && socket && errno != EAGAIN && errno != ENOBUFS &&
	    errno != ENOMEM) {
		/* it was started anew: once more, by a new socket */
		e = errno;
		if (l->fd != -1) {
			drop(l);
			ok = put_once(l, level, text);
			e = errno;
		}
		if (!ok)
			drop(l);
		errno = e;
	}
	if (!ok) {
		l->error = errno;
		l->lost++;
		l->lost_ever++;
	}
	errno = saved;
	return ok;
}

static void
put_counted(struct logger *l)
{
	char text[200];
	unsigned long lost = l->lost, dropped = l->dropped;

	if (lost > 0) {
		snprintf(text, sizeof text, "%lu message%s lost before this: "
		    "%.100s", lost, lost == 1 ? " was" : "s were",
		    strerror(l->error));
		if (!put(l, SAY_WARNING, text)) {
			l->lost = lost;	/* this one was no message */
			l->lost_ever--;
			return;
		}
		l->lost -= lost;
	}
	if (dropped > 0) {
		snprintf(text, sizeof text, "%lu messages were left out: more "
		    "than %d a second for long", dropped, LOG_RATE);
		if (put(l, SAY_WARNING, text))
			l->dropped -= dropped;
		else {
			l->lost--;
			l->lost_ever--;
		}
	}
}

/* --- repeats and floods --- */

static bool
may(struct logger *l)
{
	double now = steady();

	l->tokens += (now - l->filled) * LOG_RATE;
	l->filled = now;
	if (l->tokens > LIM_LOG_BURST)
		l->tokens = LIM_LOG_BURST;
	if (l->tokens < 1) {
		l->dropped++;
		return false;
	}
	l->tokens--;
	return true;
}

static void
put_repeats(struct logger *l)
{
	unsigned n = l->repeats;
	char text[80];

	l->repeats = 0;
	if (n == 0)
		return;
	if (n == 1)	/* shorter, and says when */
		put(l, l->last_level, l->last);
	else {
		snprintf(text, sizeof text, "last message repeated %u times", n);
		put(l, l->last_level, text);
	}
}

/* As buf_escaped does it, into what is there. */
static void
escape(const char *s, size_t n, char out[LIM_LOG_LINE + 1])
{
	static const char hex[] = "0123456789abcdef";
	size_t i, len, k = 0;
	unsigned char c;

	while (n > 0 && (s[n - 1] == '\n' || s[n - 1] == '\r'))
		n--;
	for (i = 0; i < n && k + 4 <= LIM_LOG_LINE - 3; ) {
		len = buf_shown_char(s + i, n - i);
		if (len > 0) {
			memcpy(out + k, s + i, len);
			k += len;
			i += len;
			continue;
		}
		c = (unsigned char)s[i++];
		out[k++] = '\\';
		if (c == '\n' || c == '\t')
			out[k++] = c == '\n' ? 'n' : 't';
		else {
			out[k++] = 'x';
			out[k++] = hex[c >> 4];
			out[k++] = hex[c & 15];
		}
	}
	if (i < n) {
		memcpy(out + k, "...", 3);
		k += 3;
	}
	out[k] = '\0';
}

void
logger_vsay(struct logger *l, enum logger_level level, const char *fmt,
    va_list ap)
{
	char raw[LIM_RAW], text[LIM_LOG_LINE + 1];
	int n, saved = errno;

	if (level > l->most)
		return;
	n = vsnprintf(raw, sizeof raw, fmt, ap);
	if (n < 0)
		n = snprintf(raw, sizeof raw, "%s", fmt);
	escape(raw, (size_t)n < sizeof raw ? (size_t)n : sizeof raw - 1, text);
	if (level == l->last_level && strcmp(text, l->last) == 0) {
		if (l->repeats++ == 0)
			l->repeats_due = steady() + l->repeats_wait;
		(void)logger_tick(l);
		errno = saved;
		return;
	}
	put_repeats(l);
	memcpy(l->last, text, strlen(text) + 1);
	l->last_level = level;
	l->repeats_wait = LOG_REPEAT;
	if (may(l)) {
		put_counted(l);
		put(l, level, text);
	}
	errno = saved;
}

void
logger_say(struct logger *l, enum logger_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	logger_vsay(l, level, fmt, ap);
	va_end(ap);
}

double
logger_tick(struct logger *l)
{
	double now;

	if (l->repeats == 0)
		return -1;
	now = steady();
	if (now < l->repeats_due)
		return l->repeats_due - now;
	put_counted(l);
	put_repeats(l);
	l->repeats_wait *= 4;
	if (l->repeats_wait > LOG_REPEAT_MAX)
		l->repeats_wait = LOG_REPEAT_MAX;
	return -1;
}

void
logger_reopen(struct logger *l)
{
	char why[400];
	int fd;

	if (l->to == LOG_TO_STDERR)
		return;
	put_repeats(l);
	if (l->to != LOG_TO_FILE) {
		drop(l);
		return;
	}
	fd = open_file(l->path, why, sizeof why);
	if (fd == -1) {
		logger_say(l, SAY_ERROR, "the log stays what it was: %s", why);
		return;
	}
	drop(l);
	l->fd = fd;
	l->cut = false;
}

void
logger_close(struct logger *l)
{
	put_repeats(l);
	put_counted(l);
	drop(l);
}
