/* cmd_control: what one tells picketd: reload, runnow, pause, resume, disarm,
 * arm. */
#include <stdio.h>

#include "engine/cli/ask.h"
#include "engine/cli/incident.h"
#include "engine/daemon/control.h"
#include "engine/vm/clock.h"
#include "lang/base/num.h"

static json_t *
request(const char *command)
{
	json_t *o = json_object();

	json_object_set_new(o, "command", json_string(command));
	return o;
}

/* The names that were given, if there are any. */
static void
add_names(struct cli *c, json_t *o)
{
	json_t *list;
	size_t i;

	if (c->narg == 0)
		return;
	list = json_array();
	for (i = 0; i < c->narg; i++)
		json_array_append_new(list, json_string(c->arg[i]));
	json_object_set_new(o, "alerts", list);
}

/* The end of a command: b for people, if it is fine. */
static int
finish(struct cli *c, json_t *answer, bool fine, struct buf *b)
{
	if (fine && !c->given[OPT_JSON])
		fine = cli_write(1, buf_view(b));
	buf_free(b);
	json_decref(answer);
	return fine ? EXIT_FINE : EXIT_PROBLEMS;
}

int
cmd_reload(struct cli *c)
{
	json_t *answer;
	struct buf b;
	bool fine;
	double n;

	if (cli_too_many(c, CMD_RELOAD, 0))
		return EXIT_USAGE;
	answer = ask_picketd(c, request("reload"), RELOAD_TIME);
	if (answer == NULL)
		return EXIT_PROBLEMS;
	fine = ask_says(c, answer);
	n = ask_number(answer, "entries");
	buf_init(&b, &c->mem);
	buf_printf(&b, "the new configuration is in force: %.0f alert%s\n", n,
	    n > 1 || n < 1 ? "s" : "");
	return finish(c, answer, fine, &b);
}

int
cmd_runnow(struct cli *c)
{
	json_t *o, *answer;
	struct buf b;
	double pid;
	bool fine;

	if (c->narg != 1) {
		cli_usage(c, CMD_RUNNOW, 2);
		return EXIT_USAGE;
	}
	o = request("runnow");
	json_object_set_new(o, "alert", json_string(c->arg[0]));
	answer = ask_picketd(c, o, ANSWER_TIME);
	if (answer == NULL)
		return EXIT_PROBLEMS;
	fine = ask_says(c, answer);
	pid = ask_number(answer, "pid");
	buf_init(&b, &c->mem);
	buf_escaped(&b, str_c(c->arg[0]), 0);
	if (num_none(pid))
		buf_puts(&b, " waits for its turn");
	else
		buf_printf(&b, " runs, as process %.0f", pid);
	buf_puts(&b, ask_is(answer, "disarmed") ? "; disarmed: it tells "
	    "what it would do\n" : "\n");
	return finish(c, answer, fine, &b);
}

/* What holds now, in one line each. */
static void
add_holds(struct cli *c, struct buf *b, const json_t *a)
{
	double n = ask_number(a, "paused_alerts"),
	    running = ask_number(a, "running"),
	    until = ask_number(a, "disarmed_until");

	(void)c;
	if (ask_is(a, "paused"))
		buf_puts(b, "paused: nothing is run until `picket resume`\n");
	if (n > 0)
		buf_printf(b, "%.0f alert%s paused by name\n", n,
		    n > 1 ? "s are" : " is");
	if (ask_is(a, "disarmed")) {
		buf_puts(b, "disarmed");
		if (!num_none(until)) {
			buf_puts(b, " until ");
			look_moment(b, until, clock_wall());
		}
		buf_puts(b, ": rules tell what they would do, and do "
		    "nothing\n");
	}
	if (running > 0 && (ask_is(a, "paused") || ask_is(a,
	    "disarmed")))
		buf_printf(b, "%.0f run%s that began before go%s on\n",
		    running, running > 1 ? "s" : "", running > 1 ? "" : "es");
}

static int
tell(struct cli *c, json_t *o, const char *nothing)
{
	json_t *answer = ask_picketd(c, o, ANSWER_TIME);
	struct buf b;
	bool fine;

	if (answer == NULL)
		return EXIT_PROBLEMS;
	fine = ask_says(c, answer);
	buf_init(&b, &c->mem);
	add_holds(c, &b, answer);
	if (b.n == 0)
		buf_puts(&b, nothing);
	return finish(c, answer, fine, &b);
}

int
cmd_pause(struct cli *c)
{
	json_t *o = request("pause");

	add_names(c, o);
	return tell(c, o, "");
}

int
cmd_resume(struct cli *c)
{
	json_t *o = request("resume");

	add_names(c, o);
	return tell(c, o, "nothing is paused\n");
}

int
cmd_disarm(struct cli *c)
{
	json_t *o;
	double d;

	if (cli_too_many(c, CMD_DISARM, 0))
		return EXIT_USAGE;
	o = request("disarm");
	if (c->given[OPT_FOR]) {
		d = num_parse_duration(str_c(c->value[OPT_FOR]));
		if (num_none(d) || d <= 0 || d > LIM_CONTROL_FOR) {
			cli_say("--for wants a duration of up to 366 days, such "
			    "as 2h or 90m, not \"%s\"", c->value[OPT_FOR]);
			json_decref(o);
			return EXIT_USAGE;
		}
		json_object_set_new(o, "for", json_real(d));
	}
	return tell(c, o, "");
}

int
cmd_arm(struct cli *c)
{
	if (cli_too_many(c, CMD_ARM, 0))
		return EXIT_USAGE;
	return tell(c, request("arm"), "armed: rules act again\n");
}
