#include "engine/cli/incident.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lang/base/num.h"
#include "engine/vm/clock.h"
#include "engine/vm/when.h"

#define LEAST_ID	4	/* digits of an id that stand for all of it */

bool
hand_open(struct cli *c, bool read_only, struct at_hand *h)
{
	memset(h, 0, sizeof *h);
	h->c = c;
	if (!cli_outbox_open(c, read_only, &h->o))
		return false;
	if (look_load(&h->l, &c->mem, &c->arena, h->o.state, clock_wall()))
		return true;
	(void)hand_failed(h);
	cli_outbox_close(&h->o);
	return false;
}

void
hand_close(struct at_hand *h)
{
	look_free(&h->l);
	cli_outbox_close(&h->o);
}

int
hand_failed(const struct at_hand *h)
{
	struct str why = state_why(h->o.state);

	cli_say("%.*s", (int)why.n, why.p);
	return EXIT_PROBLEMS;
}

struct incident *
hand_find(struct at_hand *h, const char *name)
{
	struct str s = str_c(name);
	struct incident *in = incidents_find(&h->l.incidents, s), *found = NULL;
	const struct map_entry *near;
	struct buf b;
	size_t i;

	if (in != NULL)
		return in;
	for (i = 0; i < h->l.incidents.by_key.n && s.n >= LEAST_ID; i++) {
		in = incidents_at(&h->l.incidents, i);
		if (!str_starts(in->id, name))
			continue;
		if (found != NULL) {
			cli_say("more than one incident has an id that begins "
			    "with %s: say the key", name);
			return NULL;
		}
		found = in;
	}
	if (found != NULL)
		return found;
	buf_init(&b, &h->c->mem);
	buf_escaped(&b, s, 200);
	near = map_nearest(&h->l.incidents.by_key, s);
	if (near != NULL) {
		buf_puts(&b, "'; did you mean '");
		buf_escaped(&b, near->key, 0);
	}
	cli_say("there is no incident '%s'%s", buf_c(&b), near != NULL ? "?" :
	    h->l.incidents.by_key.n == 0 ? ": there are none at all" :
	    s.n < LEAST_ID ? ": an id needs four digits or more (see picket "
	    "incidents --all)" : " (see picket incidents --all)");
	buf_free(&b);
	return NULL;
}

const char *
hand_colour(const struct at_hand *h, const struct incident *in)
{
	const char *word = look_word(&h->l, in);

	if (!h->c->colour_out)
		return "";
	if (strcmp(word, "firing") == 0)
		return in->level <= LEVEL_ERROR ? "\033[1;31m" : "\033[1;33m";
	if (strcmp(word, "flapping") == 0 || strcmp(word, "unknown") == 0)
		return "\033[1;33m";
	return in->state == INCIDENT_QUIET ? "\033[32m" : "\033[2m";
}

struct str
cli_who(struct cli *c)
{
	/* only root was made so by sudo; others could say anything there */
	const char *name = getuid() == 0 ? getenv("SUDO_USER") : NULL;
	struct passwd *pw;
	char t[32];

	if (name != NULL && *name != '\0')
		return arena_dup(&c->arena, str_c(name));
	pw = getpwuid(getuid());
	if (pw != NULL)
		return arena_dup(&c->arena, str_c(pw->pw_name));
	snprintf(t, sizeof t, "uid %lu", (unsigned long)getuid());
	return arena_dup(&c->arena, str_c(t));
}
