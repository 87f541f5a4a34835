/*
 * runner_keep: the last good image, in STATE/picketd.image.  Why: a host that
 * starts anew while its configuration is wrong would have no monitor, and
 * nobody would hear of it.  Why here: it may be long, and a disk slow.
 *
 *	picket-runner keep --state DIR			writes fd 3 there
 *	picket-runner kept --state DIR --config DIR	puts it on fd 3
 *
 * What is put there is of this build and of that configuration, and nobody
 * but us (or root) could have written it.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/daemon/runner.h"

#define KEPT		"picketd.image"
#define KEPT_NEW	"picketd.image.new"

/* All of it, from the beginning; false: errno. */
static bool
copy(int from, int to)
{
	char block[65536];
	off_t at = 0;
	ssize_t n, k, did;

	while ((n = pread(from, block, sizeof block, at)) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return false;
		for (did = 0; did < n; did += k) {
			k = pwrite(to, block + did, (size_t)(n - did),
			    at + did);
			if (k == -1 && errno == EINTR)
				k = 0;
			if (k == -1)
				return false;
		}
		at += n;
		if (at > (off_t)LIM_IMAGE) {
			errno = EFBIG;
			return false;
		}
	}
	return true;
}

static int
state_dir(const struct runner *r)
{
	int dir = open(r->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir == -1)
		runner_say("%s: %s", r->state, strerror(errno));
	return dir;
}

int
runner_keep(struct runner *r)
{
	int dir = state_dir(r), fd;
	bool ok;

	if (dir == -1)
		return RUNNER_PROBLEMS;
	/* whoever was ended while at it has left one; picketd is one a state */
	(void)unlinkat(dir, KEPT_NEW, 0);
	fd = openat(dir, KEPT_NEW, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	ok = fd != -1 && fchmod(fd, 0600) == 0 &&
	    copy(RUNNER_FD_IMAGE, fd) && fsync(fd) == 0 &&
	    renameat(dir, KEPT_NEW, dir, KEPT) == 0 && fsync(dir) == 0;
	if (!ok) {
		runner_say("%s/" KEPT ": %s: a start while the configuration "
		    "is wrong will not have this one", r->state,
		    strerror(errno));
		(void)unlinkat(dir, KEPT_NEW, 0);
	}
	return ok ? RUNNER_FINE : RUNNER_PROBLEMS;
}

/* NULL, or why nothing is to run of it. */
static const char *
distrusted(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "is no regular file";
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return "is not ours";
	if ((st.st_mode & 022) != 0)
		return "may be written by others";
	return NULL;
}

static bool
is_of(const struct image *m, const char *config)
{
	char real[PATH_MAX];

	return str_eq(image_dir(m), str_c(config)) ||
	    (realpath(config, real) != NULL &&
	    str_eq(image_dir(m), str_c(real)));
}

int
runner_kept(struct runner *r)
{
	char reason[LIM_IMAGE_WHY];
	const char *why = NULL;
	struct image *m;
	int dir = state_dir(r), fd;

	if (dir == -1)
		return RUNNER_PROBLEMS;
	/* a pipe of that name is not waited for */
	fd = openat(dir, KEPT, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd == -1 && errno == ENOENT)
		return RUNNER_PROBLEMS;
	why = fd == -1 ? strerror(errno) : distrusted(fd);
	if (why == NULL && !copy(fd, RUNNER_FD_IMAGE))
		why = strerror(errno);
	if (why == NULL) {
		m = image_open(RUNNER_FD_IMAGE, &r->mem, reason);
		if (m == NULL)
			why = reason;
		else if (!is_of(m, r->config))
			why = "is of another configuration";
		if (m != NULL)
			image_close(m);
	}
	if (why == NULL)
		return RUNNER_FINE;
	runner_say("%s/" KEPT " %s", r->state, why);
	return RUNNER_PROBLEMS;
}
