/*
 * target: what a transport's line says besides what all lines do: where to,
 * and the options of what is no mail.  Why apart from transport.c: that
 * knows the form of a line, this what its words mean for each kind.
 */
#ifndef ENGINE_DELIVER_TARGET_H
#define ENGINE_DELIVER_TARGET_H

#include "engine/deliver/transport.h"

#define SYSLOG_SOCKET	"/dev/log"
#define JOURNAL_SOCKET	"/run/systemd/journal/socket"
#define WALL_PROGRAM	"/usr/bin/wall"

/* What a line without targets and options means; t->kind is set. */
void	target_default(struct transport *);
/* One word that names where to. */
bool	target_parse(struct transport *, struct str, struct buf *why);
/* One option; false with a line for a person, as all of these. */
bool	target_option(struct transport *, enum transport_option, struct str arg,
	    struct buf *why);
/* The whole line: what it leaves open, and what does not go together. */
bool	target_settle(struct transport *, struct buf *why);
/* Adds the targets as words, each behind a blank. */
void	target_format(const struct transport *, struct buf *);
/* Adds ":WHERE", for reports: never a part of a URL that may be secret. */
void	target_label(const struct transport *, struct buf *);
/* HOST:PORT, or [IPv6]:PORT. */
void	target_add_relay(const struct transport *, struct buf *);

bool	target_path_ok(struct str);
/*
 * NULL if the text is a URL that we call: http or https, a host, no user or
 * password in it; else what is wrong.  Host: as it stands there, with port.
 */
const char *target_url_fault(struct str url, struct str *host);
/* The host of a URL without brackets, and its port; false: it is no URL. */
bool	target_url_host(struct str url, struct str *host, unsigned *port);
/* True if what is said to it cannot be read on the way: https, or this host. */
bool	target_url_private(struct str url);

#endif
