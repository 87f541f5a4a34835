/* look: see look.h. */
#include "engine/daemon/look.h"

#include <stdio.h>
#include <time.h>

#include "lang/base/num.h"
#include "lang/code/program.h"
#include "engine/vm/when.h"

#define SILENCES	1000	/* that are over are read at most; all that hold */

/* id pattern made until ended who why */
static void
take_silence(void *arg, const struct str *column, unsigned n)
{
	struct look *h = arg;
	struct arena *a = h->arena;
	struct hush *more, *q;

	if (n < 7)
		return;
	if (h->nquiet == h->capquiet) {
		h->capquiet = h->capquiet == 0 ? 16 : 2 * h->capquiet;
		more = arena_alloc(a, h->capquiet * sizeof *more);
		if (h->nquiet > 0)
			memcpy(more, h->quiet, h->nquiet * sizeof *more);
		h->quiet = more;
	}
	q = &h->quiet[h->nquiet++];
	silence_of_row(&q->is, column, a, &q->n, &q->ended);
}

bool
look_load(struct look *h, struct mem *mem, struct arena *arena,
    struct state *st, double now)
{
	memset(h, 0, sizeof *h);
	h->mem = mem;
	h->arena = arena;
	h->now = now;
	incidents_init(&h->incidents, mem);
	if (incidents_load(&h->incidents, st, Q_INCIDENT_ALL, NULL) &&
	    state_ask(st, Q_SILENCE_LIST, (const struct param[]){ PN(SILENCES) },
	    take_silence, h))
		return true;
	incidents_free(&h->incidents);
	return false;
}

void
look_free(struct look *h)
{
	incidents_free(&h->incidents);
}

bool
hush_holds(const struct hush *q, double now)
{
	struct incident any;

	if (q->ended != 0)
		return false;
	incident_new(&any, q->is.pattern);
	return silence_holds(&q->is, &any, now);
}

const struct hush *
look_silence(const struct look *h, const struct incident *in)
{
	const struct hush *q, *longest = NULL;
	size_t i;

	for (i = 0; i < h->nquiet; i++) {
		q = &h->quiet[i];
		if (q->ended == 0 && silence_holds(&q->is, in, h->now) &&
		    (longest == NULL || q->is.until > longest->is.until))
			longest = q;
	}
	return longest;
}

const char *
look_word(const struct look *h, const struct incident *in)
{
	if (in->state == INCIDENT_QUIET)
		return incident_is_unknown(in) ? "unknown" : in->episode == 0 ?
		    "quiet" : incident_end_name[(int)in->how];
	if (look_silence(h, in) != NULL)
		return "silenced";
	if (in->state == INCIDENT_PENDING)
		return "pending";
	if (incident_is_acked(in))
		return "acknowledged";
	if (in->inhibited.n > 0)
		return "inhibited";
	if (in->flapping != 0)
		return "flapping";
	return incident_is_unknown(in) ? "unknown" : "firing";
}

int
look_worse(const void *pa, const void *pb)
{
	const struct incident *a = *(struct incident *const *)pa,
	    *b = *(struct incident *const *)pb;

	if (a->state != b->state)
		return a->state > b->state ? -1 : 1;
	if (a->state != INCIDENT_QUIET && a->level != b->level)
		return a->level < b->level ? -1 : 1;
	if (a->fired != b->fired)
		return a->fired > b->fired ? -1 : 1;
	return str_cmp(a->key, b->key);
}

/* How long it has been what it is. */
double
look_lasts(const struct look *h, const struct incident *in)
{
	switch ((int)in->state) {
	case INCIDENT_FIRES:
		return h->now - in->fired;
	case INCIDENT_PENDING:
		return h->now - in->since;
	default:
		return in->episode == 0 ? h->now - in->seen :
		    h->now - in->ended;
	}
}

