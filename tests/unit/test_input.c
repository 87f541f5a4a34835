/*
 * The inputs of a live host: what commands write and files have, line by line.
 * runner: serial
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/effect.h"

static struct world w;
#define H	(*w.host)
#define L	(w.live)

static void
why_has(const char *part)
{
	has(H.why(L).p, part);
}

static void
in_dir(char to[100], const char *name)
{
	snprintf(to, 100, "%s/%s", w.dir, name);
}

static void
line_is(struct live_input *in, const char *text)
{
	struct str s;

	assert_int_equal(reader_line(input_reader(in), &s), READER_LINE);
	str_is(s, text);
}

static void
end_of(struct live_input *in)
{
	struct str s;

	assert_int_equal(reader_line(input_reader(in), &s), READER_END);
}

static void
test_input_command(void **state)
{
	struct live_input *in;
	struct input_end e;
	struct str s;
	double t;
	int i;

	(void)state;
	world_open(&w, 30);
	SHELL(two, "echo one; echo two; exit 1");
	in = input_open_command(L, &two, NULL);
	assert_non_null(in);
	line_is(in, "one");
	line_is(in, "two");
	end_of(in);
	str_is(input_reader(in)->last, "two");
	input_close(in, &e);
	assert_int_equal(e.status, 1);
	assert_false(e.failed);

	SHELL(upper, "tr a-z A-Z");
	in = input_open_command(L, &two, &upper);
	line_is(in, "ONE");
	line_is(in, "TWO");
	end_of(in);
	input_close(in, &e);
	assert_int_equal(e.status, 1);
	assert_int_equal(e.filter_status, 0);
	assert_false(e.failed);

	/* a filter that has seen enough */
	SHELL(yes, "exec yes");
	SHELL(head, "head -n 2");
	in = input_open_command(L, &yes, &head);
	line_is(in, "y");
	line_is(in, "y");
	end_of(in);
	input_close(in, &e);
	assert_int_equal(e.status, 141);
	assert_false(e.failed);

	/* and one whose feeder does not notice */
	t = H.monotonic(L);
	SHELL(quiet, "echo x; exec sleep 60");
	SHELL(head1, "head -n 1");
	in = input_open_command(L, &quiet, &head1);
	line_is(in, "x");
	end_of(in);
	input_close(in, &e);
	assert_int_equal(e.status, 143);
	assert_false(e.failed);
	assert_true(H.monotonic(L) - t < 10);

	/* closed early */
	t = H.monotonic(L);
	in = input_open_command(L, &yes, NULL);
	line_is(in, "y");
	input_close(in, &e);
	assert_false(e.failed);
	assert_true(H.monotonic(L) - t < 0.9);

	/* failures */
	COMMAND(missing, (char *)(uintptr_t)"no-such-command");
	assert_null(input_open_command(L, &missing, NULL));
	why_has("not found in PATH");
	assert_null(input_open_command(L, &yes, &missing));
	why_has("not found in PATH");
	SHELL(missing_sh, "no-such-command");
	in = input_open_command(L, &missing_sh, NULL);
	end_of(in);
	input_close(in, &e);
	assert_true(e.failed);
	assert_int_equal(e.status, 127);
	has(e.why, "input command ended with exit 127: sh: 1: "
	    "no-such-command: not found");
	SHELL(killed, "echo x; kill -9 $$");
	in = input_open_command(L, &killed, NULL);
	line_is(in, "x");
	end_of(in);
	input_close(in, &e);
	assert_true(e.failed);
	has(e.why, "signal 9");
	SHELL(bad_filter, "exit 126");
	in = input_open_command(L, &two, &bad_filter);
	end_of(in);
	input_close(in, &e);
	assert_true(e.failed);
	has(e.why, "filter command ended with exit 126");
	/* much on standard error, from both */
	SHELL(loud, "head -c 500000 /dev/zero >&2; echo x");
	SHELL(loud2, "head -c 500000 /dev/zero >&2; cat");
	in = input_open_command(L, &loud, &loud2);
	line_is(in, "x");
	end_of(in);
	input_close(in, &e);
	assert_false(e.failed);
	/* many lines */
	SHELL(many, "seq 1 200000");
	in = input_open_command(L, &many, NULL);
	for (i = 0; reader_line(input_reader(in), &s) == READER_LINE; i++)
		;
	assert_int_equal(i, 200000);
	str_is(input_reader(in)->last, "200000");
	input_close(in, &e);
	/* left open at the end of the run */
	assert_non_null(input_open_command(L, &yes, &upper));
	world_close(&w);

	/* one that never ends */
	world_open(&w, 0.4);
	t = H.monotonic(L);
	SHELL(stuck, "echo x; trap '' TERM; while :; do sleep 0.1; done");
	in = input_open_command(L, &stuck, NULL);
	line_is(in, "x");
	assert_int_equal(reader_line(input_reader(in), &s), READER_STOPPED);
	input_close(in, &e);
	assert_true(e.failed);
	assert_int_equal(e.status, 137);
	has(e.why, "deadline of 0.4s");
	assert_true(H.monotonic(L) - t < 10);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	world_close(&w);
}

static void
test_input_file(void **state)
{
	struct live_input *in;
	struct input_end e;
	char path[100];
	struct str s;
	int fd[2];
	FILE *f;

	(void)state;
	world_open(&w, 30);
	in_dir(path, "data");
	f = fopen(path, "w");
	fputs("b\na\n", f);
	fclose(f);
	in = input_open_file(L, str_c(path), NULL);
	line_is(in, "b");
	line_is(in, "a");
	end_of(in);
	input_close(in, &e);
	assert_false(e.failed);
	SHELL(sort, "sort");
	in = input_open_file(L, str_c(path), &sort);
	line_is(in, "a");
	line_is(in, "b");
	end_of(in);
	input_close(in, &e);
	assert_false(e.failed);
	assert_int_equal(e.filter_status, 0);
	assert_null(input_open_file(L, STR_LIT("/no/such"), NULL));
	why_has("/no/such: No such file");
	assert_null(input_open_file(L, STR_LIT("/tmp"), NULL));
	why_has("Is a directory");
	in = input_open_file(L, STR_LIT("/dev/null"), NULL);
	end_of(in);
	input_close(in, &e);

	/* a FIFO waits for its writer */
	in_dir(path, "pipe");
	mkfifo(path, 0600);
	SHELL(later, "sleep 0.2; echo late > pipe");
	struct exec_opts o = { .as = STR_NIL, .dir = str_c(w.dir) };
	struct exec_result r;
	H.exec(L, &later, EXEC_GO, &o, &r);
	in = input_open_file(L, str_c(path), NULL);
	line_is(in, "late");
	end_of(in);
	input_close(in, &e);

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], "x\ny\n", 4), 4);
	close(fd[1]);
	in = input_open_fd(L, fd[0], NULL);
	line_is(in, "x");
	input_close(in, &e);
	assert_false(e.failed);
	in = input_open_fd(L, fd[0], NULL);	/* still the caller's */
	assert_int_equal(reader_line(input_reader(in), &s), READER_END);
	input_close(in, &e);
	close(fd[0]);
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], "y\nx\n", 4), 4);
	close(fd[1]);
	in = input_open_fd(L, fd[0], &sort);
	line_is(in, "x");
	line_is(in, "y");
	end_of(in);
	input_close(in, &e);
	close(fd[0]);
	world_close(&w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_input_command),
		cmocka_unit_test(test_input_file),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
