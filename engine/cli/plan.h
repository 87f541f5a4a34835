/*
 * plan: what `picket run` is to run: an alert of the site, one of its scripts,
 * or the scripts of a file.
 */
#ifndef ENGINE_CLI_PLAN_H
#define ENGINE_CLI_PLAN_H

#include "engine/cli/cli.h"
#include "engine/deliver/words.h"

/* What there is to run, and as which alert. */
struct plan {
	struct str	 name;		/* of the alert */
	const struct site_alert *alert;	/* NULL: none of the site's */
	const struct program *program;
	size_t		 n;
	struct loaded	 loaded;	/* of a file */
};

/* Fills *p; -1, else the exit status: what is wrong has been said. */
int	 plan_make(struct cli *, struct plan *);
/* Offers the scripts of the site and those that come with Picket. */
void	 plan_offer_scripts(struct cli *, struct nearest *);
/*
 * What looks like an option behind a file is the script's.  Where that does
 * not look, its writer meant picket: false, and said.
 */
bool	 plan_arguments_meant(const struct cli *, const struct plan *);

#endif
