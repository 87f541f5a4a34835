/* target: see target.h. */
#include <sys/syscall.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/effect/act.h"
#include "engine/effect/facts.h"
#include "engine/effect/scarce_inner.h"
#include "engine/table/lines.h"

#define PROC_STAT	1024	/* bytes of a stat file: some 350 */
#define PF_KTHREAD	0x00200000	/* in the kernel since 2.6.30 */
#define TICK		0.01	/* seconds between looks where there is no pidfd */

/* --- what /proc says --- */

/* PID/NAME, or /proc/PID/NAME. */
static void
proc_path(const char *pid, const char *name, char to[64])
{
	snprintf(to, 64, "%.20s/%s", pid, name);
}

/* Bytes read, zero-terminated; -1 with errno, ESRCH where it has gone. */
static ssize_t
proc_file(int proc, const char *pid, const char *name, char *to, size_t n)
{
	char path[64];
	ssize_t got;
	int fd, error;

	proc_path(pid, name, path);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd == -1) {
		if (errno == ENOENT)
			errno = ESRCH;
		return -1;
	}
	do
		got = read(fd, to, n - 1);
	while (got == -1 && errno == EINTR);
	error = errno;
	close(fd);
	errno = got == 0 ? ESRCH : error;
	if (got <= 0)
		return -1;
	to[got] = '\0';
	return got;
}

/* The number behind so many blanks. */
static uint64_t
word(const char *p, int skip)
{
	while (skip > 0 && *p != '\0')
		skip -= *p++ == ' ';
	return strtoull(p, NULL, 10);
}

int
process_stat(int proc, const char *pid, struct process *p)
{
	char text[PROC_STAT];
	ssize_t n = proc_file(proc, pid, "stat", text, sizeof text);
	char *open, *end;

	if (n < 0)
		return errno == ESRCH ? 0 : -1;
	/* the name may hold anything: it ends at the last parenthesis */
	if ((open = strchr(text, '(')) == NULL ||
	    (end = memrchr(text, ')', (size_t)n)) == NULL || end < open ||
	    end + 3 >= text + n) {
		errno = EBADMSG;
		return -1;
	}
	p->pid = (pid_t)strtol(text, NULL, 10);
	p->ncomm = (size_t)(end - open - 1);
	if (p->ncomm > sizeof p->comm)
		p->ncomm = sizeof p->comm;
	memcpy(p->comm, open + 1, p->ncomm);
	p->state = end[2];
	p->ppid = (pid_t)word(end + 2, 1);
	p->kernel = (word(end + 2, 6) & PF_KTHREAD) != 0;
	p->start = word(end + 2, 19);
	return 1;
}

/*
 * Its effective user, and whether it has a number in another namespace.  By
 * lines: before the last of them stand its groups, which may be thousands.
 * EINVAL: the number is that of a thread, whose name and whose start are its
 * own, and what is done to it is done to its process.
 */
static int
process_status(int proc, const char *pid, struct process *p)
{
	struct lines l;
	struct str line, key, w;
	char path[64];
	double uid = NUM_NIL, group = NUM_NIL;

	proc_path(pid, "status", path);
	if (!lines_openat(&l, proc, path))
		return errno == ENOENT || errno == ESRCH ? 0 : -1;
	/* the name in the first line has no newline: the kernel writes \n */
	while (lines_next(&l, &line)) {
		key = line_part(&line, ':');
		if (str_none(line))
			continue;
		if (line_is(key, "Tgid"))
			group = line_word_number(&line);
		else if (line_is(key, "Uid")) {
			line_word(&line, &w);	/* the real one */
			uid = line_word_number(&line);
		} else if (line_is(key, "NSpid")) {
			line_word(&line, &w);
			p->other = line_word(&line, &w);
			break;
		}
	}
	lines_close(&l);
	if (l.error == ESRCH)
		return 0;
	errno = l.error != 0 ? l.error : num_none(uid) || num_none(group) ?
	    EBADMSG : group != p->pid ? EINVAL : 0;
	if (errno != 0)
		return -1;
	p->uid = (uid_t)uid;
	return 1;
}

int
process_at(int proc, const char *pid, struct process *p)
{
	int r;

	memset(p, 0, sizeof *p);
	r = process_stat(proc, pid, p);
	return r == 1 ? process_status(proc, pid, p) : r;
}

int
process_read(pid_t pid, struct process *p)
{
	char name[32];

	snprintf(name, sizeof name, "/proc/%ld", (long)pid);
	return process_at(AT_FDCWD, name, p);
}

