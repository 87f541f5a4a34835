/* cmd_outbox: what waits to be sent, and why. */
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/base/num.h"
#include "engine/alert/alert.h"
#include "engine/cli/outbox.h"
#include "engine/deliver/outbox_inner.h"
#include "engine/vm/clock.h"

#define SHOWN_SUBJECT	100	/* bytes of a subject in the table */
#define SHOWN_KEPT	20	/* files; how many there are is said */
#define SHOWN_LATELY	100	/* attempts that --all shows */

struct shown {
	struct cli	*c;
	struct buf	 out;
	json_t		*json;		/* or NULL */
	double		 now;
	size_t		 n, dead;
	double		 id;		/* of --retry and --drop; NIL: all */
	struct batch	*batch;
};

static json_t *
text(struct str s, struct mem *m)
{
	json_t *t = json_stringn(s.p, s.n);
	struct buf b;

	if (t != NULL)
		return t;
	buf_init(&b, m);
	buf_escaped(&b, s, 0);
	t = json_stringn(b.p, b.n);
	buf_free(&b);
	return t;
}

static json_t *
number(double d)
{
	return num_is_int(d) ? json_integer((json_int_t)d) : json_real(d);
}

static const char *const state_name[] = { "waits", "held", "dead" };

static void
show_json(struct shown *s, const struct outbox_row *r)
{
	struct str to[LIM_JOB_RCPT];
	json_t *o = json_object(), *list = json_array();
	struct mem *m = &s->c->mem;
	size_t i, n = outbox_addresses(r->rcpt, to);

	for (i = 0; i < n; i++)
		json_array_append_new(list, text(to[i], m));
	json_object_set_new(o, "id", number(r->id));
	json_object_set_new(o, "notice", text(r->notice, m));
	json_object_set_new(o, "state", json_string(state_name[r->state]));
	json_object_set_new(o, "way", text(r->way, m));
	json_object_set_new(o, "to", list);
	json_object_set_new(o, "alert", text(r->alert, m));
	json_object_set_new(o, "level", json_string(level_name[r->level]));
	json_object_set_new(o, "subject", text(r->subject, m));
	json_object_set_new(o, "made", number(r->made));
	json_object_set_new(o, "tries", number(r->tries));
	json_object_set_new(o, "next", r->state == OUTBOX_DEAD ?
	    json_null() : number(r->due));
	json_object_set_new(o, "why", text(r->why, m));
	json_array_append_new(s->json, o);
}

/* Why it still waits, when nothing has gone wrong with it. */
static void
add_reason(struct buf *b, const struct shown *s, const struct outbox_row *r)
{
	if (r->why.n > 0)
		buf_escaped(b, r->why, 0);
	else if (r->since > s->now)
		buf_puts(b, "is not to be sent before then");
	else if (str_eq(r->way, STR_LIT(WAY_FALLBACK)))
		buf_puts(b, "goes if no mail has gone by then");
	else
		buf_puts(b, "not tried yet: picket deliver sends it");
}

static void
cell(struct buf *b, size_t from, size_t width)
{
	size_t n = b->n - from;

	do
		buf_putc(b, ' ');
	while (++n < width + 1);
}

static void
show_row(struct shown *s, const struct outbox_row *r)
{
	const char *red = s->c->colour_out ? "\033[1;31m" : "",
	    *end = s->c->colour_out ? "\033[0m" : "";
	struct str to[LIM_JOB_RCPT];
	size_t from, n = outbox_addresses(r->rcpt, to);
	struct buf *b = &s->out;

	if (s->n == 1)
		buf_printf(b, "%s  ID  AGE   TRIES  NEXT   WAY       TO%s\n",
		    s->c->colour_out ? "\033[1m" : "", end);
	buf_printf(b, "%4.0f  ", r->id);
	from = b->n;
	cli_age(b, s->now - r->made);
	cell(b, from, 5);
	buf_printf(b, "%5.0f  ", r->tries);
	from = b->n;
	if (r->state == OUTBOX_DEAD)
		buf_printf(b, "%sdead%s  ", red, end), from = b->n - 6;
	else if (r->due <= s->now)
		buf_puts(b, "now");
	else
		cli_age(b, r->due - s->now);
	cell(b, from, 6);
	from = b->n;
	buf_escaped(b, r->way, 0);
	cell(b, from, 9);
	if (n > 0)
		buf_escaped(b, to[0], 0);
	else
		buf_putc(b, '-');
	if (n > 1)
		buf_printf(b, " +%zu", n - 1);
	buf_puts(b, "\n      ");
	buf_escaped(b, r->subject, SHOWN_SUBJECT);
	buf_puts(b, "\n      ");
	add_reason(b, s, r);
	buf_putc(b, '\n');
}

static void
show(void *arg, const struct str *column, unsigned n)
{
	struct shown *s = arg;
	struct arena_mark mark = arena_mark(&s->c->arena);
	struct outbox_row r;

	(void)n;
	outbox_row_read(&r, column, &s->c->arena);
	if (r.state == OUTBOX_DEAD || !s->c->given[OPT_DEAD]) {
		s->n++;
		s->dead += r.state == OUTBOX_DEAD;
		if (s->json != NULL)
			show_json(s, &r);
		else
			show_row(s, &r);
	}
	arena_reset(&s->c->arena, mark);
}

