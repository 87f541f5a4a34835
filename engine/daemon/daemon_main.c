/*
 * picketd: the scheduler.  It is small and locked in memory, has no network
 * socket, and starts a process for everything that can fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/daemon/daemon.h"
#include "engine/daemon/notify.h"
#include "engine/effect/spawn.h"
#include "engine/vm/clock.h"

#define END_RUNS	5.0	/* seconds for runs to end by themselves */
#define END_RUNS_KILL	8.0	/* from the beginning: TERM, then KILL */
#define END_LEAVE	8.8	/* then nothing more is told */
#define END_STORE_AT	9.3	/* then the store goes, too */
#define LIM_FILES	512	/* descriptors: LIM_RUNS runs with three each, as
				 * many clients as may be, and what is below */
#define LIM_FILES_LEAST	80	/* what stays open, the reserve of children.c, a
				 * reload, and eight runs */
#define OOM_ADJ		"-900"	/* the last but what the system itself cannot do
				 * without */

static struct daemon picketd;
static struct spawn_origin origin;

/* --- what the rest calls --- */

static struct timer log_later;

static void
on_log_later(struct timer *t)
{
	struct daemon *d = t->arg;
	double again = logger_tick(&d->log);

	if (again >= 0)
		timer_set(&d->loop, t, d->loop.now + again);
}

void
daemon_say(struct daemon *d, enum logger_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	logger_vsay(&d->log, level, fmt, ap);
	va_end(ap);
	/* who started us looks there why it did not work */
	if (level == SAY_ERROR && !d->ready && d->log.to != LOG_TO_STDERR) {
		va_start(ap, fmt);
		(void)fputs("picketd: ", stderr);
		(void)vfprintf(stderr, fmt, ap);
		(void)fputc('\n', stderr);
		va_end(ap);
	}
	/* it may have been held back, as it comes again and again */
	if (log_later.fire != NULL && !log_later.set)
		timer_set(&d->loop, &log_later, d->loop.now + LOG_REPEAT);
}

void
daemon_helper(char to[PATH_MAX], const char *program)
{
	const char *folder = secure_getenv("PICKET_LIBEXEC");

	(void)snprintf(to, PATH_MAX, "%s/%s", folder != NULL &&
	    folder[0] == '/' ? folder : PICKET_LIBEXECDIR, program);
}

/*
 * The end, in steps: no run is started; those that go on have END_RUNS
 * seconds, then TERM, then KILL; then what has to be told is told, the
 * services go, the store last.  It never takes longer than LIM_END.
 */
static struct {
	struct timer	 timer;
	double		 began;
	enum { END_WAIT, END_TERM, END_KILL, END_NEWS, END_SERVICES, END_STORE,
	    END_DONE }	 step;
} end;

static bool
any_service(const struct daemon *d, unsigned from, unsigned to)
{
	unsigned i;

	for (i = from; i <= to; i++)
		if (d->service[i].child != NULL)
			return true;
	return false;
}

static void
on_end(struct timer *t)
{
	struct daemon *d = t->arg;
	double gone = clock_steady() - end.began;

	switch (end.step) {
	case END_WAIT:
		if (d->nrun > 0 && gone < END_RUNS)
			break;
		if (d->nrun > 0)
			runs_signal(d, SIGTERM);
		end.step = END_TERM;
		/* FALLTHROUGH */
	case END_TERM:
		if (d->nrun > 0 && gone < END_RUNS_KILL)
			break;
		if (d->nrun > 0)
			runs_signal(d, SIGKILL);
		end.step = END_KILL;
		/* FALLTHROUGH */
	case END_KILL:
		if (d->nrun > 0 && gone < END_RUNS_KILL + 0.5)
			break;
		end.step = END_NEWS;
		/* FALLTHROUGH */
	case END_NEWS:
		if (news_waiting(d) && gone < END_LEAVE)
			break;
		services_stop(d, SERVICE_COURIER, SERVICE_HTTP);
		end.step = END_SERVICES;
		/* FALLTHROUGH */
	case END_SERVICES:
		if (any_service(d, SERVICE_COURIER, SERVICE_HTTP) &&
		    gone < END_STORE_AT)
			break;
		services_stop(d, SERVICE_STORE, SERVICE_STORE);
		end.step = END_STORE;
		/* FALLTHROUGH */
	case END_STORE:
		if (any_service(d, SERVICE_STORE, SERVICE_STORE) &&
		    gone < LIM_END - 0.2)
			break;
		end.step = END_DONE;
		/* FALLTHROUGH */
	case END_DONE:
		d->loop.end = true;
		return;
	}
	timer_set(&d->loop, t, d->loop.now + 0.02);
}

void
daemon_stop(struct daemon *d)
{
	if (d->stopping)
		return;
	d->stopping = true;
	notify_say("STOPPING=1");
	end.began = clock_steady();
	load_stop(d);
	end.timer = (struct timer){ .fire = on_end, .arg = d };
	timer_set(&d->loop, &end.timer, end.began);
}

/*
 * Into the background, as daemons do it: a session of its own, and not its
 * leader, so that no terminal that is opened becomes its own.  The parent
 * stays until the child is ready, and ends with its word.  Returns the
 * descriptor that the word is given to.
 */
