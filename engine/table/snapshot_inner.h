/* snapshot_inner: what the files of snapshot share. */
#ifndef ENGINE_TABLE_SNAPSHOT_INNER_H
#define ENGINE_TABLE_SNAPSHOT_INNER_H

#include "engine/table/snapshot.h"

/* What is there of the files is opened, and read once: the kernel takes what
 * it needs for that then. */
void	 snapshot_files_open(struct snapshot *);
void	 snapshot_files_close(struct snapshot *);

#endif
