/* image_traits: what runs of a script are, found out of its instructions. */
#include "lang/table/builtin.h"
#include "engine/effect/scarce.h"
#include "engine/image/image.h"

/* What a function that is called does. */
static unsigned
of_call(int id)
{
	unsigned traits = 0;

	if ((builtin_info[id].flags & FN_ACTS) != 0)
		traits |= ENTRY_ACTS;
	/* a command, or picket-contact */
	if (strchr(builtin_info[id].args, 'c') != NULL ||
	    builtin_family(id) == FAMILY_NETWORK)
		traits |= ENTRY_COMMANDS;
	return traits;
}

unsigned
image_traits(const struct program *p)
{
	char why[LIM_IMAGE_WHY];
	unsigned traits = 0;
	uint32_t i;

	if (p->watch_memory)
		traits |= ENTRY_WATCH_MEMORY;
	if (p->input != INPUT_NONE && p->input != INPUT_TABLE)
		traits |= ENTRY_FOREIGN;
	if (p->has_filter || p->input == INPUT_PROC ||
	    p->input == INPUT_JOURNAL)
		traits |= ENTRY_COMMANDS;
	for (i = 0; i < p->ncode; i++)
		switch (I_OP(p->code[i])) {
		case OP_CALLN:
		case OP_CALLS:
			traits |= of_call((int)I_BX(p->code[i]));
			break;
		case OP_EXEC:
			traits |= ENTRY_ACTS | ENTRY_COMMANDS;
			break;
		default:
			break;
		}
	if (p->watch_memory && scarce_can(p, why, sizeof why))
		traits |= ENTRY_EMERGENCY;
	return traits;
}
