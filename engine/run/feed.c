/* feed: see feed.h. */
#include <glob.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lang/base/csv.h"
#include "engine/effect/recorded.h"
#include "engine/run/feed_inner.h"

void
feed_warn(struct feed *f, const char *text)
{
	f->o.host->log(f->o.live, LOG_WARNING, str_c(text));
}

static void
warn(struct feed *f, const char *fmt, const char *a, struct str b)
{
	char t[600];
	int k = snprintf(t, sizeof t, fmt, a, (int)(b.n < 300 ? b.n : 300),
	    b.p);

	if (k > 0)
		f->o.host->log(f->o.live, LOG_WARNING, str_of(t,
		    (size_t)k < sizeof t ? (size_t)k : sizeof t - 1));
}

const struct command *
feed_filter(struct feed *f, bool *good)
{
	const struct command *c = NULL;

	*good = true;
	if (!f->o.program->has_filter)
		return NULL;
	c = vm_run_filter(f->o.vm);
	if (c == NULL) {
		*good = false;
		snprintf(f->why, sizeof f->why,
		    "the filter command was refused");
	}
	return c;
}

void
feed_host_why(struct feed *f)
{
	struct str why = f->o.host->why(f->o.live);

	snprintf(f->why, sizeof f->why, "%.*s",
	    (int)(why.n < sizeof f->why ? why.n : sizeof f->why - 1), why.p);
}

/* --- the files of a pattern --- */

/* A file of the list that is none to read: told of, passed over. */
static void
passed_over(struct feed *f, const char *name, const char *what)
{
	if (f->nbad++ < LIM_FEED_TOLD)
		warn(f, "%s is passed over: %.*s", name, str_c(what));
}

/* Opens the next file of the list that can be read; NULL: there is none, or
 * *good is false. */
static struct live_input *
next_file(struct feed *f, bool *good)
{
	const struct command *filter;
	struct live_input *in;
	const char *name;
	struct stat st;
	char t[100];

	*good = true;
	while (f->has_glob && f->next < f->glob.gl_pathc) {
		name = f->glob.gl_pathv[f->next++];
		if (f->o.host->stat(f->o.live, str_c(name), &st, true) == 0) {
			if (S_ISDIR(st.st_mode))
				continue;
			if (!S_ISREG(st.st_mode)) {
				/* a FIFO would make the others wait */
				passed_over(f, name, "no regular file");
				continue;
			}
		}
		vm_set_infile(f->o.vm, str_c(name));
		f->told = f->name = name;
		filter = feed_filter(f, good);
		if (!*good)
			return NULL;
		in = input_open_file(f->o.live, str_c(name), filter);
		if (in != NULL)
			return in;
		feed_host_why(f);
		if (f->o.host->stop(f->o.live)) {
			*good = false;
			return NULL;
		}
		passed_over(f, name, f->why);
	}
	if (f->nbad > LIM_FEED_TOLD) {
		snprintf(t, sizeof t, "and %zu more", f->nbad - LIM_FEED_TOLD);
		warn(f, "%s files are passed over%.*s", t, STR_EMPTY);
		f->nbad = 0;
	}
	return NULL;
}

static bool
is_pattern(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] == '*' || s.p[i] == '?' || s.p[i] == '[')
			return true;
	return false;
}

/*
 * A name with glob characters: the file of that very name if there is one,
 * else all that match, in order.
 */
static bool
list_files(struct feed *f, struct str path)
{
	struct stat st;
	int r;

	if (!is_pattern(path) || memchr(path.p, '\0', path.n) != NULL ||
	    f->o.host->stat(f->o.live, path, &st, true) == 0)
		return true;
	buf_str(&f->kept, path);
	r = glob(buf_c(&f->kept), 0, NULL, &f->glob);
	buf_clear(&f->kept);
	f->has_glob = true;
	if (r == GLOB_NOMATCH)
		warn(f, "%sno file matches %.*s", "", path);
	else if (r != 0) {
		snprintf(f->why, sizeof f->why, "%.*s: the folder cannot be "
		    "read", (int)(path.n < 200 ? path.n : 200), path.p);
		return false;
	} else if (f->glob.gl_pathc > LIM_FEED_FILES) {
		snprintf(f->why, sizeof f->why, "%.*s matches more than %d "
		    "files", (int)(path.n < 200 ? path.n : 200), path.p,
		    LIM_FEED_FILES);
		return false;
	}
	return true;
}

