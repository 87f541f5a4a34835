#include "engine/deliver/attempt.h"

#include <string.h>
#include <sysexits.h>

#include "engine/deliver/child.h"

enum outcome
attempt_child(struct attempt *a, const struct child_end *e,
    const struct buf *out)
{
	struct str said = child_last_line(buf_view(out));

	if (!e->started) {
		buf_puts(a->why, e->why);
		return OUTCOME_RETRY;	/* it may be installed again */
	}
	if (e->timed_out) {
		buf_printf(a->why, "not ended after %gs",
		    a->transport->timeout);
		return OUTCOME_RETRY;
	}
	buf_printf(a->why, "exit status %d%s", e->status,
	    said.n > 0 ? ": " : "");
	buf_str(a->why, said);
	/* Not among the refusals: EX_UNAVAILABLE and EX_CONFIG, which mail
	 * programs use for what will work when the server does; and what the
	 * shell says of a program that is not there, today. */
	switch (e->status) {
	case EX_OK:
		return OUTCOME_OK;
	case EX_USAGE:
	case EX_DATAERR:
	case EX_NOUSER:
	case EX_NOHOST:
	case EX_NOPERM:
		return OUTCOME_FAIL;
	default:
		return OUTCOME_RETRY;
	}
}

void
attempt_curl(struct buf *why, const char *error)
{
	const char *ms = strstr(error, " after "), *tail;

	if (strncmp(error, "Failed to connect to ", 21) == 0 && ms != NULL &&
	    (tail = strstr(ms, " ms: Could")) != NULL &&
	    strstr(tail, " connect to server") != NULL)
		buf_add(why, error, (size_t)(ms - error));
	else
		buf_puts(why, error);
}
