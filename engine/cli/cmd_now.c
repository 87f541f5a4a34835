/*
 * cmd_now: what is wrong on this host now.  Every script that the library's
 * alerts.cfg lists looks once, in dry-run: no configuration, no rights, no
 * change; what they would tell of is one table, worst first.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/cli/incident.h"
#include "engine/run/run.h"
#include "engine/vm/clock.h"

#define NOW_TIME	2.0	/* seconds for one script: a person waits */
#define NOW_LINES	5	/* of a script's mail shown with a finding */

struct finding {
	enum level	 level;
	struct str	 what;		/* one line */
	struct str	 key;		/* of the incident, or NIL */
	double		 hold;		/* seconds that it must last, or 0 */
	struct str	 more;		/* lines of mail beside it */
	const struct site_alert *alert;
	struct str	 script;
	size_t		 order;
};

struct blind {			/* a script that could not look */
	struct str	 script, why;
};

struct now {
	struct cli	*c;
	struct site	*site;
	struct run_options o;
	struct finding	*finding;
	size_t		 n, cap;
	struct blind	*blind;
	size_t		 nblind;
	size_t		 nscript;
};

static void
add(struct now *w, const struct finding *f)
{
	struct finding *all;

	if (w->n == w->cap) {
		all = arena_alloc(&w->c->arena, (w->cap * 2 + 32) *
		    sizeof *all);
		if (w->n > 0)
			memcpy(all, w->finding, w->n * sizeof *all);
		w->finding = all;
		w->cap = w->cap * 2 + 32;
	}
	w->finding[w->n] = *f;
	w->finding[w->n].order = w->n;
	w->n++;
}

/* What it would begin to tell of, and what it would mail besides. */
static void
take(struct now *w, const struct site_alert *a, const struct program *p,
    const struct run_result *r)
{
	struct finding f = { .alert = a, .script = p->name, .key = STR_NIL,
	    .more = STR_EMPTY };
	struct arena *arena = &w->c->arena;
	const struct run_seen *s;
	bool first = true;
	struct str mail;
	size_t i, end;

	mail = arena_dup(arena, buf_view(&r->mail));
	for (i = 0; i < r->nseen; i++) {
		s = &r->seen[i];
		if (num_none(s->seen.when) || s->seen.when == 0 ||
		    (s->verdict != VERDICT_ONSET && s->seen.hold <= 0))
			continue;
		f.level = s->seen.level;
		f.what = arena_dup(arena, str_none(s->seen.message) ?
		    s->seen.key : s->seen.message);
		f.key = arena_dup(arena, s->seen.key);
		f.hold = s->verdict == VERDICT_ONSET ? 0 : s->seen.hold;
		f.more = first ? mail : STR_EMPTY;
		first = false;
		add(w, &f);
	}
	if (!first || mail.n == 0)
		return;
	end = str_find(mail, '\n', 0);
	f.level = p->level;
	f.what = str_of(mail.p, end);
	f.more = end + 1 < mail.n ? str_of(mail.p + end + 1,
	    mail.n - end - 1) : STR_EMPTY;
	add(w, &f);
}

static void
look(struct now *w, const struct site_alert *a, const struct program *listed)
{
	struct program p = *listed;	/* with a time of ours */
	struct run_result r;

	if (p.status == STATUS_INACTIVE || p.status == STATUS_SUSPENDED)
		return;
	p.timeout = NOW_TIME;
	w->nscript++;
	w->o.program = &p;
	w->o.facts.alert = a->name;
	run_script(&w->o, &r);
	if (r.end == RUN_OK || r.end == RUN_SUPPRESSED)
		take(w, a, &p, &r);
	else
		w->blind[w->nblind++] = (struct blind){ p.name,
		    arena_dup(&w->c->arena, buf_view(&r.error)) };
	run_result_free(&r);
}

