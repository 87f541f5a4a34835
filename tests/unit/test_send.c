/* job, child, mailbox: the way from a message to a program and a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/deliver/child.h"
#include "engine/deliver/mailbox.h"
#include "engine/deliver/send.h"

#define FOLDER_MAX	200

static struct mem mem;
static struct buf out, why;
static char dir[FOLDER_MAX];

static struct job
sample(void)
{
	return (struct job){
		.host = STR_LIT("h.example.org"), .run = STR_LIT("r1"),
		.path = STR_LIT("/bin"), .from = STR_LIT("picket@h"),
		.to = { STR_LIT("a@b"), STR_LIT("root") }, .nto = 2,
		.transport = { STR_LIT("sendmail /s"), STR_LIT("file \"/a b\"") },
		.ntransport = 2,
		.message = str_of("Subject: x\n\nnul\0 end 0\n\nend 0\n\n", 31),
		.body = STR_LIT(""),
	};
}

static const char sample_bytes[] =
	"picket-job 1\n"
	"host 13\nh.example.org\n"
	"run 2\nr1\n"
	"path 4\n/bin\n"
	"from 8\npicket@h\n"
	"to 3\na@b\n"
	"to 4\nroot\n"
	"transport 11\nsendmail /s\n"
	"transport 11\nfile \"/a b\"\n"
	"message 31\nSubject: x\n\nnul\0 end 0\n\nend 0\n\n\n"
	"body 0\n\n"
	"end 0\n\n";

static void
test_job(void **state)
{
	struct job j = sample(), k;
	struct str bytes = str_of(sample_bytes, sizeof sample_bytes - 1);
	size_t n;

	(void)state;
	buf_clear(&out);
	job_write(&j, &out);
	assert_int_equal(out.n, bytes.n);
	assert_memory_equal(out.p, bytes.p, bytes.n);
	buf_clear(&why);
	assert_true(job_read(&k, bytes, &why));
	assert_int_equal(why.n, 0);
	assert_true(str_eq(k.host, j.host) && str_eq(k.run, j.run));
	assert_true(str_eq(k.path, j.path) && str_eq(k.from, j.from));
	assert_true(str_eq(k.message, j.message) && str_eq(k.body, j.body));
	assert_int_equal(k.nto, 2);
	assert_true(str_eq(k.to[1], j.to[1]));
	assert_int_equal(k.ntransport, 2);
	assert_true(str_eq(k.transport[1], j.transport[1]));
	/* cut anywhere, it is no job */
	for (n = 0; n < bytes.n; n++) {
		/* a copy of that size, so that a sanitizer sees one too far */
		char *p = malloc(n + 1);

		memcpy(p, bytes.p, n);
		buf_clear(&why);
		assert_false(job_read(&k, str_of(p, n), &why));
		assert_true(why.n > 0);
		free(p);
	}
}

static void
test_job_wrong(void **state)
{
	static const struct {
		const char *from, *to, *what;
	} row[] = {
		{ "run 2\nr1", "fun 2\nr1", "unknown field \"fun\"" },
		{ "run 2\nr1", "host 1\nx", "given twice: \"host\"" },
		{ "run 2\nr1", "run 99999999\nr1", "the job is cut short" },
		{ "run 2\nr1", "run 999999999\nr1", "the job is cut short" },
		{ "run 2\nr1", "run -2\nr1", "the job is cut short" },
		{ "run 2\nr1", "run 3\nr1", "the job is cut short" },
		{ "run 2\nr1", "run 1\nr1", "the job is cut short" },
		{ "h.example.org", "h.example/org", "no host name: "
		    "\"h.example/org\"" },
		{ "picket@h", "picket h", "mail address \"picket h\" is no "
		    "address" },
		{ "a@b", "-ab", "mail address \"-ab\" begins with '-'" },
		{ "a@b", "a\nb", "mail address \"a\\nb\" is no address" },
		{ "path 4\n/bin\n", "", "a field is missing" },
		{ "body 0\n\n", "", "a field is missing" },
		{ "end 0\n\n", "end 0\n\n ", "bytes after the end of the job: "
		    "\"end\"" },
	};
	struct job k;
	size_t i, n, at;

	(void)state;
	buf_clear(&why);
	assert_false(job_read(&k, STR_LIT("picket-job 2\nend 0\n\n"), &why));
	assert_string_equal(buf_c(&why), "no job of this version: "
	    "\"picket-job 2\\nend 0\\n\\n\"");
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		n = strlen(row[i].from);
		for (at = 0; memcmp(sample_bytes + at, row[i].from, n) != 0;)
			at++;
		/* of "end 0" the last one, not that in the message */
		if (row[i].from[0] == 'e')
			at = sizeof sample_bytes - 1 - n;
		buf_clear(&out);
		buf_add(&out, sample_bytes, at);
		buf_puts(&out, row[i].to);
		buf_add(&out, sample_bytes + at + n,
		    sizeof sample_bytes - 1 - at - n);
		buf_clear(&why);
		assert_false(job_read(&k, buf_view(&out), &why));
		assert_string_equal(buf_c(&why), row[i].what);
	}
}

