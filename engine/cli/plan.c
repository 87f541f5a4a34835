#include "engine/cli/plan.h"

#include <unistd.h>

#include "engine/alert/alert.h"

/* One script of the alert, or all; false: told of. */
static bool
plan_alert(struct cli *c, const struct site_alert *a, const char *script,
    struct plan *p)
{
	size_t i;

	p->name = a->name;
	p->alert = a;
	p->program = a->alarm;
	p->n = a->nalarm;
	if (script == NULL)
		return true;
	for (i = 0; i < a->nalarm; i++)
		if (str_eq(a->alarm[i].name, str_c(script))) {
			p->program = &a->alarm[i];
			p->n = 1;
			return true;
		}
	cli_say("alert %s does not list %s", c->value[OPT_ALERT], script);
	return false;
}

void
plan_offer_scripts(struct cli *c, struct nearest *near)
{
	const struct site_bundled *b;
	size_t i, n;

	for (i = 0; c->site != NULL && i < c->site->nscript; i++)
		words_offer(near, c->site->script[i].name.p);
	if (cli_bundled(c, &b, &n))
		for (i = 0; i < n; i++)
			words_offer(near, b[i].name.p);
}

/* No alert or script of that name; what comes near? */
static void
say_unknown(struct cli *c, const char *name, bool alerts_only)
{
	struct nearest near = words_nearest(str_c(name));
	const struct site *s = c->site;
	size_t i;

	for (i = 0; i < s->nalert; i++)
		words_offer(&near, s->alert[i].name.p);
	if (!alerts_only)
		plan_offer_scripts(c, &near);
	cli_say("%s: no such alert%s in %.*s%s%s%s", name, alerts_only ? "" :
	    ", script or file", (int)c->dir.n, c->dir.p, near.best == NULL ?
	    "" : "; did you mean ", near.best == NULL ? "" : near.best,
	    near.best == NULL ? "" : "?");
}

/*
 * An alert, else a script, else a file.  A script runs in the alert that
 * --alert names, else in the first that lists it, else by itself.
 */
static bool
plan_site(struct cli *c, const char *arg, struct plan *p)
{
	const char *in = c->value[OPT_ALERT];
	const struct site_alert *a;
	const struct site_script *s;

	if (in != NULL) {
		a = site_alert(c->site, str_c(in));
		if (a == NULL)
			say_unknown(c, in, true);
		return a != NULL && plan_alert(c, a, arg, p);
	}
	a = site_alert(c->site, str_c(arg));
	if (a != NULL)
		return plan_alert(c, a, NULL, p);
	s = site_script(c->site, str_c(arg));
	if (s == NULL)
		return false;
	if (s->alert != NULL)
		return plan_alert(c, s->alert, arg, p);
	if (cli_is_own(s))	/* as picketd runs it */
		p->name = cli_own_name(c, c->site, s);
	p->program = s->program;
	p->n = 1;
	return true;
}

/* Fills *p; -1, else the exit status. */
int
plan_make(struct cli *c, struct plan *p)
{
	const char *arg = c->arg[0];
	bool file = c->program || cli_says_file(str_c(arg));
	struct nearest near;
	struct str bundled;

	memset(p, 0, sizeof *p);
	p->name = STR_LIT(ALERT_NAME);
	if (file && c->given[OPT_ALERT]) {
		cli_say("--alert is for scripts of the site, not for files");
		return EXIT_USAGE;
	}
	if (!cli_open_site(c, file))
		return EXIT_PROBLEMS;
	if (!file && c->site != NULL && plan_site(c, arg, p))
		return -1;
	if (c->given[OPT_ALERT]) {
		if (c->site == NULL)
			cli_say("--alert %s: there is no site", c->value[
			    OPT_ALERT]);
		return EXIT_PROBLEMS;
	}
	bundled = file || access(arg, F_OK) == 0 ? STR_NIL :
	    cli_bundled_path(c, arg);
	if (!str_none(bundled))
		arg = bundled.p;
	else if (!file && c->site != NULL && access(arg, F_OK) != 0) {
		say_unknown(c, arg, false);
		return EXIT_PROBLEMS;
	} else if (!file && strcmp(arg, "-") != 0 && access(arg, F_OK) != 0) {
		near = words_nearest(str_c(arg));
		plan_offer_scripts(c, &near);
		if (near.best != NULL)
			cli_say("%s: no such script or file; did you mean %s?",
			    arg, near.best);
		else
			cli_say("%s: no such file, and there is no site in %s: "
			    "see --config", arg, c->given[OPT_CONFIG] ?
			    c->value[OPT_CONFIG] : PICKET_SYSCONFDIR);
		return EXIT_PROBLEMS;
	}
	cli_load(c, arg, c->given[OPT_TRACE], &p->loaded);
	if (!p->loaded.ok) {
		if (c->given[OPT_JSON] && p->loaded.compile != NULL) {
			struct json_diag *j = json_diag_new();

			json_diag_add(j, compile_diag(p->loaded.compile));
			(void)json_diag_end(j);
		}
		cli_unload(&p->loaded);
		return EXIT_PROBLEMS;
	}
	p->program = p->loaded.set.program;
	p->n = p->loaded.set.n;
	return -1;
}

/* Whether a script looks at its arguments. */
static bool
reads_arguments(const struct plan *p)
{
	const struct program *one;
	size_t i, k;
	instr in;

	for (i = 0; i < p->n; i++) {
		one = &p->program[i];
		for (k = 0; k < one->ncode; k++) {
			in = one->code[k];
			if ((I_OP(in) == OP_CALLN || I_OP(in) == OP_CALLS) &&
			    (I_BX(in) == BI_ARG || I_BX(in) == BI_ARGS))
				return true;
		}
	}
	return false;
}

/*
 * What looks like an option behind a file is the script's.  Where that does
 * not look, its writer meant picket: -n must not end in a run.
 */
bool
plan_arguments_meant(const struct cli *c, const struct plan *p)
{
	size_t i;

	for (i = 1; i < c->narg; i++)
		if (c->arg[i][0] == '-' && c->arg[i][1] != '\0' &&
		    !c->program && !reads_arguments(p)) {
			cli_say("run: %s stands behind %s, which reads no "
			    "arguments; options come before the file",
			    c->arg[i], c->arg[0]);
			return false;
		}
	return true;
}
