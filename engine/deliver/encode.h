/*
 * encode: the forms that mail has for what its lines cannot hold.  Why: what
 * a script reports was often written by an attacker; here it becomes text
 * that no header, mail reader or terminal takes for anything else.
 */
#ifndef ENGINE_DELIVER_ENCODE_H
#define ENGINE_DELIVER_ENCODE_H

#include <time.h>
#include "lang/base/buf.h"

#define LIM_MAIL_LINE	998	/* bytes without CRLF: RFC 5322 2.1.1 */
#define TIME_TEXT_MAX	40

/* "Tue Apr 25 00:17:02 2000": local time, English in every locale. */
void	encode_ctime(time_t, char out[TIME_TEXT_MAX]);
/* "Tue, 25 Apr 2000 00:17:02 -0500": RFC 5322 3.3. */
void	encode_date(time_t, char out[TIME_TEXT_MAX]);

/*
 * Adds "name: value\n".  The value must be without control characters
 * (buf_escaped); if it is not all ASCII, or could be taken for an encoded
 * word, it is written as encoded words (RFC 2047, Q), folded.
 */
void	encode_header(struct buf *, const char *name, struct str value);
/* Adds a text as quoted-printable (RFC 2045 6.7), lines ended by '\n'. */
void	encode_quoted_printable(struct buf *, struct str text);
/* Adds one line of a script's mail: tabs stay, everything else that is not
 * plain text becomes \xHH (buf_escaped). */
void	encode_line(struct buf *, struct str line);
/* The length of the longest line; *eight: there are bytes over 127. */
size_t	encode_survey(struct str text, bool *eight);

#endif