/* --- opening --- */

static bool
open_command(struct feed *f)
{
	const struct command *c = vm_run_input(f->o.vm), *filter;
	struct command input;
	bool good;

	if (c == NULL) {
		snprintf(f->why, sizeof f->why,
		    "the input command was refused");
		return false;
	}
	input = *c;		/* the filter's comes to the same place */
	filter = feed_filter(f, &good);
	if (!good)
		return false;
	f->in = input_open_command(f->o.live, &input, filter);
	if (f->in == NULL)
		feed_host_why(f);
	return f->in != NULL;
}

static bool
open_file(struct feed *f)
{
	const struct command *filter;
	struct str path = vm_run_path(f->o.vm);
	bool good;

	if (!str_none(path)) {
		if (!list_files(f, path))
			return false;
		if (f->has_glob) {
			f->in = next_file(f, &good);
			return good;
		}
	}
	vm_set_infile(f->o.vm, path);
	filter = feed_filter(f, &good);
	if (!good)
		return false;
	f->in = input_open_file(f->o.live, path, filter);
	if (f->in == NULL)
		feed_host_why(f);
	return f->in != NULL;
}

static bool
open_object(struct feed *f)
{
	const struct objects *o = f->o.objects;
	struct str set = vm_run_path(f->o.vm), near = STR_NIL;

	if (o != NULL && !str_none(set) &&
	    o->lines(o->o, set, &f->object, &f->nobject))
		return true;
	if (str_none(set))
		set = str_shown(set);
	if (o != NULL)
		near = o->nearest(o->o, set);
	snprintf(f->why, sizeof f->why, "there is no object set \"%.*s\"%s%.*s%s",
	    (int)(set.n < 100 ? set.n : 100), set.p,
	    str_none(near) ? "" : ": did you mean ",
	    (int)(near.n < 100 ? near.n : 100), str_none(near) ? "" : near.p,
	    str_none(near) ? "" : "?");
	return false;
}

static bool
open_fd(struct feed *f)
{
	const struct command *filter;
	bool good;

	filter = feed_filter(f, &good);
	if (!good)
		return false;
	f->in = input_open_fd(f->o.live, f->o.input_fd, filter);
	if (f->in == NULL)
		feed_host_why(f);
	return f->in != NULL;
}

struct feed *
feed_new(const struct feed_options *o)
{
	struct feed *f = mem_zalloc(o->mem, sizeof *f);
	const struct program *p = o->program;
	uint32_t i;

	f->o = *o;
	f->last = STR_NIL;
	f->spool = -1;
	buf_init(&f->record, o->mem);
	buf_init(&f->kept, o->mem);
	f->at = &f->item[0];
	f->ahead = &f->item[1];
	for (i = 0; i < 2; i++) {
		buf_init(&f->item[i].text, o->mem);
		buf_init(&f->item[i].header, o->mem);
	}
	for (i = 0; i < p->ndat; i++)
		if (p->dat[i].kind == DAT_NAME)
			f->wants_header = true;
	f->new_file = true;
	return f;
}

/*
 * The lines of a world that is written down are what the rules get: behind
 * the filter, whatever the input is.
 */
static bool
open_canned(struct feed *f)
{
	const struct program *p = f->o.program;
	const struct command *c;
	struct str name = STR_NIL;

	if (p->input == INPUT_PROC) {
		c = vm_run_input(f->o.vm);
		if (c == NULL) {
			snprintf(f->why, sizeof f->why,
			    "the input command was refused");
			return false;
		}
		name = c->show;
	} else if (p->input != INPUT_NONE) {
		name = vm_run_path(f->o.vm);
		vm_set_infile(f->o.vm, str_none(name) ? STR_EMPTY : name);
	}
	f->in = recorded_input(f->o.live, p->input, name);
	if (f->in == NULL)
		feed_host_why(f);
	return f->in != NULL;
}

