/*
 * journal: what a run and picket-journal must both know, and the parts of
 * that program.
 */
#ifndef ENGINE_INPUT_JOURNAL_H
#define ENGINE_INPUT_JOURNAL_H

#include <stdbool.h>

#define JOURNAL_PROGRAM	"picket-journal"
#define JOURNAL_PLACE	255	/* bytes of a place: libsystemd's cursors have
				 * at most 150 */
#define JOURNAL_WHY	400	/* bytes of what is said of files */

/*
 * Looks at the journal's files one by one, as the library passes over what it
 * cannot open and says nothing.  folder: "" is the machine's own.  false:
 * there is nothing to be read at all; true with a text: some of them cannot.
 */
bool	journal_files(const char *folder, char why[JOURNAL_WHY]);

#endif
