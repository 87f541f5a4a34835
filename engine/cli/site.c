/* site: a folder of configuration, found, trusted and read. */
#include <sys/stat.h>
#include <sys/utsname.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/cli/world.h"
#include "engine/deliver/address.h"
#include "engine/deliver/trust.h"
#include "engine/image/image.h"

#define LIM_SCRIPTS	100000	/* files of one site: far above any, and a
				 * folder that is none must not be read whole */

bool
cli_is_there(const char *dir, const char *name, struct cli *c, struct str *path)
{
	struct stat st;
	struct buf b;

	buf_init(&b, &c->mem);
	buf_printf(&b, "%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/",
	    name);
	*path = arena_dup(&c->arena, buf_view(&b));
	buf_free(&b);
	/* what is there and cannot be looked at is told of when it is read */
	return lstat(path->p, &st) == 0 || (errno != ENOENT &&
	    errno != ENOTDIR);
}

bool
cli_site_is(struct cli *c, const char *dir)
{
	struct str path;
	unsigned k;

	for (k = 0; k < CONFIG_COUNT; k++)
		if (cli_is_there(dir, config_file_name[k], c, &path))
			return true;
	return false;
}

bool
cli_configuration(struct cli *c, const char *dir)
{
	struct str path;
	struct buf errors, text;
	struct stat st;
	bool ok;

	/* a site needs no picket.conf, but a folder of nothing is a mistake */
	if (!cli_is_there(dir == NULL ? PICKET_SYSCONFDIR : dir, "picket.conf", c,
	    &path) && dir != NULL && c->command != CMD_CHECK &&
	    c->command != CMD_LIST && !cli_site_is(c, dir)) {
		cli_say("%s: %s", path.p, strerror(ENOENT));
		return false;
	}
	/* a link to nothing was to be a configuration: none is not meant */
	if (lstat(path.p, &st) == 0 && stat(path.p, &st) != 0 &&
	    errno == ENOENT) {
		cli_say("%s: is a symbolic link to nothing", path.p);
		return false;
	}
	buf_init(&errors, &c->mem);
	buf_init(&text, &c->mem);
	ok = conf_text(path.p, c->given[OPT_TRUST], &text, &errors);
	if (ok) {
		c->conf_name = path;
		c->conf_text = arena_dup(&c->arena, buf_view(&text));
		ok = conf_parse(&c->conf, path, c->conf_text, &c->arena,
		    &errors);
	}
	if (!ok)
		(void)cli_write(2, buf_view(&errors));
	buf_free(&text);
	buf_free(&errors);
	return ok;
}

bool
cli_set_dir(struct cli *c, const char *dir)
{
	char *p = realpath(dir, NULL);

	if (p == NULL) {
		cli_say("%s: %s", dir, strerror(errno));
		return false;
	}
	c->dir = arena_dup(&c->arena, str_c(p));
	free(p);
	return true;
}

/* --- the world of a site --- */

/*
 * A site is many compiles, and each of them preprocesses macros.cfg and
 * defines.cfg.  But its directives are meant to act once: what a command said
 * is kept, and given to all who run the same.
 */
struct site_world {
	struct cli		*c;
	struct compile_world	*base;
	struct map		 answer;	/* command -> struct answer */
};

struct answer {
	bool		 ok;
	struct str	 text, why;
	int		 status;
};

/* The answer's place; fresh: it has not been asked. */
static struct answer *
answer_to(struct site_world *w, char kind, struct str what,
    const struct environment *env, size_t nenv, bool *fresh)
{
	struct map_entry *e;
	struct buf key;
	size_t i;

	buf_init(&key, &w->c->mem);
	buf_putc(&key, kind);
	buf_str(&key, what);
	for (i = 0; i < nenv; i++) {
		buf_putc(&key, '\0');
		buf_str(&key, env[i].name);
		buf_putc(&key, str_none(env[i].value) ? '-' : '=');
		if (!str_none(env[i].value))
			buf_str(&key, env[i].value);
	}
	e = map_put(&w->answer, buf_view(&key), fresh);
	buf_free(&key);
	if (*fresh)
		e->v.ptr = arena_zalloc(&w->c->arena, sizeof(struct answer));
	return e->v.ptr;
}

static bool
run_once(void *v, struct str command, const struct environment *env,
    size_t nenv, struct str *text, int *status, struct str *why)
{
	struct site_world *w = v;
	bool fresh;
	struct answer *a = answer_to(w, 'r', command, env, nenv, &fresh);

	if (fresh) {
		a->text = a->why = STR_EMPTY;
		a->ok = w->base->run(w->base->w, command, env, nenv,
		    &a->text, &a->status, &a->why);
	}
	*text = a->text;
	*status = a->status;
	*why = a->why;
	return a->ok;
}

static bool
pikt_once(void *v, struct str statements, const struct environment *env,
    size_t nenv, struct str *why)
{
	struct site_world *w = v;
	bool fresh;
	struct answer *a = answer_to(w, 'p', statements, env, nenv, &fresh);

	if (fresh) {
		a->why = STR_EMPTY;
		a->ok = w->base->pikt(w->base->w, statements, env, nenv,
		    &a->why);
	}
	*why = a->why;
	return a->ok;
}

