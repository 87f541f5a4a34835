/* source: files in, programs out, what is wrong on standard error. */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lang/code/progfile.h"
#include "lang/code/verify.h"
#include "engine/cli/cli.h"

#define LIM_PROGFILE	(64u << 20)	/* bytes: a source of LIM_SOURCE makes
					 * no larger one */

bool
cli_read_file(struct cli *c, const char *path, struct str *text)
{
	struct stat st;
	size_t n = 0, cap;
	ssize_t k;
	char *p;
	int fd = strcmp(path, "-") == 0 ? 0 :
	    open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 || fstat(fd, &st) != 0) {
		cli_say("%s: %s", path, strerror(errno));
		goto bad;
	}
	if (S_ISDIR(st.st_mode)) {
		cli_say("%s: is a folder", path);
		goto bad;
	}
	cap = S_ISREG(st.st_mode) && st.st_size > 0 ?
	    (size_t)st.st_size + 1 : 65536;
	if (cap > LIM_PROGFILE) {
		cli_say("%s: larger than 64 MiB", path);
		goto bad;
	}
	p = arena_text(&c->arena, cap);
	while ((k = read(fd, p + n, cap - n)) != 0) {
		if (k < 0) {
			if (errno == EINTR)
				continue;
			cli_say("%s: %s", path, strerror(errno));
			goto bad;
		}
		n += (size_t)k;
		if (n == cap) {
			char *q;

			if (cap > LIM_PROGFILE) {
				cli_say("%s: larger than 64 MiB", path);
				goto bad;
			}
			q = arena_text(&c->arena, cap * 2);
			memcpy(q, p, n);
			p = q;
			cap *= 2;
		}
	}
	if (fd > 0)
		close(fd);
	*text = str_of(p, n);
	return true;
bad:
	if (fd > 0)
		close(fd);
	return false;
}

/* The macros that come with picket: thresholds, and this system's commands. */
static bool
library(struct cli *c)
{
	static const char *const names[] = { "macros.cfg",
	    "macros-linux.cfg" };
	const char *dir = getenv("PICKET_LIB");
	size_t i;
	char *path;

	if (c->library_read)
		return true;
	if (dir == NULL || *dir == '\0')
		dir = PICKET_DATADIR;
	for (i = 0; i < 2; i++) {
		size_t n = strlen(dir) + strlen(names[i]) + 2;

		path = arena_text(&c->arena, n);
		snprintf(path, n, "%s/%s", dir, names[i]);
		if (access(path, F_OK) != 0)
			continue;
		if (!cli_read_file(c, path, &c->library[c->nlibrary].text))
			return false;
		c->library[c->nlibrary++].name = str_c(path);
	}
	c->library_read = true;
	return true;
}

/* Without an = before a name nothing of the library can be meant. */
static bool
may_use_macros(struct str text)
{
	size_t i = 0;

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

/* What stands for the alert in macros that are filled per alert. */
static size_t
context(struct cli *c, struct macro_value v[16])
{
	static const char *const dirs[] = { "piktdir", PICKET_SYSCONFDIR,
	    "hstdir", "/var/lib/picket", "objdir", PICKET_SYSCONFDIR "/objects",
	    "prgdir", PICKET_SYSCONFDIR "/programs", "piktstatus", "active",
	    "piktlevel", "notice", "piktalert", "run", "piktnever",
	    "0 0 31 2 *", "pikttest", "", NULL };
	struct str logdir = c->logdir, host = c->conf.value[CONF_HOSTNAME];
	size_t n = 0, i;

	for (i = 0; dirs[i] != NULL; i += 2) {
		v[n].name = str_c(dirs[i]);
		v[n++].value = str_c(dirs[i + 1]);
	}
	v[n].name = STR_LIT("logdir");
	v[n++].value = logdir.n == 0 ? STR_LIT("/var/log/picket") : logdir;
	if (str_none(host)) {
		char t[256];

		t[0] = '\0';
		(void)gethostname(t, sizeof t);
		t[sizeof t - 1] = '\0';
		host = arena_dup(&c->arena, str_c(t));
	}
	v[n].name = STR_LIT("pikthostname");
	v[n++].value = host;
	return n;
}

void
cli_load(struct cli *c, const char *path, bool trace, struct loaded *l)
{
	struct compile_options o;
	struct macro_value ctx[16];
	struct diag *d;
	struct str text;
	struct buf b;

	memset(l, 0, sizeof *l);
	if (!cli_read_file(c, path, &text))
		return;
	if (progfile_is(text)) {
		load_compiled(c, path, text, l);
		return;
	}
	if (may_use_macros(text) && !library(c))
		return;
	memset(&o, 0, sizeof o);
	o.macro = c->macro;
	o.nmacro = c->nmacro;
	o.context = ctx;
	o.ncontext = context(c, ctx);
	o.library = c->library;
	o.nlibrary = c->nlibrary;
	o.define = c->define;
	o.ndefine = c->ndefine;
	o.trace = trace;
	l->compile = compile_source(strcmp(path, "-") == 0 ?
	    STR_LIT("(standard input)") : str_c(path), text, &o);
	if (l->compile == NULL)
		mem_fail(&c->mem, false);
	d = compile_diag(l->compile);
	l->set = *compile_programs(l->compile);
	l->ok = d->nerror == 0;
	if (c->given[OPT_JSON] || d->nerror + d->nwarning == 0)
		return;
	buf_init(&b, &c->mem);
	diag_render(d, &b, c->colour_err);
	(void)cli_write(2, buf_view(&b));
	buf_free(&b);
}

void
cli_unload(struct loaded *l)
{
	compile_free(l->compile);
	l->compile = NULL;
}
