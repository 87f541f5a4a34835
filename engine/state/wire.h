/*
 * wire: the messages between the client and picket-store, and the one place
 * that knows their bytes.  Why messages: the store is a program of its own,
 * and what a run leaves is taken as a whole or not at all.
 *
 * A message is its length in four bytes (of what follows), a byte of kind,
 * and fields without padding, least byte first:
 *   u8, u32, number (eight bytes of a double), text (u32 of bytes, then the
 *   bytes; LEN_NIL and LEN_ERR are the texts that are none).
 *
 * The client speaks first: HELLO, then one request at a time; each is
 * answered by any count of NOTE and ROWS, and then by one DONE or FAILED.
 * What changes something is no request but is kept by the store, unanswered,
 * until COMMIT: all of it is done then, in order, or nothing.  Nothing but
 * APPLY, DO and COMMIT may follow an APPLY or a DO.
 *
 *   HELLO	u32 WIRE_VERSION, u32 query_print, text path, u8 read only
 *   VALUES	owner
 *   POSITION	owner, text name		DONE: text position
 *   RUNS	owner				DONE: number
 *   ASK	u32 query, params
 *   APPLY	owner, u8 ended well, number runs, number seconds
 *		(of expire), number now, text names, items to the end
 *   DO		changes to the end: u32 query, params
 *   COMMIT	text id (it is taken once), u8 durable
 *   WATCH	number known, number seconds	DONE: number news
 *		of picketd's store alone: answered when its count of commits that
 *		bring mail is not what is known (NIL at first), after that time,
 *		and before the answer of a request that follows it
 *   NOTE	text				for people, at once
 *   ROWS	values to the end: key, u8 number, name, element, text
 *		or, of ASK, rows to the end: a text for each column
 *   DONE	what the request asked for
 *   FAILED	text
 *   owner	text alert, text script
 *   params	for each letter of the query's shape: text or number
 *   names	u8 number and text name, of all names that are kept
 *   item	u8 ITEM_, then
 *	VALUE	key, u8 number, name, element, text
 *	SEEN	text key
 *	POSITION text name, text position
 *	POINT	text series, number time, number value
 *
 * Either side ends the talk at the first message that is not so.
 */
#ifndef ENGINE_STATE_WIRE_H
#define ENGINE_STATE_WIRE_H

#include <stdint.h>
#include "lang/base/buf.h"

#define WIRE_VERSION	3
#define LIM_STATE_MESSAGE (34u * 1024 * 1024)	/* bytes: LIM_OUTCOME and the
						 * rest of an APPLY */
#define LIM_BATCH	(2u * LIM_STATE_MESSAGE) /* bytes kept until COMMIT: a
				 * few of the largest scripts of one alert */
#define LIM_ROW		(8u * 1024 * 1024)	/* bytes of one row's texts: a
				 * notice is LIM_MAIL_TEXT up to six times */
#define WIRE_ROWS	(64 * 1024)	/* bytes after which a ROWS is sent */
#define WIRE_DO_FULL	(1024 * 1024)	/* and a DO: it is kept as a whole */
#define WIRE_HEAD	4		/* bytes of the length */

enum wire_kind { WIRE_HELLO = 1, WIRE_VALUES, WIRE_POSITION, WIRE_RUNS,
    WIRE_ASK, WIRE_APPLY, WIRE_DO, WIRE_COMMIT, WIRE_NOTE, WIRE_ROWS_KIND,
    WIRE_DONE, WIRE_FAILED, WIRE_WATCH };
enum wire_item { ITEM_VALUE = 1, ITEM_SEEN, ITEM_POSITION, ITEM_POINT };

/* Writing: a message is begun, filled and ended in a buf. */
void	wire_begin(struct buf *, enum wire_kind);	/* clears the buf */
void	wire_u8(struct buf *, unsigned);
void	wire_u32(struct buf *, uint32_t);
void	wire_num(struct buf *, double);
void	wire_text(struct buf *, struct str);
void	wire_end(struct buf *);				/* puts the length */

/* Reading: what does not fit sets bad, and all else then reads nothing. */
struct wire {
	const char	*p;
	size_t		 left;
	bool		 bad;
};
unsigned wire_get_u8(struct wire *);
uint32_t wire_get_u32(struct wire *);
double	 wire_get_num(struct wire *);
struct str wire_get_text(struct wire *);
struct str wire_get_given(struct wire *);	/* a text that is one */

/* All of a message to a socket; false: gone, errno says why. */
bool	 wire_send(int fd, struct str);
/*
 * The next message, without its length, into the buf.  wait: seconds, less
 * than 0 for ever.  WIRE_END: the other side closed between two messages.
 */
enum wire_got { WIRE_GOT, WIRE_END, WIRE_BROKEN, WIRE_LATE };
enum wire_got wire_receive(int fd, struct buf *, double wait);

#endif
