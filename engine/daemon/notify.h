/*
 * notify: what systemd is told (sd_notify(3)): one datagram to the socket
 * that NOTIFY_SOCKET names.  Why not libsystemd: it is a library for three
 * lines.  Without the variable nothing is said.
 */
#ifndef ENGINE_DAEMON_NOTIFY_H
#define ENGINE_DAEMON_NOTIFY_H

#include <stdbool.h>

/* Takes NOTIFY_SOCKET and WATCHDOG_USEC, and removes them from the
 * environment: they are for us alone. */
void	notify_init(void);
bool	notify_wanted(void);
/* Lines of "KEY=VALUE", joined by line ends. */
void	notify_say(const char *text);
/* RELOADING=1 with the moment, as Type=notify-reload asks for. */
void	notify_reloading(void);
/* Seconds between two WATCHDOG=1, half of what is allowed; 0: not wanted. */
double	notify_watchdog(void);

#endif
