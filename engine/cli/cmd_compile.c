/* cmd_compile: a script as a .pkc, or the whole site as an image. */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lang/code/progfile.h"
#include "engine/cli/cli.h"
#include "engine/image/image.h"
#include "engine/sched/calendar.h"

/*
 * A whole new file takes the old one's place, or nothing does.  A link, a pipe
 * or a device stays what it is, and is written to: /dev/null, /dev/stdout.
 */
static bool
put_file(struct cli *c, const char *out, struct str text)
{
	struct buf temp;
	struct stat st;
	const char *path = out;
	int fd, how = O_TRUNC;
	bool ok, in_place = lstat(out, &st) == 0 && !S_ISREG(st.st_mode);

	buf_init(&temp, &c->mem);
	if (!in_place) {
		buf_printf(&temp, "%s.%ld.tmp", out, (long)getpid());
		path = buf_c(&temp);
		how = O_CREAT | O_EXCL | O_NOFOLLOW;
	}
	/* a pipe that nobody reads is not waited for */
	fd = open(path, O_WRONLY | O_CLOEXEC | how | (in_place ? O_NONBLOCK :
	    0), 0644);
	if (fd >= 0 && in_place)
		(void)fcntl(fd, F_SETFL, 0);
	ok = fd >= 0 && cli_write(fd, text);
	if (fd >= 0 && close(fd) != 0)
		ok = false;
	ok = ok && (in_place || rename(path, out) == 0);
	if (!ok) {
		cli_say("%s: %s", out, strerror(errno));
		if (fd >= 0 && !in_place)
			(void)unlink(path);
	}
	buf_free(&temp);
	return ok;
}

/* --- the site --- */

/* A script that runs by itself, as an alert that lists it alone. */
static const struct site_alert *
own_alert(struct cli *c, const struct site *s, const struct site_script *script)
{
	const struct program *p = script->program;
	struct site_alert *a = arena_zalloc(&c->arena, sizeof *a);
	struct cron_fault fault;

	a->name = cli_own_name(c, s, script);
	a->nicecmd = a->mailcmd = a->lpcmd = a->execcmd = a->mailfrom =
	    a->webhook = STR_NIL;
	a->every = p->every;
	a->status = p->status;
	a->level = p->level;
	a->has_level = p->has_level;
	a->alarm = arena_alloc(&c->arena, sizeof *a->alarm);
	a->alarm[0] = *p;
	a->nalarm = 1;
	if (str_none(p->timing))
		return a;
	a->timing = arena_alloc(&c->arena, sizeof *a->timing);
	a->timing[0].text = p->timing;
	if (cron_parse(p->timing, &a->timing[0].cron, &fault))
		a->ntiming = 1;
	return a;
}

static void
add_entry(struct cli *c, struct image_site *to, const struct site_alert *a,
    bool own)
{
	struct image_entry *e = (struct image_entry *)(uintptr_t)to->entry +
	    to->nentry++;
	struct image_pair *pair = (struct image_pair *)(uintptr_t)to->pair;
	double *drift = arena_alloc(&c->arena, (a->ntiming + 1) *
	    sizeof *drift);
	size_t i;

	for (i = 0; i < a->ntiming; i++)
		drift[i] = calendar_drift(&a->timing[i].cron, to->host,
		    a->name);
	*e = (struct image_entry){ a, drift, calendar_spread(a->drift,
	    to->host, a->name), own };
	for (i = 0; i < a->nalarm; i++)
		pair[to->npair++] = (struct image_pair){ a->name,
		    a->alarm[i].name };
}

/* All alerts, then the scripts that run by themselves: as `picket list`. */
static void
fill(struct cli *c, struct site *s, struct image_site *to)
{
	size_t i, n = s->nscript;

	for (i = 0; i < s->nalert; i++)
		n += s->alert[i].nalarm;
	*to = (struct image_site){ .conf_name = c->conf_name,
	    .conf_text = c->conf_text, .conf = &c->conf, .dir = c->dir,
	    .logdir = c->logdir, .host = cli_hostname(c),
	    .group = s->compile.member, .ngroup = s->compile.nmember,
	    .object = &s->object };
	to->entry = arena_zalloc(&c->arena, (s->nalert + s->nscript + 1) *
	    sizeof *to->entry);
	to->pair = arena_zalloc(&c->arena, (n + 1) * sizeof *to->pair);
	for (i = 0; i < s->nalert; i++)
		add_entry(c, to, &s->alert[i], false);
	for (i = 0; i < s->nscript; i++)
		if (cli_is_own(&s->script[i]))
			add_entry(c, to, own_alert(c, s, &s->script[i]), true);
}

