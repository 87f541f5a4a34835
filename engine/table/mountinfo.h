/*
 * mountinfo: the lines of /proc/self/mountinfo, for the tables mounts,
 * filesystems and cgroups.
 */
#ifndef ENGINE_TABLE_MOUNTINFO_H
#define ENGINE_TABLE_MOUNTINFO_H

#include "engine/table/lines.h"

struct mountinfo {
	unsigned	 major, minor;
	struct str	 root;		/* of the filesystem, what is mounted */
	struct str	 mount;
	struct str	 options;	/* of the mount */
	struct str	 type, device;
	struct str	 super;		/* options of the filesystem */
};

bool	 mountinfo_open(struct lines *, const struct table_world *,
	    char why[LIM_TABLE_WHY]);
/* The next mount, views into the line, with \040 and its like undone; false:
 * the end, or l->error.  A line that is none is left out. */
bool	 mountinfo_next(struct lines *, struct mountinfo *);
/* The options of both, each once, first ro or rw: ro if either is.  Returns
 * the bytes written, at most n. */
size_t	 mountinfo_options(const struct mountinfo *, char *to, size_t n);
bool	 mountinfo_option(struct str options, const char *name);
bool	 mountinfo_readonly(const struct mountinfo *);

#endif
