/*
 * cmd_learn: against the mail of the first day.  The alerts run at their times
 * for a while, in a store of their own in memory; nothing is done and nobody
 * is told.  Then: what they would have told of, thresholds that would not have
 * been met, and what fires now as a baseline to accept.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "engine/cli/incident.h"
#include "engine/cli/learn.h"
#include "engine/sched/calendar.h"
#include "engine/sim/sim.h"
#include "engine/vm/clock.h"

#define LEARN_TIME	600.0	/* seconds, unless --for says so */
#define LIM_LEARN_TIME	(30 * 86400.0)	/* more is what mail is for */
#define LEARN_EVERY	300.0	/* seconds, of an alert that has no times */
#define LEARN_SCRIPT	60.0	/* seconds that a script may take */
#define BASELINE	(30 * 86400.0)	/* seconds that what is accepted is
					 * silenced: then it is told what is
					 * still so */

struct due {
	const struct site_alert *alert;
	const struct program **program;	/* those that run */
	size_t		 n;
	double		 at;
};

struct watch {
	struct cli	*c;
	struct site	*site;
	struct sim	*sim;
	struct learn	 learn;
	struct due	*due;
	size_t		 ndue;
	double		 every;		/* 0: at their own times */
	double		 begun, until;
	double		 runs, onsets, mails, failed;
	struct str	 why;		/* of the last failure, with its script */
	struct proposal	*proposal;	/* of all scripts */
	size_t		 nproposal;
	struct buf	 b;
};

static volatile sig_atomic_t stopped;

static void
on_signal(int sig)
{
	stopped = sig;
}

/* --- which alerts --- */

static bool
wanted(const struct cli *c, struct str alert, struct str script)
{
	size_t i;

	for (i = 0; i < c->narg; i++)
		if (str_eq(str_c(c->arg[i]), alert) ||
		    str_eq(str_c(c->arg[i]), script))
			return true;
	return c->narg == 0;
}

/* The alerts with the scripts that are wanted; false: told of. */
static bool
choose(struct watch *w)
{
	const struct site *s = w->site;
	const struct site_alert *a;
	struct due *d;
	size_t i, k, n;

	w->due = arena_zalloc(&w->c->arena, (s->nalert + 1) * sizeof *w->due);
	for (i = 0; i < s->nalert; i++) {
		a = &s->alert[i];
		d = &w->due[w->ndue];
		d->program = arena_alloc(&w->c->arena, (a->nalarm + 1) *
		    sizeof *d->program);
		for (k = n = 0; k < a->nalarm; k++) {
			struct program *p = arena_alloc(&w->c->arena,
			    sizeof *p);

			if (a->alarm[k].status == STATUS_INACTIVE ||
			    a->alarm[k].status == STATUS_SUSPENDED ||
			    !wanted(w->c, a->name, a->alarm[k].name))
				continue;
			*p = a->alarm[k];
			if (!(p->timeout > 0 && p->timeout < LEARN_SCRIPT))
				p->timeout = LEARN_SCRIPT;
			d->program[n++] = p;
		}
		d->alert = a;
		d->n = n;
		d->at = w->begun;
		if (n > 0)
			w->ndue++;
	}
	for (i = 0; i < w->c->narg; i++) {
		for (k = 0; k < s->nalert; k++)
			if (str_eq(s->alert[k].name, str_c(w->c->arg[i])))
				break;
		if (k == s->nalert && site_script(s, str_c(w->c->arg[i])) ==
		    NULL) {
			cli_say("learn: %s: no such alert or script",
			    w->c->arg[i]);
			return false;
		}
	}
	if (w->ndue == 0)
		cli_say("learn: there is no alert to run");
	return w->ndue > 0;
}

static double
next_time(const struct watch *w, const struct due *d, double now)
{
	double next = INFINITY, t;
	size_t i;

	if (w->every > 0)
		return d->at + w->every > now ? d->at + w->every :
		    now + w->every;
	if (d->alert->every > 0)
		return now + d->alert->every;
	for (i = 0; i < d->alert->ntiming; i++) {
		t = calendar_after(NULL, &d->alert->timing[i].cron, now);
		if (t < next)
			next = t;
	}
	return d->alert->ntiming > 0 ? next : now + LEARN_EVERY;
}

/* --- watching --- */

static void
seen(void *arg, const struct program *p, const struct run_seen *s)
{
	struct watch *w = arg;

	learn_seen(&w->learn, p, s);
}

