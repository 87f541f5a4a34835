/*
 * csv: the fields of a CSV or TSV line (RFC 4180; for TSV the separator is a
 * tab).  Why here: who joins the lines of a quoted field and who splits the
 * record must agree about what a quote is.
 *
 * A quote opens a field only as its first byte; elsewhere in an unquoted
 * field it is a character, so 5" in a list of disks swallows nothing.  What
 * stands between a closing quote and the separator belongs to the field.
 */
#ifndef LANG_BASE_CSV_H
#define LANG_BASE_CSV_H

#include "lang/base/str.h"

struct csv_field {
	struct str	 raw;		/* as it stands, quotes included */
	bool		 quoted;	/* csv_text must be asked */
	bool		 open;		/* its closing quote is missing */
};

/*
 * The field at *at, which moves behind its separator; false behind the last
 * one: then *at is s.n + 1.  An empty line has one empty field.
 */
bool	csv_next(struct str s, char sep, size_t *at, struct csv_field *);
/* The text of a quoted field into to[raw.n]; returns its bytes. */
size_t	csv_text(const struct csv_field *, char *to);

/* A scan over lines that may be one record. */
struct csv_scan {
	bool		 in_quotes, in_field;
};
/* Takes the next line (its newline comes by itself); true if the record goes
 * on in the line after it. */
bool	csv_goes_on(struct csv_scan *, struct str line, char sep);

#endif
