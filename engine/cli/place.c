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
	char t[4096];
	int k;

	if (xdg != NULL && xdg[0] == '/')
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

/* Whether the site still has that script in that alert. */
static bool
is_there(void *arg, struct str alert, struct str script)
{
	const struct site *s = arg;
	const struct site_alert *a = site_alert(s, alert);
	size_t i;

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
		at->there_arg = s;
	}
}

struct str
state_folder(struct cli *c, const char *leaf)
{
	struct alert_place at;

	cli_place(c, &at);
	return alert_folder(&at, leaf, true);
}
