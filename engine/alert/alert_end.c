/* alert_end: what comes of a run, and what time brings about. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "engine/alert/alert_inner.h"
#include "engine/deliver/address.h"
#include "engine/deliver/child.h"
#include "engine/deliver/send.h"
#include "lang/base/num.h"
#include "engine/vm/clock.h"

#define LPCMD_TIMEOUT	60.0	/* seconds a print command may take */
#define LIM_ROW_ERROR	500	/* bytes of an error in the history of runs: the
				 * mail and the log have all of it */

/* `output print`: the lines of all scripts, to the print command. */
bool
alert_print(struct alert *a)
{
	struct str cmd = a->o.facts.lpcmd, line;
	const char *argv[4] = { "/bin/sh", "-c", NULL, NULL };
	struct buf text, out;
	struct child child;
	struct child_end end;
	size_t i;
	bool ok = true;

	buf_init(&text, a->at->mem);
	buf_init(&out, a->at->mem);
	for (i = 0; i < a->n; i++)
		if (!a->dry)
			buf_str(&text, buf_view(&a->result[i].print));
	if (text.n == 0)
		return true;
	if (str_none(cmd) || cmd.n == 0) {
		alert_say(a->at, "output print: picket.conf names no "
		    "lpcmd; the lines were:");
		(void)a->at->write(2, buf_view(&text));
		buf_free(&text);
		return false;
	}
	argv[2] = arena_dup(a->at->arena, cmd).p;
	memset(&child, 0, sizeof child);
	child.argv = argv;
	child.input = buf_view(&text);
	child.path = a->at->conf->value[CONF_PATH];
	child.run_id = str_c(a->run_id);
	child.timeout = LPCMD_TIMEOUT;
	child_run(&child, &out, &end);
	if (!end.started || end.status != 0) {
		line = child_last_line(buf_view(&out));
		if (!end.started)
			line = str_c(end.why);
		alert_say(a->at, "lpcmd: exit status %d: %.*s", end.status,
		    (int)line.n, line.p);
		ok = false;
	}
	buf_free(&text);
	buf_free(&out);
	return ok;
}

/* One line of `output mail to`, taken off the front. */
static bool
next_to(struct str *all, struct str *address, struct str *text)
{
	size_t end, tab;

	if (all->n == 0)
		return false;
	end = str_find(*all, '\n', 0);
	tab = str_find(*all, '\t', 0);
	*address = str_of(all->p, tab);
	*text = str_of(all->p + tab + 1, end - tab);	/* with its newline */
	*all = str_of(all->p + end + 1, all->n - end - 1);
	return true;
}

/*
 * `output mail to`: one mail for each address that the scripts named, with
 * the lines that each script has for it.  What names no address goes to the
 * alert's own recipients, so that nothing is lost.
 */
static void
others(struct alert *a, struct tell *t)
{
	struct mail_section *section;
	struct str all, to, text, addr, done[LIM_CONF_MAILTO];
	const char *fault;
	size_t i, k, n = 0, nsection;
	bool more = true;
	struct buf lines;

	while (more && n < LIM_CONF_MAILTO) {
		/* the next address that has not had its mail */
		more = false;
		for (i = 0; i < a->n && !more; i++) {
			all = buf_view(&a->result[i].mail_to);
			while (!more && next_to(&all, &to, &text)) {
				for (k = 0; k < n && !str_eq(done[k], to); k++)
					;
				more = k == n;
			}
		}
		if (!more)
			break;
		done[n++] = to;
		nsection = 0;
		section = arena_zalloc(a->at->arena, (a->n + 1) *
		    sizeof *section);
		for (i = 0; i < a->n; i++) {
			buf_init(&lines, a->at->mem);
			all = buf_view(&a->result[i].mail_to);
			while (next_to(&all, &addr, &text))
				if (str_eq(addr, to))
					buf_str(&lines, text);
			if (lines.n > 0) {
				section[nsection] = a->section[i];
				section[nsection].error = STR_EMPTY;
				section[nsection++].lines = arena_dup(
				    a->at->arena, buf_view(&lines));
			}
			buf_free(&lines);
		}
		fault = address_fault(to);
		if (fault != NULL)
			alert_say(a->at, "output mail to %.*s: %s; it goes to "
			    "the alert's recipients", (int)to.n, to.p, fault);
		tell_mail(t, section, nsection, fault == NULL ? to :
		    STR_EMPTY);
	}
}

static double
uptime(void)
{
	struct timespec ts;

	return clock_gettime(CLOCK_BOOTTIME, &ts) == 0 ? (double)ts.tv_sec :
	    NUM_NIL;
}

