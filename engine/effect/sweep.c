/*
 * sweep: #killall: all processes of one user with one name, looked for again
 * and again until there are none.  Why sweeps: while some are ended others
 * are started; who is quick enough wins, and who is not learns who starts
 * them.  No memory is taken for a process and no child is started: a storm
 * is when there is neither.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lang/base/signals.h"
#include "engine/effect/act.h"
#include "engine/effect/facts.h"
#include "engine/effect/scarce_inner.h"

#define LIM_SWEEPS	50	/* that found new ones: what is started faster
				 * than it is found is not won by more of them */
#define LIM_YOUNG	200	/* processes that were started during a sweep:
				 * more end it, else it would run after a storm
				 * for ever */
#define LIM_DYING	10.0	/* seconds for what has had its signal to end:
				 * a process that writes its memory back takes
				 * some, one that ignores it takes for ever */
#define LIM_KNOWN	16384	/* processes remembered, a power of two; more get
				 * a signal in each sweep, which does no harm */
#define LIM_BLAMED	3	/* parents named */
#define DYING_MIN	0.001	/* seconds between two looks at the dying */
#define DYING_MAX	0.05

enum fate { FATE_NONE, FATE_SIGNALLED, FATE_DENIED, FATE_KEPT, FATE_ENDED };

struct known {
	uint64_t	 id;		/* when it was started; of one that has ended
					 * the inode of its folder, by which a
					 * sweep knows it without a look */
	pid_t		 pid;		/* 0: free */
	enum fate	 fate;
};

struct sweep {
	struct live	*l;
	int		 proc;		/* /proc */
	uid_t		 uid;
	struct str	 comm;
	int		 sig;
	bool		 look;		/* count, and touch nothing */
	struct known	*known;
	size_t		 nknown;
	size_t		 done;		/* got the signal, all in all */
	uint64_t	 now;		/* ticks, when this sweep began */
	/* of this sweep */
	size_t		 fresh;		/* got the signal in it */
	size_t		 young;		/* were started after it had begun */
	size_t		 dying, denied, kept;
	pid_t		 left;		/* one of those that are left */
	struct {
		pid_t	 pid;
		size_t	 n;
	} parent[LIM_BLAMED];
	char		 why[LIM_WHY / 2];	/* of the first that was denied or
					 * kept */
	int		 blind;		/* errno: something could not be looked at */
};

static size_t
place(const struct sweep *s, pid_t pid)
{
	size_t i = (size_t)pid * 2654435761u % LIM_KNOWN;

	while (s->known[i].pid != 0 && s->known[i].pid != pid)
		i = (i + 1) % LIM_KNOWN;
	return i;
}

static enum fate
fate(const struct sweep *s, const struct process *p)
{
	const struct known *k = &s->known[place(s, p->pid)];

	return k->pid != 0 && k->id == p->start &&
	    k->fate != FATE_ENDED ? k->fate : FATE_NONE;
}

static void
remember(struct sweep *s, pid_t pid, uint64_t id, enum fate fate)
{
	struct known *k = &s->known[place(s, pid)];

	if (k->pid == 0 && ++s->nknown > LIM_KNOWN * 3 / 4) {
		s->nknown--;		/* a full table would be searched for
					 * ever */
		return;
	}
	*k = (struct known){ id, pid, fate };
}

/* The first reason is told. */
static void
say_why(struct sweep *s, const struct process *p, const char *why)
{
	if (s->why[0] == '\0')
		snprintf(s->why, sizeof s->why, "%ld: %s", (long)p->pid, why);
}

static void
blame(struct sweep *s, pid_t parent)
{
	size_t i;

	for (i = 0; i < LIM_BLAMED; i++)
		if (s->parent[i].n == 0 || s->parent[i].pid == parent) {
			s->parent[i].pid = parent;
			s->parent[i].n++;
			return;
		}
}