void
process_who(const struct process *p, char to[LIM_WHO])
{
	char user[100];

	if (!str_none(p->user))
		snprintf(user, sizeof user, "%.*s", p->user.n > 90 ? 90 :
		    (int)p->user.n, p->user.p);
	else if (!passwd_name(p->uid, user, sizeof user))
		snprintf(user, sizeof user, "%lu", (unsigned long)p->uid);
	snprintf(to, LIM_WHO, "%.*s of %s", (int)p->ncomm, p->comm, user);
}

/* --- /etc/passwd --- */

/*
 * The first entry of that name or, if none is asked for, of that number.  Why
 * not getpwnam(3): it may ask a network, and a call into it cannot be ended.
 */
static bool
passwd_find(struct str name, uid_t *uid, char *to, size_t nto)
{
	char text[4096], *line, *nl, *colon, *end;
	size_t n = 0, k;
	ssize_t got;
	bool found = false;
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return false;
	while (!found && (got = read(fd, text + n, sizeof text - 1 - n)) > 0) {
		n += (size_t)got;
		text[n] = '\0';
		for (line = text; !found && (nl = memchr(line, '\n',
		    (size_t)(text + n - line))) != NULL; line = nl + 1) {
			unsigned long id;

			*nl = '\0';
			colon = strchr(line, ':');
			if (colon == NULL || (end = strchr(colon + 1, ':')) ==
			    NULL || end[1] < '0' || end[1] > '9')
				continue;
			id = strtoul(end + 1, NULL, 10);
			k = (size_t)(colon - line);
			if (name.p != NULL)
				found = str_eq(str_of(line, k), name);
			else
				found = id == *uid && k < nto;
			if (!found)
				continue;
			*uid = (uid_t)id;
			if (to != NULL)
				snprintf(to, nto, "%.*s", (int)k, line);
		}
		n = (size_t)(text + n - line);
		if (n == sizeof text - 1)
			n = 0;		/* no line of a user is so long */
		memmove(text, line, n);
	}
	close(fd);
	return found;
}

bool
passwd_uid(struct str name, uid_t *uid)
{
	return passwd_find(name, uid, NULL, 0);
}

bool
passwd_name(uid_t uid, char *to, size_t n)
{
	return passwd_find(STR_NIL, &uid, to, n);
}

int
target_user(struct live *l, struct str name, uid_t *uid)
{
	struct str answer = STR_NIL;
	double n;
	int r;

	if (passwd_uid(name, uid))
		return 1;
	n = num_parse(name, false);
	if (num_is_int(n) && n >= 0 && n < UINT32_MAX && name.n > 0 &&
	    name.p[0] >= '0' && name.p[0] <= '9') {
		*uid = (uid_t)n;
		return 1;
	}
	r = live_ask(l, FACT_UID, name, &answer);
	if (r == 1)
		*uid = (uid_t)num_parse(answer, false);
	return r;
}

/* --- what is not touched --- */

/* Picket and its parents, as they are now: a parent may have ended. */
static bool
find_own(struct live *l, struct act_state *s)
{
	struct process p;
	char self[32];
	ssize_t n = readlink("/proc/self", self, sizeof self - 1);
	pid_t pid = getpid();

	if (n > 0)
		self[n] = '\0';
	if (n <= 0 || strtol(self, NULL, 10) != pid) {
		live_fail(l, "/proc is not that of our pid namespace: its "
		    "numbers are not ours");
		return false;
	}
	for (s->nown = 0; pid > 0 && s->nown < LIM_PARENTS; pid = p.ppid) {
		s->own[s->nown++] = pid;
		if (pid == 1 || process_read(pid, &p) != 1)
			break;
	}
	return true;
}

static void
find_users(struct live *l, struct act_state *s)
{
	struct str name;
	char text[400];
	size_t i;
	int n;

	s->uid = mem_zalloc(l->mem, (l->o.nprotect + 1) * sizeof *s->uid);
	for (i = 0; i < l->o.nprotect; i++) {
		s->uid[i] = (uid_t)-1;
		if (!str_starts(l->o.protect[i], "user:"))
			continue;
		if (l->o.scarce != NULL)
			continue;	/* compared by name then */
		name = str_of(l->o.protect[i].p + 5, l->o.protect[i].n - 5);
		if (target_user(l, name, &s->uid[i]) != 1) {
			n = snprintf(text, sizeof text, "picket.conf: protect "
			    "user:%.*s: there is no such user: nothing is "
			    "protected by it", (int)name.n, name.p);
			log_line(l, LOG_WARNING, str_of(text, (size_t)n));
		}
	}
}

struct act_state *
act_state(struct live *l)
{
	if (l->act == NULL) {
		l->act = mem_zalloc(l->mem, sizeof *l->act);
		l->act->pidfd = -1;
		find_users(l, l->act);
	}
	if (l->o.scarce != NULL)
		scarce_own(l, l->act);
	else if (!find_own(l, l->act))
		return NULL;
	return l->act;
}