static bool
write_site(struct cli *c, struct site *s)
{
	const char *out = c->value[OPT_OUTPUT];
	char why[LIM_IMAGE_WHY];
	struct image_site site;
	struct buf b;
	bool ok;

	buf_init(&b, &c->mem);
	fill(c, s, &site);
	ok = image_write(&site, &b, why);
	if (!ok)
		cli_say("%.*s: %s", (int)c->dir.n, c->dir.p, why);
	else
		ok = strcmp(out, "-") == 0 ? cli_write(1, buf_view(&b)) :
		    put_file(c, out, buf_view(&b));
	buf_free(&b);
	return ok;
}

static int
compile_site(struct cli *c)
{
	const char *dir = c->given[OPT_CONFIG] ? c->value[OPT_CONFIG] :
	    PICKET_SYSCONFDIR, *out = c->value[OPT_OUTPUT];
	struct json_diag *json = NULL;
	size_t nerror = 0, nwarning = 0;
	struct site *s;
	bool ok;

	if (c->narg > 0 || out == NULL) {
		cli_say(c->narg > 0 ? "compile --site takes no file: the site "
		    "is that of --config" : "compile --site wants -o FILE");
		return EXIT_USAGE;
	}
	if (c->given[OPT_JSON] && strcmp(out, "-") == 0) {
		cli_say("compile --site: --json and -o - would both go to "
		    "standard output");
		return EXIT_USAGE;
	}
	if (access(dir, F_OK) != 0) {
		cli_say("%s: %s: the folder of picket.conf and of the site is "
		    "named by --config (examples/ has sites to copy)", dir,
		    strerror(errno));
		return EXIT_PROBLEMS;
	}
	if (!cli_site_is(c, dir)) {
		cli_say("%s: is no site: it has no %s, no %s and none of their "
		    "kin (see picket.cfg(5))", dir, config_file_name[
		    CONFIG_ALERTS], config_file_name[CONFIG_SYSTEMS]);
		return EXIT_PROBLEMS;
	}
	if (c->given[OPT_JSON])
		json = json_diag_new();
	s = cli_site_judged(c, dir, json, &nerror, &nwarning);
	ok = s != NULL && nerror == 0 && write_site(c, s);
	if (json != NULL && json_diag_end(json) != EXIT_FINE)
		ok = false;
	else if (s != NULL && nerror > 0)
		cli_say("%s: %zu error%s: the site is not compiled", dir, nerror,
		    nerror == 1 ? "" : "s");
	site_free(s);
	return ok ? EXIT_FINE : EXIT_PROBLEMS;
}

int
cmd_compile(struct cli *c)
{
	const char *out = c->value[OPT_OUTPUT];
	struct loaded l;
	struct buf b, path;
	struct str in;
	bool ok;
	int r;

	if (c->given[OPT_SITE])
		return compile_site(c);
	r = cli_load_one(c, &l);
	if (r >= 0)
		return r;
	buf_init(&b, &c->mem);
	buf_init(&path, &c->mem);
	if (out == NULL) {
		in = str_c(c->arg[0]);
		if (str_eq(in, STR_LIT("-"))) {
			cli_say("compile from standard input wants -o FILE");
			return EXIT_USAGE;
		}
		if (str_ends(in, ".pikt"))
			in.n -= 5;
		buf_str(&path, in);
		buf_puts(&path, ".pkc");
		out = buf_c(&path);
	}
	progfile_write(&l.set, &b);
	ok = strcmp(out, "-") == 0 ? cli_write(1, buf_view(&b)) :
	    put_file(c, out, buf_view(&b));
	buf_free(&b);
	buf_free(&path);
	cli_unload(&l);
	return ok ? EXIT_FINE : EXIT_PROBLEMS;
}
