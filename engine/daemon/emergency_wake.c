/* emergency_wake: what the kernel tells by itself when memory goes; see
 * emergency.h. */
#include <sys/eventfd.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/daemon/emergency.h"

#define STALL	"some 150000 1000000"	/* microseconds that tasks have waited
					 * of a second: earlyoom's and
					 * systemd-oomd's are of that order */
#define LEFT	2.0	/* times the share that is short, as in
			 * emergency_short.c: here there is still time for a
			 * snapshot */

/* Tells when tasks have waited; who may not have it (CAP_SYS_RESOURCE for less
 * than two seconds) does without. */
static int
on_pressure(const char *root)
{
	int fd;

	if (root != NULL && root[0] != '\0')
		return -1;
	fd = open("/proc/pressure/memory", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd != -1 && write(fd, STALL, sizeof STALL) != sizeof STALL) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

/* v1: an eventfd that counts when the file has reached the number. */
static int
on_file(const struct snapshot_group *g, int file, double number)
{
	char path[PATH_MAX + 32], text[60];
	int fd, control, n;

	if (file == -1)
		return -1;
	snprintf(path, sizeof path, "%s/cgroup.event_control", g->folder);
	control = open(path, O_WRONLY | O_CLOEXEC);
	if (control == -1)
		return -1;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	n = number > 0 ? snprintf(text, sizeof text, "%d %d %.0f", fd, file,
	    number) : snprintf(text, sizeof text, "%d %d", fd, file);
	if (fd != -1 && write(control, text, (size_t)n) != n) {
		(void)close(fd);
		fd = -1;
	}
	(void)close(control);
	return fd;
}

void
emergency_wake_open(struct emergency_wake *w, const struct snapshot *s,
    const struct emergency_limits *l)
{
	const struct snapshot_group *g = &s->group;
	double max = snapshot_number(g->max);
	int i;

	for (i = 0; i < WAKES; i++) {
		w->fd[i] = -1;
		w->events[i] = POLLIN;
	}
	w->fd[WAKE_PRESSURE] = on_pressure(s->world.root);
	w->events[WAKE_PRESSURE] = POLLPRI;
	if (g->version == 1) {
		if (!num_none(max) && max > 0)
			w->fd[WAKE_LEFT] = on_file(g, g->used, max * (1 -
			    LEFT * l->available));
		w->fd[WAKE_OOM] = on_file(g, g->oom, 0);
	} else if (g->version == 2) {
		w->fd[WAKE_OOM] = g->oom;
		w->events[WAKE_OOM] = POLLPRI;
	}
}

void
emergency_wake_heard(struct emergency_wake *w, int which)
{
	char text[512];

	/* an eventfd counts until it is read; a file of v2 tells what has come
	 * since it was read; pressure forgets by itself */
	if (which == WAKE_PRESSURE)
		return;
	if (w->events[which] == POLLIN)
		(void)!read(w->fd[which], text, sizeof(uint64_t));
	else
		(void)!pread(w->fd[which], text, sizeof text, 0);
}
