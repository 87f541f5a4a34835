/*
 * address: which texts may stand as a mail address or a host name.  Why so
 * strict: they become arguments of sendmail, SMTP commands and headers, and
 * every one of these has a syntax of its own that data must not reach.
 */
#ifndef ENGINE_DELIVER_ADDRESS_H
#define ENGINE_DELIVER_ADDRESS_H

#include "lang/base/str.h"

#define LIM_ADDRESS	254	/* bytes: RFC 5321 4.5.3.1.3, without < > */
#define LIM_HOST	253	/* bytes: RFC 1035 */

/*
 * NULL if the text is one address: user, user@host, "quoted user"@host or
 * user@[1.2.3.4]; else what is wrong with it.  Refused besides what RFC 5321
 * refuses: a leading '-' (an option), '|' or '/' (old mailers run or write
 * what follows), bytes over 126.
 */
const char *address_fault(struct str);
/* A host name (labels of letters, digits, '-', '_') or an IPv4 address. */
bool	 host_name_ok(struct str);
/* Hexadecimal digits, ':' and '.': an IPv6 address, without brackets. */
bool	 host_ipv6_ok(struct str);
/* The name or address of this machine itself. */
bool	 host_is_loopback(struct str);

#endif