bool
feed_open(struct feed *f)
{
	if (f->o.recorded != NULL && f->o.program->input != INPUT_TABLE &&
	    !(f->o.program->input == INPUT_OBJECT &&
	    !recorded_has_input(f->o.recorded)))
		return open_canned(f);
	if (f->o.input_fd >= 0 && f->o.program->input == INPUT_TABLE) {
		snprintf(f->why, sizeof f->why, "a script with input table "
		    "reads no lines: leave out --input");
		return false;
	}
	if (f->o.input_fd >= 0)
		return open_fd(f);
	switch (f->o.program->input) {
	case INPUT_PROC:
		return open_command(f);
	case INPUT_FILE:
		return open_file(f);
	case INPUT_OBJECT:
		return open_object(f);
	case INPUT_LOGFILE:
		return feed_log_open(f);
	case INPUT_JOURNAL:
		return feed_journal_open(f);
	case INPUT_TABLE:
		return feed_table_open(f);
	case INPUT_NONE: case INPUT_COUNT:
		break;
	}
	f->ended = true;
	return true;
}

struct str
feed_why(const struct feed *f)
{
	return str_c(f->why);
}

/* --- reading --- */

void
feed_leave(struct feed *f)
{
	struct reader *rd = input_reader(f->in);

	f->ncut += rd->ncut;
	f->line_max = rd->line_max;
	if (f->last.p != NULL && f->o.program->end_uses_line &&
	    f->last.p != f->kept.p) {
		buf_clear(&f->kept);
		buf_str(&f->kept, f->last);
		buf_room(&f->kept, 1);
		f->last = buf_view(&f->kept);
	}
}

bool
feed_end_file(struct feed *f)
{
	struct live_input *in = f->in;

	feed_leave(f);
	f->in = NULL;
	input_close(in, &f->end);
	return !f->end.failed;
}

/* The next line as it stands, of whatever comes next. */
static enum reader_result
raw_line(struct feed *f, struct str *line)
{
	enum reader_result x;
	bool good;

	if (f->object != NULL) {
		if (f->nobject == 0)
			return READER_END;
		f->nobject--;
		*line = *f->object++;
		return READER_LINE;
	}
	if (f->spooled)
		return f->in == NULL ? READER_END :
		    reader_line(input_reader(f->in), line);
	if (f->log != NULL)
		return feed_log_line(f, line);
	if (f->journal != NULL)
		return feed_journal_line(f, line);
	while (f->in != NULL) {
		x = reader_line(input_reader(f->in), line);
		if (x != READER_END || !f->has_glob)
			return x;
		if (!feed_end_file(f))
			return READER_FAILED;
		f->in = next_file(f, &good);
		if (!good) {
			f->end.failed = true;
			snprintf(f->end.why, sizeof f->end.why, "%.199s",
			    f->why);
			return READER_FAILED;
		}
		f->new_file = true;
	}
	return READER_END;
}

/*
 * A record of CSV: more lines than one where a quoted field goes over them,
 * but no more bytes than a line may have.
 */
static enum reader_result
record(struct feed *f, struct str *line, struct mark *mark)
{
	const struct program *p = f->o.program;
	char sep = p->format == FORMAT_TSV ? '\t' : ',';
	size_t max = p->line_max > 0 ? (size_t)p->line_max : LIM_LINE;
	struct csv_scan scan = { false, false };
	enum reader_result x = raw_line(f, line);
	struct str more;

	if (x != READER_LINE)
		return x;
	if (feed_has_place(f))
		feed_mark(f, mark, false);
	if (f->new_file && str_starts(*line, "\xef\xbb\xbf"))
		*line = str_of(line->p + 3, line->n - 3);
	if (csv_goes_on(&scan, *line, sep)) {
		buf_clear(&f->record);
		buf_str(&f->record, *line);
		do {
			x = raw_line(f, &more);
			if (x == READER_END)
				break;
			if (x != READER_LINE)
				return x;
			if (feed_has_place(f))
				feed_mark(f, mark, true);
			if (f->record.n + 1 + more.n > max) {
				f->ncut++;
				f->line_max = max;
				break;
			}
			buf_putc(&f->record, '\n');
			buf_str(&f->record, more);
		} while (csv_goes_on(&scan, more, sep));
		*line = buf_view(&f->record);
	}
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return READER_LINE;
}

