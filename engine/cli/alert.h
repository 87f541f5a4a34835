/*
 * alert: what the scripts of one run have to say, on its way out: mail, mail
 * to single addresses, lines to print.
 */
#ifndef ENGINE_CLI_ALERT_H
#define ENGINE_CLI_ALERT_H

#include "engine/cli/cli.h"
#include "engine/deliver/compose.h"
#include "engine/run/run.h"

#define ALERT_NAME	"run"	/* what a file's scripts belong to */

struct alert {
	struct cli	*c;
	struct str	 name;
	char		 run_id[64];
	struct run_options o;
	struct run_result *result;
	struct mail_section *section;
	size_t		 n, nsection;
	bool		 dry;
	int		 status;	/* of `quit n` */
	bool		 failed;
};

/*
 * A folder of the state: /var/lib/picket for root, else under
 * $XDG_STATE_HOME or ~/.local/state; made if need be, NIL if there is no
 * place for it.
 */
struct str state_folder(struct cli *, const char *leaf);
/* Its path alone; nothing is made. */
struct str state_path(struct cli *, const char *leaf);
/* The alert's mail to its recipients.  False: told of, and kept in a file. */
bool	 alert_mail(struct alert *);
/* `output mail to`: a mail for each address. */
bool	 alert_mail_others(struct alert *);
/* `output print`: the lines of all scripts, to the print command. */
bool	 alert_print(struct alert *);

#endif
