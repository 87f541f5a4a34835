/* cmd_mailtest: a test notice by each way out, one by one. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "engine/cli/outbox.h"
#include "engine/deliver/address.h"
#include "engine/deliver/outbox_inner.h"
#include "engine/deliver/plain.h"
#include "engine/deliver/send.h"
#include "engine/vm/clock.h"

#define TEST_ALERT	"mailtest"

struct test {
	struct cli	*c;
	const struct outbox_options *o;
	const struct route *route;	/* the one that is meant, or NULL */
	struct notice	 notice;
	struct str	 to[LIM_JOB_RCPT];
	size_t		 nto, ndone, nfailed;
};

/* A notice for each way: what tells copies apart must differ. */
static void
make_notice(struct test *t, struct str label)
{
	struct arena *a = &t->c->arena;
	const struct conf *conf = &t->c->conf;
	char run[80];
	struct plain p = { .host = conf->value[CONF_HOSTNAME],
	    .from = conf->value[CONF_MAILFROM], .alert = STR_LIT(TEST_ALERT),
	    .level = LEVEL_INFO, .now = clock_wall(),
	    .title = STR_LIT("This is only a test"), .to = t->to,
	    .nto = t->nto };
	struct buf subject, text;

	snprintf(run, sizeof run, "%s.%.0f.%ld.%zu", TEST_ALERT, p.now * 1000,
	    (long)getpid(), t->ndone);
	p.run = str_c(run);
	buf_init(&subject, a->mem);
	buf_init(&text, a->mem);
	buf_puts(&subject, "[test] Picket on ");
	buf_str(&subject, p.host);
	buf_puts(&subject, ": only a test");
	buf_puts(&text, "Somebody has run picket mailtest on ");
	buf_escaped(&text, p.host, 0);
	buf_puts(&text, ".\nThis came by ");
	buf_escaped(&text, label, 0);
	buf_puts(&text, ".\nNothing is wrong, and there is nothing to do.\n");
	p.subject = arena_dup(a, buf_view(&subject));
	p.text = buf_view(&text);
	plain_notice(&p, &t->notice, a);
	buf_free(&subject);
	buf_free(&text);
}

static void
show(struct test *t, struct str label, bool ok, double took, struct str why)
{
	bool colour = t->c->colour_out;
	struct buf b;

	buf_init(&b, &t->c->mem);
	buf_printf(&b, "%s%-6s%s  %6.2f s  ", !colour ? "" : ok ? "\033[32m" :
	    "\033[1;31m", ok ? "taken" : "failed", colour ? "\033[0m" : "",
	    took);
	if (ok) {		/* why says it */
		buf_escaped(&b, label, 0);
		buf_puts(&b, ": ");
	}
	buf_escaped(&b, why, 0);
	buf_putc(&b, '\n');
	(void)cli_write(1, buf_view(&b));
	buf_free(&b);
}

static void
try_one(struct test *t, struct str line, struct str label)
{
	struct job *j = arena_zalloc(&t->c->arena, sizeof *j);
	struct report *r = arena_zalloc(&t->c->arena, sizeof *r);
	struct buf said, why;
	double began;
	size_t i;
	bool ok;

	buf_init(&said, &t->c->mem);
	buf_init(&why, &t->c->mem);
	make_notice(t, label);
	job_from_conf(j, &t->c->conf, &t->c->arena);
	j->run = t->notice.run;
	memcpy(j->to, t->to, sizeof t->to);
	j->nto = t->nto;
	j->message = t->notice.message;
	j->body = t->notice.body;
	j->notice = t->notice.json;
	j->transport[0] = line;
	j->ntransport = 1;
	if (isatty(2) == 1)
		cli_say("trying %.*s", (int)label.n, label.p);
	began = clock_steady();
	(void)send_job(j, t->o->program, 0, &said);
	report_read(r, buf_view(&said), j);
	ok = r->ntaken == r->n;
	if (!ok)
		report_why(buf_view(&said), j, LIM_OUTBOX_WHY, &why);
	for (i = 0; ok && i < r->n && why.n == 0; i++)
		buf_str(&why, r->rcpt[i].why);
	show(t, label, ok, clock_steady() - began, buf_view(&why));
	t->ndone++;
	t->nfailed += !ok;
	buf_free(&said);
	buf_free(&why);
}

