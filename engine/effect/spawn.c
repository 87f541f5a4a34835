/*
 * spawn: see spawn.h.
 *
 * The way of a child, in order: signals to their defaults, group or session,
 * descriptors, our origin's limits and nice, its own limits, user, folder,
 * exec.  What fails is written to the error pipe, whose end tells the parent
 * that exec has succeeded.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/effect/proc.h"
#include "engine/effect/spawn.h"

#define LIM_FD_SWEEP	65536		/* descriptors closed one by one on kernels
					 * before 5.11: some 3 ms */
#define LIM_RLIMIT	1e18		/* more is no limit, and fits rlim_t */
#define CPU_HARD_AFTER	2		/* seconds after SIGXCPU comes KILL */

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC	4
#endif
#ifndef SYS_close_range
#define SYS_close_range		436	/* the same on every architecture */
#endif

enum step { STEP_FDS, STEP_FORK, STEP_SESSION, STEP_LIMIT, STEP_USER, STEP_DIR,
    STEP_EXEC, STEP_PID };

/* What comes through the error pipe; of STEP_PID the value is a pid. */
struct report {
	int	step;
	int	value;
};

/* What the child needs from the parent, made before the fork. */
struct plan {
	const struct spawn *s;
	int		 err;		/* the error pipe's end */
	int		 null;		/* /dev/null, or -1: not needed */
	char		**env;
};

int
spawn_status(int w)
{
	if (WIFEXITED(w))
		return WEXITSTATUS(w);
	return WIFSIGNALED(w) ? 128 + WTERMSIG(w) : 128;
}

void
spawn_signal(pid_t pid, int sig)
{
	/* the child itself, too: it may have left its group */
	kill(pid, sig);
	kill(-pid, sig);
	if (sig == SIGTERM) {
		/* a stopped process acts on TERM only when it goes on */
		kill(pid, SIGCONT);
		kill(-pid, SIGCONT);
	}
}

static _Noreturn void
give_up(const struct plan *p, enum step step, int error)
{
	struct report r = { (int)step, error };
	ssize_t n;

	do
		n = write(p->err, &r, sizeof r);
	while (n == -1 && errno == EINTR);
	_exit(step == STEP_EXEC && error == ENOENT ? SPAWN_NOT_FOUND :
	    SPAWN_NOT_RUN);
}

static void
reset_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	/* the kernel's form: the C library keeps two signals to itself, and a
	 * parent's posix_spawn can have left them ignored */
	struct { void *handler; unsigned long flags; void *restorer;
	    unsigned long mask; } kernel = { NULL, 0, NULL, 0 };
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		if (sigaction(sig, &sa, NULL) != 0)
			(void)syscall(SYS_rt_sigaction, sig, &kernel, NULL,
			    sizeof kernel.mask);
}

/*
 * Everything above standard error goes at exec.  Our own descriptors do so by
 * themselves; this is for what we were started with and what a library left.
 */
static void
mark_fds(unsigned from, unsigned flag)
{
	unsigned fd;

	if (syscall(SYS_close_range, from, ~0U, flag) == 0)
		return;
	for (fd = from; fd < LIM_FD_SWEEP; fd++)
		if (flag == 0)
			close((int)fd);
		else
			fcntl((int)fd, F_SETFD, FD_CLOEXEC);
}

static void
place_fds(const struct plan *p)
{
	int i, fd;

	for (i = 0; i < 3; i++) {
		fd = p->s->fd[i] == -1 ? p->null : p->s->fd[i];
		if (dup2(fd, i) == -1)
			give_up(p, STEP_FDS, errno);
	}
}

static void
set_limit(const struct plan *p, unsigned what, double soft, double more)
{
	struct rlimit l;

	if (soft > LIM_RLIMIT)
		return;
	if (getrlimit(what, &l) != 0)
		give_up(p, STEP_LIMIT, errno);
	/* only ever down: a script cannot lift what the system set */
	if (l.rlim_max == RLIM_INFINITY || soft + more < (double)l.rlim_max)
		l.rlim_max = (rlim_t)(soft + more);
	if (soft < (double)l.rlim_max)
		l.rlim_cur = (rlim_t)soft;
	else
		l.rlim_cur = l.rlim_max;
	if (setrlimit(what, &l) != 0)
		give_up(p, STEP_LIMIT, errno);
}