static bool
site_write(void *v, struct str path, struct str text, struct str *why)
{
	struct site_world *w = v;

	return w->base->write(w->base->w, path, text, why);
}

static struct str
site_env(void *v, struct str name)
{
	struct site_world *w = v;

	return w->base->env(w->base->w, name);
}

/* Files of a site are read only if nobody else can have written them. */
static bool
read_trusted(void *v, struct str path, struct str *text, struct str *why)
{
	struct cli *c = ((struct site_world *)v)->c;
	struct buf b, w;
	enum trust t;
	const char *p;

	if (str_eq(path, STR_LIT("/dev/null"))) {
		*text = STR_EMPTY;
		return true;
	}
	buf_init(&b, &c->mem);
	buf_init(&w, &c->mem);
	path = arena_dup(&c->arena, path);
	t = trust_read(path.p, LIM_SOURCE + 1, c->given[OPT_TRUST], &b, &w);
	if (t == TRUST_FINE)
		*text = arena_dup(&c->arena, buf_view(&b));
	else if (t == TRUST_MISSING)
		*why = STR_LIT("no such file");
	else {
		/* the message has the path already */
		p = buf_c(&w);
		if (strncmp(p, path.p, path.n) == 0 && p[path.n] == ':')
			p += path.n + 2;
		*why = arena_dup(&c->arena, str_c(p));
	}
	buf_free(&b);
	buf_free(&w);
	return t == TRUST_FINE;
}

static struct compile_world *
site_world(struct cli *c)
{
	struct site_world *w = arena_zalloc(&c->arena, sizeof *w);
	struct compile_world *world = arena_zalloc(&c->arena, sizeof *world);

	w->c = c;
	w->base = world_of(c);
	map_init(&w->answer, &c->arena);
	*world = (struct compile_world){ .w = w, .read = read_trusted,
	    .write = site_write, .env = site_env,
	    .run = w->base->run == NULL ? NULL : run_once,
	    .pikt = w->base->pikt == NULL ? NULL : pikt_once };
	return world;
}

/* --- which files --- */

int
cli_is_script(const struct dirent *e)
{
	struct str s = str_c(e->d_name);

	return s.p[0] != '.' && str_ends(s, ".pikt") &&
	    !str_ends(s, "_test.pikt");
}

/* Adds the scripts of one folder; false: told of. */
static bool
add_scripts(struct cli *c, const char *dir, struct str *list, size_t *n)
{
	struct dirent **e = NULL;
	int i, k = scandir(dir, &e, cli_is_script, alphasort);
	bool ok = true;

	if (k < 0) {
		cli_say("%s: %s", dir, strerror(errno));
		return false;
	}
	for (i = 0; i < k; i++) {
		if (*n < LIM_SCRIPTS)
			(void)cli_is_there(dir, e[i]->d_name, c, &list[(*n)++]);
		else if (ok) {
			cli_say("%s: more than %d scripts", dir, LIM_SCRIPTS);
			ok = false;
		}
		free(e[i]);
	}
	free(e);
	return ok;
}

static size_t
count(const char *dir)
{
	struct dirent **e = NULL;
	int i, k = scandir(dir, &e, cli_is_script, NULL);

	for (i = 0; i < k; i++)
		free(e[i]);
	free(e);
	return k < 0 ? 0 : (size_t)k;
}

/* Lower-case copy; a host's system is written so in systems.cfg. */
static struct str
lower(struct cli *c, const char *s)
{
	size_t i, n = strlen(s);
	char *p = arena_text(&c->arena, n + 1);

	for (i = 0; i <= n; i++)
		p[i] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] - 'A' + 'a') :
		    s[i];
	return str_of(p, n);
}

size_t
cli_own_names(struct cli *c, struct str host, struct str own[LIM_OWN_NAMES])
{
	struct utsname u;
	size_t n = 0, dot = str_find(host, '.', 0);

	if (dot < host.n && dot > 0)
		own[n++] = arena_dup(&c->arena, str_of(host.p, dot));
	if (uname(&u) != 0)
		return n;
	own[n++] = lower(c, u.sysname);
	if (strcmp(u.sysname, "Darwin") == 0)
		own[n++] = STR_LIT("macos");
	return n;
}

struct str
cli_hostname(struct cli *c)
{
	char t[256] = "";

	if (!str_none(c->conf.value[CONF_HOSTNAME]))
		return c->conf.value[CONF_HOSTNAME];
	(void)gethostname(t, sizeof t);
	t[sizeof t - 1] = '\0';
	return arena_dup(&c->arena, str_c(t));
}

/* --- reading it --- */

