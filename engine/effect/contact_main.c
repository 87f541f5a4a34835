/*
 * picket-contact: asks a web server for a page, or a server for its
 * certificate, once, and says what came of it (contact.h).  It takes nothing
 * from its surroundings, and whoever it asks is a stranger: what that sends is
 * counted, not believed.
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "engine/effect/contact.h"

#define LIM_REDIRECTS	5L	/* a page has moved once or twice; more is a ring */
#define LIM_DROPPED	(16 << 20)	/* bytes of a page that only its status is
				 * wanted of: enough to see that it comes */
#define LIM_HEADERS	(256 << 10)	/* bytes: a server's have some hundred,
				 * and curl keeps them all */
#define DAY		86400

struct page {
	char	*p;
	size_t	 n, max;
	size_t	 dropped, headers;
	bool	 over;
};

#define SET(option, value) do {						\
	if (rc == CURLE_OK)						\
		rc = curl_easy_setopt(curl, option, value);		\
} while (0)

static size_t
keep(char *from, size_t size, size_t count, void *arg)
{
	struct page *b = arg;
	size_t n = size * count;

	if (b->max == 0) {
		b->dropped += n;
		b->over = b->dropped > LIM_DROPPED;
	} else if (n > b->max - b->n)
		b->over = true;
	else {
		memcpy(b->p + b->n, from, n);
		b->n += n;
	}
	return b->over ? 0 : n;		/* 0 ends it */
}

static size_t
count(char *from, size_t size, size_t n, void *arg)
{
	struct page *b = arg;

	(void)from;
	b->headers += size * n;
	return b->headers > LIM_HEADERS ? 0 : size * n;
}

static int
fail(const char *why)
{
	char line[LIM_CONTACT_ANSWER - 8];
	size_t i;

	snprintf(line, sizeof line, "%s", why);
	for (i = 0; line[i] != '\0'; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 127)
			line[i] = ' ';
	printf("fail %s\n", line);
	return 0;
}

/* What is the same for both. */
static CURLcode
set_common(CURL *curl, const char *url, double seconds,
    char error[CURL_ERROR_SIZE])
{
	CURLcode rc = CURLE_OK;

	SET(CURLOPT_ERRORBUFFER, error);
	SET(CURLOPT_URL, url);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_TIMEOUT_MS, (long)(seconds * 1000));
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(seconds * 1000));
#if CURL_AT_LEAST_VERSION(7, 87, 0)
	/* a name server that does not answer must not hold our end up */
	SET(CURLOPT_QUICK_EXIT, 1L);
#endif
	return rc;
}

static CURLcode
set_page(CURL *curl, const char *url, struct page *b)
{
	bool secure = strncmp(url, "https:", 6) == 0;
	CURLcode rc = CURLE_OK;

	/* from https only to https: else who is in between reads along */
#if CURL_AT_LEAST_VERSION(7, 85, 0)
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
#else
	SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
	SET(CURLOPT_REDIR_PROTOCOLS, (long)(secure ? CURLPROTO_HTTPS :
	    CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, LIM_REDIRECTS);
	SET(CURLOPT_USERAGENT, "picket");
	SET(CURLOPT_WRITEFUNCTION, keep);
	SET(CURLOPT_WRITEDATA, b);
	SET(CURLOPT_HEADERFUNCTION, count);
	SET(CURLOPT_HEADERDATA, b);
	/* after a redirect anew: some close what they call open */
	SET(CURLOPT_FORBID_REUSE, 1L);
	return rc;
}

static int
page(CURL *curl, const char *url, double seconds, size_t max)
{
	char error[CURL_ERROR_SIZE] = "", line[64];
	struct page b = { .p = malloc(max + 1), .max = max };
	CURLcode rc = b.p == NULL ? CURLE_OUT_OF_MEMORY :
	    set_common(curl, url, seconds, error);
	long status = 0;

	if (rc == CURLE_OK)
		rc = set_page(curl, url, &b);
	if (rc == CURLE_OK)
		rc = curl_easy_perform(curl);
	if (curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) !=
	    CURLE_OK)
		status = 0;
	if (b.over && max > 0) {
		snprintf(line, sizeof line, "the page has more than %zu bytes",
		    max);
		fail(line);
	} else if (b.headers > LIM_HEADERS)
		fail("its headers do not end");
	else if (rc != CURLE_OK && !b.over)
		fail(error[0] != '\0' ? error : curl_easy_strerror(rc));
	else if (status < 200)
		fail("it gave no status");
	else {
		printf("ok %ld\n", status);
		fwrite(b.p, 1, b.n, stdout);
	}
	free(b.p);
	return 0;
}

