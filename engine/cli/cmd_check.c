/* cmd_check, cmd_disasm: what is done with sources at rest. */
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lang/code/disasm.h"
#include "lang/code/progfile.h"
#include "lang/table/builtin.h"
#include "lang/test/test.h"
#include "engine/cli/cli.h"

#define LIM_FOLDERS	32	/* nested: deeper is a loop of mounts */

struct totals {
	size_t			 files, scripts, errors, warnings, unread;
	bool			 opened;	/* the site, for single files */
	struct json_diag	*json;
};

/* A function that acts by itself: no command, no handle tells of it. */
static bool
acts(int id)
{
	const struct builtin_info *b = &builtin_info[id];

	return (b->flags & FN_ACTS) != 0 && strpbrk(b->args, "cF") == NULL;
}

/* The commands that a program can run, and what else it can do to the host,
 * for --audit. */
static void
audit(struct cli *c, const struct program *p)
{
	const struct template *t = NULL;
	const struct line_entry *e;
	const char *what;
	struct buf b;
	uint32_t i;
	instr in;

	buf_init(&b, &c->mem);
	for (i = 0; i < p->ncode; i++) {
		in = p->code[i];
		what = NULL;
		if ((I_OP(in) == OP_CALLN || I_OP(in) == OP_CALLS) &&
		    acts((int)I_BX(in))) {
			e = program_where(p, i);
			what = builtin_main_name((int)I_BX(in)).p;
			buf_printf(&b, "%.*s:%u: %-8.*s %s\n", (int)p->file.n,
			    p->file.p, e == NULL ? 0 : e->line,
			    (int)strcspn(what, " "), what,
			    builtin_info[I_BX(in)].help);
			continue;
		}
		if (I_OP(in) == OP_CMD) {
			t = &p->tpl[I_BX(in)];
			if (i + 1 < p->ncode && I_OP(p->code[i + 1]) == OP_END)
				what = i < p->pc_filter || !p->has_filter ?
				    "input" : "filter";
		} else if (I_OP(in) == OP_EXEC)
			what = I_A(in) & 4 ? "doexec" : "exec";
		else if ((I_OP(in) == OP_CALLN || I_OP(in) == OP_CALLS) &&
		    strchr(builtin_info[I_BX(in)].args, 'c') != NULL)
			what = builtin_main_name((int)I_BX(in)).p;
		if (what == NULL || t == NULL)
			continue;
		e = program_where(p, i);
		buf_printf(&b, "%.*s:%u: %-8.*s %s%s", (int)p->file.n,
		    p->file.p, e == NULL ? 0 : e->line,
		    (int)strcspn(what, " "), what, t->raw ? "[raw] " : "",
		    t->shell ? "[shell] " : "");
		buf_escaped(&b, t->show, 0);
		buf_putc(&b, '\n');
		t = NULL;
	}
	(void)cli_write(1, buf_view(&b));
	buf_free(&b);
}

/* Tests of rules. */
static void
check_tests(struct cli *c, const char *path, struct totals *t)
{
	struct compile_options o;
	struct tests *tests;
	struct diag *d;
	struct str text;

	t->files++;
	if (!cli_read_file(c, path, &text) || !cli_text_options(c, text, &o)) {
		t->unread++;
		return;
	}
	tests = tests_read(str_c(path), text, &o);
	if (tests == NULL)
		mem_fail(&c->mem, false);
	d = tests_diag(tests);
	t->errors += d->nerror;
	t->warnings += d->nwarning;
	if (t->json != NULL)
		json_diag_add(t->json, d);
	cli_show(c, d);
	tests_free(tests);
}

static void
check_file(struct cli *c, const char *path, struct totals *t)
{
	struct loaded l;
	struct diag *d;
	size_t i;

	/* what run would compile it with */
	if (!t->opened) {
		t->opened = true;
		if (!cli_open_site(c, true))
			t->unread++;
	}
	if (!str_none(tests_of(str_c(path)))) {
		check_tests(c, path, t);
		return;
	}
	cli_load(c, path, false, &l);
	t->files++;
	if (l.compile != NULL) {
		d = compile_diag(l.compile);
		t->errors += d->nerror;
		t->warnings += d->nwarning;
		if (t->json != NULL)
			json_diag_add(t->json, d);
	} else if (!l.ok)
		t->unread++;
	t->scripts += l.set.n;
	if (c->given[OPT_AUDIT])
		for (i = 0; i < l.set.n; i++)
			audit(c, &l.set.program[i]);
	cli_unload(&l);
}

static int
is_tests(const struct dirent *e)
{
	return e->d_name[0] != '.' && !str_none(tests_of(str_c(e->d_name)));
}

/* The tests beside the scripts of a site, with its macros. */
static void
check_site_tests(struct cli *c, struct site *s, const char *dir,
    struct totals *t)
{
	static const char *const below[] = { "", "/scripts", "/tests" };
	struct site *was = c->site;
	struct dirent **list;
	struct buf b;
	size_t k;
	int i, n;

	c->site = s;
	buf_init(&b, &c->mem);
	for (k = 0; k < sizeof below / sizeof *below; k++) {
		buf_clear(&b);
		buf_printf(&b, "%s%s", dir, below[k]);
		n = scandir(buf_c(&b), &list, is_tests, alphasort);
		for (i = 0; i < n; i++) {
			buf_clear(&b);
			buf_printf(&b, "%s%s/%s", dir, below[k],
			    list[i]->d_name);
			check_tests(c, arena_dup(&c->arena, buf_view(&b)).p,
			    t);
			free(list[i]);
		}
		if (n >= 0)
			free(list);
	}
	buf_free(&b);
	c->site = was;
}

