/*
 * names: the names of users by number.  Why not getpwuid: it takes memory and
 * may ask a server that does not answer.  ROOT/etc/passwd is read once, when a
 * table is opened; who is not in it is asked of the world's name service, at
 * most once, and not at all in a run that is limited.
 */
#ifndef ENGINE_TABLE_NAMES_H
#define ENGINE_TABLE_NAMES_H

#include "engine/table/table.h"

#define LIM_PASSWD	(4 << 20)	/* bytes of /etc/passwd that are read: some
					 * 60,000 users; the rest is asked for */
#define LIM_NAMES_ASKED	1024		/* users that are not in it; more are asked
					 * for each time */
#define LIM_NAMES_BYTES	(32 * 1024)	/* of their names: 32 each */

struct names_one {
	uid_t		 uid;
	bool		 used;
	struct str	 name;		/* NIL: it has none */
};

struct names {
	const struct table_world *world;
	char		*text;		/* of /etc/passwd */
	size_t		 ntext;
	struct names_one *one;		/* by hash, open addressing */
	size_t		 mask, nasked;
	char		*asked;		/* LIM_NAMES_BYTES of names */
	size_t		 nbytes;
	char		 number[20];	/* of who has no name */
};

/* The world must outlive it. */
void	 names_open(struct names *, const struct table_world *);
void	 names_close(struct names *);
/* The user's name, or the number: of the names' memory, valid until the next
 * call. */
struct str names_user(struct names *, uid_t);
/* The same of a number that may be NIL or none of a user: NIL. */
struct str names_of(struct names *, double uid);

#endif
