/*
 * Children of a run that go on beside it, with real processes: commands that
 * are not waited for, and those that are read from or written to.
 */
#include <fcntl.h>
#include <signal.h>

#include "tests/unit/child.h"

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