/* One that matched; it may have changed or gone since. */
static void
hit(struct sweep *s, const char *pid)
{
	struct target t;
	char why[LIM_WHY / 2 - 20];
	int error, r;

	/* the first look was before there was a pidfd: this one counts */
	r = target_look(s->l, (pid_t)strtol(pid, NULL, 10), s->proc, pid, &t);
	if (r == -1)
		s->blind = errno;
	if (r != 1 || t.p.uid != s->uid || t.p.other || t.p.kernel ||
	    t.p.state == 'Z' || t.p.state == 'X' ||
	    !str_eq(str_of(t.p.comm, t.p.ncomm), s->comm))
		;
	else if (process_protected(s->l, &t.p, why, sizeof why)) {
		say_why(s, &t.p, why);
		remember(s, t.p.pid, t.p.start, FATE_KEPT);
		s->kept++;
	} else if (s->look)
		s->done++;
	else if ((error = target_signal(&t, s->sig)) == 0) {
		remember(s, t.p.pid, t.p.start, FATE_SIGNALLED);
		blame(s, t.p.ppid);
		s->left = t.p.pid;
		s->fresh++;
		s->done++;
	} else if (error != ESRCH) {
		say_why(s, &t.p, strerror(error));
		remember(s, t.p.pid, t.p.start, FATE_DENIED);
		s->denied++;
	}
	target_close(s->l, &t);
}

/*
 * A folder of /proc.  The dead that nobody waited for are looked at once: in a
 * storm they are thousands, and a sweep must be quicker than the next start.
 */
static void
one(struct sweep *s, const char *pid, uint64_t inode)
{
	const pid_t number = (pid_t)strtol(pid, NULL, 10);
	const struct known *k = &s->known[place(s, number)];
	struct process p;
	struct stat st;
	int r;

	if (k->pid != 0 && k->fate == FATE_ENDED && k->id == inode)
		return;
	/* the folder's owner is its effective user */
	if (fstatat(s->proc, pid, &st, 0) != 0 || st.st_uid != s->uid)
		return;
	r = process_stat(s->proc, pid, &p);
	/* what we may not see (hidepid) is not there for us; but nobody may
	 * say that none is left where nothing could be seen */
	if (r == -1 && errno != EACCES && errno != EPERM)
		s->blind = errno;
	if (r == 1 && (p.state == 'Z' || p.state == 'X')) {
		remember(s, number, inode, FATE_ENDED);
		return;
	}
	if (r != 1 || p.kernel || !str_eq(str_of(p.comm, p.ncomm), s->comm))
		return;
	switch (fate(s, &p)) {
	case FATE_SIGNALLED:
		s->dying++;
		s->left = p.pid;
		return;
	case FATE_DENIED:
		s->denied++;
		return;
	case FATE_KEPT:
		s->kept++;
		return;
	case FATE_NONE: case FATE_ENDED:
		break;
	}
	if (p.start > s->now)
		s->young++;
	hit(s, pid);
}

/* False with the reason. */
static bool
sweep(struct sweep *s)
{
	_Alignas(struct dirent64) char text[32 * 1024];
	struct timespec t;
	struct dirent64 *e;
	ssize_t n, at;

	s->fresh = s->dying = s->denied = s->kept = 0;
	s->young = 0;
	s->blind = 0;
	memset(s->parent, 0, sizeof s->parent);
	clock_gettime(CLOCK_BOOTTIME, &t);
	s->now = (uint64_t)t.tv_sec * (uint64_t)sysconf(_SC_CLK_TCK) +
	    (uint64_t)t.tv_nsec * (uint64_t)sysconf(_SC_CLK_TCK) / 1000000000;
	if (lseek(s->proc, 0, SEEK_SET) != 0) {
		live_fail(s->l, "/proc: %s", strerror(errno));
		return false;
	}
	while ((n = getdents64(s->proc, text, sizeof text)) > 0) {
		for (at = 0; at < n; at += e->d_reclen) {
			e = (struct dirent64 *)(void *)(text + at);
			if (e->d_name[0] >= '1' && e->d_name[0] <= '9')
				one(s, e->d_name, e->d_ino);
		}
		if (live_stop(s->l))
			return false;
		if (s->young > LIM_YOUNG)
			break;
	}
	if (n < 0)
		s->blind = errno;
	if (s->blind != 0)
		live_fail(s->l, "/proc: %s", strerror(s->blind));
	return s->blind == 0;
}

/* "4711 (webmail of apache)", for those that started the last ones. */
static void
blamed(const struct sweep *s, char *to, size_t n)
{
	struct process p;
	char who[LIM_WHO];
	size_t i, k = 0;

	to[0] = '\0';
	for (i = 0; i < LIM_BLAMED && s->parent[i].n > 0 && k < n; i++) {
		if (process_read(s->parent[i].pid, &p) == 1)
			process_who(&p, who);
		else
			strcpy(who, "it has ended");
		k += (size_t)snprintf(to + k, n - k, "%s%ld (%s)",
		    i == 0 ? "" : ", ", (long)s->parent[i].pid, who);
	}
}