void
look_moment(struct buf *b, double t, double now)
{
	time_t at = (time_t)t, here = (time_t)now;
	struct tm tm, today;
	char text[64];

	if (localtime_r(&at, &tm) == NULL ||
	    localtime_r(&here, &today) == NULL) {
		buf_printf(b, "%.0f", t);
		return;
	}
	(void)strftime(text, sizeof text, tm.tm_yday == today.tm_yday &&
	    tm.tm_year == today.tm_year ? "%H:%M" : "%Y-%m-%d %H:%M", &tm);
	buf_puts(b, text);
}

void
look_span(struct buf *b, double seconds)
{
	char t[WHEN_SPAN_MAX];

	buf_add(b, t, when_span(seconds > 0 ? seconds : 0, t));
}

json_t *
look_json_text(struct mem *m, struct str s)
{
	json_t *t;
	struct buf b;

	if (str_none(s))
		return json_null();
	t = json_stringn(s.p, s.n);
	if (t != NULL)
		return t;
	buf_init(&b, m);
	buf_escaped(&b, s, 0);
	t = json_stringn(buf_view(&b).p, b.n);
	buf_free(&b);
	return t;
}

json_t *
look_json_number(double d)
{
	return num_is_int(d) ? json_integer((json_int_t)d) : json_real(d);
}

json_t *
look_json_incident(const struct look *h, const struct incident *in)
{
	const struct hush *q;
	json_t *o = json_object(), *list, *ack;
	size_t i;

#define T(name) json_object_set_new(o, #name, look_json_text(h->mem, in->name));
#define N(name) json_object_set_new(o, #name, look_json_number(in->name));
#define B(name, is) json_object_set_new(o, name, json_boolean(is));
	T(key) T(id)
	json_object_set_new(o, "state",
	    json_string(incident_state_name[(int)in->state]));
	json_object_set_new(o, "shown", json_string(look_word(h, in)));
	json_object_set_new(o, "level", json_string(level_name[(int)in->level]));
	T(alert) T(script) T(message) T(evidence) T(place) T(done) T(unless)
	T(inhibited)
	N(episode) N(since) N(fired) N(ended)
	json_object_set_new(o, "how",
	    json_string(incident_end_name[(int)in->how]));
	json_object_set_new(o, "duration", in->episode == 0 ? json_null() :
	    look_json_number(incident_duration(in, h->now)));
	N(hold) N(remind) N(absent)
	B("unknown", incident_is_unknown(in))
	B("flapping", in->flapping != 0)
	B("told", in->told != 0 && in->told == in->episode)
#undef T
#undef N
#undef B
	ack = json_null();
	if (incident_is_acked(in)) {
		ack = json_object();
		json_object_set_new(ack, "by",
		    look_json_text(h->mem, in->acked_by));
		json_object_set_new(ack, "at", look_json_number(in->acked_at));
		json_object_set_new(ack, "why",
		    look_json_text(h->mem, in->acked_why));
	}
	json_object_set_new(o, "acknowledged", ack);
	list = json_array();
	for (i = 0; i < h->nquiet; i++) {
		q = &h->quiet[i];
		if (q->ended == 0 && silence_holds(&q->is, in, h->now))
			json_array_append_new(list,
			    look_json_text(h->mem, q->is.id));
	}
	json_object_set_new(o, "silences", list);
	return o;
}

json_t *
look_json_silence(const struct look *h, const struct hush *q)
{
	json_t *o = json_object();

	json_object_set_new(o, "id", look_json_text(h->mem, q->is.id));
	json_object_set_new(o, "pattern", look_json_text(h->mem, q->is.pattern));
	json_object_set_new(o, "holds", json_boolean(hush_holds(q, h->now)));
	json_object_set_new(o, "made", look_json_number(q->is.made));
	json_object_set_new(o, "until", look_json_number(q->is.until));
	json_object_set_new(o, "ended", look_json_number(q->ended));
	json_object_set_new(o, "who", look_json_text(h->mem, q->is.who));
	json_object_set_new(o, "why", look_json_text(h->mem, q->is.why));
	return o;
}