/* "Expire date:Nov 20 12:00:00 2026 GMT" as OpenSSL says it, or with numbers
 * as GnuTLS does; false if it is neither. */
static bool
expires(const char *s, time_t *t)
{
	static const char *const form[] = { "%b %d %H:%M:%S %Y",
	    "%Y-%m-%d %H:%M:%S" };
	struct tm tm;
	size_t i;

	for (i = 0; i < sizeof form / sizeof form[0]; i++) {
		memset(&tm, 0, sizeof tm);
		if (strptime(s, form[i], &tm) != NULL) {
			*t = timegm(&tm);
			return true;
		}
	}
	return false;
}

static int
certificate(CURL *curl, const char *url, double seconds)
{
	static const char name[] = "Expire date:";
	char error[CURL_ERROR_SIZE] = "";
	struct curl_certinfo *ci = NULL;
	const struct curl_slist *i;
	CURLcode rc = set_common(curl, url, seconds, error);
	time_t end;

	/* all is looked at, trusted or not: it is not used for anything */
	SET(CURLOPT_SSL_VERIFYPEER, 0L);
	SET(CURLOPT_SSL_VERIFYHOST, 0L);
	SET(CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	SET(CURLOPT_CERTINFO, 1L);
	SET(CURLOPT_CONNECT_ONLY, 1L);
	if (rc == CURLE_OK)
		rc = curl_easy_perform(curl);
	if (rc != CURLE_OK)
		return fail(error[0] != '\0' ? error : curl_easy_strerror(rc));
	if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &ci) != CURLE_OK ||
	    ci == NULL || ci->num_of_certs < 1)
		return fail("it shows no certificate");
	for (i = ci->certinfo[0]; i != NULL; i = i->next)
		if (strncmp(i->data, name, sizeof name - 1) == 0) {
			if (!expires(i->data + sizeof name - 1, &end))
				break;
			printf("ok %.0f\n", floor(difftime(end, time(NULL)) /
			    DAY));
			return 0;
		}
	return fail("the end of its certificate cannot be read");
}

/* Standard descriptors exist; when who asked is gone, nobody wants to know. */
static void
secure(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd != -1 && fd <= STDERR_FILENO);
	if (fd != -1)
		close(fd);
	signal(SIGPIPE, SIG_IGN);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* getaddrinfo's own patience is longer than most timeouts */
	setenv("RES_OPTIONS", "timeout:3 attempts:2", 1);
}

int
main(int argc, char **argv)
{
	char line[LIM_CONTACT_URL + 100], kind[8], url[LIM_CONTACT_URL + 1];
	double seconds;
	size_t max;
	CURL *curl;
	int status;

	(void)argv;
	if (argc > 1) {
		fputs("usage: picket-contact < request\n", stderr);
		return 2;
	}
	secure();
	_Static_assert(LIM_CONTACT_URL == 2000, "the width below");
	if (fgets(line, sizeof line, stdin) == NULL ||
	    sscanf(line, "%7s %lf %zu %2000s", kind, &seconds, &max, url) !=
	    4 || !(seconds > 0 && seconds < DAY) || max > (64 << 20)) {
		fputs("picket-contact: this is no request\n", stderr);
		return 2;
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	curl = curl_easy_init();
	if (curl == NULL)
		status = fail("out of memory");
	else if (strcmp(kind, "cert") == 0)
		status = certificate(curl, url, seconds);
	else
		status = page(curl, url, seconds, max);
	fflush(stdout);
	curl_easy_cleanup(curl);
	curl_global_cleanup();
	return status;
}
