/*
 * Children of a run that it waits for, with real processes: how they start,
 * what they get, how they are ended, and what is left alone.
 */
#include <fcntl.h>
#include <signal.h>

#include "tests/unit/child.h"

static void
test_wait(void **state)
{
	struct exec_result r;
	int i;

	(void)state;
	world_open(&w, 30);
	r = wait_for("echo out; echo err >&2; exit 3", NO_OPTS);
	assert_true(r.started);
	assert_false(r.timed_out);
	assert_int_equal(r.status, 3);
	str_is(r.output, "out\nerr\n");
	r = wait_for("kill -9 $$", NO_OPTS);
	assert_int_equal(r.status, 137);
	str_is(r.output, "");
	for (i = 0; i < 100; i++) {
		COMMAND(c, (char *)(uintptr_t)"true");

		r = run(&c, EXEC_WAIT, NO_OPTS);
		assert_int_equal(r.status, 0);
	}
	no_children();
	has(slurp(w.dir, "Urgent.log"), "[INFO] (Storm) exec wait, exit 3: "
	    "echo out; echo err >&2; exit 3\n");
	has(slurp(w.dir, "Urgent.log"), "[INFO] (Storm) | err\n");
	world_close(&w);
}

static void
test_output_is_last(void **state)
{
	struct exec_result r;

	(void)state;
	world_open(&w, 30);
	r = wait_for("i=0; while [ $i -lt 20000 ]; do echo line $i; "
	    "i=$((i+1)); done", NO_OPTS);
	assert_true(r.output.n <= LIM_EXEC_OUTPUT);
	assert_true(r.output.n > LIM_EXEC_OUTPUT - 20);
	assert_true(str_starts(r.output, "line "));
	assert_true(str_ends(r.output, "\nline 19999\n"));
	r = wait_for("head -c 100000 /dev/zero", NO_OPTS);
	assert_int_equal(r.output.n, LIM_EXEC_OUTPUT);
	assert_int_equal(r.output.p[5], 0);
	world_close(&w);
}

static void
test_not_started(void **state)
{
	char path[100] = "";
	struct exec_result r;
	struct exec_opts o = NO_OPTS;
	COMMAND(missing, (char *)(uintptr_t)"no-such-command");
	COMMAND(missing_path, (char *)(uintptr_t)"/no/such");
	COMMAND(plain, path);
	COMMAND(dir, (char *)(uintptr_t)"/tmp");
	COMMAND(good, (char *)(uintptr_t)"true");

	(void)state;
	world_open(&w, 30);
	r = run(&missing, EXEC_WAIT, o);
	assert_false(r.started);
	assert_int_equal(r.status, 127);
	why_has("no-such-command: not found in PATH");
	r = run(&missing_path, EXEC_GO, o);
	assert_int_equal(r.status, 127);
	why_has("/no/such: not found");
	r = run(&missing, EXEC_DETACHED, o);
	assert_false(r.started);
	assert_int_equal(r.status, 127);
	r = run(&dir, EXEC_WAIT, o);
	assert_int_equal(r.status, 126);
	why_has("/tmp: not executable");

	snprintf(path, sizeof path, "%s/x", w.dir);
	close(open(path, O_WRONLY | O_CREAT, 0644));
	r = run(&plain, EXEC_WAIT, o);
	assert_int_equal(r.status, 126);
	chmod(path, 0755);
	FILE *f = fopen(path, "w");
	fputs("#!/no/interpreter\n", f);
	fclose(f);
	r = run(&plain, EXEC_WAIT, o);
	assert_int_equal(r.status, 126);
	why_has("its interpreter is missing");
	/* no #! line: a shell's, as execvp does */
	f = fopen(path, "w");
	fputs("echo script $0 $1\n", f);
	fclose(f);
	r = run(&plain, EXEC_WAIT, o);
	assert_int_equal(r.status, 0);
	assert_true(str_starts(r.output, "script /tmp/"));

	o.dir = STR_LIT("/no/folder");
	r = run(&good, EXEC_WAIT, o);
	assert_int_equal(r.status, 126);
	why_has("cannot enter folder /no/folder: No such file");
	o.dir = STR_NIL;
	o.as = STR_LIT("no-such-user");
	r = run(&good, EXEC_WAIT, o);
	assert_false(r.started);
	why_has("no user no-such-user");
	no_children();
	world_close(&w);
}

