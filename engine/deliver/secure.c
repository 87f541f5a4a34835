#include "engine/deliver/secure.h"

CURLcode
secure_connection(CURL *curl, const struct transport *t,
    const char *protocols)
{
	CURLcode rc = CURLE_OK;

	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, t->insecure ? 0L : 1L);
	SET(CURLOPT_SSL_VERIFYHOST, t->insecure ? 0L : 2L);
	if (!str_none(t->ca)) {
		SET(CURLOPT_CAINFO, t->ca.p);
		SET(CURLOPT_CAPATH, NULL);
	}
	if (protocols == NULL)
		return rc;
#if CURL_AT_LEAST_VERSION(7, 85, 0)
	SET(CURLOPT_PROTOCOLS_STR, protocols);
#else
	SET(CURLOPT_PROTOCOLS, (long)(protocols[0] == 's' ? CURLPROTO_SMTP |
	    CURLPROTO_SMTPS : CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if CURL_AT_LEAST_VERSION(7, 87, 0)
	/* a name server that does not answer must not hold the next one up */
	SET(CURLOPT_QUICK_EXIT, 1L);
#endif
	/* one text, one connection: its end is seen while we still look */
	SET(CURLOPT_FORBID_REUSE, 1L);
	return rc;
}
