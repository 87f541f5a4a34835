/*
 * alertmanager: changes of incidents become alerts of Prometheus's
 * Alertmanager, which groups, silences and routes them.
 *
 * An alert is its labels: nothing in them changes while an incident lasts.
 * It lasts until endsAt, or until its end is told, and the outbox sees to it
 * that it is told.  Nothing else may end it: most incidents have no reminder,
 * and none comes while one is acknowledged, silenced or flaps.  So endsAt is a
 * month ahead, unless the option resend promises reminders: then four of them,
 * so that a late one does not resolve it.  What has no incident (lines of a
 * script) is an alert for an hour, or the time of one reminder.
 *
 * Members of a cluster tell each other what they have passed on, not what they
 * were sent: so each is sent to, and one that takes it is enough.
 */
#include <jansson.h>
#include <stdlib.h>

#include "engine/deliver/http.h"
#include "engine/deliver/items.h"
#include "engine/deliver/target.h"
#include "engine/vm/clock.h"

#define LIM_LABEL	1000	/* bytes of a label: keys and names have half */
#define LIM_ANNOTATION	8000	/* bytes: what a notification shows */
#define LASTS		4	/* times resend: see above */
#define LASTS_UNSAID	(31 * 86400.0)	/* seconds, without resend */

static void
put(json_t *o, const char *name, struct str value, size_t most,
    struct mem *m)
{
	struct buf b;

	if (value.n == 0)
		return;		/* an empty label is one that is not there */
	buf_init(&b, m);
	text_cut(&b, value, TEXT_BYTES, most);
	json_object_set_new(o, name, json_stringn(b.p, b.n));
	buf_free(&b);
}

static void
put_time(json_t *o, const char *name, double when)
{
	char text[TEXT_TIME_MAX];

	text_time(when, text);
	json_object_set_new(o, name, json_string(text));
}

static json_t *
labels(const struct items *all, const struct item *it, struct mem *m)
{
	json_t *o = json_object();

	put(o, "alertname", it->script.n > 0 ? it->script : all->alert.n > 0 ?
	    all->alert : STR_LIT("Picket"), LIM_LABEL, m);
	put(o, "host", all->host, LIM_LABEL, m);
	put(o, "alert", all->alert, LIM_LABEL, m);
	put(o, "script", it->script, LIM_LABEL, m);
	put(o, "level", str_c(level_name[it->level]), LIM_LABEL, m);
	put(o, "incident", it->key, LIM_LABEL, m);
	put(o, "picket", it->id, LIM_LABEL, m);
	return o;
}

static json_t *
annotations(const struct items *all, const struct item *it, struct mem *m)
{
	json_t *o = json_object();

	put(o, "summary", it->message.n > 0 ? it->message : all->subject,
	    LIM_ANNOTATION, m);
	put(o, "description", it->lines, LIM_ANNOTATION, m);
	put(o, "state", it->says, LIM_ANNOTATION, m);
	put(o, "evidence", it->evidence, LIM_ANNOTATION, m);
	put(o, "place", it->place, LIM_ANNOTATION, m);
	put(o, "done", it->done, LIM_ANNOTATION, m);
	put(o, "who", it->who, LIM_ANNOTATION, m);
	put(o, "why", it->why, LIM_ANNOTATION, m);
	put(o, "notice", all->id, LIM_ANNOTATION, m);
	return o;
}

static json_t *
alert(const struct items *all, const struct item *it,
    const struct transport *t, struct mem *m)
{
	double now = clock_wall(), begin, end;
	json_t *o = json_object();

	begin = it->fired > 0 ? it->fired : it->since > 0 ? it->since :
	    all->time;
	if (!it->change)
		end = now + t->resend;
	else if (str_eq(it->what, STR_LIT("resolved")))
		end = it->ended > 0 && it->ended < now ? it->ended : now;
	else if (transport_has(t, OPTION_RESEND))
		end = now + LASTS * t->resend;
	else
		end = now + LASTS_UNSAID;
	if (begin > end)	/* refused: a clock that was set back */
		begin = end;
	json_object_set_new(o, "labels", labels(all, it, m));
	json_object_set_new(o, "annotations", annotations(all, it, m));
	put_time(o, "startsAt", begin);
	put_time(o, "endsAt", end);
	return o;
}