static int
go_behind(void)
{
	unsigned char word = EXIT_PROBLEMS;
	int p[2];
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) != 0 || (pid = fork()) == -1) {
		perror("picketd: cannot go into the background");
		exit(EXIT_PROBLEMS);
	}
	if (pid == 0) {
		(void)close(p[0]);
		(void)setsid();
		pid = fork();
		if (pid == 0)
			return p[1];
		if (pid == -1)
			perror("picketd: cannot go into the background");
		_exit(EXIT_PROBLEMS);
	}
	(void)close(p[1]);
	while (read(p[0], &word, 1) == -1 && errno == EINTR)
		;
	_exit(word);
}

static void
ready(struct daemon *d, int word)
{
	unsigned char fine = EXIT_FINE;
	int null;

	(void)d;
	if (word == -1)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null != -1) {
		(void)dup2(null, 0);
		(void)dup2(null, 1);
		(void)dup2(null, 2);
		(void)close(null);
	}
	(void)!write(word, &fine, 1);
	(void)close(word);
}

#define PICKETD_NICE	(-10)	/* as RUNNER_NICE */

/* What is not granted is shown by status, and work goes on. */
static void
lacks_why(struct daemon *d, const char *what, const char *why)
{
	size_t n = strlen(d->missing);

	(void)snprintf(d->missing + n, sizeof d->missing - n, "%s%s: %s",
	    n > 0 ? "\n" : "", what, why);
	daemon_say(d, SAY_INFO, "%s: %s; goes on without", what, why);
}

static void
lacks(struct daemon *d, const char *what, int error)
{
	lacks_why(d, what, strerror(error));
}

/*
 * Descriptors, before any is taken: all that may be had, and more if we may
 * take it.
 */
static bool
take_files(struct daemon *d)
{
	struct rlimit l, more;

	if (getrlimit(RLIMIT_NOFILE, &l) != 0)
		return true;
	more.rlim_max = l.rlim_max < LIM_FILES ? LIM_FILES : l.rlim_max;
	more.rlim_cur = more.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &more) == 0)
		return true;
	l.rlim_cur = l.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &l);
	if (l.rlim_max >= LIM_FILES_LEAST)
		return true;
	daemon_say(d, SAY_ERROR, "picketd needs %d open files, and it may "
	    "have only %llu: raise the hard limit (ulimit -Hn, LimitNOFILE= "
	    "of a unit) to %d, or better to %d", LIM_FILES_LEAST,
	    (unsigned long long)l.rlim_max, LIM_FILES_LEAST, LIM_FILES);
	return false;
}

static void
harden(struct daemon *d)
{
	int fd;

	/* what a killed runner leaves comes to us */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		lacks(d, "to get the children of killed runs", errno);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd == -1 || write(fd, OOM_ADJ, sizeof OOM_ADJ - 1) == -1)
		lacks(d, "oom_score_adj " OOM_ADJ, errno);
	else
		children_adjusted(origin.oom_score_adj);
	if (fd != -1)
		(void)close(fd);
}

void
daemon_lock_memory(struct daemon *d)
{
	struct rlimit l;

	/* with a limit, what is mapped later would fail instead of swap */
	if (geteuid() != 0 && (getrlimit(RLIMIT_MEMLOCK, &l) != 0 ||
	    l.rlim_cur != RLIM_INFINITY))
		lacks(d, "mlockall", EPERM);
	else if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
		lacks(d, "mlockall", errno);
}

/*
 * Before what scripts have started, in our session and among sessions, which
 * some kernels share out their time by.
 */
static void
hurry(struct daemon *d)
{
	int fd = -1;

	if (!children_hurry(PICKETD_NICE))
		lacks(d, "nice -10", errno);
	else if (getsid(0) == getpid())
		fd = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return;
	if (write(fd, "-10", 3) == -1)
		daemon_say(d, SAY_DEBUG, "/proc/self/autogroup: %s",
		    strerror(errno));
	(void)close(fd);
}

/* --- signals --- */

