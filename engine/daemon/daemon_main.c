/*
 * picketd: the scheduler.  It is small and locked in memory, has no network
 * socket, and starts a process for everything that can fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
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
#include "engine/state/place.h"
#include "engine/vm/clock.h"

#define EXIT_FINE	0
#define EXIT_PROBLEMS	1
#define EXIT_USAGE	2
#define LIM_MAIN_MEM	((size_t)1 << 20)	/* bytes: paths and a reason */
#define END_RUNS	5.0	/* seconds for runs to end by themselves */
#define END_RUNS_KILL	8.0	/* from the beginning: TERM, then KILL */
#define END_LEAVE	8.8	/* then nothing more is told */
#define END_STORE_AT	9.3	/* then the store goes, too */
#define LIM_FILES	512	/* descriptors: LIM_RUNS runs with three each, as
				 * many clients as may be, and what is below */
#define LIM_FILES_LEAST	80	/* what stays open, the reserve of children.c, a
				 * reload, and eight runs */
#define RUN_DIR		"/run/picket"
#define OOM_ADJ		"-900"	/* the last but what the system itself cannot do
				 * without */

static struct daemon picketd;
static struct spawn_origin origin;

static const char usage[] =
    "usage: picketd [OPTIONS]\n"
    "\n"
    "Runs the alerts of a site when they are due, and tells of what they find.\n"
    "\n"
    "Options\n"
    "      --config DIR     folder of picket.conf and of the site; default:\n"
    "                       " PICKET_SYSCONFDIR "\n"
    "      --state DIR      folder of what outlives a run; default: for root\n"
    "                       /var/lib/picket, else ~/.local/state/picket\n"
    "      --run DIR        folder of the control socket; default: for root\n"
    "                       " RUN_DIR ", else that of the state\n"
    "  -f, --foreground     stay in front; messages go to standard error\n"
    "  -n, --check          only check the configuration, and run nothing\n"
    "      --log WHERE      syslog, journal, stderr or a file, and a level:\n"
    "                       \"stderr debug\"\n"
    "      --pid-file FILE  write the process's number there\n"
    "      --trust-permissions\n"
    "                       take a configuration that others may write to\n"
    "  -h, --help           show this\n"
    "  -V, --version        show the version\n";

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

/* --- options --- */

static int
wrong(const char *what, const char *arg)
{
	fprintf(stderr, "picketd: %s%s%s\npicketd: try picketd --help\n", what,
	    arg == NULL ? "" : ": ", arg == NULL ? "" : arg);
	return EXIT_USAGE;
}

/* An absolute path of what was given: a daemon leaves its folder. */
static bool
take_path(char to[PATH_MAX], const char *given)
{
	char here[PATH_MAX];
	size_t n;
	int k;

	if (given[0] == '/')
		k = snprintf(to, PATH_MAX, "%s", given);
	else if (getcwd(here, sizeof here) == NULL)
		return false;
	else
		k = snprintf(to, PATH_MAX, "%s/%s", here, given);
	if (k < 0 || k >= PATH_MAX || given[0] == '\0')
		return false;
	for (n = (size_t)k; n > 1 && to[n - 1] == '/'; n--)
		to[n - 1] = '\0';
	return true;
}

/* As picket does it. */
static bool
default_state(char to[PATH_MAX])
{
	const char *xdg = secure_getenv("XDG_STATE_HOME");
	const char *home = secure_getenv("HOME");
	int k;

	if (xdg != NULL && xdg[0] == '/')
		k = snprintf(to, PATH_MAX, "%s/picket", xdg);
	else if (geteuid() == 0)
		k = snprintf(to, PATH_MAX, "/var/lib/picket");
	else if (home != NULL && home[0] == '/')
		k = snprintf(to, PATH_MAX, "%s/.local/state/picket", home);
	else
		return false;
	return k > 0 && k < PATH_MAX;
}

/* WHERE [LEVEL], as the logger takes it. */
static bool
is_log(const char *s)
{
	static const char *const where[] = { "syslog", "journal", "stderr" };
	size_t i, n = strcspn(s, " ");

	if (s[0] == '/')
		return true;
	for (i = 0; i < sizeof where / sizeof *where; i++)
		if (strlen(where[i]) == n && strncmp(s, where[i], n) == 0)
			return s[n] == '\0' ||
			    logger_level_named(s + n + 1) != LOG_LEVELS;
	return false;
}

