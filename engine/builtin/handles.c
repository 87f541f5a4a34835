/*
 * handles: open files and processes behind a script's FILE names.  The slot
 * of a name is NULL while nothing is open; the host owns what is.
 */
#include "engine/builtin/arg.h"

/* The one letter of a mode argument, of those allowed; 0: vm_domain. */
static int
mode_arg(struct call *c, unsigned i, const char *allowed)
{
	struct str s = c->s[i], shown = str_shown(s);

	if (s.p != NULL && s.n == 1 && s.p[0] != '\0' &&
	    strchr(allowed, s.p[0]) != NULL)
		return s.p[0];
	vm_domain(c, "the mode \"%.*s\" is none of %s", arg_cut(shown),
	    shown.p, allowed);
	return 0;
}

/* A name holds one thing: what it still held is closed, with a WARNING. */
static struct stream **
free_slot(struct call *c)
{
	struct stream **slot = vm_handle(c->vm, c->n[0]), *old = *slot;
	struct str name = vm_handle_name(c->vm, c->n[0]);
	const struct host *host;
	void *h;

	host = vm_host(c->vm, &h);
	*slot = NULL;
	if (old != NULL) {
		vm_log(c->vm, LOG_WARNING, "%.*s was still open: closed",
		    arg_cut(name), name.p);
		host->close(h, old);
	}
	vm_handle_set_eof(c->vm, c->n[0], false);
	return slot;
}

/* The open stream of a handle; NULL: said, and the result is -1. */
static struct stream *
open_stream(struct call *c)
{
	struct stream *s = *vm_handle(c->vm, c->n[0]);
	struct str name;

	if (s == NULL) {
		name = vm_handle_name(c->vm, c->n[0]);
		vm_failed(c, "%.*s is not open", arg_cut(name), name.p);
		c->rn = -1;
	}
	return s;
}

void
bi_fopen(struct call *c)
{
	struct str path = c->s[0];
	const struct host *host;
	struct stream **slot;
	int mode;
	void *h;

	mode = mode_arg(c, 1, "rwa");
	if (mode == 0)
		return;
	slot = free_slot(c);
	if (!arg_c(c, 0))
		return;
	if (path.n == 0) {
		vm_domain(c, "an empty path");
		return;
	}
	if (mode != 'r' && arg_dotdot(path)) {
		vm_domain(c, "%.*s has a component ..", arg_cut(path),
		    path.p);
		return;
	}
	host = vm_host(c->vm, &h);
	*slot = host->fopen(h, path, mode);
	if (*slot == NULL)
		arg_host_failed(c, path);
	else
		c->rn = 1;
}

void
bi_popen(struct call *c)
{
	const struct command *cmd;
	const struct host *host;
	struct stream **slot;
	struct buf *b;
	int mode;
	void *h;

	mode = mode_arg(c, 0, "rw");
	if (mode == 0)
		return;
	slot = free_slot(c);
	cmd = vm_command(c->vm);
	if (cmd == NULL)
		return;
	host = vm_host(c->vm, &h);
	if (host->suppresses && mode == 'w') {
		b = vm_buf(c->vm);
		buf_puts(b, "#popen ");
		buf_str(b, cmd->show);
		vm_suppressed(c->vm, arg_result(c, b));
	}
	*slot = host->popen(h, cmd, mode);
	if (*slot == NULL) {
		vm_set_exec(c->vm, &(struct exec_result){ .output = STR_EMPTY });
		arg_host_failed(c, cmd->show);
	} else
		c->rn = 1;
}

/*
 * At the end $rdlin keeps the last line.  An empty line is 1, the newline;
 * only a file's very last line can come without one.
 */
void
bi_read(struct call *c)
{
	struct stream *s = open_stream(c);
	const struct host *host;
	struct str line;
	size_t len = 0;
	void *h;

	if (s == NULL)
		return;
	host = vm_host(c->vm, &h);
	switch (host->read(h, s, &line, &len)) {
	case READ_LINE:
		vm_set_rdlin(c->vm, line);
		c->rn = (double)len;
		break;
	case READ_END:
		vm_handle_set_eof(c->vm, c->n[0], true);
		c->rn = 0;
		break;
	case READ_FAILED:
		arg_host_failed(c, vm_handle_name(c->vm, c->n[0]));
		break;
	}
}

static void
put(struct call *c, struct str text)
{
	struct stream *s = open_stream(c);
	const struct host *host;
	void *h;

	if (s == NULL)
		return;
	host = vm_host(c->vm, &h);
	if (host->write(h, s, text))
		c->rn = (double)text.n;
	else
		arg_host_failed(c, vm_handle_name(c->vm, c->n[0]));
}

void
bi_write(struct call *c)
{
	put(c, str_shown(c->s[0]));	/* NIL as output shows it */
}

void
bi_writeln(struct call *c)
{
	struct buf *b = vm_buf(c->vm);

	buf_str(b, c->s[0]);
	buf_putc(b, '\n');
	put(c, buf_view(b));
}

void
bi_fflush(struct call *c)
{
	struct stream *s = open_stream(c);
	const struct host *host;
	void *h;

	if (s == NULL)
		return;
	host = vm_host(c->vm, &h);
	if (host->flush(h, s))
		c->rn = 0;
	else
		arg_host_failed(c, vm_handle_name(c->vm, c->n[0]));
}

/* What is not open has nothing more to read. */
void
bi_feof(struct call *c)
{
	struct stream *s = *vm_handle(c->vm, c->n[0]);
	const struct host *host;
	void *h;

	host = vm_host(c->vm, &h);
	c->rn = s == NULL || host->eof(h, s);
}

static bool
shut(struct call *c)
{
	struct stream *s = open_stream(c);
	const struct host *host;
	void *h;

	if (s == NULL)
		return false;
	host = vm_host(c->vm, &h);
	*vm_handle(c->vm, c->n[0]) = NULL;
	c->rn = host->close(h, s);
	if (c->rn < 0)
		arg_host_failed(c, vm_handle_name(c->vm, c->n[0]));
	return c->rn >= 0;
}

void
bi_fclose(struct call *c)
{
	shut(c);
}

/* Waits for the command, so #exitcode() tells of it too. */
void
bi_pclose(struct call *c)
{
	struct exec_result r = { .started = true, .output = STR_EMPTY };

	if (!shut(c))
		return;
	r.status = (int)c->rn;
	vm_set_exec(c->vm, &r);
}
