/*
 * http_metrics: what Prometheus reads, in its text format 0.0.4 (wire.md): of
 * each name HELP and TYPE once, then its samples together.  Labels hold names,
 * no pids, values or times.
 */
#include "engine/daemon/http.h"

#include <math.h>

#include "lang/base/num.h"

static void
label(struct buf *b, const char *name, struct str value, bool first)
{
	struct buf t;
	size_t i;

	buf_init(&t, b->mem);
	buf_escaped(&t, str_none(value) ? STR_EMPTY : value, 500);
	buf_printf(b, "%s%s=\"", first ? "{" : ",", name);
	for (i = 0; i < t.n; i++) {
		if (t.p[i] == '\\' || t.p[i] == '"')
			buf_putc(b, '\\');
		if (t.p[i] == '\n')
			buf_puts(b, "\\n");
		else
			buf_putc(b, t.p[i]);
	}
	buf_putc(b, '"');
	buf_free(&t);
}

static void
value(struct buf *b, double d)
{
	if (num_none(d) || isnan(d))
		buf_puts(b, " NaN\n");
	else if (isinf(d))
		buf_puts(b, d > 0 ? " +Inf\n" : " -Inf\n");
	else
		buf_printf(b, " %.17g\n", d);
}

static void
head(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
single(struct buf *b, const char *name, const char *type, const char *help,
    double d)
{
	head(b, name, type, help);
	buf_puts(b, name);
	value(b, d);
}

static double
number_of(const json_t *o, const char *name)
{
	const json_t *n = json_object_get(o, name);

	if (json_is_boolean(n))
		return json_is_true(n);
	return json_is_number(n) ? json_number_value(n) : NUM_NIL;
}

static struct str
text_of(const json_t *o, const char *name)
{
	const json_t *t = json_object_get(o, name);

	return json_is_string(t) ? str_of(json_string_value(t),
	    json_string_length(t)) : STR_NIL;
}

/* A number of each alert, from the scheduler's answer; by: 1, or what it is
 * to be divided by. */
static void
each_alert(struct web *w, struct buf *b, const char *name, const char *type,
    const char *help, const char *field)
{
	const json_t *list = json_object_get(w->status, "alerts"), *e;
	size_t i, n = json_array_size(list), shown = 0;
	double d;

	for (i = 0; i < n && shown < LIM_HTTP_METRIC; i++) {
		e = json_array_get(list, i);
		d = number_of(e, field);
		if (num_none(d))
			continue;
		if (shown++ == 0)
			head(b, name, type, help);
		buf_puts(b, name);
		label(b, "alert", text_of(e, "name"), true);
		buf_putc(b, '}');
		value(b, d);
	}
}

static void
scheduler(struct web *w, struct buf *b)
{
	const json_t *s = w->status, *list, *e;
	size_t i;

	single(b, "picket_up", "gauge", "Whether the scheduler answers.",
	    s != NULL);
	if (s == NULL)
		return;
	single(b, "picket_start_time_seconds", "gauge",
	    "When picketd was started.", number_of(s, "started"));
	single(b, "picket_configuration_good", "gauge",
	    "Whether the configuration on the disk is the one in force.",
	    number_of(json_object_get(s, "reload"), "good"));
	single(b, "picket_paused", "gauge", "Whether nothing is run.",
	    number_of(s, "paused"));
	single(b, "picket_disarmed", "gauge",
	    "Whether rules only tell what they would do.",
	    number_of(s, "disarmed"));
	list = json_object_get(s, "totals");
#define TOTAL(name, field, help) do {					\
	if (!num_none(number_of(list, field)))				\
		single(b, "picket_runs_" name "_total", "counter", help,	\
		    number_of(list, field));				\
	} while (0)
	TOTAL("started", "started", "Runs of alerts that were started.");
	TOTAL("failed", "failed", "Runs that did not end well.");
	TOTAL("skipped", "skipped",
	    "Due times that were skipped, as the run before went on.");
	TOTAL("died", "died", "Runs that a signal ended.");
#undef TOTAL
	if (!num_none(number_of(s, "late_max")))
		single(b, "picket_late_seconds_max", "gauge", "The most that "
		    "a run was started after it was due, since start.",
		    number_of(s, "late_max"));
	list = json_object_get(s, "services");
	for (i = 0; i < json_array_size(list); i++) {
		if (i == 0)
			head(b, "picket_process_crashes_total", "counter",
			    "How often a process of Picket's own has ended "
			    "by itself.");
		e = json_array_get(list, i);
		buf_puts(b, "picket_process_crashes_total");
		label(b, "process", text_of(e, "name"), true);
		buf_putc(b, '}');
		value(b, number_of(e, "crashes"));
	}
	each_alert(w, b, "picket_alert_last_run_timestamp_seconds", "gauge",
	    "When the alert was last started.", "began");
	each_alert(w, b, "picket_alert_last_duration_seconds", "gauge",
	    "How long its last run took.", "took");
	each_alert(w, b, "picket_alert_next_run_timestamp_seconds", "gauge",
	    "When it is due next.", "next");
	list = json_object_get(s, "alerts");
	for (i = 0; i < json_array_size(list) && i < LIM_HTTP_METRIC; i++) {
		struct str r;

		if (i == 0)
			head(b, "picket_alert_last_run_good", "gauge",
			    "1 if its last run ended well, 0 if not; no "
			    "sample before the first.");
		e = json_array_get(list, i);
		r = text_of(e, "result");
		if (str_none(r) || str_eq(r, STR_LIT("none")))
			continue;
		buf_puts(b, "picket_alert_last_run_good");
		label(b, "alert", text_of(e, "name"), true);
		buf_putc(b, '}');
		value(b, str_eq(r, STR_LIT("ok")) || str_eq(r,
		    STR_LIT("held")));
	}
}

