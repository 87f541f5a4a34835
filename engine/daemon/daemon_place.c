/* daemon_place: what is one picketd's alone: its state, and its pid file. */
#include <errno.h>
#include <fcntl.h>
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
		memcpy(d->home, d->opt.state, PATH_MAX);
		(void)snprintf(d->opt.state, PATH_MAX, "%s" STATE_AWAY,
		    d->opt.run);
		got = lock_state(d, &m, &more);
		d->away = got == LOCK_GOT;
	}
	if (d->away) {
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
