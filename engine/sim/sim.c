#include "engine/sim/sim.h"

#include <stdio.h>

#include "engine/state/incidents.h"
#include "engine/vm/clock.h"

#define SIM_BLOCK	8192

struct sim {
	struct sim_options o;
	struct mem	*mem;
	struct recorded	*world;
	struct state	*state;
	struct conf	 conf;		/* with the world's host */
	struct arena	 own;		/* of a conf of ours */
	unsigned	 nrun;
	bool		 doexec;
	/* of the last run */
	struct arena	 arena;
	const struct program *program;	/* that runs */
	struct sim_script *script;
	struct sim_mail	*mail;
	struct sim_change *change;
	size_t		 nscript, nmail, capmail, nchange, capchange;
	struct map	 variable;	/* script, name and element to a text */
	struct buf	 key;
};

/* --- begin and end --- */

static bool
take_conf(struct sim *s, struct buf *why)
{
	if (s->o.conf != NULL) {
		s->conf = *s->o.conf;
		return true;
	}
	return conf_parse(&s->conf, STR_LIT("picket.conf"), STR_EMPTY, &s->own,
	    why);
}

/* Asked something: so it is started, and it is known that it can be. */
static bool
start_store(struct sim *s, struct buf *why)
{
	struct state_options o;

	memset(&o, 0, sizeof o);
	o.mem = s->mem;
	o.path = STR_LIT(STATE_MEMORY);
	o.program = s->o.store;
	s->state = state_new(&o);
	if (state_ask(s->state, Q_SILENCE_LIVE, NULL, NULL, NULL))
		return true;
	buf_str(why, state_why(s->state));
	return false;
}

struct sim *
sim_new(const struct sim_options *o, struct buf *why)
{
	struct sim *s = mem_zalloc(o->mem, sizeof *s);

	s->o = *o;
	s->mem = o->mem;
	arena_init(&s->own, s->mem, SIM_BLOCK);
	arena_init(&s->arena, s->mem, SIM_BLOCK);
	buf_init(&s->key, s->mem);
	map_init(&s->variable, &s->arena);
	s->world = recorded_new(s->mem);
	if (take_conf(s, why) && start_store(s, why))
		return s;
	sim_free(s);
	return NULL;
}

void
sim_free(struct sim *s)
{
	if (s == NULL)
		return;
	state_free(s->state);
	recorded_free(s->world);
	buf_free(&s->key);
	arena_free(&s->arena);
	arena_free(&s->own);
	mem_free(s->mem, s, sizeof *s);
}

struct recorded *
sim_world(struct sim *s)
{
	return s->world;
}

void
sim_set_alert(struct sim *s, struct str name)
{
	s->o.alert = name;
}

/* --- variables --- */

/* "SCRIPT\0#name", and "\0element" behind it. */
static struct str
variable_key(struct sim *s, const struct program *p, char sigil,
    struct str name, struct str element)
{
	struct buf *b = &s->key;

	buf_clear(b);
	buf_str(b, p->name);
	buf_putc(b, '\0');
	buf_putc(b, sigil);
	buf_str(b, name);
	if (!str_none(element)) {
		buf_putc(b, '\0');
		buf_str(b, element);
	}
	return buf_view(b);
}

static void
left(void *arg, struct str key, bool number, struct str name,
    struct str element, struct str text)
{
	struct sim *s = arg;
	struct str *own = arena_alloc(&s->arena, sizeof *own);

	(void)key;
	*own = arena_dup(&s->arena, text);
	map_put(&s->variable, variable_key(s, s->program, number ? '#' : '$',
	    name, element), NULL)->v.ptr = own;
}

bool
sim_variable(struct sim *s, const struct program *p, struct str name,
    struct str element, struct str *value)
{
	const struct map_entry *e;

	if (name.n < 2)
		return false;
	e = map_get(&s->variable, variable_key(s, p, name.p[0], str_of(
	    name.p + 1, name.n - 1), element));
	if (e != NULL)
		*value = *(const struct str *)e->v.ptr;
	return e != NULL;
}