/* time notice way rcpt transport outcome why */
static void
show_attempt(void *arg, const struct str *c, unsigned n)
{
	struct shown *s = arg;
	double t = num_parse(c[0], false);
	struct buf *b = &s->out;
	size_t from;
	unsigned i;

	(void)n;
	if (s->json != NULL) {
		static const char *const name[] = { "time", "notice", "way",
		    "to", "transport", "outcome", "why" };
		json_t *o = json_object();

		json_object_set_new(o, name[0], number(t));
		for (i = 1; i < 7; i++)
			json_object_set_new(o, name[i], text(str_none(c[i]) ?
			    STR_EMPTY : c[i], &s->c->mem));
		json_array_append_new(s->json, o);
		return;
	}
	if (s->n++ == 0)
		buf_puts(b, "\nlately, the newest first\n"
		    "  AGE   OUTCOME  BY          TO, WHY\n");
	buf_puts(b, "  ");
	from = b->n;
	cli_age(b, s->now - t);
	cell(b, from, 5);
	from = b->n;
	buf_escaped(b, str_shown(c[5]), 0);
	cell(b, from, 8);
	from = b->n;
	if (c[4].n > 0)
		buf_escaped(b, c[4], 0);
	else
		buf_putc(b, '-');
	cell(b, from, 11);
	if (c[3].n > 0) {
		buf_escaped(b, c[3], 0);
		buf_puts(b, ": ");
	}
	buf_escaped(b, str_shown(c[6]), 0);
	buf_putc(b, '\n');
}

static int
dump(const char *p, size_t n, void *arg)
{
	buf_add(arg, p, n);
	return 0;
}

