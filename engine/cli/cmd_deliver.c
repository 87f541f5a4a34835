/* cmd_deliver: sends what waits in the outbox. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lang/base/num.h"
#include "engine/alert/alert.h"
#include "engine/cli/incident.h"
#include "engine/cli/outbox.h"
#include "engine/deliver/send.h"
#include "engine/effect/spawn.h"
#include "engine/vm/clock.h"

#define LOOP_TICK	15.0	/* seconds between looks of --loop: a fall-back is
				 * due after two minutes */

static volatile sig_atomic_t stop;

static void
on_signal(int sig)
{
	stop = sig;
}

/* The first signal ends it when the mail at hand is done; the next at once. */
static void
catch_signals(void)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa, old;
	size_t i;

	memset(&sa, 0, sizeof sa);
	sa.sa_handler = on_signal;
	sa.sa_flags = (int)SA_RESETHAND;
	sigemptyset(&sa.sa_mask);
	for (i = 0; i < sizeof sigs / sizeof sigs[0]; i++)
		if (sigaction(sigs[i], NULL, &old) == 0 &&
		    old.sa_handler != SIG_IGN)
			(void)sigaction(sigs[i], &sa, NULL);
}

static void
say(void *arg, struct str line)
{
	(void)arg;
	cli_say("%.*s", (int)line.n, line.p);
}

bool
cli_outbox_open(struct cli *c, bool read_only, struct outbox_options *o)
{
	memset(o, 0, sizeof *o);
	return cli_configuration(c, c->given[OPT_CONFIG] ?
	    c->value[OPT_CONFIG] : NULL) && cli_state_open(c, read_only, o);
}

bool
cli_state_open(struct cli *c, bool read_only, struct outbox_options *o)
{
	struct str path = state_path(c, STATE_FILE);
	struct state_options so;
	struct buf program;

	memset(o, 0, sizeof *o);
	if (str_none(path)) {
		cli_say("there is no place for the state: set HOME");
		return false;
	}
	memset(&so, 0, sizeof so);
	so.mem = &c->mem;
	so.path = path;
	so.read_only = read_only;
	so.patience = c->patience;
	so.say = say;
	buf_init(&program, &c->mem);
	spawn_helper(&program, STATE_PROGRAM);
	so.program = buf_c(&program);
	o->state = state_new(&so);
	buf_clear(&program);
	send_program(&program);
	o->program = arena_dup(&c->arena, buf_view(&program)).p;
	buf_free(&program);
	o->folder = str_of(path.p, path.n - sizeof STATE_FILE);
	o->conf = &c->conf;
	o->mem = &c->mem;
	o->say = say;
	return true;
}

void
cli_outbox_close(struct outbox_options *o)
{
	state_free(o->state);
	o->state = NULL;
}

void
cli_age(struct buf *b, double s)
{
	static const struct { double of; char unit; } units[] = {
	    { 2 * 86400, 'd' }, { 2 * 3600, 'h' }, { 2 * 60, 'm' } };
	static const double size[] = { 86400, 3600, 60 };
	size_t i;

	if (!(s > 0))
		s = 0;
	for (i = 0; i < 3; i++)
		if (s >= units[i].of) {
			buf_printf(b, "%.0f%c", floor(s / size[i]),
			    units[i].unit);
			return;
		}
	buf_printf(b, "%.0fs", floor(s));
}

/* What came of it, for people: nothing if there is nothing to say. */
static void
say_sum(struct cli *c, const struct outbox_sum *sum, double now)
{
	struct buf b;

	buf_init(&b, &c->mem);
	buf_printf(&b, "%zu sent", sum->sent);
	if (sum->waiting > 0)
		buf_printf(&b, ", %zu wait%s", sum->waiting,
		    sum->waiting == 1 ? "s" : "");
	if (sum->waiting > 0 && !num_none(sum->next)) {
		buf_puts(&b, " (next try in ");
		cli_age(&b, sum->next - now);
		buf_putc(&b, ')');
	}
	if (sum->dead > 0)
		buf_printf(&b, ", %zu given up", sum->dead);
	if (sum->left)
		buf_puts(&b, "; another process is sending");
	buf_putc(&b, '\n');
	(void)cli_write(1, buf_view(&b));
	buf_free(&b);
}

