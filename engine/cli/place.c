/* place: where this host's state and runs are. */
#include <sys/stat.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/alert/alert.h"
#include "engine/cli/cli.h"

struct str
state_path(struct cli *c, const char *leaf)
{
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char t[4096], here[4096];
	int k;

	if (c->given[OPT_STATE] && c->value[OPT_STATE][0] != '/' &&
	    getcwd(here, sizeof here) != NULL)
		k = snprintf(t, sizeof t, "%s/%s/%s", here,
		    c->value[OPT_STATE], leaf);
	else if (c->given[OPT_STATE])
		k = snprintf(t, sizeof t, "%s/%s", c->value[OPT_STATE], leaf);
	else if (xdg != NULL && xdg[0] == '/')
		k = snprintf(t, sizeof t, "%s/picket/%s", xdg, leaf);
	else if (geteuid() == 0)
		k = snprintf(t, sizeof t, "/var/lib/picket/%s", leaf);
	else if (home != NULL && home[0] == '/')
		k = snprintf(t, sizeof t, "%s/.local/state/picket/%s", home,
		    leaf);
	else
		return STR_NIL;
	if (k < 0 || (size_t)k >= sizeof t)
		return STR_NIL;
	return arena_dup(&c->arena, str_of(t, (size_t)k));
}

struct str
state_home(struct cli *c)
{
	struct str path = state_path(c, "");

	return str_none(path) ? path : str_of(path.p, path.n - 1);
}

static void
say(void *arg, struct str line)
{
	(void)arg;
	cli_say("%.*s", (int)line.n, line.p);
}

struct str
cli_logdir(struct cli *c)
{
	return c->conf.line[CONF_LOGDIR] > 0 ? c->conf.value[CONF_LOGDIR] :
	    state_path(c, "log");
}

bool
cli_is_own(const struct site_script *s)
{
	const struct program *p = s->program;

	return s->alert == NULL && p != NULL && (p->every > 0 ||
	    !str_none(p->timing) || p->watch_memory);
}

struct str
cli_own_name(struct cli *c, const struct site *s,
    const struct site_script *script)
{
	struct str name = script->name;
	struct buf b;

	if (site_alert(s, name) == NULL)
		return name;
	buf_init(&b, &c->mem);
	buf_str(&b, name);
	buf_puts(&b, " (script)");	/* no alert's name has a blank */
	name = arena_dup(&c->arena, buf_view(&b));
	buf_free(&b);
	return name;
}

/* Whether the site still has that script in that alert, or by itself. */
static bool
is_there(void *arg, struct str alert, struct str script)
{
	struct cli *c = arg;
	const struct site *s = c->site;
	const struct site_alert *a = site_alert(s, alert);
	const struct site_script *own = site_script(s, script);
	size_t i;

	if (own != NULL && cli_is_own(own) &&
	    str_eq(cli_own_name(c, s, own), alert))
		return true;

	for (i = 0; a != NULL && i < a->nalarm; i++)
		if (str_eq(a->alarm[i].name, script))
			return true;
	return false;
}

static bool
next_set(void *arg, size_t i, struct str *name, const struct str **line,
    size_t *n)
{
	const struct site *s = arg;
	const struct site_object *o;

	if (i >= s->object.n)
		return false;
	o = s->object.entry[i].v.ptr;
	*name = s->object.entry[i].key;
	*line = o->line;
	*n = o->n;
	return true;
}

void
cli_place(struct cli *c, struct alert_place *at)
{
	struct site *s = c->site;

	memset(at, 0, sizeof *at);
	at->mem = &c->mem;
	at->arena = &c->arena;
	at->state = state_home(c);
	at->logdir = c->logdir;
	at->conf = &c->conf;
	at->write = cli_write;
	at->say = say;
	if (s == NULL)
		return;
	at->group = s->compile.member;
	at->ngroup = s->compile.nmember;
	at->objects = cli_objects(c, s);
	at->set = next_set;
	at->set_arg = s;
	/* scripts that have errors are left out of a site, and not gone */
	if (s->nerror == 0) {
		at->there = is_there;
		at->there_arg = c;
	}
}

struct str
state_folder(struct cli *c, const char *leaf)
{
	struct alert_place at;

	cli_place(c, &at);
	return alert_folder(&at, leaf, true);
}
