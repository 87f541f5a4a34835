/* state: what a script knows about itself and its run. */
#include "engine/builtin/arg.h"

void
bi_innum(struct call *c)
{
	c->rn = vm_innum(c->vm);
}

void
bi_doexec(struct call *c)
{
	c->rn = vm_doexec(c->vm);
}

void
bi_eoi(struct call *c)
{
	c->rn = vm_eoi(c->vm);
}

void
bi_task(struct call *c)
{
	c->rs = vm_task(c->vm);
}

void
bi_alarm(struct call *c)
{
	c->rs = vm_program(c->vm)->name;
}

void
bi_alert(struct call *c)
{
	c->rs = vm_facts(c->vm)->alert;
}

void
bi_level(struct call *c)
{
	c->rs = str_c(level_name[vm_program(c->vm)->level]);
}

void
bi_status(struct call *c)
{
	c->rs = str_c(status_name[vm_program(c->vm)->status]);
}

void
bi_mailcmd(struct call *c)
{
	c->rs = vm_facts(c->vm)->mailcmd;
}

void
bi_lpcmd(struct call *c)
{
	c->rs = vm_facts(c->vm)->lpcmd;
}

void
bi_fields(struct call *c)
{
	c->rn = vm_nfields(c->vm);
}

void
bi_exitcode(struct call *c)
{
	c->rn = vm_exitcode(c->vm);
}

void
bi_output(struct call *c)
{
	/* A copy: the next command's output takes its place. */
	c->rs = vm_output(c->vm);
	if (!str_none(c->rs))
		c->rs = vm_dup(c->vm, c->rs);
}

void
bi_inputexit(struct call *c)
{
	c->rn = vm_inputexit(c->vm);
}

void
bi_infile(struct call *c)
{
	c->rs = vm_facts(c->vm)->infile;
}

void
bi_runs(struct call *c)
{
	c->rn = vm_facts(c->vm)->runs;
}

/* Of a key; what there is none of is NIL, and fires not. */
static double
incident_fact(struct call *c, enum incident_fact what)
{
	const struct host *host;
	void *h;

	host = vm_host(c->vm, &h);
	return host->incident_fact == NULL ? NUM_NIL :
	    host->incident_fact(h, what, c->s[0]);
}

void
bi_firing(struct call *c)
{
	if (!arg_none(c))
		c->rn = num_true(incident_fact(c, INCIDENT_FIRING));
}

void
bi_acked(struct call *c)
{
	if (!arg_none(c))
		c->rn = num_true(incident_fact(c, INCIDENT_ACKED));
}

void
bi_since(struct call *c)
{
	if (!arg_none(c))
		c->rn = incident_fact(c, INCIDENT_SINCE);
}

void
bi_args(struct call *c)
{
	c->rn = vm_facts(c->vm)->narg;
}

void
bi_arg(struct call *c)
{
	const struct run_facts *f = vm_facts(c->vm);
	int64_t i;

	if (arg_none(c) || !arg_int(c, 0, 1, (int64_t)NUM_EXACT, &i))
		return;
	c->rs = i <= (int64_t)f->narg ? f->arg[i - 1] : STR_NIL;
}

void
bi_errtext(struct call *c)
{
	c->rs = vm_errtext(c->vm);
	if (!str_none(c->rs))
		c->rs = vm_dup(c->vm, c->rs);
}
