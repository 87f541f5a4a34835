/* alert: the run itself; see alert.h. */
#include <sys/resource.h>
#include <sys/stat.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "engine/alert/alert_inner.h"
#include "engine/deliver/words.h"
#include "engine/vm/clock.h"
#include "lang/base/num.h"

#define MAILCMD_TIMEOUT	60.0	/* seconds: as in conf.def */

void
alert_say(const struct alert_place *at, const char *fmt, ...)
{
	char t[4096];
	va_list ap;
	int k;

	va_start(ap, fmt);
	k = vsnprintf(t, sizeof t, fmt, ap);
	va_end(ap);
	if (k < 0)
		return;
	at->say(at->say_arg, str_of(t, (size_t)k < sizeof t ? (size_t)k :
	    sizeof t - 1));
}

/* Makes a folder and those above it, for the user alone. */
static bool
make_folders(const char *path)
{
	char t[4096];
	size_t i, n = strlen(path);

	if (n >= sizeof t)
		return false;
	memcpy(t, path, n + 1);
	for (i = 1; i <= n; i++) {
		if (t[i] != '/' && t[i] != '\0')
			continue;
		t[i] = '\0';
		if (mkdir(t, 0700) != 0 && errno != EEXIST)
			return false;
		t[i] = i == n ? '\0' : '/';
	}
	return true;
}

struct str
alert_folder(const struct alert_place *at, const char *leaf, bool make)
{
	struct buf b;
	struct str path;

	if (str_none(at->state))
		return STR_NIL;
	buf_init(&b, at->mem);
	buf_str(&b, at->state);
	buf_printf(&b, "/%s", leaf);
	path = arena_dup(at->arena, buf_view(&b));
	buf_free(&b);
	if (make && access(path.p, W_OK) != 0 && !make_folders(path.p))
		return STR_NIL;
	return path;
}

void
alert_webhook(struct str url, struct buf *line)
{
	buf_puts(line, "webhook ");
	words_add(line, url);
}

/* The alert's own ways: its mail goes by its command, then by the others. */
static void
take_ways(struct alert *a)
{
	const struct site_alert *s = a->site;
	struct transport t;
	struct buf b;

	if (!str_none(s->mailfrom))
		a->mailfrom = s->mailfrom;
	if (!str_none(s->lpcmd))
		a->o.facts.lpcmd = s->lpcmd;
	if (s->nmailto > 0) {
		a->mailto = s->mailto;
		a->nmailto = s->nmailto;
	}
	if (!str_none(s->webhook)) {
		buf_init(&b, a->at->mem);
		alert_webhook(s->webhook, &b);
		a->also = arena_dup(a->at->arena, buf_view(&b));
		buf_free(&b);
	}
	if (str_none(s->mailcmd))
		return;
	memset(&t, 0, sizeof t);
	t.kind = TRANSPORT_MAILCMD;
	t.target = s->mailcmd;
	t.ca = t.user = t.passfile = t.name = STR_NIL;
	t.timeout = MAILCMD_TIMEOUT;
	buf_init(&b, a->at->mem);
	transport_format(&t, &b);
	a->first = arena_dup(a->at->arena, buf_view(&b));
	buf_free(&b);
}

static struct str
mail_command(const struct conf *conf, const struct site_alert *a)
{
	size_t i;

	if (a != NULL && !str_none(a->mailcmd))
		return a->mailcmd;
	for (i = 0; i < conf->ntransport; i++)
		if (conf->transport[i].kind == TRANSPORT_MAILCMD)
			return conf->transport[i].target;
	return STR_EMPTY;
}

double
alert_time_allowed(const struct site_alert *a)
{
	if (a->timeout > 0)
		return a->timeout;
	return a->every < RUN_TIMEOUT ? RUN_TIMEOUT : a->every > 86400 ?
	    86400 : a->every;
}