/* A folder with the files of a site: all of it, as one host sees it. */
static void
check_site(struct cli *c, const char *dir, struct totals *t)
{
	struct site *s;
	unsigned k;
	size_t i, nerror, nwarning;

	s = cli_site_judged(c, dir, t->json, &nerror, &nwarning);
	if (s == NULL) {
		t->unread++;
		return;
	}
	t->errors += nerror;
	t->warnings += nwarning;
	check_site_tests(c, s, dir, t);
	for (k = 0; k < CONFIG_COUNT; k++)
		if (s->has_file[k])
			t->files++;
	t->files += s->nfile;
	t->scripts += s->nscript;
	if (c->given[OPT_AUDIT])
		for (i = 0; i < s->nscript; i++)
			if (s->script[i].program != NULL)
				audit(c, s->script[i].program);
	site_free(s);
}

static int
no_dots(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* The picket.conf of a folder of scripts that is no site. */
static void
check_conf(struct cli *c, const char *dir, struct totals *t)
{
	if (!cli_configuration(c, dir))
		t->unread++;
	else if (!c->given[OPT_HOST])
		t->warnings += cli_warn_files(c, dir, t->json);
}

static void
check_path(struct cli *c, const char *path, struct totals *t, int depth)
{
	struct dirent **list = NULL;
	struct stat st;
	char *sub;
	int i, n;

	if (strcmp(path, "-") == 0 || stat(path, &st) != 0 ||
	    !S_ISDIR(st.st_mode)) {
		check_file(c, path, t);
		return;
	}
	if (cli_site_is(c, path)) {
		check_site(c, path, t);
		return;
	}
	if (depth == LIM_FOLDERS || (n = scandir(path, &list, no_dots,
	    alphasort)) < 0) {
		cli_say("%s: %s", path, depth == LIM_FOLDERS ?
		    "too many folders in one another" : strerror(errno));
		t->unread++;
		return;
	}
	check_conf(c, path, t);
	for (i = 0; i < n; i++) {
		const char *name = list[i]->d_name;
		size_t k = strlen(path) + strlen(name) + 2, m = strlen(name);

		sub = arena_text(&c->arena, k);
		snprintf(sub, k, "%s%s%s", path,
		    path[strlen(path) - 1] == '/' ? "" : "/", name);
		/* what a folder's script files are called; links to folders
		 * are not followed */
		if (lstat(sub, &st) == 0 && S_ISDIR(st.st_mode))
			check_path(c, sub, t, depth + 1);
		else if (m > 5 && strcmp(name + m - 5, ".pikt") == 0) {
			/* nobody named it: a pipe is not waited for */
			if (stat(sub, &st) == 0 && !S_ISREG(st.st_mode)) {
				cli_say("%s: is no regular file", sub);
				t->unread++;
			} else
				check_file(c, sub, t);
		}
		free(list[i]);
	}
	free(list);
}

int
cmd_check(struct cli *c)
{
	struct totals t;
	size_t i;

	memset(&t, 0, sizeof t);
	if (c->given[OPT_JSON])
		t.json = json_diag_new();
	if (c->narg == 0)
		check_path(c, c->given[OPT_CONFIG] ? c->value[OPT_CONFIG] :
		    ".", &t, 0);
	for (i = 0; i < c->narg; i++)
		check_path(c, c->arg[i], &t, 0);
	if (c->given[OPT_JSON]) {
		int r = json_diag_end(t.json);

		return t.unread > 0 ? EXIT_PROBLEMS : r;
	}
	if (!c->given[OPT_AUDIT]) {
		char s[200];
		int k = snprintf(s, sizeof s, "%zu file%s, %zu script%s: "
		    "%zu error%s, %zu warning%s", t.files,
		    t.files == 1 ? "" : "s", t.scripts,
		    t.scripts == 1 ? "" : "s", t.errors,
		    t.errors == 1 ? "" : "s", t.warnings,
		    t.warnings == 1 ? "" : "s");

		/* what is unknown is not without errors */
		if (t.unread > 0)
			k += snprintf(s + k, sizeof s - (size_t)k,
			    "; %zu cannot be read", t.unread);
		k += snprintf(s + k, sizeof s - (size_t)k, "\n");
		(void)cli_write(1, str_of(s, (size_t)k));
	}
	return t.errors + t.unread > 0 ? EXIT_PROBLEMS : EXIT_FINE;
}

int
cli_load_one(struct cli *c, struct loaded *l)
{
	struct json_diag *j;

	if (c->narg != 1) {
		cli_usage(c, c->command, 2);
		return EXIT_USAGE;
	}
	cli_load(c, c->arg[0], false, l);
	if (c->given[OPT_JSON] && l->compile != NULL && !l->ok) {
		j = json_diag_new();
		json_diag_add(j, compile_diag(l->compile));
		(void)json_diag_end(j);
	}
	return l->ok ? -1 : EXIT_PROBLEMS;
}

int
cmd_disasm(struct cli *c)
{
	struct loaded l;
	struct buf b;
	size_t i;
	int r = cli_load_one(c, &l);

	if (r >= 0)
		return r;
	buf_init(&b, &c->mem);
	for (i = 0; i < l.set.n; i++) {
		if (i > 0)
			buf_putc(&b, '\n');
		program_disasm(&l.set.program[i], &b, c->colour_out);
	}
	r = cli_write(1, buf_view(&b)) ? EXIT_FINE : EXIT_PROBLEMS;
	buf_free(&b);
	cli_unload(&l);
	return r;
}
