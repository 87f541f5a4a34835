#include "engine/effect/maillock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCK	".lock"
#define MARK	"\npicket "	/* behind the pid, which others read */
#define LIM_TEXT (32 + sizeof MARK + HOST_NAME_MAX)	/* bytes of FILE.lock */

static bool
set_record(struct maillock *m, short type)
{
	/* the lock of the descriptor: one of the process would be lost when
	 * the script closes the same file elsewhere */
	struct flock k = { .l_type = type, .l_whence = SEEK_SET };

	return fcntl(m->fd, F_OFD_SETLK, &k) == 0;
}

/* "PID\npicket HOST\n": many look whether a process with that number lives. */
static size_t
lock_text(char to[LIM_TEXT + 1], char host[HOST_NAME_MAX + 1])
{
	if (gethostname(host, HOST_NAME_MAX) != 0)
		strcpy(host, "localhost");
	host[HOST_NAME_MAX] = '\0';
	return (size_t)snprintf(to, LIM_TEXT + 1, "%ld" MARK "%s\n",
	    (long)getpid(), host);
}

/* Whether the lock that is there is one of a Picket of this host that died. */
static bool
is_left(const struct safeway *way, const char *name, struct stat *st)
{
	char text[LIM_TEXT + 1], mine[LIM_TEXT + 1], host[HOST_NAME_MAX + 1];
	ssize_t n = -1;
	char *mark;
	long pid;
	int fd;

	fd = openat(way->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return false;
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode) && st->st_nlink == 1 &&
	    st->st_uid == geteuid())
		n = read(fd, text, LIM_TEXT);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	pid = strtol(text, &mark, 10);
	(void)lock_text(mine, host);
	return pid > 1 && strcmp(mark, strchr(mine, '\n')) == 0 &&
	    kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

static bool
is_same(const struct safeway *way, const char *name, const struct stat *st)
{
	struct stat now;

	return fstatat(way->dir, name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	    now.st_dev == st->st_dev && now.st_ino == st->st_ino;
}

/* One try; false: errno. */
static bool
take_dot(const struct safeway *way, struct maillock *m)
{
	char text[LIM_TEXT + 1], host[HOST_NAME_MAX + 1];
	struct stat st;
	ssize_t n;
	int error;

	m->dot = openat(way->dir, m->name, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0644);
	if (m->dot == -1 && errno == EEXIST && m->record &&
	    is_left(way, m->name, &st)) {
		/* the record lock is ours: nobody else judges this now */
		if (is_same(way, m->name, &st))
			(void)unlinkat(way->dir, m->name, 0);
		errno = EEXIST;
		return false;
	}
	if (m->dot == -1)
		return false;
	n = write(m->dot, text, lock_text(text, host));
	if (n > 0)
		return true;
	/* without a pid others would take it for stale; a full disk */
	error = n == 0 ? ENOSPC : errno;
	(void)unlinkat(way->dir, m->name, 0);
	close(m->dot);
	m->dot = -1;
	errno = error;
	return false;
}

/* Both, once.  1: held; 0: somebody else holds one; -1: it cannot be had. */
static int
take(const struct safeway *way, struct maillock *m)
{
	m->record = set_record(m, m->writing ? F_WRLCK : F_RDLCK);
	if (!m->record) {
		snprintf(m->why, sizeof m->why, errno == EAGAIN ||
		    errno == EACCES ? "another process has it locked" :
		    "it cannot be locked: %s", strerror(errno));
		return errno == EAGAIN || errno == EACCES ? 0 : -1;
	}
	if (m->name[0] == '\0' || take_dot(way, m))
		return 1;
	if (errno == EEXIST) {
		snprintf(m->why, sizeof m->why,
		    "there is a lock file beside it");
		return 0;
	}
	snprintf(m->why, sizeof m->why, "no lock file can be made: %s",
	    strerror(errno));
	return -1;
}

int
maillock_take(struct live *l, const struct safeway *way, int fd, bool writing,
    struct maillock *m)
{
	struct pollfd none[1];
	double until = live_now() + LIM_MAILLOCK;
	size_t n;
	int got;

	memset(m, 0, sizeof *m);
	m->fd = fd;
	m->dot = -1;
	m->writing = writing;
	m->touched = live_now();
	/* where no such name can be, nobody else has it either */
	n = strlen(way->base);
	if (n + sizeof LOCK <= sizeof m->name) {
		memcpy(m->name, way->base, n);
		strcpy(m->name + n, LOCK);
	}
	while ((got = take(way, m)) == 0 && live_now() < until) {
		if (m->record)
			(void)set_record(m, F_UNLCK);
		m->record = false;
		if (live_poll(l, none, 0, live_now() + MAILLOCK_TICK, true) !=
		    0)
			return -1;
	}
	return got == 1;
}

void
maillock_touch(struct maillock *m)
{
	double now = live_now();

	if (m->dot == -1 || now - m->touched < MAILLOCK_TOUCH)
		return;
	m->touched = now;
	(void)futimens(m->dot, NULL);
}

void
maillock_drop(const struct safeway *way, struct maillock *m)
{
	struct stat st;

	if (m->dot != -1) {
		/* who took it for stale may have put another there */
		if (fstat(m->dot, &st) == 0 && is_same(way, m->name, &st))
			(void)unlinkat(way->dir, m->name, 0);
		close(m->dot);
	}
	if (m->record)
		(void)set_record(m, F_UNLCK);
	m->dot = -1;
	m->record = false;
}
