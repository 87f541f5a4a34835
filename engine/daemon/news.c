/*
 * news: what a person must hear of picketd itself.  It is told as an incident
 * is, in the state and by mail, by `picket-runner tell`: picketd neither
 * speaks to the store nor composes mail.  What cannot be told now is told
 * later, the last word of each key.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "engine/daemon/daemon.h"

#define LIM_NEWS	16	/* keys: one a service, and those of runs.c and
				 * load.c */
#define LIM_NEWS_TEXT	1000	/* bytes of a message: a sentence and a reason */
#define LIM_TELLING	60.0	/* seconds for one: the store's patience */
#define TELL_AGAIN	5.0	/* seconds, doubling to TELL_SELDOM */
#define TELL_SELDOM	300.0

struct news {
	char	 key[40];
	char	 text[LIM_NEWS_TEXT];
	bool	 firing, waiting;
};

static struct news all[LIM_NEWS];
static struct news *telling;		/* by the child */
static struct child *child;
static struct timer next, late;
static double backoff;
static char runner[PATH_MAX];

static void
told(struct child *c, int w, const struct rusage *used)
{
	struct daemon *d = c->arg;

	(void)used;
	child = NULL;
	timer_clear(&d->loop, &late);
	if (WIFEXITED(w) && WEXITSTATUS(w) == 0) {
		backoff = 0;
		timer_set(&d->loop, &next, d->loop.now);
	} else {
		telling->waiting = true;
		backoff = backoff == 0 ? TELL_AGAIN : backoff * 2;
		if (backoff > TELL_SELDOM)
			backoff = TELL_SELDOM;
		daemon_say(d, SAY_WARNING, "picketd:%s could not be told; "
		    "again in %.0f s", telling->key, backoff);
		timer_set(&d->loop, &next, d->loop.now + backoff);
	}
	telling = NULL;
	services_poke(d);
}

static void
too_late(struct timer *t)
{
	(void)t;
	if (child != NULL)
		(void)kill(-child->pid, SIGKILL);
}

static void
tell(struct timer *t)
{
	struct daemon *d = t->arg;
	char key[64], *argv[12];
	struct start st = { .path = runner, .argv = argv, .what = "tell",
	    .fd = { -1, d->voice, d->voice, d->site.fd, -1, -1 }, .ended = told, .arg = d };
	struct news *n;
	int k = 0;

	if (child != NULL)
		return;
	for (n = all; n < all + LIM_NEWS && !n->waiting; n++)
		;
	if (n == all + LIM_NEWS)
		return;
	(void)snprintf(key, sizeof key, "picketd:%s", n->key);
	argv[k++] = runner;
	argv[k++] = ARG("tell");
	argv[k++] = ARG("--state");
	argv[k++] = d->opt.state;
	argv[k++] = ARG("--key");
	argv[k++] = key;
	argv[k++] = n->firing ? ARG("--firing") :
	    ARG("--resolved");
	argv[k++] = ARG("--message");
	argv[k++] = n->text;
	argv[k] = NULL;
	n->waiting = false;
	telling = n;
	child = children_start(d, &st);
	if (child == NULL) {
		telling = NULL;
		n->waiting = true;
		timer_set(&d->loop, t, d->loop.now + TELL_AGAIN);
		return;
	}
	timer_set(&d->loop, &late, d->loop.now + LIM_TELLING);
}

static void
put(struct daemon *d, const char *key, bool firing, const char *fmt, va_list ap)
{
	char text[LIM_NEWS_TEXT];
	struct news *n, *place = NULL;

	(void)vsnprintf(text, sizeof text, fmt, ap);
	for (n = all; n < all + LIM_NEWS; n++) {
		if (strcmp(n->key, key) == 0) {
			place = n;
			break;
		}
		if (place == NULL && n->key[0] == '\0')
			place = n;
	}
	/* all is well: the first time it is told even so, as a picketd
	 * before this one may have said otherwise */
	if (place == NULL)
		return;
	if (place->key[0] != '\0' && place->firing == firing &&
	    (!firing || strcmp(place->text, text) == 0))
		return;
	(void)snprintf(place->key, sizeof place->key, "%s", key);
	memcpy(place->text, text, sizeof text);
	place->firing = firing;
	place->waiting = true;
	if (child == NULL && !next.set)
		timer_set(&d->loop, &next, d->loop.now);
}

void
news_firing(struct daemon *d, const char *key, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(d, key, true, fmt, ap);
	va_end(ap);
}

void
news_resolved(struct daemon *d, const char *key, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(d, key, false, fmt, ap);
	va_end(ap);
}

bool
news_waiting(const struct daemon *d)
{
	const struct news *n;

	(void)d;
	for (n = all; n < all + LIM_NEWS; n++)
		if (n->waiting)
			return true;
	return child != NULL;
}

void
news_init(struct daemon *d)
{
	next = (struct timer){ .fire = tell, .arg = d };
	late = (struct timer){ .fire = too_late, .arg = d };
	daemon_helper(runner, "picket-runner");
}