void
alert_options(struct alert *a, struct tell_options *o)
{
	const struct alert_place *at = a->at;

	memset(o, 0, sizeof *o);
	o->mem = at->mem;
	o->state = a->o.state;
	o->folder = at->state;
	o->conf = at->conf;
	o->alert = a->name;
	o->origin = a->origin;
	o->run = str_c(a->run_id);
	o->group = at->group;
	o->ngroup = at->ngroup;
	o->uptime = uptime();
	o->mailfrom = a->mailfrom;
	o->mailto = a->mailto;
	o->nmailto = a->nmailto;
	if (a->site != NULL) {
		o->route = a->site->route;
		o->nroute = a->site->nroute;
		o->digest = a->site->digest;
		o->keep_ways = !a->only_to;
	}
	o->first = a->first;
	o->also = a->also;
	o->say = at->say;
	o->arg = at->say_arg;
}

/* Of this run's mail something has to wait. */
static void
say_waits(void *arg, struct str line)
{
	struct alert *a = arg;

	a->at->say(a->at->say_arg, line);
	a->failed = true;
}

/* Why nothing could be kept, into the log of each script and to people. */
static void
complain(struct alert *a, struct str why)
{
	bool said = false;
	struct buf b;
	size_t i;

	buf_init(&b, a->at->mem);
	buf_printf(&b, "%s: ", a->o.state != NULL && state_is_unknown(
	    a->o.state) ? "it is not known whether this run was kept" :
	    "nothing was kept of this run");
	buf_str(&b, why);
	for (i = 0; i < a->n; i++) {
		said = said || a->result[i].state_lost;
		if (run_needs_state(a->program[i]) &&
		    !a->result[i].state_lost) {
			a->o.program = a->program[i];
			run_complain(&a->o, buf_view(&b));
			said = true;
		}
	}
	/* what has no state of its own has a row, or a mail */
	if (!said)
		alert_say(a->at, "%.*s: %s", (int)a->name.n, a->name.p,
		    buf_c(&b));
	buf_free(&b);
	a->failed = true;
}

/* Whether the run leaves anything that wants a place. */
static bool
leaves_something(const struct alert *a)
{
	size_t i;

	if (a->site != NULL || a->always_trail)
		return true;	/* a row of the history */
	for (i = 0; i < a->n; i++)
		if (run_needs_state(a->program[i]) ||
		    a->section[i].lines.n > 0 || a->section[i].error.n > 0 ||
		    a->result[i].mail_to.n > 0)
			return true;
	return false;
}

/* The first thing that went wrong, as far as a table shows it. */
static struct str
first_error(const struct alert *a)
{
	struct str s;
	size_t i;

	for (i = 0; i < a->n; i++) {
		s = buf_view(&a->result[i].error);
		if (s.n == 0)
			continue;
		s = str_of(s.p, str_find(s, '\n', 0));
		return str_of(s.p, s.n < LIM_ROW_ERROR ? s.n : LIM_ROW_ERROR);
	}
	return STR_NIL;
}

static void
run_row(struct alert *a, struct batch *b)
{
	enum run_end worst = RUN_OK;
	double lines = 0;
	size_t i;

	for (i = 0; i < a->n; i++) {
		lines += a->result[i].lines;
		if (a->result[i].end > worst)
			worst = a->result[i].end;
	}
	batch_row(b, Q_RUN_ADD, (struct param[]){ PT(str_c(a->run_id)),
	    PT(a->name), PT(a->origin), PN(a->began), PN(clock_wall()),
	    PT(str_c(run_end_name[worst])), PN(NUM_NIL), PN(a->due),
	    PT(a->reason), PN(lines), PT(first_error(a)),
	    PN((double)getpid()) });
}

/* A dry run tells what mail there would be, and --mail shows it. */
static void
dry_finish(struct alert *a, struct tell *t)
{
	tell_direct(t, STR_NIL, alert_show_mail, a);
}

/*
 * With nothing to tell there is no need for the lock of those who tell, nor
 * to know what was told: under picketd most runs are so, and many end in the
 * same moment.  What is gone from the site the courier sees.
 */
static bool
is_quiet(const struct alert *a)
{
	size_t i;

	if (!a->no_send || a->dry || str_none(a->at->origin))
		return false;
	for (i = 0; i < a->n; i++)
		if (run_has_incidents(a->program[i]) ||
		    a->section[i].lines.n > 0 || a->section[i].error.n > 0 ||
		    a->result[i].mail_to.n > 0)
			return false;
	return true;
}

void
alert_finish(struct alert *a)
{
	struct tell_script s;
	struct tell *t = a->tell;
	struct str why = STR_LIT("there is no folder for the state: set HOME "
	    "or XDG_STATE_HOME");
	size_t i;
	bool kept;

	if (!leaves_something(a))
		return;
	if (is_quiet(a)) {
		run_row(a, tell_batch(t));
		a->kept = state_commit(a->o.state, tell_batch(t), false);
		if (a->kept)
			return;
	}
	if (!a->dry && !tell_open(t) && a->o.state != NULL)
		why = state_why(a->o.state);
	for (i = 0; i < a->n; i++) {
		memset(&s, 0, sizeof s);
		s.owner = (struct state_owner){ a->name, a->program[i]->name };
		s.incidents = run_has_incidents(a->program[i]) && !a->dry &&
		    a->program[i]->status != STATUS_TESTING;
		s.affects_mail = a->program[i]->affects_mail;
		s.result = &a->result[i];
		s.section = a->section[i];
		tell_script(t, &s);
	}
	others(a, t);
	/* scripts that have errors are left out of a site, and not gone */
	if (a->site != NULL && a->at->there != NULL)
		tell_gone(t, a->at->there, a->at->there_arg);
	if (a->dry) {
		dry_finish(a, t);
		return;
	}
	run_row(a, tell_batch(t));
	a->kept = kept = tell_commit(t, a->mail != NULL ? alert_show_mail :
	    NULL, a);
	if (!kept) {
		if (a->o.state != NULL && state_why(a->o.state).n > 0)
			why = state_why(a->o.state);
		complain(a, why);
		tell_direct(t, why, a->mail != NULL ? alert_show_mail :
		    alert_send_now, a);
	}
}

