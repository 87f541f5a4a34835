/*
 * lines: a text of the kernel's, or of a recorded folder, read once with a
 * buffer of fixed size: lines, their words and numbers.  Why not stdio: no
 * memory is taken, and a line that is too long or cut is a defined thing.
 */
#ifndef ENGINE_TABLE_LINES_H
#define ENGINE_TABLE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lang/base/num.h"
#include "lang/base/str.h"
#include "engine/table/table.h"

#define LIM_TABLE_LINE	(16 * 1024)	/* bytes of a line; what stands behind
					 * them is dropped.  The longest that a
					 * kernel writes are overlays' mounts,
					 * two pages and a bit */

struct lines {
	int	 fd;		/* -1: a text in memory, or closed */
	int	 error;		/* errno of a read that failed, or 0 */
	size_t	 from, to;	/* what of buf is not given out */
	bool	 end;
	bool	 held;		/* the descriptor is somebody else's */
	bool	 skip;		/* the rest of a line that was too long */
	struct str rest;	/* of a text in memory */
	char	 buf[LIM_TABLE_LINE];
};

/* The file path in the world; false: why says what is wrong with it, errno
 * too. */
bool	 lines_open(struct lines *, const struct table_world *,
	    const char *path, char why[LIM_TABLE_WHY]);
bool	 lines_openat(struct lines *, int dir, const char *name);
/* A file that somebody keeps open, from its beginning; -1: nobody does. */
bool	 lines_held(struct lines *, int fd, const char *path,
	    char why[LIM_TABLE_WHY]);
void	 lines_text(struct lines *, struct str);
/* The next line without its newline; valid until the next call.  false: the
 * end, or l->error. */
bool	 lines_next(struct lines *, struct str *line);
void	 lines_close(struct lines *);

/* The next word of *rest, between blanks or tabs; false: there is none. */
bool	 line_word(struct str *rest, struct str *word);
/* A number without a sign as the kernel writes it, digits only; else NIL. */
double	 line_number(struct str);
/* The next word as such a number; NIL if there is none. */
double	 line_word_number(struct str *rest);
bool	 line_is(struct str, const char *);
/* The text up to c, which is taken off *rest with it; NIL: nothing is left. */
struct str line_part(struct str *rest, char c);
/* The same, EMPTY when nothing is left: where parts may be empty. */
struct str line_upto(struct str *rest, char c);
/* A whole text of hexadecimal digits, at most 16; false: it is none. */
bool	 line_hex(struct str, uint64_t *);
/* The digits of a number; returns how many. */
size_t	 number_text(uint64_t, char to[20]);

/* The first n bytes of a file below the folder dir, as many as there are; -1
 * and errno: it cannot be read. */
ssize_t	 file_bytes(int dir, const char *name, char *to, size_t n);
/* The first line of a small file below the folder dir, without blanks at its
 * ends, in buf; NIL: it cannot be read. */
struct str small_text(int dir, const char *name, char *buf, size_t n);
double	 small_number(int dir, const char *name);
/* Of a file of lines "NAME NUMBER": the number; NIL: none. */
double	 small_field(int dir, const char *name, const char *field);

/* A reason, cut to its place. */
void	 table_whyf(char why[LIM_TABLE_WHY], const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* Shares and sums of values that may be missing. */
static inline double
share_of(double part, double whole)
{
	return num_none(part) || num_none(whole) || !(whole > 0) ? NUM_NIL :
	    part / whole;
}

#endif
