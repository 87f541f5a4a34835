#include "engine/deliver/stock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/vm/clock.h"
#include "lang/base/num.h"

#define LIM_STOCK_LINE	(LIM_STOCK_HOST + 8 + \
			    LIM_STOCK_ADDRESSES * (INET6_ADDRSTRLEN + 1))
#define ROOTS "/etc/ssl/certs/ca-certificates.crt" /* Debian and kin */
#define LEAST_AGAIN	5.0	/* seconds the second try has at least */

struct server {
	char	 host[LIM_STOCK_HOST];
	unsigned port;
	char	 address[LIM_STOCK_ADDRESSES][INET6_ADDRSTRLEN];
	unsigned naddress;		/* 0: it was never resolved */
};

struct stock {
	pthread_mutex_t	 lock;		/* of what follows, but the roots */
	struct server	 server[LIM_STOCK];
	size_t		 n;
	bool		 busy;		/* the thread is at work */
	char		*roots;
	size_t		 nroots;
};

/* --- certificates --- */

/* Those that curl would open; without them it looks itself, each time. */
static void
load_roots(struct stock *k)
{
	char *path = NULL;
#if CURL_AT_LEAST_VERSION(7, 84, 0)
	CURL *curl = curl_easy_init();

	/* what it says stays true without it */
	if (curl != NULL)
		curl_easy_getinfo(curl, CURLINFO_CAINFO, &path);
	curl_easy_cleanup(curl);
#endif
	int fd = open(path != NULL ? path : ROOTS, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t done = 0;
	ssize_t n = 0;

	if (fd == -1)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    st.st_size <= LIM_ROOTS)
		k->roots = malloc((size_t)st.st_size);
	while (k->roots != NULL && done < (size_t)st.st_size &&
	    (n = read(fd, k->roots + done, (size_t)st.st_size - done)) > 0)
		done += (size_t)n;
	if (n < 0)
		done = 0;
	k->nroots = done;
	close(fd);
}

struct stock *
stock_new(void)
{
	struct stock *k = calloc(1, sizeof *k);
	struct addrinfo *list = NULL;

	if (k == NULL)
		return NULL;
	pthread_mutex_init(&k->lock, NULL);
	load_roots(k);
	/* modules of the resolver, while they can be opened */
	if (getaddrinfo("localhost", NULL, NULL, &list) == 0)
		freeaddrinfo(list);
	return k;
}

struct str
stock_roots(const struct stock *k)
{
	return str_of(k->nroots > 0 ? k->roots : "", k->nroots);
}

/* --- addresses --- */

/* True with the addresses of one server, resolved now. */
static bool
resolve(struct server *s)
{
	struct addrinfo hint = { .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_ADDRCONFIG }, *list = NULL, *ai;

	s->naddress = 0;
	if (getaddrinfo(s->host, NULL, &hint, &list) != 0)
		return false;
	for (ai = list; ai != NULL && s->naddress < LIM_STOCK_ADDRESSES;
	    ai = ai->ai_next)
		if (getnameinfo(ai->ai_addr, ai->ai_addrlen,
		    s->address[s->naddress], INET6_ADDRSTRLEN, NULL, 0,
		    NI_NUMERICHOST) == 0)
			s->naddress++;
	freeaddrinfo(list);
	return s->naddress > 0;
}

/* One after the other; the list may be another one when an answer comes. */
static void *
resolve_all(void *arg)
{
	struct stock *k = arg;
	struct server s;
	size_t i, at;

	for (i = 0; i < LIM_STOCK; i++) {
		pthread_mutex_lock(&k->lock);
		if (i < k->n)
			s = k->server[i];
		at = k->n;
		pthread_mutex_unlock(&k->lock);
		if (i >= at)
			break;
		if (!resolve(&s))
			continue;
		pthread_mutex_lock(&k->lock);
		for (at = 0; at < k->n; at++)
			if (strcmp(k->server[at].host, s.host) == 0 &&
			    k->server[at].port == s.port)
				k->server[at] = s;
		pthread_mutex_unlock(&k->lock);
	}
	pthread_mutex_lock(&k->lock);
	k->busy = false;
	pthread_mutex_unlock(&k->lock);
	return NULL;
}

