/*
 * sendmail: the mail goes to the local mail server's program, which every
 * one of them brings along.  Its exit status 0 means that it is in a queue,
 * not that it has arrived (operations.md, Mail).
 *
 * PATH -i -f FROM -- RECIPIENT...: no shell; -i, so that a line of a single
 * dot is text; recipients after --, checked addresses, so that none is an
 * option; not -t, so that headers decide nothing.
 */
#include "engine/deliver/attempt.h"
#include "engine/deliver/child.h"

static const char *
c_string(struct arena *a, struct str s)
{
	return arena_dup(a, s).p;
}

static enum outcome
sendmail_send(struct attempt *a)
{
	const char *argv[LIM_JOB_RCPT + 6];
	struct child c = { .argv = argv, .input = a->job->message,
	    .path = a->job->path, .run_id = a->job->run,
	    .timeout = a->transport->timeout };
	struct child_end end;
	enum outcome o;
	struct buf out;
	size_t i, n = 0;

	argv[n++] = c_string(a->arena, a->transport->target);
	argv[n++] = "-i";
	argv[n++] = "-f";
	argv[n++] = c_string(a->arena, a->job->from);
	argv[n++] = "--";
	for (i = 0; i < a->nrcpt; i++)
		argv[n++] = c_string(a->arena, a->rcpt[i]->address);
	argv[n] = NULL;
	buf_init(&out, a->why->mem);
	child_run(&c, &out, &end);
	o = attempt_child(a, &end, &out);
	buf_free(&out);
	return o;
}

const struct sender sendmail_sender = {
	.name = "sendmail",
	.by_address = true,
	.send = sendmail_send,
};
