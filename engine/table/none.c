/* Tables that nobody makes yet: each line goes when its maker comes. */
#include <stdio.h>

#include "engine/table/table.h"

static struct table *
none_open(const struct table_world *w, const struct table_ask *ask,
    char why[LIM_TABLE_WHY])
{
	(void)w;
	snprintf(why, LIM_TABLE_WHY, "table %s is not supported yet",
	    table_info[ask->id].name);
	return NULL;
}

#define NONE(name) const struct table_maker table_##name = { .open = none_open };
NONE(queue)
NONE(none)
