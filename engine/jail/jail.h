/*
 * jail: what a process of ours gives up when it has started.  Why: the store,
 * the deliverer and the web server read what others wrote (a state file,
 * answers of mail servers, requests), and picketd runs as root.  Who takes
 * one of them over is to have as little as there is to have.
 *
 * In this order, each as far as the system lets us:
 *
 *	limits		no core; so many descriptors; no process, or few threads
 *	namespaces	its own System V IPC; no network, for whom needs none
 *	root folder	an empty one that is nowhere
 *	user, groups	those of struct jail, and no other group
 *	capabilities	none, and no way to get any (bounding set)
 *	new privileges	no set-user-id program gives any
 *	dumpable	not: nobody of the same user looks into it
 *	files		no file but beneath those named here (Landlock)
 *	calls		those of its class (calls.def).  Another one ends it
 *
 * Root in a container often may not do all of it, an old kernel cannot, and a
 * picketd that is no root has little to give up: what could not be had is
 * named, and work goes on without.
 *
 * The filter of calls is a few instructions that we write ourselves: the
 * kernel's own interface is smaller than what a library costs each start.
 */
#ifndef ENGINE_JAIL_JAIL_H
#define ENGINE_JAIL_JAIL_H

#include "lang/base/buf.h"

#define LIM_JAIL_PATHS	16	/* files and folders of one list */

enum jail_class {
	JAIL_STORE = 1,		/* files, clients; no socket of its own */
	JAIL_DELIVER = 2,	/* connects; reads files; threads to resolve */
	JAIL_HTTP = 4		/* clients; asks the store by a UNIX socket */
};

struct jail {
	enum jail_class	 class;
	const char	*user;		/* whom picket.conf names; NULL: the class's
					 * own, _picket_http, or else _picket;
					 * "": remain who we are */
	unsigned	 files;		/* descriptors at most; 0: as they are */
	unsigned	 threads;	/* of this user at most; 0: no new one */
	bool		 empty;		/* its root is an empty folder: it opens no
					 * file by name any more */
	bool		 network;	/* it needs it */
	/* What it opens by name, unless `empty`: absolute, NULL ends it.  What
	 * is not there is left out. */
	const char	*read[LIM_JAIL_PATHS];
	const char	*write[LIM_JAIL_PATHS];	/* and makes, and removes */
};

#define JAIL_USER	"_picket"

/*
 * Enters it, for good.  What could not be had is added to `lacks`, words with
 * commas between.  Call it before there is a second thread, and with all open
 * that is opened by who we were.  False: a user was named and there is none,
 * or it could not be become; lacks says it.  Then nothing is safe: go.
 */
bool	jail_enter(const struct jail *, struct buf *lacks);

/* For jail.c alone. */
bool	jail_calls(enum jail_class, bool threads);
bool	jail_files(const struct jail *);

#endif