/* A module that tells what is no run of this alert's. */
static struct tell *
tell_apart(struct alert *a, struct str run)
{
	struct tell_options o;

	alert_options(a, &o);
	o.alert = o.first = o.also = o.mailfrom = STR_EMPTY;
	o.mailto = o.route = NULL;
	o.nmailto = o.nroute = 0;
	o.digest = 0;
	o.keep_ways = false;
	o.run = run;
	return tell_new(&o);
}

bool
alert_left(void *arg, struct trail *trail)
{
	struct alert *a = arg;
	struct trail_head head;
	struct tell *t;
	struct buf run;
	bool told;

	if (!trail_left(trail, &head, NULL, NULL))
		return true;
	if (a->at->sweep != NULL)
		a->at->sweep(a->at->mem, head.run);
	buf_init(&run, a->at->mem);
	buf_str(&run, head.run);
	buf_puts(&run, ".left");
	t = tell_apart(a, buf_view(&run));
	(void)tell_open(t);
	told = !tell_left(t, trail) || tell_commit(t, NULL, NULL);
	if (!told) {
		tell_direct(t, STR_NIL, alert_send_now, a);
		/* of one that was due there is a row to be */
		told = num_none(head.due);
		if (!told) {
			trail_sent(trail);
			a->left_waits = true;
		}
	}
	a->kept = true;		/* there may be something to send */
	tell_free(t);
	buf_free(&run);
	return told;
}

/* What all killed runs left. */
static bool
left_all(struct alert *a)
{
	struct buf why;
	bool ok;

	buf_init(&why, a->at->mem);
	ok = trail_each(a->at->mem, a->at->state, alert_left, a, &why);
	if (!ok)
		alert_say(a->at, "%s", buf_c(&why));
	buf_free(&why);
	return ok && !a->failed && !a->left_waits;
}

/* That, and what time brings about. */
static void
rest(struct alert *a)
{
	struct tell *t;
	char id[sizeof a->run_id + 8];

	(void)left_all(a);
	snprintf(id, sizeof id, "%s.rest", a->run_id);
	t = tell_apart(a, str_c(id));
	if (tell_open(t)) {
		tell_rest(t);
		if (a->at->there != NULL && !str_none(a->at->origin))
			tell_gone(t, a->at->there, a->at->there_arg);
		(void)tell_commit(t, NULL, NULL);
	}
	tell_free(t);
}

void
alert_send(struct alert *a)
{
	struct outbox_options o;
	struct outbox_sum sum;
	struct buf program;

	if (a->dry || !a->kept)
		return;
	rest(a);
	buf_init(&program, a->at->mem);
	send_program(&program);
	memset(&o, 0, sizeof o);
	o.state = a->o.state;
	o.folder = a->at->state;
	o.conf = a->at->conf;
	o.program = buf_c(&program);
	o.mem = a->at->mem;
	o.say = say_waits;
	o.arg = a;
	if (!outbox_flush(&o, str_c(a->run_id), &sum))
		a->failed = true;
	buf_free(&program);
}

/* No run, but with an id as of one. */
static void
init_apart(struct alert *a, const struct alert_place *at, struct state *st,
    const char *what)
{
	memset(a, 0, sizeof *a);
	a->at = at;
	a->name = a->origin = a->first = a->also = a->mailfrom = STR_EMPTY;
	if (!str_none(at->origin))
		a->origin = at->origin;
	a->o.state = st;
	a->kept = true;
	snprintf(a->run_id, sizeof a->run_id, "%s.%.0f.%ld", what,
	    clock_wall() * 1000, (long)getpid());
}

bool
alert_tick(const struct alert_place *at, struct state *st, const char *what,
    bool send)
{
	struct alert a;

	init_apart(&a, at, st, what);
	if (send)
		alert_send(&a);
	else
		rest(&a);
	return !a.failed;
}

bool
alert_direct(const struct alert_place *at, struct tell *t, struct str fault)
{
	struct alert a;

	init_apart(&a, at, NULL, "direct");
	tell_direct(t, fault, alert_send_now, &a);
	return !a.failed;
}

bool
alert_left_all(const struct alert_place *at, struct state *st)
{
	struct alert a;

	init_apart(&a, at, st, "left");
	return left_all(&a);
}
