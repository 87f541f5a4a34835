/*
 * http_page: the status page.  For a tired person at night, on a phone: what
 * is wrong stands first and largest, in words; colours only repeat them.  One
 * file, no script, nothing from elsewhere; it loads itself anew.
 */
#include "engine/daemon/http.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lang/base/num.h"
#include "lang/code/program.h"
#include "engine/daemon/http_style.h"
#include "engine/vm/when.h"

#define RUNS_SHOWN	15	/* then the rest is folded away */
#define ENDED_SHOWN	86400.0	/* seconds: what was over before is history */

void
web_text(struct buf *b, struct str s, size_t max)
{
	struct buf t;
	size_t i;

	if (str_none(s))
		return;
	buf_init(&t, b->mem);
	buf_escaped(&t, s, max);
	for (i = 0; i < t.n; i++)
		switch (t.p[i]) {
		case '<':
			buf_puts(b, "&lt;");
			break;
		case '>':
			buf_puts(b, "&gt;");
			break;
		case '&':
			buf_puts(b, "&amp;");
			break;
		case '"':
			buf_puts(b, "&quot;");
			break;
		case '\'':
			buf_puts(b, "&#39;");
			break;
		default:
			buf_putc(b, t.p[i]);
		}
	buf_free(&t);
}

/* A text as part of a URL. */
static void
url(struct buf *b, struct str s)
{
	size_t i;
	char c;

	for (i = 0; i < s.n; i++) {
		c = s.p[i];
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.')
			buf_putc(b, c);
		else
			buf_printf(b, "%%%02X", (unsigned char)c);
	}
}

static struct str
text_of(const json_t *o, const char *name)
{
	const json_t *t = json_object_get(o, name);

	return json_is_string(t) ? str_of(json_string_value(t),
	    json_string_length(t)) : STR_NIL;
}

static double
number_of(const json_t *o, const char *name)
{
	const json_t *n = json_object_get(o, name);

	return json_is_number(n) ? json_number_value(n) : NUM_NIL;
}

/* "4m ago", "in 2h 5m", with the time itself behind the pointer. */
static void
when(struct buf *b, double t, double now)
{
	if (num_none(t) || t <= 0) {
		buf_puts(b, "never");
		return;
	}
	buf_puts(b, "<time title=\"");
	look_moment(b, t, now);
	buf_puts(b, "\">");
	if (fabs(t - now) < 1)
		buf_puts(b, "now");
	else if (t > now) {
		buf_puts(b, "in ");
		look_span(b, t - now < 60 ? floor(t - now) :
		    floor((t - now) / 60) * 60);
	} else {
		look_span(b, now - t < 60 ? floor(now - t) :
		    floor((now - t) / 60) * 60);
		buf_puts(b, " ago");
	}
	buf_puts(b, "</time>");
}

static void
span(struct buf *b, double seconds)
{
	if (num_none(seconds) || seconds < 0)
		buf_puts(b, "-");
	else if (seconds < 1)
		buf_printf(b, "%.0f ms", seconds * 1000);
	else if (seconds < 10)
		buf_printf(b, "%.1f s", seconds);
	else
		look_span(b, floor(seconds));
}

/* --- what is wrong --- */

static const char *
class_of(const struct look *l, const struct incident *in)
{
	const char *word = look_word(l, in);

	if (in->state == INCIDENT_QUIET)
		return "over";
	if (strcmp(word, "acknowledged") == 0 ||
	    strcmp(word, "silenced") == 0 || strcmp(word, "inhibited") == 0 ||
	    strcmp(word, "pending") == 0)
		return "known";
	return in->level <= LEVEL_ERROR ? "bad" : "warn";
}

static void
names(struct buf *b, struct str alert, struct str script)
{
	buf_puts(b, "<a href=\"?alert=");
	url(b, alert);
	buf_puts(b, "#alerts\">");
	web_text(b, alert, 100);
	buf_puts(b, "</a>");
	if (!str_eq(alert, script) && script.n > 0) {
		buf_puts(b, " / ");
		web_text(b, script, 100);
	}
}

