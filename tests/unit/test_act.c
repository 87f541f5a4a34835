/*
 * What acting functions do to processes: signals by name, who is left alone,
 * what is written down.  Whole scripts: tests/run/acting.t.
 * runner: serial
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "lang/base/num.h"
#include "lang/base/signals.h"
#include "tests/unit/effect.h"

static struct world w;

static void
test_signals(void **state)
{
	static const struct {
		const char	*text;
		int		 number;
	} row[] = {
		{ "TERM", SIGTERM }, { "SIGTERM", SIGTERM }, { "term", SIGTERM },
		{ "sigKill", SIGKILL }, { "9", 9 }, { "0", 0 }, { "64", 64 },
		{ "65", -1 }, { "100", -1 }, { "-9", -1 }, { "", -1 },
		{ "SIG", -1 }, { "9x", -1 }, { "TERM ", -1 }, { "TERMX", -1 },
		{ "SIG9", -1 }, { "SIGSIGTERM", -1 }, { "IOT", SIGABRT },
		{ "HUP", SIGHUP }, { "USR1", SIGUSR1 }, { "CONT", SIGCONT },
	};
	char to[16];
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < sizeof row / sizeof row[0]; i++)
		assert_int_equal(signal_number(str_c(row[i].text)),
		    row[i].number);
	assert_int_equal(signal_number(STR_NIL), -1);
	assert_int_equal(signal_number(str_of("TE\0RM", 5)), -1);
	str_is(signal_name(SIGTERM, to), "TERM");
	str_is(signal_name(SIGABRT, to), "ABRT");
	str_is(signal_name(0, to), "0");
	str_is(signal_name(40, to), "40");
	for (n = 0; n <= LIM_SIGNAL; n++)
		assert_int_equal(signal_number(signal_name(n, to)), n);
}

/* A child that waits; named is its name. */
static pid_t
child(const char *name)
{
	int fd[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NAME, name);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(fd[1], "", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(fd[1]);
	assert_int_equal(read(fd[0], &c, 1), 1);
	close(fd[0]);
	return pid;
}

static double
acts(enum act_kind kind, pid_t pid, double start, const char *sig)
{
	struct act a = { .kind = kind, .pid = pid, .start = start,
	    .sig = str_c(sig), .value = 1 };
	struct act_result r;

	w.host->act(w.live, &a, &r);
	return r.n;
}

static void
ended_by(pid_t pid, int sig)
{
	int ws;

	assert_int_equal(waitpid(pid, &ws, 0), pid);
	assert_true(WIFSIGNALED(ws));
	assert_int_equal(WTERMSIG(ws), sig);
}

/* #killall of our own user's. */
static double
acts_all(const char *comm)
{
	char user[32];
	struct act a = { .kind = ACT_KILLALL, .comm = str_c(comm),
	    .sig = STR_LIT("KILL") };
	struct act_result r;

	snprintf(user, sizeof user, "%lu", (unsigned long)geteuid());
	a.user = str_c(user);
	w.host->act(w.live, &a, &r);
	return r.n;
}

/* Where nobody listens, the act is done all the same; where somebody does, one
 * line tells of it. */
static void
test_audit(void **state)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct live_options o = world_options(&w);
	char text[1000], want[200];
	ssize_t n;
	pid_t pid;
	int fd;

	(void)state;
	snprintf(to.sun_path, sizeof to.sun_path, "%s/log", w.dir);
	o.syslog = to.sun_path;
	w.live = live_new(&o);
	pid = child("quiet");
	assert_true(acts(ACT_KILL, pid, NUM_NIL, "TERM") == 0);
	ended_by(pid, SIGTERM);

	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof to), 0);
	pid = child("a\nb\033c");
	assert_true(acts(ACT_KILL, pid, NUM_NIL, "KILL") == 0);
	ended_by(pid, SIGKILL);
	n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
	assert_true(n > 0);
	text[n] = '\0';
	assert_memory_equal(text, "<85>", 4);	/* authpriv.notice */
	snprintf(want, sizeof want, "act (Urgent/Storm) kill: %ld KILL (a\\nb",
	    (long)pid);
	has(text, want);
	assert_null(strchr(text, '\n'));
	assert_null(strchr(text, '\033'));
	snprintf(want, sizeof want, "kill: %ld KILL", (long)pid);
	has(slurp(w.dir, "Urgent.log"), want);
	has(live_done(w.live)->p, want);
	assert_int_equal(live_effects(w.live), 2);
	/* a question is no effect */
	assert_true(acts(ACT_KILL, getpid(), NUM_NIL, "0") == 0);
	assert_int_equal(live_effects(w.live), 2);
	assert_int_equal(recv(fd, text, sizeof text, MSG_DONTWAIT), -1);
	close(fd);
	world_close(&w);
}

