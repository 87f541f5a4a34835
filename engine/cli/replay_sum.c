/*
 * replay_sum: what runs over old logs would have told and done, by kinds of
 * lines: those that differ in numbers only are one kind.
 */
#include <jansson.h>
#include <stdio.h>
#include <time.h>

#include "engine/cli/incident.h"
#include "engine/cli/replay.h"

#define SUM_BLOCK	16384
#define EXAMPLE_MAX	300	/* bytes of an example */
#define CLASS_MAX	200	/* bytes of a kind */

struct kind {
	double		 n, first, last;
	struct str	 example[REPLAY_EXAMPLES];
	unsigned	 nexample;
	const char	*what;		/* "exec", "log" ... */
};

/* An incident over all runs. */
struct course {
	double		 fired, resolved, still, other;
	double		 first, last;	/* onsets */
	double		 since, longest;	/* since 0: it does not fire */
	struct str	 message;	/* of the first */
};

struct list {
	struct map	 kinds;
	double		 all, more;	/* more: of kinds beyond the limit */
};

struct replay_sum {
	struct mem	*mem;
	struct arena	 arena;
	struct list	 list[REPLAY_LISTS];
	struct map	 incidents;
	double		 more_incidents;
	struct map	 day;		/* "2000-04-25": mails */
	double		 nmail, first_mail, last_mail;
	double		 failed;
	struct buf	 b;
};

static const char *const list_name[REPLAY_LISTS] = {
	[REPLAY_MAIL] = "mail lines",
	[REPLAY_COMMAND] = "commands",
	[REPLAY_ACT] = "acts",
	[REPLAY_OUTPUT] = "other output",
	[REPLAY_ERROR] = "errors",
	[REPLAY_WARNING] = "warnings",
	[REPLAY_UNANSWERED] = "asked of the host, and nobody knows",
};
static const char *const list_key[REPLAY_LISTS] = {
	[REPLAY_MAIL] = "mail_lines", [REPLAY_COMMAND] = "commands",
	[REPLAY_ACT] = "acts", [REPLAY_OUTPUT] = "output",
	[REPLAY_ERROR] = "errors", [REPLAY_WARNING] = "warnings",
	[REPLAY_UNANSWERED] = "unanswered",
};

struct replay_sum *
replay_sum_new(struct mem *m)
{
	struct replay_sum *s = mem_zalloc(m, sizeof *s);
	int i;

	s->mem = m;
	arena_init(&s->arena, m, SUM_BLOCK);
	buf_init(&s->b, m);
	for (i = 0; i < REPLAY_LISTS; i++)
		map_init(&s->list[i].kinds, &s->arena);
	map_init(&s->incidents, &s->arena);
	map_init(&s->day, &s->arena);
	return s;
}

void
replay_sum_free(struct replay_sum *s)
{
	buf_free(&s->b);
	arena_free(&s->arena);
	mem_free(s->mem, s, sizeof *s);
}

double
replay_sum_failed(const struct replay_sum *s)
{
	return s->failed;
}

/* --- adding --- */

/* "what: text", its numbers as #. */
static struct str
class_of(struct replay_sum *s, const char *what, struct str text)
{
	struct buf *b = &s->b;
	bool digit = false;
	size_t i;

	buf_clear(b);
	if (what != NULL) {
		buf_puts(b, what);
		buf_puts(b, ": ");
	}
	text = str_trim(text);
	for (i = 0; i < text.n && b->n < CLASS_MAX; i++)
		if (text.p[i] >= '0' && text.p[i] <= '9') {
			if (!digit)
				buf_putc(b, '#');
			digit = true;
		} else if (text.p[i] != ' ' || b->n == 0 ||
		    b->p[b->n - 1] != ' ') {
			digit = false;
			buf_putc(b, text.p[i]);
		}
	return buf_view(b);
}

static void
add(struct replay_sum *s, enum replay_list which, const char *what,
    struct str text, double now)
{
	struct list *l = &s->list[which];
	struct str class = class_of(s, what, text);
	struct map_entry *e = map_get(&l->kinds, class);
	struct kind *k;
	unsigned i;

