/*
 * pagerduty: changes of incidents as events of PagerDuty's Events API v2.  An
 * incident of theirs is its dedup_key: ours is the incident's id and host, so
 * what is sent twice is one, and its end finds it.
 */
#include <jansson.h>
#include <stdlib.h>

#include "engine/deliver/http.h"
#include "engine/deliver/items.h"

#define PAGERDUTY_URL	"https://events.pagerduty.com/v2/enqueue"
/* The vendor's limits. */
#define LIM_SUMMARY	1024	/* characters */
#define LIM_DEDUP	255	/* characters */
#define LIM_EVENT	(512 * 1024) /* bytes of a request */
#define LIM_DETAIL	8000	/* bytes of each of our nine details: as JSON six
				 * times that, so all are within LIM_EVENT */

_Static_assert(9 * 6 * LIM_DETAIL + 8 * (LIM_SUMMARY + LIM_DEDUP) < LIM_EVENT,
    "no event is too long");

static const char *
severity(enum level l)
{
	static const char *const name[LEVEL_COUNT] = {
		[LEVEL_EMERGENCY] = "critical", [LEVEL_URGENT] = "critical",
		[LEVEL_CRITICAL] = "critical", [LEVEL_ERROR] = "error",
		[LEVEL_WARNING] = "warning", [LEVEL_NOTICE] = "info",
		[LEVEL_INFO] = "info", [LEVEL_DEBUG] = "info" };

	return name[l];
}

static const char *
action(const struct item *it)
{
	if (it->change && str_eq(it->what, STR_LIT("resolved")))
		return "resolve";
	if (it->change && (str_eq(it->what, STR_LIT("acknowledged")) ||
	    str_eq(it->what, STR_LIT("silenced"))))
		return "acknowledge";	/* somebody has seen it */
	return "trigger";
}

static void
put(json_t *o, const char *name, struct str value, size_t most,
    struct mem *m)
{
	struct buf b;

	if (value.n == 0)
		return;
	buf_init(&b, m);
	text_cut(&b, value, TEXT_UTF16, most);
	json_object_set_new(o, name, json_stringn(b.p, b.n));
	buf_free(&b);
}

/*
 * Of an incident: ID@HOST.  Else HOST/ALERT/SCRIPT: the same findings of the
 * same script are one incident of theirs, as long as nobody resolves it.  What
 * is cut keeps apart what is longer by a number made of all of it.
 */
static void
put_key(json_t *o, const struct items *all, const struct item *it,
    struct mem *m)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	struct buf b;
	size_t i;

	buf_init(&b, m);
	if (it->change && it->id.n > 0) {
		buf_str(&b, it->id);
		buf_putc(&b, '@');
		buf_str(&b, all->host);
	} else {
		buf_str(&b, all->host);
		buf_putc(&b, '/');
		buf_str(&b, all->alert);
		buf_putc(&b, '/');
		buf_str(&b, it->change ? it->key : it->script);
	}
	for (i = 0; i < b.n; i++)	/* FNV-1a */
		h = (h ^ (unsigned char)b.p[i]) * UINT64_C(0x100000001b3);
	if (text_units(buf_view(&b), TEXT_UTF16) > LIM_DEDUP) {
		struct buf cut;

		buf_init(&cut, m);
		text_cut(&cut, buf_view(&b), TEXT_UTF16, LIM_DEDUP - 16);
		buf_printf(&cut, "%016llx", (unsigned long long)h);
		put(o, "dedup_key", buf_view(&cut), LIM_DEDUP, m);
		buf_free(&cut);
	} else
		put(o, "dedup_key", buf_view(&b), LIM_DEDUP, m);
	buf_free(&b);
}

