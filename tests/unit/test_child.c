/*
 * Children of a run, with real processes: how they start, what they get, how
 * they are ended, and what is left alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/effect.h"

static struct world w;

static double
now(void)
{
	return live_host.monotonic(NULL);
}

static struct exec_result
run(const struct command *c, enum exec_mode mode, struct exec_opts o)
{
	struct exec_result r;

	if (o.as.p == NULL)
		o.as = STR_NIL;
	if (o.dir.p == NULL)
		o.dir = STR_NIL;
	w.host->exec(w.live, c, mode, &o, &r);
	return r;
}

static struct exec_result
wait_for(const char *text, struct exec_opts o)
{
	SHELL(c, text);

	return run(&c, EXEC_WAIT, o);
}

#define NO_OPTS	((struct exec_opts){ .timeout = 0 })

static void
why_has(const char *part)
{
	struct str why = w.host->why(w.live);

	has(why.p, part);
}

/* A pid that a child has written into a file. */
static pid_t
pid_in(const char *name)
{
	return (pid_t)atol(slurp(w.dir, name));
}

static bool
alive(pid_t pid)
{
	char path[40];
	const char *stat, *end;

	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	stat = slurp(NULL, path);
	end = strrchr(stat, ')');
	return pid > 0 && end != NULL && end[2] != 'Z';
}

