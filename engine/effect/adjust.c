/*
 * adjust: what acting functions change of processes that go on: priority,
 * limits, how ready the kernel is to end them, and whether they run at all.
 */
#include <sys/resource.h>
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/effect/act.h"

#define LIM_THREADS	100000	/* of a process: more is a storm of its own */
#define LIM_NESTED	32	/* cgroups in one another */
#define WAIT_FROZEN	2.0	/* seconds until the last of a cgroup stands still */
#define TICK		0.01

/* Fails with what, the reason of errno, and what it takes. */
static bool
cannot(struct live *l, const struct target *t, const char *what, int error,
    const char *takes)
{
	char who[LIM_WHO];

	process_who(&t->p, who);
	if (error == ESRCH)
		live_fail(l, "process %ld (%s) has ended meanwhile",
		    (long)t->p.pid, who);
	else
		live_fail(l, "%s of process %ld (%s): %s%s", what,
		    (long)t->p.pid, who, strerror(error),
		    error == EPERM || error == EACCES ? takes : "");
	return false;
}

/* Still there after a call that takes a number?  Else that hit nobody, or,
 * in the worst case, a process that got the number a moment ago. */
static bool
still_there(struct live *l, const struct target *t)
{
	return !target_gone(t) || cannot(l, t, "", ESRCH, "");
}

/* --- #renice --- */

/* The kernel keeps a priority for each thread. */
static int
renice_threads(pid_t pid, int value)
{
	char path[64];
	struct dirent *e;
	int i, done = 0, error = ESRCH;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
	if ((d = opendir(path)) == NULL)
		return errno == ENOENT ? ESRCH : errno;
	for (i = 0; i < LIM_THREADS && (e = readdir(d)) != NULL; i++) {
		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		if (setpriority(PRIO_PROCESS, (id_t)strtoul(e->d_name, NULL,
		    10), value) == 0)
			done++;
		else if (errno != ESRCH)
			error = errno;	/* a thread may end at any time */
	}
	closedir(d);
	return done > 0 && error == ESRCH ? 0 : error;
}

bool
act_renice(struct live *l, const struct act *a, bool dry,
    struct act_result *r)
{
	char text[LIM_WHO + 64], who[LIM_WHO];
	struct target t;
	bool good = true;
	int error;

	if (!target_open(l, a->pid, a->start, true, &t))
		return false;
	process_who(&t.p, who);
	snprintf(text, sizeof text, "%.0f %.0f (%s)", a->pid, a->value, who);
	if (act_begins(l, dry, "renice", text, r, 0)) {
		error = renice_threads(t.p.pid, (int)a->value);
		good = error == 0 ? still_there(l, &t) : cannot(l, &t,
		    "the priority", error, ": it takes root with CAP_SYS_NICE, "
		    "or the same user and no lower value");
		r->n = 0;
	}
	target_close(l, &t);
	return good;
}

/* --- #setlimit --- */

static const struct limit {
	const char	*name;
	int		 resource;
} limits[] = {
	{ "as", RLIMIT_AS }, { "cpu", RLIMIT_CPU }, { "nofile", RLIMIT_NOFILE },
	{ "nproc", RLIMIT_NPROC }, { "data", RLIMIT_DATA },
	{ "stack", RLIMIT_STACK }, { "core", RLIMIT_CORE },
	{ "fsize", RLIMIT_FSIZE }, { "memlock", RLIMIT_MEMLOCK },
};
#define NLIMITS	(sizeof limits / sizeof limits[0])

static rlim_t
limit_of(double v, rlim_t now)
{
	return num_is_nil(v) ? now : v == INFINITY ? RLIM_INFINITY : (rlim_t)v;
}

static size_t
limit_text(char *to, size_t n, rlim_t v)
{
	return (size_t)(v == RLIM_INFINITY ? snprintf(to, n, "unlimited") :
	    snprintf(to, n, "%llu", (unsigned long long)v));
}

bool
act_setlimit(struct live *l, const struct act *a, bool dry,
    struct act_result *r)
{
	const char *takes = ": it takes CAP_SYS_RESOURCE to change another "
	    "user's process, or to raise a hard limit";
	char text[LIM_WHO + 160], who[LIM_WHO];
	struct rlimit64 now, to;
	struct target t;
	size_t i, n;
	bool good;