static bool
run_alert(struct watch *w, struct due *d)
{
	struct sim_result r;
	struct buf why;
	size_t i;
	bool ok;

	buf_init(&why, &w->c->mem);
	sim_set_alert(w->sim, d->alert->name);
	ok = sim_run(w->sim, d->program, d->n, false, &r, &why);
	if (!ok)
		cli_say("learn: %s", buf_c(&why));
	buf_free(&why);
	w->runs += (double)r.nscript;
	w->mails += (double)r.nmail;
	for (i = 0; i < r.nchange; i++)
		w->onsets += str_eq(r.change[i].kind, str_c(
		    notice_name[NOTICE_FIRING]));
	for (i = 0; i < r.nscript; i++)
		if (r.script[i].end != RUN_OK &&
		    r.script[i].end != RUN_SUPPRESSED) {
			w->failed++;
			buf_clear(&w->b);
			buf_str(&w->b, r.script[i].program->name);
			buf_puts(&w->b, ": ");
			buf_str(&w->b, r.script[i].error);
			w->why = arena_dup(&w->c->arena, buf_view(&w->b));
		}
	return ok;
}

static void
progress(struct watch *w, double now)
{
	struct buf *b = &w->b;

	if (isatty(2) != 1 || w->c->given[OPT_JSON])
		return;
	buf_clear(b);
	buf_puts(b, "\rlearning: ");
	look_span(b, floor(now - w->begun));
	buf_puts(b, " of ");
	look_span(b, w->until - w->begun);
	buf_printf(b, ", %.0f runs, %.0f would have been told of \033[K",
	    w->runs, w->onsets);
	(void)cli_write(2, buf_view(b));
}

static bool
watch(struct watch *w)
{
	struct timespec nap;
	double now, next;
	size_t i;

	for (;;) {
		now = clock_wall();
		next = w->until;
		for (i = 0; i < w->ndue && !stopped; i++) {
			if (w->due[i].at <= now) {
				if (!run_alert(w, &w->due[i]))
					return false;
				w->due[i].at = next_time(w, &w->due[i],
				    clock_wall());
			}
			if (w->due[i].at < next)
				next = w->due[i].at;
		}
		now = clock_wall();
		progress(w, now);
		if (stopped || now >= w->until)
			break;
		next -= now;
		next = next > 1 ? 1 : next < 0.01 ? 0.01 : next;
		nap.tv_sec = (time_t)next;
		nap.tv_nsec = (long)((next - floor(next)) * 1e9);
		nanosleep(&nap, NULL);
	}
	if (isatty(2) == 1 && !w->c->given[OPT_JSON])
		(void)cli_write(2, STR_LIT("\r\033[K"));
	return true;
}

/* --- what follows --- */

/* The proposals of all scripts that have found something, each once. */
static void
propose(struct watch *w)
{
	const struct learned *k;
	struct proposal *all, *list;
	struct loaded l;
	struct map done;
	bool is_new;
	size_t i, n, m;

	map_init(&done, &w->c->arena);
	w->proposal = NULL;
	for (i = 0; i < w->learn.by_key.n; i++) {
		k = w->learn.by_key.entry[i].v.ptr;
		if (k->held == 0)
			continue;
		(void)map_put(&done, k->script, &is_new);
		if (!is_new)
			continue;
		w->c->site = w->site;	/* its macros */
		cli_load(w->c, arena_dup(&w->c->arena, k->file).p, false, &l);
		if (l.ok && l.compile != NULL) {
			n = learn_propose(&w->learn, l.compile, k->script,
			    &list);
			all = arena_alloc(&w->c->arena, (w->nproposal + n +
			    1) * sizeof *all);
			for (m = 0; m < w->nproposal; m++)
				all[m] = w->proposal[m];
			for (m = 0; m < n; m++)
				all[w->nproposal + m] = list[m];
			w->proposal = all;
			w->nproposal += n;
		}
		cli_unload(&l);
	}
}

