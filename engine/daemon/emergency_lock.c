/* emergency_lock: memory that is there when there is none; see emergency.h. */
#include <sys/mman.h>
#include <sys/resource.h>
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/daemon/emergency.h"

#define PAGE	4096

void
emergency_lock_begin(void)
{
	(void)mallopt(M_ARENA_MAX, 1);
	(void)mallopt(M_MMAP_MAX, 0);
	(void)mallopt(M_TRIM_THRESHOLD, INT_MAX);
	(void)mallopt(M_TOP_PAD, 256 * 1024);
}

/* Not inlined: the frame must be gone, and its pages there. */
static void __attribute__((noinline))
touch_stack(void)
{
	volatile char page[EMERGENCY_STACK];
	size_t i;

	for (i = 0; i < sizeof page; i += PAGE)
		page[i] = 1;
	page[sizeof page - 1] = page[0];
}

void
emergency_lock(size_t heap, char *why, size_t n)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	char *p = malloc(heap);

	why[0] = '\0';
	if (p == NULL)
		snprintf(why, n, "there are no %zu bytes to keep", heap);
	else
		memset(p, 1, heap);	/* given back: it stays, untrimmed */
	free(p);
	touch_stack();
	/* who may not raise it has what he was given */
	(void)setrlimit(RLIMIT_MEMLOCK, &all);
	if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
		snprintf(why, n, "memory cannot be locked (%s): it may be "
		    "swapped out, and then a run waits for it; it takes "
		    "CAP_IPC_LOCK or LimitMEMLOCK=infinity", strerror(errno));
}

void
emergency_hold(bool hold)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_DATA, &r) != 0)
		return;
	r.rlim_cur = hold ? 0 : r.rlim_max;
	(void)setrlimit(RLIMIT_DATA, &r);
}

long
emergency_faults(void)
{
	struct rusage u;

	return getrusage(RUSAGE_SELF, &u) != 0 ? -1 : u.ru_minflt + u.ru_majflt;
}
