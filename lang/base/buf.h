/*
 * buf: bytes that grow.  The buf owns its bytes; views made from it are valid
 * until it grows or is freed.  There is always room for a zero byte after
 * the last one, and buf_c puts it there.
 */
#ifndef LANG_BASE_BUF_H
#define LANG_BASE_BUF_H

#include <stdarg.h>
#include "lang/base/mem.h"
#include "lang/base/str.h"

struct buf {
	struct mem	*mem;
	char		*p;
	size_t		 n, cap;
};

void	buf_init(struct buf *, struct mem *);
void	buf_free(struct buf *);
static inline void
buf_clear(struct buf *b)
{
	b->n = 0;
}
/* Room for n more bytes; returns where they go (count them into b->n). */
char	*buf_room(struct buf *, size_t n);
void	buf_add(struct buf *, const char *, size_t);
void	buf_str(struct buf *, struct str);	/* NIL and ERR as shown */
void	buf_puts(struct buf *, const char *);
void	buf_putc(struct buf *, char);
void	buf_printf(struct buf *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
void	buf_vprintf(struct buf *, const char *fmt, va_list)
	    __attribute__((format(printf, 2, 0)));
const char *buf_c(struct buf *);		/* zero-terminated */
static inline struct str
buf_view(const struct buf *b)
{
	return str_of(b->n == 0 ? "" : b->p, b->n);
}
/*
 * Adds a text with control characters and bytes that are not UTF-8 as \n,
 * \t, \xHH: what may stand in a terminal or a log.  At most max bytes of the
 * text are shown (0: all), with "..." after a cut.
 */
void	buf_escaped(struct buf *, struct str, size_t max);
/*
 * The length of the UTF-8 character at s if it may be shown so, else 0.
 * Shortest forms only, no surrogates.  Not shown either: C1 controls, which
 * some terminals obey, and the characters that turn the direction of text,
 * which make a log say what it does not.
 */
size_t	buf_shown_char(const char *s, size_t n);

#endif
