/*
 * ask: a request to picketd and its answer.  Why apart: what every command
 * that talks to it has to say when nobody answers.
 */
#ifndef ENGINE_CLI_ASK_H
#define ENGINE_CLI_ASK_H

#include <jansson.h>

#include "engine/cli/cli.h"

#define LIM_ANSWER	((size_t)128 << 20)	/* bytes: 100,000 alerts are 40 MB */
#define ANSWER_TIME	30	/* seconds in which picketd goes on with an answer */
#define RELOAD_TIME	700	/* seconds: what picketd gives a reload, and more */

/*
 * Sends the request, which it frees, and waits for the answer.  NULL: said
 * why there is none.  An answer may be an error: see ask_says.
 */
json_t	*ask_picketd(struct cli *, json_t *request, int seconds);
/* Prints the answer with --json, and says its error or warning else; whether
 * it is fine. */
bool	ask_says(struct cli *, const json_t *answer);
/* A member; NULL or NIL: there is none of that kind. */
const char *ask_text(const json_t *, const char *name);
double	ask_number(const json_t *, const char *name);
bool	ask_is(const json_t *, const char *name);

#endif