/* What fires now is silenced, as a person would do it; how many. */
static size_t
accept_all(struct watch *w)
{
	static const char why[] = "baseline of picket learn";
	struct at_hand h;
	const struct learned *k;
	struct batch *batch;
	size_t i, n = 0;
	struct str who;

	if (!hand_open(w->c, false, &h))
		return 0;
	who = cli_who(w->c);
	batch = batch_new(&w->c->mem);
	for (i = 0; i < w->learn.by_key.n; i++) {
		k = w->learn.by_key.entry[i].v.ptr;
		if (!k->holds)
			continue;
		/* a pattern of its own: a key may hold * and [ */
		buf_clear(&w->b);
		glob_quote(k->key, &w->b);
		batch_row(batch, Q_SILENCE_ADD, (const struct param[]){
		    PT(arena_dup(&w->c->arena, buf_view(&w->b))), PN(h.l.now),
		    PN(h.l.now + BASELINE), PT(who), PT(STR_LIT(why)) });
		n++;
	}
	if (n > 0 && !state_commit(h.o.state, batch, true)) {
		(void)hand_failed(&h);
		n = 0;
	}
	batch_free(batch);
	hand_close(&h);
	return n;
}

static void
put(struct watch *w, struct str s, size_t width)
{
	buf_escaped(&w->b, s, 0);
	for (; s.n < width; width--)
		buf_putc(&w->b, ' ');
}

static void
show_learned(struct watch *w, const struct learned *k)
{
	struct buf *b = &w->b;

	buf_printf(b, "%-10s ", level_name[k->level]);
	put(w, k->key, 28);
	buf_printf(b, "  in %.0f of %.0f runs%s\n", k->held, k->runs,
	    k->holds ? ", and now" : "");
	buf_puts(b, "           ");
	buf_escaped(b, k->message, 200);
	buf_putc(b, '\n');
}

static void
show_proposals(struct watch *w)
{
	const struct proposal *p;
	struct buf *b = &w->b;
	size_t i;

	buf_puts(b, "\nthresholds that would have told of none of it, for "
	    "macros.cfg:\n");
	for (i = 0; i < w->nproposal; i++) {
		p = &w->proposal[i];
		put(w, p->macro, 24);
		buf_putc(b, ' ');
		put(w, p->is, 8);
		buf_puts(b, "// was ");
		buf_escaped(b, p->was, 40);
		buf_puts(b, "; ");
		buf_escaped(b, p->from->key, 60);
		buf_putc(b, '\n');
	}
}

static void
show(struct watch *w, double seconds, size_t accepted)
{
	const struct learned *k;
	struct buf *b = &w->b;
	size_t i, found = 0, now = 0;

	buf_clear(b);
	for (i = 0; i < w->learn.by_key.n; i++) {
		k = w->learn.by_key.entry[i].v.ptr;
		if (k->held == 0)
			continue;
		found++;
		now += k->holds;
		show_learned(w, k);
	}
	if (found > 0)
		buf_putc(b, '\n');
	buf_puts(b, "watched for ");
	look_span(b, seconds < 1 ? 1 : seconds);
	buf_printf(b, ": %.0f runs would have told of %.0f onset%s in %.0f "
	    "mail%s; nothing was done or told\n", w->runs, w->onsets,
	    w->onsets == 1 ? "" : "s", w->mails, w->mails == 1 ? "" : "s");
	if (w->failed > 0) {
		buf_printf(b, "%.0f run%s failed, the last one ", w->failed,
		    w->failed == 1 ? "" : "s");
		buf_escaped(b, w->why, 200);
		buf_putc(b, '\n');
	}
	if (w->nproposal > 0)
		show_proposals(w);
	if (accepted > 0)
		buf_printf(b, "\n%zu accepted: silenced for 30 days (picket "
		    "silences); what is still so then is told\n", accepted);
	else if (now > 0)
		buf_puts(b, "\nwhat fires now and is known can be accepted: "
		    "picket learn --accept, or picket silence KEY\n");
	(void)cli_write(1, buf_view(b));
}

