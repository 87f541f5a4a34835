/*
 * compose_inner: what the parts of a mail share.
 */
#ifndef ENGINE_DELIVER_COMPOSE_INNER_H
#define ENGINE_DELIVER_COMPOSE_INNER_H

#include "engine/deliver/compose.h"

/* A level as it is kept in an incident. */
enum level compose_level_of(double);
/* Whether a section has anything to say, and its level. */
bool	compose_section_speaks(const struct mail_section *);
enum level compose_section_level(const struct mail_section *);

/* The three lines of the head. */
void	compose_head(const struct mail *, struct buf *);
void	compose_indent(struct buf *, size_t n);
/*
 * Lines of data, indented; at most max bytes and nline lines (0: any number)
 * of them, whole ones, then how many are not shown.
 */
void	compose_lines(struct buf *, struct str lines, size_t column, size_t max,
	    size_t nline);
/* The changes of a section, worst first, in at most room bytes of mail. */
void	compose_changes(struct buf *, const struct mail_section *, time_t when,
	    size_t room);
/* The Message-ID that the mail gets. */
void	compose_own_id(const struct mail *, struct buf *);
/* The headers and the body.  subject: plain. */
void	compose_write(const struct mail *, struct str subject, enum level,
	    struct str body, struct buf *);
/* notice_json, with a subject and a level of the caller's, and what other
 * notices say put in. */
void	compose_json(const struct mail *, struct str subject, enum level,
	    struct str body, const struct digest_item *, size_t n, struct buf *);

#endif
