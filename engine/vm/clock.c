#include "engine/vm/clock.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

#define LIM_CLOCK	1e11	/* seconds: what a calendar can do */
#define LIM_CLOCK_FILE	63	/* bytes: two numbers and a line end */

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

static double
seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* What the environment says, perhaps by a file; NULL: nothing. */
static const char *
said(char text[LIM_CLOCK_FILE + 1])
{
	const char *say = getenv(CLOCK_ENV);
	ssize_t n;
	int fd;

	if (say == NULL || say[0] == '\0' || getauxval(AT_SECURE) != 0)
		return NULL;
	if (say[0] != '@')
		return say;
	fd = say[1] == '/' ? open(say + 1, O_RDONLY | O_CLOEXEC) : -1;
	if (fd == -1)
		return NULL;
	n = read(fd, text, LIM_CLOCK_FILE);
	(void)close(fd);
	if (n <= 0)
		return NULL;
	text[n - (text[n - 1] == '\n')] = '\0';
	return text;
}

/* One of the numbers; *at is behind it, or NULL if there is none. */
static double
number(const char **at)
{
	char *end;
	double x = strtod(*at, &end);

	if (end == *at || (*end != '\0' && *end != ' ') || !isfinite(x) ||
	    fabs(x) > LIM_CLOCK)
		end = NULL;
	*at = end;
	return x;
}

bool
clock_by_file(void)
{
	const char *say = getenv(CLOCK_ENV);

	return say != NULL && say[0] == '@' && getauxval(AT_SECURE) == 0;
}

double
clock_wall(void)
{
	char text[LIM_CLOCK_FILE + 1];
	const char *say, *at;
	double t, x;

	if (clock_is_set())
		return set_to;
	t = seconds(CLOCK_REALTIME);
	at = say = said(text);
	if (say == NULL)
		return t;
	x = number(&at);
	if (at == NULL || (*at != '\0' && !clock_by_file()))
		return t;
	return say[0] == '+' || say[0] == '-' ? t + x : x;
}

double
clock_boot(void)
{
	char text[LIM_CLOCK_FILE + 1];
	const char *at = clock_by_file() ? said(text) : NULL;
	double t = seconds(CLOCK_BOOTTIME), x;

	if (at == NULL || (at = strchr(at, ' ')) == NULL)
		return t;
	x = number(&at);
	return at == NULL ? t : t + x;
}

double
clock_steady(void)
{
	return seconds(CLOCK_MONOTONIC);
}