static void
run(const char *script, struct str input, double timeout,
    struct child_end *end)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	struct child c = { .argv = argv, .input = input,
	    .path = STR_LIT("/usr/bin:/bin"), .run_id = STR_LIT("r 1"),
	    .timeout = timeout };

	buf_clear(&out);
	child_run(&c, &out, end);
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
test_child(void **state)
{
	struct child_end end;
	struct str in = str_of("a\0b\nlast", 8);
	char script[2 * FOLDER_MAX];
	double start;
	int turn;

	(void)state;
	run("cat; echo; echo err >&2; exit 7", in, 10, &end);
	assert_true(end.started && !end.timed_out);
	assert_int_equal(end.status, 7);
	assert_int_equal(out.n, 13);
	assert_memory_equal(out.p, "a\0b\nlast\nerr\n", 13);
	assert_true(str_eq(child_last_line(buf_view(&out)), STR_LIT("err")));
	assert_true(str_eq(child_last_line(STR_LIT("a\n b \n\n \n")),
	    STR_LIT("b")));
	assert_int_equal(child_last_line(STR_LIT("\n")).n, 0);

	/* a clean environment: nothing of ours but what is named */
	setenv("PICKET_SECRET", "x", 1);
	setenv("TZ", "UTC", 1);
	setenv("HOME", "/h", 1);
	unsetenv("USER");
	unsetenv("LOGNAME");
	run("env | grep -v '^PWD=\\|^_=\\|^SHLVL=\\|^OLDPWD=' | sort", in, 10,
	    &end);
	assert_string_equal(buf_c(&out), "HOME=/h\nLANG=C.UTF-8\n"
	    "PATH=/usr/bin:/bin\nPICKET_RUN_ID=r 1\nTZ=UTC\n");
	/* and no descriptors: 0 1 2 and the one that ls itself opens */
	run("ls /proc/self/fd | wc -l", in, 10, &end);
	assert_string_equal(buf_c(&out), "4\n");

	/* it need not read, and may say more than is kept */
	run("yes | head -c 3000000", in, 30, &end);
	assert_int_equal(end.status, 0);
	assert_int_equal(out.n, LIM_CHILD_OUTPUT);

	/* what it leaves behind keeps the pipe, not us */
	start = now();
	run("sleep 20 & echo gone", in, 10, &end);
	assert_true(now() - start < 5);
	assert_string_equal(buf_c(&out), "gone\n");

	/* nor is it ended by what it says to nobody, however much that is */
	snprintf(script, sizeof script, "(sleep 0.2; yes | head -c 300000; "
	    "echo on > %s/on) & echo gone", dir);
	run(script, in, 10, &end);
	assert_string_equal(buf_c(&out), "gone\n");
	snprintf(script, sizeof script, "%s/on", dir);
	for (turn = 0; turn < 100 && access(script, F_OK) != 0; turn++)
		usleep(50000);
	assert_int_equal(unlink(script), 0);

	/* a deadline: TERM for who heeds it, KILL for who does not */
	start = now();
	run("echo x; sleep 60", in, 0.2, &end);
	assert_true(end.timed_out);
	assert_int_equal(end.status, 128 + SIGTERM);
	assert_true(now() - start < 2);
	start = now();
	run("trap '' TERM; while :; do sleep 1; done", in, 0.2, &end);
	assert_true(end.timed_out);
	assert_int_equal(end.status, 128 + SIGKILL);
	assert_true(now() - start > SPAWN_TERM_WAIT && now() - start < 5);
}

static void
test_child_missing(void **state)
{
	const char *const argv[] = { "/no/such/program", NULL };
	struct child c = { .argv = argv, .path = STR_LIT("/bin"),
	    .timeout = 10 };
	struct child_end end;

	(void)state;
	child_run(&c, &out, &end);
	assert_false(end.started);
	assert_string_equal(end.why, "/no/such/program: not found");
	assert_int_equal(end.status, 127);
}

static struct str
file_text(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	buf_clear(&out);
	while ((n = fread(buf_room(&out, 4096), 1, 4096, f)) > 0)
		out.n += n;
	fclose(f);
	return buf_view(&out);
}

static void
assert_refused(const char *path, const char *what)
{
	char want[3 * FOLDER_MAX];

	buf_clear(&why);
	assert_false(mailbox_append_text(path, STR_LIT("x\n"), &why));
	snprintf(want, sizeof want, "%s: %s", path, what);
	assert_string_equal(buf_c(&why), want);
}

