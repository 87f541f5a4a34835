/* cmd_status: what picketd does and how its alerts went, worst first. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/cli/ask.h"
#include "engine/cli/incident.h"
#include "engine/vm/clock.h"
#include "lang/base/num.h"

#define TRIES	3	/* of an answer that a reload has cut */
#define PATIENCE 2.0	/* seconds for the state: who asks how things are wants
			 * to know it even if the disk hangs */
#define BAD	"\033[1;31m"
#define ODD	"\033[1;33m"
#define DIM	"\033[2m"

enum rank { RANK_BAD, RANK_RUNS, RANK_WAITS, RANK_PAUSED, RANK_FINE,
    RANK_NEW, RANK_SLEEPS };

struct line {
	const json_t	*o;
	enum rank	 rank;
	size_t		 at;
};

struct view {
	struct cli	*c;
	struct buf	*b;
	const json_t	*top;
	double		 now;
	struct line	*line;
	size_t		 n;
	bool		 bad;		/* something is not as it should be */
	double		 firing, acked;	/* incidents; NIL: not known, */
	struct str	 why;		/* because of this */
};

static bool
is_bad(const char *result)
{
	return result != NULL && strcmp(result, "ok") != 0 &&
	    strcmp(result, "held") != 0;
}

static enum rank
rank_of(const json_t *o)
{
	const char *result = ask_text(o, "result");

	if (is_bad(result))
		return RANK_BAD;
	if (!num_none(ask_number(o, "pid")))
		return RANK_RUNS;
	if (ask_is(o, "waiting"))
		return RANK_WAITS;
	if (ask_is(o, "sleeps"))
		return RANK_SLEEPS;
	if (ask_is(o, "paused"))
		return RANK_PAUSED;
	return result == NULL ? RANK_NEW : RANK_FINE;
}

