#include "lang/table/tables.h"

const struct column_info column_info[COLUMN_COUNT] = {
#define C(id, name, sigil, help) { TABLE_##id, #name, sigil, help },
#include "lang/table/tables.def"
};

/* Where the columns of each begin: a table takes no number of its own. */
enum {
#define T(id, name, args, help) FIRST_##id, BEFORE_##id = FIRST_##id - 1,
#define C(id, name, sigil, help) AT_##id##_##name,
#include "lang/table/tables.def"
	FIRST_NONE
};
_Static_assert((int)FIRST_NONE == (int)COLUMN_COUNT, "columns are counted");

const struct table_info table_info[TABLE_COUNT + 1] = {
#define T(id, name, args, help) { #name, args, help, FIRST_##id },
#include "lang/table/tables.def"
	{ NULL, NULL, NULL, COLUMN_COUNT }
};

int
table_find(struct str name)
{
	int i;

	for (i = 0; i < TABLE_COUNT; i++)
		if (str_eq(name, str_c(table_info[i].name)))
			return i;
	return -1;
}

bool
table_single(enum table_id id)
{
	return table_info[id].args[0] == '\0' && id != TABLE_KERNEL &&
	    id != TABLE_OOM_KILLS;
}

bool
table_held(enum table_id id)
{
	return id == TABLE_PROCESSES || id == TABLE_PROCESS_COUNTS ||
	    id == TABLE_MEMORY || id == TABLE_PRESSURE || id == TABLE_LOAD ||
	    id == TABLE_CGROUPS;
}

int
table_column_find(enum table_id id, struct str name)
{
	unsigned i;

	for (i = table_info[id].first; i < table_info[id + 1].first; i++)
		if (str_eq(name, str_c(column_info[i].name)))
			return (int)i;
	return -1;
}
