/* alert: see alert.h. */
#include <sys/stat.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "engine/cli/alert.h"
#include "engine/deliver/address.h"
#include "engine/deliver/child.h"
#include "engine/deliver/send.h"
#include "lang/base/num.h"
#include "engine/vm/clock.h"

#define LPCMD_TIMEOUT	60.0	/* seconds a print command may take */

/* Makes a folder and those above it, for the user alone. */
static bool
make_folders(const char *path)
{
	char t[4096];
	size_t i, n = strlen(path);

	if (n >= sizeof t)
		return false;
	memcpy(t, path, n + 1);
	for (i = 1; i <= n; i++) {
		if (t[i] != '/' && t[i] != '\0')
			continue;
		t[i] = '\0';
		if (mkdir(t, 0700) != 0 && errno != EEXIST)
			return false;
		t[i] = i == n ? '\0' : '/';
	}
	return true;
}

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

struct str
state_folder(struct cli *c, const char *leaf)
{
	struct str path = state_path(c, leaf);

	if (!str_none(path) && access(path.p, W_OK) != 0 &&
	    !make_folders(path.p))
		return STR_NIL;
	return path;
}

/* `output print`: the lines of all scripts, to the print command. */
bool
alert_print(struct alert *a)
{
	struct str cmd = a->c->conf.value[CONF_LPCMD], line;
	const char *argv[4] = { "/bin/sh", "-c", NULL, NULL };
	struct buf text, out;
	struct child child;
	struct child_end end;
	size_t i;
	bool ok = true;

	buf_init(&text, &a->c->mem);
	buf_init(&out, &a->c->mem);
	for (i = 0; i < a->n; i++)
		if (!a->dry)
			buf_str(&text, buf_view(&a->result[i].print));
	if (text.n == 0)
		return true;
	if (str_none(cmd) || cmd.n == 0) {
		cli_say("output print: picket.conf names no lpcmd; the lines "
		    "were:");
		(void)cli_write(2, buf_view(&text));
		buf_free(&text);
		return false;
	}
	argv[2] = arena_dup(&a->c->arena, cmd).p;
	memset(&child, 0, sizeof child);
	child.argv = argv;
	child.input = buf_view(&text);
	child.path = a->c->conf.value[CONF_PATH];
	child.run_id = str_c(a->run_id);
	child.timeout = LPCMD_TIMEOUT;
	child_run(&child, &out, &end);
	if (!end.started || end.status != 0) {
		line = child_last_line(buf_view(&out));
		if (!end.started)
			line = str_c(end.why);
		cli_say("lpcmd: exit status %d: %.*s", end.status,
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
		section = arena_zalloc(&a->c->arena, (a->n + 1) *
		    sizeof *section);
		for (i = 0; i < a->n; i++) {
			buf_init(&lines, &a->c->mem);
			all = buf_view(&a->result[i].mail_to);
			while (next_to(&all, &addr, &text))
				if (str_eq(addr, to))
					buf_str(&lines, text);
			if (lines.n > 0) {
				section[nsection] = a->section[i];
				section[nsection].error = STR_EMPTY;
				section[nsection++].lines = arena_dup(
				    &a->c->arena, buf_view(&lines));
			}
			buf_free(&lines);
		}
		fault = address_fault(to);
		if (fault != NULL)
			cli_say("output mail to %.*s: %s; it goes to the "
			    "alert's recipients", (int)to.n, to.p, fault);
		tell_mail(t, section, nsection, fault == NULL ? to :
		    STR_EMPTY);
	}
}

static void
say_line(void *arg, struct str line)
{
	(void)arg;
	cli_say("%.*s", (int)line.n, line.p);
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
	struct cli *c = a->c;

	memset(o, 0, sizeof *o);
	o->mem = &c->mem;
	o->state = a->o.state;
	o->folder = state_home(c);
	o->conf = &c->conf;
	o->alert = a->name;
	o->origin = a->origin;
	o->run = str_c(a->run_id);
	if (c->site != NULL) {
		o->group = c->site->compile.member;
		o->ngroup = c->site->compile.nmember;
	}
	o->uptime = uptime();
	o->mailfrom = a->mailfrom;
	o->mailto = a->mailto;
	o->nmailto = a->nmailto;
	if (a->site != NULL) {
		o->route = a->site->route;
		o->nroute = a->site->nroute;
		o->digest = a->site->digest;
		o->keep_ways = a->c->nmailto == 0;
	}
	o->first = a->first;
	o->also = a->also;
	o->say = say_line;
}

/* Of this run's mail something has to wait. */
static void
say_waits(void *arg, struct str line)
{
	struct alert *a = arg;

	say_line(arg, line);
	a->failed = true;
}

/* Why nothing could be kept, into the log of each script and to people. */
static void
complain(struct alert *a, struct str why)
{
	struct buf b;
	size_t i;

	buf_init(&b, &a->c->mem);
	buf_printf(&b, "%s: ", a->o.state != NULL && state_is_unknown(
	    a->o.state) ? "it is not known whether this run was kept" :
	    "nothing was kept of this run");
	buf_str(&b, why);
	for (i = 0; i < a->n; i++)
		if (run_needs_state(a->program[i]) &&
		    !a->result[i].state_lost) {	/* else it has been said */
			a->o.program = a->program[i];
			run_complain(&a->o, buf_view(&b));
		}
	buf_free(&b);
	a->failed = true;
}

/* Whether the run leaves anything that wants a place. */
static bool
leaves_something(const struct alert *a)
{
	size_t i;

	if (a->site != NULL)
		return true;	/* a row of the history */
	for (i = 0; i < a->n; i++)
		if (run_needs_state(a->program[i]) ||
		    a->section[i].lines.n > 0 || a->section[i].error.n > 0 ||
		    a->result[i].mail_to.n > 0)
			return true;
	return false;
}

static void
run_row(struct alert *a, struct batch *b)
{
	enum run_end worst = RUN_OK;
	size_t i;

	for (i = 0; i < a->n; i++)
		if (a->result[i].end > worst)
			worst = a->result[i].end;
	batch_row(b, Q_RUN_ADD, (struct param[]){ PT(str_c(a->run_id)),
	    PT(a->name), PT(a->origin), PN(a->began), PN(clock_wall()),
	    PT(str_c(run_end_name[worst])), PN(NUM_NIL), PN(NUM_NIL),
	    PT(STR_LIT("by-hand")), PN(NUM_NIL), PT(STR_NIL),
	    PN((double)getpid()) });
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

/* A dry run tells what mail there would be, and --mail shows it. */
static void
dry_finish(struct alert *a, struct tell *t)
{
	tell_direct(t, STR_NIL, alert_show_mail, a);
}

void
alert_finish(struct alert *a)
{
	struct tell_script s;
	struct tell *t = a->tell;
	const char *mail = a->c->value[OPT_MAIL];
	struct str why = STR_LIT("there is no folder for the state: set HOME "
	    "or XDG_STATE_HOME");
	size_t i;
	bool kept;

	if (!leaves_something(a))
		return;
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
	if (a->site != NULL && a->c->site->nerror == 0)
		tell_gone(t, is_there, a->c->site);
	if (a->dry) {
		dry_finish(a, t);
		return;
	}
	run_row(a, tell_batch(t));
	a->kept = kept = tell_commit(t, mail != NULL ? alert_show_mail : NULL, a);
	if (!kept) {
		if (a->o.state != NULL && state_why(a->o.state).n > 0)
			why = state_why(a->o.state);
		complain(a, why);
		tell_direct(t, why, mail != NULL ? alert_show_mail : alert_send_now, a);
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
	buf_init(&run, &a->c->mem);
	buf_str(&run, head.run);
	buf_puts(&run, ".left");
	t = tell_apart(a, buf_view(&run));
	(void)tell_open(t);
	told = !tell_left(t, trail) || tell_commit(t, NULL, NULL);
	if (!told) {
		tell_direct(t, STR_NIL, alert_send_now, a);
		told = true;
	}
	a->kept = true;		/* there may be something to send */
	tell_free(t);
	buf_free(&run);
	return told;
}

/* What killed runs left, and what time brings about. */
static void
rest(struct alert *a)
{
	struct tell *t;
	struct buf why;
	char id[sizeof a->run_id + 8];

	buf_init(&why, &a->c->mem);
	if (!trail_each(&a->c->mem, state_home(a->c), alert_left, a, &why))
		cli_say("%s", buf_c(&why));
	snprintf(id, sizeof id, "%s.rest", a->run_id);
	t = tell_apart(a, str_c(id));
	if (tell_open(t)) {
		tell_rest(t);
		(void)tell_commit(t, NULL, NULL);
	}
	tell_free(t);
	buf_free(&why);
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
	buf_init(&program, &a->c->mem);
	send_program(&program);
	memset(&o, 0, sizeof o);
	o.state = a->o.state;
	o.folder = state_home(a->c);
	o.conf = &a->c->conf;
	o.program = buf_c(&program);
	o.mem = &a->c->mem;
	o.say = say_waits;
	o.arg = a;
	if (!outbox_flush(&o, str_c(a->run_id), &sum))
		a->failed = true;
	buf_free(&program);
}

bool
alert_tick(struct cli *c, struct state *st, const char *what, bool send)
{
	struct alert a;

	memset(&a, 0, sizeof a);
	a.c = c;
	a.name = a.origin = a.first = a.also = a.mailfrom = STR_EMPTY;
	a.o.state = st;
	a.kept = true;
	snprintf(a.run_id, sizeof a.run_id, "%s.%.0f.%ld", what,
	    clock_wall() * 1000, (long)getpid());
	if (send)
		alert_send(&a);
	else
		rest(&a);
	return !a.failed;
}
