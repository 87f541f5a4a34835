/*
 * mailbox: appends mail to a file.  Why not just open and write: the file
 * often lies where others can put links and pipes, somebody else may be
 * writing to it, and half a mail spoils the mailbox for its reader.
 */
#ifndef ENGINE_DELIVER_MAILBOX_H
#define ENGINE_DELIVER_MAILBOX_H

#include <time.h>
#include "lang/base/buf.h"

#define LIM_MAILBOX_LOCK 5	/* seconds to wait for who holds the file */

/*
 * Appends a message (RFC 5322, lines ended by '\n') to a mailbox file in the
 * mboxrd form: "From " line, lines that begin with any number of '>' and
 * "From " get one more '>', an empty line at the end.  The file is made if
 * there is none (mode 0600); it must be a regular one, no link, with one
 * name, of root or the running user.  All of it is on disk or nothing.
 * False with a line for a person added to why.
 */
bool	mailbox_append(const char *path, struct str sender, time_t,
	    struct str message, struct buf *why);
/* The same for a text that is written as it is. */
bool	mailbox_append_text(const char *path, struct str text, struct buf *why);

#endif