	for (i = 0; i < NLIMITS && !str_eq(a->what, str_c(limits[i].name)); i++)
		;
	if (i == NLIMITS) {
		live_fail(l, "there is no such limit");
		return false;
	}
	if (!target_open(l, a->pid, a->start, true, &t))
		return false;
	if (prlimit64(t.p.pid, (enum __rlimit_resource)limits[i].resource,
	    NULL, &now) != 0) {
		(void)cannot(l, &t, "the limit", errno, takes);
		target_close(l, &t);
		return false;
	}
	to.rlim_cur = limit_of(a->soft, now.rlim_cur);
	to.rlim_max = limit_of(a->hard, now.rlim_max);
	process_who(&t.p, who);
	n = (size_t)snprintf(text, sizeof text, "%.0f %s ", a->pid,
	    limits[i].name);
	n += limit_text(text + n, sizeof text - n, to.rlim_cur);
	text[n++] = ' ';
	n += limit_text(text + n, sizeof text - n, to.rlim_max);
	n += (size_t)snprintf(text + n, sizeof text - n, " (%s; was ", who);
	n += limit_text(text + n, sizeof text - n, now.rlim_cur);
	text[n++] = ' ';
	n += limit_text(text + n, sizeof text - n, now.rlim_max);
	snprintf(text + n, sizeof text - n, ")");
	good = to.rlim_cur <= to.rlim_max;
	if (!good)
		live_fail(l, "the soft limit, %llu, would be above the hard "
		    "one, %llu", (unsigned long long)to.rlim_cur,
		    (unsigned long long)to.rlim_max);
	else if (act_begins(l, dry, "setlimit", text, r, 0)) {
		good = prlimit64(t.p.pid, (enum __rlimit_resource)
		    limits[i].resource, &to, NULL) == 0 ? still_there(l, &t) :
		    cannot(l, &t, "the limit", errno, takes);
		r->n = 0;
	}
	target_close(l, &t);
	return good;
}

/* --- #oomadjust --- */

bool
act_oomadjust(struct live *l, const struct act *a, bool dry,
    struct act_result *r)
{
	char text[LIM_WHO + 64], who[LIM_WHO], path[64], value[16];
	struct target t;
	bool good = true;
	int fd, n;

	if (!target_open(l, a->pid, a->start, true, &t))
		return false;
	process_who(&t.p, who);
	snprintf(text, sizeof text, "%.0f %.0f (%s)", a->pid, a->value, who);
	if (act_begins(l, dry, "oomadjust", text, r, 0)) {
		snprintf(path, sizeof path, "/proc/%ld/oom_score_adj",
		    (long)t.p.pid);
		n = snprintf(value, sizeof value, "%.0f", a->value);
		/* the open file is that process's and no later one's */
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd == -1)
			good = cannot(l, &t, "oom_score_adj", errno == ENOENT ?
			    ESRCH : errno, ": it takes that user, or root");
		else if (!still_there(l, &t))
			good = false;
		else if (write(fd, value, (size_t)n) != n)
			good = cannot(l, &t, "oom_score_adj", errno, ": to "
			    "make it lower than it was takes "
			    "CAP_SYS_RESOURCE");
		if (fd != -1)
			close(fd);
		r->n = 0;
	}
	target_close(l, &t);
	return good;
}

/* --- #freeze and #thaw --- */

static const struct {
	const char	*file;
	const char	*value[2];	/* thawed, frozen */
} freezers[] = {
	{ "cgroup.freeze", { "0", "1" } },	/* v2 */
	{ "freezer.state", { "THAWED", "FROZEN" } },	/* v1 */
};
/* Where its tree may be mounted: v2, v2 beside v1, v1's freezer. */
static const char *const trees[] = { "/sys/fs/cgroup",
    "/sys/fs/cgroup/unified", "/sys/fs/cgroup/freezer" };

static bool
read_file(int dir, const char *name, char *to, size_t n)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t k;

	if (fd == -1)
		return false;
	k = read(fd, to, n - 1);
	close(fd);
	to[k > 0 ? k : 0] = '\0';
	return k >= 0;
}

/*
 * No process of the cgroup, or of one in it, may be protected.  Consumes
 * dir.  False with the reason.
 */
