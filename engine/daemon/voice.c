/*
 * voice: what the programs that picketd starts say of themselves, which is
 * logged.  One pipe for all but runs, who have one each: a line is one
 * write(2), and each program begins its lines with its name.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/daemon/daemon.h"

void
voice_lines(struct voice *v, struct daemon *d, const char *who, const char *p,
    size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (p[i] == '\n' || v->n == sizeof v->line)
			voice_end(v, d, who);
		if (p[i] != '\n')
			v->line[v->n++] = p[i];
	}
}

void
voice_end(struct voice *v, struct daemon *d, const char *who)
{
	if (v->n > 0)
		daemon_say(d, SAY_NOTICE, "%s%s%.*s", who,
		    who[0] == '\0' ? "" : ": ", (int)v->n, v->line);
	v->n = 0;
}

static void
hear(struct watch *w, short revents)
{
	struct daemon *d = w->arg;
	char block[4096];
	ssize_t n;
	int turn;

	(void)revents;
	for (turn = 0; turn < 16; turn++) {
		n = read(w->fd, block, sizeof block);
		if (n <= 0)
			break;
		voice_lines(&d->voices, d, "", block, (size_t)n);
	}
}

bool
voice_init(struct daemon *d)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) != 0)
		return false;
	(void)fcntl(p[0], F_SETFL, O_NONBLOCK);
	/* ours as well: it never ends, and who writes to it never is ended */
	d->voice = p[1];
	return loop_watch(&d->loop, p[0], POLLIN, hear, d) != NULL;
}
