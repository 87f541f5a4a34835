#include "engine/daemon/loop.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "engine/vm/clock.h"

#define LIM_AGAIN	1e-6	/* seconds: the least that is later */
#define LIM_PAUSE	10000000 /* nanoseconds after a ppoll that failed */
#define LIM_SLEEP	3600.0	/* seconds in one turn: what ppoll takes anyway */

void
loop_init(struct loop *l)
{
	memset(l, 0, sizeof *l);
	l->now = clock_steady();
}

struct watch *
loop_watch(struct loop *l, int fd, short events, watch_fn *ready, void *arg)
{
	struct watch *w;

	for (w = l->watch; w < l->watch + LIM_WATCHES; w++)
		if (w->ready == NULL) {
			*w = (struct watch){ ready, arg, fd, events, l->turn };
			return w;
		}
	return NULL;
}

void
watch_end(struct watch *w)
{
	if (w != NULL)
		*w = (struct watch){ .fd = -1 };
}

void
timer_clear(struct loop *l, struct timer *t)
{
	struct timer **at;

	if (!t->set)
		return;
	for (at = &l->first; *at != NULL; at = &(*at)->next)
		if (*at == t) {
			*at = t->next;
			break;
		}
	t->set = false;
}

void
timer_set(struct loop *l, struct timer *t, double at)
{
	struct timer **p;

	timer_clear(l, t);
	/* not in this turn again: descriptors get theirs, too */
	if (at <= l->now)
		at = l->now + LIM_AGAIN;
	for (p = &l->first; *p != NULL && (*p)->at <= at; p = &(*p)->next)
		;
	t->at = at;
	t->set = true;
	t->next = *p;
	*p = t;
}

static void
fire_timers(struct loop *l)
{
	double now = l->now;
	struct timer *t;

	while ((t = l->first) != NULL && t->at <= now) {
		timer_clear(l, t);
		t->fire(t);
	}
}

void
loop_turn(struct loop *l)
{
	struct timespec ts;
	struct watch *w;
	double sleep = LIM_SLEEP;
	nfds_t n = 0, i;
	int k;

	l->turn++;
	for (w = l->watch; w < l->watch + LIM_WATCHES; w++)
		if (w->ready != NULL) {
			l->poll[n] = (struct pollfd){ w->fd, w->events, 0 };
			l->polled[n++] = w;
		}
	if (l->first != NULL && l->first->at - clock_steady() < sleep)
		sleep = l->first->at - clock_steady();
	if (sleep < 0 || l->end)
		sleep = 0;
	ts.tv_sec = (time_t)sleep;
	ts.tv_nsec = (long)((sleep - (double)ts.tv_sec) * 1e9);
	k = ppoll(l->poll, n, &ts, NULL);
	if (k == -1) {
		/* the kernel has no memory for it: the next turn tries again,
		 * and does not take the processor meanwhile */
		if (errno != EINTR)
			nanosleep(&(struct timespec){ 0, LIM_PAUSE }, NULL);
		k = 0;
	}
	l->now = clock_steady();
	fire_timers(l);
	for (i = 0; i < n && k > 0; i++) {
		if (l->poll[i].revents == 0)
			continue;
		k--;
		w = l->polled[i];
		/* another's function may have ended it, or given its place,
		 * and the number of its descriptor, to a new one */
		if (w->ready != NULL && w->turn != l->turn)
			w->ready(w, l->poll[i].revents);
	}
}

void
loop_run(struct loop *l)
{
	while (!l->end)
		loop_turn(l);
}