static void
set_user(const struct plan *p)
{
	const struct user *u = p->s->user;

	/* already that user and without the right to set groups: nothing to do */
	if (geteuid() != 0 && geteuid() == u->uid && getuid() == u->uid)
		return;
	if (setgroups(u->ngroup, u->group) != 0 ||
	    setresgid(u->gid, u->gid, u->gid) != 0 ||
	    setresuid(u->uid, u->uid, u->uid) != 0)
		give_up(p, STEP_USER, errno);
	if (u->uid != 0 && setuid(0) == 0)
		give_up(p, STEP_USER, EPERM);
}

/* A file that is executable but has no format is a shell script (POSIX). */
static void
exec_script(const struct plan *p, char *file)
{
	char sh[] = "/bin/sh";
	size_t n;

	for (n = 0; p->s->argv[n] != NULL; n++)
		;
	{
		char *argv[n + 2];

		argv[0] = sh;
		argv[1] = file;
		memcpy(argv + 2, p->s->argv + 1, n * sizeof *argv);
		execve(argv[0], argv, p->env);
	}
}

/* Its user's environment, and under picketd what the sweeps go by. */
static void
take_env(const struct spawn *s, char *env[USER_ENV])
{
	size_t i, n = 0;

	for (i = 0; s->user->env[i] != NULL; i++)
		if (!s->detached || s->origin == NULL ||
		    strncmp(s->user->env[i], SPAWN_RUN_ID "=",
		    sizeof SPAWN_RUN_ID) != 0)
			env[n++] = s->user->env[i];
	if (s->mark != NULL && s->origin != NULL)
		env[n++] = (char *)(uintptr_t)s->mark;
	env[n] = NULL;
}

static void
exec_file(const struct plan *p, char *file)
{
	execve(file, p->s->argv, p->env);
	if (errno == ENOEXEC)
		exec_script(p, file);
}

static _Noreturn void
exec_command(const struct plan *p)
{
	const char *dir = p->s->path, *end;
	char file[PATH_MAX], *name = p->s->argv[0];
	size_t n = strlen(name), ndir;
	int error = ENOENT;

	if (strchr(name, '/') != NULL) {
		exec_file(p, name);
		give_up(p, STEP_EXEC, errno);
	}
	for (; n > 0 && *dir != '\0'; dir = *end == ':' ? end + 1 : end) {
		end = strchrnul(dir, ':');
		ndir = (size_t)(end - dir);
		/* a relative folder would run what others left there */
		if (*dir != '/' || ndir + n + 2 > sizeof file)
			continue;
		memcpy(file, dir, ndir);
		file[ndir] = '/';
		memcpy(file + ndir + 1, name, n + 1);
		exec_file(p, file);
		if (errno == EACCES)
			error = EACCES;		/* if no later one runs */
		else if (errno != ENOENT && errno != ENOTDIR &&
		    errno != ELOOP && errno != ENAMETOOLONG)
			give_up(p, STEP_EXEC, errno);
		else if (errno == ENOENT && access(file, F_OK) == 0)
			error = ENOEXEC;	/* its interpreter is missing */
	}
	give_up(p, STEP_EXEC, error);
}

/* The child itself, from its first instruction to exec. */
static _Noreturn void
become(const struct plan *p)
{
	const struct spawn *s = p->s;
	sigset_t none;

	reset_signals();
	if (!s->detached && setpgid(0, 0) != 0)
		give_up(p, STEP_SESSION, errno);
	place_fds(p);
	mark_fds(3, CLOSE_RANGE_CLOEXEC);
	if (s->detached && s->origin != NULL && s->origin->away > 0 &&
	    write(s->origin->away, "0", 1) == -1) {
		/* then it stays in the group of the run */
	}
	if (s->origin != NULL)
		spawn_origin_set(s->origin);
	if (s->origin != NULL && s->origin->mark != 0 && !s->detached)
		spawn_mark_set(s->origin->mark |
		    (s->mark != NULL ? SPAWN_MARK_EXEC : 0));
	if (s->memory > 0)
		set_limit(p, RLIMIT_AS, s->memory, 0);
	if (s->cpu > 0)
		set_limit(p, RLIMIT_CPU, ceil(s->cpu), CPU_HARD_AFTER);
	if (s->become)
		set_user(p);
	/* as that user: it must not get where it could not go itself */
	if (s->dir != NULL && chdir(s->dir) != 0)
		give_up(p, STEP_DIR, errno);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	exec_command(p);
}

