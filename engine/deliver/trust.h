/*
 * trust: whether a file may be believed.  Why: picket runs as root what its
 * configuration says; whoever can write that file is root.  And a password
 * that others can read is none.
 */
#ifndef ENGINE_DELIVER_TRUST_H
#define ENGINE_DELIVER_TRUST_H

#include "lang/base/buf.h"

#define LIM_CONF_FILE	(1024 * 1024)	/* bytes: more is no configuration */
#define LIM_SECRET	1024		/* bytes of a password */

/* MISSING: there is no such file. */
enum trust { TRUST_FINE, TRUST_MISSING, TRUST_REFUSED };

/*
 * Reads a regular file of at most `max` bytes into out.  Unless `any` it and
 * its folder must belong to root or the running user and be writable by
 * neither group nor others (a folder may if it is sticky).  A refusal adds
 * one line for a person to why.
 */
enum trust trust_read(const char *path, size_t max, bool any, struct buf *out,
	    struct buf *why);
/*
 * Reads the first line of a password file into secret, which must be wiped
 * after use; its owner must be root or the running user, and nobody else may
 * read or write it.
 */
enum trust trust_read_secret(const char *path, char secret[LIM_SECRET + 1],
	    struct buf *why);
/* The same without reading it; MISSING also where it cannot be looked at. */
enum trust trust_check_secret(const char *path, struct buf *why);

#endif
