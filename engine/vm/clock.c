#include "engine/vm/clock.h"

#include <math.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <time.h>

/* The one clock of a process; NaN: the system's. */
static double set_to = NAN;

void
clock_set(double t)
{
	set_to = isfinite(t) ? t : NAN;
}

bool
clock_is_set(void)
{
	return !isnan(set_to);
}

double
clock_wall(void)
{
	const char *say = getenv(CLOCK_ENV);
	struct timespec ts;
	double t, x;
	char *end;

	if (clock_is_set())
		return set_to;
	clock_gettime(CLOCK_REALTIME, &ts);
	t = (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
	if (say == NULL || say[0] == '\0' || getauxval(AT_SECURE) != 0)
		return t;
	x = strtod(say, &end);
	if (*end != '\0' || !isfinite(x) || fabs(x) > 1e11)
		return t;
	return say[0] == '+' || say[0] == '-' ? t + x : x;
}

double
clock_steady(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}
