/* source: files in, programs out, what is wrong on standard error. */
#include <sys/stat.h>
#include <sys/utsname.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lang/code/progfile.h"
#include "lang/code/verify.h"
#include "engine/cli/world.h"

#define LIM_PROGFILE	(64u << 20)	/* bytes: a source of LIM_SOURCE makes
					 * no larger one */
#define FIFO_WAIT	10		/* seconds: a writer that is started
					 * beside picket has long come */

/*
 * A whole file, or false and why.  regular: a pipe or device is none that a
 * text could mean; it is not waited for.
 */
static bool
read_all(struct cli *c, int fd, bool regular, struct str *text,
    const char **why)
{
	struct stat st;
	size_t n = 0, cap;
	ssize_t k;
	char *p, *q;

	*why = "larger than 64 MiB";
	if (fd < 0 || fstat(fd, &st) != 0) {
		*why = strerror(errno);
		return false;
	}
	if (S_ISDIR(st.st_mode)) {
		*why = "is a folder";
		return false;
	}
	if (regular && !S_ISREG(st.st_mode)) {
		*why = "is no regular file";
		return false;
	}
	cap = S_ISREG(st.st_mode) && st.st_size > 0 ?
	    (size_t)st.st_size + 1 : 65536;
	if (cap > LIM_PROGFILE)
		return false;
	p = arena_text(&c->arena, cap);
	while ((k = read(fd, p + n, cap - n)) != 0) {
		if (k < 0) {
			if (errno == EINTR)
				continue;
			*why = strerror(errno);
			return false;
		}
		n += (size_t)k;
		if (n == cap) {
			if (cap > LIM_PROGFILE)
				return false;
			q = arena_text(&c->arena, cap * 2);
			memcpy(q, p, n);
			p = q;
			cap *= 2;
		}
	}
	*text = str_of(p, n);
	return true;
}

static void
wake(int sig)
{
	(void)sig;		/* ends the open below */
}

/*
 * A file named on the command line.  To open a pipe with a name waits until
 * somebody writes to it, who may never come.
 */