	l->all++;
	if (e == NULL && l->kinds.n >= LIM_REPLAY_CLASSES) {
		l->more++;
		return;
	}
	if (e == NULL) {
		e = map_put(&l->kinds, class, NULL);
		e->v.ptr = k = arena_zalloc(&s->arena, sizeof *k);
		k->first = now;
		k->what = what;
	}
	k = e->v.ptr;
	k->n++;
	k->last = now;
	if (k->nexample == REPLAY_EXAMPLES)
		return;
	text = str_trim(text);
	if (text.n > EXAMPLE_MAX)
		text.n = EXAMPLE_MAX;
	for (i = 0; i < k->nexample; i++)
		if (str_eq(k->example[i], text))
			return;
	k->example[k->nexample++] = arena_dup(&s->arena, text);
}

static void
add_change(struct replay_sum *s, const struct sim_change *c, double now)
{
	struct map_entry *e = map_get(&s->incidents, c->key);
	struct course *i;

	if (e == NULL && s->incidents.n >= LIM_REPLAY_CLASSES) {
		s->more_incidents++;
		return;
	}
	if (e == NULL) {
		e = map_put(&s->incidents, c->key, NULL);
		e->v.ptr = i = arena_zalloc(&s->arena, sizeof *i);
		i->first = now;
		i->message = arena_dup(&s->arena, c->message);
	}
	i = e->v.ptr;
	if (str_eq(c->kind, STR_LIT("firing"))) {
		i->fired++;
		i->last = i->since = now;
	} else if (str_eq(c->kind, STR_LIT("resolved"))) {
		i->resolved++;
		if (i->since > 0 && now - i->since > i->longest)
			i->longest = now - i->since;
		i->since = 0;
	} else if (str_eq(c->kind, STR_LIT("still firing")))
		i->still++;
	else
		i->other++;
}

static void
add_done(struct replay_sum *s, const struct recorded_did *d, double now)
{
	const char *what = recorded_kind_name[d->kind];

	switch (d->kind) {
	case RECORDED_EXEC:
		add(s, REPLAY_COMMAND, NULL, d->text, now);
		break;
	case RECORDED_ACT:
		add(s, REPLAY_ACT, NULL, d->text, now);
		break;
	case RECORDED_ERROR:
		add(s, REPLAY_ERROR, NULL, d->text, now);
		break;
	case RECORDED_WARNING:
		add(s, REPLAY_WARNING, NULL, d->text, now);
		break;
	case RECORDED_UNANSWERED:
		add(s, REPLAY_UNANSWERED, NULL, d->text, now);
		break;
	case RECORDED_READ:
		break;
	default:
		add(s, REPLAY_OUTPUT, what, d->text, now);
		break;
	}
}

bool
replay_sum_add(struct replay_sum *s, const struct sim_result *r,
    const struct recorded *world, double now)
{
	const struct recorded_did *d;
	const struct sim_script *one;
	struct map_entry *e;
	size_t n, i, at, end;
	time_t t = (time_t)now;
	char day[20];
	struct tm tm;

	d = recorded_done(world, &n);
	for (i = 0; i < n; i++)
		add_done(s, &d[i], now);
	for (i = 0; i < r->nscript; i++) {
		one = &r->script[i];
		for (at = 0; at < one->mail.n; at = end + 1) {
			end = str_find(one->mail, '\n', at);
			add(s, REPLAY_MAIL, NULL, str_of(one->mail.p + at,
			    end - at), now);
		}
		if (one->end != RUN_OK && one->end != RUN_SUPPRESSED)
			s->failed++;
	}
	for (i = 0; i < r->nchange; i++)
		add_change(s, &r->change[i], now);
	if (r->nmail > 0 && localtime_r(&t, &tm) != NULL) {
		if (s->nmail == 0)
			s->first_mail = now;
		s->nmail += (double)r->nmail;
		s->last_mail = now;
		(void)strftime(day, sizeof day, "%Y-%m-%d", &tm);
		e = map_put(&s->day, str_c(day), NULL);
		e->v.num += r->nmail;
	}
	return n > 0 || r->nmail > 0 || r->nchange > 0;
}