/* Why some are left, for people. */
static void
give_up(struct sweep *s, const char *how)
{
	char parents[LIM_BLAMED * (LIM_WHO / 2 + 20)], stopped[LIM_WHO / 4];
	size_t left = s->fresh + s->dying;

	if (s->blind != 0)
		live_fail(s->l, "%zu got the signal; whether more are left "
		    "could not be seen: %s", s->done, how);
	else if (left > 0 && s->fresh > 0) {
		blamed(s, parents, sizeof parents);
		live_fail(s->l, "%zu ended, %zu are left (%s): started again "
		    "by %s", s->done, left, how, parents);
	} else if (left > 0)
		live_fail(s->l, "%zu got the signal, and %zu of them go on "
		    "(%s), so %ld", s->done, left, how, (long)s->left);
	else {
		snprintf(stopped, sizeof stopped, "%s", s->kept > 0 ?
		    "not touched" : "not allowed");
		live_fail(s->l, "%zu ended, %zu are left: %s: %s", s->done,
		    s->kept + s->denied, stopped, s->why);
	}
}

/* Sweeps until none is left; false with the reason. */
static bool
sweep_all(struct sweep *s)
{
	double wait = DYING_MIN, since = live_now();
	char how[LIM_WHY / 4];
	unsigned n = 0;

	for (;;) {
		if (!sweep(s)) {
			/* the reason is the run's end, or /proc's */
			snprintf(how, sizeof how, "%.100s", s->l->why);
			give_up(s, how);
			return false;
		}
		if (s->fresh + s->dying == 0) {
			if (s->denied + s->kept == 0)
				return true;
			give_up(s, "");
			return false;
		}
		if (s->fresh > 0) {
			if (++n == LIM_SWEEPS) {
				snprintf(how, sizeof how, "after %u sweeps", n);
				give_up(s, how);
				return false;
			}
			wait = DYING_MIN;
			since = live_now();
			continue;
		}
		/* all of them have had it: they need a little time */
		if (live_now() - since > LIM_DYING) {
			snprintf(how, sizeof how, "for %g seconds", LIM_DYING);
			give_up(s, how);
			return false;
		}
		(void)live_sleep(s->l, wait);
		wait = wait * 2 < DYING_MAX ? wait * 2 : DYING_MAX;
	}
}

bool
act_killall(struct live *l, const struct act *a, bool dry,
    struct act_result *r)
{
	char text[LIM_WHO + 64];
	struct sweep s = { .l = l, .comm = a->comm, .proc = -1 };
	double began = live_now();
	bool good;
	int found;

	if (l->o.scarce != NULL)
		return scarce_killall(l, a, dry, r);
	s.sig = signal_number(a->sig);
	s.look = dry || s.sig == 0;
	if (act_state(l) == NULL ||
	    (found = target_user(l, a->user, &s.uid)) == -1)
		return false;
	if (found == 0) {
		live_fail(l, "there is no user \"%.*s\"", a->user.n > 100 ?
		    100 : (int)a->user.n, a->user.p);
		return false;
	}
	if (a->comm.n > 15) {
		live_fail(l, "no process has a name of more than 15 bytes: "
		    "give the first 15");
		return false;
	}
	snprintf(text, sizeof text, "%.*s %.*s %.*s", a->user.n > 100 ? 100 :
	    (int)a->user.n, a->user.p, (int)a->comm.n, a->comm.p,
	    (int)a->sig.n, a->sig.p);
	if (l->act->known == NULL)
		l->act->known = mem_alloc(l->mem, LIM_KNOWN *
		    sizeof *s.known);
	s.known = l->act->known;
	memset(s.known, 0, LIM_KNOWN * sizeof *s.known);
	if (!s.look)
		(void)act_begins(l, dry, "killall", text, r, 0);
	s.proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s.proc == -1) {
		live_fail(l, "/proc: %s", strerror(errno));
		return false;
	}
	good = s.look ? sweep(&s) : sweep_all(&s);
	close(s.proc);
	r->n = (double)s.done;
	if (!s.look) {
		snprintf(text + strlen(text), sizeof text - strlen(text),
		    ": %zu%s in %.2fs", s.done, good ? ", none is left," :
		    "", live_now() - began);
		log_command(l, "killall", str_c(text));
		log_audit(l, "killall", text);
	} else if (good && dry && s.sig != 0)
		(void)act_begins(l, dry, "killall", text, r, r->n);
	return good;
}

void
sweep_free(struct live *l, struct act_state *s)
{
	if (s->known != NULL)
		mem_free(l->mem, s->known, LIM_KNOWN * sizeof *s->known);
}
