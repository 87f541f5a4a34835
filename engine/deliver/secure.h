/*
 * secure: what every connection of picket-deliver is held to, in one place:
 * no signals, no proxy or password of the environment, TLS 1.2 at least, and
 * certificates that are checked, by the system's roots or the transport's
 * own.
 */
#ifndef ENGINE_DELIVER_SECURE_H
#define ENGINE_DELIVER_SECURE_H

#include <curl/curl.h>

#include "engine/deliver/attempt.h"

/* Sets an option of `curl` while `rc` is fine. */
#define SET(option, value) \
	(rc == CURLE_OK ? (rc = curl_easy_setopt(curl, option, value)) : rc)

/* protocols: what may be spoken, "smtp,smtps"; NULL: it is not curl's. */
CURLcode secure_connection(CURL *, const struct attempt *,
	    const char *protocols);

#endif