/* The next line of rules, with what belongs to it. */
static enum reader_result
read_item(struct feed *f, struct item *it)
{
	enum format format = f->o.program->format;
	enum reader_result x;

	it->has_header = false;
	for (;;) {
		x = format == FORMAT_CSV || format == FORMAT_TSV ?
		    record(f, &it->line, &it->mark) : raw_line(f, &it->line);
		if (x != READER_LINE || !f->wants_header || !f->new_file)
			break;
		f->new_file = false;
		it->has_header = true;
		buf_clear(&it->header);
		buf_str(&it->header, it->line);
	}
	f->new_file = false;
	if (x == READER_LINE && f->log != NULL && f->log->has_header) {
		f->log->has_header = false;
		it->has_header = true;
		buf_clear(&it->header);
		buf_str(&it->header, buf_view(&f->log->header));
	}
	it->name = f->name;
	if (x == READER_LINE && feed_has_place(f) && f->o.look_ahead &&
	    format != FORMAT_CSV && format != FORMAT_TSV)
		feed_mark(f, &it->mark, false);
	return x;
}

static void
deliver(struct feed *f, struct item *it, struct str *line)
{
	if (it->name != f->told) {
		vm_set_infile(f->o.vm, str_c(it->name));
		f->told = it->name;
	}
	if (it->has_header)
		vm_set_header(f->o.vm, buf_view(&it->header));
	*line = f->last = it->line;
	f->line_open = true;
	if (f->marked) {
		f->mark = it->mark;
		f->has_mark = true;
	}
}

/* What was ahead is at hand, and the other way round. */
static void
swap(struct feed *f)
{
	struct item *t = f->at;

	f->at = f->ahead;
	f->ahead = t;
}

enum reader_result
feed_line(struct feed *f, struct str *line)
{
	enum reader_result x;

	f->line_open = false;
	if (f->ended)
		return READER_END;
	for (;;) {
		if (f->o.look_ahead)
			swap(f);
		x = read_item(f, f->ahead);
		if (x == READER_END)
			f->ended = f->at_end = true;
		else if (x != READER_LINE)
			return x;
		if (!f->o.look_ahead) {
			if (x == READER_LINE) {
				swap(f);
				deliver(f, f->at, line);
			}
			return x;
		}
		if (x == READER_LINE) {
			/* kept: the block that it stands in may move */
			buf_clear(&f->ahead->text);
			buf_room(&f->ahead->text, 1);
			buf_str(&f->ahead->text, f->ahead->line);
			f->ahead->line = buf_view(&f->ahead->text);
			if (!f->started) {
				f->started = true;
				continue;
			}
		} else {
			if (!f->started)
				return x;
			vm_set_eoi(f->o.vm);
		}
		deliver(f, f->at, line);
		return READER_LINE;
	}
}

bool
feed_has_rows(const struct feed *f)
{
	return f->table != NULL;
}

void
feed_done(struct feed *f)
{
	f->line_open = false;
}

struct str
feed_last(const struct feed *f)
{
	return f->last;
}

size_t
feed_ncut(const struct feed *f, size_t *line_max)
{
	size_t n = f->ncut;

	*line_max = f->line_max;
	if (f->in != NULL) {
		n += input_reader(f->in)->ncut;
		*line_max = input_reader(f->in)->line_max;
	}
	return n;
}

void
feed_close(struct feed *f, struct input_end *end)
{
	struct live_input *in = f->in;
	struct mem *mem = f->o.mem;
	int i;

	/* before the reader is gone, or, with a filter, when it is known how
	 * that ended */
	if (!f->spooled)
		feed_settle(f);
	f->in = NULL;
	if (in != NULL)
		input_close(in, &f->end);
	if (f->spooled)
		feed_settle(f);
	feed_log_close(f);
	feed_journal_close(f);
	feed_table_close(f);
	if (f->spool != -1)
		close(f->spool);
	*end = f->end;
	if (f->has_glob)
		globfree(&f->glob);
	buf_free(&f->record);
	buf_free(&f->kept);
	for (i = 0; i < 2; i++) {
		buf_free(&f->item[i].text);
		buf_free(&f->item[i].header);
	}
	mem_free(mem, f, sizeof *f);
}
