#include "engine/deliver/attempt.h"

#include <string.h>
#include <sysexits.h>

#include "engine/deliver/child.h"

bool
attempt_secret(struct attempt *a, struct str path,
    char secret[LIM_SECRET + 1])
{
	const struct job_file *f = job_file(a->job, path);

	secret[0] = '\0';
	if (f == NULL) {
		if (trust_read_secret(path.p, secret, a->why) == TRUST_FINE)
			return true;
		if (a->why->n == 0) {
			buf_escaped(a->why, path, 0);
			buf_puts(a->why, ": this file is missing");
		}
		return false;
	}
	if (f->missing || f->text.n > LIM_SECRET) {
		buf_str(a->why, f->missing ? f->text :
		    STR_LIT("a secret is too long"));
		return false;
	}
	memcpy(secret, f->text.p, f->text.n);
	secret[f->text.n] = '\0';
	return true;
}

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