int
cli_outbox_send(struct cli *c, struct outbox_options *o,
    struct outbox_sum *sum)
{
	bool ok;

	o->all = o->all || isatty(2) == 1;
	o->stop = &stop;
	ok = outbox_flush(o, STR_NIL, sum);
	if (isatty(1) == 1 && !c->given[OPT_JSON])
		say_sum(c, sum, clock_wall());
	return ok && sum->tried == 0 ? EXIT_FINE : EXIT_PROBLEMS;
}

/* The same for programs, at the end. */
static bool
put_sum(struct cli *c, const struct outbox_sum *sum, size_t sent)
{
	json_t *top = json_object();
	struct buf b;
	bool ok;

	json_object_set_new(top, "sent", json_integer((json_int_t)sent));
	json_object_set_new(top, "waiting",
	    json_integer((json_int_t)sum->waiting));
	json_object_set_new(top, "dead", json_integer((json_int_t)sum->dead));
	json_object_set_new(top, "next", sum->waiting == 0 ||
	    num_none(sum->next) ? json_null() : look_json_number(sum->next));
	json_object_set_new(top, "left", json_boolean(sum->left));
	buf_init(&b, &c->mem);
	cli_json_put(top, &b);
	ok = cli_write(1, buf_view(&b));
	buf_free(&b);
	return ok;
}

static void
doze(double s)
{
	struct timespec ts;

	ts.tv_sec = (time_t)s;
	ts.tv_nsec = (long)((s - (double)ts.tv_sec) * 1e9);
	(void)nanosleep(&ts, NULL);
}

/* Until the next row is due, or `left` is over. */
static double
nap(const struct outbox_sum *sum, double left)
{
	double s = num_none(sum->next) ? LOOP_TICK :
	    sum->next - clock_wall();

	if (s > LOOP_TICK)
		s = LOOP_TICK;
	if (s > left)
		s = left;
	return s < 0.1 ? 0.1 : s;
}

int
cmd_deliver(struct cli *c)
{
	const char *arg = c->value[OPT_WAIT];
	struct alert_place at;
	struct outbox_options o;
	struct outbox_sum sum;
	double wait = 0, end;
	size_t sent = 0;
	int r;

	if (cli_too_many(c, CMD_DELIVER, 0))
		return EXIT_USAGE;
	if (c->given[OPT_WAIT] && c->given[OPT_LOOP]) {
		cli_say("--wait or --loop, not both");
		return EXIT_USAGE;
	}
	if (arg != NULL) {
		wait = num_parse_duration(str_c(arg));
		if (!(wait >= 0)) {
			cli_say("--wait wants a duration such as 30s or 5m, "
			    "not '%s'", arg);
			return EXIT_USAGE;
		}
	}
	if (!cli_outbox_open(c, false, &o))
		return EXIT_PROBLEMS;
	catch_signals();
	o.linger = c->given[OPT_LOOP];
	o.debt = outbox_debt_new(&c->mem);
	cli_place(c, &at);
	for (end = clock_steady() + wait;;) {
		(void)alert_tick(&at, o.state, "deliver", false);
		r = cli_outbox_send(c, &o, &sum);
		sent += sum.sent;
		if (stop || (!c->given[OPT_LOOP] && (clock_steady() >= end ||
		    (r == EXIT_FINE && sum.waiting == 0 && !sum.left))))
			break;
		doze(nap(&sum, c->given[OPT_LOOP] ? LOOP_TICK :
		    end - clock_steady()));
		if (stop)
			break;
	}
	outbox_debt_free(o.debt);
	cli_outbox_close(&o);
	if (c->given[OPT_JSON] && !put_sum(c, &sum, sent))
		return EXIT_PROBLEMS;
	/* a loop that is ended has done what it was there for */
	return c->given[OPT_LOOP] && stop ? EXIT_FINE : r;
}