static int
failed(struct outbox_options *o)
{
	struct str why = state_why(o->state);

	cli_say("%.*s", (int)why.n, why.p);
	return EXIT_PROBLEMS;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/*
 * Mails that no way out took while the state could not be written: files, which
 * nothing sends.  They are shown until somebody has removed them.
 */
static size_t
show_kept(struct shown *s, struct str folder, json_t *all)
{
	const char *name[SHOWN_KEPT];
	json_t *list = json_array();
	struct dirent *e;
	struct buf path;
	size_t i, n = 0, len;
	DIR *d;

	buf_init(&path, &s->c->mem);
	buf_str(&path, folder);
	buf_puts(&path, "/" UNDELIVERED);
	d = opendir(buf_c(&path));
	while (d != NULL && (e = readdir(d)) != NULL) {
		len = strlen(e->d_name);
		if (len < 5 || strcmp(e->d_name + len - 4, ".eml") != 0)
			continue;
		if (n < SHOWN_KEPT)
			name[n] = arena_dup(&s->c->arena,
			    str_c(e->d_name)).p;
		n++;
	}
	if (d != NULL)
		(void)closedir(d);
	qsort(name, n < SHOWN_KEPT ? n : SHOWN_KEPT, sizeof *name, by_name);
	if (n > 0 && all == NULL) {
		buf_printf(&s->out, "%s%zu mail%s nothing took, and could not "
		    "be put here; read and remove %s: %s\n", s->n > 0 ? "\n" :
		    "", n, n == 1 ? "" : "s", n == 1 ? "it" : "them",
		    buf_c(&path));
		for (i = 0; i < n && i < SHOWN_KEPT; i++) {
			buf_puts(&s->out, "  ");
			buf_escaped(&s->out, str_c(name[i]), 0);
			buf_putc(&s->out, '\n');
		}
	}
	buf_putc(&path, '/');
	len = path.n;
	for (i = 0; i < n && i < SHOWN_KEPT; i++) {
		path.n = len;
		buf_puts(&path, name[i]);
		json_array_append_new(list, text(buf_view(&path),
		    &s->c->mem));
	}
	if (all != NULL)
		json_object_set(all, "undelivered", list);
	json_decref(list);
	buf_free(&path);
	return n;
}

static int
list(struct cli *c, struct outbox_options *o)
{
	struct shown s = { .c = c, .now = clock_wall() };
	json_t *all = NULL;
	size_t kept;
	bool ok;

	buf_init(&s.out, &c->mem);
	if (c->given[OPT_JSON]) {
		all = json_object();
		s.json = json_array();
		json_object_set_new(all, "waiting", s.json);
	}
	ok = state_ask(o->state, Q_OUTBOX_LIST, NULL, show, &s);
	if (ok && s.n == 0 && all == NULL)
		buf_puts(&s.out, c->given[OPT_DEAD] ? "nothing is dead\n" :
		    "nothing waits\n");
	kept = show_kept(&s, o->folder, all);
	if (ok && c->given[OPT_ALL]) {
		if (all != NULL) {
			s.json = json_array();
			json_object_set_new(all, "lately", s.json);
		}
		s.n = 0;
		ok = state_ask(o->state, Q_DELIVERY_LIST,
		    (const struct param[]){ PN(SHOWN_LATELY) }, show_attempt,
		    &s);
	}
	if (all != NULL) {
		(void)json_dump_callback(all, dump, &s.out, JSON_INDENT(2));
		buf_putc(&s.out, '\n');
		json_decref(all);
	}
	ok = ok ? cli_write(1, buf_view(&s.out)) : failed(o) == EXIT_FINE;
	buf_free(&s.out);
	return ok && s.dead == 0 && kept == 0 ? EXIT_FINE : EXIT_PROBLEMS;
}

/* A number of the list, or all (NIL); false: told of. */
static bool
which(const char *option, const char *arg, bool all, double *id)
{
	*id = num_parse(str_c(arg), false);
	if (all && strcmp(arg, "all") == 0) {
		*id = NUM_NIL;
		return true;
	}
	if (num_is_int(*id) && *id > 0)
		return true;
	cli_say("--%s wants an ID of picket outbox%s, not '%s'", option,
	    all ? ", or all" : "", arg);
	return false;
}

static void
drop(void *arg, const struct str *column, unsigned n)
{
	struct shown *s = arg;
	struct arena_mark mark = arena_mark(&s->c->arena);
	struct outbox_row r;
	struct str to[LIM_JOB_RCPT];
	size_t i, nto;

	(void)n;
	outbox_row_read(&r, column, &s->c->arena);
	s->n++;
	nto = outbox_addresses(r.rcpt, to);
	batch_row(s->batch, Q_OUTBOX_DROP, (const struct param[]){
	    PN(r.id) });
	batch_row(s->batch, Q_DELIVERY_ADD, (const struct param[]){
	    PN(s->now), PT(r.notice), PT(r.way), PT(STR_EMPTY), PT(STR_EMPTY),
	    PT(STR_LIT("dropped")), PT(r.subject) });
	buf_printf(&s->out, "dropped %.0f, by %.*s to", r.id, (int)r.way.n,
	    r.way.p);
	for (i = 0; i < nto; i++) {
		buf_putc(&s->out, ' ');
		buf_escaped(&s->out, to[i], 0);
	}
	buf_puts(&s->out, nto == 0 ? " nobody: " : ": ");
	buf_escaped(&s->out, r.subject, 0);
	buf_putc(&s->out, '\n');
	arena_reset(&s->c->arena, mark);
}

static void
have(void *arg, const struct str *column, unsigned n)
{
	(void)column;
	(void)n;
	((struct shown *)arg)->n++;
}

static int
change(struct cli *c, struct outbox_options *o)
{
	bool retry = c->given[OPT_RETRY];
	struct shown s = { .c = c, .now = clock_wall() };
	const char *arg = c->value[retry ? OPT_RETRY : OPT_DROP];
	struct outbox_sum sum;
	int r = EXIT_PROBLEMS;
	bool ok;

	if (!which(retry ? "retry" : "drop", arg, retry, &s.id))
		return EXIT_USAGE;
	buf_init(&s.out, &c->mem);
	s.batch = batch_new(&c->mem);
	ok = num_none(s.id) || state_ask(o->state, Q_OUTBOX_GET,
	    (const struct param[]){ PN(s.id) }, retry ? have : drop, &s);
	if (ok && s.n == 0 && !num_none(s.id)) {
		cli_say("nothing with the ID %s waits (see picket outbox)", arg);
	} else if (ok) {
		if (retry)
			batch_row(s.batch, Q_OUTBOX_RETRY,
			    (const struct param[]){ PN(s.id), PN(s.now) });
		ok = state_commit(o->state, s.batch, true);
		o->all = true;		/* a person asked for it */
		if (ok && retry)
			r = cli_outbox_send(c, o, &sum);
		else if (ok)
			r = cli_write(1, buf_view(&s.out)) ? EXIT_FINE :
			    EXIT_PROBLEMS;
	}
	if (!ok)
		r = failed(o);
	batch_free(s.batch);
	buf_free(&s.out);
	return r;
}

int
cmd_outbox(struct cli *c)
{
	bool changes = c->given[OPT_RETRY] || c->given[OPT_DROP];
	struct outbox_options o;
	int r;

	if (cli_too_many(c, CMD_OUTBOX, 0))
		return EXIT_USAGE;
	if ((c->given[OPT_RETRY] && c->given[OPT_DROP]) ||
	    (c->given[OPT_ALL] && c->given[OPT_DEAD]) || (changes &&
	    (c->given[OPT_ALL] || c->given[OPT_DEAD] || c->given[OPT_JSON]))) {
		cli_say(changes ? "--retry and --drop stand alone, one of them "
		    "at a time" : "--all or --dead, not both");
		return EXIT_USAGE;
	}
	if (!cli_outbox_open(c, !changes, &o))
		return EXIT_PROBLEMS;
	r = changes ? change(c, &o) : list(c, &o);
	cli_outbox_close(&o);
	return r;
}
