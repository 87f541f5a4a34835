#include "engine/jail/jail.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lang/base/sanitizer.h"

#define LIM_CAPABILITY	63	/* the kernel's numbers end before: two words */

static void
lack(struct buf *lacks, const char *what)
{
	if (lacks->n > 0)
		buf_puts(lacks, ", ");
	buf_puts(lacks, what);
}

/* --- limits --- */

static bool
lower(int what, rlim_t to)
{
	struct rlimit r;

	if (getrlimit((__rlimit_resource_t)what, &r) == -1)
		return false;
	if (r.rlim_max == RLIM_INFINITY || r.rlim_max > to)
		r.rlim_max = to;
	r.rlim_cur = r.rlim_max;
	return setrlimit((__rlimit_resource_t)what, &r) == 0;
}

static void
limits(const struct jail *j, struct buf *lacks)
{
	if (!lower(RLIMIT_CORE, 0))
		lack(lacks, "no core");
	if (j->files > 0 && !lower(RLIMIT_NOFILE, j->files))
		lack(lacks, "limit of descriptors");
}

/*
 * Counted over all processes of the user, those of no jail too: where the
 * user is ours alone.  Root is never held by it.
 */
static void
limit_processes(const struct jail *j, bool other, struct buf *lacks)
{
	if (other && !lower(RLIMIT_NPROC, j->threads))
		lack(lacks, "limit of processes");
}

/* --- namespaces, root folder --- */

static void
namespaces(const struct jail *j, struct buf *lacks)
{
	if (unshare(CLONE_NEWIPC) == -1)
		lack(lacks, "own IPC");
	if (!j->network && unshare(CLONE_NEWNET) == -1)
		lack(lacks, "no network");
}

/*
 * A folder that is made, entered and removed: nobody can put anything into
 * it any more, and nothing is left behind.
 */
static bool
empty_root(void)
{
	static const char *const places[] = { "/run", "/tmp", "/var/tmp",
	    "/dev/shm" };
	char name[64];
	size_t i;
	bool ok = false;

	if (chroot("/") == -1)		/* we may not: no trace then */
		return false;
	for (i = 0; !ok && i < sizeof places / sizeof *places; i++) {
		snprintf(name, sizeof name, "%s/picket-empty.XXXXXX",
		    places[i]);
		if (mkdtemp(name) == NULL)
			continue;
		ok = chdir(name) == 0;
		ok = rmdir(name) == 0 && ok;
	}
	return ok && chroot(".") == 0 && chdir("/") == 0;
}

/* --- user, groups, capabilities --- */

struct whom {
	bool	become;
	uid_t	uid;
	gid_t	gid;
};

static const char *
own_user(enum jail_class class)
{
	return class == JAIL_STORE ? JAIL_USER "_store" :
	    class == JAIL_HTTP ? JAIL_USER "_http" : JAIL_USER "_deliver";
}

static bool
find_user(const struct jail *j, struct whom *w, struct buf *lacks)
{
	const char *name = j->user != NULL ? j->user : own_user(j->class);
	struct passwd *p;

	*w = (struct whom){ .become = false };
	if (name[0] == '\0')
		return true;
	p = getpwnam(name);
	if (p == NULL && j->user == NULL) {
		name = JAIL_USER;
		p = getpwnam(name);
	}
	/* nobody has more than he should where others are nobody, too; but
	 * less than root */
	if (p == NULL && j->user == NULL && geteuid() == 0 &&
	    (p = getpwnam("nobody")) != NULL)
		buf_printf(lacks, "%suser %s (there is none: nobody stands "
		    "in)", lacks->n > 0 ? ", " : "", name);
	if (p != NULL && p->pw_uid == geteuid() && p->pw_uid != 0)
		return true;		/* we are that already */
	if (p == NULL || geteuid() != 0) {
		buf_printf(lacks, "%suser %s (%s)", lacks->n > 0 ? ", " : "",
		    name, p == NULL ? "there is none" : "we are not root");
		return p != NULL || j->user == NULL;
	}
	*w = (struct whom){ true, p->pw_uid, p->pw_gid };
	return true;
}

static void
bounding_set(struct buf *lacks)
{
	bool ok = true;
	int i;

	for (i = 0; i <= LIM_CAPABILITY; i++)
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			ok = prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0 && ok;
	if (!ok)
		lack(lacks, "empty bounding set");
}

static bool
become(const struct whom *w, struct buf *lacks)
{
	/* an ordinary user's groups are its own, and it may not change them */
	if (geteuid() == 0 && setgroups(0, NULL) == -1)
		lack(lacks, "no other groups");
	if (!w->become)
		return true;
	if (setresgid(w->gid, w->gid, w->gid) == -1 ||
	    setresuid(w->uid, w->uid, w->uid) == -1) {
		buf_printf(lacks, "%suser %u: %s", lacks->n > 0 ? ", " : "",
		    (unsigned)w->uid, strerror(errno));
		return false;
	}
	return true;
}

static void
capabilities(struct buf *lacks)
{
	struct __user_cap_header_struct head = {
	    _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];

	memset(none, 0, sizeof none);
#ifdef PR_CAP_AMBIENT
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
#endif
	if (syscall(SYS_capset, &head, none) == -1)
		lack(lacks, "no capabilities");
}

/* --- all of it --- */

#ifdef WATCHED
/* The sanitizer asks before it looks for leaks.  It needs ptrace and /proc. */
int	__lsan_is_turned_off(void);
int
__lsan_is_turned_off(void)
{
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ||
	    access("/proc/self/task", F_OK) == -1;
}
#endif

bool
jail_enter(const struct jail *j, struct buf *lacks)
{
	bool was_root = geteuid() == 0;
	struct whom w;
	int dies = 0;

	if (!find_user(j, &w, lacks))
		return false;
	(void)prctl(PR_GET_PDEATHSIG, &dies, 0, 0, 0);
	limits(j, lacks);
	namespaces(j, lacks);
	if (j->empty && !empty_root())
		lack(lacks, "empty root folder");
	if (was_root)
		bounding_set(lacks);
	limit_processes(j, w.become, lacks);
	if (!become(&w, lacks))
		return false;
	capabilities(lacks);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		lack(lacks, "no new privileges");
	/* a change of user takes both back */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		lack(lacks, "not dumpable");
	if (dies != 0)
		(void)prctl(PR_SET_PDEATHSIG, dies, 0, 0, 0);
	if (!jail_files(j))
		lack(lacks, "no other files (Landlock)");
	if (!jail_calls(j->class, j->threads > 0))
		lack(lacks, "no other calls (seccomp)");
	return true;
}