/* The mail's own rules for addresses, which lang does not know. */
static void
check_addresses(struct site *s)
{
	const struct site_alert *a;
	const char *fault;
	size_t i, k;

	for (i = 0; i < s->nalert; i++) {
		a = &s->alert[i];
		for (k = 0; k < a->nmailto + 1; k++) {
			struct str to = k < a->nmailto ? a->mailto[k] :
			    a->mailfrom;

			if (str_none(to) ||
			    (fault = address_fault(to)) == NULL)
				continue;
			cli_say("alert %s: %s %s: %s", a->name.p,
			    k < a->nmailto ? "mailto" : "mailfrom", to.p,
			    fault);
			s->nerror++;
		}
	}
}

struct site *
cli_site(struct cli *c, const char *dir, bool trace, bool no_alerts)
{
	struct site_options *o = arena_zalloc(&c->arena, sizeof *o);
	struct compile_options *base = arena_zalloc(&c->arena, sizeof *base);
	struct str *own = arena_zalloc(&c->arena, LIM_OWN_NAMES *
	    sizeof *own), sub;
	struct str *list;
	struct stat st;
	struct site *s;
	unsigned k;

	if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode)) {
		cli_say("%s: %s", dir, S_ISDIR(st.st_mode) ? strerror(errno) :
		    "is no folder");
		return NULL;
	}
	for (k = 0; k < CONFIG_COUNT; k++)
		if (!cli_is_there(dir, config_file_name[k], c, &o->file[k]))
			o->file[k] = STR_NIL;
	if (!no_alerts) {
		(void)cli_is_there(dir, "scripts", c, &sub);
		list = arena_alloc(&c->arena, (count(dir) + count(sub.p) + 1) *
		    sizeof *list);
		if (!add_scripts(c, dir, list, &o->nscript) ||
		    (stat(sub.p, &st) == 0 && !add_scripts(c, sub.p, list,
		    &o->nscript)))
			return NULL;
		o->script = list;
		(void)cli_bundled(c, &o->bundled, &o->nbundled);
	}
	o->no_alerts = no_alerts;
	o->is_here = !c->given[OPT_HOST];
	o->host = o->is_here ? cli_hostname(c) : str_c(c->value[OPT_HOST]);
	o->own = own;
	o->nown = cli_own_names(c, cli_hostname(c), own);
	if (!cli_systems(c, &o->system, &o->nsystem) ||
	    !cli_compile_options(c, o->host, base))
		return NULL;
	base->world = site_world(c);
	base->include_dir = str_c(dir);
	base->trace = trace;
	o->base = base;
	s = site_read(o);
	if (s == NULL)
		mem_fail(&c->mem, false);
	check_addresses(s);
	if (!s->host_known && !o->is_here) {
		if (s->nhost == 0)
			cli_say("--host %s: %s has no systems.cfg that names "
			    "hosts", c->value[OPT_HOST], dir);
		else if (!str_none(s->near_host))
			cli_say("--host %s: no such host in systems.cfg; did "
			    "you mean %.*s?", c->value[OPT_HOST],
			    (int)s->near_host.n, s->near_host.p);
		else
			cli_say("--host %s: no such host in systems.cfg",
			    c->value[OPT_HOST]);
		cli_site_show(c, s, NULL);
		site_free(s);
		return NULL;
	}
	return s;
}

void
cli_site_show(struct cli *c, struct site *s, struct json_diag *json)
{
	struct diag *d;
	struct buf b;
	size_t i;

	buf_init(&b, &c->mem);
	for (i = 0; (d = site_diag(s, i)) != NULL; i++)
		if (json != NULL)
			json_diag_add(json, d);
		else if (!c->given[OPT_JSON])
			diag_render(d, &b, c->colour_err);
	(void)cli_write(2, buf_view(&b));
	buf_free(&b);
}

bool
cli_open_site(struct cli *c, bool no_alerts)
{
	const char *dir = c->given[OPT_CONFIG] ? c->value[OPT_CONFIG] :
	    PICKET_SYSCONFDIR;

	if (c->given[OPT_CONFIG] && !cli_set_dir(c, dir))
		return false;
	if (!cli_site_is(c, dir))
		return true;
	c->site = cli_site(c, dir, c->given[OPT_TRACE], no_alerts);
	if (c->site == NULL)
		return false;
	if (c->site->nerror == 0)
		return true;
	if (c->given[OPT_JSON]) {
		struct json_diag *j = json_diag_new();

		cli_site_show(c, c->site, j);
		(void)json_diag_end(j);
	} else {
		cli_site_show(c, c->site, NULL);
		cli_say("%s: the configuration has errors: nothing is %s",
		    dir, c->command == CMD_RUN ? "run" : "checked by it");
	}
	return false;
}

/* --- objects --- */

static bool
object_lines(const void *o, struct str set, const struct str **line,
    size_t *n)
{
	return site_object(o, set, line, n);
}

static struct str
object_nearest(const void *o, struct str set)
{
	return site_object_nearest(o, set);
}

const struct objects *
cli_objects(struct cli *c, const struct site *s)
{
	struct objects *o = arena_alloc(&c->arena, sizeof *o);

	*o = (struct objects){ s, object_lines, object_nearest };
	return o;
}
