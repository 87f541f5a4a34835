/* http_view: one picture of the state and of the scheduler; see http.h. */
#include "engine/daemon/http.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lang/base/num.h"
#include "engine/vm/clock.h"

#define RUNS		60	/* of a picture */
#define AFTER_TROUBLE	5.0	/* seconds until it is asked anew: nobody is to
				 * wait for each answer */
#define LIM_STATUS	(48u << 20)	/* bytes of it */

/* Rows of an answer, collected in the arena. */
struct rows {
	struct web	*w;
	char		*p;
	size_t		 n, cap, size, most;
};

static void *
more(struct rows *r)
{
	size_t cap;
	char *p;

	if (r->n == r->most)
		return NULL;
	if (r->n == r->cap) {
		cap = r->cap == 0 ? 64 : 2 * r->cap;
		p = arena_alloc(&r->w->arena, cap * r->size);
		if (r->n > 0)
			memcpy(p, r->p, r->n * r->size);
		r->p = p;
		r->cap = cap;
	}
	p = r->p + r->n++ * r->size;
	memset(p, 0, r->size);
	return p;
}

static double
number(struct str s)
{
	char t[64];

	if (str_none(s) || s.n >= sizeof t)
		return NUM_NIL;
	memcpy(t, s.p, s.n);
	t[s.n] = '\0';
	return strtod(t, NULL);
}

static struct str
copy(struct web *w, struct str s)
{
	return str_none(s) ? STR_EMPTY : arena_dup(&w->arena, s);
}

static enum level
level(double d)
{
	return d >= 0 && d < LEVEL_COUNT ? (enum level)d : LEVEL_NOTICE;
}

/* run alert origin began ended result level due reason lines error pid */
static void
take_run(void *arg, const struct str *c, unsigned n)
{
	struct rows *r = arg;
	struct web_run *run = n < 12 ? NULL : more(r);

	if (run == NULL)
		return;
	run->run = copy(r->w, c[0]);
	run->alert = copy(r->w, c[1]);
	run->began = number(c[3]);
	run->ended = number(c[4]);
	run->result = copy(r->w, c[5]);
	run->level = level(number(c[6]));
	run->due = number(c[7]);
	run->reason = copy(r->w, c[8]);
	run->lines = number(c[9]);
	run->error = copy(r->w, c[10]);
}

/* alert script name points time value */
static void
take_series(void *arg, const struct str *c, unsigned n)
{
	struct rows *r = arg;
	struct web_series *s = n < 6 ? NULL : more(r);

	if (s == NULL)
		return;
	s->alert = copy(r->w, c[0]);
	s->script = copy(r->w, c[1]);
	s->name = copy(r->w, c[2]);
	s->points = number(c[3]);
	s->time = number(c[4]);
	s->value = number(c[5]);
}

/* alert script runs good last_time last_good bad */
static void
take_owner(void *arg, const struct str *c, unsigned n)
{
	struct rows *r = arg;
	struct web_owner *o = n < 7 ? NULL : more(r);

	if (o == NULL)
		return;
	o->alert = copy(r->w, c[0]);
	o->script = copy(r->w, c[1]);
	o->runs = number(c[2]);
	o->good = number(c[3]);
	o->last = number(c[4]);
	o->last_good = number(c[5]) == 1;
	o->bad = number(c[6]);
}

/* waiting, dead, tried in vain, since when the oldest waits */
static void
take_outbox(void *arg, const struct str *c, unsigned n)
{
	struct web *w = ((struct rows *)arg)->w;

	if (n < 4)
		return;
	w->waiting = number(c[0]);
	w->dead = number(c[1]);
	w->tried = number(c[2]);
	w->oldest = number(c[3]);
}

static void
take_step(void *arg, const struct str *c, unsigned n)
{
	struct rows *r = arg;
	struct web_step *s = n < 5 ? NULL : more(r);

	if (s == NULL)
		return;
	s->time = number(c[0]);
	s->mean = number(c[1]);
	s->least = number(c[2]);
	s->most = number(c[3]);
	s->n = number(c[4]);
}

#define ROWS(w, type, most) { w, NULL, 0, 0, sizeof(type), most }

static bool
ask(struct web *w)
{
	struct rows run = ROWS(w, struct web_run, RUNS),
	    series = ROWS(w, struct web_series, LIM_HTTP_SERIES),
	    owner = ROWS(w, struct web_owner, SIZE_MAX),
	    any = ROWS(w, char, 0);
	size_t i;

	if (!look_load(&w->look, &w->mem, &w->arena, w->state, w->now))
		return false;
	w->has_store = true;
	if (!state_ask(w->state, Q_RUN_LIST, (const struct param[]){ PN(RUNS) },
	    take_run, &run) ||
	    !state_ask(w->state, Q_SERIES_LIST,
	    (const struct param[]){ PN(LIM_HTTP_SERIES) }, take_series,
	    &series) ||
	    !state_ask(w->state, Q_OWNER_LIST, NULL, take_owner, &owner) ||
	    !state_ask(w->state, Q_OUTBOX_SUM, (const struct param[]){
	    PN(w->now) }, take_outbox, &any))
		return false;
	w->run = (struct web_run *)(void *)run.p;
	w->nrun = run.n;
	w->series = (struct web_series *)(void *)series.p;
	w->nseries = series.n;
	w->owner = (struct web_owner *)(void *)owner.p;
	w->nowner = owner.n;
	w->nworst = w->look.incidents.by_key.n;
	w->worst = arena_alloc(&w->arena, (w->nworst + 1) *
	    sizeof *w->worst);
	for (i = 0; i < w->nworst; i++) {
		w->worst[i] = incidents_at(&w->look.incidents, i);
		incident_clock(w->worst[i], w->now);
	}
	qsort(w->worst, w->nworst, sizeof *w->worst, look_worse);
	return true;
}

