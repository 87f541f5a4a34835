/* cmd_test: picket test: the files, the tests of each, and what came of it. */
#include "engine/cli/ruletest.h"

#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/effect/spawn.h"

#define LIM_TEST_FOLDERS 32	/* nested: deeper is a loop of mounts */
#define LIM_TEST_FILES	10000	/* more is a folder that nobody meant */
#define FILE_BLOCK	(64 * 1024)

struct paths {
	const char	**path;
	size_t		 n, cap;
};
struct files {
	struct cli	*c;
	struct paths	 tests;
	struct paths	 scripts;	/* of the folders: what has no test at all
					 * is not covered */
	bool		 failed;
};

static void
add_file(struct files *f, struct paths *to, const char *path)
{
	const char **grown;

	if (to->n == LIM_TEST_FILES) {
		if (!f->failed)
			cli_say("%s: more than %d files", path,
			    LIM_TEST_FILES);
		f->failed = true;
		return;
	}
	if (to->n == to->cap) {
		to->cap = to->cap == 0 ? 32 : to->cap * 2;
		grown = arena_alloc(&f->c->arena, to->cap * sizeof *grown);
		if (to->n > 0)
			memcpy(grown, to->path, to->n * sizeof *grown);
		to->path = grown;
	}
	to->path[to->n++] = path;
}

