/*
 * queue_postfix: postqueue -j (Postfix 3.1), a JSON object a line:
 *
 *	{"queue_name": "deferred", "queue_id": "4W1", "arrival_time": 17000,
 *	 "message_size": 312, "forced_expire": false, "sender": "a@b",
 *	 "recipients": [{"address": "c@d", "delay_reason": "..."}]}
 *
 * The spool itself belongs to Postfix alone, and its files change under who
 * reads them.
 */
#include <jansson.h>
#include <string.h>

#include "engine/table/queue.h"

static struct str
text_of(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_string(v) ? str_of(json_string_value(v),
	    json_string_length(v)) : STR_NIL;
}

static double
number_of(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	double d = json_is_number(v) ? json_number_value(v) : NUM_NIL;

	return d >= 0 ? d : NUM_NIL;
}

static struct str
queue_name(struct str s)
{
	static const char *const name[] = { "active", "deferred", "hold",
	    "incoming", "maildrop", "corrupt" };
	size_t i;

	for (i = 0; i < sizeof name / sizeof name[0]; i++)
		if (line_is(s, name[i]))
			return str_c(name[i]);
	return STR_NIL;
}

static bool
postfix_entry(struct queue *q, const json_t *o)
{
	struct str id = text_of(o, "queue_id"), s;
	const json_t *list = json_object_get(o, "recipients"), *one;
	size_t i;

	if (str_none(id) || id.n == 0)
		return false;
	queue_row(q, id);
	q->name = queue_name(text_of(o, "queue_name"));
	q->size = number_of(o, "message_size");
	q->arrived = number_of(o, "arrival_time");
	s = text_of(o, "sender");
	if (!str_none(s))	/* the name that showq has for <> */
		queue_sender(q, line_is(s, "MAILER-DAEMON") ? STR_EMPTY : s);
	if (!json_is_array(list))
		q->count = NUM_NIL;
	json_array_foreach(list, i, one) {
		s = text_of(one, "address");
		if (!str_none(s))
			queue_recipient(q, s);
		queue_reason(q, text_of(one, "delay_reason"));
	}
	return true;
}

bool
queue_postfix_next(struct queue *q)
{
	struct str line;
	json_t *o;
	bool good;

	while (queue_line(q, &line)) {
		line = str_trim(line);
		if (line.n == 0)
			continue;
		o = line.n > LIM_QUEUE_ENTRY ? NULL :
		    json_loadb(line.p, line.n, JSON_ALLOW_NUL, NULL);
		good = json_is_object(o) && postfix_entry(q, o);
		json_decref(o);
		if (good)
			return true;
		q->wrong++;
	}
	return false;
}
