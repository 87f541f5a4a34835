#include "engine/daemon/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_un to;
static socklen_t nto;		/* 0: nobody listens */
static int sock = -1;
static double watchdog;

void
notify_init(void)
{
	const char *path = secure_getenv("NOTIFY_SOCKET");
	const char *usec = secure_getenv("WATCHDOG_USEC");
	const char *pid = secure_getenv("WATCHDOG_PID");
	size_t n = path == NULL ? 0 : strlen(path);

	if (n > 1 && n < sizeof to.sun_path &&
	    (path[0] == '/' || path[0] == '@')) {
		to.sun_family = AF_UNIX;
		memcpy(to.sun_path, path, n);
		if (path[0] == '@')
			to.sun_path[0] = '\0';
		nto = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
		sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC |
		    SOCK_NONBLOCK, 0);
	}
	if (usec != NULL && (pid == NULL || atol(pid) == (long)getpid()))
		watchdog = strtod(usec, NULL) / 1e6;
	if (!(watchdog > 0))
		watchdog = 0;
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

bool
notify_wanted(void)
{
	return nto > 0;
}

void
notify_say(const char *text)
{
	if (nto > 0 && sock != -1)
		(void)sendto(sock, text, strlen(text), MSG_NOSIGNAL,
		    (const struct sockaddr *)&to, nto);
}

void
notify_reloading(void)
{
	struct timespec ts;
	char t[80];

	clock_gettime(CLOCK_MONOTONIC, &ts);
	snprintf(t, sizeof t, "RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
	notify_say(t);
}

double
notify_watchdog(void)
{
	return watchdog / 2;
}
