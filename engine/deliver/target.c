#include "engine/deliver/target.h"

#include <syslog.h>

#include "engine/deliver/address.h"
#include "engine/deliver/words.h"
#include "lang/base/num.h"

#define PORT_MAX	65535
#define SYSLOG_PORT	514
#define SYSLOG_TLS_PORT	6514

static const struct {
	const char	*name;
	unsigned	 code;
} facilities[] = {
	{ "daemon", LOG_DAEMON >> 3 }, { "user", LOG_USER >> 3 },
	{ "auth", LOG_AUTH >> 3 }, { "authpriv", LOG_AUTHPRIV >> 3 },
	{ "cron", LOG_CRON >> 3 }, { "ftp", LOG_FTP >> 3 },
	{ "kern", LOG_KERN >> 3 }, { "lpr", LOG_LPR >> 3 },
	{ "mail", LOG_MAIL >> 3 }, { "news", LOG_NEWS >> 3 },
	{ "syslog", LOG_SYSLOG >> 3 }, { "uucp", LOG_UUCP >> 3 },
	{ "local0", LOG_LOCAL0 >> 3 }, { "local1", LOG_LOCAL1 >> 3 },
	{ "local2", LOG_LOCAL2 >> 3 }, { "local3", LOG_LOCAL3 >> 3 },
	{ "local4", LOG_LOCAL4 >> 3 }, { "local5", LOG_LOCAL5 >> 3 },
	{ "local6", LOG_LOCAL6 >> 3 }, { "local7", LOG_LOCAL7 >> 3 },
};

static bool
needs(struct buf *why, const struct transport *t, const char *what,
    struct str s)
{
	buf_printf(why, "%s needs %s, not", transport_name[t->kind], what);
	return words_wrong(why, "", s);
}

bool
target_path_ok(struct str path)
{
	return str_starts(path, "/") && str_find(path, '\0', 0) == path.n;
}

static bool
path(struct str s, struct buf *why)
{
	return target_path_ok(s) ||
	    words_wrong(why, "the path must begin with /:", s);
}

/* 1 to PORT_MAX in digits, else 0. */
static unsigned
parse_port(struct str s)
{
	unsigned n = 0;
	size_t i;

	if (s.n == 0 || s.n > 5)
		return 0;
	for (i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return 0;
		n = 10 * n + (unsigned)(s.p[i] - '0');
	}
	return n > PORT_MAX ? 0 : n;
}

/* HOST or [IPv6] at the front, *end behind it; false: it is none. */
static bool
front_host(struct str s, struct str *host, size_t *end)
{
	size_t i;

	if (str_starts(s, "[")) {
		i = str_find(s, ']', 0);
		*host = str_of(s.p + 1, i - 1);
		*end = i + (i < s.n);
		return host_ipv6_ok(*host);
	}
	*end = str_find(s, ':', 0);
	*host = str_of(s.p, *end);
	return host_name_ok(*host);
}

/* HOST, HOST:PORT, [IPv6], [IPv6]:PORT; no port leaves t->port 0. */
static bool
parse_host(struct transport *t, struct str s, struct buf *why)
{
	struct str host;
	size_t i;

	if (!front_host(s, &host, &i))
		return needs(why, t, "a host, HOST:PORT or [IPV6]:PORT", s);
	t->target = host;
	t->port = 0;
	if (i == s.n)
		return true;
	t->port = parse_port(str_of(s.p + i + 1, s.n - i - 1));
	return (s.p[i] == ':' && t->port != 0) ||
	    words_wrong(why, "bad port in", s);
}

/* [IPv6]:PORT, [IPv6], HOST:PORT, HOST: the authority of a URL. */
static bool
authority_ok(struct str s)
{
	struct str host;
	size_t end;

	if (!front_host(s, &host, &end))
		return false;
	if (end == s.n)
		return true;
	return s.p[end] == ':' &&
	    parse_port(str_of(s.p + end + 1, s.n - end - 1)) != 0;
}

const char *
target_url_fault(struct str url, struct str *host)
{
	size_t i, begin = str_starts(url, "https://") ? 8 : 7;

	if (begin == 7 && !str_starts(url, "http://"))
		return "a URL begins with https:// or http://";
	if (url.n > LIM_URL)
		return "a URL this long is none";
	/* a blank, control character or other byte here would end up in the
	 * request's first line */
	for (i = begin; i < url.n; i++)
		if (url.p[i] <= ' ' || url.p[i] > '~')
			return "a URL holds no blanks and no characters but "
			    "ASCII";
	for (i = begin; i < url.n && strchr("/?#", url.p[i]) == NULL; i++)
		if (url.p[i] == '@')
			return "no user and no password in a URL: the options "
			    "user and passfile are for them";
	*host = str_of(url.p + begin, i - begin);
	if (!authority_ok(*host))
		return "a URL needs a host";
	return str_find(url, '#', i) < url.n ?
	    "no # in the URL of a request" : NULL;
}

