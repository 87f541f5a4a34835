/*
 * alert: what the scripts of one run have to say, on its way out: mail, mail
 * to single addresses, lines to print.
 */
#ifndef ENGINE_CLI_ALERT_H
#define ENGINE_CLI_ALERT_H

#include "engine/cli/cli.h"
#include "engine/deliver/tell.h"
#include "engine/run/run.h"

#define ALERT_NAME	"run"	/* what a file's scripts belong to */

struct alert {
	struct cli	*c;
	struct str	 name;
	char		 run_id[64];
	struct run_options o;
	const struct site_alert *site;	/* or NULL */
	struct str	 origin;	/* the site's folder, or the file */
	struct str	 first;		/* its own way, before those of the conf */
	struct str	 also;		/* one that gets all of it besides */
	struct str	 mailfrom;
	const struct str *mailto;	/* who gets its mail; NULL: the conf says */
	size_t		 nmailto;
	double		 began;
	struct trail	*trail;		/* what it does, as it happens; or NULL */
	struct tell	*tell;		/* collects what it leaves */
	/* by script that has run */
	const struct program **program;
	struct run_result *result;
	struct mail_section *section;
	size_t		 n;
	bool		 dry;
	int		 status;	/* of `quit n` */
	bool		 failed;
	bool		 kept;		/* the store has taken what it leaves */
};

/*
 * A folder of the state: /var/lib/picket for root, else under
 * $XDG_STATE_HOME or ~/.local/state; made if need be, NIL if there is no
 * place for it.
 */
struct str state_folder(struct cli *, const char *leaf);
/* Its path alone; nothing is made. */
struct str state_path(struct cli *, const char *leaf);
/* The folder of the state itself. */
struct str state_home(struct cli *);
/* What all commands that tell of something say to the module. */
void	 alert_options(struct alert *, struct tell_options *);
/*
 * The end of the run: mail, incidents and values, in one transaction; or, if
 * nothing can be kept, the mail at once.  What went wrong is said.
 */
void	 alert_finish(struct alert *);
/*
 * alert_mail.c: a mail that could not be put into the outbox goes at once, and
 * if that fails, too, a file keeps it; --mail and dry runs show it.  Both are
 * tell_mail_fn, arg is the alert; what goes wrong is said.
 */
bool	 alert_send_now(void *arg, const struct notice *);
bool	 alert_show_mail(void *arg, const struct notice *);
/* What a killed run left is told of (trail_left_fn; arg: the alert). */
bool	 alert_left(void *arg, struct trail *);
/* What time brings about, and what waits in the outbox: sent now. */
void	 alert_send(struct alert *);
/*
 * The same without a run, for who has changed what is told of: an ack, a
 * silence, time.  what: a word, for the ids of its mails; send: also what
 * waits in the outbox.  False: it was said what could not go.
 */
bool	 alert_tick(struct cli *, struct state *, const char *what, bool send);
/* `output print`: the lines of all scripts, to the print command. */
bool	 alert_print(struct alert *);

#endif
