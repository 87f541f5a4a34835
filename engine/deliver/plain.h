/*
 * plain: a notice that Picket writes itself, not a script: a text, made to
 * a mail and to JSON.  For the digest of what was held back, and for the test
 * of the ways out.
 */
#ifndef ENGINE_DELIVER_PLAIN_H
#define ENGINE_DELIVER_PLAIN_H

#include "engine/deliver/outbox.h"

struct plain {
	struct str	 host, from;
	struct str	 run;		/* its id is made of it and the host's */
	struct str	 alert;		/* "mailtest"; the alert of a digest */
	enum level	 level;
	double		 now;
	struct str	 subject;	/* plain text, no template */
	struct str	 title;		/* a line that stands over the text */
	struct str	 text;		/* lines */
	const struct str *to;
	size_t		 nto;
};
/* Fills the notice; all its texts live in the arena. */
void	plain_notice(const struct plain *, struct notice *, struct arena *);

#endif
