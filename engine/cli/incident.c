#include "engine/cli/incident.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lang/base/num.h"
#include "engine/vm/clock.h"
#include "engine/vm/when.h"

#define SILENCES	1000	/* that are over are read at most; all that hold */
#define LEAST_ID	4	/* digits of an id that stand for all of it */

/* id pattern made until ended who why */
static void
take_silence(void *arg, const struct str *column, unsigned n)
{
	struct at_hand *h = arg;
	struct arena *a = &h->c->arena;
	struct hush *more, *q;

	if (n < 7)
		return;
	if (h->nquiet == h->capquiet) {
		h->capquiet = h->capquiet == 0 ? 16 : 2 * h->capquiet;
		more = arena_alloc(a, h->capquiet * sizeof *more);
		if (h->nquiet > 0)
			memcpy(more, h->quiet, h->nquiet * sizeof *more);
		h->quiet = more;
	}
	q = &h->quiet[h->nquiet++];
	silence_of_row(&q->is, column, a, &q->n, &q->ended);
}

bool
hand_open(struct cli *c, bool read_only, struct at_hand *h)
{
	memset(h, 0, sizeof *h);
	h->c = c;
	h->now = clock_wall();
	if (!cli_outbox_open(c, read_only, &h->o))
		return false;
	incidents_init(&h->incidents, &c->mem);
	if (incidents_load(&h->incidents, h->o.state, Q_INCIDENT_ALL, NULL) &&
	    state_ask(h->o.state, Q_SILENCE_LIST,
	    (const struct param[]){ PN(SILENCES) }, take_silence, h))
		return true;
	(void)hand_failed(h);
	hand_close(h);
	return false;
}

void
hand_close(struct at_hand *h)
{
	incidents_free(&h->incidents);
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
	struct incident *in = incidents_find(&h->incidents, s), *found = NULL;
	const struct map_entry *near;
	struct buf b;
	size_t i;

	if (in != NULL)
		return in;
	for (i = 0; i < h->incidents.by_key.n && s.n >= LEAST_ID; i++) {
		in = incidents_at(&h->incidents, i);
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
	near = map_nearest(&h->incidents.by_key, s);
	if (near != NULL) {
		buf_puts(&b, "'; did you mean '");
		buf_escaped(&b, near->key, 0);
	}
	cli_say("there is no incident '%s'%s", buf_c(&b), near != NULL ? "?" :
	    h->incidents.by_key.n == 0 ? ": there are none at all" :
	    s.n < LEAST_ID ? ": an id needs four digits or more (see picket "
	    "incidents --all)" : " (see picket incidents --all)");
	buf_free(&b);
	return NULL;
}

bool
hush_holds(const struct hush *q, double now)
{
	struct incident any;

	if (q->ended != 0)
		return false;
	incident_new(&any, q->is.pattern);
	return silence_holds(&q->is, &any, now);
}

const struct hush *
hand_silence(const struct at_hand *h, const struct incident *in)
{
	const struct hush *q, *longest = NULL;
	size_t i;

	for (i = 0; i < h->nquiet; i++) {
		q = &h->quiet[i];
		if (q->ended == 0 && silence_holds(&q->is, in, h->now) &&
		    (longest == NULL || q->is.until > longest->is.until))
			longest = q;
	}
	return longest;
}

const char *
hand_word(const struct at_hand *h, const struct incident *in)
{
	if (in->state == INCIDENT_QUIET)
		return incident_is_unknown(in) ? "unknown" : in->episode == 0 ?
		    "quiet" : incident_end_name[(int)in->how];
	if (hand_silence(h, in) != NULL)
		return "silenced";
	if (in->state == INCIDENT_PENDING)
		return "pending";
	if (incident_is_acked(in))
		return "acknowledged";
	if (in->inhibited.n > 0)
		return "inhibited";
	if (in->flapping != 0)
		return "flapping";
	return incident_is_unknown(in) ? "unknown" : "firing";
}

const char *
hand_colour(const struct at_hand *h, const struct incident *in)
{
	const char *word = hand_word(h, in);

	if (!h->c->colour_out)
		return "";
	if (strcmp(word, "firing") == 0)
		return in->level <= LEVEL_ERROR ? "\033[1;31m" : "\033[1;33m";
	if (strcmp(word, "flapping") == 0 || strcmp(word, "unknown") == 0)
		return "\033[1;33m";
	return in->state == INCIDENT_QUIET ? "\033[32m" : "\033[2m";
}

void
cli_moment(struct buf *b, double t, double now)
{
	time_t at = (time_t)t, here = (time_t)now;
	struct tm tm, today;
	char text[64];

	if (localtime_r(&at, &tm) == NULL ||
	    localtime_r(&here, &today) == NULL) {
		buf_printf(b, "%.0f", t);
		return;
	}
	(void)strftime(text, sizeof text, tm.tm_yday == today.tm_yday &&
	    tm.tm_year == today.tm_year ? "%H:%M" : "%Y-%m-%d %H:%M", &tm);
	buf_puts(b, text);
}

void
cli_span(struct buf *b, double seconds)
{
	char t[WHEN_SPAN_MAX];

	buf_add(b, t, when_span(seconds > 0 ? seconds : 0, t));
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