static void
state(struct web *w, struct buf *b)
{
	double count[LEVEL_COUNT] = { 0 };
	const struct incident *in;
	size_t i, shown = 0;

	single(b, "picket_store_up", "gauge", "Whether the store answers.",
	    w->has_store);
	if (!w->has_store)
		return;
	for (i = 0; i < w->nworst; i++)
		if (w->worst[i]->state == INCIDENT_FIRES)
			count[(int)w->worst[i]->level]++;
	head(b, "picket_incidents_firing", "gauge",
	    "Incidents that last, by level.");
	for (i = 0; i < LEVEL_COUNT; i++) {
		buf_puts(b, "picket_incidents_firing");
		label(b, "level", str_c(level_name[i]), true);
		buf_putc(b, '}');
		value(b, count[i]);
	}
	for (i = 0; i < w->nworst && shown < LIM_HTTP_METRIC; i++) {
		in = w->worst[i];
		if (in->state != INCIDENT_FIRES)
			break;
		if (shown++ == 0)
			head(b, "picket_incident_since_seconds", "gauge",
			    "When an incident that lasts began.");
		buf_puts(b, "picket_incident_since_seconds");
		label(b, "key", in->key, true);
		label(b, "alert", in->alert, false);
		label(b, "script", in->script, false);
		label(b, "level", str_c(level_name[(int)in->level]), false);
		label(b, "state", str_c(look_word(&w->look, in)), false);
		buf_putc(b, '}');
		value(b, in->fired);
	}
	single(b, "picket_outbox_waiting", "gauge",
	    "Notices that are to be sent.", w->waiting);
	single(b, "picket_outbox_dead", "gauge",
	    "Notices that were given up.", w->dead);
	single(b, "picket_outbox_oldest_seconds", "gauge",
	    "How long the oldest notice has waited.",
	    num_none(w->oldest) ? 0 : w->now - w->oldest);
	for (i = 0; i < w->nowner && i < LIM_HTTP_METRIC; i++) {
		if (i == 0)
			head(b, "picket_script_runs_total", "counter",
			    "Runs of a script.");
		buf_puts(b, "picket_script_runs_total");
		label(b, "alert", w->owner[i].alert, true);
		label(b, "script", w->owner[i].script, false);
		buf_putc(b, '}');
		value(b, w->owner[i].runs);
	}
	for (i = 0; i < w->nowner && i < LIM_HTTP_METRIC; i++) {
		if (i == 0)
			head(b, "picket_script_bad_runs_in_a_row", "gauge",
			    "How many runs in a row have not ended well.");
		buf_puts(b, "picket_script_bad_runs_in_a_row");
		label(b, "alert", w->owner[i].alert, true);
		label(b, "script", w->owner[i].script, false);
		buf_putc(b, '}');
		value(b, w->owner[i].bad);
	}
	for (i = 0; i < w->nseries && i < LIM_HTTP_METRIC; i++) {
		if (i == 0)
			head(b, "picket_recorded_value", "gauge",
			    "The newest value of a time series (record).");
		buf_puts(b, "picket_recorded_value");
		label(b, "alert", w->series[i].alert, true);
		label(b, "script", w->series[i].script, false);
		label(b, "series", w->series[i].name, false);
		buf_putc(b, '}');
		value(b, w->series[i].value);
	}
}

void
web_metrics(struct web *w, struct buf *b)
{
	head(b, "picket_build_info", "gauge", "The version that runs.");
	buf_puts(b, "picket_build_info");
	label(b, "version", STR_LIT(PACKAGE_VERSION), true);
	buf_puts(b, "} 1\n");
	scheduler(w, b);
	state(w, b);
}