static void
incident(struct web *w, struct buf *b, const struct incident *in)
{
	const struct hush *q = look_silence(&w->look, in);
	const char *word = look_word(&w->look, in);

	buf_printf(b, "<article class=\"%s\"><p class=\"head\"><b>%s</b> ",
	    class_of(&w->look, in), level_name[(int)in->level]);
	buf_printf(b, "%s", word);
	if (in->state == INCIDENT_FIRES) {
		buf_puts(b, ", for ");
		look_span(b, incident_duration(in, w->now));
		buf_puts(b, ", since ");
		look_moment(b, in->fired, w->now);
	} else if (in->state == INCIDENT_PENDING) {
		buf_puts(b, ", for ");
		look_span(b, look_lasts(&w->look, in));
	} else {
		buf_puts(b, " ");
		when(b, in->ended, w->now);
		buf_puts(b, ", after ");
		look_span(b, incident_duration(in, w->now));
	}
	buf_puts(b, "</p><p class=\"message\">");
	web_text(b, in->message.n > 0 ? in->message : in->key, 500);
	buf_puts(b, "</p>");
	if (in->evidence.n > 0 && in->state != INCIDENT_QUIET) {
		buf_puts(b, "<pre>");
		web_text(b, in->evidence, 1000);
		buf_puts(b, "</pre>");
	}
	if (in->done.n > 0 && in->state != INCIDENT_QUIET) {
		struct str rest = in->done;
		size_t k;

		buf_puts(b, "<p>Done about it:</p><ul>");
		while (rest.n > 0) {
			k = str_find(rest, '\n', 0);
			buf_puts(b, "<li>");
			web_text(b, str_of(rest.p, k), 300);
			buf_puts(b, "</li>");
			k += k < rest.n;
			rest = str_of(rest.p + k, rest.n - k);
		}
		buf_puts(b, "</ul>");
	}
	buf_puts(b, "<p class=\"small\">");
	if (incident_is_acked(in)) {
		buf_puts(b, "acknowledged by ");
		web_text(b, in->acked_by, 100);
		if (in->acked_why.n > 0) {
			buf_puts(b, ": ");
			web_text(b, in->acked_why, 300);
		}
		buf_puts(b, " &middot; ");
	}
	if (q != NULL && in->state != INCIDENT_QUIET) {
		buf_puts(b, "silenced until ");
		look_moment(b, q->is.until, w->now);
		buf_puts(b, " by ");
		web_text(b, q->is.who, 100);
		buf_puts(b, ": ");
		web_text(b, q->is.why, 300);
		buf_puts(b, " &middot; ");
	}
	if (in->inhibited.n > 0 && in->state == INCIDENT_FIRES) {
		buf_puts(b, "not told of while ");
		web_text(b, in->inhibited, 200);
		buf_puts(b, " fires &middot; ");
	}
	names(b, in->alert, in->script);
	buf_puts(b, " &middot; <code>");
	web_text(b, in->key, 200);
	buf_puts(b, "</code>");
	if (in->state == INCIDENT_FIRES && !incident_is_acked(in)) {
		buf_puts(b, " &middot; <code>picket ack ");
		web_text(b, in->id, 0);
		buf_puts(b, "</code>");
	}
	buf_puts(b, "</p></article>");
}

static void
incidents(struct web *w, struct buf *b, bool all)
{
	size_t i, n = 0, over = 0;

	for (i = 0; i < w->nworst; i++) {
		if (w->worst[i]->state == INCIDENT_QUIET)
			break;
		if (n++ < LIM_HTTP_ROWS || all)
			incident(w, b, w->worst[i]);
	}
	if (n > LIM_HTTP_ROWS && !all)
		buf_printf(b, "<p><a href=\"?all=1\">and %zu more</a></p>",
		    n - LIM_HTTP_ROWS);
	for (; i < w->nworst && over < LIM_HTTP_ROWS; i++) {
		if (w->worst[i]->episode == 0 ||
		    (w->now - w->worst[i]->ended > ENDED_SHOWN && !all))
			continue;
		if (over++ == 0)
			buf_puts(b, "<details><summary>Over since yesterday"
			    "</summary>");
		incident(w, b, w->worst[i]);
	}
	if (over > 0)
		buf_puts(b, "</details>");
}

/* --- alerts --- */

static const json_t *
entries(const struct web *w)
{
	const json_t *a = json_object_get(w->status, "alerts");

	return json_is_array(a) ? a : NULL;
}