static int
no_dots(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* Links to folders are not followed. */
static void
add_folder(struct files *f, const char *dir, int depth)
{
	struct dirent **list = NULL;
	struct stat st;
	char *sub;
	size_t k;
	int i, n = -1;

	if (depth == LIM_TEST_FOLDERS || (n = scandir(dir, &list, no_dots,
	    alphasort)) < 0) {
		cli_say("%s: %s", dir, depth == LIM_TEST_FOLDERS ?
		    "too many folders in one another" : strerror(errno));
		f->failed = true;
		return;
	}
	for (i = 0; i < n; i++) {
		k = strlen(dir) + strlen(list[i]->d_name) + 2;
		sub = arena_text(&f->c->arena, k);
		snprintf(sub, k, "%s%s%s", strcmp(dir, ".") == 0 ? "" : dir,
		    strcmp(dir, ".") == 0 || dir[strlen(dir) - 1] == '/' ? "" :
		    "/", list[i]->d_name);
		if (lstat(sub, &st) == 0 && S_ISDIR(st.st_mode))
			add_folder(f, sub, depth + 1);
		else if (str_ends(str_c(sub), ".pikt") && stat(sub, &st) ==
		    0 && S_ISREG(st.st_mode))
			add_file(f, str_none(tests_of(str_c(sub))) ?
			    &f->scripts : &f->tests, sub);
		free(list[i]);
	}
	free(list);
}

/* A folder, a file of tests, or a script that has one beside it. */
static void
add_path(struct files *f, const char *path)
{
	struct str s = str_c(path);
	struct stat st;
	char *beside;
	size_t n;

	if (stat(path, &st) != 0) {
		cli_say("%s: %s", path, strerror(errno));
		f->failed = true;
	} else if (S_ISDIR(st.st_mode))
		add_folder(f, path, 0);
	else if (!str_none(tests_of(s)))
		add_file(f, &f->tests, path);
	else {
		n = s.n + sizeof "_test.pikt";
		beside = arena_text(&f->c->arena, n);
		snprintf(beside, n, "%.*s_test.pikt", str_ends(s, ".pikt") ?
		    (int)s.n - 5 : (int)s.n, path);
		if (access(beside, F_OK) == 0)
			add_file(f, &f->tests, beside);
		else {
			cli_say("%s: tests are in files called NAME_test.pikt,"
			    " and there is no %s", path, beside);
			f->failed = true;
		}
	}
}

/* --only: a part of the test's name, or a pattern of all of it. */
static bool
meant(const struct cli *c, struct str name)
{
	const char *only = c->value[OPT_ONLY];

	if (!c->given[OPT_ONLY])
		return true;
	if (strpbrk(only, "*?[") != NULL && fnmatch(only, name.p, 0) == 0)
		return true;
	return memmem(name.p, name.n, only, strlen(only)) != NULL;
}

/* One file; how many of its tests were meant. */
static size_t
run_file(struct ruletest *t, struct test_show *show, const char *path)
{
	struct cli *c = t->c;
	struct compile_options o;
	struct test_outcome *out;
	const struct test *list;
	struct tests *tests;
	struct diag *d;
	struct str text;
	struct buf b;
	const char *why = "";
	size_t i, n, meant_n = 0;

	buf_init(&b, &c->mem);
	if (!cli_read_regular(c, path, &text, &why)) {
		buf_printf(&b, "%s: %s\n", path, why);
		show_broken(show, path, buf_view(&b));
		buf_free(&b);
		return 1;
	}
	/* scripts use the library's macros, whatever the test does */
	if (!cli_text_options(c, STR_LIT("#"), &o))
		mem_fail(&c->mem, false);
	tests = tests_read(str_c(path), text, &o);
	if (tests == NULL)
		mem_fail(&c->mem, false);
	d = tests_diag(tests);
	diag_render(d, &b, c->colour_err && !c->given[OPT_JSON] &&
	    !c->given[OPT_TAP]);
	list = tests_list(tests, &n);
	if (d->nerror > 0) {
		show_broken(show, path, buf_view(&b));
		meant_n = 1;
	} else {
		if (!c->given[OPT_JSON])
			(void)cli_write(2, buf_view(&b));	/* warnings */
		out = arena_zalloc(&t->arena, (n + 1) * sizeof *out);
		for (i = 0; i < n; i++)
			if (meant(c, list[i].name))
				test_one(t, path, text, &o, d, &list[i],
				    &out[meant_n++]);
		if (meant_n > 0)
			show_file(show, path, out, meant_n);
	}
	tests_free(tests);
	buf_free(&b);
	arena_reset(&t->arena, (struct arena_mark){ NULL, NULL });
	return meant_n;
}

/* Is the file one of which a test has run something? */
static bool
is_covered(const struct cover *v, const char *path)
{
	struct cover_count n;
	struct str name, known;
	struct stat st, of;
	size_t i;

	if (stat(path, &st) != 0)
		return true;
	for (i = 0; cover_script(v, i, &name, &known, &n); i++)
		if (stat(known.p, &of) == 0 && st.st_dev == of.st_dev &&
		    st.st_ino == of.st_ino)
			return true;
	return false;
}

/* A script of the folders that no test has touched counts, too.  Its errors
 * are picket check's. */
static void
untested(struct ruletest *t, const char *path)
{
	const struct program_set *set;
	struct compile_options o;
	struct compile *made;
	const char *why;
	struct str text;
	size_t i;

	if (is_covered(t->cover, path) || !cli_read_regular(t->c, path, &text,
	    &why) || !cli_text_options(t->c, STR_LIT("#"), &o))
		return;
	o.cover = true;
	made = compile_source(str_c(path), text, &o);
	if (made == NULL)
		mem_fail(&t->c->mem, false);
	set = compile_programs(made);
	for (i = 0; i < set->n; i++) {
		cover_next(t->cover);
		cover_program(t->cover, &set->program[i], str_c(path), text);
	}
	cover_next(t->cover);
	compile_free(made);
}

/* The percent of --coverage=N, 0 without one; less than 0: told of. */
static double
least(struct cli *c)
{
	const char *s = c->value[OPT_COVERAGE];
	double d = 0;

	if (!c->given[OPT_COVERAGE] || *s == '\0')
		return 0;
	d = num_parse(str_c(s), false);
	if (!(d >= 0 && d <= 100)) {
		cli_say("--coverage=%s: percent are from 0 to 100", s);
		return -1;
	}
	return d;
}

/* The site that a path is in; NULL: in none. */
static const char *
site_around(struct cli *c, const char *path)
{
	char *real = realpath(path, NULL), *end;
	const char *site = NULL;
	struct stat st;

	if (real == NULL)
		return NULL;
	if (stat(real, &st) == 0 && !S_ISDIR(st.st_mode) &&
	    (end = strrchr(real, '/')) != NULL && end != real)
		*end = '\0';
	/* scripts and tests may have folders of their own in it */
	if (!cli_site_is(c, real) && (end = strrchr(real, '/')) != NULL)
		*end = '\0';
	if (*real != '\0' && cli_site_is(c, real))
		site = arena_dup(&c->arena, str_c(real)).p;
	free(real);
	return site;
}

/*
 * Without --config the scripts get the macros, defines and objects of the site
 * that they are in, as in a real run.  The library is none: they have it
 * anyway.  Of paths in several sites none is taken.
 */
static void
own_site(struct cli *c)
{
	char *library = realpath(cli_library(), NULL);
	const char *site = NULL, *one;
	size_t i;

	for (i = 0; i < (c->narg == 0 ? 1 : c->narg); i++) {
		one = site_around(c, c->narg == 0 ? "." : c->arg[i]);
		if (one == NULL || (site != NULL && strcmp(site, one) != 0))
			break;
		site = one;
	}
	if (site != NULL && i == (c->narg == 0 ? 1 : c->narg) && (library == NULL ||
	    strcmp(site, library) != 0)) {
		c->given[OPT_CONFIG] = true;
		c->value[OPT_CONFIG] = site;
	}
	free(library);
}

static void
find_files(struct cli *c, struct files *f)
{
	size_t i;

	for (i = 0; i < c->narg; i++)
		add_path(f, c->arg[i]);
	if (c->narg == 0)
		add_folder(f, c->given[OPT_CONFIG] ? c->value[OPT_CONFIG] :
		    ".", 0);
}

int
cmd_test(struct cli *c)
{
	struct ruletest t = { .c = c };
	struct files f = { .c = c };
	struct test_show *show;
	double want = least(c);
	size_t i, n = 0;
	bool ok;

	if (want < 0)
		return EXIT_USAGE;
	if (c->given[OPT_TAP] && c->given[OPT_JSON]) {
		cli_say("--tap and --json are two forms: choose one");
		return EXIT_USAGE;
	}
	find_files(c, &f);
	if (f.failed)
		return EXIT_PROBLEMS;
	if (!c->given[OPT_CONFIG])
		own_site(c);
	if (!cli_open_site(c, false))
		return EXIT_PROBLEMS;
	arena_init(&t.arena, &c->mem, FILE_BLOCK);
	map_init(&t.text, &c->arena);
	buf_init(&t.store, &c->mem);
	spawn_helper(&t.store, STATE_PROGRAM);
	if (c->given[OPT_COVERAGE])
		t.cover = cover_new(c);
	show = show_new(c, c->given[OPT_TAP] ? SHOW_TAP : c->given[OPT_JSON] ?
	    SHOW_JSON : SHOW_PEOPLE);
	for (i = 0; i < f.tests.n; i++)
		n += run_file(&t, show, f.tests.path[i]);
	for (i = 0; t.cover != NULL && !c->given[OPT_ONLY] &&
	    i < f.scripts.n; i++)
		untested(&t, f.scripts.path[i]);
	ok = show_end(show, t.cover, want);
	if (n == 0) {
		if (f.tests.n == 0)
			cli_say("there are no tests: no file is called "
			    "NAME_test.pikt");
		else
			cli_say("there are no tests%s%s", c->given[OPT_ONLY] ?
			    " called " : "", c->given[OPT_ONLY] ?
			    c->value[OPT_ONLY] : "");
		ok = false;
	}
	cover_free(t.cover);
	buf_free(&t.store);
	arena_free(&t.arena);
	site_free(c->site);
	return ok ? EXIT_FINE : EXIT_PROBLEMS;
}
