/*
 * void: the transport `null`, for tests of a configuration and of what is
 * around: it takes all and keeps nothing, or says no, as its target says.
 */
#include <time.h>

#include "engine/deliver/attempt.h"
#include "engine/deliver/transport.h"

static enum outcome
null_send(struct attempt *a)
{
	static const struct {
		const char	*word;
		enum outcome	 outcome;
	} says[] = { { "ok", OUTCOME_OK }, { "slow", OUTCOME_OK },
	    { "retry", OUTCOME_RETRY }, { "fail", OUTCOME_FAIL } };
	struct timespec second = { .tv_sec = 1 };
	struct str target = a->transport->target;
	size_t i;

	buf_puts(a->why, "as it was told");
	if (str_eq(target, STR_LIT("slow")))
		nanosleep(&second, NULL);
	for (i = 0; i < sizeof says / sizeof *says; i++)
		if (str_eq(target, str_c(says[i].word)))
			return says[i].outcome;
	return OUTCOME_FAIL;
}

const struct sender null_sender = {
	.name = "null",
	.send = null_send,
};
