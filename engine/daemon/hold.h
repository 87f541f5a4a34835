/*
 * hold: what people have told picketd not to do: alerts that are paused, and
 * whether rules may act.  Why a file: a daemon that starts again, by itself at
 * night perhaps, must not begin what somebody has stopped.
 *
 * STATE/picketd.hold, which is replaced as a whole: a line of what it is,
 * lines, and a sum of it all.  If it is damaged, what it said is not known;
 * then rules do not act until somebody says `picket arm`.
 */
#ifndef ENGINE_DAEMON_HOLD_H
#define ENGINE_DAEMON_HOLD_H

#include <stdbool.h>
#include <stddef.h>

#define HOLD_FILE	"picketd.hold"
#define LIM_HOLD_NAMES	100000	/* paused alerts: as many as a site may have */
#define LIM_HOLD_NAME	1000	/* bytes of a name: far longer than any */

struct hold {
	bool		 disarmed;
	double		 until;		/* clock_wall; 0: until somebody arms */
	bool		 all;		/* nothing runs */
	char		**name;		/* of paused alerts, sorted; ours */
	size_t		 n, cap;
};

enum hold_got { HOLD_FINE, HOLD_NONE, HOLD_DAMAGED };

/*
 * What the file of that folder says; no file: nothing is held.  DAMAGED, and
 * why: it cannot be believed; the hold is then disarmed.
 */
enum hold_got hold_read(struct hold *, int dir, char *why, size_t size);
/* Writes it, on disk when it returns; false, and why: the old one stays. */
bool	hold_write(const struct hold *, int dir, char *why, size_t size);
void	hold_free(struct hold *);

bool	hold_has(const struct hold *, const char *name);
/* False: no memory, or LIM_HOLD_NAMES, or a name that cannot be one. */
bool	hold_add(struct hold *, const char *name);
/* False: it was not there. */
bool	hold_remove(struct hold *, const char *name);

#endif