/* --- the text --- */

static void
moment(struct buf *b, double t)
{
	char text[40];
	time_t sec = (time_t)t;
	struct tm tm;

	if (localtime_r(&sec, &tm) == NULL ||
	    strftime(text, sizeof text, "%Y-%m-%d %H:%M", &tm) == 0)
		text[0] = '\0';
	buf_puts(b, text);
}

/* Most often first; of the same number the one that came first. */
static int
by_number(const void *a, const void *b)
{
	const struct kind *p = (*(const struct map_entry *const *)a)->v.ptr,
	    *q = (*(const struct map_entry *const *)b)->v.ptr;

	if (p->n != q->n)
		return p->n > q->n ? -1 : 1;
	return p->first < q->first ? -1 : p->first > q->first;
}

static const struct map_entry **
sorted(const struct replay_sum *s, const struct map *m)
{
	const struct map_entry **e;
	size_t i;

	e = arena_alloc((struct arena *)(uintptr_t)&s->arena, (m->n + 1) *
	    sizeof *e);
	for (i = 0; i < m->n; i++)
		e[i] = &m->entry[i];
	if (m->n > 1)
		qsort(e, m->n, sizeof *e, by_number);
	return e;
}

static void
count(struct buf *b, double n, const char *one)
{
	buf_printf(b, "%.0f %s%s", n, one, n == 1 ? "" : "s");
}

static void
list_text(const struct replay_sum *s, enum replay_list which, struct buf *b)
{
	const struct list *l = &s->list[which];
	const struct map_entry **e;
	const struct kind *k;
	size_t i, shown;

	if (l->all == 0)
		return;
	e = sorted(s, &l->kinds);
	buf_printf(b, "\n%s: %.0f in all, of %zu kind%s%s\n", list_name[which],
	    l->all, l->kinds.n, l->kinds.n == 1 ? "" : "s", l->more > 0 ?
	    " and more" : "");
	shown = l->kinds.n < REPLAY_SHOWN ? l->kinds.n : REPLAY_SHOWN;
	for (i = 0; i < shown; i++) {
		k = e[i]->v.ptr;
		buf_printf(b, "%8.0f  ", k->n);
		moment(b, k->first);
		buf_puts(b, k->n > 1 ? " to " : "    ");
		if (k->n > 1)
			moment(b, k->last);
		else
			buf_puts(b, "                ");
		buf_puts(b, "  ");
		/* one of its kind says more than the kind */
		buf_escaped(b, k->nexample == 1 && k->what == NULL ?
		    k->example[0] : e[i]->key, CLASS_MAX);
		buf_putc(b, '\n');
		if (k->nexample > 1) {
			buf_puts(b, "          such as: ");
			buf_escaped(b, k->example[0], CLASS_MAX);
			buf_putc(b, '\n');
		}
	}
	if (l->kinds.n > shown)
		buf_printf(b, "          and %zu kinds more (--json has "
		    "them)\n", l->kinds.n - shown);
}

static void
incidents_text(const struct replay_sum *s, struct buf *b)
{
	const struct course *c;
	size_t i, shown = s->incidents.n < REPLAY_SHOWN ? s->incidents.n :
	    REPLAY_SHOWN;

	if (s->incidents.n == 0)
		return;
	buf_printf(b, "\nincidents: %zu%s\n", s->incidents.n,
	    s->more_incidents > 0 ? " and more" : "");
	for (i = 0; i < shown; i++) {
		c = s->incidents.entry[i].v.ptr;
		buf_printf(b, "%8.0f  ", c->fired);
		moment(b, c->first);
		buf_puts(b, c->fired > 1 ? " to " : "    ");
		if (c->fired > 1)
			moment(b, c->last);
		else
			buf_puts(b, "                ");
		buf_puts(b, "  ");
		buf_escaped(b, s->incidents.entry[i].key, CLASS_MAX);
		buf_puts(b, "\n          ");
		buf_escaped(b, c->message, CLASS_MAX);
		buf_printf(b, "\n          resolved %.0f time%s", c->resolved,
		    c->resolved == 1 ? "" : "s");
		if (c->longest > 0) {
			buf_puts(b, ", the longest after ");
			look_span(b, c->longest);
		}
		if (c->still > 0)
			buf_printf(b, ", reminded %.0f time%s", c->still,
			    c->still == 1 ? "" : "s");
		if (c->since > 0)
			buf_puts(b, "; fires at the end");
		buf_putc(b, '\n');
	}
	if (s->incidents.n > shown)
		buf_printf(b, "          and %zu more (--json has them)\n",
		    s->incidents.n - shown);
}