/* The server of that name, or NULL; with the lock held. */
static struct server *
find(struct stock *k, struct str host, unsigned port)
{
	size_t i;

	for (i = 0; i < k->n; i++)
		if (k->server[i].port == port &&
		    str_eq(str_c(k->server[i].host), host))
			return &k->server[i];
	return NULL;
}

static bool
is_address(const char *host)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, host, bytes) == 1 ||
	    inet_pton(AF_INET6, host, bytes) == 1;
}

static bool
take_line(struct stock *k, struct str line, struct server *s)
{
	size_t blank = str_find(line, ' ', 0);
	struct server *old;
	double port;

	if (blank == 0 || blank >= line.n || blank >= LIM_STOCK_HOST)
		return false;
	port = num_parse(str_of(line.p + blank + 1, line.n - blank - 1), false);
	if (!(port >= 1 && port <= 65535))
		return false;
	old = find(k, str_of(line.p, blank), (unsigned)port);
	if (old != NULL) {
		*s = *old;
		return true;
	}
	memset(s, 0, sizeof *s);
	memcpy(s->host, line.p, blank);
	s->port = (unsigned)port;
	return !is_address(s->host);
}

void
stock_hosts(struct stock *k, struct str lines)
{
	struct server *list = calloc(LIM_STOCK, sizeof *list);
	pthread_attr_t detached;
	size_t at, end, n = 0;
	pthread_t t;

	if (list == NULL)
		return;
	pthread_mutex_lock(&k->lock);
	for (at = 0; at < lines.n && n < LIM_STOCK; at = end + 1) {
		end = str_find(lines, '\n', at);
		n += take_line(k, str_of(lines.p + at, end - at), &list[n]);
	}
	memcpy(k->server, list, n * sizeof *list);
	k->n = n;
	free(list);
	if (!k->busy && n > 0) {
		pthread_attr_init(&detached);
		pthread_attr_setdetachstate(&detached,
		    PTHREAD_CREATE_DETACHED);
		/* without one, what was resolved before stays */
		k->busy = pthread_create(&t, &detached, resolve_all, k) == 0;
		pthread_attr_destroy(&detached);
	}
	pthread_mutex_unlock(&k->lock);
}

/* "HOST:PORT:ADDRESS,ADDRESS" as CURLOPT_RESOLVE wants it; false: unknown. */
static bool
line_of(struct stock *k, struct str host, unsigned port,
    char line[LIM_STOCK_LINE])
{
	struct server *s;
	unsigned i;
	int n;

	pthread_mutex_lock(&k->lock);
	s = find(k, host, port);
	if (s == NULL || s->naddress == 0) {
		pthread_mutex_unlock(&k->lock);
		return false;
	}
	n = snprintf(line, LIM_STOCK_LINE, "%s:%u:", s->host, s->port);
	for (i = 0; i < s->naddress; i++)
		n += snprintf(line + n, LIM_STOCK_LINE - (size_t)n, "%s%s",
		    i > 0 ? "," : "", s->address[i]);
	pthread_mutex_unlock(&k->lock);
	return true;
}

/* It ended before there was an address. */
static bool
unresolved(CURL *curl, CURLcode rc)
{
	double took = 0;

	if (rc != CURLE_OPERATION_TIMEDOUT)
		return rc == CURLE_COULDNT_RESOLVE_HOST;
	return curl_easy_getinfo(curl, CURLINFO_NAMELOOKUP_TIME, &took) ==
	    CURLE_OK && took == 0;
}

CURLcode
stock_perform(const struct attempt *a, CURL *curl, struct str host, unsigned port,
    double timeout)
{
	double start = clock_steady(), left;
	char line[LIM_STOCK_LINE];
	struct curl_slist *list;
	CURLcode rc;

	rc = curl_easy_perform(curl);
	if (a->stock == NULL || !unresolved(curl, rc) ||
	    !line_of(a->stock, host, port, line))
		return rc;
	list = curl_slist_append(NULL, line);
	if (list == NULL)
		return rc;
	left = timeout - (clock_steady() - start);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(1000 *
	    (left > LEAST_AGAIN ? left : LEAST_AGAIN)));
	if (curl_easy_setopt(curl, CURLOPT_RESOLVE, list) == CURLE_OK)
		rc = curl_easy_perform(curl);
	curl_easy_setopt(curl, CURLOPT_RESOLVE, NULL);
	curl_slist_free_all(list);
	return rc;
}