/* Without descriptors for a pidfd it is kill(2) after a second look. */
static void
test_scarce(void **state)
{
	static const char *const sig[] = { "KILL", "TERM" };
	struct rlimit was, few;
	pid_t pid[2], all;
	int fd, last = -1, n = 0, i;

	(void)state;
	world_open(&w, 30);
	pid[0] = child("scarce");
	pid[1] = child("scarcer");
	all = child("scarce-actall");
	/* the log is open by then, as it is in a run that has trouble */
	assert_true(acts(ACT_KILL, pid[0], 1, "KILL") == -1);
	w.host->log(w.live, LOG_INFO, STR_LIT("opens it"));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	few = was;
	few.rlim_cur = 200;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	while ((fd = dup(0)) != -1) {
		last = fd;
		n++;
	}
	assert_int_equal(errno, EMFILE);
	assert_true(n > 2);
	/* none at all: it cannot be looked at, so it is not touched */
	assert_true(acts(ACT_KILL, pid[0], NUM_NIL, "KILL") == -1);
	has(w.host->why(w.live).p, "Too many open files");
	assert_int_equal(kill(pid[0], 0), 0);
	assert_true(acts_all("scarce-actall") == -1);
	has(w.host->why(w.live).p, "Too many open files");
	close(last--);
	n--;
	/* one is for /proc: nobody may say that none is left */
	assert_true(acts_all("scarce-actall") == -1);
	has(w.host->why(w.live).p, "could not be seen: /proc: Too many");
	assert_int_equal(kill(all, 0), 0);
	for (i = 0; i < 2; i++)
		assert_true(acts(ACT_KILL, pid[i], NUM_NIL, sig[i]) == 0);
	close(last--);
	n--;
	assert_true(acts_all("scarce-actall") == 1);
	ended_by(all, SIGKILL);
	for (; n > 0; n--, last--)
		close(last);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	ended_by(pid[0], SIGKILL);
	ended_by(pid[1], SIGTERM);
	world_close(&w);
}

static void
refused(pid_t pid, const char *why)
{
	assert_true(acts(ACT_KILL, pid, NUM_NIL, "TERM") == -1);
	has(w.host->why(w.live).p, why);
}

static void
test_protected(void **state)
{
	static const struct str protect[] = { STR_LIT("sshd"),
	    STR_LIT("post*"), STR_LIT("user:54321"), STR_LIT("[x]y"),
	    STR_LIT("a-daemon-with-a-long-name") };
	static const struct {
		const char	*name;
		bool		 kept;
	} row[] = { { "sshd", true }, { "sshd2", false }, { "postfix", true },
	    { "master", false }, { "xy", true }, { "[x]y", false },
	    { "a-daemon-with-a", true }, { "a-daemon", false } };
	struct live_options o = world_options(&w);
	pid_t pid;
	size_t i;

	(void)state;
	o.protect = protect;
	o.nprotect = sizeof protect / sizeof protect[0];
	w.live = live_new(&o);
	refused(1, "first process");
	refused(getpid(), "it is Picket itself");
	if (getppid() > 1)
		refused(getppid(), "a parent of Picket");
	for (i = 0; i < sizeof row / sizeof row[0]; i++) {
		pid = child(row[i].name);
		if (row[i].kept) {
			refused(pid, "protected by picket.conf");
			kill(pid, SIGTERM);
		} else
			assert_true(acts(ACT_KILL, pid, NUM_NIL, "TERM") == 0);
		ended_by(pid, SIGTERM);
	}
	world_close(&w);
}

/* The numbers of recorded tables are not those of this machine. */
static void
test_root(void **state)
{
	struct live_options o = world_options(&w);
	pid_t pid = child("other");

	(void)state;
	o.root = "/recorded";
	w.live = live_new(&o);
	refused(pid, "read below /recorded (--root)");
	assert_true(acts_all("other") == -1);
	assert_int_equal(kill(pid, SIGTERM), 0);
	ended_by(pid, SIGTERM);
	world_close(&w);
}

static void
test_terminate(void **state)
{
	pid_t pid;

	(void)state;
	world_open(&w, 30);
	pid = child("ready");
	assert_true(acts(ACT_TERMINATE, pid, NUM_NIL, "") == 1);
	ended_by(pid, SIGTERM);
	signal(SIGTERM, SIG_IGN);
	pid = child("stubborn");
	signal(SIGTERM, SIG_DFL);
	assert_true(acts(ACT_TERMINATE, pid, NUM_NIL, "") == 2);
	/* it has ended, and we have not waited: nobody is there to be hit */
	assert_true(acts(ACT_TERMINATE, pid, NUM_NIL, "") == -1);
	has(w.host->why(w.live).p, "has ended already");
	ended_by(pid, SIGKILL);
	assert_true(acts(ACT_TERMINATE, pid, NUM_NIL, "") == -1);
	has(w.host->why(w.live).p, "there is no process");
	world_close(&w);
	/* the run's end comes first: the process is left */
	world_open(&w, 0.2);
	signal(SIGTERM, SIG_IGN);
	pid = child("stubborn");
	signal(SIGTERM, SIG_DFL);
	assert_true(acts(ACT_TERMINATE, pid, NUM_NIL, "") == -1);
	has(w.host->why(w.live).p, "deadline");
	assert_int_equal(kill(pid, SIGKILL), 0);
	ended_by(pid, SIGKILL);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_audit),
		cmocka_unit_test(test_scarce),
		cmocka_unit_test(test_protected),
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_terminate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