static void
mails_text(const struct replay_sum *s, struct buf *b)
{
	const struct map_entry *most = NULL;
	size_t i;

	if (s->nmail == 0) {
		buf_puts(b, "would have sent no mail\n");
		return;
	}
	for (i = 0; i < s->day.n; i++)
		if (most == NULL || s->day.entry[i].v.num > most->v.num)
			most = &s->day.entry[i];
	buf_puts(b, "would have sent ");
	count(b, s->nmail, "mail");
	if (s->nmail > 1) {
		buf_printf(b, " on %zu day%s, from ", s->day.n,
		    s->day.n == 1 ? "" : "s");
		moment(b, s->first_mail);
		buf_puts(b, " to ");
		moment(b, s->last_mail);
		if (s->day.n > 1)
			buf_printf(b, "; most on %.*s: %zu",
			    (int)most->key.n, most->key.p, most->v.num);
	} else {
		buf_puts(b, ", ");
		moment(b, s->first_mail);
	}
	buf_putc(b, '\n');
}

void
replay_sum_text(const struct replay_sum *s, const struct replay_about *a,
    struct buf *b)
{
	int i;

	buf_str(b, a->script);
	buf_puts(b, ": ");
	count(b, (double)a->nfile, "file");
	buf_puts(b, ", ");
	if (!num_none(a->begin)) {
		moment(b, a->begin);
		buf_puts(b, " to ");
		moment(b, a->end);
	}
	buf_printf(b, ", %s stamps\n", a->stamp);
	count(b, a->runs, "run");
	buf_printf(b, " %s, ", a->step);
	count(b, a->logs.nline - a->left_out, "line");
	if (a->left_out > 0)
		buf_printf(b, " (%.0f before or after)", a->left_out);
	if (a->logs.nbare > 0)
		buf_printf(b, ", %.0f without a stamp of their own",
		    a->logs.nbare);
	if (a->skipped > 0) {
		buf_puts(b, "; ");
		count(b, a->skipped, "run");
		buf_puts(b, " left out in which nothing was logged or open");
	}
	buf_printf(b, "\n%.1f MB in %.2f s: %.0f MB/s, %.0f lines/s\n",
	    a->logs.bytes / 1e6, a->took, a->took > 0 ? a->logs.bytes / 1e6 /
	    a->took : 0, a->took > 0 ? a->logs.nline / a->took : 0);
	if (a->read == 0 && a->logs.nline > a->left_out)
		buf_puts(b, "the script has read none of these lines: it ends "
		    "before its rules, or has none; this is no all-clear\n");
	mails_text(s, b);
	if (!a->doexec && s->list[REPLAY_COMMAND].all + s->list[
	    REPLAY_ACT].all > 0)
		buf_puts(b, "nothing was done; define doexec is FALSE, and "
		    "doexec would do nothing then, either\n");
	incidents_text(s, b);
	for (i = 0; i < REPLAY_LISTS; i++)
		list_text(s, (enum replay_list)i, b);
}

/* --- json --- */

