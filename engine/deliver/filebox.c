/*
 * filebox: the mail goes to the end of a mailbox file, for a host without a
 * mail server, and as the last way when every other one fails.
 */
#include "engine/deliver/attempt.h"
#include "engine/deliver/mailbox.h"

static enum outcome
file_send(struct attempt *a)
{
	const char *path = arena_dup(a->arena, a->transport->target).p;

	if (!mailbox_append(path, a->job->from, time(NULL), a->job->message,
	    a->why))
		return OUTCOME_RETRY;	/* full, locked, or to be put right */
	buf_puts(a->why, "appended");
	return OUTCOME_OK;
}

const struct sender file_sender = {
	.name = "file",
	.send = file_send,
};