static json_t *
payload(const struct items *all, const struct item *it, struct mem *m)
{
	json_t *o = json_object(), *details = json_object();
	char when[TEXT_TIME_MAX];
	struct buf b;

	buf_init(&b, m);
	items_line(it, &b);
	put(o, "summary", it->change && it->message.n > 0 ? it->message :
	    b.n > 0 ? buf_view(&b) : STR_LIT("Picket"), LIM_SUMMARY, m);
	buf_free(&b);
	put(o, "source", all->host, LIM_SUMMARY, m);
	json_object_set_new(o, "severity", json_string(severity(it->level)));
	text_time(it->fired > 0 ? it->fired : all->time, when);
	json_object_set_new(o, "timestamp", json_string(when));
	put(o, "component", it->script, LIM_DEDUP, m);
	put(o, "group", all->alert, LIM_DEDUP, m);
	put(details, "state", it->says, LIM_DETAIL, m);
	put(details, "incident", it->key, LIM_DETAIL, m);
	put(details, "evidence", it->evidence, LIM_DETAIL, m);
	put(details, "place", it->place, LIM_DETAIL, m);
	put(details, "done", it->done, LIM_DETAIL, m);
	put(details, "lines", it->lines, LIM_DETAIL, m);
	put(details, "who", it->who, LIM_DETAIL, m);
	put(details, "why", it->why, LIM_DETAIL, m);
	put(details, "notice", all->id, LIM_DETAIL, m);
	json_object_set_new(o, "custom_details", details);
	return o;
}

static enum outcome
post(struct attempt *a, const struct items *all, const struct item *it,
    const char *key, double timeout)
{
	const struct transport *t = a->transport;
	struct http_request r = { .method = "POST", .type = "application/json",
	    .timeout = timeout, .secret = key,
	    .url = transport_has(t, OPTION_URL) ? t->arg[OPTION_URL] :
	    STR_LIT(PAGERDUTY_URL) };
	struct http_answer w;
	enum outcome o;
	json_t *event = json_object();
	char *body;

	/* with an escape where it is none of theirs: their answer is 400 */
	json_object_set_new(event, "routing_key", json_string(key));
	json_object_set_new(event, "event_action", json_string(action(it)));
	put_key(event, all, it, a->why->mem);
	json_object_set_new(event, "client", json_string("Picket"));
	json_object_set_new(event, "payload", payload(all, it, a->why->mem));
	body = json_dumps(event, JSON_COMPACT);
	json_decref(event);
	http_answer_init(&w, a->why->mem);
	if (body != NULL) {
		r.body = str_c(body);
		o = http_do(a, &r, &w);
		explicit_bzero(body, strlen(body));
	} else {
		buf_puts(a->why, "the notice does not fit into a request");
		o = OUTCOME_FAIL;
	}
	http_answer_free(&w);
	free(body);
	return o;
}

/*
 * One request an event, all within the attempt's time.  After one that is
 * refused the others are sent all the same; after a server that does not
 * answer they are not.  What was taken is sent again with the rest, and is the
 * same event there.
 */
static enum outcome
pagerduty_send(struct attempt *a)
{
	char key[LIM_SECRET + 1];
	double end = clock_steady() + a->transport->timeout, left;
	enum outcome all = OUTCOME_OK, o;
	struct items items;
	size_t i, from;

	if (!http_secret(a, OPTION_KEYFILE, key))
		return OUTCOME_RETRY;	/* somebody may set it right */
	items_read(&items, a);
	for (i = 0; i < items.n; i++) {
		from = a->why->n;
		left = end - clock_steady();
		if (left <= 0) {
			buf_printf(a->why, "%zu of %zu events were sent in "
			    "time", i, items.n);
			all = OUTCOME_RETRY;
			break;
		}
		o = post(a, &items, &items.item[i], key, left);
		if (o == OUTCOME_OK && i + 1 < items.n)
			a->why->n = from;	/* one answer is enough */
		if (o == OUTCOME_RETRY) {
			all = o;
			break;
		}
		if (o == OUTCOME_FAIL) {
			all = o;
			buf_puts(a->why, i + 1 < items.n ? "; " : "");
		}
	}
	explicit_bzero(key, sizeof key);
	return all;
}

const struct sender pagerduty_sender = {
	.name = "pagerduty",
	.send = pagerduty_send,
};
