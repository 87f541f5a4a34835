/*
 * salvage: what is left of a damaged file, by hand, for tests/state/salvage.t.
 *
 *	salvage FROM TO		makes TO; prints what was saved, or why not
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/state/salvage.h"

static struct mem mem;

int
main(int argc, char **argv)
{
	struct buf said;
	bool ok;

	if (argc != 3)
		return 2;
	mem_init(&mem, (size_t)256 << 20, NULL);
	buf_init(&said, &mem);
	ok = salvage(&mem, argv[1], argv[2], &said);
	printf("%s\n", ok ? buf_c(&said) : strerror(errno));
	buf_free(&said);
	return !ok;
}