/* 2: its last run was bad; 1: it runs or waits; 0: nothing to say. */
static int
rank(const json_t *e)
{
	struct str result = text_of(e, "result");

	if (!str_none(result) && !str_eq(result, STR_LIT("ok")) &&
	    !str_eq(result, STR_LIT("none")) &&
	    !str_eq(result, STR_LIT("held")))
		return 2;
	return json_is_integer(json_object_get(e, "pid"));
}

static void
alert_row(struct web *w, struct buf *b, const json_t *e)
{
	struct str result = text_of(e, "result"),
	    status = text_of(e, "status");
	bool bad = rank(e) == 2;

	buf_printf(b, "<tr%s><td>", bad ? " class=\"bad\"" : "");
	names(b, text_of(e, "name"), STR_EMPTY);
	buf_puts(b, "<td>");
	if (json_is_true(json_object_get(e, "paused")))
		buf_puts(b, "paused");
	else if (!str_eq(status, STR_LIT("active")))
		web_text(b, status, 40);
	else if (json_is_integer(json_object_get(e, "pid")))
		buf_puts(b, "running");
	else
		web_text(b, str_none(result) ||
		    str_eq(result, STR_LIT("none")) ? STR_LIT("not yet run") :
		    result, 40);
	buf_puts(b, "<td>");
	when(b, number_of(e, "began"), w->now);
	buf_puts(b, "<td>");
	span(b, number_of(e, "took"));
	buf_puts(b, "<td>");
	if (num_none(number_of(e, "next")))
		buf_puts(b, "-");
	else
		when(b, number_of(e, "next"), w->now);
	buf_puts(b, "</tr>");
}

static void
alerts(struct web *w, struct buf *b, const struct web_query *q)
{
	const json_t *list = entries(w);
	size_t i, n = json_array_size(list), shown = 0;
	int r;

	if (n == 0)
		return;
	buf_printf(b, "<section id=\"alerts\"><h2>Alerts</h2><div "
	    "class=\"table\"><table><tr><th>Alert<th>State<th>Last run<th>"
	    "Took<th>Next</tr>");
	for (r = 2; r >= 0; r--)
		for (i = 0; i < n; i++) {
			const json_t *e = json_array_get(list, i);

			if (rank(e) != r || (!str_none(q->alert) &&
			    !str_eq(text_of(e, "name"), q->alert)))
				continue;
			if (shown++ < LIM_HTTP_ROWS || q->all)
				alert_row(w, b, e);
		}
	buf_puts(b, "</table></div>");
	if (shown > LIM_HTTP_ROWS && !q->all)
		buf_printf(b, "<p><a href=\"?all=1#alerts\">and %zu more</a>"
		    "</p>", shown - LIM_HTTP_ROWS);
	buf_puts(b, "</section>");
}

/* Scripts whose last runs were no good. */
static void
scripts(struct web *w, struct buf *b)
{
	size_t i, n = 0;

	for (i = 0; i < w->nowner && n < LIM_HTTP_ROWS; i++) {
		const struct web_owner *o = &w->owner[i];

		if (o->bad < 1)
			continue;
		if (n++ == 0)
			buf_puts(b, "<section><h2>Scripts with errors</h2><div "
			    "class=\"table\"><table><tr><th>Script<th>Failed "
			    "in a row<th>Runs<th>Good<th>Last</tr>");
		buf_puts(b, "<tr class=\"bad\"><td>");
		names(b, o->alert, o->script);
		buf_printf(b, "<td>%.0f<td>%.0f<td>%.0f<td>", o->bad, o->runs,
		    o->good);
		when(b, o->last, w->now);
		buf_puts(b, "</tr>");
	}
	if (n > 0)
		buf_puts(b, "</table></div></section>");
}

#define RUNS_HEAD "<tr><th>Alert<th>Result<th>When<th>Took<th>Lines<th></tr>"