static void
no_children(void)
{
	errno = 0;
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

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

static void
test_go(void **state)
{
	struct exec_result r;
	char text[200];
	int i;
	double t = now();
	SHELL(c, "echo said; sleep 0.5; exit 4");

	(void)state;
	world_open(&w, 30);
	r = run(&c, EXEC_GO, NO_OPTS);
	assert_true(r.started);
	assert_int_equal(r.status, 0);
	assert_true(now() - t < 0.45);
	w.host->sleep(w.live, 1);
	no_children();
	has(slurp(w.dir, "Urgent.log"), "exec: echo said;");
	has(slurp(w.dir, "Urgent.log"), "\nsaid\n");
	has(slurp(w.dir, "Urgent.log"), "exec, exit 4: echo said;");
	/* many: no zombies pile up, and not too many at once */
	for (i = 0; i < 600; i++) {
		SHELL(many, "sleep 0.05");

		r = run(&many, EXEC_GO, NO_OPTS);
		assert_true(r.started);
	}
	w.host->sleep(w.live, 0.4);
	no_children();
	/* left running, and alive, after the run */
	snprintf(text, sizeof text, "echo $$ > %s/pid; sleep 0.3; echo x; "
	    "echo $$ > /tmp/picket-go.%ld; sleep 0.2", w.dir,
	    (long)getpid());
	SHELL(left, text);
	r = run(&left, EXEC_GO, NO_OPTS);
	usleep(100000);
	pid_t pid = pid_in("pid");
	t = now();
	world_close(&w);
	assert_true(now() - t < 0.9);
	assert_true(alive(pid));
	waitpid(pid, &i, 0);
	assert_int_equal(i, 0);
	snprintf(text, sizeof text, "/tmp/picket-go.%ld", (long)getpid());
	assert_int_equal(atol(slurp(NULL, text)), pid);
	unlink(text);
}

/* A written timeout holds without anybody waiting. */
static void
test_go_timeout(void **state)
{
	struct exec_opts o = { .timeout = 0.3 };
	struct exec_result r;
	char text[200];
	pid_t pid;
	double t = now();
	int status;

	(void)state;
	world_open(&w, 30);
	snprintf(text, sizeof text, "echo $$ > %s/pid; exec sleep 60", w.dir);
	SHELL(c, text);
	r = run(&c, EXEC_GO, o);
	assert_true(r.started);
	usleep(100000);
	pid = pid_in("pid");
	assert_true(alive(pid));
	world_close(&w);
	waitpid(-1, &status, 0);
	assert_true(now() - t < 10);
	assert_int_equal(WEXITSTATUS(status), 143);
	assert_false(alive(pid));
	/* what cannot start is told as without a timeout */
	world_open(&w, 30);
	COMMAND(missing, (char *)(uintptr_t)"no-such-command");
	r = run(&missing, EXEC_GO, o);
	assert_false(r.started);
	assert_int_equal(r.status, 127);
	o.timeout = 5;
	SHELL(quick, "exit 7");
	r = run(&quick, EXEC_GO, o);
	w.host->sleep(w.live, 0.5);
	has(slurp(w.dir, "Urgent.log"), "exec, exit 7: exit 7");
	no_children();
	world_close(&w);
}

static void
test_detached(void **state)
{
	struct exec_result r;
	char text[400];
	pid_t pid;
	double t = now();

	(void)state;
	world_open(&w, 0.5);
	snprintf(text, sizeof text, "cut -d' ' -f4,5,6 /proc/$$/stat > %s/stat;"
	    "f=$(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2);"
	    "echo \"$f\" > %s/fds; "
	    "echo $$ > %s/pid; exec sleep 1.5", w.dir, w.dir, w.dir);
	SHELL(c, text);
	r = run(&c, EXEC_DETACHED, NO_OPTS);
	assert_true(r.started);
	assert_true(now() - t < 0.45);
	no_children();
	usleep(200000);
	pid = pid_in("pid");
	assert_true(alive(pid));
	long parent, group, session;
	assert_int_equal(sscanf(slurp(w.dir, "stat"), "%ld %ld %ld", &parent,
	    &group, &session), 3);
	assert_int_not_equal(parent, getpid());
	assert_int_not_equal(session, getsid(0));
	assert_string_equal(slurp(w.dir, "fds"),
	    "/dev/null\n/dev/null\n/dev/null\n");
	snprintf(text, sizeof text, "exec detached, pid %ld: ", (long)pid);
	has(slurp(w.dir, "Urgent.log"), text);
	w.host->sleep(w.live, 1);
	assert_true(w.host->stop(w.live));
	world_close(&w);
	assert_true(alive(pid));
	kill(pid, SIGKILL);

	/* a timeout that is written holds there, too */
	struct exec_opts o = { .timeout = 0.5 };
	world_open(&w, 0.5);
	snprintf(text, sizeof text, "echo $$ > %s/pid; exec sleep 60", w.dir);
	SHELL(limited, text);
	r = run(&limited, EXEC_DETACHED, o);
	assert_true(r.started);
	no_children();
	usleep(200000);
	pid = pid_in("pid");
	assert_true(alive(pid));
	usleep(1000000);
	assert_false(alive(pid));
	world_close(&w);
}

static void
test_capture(void **state)
{
	struct exec_result r;
	struct str s;
	double t;

	(void)state;
	world_open(&w, 30);
	SHELL(c, "printf 'a\\0b\\n'; echo oops >&2; exit 2");
	s = w.host->capture(w.live, &c, 1000, &r);
	assert_true(r.started);
	assert_int_equal(r.status, 2);
	assert_int_equal(s.n, 4);
	assert_memory_equal(s.p, "a\0b\n", 4);
	has(slurp(w.dir, "Urgent.log"), "[WARNING] (Storm) | oops\n");
	has(slurp(w.dir, "Urgent.log"), "command, exit 2: printf");
	SHELL(big, "head -c 10000000 /dev/zero");
	s = w.host->capture(w.live, &big, 100000, &r);
	assert_int_equal(s.n, 100000);
	assert_int_equal(r.status, 0);
	/* both pipes full: no deadlock */
	SHELL(both, "head -c 1000000 /dev/zero >&2; echo done; "
	    "head -c 1000000 /dev/zero >&2");
	s = w.host->capture(w.live, &both, 100000, &r);
	str_is(s, "done\n");
	COMMAND(missing, (char *)(uintptr_t)"no-such-command");
	s = w.host->capture(w.live, &missing, 100, &r);
	str_is(s, "");
	assert_false(r.started);
	assert_int_equal(r.status, 127);
	t = now();
	SHELL(daemon, "sleep 20 & echo started");
	s = w.host->capture(w.live, &daemon, 100, &r);
	str_is(s, "started\n");
	assert_true(now() - t < 10);
	world_close(&w);

	world_open(&w, 0.3);
	SHELL(endless, "yes");
	t = now();
	s = w.host->capture(w.live, &endless, 100, &r);
	assert_true(r.timed_out);
	assert_int_equal(s.n, 100);
	assert_true(now() - t < 10);
	no_children();
	world_close(&w);
}

static void
test_popen_read(void **state)
{
	struct stream *s;
	struct str line;
	size_t len;
	double t;

	(void)state;
	world_open(&w, 30);
	SHELL(c, "echo one; echo; printf 'b\\0c'; echo bad >&2; exit 5");
	s = w.host->popen(w.live, &c, 'r');
	assert_non_null(s);
	assert_int_equal(w.host->read(w.live, s, &line, &len), READ_LINE);
	str_is(line, "one");
	assert_int_equal(len, 4);
	assert_int_equal(w.host->read(w.live, s, &line, &len), READ_LINE);
	assert_int_equal(len, 1);
	assert_int_equal(w.host->read(w.live, s, &line, &len), READ_LINE);
	assert_int_equal(len, 3);
	assert_memory_equal(line.p, "b\0c", 3);
	assert_false(w.host->eof(w.live, s));
	assert_int_equal(w.host->read(w.live, s, &line, &len), READ_END);
	assert_true(w.host->eof(w.live, s));
	assert_false(w.host->write(w.live, s, STR_LIT("x")));
	assert_int_equal(w.host->close(w.live, s), 5);
	has(slurp(w.dir, "Urgent.log"), "[WARNING] (Storm) | bad\n");

	/* closed early: SIGPIPE ends it at once */
	SHELL(yes, "exec yes");
	t = now();
	s = w.host->popen(w.live, &yes, 'r');
	assert_int_equal(w.host->read(w.live, s, &line, &len), READ_LINE);
	assert_int_equal(w.host->close(w.live, s), 141);
	assert_true(now() - t < 0.9);
	/* one that does not write is ended after a second */
	SHELL(quiet, "echo x; exec sleep 60");
	s = w.host->popen(w.live, &quiet, 'r');
	assert_int_equal(w.host->read(w.live, s, &line, &len), READ_LINE);
	t = now();
	assert_int_equal(w.host->close(w.live, s), 143);
	assert_true(now() - t > 0.9 && now() - t < 10);
	/* and one that ignores that, too */
	SHELL(deaf, "trap '' TERM; echo x; while :; do sleep 0.2; done");
	s = w.host->popen(w.live, &deaf, 'r');
	assert_int_equal(w.host->read(w.live, s, &line, &len), READ_LINE);
	t = now();
	assert_int_equal(w.host->close(w.live, s), 137);
	assert_true(now() - t > 2.8 && now() - t < 10);
	/* talkative on standard error only: no deadlock */
	SHELL(loud, "head -c 1000000 /dev/zero >&2; echo end");
	s = w.host->popen(w.live, &loud, 'r');
	assert_int_equal(w.host->read(w.live, s, &line, &len), READ_LINE);
	str_is(line, "end");
	assert_int_equal(w.host->read(w.live, s, &line, &len), READ_END);
	assert_int_equal(w.host->close(w.live, s), 0);
	COMMAND(missing, (char *)(uintptr_t)"no-such-command");
	assert_null(w.host->popen(w.live, &missing, 'r'));
	why_has("not found");
	no_children();
	/* left open: live_free ends them all together */
	SHELL(deaf2, "trap '' TERM; echo x; while :; do sleep 0.2; done");
	for (int i = 0; i < 3; i++) {
		s = w.host->popen(w.live, &deaf2, 'r');
		w.host->read(w.live, s, &line, &len);
	}
	t = now();
	world_close(&w);
	assert_true(now() - t < 10);
	no_children();
}

static void
test_popen_write(void **state)
{
	struct stream *s;
	char text[200], big[1000];
	double t;
	int i;

	(void)state;
	world_open(&w, 30);
	snprintf(text, sizeof text, "cat > %s/got; exit 6", w.dir);
	SHELL(c, text);
	s = w.host->popen(w.live, &c, 'w');
	memset(big, 'x', sizeof big);
	for (i = 0; i < 1000; i++)
		assert_true(w.host->write(w.live, s, str_of(big, 1000)));
	assert_true(w.host->write(w.live, s, STR_LIT("a\0b\n")));
	assert_int_equal(w.host->close(w.live, s), 6);
	snprintf(text, sizeof text, "%s/got", w.dir);
	struct stat st;
	assert_int_equal(stat(text, &st), 0);
	assert_int_equal(st.st_size, 1000004);

	/* its output comes after ours */
	assert_true(w.host->output(w.live, OUT_STDOUT, STR_NIL,
	    STR_LIT("before")));
	SHELL(sort, "sort");
	s = w.host->popen(w.live, &sort, 'w');
	assert_true(w.host->write(w.live, s, STR_LIT("b\na\n")));
	assert_int_equal(w.host->close(w.live, s), 0);
	assert_true(w.host->output(w.live, OUT_STDOUT, STR_NIL,
	    STR_LIT("after")));
	assert_true(live_flush(w.live));
	assert_string_equal(slurp_fd(w.out), "before\na\nb\nafter\n");

	/* one that is gone: a failed write, no SIGPIPE */
	SHELL(gone, "exit 3");
	s = w.host->popen(w.live, &gone, 'w');
	usleep(100000);
	assert_true(w.host->write(w.live, s, STR_LIT("x")));
	assert_false(w.host->flush(w.live, s));
	why_has("Broken pipe");
	assert_int_equal(w.host->close(w.live, s), 3);
	world_close(&w);

	/* one that does not read, with a deadline */
	world_open(&w, 0.5);
	SHELL(deaf, "sleep 60");
	t = now();
	s = w.host->popen(w.live, &deaf, 'w');
	for (i = 0; i < 200; i++)
		if (!w.host->write(w.live, s, str_of(big, 1000)))
			break;
	assert_true(i < 200);
	why_has("deadline");
	assert_int_equal(w.host->close(w.live, s), 143);
	assert_true(now() - t < 10);
	no_children();
	world_close(&w);
}

/* A long run's memory: a child's endless output is not kept. */
static void
test_bounded(void **state)
{
	struct exec_opts o = { .timeout = 0.5 };
	struct exec_result r;

	(void)state;
	world_open(&w, 30);
	w.mem.peak = w.mem.used;
	r = wait_for("yes", o);
	assert_true(r.timed_out);
	assert_true(str_ends(r.output, "y\n"));
	assert_true(w.mem.peak < w.mem.used + 64 * 1024);
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
		cmocka_unit_test(test_go),
		cmocka_unit_test(test_go_timeout),
		cmocka_unit_test(test_detached),
		cmocka_unit_test(test_capture),
		cmocka_unit_test(test_popen_read),
		cmocka_unit_test(test_popen_write),
		cmocka_unit_test(test_bounded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