void
alert_init(struct alert *a, const struct alert_place *at, struct str name,
    const struct site_alert *s)
{
	const struct conf *conf = at->conf;
	struct timespec now;

	memset(a, 0, sizeof *a);
	a->at = at;
	a->name = name;
	a->site = s;
	a->origin = a->first = a->also = STR_EMPTY;
	a->mailfrom = conf->value[CONF_MAILFROM];
	a->due = NUM_NIL;
	a->reason = STR_LIT("by-hand");
	a->status = -1;
	a->began = clock_wall();
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(a->run_id, sizeof a->run_id, "%lld.%09ld.%ld",
	    (long long)now.tv_sec, now.tv_nsec, (long)getpid());
	a->o.input_fd = -1;
	a->o.facts.alert = name;
	a->o.facts.objects = at->objects;
	a->o.facts.mailcmd = mail_command(conf, s);
	a->o.facts.lpcmd = conf->value[CONF_LPCMD];
	a->o.facts.infile = STR_EMPTY;
	a->o.facts.runs = 1;
	a->o.timeout = s == NULL ? 0 : alert_time_allowed(s);
	a->o.path = conf->value[CONF_PATH];
	a->o.protect = conf->protect;
	a->o.nprotect = conf->nprotect;
	a->o.logdir = at->logdir;
	a->o.state_home = at->state;
	a->o.run_id = a->run_id;
	a->o.out_fd = 1;
	a->o.err_fd = 2;
	if (s != NULL)
		take_ways(a);
}

void
alert_nice(const struct alert_place *at, const struct site_alert *a,
    const char *self, char *const *was)
{
	static const char mark[] = ALERT_NICED;
	const char **argv;
	struct buf b;
	size_t i, n;

	if (a->has_priority && setpriority(PRIO_PROCESS, 0, a->priority) != 0)
		alert_say(at, "priority %d: %s", a->priority, strerror(errno));
	if (str_none(a->nicecmd) || a->nicecmd.n == 0 || getenv(mark) != NULL) {
		(void)unsetenv(mark);
		return;
	}
	for (n = 0; was[n] != NULL; )
		n++;
	argv = arena_alloc(at->arena, (n + 5) * sizeof *argv);
	buf_init(&b, at->mem);
	buf_puts(&b, "exec ");
	buf_str(&b, a->nicecmd);
	buf_puts(&b, " \"$@\"");
	argv[0] = "sh";
	argv[1] = "-c";
	argv[2] = buf_c(&b);
	argv[3] = "sh";
	argv[4] = self;
	for (i = 1; i <= n; i++)
		argv[4 + i] = was[i];
	(void)setenv(mark, "1", 1);
	(void)execv("/bin/sh", (char *const *)(uintptr_t)argv);
	alert_say(at, "nicecmd: %s", strerror(errno));
	(void)unsetenv(mark);
	buf_free(&b);
}

struct state *
alert_state(const struct alert_place *at, bool read_only)
{
	struct state_options o;
	struct state *st;
	struct buf program;

	memset(&o, 0, sizeof o);
	o.path = alert_folder(at, STATE_FILE, false);
	if (str_none(o.path))
		return NULL;
	buf_init(&program, at->mem);
	spawn_helper(&program, STATE_PROGRAM);
	o.mem = at->mem;
	o.program = buf_c(&program);
	o.read_only = read_only;
	o.say = at->say;
	o.say_arg = at->say_arg;
	st = state_new(&o);
	buf_free(&program);
	return st;
}

/* What a dry run of a script has told of, in a line. */
static void
say_dry(struct alert *a, const struct program *p, const struct run_result *r)
{
	struct buf b;

	buf_init(&b, a->at->mem);
	if (r->end == RUN_SUPPRESSED)
		buf_printf(&b, "dry-run: %.*s\n", (int)r->error.n, r->error.p);
	buf_printf(&b, "dry-run: %.*s: %zu effect%s, none done\n",
	    (int)p->name.n, p->name.p, r->effects, r->effects == 1 ? "" : "s");
	(void)a->at->write(1, buf_view(&b));
	buf_free(&b);
}

