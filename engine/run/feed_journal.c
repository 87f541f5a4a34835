/*
 * feed_journal: input journal: picket-journal reads, this gives its lines to
 * the run and keeps the place behind the last one.
 *
 * A script has one position in the journal, whatever its matches are: when
 * they change, nothing is read twice and nothing is missed.  It is the place,
 * and where a line stopped the run, a second line: how often, and its place.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/run/feed_inner.h"

#define POSITION	"journal"	/* its name in the state */

_Static_assert(JOURNAL_PLACE < LOG_TAIL, "a mark has room for a place");

/* false: too long to be one. */
static bool
set_place(char to[JOURNAL_PLACE + 1], struct str place)
{
	if (place.n > JOURNAL_PLACE)
		return false;
	memcpy(to, place.p, place.n);
	to[place.n] = '\0';
	return true;
}

/* A number, a blank and a cursor. */
static bool
is_place(const char *p)
{
	size_t n = strspn(p, "0123456789");

	return n > 0 && p[n] == ' ' && p[n + 1] != '\0';
}

/* --- begin --- */

static bool
take_position(struct feed_journal *j, struct str at)
{
	const char *nl = at.n == 0 ? NULL : memchr(at.p, '\n', at.n);
	struct str place = at;
	char *e;

	if (at.n == 0)
		return true;
	if (nl != NULL)
		place.n = (size_t)(nl - at.p);
	if (memchr(at.p, '\0', at.n) != NULL || !set_place(j->from, place) ||
	    !is_place(j->from))
		return false;
	if (nl == NULL)
		return true;
	if (!set_place(j->stopped, str_of(nl + 1, at.n - place.n - 1)))
		return false;
	j->nstop = (unsigned)strtoul(j->stopped, &e, 10);
	if (*e != ' ' || !is_place(e + 1))
		return false;
	memmove(j->stopped, e + 1, strlen(e + 1) + 1);
	return true;
}

static bool
start(struct feed *f)
{
	struct feed_journal *j = f->journal;
	const char *folder = secure_getenv("PICKET_JOURNAL");
	struct command c;
	struct buf show;
	char max[24], *argv[6];

	spawn_helper(&j->program, JOURNAL_PROGRAM);
	argv[0] = (char *)(uintptr_t)buf_c(&j->program);
	if (access(argv[0], F_OK) != 0 && errno == ENOENT) {
		snprintf(f->why, sizeof f->why, "input journal: this picket "
		    "was built without libsystemd: there is no %.150s",
		    argv[0]);
		return false;
	}
	snprintf(max, sizeof max, "%zu", f->o.program->line_max > 0 ?
	    (size_t)f->o.program->line_max : (size_t)LIM_LINE);
	argv[1] = (char *)(uintptr_t)(folder == NULL ? "" : folder);
	argv[2] = max;
	argv[3] = j->at;
	argv[4] = (char *)(uintptr_t)buf_c(&j->matches);
	argv[5] = NULL;
	buf_init(&show, f->o.mem);
	buf_puts(&show, JOURNAL_PROGRAM " ");
	buf_str(&show, buf_view(&j->matches));
	memset(&c, 0, sizeof c);
	c.argv = argv;
	c.argc = 5;
	c.show = buf_view(&show);
	f->in = input_open_command(f->o.live, &c, NULL);
	buf_free(&show);
	if (f->in == NULL)
		feed_host_why(f);
	return f->in != NULL;
}

bool
feed_journal_open(struct feed *f)
{
	struct feed_journal *j;
	struct str matches = vm_run_path(f->o.vm), at, why;

	if (str_none(matches) || memchr(matches.p, '\0', matches.n) != NULL) {
		snprintf(f->why, sizeof f->why, "input journal: the matches "
		    "have no value, or a zero byte");
		return false;
	}
	if (f->o.state == NULL) {
		snprintf(f->why, sizeof f->why, "input journal: there is no "
		    "folder for its position: set HOME or XDG_STATE_HOME");
		return false;
	}
	f->journal = j = mem_zalloc(f->o.mem, sizeof *j);
	buf_init(&j->matches, f->o.mem);
	buf_init(&j->program, f->o.mem);
	buf_str(&j->matches, matches);
	if (!state_position(f->o.state, &f->o.owner, STR_LIT(POSITION),
	    &at)) {
		why = state_why(f->o.state);
		snprintf(f->why, sizeof f->why, "the journal's position: "
		    "%.*s", (int)(why.n < 250 ? why.n : 250), why.p);
		return false;
	}
	if (!take_position(j, at)) {
		feed_warn(f, "journal: the position that was kept is none; "
		    "beginning at the end");
		j->from[0] = j->stopped[0] = '\0';
	}
	strcpy(j->at, j->from);
	return start(f) && (!f->o.program->has_filter ||
	    feed_spool(f, feed_journal_line));
}

/* --- lines --- */

/* Ends the program, whose reason this is. */
static enum reader_result
failed(struct feed *f, struct str why)
{
	struct live_input *in = f->in;
	struct input_end end;

	/* first, as the reader may own the text */
	f->end.failed = true;
	snprintf(f->end.why, sizeof f->end.why, "input journal: %.*s",
	    (int)(why.n < 180 ? why.n : 180), why.p);
	f->in = NULL;
	input_close(in, &end);
	if (end.failed)
		f->end = end;
	return READER_FAILED;
}

