/* emergency_run: the scripts of a worker; see emergency.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/daemon/emergency.h"
#include "engine/vm/clock.h"
#include "lang/base/num.h"

#define LIM_MEM		(64u << 20)	/* bytes of a site's part in a worker; the
				 * scripts that watch memory are few */
#define LIM_LOG		(8u * 1024)	/* bytes of a run's log lines: its effects */
#define REASON		"emergency"
#define TALK		4		/* the descriptor of picketd's socket */

static void
say_line(void *arg, struct str line)
{
	(void)arg;
	emergency_say("%.*s", (int)line.n, line.p);
}

static bool
write_all(int fd, struct str s)
{
	(void)fd;
	say_line(NULL, s);
	return true;
}

/* One script, if it can run. */
static void
add_script(struct emergency *e, size_t index, const struct site_alert *a,
    const struct program *p)
{
	struct emergency_entry *n = &e->entry[e->nentry];
	char why[400];

	if (!scarce_can(p, why, sizeof why)) {
		emergency_say("%.*s: %.*s watches memory, but cannot run when "
		    "there is none: %s", (int)a->name.n, a->name.p,
		    (int)p->name.n, p->name.p, why);
		return;
	}
	if (e->nentry == LIM_EMERGENCY) {
		emergency_say("%.*s: left out: more than %d scripts watch "
		    "memory", (int)a->name.n, a->name.p, LIM_EMERGENCY);
		return;
	}
	n->index = index;
	n->alert = a;
	n->program = p;
	scarce_held_init(&n->held, &e->mem);
	if (p->input == INPUT_TABLE && p->table == TABLE_PROCESS_COUNTS)
		e->counts = true;
	e->nentry++;
}

static void
add_entry(struct emergency *e, size_t i)
{
	const struct site_alert *a;
	struct buf why;
	size_t k;

	buf_init(&why, &e->mem);
	a = image_alert(e->image, i, NULL, &why);
	if (a == NULL)
		emergency_say("entry %zu of the image: %s", i, buf_c(&why));
	buf_free(&why);
	if (a == NULL || a->status == STATUS_INACTIVE ||
	    a->status == STATUS_SUSPENDED)
		return;
	for (k = 0; k < a->nalarm; k++)
		if (a->alarm[k].watch_memory && a->alarm[k].status !=
		    STATUS_INACTIVE && a->alarm[k].status != STATUS_SUSPENDED)
			add_script(e, i, a, &a->alarm[k]);
}

static bool
load_image(struct emergency *e, int fd)
{
	struct schedule_entry entry;
	char why[LIM_IMAGE_WHY];
	struct schedule *s;
	struct buf errors;
	bool good;
	size_t i;

	if ((s = schedule_open(fd, why)) == NULL ||
	    (e->image = image_open(fd, &e->mem, why)) == NULL) {
		emergency_say("the site's image %s", why);
		schedule_free(s);
		return false;
	}
	buf_init(&errors, &e->mem);
	good = image_conf(e->image, &e->conf, &errors);
	if (!good)
		emergency_say("picket.conf: %s", buf_c(&errors));
	buf_free(&errors);
	for (i = 0; good && i < schedule_count(s); i++) {
		schedule_entry(s, i, &entry);
		if ((entry.flags & (ENTRY_WATCH_MEMORY | ENTRY_SLEEPS)) ==
		    ENTRY_WATCH_MEMORY)
			add_entry(e, i);
	}
	schedule_free(s);
	return good;
}

bool
emergency_load(struct emergency *e, int fd, const char *state)
{
	struct alert_place *at = &e->place;

	mem_init(&e->mem, LIM_MEM, &e->fail);
	arena_init(&e->arena, &e->mem, 4096);
	if (setjmp(e->fail) != 0) {
		emergency_say("the site takes more memory than there is");
		return false;
	}
	e->state = arena_dup(&e->arena, str_c(state));
	if (!load_image(e, fd))
		return false;
	at->mem = &e->mem;
	at->arena = &e->arena;
	at->state = e->state;
	at->logdir = image_logdir(e->image);
	at->conf = &e->conf;
	at->group = image_group(e->image, &at->ngroup);
	at->objects = image_objects(e->image);
	at->there = image_there;
	at->there_arg = e->image;
	at->write = write_all;
	at->say = say_line;
	e->limits = (struct emergency_limits){ e->conf.emergency.available,
	    e->conf.emergency.pressure };
	e->run = mem_zalloc(&e->mem, LIM_EMERGENCY_RUNS * sizeof *e->run);
	return true;
}

static bool
remember(struct emergency *e)
{
	struct state_owner o;
	struct state *st = alert_state(&e->place, true);
	bool good = true;
	size_t i;

	for (i = 0; st != NULL && good && i < e->nentry; i++) {
		if (!run_needs_state(e->entry[i].program))
			continue;
		o = (struct state_owner){ e->entry[i].alert->name,
		    e->entry[i].program->name };
		good = scarce_load(&e->entry[i].held, st, &o);
	}
	state_free(st);
	return good;
}

bool
emergency_remember(struct emergency *e)
{
	return setjmp(e->fail) == 0 && remember(e);
}

/* Has it said or done anything that somebody must hear? */
static bool
says(const struct run_result *r)
{
	size_t i;

	for (i = 0; i < r->nseen; i++)
		if (r->seen[i].verdict != VERDICT_NOTHING)
			return true;
	return r->end != RUN_OK || r->mail.n > 0 || r->mail_to.n > 0 ||
	    r->effects > 0;
}

/*
 * Whether it says no more than one before it, which had nothing to do either:
 * while nothing can be done a script that only mails would say it every time.
 */
