/* control_request: a line of a client of the control socket, read. */
#include <jansson.h>
#include <string.h>

#include "engine/daemon/control.h"
#include "lang/base/num.h"

#define LIM_DEPTH	2	/* of brackets in a request: an object, a list */

static const struct command_row {
	const char	*name;
	unsigned	 takes;
} commands[CONTROL_COUNT] = {
#define R(id, name, args, takes, help) { name, takes },
#define Q(id, name, takes) { name, takes },
#include "engine/daemon/control.def"
#undef R
#undef Q
};

/*
 * Whether brackets are nested deeper than any request has them: jansson
 * would take memory for each.
 */
static bool
is_deep(const char *s, size_t n)
{
	bool quoted = false;
	size_t i, depth = 0;

	for (i = 0; i < n; i++)
		if (quoted) {
			if (s[i] == '\\')
				i++;
			else if (s[i] == '"')
				quoted = false;
		} else if (s[i] == '"')
			quoted = true;
		else if (s[i] == '{' || s[i] == '[') {
			if (++depth > LIM_DEPTH)
				return true;
		} else if ((s[i] == '}' || s[i] == ']') && depth > 0)
			depth--;
	return false;
}

static bool
add_name(struct control_client *c, struct control_request *q, const char *key,
    const json_t *v)
{
	if (!json_is_string(v)) {
		control_error(c, "\"%s\" must be %s", key,
		    strcmp(key, "alert") == 0 ? "the name of an alert" :
		    "a list of names of alerts");
		return false;
	}
	if (q->nalert == LIM_CONTROL_NAMES) {
		control_error(c, "more than %d names", LIM_CONTROL_NAMES);
		return false;
	}
	q->alert[q->nalert++] = json_string_value(v);
	return true;
}

/* One member of a request; false: the answer says what is wrong with it. */
static bool
take_member(struct control_client *c, struct control_request *q,
    const char *key, const json_t *v)
{
	unsigned takes = commands[q->command].takes;
	size_t i;

	if (strcmp(key, "command") == 0)
		return true;
	if ((takes & TAKES_ALERT) != 0 && strcmp(key, "alert") == 0)
		return add_name(c, q, key, v);
	if ((takes & TAKES_ALERTS) != 0 && strcmp(key, "alerts") == 0) {
		if (!json_is_array(v))
			return add_name(c, q, key, NULL);
		for (i = 0; i < json_array_size(v); i++)
			if (!add_name(c, q, key, json_array_get(v, i)))
				return false;
		return true;
	}
	if ((takes & TAKES_FOR) != 0 && strcmp(key, "for") == 0) {
		q->seconds = json_is_number(v) ? json_number_value(v) : 0;
		if (q->seconds > 0 && q->seconds <= LIM_CONTROL_FOR)
			return true;
		control_error(c, "\"for\" must be a number of seconds, more "
		    "than 0 and at most %.0f", LIM_CONTROL_FOR);
		return false;
	}
	if ((takes & TAKES_BRIEF) != 0 && strcmp(key, "brief") == 0) {
		if (!json_is_boolean(v)) {
			control_error(c, "\"brief\" must be true or false");
			return false;
		}
		q->brief = json_is_true(v);
		return true;
	}
	control_error(c, "%s does not take \"%.100s\"",
	    commands[q->command].name, key);
	return false;
}

static bool
take_command(struct control_client *c, struct control_request *q,
    const json_t *top)
{
	const json_t *v = json_object_get(top, "command");
	const char *name = json_string_value(v), *best = NULL;
	unsigned d, least = 4;
	int i;

	if (name == NULL) {
		control_error(c, json_is_object(top) ? v == NULL ?
		    "there is no \"command\"" : "\"command\" must be a text" :
		    "a request is an object: {\"command\": \"status\"}");
		return false;
	}
	for (i = 0; i < CONTROL_COUNT; i++)
		if (strcmp(commands[i].name, name) == 0) {
			q->command = (enum control_command)i;
			return true;
		}
	for (i = 0; i < CONTROL_COUNT; i++) {
		d = str_distance(str_c(name), str_c(commands[i].name), 3);
		if (d < least) {
			least = d;
			best = commands[i].name;
		}
	}
	control_error(c, "unknown command \"%.100s\"%s%s%s", name,
	    best == NULL ? "" : "; did you mean \"",
	    best == NULL ? "" : best, best == NULL ? "" : "\"?");
	return false;
}

/* A line; false: it is no request, and the answer says why. */
bool
control_take(struct control_client *c, const char *line, size_t n)
{
	struct control *l = c->control;
	struct control_request q = { .seconds = NUM_NIL };
	json_error_t e;
	json_t *top, *v;
	const char *key;
	bool ok;

	if (is_deep(line, n)) {
		control_error(c, "no request is nested so deep");
		return false;
	}
	top = json_loadb(line, n, JSON_REJECT_DUPLICATES, &e);
	if (top == NULL) {
		/* the first line of it, which is all there is */
		control_error(c, "this is no JSON: %.200s", e.text);
		return false;
	}
	ok = take_command(c, &q, top);
	if (ok && c->adopted && (commands[q.command].takes & READS) == 0) {
		control_error(c, "this client may only read");
		ok = false;
	}
	if (ok)
		json_object_foreach(top, key, v)
			if (!(ok = take_member(c, &q, key, v)))
				break;
	if (ok && (commands[q.command].takes & TAKES_ALERT) != 0 &&
	    q.nalert == 0) {
		control_error(c, "%s needs \"alert\"",
		    commands[q.command].name);
		ok = false;
	}
	if (ok) {
		l->requests++;
		l->act(l->arg, c, &q);
	}
	json_decref(top);
	return ok;
}
