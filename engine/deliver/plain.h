/*
 * plain: a notice that no script has written but Picket itself: a text, made
 * to a mail and to JSON.  For the test of the ways out.
 */
#ifndef ENGINE_DELIVER_PLAIN_H
#define ENGINE_DELIVER_PLAIN_H

#include "engine/deliver/outbox.h"

struct plain {
	struct str	 host, from;
	struct str	 run;		/* its id is made of it and the host's */
	struct str	 alert;		/* "mailtest" */
	enum level	 level;
	double		 now;
	struct str	 subject;	/* plain text, no template */
	struct str	 title;		/* a line that stands over the text */
	struct str	 text;		/* lines */
	const struct str *to;
	size_t		 nto;
};
/* Fills the notice; its texts live in the arena, but for from and to. */
void	plain_notice(const struct plain *, struct notice *, struct arena *);

#endif
