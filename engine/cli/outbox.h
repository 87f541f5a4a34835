/*
 * outbox: what the commands that show and send the outbox share: its place,
 * its options, and how a time is shown.
 */
#ifndef ENGINE_CLI_OUTBOX_H
#define ENGINE_CLI_OUTBOX_H

#include "engine/cli/cli.h"
#include "engine/deliver/outbox.h"

/* Reads the configuration and opens the state; false: told of. */
bool	cli_outbox_open(struct cli *, bool read_only,
	    struct outbox_options *);
/* The same where the configuration has been read. */
bool	cli_state_open(struct cli *, bool read_only, struct outbox_options *);
void	cli_outbox_close(struct outbox_options *);
/* Sends what is due, once, and says what came of it: the exit status. */
int	cli_outbox_send(struct cli *, struct outbox_options *,
	    struct outbox_sum *);
/* "58s", "3m", "2h", "4d": enough of a duration for a table. */
void	cli_age(struct buf *, double seconds);

#endif