/* -1: go on; else the exit status. */
static int
take_options(struct options *o, int argc, char **argv)
{
	enum { CONFIG = 256, STATE, RUN, LOG, PIDFILE, TRUST };
	static const struct option known[] = {
		{ "config", required_argument, NULL, CONFIG },
		{ "state", required_argument, NULL, STATE },
		{ "run", required_argument, NULL, RUN },
		{ "log", required_argument, NULL, LOG },
		{ "pid-file", required_argument, NULL, PIDFILE },
		{ "trust-permissions", no_argument, NULL, TRUST },
		{ "foreground", no_argument, NULL, 'f' },
		{ "check", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	bool state_given;
	char *to;
	int c;

	while ((c = getopt_long(argc, argv, "+:fnhV", known, NULL)) != -1) {
		to = NULL;
		switch (c) {
		case 'f': o->foreground = true; break;
		case 'n': o->check_only = true; break;
		case TRUST: o->trust = true; break;
		case CONFIG: to = o->config; break;
		case STATE: to = o->state; break;
		case RUN: to = o->run; break;
		case PIDFILE: to = o->pidfile; break;
		case LOG:
			if (!is_log(optarg))
				return wrong("--log wants syslog, journal, "
				    "stderr or an absolute path, and perhaps "
				    "a level, not", optarg);
			if (snprintf(o->log, sizeof o->log, "%s", optarg) >=
			    (int)sizeof o->log)
				return wrong("--log: too long", NULL);
			break;
		case 'h':
			return fputs(usage, stdout) == EOF ||
			    fflush(stdout) != 0 ? EXIT_PROBLEMS : EXIT_FINE;
		case 'V':
			return puts("picketd " PACKAGE_VERSION) == EOF ||
			    fflush(stdout) != 0 ? EXIT_PROBLEMS : EXIT_FINE;
		case ':':
			return wrong("a value is missing after",
			    argv[optind - 1]);
		default:
			return wrong("unknown option", argv[optind - 1]);
		}
		if (to != NULL && !take_path(to, optarg))
			return wrong("no usable path", optarg);
	}
	if (optind < argc)
		return wrong("what is this", argv[optind]);
	if (o->config[0] == '\0')
		(void)take_path(o->config, PICKET_SYSCONFDIR);
	state_given = o->state[0] != '\0';
	if (!state_given && !default_state(o->state)) {
		fputs("picketd: there is no folder for the state: give "
		    "--state DIR\n", stderr);
		return EXIT_PROBLEMS;
	}
	/* root's own has a place that all know; others beside their state */
	if (o->run[0] == '\0' && geteuid() == 0 && !state_given)
		memcpy(o->run, RUN_DIR, sizeof RUN_DIR);
	else if (o->run[0] == '\0')
		memcpy(o->run, o->state, sizeof o->run);
	return -1;
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
#define STATE_AWAY	"/state"	/* in the folder of the control socket */

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

/* One daemon a state.  LOCK_NONE: it cannot be written. */
static enum lock_got
lock_state(struct daemon *d, struct mem *m, struct buf *why)
{
	static struct lock lock;
	char path[PATH_MAX + 16];
	enum lock_got got;

	(void)snprintf(path, sizeof path, "%s/picketd.lock", d->opt.state);
	if (!place_folder(str_c(path), m, why))
		return LOCK_NONE;
	got = lock_take(&lock, path, LOCK_ALONE, 0);
	if (got == LOCK_HELD)
		buf_printf(why, "picketd runs already with the state in %s: "
		    "process %ld", d->opt.state, (long)lock.holder);
	else if (got == LOCK_NONE) {
		lock_why(&lock, got, path, why);
		if (lock.error == 0)
			return LOCK_HELD;	/* by what is none of ours */
	}
	return got;
}

/*
 * A host whose disk fails has its file systems turn read-only, and is the one
 * that must be watched: then the state is beside the control socket, which is
 * in memory, until somebody starts us again.
 */
static bool
take_state(struct daemon *d)
{
	struct mem m;
	struct buf why, more;
	enum lock_got got;

	mem_init(&m, LIM_MAIN_MEM, NULL);
	buf_init(&why, &m);
	buf_init(&more, &m);
	got = lock_state(d, &m, &why);
	if (got == LOCK_NONE && strcmp(d->opt.run, d->opt.state) != 0 &&
	    strlen(d->opt.run) + sizeof STATE_AWAY < PATH_MAX) {
		memcpy(d->home, d->opt.state, PATH_MAX);
		(void)snprintf(d->opt.state, PATH_MAX, "%s" STATE_AWAY,
		    d->opt.run);
		got = lock_state(d, &m, &more);
		d->away = got == LOCK_GOT;
	}
	if (d->away) {
		(void)snprintf(d->why_away, sizeof d->why_away, "%s",
		    buf_c(&why));
		daemon_say(d, SAY_ERROR, "%s: until picketd is started again "
		    "the state is in %s: what was known is not, and incidents "
		    "are told again", d->why_away, d->opt.state);
	} else if (got != LOCK_GOT)
		daemon_say(d, SAY_ERROR, "%s", buf_c(&why));
	buf_free(&why);
	buf_free(&more);
	return got == LOCK_GOT;
}

static bool pid_written;

static bool
write_pid(struct daemon *d)
{
	char t[24];
	int fd, n;

	if (d->opt.pidfile[0] == '\0')
		return true;
	fd = open(d->opt.pidfile, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW, 0644);
	n = snprintf(t, sizeof t, "%ld\n", (long)getpid());
	if (fd == -1 || fchmod(fd, 0644) != 0 ||
	    write(fd, t, (size_t)n) != n) {
		daemon_say(d, SAY_ERROR, "%s: %s", d->opt.pidfile,
		    strerror(errno));
		if (fd != -1)
			(void)close(fd);
		return false;
	}
	(void)close(fd);
	pid_written = true;
	return true;
}

static void
forget_pid(const struct daemon *d)
{
	if (pid_written)
		(void)unlink(d->opt.pidfile);
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
	if (!take_state(d))
		return EXIT_PROBLEMS;
	harden(d);
	orphans_init(d);
	news_init(d);
	if (!load_first(d) || !runs_init(d) || !open_log(d) || !write_pid(d))
		return d->stopping ? EXIT_FINE : EXIT_PROBLEMS;
	if (!control_start(d) || !services_init(d) || !alive_start(d))
		return EXIT_PROBLEMS;
	if (d->away) {
		lacks_why(d, "the state", d->why_away);
		news_firing(d, "state", "%s: until picketd is started again "
		    "the state is in %s (picket --state shows it): what was "
		    "known is not, and incidents are told again", d->why_away,
		    d->opt.state);
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
	forget_pid(d);
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
	r = take_options(&d->opt, argc, argv);
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
		forget_pid(d);
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
