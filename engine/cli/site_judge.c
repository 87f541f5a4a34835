/* site_judge: what is wrong with a site besides its texts: ways out that are
 * missing, users and groups that are none, routes that lead nowhere. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/alert/alert.h"
#include "engine/cli/world.h"
#include "engine/deliver/address.h"
#include "engine/deliver/words.h"
#include "lang/base/num.h"

/* The level of the incident statement that ends at an instruction, which is
 * a constant; the script's if it has none. */
static double
incident_level(const struct program *p, uint32_t at)
{
	unsigned reg = I_B(p->code[at]) + STEP_LEVEL;
	double level = NUM_NIL;
	uint32_t i, k;

	for (i = at; i-- > 0;) {
		k = LIM_REGS - 1 - I_B(p->code[i]);
		if (I_A(p->code[i]) != reg)
			continue;
		if (I_OP(p->code[i]) == OP_LOADN)
			level = p->num[I_BX(p->code[i])];
		else if (I_OP(p->code[i]) == OP_MOVN && k < p->nnconst)
			level = p->num[k];
		else
			continue;
		break;
	}
	return num_none(level) ? (double)p->level : level;
}

static bool
is_critical(const struct program *p)
{
	uint32_t i;

	for (i = 0; i < p->ncode; i++)
		if (I_OP(p->code[i]) == OP_INCIDENT &&
		    incident_level(p, i) <= LEVEL_CRITICAL)
			return true;
	return p->level <= LEVEL_CRITICAL;
}

/* Whether a script of an alert, or an incident of one, is critical or above. */
static bool
has_critical(const struct site *s)
{
	const struct site_alert *a;
	size_t i, k;

	for (k = 0; k < s->nalert; k++) {
		a = &s->alert[k];
		for (i = 0; i < a->nalarm; i++)
			if (is_critical(&a->alarm[i]))
				return true;
	}
	return false;
}

/* A line that a compile would say of a file. */
static void
say_of_path(struct cli *c, struct str path, enum diag_severity severity,
    struct str what, struct json_diag *json)
{
	struct buf b;

	if (json != NULL) {
		json_diag_say(json, path, severity, what);
		return;
	}
	buf_init(&b, &c->mem);
	buf_escaped(&b, path, 0);
	buf_puts(&b, severity == DIAG_ERROR ? ": error: " : ": warning: ");
	buf_str(&b, what);
	buf_putc(&b, '\n');
	(void)cli_write(2, buf_view(&b));
	buf_free(&b);
}

/* The same of a file of the folder. */
static void
say_of_file(struct cli *c, const char *dir, const char *name,
    enum diag_severity severity, struct str what, struct json_diag *json)
{
	struct str path;

	(void)cli_is_there(dir, name, c, &path);
	say_of_path(c, path, severity, what, json);
}

bool
cli_warn_ways(struct cli *c, const struct site *s, const char *dir,
    struct json_diag *json)
{
	static const char what[] = "critical alerts leave this host by its own "
	    "mail queue only, which may be what is out of order; add a relay, "
	    "a webhook or another way that needs no queue here";

	if (!conf_one_queue(&c->conf) || !has_critical(s))
		return false;
	say_of_file(c, dir, "picket.conf", DIAG_WARNING, STR_LIT(what), json);
	return true;
}

/* A file that a way needs and that is not here. */
static bool
is_missing(struct cli *c, const struct transport *t, struct str path,
    const char *dir, struct json_diag *json)
{
	struct buf b;

	if (path.n == 0 || access(path.p, F_OK) == 0)
		return false;
	buf_init(&b, &c->mem);
	transport_label(t, &b);
	buf_puts(&b, " can send nothing: ");
	buf_escaped(&b, path, 0);
	buf_puts(&b, ": ");
	buf_puts(&b, strerror(errno));
	say_of_file(c, dir, "picket.conf", DIAG_WARNING, buf_view(&b), json);
	buf_free(&b);
	return true;
}

/* As picketd looks it up: another source of groups may be away. */
static bool
is_no_group(struct cli *c, struct str name, const char *dir,
    struct json_diag *json)
{
	struct group *g = NULL;
	struct buf b;
	FILE *f = fopen("/etc/group", "re");

	while (f != NULL && (g = fgetgrent(f)) != NULL &&
	    !str_eq(str_c(g->gr_name), name))
		;
	if (f != NULL)
		(void)fclose(f);
	if (g != NULL)
		return false;
	buf_init(&b, &c->mem);
	words_wrong(&b, "control group: /etc/group has no group", name);
	buf_puts(&b, ", so only root and the user of picketd may use its "
	    "control socket");
	say_of_file(c, dir, "picket.conf", DIAG_WARNING, buf_view(&b), json);
	buf_free(&b);
	return true;
}