/* The library's alerts, each script in the first that lists it. */
static void
look_all(struct now *w)
{
	const struct site *s = w->site;
	const struct site_alert *a;
	size_t i, k, n = 0;

	for (i = 0; i < s->nalert; i++)
		n += s->alert[i].nalarm;
	w->blind = arena_alloc(&w->c->arena, (n + 1) * sizeof *w->blind);
	for (i = 0; i < s->nalert; i++) {
		a = &s->alert[i];
		for (k = 0; k < a->nalarm; k++)
			if (site_script(s, a->alarm[k].name)->alert == a)
				look(w, a, &a->alarm[k]);
	}
}

static int
worse(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->level != y->level)
		return x->level < y->level ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

/* --- what is shown --- */

static const char *
colour_of(enum level l)
{
	return l <= LEVEL_CRITICAL ? "\033[1;31m" : l <= LEVEL_ERROR ?
	    "\033[31m" : l == LEVEL_WARNING ? "\033[33m" : "";
}

/* cron has minutes. */
static void
cron_line(struct buf *b, const struct site_alert *a, struct str script)
{
	if (a->ntiming > 0)
		cli_timing_fields(b, &a->timing[0]);
	else if (a->every > 60 && a->every < 3600)
		buf_printf(b, "*/%.0f * * * *", a->every / 60);
	else
		buf_puts(b, a->every >= 3600 ? "0 * * * *" : "* * * * *");
	buf_puts(b, "  root  picket run ");
	buf_str(b, script);
}

static void
dim(struct now *w, struct buf *b, bool on)
{
	if (w->c->colour_out)
		buf_puts(b, on ? "\033[2m" : "\033[0m");
}

static void
show_finding(struct now *w, struct buf *b, const struct finding *f)
{
	const char *colour = w->c->colour_out ? colour_of(f->level) : "";
	size_t at, end, n = 0, i;

	buf_puts(b, colour);
	buf_puts(b, level_name[f->level]);
	if (*colour != '\0')
		buf_puts(b, "\033[0m");
	for (i = strlen(level_name[f->level]); i < 11; i++)
		buf_putc(b, ' ');
	buf_escaped(b, f->what, 0);
	if (f->hold > 0) {
		buf_puts(b, "  (if it lasts ");
		look_span(b, f->hold);
		buf_putc(b, ')');
	}
	buf_putc(b, '\n');
	for (at = 0; at < f->more.n; at = end + 1) {
		end = str_find(f->more, '\n', at);
		if (n++ >= NOW_LINES)
			continue;
		buf_puts(b, "               ");
		buf_escaped(b, str_of(f->more.p + at, end - at), 200);
		buf_putc(b, '\n');
	}
	if (n > NOW_LINES)
		buf_printf(b, "               ... %zu more\n", n - NOW_LINES);
	dim(w, b, true);
	buf_puts(b, "           in crontab: ");
	cron_line(b, f->alert, f->script);
	dim(w, b, false);
	buf_putc(b, '\n');
}

static void
show(struct now *w, double seconds)
{
	struct buf b;
	size_t i;

	buf_init(&b, &w->c->mem);
	for (i = 0; i < w->n; i++)
		show_finding(w, &b, &w->finding[i]);
	if (w->n > 0)
		buf_putc(&b, '\n');
	buf_printf(&b, "%zu script%s looked, %zu finding%s, %.1f s; nothing was "
	    "changed\n", w->nscript - w->nblind, w->nscript - w->nblind == 1 ?
	    "" : "s", w->n, w->n == 1 ? "" : "s", seconds);
	for (i = 0; i < w->nblind; i++) {
		dim(w, &b, true);
		buf_printf(&b, "could not look: %.*s: ",
		    (int)w->blind[i].script.n, w->blind[i].script.p);
		buf_escaped(&b, w->blind[i].why, 200);
		dim(w, &b, false);
		buf_putc(&b, '\n');
	}
	if (geteuid() != 0) {
		dim(w, &b, true);
		buf_puts(&b, "root sees more: logs, other users' files and "
		    "limits");
		dim(w, &b, false);
		buf_putc(&b, '\n');
	}
	dim(w, &b, true);
	buf_printf(&b, "all of them at their times: alerts.cfg in %s; one by "
	    "one: picket doc, picket explain NAME", cli_library());
	dim(w, &b, false);
	buf_putc(&b, '\n');
	(void)cli_write(1, buf_view(&b));
	buf_free(&b);
}

