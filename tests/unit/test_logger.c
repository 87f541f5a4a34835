/* logger: what the daemon says of itself, and to whom nobody may be listening. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "engine/daemon/logger.h"

static char dir[] = "/tmp/test_logger.XXXXXX";
static struct logger l;

static const char *
at(const char *name)
{
	static char path[200];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static char *
whole(const char *name)
{
	static char text[1 << 20];
	FILE *f = fopen(at(name), "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof text - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static unsigned
lines(const char *s)
{
	unsigned n = 0;

	for (; *s != '\0'; s++)
		n += *s == '\n';
	return n;
}

static void
open_at(const char *name, enum logger_level most)
{
	char why[400] = "", setting[300];

	snprintf(setting, sizeof setting, "%s %s", at(name),
	    logger_level_word(most));
	if (!logger_open(&l, "picketd", setting, false, why, sizeof why))
		fail_msg("%s", why);
}

/* A datagram socket that listens as syslog does. */
static int
listen_at(const char *name, int type)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
	const char *path = at(name);

	assert_true(strlen(path) < sizeof sa.sun_path);
	strcpy(sa.sun_path, path);
	(void)unlink(sa.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static void
open_socket_at(const char *name, const char *where)
{
	char why[400], setting[50];

	snprintf(setting, sizeof setting, "%s debug", where);
	assert_true(logger_open(&l, "picketd", setting, false, why,
	    sizeof why));
	snprintf(l.path, sizeof l.path, "%s", at(name));
}

static const char *
got(int fd)
{
	static char text[70000];
	ssize_t n = recv(fd, text, sizeof text - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void
test_file(void **state)
{
	struct stat st;
	char *s;

	(void)state;
	umask(0);
	open_at("a.log", SAY_INFO);
	umask(022);
	logger_say(&l, SAY_NOTICE, "started with %d alerts", 12);
	logger_say(&l, SAY_DEBUG, "not this");
	logger_say(&l, SAY_ERROR, "a\nb\x1b[31m\xff\xe2\x80\xae \xc3\xa4\n");
	logger_close(&l);
	s = whole("a.log");
	assert_int_equal(lines(s), 2);
	assert_non_null(strstr(s, " notice: started with 12 alerts\n"));
	assert_non_null(strstr(s, " error: a\\nb\\x1b[31m\\xff\\xe2\\x80\\xae "
	    "\xc3\xa4\n"));
	assert_int_equal(s[4], '-');
	assert_non_null(strstr(s, " picketd["));
	assert_int_equal(stat(at("a.log"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
}

static void
test_long(void **state)
{
	static char big[100000];
	char *s;

	(void)state;
	memset(big, 'x', sizeof big - 1);
	open_at("long.log", SAY_INFO);
	logger_say(&l, SAY_INFO, "%s", big);
	memset(big, '\1', sizeof big - 1);
	logger_say(&l, SAY_INFO, "%s", big);
	memset(big, '\344', sizeof big - 1);
	logger_say(&l, SAY_INFO, "%s", big);
	logger_close(&l);
	s = whole("long.log");
	assert_int_equal(lines(s), 3);
	assert_true(strlen(s) < 3 * (LIM_LOG_LINE + 100));
	assert_true(strlen(s) > 3 * (LIM_LOG_LINE - 10));
	assert_non_null(strstr(s, "xxx...\n"));
	assert_non_null(strstr(s, "\\x01...\n"));
	assert_non_null(strstr(s, "\\xe4...\n"));
}

static void
refused(const char *name, const char *want)
{
	char why[400] = "";

	assert_false(logger_open(&l, "picketd", name[0] == '/' || *name == '.' ?
	    name : at(name), false, why, sizeof why));
	if (strstr(why, want) == NULL)
		fail_msg("got \"%s\", wanted \"%s\"", why, want);
	assert_int_equal(l.to, LOG_TO_STDERR);
}

static void
test_refused(void **state)
{
	char other[200];

	(void)state;
	snprintf(other, sizeof other, "%s", at("target"));
	close(open(other, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(symlink(other, at("link")), 0);
	refused("link", "is a symbolic link");
	assert_int_equal(link(other, at("hard")), 0);
	refused("hard", "a hard link");
	assert_int_equal(mkfifo(at("fifo"), 0600), 0);
	refused("fifo", "is no regular file");
	/* somebody reads: it can be opened, and is none all the same */
	close(open(at("fifo2"), O_RDONLY));
	assert_int_equal(mkfifo(at("fifo2"), 0600), 0);
	{
		int fd = open(at("fifo2"), O_RDONLY | O_NONBLOCK);

		refused("fifo2", "is no regular file");
		close(fd);
	}
	refused("/dev/null", "is no regular file");
	refused("none/a.log", "No such file or directory");
	refused("./a.log", "not \"./a.log\"");
	{
		char big[PATH_MAX + 100] = "/";

		memset(big + 1, 'x', sizeof big - 2);
		refused(big, "File name too long");
	}
}

static void
test_reopen(void **state)
{
	char old[200];

	(void)state;
	open_at("turn.log", SAY_INFO);
	logger_say(&l, SAY_INFO, "one");
	snprintf(old, sizeof old, "%s", at("turn.log.1"));
	assert_int_equal(rename(at("turn.log"), old), 0);
	logger_say(&l, SAY_INFO, "two");
	logger_reopen(&l);
	logger_say(&l, SAY_INFO, "three");
	assert_int_equal(lines(whole("turn.log.1")), 2);
	assert_int_equal(lines(whole("turn.log")), 1);
	/* something stands in its place: what there is goes on */
	assert_int_equal(rename(at("turn.log"), old), 0);
	assert_int_equal(symlink("/etc/passwd", at("turn.log")), 0);
	logger_reopen(&l);
	logger_say(&l, SAY_INFO, "four");
	logger_close(&l);
	assert_non_null(strstr(whole("turn.log.1"), "error: the log stays what "
	    "it was: "));
	assert_non_null(strstr(whole("turn.log.1"), "info: four\n"));
}

static void
test_repeats(void **state)
{
	char *s;
	int i;

	(void)state;
	open_at("repeats.log", SAY_INFO);
	for (i = 0; i < 301; i++)
		logger_say(&l, SAY_WARNING, "the store does not answer");
	assert_int_equal(lines(whole("repeats.log")), 1);
	assert_true(logger_tick(&l) > 29);
	logger_say(&l, SAY_INFO, "it does");
	logger_say(&l, SAY_INFO, "twice");
	logger_say(&l, SAY_INFO, "twice");
	logger_say(&l, SAY_ERROR, "twice");	/* another level: no repeat */
	s = whole("repeats.log");
	assert_int_equal(lines(s), 6);
	assert_non_null(strstr(s, "warning: last message repeated 300 "
	    "times\n"));
	/* their time has come */
	for (i = 0; i < 5; i++)
		logger_say(&l, SAY_ERROR, "twice");
	l.repeats_due = 0;
	assert_true(logger_tick(&l) < 0);
	assert_non_null(strstr(whole("repeats.log"), "error: last message "
	    "repeated 5 times\n"));
	assert_true(l.repeats_wait > LOG_REPEAT);
	logger_say(&l, SAY_ERROR, "twice");
	logger_close(&l);
	assert_int_equal(lines(whole("repeats.log")), 8);
}

static void
test_flood(void **state)
{
	char *s;
	int i;

	(void)state;
	open_at("flood.log", SAY_INFO);
	for (i = 0; i < 2 * LIM_LOG_BURST; i++)
		logger_say(&l, SAY_INFO, "message %d", i);
	i = (int)lines(whole("flood.log"));
	assert_true(i >= LIM_LOG_BURST && i < LIM_LOG_BURST + LOG_RATE * 5);
	l.tokens = 10;
	logger_say(&l, SAY_INFO, "the end");
	logger_close(&l);
	s = whole("flood.log");
	assert_non_null(strstr(s, " messages were left out: "));
	assert_non_null(strstr(s, "info: the end\n"));
}

/* A limit of file size stands for the full disk. */
static void
test_full(void **state)
{
	struct rlimit old, small;
	int i;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	open_at("full.log", SAY_INFO);
	small = old;
	small.rlim_cur = 100;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (i = 0; i < 10; i++)
		logger_say(&l, SAY_INFO, "message %d", i);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(l.lost, 9);
	assert_int_equal(strlen(whole("full.log")), 100);
	logger_say(&l, SAY_INFO, "room again");
	logger_close(&l);
	assert_non_null(strstr(whole("full.log"), "\n2"));
	assert_non_null(strstr(whole("full.log"),
	    "warning: 9 messages were lost before this: "));
	assert_non_null(strstr(whole("full.log"), "info: room again\n"));
	assert_int_equal(lines(whole("full.log")), 4);
	assert_int_equal(l.lost_ever, 9);
	signal(SIGXFSZ, SIG_DFL);
}

static void
test_syslog(void **state)
{
	struct timespec a, b;
	const char *s;
	int fd, i;

	(void)state;
	open_socket_at("dev-log", "syslog");
	assert_int_equal(l.to, LOG_TO_SYSLOG);
	(void)unlink(at("dev-log"));
	logger_say(&l, SAY_NOTICE, "nobody listens");
	assert_int_equal(l.lost, 1);
	fd = listen_at("dev-log", SOCK_DGRAM);
	logger_say(&l, SAY_NOTICE, "somebody does");
	assert_non_null(strstr(got(fd), "1 message was lost before this: No "
	    "such file"));
	s = got(fd);
	assert_memory_equal(s, "<29>", 4);
	assert_non_null(strstr(s, "]: somebody does"));
	assert_int_equal(s[strlen(s) - 1], 's');
	/* started anew: not a message is lost */
	close(fd);
	fd = listen_at("dev-log", SOCK_DGRAM);
	logger_say(&l, SAY_ERROR, "again");
	s = got(fd);
	assert_memory_equal(s, "<27>", 4);
	assert_non_null(strstr(s, "]: again"));
	/* nobody reads: nothing waits */
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < 3000; i++)
		logger_say(&l, SAY_INFO, "message %d", i);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_true(b.tv_sec - a.tv_sec <= 1);
	assert_true(l.lost > 1000);
	while (*got(fd) != '\0')
		;
	logger_say(&l, SAY_INFO, "there is room");
	assert_non_null(strstr(got(fd), "messages were lost before this"));
	assert_non_null(strstr(got(fd), "there is room"));
	logger_close(&l);
	close(fd);
}

/* A syslog of old has a stream. */
static void
test_stream(void **state)
{
	int fd, c;
	char text[200];
	ssize_t n;

	(void)state;
	fd = listen_at("old-log", SOCK_STREAM);
	open_socket_at("old-log", "syslog");
	logger_say(&l, SAY_INFO, "one");
	logger_say(&l, SAY_INFO, "two");
	c = accept(fd, NULL, NULL);
	assert_true(c >= 0);
	n = read(c, text, sizeof text);
	assert_true(n > 20);
	assert_non_null(strstr(text, "]: one"));
	assert_memory_equal(strchr(text, '\0') + 1, "<30>", 4);
	assert_int_equal(text[n - 1], '\0');
	assert_int_equal(l.lost, 0);
	close(c);
	logger_say(&l, SAY_INFO, "three");
	assert_int_equal(l.lost, 0);
	logger_close(&l);
	close(fd);
}

static void
test_journal(void **state)
{
	const char *s;
	char why[200], value[100];
	struct stat st;
	int fd, p[2], err;

	(void)state;
	fd = listen_at("journal", SOCK_DGRAM);
	unsetenv("JOURNAL_STREAM");
	open_socket_at("journal", "journal");
	assert_int_equal(l.to, LOG_TO_JOURNAL);
	logger_say(&l, SAY_WARNING, "a\nb");
	s = got(fd);
	assert_string_equal(s, "PRIORITY=4\nSYSLOG_IDENTIFIER=picketd\n"
	    "MESSAGE=a\\nb\n");
	logger_close(&l);
	close(fd);
	/* standard error is the journal's, as systemd says */
	assert_int_equal(pipe(p), 0);
	err = dup(STDERR_FILENO);
	dup2(p[1], STDERR_FILENO);
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(value, sizeof value, "%llu:%llu",
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", value, 1);
	assert_true(logger_open(&l, "picketd", NULL, false, why,
	    sizeof why));
	logger_say(&l, SAY_NOTICE, "here");
	logger_close(&l);
	memset(value, 0, sizeof value);
	assert_int_equal(read(p[0], value, sizeof value), 8);
	assert_string_equal(value, "<5>here\n");
	/* nobody reads: nothing waits, nothing kills */
	assert_true(logger_open(&l, "picketd", "stderr info", false, why,
	    sizeof why));
	for (fd = 0; fd < 4000; fd++)
		logger_say(&l, SAY_INFO, "message %d with some more text", fd);
	assert_true(l.lost > 100);
	close(p[0]);
	logger_say(&l, SAY_INFO, "nobody there");
	logger_close(&l);
	dup2(err, STDERR_FILENO);
	close(err);
	close(p[1]);
	/* another stream's */
	setenv("JOURNAL_STREAM", "1:2", 1);
	assert_true(logger_open(&l, "picketd", NULL, false, why,
	    sizeof why));
	assert_int_equal(l.to, LOG_TO_SYSLOG);
	assert_true(logger_open(&l, "picketd", NULL, true, why,
	    sizeof why));
	assert_int_equal(l.to, LOG_TO_STDERR);
	unsetenv("JOURNAL_STREAM");
}

/* Nothing is allocated while something is said. */
static void
test_memory(void **state)
{
	struct mallinfo2 a, b;
	int i;

	(void)state;
	open_at("memory.log", SAY_INFO);
	logger_say(&l, SAY_INFO, "first");
	a = mallinfo2();
	for (i = 0; i < 1000; i++)
		logger_say(&l, SAY_INFO, "message %d of %s at %.3f", i, "this",
		    i * 1.5);
	b = mallinfo2();
	assert_int_equal(a.uordblks, b.uordblks);
	logger_close(&l);
}

static void
test_levels(void **state)
{
	(void)state;
	assert_int_equal(logger_level_named("error"), SAY_ERROR);
	assert_int_equal(logger_level_named("debug"), SAY_DEBUG);
	assert_int_equal(logger_level_named("loud"), LOG_LEVELS);
	assert_string_equal(logger_level_word(SAY_WARNING), "warning");
	open_at("a b", SAY_DEBUG);		/* a blank in the path */
	assert_int_equal(l.most, SAY_DEBUG);
	logger_close(&l);
	assert_int_equal(access(at("a b"), F_OK), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_reopen),
		cmocka_unit_test(test_repeats),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_syslog),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_levels),
	};
	char rm[100];
	int failed;

	if (mkdtemp(dir) == NULL)
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests_name("logger", tests, NULL, NULL);
	snprintf(rm, sizeof rm, "rm -rf %s", dir);
	return system(rm) != 0 || failed;
}
