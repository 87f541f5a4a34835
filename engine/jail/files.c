/*
 * jail_files: Landlock.  The kernel's header may be older than the kernel, so
 * what it is told stands here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/jail/jail.h"

/* The same on all architectures: newer than their unification. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset	444
#define SYS_landlock_add_rule		445
#define SYS_landlock_restrict_self	446
#endif

#define ASK_VERSION	(1u << 0)
#define PATH_BENEATH	1

enum {
	EXECUTE = 1 << 0, WRITE_FILE = 1 << 1, READ_FILE = 1 << 2,
	READ_DIR = 1 << 3, REMOVE_DIR = 1 << 4, REMOVE_FILE = 1 << 5,
	MAKE_CHAR = 1 << 6, MAKE_DIR = 1 << 7, MAKE_REG = 1 << 8,
	MAKE_SOCK = 1 << 9, MAKE_FIFO = 1 << 10, MAKE_BLOCK = 1 << 11,
	MAKE_SYM = 1 << 12,
	REFER = 1 << 13,		/* version 2 */
	TRUNCATE = 1 << 14,		/* 3 */
	IOCTL_DEV = 1 << 15		/* 5 */
};
enum { BIND_TCP = 1 << 0, CONNECT_TCP = 1 << 1 };	/* 4 */

#define TO_READ		(READ_FILE | READ_DIR)
#define TO_WRITE	(TO_READ | WRITE_FILE | REMOVE_FILE | REMOVE_DIR | \
			    MAKE_DIR | MAKE_REG | REFER | TRUNCATE)
#define OF_A_FILE	(EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV)

struct ruleset {
	uint64_t	 files, net;
};
struct beneath {
	uint64_t	 allowed;
	int32_t		 parent;
} __attribute__((packed));

static uint64_t
handled(long version)
{
	uint64_t all = (MAKE_SYM << 1) - 1;

	if (version >= 2)
		all |= REFER;
	if (version >= 3)
		all |= TRUNCATE;
	if (version >= 5)
		all |= IOCTL_DEV;
	return all;
}

static bool
allow(int rules, const char *const *path, uint64_t what)
{
	struct beneath b;
	struct stat st;
	bool ok = true;
	size_t i;

	for (i = 0; ok && i < LIM_JAIL_PATHS && path[i] != NULL; i++) {
		b.parent = open(path[i], O_PATH | O_CLOEXEC);
		if (b.parent == -1)
			continue;	/* not here: nothing to allow */
		b.allowed = what;
		if (fstat(b.parent, &st) == 0 && !S_ISDIR(st.st_mode))
			b.allowed &= OF_A_FILE;
		ok = syscall(SYS_landlock_add_rule, rules, PATH_BENEATH, &b,
		    0) == 0;
		close(b.parent);
	}
	return ok;
}

bool
jail_files(const struct jail *j)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    ASK_VERSION);
	struct ruleset set;
	int rules;
	bool ok;

	if (version < 1)
		return false;
	set.files = handled(version);
	/* whoever serves has its socket already */
	set.net = version < 4 ? 0 : j->class == JAIL_DELIVER ? BIND_TCP :
	    BIND_TCP | CONNECT_TCP;
	rules = (int)syscall(SYS_landlock_create_ruleset, &set, version < 4 ?
	    sizeof set.files : sizeof set, 0);
	if (rules == -1)
		return false;
	ok = allow(rules, j->read, TO_READ & set.files) &&
	    allow(rules, j->write, TO_WRITE & set.files) &&
	    syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	close(rules);
	return ok;
}