static void
show_json(struct now *w)
{
	json_t *o = json_object(), *list = json_array(), *j;
	const struct finding *f;
	struct buf b;
	size_t i;

	buf_init(&b, &w->c->mem);
	for (i = 0; i < w->n; i++) {
		f = &w->finding[i];
		j = json_object();
		json_object_set_new(j, "level", json_string(
		    level_name[f->level]));
		json_object_set_new(j, "script", look_json_text(&w->c->mem,
		    f->script));
		json_object_set_new(j, "finding", look_json_text(&w->c->mem,
		    f->what));
		if (!str_none(f->key))
			json_object_set_new(j, "key", look_json_text(&w->c->mem,
			    f->key));
		json_object_set_new(j, "hold", look_json_number(f->hold));
		json_object_set_new(j, "lines", look_json_text(&w->c->mem, f->more));
		buf_clear(&b);
		cron_line(&b, f->alert, f->script);
		json_object_set_new(j, "crontab", look_json_text(&w->c->mem,
		    buf_view(&b)));
		json_array_append_new(list, j);
	}
	json_object_set_new(o, "findings", list);
	list = json_array();
	for (i = 0; i < w->nblind; i++) {
		j = json_object();
		json_object_set_new(j, "script", look_json_text(&w->c->mem,
		    w->blind[i].script));
		json_object_set_new(j, "why", look_json_text(&w->c->mem,
		    w->blind[i].why));
		json_array_append_new(list, j);
	}
	json_object_set_new(o, "could_not_look", list);
	json_object_set_new(o, "scripts", json_integer((json_int_t)
	    w->nscript));
	buf_clear(&b);
	cli_json_put(o, &b);
	(void)cli_write(1, buf_view(&b));
	buf_free(&b);
}

/* --- the command --- */

int
cmd_now(struct cli *c)
{
	double began = clock_steady();
	struct now w = { .c = c };
	struct outbox_options state;
	struct buf lib, errors;

	if (cli_too_many(c, CMD_NOW, 0))
		return EXIT_USAGE;
	/* who has no configuration, or may not read it, has the defaults */
	buf_init(&errors, &c->mem);
	if (c->given[OPT_CONFIG] ? !cli_configuration(c,
	    c->value[OPT_CONFIG]) : !conf_parse(&c->conf, STR_EMPTY,
	    STR_EMPTY, &c->arena, &errors))
		return EXIT_USAGE;
	buf_init(&lib, &c->mem);
	buf_puts(&lib, cli_library());
	w.site = cli_site(c, buf_c(&lib), false, false);
	if (w.site == NULL)
		return EXIT_PROBLEMS;
	if (w.site->nerror > 0 || w.site->nalert == 0) {
		cli_site_show(c, w.site, NULL);
		cli_say("now: %s: %s", buf_c(&lib), w.site->nerror > 0 ?
		    "the bundled scripts have errors" : "has no alerts.cfg");
		return EXIT_PROBLEMS;
	}
	memset(&state, 0, sizeof state);
	(void)cli_state_open(c, true, &state);
	w.o.dry = true;
	w.o.root = c->value[OPT_ROOT];
	w.o.state = state.state;
	w.o.input_fd = -1;
	w.o.logdir = STR_NIL;
	w.o.path = c->conf.value[CONF_PATH];
	w.o.state_home = state_home(c);
	w.o.run_id = "now";
	w.o.out_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	w.o.err_fd = -1;
	w.o.facts.objects = cli_objects(c, w.site);
	w.o.facts.mailcmd = w.o.facts.lpcmd = w.o.facts.infile = STR_EMPTY;
	w.o.facts.runs = 1;
	look_all(&w);
	if (w.n > 1)
		qsort(w.finding, w.n, sizeof *w.finding, worse);
	if (c->given[OPT_JSON])
		show_json(&w);
	else
		show(&w, clock_steady() - began);
	if (state.state != NULL)
		cli_outbox_close(&state);
	site_free(w.site);
	buf_free(&lib);
	return w.n > 0 ? EXIT_PROBLEMS : EXIT_FINE;
}
