/*
 * contact: what the host asks of others (engine/vm/host.h), and how it speaks
 * with picket-contact, the program that knows HTTP and TLS: libcurl is not
 * linked into picket, and what comes from the network is read by a process
 * that can be ended.
 *
 * It gets one line on its standard input and answers with one line, and
 * behind that of a page with its body:
 *
 *	page SECONDS MAX URL	MAX 0: only the status is wanted
 *	cert SECONDS 0 URL	of host and port alone
 *
 *	ok NUMBER		the status, or the days
 *	fail REASON
 */
#ifndef ENGINE_EFFECT_CONTACT_H
#define ENGINE_EFFECT_CONTACT_H

#include "lang/base/str.h"
#include "engine/vm/host.h"

#define CONTACT_PROGRAM	"picket-contact"
#define LIM_CONTACT_URL	2000	/* bytes: what browsers and servers agree on; a
				 * request is one write to a pipe */
#define LIM_CONTACT_ANSWER 512	/* bytes of its first line */
#define LIM_HOST	253	/* bytes of a name: DNS has no longer ones */

struct live;

void	 live_contact(void *, const struct contact *,
	    struct contact_result *);
/* HOST:PORT or [IPv6]:PORT; false with the reason. */
bool	 contact_split(struct live *, struct str, char host[LIM_HOST + 1],
	    unsigned *port);
/* Of kind CONTACT_HTTP or CONTACT_CERT. */
void	 contact_url(struct live *, const struct contact *,
	    struct contact_result *);

#endif