/* True when the child has ended, which it may take some seconds for. */
static bool
watch(pid_t pid, double seconds)
{
	struct timespec now, end, left;
	siginfo_t si;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += (time_t)seconds;
	end.tv_nsec += (long)((seconds - floor(seconds)) * 1e9);
	for (;;) {
		/* not reaped yet: its number stays its own while we signal */
		memset(&si, 0, sizeof si);
		if (waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG |
		    WNOWAIT) == 0 && si.si_pid != 0)
			return true;
		clock_gettime(CLOCK_MONOTONIC, &now);
		left.tv_sec = end.tv_sec - now.tv_sec;
		left.tv_nsec = end.tv_nsec - now.tv_nsec;
		for (; left.tv_nsec < 0; left.tv_nsec += 1000000000)
			left.tv_sec--;
		for (; left.tv_nsec >= 1000000000; left.tv_nsec -= 1000000000)
			left.tv_sec++;
		if (left.tv_sec < 0)
			return false;
		sigtimedwait(&set, NULL, &left);
	}
}

/*
 * The watcher: a process that outlives us and keeps a written timeout.  It
 * holds nothing of ours and ends with its child's status.
 */
static _Noreturn void
watcher(const struct plan *p)
{
	struct timespec tick = { 0, 20000000 };
	sigset_t set;
	pid_t pid;
	int w, turn;

	reset_signals();
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_SETMASK, &set, NULL);
	if (!p->s->detached && setpgid(0, 0) != 0)
		give_up(p, STEP_SESSION, errno);
	pid = fork();
	if (pid == -1)
		give_up(p, STEP_FORK, errno);
	if (pid == 0) {
		struct spawn s = *p->s;
		struct plan q = { &s, p->err, p->null, p->env };

		s.detached = false;	/* a group of its own in any case */
		become(&q);
	}
	prctl(PR_SET_NAME, "picket-watch", 0, 0, 0);
	mark_fds(0, 0);
	if (chdir("/") != 0) {
		/* then it keeps the folder busy, no more */
	}
	if (!watch(pid, p->s->timeout)) {
		spawn_signal(pid, SIGTERM);
		watch(pid, SPAWN_TERM_WAIT);
		for (turn = 0; turn < 100 && proc_group_others(pid); turn++)
			nanosleep(&tick, NULL);
		spawn_signal(pid, SIGKILL);
	}
	if (waitpid(pid, &w, 0) != pid)
		_exit(128 + SIGKILL);
	_exit(spawn_status(w));
}

/* A session whose first process is gone at once: nobody's child. */
static _Noreturn void
detach(const struct plan *p)
{
	struct report r = { STEP_PID, 0 };
	pid_t pid;

	if (setsid() == -1)
		give_up(p, STEP_SESSION, errno);
	pid = fork();
	if (pid == -1)
		give_up(p, STEP_FORK, errno);
	if (pid == 0) {
		if (p->s->timeout > 0)
			watcher(p);
		become(p);
	}
	r.value = pid;
	_exit(write(p->err, &r, sizeof r) == sizeof r ? 0 : SPAWN_NOT_RUN);
}

/* Alone in its function: vfork's child uses the caller's stack. */
static __attribute__((noinline)) pid_t
start_vfork(const struct plan *p)
{
	pid_t pid = vfork();

	if (pid == 0)
		become(p);
	return pid;
}

static pid_t
start_fork(const struct plan *p)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (p->s->detached)
		detach(p);
	if (p->s->timeout > 0)
		watcher(p);
	become(p);
}