void
act_state_free(struct live *l)
{
	if (l->act == NULL)
		return;
	if (l->act->pidfd != -1)
		close(l->act->pidfd);
	sweep_free(l, l->act);
	if (l->act->uid != NULL)
		mem_free(l->mem, l->act->uid, (l->o.nprotect + 1) *
		    sizeof *l->act->uid);
	mem_free(l->mem, l->act, sizeof *l->act);
	l->act = NULL;
}

/* The pattern as a C string; it is one of picket.conf, so it fits. */
static bool
fits(struct str pattern, const char *text)
{
	char p[256];

	if (pattern.n >= sizeof p)
		return false;
	memcpy(p, pattern.p, pattern.n);
	p[pattern.n] = '\0';
	return fnmatch(p, text, 0) == 0;
}

/* Is one part of a path of its cgroups the unit's name? */
static bool
part_fits(struct str unit, struct str path)
{
	char part[NAME_MAX + 1];
	struct str s;

	while (!str_none(path)) {
		s = line_part(&path, '/');
		if (s.n >= sizeof part)
			continue;
		memcpy(part, s.p, s.n);
		part[s.n] = '\0';
		if (fits(unit, part))
			return true;
		/* "ssh" is ssh.service */
		if (!str_ends(s, ".service"))
			continue;
		part[s.n - (sizeof ".service" - 1)] = '\0';
		if (fits(unit, part))
			return true;
	}
	return false;
}

static bool
in_unit(const struct live *live, const struct process *p, struct str unit)
{
	struct str place[2];
	struct lines l;
	struct str line;
	char path[64];
	bool is = false;

	if (live->o.scarce != NULL) {
		scarce_places(live, p->pid, place);
		return str_none(place[0]) || part_fits(unit, place[0]) ||
		    (!str_none(place[1]) && part_fits(unit, place[1]));
	}
	snprintf(path, sizeof path, "/proc/%ld/cgroup", (long)p->pid);
	/* what cannot be judged is protected; what has gone needs it not */
	if (!lines_openat(&l, AT_FDCWD, path))
		return errno != ENOENT && errno != ESRCH;
	while (!is && lines_next(&l, &line)) {
		line_part(&line, ':');
		line_part(&line, ':');
		is = part_fits(unit, line);
	}
	lines_close(&l);
	return is;
}

/* A name longer than the kernel keeps stands for what it keeps of it. */
static bool
name_fits(const struct process *p, struct str pattern)
{
	char comm[LIM_COMM + 1];

	memcpy(comm, p->comm, p->ncomm);
	comm[p->ncomm] = '\0';
	return fits(pattern, comm) || (pattern.n > 15 && p->ncomm == 15 &&
	    memcmp(pattern.p, comm, 15) == 0);
}

bool
process_protected(struct live *l, const struct process *p, char *why, size_t n)
{
	struct act_state *s = l->act;
	struct str rule;
	size_t i;
	bool is;

	if (p->pid == 1)
		snprintf(why, n, "it is the first process, on which all others "
		    "depend");
	else if (p->kernel)
		snprintf(why, n, "it is a thread of the kernel");
	else if (p->other)
		snprintf(why, n, "it is in another pid namespace (a "
		    "container's)");
	else {
		for (i = 0; i < s->nown && s->own[i] != p->pid; i++)
			;
		if (i < s->nown) {
			snprintf(why, n, i == 0 ? "it is Picket itself" :
			    "it is a parent of Picket");
			return true;
		}
		for (i = 0; i < l->o.nprotect; i++) {
			rule = l->o.protect[i];
			if (str_starts(rule, "user:"))
				is = l->o.scarce != NULL ? str_eq(scarce_user(l,
				    p->uid), str_of(rule.p + 5, rule.n - 5)) :
				    s->uid[i] != (uid_t)-1 &&
				    s->uid[i] == p->uid;
			else if (str_starts(rule, "unit:"))
				is = in_unit(l, p, str_of(rule.p + 5,
				    rule.n - 5));
			else
				is = name_fits(p, rule);
			if (is) {
				snprintf(why, n, "it is protected by "
				    "picket.conf (protect %.*s)", (int)rule.n,
				    rule.p);
				return true;
			}
		}
		return false;
	}
	return true;
}

/* --- one process --- */

static int
pidfd_of(pid_t pid)
{
#ifdef SYS_pidfd_open
	return (int)syscall(SYS_pidfd_open, pid, 0);
#else
	errno = ENOSYS;
	return -1;
#endif
}

static int
pidfd_signal(int pidfd, int sig)
{
#ifdef SYS_pidfd_send_signal
	return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) == 0 ? 0 :
	    errno;
#else
	return ENOSYS;
#endif
}

bool
target_scarce(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM;
}

