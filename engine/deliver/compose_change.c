/* The changes of incidents, in a mail. */
#include "engine/deliver/compose_inner.h"

#include <string.h>

#include "engine/deliver/encode.h"

#define TYPED	60	/* bytes of a key that a person copies; one of 500 makes
			 * a mail hard to read */
#define CHANGE_COLUMN	((size_t)2 * COMPOSE_INDENT)
#define DETAIL_COLUMN	((size_t)3 * COMPOSE_INDENT)

enum level
compose_level_of(double l)
{
	return l >= 0 && l < LEVEL_COUNT ? (enum level)l : LEVEL_DEBUG;
}

/* The time of day, with the day if it is another one than that of the mail. */
static void
add_time(struct buf *b, double t, time_t when)
{
	char this[TIME_TEXT_MAX], mail[TIME_TEXT_MAX];

	encode_ctime((time_t)t, this);
	encode_ctime(when, mail);
	/* "Tue Apr 25 00:17:02 2000" */
	if (strncmp(this, mail, 10) == 0 && strcmp(this + 19, mail + 19) == 0) {
		this[19] = '\0';
		buf_puts(b, this + 11);
	} else
		buf_puts(b, this);
}

static void
identity(struct buf *b, const struct change *c, time_t when)
{
	const struct incident *in = c->incident;

	compose_indent(b, DETAIL_COLUMN);
	buf_escaped(b, in->key, LIM_INCIDENT_KEY);
	buf_puts(b, ", id ");
	buf_escaped(b, in->id, LIM_INCIDENT_KEY);
	buf_printf(b, ", %s, ", level_name[compose_level_of(in->level)]);
	if (c->what == NOTICE_RESOLVED && in->state != INCIDENT_FIRES &&
	    in->ended > 0) {
		buf_puts(b, "from ");
		add_time(b, in->told_fired > 0 ? in->told_fired : in->fired,
		    when);
		buf_puts(b, " to ");
		add_time(b, in->ended, when);
	} else {
		/* not when the condition began to hold, but when it fired: as
		 * `picket incidents` counts, and the mail of its end */
		buf_puts(b, "since ");
		add_time(b, in->state == INCIDENT_FIRES && in->fired > 0 ?
		    in->fired : in->since > 0 ? in->since : c->now, when);
	}
	buf_putc(b, '\n');
}

/*
 * A key as a word of the shell, or false: what would have to be quoted in it is
 * no text that a person can type, as a pattern it would be about more than
 * itself (a key `*`), or it would be read as an option.
 */
static bool
shell_word(struct buf *b, struct str s)
{
	size_t i;

	if (s.n > TYPED || str_starts(s, "-"))
		return false;
	for (i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] > '~' ||
		    strchr("'*?[\\", s.p[i]) != NULL)
			return false;
	buf_putc(b, '\'');
	buf_str(b, s);
	buf_putc(b, '\'');
	return s.n > 0;
}

/* What a person can do about it. */
static void
commands(struct buf *b, const struct incident *in, bool fires)
{
	size_t before;

	compose_indent(b, DETAIL_COLUMN);
	buf_puts(b, "more: picket why ");
	buf_escaped(b, in->id, LIM_INCIDENT_KEY);
	if (fires) {
		buf_puts(b, ", picket ack ");
		buf_escaped(b, in->id, LIM_INCIDENT_KEY);
		buf_putc(b, '\n');
		compose_indent(b, DETAIL_COLUMN);
		buf_puts(b, "silence: picket silence ");
		before = b->n;
		if (!shell_word(b, in->key)) {
			b->n = before;
			buf_escaped(b, in->id, LIM_INCIDENT_KEY);
		}
		buf_puts(b, " --for 2h --why \"...\"");
	}
	buf_putc(b, '\n');
}

/* A text whose first line goes on where the mail is; the others stand in a
 * column, nline of them at most (0: any number). */
static void
lines_from_here(struct buf *b, struct str lines, size_t column, size_t nline)
{
	size_t end = str_find(lines, '\n', 0);

	if (end > LIM_INCIDENT_TEXT)
		buf_escaped(b, str_of(lines.p, end), LIM_INCIDENT_TEXT);
	else
		encode_line(b, str_of(lines.p, end));
	buf_putc(b, '\n');
	if (end + 1 < lines.n)
		compose_lines(b, str_of(lines.p + end + 1, lines.n - end - 1),
		    column, LIM_INCIDENT_TEXT, nline);
}

/* "done: a" and below it what else was done. */
static void
detail(struct buf *b, const char *label, struct str lines, size_t nline)
{
	if (lines.n == 0)
		return;
	compose_indent(b, DETAIL_COLUMN);
	buf_puts(b, label);
	lines_from_here(b, lines, DETAIL_COLUMN + strlen(label), nline);
}

static void
place(struct buf *b, const struct incident *in)
{
	struct buf label;

	if (in->place.n == 0 && in->evidence.n == 0)
		return;
	buf_init(&label, b->mem);
	buf_escaped(&label, in->place, LIM_HEADER_DATA);
	if (in->evidence.n == 0) {
		compose_indent(b, DETAIL_COLUMN);
		buf_str(b, buf_view(&label));
		buf_putc(b, '\n');
	} else {
		if (label.n > 0)
			buf_puts(&label, ": ");
		detail(b, buf_c(&label), in->evidence, LIM_EVIDENCE - 1);
	}
	buf_free(&label);
}

static void
change(struct buf *b, const struct change *c, time_t when)
{
	const struct incident *in = c->incident;
	bool fires = c->what != NOTICE_RESOLVED && c->what != NOTICE_ACKED;

	compose_indent(b, CHANGE_COLUMN);
	buf_putc(b, '[');
	incident_says(in, c->what, c->now, b);
	buf_puts(b, "] ");
	lines_from_here(b, str_trim(in->message.n > 0 ? in->message : in->key),
	    DETAIL_COLUMN, 0);
	identity(b, c, when);
	place(b, in);
	if (c->what == NOTICE_FIRING || c->what == NOTICE_ESCALATED)
		detail(b, "done: ", in->done, LIM_DONE - 1);
	if (c->what == NOTICE_ACKED)
		detail(b, "why: ", c->why.n > 0 ? c->why : in->acked_why,
		    LIM_EVIDENCE);
	commands(b, in, fires);
}

void
compose_changes(struct buf *b, const struct mail_section *s, time_t when,
    size_t room)
{
	size_t i, before, from = b->n, left = s->nchange;
	const struct change *c;
	bool full = false;
	int l;

	for (l = 0; l < LEVEL_COUNT; l++)
		for (i = 0; i < s->nchange && !full; i++) {
			c = &s->change[i];
			if ((int)compose_level_of(c->incident->level) != l)
				continue;
			before = b->n;
			change(b, c, when);
			full = b->n - from > room && left < s->nchange;
			if (full)
				b->n = before;
			else
				left--;
		}
	if (left > 0) {
		compose_indent(b, CHANGE_COLUMN);
		buf_printf(b, "[%zu more changes are not shown: see picket "
		    "incidents]\n", left);
	}
}