static void
show_json(struct watch *w, size_t accepted)
{
	json_t *o = json_object(), *list = json_array(), *j;
	const struct learned *k;
	const struct proposal *p;
	size_t i;

	for (i = 0; i < w->learn.by_key.n; i++) {
		k = w->learn.by_key.entry[i].v.ptr;
		if (k->held == 0)
			continue;
		j = json_object();
		json_object_set_new(j, "key", look_json_text(&w->c->mem, k->key));
		json_object_set_new(j, "script", look_json_text(&w->c->mem,
		    k->script));
		json_object_set_new(j, "level", json_string(
		    level_name[k->level]));
		json_object_set_new(j, "message", look_json_text(&w->c->mem,
		    k->message));
		json_object_set_new(j, "runs", look_json_number(k->runs));
		json_object_set_new(j, "held", look_json_number(k->held));
		json_object_set_new(j, "low", look_json_number(k->low));
		json_object_set_new(j, "high", look_json_number(k->high));
		json_object_set_new(j, "now", json_boolean(k->holds));
		json_array_append_new(list, j);
	}
	json_object_set_new(o, "findings", list);
	list = json_array();
	for (i = 0; i < w->nproposal; i++) {
		p = &w->proposal[i];
		j = json_object();
		json_object_set_new(j, "macro", look_json_text(&w->c->mem, p->macro));
		json_object_set_new(j, "was", look_json_text(&w->c->mem, p->was));
		json_object_set_new(j, "value", look_json_text(&w->c->mem, p->is));
		json_array_append_new(list, j);
	}
	json_object_set_new(o, "thresholds", list);
	json_object_set_new(o, "runs", look_json_number(w->runs));
	json_object_set_new(o, "onsets", look_json_number(w->onsets));
	json_object_set_new(o, "mails", look_json_number(w->mails));
	json_object_set_new(o, "failed", look_json_number(w->failed));
	json_object_set_new(o, "accepted", json_integer((json_int_t)accepted));
	buf_clear(&w->b);
	cli_json_put(o, &w->b);
	(void)cli_write(1, buf_view(&w->b));
}

/* --- the command --- */

/* A duration of an option; false: told of. */
static bool
take_time(struct cli *c, enum option_id id, const char *name, double most,
    double *to)
{
	double t;

	if (!c->given[id])
		return true;
	t = num_parse_duration(str_c(c->value[id]));
	if (t >= 1 && t <= most) {
		*to = t;
		return true;
	}
	cli_say("%s wants a duration such as 10m, of 1s to 30d, not '%s'",
	    name, c->value[id]);
	return false;
}

/* The site, or the library where there is none. */
static bool
open_site(struct watch *w)
{
	struct cli *c = w->c;
	struct buf lib;

	if (!cli_configuration(c, c->value[OPT_CONFIG]) ||
	    !cli_open_site(c, false))
		return false;
	w->site = c->site;
	if (w->site == NULL) {
		buf_init(&lib, &c->mem);
		buf_puts(&lib, cli_library());
		w->site = c->site = cli_site(c, buf_c(&lib), false, false);
		buf_free(&lib);
	}
	if (w->site == NULL)
		return false;
	if (w->site->nerror > 0) {
		cli_site_show(c, w->site, NULL);
		cli_say("learn: the configuration has errors");
		return false;
	}
	return true;
}

static void
catch_signals(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof sa);
	sa.sa_handler = on_signal;
	sigemptyset(&sa.sa_mask);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
}

int
cmd_learn(struct cli *c)
{
	struct watch w = { .c = c };
	struct sim_options o;
	double time = LEARN_TIME;
	struct buf store, why;
	size_t accepted = 0;
	bool ok;

	if (!take_time(c, OPT_FOR, "--for", LIM_LEARN_TIME, &time) ||
	    !take_time(c, OPT_EVERY, "--every", LIM_LEARN_TIME, &w.every))
		return EXIT_USAGE;
	if (!open_site(&w))
		return EXIT_PROBLEMS;
	w.begun = clock_wall();
	w.until = w.begun + time;
	learn_init(&w.learn, &c->arena);
	buf_init(&w.b, &c->mem);
	if (!choose(&w))
		return EXIT_PROBLEMS;
	buf_init(&store, &c->mem);
	buf_init(&why, &c->mem);
	spawn_helper(&store, STATE_PROGRAM);
	memset(&o, 0, sizeof o);
	o.mem = &c->mem;
	o.store = buf_c(&store);
	o.conf = &c->conf;
	o.alert = STR_EMPTY;
	o.facts.objects = cli_objects(c, w.site);
	o.here = true;
	o.path = c->conf.value[CONF_PATH];
	o.root = c->value[OPT_ROOT];
	o.seen = seen;
	o.arg = &w;
	w.sim = sim_new(&o, &why);
	if (w.sim == NULL) {
		cli_say("learn: %s", buf_c(&why));
		return EXIT_PROBLEMS;
	}
	catch_signals();
	ok = watch(&w);
	if (ok) {
		propose(&w);
		if (c->given[OPT_ACCEPT])
			accepted = accept_all(&w);
		if (c->given[OPT_JSON])
			show_json(&w, accepted);
		else
			show(&w, clock_wall() - w.begun, accepted);
	}
	sim_free(w.sim);
	site_free(w.site);
	buf_free(&store);
	buf_free(&why);
	buf_free(&w.b);
	return ok ? EXIT_FINE : EXIT_PROBLEMS;
}