int
cli_open(const char *path)
{
	struct sigaction sa = { .sa_handler = wake }, was;
	struct stat st;
	bool fifo;
	int fd, e;

	if (strcmp(path, "-") == 0)
		return 0;
	fifo = stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
	if (fifo) {
		sigaction(SIGALRM, &sa, &was);
		alarm(FIFO_WAIT);
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	e = errno;
	if (fifo) {
		alarm(0);
		sigaction(SIGALRM, &was, NULL);
	}
	if (fd < 0)
		cli_say("%s: %s", path, *path == '\0' ? "a file's name is empty" :
		    fifo && e == EINTR ?
		    "is a pipe, and nobody writes to it" : strerror(e));
	return fd;
}

bool
cli_read_file(struct cli *c, const char *path, struct str *text)
{
	const char *why;
	int fd = cli_open(path);
	bool ok = fd >= 0 && read_all(c, fd, false, text, &why);

	if (fd >= 0 && !ok)
		cli_say("%s: %s", path, why);
	if (fd > 0)
		close(fd);
	return ok;
}

bool
cli_read_regular(struct cli *c, const char *path, struct str *text,
    const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	bool ok = read_all(c, fd, strcmp(path, "/dev/null") != 0, text, why);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* A file of the standard library; a missing one is none. */
static bool
read_library(struct cli *c, const char *name, struct macro_source *m,
    bool *found)
{
	const char *dir = cli_library();
	char *path;
	size_t n;

	n = strlen(dir) + strlen(name) + 2;
	path = arena_text(&c->arena, n);
	snprintf(path, n, "%s/%s", dir, name);
	*found = access(path, F_OK) == 0;
	m->name = str_c(path);
	return !*found || cli_read_file(c, path, &m->text);
}

/* The systems whose commands are known, by what uname says and we say. */
static const struct {
	const char	*uname, *name, *file;
} systems[] = {
	{ "Linux", "linux", "macros-linux.cfg" },
	{ "FreeBSD", "freebsd", "macros-freebsd.cfg" },
	{ "OpenBSD", "openbsd", "macros-openbsd.cfg" },
	{ "Darwin", "macos", "macros-macos.cfg" }
};
#define NSYSTEM		(sizeof systems / sizeof *systems)

/* The macros that are the same on every system. */
static bool
library(struct cli *c)
{
	bool found;

	if (c->library_read)
		return true;
	if (!read_library(c, "macros.cfg", &c->library[0], &found))
		return false;
	c->nlibrary = found ? 1 : 0;
	c->library_read = true;
	return true;
}

/* And those of the system that this machine runs; Linux's if it is none of
 * them. */
static bool
library_here(struct cli *c)
{
	struct utsname u;
	size_t k = NSYSTEM;
	bool found;

	if (c->library_here)
		return true;
	if (!library(c))
		return false;
	if (uname(&u) == 0)
		for (k = 0; k < NSYSTEM; k++)
			if (strcmp(u.sysname, systems[k].uname) == 0)
				break;
	if (!read_library(c, systems[k < NSYSTEM ? k : 0].file,
	    &c->library[c->nlibrary], &found))
		return false;
	c->nlibrary += found ? 1 : 0;
	c->library_here = true;
	return true;
}

bool
cli_systems(struct cli *c, const struct site_system **list, size_t *n)
{
	struct site_system *s = arena_zalloc(&c->arena, NSYSTEM * sizeof *s);
	size_t k;
	bool found;

	*list = s;
	*n = 0;
	for (k = 0; k < NSYSTEM; k++) {
		s[*n].name = str_c(systems[k].name);
		if (!read_library(c, systems[k].file, &s[*n].macros, &found))
			return false;
		*n += found ? 1 : 0;
	}
	return true;
}

/*
 * Without an = before a name, or a directive, which may include one, nothing
 * of the library can be meant.
 */
static bool
may_use_macros(struct str text)
{
	size_t i = 0;

	if (str_starts(text, "#") || memmem(text.p, text.n, "\n#", 2) != NULL)
		return true;
	for (; (i = str_find(text, '=', i)) + 1 < text.n; i++)
		if ((text.p[i + 1] | 0x20) >= 'a' && (text.p[i + 1] | 0x20) <= 'z')
			return true;
	return false;
}

static void
load_compiled(struct cli *c, const char *path, struct str bytes,
    struct loaded *l)
{
	const char *why = "";
	struct buf b;
	size_t i;

	if (!progfile_read(bytes, &c->arena, &l->set, &why)) {
		cli_say("%s: %s", path, why);
		return;
	}
	buf_init(&b, &c->mem);
	l->ok = true;
	for (i = 0; i < l->set.n && l->ok; i++)
		if (!program_verify(&l->set.program[i], &b)) {
			cli_say("%s: damaged program: %s", path, buf_c(&b));
			l->ok = false;
		}
	buf_free(&b);
}

/* A folder below the site's. */
static struct str
below(struct cli *c, const char *leaf)
{
	struct buf b;
	struct str s;

	buf_init(&b, &c->mem);
	buf_str(&b, c->dir);
	if (*leaf != '\0')
		buf_printf(&b, "/%s", leaf);
	s = arena_dup(&c->arena, buf_view(&b));
	buf_free(&b);
	return s;
}

/* A folder of the state, or empty where there is no place for one. */
static struct str
state_dir(struct cli *c, const char *leaf)
{
	struct str s = state_path(c, leaf);

	return str_none(s) ? STR_EMPTY : s;
}

/* The context macros; where there is no alert they have plain values. */
static size_t
context(struct cli *c, struct str host, struct macro_value *v)
{
	static const char *const plain[] = { "piktstatus", "active", "piktlevel", "notice", "piktalert", "run",
	    "piktnever", "0 0 31 2 *", "pikttest", "", NULL };
	size_t n = 0, i;

	for (i = 0; plain[i] != NULL; i += 2)
		v[n++] = (struct macro_value){ str_c(plain[i]),
		    str_c(plain[i + 1]) };
	if (c->dir.n == 0)
		c->dir = STR_LIT(PICKET_SYSCONFDIR);
	v[n++] = (struct macro_value){ STR_LIT("piktdir"), c->dir };
	v[n++] = (struct macro_value){ STR_LIT("objdir"),
	    state_dir(c, "objects") };
	v[n++] = (struct macro_value){ STR_LIT("hstdir"),
	    state_dir(c, "history") };
	v[n++] = (struct macro_value){ STR_LIT("prgdir"),
	    below(c, "programs") };
	v[n++] = (struct macro_value){ STR_LIT("logdir"), c->logdir.n == 0 ?
	    STR_LIT("/var/log/picket") : c->logdir };
	v[n++] = (struct macro_value){ STR_LIT("pikthostname"), host };
	return n;
}

bool
cli_compile_options(struct cli *c, struct str host, struct compile_options *o)
{
	struct macro_value *v = arena_alloc(&c->arena, LIM_CONTEXT *
	    sizeof *v);

	memset(o, 0, sizeof *o);
	if (!library(c))
		return false;
	o->macro = c->macro;
	o->nmacro = c->nmacro;
	o->context = v;
	o->ncontext = context(c, host, v);
	o->library = c->library;
	o->nlibrary = c->nlibrary;
	o->define = c->define;
	o->ndefine = c->ndefine;
	o->world = world_of(c);
	o->renew = c->given[OPT_RENEW];
	return true;
}

/* Names that #if finds true where no systems.cfg says more. */
static void
members(struct cli *c, struct str host, struct compile_options *o)
{
	struct str *m = arena_alloc(&c->arena, (LIM_OWN_NAMES + 1) *
	    sizeof *m);

	m[0] = c->given[OPT_HOST] ? str_c(c->value[OPT_HOST]) : host;
	o->member = m;
	o->nmember = 1 + (c->given[OPT_HOST] ? 0 :
	    cli_own_names(c, host, m + 1));
}

bool
cli_text_options(struct cli *c, struct str text, struct compile_options *o)
{
	if (c->site != NULL) {
		*o = c->site->compile;	/* its macros are this file's, too */
		return true;
	}
	/* the library is not read where nothing of it can be meant */
	c->library_read = c->library_read || !may_use_macros(text);
	if ((may_use_macros(text) && !library_here(c)) ||
	    !cli_compile_options(c, cli_hostname(c), o))
		return false;
	members(c, cli_hostname(c), o);
	return true;
}

void
cli_show(struct cli *c, struct diag *d)
{
	struct buf b;

	if (c->given[OPT_JSON] || d->nerror + d->nwarning == 0)
		return;
	buf_init(&b, &c->mem);
	diag_render(d, &b, c->colour_err);
	(void)cli_write(2, buf_view(&b));
	buf_free(&b);
}

void
cli_load(struct cli *c, const char *path, bool trace, struct loaded *l)
{
	struct compile_options o;
	struct diag *d;
	struct str text;

	memset(l, 0, sizeof *l);
	if (!cli_read_file(c, path, &text))
		return;
	if (progfile_is(text)) {
		load_compiled(c, path, text, l);
		return;
	}
	if (!cli_text_options(c, text, &o))
		return;
	o.trace = trace;
	o.outline = c->command == CMD_EXPLAIN || c->command == CMD_LEARN;
	l->compile = compile_source(strcmp(path, "-") == 0 ?
	    STR_LIT("(standard input)") : str_c(path), text, &o);
	if (l->compile == NULL)
		mem_fail(&c->mem, false);
	d = compile_diag(l->compile);
	l->set = *compile_programs(l->compile);
	l->ok = d->nerror == 0;
	cli_show(c, d);
}

void
cli_unload(struct loaded *l)
{
	compile_free(l->compile);
	l->compile = NULL;
}
