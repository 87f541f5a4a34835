/*
 * leaves: the rows of a damaged SQLite file, page by page.  Why: a page that
 * leads to others takes them all with it, and the first page the whole file,
 * for whoever reads by the tables; the rows themselves are on other pages.
 *
 * Only the layout of a table's leaf page is known here (sqlite.org's
 * fileformat2.html, 1.6 and 2.1).  Whose row it is the caller tells by its
 * fields.  Any bytes may stand there: nothing is followed out of the file, and
 * what does not fit is no row.
 */
#ifndef ENGINE_STATE_LEAVES_H
#define ENGINE_STATE_LEAVES_H

#include <stdint.h>
#include "lang/base/buf.h"

#define LIM_LEAF_FIELDS	100	/* of a row: an incident has some sixty */
#define LIM_LEAF_PAGES	(1u << 24)	/* looked at: 64 GB of pages of 4096 */

enum field_type { FIELD_NULL, FIELD_INT, FIELD_REAL, FIELD_BYTES };
struct field {
	enum field_type	 type;
	int64_t		 i;
	double		 d;
	struct str	 t;
};

/*
 * A row: its id and fields; a field that is the id is NULL there.  free_known:
 * pages that are free are told from those that are not, so the row had not
 * been deleted.  False: no more.
 */
typedef bool leaf_fn(void *arg, int64_t id, const struct field *, unsigned n,
	    bool free_known);
/* most: bytes of one row.  All leaf pages; false: the caller wanted no more,
 * or it is no file. */
bool	leaves(int fd, size_t most, struct mem *, leaf_fn *, void *arg);

#endif