/*
 * Who reads what the run says must know that nothing was done about it: once
 * a run, and where there is a mail anyway.
 */
static struct str
say_disarmed(struct alert *a, struct str lines, size_t n)
{
	struct buf b;
	struct str s;

	if (n == 0 || lines.n == 0 || a->told_disarmed)
		return lines;
	a->told_disarmed = true;
	buf_init(&b, a->at->mem);
	buf_str(&b, lines);
	if (b.p[b.n - 1] != '\n')
		buf_putc(&b, '\n');
	buf_printf(&b, "[disarmed] %zu effect%s not done: picket arm ends "
	    "this\n", n, n == 1 ? " was" : "s were");
	s = arena_dup(a->at->arena, buf_view(&b));
	buf_free(&b);
	return s;
}

static void
run_one(struct alert *a, const struct program *p)
{
	struct run_result *r = &a->result[a->n];
	struct mail_section *s = &a->section[a->n];
	int fd;

	a->program[a->n++] = p;
	a->o.program = p;
	a->o.doexec = p->doexec || a->doexec;
	a->o.dry = a->dry || p->status == STATUS_TESTING;
	if (p->status == STATUS_TESTING && !a->dry)
		alert_say(a->at, "%.*s: status testing: effects are only told "
		    "of", (int)p->name.n, p->name.p);
	a->o.disarmed = a->disarmed;
	/* a program of one's own reads what is given to it, as awk does */
	fd = a->o.input_fd;
	if (fd < 0 && a->owns_stdin && p->standalone && p->has_rules &&
	    p->input == INPUT_NONE)
		a->o.input_fd = STDIN_FILENO;
	run_script(&a->o, r);
	a->o.input_fd = fd;
	if ((r->end != RUN_OK && r->end != RUN_SUPPRESSED) || r->out_lost ||
	    r->state_lost)
		a->failed = true;
	if (r->status >= 0)
		a->status = r->status;
	if (a->o.dry)
		say_dry(a, p, r);
	s->level = p->level;
	s->script = p->name;
	s->task = buf_view(&r->task);
	s->lines = s->error = STR_EMPTY;
	if (p->status == STATUS_TESTING && !a->dry) {
		buf_clear(&r->mail_to);	/* told of, and not sent */
		buf_clear(&r->print);
		return;
	}
	s->lines = say_disarmed(a, buf_view(&r->mail), r->disarmed);
	s->error = r->end == RUN_SUPPRESSED ? STR_EMPTY : buf_view(&r->error);
}

static bool
is_interrupted(const struct alert *a)
{
	return a->interrupted != NULL && *a->interrupted;
}

/*
 * The lock of the alert, and the record of what its run does.  A run that
 * only reads and prints needs neither.  False: another one goes on.
 */
static bool
take_trail(struct alert *a, const struct program *program, size_t n)
{
	struct trail_head head = { str_c(a->run_id), a->name, a->origin,
	    a->began, a->due, a->reason, (double)getpid() };
	struct timespec tick = { 0, 100000000 };
	double left = RUN_TIMEOUT;	/* by no clock: a test's may stand */
	struct buf name, why;
	enum trail_got got = TRAIL_NONE;
	bool waits = !a->no_wait && (a->site == NULL ||
	    a->site->overlap == OVERLAP_QUEUE);
	size_t i;

	for (i = 0; i < n && !run_leaves_traces(&program[i]); i++)
		;
	if (a->dry || str_none(a->at->state) || (i == n && !a->always_trail))
		return true;
	buf_init(&name, a->at->mem);
	buf_init(&why, a->at->mem);
	buf_str(&name, a->name);
	if (a->site == NULL) {		/* of files each for itself */
		buf_putc(&name, ' ');
		buf_str(&name, program[0].name);
	}
	for (;;) {
		buf_clear(&why);
		got = trail_open(&a->trail, a->at->mem, a->at->state,
		    buf_view(&name), &why);
		if (got != TRAIL_HELD || !waits || is_interrupted(a) ||
		    left <= 0)
			break;
		nanosleep(&tick, NULL);
		left -= 0.1;
		a->began = head.began = clock_wall();	/* it waits yet */
	}
	if (got == TRAIL_HELD)
		alert_say(a->at, "%.*s: %s; this run %s", (int)a->name.n,
		    a->name.p, buf_c(&why), a->no_wait && a->site != NULL &&
		    a->site->overlap != OVERLAP_SKIP ? "waits" : "is skipped");
	else if (got == TRAIL_GOT) {
		(void)alert_left(a, a->trail);
		trail_begin(a->trail, &head);
	}
	buf_free(&name);
	buf_free(&why);
	a->o.trail = a->trail;
	return got != TRAIL_HELD;
}