/* What a child starts with: nothing of ours. */
static void
test_clean(void **state)
{
	struct exec_result r;
	sigset_t set, old;
	char text[64];
	int fd = open("/etc/passwd", O_RDONLY), high = dup2(fd, 700);

	(void)state;
	setenv("SECRET", "x", 1);
	setenv("LD_PRELOAD_NOT", "x", 1);
	setenv("TZ", "UTC", 1);
	world_open(&w, 30);
	r = wait_for("env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD= | "
	    "sort | cut -d= -f1 | tr '\\n' ' '", NO_OPTS);
	str_is(r.output, "HOME LOGNAME PATH PICKET_RUN_ID TZ USER ");
	r = wait_for("echo $PATH $PICKET_RUN_ID", NO_OPTS);
	str_is(r.output, "/usr/bin:/bin run-1\n");
	/* ls itself has one for the folder */
	r = wait_for("ls /proc/self/fd | tr '\\n' ' '; "
	    "readlink /proc/self/fd/0", NO_OPTS);
	str_is(r.output, "0 1 2 3 /dev/null\n");
	snprintf(text, sizeof text, "%d %d", fd, high);

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &old);
	signal(SIGUSR2, SIG_IGN);
	r = wait_for("grep -E '^Sig(Blk|Ign)' /proc/self/status | "
	    "tr -s '\\n\\t' '  '", NO_OPTS);
	str_is(r.output, "SigBlk: 0000000000000000 SigIgn: 0000000000000000 ");
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGUSR2, SIG_DFL);

	/* a group of its own */
	r = wait_for("exec cut -d' ' -f1,5,6 /proc/self/stat", NO_OPTS);
	long pid, group, session;
	assert_int_equal(sscanf(r.output.p, "%ld %ld %ld", &pid, &group,
	    &session), 3);
	assert_int_equal(pid, group);
	assert_int_equal(session, getsid(0));
	close(fd);
	close(high);
	world_close(&w);
	unsetenv("TZ");
}

static void
test_options(void **state)
{
	struct exec_opts o = NO_OPTS;
	struct exec_result r;
	double t;

	(void)state;
	world_open(&w, 30);
	o.dir = STR_LIT("/usr");
	r = wait_for("pwd", o);
	str_is(r.output, "/usr\n");
	o.dir = STR_NIL;
	o.memory = 64 << 20;
	r = wait_for("ulimit -v", o);
	str_is(r.output, "65536\n");
	o.memory = 0;
	o.cpu = 1;
	t = now();
	r = wait_for("while :; do :; done", o);
	assert_int_equal(r.status, 128 + SIGXCPU);
	assert_true(now() - t < 10);
	o.cpu = 0;
	if (geteuid() == 0) {
		o.as = STR_LIT("nobody");
		r = wait_for("id -un; id -ur; echo $HOME $USER $LOGNAME; "
		    "cat /etc/shadow", o);
		assert_int_equal(r.status, 1);
		has(r.output.p, "nobody\n65534\n");
		has(r.output.p, " nobody nobody\n");
		has(r.output.p, "Permission denied");
		r = wait_for("id -G", o);
		str_is(r.output, "65534\n");
		/* where that user cannot go */
		chmod(w.dir, 0700);
		o.dir = str_c(w.dir);
		r = wait_for("true", o);
		assert_false(r.started);
		why_has("cannot enter folder");
	}
	world_close(&w);
}

static void
test_origin(void **state)
{
	struct live_options o = world_options(&w);
	struct spawn_origin origin;
	struct rlimit old, l;
	struct exec_result r;

	(void)state;
	if (geteuid() != 0)
		skip();
	spawn_origin_take(&origin);
	getrlimit(RLIMIT_NOFILE, &old);
	l = old;
	l.rlim_cur = 100;
	setrlimit(RLIMIT_NOFILE, &l);
	umask(077);
	o.origin = &origin;
	w.live = live_new(&o);
	r = wait_for("ulimit -n; umask", NO_OPTS);
	setrlimit(RLIMIT_NOFILE, &old);
	umask(origin.umask);
	char want[64];
	snprintf(want, sizeof want, "%lu\n%04o\n", (unsigned long)old.rlim_cur,
	    (unsigned)origin.umask);
	str_is(r.output, want);
	world_close(&w);
}

