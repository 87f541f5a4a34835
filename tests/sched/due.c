/* due: answers lines of the input by engine/sched/calendar.h.
 *	zone TZ
 *	next COUNT T FIELDS...		the dues after T
 *	all FROM TO FIELDS...		how many are after FROM up to TO, and
 *					the sums of i * due and of due
 *	time COUNT T FIELDS...		seconds that one question takes
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/sched/calendar.h"

static double
steady(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
show(double t)
{
	if (isinf(t))
		printf(" never");
	else
		printf(" %.0f", t);
}

int
main(void)
{
	char line[300], word[20];
	struct cron_fault fault;
	struct cron c;
	double a, b, t, begun;
	int at, i;

	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "zone ", 5) == 0) {
			setenv("TZ", line + 5, 1);
			tzset();
			continue;
		}
		if (sscanf(line, "%19s %lf %lf %n", word, &a, &b, &at) < 3 ||
		    !cron_parse(str_c(line + at), &c, &fault)) {
			fprintf(stderr, "due: %s\n", line);
			return 1;
		}
		if (strcmp(word, "next") == 0) {
			for (t = b; a > 0 && !isinf(t); a--)
				show(t = calendar_after(NULL, &c, t));
		} else if (strcmp(word, "time") == 0) {
			begun = steady();
			for (i = 0, t = b; i < a; i++)
				if (isinf(t = calendar_after(NULL, &c, t)))
					t = b;
			printf(" %.9f", (steady() - begun) / a);
		} else {
			uint64_t n = 0, weighed = 0, sum = 0, due;

			for (t = a; (t = calendar_after(NULL, &c, t)) <= b; ) {
				due = (uint64_t)t;
				weighed += ++n * due;
				sum += due;
			}
			printf(" %llu %llu %llu", (unsigned long long)n,
			    (unsigned long long)weighed,
			    (unsigned long long)sum);
		}
		putchar('\n');
	}
	return 0;
}
