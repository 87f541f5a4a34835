/*
 * salvage: what can still be read of a damaged file.  Why: mail that waits,
 * incidents that are open and silences are there and nowhere else, and a bad
 * page among a thousand is no reason to forget them.
 *
 * Each table is read row by row from both ends, up to what cannot be read;
 * what lies on pages that no table leads to any more is looked for page by
 * page (leaves.h).  The file may hold anything: rows that have not the types of
 * their columns are left out, and time and sizes have limits.  It is not
 * changed.  What matters most comes first.
 */
#ifndef ENGINE_STATE_SALVAGE_H
#define ENGINE_STATE_SALVAGE_H

#include "lang/base/buf.h"

#define LIM_SALVAGE_TIME 30.0	/* seconds: others wait for the lock, and who
				 * asked gives up after LIM_STATE_ANSWER; it is
				 * 5 million rows */
#define LIM_SALVAGE_TEXT (16 << 20)	/* bytes of one text or row: twice
					 * LIM_ROW */
#define LIM_SALVAGE_ID	(INT64_C(1) << 53) /* of a row: an id near the largest
					 * would leave none for the next */

/*
 * Makes a file at `to` with what is left of the one at `from`.  said: gets
 * "saved: 3 open incidents, 2 mails that wait; ..." behind what it has; all of
 * it is in the new file's META_DAMAGED, so that people are told of it by mail,
 * whatever becomes of us.  False: it cannot be written, errno says why.
 */
bool	salvage(struct mem *, const char *from, const char *to,
	    struct buf *said);

#endif