static bool
cgroup_allowed(struct live *l, int dir, int depth)
{
	char line[32], why[LIM_WHY / 2], who[LIM_WHO];
	struct process p;
	struct dirent *e;
	struct stat st;
	DIR *d = fdopendir(dir);
	FILE *f = NULL;
	bool good = true;
	long pid;
	int fd, r;

	if (d == NULL || (fd = openat(dir, "cgroup.procs", O_RDONLY |
	    O_CLOEXEC | O_NOFOLLOW)) == -1 || (f = fdopen(fd, "r")) == NULL) {
		live_fail(l, "its processes cannot be read: %s",
		    strerror(errno));
		if (d != NULL)
			closedir(d);
		else
			close(dir);
		return false;
	}
	while (good && fgets(line, sizeof line, f) != NULL) {
		pid = atol(line);
		r = process_read((pid_t)pid, &p);
		if (r == -1) {
			live_fail(l, "refused: process %ld is in it and cannot "
			    "be looked at: %s", pid, strerror(errno));
			good = false;
		}
		p.other = false;	/* a container may be frozen as one */
		if (r != 1 || !process_protected(l, &p, why, sizeof why))
			continue;
		process_who(&p, who);
		live_fail(l, "refused: process %ld (%s) is in it and is not "
		    "touched: %s", pid, who, why);
		good = false;
	}
	/* of a threaded one the kernel does not say whose threads it has */
	if (good && ferror(f)) {
		live_fail(l, "refused: its processes cannot be read: %s",
		    strerror(errno));
		good = false;
	}
	fclose(f);
	while (good && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || fstatat(dir, e->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(st.st_mode))
			continue;
		fd = depth == LIM_NESTED ? -1 : openat(dir, e->d_name,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (fd != -1)
			good = cgroup_allowed(l, fd, depth + 1);
		else if (depth == LIM_NESTED) {
			live_fail(l, "too many cgroups in one another");
			good = false;
		}
	}
	closedir(d);
	return good;
}

/* A path below /sys/fs/cgroup, or as /proc/PID/cgroup has it; -1 with the
 * reason.  *how: which of freezers. */
static int
cgroup_open(struct live *l, struct str path, unsigned *how)
{
	char name[PATH_MAX];
	size_t i, n;
	int dir;

	for (n = 0; n < path.n; n++)
		if (path.p[n] == '/' && n + 2 < path.n && path.p[n + 1] == '.' &&
		    path.p[n + 2] == '.' && (n + 3 == path.n ||
		    path.p[n + 3] == '/'))
			break;
	if (path.n < 2 || path.p[0] != '/' || n < path.n ||
	    memchr(path.p, '\0', path.n) != NULL ||
	    path.n > sizeof name - 40) {
		live_fail(l, "a cgroup is a path such as "
		    "/system.slice/ssh.service, and never all of them");
		return -1;
	}
	for (i = str_starts(path, "/sys/fs/cgroup/") ? 2 : 0; i < 3; i++) {
		snprintf(name, sizeof name, "%s%.*s",
		    str_starts(path, "/sys/fs/cgroup/") ? "" : trees[i],
		    (int)path.n, path.p);
		dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
		    O_NOFOLLOW);
		if (dir == -1)
			continue;
		for (*how = 0; *how < 2; ++*how)
			if (faccessat(dir, freezers[*how].file, F_OK, 0) == 0)
				return dir;
		close(dir);
	}
	live_fail(l, "there is no such cgroup, or none that can be frozen");
	return -1;
}

static bool
is_frozen(int dir, unsigned how, bool freeze)
{
	char text[256];

	if (how == 1)
		return read_file(dir, freezers[1].file, text, sizeof text) &&
		    strncmp(text, freezers[1].value[freeze],
		    strlen(freezers[1].value[freeze])) == 0;
	return read_file(dir, "cgroup.events", text, sizeof text) &&
	    strstr(text, freeze ? "frozen 1" : "frozen 0") != NULL;
}

static bool
freeze_cgroup(struct live *l, const struct act *a, bool dry,
    struct act_result *r)
{
	const bool freeze = a->kind == ACT_FREEZE;
	const char *value;
	char text[LIM_WHY];
	double until;
	unsigned how;
	int dir, fd, copy;
	bool good = true;

	if (act_state(l) == NULL || (dir = cgroup_open(l, a->what, &how)) ==
	    -1)
		return false;
	/* to let something go on harms nobody */
	copy = freeze ? openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) :
	    -1;
	if (freeze && (copy == -1 || !cgroup_allowed(l, copy, 0))) {
		if (copy == -1)
			live_fail(l, "%s", strerror(errno));
		close(dir);
		return false;
	}
	snprintf(text, sizeof text, "%.*s", a->what.n > 400 ? 400 :
	    (int)a->what.n, a->what.p);
	if (!act_begins(l, dry, freeze ? "freeze" : "thaw", text, r, 0)) {
		close(dir);
		return true;
	}
	value = freezers[how].value[freeze];
	fd = openat(dir, freezers[how].file, O_WRONLY | O_CLOEXEC |
	    O_NOFOLLOW);
	if (fd == -1 || write(fd, value, strlen(value)) !=
	    (ssize_t)strlen(value)) {
		live_fail(l, "%s: %s", freezers[how].file, strerror(errno));
		good = false;
	}
	if (fd != -1)
		close(fd);
	until = live_now() + WAIT_FROZEN;
	while (good && !is_frozen(dir, how, freeze)) {
		if (live_now() > until) {
			live_fail(l, "not all of its processes %s after %g "
			    "seconds", freeze ? "stand still" : "go on",
			    WAIT_FROZEN);
			good = false;
		} else if (!live_sleep(l, TICK))
			good = false;
	}
	close(dir);
	r->n = 0;
	return good;
}

bool
act_freeze(struct live *l, const struct act *a, bool dry,
    struct act_result *r)
{
	const bool freeze = a->kind == ACT_FREEZE;
	char text[LIM_WHO + 64], who[LIM_WHO];
	struct target t;
	bool good = true;
	int error;

	if (!str_none(a->what))
		return freeze_cgroup(l, a, dry, r);
	if (!target_open(l, a->pid, a->start, true, &t))
		return false;
	process_who(&t.p, who);
	snprintf(text, sizeof text, "%.0f (%s)", a->pid, who);
	if (act_begins(l, dry, freeze ? "freeze" : "thaw", text, r, 0)) {
		error = target_signal(&t, freeze ? SIGSTOP : SIGCONT);
		good = error == 0 || cannot(l, &t, freeze ? "stopping" :
		    "going on", error, ": it takes that user, or root with "
		    "CAP_KILL");
		r->n = 0;
	}
	target_close(l, &t);
	return good;
}