static void
on_signal(struct watch *w, short revents)
{
	struct daemon *d = w->arg;
	struct signalfd_siginfo si;

	(void)revents;
	while (read(w->fd, &si, sizeof si) == (ssize_t)sizeof si)
		switch ((int)si.ssi_signo) {
		case SIGCHLD:
			break;		/* below: one may stand for many */
		case SIGHUP:
			daemon_say(d, SAY_INFO, "SIGHUP: reload");
			load_again(d);
			break;
		case SIGUSR1:
			logger_reopen(&d->log);
			break;
		case SIGTERM:
		case SIGINT:
			daemon_say(d, SAY_NOTICE, "%s: ends",
			    si.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
			daemon_stop(d);
			break;
		}
	children_reap(d);
}

static bool
take_signals(struct daemon *d)
{
	static const int mine[] = { SIGCHLD, SIGHUP, SIGUSR1, SIGTERM, SIGINT };
	sigset_t set;
	size_t i;
	int fd;

	sigemptyset(&set);
	for (i = 0; i < sizeof mine / sizeof *mine; i++) {
		sigaddset(&set, mine[i]);
		/* whoever started us may have them ignored */
		(void)signal(mine[i], SIG_DFL);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGUSR2, SIG_IGN);
	sigprocmask(SIG_SETMASK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd != -1 &&
	    loop_watch(&d->loop, fd, POLLIN, on_signal, d) != NULL;
}

/* --- the start --- */

static void
fill_standard(void)
{
	static const int mode[] = { O_WRONLY, O_RDONLY, O_WRONLY };
	int fd;

	for (fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) == -1 &&
		    open("/dev/null", mode[fd]) != fd)
			_exit(EXIT_PROBLEMS);
	(void)syscall(SYS_close_range, 3, ~0U, 0);
}

/* Where picket.conf says, or --log; what was said before went to standard
 * error, where who started us looks. */
static bool
open_log(struct daemon *d)
{
	char why[200], more[200];
	const char *setting = d->opt.log;

	if (setting[0] == '\0')
		setting = schedule_setting(d->site.schedule, "log");
	if (setting != NULL && setting[0] == '\0')
		setting = NULL;
	logger_close(&d->log);
	if (logger_open(&d->log, "picketd", setting, d->opt.foreground, why,
	    sizeof why))
		return true;
	if (d->opt.log[0] != '\0') {
		daemon_say(d, SAY_ERROR, "--log: %s", why);
		return false;
	}
	/* a full disk is no reason not to watch; and nobody reads the standard
	 * error of a daemon that has gone behind */
	daemon_say(d, SAY_WARNING, "%s; it logs to %s", why,
	    d->opt.foreground ? "standard error" : "syslog");
	if (!d->opt.foreground) {
		memcpy(more, why, sizeof more);
		(void)logger_open(&d->log, "picketd", "syslog", false, why,
		    sizeof why);
		daemon_say(d, SAY_WARNING, "%s; it logs to syslog", more);
	}
	return true;
}

static void
on_watchdog(struct timer *t)
{
	struct daemon *d = t->arg;

	notify_say("WATCHDOG=1");
	timer_set(&d->loop, t, d->loop.now + notify_watchdog());
}

static int
start(struct daemon *d)
{
	static struct timer watchdog;
	const char *why;

	if (!take_files(d))
		return EXIT_PROBLEMS;
	if (!take_signals(d) || !children_init(d) || !voice_init(d)) {
		daemon_say(d, SAY_ERROR, "cannot start: %s", strerror(errno));
		return EXIT_PROBLEMS;
	}
	if (d->opt.check_only)
		return load_check(d) ? EXIT_FINE : EXIT_PROBLEMS;
	if (!place_take(d))
		return EXIT_PROBLEMS;
	harden(d);
	orphans_init(d);
	news_init(d);
	if (!load_first(d) || !runs_init(d) || !open_log(d) || !place_write_pid(d))
		return d->stopping ? EXIT_FINE : EXIT_PROBLEMS;
	if (!control_start(d) || !services_init(d) || !alive_start(d))
		return EXIT_PROBLEMS;
	if (d->away) {
		lacks_why(d, "the state", d->why_away);
		news_firing(d, "state", "%s: until picketd is started again "
		    "the state is in %s (picket incidents --state shows it): "
		    "what was known is not, and incidents are told again",
		    d->why_away, d->opt.state);
	}
	if (!cage_init(d->opt.state, &why))
		lacks_why(d, "a cgroup for each run", why);
	daemon_lock_memory(d);
	hurry(d);
	watchdog = (struct timer){ .fire = on_watchdog, .arg = d };
	if (notify_watchdog() > 0)
		on_watchdog(&watchdog);
	children_refill(d);
	return -1;
}

static int
finish(struct daemon *d)
{
	alive_write(d);
	control_end(d);
	runs_end(d);
	cage_done();
	place_forget_pid(d);
	daemon_say(d, SAY_NOTICE, "ended");
	logger_close(&d->log);
	return EXIT_FINE;
}

int
main(int argc, char **argv)
{
	struct daemon *d = &picketd;
	char why[200];
	int r, word = -1;

	spawn_origin_take(&origin);
	fill_standard();
	(void)unsetenv("PICKET_RUN_ID");
	r = options_take(&d->opt, argc, argv);
	if (r != -1)
		return r;
	notify_init();
	if (notify_wanted())
		d->opt.foreground = true;
	if (!d->opt.foreground && !d->opt.check_only)
		word = go_behind();
	(void)umask(077);
	if (chdir("/") != 0)
		return EXIT_PROBLEMS;
	d->began = clock_wall();
	loop_init(&d->loop);
	(void)logger_open(&d->log, "picketd", "stderr", true, why, sizeof why);
	log_later = (struct timer){ .fire = on_log_later, .arg = d };
	spawn_origin_put(&origin, d->origin);
	r = start(d);
	if (r != -1) {
		place_forget_pid(d);
		return r;
	}
	ready(d, word);
	notify_say("READY=1");
	d->ready = true;
	runs_look(d);
	if (d->reload_wanted)
		load_again(d);
	loop_run(&d->loop);
	return finish(d);
}
