/* reader: lines whatever the blocks, the cut, and what stays at the end. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "engine/input/reader.h"

#define BIG	(1 << 30)	/* bytes of the line without an end */

static struct mem mem;

/* A descriptor that gives these bytes. */
static int
fd_of(const char *p, size_t n)
{
	FILE *f = tmpfile();
	int fd;

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	fflush(f);
	fd = dup(fileno(f));
	fclose(f);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void
line_is(struct reader *r, const char *p, size_t n, bool newline)
{
	struct str s;

	assert_int_equal(reader_line(r, &s), READER_LINE);
	assert_int_equal(s.n, n);
	assert_memory_equal(s.p, p, n);
	assert_int_equal(r->had_newline, newline);
	assert_ptr_equal(r->last.p, s.p);
}

static void
test_lines(void **state)
{
	static const char text[] = "one\n\ntwo\0three\r\n\nlast";
	struct reader r;
	struct str s;
	int fd = fd_of(text, sizeof text - 1);

	(void)state;
	reader_init(&r, &mem, fd, 0, NULL, NULL);
	assert_true(str_none(r.last));
	line_is(&r, "one", 3, true);
	line_is(&r, "", 0, true);
	line_is(&r, "two\0three\r", 10, true);
	line_is(&r, "", 0, true);
	line_is(&r, "last", 4, false);
	assert_int_equal(reader_line(&r, &s), READER_END);
	assert_int_equal(reader_line(&r, &s), READER_END);
	assert_int_equal(r.last.n, 4);
	assert_memory_equal(r.last.p, "last", 4);
	assert_true(r.at_end);
	assert_int_equal(r.ncut, 0);
	reader_free(&r);
	close(fd);
	assert_int_equal(mem.used, 0);
}

static void
test_nothing(void **state)
{
	struct reader r;
	struct str s;
	int fd = fd_of("", 0);

	(void)state;
	reader_init(&r, &mem, fd, 0, NULL, NULL);
	assert_int_equal(reader_line(&r, &s), READER_END);
	assert_true(str_none(r.last));
	reader_free(&r);
	close(fd);
	reader_init(&r, &mem, -1, 0, NULL, NULL);
	assert_int_equal(reader_line(&r, &s), READER_FAILED);
	assert_int_equal(r.error, EBADF);
	reader_free(&r);
	assert_int_equal(mem.used, 0);
}

/* Every length around a block's size, against what was written. */
static void
test_blocks(void **state)
{
	size_t around = 40, cap = 4 * READER_BLOCK, from, n, i;
	char *text = malloc(cap), *p;
	struct reader r;
	struct str s;
	int fd;

	(void)state;
	for (from = READER_BLOCK - 20; from < READER_BLOCK + around; from++) {
		p = text;
		memset(p, 'a', from);
		p += from;
		*p++ = '\n';
		for (i = 0; i < 300; i++)
			p += sprintf(p, "line %zu %0*d\n", i, (int)i, 0);
		memset(p, 'b', READER_BLOCK);
		p += READER_BLOCK;
		n = (size_t)(p - text);
		fd = fd_of(text, n);
		reader_init(&r, &mem, fd, 0, NULL, NULL);
		p = text;
		while (reader_line(&r, &s) == READER_LINE) {
			assert_true((size_t)(p - text) + s.n <= n);
			assert_memory_equal(s.p, p, s.n);
			p += s.n + r.had_newline;
		}
		assert_int_equal(p - text, n);
		assert_int_equal(r.last.n, READER_BLOCK);
		assert_memory_equal(r.last.p, text + n - READER_BLOCK,
		    READER_BLOCK);
		reader_free(&r);
		close(fd);
	}
	free(text);
	assert_int_equal(mem.used, 0);
}

static void
test_cut(void **state)
{
	static const size_t len[] = { 9, 10, 11, 1000, READER_BLOCK,
	    3 * READER_BLOCK + 17 };
	char *text = malloc(8 * READER_BLOCK), *p = text;
	struct reader r;
	struct str s;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < 6; i++) {
		memset(p, 'a' + (int)i, len[i]);
		p += len[i];
		*p++ = '\n';
	}
	memset(p, 'z', 50);
	p += 50;
	fd = fd_of(text, (size_t)(p - text));
	reader_init(&r, &mem, fd, 10, NULL, NULL);
	for (i = 0; i < 6; i++) {
		assert_int_equal(reader_line(&r, &s), READER_LINE);
		assert_int_equal(s.n, len[i] < 10 ? len[i] : 10);
		assert_int_equal(s.p[0], 'a' + (int)i);
		assert_int_equal(s.p[s.n - 1], 'a' + (int)i);
		assert_true(r.had_newline);
	}
	assert_int_equal(r.ncut, 4);
	line_is(&r, "zzzzzzzzzz", 10, false);
	assert_int_equal(r.ncut, 5);
	assert_int_equal(reader_line(&r, &s), READER_END);
	assert_int_equal(r.last.n, 10);
	reader_free(&r);
	close(fd);
	free(text);
	assert_int_equal(mem.used, 0);
}

/* A gigabyte without a newline, then a line: bounded memory. */
static void
test_endless(void **state)
{
	struct reader r;
	struct str s;
	pid_t pid;
	int fd[2], status;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	pid = fork();
	if (pid == 0) {
		static char block[1 << 16];
		size_t n;

		close(fd[0]);
		memset(block, 'x', sizeof block);
		for (n = 0; n < BIG; n += sizeof block)
			if (write(fd[1], block, sizeof block) != sizeof block)
				_exit(1);
		_exit(write(fd[1], "\nnext\n", 6) != 6);
	}
	close(fd[1]);
	mem.peak = mem.used;
	reader_init(&r, &mem, fd[0], 0, NULL, NULL);
	assert_int_equal(reader_line(&r, &s), READER_LINE);
	assert_int_equal(s.n, LIM_LINE);
	assert_int_equal(r.ncut, 1);
	line_is(&r, "next", 4, true);
	assert_int_equal(reader_line(&r, &s), READER_END);
	assert_memory_equal(r.last.p, "next", 4);
	assert_true(mem.peak <= 2 * (LIM_LINE + 2 * READER_BLOCK));
	reader_free(&r);
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(mem.used, 0);
}

static int waits;

static bool
wait_some(void *ctx, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	waits++;
	return poll(&p, 1, *(int *)ctx) == 1;
}

/* A pipe that does not block, bytes that come one by one, a stop between. */
static void
test_wait(void **state)
{
	static const char text[] = "slow\nand more\n";
	struct reader r;
	struct str s;
	int fd[2], ms = 20, i;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	reader_init(&r, &mem, fd[0], 0, wait_some, &ms);
	assert_int_equal(write(fd[1], "fir", 3), 3);
	assert_int_equal(reader_line(&r, &s), READER_STOPPED);
	assert_int_equal(write(fd[1], "st\n", 3), 3);
	line_is(&r, "first", 5, true);
	ms = 5000;
	pid = fork();
	if (pid == 0) {
		for (i = 0; text[i] != '\0'; i++) {
			usleep(1000);
			if (write(fd[1], text + i, 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	close(fd[1]);
	line_is(&r, "slow", 4, true);
	line_is(&r, "and more", 8, true);
	assert_int_equal(reader_line(&r, &s), READER_END);
	assert_true(waits > 3);
	reader_free(&r);
	close(fd[0]);
	waitpid(pid, &i, 0);
	assert_int_equal(mem.used, 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_wait),
	};

	mem_init(&mem, SIZE_MAX, NULL);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
