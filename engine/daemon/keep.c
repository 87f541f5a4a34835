/*
 * keep: the last good image outlives us and the host, in STATE/picketd.image.
 * `picket-runner` writes and reads it: see runner_keep.c.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/daemon/daemon.h"

#define LIM_KEEP	120.0	/* seconds: LIM_IMAGE to a slow disk */
#define LIM_KEPT	30.0	/* seconds: the boot waits */

static struct {
	struct child	*child;		/* NULL: none */
	struct timer	 late;
	bool		 again;		/* there is another meanwhile */
	bool		 ok;
} job;

static char runner[PATH_MAX];

static void
too_late(struct timer *t)
{
	(void)t;
	if (job.child != NULL)
		(void)kill(-job.child->pid, SIGKILL);
}

static void
ended(struct child *c, int w, const struct rusage *used)
{
	struct daemon *d = c->arg;

	(void)used;
	job.child = NULL;
	job.ok = WIFEXITED(w) && WEXITSTATUS(w) == 0;
	timer_clear(&d->loop, &job.late);
	if (job.again && !d->stopping)
		keep_image(d);
}

static bool
begin(struct daemon *d, char *const *argv, int image, double seconds)
{
	struct start st = { .path = runner, .argv = argv, .what = argv[1],
	    .fd = { -1, d->voice, d->voice, image, -1, -1 }, .ended = ended,
	    .arg = d };

	job.ok = job.again = false;
	job.late = (struct timer){ .fire = too_late, .arg = d };
	job.child = children_start(d, &st);
	if (job.child == NULL)
		return false;
	timer_set(&d->loop, &job.late, d->loop.now + seconds);
	return true;
}

void
keep_image(struct daemon *d)
{
	char *argv[] = { runner, ARG("keep"), ARG("--state"), d->opt.state,
	    NULL };

	if (job.child != NULL) {
		job.again = true;
		return;
	}
	daemon_helper(runner, "picket-runner");
	if (!begin(d, argv, d->site.fd, LIM_KEEP))
		daemon_say(d, SAY_WARNING, "the site's image cannot be kept "
		    "for a start while the configuration is wrong: %s",
		    strerror(errno));
}

int
keep_fetch(struct daemon *d)
{
	char *argv[] = { runner, ARG("kept"), ARG("--state"), d->opt.state,
	    ARG("--config"), d->opt.config, NULL };
	int fd = memfd_create("picket-site", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	daemon_helper(runner, "picket-runner");
	if (fd == -1 || !begin(d, argv, fd, LIM_KEPT)) {
		if (fd != -1)
			(void)close(fd);
		return -1;
	}
	while (job.child != NULL && !d->stopping)
		loop_turn(&d->loop);
	too_late(&job.late);
	if (job.ok && !d->stopping)
		return fd;
	(void)close(fd);
	return -1;
}
