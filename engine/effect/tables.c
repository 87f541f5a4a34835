/*
 * tables: native tables for both hosts: what they need of the run (names of
 * users, the store, commands, the log) comes from the host's own ways, so
 * that it is looked up once, has the run's deadline and is told of as all
 * else is.
 */
#include <stdio.h>
#include <string.h>

#include "lang/base/num.h"
#include "engine/effect/facts.h"
#include "engine/effect/scarce.h"
#include "engine/effect/state.h"
#include "engine/effect/tables.h"
#include "engine/table/table.h"

static void
warn(void *arg, struct str text)
{
	log_line(arg, LOG_WARNING, text);
}

static struct str
name_of(struct live *l, enum fact what, double id)
{
	char t[NUM_TEXT_MAX];
	struct str answer;

	return live_ask(l, what, str_of(t, num_text(id, t)), &answer) > 0 ?
	    answer : STR_NIL;
}

static struct str
username(void *arg, uid_t uid)
{
	return name_of(arg, FACT_USERNAME, uid);
}

static struct str
groupname(void *arg, gid_t gid)
{
	return name_of(arg, FACT_GROUPNAME, gid);
}

/* Positions of tables stand beside those of logs, whose names are paths. */
static struct str
own_name(struct live *l, struct str name)
{
	buf_clear(&l->fact);
	buf_puts(&l->fact, "table ");
	buf_str(&l->fact, name);
	return buf_view(&l->fact);
}

static struct str
position(void *arg, struct str name)
{
	struct live *l = arg;
	struct state_owner owner = { l->o.alert, l->o.state_script };
	struct str at, why;
	struct buf b;

	if (l->o.state == NULL) {
		log_line(l, LOG_WARNING, STR_LIT("there is no folder for the "
		    "table's position, so it is read from its beginning: set "
		    "HOME or XDG_STATE_HOME"));
		return STR_EMPTY;
	}
	if (state_position(l->o.state, &owner, own_name(l, name), &at))
		return at;
	why = state_why(l->o.state);
	buf_init(&b, l->mem);
	buf_puts(&b, "the table's position, which counts as new: ");
	buf_str(&b, why);
	log_line(l, LOG_ERROR, buf_view(&b));
	buf_free(&b);
	return STR_EMPTY;
}

static void
leave(void *arg, struct str name, struct str position)
{
	struct live *l = arg;

	if (l->o.outcome != NULL)
		outcome_position(l->o.outcome, own_name(l, name), position);
}

static bool
command(void *arg, const char *const *argv, size_t max, struct str *out)
{
	struct live *l = arg;
	struct exec_result res;
	struct command c;
	struct buf show;
	size_t i;
	bool good;

	buf_init(&show, l->mem);
	for (i = 0; argv[i] != NULL; i++) {
		if (i > 0)
			buf_putc(&show, ' ');
		buf_puts(&show, argv[i]);
	}
	memset(&c, 0, sizeof c);
	c.argv = (char *const *)(uintptr_t)argv;
	c.argc = i;
	c.show = buf_view(&show);
	*out = exec_capture(l, &c, max, &res);
	good = res.started && !res.timed_out && res.status == 0;
	if (!good) {
		if (res.started && !res.timed_out)
			live_fail(l, "%.*s: exit status %d", (int)(show.n <
			    200 ? show.n : 200), show.p, res.status);
		*out = live_why(l);
	}
	buf_free(&show);
	return good;
}

static bool
stop(void *arg)
{
	return live_stop(arg);
}

struct table *
live_table(void *h, const struct table_ask *ask)
{
	struct live *l = h;
	struct table_world w = { .mem = l->o.table_mem != NULL ?
	    l->o.table_mem : l->mem, .root = l->o.root == NULL ? "" :
	    l->o.root, .now = live_clock(l), .arg = l, .list = &l->tables,
	    .warn = warn, .username = username, .groupname = groupname,
	    .position = position, .leave = leave, .command = command,
	    .snapshot = l->o.scarce != NULL ? l->o.scarce->snapshot : NULL,
	    .limited = l->o.scarce != NULL, .stop = stop };
	char why[LIM_TABLE_WHY];
	struct table *t = table_open(&w, ask, why);

	if (t == NULL)
		live_fail(l, "table %s: %s", table_info[ask->id].name, why);
	return t;
}

void
tables_free_all(struct live *l)
{
	/* left open by a run that failed: nothing of them is kept or told of */
	while (l->tables != NULL) {
		l->tables->world.leave = NULL;
		l->tables->world.warn = NULL;
		table_close(l->tables);
	}
}
