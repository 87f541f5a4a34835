/* test_run: one test: its scripts, its world, its runs. */
#include "engine/cli/ruletest.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/effect/spawn.h"
#include "engine/vm/clock.h"

#define HOST_DEFAULT	"testhost"
#define NOW_DEFAULT	946684800.0	/* 2000-01-01 00:00:00 UTC */

/* What a test says of itself as a whole. */
struct frame {
	struct ruletest	*t;
	const char	*path;
	struct str	 text;
	struct str	 host, alert, tz;
	struct compile_options o;
	struct str	 script[LIM_TEST_SCRIPTS];
	size_t		 nscript;
	bool		 own_scripts;	/* the test itself names them */
	struct compile	*compile[LIM_TEST_SCRIPTS];
	size_t		 ncompile;
	const struct program *program[LIM_TEST_SCRIPTS];
	struct tests	*tests;		/* the file, as this test sees it */
	struct diag	*diag;		/* of the file, for its lines */
	struct place	 place;		/* of the test */
	struct test_outcome *out;
};

/* --- failures --- */

static struct test_failure *
fail(struct frame *f, struct place place, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static struct test_failure *
fail(struct frame *f, struct place place, const char *fmt, ...)
{
	struct arena *a = &f->t->arena;
	struct test_failure *x = arena_zalloc(a, sizeof *x);
	struct buf b;
	va_list ap;

	x->place = place;
	x->line = f->diag == NULL || f->diag->src == NULL ? STR_EMPTY :
	    arena_dup(a, source_line(f->diag->src, place));
	x->expected = x->got = x->advice = STR_NIL;
	buf_init(&b, a->mem);
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	x->what = arena_dup(a, buf_view(&b));
	buf_free(&b);
	*f->out->last = x;
	f->out->last = &x->next;
	return x;
}

/* --- the frame --- */

static struct str
below(struct ruletest *t, struct str dir, const char *leaf, struct str name,
    const char *tail)
{
	struct str s;
	struct buf b;

	buf_init(&b, t->arena.mem);
	if (!str_eq(dir, STR_LIT("."))) {
		buf_str(&b, dir);
		buf_puts(&b, dir.n > 0 && dir.p[dir.n - 1] == '/' ? "" : "/");
	}
	buf_puts(&b, leaf);
	buf_str(&b, name);
	buf_puts(&b, tail);
	s = arena_dup(&t->arena, buf_view(&b));
	buf_free(&b);
	return s;
}

static struct str
folder_of(struct ruletest *t, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? STR_LIT(".") : slash == path ? STR_LIT("/") :
	    arena_dup(&t->arena, str_of(path, (size_t)(slash - path)));
}

/* The words that hold for the whole test. */
static void
take_words(struct frame *f, const struct test *test)
{
	const struct test_step *s;
	size_t i, k;

	for (i = 0; i < test->nstep; i++) {
		s = &test->step[i];
		switch (s->word) {
		case TEST_HOST:
			f->host = s->text[0];
			break;
		case TEST_ALERT:
			f->alert = s->text[0];
			break;
		case TEST_TZ:
			f->tz = s->text[0];
			break;
		case TEST_SCRIPT:
			/* those of the test instead of those before it */
			if (i >= test->own && !f->own_scripts) {
				f->own_scripts = true;
				f->nscript = 0;
			}
			for (k = 0; k < s->ntext; k++)
				if (f->nscript < LIM_TEST_SCRIPTS)
					f->script[f->nscript++] = s->text[k];
			break;
		default:
			break;
		}
	}
}

/* The options of the file with the test's defines and macros before them, and
 * the context that it makes. */
static void
options(struct frame *f, const struct test *test)
{
	struct arena *a = &f->t->arena;
	const struct compile_options *base = &f->o;
	struct macro_value *macro, *context;
	struct define *define;
	struct str *member, here, one;
	const struct test_step *s;
	size_t i, k, nmacro = 0, ndefine;

	macro = arena_alloc(a, (base->nmacro + test->nstep + 1) *
	    sizeof *macro);
	define = arena_alloc(a, (base->ndefine + test->nstep + 1) *
	    sizeof *define);
	context = arena_alloc(a, (base->ncontext + 1) * sizeof *context);
	member = arena_alloc(a, (base->nmember + 1 + LIM_OWN_NAMES) *
	    sizeof *member);
	/* the last one said holds */
	for (; nmacro < base->nmacro; nmacro++)
		macro[nmacro] = base->macro[nmacro];
	for (i = 0; i < test->nstep; i++) {
		s = &test->step[i];
		if (s->word == TEST_MACRO)
			macro[nmacro++] = (struct macro_value){ s->text[0],
			    s->text[1] };
	}
	for (ndefine = 0; ndefine < base->ndefine; ndefine++)
		define[ndefine] = base->define[ndefine];
	for (i = 0; i < test->nstep; i++) {
		s = &test->step[i];
		if (s->word == TEST_DEFINE)
			define[ndefine++] = (struct define){ s->text[0],
			    s->number > 0 };
	}
	for (i = 0; i < base->ncontext; i++) {
		context[i] = base->context[i];
		if (str_eq(context[i].name, STR_LIT("pikthostname")))
			context[i].value = f->host;
		else if (str_eq(context[i].name, STR_LIT("piktalert")))
			context[i].value = f->alert;
		else if (str_eq(context[i].name, STR_LIT("objdir")))
			context[i].value = STR_LIT("/var/lib/picket/objects");
		else if (str_eq(context[i].name, STR_LIT("hstdir")))
			context[i].value = STR_LIT("/var/lib/picket/history");
		else if (str_eq(context[i].name, STR_LIT("logdir")))
			context[i].value = STR_LIT("/var/log/picket");
	}
	member[0] = f->host;
	k = 1 + cli_own_names(f->t->c, f->host, member + 1);
	/* without the name of the machine on which the tests run */
	here = cli_hostname(f->t->c);
	here.n = str_find(here, '.', 0);
	for (i = 0; i < base->nmember; i++) {
		one = base->member[i];
		if (one.n < here.n || memcmp(one.p, here.p, here.n) != 0 ||
		    (one.n > here.n && one.p[here.n] != '.'))
			member[k++] = one;
	}
	f->o.macro = macro;
	f->o.nmacro = nmacro;
	f->o.define = define;
	f->o.ndefine = ndefine;
	f->o.context = context;
	f->o.member = member;
	f->o.nmember = k;
}

/* --- scripts --- */

/* The text of a file; NULL: it is not there, or cannot be read. */
static const struct str *
text_of(struct ruletest *t, struct str path)
{
	struct map_entry *e = map_get(&t->text, path);
	struct str *own;
	const char *why;
	bool is_new;

	if (e != NULL)
		return e->v.ptr;
	own = arena_zalloc(&t->c->arena, sizeof *own);
	if (access(path.p, F_OK) != 0 || !cli_read_regular(t->c, path.p, own,
	    &why))
		own = NULL;
	map_put(&t->text, path, &is_new)->v.ptr = own;
	return own;
}

/* Does a line of the text begin with the name, as a script does? */
static bool
names(struct str text, struct str name)
{
	size_t i = 0;

	for (; i + name.n <= text.n; i = str_find(text, '\n', i) + 1)
		if (memcmp(text.p + i, name.p, name.n) == 0 &&
		    (i + name.n == text.n || strchr(" \t\r\n/",
		    text.p[i + name.n]) != NULL))
			return true;
	return false;
}

/* The file of a folder that has the script; NIL: none. */
static struct str
in_folder(struct ruletest *t, struct str dir, struct str name)
{
	struct str path = below(t, dir, "", name, ".pikt"), leaf;
	const struct str *text = text_of(t, path);
	struct dirent **e = NULL;
	int i, n;

	if (text != NULL)
		return path;
	path = STR_NIL;
	n = scandir(dir.p, &e, NULL, alphasort);
	for (i = 0; i < n; i++) {
		leaf = str_c(e[i]->d_name);
		if (str_none(path) && str_ends(leaf, ".pikt") &&
		    !str_ends(leaf, "_test.pikt")) {
			leaf = below(t, dir, "", leaf, "");
			text = text_of(t, leaf);
			if (text != NULL && names(*text, name))
				path = leaf;
		}
		free(e[i]);
	}
	free(e);
	return path;
}

/* Beside the test, else in the site, else in the library. */
static struct str
find_script(struct frame *f, struct str name)
{
	struct ruletest *t = f->t;
	struct str dir = folder_of(t, f->path), path;

	path = in_folder(t, dir, name);
	if (str_none(path))	/* tests may have a folder of their own */
		path = in_folder(t, below(t, dir, "../scripts", STR_EMPTY, ""),
		    name);
	if (str_none(path) && t->c->site != NULL) {
		path = in_folder(t, below(t, t->c->dir, "scripts", STR_EMPTY,
		    ""), name);
		if (str_none(path))
			path = in_folder(t, t->c->dir, name);
	}
	if (str_none(path))
		path = cli_bundled_path(t->c, name.p);
	return path;
}

static bool
compile_script(struct frame *f, size_t i)
{
	struct ruletest *t = f->t;
	struct str name = arena_dup(&t->arena, f->script[i]), path;
	const struct program_set *set;
	const struct str *text;
	struct compile *made;
	struct buf b;
	size_t k;

	path = find_script(f, name);
	text = str_none(path) ? NULL : text_of(t, path);
	if (text == NULL) {
		fail(f, f->place, "there is no script %.*s: neither beside "
		    "the test nor in the site or the library", (int)name.n,
		    name.p);
		return false;
	}
	made = compile_source(path, *text, &f->o);
	if (made == NULL)
		mem_fail(t->arena.mem, false);
	f->compile[f->ncompile++] = made;
	set = compile_programs(made);
	for (k = 0; k < set->n; k++)
		if (str_eq(set->program[k].name, name)) {
			f->program[i] = &set->program[k];
			if (t->cover != NULL)
				cover_program(t->cover, f->program[i], path,
				    *text);
			return true;
		}
	if (compile_diag(made)->nerror == 0) {
		fail(f, f->place, "%.*s: there is no script %.*s in it, as "
		    "the test sees it", (int)path.n, path.p, (int)name.n,
		    name.p);
		return false;
	}
	buf_init(&b, t->arena.mem);
	diag_render(compile_diag(made), &b, false);
	fail(f, f->place, "%.*s does not compile", (int)name.n, name.p)->got =
	    arena_dup(&t->arena, buf_view(&b));
	buf_free(&b);
	return false;
}

/* The test names none: those of the site's alert, else the one that the file
 * is named after. */
static void
unnamed_scripts(struct frame *f)
{
	const struct site *s = f->t->c->site;
	const struct site_alert *a = s == NULL ? NULL :
	    site_alert(s, f->alert);
	size_t i;

	for (i = 0; a != NULL && i < a->nalarm && i < LIM_TEST_SCRIPTS; i++)
		f->script[f->nscript++] = a->alarm[i].name;
	if (f->nscript == 0)
		f->script[f->nscript++] = tests_of(str_c(f->path));
}

/* --- runs --- */

/* What a test should say of a question that nobody has answered. */
static struct str
advice(struct frame *f, struct str asked)
{
	static const struct { const char *what, *line; bool quoted; } row[] = {
		{ "input command ", "command %.*s gives \"...\"", true },
		{ "command ", "command %.*s gives \"...\"", true },
		{ "content of file ", "file %.*s content \"...\"", true },
		{ "file ", "nofile %.*s", true },
		{ "input", "input \"...\"", false },
		{ "contact ", "contact %.*s gives \"...\"", true },
		{ "table ", "table %.*s \"pid user comm\" \"...\"", false }
	};
	struct str rest, s;
	struct buf b, q;
	size_t i, k;

	for (i = 0; i < sizeof row / sizeof *row; i++)
		if (str_starts(asked, row[i].what))
			break;
	buf_init(&b, f->t->arena.mem);
	buf_init(&q, f->t->arena.mem);
	if (i == sizeof row / sizeof *row) {
		if (str_starts(asked, "fact "))
			asked = str_of(asked.p + 5, asked.n - 5);
		/* "uid groucho" */
		k = str_find(asked, ' ', 0);
		buf_printf(&b, "fact %.*s", (int)k, asked.p);
		if (k < asked.n)
			buf_printf(&b, " \"%.*s\"", (int)(asked.n - k - 1),
			    asked.p + k + 1);
		buf_puts(&b, " \"...\"");
	} else {
		k = strlen(row[i].what);
		rest = str_of(asked.p + k, asked.n - k);
		if (!row[i].quoted)
			rest.n = strcspn(rest.p, " ,") < rest.n ?
			    strcspn(rest.p, " ,") : rest.n;
		if (row[i].quoted)
			buf_putc(&q, '"');
		for (k = 0; k < rest.n; k++) {
			if (row[i].quoted && (rest.p[k] == '"' ||
			    rest.p[k] == '\\' || rest.p[k] == '='))
				buf_putc(&q, '\\');
			buf_putc(&q, rest.p[k]);
		}
		if (row[i].quoted)
			buf_putc(&q, '"');
		buf_printf(&b, row[i].line, (int)q.n, buf_c(&q));
	}
	s = arena_dup(&f->t->arena, buf_view(&b));
	buf_free(&b);
	buf_free(&q);
	return s;
}

/* What was asked and nobody has said; each once. */
static void
unanswered(struct frame *f, struct sim *sim, struct place at)
{
	const struct recorded_did *did;
	struct test_failure *x;
	size_t i, k, n;

	did = recorded_done(sim_world(sim), &n);
	for (i = 0; i < n; i++) {
		if (did[i].kind != RECORDED_UNANSWERED)
			continue;
		for (k = 0; k < i; k++)
			if (did[k].kind == RECORDED_UNANSWERED &&
			    str_eq(did[k].text, did[i].text))
				break;
		if (k < i)
			continue;
		x = fail(f, at, "the script asked what the test does not say: "
		    "%.*s", (int)did[i].text.n, did[i].text.p);
		x->advice = advice(f, did[i].text);
	}
}

/* A run that did not end well, and no expectation has said so. */
static void
ended(struct frame *f, const struct test_run *r, struct place at)
{
	const struct sim_script *s;
	size_t i;

	for (i = 0; i < r->result.nscript; i++) {
		s = &r->result.script[i];
		if (s->end == RUN_OK)
			continue;
		fail(f, at, "%.*s did not end well, and no expect error says "
		    "so", (int)s->program->name.n, s->program->name.p)->got =
		    arena_dup(&f->t->arena, s->error);
	}
}

struct state {
	struct test_run	 run;
	bool		 pending;	/* the world has changed since */
	bool		 ran, excused;	/* an expectation is about its end */
	struct place	 at;		/* what made it run */
};

/* The run at hand is over: nothing more will be expected of it. */
static void
close_run(struct frame *f, struct state *s)
{
	if (s->ran && !s->excused)
		ended(f, &s->run, s->at);
	s->ran = false;
}

/* False: the sim is gone. */
static bool
run(struct frame *f, struct state *s)
{
	struct recorded *w = sim_world(s->run.sim);
	bool doexec = false, ok;
	struct buf why;
	size_t i;

	close_run(f, s);
	recorded_forget(w);
	for (i = 0; i < f->nscript; i++)
		doexec = doexec || f->program[i]->doexec;
	buf_init(&why, f->t->arena.mem);
	ok = sim_run(s->run.sim, f->program, f->nscript, doexec,
	    &s->run.result, &why);
	f->out->runs++;
	if (!ok)
		fail(f, s->at, "the test cannot run: %s", buf_c(&why));
	buf_free(&why);
	s->pending = false;
	s->ran = ok;
	s->excused = false;
	unanswered(f, s->run.sim, s->at);
	return ok;
}

static void
steps(struct frame *f, struct sim *sim, const struct test *test)
{
	struct state s = { .run = { f->t, sim, f->program, f->nscript,
	    { 0 } }, .pending = true, .at = test->place };
	struct test_failure seen, *x;
	const struct test_step *e;
	size_t i;

	for (i = 0; i < test->nstep; i++) {
		e = &test->step[i];
		if (e->word == TEST_EXPECT) {
			if (s.pending && !run(f, &s))
				return;
			f->out->checks++;
			s.excused = s.excused || e->what == WHAT_ERROR;
			seen.expected = seen.got = STR_NIL;
			if (test_look(&s.run, e, &seen))
				continue;
			x = fail(f, e->place, "%.*s", (int)e->shown.n,
			    e->shown.p);
			/* views of what the next run forgets */
			if (!str_none(seen.expected))
				x->expected = arena_dup(&f->t->arena,
				    seen.expected);
			if (!str_none(seen.got))
				x->got = arena_dup(&f->t->arena, seen.got);
			continue;
		}
		if (e->word == TEST_LATER && s.pending && !run(f, &s))
			return;
		test_world(&f->t->arena, sim_world(sim), e);
		if (i >= test->own && !s.pending) {
			s.pending = true;
			s.at = e->place;
		}
	}
	if (s.pending && !run(f, &s))
		return;
	close_run(f, &s);
}

/* --- one test --- */

static void
run_test(struct frame *f, const struct test *test)
{
	struct ruletest *t = f->t;
	struct sim_options so;
	struct sim *sim;
	struct buf why;

	memset(&so, 0, sizeof so);
	so.mem = t->arena.mem;
	so.store = buf_c(&t->store);
	so.alert = f->alert;
	so.facts.objects = t->c->site == NULL ? NULL :
	    cli_objects(t->c, t->c->site);
	if (t->cover != NULL) {
		so.met = cover_met;
		so.arg = t->cover;
	}
	(void)setenv("TZ", f->tz.p, 1);
	tzset();
	buf_init(&why, t->arena.mem);
	sim = sim_new(&so, &why);
	if (sim == NULL)
		fail(f, test->place, "the test cannot run: %s", buf_c(&why));
	else {
		recorded_set_clock(sim_world(sim), NOW_DEFAULT);
		recorded_set_host(sim_world(sim), f->host);
		steps(f, sim, test);
		sim_free(sim);
	}
	buf_free(&why);
}

/* The same test, read as it sees itself: with its macros and defines. */
static const struct test *
again(struct frame *f, const struct test *test)
{
	const struct test *list;
	struct buf b;
	size_t i, n;

	f->tests = tests_read(str_c(f->path), f->text, &f->o);
	if (f->tests == NULL)
		mem_fail(f->t->arena.mem, false);
	list = tests_list(f->tests, &n);
	for (i = 0; i < n; i++)
		if (str_eq(list[i].name, test->name)) {
			f->diag = tests_diag(f->tests);
			return &list[i];
		}
	buf_init(&b, f->t->arena.mem);
	diag_render(tests_diag(f->tests), &b, false);
	fail(f, f->place, "with its macros and defines the test cannot be "
	    "read")->got = arena_dup(&f->t->arena, buf_view(&b));
	buf_free(&b);
	return NULL;
}

void
test_one(struct ruletest *t, const char *path, struct str text,
    const struct compile_options *o, struct diag *d, const struct test *test,
    struct test_outcome *out)
{
	struct frame f = { .t = t, .path = path, .text = text, .o = *o,
	    .diag = d, .out = out, .place = test->place };
	double began = clock_steady();
	const struct test *mine;
	size_t i;

	memset(out, 0, sizeof *out);
	out->name = arena_dup(&t->arena, test->name);
	out->line = test->place.line;
	out->last = &out->first;
	f.host = STR_LIT(HOST_DEFAULT);
	f.alert = STR_LIT("test");
	f.tz = STR_LIT("UTC");
	take_words(&f, test);
	options(&f, test);
	mine = again(&f, test);
	if (mine != NULL) {
		f.place = mine->place;
		f.nscript = 0;
		f.own_scripts = false;
		take_words(&f, mine);
		if (f.nscript == 0)
			unnamed_scripts(&f);
		f.o.cover = t->cover != NULL;
		if (t->cover != NULL)
			cover_next(t->cover);
		for (i = 0; i < f.nscript && out->first == NULL; i++)
			(void)compile_script(&f, i);
		if (out->first == NULL)
			run_test(&f, mine);
	}
	for (i = 0; i < f.ncompile; i++)
		compile_free(f.compile[i]);
	tests_free(f.tests);
	out->seconds = clock_steady() - began;
}