static int
worse(const void *pa, const void *pb)
{
	const struct line *a = pa, *b = pb;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

/* --- incidents --- */

/* From the state of the picketd that has answered. */
static void
count_incidents(struct view *v)
{
	struct cli *c = v->c;
	struct outbox_options o;
	const struct incident *in;
	struct look l;
	size_t i;

	v->firing = v->acked = NUM_NIL;
	v->why = STR_EMPTY;
	c->patience = PATIENCE;
	if (ask_text(v->top, "state") == NULL)
		return;
	c->given[OPT_STATE] = true;
	c->value[OPT_STATE] = ask_text(v->top, "state");
	if (!cli_state_open(c, true, &o))
		return;
	if (look_load(&l, &c->mem, &c->arena, o.state, v->now)) {
		v->firing = v->acked = 0;
		for (i = 0; i < l.incidents.by_key.n; i++) {
			in = incidents_at(&l.incidents, i);
			if (in->state != INCIDENT_FIRES)
				continue;
			v->firing++;
			v->acked += incident_is_acked(in);
		}
		look_free(&l);
	} else
		v->why = arena_dup(&c->arena, state_why(o.state));
	cli_outbox_close(&o);
}

/* --- the head --- */

static void
coloured(struct view *v, const char *colour, const char *text)
{
	if (v->c->colour_out && *colour != '\0')
		buf_puts(v->b, colour);
	buf_escaped(v->b, str_c(text), 0);
	if (v->c->colour_out && *colour != '\0')
		buf_puts(v->b, "\033[0m");
}

static void
key(struct view *v, const char *name)
{
	buf_printf(v->b, "%-15s", name);
}

static void
lines_of(struct view *v, const char *text, size_t most)
{
	const char *end;
	size_t n = 0;

	for (; *text != '\0' && n < most; text = end + (*end != '\0'), n++) {
		end = text + strcspn(text, "\n");
		buf_puts(v->b, "    ");
		buf_escaped(v->b, str_of(text, (size_t)(end - text)), 300);
		buf_putc(v->b, '\n');
	}
	if (*text != '\0')
		buf_puts(v->b, "    ...: see picket check\n");
}

static void
configuration(struct view *v)
{
	const json_t *r = json_object_get(v->top, "reload");
	const char *diag = ask_text(r, "diagnostics");
	bool good = ask_is(r, "good");

	key(v, "configuration");
	buf_escaped(v->b, str_c(ask_text(v->top, "config")), 0);
	buf_puts(v->b, ", ");
	if (good) {
		buf_puts(v->b, "in force since ");
		look_moment(v->b, ask_number(v->top, "loaded"), v->now);
	} else {
		v->bad = true;
		coloured(v, BAD, "has errors");
		buf_puts(v->b, "; that of ");
		look_moment(v->b, ask_number(v->top, "loaded"), v->now);
		buf_puts(v->b, " is in force");
	}
	if (ask_is(r, "goes_on"))
		buf_puts(v->b, "; a reload goes on");
	buf_putc(v->b, '\n');
	if (!good && diag != NULL)
		lines_of(v, diag, 10);
}

static void
held(struct view *v)
{
	double until = ask_number(v->top, "disarmed_until"),
	    n = ask_number(v->top, "paused_alerts");

	if (ask_is(v->top, "stopping")) {
		key(v, "");
		coloured(v, ODD, "is about to end");
		buf_putc(v->b, '\n');
	}
	if (ask_is(v->top, "paused") || n > 0) {
		key(v, "paused");
		if (ask_is(v->top, "paused"))
			coloured(v, ODD, "nothing is run until picket resume");
		if (n > 0)
			buf_printf(v->b, "%s%.0f by name", ask_is(v->top,
			    "paused") ? "; " : "", n);
		buf_putc(v->b, '\n');
	}
	if (ask_is(v->top, "disarmed")) {
		key(v, "disarmed");
		coloured(v, ODD, "rules tell what they would do, and do "
		    "nothing");
		buf_puts(v->b, ", until ");
		if (num_none(until))
			buf_puts(v->b, "picket arm");
		else
			look_moment(v->b, until, v->now);
		buf_putc(v->b, '\n');
	}
}

static void
processes(struct view *v)
{
	const json_t *list = json_object_get(v->top, "services"), *o;
	bool first = true, down;
	double crashes;
	size_t i;

	key(v, "processes");
	json_array_foreach(list, i, o) {
		if (!ask_is(o, "wanted"))
			continue;
		buf_puts(v->b, first ? "" : ", ");
		first = false;
		down = num_none(ask_number(o, "pid"));
		v->bad |= down;
		coloured(v, down ? BAD : "", ask_text(o, "name"));
		if (!down)
			buf_printf(v->b, " %.0f", ask_number(o, "pid"));
		else
			coloured(v, BAD, ask_is(o, "missing") ?
			    " is not installed" : " is down");
		crashes = ask_number(o, "crashes");
		if (crashes > 0)
			buf_printf(v->b, " (%.0f crash%s)", crashes,
			    crashes > 1 ? "es" : "");
	}
	buf_putc(v->b, '\n');
}

static void
incidents(struct view *v)
{
	char text[40];

	key(v, "incidents");
	if (num_none(v->firing)) {
		buf_puts(v->b, "not known");
		buf_puts(v->b, v->why.n > 0 ? ": " : "");
		buf_escaped(v->b, v->why, 300);
	} else if (v->firing == 0)
		buf_puts(v->b, "none");
	else {
		(void)snprintf(text, sizeof text, "%.0f firing", v->firing);
		coloured(v, v->firing > v->acked ? BAD : "", text);
		if (v->acked > 0)
			buf_printf(v->b, ", %.0f of them acknowledged",
			    v->acked);
		buf_puts(v->b, "; see picket incidents");
	}
	buf_putc(v->b, '\n');
}

static void
head(struct view *v)
{
	const json_t *missing = json_object_get(v->top, "missing"), *o;
	double n = ask_number(v->top, "entries"), stuck, t;
	size_t i;

	buf_puts(v->b, v->c->colour_out ? "\033[1mpicketd\033[0m " :
	    "picketd ");
	buf_escaped(v->b, str_c(ask_text(v->top, "version")), 0);
	buf_printf(v->b, ", process %.0f, for ", ask_number(v->top,
	    "pid"));
	look_span(v->b, v->now - ask_number(v->top, "started"));
	buf_putc(v->b, '\n');
	configuration(v);
	held(v);
	key(v, "alerts");
	buf_printf(v->b, "%.0f; running: %.0f of at most %.0f, waiting: %.0f",
	    n, ask_number(v->top, "running"), ask_number(v->top, "parallel"),
	    ask_number(v->top, "queued"));
	t = ask_number(v->top, "next");
	if (!num_none(t)) {
		buf_puts(v->b, "; next in ");
		look_span(v->b, t - v->now);
	}
	t = ask_number(v->top, "late_max");
	if (t >= 1) {
		buf_puts(v->b, "; started late by ");
		look_span(v->b, t);
		buf_puts(v->b, " at most");
	}
	buf_putc(v->b, '\n');
	stuck = ask_number(v->top, "stuck");
	if (stuck > 0) {
		v->bad = true;
		key(v, "stuck");
		buf_printf(v->b, "%.0f run%s in the kernel, and cannot be "
		    "ended\n", stuck, stuck > 1 ? "s are" : " is");
	}
	incidents(v);
	processes(v);
	json_array_foreach(missing, i, o) {
		key(v, i == 0 ? "not granted" : "");
		buf_escaped(v->b, str_c(json_string_value(o)), 0);
		buf_putc(v->b, '\n');
	}
	t = ask_number(v->top, "log_lost");
	if (t > 0) {
		key(v, "log");
		buf_escaped(v->b, str_c(ask_text(v->top, "log")), 0);
		buf_printf(v->b, " has not taken %.0f messages\n", t);
	}
}

/* --- the alerts --- */

static void
cell(struct view *v, struct str text, size_t width, const char *colour)
{
	bool on = v->c->colour_out && *colour != '\0';
	size_t from;

	if (on)
		buf_puts(v->b, colour);
	from = v->b->n;
	buf_escaped(v->b, text, 0);
	from = v->b->n - from;
	if (on)
		buf_puts(v->b, "\033[0m");
	for (; from < width + 2; from++)
		buf_putc(v->b, ' ');
}

static const char *
word_of(const struct line *l, const char **colour)
{
	static const struct { const char *word, *colour; } row[] = {
		[RANK_BAD] = { "", BAD }, [RANK_RUNS] = { "runs", "" },
		[RANK_WAITS] = { "waits", "" },
		[RANK_PAUSED] = { "paused", ODD }, [RANK_FINE] = { "ok", "" },
		[RANK_NEW] = { "not yet run", DIM },
		[RANK_SLEEPS] = { "", DIM } };

	*colour = row[l->rank].colour;
	if (l->rank == RANK_BAD)
		return ask_text(l->o, "result");
	if (l->rank == RANK_SLEEPS)
		return ask_text(l->o, "status");
	return row[l->rank].word;
}

/* Alerts may be due every few seconds. */
static void
to_second(struct buf *b, double t, double now)
{
	size_t from = b->n;
	time_t at = (time_t)t;
	char text[16];
	struct tm tm;

	look_moment(b, t, now);
	if (b->n - from == sizeof "HH:MM" - 1 && localtime_r(&at, &tm) != NULL) {
		(void)strftime(text, sizeof text, ":%S", &tm);
		buf_puts(b, text);
	}
}

static void
moment(struct view *v, double t, size_t width, struct buf *tmp)
{
	buf_clear(tmp);
	if (num_none(t))
		buf_puts(tmp, "-");
	else
		to_second(tmp, t, v->now);
	cell(v, buf_view(tmp), width, "");
}

static void
took(double t, struct buf *tmp)
{
	buf_clear(tmp);
	if (num_none(t))
		buf_puts(tmp, "-");
	else if (t < 10)
		buf_printf(tmp, "%.2fs", t);
	else
		look_span(tmp, t);
}

static void
table(struct view *v)
{
	size_t i, name = 5, state = 5, w;
	const char *colour, *s;
	const struct line *l;
	struct buf tmp;

	buf_init(&tmp, &v->c->mem);
	for (i = 0; i < v->n; i++) {
		w = strlen(ask_text(v->line[i].o, "name"));
		name = w > name ? w : name;
		w = strlen(word_of(&v->line[i], &colour));
		state = w > state ? w : state;
	}
	buf_puts(v->b, "\n");
	cell(v, STR_LIT("ALERT"), name, "\033[1m");
	cell(v, STR_LIT("STATE"), state, "\033[1m");
	cell(v, STR_LIT("LAST"), 16, "\033[1m");
	cell(v, STR_LIT("TOOK"), 6, "\033[1m");
	cell(v, STR_LIT("NEXT"), 0, "\033[1m");
	while (v->b->n > 0 && v->b->p[v->b->n - 1] == ' ')
		v->b->n--;
	buf_putc(v->b, '\n');
	for (i = 0; i < v->n; i++) {
		l = &v->line[i];
		v->bad |= l->rank == RANK_BAD;
		cell(v, str_c(ask_text(l->o, "name")), name, "");
		s = word_of(l, &colour);
		cell(v, str_c(s), state, colour);
		moment(v, ask_number(l->o, "began"), 16, &tmp);
		took(ask_number(l->o, "took"), &tmp);
		cell(v, buf_view(&tmp), 6, "");
		moment(v, ask_number(l->o, "next"), 0, &tmp);
		while (v->b->p[v->b->n - 1] == ' ')
			v->b->n--;
		if (ask_number(l->o, "skipped") > 0)
			buf_printf(v->b, "  (%.0f skipped)",
			    ask_number(l->o, "skipped"));
		buf_putc(v->b, '\n');
	}
	buf_free(&tmp);
}

/* --- which --- */

static bool
wanted(struct cli *c, const char *name, bool *seen)
{
	size_t i;

	for (i = 0; i < c->narg; i++)
		if (strcmp(c->arg[i], name) == 0) {
			seen[i] = true;
			return true;
		}
	return c->narg == 0;
}

/* The alerts that were asked for, worst first; false: one is not there. */
static bool
select_lines(struct view *v, const json_t *list)
{
	struct cli *c = v->c;
	bool *seen = arena_zalloc(&c->arena, c->narg + 1), all = true;
	const json_t *o;
	size_t i;

	v->line = arena_alloc(&c->arena, (json_array_size(list) + 1) *
	    sizeof *v->line);
	json_array_foreach(list, i, o)
		if (ask_text(o, "name") != NULL &&
		    wanted(c, ask_text(o, "name"), seen))
			v->line[v->n++] = (struct line){ o, rank_of(o), i };
	qsort(v->line, v->n, sizeof *v->line, worse);
	for (i = 0; i < c->narg; i++)
		if (!seen[i]) {
			cli_say("picketd has no alert \"%s\"; see picket list",
			    c->arg[i]);
			all = false;
		}
	return all;
}

/* With --json: only those that were asked for. */
static void
keep(struct view *v, json_t *top)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < v->n; i++) {
		v->bad |= v->line[i].rank == RANK_BAD;
		json_array_append_new(list, json_deep_copy(v->line[i].o));
	}
	json_object_set_new(top, "alerts", list);
}

