/* process: commands that are waited for, and the number of a process. */
#include "engine/builtin/arg.h"

#define LIM_COMMAND_OUTPUT (4 << 20)	/* bytes that $command takes; more are
					 * for #popen, line by line */

void
bi_system(struct call *c)
{
	const struct exec_opts opts = { .as = STR_NIL, .dir = STR_NIL };
	struct exec_result r = { .output = STR_EMPTY };
	const struct command *cmd = vm_command(c->vm);
	const struct host *host;
	struct buf *b;
	void *h;

	if (cmd == NULL)
		return;		/* a rule refused it; said already */
	host = vm_host(c->vm, &h);
	host->exec(h, cmd, EXEC_WAIT, &opts, &r);
	if (r.suppressed) {
		b = vm_buf(c->vm);
		buf_puts(b, "#system ");
		buf_str(b, cmd->show);
		vm_suppressed(c->vm, arg_result(c, b));
		r.status = 0;	/* nothing went wrong */
	} else if (!r.started) {
		vm_set_exec(c->vm, &r);
		arg_host_failed(c, cmd->show);
		return;
	}
	vm_set_exec(c->vm, &r);
	c->rn = r.status;
}

/*
 * The output without its last newline, one only: a command's empty last
 * lines are its output.
 */
void
bi_command(struct call *c)
{
	struct exec_result r = { .output = STR_EMPTY };
	const struct command *cmd = vm_command(c->vm);
	const struct host *host;
	struct str out;
	void *h;

	if (cmd == NULL)
		return;
	host = vm_host(c->vm, &h);
	out = host->capture(h, cmd, LIM_COMMAND_OUTPUT, &r);
	if (!r.started && !r.suppressed) {
		vm_set_exec(c->vm, &r);
		arg_host_failed(c, cmd->show);
		return;
	}
	vm_set_exec(c->vm, &r);
	if (str_none(out))
		out = STR_EMPTY;
	if (out.n >= LIM_COMMAND_OUTPUT)
		vm_log(c->vm, LOG_WARNING,
		    "%.*s: output cut after %d bytes", arg_cut(cmd->show),
		    cmd->show.p, LIM_COMMAND_OUTPUT);
	else if (out.n > 0 && out.p[out.n - 1] == '\n')
		out.n--;
	c->rs = vm_dup(c->vm, out);
}

void
bi_pid(struct call *c)
{
	const struct host *host;
	void *h;

	if (arg_none(c) || !arg_c(c, 0))
		return;
	host = vm_host(c->vm, &h);
	c->rn = host->pid(h, c->s[0]);
}
