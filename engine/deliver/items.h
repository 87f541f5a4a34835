/*
 * items: what a job says, piece by piece, for ways that are no mail: a change
 * of an incident each, or the lines of a script.  Why a module: the notice's
 * JSON (notice.h) is read and made safe in one place; and where there is none
 * (a test mail, a notice that an older version left behind) what the mail
 * says is one item.
 *
 * All texts are UTF-8 without control characters but newline and tab: what
 * was none is shown as \xHH.  They live in the attempt's arena.
 */
#ifndef ENGINE_DELIVER_ITEMS_H
#define ENGINE_DELIVER_ITEMS_H

#include "engine/deliver/attempt.h"
#include "lang/code/program.h"

#define LIM_ITEMS	5000	/* a notice of more is no message: the rest is
				 * in the mail */

struct item {
	bool		 change;	/* of an incident; else lines of a script */
	struct str	 what;		/* "firing"; empty if no change */
	struct str	 says;		/* "resolved after 2h 33m" */
	struct str	 key, id, script, message, evidence, place, done, who,
			 why;
	enum level	 level;
	double		 since, fired, ended;	/* 0: not yet */
	struct str	 lines;		/* of a script: newlines between them */
};

struct items {
	struct str	 id;		/* of the notice, stable over retries */
	struct str	 run, host, alert, subject, text;
	enum level	 level;
	double		 time;
	struct item	*item;
	size_t		 n;		/* at least 1 */
	size_t		 left;		/* what LIM_ITEMS left out */
};

void	items_read(struct items *, const struct attempt *);
/*
 * What a person reads of it in a chat: subject and id, then each item.
 */
void	items_text(const struct items *, struct buf *);
/* One line about an item: "[firing] message (key, id)". */
void	items_line(const struct item *, struct buf *);

/* What text is counted in. */
enum text_unit { TEXT_BYTES, TEXT_UTF16 };
/*
 * Adds a text that is valid UTF-8, cut with "..." so that it has no more than
 * limit units (0: all of it); never inside a character.
 */
void	text_cut(struct buf *, struct str, enum text_unit, size_t limit);
size_t	text_units(struct str, enum text_unit);
/* Adds a text made safe, as those of items are. */
void	text_clean(struct buf *, struct str);
/* "2026-11-22T12:00:05.123Z": RFC 3339. */
#define TEXT_TIME_MAX	100
void	text_time(double when, char out[TEXT_TIME_MAX]);

#endif