int
cmd_status(struct cli *c)
{
	struct view v = { .c = c, .now = clock_wall() };
	json_t *answer = NULL, *o;
	bool fine;
	struct buf b;
	int i;

	for (i = 0; i < TRIES; i++) {
		json_decref(answer);
		o = json_object();
		json_object_set_new(o, "command", json_string("status"));
		answer = ask_picketd(c, o, ANSWER_TIME);
		if (answer == NULL)
			return EXIT_PROBLEMS;
		if (!ask_is(answer, "ok") ||
		    ask_is(answer, "complete"))
			break;
	}
	if (!ask_is(answer, "ok")) {
		(void)ask_says(c, answer);
		json_decref(answer);
		return EXIT_PROBLEMS;
	}
	v.top = answer;
	buf_init(&b, &c->mem);
	v.b = &b;
	count_incidents(&v);
	fine = select_lines(&v, json_object_get(answer, "alerts"));
	head(&v);		/* which finds what is bad, too */
	if (c->given[OPT_JSON]) {
		buf_clear(&b);
		keep(&v, answer);
		json_object_set_new(answer, "firing",
		    look_json_number(v.firing));
		json_object_set_new(answer, "acknowledged",
		    look_json_number(v.acked));
		cli_json_put(json_incref(answer), &b);
	} else {
		if (c->narg > 0)
			buf_clear(&b);
		if (v.n > 0)
			table(&v);
	}
	fine = cli_write(1, buf_view(&b)) && fine;
	buf_free(&b);
	json_decref(answer);
	return fine && !v.bad ? EXIT_FINE : EXIT_PROBLEMS;
}