static json_t *
list_json(const struct replay_sum *s, struct cli *c, const struct list *l)
{
	json_t *all = json_array(), *o, *ex;
	const struct map_entry **e = sorted(s, &l->kinds);
	const struct kind *k;
	size_t i, n;

	for (i = 0; i < l->kinds.n; i++) {
		k = e[i]->v.ptr;
		o = json_object();
		ex = json_array();
		json_object_set_new(o, "kind", look_json_text(&c->mem, e[i]->key));
		json_object_set_new(o, "count", look_json_number(k->n));
		json_object_set_new(o, "first", look_json_number(k->first));
		json_object_set_new(o, "last", look_json_number(k->last));
		for (n = 0; n < k->nexample; n++)
			json_array_append_new(ex, look_json_text(&c->mem,
			    k->example[n]));
		json_object_set_new(o, "examples", ex);
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *
incidents_json(const struct replay_sum *s, struct cli *c)
{
	json_t *all = json_array(), *o;
	const struct course *i;
	size_t n;

	for (n = 0; n < s->incidents.n; n++) {
		i = s->incidents.entry[n].v.ptr;
		o = json_object();
		json_object_set_new(o, "key", look_json_text(&c->mem,
		    s->incidents.entry[n].key));
		json_object_set_new(o, "message", look_json_text(&c->mem,
		    i->message));
		json_object_set_new(o, "fired", look_json_number(i->fired));
		json_object_set_new(o, "resolved",
		    look_json_number(i->resolved));
		json_object_set_new(o, "reminded", look_json_number(i->still));
		json_object_set_new(o, "other", look_json_number(i->other));
		json_object_set_new(o, "first", look_json_number(i->first));
		json_object_set_new(o, "last", look_json_number(i->last));
		json_object_set_new(o, "longest",
		    look_json_number(i->longest));
		json_object_set_new(o, "fires", json_boolean(i->since > 0));
		json_array_append_new(all, o);
	}
	return all;
}

void
replay_sum_json(const struct replay_sum *s, const struct replay_about *a,
    struct buf *b)
{
	struct cli *c = a->c;
	json_t *o = json_object(), *m = json_object(), *day = json_object(),
	    *file = json_array(), *more = json_object();
	size_t i;

	for (i = 0; i < a->nfile; i++)
		json_array_append_new(file, look_json_text(&c->mem,
		    str_c(a->file[i])));
	json_object_set_new(o, "script", look_json_text(&c->mem, a->script));
	json_object_set_new(o, "files", file);
	json_object_set_new(o, "stamp", json_string(a->stamp));
	json_object_set_new(o, "step", json_string(a->step));
	json_object_set_new(o, "begin", look_json_number(a->begin));
	json_object_set_new(o, "end", look_json_number(a->end));
	json_object_set_new(o, "runs", look_json_number(a->runs));
	json_object_set_new(o, "skipped", look_json_number(a->skipped));
	json_object_set_new(o, "failed", look_json_number(s->failed));
	json_object_set_new(o, "lines", look_json_number(a->logs.nline -
	    a->left_out));
	json_object_set_new(o, "read", look_json_number(a->read));
	json_object_set_new(o, "left_out", look_json_number(a->left_out));
	json_object_set_new(o, "unstamped", look_json_number(a->logs.nbare));
	json_object_set_new(o, "bytes", look_json_number(a->logs.bytes));
	json_object_set_new(o, "seconds", look_json_number(a->took));
	json_object_set_new(m, "count", look_json_number(s->nmail));
	for (i = 0; i < s->day.n; i++)
		json_object_set_new(day, arena_dup(&c->arena,
		    s->day.entry[i].key).p, look_json_number((double)
		    s->day.entry[i].v.num));
	json_object_set_new(m, "days", day);
	json_object_set_new(o, "mails", m);
	json_object_set_new(o, "incidents", incidents_json(s, c));
	for (i = 0; i < REPLAY_LISTS; i++)
		json_object_set_new(o, list_key[i], list_json(s, c,
		    &s->list[i]));
	/* of kinds beyond LIM_REPLAY_CLASSES: how often */
	for (i = 0; i < REPLAY_LISTS; i++)
		json_object_set_new(more, list_key[i],
		    look_json_number(s->list[i].more));
	json_object_set_new(more, "incidents",
	    look_json_number(s->more_incidents));
	json_object_set_new(o, "more", more);
	cli_json_put(o, b);
}