static void
explain(const struct spawn *s, struct spawn_result *res, int step, int error)
{
	const char *cmd = s->argv[0], *reason = strerror(error);
	size_t n = sizeof res->why;

	res->status = SPAWN_NOT_RUN;
	switch (step) {
	case STEP_LIMIT:
		snprintf(res->why, n, "cannot limit %s: %s", cmd, reason);
		return;
	case STEP_USER:
		snprintf(res->why, n, "cannot become user %s: %s",
		    s->user->name, reason);
		return;
	case STEP_DIR:
		snprintf(res->why, n, "cannot enter folder %s: %s", s->dir,
		    reason);
		return;
	case STEP_EXEC:
		break;
	default:
		snprintf(res->why, n, "cannot start %s: %s", cmd, reason);
		return;
	}
	if (error == ENOENT && strchr(cmd, '/') != NULL &&
	    access(cmd, F_OK) == 0)
		error = ENOEXEC;
	if (error == ENOENT || error == ENOTDIR) {
		res->status = SPAWN_NOT_FOUND;
		snprintf(res->why, n, strchr(cmd, '/') == NULL ?
		    "%s: not found in PATH" : "%s: not found", cmd);
	} else if (error == ENOEXEC)
		snprintf(res->why, n, "%s: its interpreter is missing", cmd);
	else if (error == EACCES)
		snprintf(res->why, n, "%s: not executable", cmd);
	else
		snprintf(res->why, n, "cannot run %s: %s", cmd, reason);
}

/* Reads the error pipe to its end.  True: exec has succeeded. */
static bool
hear(int fd, struct spawn_result *res, struct report *r)
{
	bool good = true;
	struct report got;
	ssize_t n;

	for (;;) {
		n = read(fd, &got, sizeof got);
		if (n == -1 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof got)
			return good;
		if (got.step == STEP_PID)
			res->detached = got.value;
		else {
			*r = got;
			good = false;
		}
	}
}

bool
spawn_start(const struct spawn *s, struct spawn_result *res)
{
	struct plan p = { .s = s, .err = -1, .null = -1 };
	bool plain = !s->become && !s->detached && s->timeout <= 0;
	struct report r = { STEP_FORK, 0 };
	char *env[USER_ENV];
	sigset_t all, old;
	int fd[2], i, reaps = 0;
	bool good;

	memset(res, 0, sizeof *res);
	if (pipe2(fd, O_CLOEXEC) != 0) {
		explain(s, res, STEP_FDS, errno);
		return false;
	}
	/* its ends must not lie where the child's 0, 1 and 2 will be */
	p.err = fcntl(fd[1], F_DUPFD_CLOEXEC, 3);
	r.value = errno;
	close(fd[1]);
	for (i = 0; i < 3; i++)
		if (s->fd[i] == -1 && p.null == -1 && p.err != -1) {
			int null = open("/dev/null", O_RDWR | O_CLOEXEC);

			p.null = null == -1 ? -1 :
			    fcntl(null, F_DUPFD_CLOEXEC, 3);
			r.value = errno;
			if (null != -1)
				close(null);
			if (p.null == -1)
				break;
		}
	if (p.err == -1 || i < 3) {
		explain(s, res, STEP_FDS, r.value);
		if (p.err != -1)
			close(p.err);
		close(fd[0]);
		return false;
	}

	take_env(s, env);
	p.env = env;
	/* a detached one is nobody's: where we get the children of children
	 * (picket-runner does) this one goes to who started us */
	if (s->detached && prctl(PR_GET_CHILD_SUBREAPER, &reaps, 0, 0, 0) == 0 &&
	    reaps != 0)
		(void)prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	res->pid = plain ? start_vfork(&p) : start_fork(&p);
	r.value = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);

	close(p.err);
	if (p.null != -1)
		close(p.null);
	good = res->pid != -1 && hear(fd[0], res, &r);
	close(fd[0]);
	if (good && !s->detached)
		return true;
	if (res->pid != -1)
		while (waitpid(res->pid, NULL, 0) == -1 && errno == EINTR)
			;
	if (reaps != 0)
		(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	res->pid = 0;
	if (!good)
		explain(s, res, r.step, r.value);
	return good;
}

void
spawn_helper(struct buf *path, const char *program)
{
	/* not for a program with the privileges of a file */
	const char *folder = secure_getenv("PICKET_LIBEXEC");

#ifdef PICKET_LIBEXECDIR
	if (folder == NULL || folder[0] != '/')
		folder = PICKET_LIBEXECDIR;
#endif
	if (folder != NULL) {
		buf_puts(path, folder);
		buf_putc(path, '/');
	}
	buf_puts(path, program);
}
