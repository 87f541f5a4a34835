#include "engine/deliver/address.h"

#include <arpa/inet.h>

static bool
letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

bool
host_name_ok(struct str s)
{
	size_t i;
	char before = '.';

	if (str_none(s) || s.n == 0 || s.n > LIM_HOST)
		return false;
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '.' || s.p[i] == '-') {
			if (before == '.')
				return false;
		} else if (!letter_or_digit(s.p[i]) && s.p[i] != '_')
			return false;
		before = s.p[i];
	}
	return before != '.' && before != '-';
}

bool
host_ipv6_ok(struct str s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr in;

	if (str_none(s) || s.n >= sizeof text)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return strlen(text) == s.n && inet_pton(AF_INET6, text, &in) == 1;
}

bool
host_is_loopback(struct str s)
{
	size_t i;

	if (str_eq(s, STR_LIT("localhost")) || str_eq(s, STR_LIT("::1")))
		return true;
	for (i = 0; i < s.n; i++)
		if (s.p[i] != '.' && (s.p[i] < '0' || s.p[i] > '9'))
			return false;	/* 127.example.org is not */
	return str_starts(s, "127.");
}

/* The bytes of a quoted local part, quotes included, or 0. */
static size_t
quoted_local(struct str s)
{
	size_t i;

	for (i = 1; i < s.n; i++) {
		if (s.p[i] == '"')
			return i + 1;
		if (s.p[i] == '\\' && ++i == s.n)
			return 0;
		if (s.p[i] < ' ' || s.p[i] > '~')
			return 0;
	}
	return 0;
}

/* The bytes of a dot-atom (RFC 5322 3.2.3) at the start, or 0. */
static size_t
atom_local(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '.' && (i == 0 || s.p[i - 1] == '.'))
			return 0;
		if (!letter_or_digit(s.p[i]) &&
		    (s.p[i] == '\0' ||
		    strchr("!#$%&'*+-/=?^_`{|}~.", s.p[i]) == NULL))
			break;
	}
	return i > 0 && s.p[i - 1] == '.' ? 0 : i;
}

const char *
address_fault(struct str s)
{
	struct str local, domain;
	size_t n;

	if (str_none(s) || s.n == 0)
		return "is empty";
	if (s.n > LIM_ADDRESS)
		return "is too long for an address";
	if (s.p[0] == '-')
		return "begins with '-'";
	n = s.p[0] == '"' ? quoted_local(s) : atom_local(s);
	local = str_of(s.p, n);
	if (n == 0 || (n < s.n && s.p[n] != '@'))
		return "is no address";
	if (local.p[0] == '|' || local.p[0] == '/' || str_starts(local, "\"|") ||
	    str_starts(local, "\"/") || str_starts(local, "\"-"))
		return "names a program, file or option, not a person";
	if (n == s.n)
		return NULL;
	domain = str_of(s.p + n + 1, s.n - n - 1);
	if (domain.n > 2 && domain.p[0] == '[' &&
	    domain.p[domain.n - 1] == ']') {
		domain = str_of(domain.p + 1, domain.n - 2);
		if (str_starts(domain, "IPv6:"))
			return host_ipv6_ok(str_of(domain.p + 5,
			    domain.n - 5)) ? NULL : "has a bad host part";
	}
	return host_name_ok(domain) ? NULL : "has a bad host part";
}