/* A line of the program's own: short, whatever the script's limit is. */
static enum reader_result
own_line(struct feed *f, struct str *line)
{
	struct reader *rd = input_reader(f->in);
	size_t max = rd->line_max;
	enum reader_result x;

	rd->line_max = 2 * JOURNAL_WHY;
	x = reader_line(rd, line);
	rd->line_max = max;
	if (x == READER_END || (x == READER_LINE && line->n < 2))
		return failed(f, STR_LIT(JOURNAL_PROGRAM " has ended before "
		    "its end"));
	return x;
}

/* What comes last may be asked for when its block is gone. */
static void
keep_last(struct feed *f)
{
	if (!f->o.program->end_uses_line || f->last.p == NULL ||
	    f->o.look_ahead || f->last.p == f->kept.p)
		return;
	buf_clear(&f->kept);
	buf_str(&f->kept, f->last);
	buf_room(&f->kept, 1);
	f->last = buf_view(&f->kept);
}

enum reader_result
feed_journal_line(struct feed *f, struct str *line)
{
	struct feed_journal *j = f->journal;
	struct buf t;
	struct str own;
	enum reader_result x;
	char place[JOURNAL_PLACE + 1];

	for (;;) {
		if (f->in == NULL)
			return READER_END;
		keep_last(f);
		x = own_line(f, &own);
		if (x != READER_LINE)
			return x;
		line->p = own.p + 2;
		line->n = own.n - 2;
		switch (own.p[0]) {
		case 'W':
			buf_init(&t, f->o.mem);
			buf_str(&t, *line);
			feed_warn(f, buf_c(&t));
			buf_free(&t);
			continue;
		case 'E':
			if (!set_place(place, *line) || !is_place(place))
				break;
			x = reader_line(input_reader(f->in), line);
			if (x == READER_END ||
			    (x == READER_LINE &&
			    !input_reader(f->in)->had_newline))
				return failed(f, STR_LIT(JOURNAL_PROGRAM
				    " has ended within a line"));
			if (x == READER_LINE) {
				strcpy(j->before, j->at);
				strcpy(j->at, place);
			}
			return x;
		case 'P':
			if (!set_place(place, *line) || !is_place(place))
				break;
			x = reader_line(input_reader(f->in), line);
			if (x == READER_LINE)
				break;
			if (x != READER_END)
				return x;
			if (!feed_end_file(f))
				return READER_FAILED;
			strcpy(j->at, place);
			return READER_END;
		case 'F':
			return failed(f, *line);
		default:
			break;
		}
		return failed(f, STR_LIT(JOURNAL_PROGRAM " says what nobody "
		    "understands"));
	}
}

void
feed_journal_mark(struct feed *f, struct mark *m, bool end_only)
{
	struct feed_journal *j = f->journal;

	if (!end_only) {
		m->nbefore = strlen(j->before);
		memcpy(m->before, j->before, m->nbefore);
	}
	m->nafter = strlen(j->at);
	memcpy(m->after, j->at, m->nafter);
}

/* --- end --- */

static void
keep(struct feed *f, const char *place, size_t n, struct str stopped)
{
	struct buf b;

	buf_init(&b, f->o.mem);
	buf_add(&b, place, n);
	if (stopped.n > 0) {
		buf_printf(&b, "\n%u ", f->journal->nstop);
		buf_str(&b, stopped);
	}
	outcome_position(f->o.outcome, STR_LIT(POSITION), buf_view(&b));
	buf_free(&b);
}

void
feed_journal_settle(struct feed *f)
{
	struct feed_journal *j = f->journal;
	bool stopped = f->line_open || (f->spooled && f->end.failed);
	struct str which = STR_EMPTY;
	struct mark m;

	if (f->o.outcome == NULL || j->at[0] == '\0')
		return;
	memset(&m, 0, sizeof m);
	if (f->spooled || (!stopped && f->at_end)) {
		m.nafter = strlen(j->at);
		memcpy(m.after, j->at, m.nafter);
		m.nbefore = strlen(j->from);
		memcpy(m.before, j->from, m.nbefore);
	} else if (!feed_line_mark(f, &m))
		return;
	if (stopped) {
		/* all of a filter's lines are known by where they begin */
		which = f->spooled ? str_of(m.before, m.nbefore) :
		    str_of(m.after, m.nafter);
		if (str_eq(str_c(j->stopped), which))
			j->nstop++;
		else
			j->nstop = 1;
		if (j->nstop >= LIM_LOG_STOPS) {
			feed_skip_line(f, STR_LIT("the journal"));
			stopped = false;
		}
	}
	if (stopped)
		keep(f, m.before, m.nbefore, which);
	else
		keep(f, m.after, m.nafter, STR_EMPTY);
}

void
feed_journal_close(struct feed *f)
{
	struct feed_journal *j = f->journal;

	if (j == NULL)
		return;
	f->journal = NULL;
	buf_free(&j->matches);
	buf_free(&j->program);
	mem_free(f->o.mem, j, sizeof *j);
}
