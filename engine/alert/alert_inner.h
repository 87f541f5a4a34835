/* alert_inner: what the files of this folder share. */
#ifndef ENGINE_ALERT_ALERT_INNER_H
#define ENGINE_ALERT_ALERT_INNER_H

#include "engine/alert/alert.h"

/* A line for people. */
void	 alert_say(const struct alert_place *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* What all say to the module that tells. */
void	 alert_options(struct alert *, struct tell_options *);
/*
 * The end of the run: mail, incidents and values, in one transaction; or, if
 * nothing can be kept, the mail at once.  What went wrong is said.
 */
void	 alert_finish(struct alert *);
/* What a killed run left is told of (trail_left_fn; arg: the alert). */
bool	 alert_left(void *arg, struct trail *);
/* What time brings about, and what waits in the outbox: sent now. */
void	 alert_send(struct alert *);
/* `output print`: the lines of all scripts, to the print command. */
bool	 alert_print(struct alert *);

/*
 * alert_mail.c: a mail that could not be put into the outbox goes at once, and
 * if that fails, too, a file keeps it; --mail and dry runs show it.  Both are
 * tell_mail_fn, arg is the alert; what goes wrong is said.
 */
bool	 alert_send_now(void *arg, const struct notice *);
bool	 alert_show_mail(void *arg, const struct notice *);

#endif
