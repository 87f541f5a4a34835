/* cmd_list: alerts, when they run, and the scripts that a host would run. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "lang/base/num.h"
#include "engine/cli/outbox.h"
#include "engine/run/run.h"
#include "engine/sched/calendar.h"
#include "engine/vm/clock.h"

/* Colours of a status: what does not act, and what acts oddly. */
static const char *
colour_of(enum status s)
{
	switch (s) {
	case STATUS_INACTIVE:
	case STATUS_SUSPENDED:
		return "\033[2m";
	case STATUS_TESTING:
	case STATUS_DEBUGGING:
		return "\033[1;33m";
	default:
		return "";
	}
}

static void
put(struct buf *b, struct str s, size_t width, const char *colour)
{
	if (*colour != '\0')
		buf_puts(b, colour);
	buf_escaped(b, s, 0);
	if (*colour != '\0')
		buf_puts(b, "\033[0m");
	for (; s.n < width; width--)
		buf_putc(b, ' ');
}

void
cli_duration(struct buf *b, double s)
{
	static const struct { double of; char unit; } units[] = {
	    { 604800, 'w' }, { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' } };
	char t[NUM_TEXT_MAX];
	size_t i;

	for (i = 0; i < 4; i++)
		if (s >= units[i].of && fmod(s, units[i].of) == 0)
			break;
	if (i < 4)
		s /= units[i].of;
	buf_add(b, t, num_text(s, t));
	buf_putc(b, i < 4 ? units[i].unit : 's');
}

/* The five fields of a timing, or its one word; what follows is the drift. */
static struct str
fields(const struct site_timing *t)
{
	size_t i, field = 0;

	for (i = 0; i < t->text.n && (t->text.p[i] != ' ' ||
	    ++field < (t->text.p[0] == '@' ? 1 : 5)); )
		i++;
	return str_of(t->text.p, i);
}

void
cli_timing_fields(struct buf *b, const struct site_timing *t)
{
	buf_escaped(b, fields(t), 0);
}

void
cli_timing(struct buf *b, const struct site_timing *t)
{
	cli_timing_fields(b, t);
	if (t->cron.has_drift && t->cron.drift > 0)
		buf_printf(b, ", drift %um", t->cron.drift);
	if (cron_is_never(&t->cron))
		buf_puts(b, " (never)");
}

/* --- the last run of an alert, where this host's state knows of one --- */

struct last {
	double		 began, ended;	/* began NIL: there is none */
	double		 lines;		/* of its input; NIL: it is not known, or
					 * none yet */
	char		 result[32];
};

static void
take_last(void *arg, const struct str *column, unsigned n)
{
	struct last *l = arg;

	if (n < 6 || str_none(column[3]) || str_none(column[4]) ||
	    str_none(column[5]))
		return;
	l->began = num_parse(column[3], false);
	l->ended = num_parse(column[4], false);
	l->lines = n > 9 && !str_none(column[9]) ?
	    num_parse(column[9], false) : NUM_NIL;
	snprintf(l->result, sizeof l->result, "%.*s", (int)column[5].n,
	    column[5].p);
}

static struct last
last_run(struct state *st, struct str alert)
{
	struct last l = { .began = NUM_NIL, .lines = NUM_NIL };
	struct param p = PT(alert);

	if (st != NULL)
		(void)state_ask(st, Q_RUN_LAST, &p, take_last, &l);
	return l;
}

/* False: the local zone has no such moment. */
static bool
moment(double t, char when[40])
{
	time_t sec = (time_t)t;
	struct tm tm;

	return localtime_r(&sec, &tm) != NULL &&
	    strftime(when, 40, "%Y-%m-%d %H:%M:%S", &tm) > 0;
}

static void
list_last(struct cli *c, struct buf *b, const struct last *l)
{
	bool bad = strcmp(l->result, run_end_name[RUN_OK]) != 0;
	char when[40];

	if (num_none(l->began) || !moment(l->began, when))
		return;
	buf_printf(b, "    last    %s, ", when);
	put(b, str_c(l->result), 0, c->colour_out && bad ? "\033[1;31m" : "");
	buf_puts(b, " after ");
	if (l->ended - l->began < 10)
		buf_printf(b, "%.1fs", l->ended > l->began ?
		    l->ended - l->began : 0);
	else
		cli_age(b, l->ended - l->began);
	if (l->lines > 0)
		buf_printf(b, ", %.0f line%s read", l->lines, l->lines > 1 ?
		    "s" : "");
	buf_putc(b, '\n');
}

/* --- the next run, drift and all; INFINITY: there is none --- */

static struct str
host_of(struct cli *c)
{
	return c->given[OPT_HOST] ? str_c(c->value[OPT_HOST]) :
	    cli_hostname(c);
}

static bool
sleeps(enum status s)
{
	return s == STATUS_INACTIVE || s == STATUS_SUSPENDED;
}

static double
next_alert(struct cli *c, const struct site_alert *a)
{
	double now = clock_wall(), next = INFINITY, t;
	const struct cron *cron;
	size_t i;

	if (sleeps(a->status) || a->nalarm == 0)
		return next;
	if (a->every > 0)
		next = calendar_start_every(a->every, calendar_spread(a->drift,
		    host_of(c), a->name), now);
	for (i = 0; i < a->ntiming; i++) {
		cron = &a->timing[i].cron;
		t = calendar_start(NULL, cron, calendar_drift(cron,
		    host_of(c), a->name), now);
		if (t < next)
			next = t;
	}
	return next;
}

static double
next_program(struct cli *c, const struct program *p, struct str name)
{
	double now = clock_wall(), next = INFINITY, t;
	struct cron_fault fault;
	struct cron cron;

	if (sleeps(p->status))
		return next;
	if (p->every > 0)
		next = calendar_every(p->every, now);
	if (!str_none(p->timing) && cron_parse(p->timing, &cron, &fault)) {
		t = calendar_start(NULL, &cron, calendar_drift(&cron,
		    host_of(c), name), now);
		if (t < next)
			next = t;
	}
	return next;
}

static void
list_alert(struct cli *c, struct buf *b, const struct site_alert *a,
    struct state *st, size_t name, size_t status, size_t level)
{
	double next = next_alert(c, a);
	char when[40];
	struct last last = last_run(st, a->name);
	bool colour = c->colour_out;
	const struct program *p;
	size_t i;

	put(b, a->name, 0, colour ? "\033[1m" : "");
	buf_puts(b, "  ");
	put(b, str_c(status_name[a->status]), 0, colour ?
	    colour_of(a->status) : "");
	if (a->has_level)
		buf_printf(b, "  %s", level_name[a->level]);
	buf_putc(b, '\n');
	for (i = 0; i < a->ntiming; i++) {
		buf_puts(b, i == 0 ? "    timing  " : "            ");
		cli_timing(b, &a->timing[i]);
		buf_putc(b, '\n');
	}
	if (a->every > 0) {
		buf_puts(b, "    every   ");
		cli_duration(b, a->every);
		if (a->drift > 0)
			buf_printf(b, ", drift %um", a->drift);
		buf_putc(b, '\n');
	}
	list_last(c, b, &last);
	if (isfinite(next) && moment(next, when))
		buf_printf(b, "    next    %s\n", when);
	for (i = 0; i < a->nalarm; i++) {
		p = &a->alarm[i];
		buf_puts(b, i == 0 ? "    alarms  " : "            ");
		put(b, p->name, name + 2, "");
		put(b, str_c(status_name[p->status]), status + 2, colour ?
		    colour_of(p->status) : "");
		put(b, str_c(level_name[p->level]), level, "");
		while (b->n > 0 && b->p[b->n - 1] == ' ')
			b->n--;
		buf_putc(b, '\n');
	}
	if (a->nalarm == 0)
		buf_puts(b, "    alarms  (none on this host)\n");
}

/* Scripts that schedule themselves stand behind the alerts. */
static void
list_own(struct cli *c, struct buf *b, const struct site *s, size_t name,
    size_t status, size_t level)
{
	const struct program *p;
	bool first = true;
	char when[40];
	double next;
	size_t i;

	for (i = 0; i < s->nscript; i++) {
		p = s->script[i].program;
		if (!cli_is_own(&s->script[i]))
			continue;
		if (first && b->n > 0)
			buf_putc(b, '\n');
		if (first)
			buf_puts(b, "scripts with a timing of their own\n");
		first = false;
		buf_puts(b, "            ");
		put(b, p->name, name + 2, "");
		put(b, str_c(status_name[p->status]), status + 2,
		    c->colour_out ? colour_of(p->status) : "");
		put(b, str_c(level_name[p->level]), level + 2, "");
		if (!str_none(p->timing)) {
			buf_escaped(b, p->timing, 0);
			buf_puts(b, p->every > 0 ? "; " : "");
		}
		if (p->every > 0) {
			buf_puts(b, "every ");
			cli_duration(b, p->every);
		}
		if (p->watch_memory)
			buf_puts(b, p->every > 0 || !str_none(p->timing) ?
			    "; watch memory" : "watch memory");
		next = next_program(c, p, cli_own_name(c, s,
		    &s->script[i]));
		if (isfinite(next) && moment(next, when))
			buf_printf(b, "; next %s", when);
		buf_putc(b, '\n');
	}
}

static void
widen(size_t *w, size_t n)
{
	if (n > *w)
		*w = n;
}

static void
show(struct cli *c, const struct site *s, struct state *st, struct buf *b)
{
	size_t i, k, name = 0, status = 0, level = 0;
	const struct program *p;

	for (i = 0; i < s->nalert; i++)
		for (k = 0; k < s->alert[i].nalarm; k++) {
			p = &s->alert[i].alarm[k];
			widen(&name, p->name.n);
			widen(&status, strlen(status_name[p->status]));
			widen(&level, strlen(level_name[p->level]));
		}
	for (i = 0; i < s->nscript; i++) {
		p = s->script[i].program;
		if (!cli_is_own(&s->script[i]))
			continue;
		widen(&name, p->name.n);
		widen(&status, strlen(status_name[p->status]));
		widen(&level, strlen(level_name[p->level]));
	}
	for (i = 0; i < s->nalert; i++) {
		if (i > 0)
			buf_putc(b, '\n');
		list_alert(c, b, &s->alert[i], st, name, status, level);
	}
	list_own(c, b, s, name, status, level);
}

/* --- as JSON --- */

static json_t *
text(struct str s)
{
	json_t *t = json_stringn(s.p, s.n);

	return t != NULL ? t : json_string("(no UTF-8)");
}

static json_t *
json_program(const struct program *p)
{
	json_t *o = json_object();

	json_object_set_new(o, "name", text(p->name));
	json_object_set_new(o, "status", json_string(status_name[p->status]));
	json_object_set_new(o, "level", json_string(level_name[p->level]));
	json_object_set_new(o, "file", text(p->file));
	if (p->every > 0)
		json_object_set_new(o, "every", json_real(p->every));
	if (!str_none(p->timing))
		json_object_set_new(o, "timing", text(p->timing));
	if (p->watch_memory)
		json_object_set_new(o, "watch", json_string("memory"));
	return o;
}

/* Seconds since 1970, as `last` has them; not there: never. */
static void
json_next(json_t *o, double next)
{
	if (isfinite(next))
		json_object_set_new(o, "next", json_real(next));
}

static json_t *
json_alert(struct cli *c, const struct site_alert *a, struct state *st)
{
	json_t *o = json_object(), *list = json_array(), *t;
	struct last last = last_run(st, a->name);
	size_t i;

	json_object_set_new(o, "name", text(a->name));
	json_object_set_new(o, "status", json_string(status_name[a->status]));
	if (a->has_level)
		json_object_set_new(o, "level",
		    json_string(level_name[a->level]));
	for (i = 0; i < a->ntiming; i++) {
		t = json_object();
		json_object_set_new(t, "fields", text(fields(&a->timing[i])));
		json_object_set_new(t, "drift",
		    json_integer(a->timing[i].cron.drift));
		json_array_append_new(list, t);
	}
	json_object_set_new(o, "timing", list);
	if (a->every > 0)
		json_object_set_new(o, "every", json_real(a->every));
	if (a->every > 0 && a->drift > 0)
		json_object_set_new(o, "drift", json_integer(a->drift));
	if (!num_none(last.began)) {
		t = json_object();
		json_object_set_new(t, "began", json_real(last.began));
		json_object_set_new(t, "ended", json_real(last.ended));
		json_object_set_new(t, "result", text(str_c(last.result)));
		if (!num_none(last.lines))
			json_object_set_new(t, "lines", json_real(last.lines));
		json_object_set_new(o, "last", t);
	}
	json_next(o, next_alert(c, a));
	list = json_array();
	for (i = 0; i < a->nalarm; i++)
		json_array_append_new(list, json_program(&a->alarm[i]));
	json_object_set_new(o, "alarms", list);
	return o;
}

static int
dump(const char *p, size_t n, void *ctx)
{
	buf_add(ctx, p, n);
	return 0;
}

static void
show_json(struct cli *c, const struct site *s, struct state *st,
    struct buf *b)
{
	json_t *o = json_object(), *list = json_array(), *own;
	size_t i;

	json_object_set_new(o, "host", text(host_of(c)));
	for (i = 0; i < s->nalert; i++)
		json_array_append_new(list, json_alert(c, &s->alert[i], st));
	json_object_set_new(o, "alerts", list);
	list = json_array();
	for (i = 0; i < s->nscript; i++)
		if (cli_is_own(&s->script[i])) {
			own = json_program(s->script[i].program);
			json_next(own, next_program(c, s->script[i].program,
			    cli_own_name(c, s, &s->script[i])));
			json_array_append_new(list, own);
		}
	json_object_set_new(o, "scripts", list);
	(void)json_dump_callback(o, dump, b, JSON_INDENT(2));
	buf_putc(b, '\n');
	json_decref(o);
}

int
cmd_list(struct cli *c)
{
	const char *dir = c->narg > 0 ? c->arg[0] : c->given[OPT_CONFIG] ?
	    c->value[OPT_CONFIG] : PICKET_SYSCONFDIR;
	struct str db = state_path(c, STATE_FILE);
	struct outbox_options o = { .state = NULL };
	struct site *s;
	struct buf b;
	int r = EXIT_FINE;

	if (c->narg > 1) {
		cli_usage(c, CMD_LIST, 2);
		return EXIT_USAGE;
	}
	/* the default folder need not be there: then nothing is in it */
	if (!c->given[OPT_CONFIG] && c->narg == 0 && access(dir, F_OK) != 0)
		s = NULL;
	else if (!cli_set_dir(c, dir) || !cli_configuration(c, dir) ||
	    (s = cli_site(c, dir, false, false)) == NULL)
		return EXIT_PROBLEMS;
	else if (s->nerror > 0) {
		cli_site_show(c, s, NULL);
		cli_say("%s: %zu error%s: what is wrong is not listed", dir,
		    s->nerror, s->nerror == 1 ? "" : "s");
		r = EXIT_PROBLEMS;
	}
	buf_init(&b, &c->mem);
	/* another host's runs are not known here */
	if (s != NULL && !c->given[OPT_HOST] && !str_none(db) &&
	    access(db.p, R_OK) == 0)
		cli_state_open(c, true, &o);
	if (s != NULL && c->given[OPT_JSON])
		show_json(c, s, o.state, &b);
	else if (s != NULL)
		show(c, s, o.state, &b);
	if (b.n == 0 && c->given[OPT_JSON])
		buf_puts(&b, "{\n  \"alerts\": [],\n  \"scripts\": []\n}\n");
	else if (b.n == 0)
		buf_printf(&b, "there are no alerts in %s\n", dir);
	if (!cli_write(1, buf_view(&b)))
		r = EXIT_PROBLEMS;
	buf_free(&b);
	cli_outbox_close(&o);
	site_free(s);
	return r;
}