/* A script that has a change as well is in that change. */
static bool
told_by_change(const struct items *all, const struct item *it)
{
	size_t i;

	if (it->change)
		return false;
	for (i = 0; i < all->n; i++)
		if (all->item[i].change &&
		    str_eq(all->item[i].script, it->script))
			return true;
	return false;
}

static char *
make(const struct attempt *a)
{
	json_t *list = json_array();
	struct items all;
	char *body;
	size_t i;

	items_read(&all, a);
	for (i = 0; i < all.n; i++)
		if (!told_by_change(&all, &all.item[i]))
			json_array_append_new(list, alert(&all, &all.item[i],
			    a->transport, a->why->mem));
	body = json_dumps(list, JSON_COMPACT);
	json_decref(list);
	return body;
}

static enum outcome
post_to(struct attempt *a, struct str base, struct http_request *r)
{
	struct http_answer w;
	enum outcome o;
	struct buf url;

	buf_init(&url, a->why->mem);
	http_answer_init(&w, a->why->mem);
	while (str_ends(base, "/"))
		base.n--;
	buf_str(&url, base);
	buf_puts(&url, "/api/v2/alerts");
	r->url = buf_view(&url);
	o = http_do(a, r, &w);
	http_answer_free(&w);
	buf_free(&url);
	return o;
}

/*
 * Each member gets its part of the time, so that one that stalls leaves the
 * others theirs.  A 400 is the last word: what of the list was right is
 * stored even so, and the same list gets the same answer.
 */
static enum outcome
post(struct attempt *a, struct http_request *r)
{
	const struct transport *t = a->transport;
	enum outcome all = OUTCOME_FAIL, o;
	struct str host = STR_EMPTY;
	size_t i, from;

	r->timeout = t->timeout / (double)t->nurl;
	for (i = 0; i < t->nurl; i++) {
		if (i > 0)
			buf_puts(a->why, "; ");
		if (t->nurl > 1) {
			target_url_fault(t->url[i], &host);
			buf_str(a->why, host);
			buf_puts(a->why, ": ");
		}
		from = a->why->n;
		o = post_to(a, t->url[i], r);
		if (o == OUTCOME_OK) {
			a->why->n = from;
			buf_puts(a->why, "taken");
		}
		if (o == OUTCOME_OK || (o == OUTCOME_RETRY &&
		    all == OUTCOME_FAIL))
			all = o;
	}
	return all;
}

static enum outcome
alertmanager_send(struct attempt *a)
{
	char password[LIM_SECRET + 1] = "", token[LIM_SECRET + 1] = "";
	const struct transport *t = a->transport;
	struct http_request r = { .method = "POST", .type =
	    "application/json" };
	enum outcome o = OUTCOME_FAIL;
	char *body;

	if ((transport_has(t, OPTION_PASSFILE) &&
	    !http_secret(a, OPTION_PASSFILE, password)) ||
	    (transport_has(t, OPTION_TOKENFILE) &&
	    !http_secret(a, OPTION_TOKENFILE, token)))
		return OUTCOME_RETRY;	/* somebody may set it right */
	r.password = password[0] != '\0' ? password : NULL;
	r.bearer = token[0] != '\0' ? token : NULL;
	body = make(a);
	if (body != NULL) {
		r.body = str_c(body);
		o = post(a, &r);
	} else
		buf_puts(a->why, "the notice does not fit into a request");
	explicit_bzero(password, sizeof password);
	explicit_bzero(token, sizeof token);
	free(body);
	return o;
}

const struct sender alertmanager_sender = {
	.name = "alertmanager",
	.send = alertmanager_send,
};
