/*
 * clock: the time of day, for all that keeps or compares it.  Why a module:
 * tests of what takes days must not wait, and nobody may set the machine's
 * clock; so a test says in the environment what the time is.
 */
#ifndef ENGINE_VM_CLOCK_H
#define ENGINE_VM_CLOCK_H

#include <stdbool.h>

#define CLOCK_ENV	"PICKET_CLOCK"

/*
 * Seconds since 1970 with fractions.  PICKET_CLOCK over-rides the system's:
 * "956639822" is that moment, which then stands; "+90000" and "-31536000"
 * shift the clock by seconds.  "@/PATH" names a file that says so, and is read
 * again at each look: so the clock of a program that stays can be set while it
 * runs.  What is none of these is as if it were not there, and so is all of it
 * in a program that runs with more rights than its caller (AT_SECURE).
 */
double	clock_wall(void);
/*
 * Seconds since the host was started, those asleep too.  The file may have
 * them, as a second number: how long it slept besides.
 */
double	clock_boot(void);
/* The clock may be set without a word of the kernel: by that file. */
bool	clock_by_file(void);
/*
 * From here on clock_wall is that moment, in this process: what is tried out
 * has a time of its own (engine/sim).  NUM_NIL: the system's again.
 */
void	clock_set(double);
bool	clock_is_set(void);
/* Seconds that only go on, whatever is done to the time of day. */
double	clock_steady(void);

#endif
