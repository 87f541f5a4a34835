#include "engine/deliver/secure.h"

#include "engine/deliver/stock.h"

/*
 * Whom we believe: the transport's own file, opened by name or brought along
 * by the job; else the system's, as curl finds them or as they are kept.
 */
static CURLcode
set_roots(CURL *curl, const struct attempt *a)
{
	struct str path = a->transport->ca, roots = STR_EMPTY;
	const struct job_file *f = str_none(path) ? NULL :
	    job_file(a->job, path);
	CURLcode rc = CURLE_OK;

	if (f != NULL && !f->missing)
		roots = f->text;
	else if (str_none(path) && a->stock != NULL)
		roots = stock_roots(a->stock);
	if (!str_none(path))
		SET(CURLOPT_CAPATH, NULL);
#if CURL_AT_LEAST_VERSION(7, 77, 0)
	if (roots.n > 0) {
		struct curl_blob blob = { .data = (void *)(uintptr_t)roots.p,
		    .len = roots.n, .flags = CURL_BLOB_NOCOPY };

		rc = curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
		/* another library for TLS may know files alone */
		if (rc != CURLE_NOT_BUILT_IN && rc != CURLE_UNKNOWN_OPTION)
			return rc;
		rc = CURLE_OK;
	}
#endif
	if (!str_none(path))
		SET(CURLOPT_CAINFO, path.p);
	return rc;
}

CURLcode
secure_connection(CURL *curl, const struct attempt *a,
    const char *protocols)
{
	const struct transport *t = a->transport;
	CURLcode rc = CURLE_OK;

	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, t->insecure ? 0L : 1L);
	SET(CURLOPT_SSL_VERIFYHOST, t->insecure ? 0L : 2L);
	if (rc == CURLE_OK)
		rc = set_roots(curl, a);
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
