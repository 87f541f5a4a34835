/* test_show: rule tests told of: for people, as TAP 13, as JSON. */
#include "engine/cli/ruletest.h"

#include <sys/ioctl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WIDTH		80	/* columns where nobody says how many */
#define WIDTH_LEAST	40	/* two columns need so much */
#define WIDTH_MOST	200	/* wider is hard to read */
#define INDENT		8
#define BETWEEN		3	/* " | " */

struct test_show {
	struct cli	*c;
	enum show_form	 form;
	struct buf	 b;
	unsigned	 width;
	bool		 timed;		/* for people: they look at a terminal */
	size_t		 files, broken, passed, failed;
	double		 seconds;
	json_t		*list;
};

/* --- what the forms share --- */

static unsigned
terminal(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize w;
	long n = columns == NULL ? 0 : strtol(columns, NULL, 10);

	if (n <= 0 && ioctl(1, TIOCGWINSZ, &w) == 0)
		n = w.ws_col;
	if (n <= 0)
		n = WIDTH;
	return n < WIDTH_LEAST ? WIDTH_LEAST : n > WIDTH_MOST ? WIDTH_MOST :
	    (unsigned)n;
}

struct test_show *
show_new(struct cli *c, enum show_form form)
{
	struct test_show *s = arena_zalloc(&c->arena, sizeof *s);

	s->c = c;
	s->form = form;
	s->width = terminal();
	s->timed = isatty(1) == 1;
	buf_init(&s->b, &c->mem);
	if (form == SHOW_TAP)
		buf_puts(&s->b, "TAP version 13\n");
	if (form == SHOW_JSON)
		s->list = json_array();
	return s;
}

/* Long work is seen while it goes on. */
static void
flush(struct test_show *s)
{
	(void)cli_write(1, buf_view(&s->b));
	buf_clear(&s->b);
}

static void
colour(struct test_show *s, const char *code)
{
	if (s->c->colour_out)
		buf_printf(&s->b, "\033[%sm", code);
}

/* Bytes of a text that fill at most `width` columns: whole characters. */
static size_t
fits(struct str s, unsigned width)
{
	size_t i = 0, k;
	unsigned n = 0;

	while (i < s.n && s.p[i] != '\n' && n < width) {
		for (k = i + 1; k < s.n && (s.p[k] & 0xc0) == 0x80; k++)
			;
		i = k;
		n++;
	}
	return i;
}