/* --- incidents --- */

static void
take_state(void *arg, const struct str *column, unsigned n)
{
	struct incident i;

	(void)n;
	incident_of_row(&i, column);
	if (i.state >= 0 && i.state < INCIDENT_STATES)
		*(struct str *)arg = str_c(incident_state_name[(int)i.state]);
}

struct str
sim_incident(struct sim *s, struct str key)
{
	const struct param p = PT(key);
	struct str state = STR_NIL;

	(void)state_ask(s->state, Q_INCIDENT_GET, &p, take_state, &state);
	return state;
}

static void
take_open(void *arg, const struct str *column, unsigned n)
{
	struct incident i;

	(void)n;
	incident_of_row(&i, column);
	if (i.state != INCIDENT_QUIET)
		*(bool *)arg = true;
}

bool
sim_is_open(struct sim *s)
{
	bool open = false;

	(void)state_ask(s->state, Q_INCIDENT_OPEN, NULL, take_open, &open);
	return open;
}

/* --- what is told --- */

/* Room for one more of n; the old ones stay where views may be. */
static void *
more(struct sim *s, void *all, size_t n, size_t *cap, size_t size)
{
	void *p;

	if (n < *cap)
		return all;
	*cap = *cap * 2 + 8;
	p = arena_alloc(&s->arena, *cap * size);
	if (n > 0)
		memcpy(p, all, n * size);
	return p;
}

static bool
take_mail(void *arg, const struct notice *n)
{
	struct sim *s = arg;
	struct sim_mail *m;
	size_t i;

	s->mail = more(s, s->mail, s->nmail, &s->capmail, sizeof *s->mail);
	m = &s->mail[s->nmail++];
	buf_clear(&s->key);
	for (i = 0; i < n->nto; i++) {
		buf_puts(&s->key, i > 0 ? ", " : "");
		buf_str(&s->key, n->to[i]);
	}
	m->to = arena_dup(&s->arena, buf_view(&s->key));
	m->subject = arena_dup(&s->arena, n->subject);
	m->body = arena_dup(&s->arena, n->body);
	return true;
}

static void
take_change(void *arg, const struct change *c)
{
	struct sim *s = arg;
	struct sim_change *to;

	s->change = more(s, s->change, s->nchange, &s->capchange,
	    sizeof *s->change);
	to = &s->change[s->nchange++];
	to->key = arena_dup(&s->arena, c->incident->key);
	to->kind = str_c(notice_name[c->what]);
	to->message = str_none(c->incident->message) ? STR_EMPTY :
	    arena_dup(&s->arena, c->incident->message);
	to->evidence = str_none(c->incident->evidence) ? STR_EMPTY :
	    arena_dup(&s->arena, c->incident->evidence);
}

/* --- a run --- */

static void
begin(struct sim *s)
{
	arena_reset(&s->arena, (struct arena_mark){ NULL, NULL });
	map_init(&s->variable, &s->arena);
	s->script = NULL;
	s->mail = NULL;
	s->change = NULL;
	s->nscript = s->nmail = s->capmail = s->nchange = s->capchange = 0;
	if (!s->o.here)
		s->conf.value[CONF_HOSTNAME] = recorded_hostname(s->world);
	s->nrun++;
}

static void
met(void *arg, const struct program *p, uint32_t pc, bool taken)
{
	struct sim *s = arg;

	s->o.met(s->o.arg, p, pc, taken);
}

static void
run_one(struct sim *s, const struct program *p, const char *id,
    struct tell *t, struct run_result *r)
{
	struct run_options o;

