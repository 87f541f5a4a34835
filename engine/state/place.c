#include "engine/state/place.h"
#include "engine/vm/clock.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

bool
place_folder(struct str path, struct mem *m, struct buf *why)
{
	struct stat st;
	struct buf b;
	size_t i;
	char *t;
	int error;
	bool ok = true;

	buf_init(&b, m);
	buf_str(&b, path);
	(void)buf_c(&b);
	t = b.p;
	for (i = 1; i < b.n && ok; i++) {
		if (t[i] != '/')
			continue;
		t[i] = '\0';
		/* a folder that is there may stand where we may not make one */
		if (mkdir(t, 0700) != 0 && (error = errno) != EEXIST &&
		    stat(t, &st) != 0) {
			buf_printf(why, "there is no folder %s, and it cannot "
			    "be made: %s", t, strerror(error));
			ok = false;
		}
		t[i] = '/';
	}
	buf_free(&b);
	return ok;
}

/* A path that is too long for a socket's name goes by its folder's
 * descriptor. */
static bool
address(struct str path, struct mem *m, struct sockaddr_un *a, int *folder)
{
	size_t i = path.n;
	struct buf b;
	int n;

	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (path.n < sizeof a->sun_path) {
		memcpy(a->sun_path, path.p, path.n);
		return true;
	}
	while (i > 0 && path.p[i - 1] != '/')
		i--;
	if (i == 0)
		return false;
	buf_init(&b, m);
	buf_str(&b, str_of(path.p, i));
	*folder = open(buf_c(&b), O_PATH | O_DIRECTORY | O_CLOEXEC);
	buf_free(&b);
	n = snprintf(a->sun_path, sizeof a->sun_path, "/proc/self/fd/%d/%.*s",
	    *folder, (int)(path.n - i), path.p + i);
	return *folder != -1 && n > 0 && (size_t)n < sizeof a->sun_path;
}

int
place_connect(struct str path, double wait, struct mem *m)
{
	struct timeval tv = { (time_t)wait, (suseconds_t)((wait -
	    (double)(time_t)wait) * 1e6) };
	struct sockaddr_un a;
	int fd = -1, folder = -1, error;

	if (address(path, m, &a, &folder))
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd != -1 && (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv,
	    sizeof tv) != 0 || connect(fd, (struct sockaddr *)&a, sizeof a) !=
	    0)) {
		error = errno;
		(void)close(fd);
		fd = -1;
		errno = error;
	}
	if (folder != -1) {
		error = errno;
		(void)close(folder);
		errno = error;
	}
	return fd;
}

enum lock_got
lock_fd(struct lock *l, enum lock_kind kind, double wait)
{
	struct flock f = { .l_type = kind == LOCK_ALONE ? F_WRLCK : F_RDLCK,
	    .l_whence = SEEK_SET };
	struct timespec tick = { 0, 1000000 };
	double until = clock_steady() + wait;
	struct flock who;

	while (fcntl(l->fd, F_SETLK, &f) != 0) {
		if (errno != EAGAIN && errno != EACCES && errno != EINTR) {
			l->error = errno;
			return LOCK_NONE;
		}
		if (errno != EINTR && clock_steady() >= until) {
			who = f;
			if (fcntl(l->fd, F_GETLK, &who) == 0 &&
			    who.l_type != F_UNLCK)
				l->holder = who.l_pid;
			return LOCK_HELD;
		}
		nanosleep(&tick, NULL);
		if (tick.tv_nsec < 50000000)
			tick.tv_nsec += tick.tv_nsec;
	}
	return LOCK_GOT;
}

enum lock_got
lock_take(struct lock *l, const char *path, enum lock_kind kind, double wait)
{
	enum lock_got got;
	struct stat st;

	*l = (struct lock){ .fd = -1 };
	/* O_NONBLOCK: a pipe of that name is not waited for */
	l->fd = open(path, (kind == LOCK_ALONE ? O_RDWR | O_CREAT : O_RDONLY) |
	    O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
	if (l->fd == -1) {
		l->error = errno == ELOOP || errno == EISDIR ? 0 : errno;
		return LOCK_NONE;
	}
	if (fstat(l->fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_uid != geteuid())
		got = LOCK_NONE;
	else
		got = lock_fd(l, kind, wait);
	if (got != LOCK_GOT) {
		(void)close(l->fd);
		l->fd = -1;
	}
	return got;
}

void
lock_drop(struct lock *l)
{
	if (l->fd != -1)
		(void)close(l->fd);
	l->fd = -1;
}

void
lock_why(const struct lock *l, enum lock_got got, const char *path,
    struct buf *b)
{
	if (got == LOCK_HELD && l->holder > 0)
		buf_printf(b, "%s: process %ld holds it", path,
		    (long)l->holder);
	else if (got == LOCK_HELD)
		buf_printf(b, "%s: many want it; try again", path);
	else if (l->error == 0)
		buf_printf(b, "%s: is no ordinary file of this user: move it "
		    "away", path);
	else if (l->error == ENOSPC || l->error == EDQUOT)
		buf_printf(b, "%s: the disk is full; make room there", path);
	else
		buf_printf(b, "%s: %s", path, strerror(l->error));
}