static unsigned
columns(struct str s)
{
	size_t i;
	unsigned n = 0;

	for (i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n;
}

/* The next piece of a text of lines that fills a column. */
static struct str
piece(struct str *rest, unsigned width)
{
	size_t n = fits(*rest, width), k;
	struct str s;

	/* rather at a blank than in a word, if one is near */
	if (n < rest->n && rest->p[n] != '\n')
		for (k = n; k > n / 2; k--)
			if (rest->p[k - 1] == ' ') {
				n = k;
				break;
			}
	s = str_of(rest->p, n);
	while (s.n > 0 && s.p[s.n - 1] == ' ')
		s.n--;
	if (n < rest->n && rest->p[n] == '\n')
		n++;
	*rest = str_of(rest->p + n, rest->n - n);
	return s;
}

/* --- for people --- */

/* Two texts beside each other, each wrapped in its half. */
static void
side_by_side(struct test_show *s, struct str left, struct str right)
{
	unsigned half = (s->width - INDENT - BETWEEN) / 2, n;
	struct str l, r;

	buf_printf(&s->b, "%*s%-*s | got\n", INDENT, "", (int)half,
	    "expected");
	while (left.n > 0 || right.n > 0) {
		l = piece(&left, half);
		r = piece(&right, half);
		buf_printf(&s->b, "%*s", INDENT, "");
		colour(s, "32");
		buf_str(&s->b, l);
		colour(s, "0");
		for (n = columns(l); n < half; n++)
			buf_putc(&s->b, ' ');
		buf_puts(&s->b, " |");
		if (r.n > 0)
			buf_putc(&s->b, ' ');
		colour(s, "31");
		buf_str(&s->b, r);
		colour(s, "0");
		buf_putc(&s->b, '\n');
	}
}

/* The source's line, and a caret under its place; tabs stay tabs. */
static void
source(struct test_show *s, struct str line, uint32_t col)
{
	uint32_t i;

	if (line.n == 0 || col == 0 || col > line.n + 1)
		return;
	buf_escaped(&s->b, STR_EMPTY, 0);
	for (i = 0; i < line.n; i++)
		if (line.p[i] == '\t')
			buf_putc(&s->b, '\t');
		else
			buf_escaped(&s->b, str_of(line.p + i, 1), 0);
	buf_putc(&s->b, '\n');
	for (i = 0; i + 1 < col; i++)
		buf_putc(&s->b, line.p[i] == '\t' ? '\t' : ' ');
	buf_puts(&s->b, "^\n");
}

static void
indented(struct test_show *s, struct str text)
{
	struct str rest = text, l;

	while (rest.n > 0) {
		l = piece(&rest, s->width - INDENT);
		buf_printf(&s->b, "%*s", INDENT, "");
		buf_str(&s->b, l);
		buf_putc(&s->b, '\n');
	}
}

static void
people_failure(struct test_show *s, const char *path,
    const struct test_failure *f)
{
	buf_printf(&s->b, "%s:%u:%u: ", path, f->place.line, f->place.col);
	colour(s, "31");
	buf_puts(&s->b, "failed: ");
	colour(s, "0");
	buf_escaped(&s->b, f->what, 0);
	buf_putc(&s->b, '\n');
	source(s, f->line, f->place.col);
	if (!str_none(f->expected))
		side_by_side(s, f->expected, str_none(f->got) ? STR_EMPTY :
		    f->got);
	else if (!str_none(f->got))
		indented(s, f->got);
	if (!str_none(f->advice)) {
		buf_puts(&s->b, "hint: add to the test: ");
		buf_escaped(&s->b, f->advice, 0);
		buf_putc(&s->b, '\n');
	}
}

static void
people(struct test_show *s, const char *path, const struct test_outcome *o,
    size_t n, size_t failed, double seconds)
{
	const struct test_failure *f;
	size_t i;

	colour(s, failed > 0 ? "31" : "32");
	buf_puts(&s->b, failed > 0 ? "FAIL  " : "ok    ");
	colour(s, "0");
	if (failed > 0)
		buf_printf(&s->b, "%s: %zu of %zu test%s failed", path, failed,
		    n, n == 1 ? "" : "s");
	else
		buf_printf(&s->b, "%s: %zu test%s", path, n, n == 1 ? "" :
		    "s");
	if (s->timed)
		buf_printf(&s->b, " (%.0f ms)", seconds * 1000);
	buf_putc(&s->b, '\n');
	for (i = 0; i < n; i++) {
		if (o[i].first == NULL)
			continue;
		buf_printf(&s->b, "\n%s:%u: ", path, o[i].line);
		colour(s, "1");
		buf_escaped(&s->b, o[i].name, 0);
		colour(s, "0");
		buf_putc(&s->b, '\n');
		for (f = o[i].first; f != NULL; f = f->next)
			people_failure(s, path, f);
	}
	if (failed > 0)
		buf_putc(&s->b, '\n');
}

/* --- TAP 13 --- */

/* A text in a YAML block: "key: |" and its lines, or "key: text". */
static void
yaml(struct test_show *s, const char *key, struct str text)
{
	struct str rest = text, l;

	if (str_none(text))
		return;
	buf_printf(&s->b, "    %s: |\n", key);
	do {
		l = str_of(rest.p, str_find(rest, '\n', 0));
		buf_puts(&s->b, "      ");
		buf_escaped(&s->b, l, 0);
		buf_putc(&s->b, '\n');
		rest = l.n < rest.n ? str_of(rest.p + l.n + 1, rest.n - l.n -
		    1) : STR_EMPTY;
	} while (rest.n > 0);
}

/* What TAP gives a meaning of its own to is left out of names. */
static void
tap_line(struct test_show *s, bool ok, const char *path, struct str name)
{
	size_t i;

	buf_printf(&s->b, "%s %zu - %s: ", ok ? "ok" : "not ok", s->passed +
	    s->failed + s->broken, path);
	for (i = 0; i < name.n; i++)
		if (name.p[i] == '#')
			buf_puts(&s->b, "\\#");
		else
			buf_escaped(&s->b, str_of(name.p + i, 1), 0);
	buf_putc(&s->b, '\n');
}

static void
tap(struct test_show *s, const char *path, const struct test_outcome *o)
{
	const struct test_failure *f;

	tap_line(s, o->first == NULL, path, o->name);
	if (o->first == NULL)
		return;
	buf_puts(&s->b, "  ---\n  failures:\n");
	for (f = o->first; f != NULL; f = f->next) {
		buf_printf(&s->b, "  - at: %s:%u:%u\n", path, f->place.line,
		    f->place.col);
		yaml(s, "message", f->what);
		yaml(s, "expected", f->expected);
		yaml(s, "got", f->got);
		yaml(s, "add", f->advice);
	}
	buf_puts(&s->b, "  ...\n");
}

/* --- JSON --- */

/* Bytes that are no UTF-8 are shown escaped, as on a terminal. */
static json_t *
text(struct test_show *s, struct str t)
{
	json_t *j = json_stringn(t.p, t.n);
	struct buf b;

	if (j != NULL)
		return j;
	buf_init(&b, &s->c->mem);
	buf_escaped(&b, t, 0);
	j = json_stringn(buf_view(&b).p, b.n);
	buf_free(&b);
	return j;
}

static void
put(struct test_show *s, json_t *o, const char *key, struct str t)
{
	if (!str_none(t))
		json_object_set_new(o, key, text(s, t));
}

static void
json(struct test_show *s, const char *path, const struct test_outcome *o,
    size_t n)
{
	json_t *file = json_object(), *list = json_array(), *t, *fs, *j;
	const struct test_failure *f;
	size_t i;

	put(s, file, "file", str_c(path));
	for (i = 0; i < n; i++) {
		t = json_object();
		put(s, t, "name", o[i].name);
		json_object_set_new(t, "line", json_integer(o[i].line));
		json_object_set_new(t, "ok", json_boolean(o[i].first ==
		    NULL));
		json_object_set_new(t, "seconds", json_real(o[i].seconds));
		json_object_set_new(t, "runs", json_integer(o[i].runs));
		json_object_set_new(t, "expectations",
		    json_integer(o[i].checks));
		fs = json_array();
		for (f = o[i].first; f != NULL; f = f->next) {
			j = json_object();
			json_object_set_new(j, "line",
			    json_integer(f->place.line));
			json_object_set_new(j, "column",
			    json_integer(f->place.col));
			put(s, j, "message", f->what);
			put(s, j, "expected", f->expected);
			put(s, j, "got", f->got);
			put(s, j, "add", f->advice);
			json_array_append_new(fs, j);
		}
		json_object_set_new(t, "failures", fs);
		json_array_append_new(list, t);
	}
	json_object_set_new(file, "tests", list);
	json_array_append_new(s->list, file);
}

/* --- one file --- */

void
show_broken(struct test_show *s, const char *path, struct str why)
{
	json_t *file;

	s->broken++;
	switch (s->form) {
	case SHOW_PEOPLE:
		colour(s, "31");
		buf_puts(&s->b, "FAIL  ");
		colour(s, "0");
		buf_printf(&s->b, "%s: it cannot be read\n", path);
		flush(s);
		(void)cli_write(2, why);
		break;
	case SHOW_TAP:
		tap_line(s, false, path, STR_LIT("it can be read"));
		buf_puts(&s->b, "  ---\n");
		yaml(s, "message", why);
		buf_puts(&s->b, "  ...\n");
		break;
	case SHOW_JSON:
		file = json_object();
		put(s, file, "file", str_c(path));
		put(s, file, "error", why);
		json_array_append_new(s->list, file);
		break;
	}
	flush(s);
}

void
show_file(struct test_show *s, const char *path,
    const struct test_outcome *o, size_t n)
{
	double seconds = 0;
	size_t i, failed = 0;

	s->files++;
	for (i = 0; i < n; i++) {
		seconds += o[i].seconds;
		failed += o[i].first != NULL;
		if (o[i].first != NULL)
			s->failed++;
		else
			s->passed++;
		if (s->form == SHOW_TAP)
			tap(s, path, &o[i]);
	}
	s->seconds += seconds;
	if (s->form == SHOW_PEOPLE)
		people(s, path, o, n, failed, seconds);
	else if (s->form == SHOW_JSON)
		json(s, path, o, n);
	flush(s);
}

/* --- the end --- */

static void
figures(struct buf *b, const struct cover_count *n)
{
	buf_printf(b, "rules %zu of %zu (%.1f %%), branches %zu of %zu "
	    "(%.1f %%)\n", n->rules_met, n->rules,
	    cover_percent(n->rules_met, n->rules), n->branches_met,
	    n->branches, cover_percent(n->branches_met, n->branches));
}

static void
people_cover(struct test_show *s, const struct cover *v)
{
	struct cover_count n;
	struct cover_missed m;
	struct str name, path;
	size_t i, k;

	buf_putc(&s->b, '\n');
	for (i = 0; cover_script(v, i, &name, &path, &n); i++) {
		colour(s, "1");
		buf_str(&s->b, name);
		colour(s, "0");
		buf_puts(&s->b, ": ");
		figures(&s->b, &n);
		for (k = 0; cover_gap(v, i, &k, &m); ) {
			buf_printf(&s->b, "%.*s:%u:%u: %s\n", (int)m.file.n,
			    m.file.p, m.line, m.col, m.what);
			source(s, m.text, m.col);
		}
	}
	cover_total(v, &n);
	buf_puts(&s->b, "all scripts: ");
	figures(&s->b, &n);
}

static json_t *
json_count(const struct cover_count *n)
{
	json_t *o = json_object();

	json_object_set_new(o, "rules", json_integer((json_int_t)n->rules));
	json_object_set_new(o, "rules_met",
	    json_integer((json_int_t)n->rules_met));
	json_object_set_new(o, "branches",
	    json_integer((json_int_t)n->branches));
	json_object_set_new(o, "branches_met",
	    json_integer((json_int_t)n->branches_met));
	return o;
}

static json_t *
json_cover(struct test_show *s, const struct cover *v)
{
	json_t *all, *list = json_array(), *o, *gaps, *g;
	struct cover_count n;
	struct cover_missed m;
	struct str name, path;
	size_t i, k;

	for (i = 0; cover_script(v, i, &name, &path, &n); i++) {
		o = json_count(&n);
		put(s, o, "script", name);
		put(s, o, "file", path);
		gaps = json_array();
		for (k = 0; cover_gap(v, i, &k, &m); ) {
			g = json_object();
			put(s, g, "file", m.file);
			json_object_set_new(g, "line", json_integer(m.line));
			json_object_set_new(g, "column",
			    json_integer(m.col));
			json_object_set_new(g, "what", json_string(m.what));
			json_array_append_new(gaps, g);
		}
		json_object_set_new(o, "missed", gaps);
		json_array_append_new(list, o);
	}
	cover_total(v, &n);
	all = json_count(&n);
	json_object_set_new(all, "scripts", list);
	return all;
}

bool
show_end(struct test_show *s, const struct cover *v, double least)
{
	struct cover_count n = { 0 };
	json_t *o;
	char *out;
	bool low = false;

	if (v != NULL) {
		cover_total(v, &n);
		low = cover_percent(n.rules_met, n.rules) < least ||
		    cover_percent(n.branches_met, n.branches) < least;
	}
	switch (s->form) {
	case SHOW_PEOPLE:
		if (v != NULL && s->files > 0)
			people_cover(s, v);
		if (low)
			buf_printf(&s->b, "coverage is below %g %%\n", least);
		if (s->files + s->broken == 0)
			break;		/* it is said that there are none */
		buf_printf(&s->b, "%zu test%s in %zu file%s: %zu passed, %zu "
		    "failed", s->passed + s->failed, s->passed + s->failed ==
		    1 ? "" : "s", s->files, s->files == 1 ? "" : "s",
		    s->passed, s->failed);
		if (s->broken > 0)
			buf_printf(&s->b, "; %zu file%s cannot be read",
			    s->broken, s->broken == 1 ? "" : "s");
		if (s->timed)
			buf_printf(&s->b, " (%.2f s)", s->seconds);
		buf_putc(&s->b, '\n');
		break;
	case SHOW_TAP:
		if (v != NULL) {
			buf_puts(&s->b, "# coverage: ");
			figures(&s->b, &n);
		}
		if (least > 0) {
			s->passed += !low;
			s->failed += low;
			buf_printf(&s->b, "%s %zu - coverage of at least "
			    "%g %%\n", low ? "not ok" : "ok", s->passed +
			    s->failed + s->broken, least);
		}
		buf_printf(&s->b, "1..%zu\n", s->passed + s->failed +
		    s->broken);
		break;
	case SHOW_JSON:
		o = json_object();
		json_object_set_new(o, "files", s->list);
		json_object_set_new(o, "passed",
		    json_integer((json_int_t)s->passed));
		json_object_set_new(o, "failed",
		    json_integer((json_int_t)s->failed));
		json_object_set_new(o, "broken",
		    json_integer((json_int_t)s->broken));
		if (v != NULL)
			json_object_set_new(o, "coverage", json_cover(s, v));
		out = json_dumps(o, JSON_INDENT(2));
		json_decref(o);
		if (out != NULL) {
			buf_puts(&s->b, out);
			buf_putc(&s->b, '\n');
		}
		free(out);
		break;
	}
	flush(s);
	buf_free(&s->b);
	return s->failed + s->broken == 0 && !low;
}