	memset(&o, 0, sizeof o);
	o.program = p;
	o.dry = s->o.dry;
	o.doexec = s->doexec;
	o.input_fd = o.out_fd = o.err_fd = -1;
	o.facts = s->o.facts;
	o.facts.alert = s->o.alert;
	o.facts.runs = 1;
	if (str_none(o.facts.mailcmd))
		o.facts.mailcmd = STR_EMPTY;
	if (str_none(o.facts.lpcmd))
		o.facts.lpcmd = STR_EMPTY;
	if (str_none(o.facts.infile))
		o.facts.infile = STR_EMPTY;
	o.logdir = o.path = STR_NIL;
	o.state = s->state;
	o.batch = tell_batch(t);
	o.run_id = id;
	if (!s->o.here)
		o.recorded = s->world;
	else {
		o.dry = true;
		o.path = s->o.path;
		o.root = s->o.root;
	}
	o.met = s->o.met == NULL ? NULL : met;
	o.left = s->o.dry ? NULL : left;
	o.arg = s;
	s->program = p;
	run_script(&o, r);
}

static void
tell_of(struct sim *s, struct tell *t, const struct program *p,
    const struct run_result *r)
{
	struct sim_script *of = &s->script[s->nscript++];
	struct tell_script ts;
	struct mail_section *m = &ts.section;
	size_t i;

	of->program = p;
	of->end = r->end;
	of->lines = r->lines;
	of->error = arena_dup(&s->arena, buf_view(&r->error));
	of->mail = arena_dup(&s->arena, buf_view(&r->mail));
	memset(&ts, 0, sizeof ts);
	ts.owner = (struct state_owner){ s->o.alert, p->name };
	ts.incidents = run_has_incidents(p);
	ts.affects_mail = p->affects_mail;
	ts.result = r;
	m->level = p->level;
	m->script = p->name;
	m->task = buf_view(&r->task);
	m->lines = buf_view(&r->mail);
	m->error = r->end == RUN_SUPPRESSED ? STR_EMPTY : buf_view(&r->error);
	m->done = STR_EMPTY;
	tell_script(t, &ts);
	for (i = 0; s->o.seen != NULL && i < r->nseen; i++)
		s->o.seen(s->o.arg, p, &r->seen[i]);
}

bool
sim_run(struct sim *s, const struct program *const *program, size_t n,
    bool doexec, struct sim_result *res, struct buf *why)
{
	struct run_result *r;
	struct tell_options to;
	struct tell *t;
	char id[32];
	size_t i;
	bool ok;

	begin(s);
	s->doexec = doexec;
	if (!s->o.here)
		clock_set(recorded_clock(s->world));
	snprintf(id, sizeof id, "sim.%u", s->nrun);
	memset(&to, 0, sizeof to);
	to.mem = s->mem;
	to.state = s->state;
	to.folder = STR_NIL;
	to.conf = &s->conf;
	to.alert = s->o.alert;
	to.origin = to.first = to.also = STR_EMPTY;
	to.run = str_c(id);
	to.uptime = NUM_NIL;
	to.mailfrom = s->conf.value[CONF_MAILFROM];
	t = tell_new(&to);
	r = arena_zalloc(&s->arena, n * sizeof *r);
	s->script = arena_zalloc(&s->arena, n * sizeof *s->script);
	for (i = 0; i < n; i++) {
		run_one(s, program[i], id, t, &r[i]);
		if (r[i].end == RUN_DIED)
			n = i + 1;
	}
	/* it may have paused */
	if (!s->o.here)
		clock_set(recorded_clock(s->world));
	ok = tell_open(t);
	for (i = 0; i < n; i++)
		tell_of(s, t, program[i], &r[i]);
	tell_each_change(t, take_change, s);
	ok = ok && tell_commit(t, take_mail, s);
	if (!ok)
		buf_str(why, state_why(s->state));
	tell_free(t);
	for (i = 0; i < n; i++)
		run_result_free(&r[i]);
	if (!s->o.here)
		clock_set(NUM_NIL);
	*res = (struct sim_result){ s->script, s->nscript, s->mail, s->nmail,
	    s->change, s->nchange };
	return ok;
}
