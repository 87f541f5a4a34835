/*
 * signals: their names and numbers, as people write them: "TERM", "SIGTERM",
 * "15".  Why our own table: the system's names are not in every libc.
 */
#ifndef LANG_BASE_SIGNALS_H
#define LANG_BASE_SIGNALS_H

#include "lang/base/str.h"

#define LIM_SIGNAL	64	/* Linux: the last of the real-time signals */

/* The number, 0 (which tests and sends nothing) to LIM_SIGNAL; -1: none. */
int	signal_number(struct str);
/* "TERM", or the number as text where there is no name. */
struct str signal_name(int, char to[16]);

#endif