static void
runs(struct web *w, struct buf *b, const struct web_query *q)
{
	struct web_run *r = w->run;
	size_t i, n = w->nrun;
	bool bad;

	if (!str_none(q->alert))
		n = web_runs(w, q->alert, 60, &r);
	if (n == 0)
		return;
	buf_puts(b, "<section><h2>Last runs</h2><div class=\"table\"><table>"
	    RUNS_HEAD);
	for (i = 0; i < n; i++) {
		if (i == RUNS_SHOWN)
			buf_printf(b, "</table></div><details><summary>%zu "
			    "before them</summary><div class=\"table\">"
			    "<table>" RUNS_HEAD, n - i);
		bad = !str_eq(r[i].result, STR_LIT("ok"));
		buf_printf(b, "<tr%s><td>", bad ? " class=\"bad\"" : "");
		names(b, r[i].alert, STR_EMPTY);
		buf_puts(b, "<td>");
		web_text(b, r[i].result, 40);
		buf_puts(b, "<td>");
		when(b, r[i].began, w->now);
		buf_puts(b, "<td>");
		span(b, r[i].ended - r[i].began);
		buf_puts(b, "<td>");
		if (!num_none(r[i].lines))
			web_number(b, r[i].lines);
		buf_puts(b, "<td>");
		if (r[i].reason.n > 0 &&
		    !str_eq(r[i].reason, STR_LIT("scheduled")))
			web_text(b, r[i].reason, 40);
		if (r[i].error.n > 0) {
			buf_puts(b, " ");
			web_text(b, r[i].error, 200);
		}
		buf_puts(b, "</tr>");
	}
	buf_puts(b, n > RUNS_SHOWN ? "</table></div></details></section>" :
	    "</table></div></section>");
}

/* --- graphs --- */

static void
spans(struct buf *b, const struct web_query *q)
{
	static const struct { double hours; const char *name; } span_of[] = {
		{ 6, "6 hours" }, { 24, "day" }, { 168, "week" },
		{ 720, "month" } };
	size_t i;

	buf_puts(b, "<p class=\"small\">");
	for (i = 0; i < sizeof span_of / sizeof span_of[0]; i++) {
		if (q->hours == span_of[i].hours)
			buf_printf(b, "<b>%s</b> ", span_of[i].name);
		else {
			buf_printf(b, "<a href=\"?hours=%.0f",
			    span_of[i].hours);
			if (!str_none(q->alert)) {
				buf_puts(b, "&amp;alert=");
				url(b, q->alert);
			}
			buf_printf(b, "#graphs\">%s</a> ", span_of[i].name);
		}
	}
	buf_puts(b, "</p>");
}

static void
graphs(struct web *w, struct buf *b, const struct web_query *q)
{
	struct web_step step[HTTP_STEPS + 1];
	double from = w->now - q->hours * 3600;
	const struct web_series *s;
	size_t i, k, shown = 0, left = 0;

	if (w->nseries == 0)
		return;
	buf_puts(b, "<section id=\"graphs\"><h2>Recorded values</h2>");
	spans(b, q);
	buf_puts(b, "<div class=\"graphs\">");
	for (i = 0; i < w->nseries; i++) {
		s = &w->series[i];
		if ((!str_none(q->alert) && !str_eq(s->alert, q->alert)) ||
		    s->time < from)
			continue;
		if (shown >= LIM_HTTP_GRAPHS && !q->all) {
			left++;
			continue;
		}
		k = web_steps(w, s, from, step);
		if (k == 0)
			continue;
		shown++;
		buf_puts(b, "<figure><figcaption><b>");
		web_text(b, s->name, 100);
		buf_puts(b, "</b><span class=\"small\">");
		names(b, s->alert, s->script);
		buf_puts(b, "</span><span class=\"value\">");
		web_number(b, s->value);
		buf_puts(b, "</span></figcaption>");
		web_graph(b, step, k, from, w->now, s->name);
		buf_puts(b, "</figure>");
	}
	buf_puts(b, "</div>");
	if (left > 0)
		buf_printf(b, "<p><a href=\"?all=1#graphs\">and %zu more</a>"
		    "</p>", left);
	buf_puts(b, "</section>");
}

/* --- the page --- */