static void
test_mailbox(void **state)
{
	static const char want[] =
	    "From picket@h Tue Apr 25 05:17:02 2000\n"
	    "Subject: x\n\n>From a\n>>From b\n From c\nFrom: d\n.\n\n";
	char path[2 * FOLDER_MAX], other[2 * FOLDER_MAX];
	struct stat st;
	int fd;

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	snprintf(path, sizeof path, "%s/box", dir);
	snprintf(other, sizeof other, "%s/other", dir);
	assert_true(mailbox_append(path, STR_LIT("picket@h"), 956639822,
	    STR_LIT("Subject: x\n\nFrom a\n>From b\n From c\nFrom: d\n.\n"),
	    &why));
	assert_true(str_eq(file_text(path), STR_LIT(want)));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(mailbox_append(path, STR_LIT("root"), 0, STR_LIT("a"),
	    &why));
	file_text(path);
	assert_string_equal(buf_c(&out) + sizeof want - 1,
	    "From root Thu Jan  1 00:00:00 1970\na\n\n");

	assert_int_equal(symlink(path, other), 0);
	assert_refused(other, "is a symbolic link");
	unlink(other);
	assert_int_equal(link(path, other), 0);
	assert_refused(path, "has more than one name");
	unlink(other);
	assert_int_equal(mkfifo(other, 0600), 0);
	assert_refused(other, "No such device or address");
	fd = open(other, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_refused(other, "is no regular file");
	close(fd);
	unlink(other);
	assert_refused(dir, "Is a directory");
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 12345, 0), 0);
		assert_refused(path, "belongs neither to root nor to you");
		assert_int_equal(chown(path, 0, 0), 0);
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_refused(path, "is locked by another program");
	close(fd);
	unlink(path);
}

/* What cannot be written whole leaves nothing: a limit plays the full disk. */
static void
test_full(void **state)
{
	char path[2 * FOLDER_MAX];
	struct rlimit old, small;
	struct buf big;

	(void)state;
	snprintf(path, sizeof path, "%s/full", dir);
	buf_init(&big, &mem);
	memset(buf_room(&big, 100000), 'x', 100000);
	big.n = 100000;
	assert_true(mailbox_append_text(path, STR_LIT("whole\n"), &why));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 50000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	buf_clear(&why);
	assert_false(mailbox_append_text(path, buf_view(&big), &why));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_non_null(strstr(buf_c(&why), "File too large"));
	assert_true(str_eq(file_text(path), STR_LIT("whole\n")));
	buf_free(&big);
	unlink(path);
}

/* Where picket-deliver is; the whole way is for tests/deliver. */
static void
test_program(void **state)
{
	struct job j = sample();

	(void)state;
	setenv("PICKET_LIBEXEC", "/build", 1);
	buf_clear(&out);
	send_program(&out);
	assert_string_equal(buf_c(&out), "/build/picket-deliver");
	setenv("PICKET_LIBEXEC", "build", 1);	/* relative: not to be trusted */
	buf_clear(&out);
	send_program(&out);
	assert_int_equal(out.p[0], '/');
	assert_string_not_equal(buf_c(&out), "build/picket-deliver");

	buf_clear(&out);
	assert_false(send_job(&j, "/no/such/program", 0, &out));
	assert_string_equal(buf_c(&out), "retry picket-deliver "
	    "/no/such/program: not found\n");
	buf_clear(&out);
	assert_false(send_job(&j, "/bin/false", 0, &out));
	assert_string_equal(buf_c(&out), "retry picket-deliver ended with "
	    "status 1\n");
	buf_clear(&out);
	assert_true(send_job(&j, "/bin/true", 0, &out));
	assert_int_equal(out.n, 0);
	/* it gets the job, byte for byte */
	buf_clear(&out);
	assert_true(send_job(&j, "/bin/cat", 0, &out));
	assert_int_equal(out.n, sizeof sample_bytes - 1);
	assert_memory_equal(out.p, sample_bytes, out.n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_job),
		cmocka_unit_test(test_job_wrong),
		cmocka_unit_test(test_child),
		cmocka_unit_test(test_child_missing),
		cmocka_unit_test(test_mailbox),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_program),
	};
	const char *tmp;
	int failed;

	/* the runner removes its TMPDIR whatever happens */
	tmp = getenv("TMPDIR");
	snprintf(dir, sizeof dir, "%s/picket-test.XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(dir) == NULL)
		return 1;
	mem_init(&mem, (size_t)16 << 20, NULL);
	buf_init(&out, &mem);
	buf_init(&why, &mem);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests_name("send", tests, NULL, NULL);
	buf_free(&out);
	buf_free(&why);
	rmdir(dir);
	return failed;
}