static void
try_transport(struct test *t, const struct transport *w)
{
	struct buf line, label;

	buf_init(&line, &t->c->mem);
	buf_init(&label, &t->c->mem);
	transport_format(w, &line);
	transport_label(w, &label);
	try_one(t, arena_dup(&t->c->arena, buf_view(&line)),
	    arena_dup(&t->c->arena, buf_view(&label)));
	buf_free(&line);
	buf_free(&label);
}

/* It is asked for, by its name or label, or nothing is. */
static bool
wanted(struct test *t, const struct transport *w)
{
	const char *name = t->c->value[OPT_TRANSPORT];
	struct buf label;
	bool is;

	if (name == NULL)
		return true;
	buf_init(&label, &t->c->mem);
	transport_label(w, &label);
	is = str_eq(buf_view(&label), str_c(name));
	buf_free(&label);
	return is;
}

static bool
recipients(struct test *t)
{
	struct cli *c = t->c;
	struct str_list to = { c->conf.mailto, c->conf.nmailto };
	const char *fault;
	size_t i;

	for (i = 0; i < c->nmailto; i++)
		if ((fault = address_fault(c->mailto[i])) != NULL) {
			cli_say("--to wants an address, but '%s' %s",
			    c->mailto[i].p, fault);
			return false;
		}
	if (c->nmailto > 0)
		to = (struct str_list){ c->mailto, c->nmailto };
	else if (t->route != NULL && t->route->to.n > 0)
		to = t->route->to;
	for (i = 0; i < to.n && i < LIM_JOB_RCPT; i++)
		t->to[t->nto++] = to.p[i];
	return true;
}

/* All ways of picket.conf; or those of a route; or the one that is meant. */
static void
try_all(struct test *t)
{
	const struct transport *list[LIM_CONF_TRANSPORTS];
	struct outbox_row row = { .way = STR_LIT(WAY_MAIL) };
	struct conf *conf = &t->c->conf;
	size_t i, n = 0;
	struct buf why;
	bool gone;

	if (t->route != NULL) {
		row.route = t->route->name;
		buf_init(&why, &t->c->mem);
		n = outbox_transports(conf, &row, list, &why, &gone);
		buf_free(&why);
	} else
		for (; n < conf->ntransport; n++)
			list[n] = &conf->transport[n];
	for (i = 0; i < n; i++)
		if (wanted(t, list[i]))
			try_transport(t, list[i]);
}

/* Nothing has that name; those that something has are the hint. */
static void
say_none(struct test *t, const char *what, const char *name)
{
	const struct conf *conf = &t->c->conf;
	bool route = strcmp(what, "route") == 0;
	size_t i, n = route ? conf->nroute : conf->ntransport;
	struct buf b;

	buf_init(&b, &t->c->mem);
	for (i = 0; i < n; i++) {
		buf_puts(&b, i == 0 ? "; it has " : ", ");
		if (route)
			buf_escaped(&b, conf->route[i].name, 0);
		else
			transport_label(&conf->transport[i], &b);
	}
	cli_say("picket.conf has no %s '%s'%s%s", what, name,
	    t->route != NULL ? " in that route" : "", buf_c(&b));
	buf_free(&b);
}

static bool
find_route(struct test *t)
{
	const char *name = t->c->value[OPT_ROUTE];

	if (name == NULL)
		return true;
	t->route = route_named(&t->c->conf, str_c(name));
	if (t->route == NULL)
		say_none(t, "route", name);
	return t->route != NULL;
}

int
cmd_mailtest(struct cli *c)
{
	struct test *t = arena_zalloc(&c->arena, sizeof *t);
	struct outbox_options o;
	int r;

	if (cli_too_many(c, CMD_MAILTEST, 0))
		return EXIT_USAGE;
	if (!cli_outbox_open(c, true, &o))
		return EXIT_PROBLEMS;
	t->c = c;
	t->o = &o;
	r = !find_route(t) ? EXIT_PROBLEMS : !recipients(t) ? EXIT_USAGE : -1;
	if (r >= 0) {
		cli_outbox_close(&o);
		return r;
	}
	try_all(t);
	cli_outbox_close(&o);
	if (t->ndone > 0)
		return t->nfailed > 0 ? EXIT_PROBLEMS : EXIT_FINE;
	if (c->given[OPT_TRANSPORT])
		say_none(t, "transport", c->value[OPT_TRANSPORT]);
	else
		cli_say("no way to send mail: picket.conf names none and "
		    "there is no " CONF_SENDMAIL_PATH);
	return EXIT_PROBLEMS;
}
