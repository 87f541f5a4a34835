#include "engine/deliver/items.h"

#include <jansson.h>
#include <stdio.h>
#include <time.h>

#include "engine/deliver/encode.h"
#include "engine/vm/clock.h"

#define TIME_MAX	253402300799.0	/* the end of the year 9999 */

void
text_clean(struct buf *b, struct str s)
{
	size_t at, end;

	if (str_none(s))
		return;
	for (at = 0; at < s.n; at = end + 1) {
		end = str_find(s, '\n', at);
		encode_line(b, str_of(s.p + at, end - at));
		if (end < s.n)
			buf_putc(b, '\n');
	}
}

/* Bytes of the character at p[i] of a valid text, and its units. */
static size_t
char_at(struct str s, size_t i, enum text_unit unit, size_t *units)
{
	size_t n = 1;

	while (i + n < s.n && ((unsigned char)s.p[i + n] & 0xc0) == 0x80)
		n++;
	*units = unit == TEXT_BYTES ? n : n == 4 ? 2 : 1;
	return n;
}

void
text_cut(struct buf *b, struct str s, enum text_unit unit, size_t limit)
{
	size_t i, n, units, sum = 0, fits = 0;

	if (limit < 3)		/* no room for dots */
		limit = limit == 0 ? (size_t)-1 : 3;
	for (i = 0; i < s.n; i += n) {
		n = char_at(s, i, unit, &units);
		sum += units;
		if (sum > limit)
			break;
		if (sum + 3 <= limit)
			fits = i + n;
	}
	buf_add(b, s.p, i < s.n ? fits : s.n);
	if (i < s.n)
		buf_puts(b, "...");
}

size_t
text_units(struct str s, enum text_unit unit)
{
	size_t i, n, units, sum = 0;

	for (i = 0; i < s.n; i += n) {
		n = char_at(s, i, unit, &units);
		sum += units;
	}
	return sum;
}

void
text_time(double when, char out[TEXT_TIME_MAX])
{
	struct tm tm;
	time_t t;
	int ms;

	if (!(when >= 0))
		when = 0;
	if (when > TIME_MAX)
		when = TIME_MAX;
	t = (time_t)when;
	ms = (int)((when - (double)t) * 1000);
	gmtime_r(&t, &tm);
	snprintf(out, TEXT_TIME_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
	    1900 + tm.tm_year, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec, ms);
}

static struct str
clean(const struct attempt *a, struct str s)
{
	struct buf b;
	struct str out;

	buf_init(&b, a->why->mem);
	text_clean(&b, s);
	out = arena_dup(a->arena, buf_view(&b));
	buf_free(&b);
	return out;
}

static struct str
text(const struct attempt *a, const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_string(v))
		return STR_EMPTY;
	return clean(a, str_of(json_string_value(v), json_string_length(v)));
}

static double
number(const json_t *o, const char *name)
{
	double d = json_number_value(json_object_get(o, name));

	return d > 0 && d < TIME_MAX ? d : 0;
}

static enum level
level_of(struct str s, enum level dflt)
{
	int i;

	for (i = 0; i < LEVEL_COUNT; i++)
		if (str_eq(s, str_c(level_name[i])))
			return (enum level)i;
	return dflt;
}

static void
read_change(struct item *it, const struct attempt *a, const json_t *o,
    enum level dflt)
{
	it->change = true;
	it->what = text(a, o, "what");
	it->says = text(a, o, "says");
	it->key = text(a, o, "key");
	it->id = text(a, o, "id");
	it->script = text(a, o, "script");
	it->level = level_of(text(a, o, "level"), dflt);
	it->message = text(a, o, "message");
	it->evidence = text(a, o, "evidence");
	it->place = text(a, o, "place");
	it->done = text(a, o, "done");
	it->who = text(a, o, "who");
	it->why = text(a, o, "why");
	it->since = number(o, "since");
	it->fired = number(o, "fired");
	it->ended = number(o, "ended");
	if (it->says.n == 0)
		it->says = it->what;
}

/* False: the script has nothing to say. */
static bool
read_script(struct item *it, const struct attempt *a, const json_t *o,
    enum level dflt)
{
	struct str error = text(a, o, "error"), done;
	struct buf b;

	it->script = text(a, o, "script");
	it->level = level_of(text(a, o, "level"), dflt);
	it->message = text(a, o, "task");
	buf_init(&b, a->why->mem);
	buf_str(&b, str_trim(text(a, o, "lines")));
	if (error.n > 0) {
		if (b.n > 0)
			buf_putc(&b, '\n');
		buf_str(&b, error);
	}
	if (json_object_get(o, "interrupted") != NULL) {
		if (b.n > 0)
			buf_putc(&b, '\n');
		done = str_trim(text(a, o, "interrupted"));
		buf_puts(&b, done.n > 0 ? "interrupted, and had done: " :
		    "interrupted");
		buf_str(&b, done);
	}
	it->lines = arena_dup(a->arena, buf_view(&b));
	buf_free(&b);
	return it->lines.n > 0;
}