/* The sentence that a person came for. */
static void
headline(struct web *w, struct buf *b)
{
	bool paused = json_is_true(json_object_get(w->status, "paused"));
	size_t n = web_firing(w), i, bad = 0;
	const json_t *list = entries(w);
	struct buf why;

	buf_init(&why, b->mem);
	web_health(w, &why);
	for (i = 0; i < json_array_size(list); i++)
		bad += rank(json_array_get(list, i)) == 2;
	if (!w->has_store)
		buf_puts(b, "<h1 class=\"bad\">It is not known how things are"
		    "</h1>");
	else if (n > 0)
		buf_printf(b, "<h1 class=\"%s\">%zu %s wrong</h1>",
		    w->worst[0]->level <= LEVEL_ERROR ? "bad" : "warn", n,
		    n == 1 ? "thing is" : "things are");
	else if ((w->talks && w->status == NULL) || paused || bad > 0)
		buf_puts(b, "<h1 class=\"warn\">Nothing fires, but not all is "
		    "watched</h1>");
	else if (why.n > 0 || w->tried > 0)
		buf_puts(b, "<h1 class=\"warn\">Nothing fires, but not all is "
		    "well</h1>");
	else
		buf_puts(b, "<h1 class=\"good\">All is well</h1>");
	if (bad > 0)
		buf_printf(b, "<p>%zu %s last run did not end well: "
		    "<a href=\"#alerts\">see below</a>.</p>", bad,
		    bad == 1 ? "alert's" : "alerts'");
	buf_free(&why);
}

static void
notes(struct web *w, struct buf *b)
{
	struct str rest, line;
	struct buf why;
	size_t k;

	buf_init(&why, b->mem);
	web_health(w, &why);
	rest = buf_view(&why);
	while (rest.n > 0) {
		k = str_find(rest, '\n', 0);
		line = str_of(rest.p, k);
		buf_puts(b, "<p class=\"note bad\">");
		web_text(b, line, 500);
		buf_puts(b, "</p>");
		k += k < rest.n;
		rest = str_of(rest.p + k, rest.n - k);
	}
	buf_free(&why);
	if (json_is_true(json_object_get(w->status, "paused")))
		buf_puts(b, "<p class=\"note warn\">Paused: nothing is run "
		    "until <code>picket resume</code>.</p>");
	if (json_is_true(json_object_get(w->status, "disarmed")))
		buf_puts(b, "<p class=\"note warn\">Disarmed: what rules would "
		    "do is only told of, until <code>picket arm</code>.</p>");
	if (w->tried > 0)
		buf_printf(b, "<p class=\"note warn\">%.0f %s could not be "
		    "sent yet and %s tried again: <code>picket outbox</code>"
		    "</p>", w->tried, w->tried == 1 ? "notice" : "notices",
		    w->tried == 1 ? "is" : "are");
}

static void
foot(struct web *w, struct buf *b)
{
	struct str version = text_of(w->status, "version");
	double began = number_of(w->status, "started");

	buf_puts(b, "<footer>");
	web_text(b, w->host, 100);
	buf_puts(b, ", ");
	look_moment(b, w->now, 0);
	if (!str_none(version)) {
		buf_puts(b, " &middot; picket ");
		web_text(b, version, 40);
	}
	if (!num_none(began)) {
		buf_puts(b, ", up for ");
		look_span(b, w->now - began);
	}
	buf_puts(b, " &middot; <a href=\"/metrics\">metrics</a> &middot; "
	    "<a href=\"/api/v1\">api</a></footer>");
}

void
web_page(struct web *w, const struct web_query *q, struct buf *b)
{
	size_t n = web_firing(w);

	buf_puts(b, "<!DOCTYPE html><html lang=\"en\"><head><meta charset="
	    "\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,"
	    "initial-scale=1\"><meta name=\"color-scheme\" content=\"light "
	    "dark\"><meta http-equiv=\"refresh\" content=\"60\"><title>");
	if (n > 0)
		buf_printf(b, "(%zu) ", n);
	web_text(b, w->host, 100);
	buf_puts(b, "</title><style>" HTTP_STYLE "</style></head><body>"
	    "<header><a href=\"/\">");
	web_text(b, w->host, 100);
	buf_puts(b, "</a></header><main>");
	if (!str_none(q->alert)) {
		buf_puts(b, "<p><a href=\"/\">&larr; everything</a></p><h1>");
		web_text(b, q->alert, 100);
		buf_puts(b, "</h1>");
	} else
		headline(w, b);
	notes(w, b);
	if (str_none(q->alert)) {
		incidents(w, b, q->all);
		scripts(w, b);
	} else {
		size_t i;

		for (i = 0; i < w->nworst; i++)
			if (str_eq(w->worst[i]->alert, q->alert) &&
			    w->worst[i]->episode > 0)
				incident(w, b, w->worst[i]);
	}
	alerts(w, b, q);
	graphs(w, b, q);
	runs(w, b, q);
	buf_puts(b, "</main>");
	foot(w, b);
	buf_puts(b, "</body></html>\n");
}
