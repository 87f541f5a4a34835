/* window: for each line "DAYS FROM-TO NOW" of the input prints when the window
 * that holds NOW ends, by engine/deliver/window.h. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/deliver/window.h"

int
main(void)
{
	char days[60], times[20];
	struct window w;
	struct mem mem;
	struct buf why;
	double now;

	mem_init(&mem, (size_t)1 << 20, NULL);
	buf_init(&why, &mem);
	while (scanf("%59s %19s %lf", days, times, &now) == 3) {
		if (!window_parse(&w, str_c(days), str_c(times), &why)) {
			fprintf(stderr, "window: %s\n", buf_c(&why));
			return 1;
		}
		printf("%.0f\n", window_end(&w, now));
	}
	buf_free(&why);
	return 0;
}
