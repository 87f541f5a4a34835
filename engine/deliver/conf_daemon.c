/* The lines of picket.conf that are picketd's: each at most once. */
#include <arpa/inet.h>
#include <stdio.h>

#include "lang/base/num.h"
#include "engine/deliver/conf_inner.h"
#include "engine/deliver/words.h"

#define LIM_PATH	4095	/* bytes: PATH_MAX with its zero byte */
#define LIM_GROUP	32	/* bytes: what groupadd(8) takes */

static const char *const log_level[] = {
#define L(id, word, severity) word,
#include "engine/daemon/log.def"
#undef L
};

static void
fault_near(struct parse *p, const char *what, struct str word,
    const char *const *known, size_t n)
{
	struct nearest near = words_nearest(word);
	char hint[80] = "";
	size_t i;

	for (i = 0; i < n; i++)
		words_offer(&near, known[i]);
	if (near.best != NULL)
		snprintf(hint, sizeof hint, "; did you mean \"%s\"?",
		    near.best);
	conf_fault_word(p, what, word, hint);
}

static bool
among(struct str word, const char *const *known, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_eq(word, str_c(known[i])))
			return true;
	return false;
}

#define COUNT(a)	(sizeof (a) / sizeof (a)[0])

static void
read_log(struct parse *p, const struct str *word, int n)
{
	static const char *const where[] = { "syslog", "journal", "stderr" };
	struct str out;
	char *t;

	if (n > 2) {
		conf_fault_word(p, "unexpected", word[2], "");
		return;
	}
	if (word[0].n > LIM_PATH || memchr(word[0].p, '\0', word[0].n) != NULL)
		conf_fault_word(p, "no path of a file:", word[0], "");
	else if (!str_starts(word[0], "/") &&
	    !among(word[0], where, COUNT(where)))
		fault_near(p, "log is syslog, journal, stderr or a path that "
		    "begins with /, not", word[0], where, COUNT(where));
	else if (str_ends(word[0], "/"))
		conf_fault_word(p, "this is a folder, and log wants a file:",
		    word[0], "");
	if (n == 2 && !among(word[1], log_level, COUNT(log_level)))
		fault_near(p, "log's levels are error, warning, notice, info "
		    "and debug, not", word[1], log_level, COUNT(log_level));
	/* as logger_open takes it */
	out.n = word[0].n + (n == 2 ? 1 + word[1].n : 0);
	out.p = t = arena_text(p->arena, out.n + 1);
	memcpy(t, word[0].p, word[0].n);
	t[word[0].n] = ' ';
	if (n == 2)
		memcpy(t + word[0].n + 1, word[1].p, word[1].n);
	t[out.n] = '\0';
	p->conf->value[CONF_LOG] = out;
}

/* As passwd(5) and group(5) can hold it. */
static bool
is_name(struct str s)
{
	size_t i;

	for (i = 0; i < s.n && s.p[i] > ' ' && s.p[i] <= '~' &&
	    s.p[i] != ':';)
		i++;
	return i == s.n && i > 0 && i <= LIM_GROUP;
}

static void
read_user(struct parse *p, const struct str *word, int n)
{
	if (n > 1)
		conf_fault_word(p, "unexpected", word[1], "");
	else if (!is_name(word[0]))
		conf_fault_word(p, "no name of a user:", word[0], "");
	else
		p->conf->value[CONF_USER] = word[0];
}

static void
read_control(struct parse *p, const struct str *word, int n)
{
	static const char *const part[] = { "group" };

	if (!str_eq(word[0], STR_LIT("group"))) {
		fault_near(p, "control is followed by group, not", word[0],
		    part, 1);
		return;
	}
	if (n < 2) {
		conf_fault(p, STR_LIT("the name of a group must follow "
		    "\"group\""));
		return;
	}
	if (n > 2) {
		conf_fault_word(p, "unexpected", word[2], "");
		return;
	}
	if (!is_name(word[1]))
		conf_fault_word(p, "no name of a group:", word[1], "");
	else
		p->conf->value[CONF_CONTROL] = word[1];
}

/* "7458", "127.0.0.1:7458", "[::1]:7458" */
static void
read_http(struct parse *p, const struct str *word, int n)
{
	unsigned char address[sizeof(struct in6_addr)];
	const char *t = arena_dup(p->arena, word[0]).p, *port;
	char host[INET6_ADDRSTRLEN + 1] = "127.0.0.1";
	int family = AF_INET;
	double d;

	if (n > 1) {
		conf_fault_word(p, "unexpected", word[1], "");
		return;
	}
	port = strrchr(t, ':');
	if (t[0] == '[' && port != NULL && port > t && port[-1] == ']') {
		family = AF_INET6;
		snprintf(host, sizeof host, "%.*s", (int)(port - t - 2), t + 1);
	} else if (port != NULL)
		snprintf(host, sizeof host, "%.*s", (int)(port - t), t);
	port = port == NULL ? t : port + 1;
	if (strlen(t) != word[0].n || inet_pton(family, host, address) != 1)
		conf_fault_word(p, "http is a port, or an address and a port: "
		    "127.0.0.1:7458, [::1]:7458, not", word[0], "");
	else if (port[0] == '\0' || strspn(port, "0123456789") !=
	    strlen(port) || !((d = num_parse(str_c(port), false)) >= 1) ||
	    d > 65535)
		conf_fault_word(p, "a port is a number from 1 to 65535, not",
		    str_c(port), "");
	else
		p->conf->value[CONF_HTTP] = arena_dup(p->arena, word[0]);
}

static void
read_parallel(struct parse *p, const struct str *word, int n)
{
	double d;

	if (n > 1)
		conf_fault_word(p, "unexpected", word[1], "");
	else if (!((d = num_parse(word[0], false)) >= 1) || !num_is_int(d) ||
	    d > LIM_CONF_PARALLEL)
		conf_fault_word(p, "parallel is a number from 1 to 64, not",
		    word[0], "");
	else
		p->conf->value[CONF_PARALLEL] = arena_dup(p->arena, word[0]);
}

void
conf_daemon(struct parse *p, enum conf_key k, const struct str *word, int n)
{
	if (p->conf->line[k] != 0) {
		conf_fault_word(p, "given twice:", word[0], "");
		return;
	}
	word++;
	n--;
	switch (k) {
	case CONF_LOG:
		read_log(p, word, n);
		break;
	case CONF_USER:
		read_user(p, word, n);
		break;
	case CONF_HTTP:
		read_http(p, word, n);
		break;
	case CONF_PARALLEL:
		read_parallel(p, word, n);
		break;
	case CONF_CONTROL:
		read_control(p, word, n);
		break;
	default:
		break;
	}
}
