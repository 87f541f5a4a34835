/*
 * world: what the preprocessor's directives reach (lang/compile.h).  Why
 * apart from source.c: here files are opened and commands run because a text
 * says so.
 */
#ifndef ENGINE_CLI_WORLD_H
#define ENGINE_CLI_WORLD_H

#include "engine/cli/cli.h"

#define LIM_COMMAND_TIME	60	/* seconds for a [command]: whoever waits for
					 * a check waits no longer */
#define LIM_COMMANDS_TIME	600	/* for all of one picket */
#define LIM_COMMAND_DEPTH	4	/* picket run by a [command] of a text that
					 * picket reads, and so on */

/*
 * A world of c, to be put into the options of a compile.  With
 * --no-commands it runs none.
 */
struct compile_world *world_of(struct cli *);

#endif