static void
read_notice(struct items *all, const struct attempt *a, const json_t *o)
{
	const json_t *changes = json_object_get(o, "changes");
	const json_t *scripts = json_object_get(o, "scripts");
	size_t i, most = json_array_size(changes) + json_array_size(scripts);
	struct item *it;

	all->id = text(a, o, "id");
	all->run = text(a, o, "run");
	all->host = text(a, o, "host");
	all->alert = text(a, o, "alert");
	all->subject = text(a, o, "subject");
	all->text = text(a, o, "text");
	all->level = level_of(text(a, o, "level"), all->level);
	if (number(o, "time") > 0)
		all->time = number(o, "time");
	if (most > LIM_ITEMS) {
		all->left = most - LIM_ITEMS;
		most = LIM_ITEMS;
	}
	it = arena_zalloc(a->arena, (most + 1) * sizeof *it);
	all->item = it;
	for (i = 0; i < json_array_size(changes) && all->n < most; i++)
		read_change(&it[all->n++], a, json_array_get(changes, i),
		    all->level);
	for (i = 0; i < json_array_size(scripts) && all->n < most; i++)
		if (read_script(&it[all->n], a, json_array_get(scripts, i),
		    all->level))
			all->n++;
}

/* The value of a header of the message, unfolded; empty if there is none. */
static struct str
header(const struct attempt *a, const char *name)
{
	struct str m = a->job->message, line;
	size_t at, end, n = strlen(name);
	struct buf b;
	bool in = false;

	buf_init(&b, a->why->mem);
	for (at = 0; at < m.n; at = end + 1) {
		end = str_find(m, '\n', at);
		line = str_of(m.p + at, end - at);
		if (str_ends(line, "\r"))
			line.n--;
		if (line.n == 0)
			break;		/* the body */
		if (line.p[0] != ' ' && line.p[0] != '\t') {
			if (in)
				break;
			in = str_starts(line, name) && line.n > n &&
			    line.p[n] == ':';
			if (in)
				line = str_of(line.p + n + 1, line.n - n - 1);
		}
		if (in) {
			if (b.n > 0)
				buf_putc(&b, ' ');
			buf_str(&b, str_trim(line));
		}
	}
	line = clean(a, buf_view(&b));
	buf_free(&b);
	return line;
}

/* What is empty, by the mail's headers; and an item if there is none. */
static void
settle(struct items *all, const struct attempt *a)
{
	struct item *it;

	if (all->id.n == 0) {
		all->id = header(a, "Message-ID");
		if (str_starts(all->id, "<") && str_ends(all->id, ">"))
			all->id = str_of(all->id.p + 1, all->id.n - 2);
	}
	if (all->run.n == 0)
		all->run = clean(a, a->job->run);
	if (all->host.n == 0)
		all->host = header(a, "X-Picket-Host");
	if (all->host.n == 0)
		all->host = a->job->host;
	if (all->alert.n == 0)
		all->alert = header(a, "X-Picket-Alert");
	if (all->subject.n == 0)
		all->subject = header(a, "Subject");
	if (all->text.n == 0)
		all->text = str_trim(clean(a, a->job->body));
	if (all->n > 0)
		return;
	it = arena_zalloc(a->arena, sizeof *it);
	it->level = all->level;
	it->message = all->subject;
	it->lines = all->text;
	it->what = it->says = it->key = it->id = it->script = it->evidence =
	    it->place = it->done = it->who = it->why = STR_EMPTY;
	all->item = it;
	all->n = 1;
}

void
items_read(struct items *all, const struct attempt *a)
{
	json_t *o = json_loadb(a->job->notice.p, a->job->notice.n,
	    JSON_ALLOW_NUL, NULL);
	size_t i;

	*all = (struct items){ .id = STR_EMPTY, .run = STR_EMPTY,
	    .host = STR_EMPTY, .alert = STR_EMPTY, .subject = STR_EMPTY,
	    .text = STR_EMPTY, .time = clock_wall() };
	all->level = level_of(header(a, "X-Picket-Level"), LEVEL_WARNING);
	if (json_is_object(o))
		read_notice(all, a, o);
	json_decref(o);
	settle(all, a);
	/* a view that nobody set is none */
	for (i = 0; i < all->n; i++) {
		struct item *it = &all->item[i];
		struct str *s[] = { &it->what, &it->says, &it->key, &it->id,
		    &it->script, &it->message, &it->evidence, &it->place,
		    &it->done, &it->who, &it->why, &it->lines };
		size_t k;

		for (k = 0; k < sizeof s / sizeof *s; k++)
			if (str_none(*s[k]))
				*s[k] = STR_EMPTY;
	}
}

void
items_line(const struct item *it, struct buf *b)
{
	if (!it->change) {
		buf_str(b, it->script);
		if (it->script.n > 0 && it->message.n > 0)
			buf_puts(b, ": ");
		buf_str(b, it->message);
		return;
	}
	buf_putc(b, '[');
	buf_str(b, it->says);
	buf_puts(b, "] ");
	buf_str(b, it->message);
	if (it->key.n > 0)
		buf_printf(b, " (%.*s%s%.*s)", (int)it->key.n, it->key.p,
		    it->id.n > 0 ? ", " : "", (int)it->id.n, it->id.p);
}

static void
indented(struct buf *b, struct str s)
{
	size_t at, end;

	for (at = 0; at < s.n; at = end + 1) {
		end = str_find(s, '\n', at);
		buf_puts(b, "\n    ");
		buf_add(b, s.p + at, end - at);
	}
}

void
items_text(const struct items *all, struct buf *b)
{
	const struct item *it;

	buf_str(b, all->subject);
	if (all->id.n > 0)
		buf_printf(b, " (%.*s)", (int)all->id.n, all->id.p);
	for (it = all->item; it < all->item + all->n; it++) {
		if (it->change || it->script.n > 0) {
			buf_printf(b, "\n%s: ", level_name[it->level]);
			items_line(it, b);
		}
		if (it->change) {
			indented(b, it->evidence);
			indented(b, it->place);
			indented(b, it->done);
		} else
			indented(b, it->lines);
	}
	if (all->left > 0)
		buf_printf(b, "\n%zu more are in the mail", all->left);
}
