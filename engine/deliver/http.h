/*
 * http: one request, by libcurl, and what its answer means.  Why a module:
 * webhooks, Alertmanager, PagerDuty and heartbeats differ in what they say,
 * not in how: certificates are checked, redirects not followed (a POST that
 * is sent on elsewhere is a secret given away), nothing is taken from the
 * surroundings, no answer is read beyond its limit, and no secret is shown.
 */
#ifndef ENGINE_DELIVER_HTTP_H
#define ENGINE_DELIVER_HTTP_H

#include "engine/deliver/attempt.h"
#include "engine/deliver/transport.h"
#include "engine/vm/clock.h"
#include "engine/deliver/trust.h"

#define LIM_HTTP_ANSWER	(16 * 1024)	/* bytes of an answer; what we look for
					 * in it is at its start */
#define LIM_HTTP_WAIT	5.0	/* seconds that we wait when asked to; longer is
				 * the outbox's business, others wait here too */

struct http_request {
	const char	*method;
	struct str	 url;		/* checked: target_url_fault */
	struct str	 body;		/* of POST and PUT */
	const char	*type;		/* of the body */
	const char	*bearer;	/* token of Authorization, or NULL */
	const char	*password;	/* for the transport's user, or NULL */
	const char	*secret;	/* what else is not to be shown, or NULL */
	double		 timeout;	/* seconds */
};

struct http_answer {
	long		 status;	/* 0: there was none */
	struct buf	 body;		/* what was read of it */
	double		 again;		/* seconds it asks us to wait, or NIL */
};

void	http_answer_init(struct http_answer *, struct mem *);
void	http_answer_free(struct http_answer *);
/*
 * Does it; the reason for a person is added to a->why.  By the status alone:
 * 2xx ok; 408, 425, 429, 5xx and no answer retry; all else fail.  An answer
 * of 429 or 503 that asks for a short wait is waited for, once.
 */
enum outcome http_do(struct attempt *a, const struct http_request *,
	    struct http_answer *);
/*
 * The first line of the secret file that option o names, into secret; which is
 * to be wiped after use.  False with the reason in a->why.
 */
bool	http_secret(struct attempt *a, enum transport_option o,
	    char secret[LIM_SECRET + 1]);
/* Adds s as part of a URL: all but letters, digits and -._~ as %HH. */
void	http_url_part(struct buf *, struct str s);

#endif
