/* daemon_place: what is one picketd's alone: its state, and its pid file. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/daemon/daemon.h"
#include "engine/state/place.h"

#define LIM_PLACE_MEM	((size_t)1 << 20)	/* bytes: paths and a reason */
#define STATE_AWAY	"/state"	/* in the folder of the control socket */

/* One daemon a state.  LOCK_NONE: it cannot be written. */
static enum lock_got
lock_state(struct daemon *d, struct mem *m, struct buf *why)
{
	static struct lock lock;
	char path[PATH_MAX + 16];
	enum lock_got got;

	(void)snprintf(path, sizeof path, "%s/picketd.lock", d->opt.state);
	if (!place_folder(str_c(path), m, why))
		return LOCK_NONE;
	got = lock_take(&lock, path, LOCK_ALONE, 0);
	if (got == LOCK_HELD)
		buf_printf(why, "picketd runs already with the state in %s: "
		    "process %ld", d->opt.state, (long)lock.holder);
	else if (got == LOCK_NONE) {
		lock_why(&lock, got, path, why);
		if (lock.error == 0)
			return LOCK_HELD;	/* by what is none of ours */
	}
	return got;
}

/* The other place, if it is our user's alone: it may be where anybody makes
 * folders. */
static bool
is_ours(const char *folder)
{
	struct stat st;

	return lstat(folder, &st) == 0 && S_ISDIR(st.st_mode) &&
	    st.st_uid == geteuid() && (st.st_mode & 022) == 0;
}

/* When the file was written; 0: it is not there; HUGE_VAL: who knows. */
static double
written(const char *folder, const char *name)
{
	char path[PATH_MAX + 32];
	struct stat st;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	if (lstat(path, &st) != 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : HUGE_VAL;
	return (double)st.st_mtim.tv_sec + (double)st.st_mtim.tv_nsec / 1e9;
}

/* What was left in the other place by a time before this one is not when we
 * were there last. */
static void
forget_stamp(const struct daemon *d)
{
	char path[PATH_MAX + 32];

	if (written(d->home, ALIVE_FILE) <= written(d->opt.state, ALIVE_FILE))
		return;
	(void)snprintf(path, sizeof path, "%s/" ALIVE_FILE, d->opt.state);
	(void)unlink(path);
}

const char *
place_newer(const struct daemon *d, const char *name)
{
	static char other[PATH_MAX];
	const char *from = d->home;

	if (!d->away) {
		if ((size_t)snprintf(other, sizeof other, "%s" STATE_AWAY,
		    d->opt.run) >= sizeof other || !is_ours(other))
			return d->opt.state;
		from = other;
	}
	return written(from, name) > written(d->opt.state, name) ? from :
	    d->opt.state;
}

/*
 * A host whose disk fails has its file systems turn read-only, and is the one
 * that must be watched: then the state is beside the control socket, which is
 * in memory, until somebody starts us again.
 */
bool
place_take(struct daemon *d)
{
	struct mem m;
	struct buf why, more;
	enum lock_got got;

	mem_init(&m, LIM_PLACE_MEM, NULL);
	buf_init(&why, &m);
	buf_init(&more, &m);
	got = lock_state(d, &m, &why);
	if (got == LOCK_NONE && strcmp(d->opt.run, d->opt.state) != 0 &&
	    strlen(d->opt.run) + sizeof STATE_AWAY < PATH_MAX) {
		/* not made as a folder of the state would be */
		if (mkdir(d->opt.run, 0755) == 0)
			(void)chmod(d->opt.run, 0755);
		memcpy(d->home, d->opt.state, PATH_MAX);
		(void)snprintf(d->opt.state, PATH_MAX, "%s" STATE_AWAY,
		    d->opt.run);
		if ((mkdir(d->opt.state, 0700) == 0 || errno == EEXIST) &&
		    is_ours(d->opt.state))
			got = lock_state(d, &m, &more);
		d->away = got == LOCK_GOT;
	}
	if (d->away) {
		forget_stamp(d);
		(void)snprintf(d->why_away, sizeof d->why_away, "%s",
		    buf_c(&why));
		daemon_say(d, SAY_ERROR, "%s: until picketd is started again "
		    "the state is in %s: what was known is not, and incidents "
		    "are told again", d->why_away, d->opt.state);
	} else if (got != LOCK_GOT)
		daemon_say(d, SAY_ERROR, "%s", buf_c(&why));
	buf_free(&why);
	buf_free(&more);
	return got == LOCK_GOT;
}

static bool pid_written;

bool
place_write_pid(struct daemon *d)
{
	char t[24];
	int fd, n;

	if (d->opt.pidfile[0] == '\0')
		return true;
	fd = open(d->opt.pidfile, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW, 0644);
	n = snprintf(t, sizeof t, "%ld\n", (long)getpid());
	if (fd == -1 || fchmod(fd, 0644) != 0 ||
	    write(fd, t, (size_t)n) != n) {
		daemon_say(d, SAY_ERROR, "%s: %s", d->opt.pidfile,
		    strerror(errno));
		if (fd != -1)
			(void)close(fd);
		return false;
	}
	(void)close(fd);
	pid_written = true;
	return true;
}

void
place_forget_pid(const struct daemon *d)
{
	if (pid_written)
		(void)unlink(d->opt.pidfile);
}