int
target_look(struct live *l, pid_t pid, int proc, const char *path,
    struct target *t)
{
	int r;

	if (l->o.scarce != NULL)
		return scarce_look(l, pid, t);
	memset(t, 0, sizeof *t);
	t->pidfd = pidfd_of(pid);
	if (t->pidfd == -1 && errno == ESRCH)
		return 0;
	/* that of a thread is EINVAL or, since Linux 6.15, ENOENT: its status
	 * says so, as it does where there is no pidfd */
	r = process_at(proc, path, &t->p);
	if (r == -1 && t->pidfd != -1 && target_scarce(errno)) {
		/* the last descriptor is better used for looking */
		close(t->pidfd);
		t->pidfd = -1;
		r = process_at(proc, path, &t->p);
	}
	l->act->pidfd = t->pidfd;
	return r;
}

bool
target_open(struct live *l, double pid, double start, bool touch,
    struct target *t)
{
	char why[LIM_WHY - 100], who[LIM_WHO], name[32];
	int r;

	t->pidfd = -1;
	t->q = NULL;
	if (act_state(l) == NULL)
		return false;
	snprintf(name, sizeof name, "/proc/%.0f", pid);
	r = target_look(l, (pid_t)pid, AT_FDCWD, name, t);
	if (r <= 0) {
		if (r == 0)
			live_fail(l, "there is no process %.0f (any more)",
			    pid);
		else if (errno == EINVAL)
			live_fail(l, "%.0f is a thread of a process, no "
			    "process", pid);
		else
			live_fail(l, "process %.0f cannot be looked at: %s",
			    pid, strerror(errno));
		target_close(l, t);
		return false;
	}
	process_who(&t->p, who);
	if (t->p.state == 'Z' || t->p.state == 'X')
		live_fail(l, "process %.0f (%s) has ended already; its parent, "
		    "%ld, has not waited for it", pid, who, (long)t->p.ppid);
	else if (!num_is_nil(start) && (double)t->p.start != start)
		live_fail(l, "process %.0f is not the one that was meant: the "
		    "number is now that of %s, started at %llu, not %.0f", pid,
		    who, (unsigned long long)t->p.start, start);
	else if (touch && process_protected(l, &t->p, why, sizeof why))
		live_fail(l, "refused: process %.0f (%s) is not touched: %s",
		    pid, who, why);
	else
		return true;
	target_close(l, t);
	return false;
}

/* Is it still the one that was looked at?  Where a pidfd says it, no look
 * is needed. */
static bool
same(const struct target *t)
{
	struct process now;
	char name[32];

	if (t->pidfd != -1)
		return true;
	if (t->q != NULL)
		return snapshot_alive(t->snapshot, t->q);
	snprintf(name, sizeof name, "/proc/%ld", (long)t->p.pid);
	return process_stat(AT_FDCWD, name, &now) == 1 &&
	    now.start == t->p.start;
}

int
target_signal(const struct target *t, int sig)
{
	int error = ENOSYS;

	if (t->pidfd != -1)
		error = pidfd_signal(t->pidfd, sig);
	if (error != ENOSYS)
		return error;
	/* without a pidfd there is a moment between these two, in which the
	 * number would have to be given out anew */
	if (!same(t))
		return ESRCH;
	return kill(t->p.pid, sig) == 0 ? 0 : errno;
}

bool
target_gone(const struct target *t)
{
	struct pollfd p = { .fd = t->pidfd, .events = POLLIN };
	struct process now;
	char name[32];
	int r;

	if (t->pidfd != -1)
		return poll(&p, 1, 0) > 0;
	if (t->q != NULL && (t->q->fd != -1 || !snapshot_alive(t->snapshot,
	    t->q)))
		return !snapshot_alive(t->snapshot, t->q);
	snprintf(name, sizeof name, "/proc/%ld", (long)t->p.pid);
	r = process_stat(AT_FDCWD, name, &now);
	return r == 0 || (r == 1 && (now.start != t->p.start ||
	    now.state == 'Z' || now.state == 'X'));
}

int
target_wait(struct live *l, const struct target *t, double until)
{
	struct pollfd p[2] = { { .fd = t->pidfd, .events = POLLIN } };
	double tick;
	int r;

	live_flush(l);
	if (t->pidfd != -1)
		return live_poll(l, p, 1, until, true);
	while (!target_gone(t)) {
		tick = live_now() + TICK;
		r = live_poll(l, p, 0, tick < until ? tick : until, true);
		if (r != 0 || live_now() >= until)
			return r;
	}
	return 1;
}

void
target_close(struct live *l, struct target *t)
{
	if (t->pidfd != -1)
		close(t->pidfd);
	t->pidfd = -1;
	if (l->act != NULL)
		l->act->pidfd = -1;
}
