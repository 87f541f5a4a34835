/*
 * stock: what the resident picket-deliver holds ready while all is well, for
 * when it is not: the certificates of the system, and the addresses of the
 * servers it is to reach.  Why: at the limit of processes no thread can be had
 * to resolve a name, with no memory no file, and a name server is down when
 * much else is; mail is to go all the same.
 *
 * An address is used only when the resolver has failed, so what moves is
 * followed.  Names are resolved by a thread of their own: a resolver takes
 * its time, and mail does not wait for that.
 */
#ifndef ENGINE_DELIVER_STOCK_H
#define ENGINE_DELIVER_STOCK_H

#include <curl/curl.h>

#include "engine/deliver/attempt.h"

#define LIM_STOCK	64	/* servers: a conf has 16 lines of up to 8 URLs,
				 * and few of them differ */
#define LIM_STOCK_HOST	254	/* bytes of a name, with the zero (RFC 1035) */
#define LIM_STOCK_ADDRESSES 8	/* of one: curl tries no more in its time */
#define LIM_ROOTS	(4 << 20) /* bytes: systems have some 220 kB of them */

struct stock;

/* Loads the certificates, and what resolving a name loads.  Before the jail;
 * NULL: no memory. */
struct stock *stock_new(void);
struct str stock_roots(const struct stock *);
/* Lines of HOST PORT: resolved in the background; what is not among them is
 * forgotten. */
void	stock_hosts(struct stock *, struct str lines);
/*
 * curl_easy_perform, and once more with the address that is kept if the name
 * could not be resolved.  timeout: seconds for both.
 */
CURLcode stock_perform(const struct attempt *, CURL *, struct str host,
	    unsigned port, double timeout);

#endif