bool
target_url_host(struct str url, struct str *host, unsigned *port)
{
	struct str all = STR_EMPTY;
	size_t end;

	if (target_url_fault(url, &all) != NULL ||
	    !front_host(all, host, &end))
		return false;
	*port = str_starts(url, "https://") ? 443 : 80;
	if (end < all.n)
		*port = parse_port(str_of(all.p + end + 1, all.n - end - 1));
	return true;
}

bool
target_url_private(struct str url)
{
	struct str host = STR_EMPTY;
	unsigned port;

	return target_url_host(url, &host, &port) &&
	    (str_starts(url, "https://") || host_is_loopback(host));
}

/* "what "URL"", but only as far as it is no secret: up to the path. */
static bool
wrong_url(struct buf *why, const char *what, struct str url)
{
	size_t i, slashes = 0;

	for (i = 0; i < url.n && slashes < 3 && strchr("?#@", url.p[i]) == NULL;)
		slashes += url.p[i++] == '/';
	if (i < url.n && url.p[i] == '@')
		i = 0;
	return words_wrong(why, what, str_of(url.p, i));
}

static bool
url_fine(struct str s, struct buf *why)
{
	struct str host;
	const char *fault = target_url_fault(s, &host);

	if (fault == NULL)
		return true;
	buf_puts(why, fault);
	return wrong_url(why, ", not", s);
}

void
target_default(struct transport *t)
{
	t->facility = LOG_DAEMON >> 3;
	t->resend = 3600;
	switch (t->kind) {
	case TRANSPORT_SYSLOG:
		t->target = STR_LIT(SYSLOG_SOCKET);
		break;
	case TRANSPORT_JOURNAL:
		t->target = STR_LIT(JOURNAL_SOCKET);
		break;
	case TRANSPORT_WALL:
		t->target = STR_LIT(WALL_PROGRAM);
		break;
	case TRANSPORT_NULL:
		t->target = STR_LIT("ok");
		break;
	default:
		break;
	}
}

static bool
parse_null(struct str s, struct buf *why)
{
	static const char *const word[] = { "ok", "retry", "fail", "slow" };
	size_t i;

	for (i = 0; i < sizeof word / sizeof *word; i++)
		if (str_eq(s, str_c(word[i])))
			return true;
	return words_wrong(why, "null is ok, retry, fail or slow, not", s);
}

bool
target_parse(struct transport *t, struct str s, struct buf *why)
{
	t->target = s;
	switch (t->kind) {
	case TRANSPORT_SMTP:
		return parse_host(t, s, why);
	case TRANSPORT_SENDMAIL:
	case TRANSPORT_FILE:
	case TRANSPORT_JOURNAL:
	case TRANSPORT_WALL:
		return path(s, why);
	case TRANSPORT_SYSLOG:
		return str_starts(s, "/") ? path(s, why) : parse_host(t, s, why);
	case TRANSPORT_WEBHOOK:
	case TRANSPORT_ALERTMANAGER:
	case TRANSPORT_HEARTBEAT:
		if (!url_fine(s, why))
			return false;
		t->url[t->nurl++] = s;
		t->target = t->url[0];
		return true;
	case TRANSPORT_NULL:
		return parse_null(s, why);
	default:
		if (s.n == 0)
			return words_wrong(why, "empty command", s);
		return true;
	}
}

static bool
parse_template(struct transport *t, struct str s, struct buf *why)
{
	struct nearest near = words_nearest(s);
	int i;

	for (i = 0; i < TEMPLATE_COUNT; i++) {
		if (str_eq(s, str_c(template_name[i]))) {
			t->template = (enum web_template)i;
			return true;
		}
		words_offer(&near, template_name[i]);
	}
	words_wrong(why, "unknown template", s);
	if (near.best != NULL)
		buf_printf(why, "; did you mean \"%s\"?", near.best);
	return false;
}

static bool
parse_facility(struct transport *t, struct str s, struct buf *why)
{
	size_t i;

	for (i = 0; i < sizeof facilities / sizeof *facilities; i++)
		if (str_eq(s, str_c(facilities[i].name))) {
			t->facility = facilities[i].code;
			return true;
		}
	return words_wrong(why, "unknown facility", s);
}

bool
target_option(struct transport *t, enum transport_option o, struct str arg,
    struct buf *why)
{
	switch (o) {
	case OPTION_URLFILE:
	case OPTION_TOKENFILE:
	case OPTION_KEYFILE:
		return path(arg, why);
	case OPTION_URL:
	case OPTION_FAIL:
		return url_fine(arg, why);
	case OPTION_TEMPLATE:
		return parse_template(t, arg, why);
	case OPTION_TO:
		if (arg.n == 0 || str_find(arg, '\0', 0) < arg.n)
			return words_wrong(why, "nobody to send to:", arg);
		return true;
	case OPTION_FACILITY:
		return parse_facility(t, arg, why);
	case OPTION_RESEND:
		t->resend = num_parse_duration(arg);
		return (t->resend >= LIM_RESEND_MIN &&
		    t->resend <= LIM_RESEND_MAX) ||
		    words_wrong(why, "resend must be from 1m to 31d, not", arg);
	default:
		return true;
	}
}