static bool
is_no_user(struct cli *c, struct str name, const char *dir,
    struct json_diag *json)
{
	struct buf b;

	buf_init(&b, &c->mem);
	buf_str(&b, name);
	errno = 0;
	if (getpwnam(buf_c(&b)) != NULL || (errno != 0 && errno != ENOENT &&
	    errno != ESRCH)) {
		buf_free(&b);
		return false;
	}
	buf_clear(&b);
	words_wrong(&b, "user: there is no user", name);
	buf_puts(&b, ", as whom picketd could send mail and serve its page");
	say_of_file(c, dir, "picket.conf", DIAG_WARNING, buf_view(&b), json);
	buf_free(&b);
	return true;
}

size_t
cli_warn_files(struct cli *c, const char *dir, struct json_diag *json)
{
	const struct transport *t;
	struct str path;
	size_t i, n = 0;
	unsigned k;

	if (!str_none(c->conf.value[CONF_CONTROL]))
		n += is_no_group(c, c->conf.value[CONF_CONTROL], dir, json);
	if (!str_none(c->conf.value[CONF_USER]))
		n += is_no_user(c, c->conf.value[CONF_USER], dir, json);
	for (i = 0; i < c->conf.ntransport; i++) {
		t = &c->conf.transport[i];
		if (transport_has(t, OPTION_CA))
			n += is_missing(c, t, t->arg[OPTION_CA], dir, json);
		for (k = 0; !str_none(path = transport_secret(t, k)); k++)
			n += is_missing(c, t, path, dir, json);
	}
	return n;
}

/* Whether an alert's webhook can be one; else why. */
static bool
webhook_fits(struct cli *c, struct str url, struct buf *why)
{
	struct transport t;
	struct buf line;
	bool ok;

	buf_init(&line, &c->mem);
	alert_webhook(url, &line);
	ok = transport_parse_line(&t, buf_view(&line), &c->arena, why);
	buf_free(&line);
	return ok;
}

size_t
cli_check_routes(struct cli *c, const struct site *s, const char *dir,
    struct json_diag *json)
{
	const struct site_alert *a;
	struct nearest near;
	struct buf b;
	size_t i, j, k, n = 0;

	buf_init(&b, &c->mem);
	for (j = 0; j < s->nalert; j++) {
		a = &s->alert[j];
		for (i = 0; i < a->nroute; i++) {
			if (route_named(&c->conf, a->route[i]) != NULL)
				continue;
			near = words_nearest(a->route[i]);
			for (k = 0; k < c->conf.nroute; k++)
				words_offer(&near, c->conf.route[k].name.p);
			buf_clear(&b);
			buf_puts(&b, "alert ");
			buf_str(&b, a->name);
			words_wrong(&b, ": picket.conf has no route",
			    a->route[i]);
			if (near.best != NULL)
				buf_printf(&b, "; did you mean \"%s\"?",
				    near.best);
			say_of_file(c, dir, config_file_name[CONFIG_ALERTS],
			    DIAG_ERROR, buf_view(&b), json);
			n++;
		}
		buf_clear(&b);
		buf_puts(&b, "alert ");
		buf_str(&b, a->name);
		buf_puts(&b, ": ");
		if (!str_none(a->webhook) && !webhook_fits(c, a->webhook, &b)) {
			say_of_file(c, dir, config_file_name[CONFIG_ALERTS],
			    DIAG_ERROR, buf_view(&b), json);
			n++;
		}
	}
	buf_free(&b);
	return n;
}

struct site *
cli_site_judged(struct cli *c, const char *dir, struct json_diag *json,
    size_t *nerror, size_t *nwarning)
{
	struct site *s;

	if (!cli_set_dir(c, dir) || !cli_configuration(c, dir))
		return NULL;
	if (c->command == CMD_COMPILE)
		c->logdir = cli_logdir(c);
	s = cli_site(c, dir, false, false);
	if (s == NULL)
		return NULL;
	cli_site_show(c, s, json);
	*nerror = s->nerror;
	*nwarning = s->nwarning;
	if (cli_warn_ways(c, s, dir, json))
		++*nwarning;
	/* another host has its own files */
	if (!c->given[OPT_HOST])
		*nwarning += cli_warn_files(c, dir, json);
	*nerror += cli_check_routes(c, s, dir, json);
	return s;
}