/* One line to the scheduler, one line back. */
static json_t *
scheduler(struct web *w)
{
	static const char question[] = "{\"command\":\"status\"}\n";
	double until = clock_steady() + HTTP_PATIENCE, left;
	struct pollfd p = { .fd = w->talk, .events = POLLIN };
	struct buf b;
	json_t *j = NULL;
	char *end = NULL;
	ssize_t n;

	if (w->talk < 0)
		return NULL;
	if (send(w->talk, question, sizeof question - 1, MSG_NOSIGNAL) !=
	    (ssize_t)sizeof question - 1)
		goto lost;
	buf_init(&b, &w->mem);
	while (end == NULL && b.n < LIM_STATUS &&
	    (left = until - clock_steady()) > 0) {
		if (poll(&p, 1, (int)(left * 1000) + 1) < 1)
			continue;
		n = recv(w->talk, buf_room(&b, 65536), 65536, 0);
		if (n == -1 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			break;
		b.n += (size_t)n;
		end = memchr(b.p + b.n - n, '\n', (size_t)n);
	}
	if (end != NULL)
		j = json_loadb(b.p, (size_t)(end - b.p), 0, NULL);
	buf_free(&b);
	if (j != NULL && json_is_true(json_object_get(j, "ok")))
		return j;
	json_decref(j);
lost:
	/* what comes later would be taken for the next answer */
	(void)close(w->talk);
	w->talk = -1;
	return NULL;
}

void
web_forget(struct web *w)
{
	if (w->has_store)
		look_free(&w->look);
	w->has_store = false;
	json_decref(w->status);
	w->status = NULL;
	w->nworst = w->nrun = w->nseries = w->nowner = 0;
	w->waiting = w->dead = w->tried = 0;
	w->oldest = NUM_NIL;
	w->steady = 0;
	w->why = STR_EMPTY;
	arena_free(&w->arena);
	arena_init(&w->arena, &w->mem, 65536);
}

void
web_look(struct web *w)
{
	struct buf why;

	if (w->steady != 0 && clock_steady() - w->steady < (w->why.n > 0 ?
	    AFTER_TROUBLE : HTTP_FRESH))
		return;
	web_forget(w);
	w->now = clock_wall();
	buf_init(&why, &w->mem);
	if (!ask(w)) {
		buf_puts(&why, "the state cannot be read: ");
		buf_str(&why, state_why(w->state));
		buf_putc(&why, '\n');
	}
	w->status = scheduler(w);
	if (w->status == NULL && w->talks)
		buf_puts(&why, "the scheduler, picketd, does not answer\n");
	w->why = arena_dup(&w->arena, buf_view(&why));
	buf_free(&why);
	w->steady = clock_steady();
}

size_t
web_firing(const struct web *w)
{
	const char *word;
	size_t i, n = 0;

	for (i = 0; i < w->nworst; i++) {
		if (w->worst[i]->state != INCIDENT_FIRES)
			break;		/* they come first */
		word = look_word(&w->look, w->worst[i]);
		if (strcmp(word, "acknowledged") != 0 &&
		    strcmp(word, "silenced") != 0)
			n++;
	}
	return n;
}

size_t
web_steps(struct web *w, const struct web_series *s, double from,
    struct web_step *step)
{
	struct rows r = ROWS(w, struct web_step, HTTP_STEPS + 1);

	if (!state_ask(w->state, Q_SERIES_STEPS, (const struct param[]){
	    PT(s->alert), PT(s->script), PT(s->name), PN(from),
	    PN((w->now - from) / HTTP_STEPS) }, take_step, &r))
		return 0;
	memcpy(step, r.p == NULL ? "" : r.p, r.n * sizeof *step);
	return r.n;
}

size_t
web_runs(struct web *w, struct str alert, size_t n, struct web_run **run)
{
	struct rows r = ROWS(w, struct web_run, n);
	struct param p[] = { PT(alert), PN((double)n) };

	if (!(str_none(alert) ? state_ask(w->state, Q_RUN_LIST, p + 1,
	    take_run, &r) : state_ask(w->state, Q_RUN_OF_ALERT, p, take_run,
	    &r)))
		return 0;
	*run = (struct web_run *)(void *)r.p;
	return r.n;
}

void
web_health(struct web *w, struct buf *b)
{
	json_t *last;

	buf_str(b, w->why);
	if (w->status == NULL)
		return;
	last = json_object_get(w->status, "reload");
	if (json_is_false(json_object_get(last, "good")))
		buf_puts(b, "the configuration on the disk has errors; an "
		    "older one is in force\n");
	if (w->dead > 0)
		buf_printf(b, "%.0f notices could not be sent and were given "
		    "up: see picket outbox --dead\n", w->dead);
	if (!num_is_nil(w->oldest) && w->now - w->oldest > 3600)
		buf_puts(b, "a notice has waited for over an hour to be "
		    "sent: see picket outbox\n");
}