static bool
merely_again(const struct emergency *e, const struct emergency_run *r)
{
	const struct run_result *res = &r->alert.result[0];
	size_t i;

	if (res->end != RUN_OK || res->effects > 0)
		return false;
	for (i = 0; i < res->nseen; i++)
		if (res->seen[i].verdict != VERDICT_NOTHING)
			return false;
	for (i = 0; i < e->nrun; i++)
		if (e->run[i].entry == r->entry &&
		    e->run[i].alert.result[0].effects == 0 &&
		    e->run[i].alert.result[0].end == RUN_OK)
			return true;
	return false;
}

/* What the run has left, for the next one. */
static void
take_steps(struct emergency_run *r)
{
	const struct run_result *res = &r->alert.result[0];
	const struct state_owner o = { r->entry->alert->name,
	    r->entry->program->name };
	size_t i;

	for (i = 0; i < res->nseen; i++)
		scarce_step(&r->entry->held, &o, &res->seen[i].seen,
		    r->alert.due, res->good);
}

static void
done(struct emergency_run *r)
{
	scarce_free(&r->scarce);
	arena_free(&r->arena);
}

/* A place for the outcome of a run. */
static struct emergency_run *
place(struct emergency *e, struct emergency_entry *n)
{
	struct emergency_run *r;

	if (e->nrun == LIM_EMERGENCY_RUNS) {
		/* the last one goes: this one is more of it, and newer */
		e->quiet++;
		r = &e->run[--e->nrun];
		alert_forget(&r->alert);
		done(r);
	}
	r = &e->run[e->nrun];
	memset(r, 0, sizeof *r);
	r->entry = n;
	mem_init(&r->mem, LIM_MEM, &r->fail);
	return r;
}

static void
run(struct emergency *e, struct emergency_run *r)
{
	const struct emergency_entry *n = r->entry;
	double began = clock_steady();
	struct alert *a = &r->alert;

	r->faults = emergency_faults();
	arena_init(&r->arena, &r->mem, 4096);
	scarce_init(&r->scarce, &r->mem, &e->snapshot, LIM_LOG);
	r->scarce.held = &r->entry->held;
	r->scarce.stop = e->stop;
	r->scarce.stop_arg = e->stop_arg;
	r->place = e->place;
	r->place.mem = &r->mem;
	r->place.arena = &r->arena;
	alert_init(a, &r->place, n->alert->name, n->alert);
	a->origin = image_dir(e->image);
	a->due = clock_wall();
	a->reason = STR_LIT(REASON);
	a->no_wait = true;
	a->no_send = !e->alone;
	a->disarmed = e->disarmed;
	a->o.out_fd = a->o.err_fd = -1;
	a->o.scarce = &r->scarce;
	a->o.running = e->running;
	alert_hurry(a, n->program, 1);
	take_steps(r);
	r->took = clock_steady() - began;
	r->faults = emergency_faults() - r->faults;
	if (says(&a->result[0]) && !merely_again(e, r)) {
		if (a->result[0].effects > 0)
			e->did(e->stop_arg, r);
		e->nrun++;
		return;
	}
	e->quiet++;
	alert_forget(a);
	done(r);
}

static void
run_one(struct emergency *e, struct emergency_entry *n)
{
	struct emergency_run *volatile r = place(e, n);

	if (setjmp(r->fail) == 0 && setjmp(e->fail) == 0) {
		run(e, r);
		return;
	}
	emergency_say("%.*s: no memory was left for its run",
	    (int)n->alert->name.n, n->alert->name.p);
	e->spoiled = true;
}

void
emergency_run_all(struct emergency *e)
{
	size_t i;

	for (i = 0; i < e->nentry && !e->stop(e->stop_arg); i++)
		run_one(e, &e->entry[i]);
}

bool
emergency_acted(const struct emergency *e)
{
	size_t i;

	for (i = 0; i < e->nrun; i++)
		if (e->run[i].alert.result[0].effects > 0)
			return true;
	return false;
}

/* picketd keeps when what was run last. */
static void
say_acted(const struct emergency_run *r)
{
	char text[100];
	int n = snprintf(text, sizeof text, "acted %zu %.3f", r->entry->index,
	    r->alert.due);

	(void)send(TALK, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
settle(struct emergency_run *r)
{
	const struct emergency_entry *n = r->entry;

	emergency_say("%.*s ran while memory was short: %zu effects in %.3f s, "
	    "%ld page faults", (int)n->alert->name.n, n->alert->name.p,
	    r->alert.result[0].effects, r->took, r->faults);
	r->alert.o.program = n->program;
	run_say_kept(&r->alert.o);
	alert_settle(&r->alert);
	say_acted(r);
	done(r);
}

static void
settle_one(struct emergency *e, struct emergency_run *r)
{
	if (setjmp(r->fail) == 0) {
		settle(r);
		return;
	}
	emergency_say("%.*s: no memory to tell of its run",
	    (int)r->entry->alert->name.n, r->entry->alert->name.p);
	e->spoiled = true;
}

void
emergency_settle(struct emergency *e)
{
	size_t i;

	for (i = 0; i < e->nrun; i++)
		settle_one(e, &e->run[i]);
	if (e->quiet > 0)
		emergency_say("%zu more runs while memory was short had "
		    "nothing to say", e->quiet);
	e->nrun = e->quiet = 0;
}

void
emergency_unload(struct emergency *e)
{
	size_t i;

	for (i = 0; i < e->nentry; i++)
		scarce_held_free(&e->entry[i].held);
	image_close(e->image);
	if (e->run != NULL)
		mem_free(&e->mem, e->run, LIM_EMERGENCY_RUNS * sizeof *e->run);
	arena_free(&e->arena);
}
