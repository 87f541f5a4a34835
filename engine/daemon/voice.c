/*
 * voice: what the programs that picketd starts say of themselves, which is
 * logged.  One pipe for all but runs, who have one each: a line is one
 * write(2), and each program begins its lines with its name.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/daemon/daemon.h"

#define LAST_WORD	2.0	/* seconds: what was said before was of another
				 * matter */

#define LIM_LAST	8	/* lines: others speak as well, in between */

/* What was said last, in turn. */
static struct said {
	char	 line[256];
	double	 at;
} said[LIM_LAST];
static unsigned nsaid;

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

/* What a run has said of its script: engine/effect/log.c. */
static bool
is_bad(const struct voice *v)
{
	static const char *const word[] = { "picket: ERROR: ",
	    "picket: WARNING: " };
	size_t i, n;

	for (i = 0; i < sizeof word / sizeof *word; i++) {
		n = strlen(word[i]);
		if (v->n >= n && memcmp(v->line, word[i], n) == 0)
			return true;
	}
	return false;
}

void
voice_end(struct voice *v, struct daemon *d, const char *who)
{
	struct said *s;

	if (v->n > 0 && v == &d->voices) {
		s = &said[nsaid++ % LIM_LAST];
		(void)snprintf(s->line, sizeof s->line, "%.*s", (int)v->n,
		    v->line);
		s->at = d->loop.now;
	}
	if (v->n > 0)
		daemon_say(d, is_bad(v) ? SAY_WARNING : SAY_NOTICE,
		    "%s%s%.*s", who, who[0] == '\0' ? "" : ": ", (int)v->n,
		    v->line);
	v->n = 0;
}

static int ear = -1;

static void
listen_now(struct daemon *d)
{
	char block[4096];
	ssize_t n;
	int turn;

	for (turn = 0; turn < 16; turn++) {
		n = read(ear, block, sizeof block);
		if (n <= 0)
			break;
		voice_lines(&d->voices, d, "", block, (size_t)n);
	}
}

static void
hear(struct watch *w, short revents)
{
	(void)revents;
	listen_now(w->arg);
}

const char *
voice_last(struct daemon *d, const char *program)
{
	const char *name = strrchr(program, '/');
	const struct said *s;
	unsigned i;
	size_t n;

	listen_now(d);
	name = name == NULL ? program : name + 1;
	n = strlen(name);
	for (i = 1; i <= LIM_LAST && i <= nsaid; i++) {
		s = &said[(nsaid - i) % LIM_LAST];
		if (d->loop.now - s->at <= LAST_WORD &&
		    strncmp(s->line, name, n) == 0 && s->line[n] == ':')
			return s->line + n + 1 + (s->line[n + 1] == ' ');
	}
	return NULL;
}

bool
voice_init(struct daemon *d)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) != 0)
		return false;
	(void)fcntl(p[0], F_SETFL, O_NONBLOCK);
	ear = p[0];
	/* ours as well: it never ends, and who writes to it never is ended */
	d->voice = p[1];
	return loop_watch(&d->loop, p[0], POLLIN, hear, d) != NULL;
}