static bool
settle_webhook(struct transport *t, struct buf *why)
{
	bool to = t->template == TEMPLATE_NTFY ||
	    t->template == TEMPLATE_MATRIX || t->template == TEMPLATE_TELEGRAM;
	bool token = t->template == TEMPLATE_MATRIX ||
	    t->template == TEMPLATE_TELEGRAM;

	if (to != transport_has(t, OPTION_TO)) {
		buf_printf(why, "template %s %s", template_name[t->template],
		    to ? "needs to NAME" : "has no use for to");
		return false;
	}
	if (token && !transport_has(t, OPTION_TOKENFILE)) {
		buf_printf(why, "template %s needs tokenfile FILE",
		    template_name[t->template]);
		return false;
	}
	return true;
}

static bool
settle_http(struct transport *t, struct buf *why)
{
	bool urlfile = transport_has(t, OPTION_URLFILE);
	bool user = transport_has(t, OPTION_USER);
	bool token = transport_has(t, OPTION_TOKENFILE);
	size_t i;

	if (t->kind == TRANSPORT_PAGERDUTY) {
		if (!transport_has(t, OPTION_KEYFILE)) {
			buf_puts(why, "pagerduty needs keyfile FILE");
			return false;
		}
		if (transport_has(t, OPTION_URL) &&
		    !target_url_private(t->arg[OPTION_URL]))
			return wrong_url(why, "a key needs https on the way to",
			    t->arg[OPTION_URL]);
		return true;
	}
	if ((t->nurl > 0) == urlfile) {
		buf_printf(why, "%s needs %s URL or urlfile FILE",
		    transport_name[t->kind], urlfile ? "only one of" : "a");
		return false;
	}
	if (user != transport_has(t, OPTION_PASSFILE))
		return wrong_url(why, "user and passfile go together for",
		    t->target);
	if (user && token)
		return wrong_url(why, "only one of user and tokenfile for",
		    t->target);
	for (i = 0; i < t->nurl && (user || token); i++)
		if (!target_url_private(t->url[i]))
			return wrong_url(why, "a password or token needs https "
			    "on the way to", t->url[i]);
	return t->kind != TRANSPORT_WEBHOOK || settle_webhook(t, why);
}

static bool
settle_syslog(struct transport *t, struct buf *why)
{
	bool tls = transport_has(t, OPTION_SYSLOG_TLS);
	int ways = transport_has(t, OPTION_UDP) + transport_has(t, OPTION_TCP) +
	    tls;

	if (str_starts(t->target, "/")) {
		if (ways > 0)
			return words_wrong(why, "udp, tcp and tls need a host, "
			    "not", t->target);
	} else if (t->port == 0)
		t->port = tls ? SYSLOG_TLS_PORT : SYSLOG_PORT;
	if (ways > 1)
		return words_wrong(why, "only one of udp, tcp and tls for",
		    t->target);
	if (!tls && (t->insecure || transport_has(t, OPTION_CA)))
		return words_wrong(why, "without TLS there is no certificate to "
		    "check of", t->target);
	return true;
}

bool
target_settle(struct transport *t, struct buf *why)
{
	if ((ON_HTTP & 1u << t->kind) != 0)
		return settle_http(t, why);
	return t->kind != TRANSPORT_SYSLOG || settle_syslog(t, why);
}

void
target_add_relay(const struct transport *t, struct buf *b)
{
	bool ipv6 = str_find(t->target, ':', 0) < t->target.n;

	buf_printf(b, ipv6 ? "[%.*s]:%u" : "%.*s:%u", (int)t->target.n,
	    t->target.p, t->port);
}

void
target_format(const struct transport *t, struct buf *b)
{
	size_t i;

	if (t->nurl > 0) {
		for (i = 0; i < t->nurl; i++) {
			buf_putc(b, ' ');
			words_add(b, t->url[i]);
		}
	} else if (t->target.n > 0) {
		buf_putc(b, ' ');
		if (t->port != 0)
			target_add_relay(t, b);
		else
			words_add(b, t->target);
	}
}

void
target_label(const struct transport *t, struct buf *b)
{
	struct str host = t->target;

	switch (t->kind) {
	case TRANSPORT_MAILCMD:		/* a command is no word */
	case TRANSPORT_PAGERDUTY:
		return;
	case TRANSPORT_WEBHOOK:
	case TRANSPORT_ALERTMANAGER:
	case TRANSPORT_HEARTBEAT:
		/* of a URL no more than the host: the rest is often what lets
		 * one in */
		if (t->nurl == 0)
			host = t->arg[OPTION_URLFILE];
		else
			target_url_fault(t->url[0], &host);
		break;
	default:
		break;
	}
	buf_putc(b, ':');
	if (t->port != 0)
		target_add_relay(t, b);
	else
		buf_escaped(b, host, 0);
}