/* Room for what comes of n scripts, and a client of the store, which is not
 * asked for anything yet. */
static void
begin(struct alert *a, size_t n)
{
	struct arena *arena = a->at->arena;

	a->result = arena_zalloc(arena, (n + 1) * sizeof *a->result);
	a->section = arena_zalloc(arena, (n + 1) * sizeof *a->section);
	a->program = arena_zalloc(arena, (n + 1) * sizeof *a->program);
	if (a->dry)
		a->o.logdir = STR_NIL;
	a->o.state = alert_state(a->at, a->dry);
}

static void
begin_tell(struct alert *a)
{
	struct tell_options to;

	alert_options(a, &to);
	a->tell = tell_new(&to);
	a->o.batch = a->dry ? NULL : tell_batch(a->tell);
}

static void
run_all(struct alert *a, const struct program *program, size_t n)
{
	bool died = false;
	size_t i;

	for (i = 0; i < n && !died && !is_interrupted(a); i++) {
		const struct program *one = &program[i];

		if (one->status == STATUS_INACTIVE ||
		    one->status == STATUS_SUSPENDED) {
			alert_say(a->at, "%.*s: status %s: skipped",
			    (int)one->name.n, one->name.p,
			    status_name[one->status]);
			continue;
		}
		run_one(a, one);
		died = a->result[a->n - 1].end == RUN_DIED;
	}
}

/* All that comes of it, and the end of what begin has made. */
static void
end(struct alert *a)
{
	size_t i;

	if (a->ended != NULL)
		a->ended(a->arg, a);
	alert_finish(a);
	tell_free(a->tell);
	if (a->trail != NULL && !a->kept && !num_none(a->due)) {
		trail_sent(a->trail);	/* its row is still to be */
		trail_close(a->trail);
	} else if (a->trail != NULL)
		trail_end(a->trail);
	if (!a->no_send)
		alert_send(a);
	state_free(a->o.state);
	if (!alert_print(a))
		a->failed = true;
	for (i = 0; i < a->n; i++)
		run_result_free(&a->result[i]);
}

void
alert_run(struct alert *a, const struct program *program, size_t n)
{
	begin(a, n);
	if (!take_trail(a, program, n)) {
		a->failed = a->held = true;
		state_free(a->o.state);
		return;
	}
	begin_tell(a);
	if (a->at->set != NULL)
		alert_object_files(a->at, a->dry);
	if (a->begins != NULL)
		a->begins(a->arg);
	run_all(a, program, n);
	end(a);
}

void
alert_hurry(struct alert *a, const struct program *program, size_t n)
{
	begin(a, n);
	begin_tell(a);
	run_all(a, program, n);
}

void
alert_settle(struct alert *a)
{
	end(a);
}

void
alert_forget(struct alert *a)
{
	size_t i;

	tell_free(a->tell);
	state_free(a->o.state);
	for (i = 0; i < a->n; i++)
		run_result_free(&a->result[i]);
}