static void
test_timeout(void **state)
{
	struct exec_opts o = { .timeout = 0.3 };
	struct exec_result r;
	double t = now();

	(void)state;
	world_open(&w, 30);
	r = wait_for("echo before; sleep 60", o);
	assert_true(r.started);
	assert_true(r.timed_out);
	assert_int_equal(r.status, 143);
	str_is(r.output, "before\n");
	assert_true(now() - t < 10);
	why_has("timeout of 0.3s");

	/* a group's member that needs a moment gets it */
	t = now();
	r = wait_for("(trap 'sleep 0.5; echo cleaned; exit' TERM; "
	    "while :; do sleep 0.1; done) & sleep 60", o);
	assert_int_equal(r.status, 143);
	has(r.output.p, "cleaned");
	assert_true(now() - t < 10);

	/* one that ignores TERM, and its child, do not live on */
	t = now();
	char cmd[300];
	snprintf(cmd, sizeof cmd, "trap '' TERM; sleep 61 & echo $! > %s/pid; "
	    "while :; do sleep 1; done", w.dir);
	r = wait_for(cmd, o);
	assert_int_equal(r.status, 137);
	assert_true(now() - t > 2.2 && now() - t < 10);
	usleep(50000);
	assert_false(alive(pid_in("pid")));
	/* a stopped one is ended, too */
	t = now();
	r = wait_for("kill -STOP $$", o);
	assert_int_equal(r.status, 143);
	assert_true(now() - t < 10);
	no_children();
	has(slurp(w.dir, "Urgent.log"), "exec wait timed out, signal 15: ");
	world_close(&w);
}

static void
test_deadline(void **state)
{
	struct exec_result r;
	double t = now();

	(void)state;
	world_open(&w, 0.4);
	assert_false(w.host->stop(w.live));
	r = wait_for("sleep 60", NO_OPTS);
	assert_true(r.timed_out);
	assert_true(now() - t < 10);
	assert_true(w.host->stop(w.live));
	why_has("deadline of 0.4s");
	r = wait_for("true", NO_OPTS);
	assert_false(r.started);
	why_has("deadline");
	t = now();
	assert_false(w.host->sleep(w.live, 5));
	assert_true(now() - t < 1);
	no_children();
	world_close(&w);
}

static struct live *to_interrupt;

static void
on_alarm(int sig)
{
	live_interrupt(to_interrupt, sig);
}

static void
test_interrupt(void **state)
{
	struct exec_result r;
	double t = now();

	(void)state;
	world_open(&w, 30);
	to_interrupt = w.live;
	signal(SIGALRM, on_alarm);
	ualarm(200000, 0);
	r = wait_for("sleep 60", NO_OPTS);
	assert_false(r.timed_out);
	assert_int_equal(r.status, 143);
	assert_true(now() - t < 10);
	assert_true(w.host->stop(w.live));
	why_has("signal 14");
	signal(SIGALRM, SIG_DFL);
	no_children();
	world_close(&w);
}

/* A service that keeps the pipe is left alone, and never gets SIGPIPE. */
static void
test_grandchild(void **state)
{
	struct exec_result r;
	char cmd[500];
	double t = now();
	pid_t pid;

	(void)state;
	world_open(&w, 30);
	snprintf(cmd, sizeof cmd, "( trap '' HUP; echo started; sleep 0.3; "
	    "echo later; while [ ! -e %s/stop ]; do echo more; sleep 0.05; "
	    "done; echo end > %s/ended ) & echo $! > %s/pid",
	    w.dir, w.dir, w.dir);
	r = wait_for(cmd, NO_OPTS);
	assert_int_equal(r.status, 0);
	has(r.output.p, "later");
	assert_true(now() - t > 0.9 && now() - t < 8);
	usleep(200000);
	pid = pid_in("pid");
	assert_true(alive(pid));
	/* it wrote to the pipe since, and still lives: not only now */
	snprintf(cmd, sizeof cmd, "%s/stop", w.dir);
	close(open(cmd, O_CREAT | O_WRONLY, 0600));
	usleep(300000);
	assert_false(alive(pid));
	has(slurp(w.dir, "ended"), "end");

	/* neither does one that writes without end block on us */
	snprintf(cmd, sizeof cmd, "( head -c 300000 /dev/zero | tr '\\0' x; "
	    "sleep 1.2; head -c 300000 /dev/zero; echo end > %s/ended2 ) & :",
	    w.dir);
	t = now();
	r = wait_for(cmd, NO_OPTS);
	assert_true(now() - t < 8);
	usleep(1000000);
	has(slurp(w.dir, "ended2"), "end");
	no_children();
	world_close(&w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_output_is_last),
		cmocka_unit_test(test_not_started),
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_origin),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_grandchild),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
