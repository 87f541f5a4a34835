/*
 * The walk over processes and what stands on it: no memory is taken once a
 * table is open, a process that goes or whose number goes to another one
 * between two reads, and what happens where there is no descriptor, no time
 * or no name left.
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "engine/table/names.h"
#include "engine/table/procs.h"

/* Every allocation of the program and of libc is counted; a sanitizer brings
 * its own allocator, and there the table's memory counts alone. */
static volatile unsigned long taken;
#if !defined __SANITIZE_ADDRESS__ && !defined __clang__
#define COUNTED
#pragma GCC visibility push(default)	/* libc is to find them */
void	*__libc_malloc(size_t);
void	*__libc_calloc(size_t, size_t);
void	*__libc_realloc(void *, size_t);

void *
malloc(size_t n)
{
	taken++;
	return __libc_malloc(n);
}

void *
calloc(size_t k, size_t n)
{
	taken++;
	return __libc_calloc(k, n);
}

void *
realloc(void *p, size_t n)
{
	taken++;
	return __libc_realloc(p, n);
}
#pragma GCC visibility pop
#endif

static struct mem mem;
static char dir[64] = "/dev/shm/picket-procs.XXXXXX";	/* thousands of files */
static unsigned asked;
static bool stop_now;

static struct str
username(void *arg, uid_t uid)
{
	static char name[200];

	(void)arg;
	asked++;
	if (uid >= 5000 && uid < 5100) {	/* names that fill the place */
		memset(name, 'n', sizeof name);
		name[0] = (char)('A' + uid % 26);
		return str_of(name, sizeof name);
	}
	return uid == 4242 ? STR_LIT("served") : STR_NIL;
}

static bool
stop(void *arg)
{
	(void)arg;
	return stop_now;
}

static struct table_world
world(const char *root)
{
	return (struct table_world){ .mem = &mem, .root = root,
	    .username = username, .stop = stop };
}

static struct table *
open_table(const char *root, enum table_id id)
{
	struct table_world w = world(root);
	struct table_ask ask = { .id = id };
	char why[LIM_TABLE_WHY];
	struct table *t = table_open(&w, &ask, why);

	if (t == NULL)
		fail_msg("%s", why);
	return t;
}

static double
number(struct table *t, enum table_column c)
{
	struct row *r = table_row(t);

	return r->ops->number(r, c);
}

static struct str
text(struct table *t, enum table_column c)
{
	struct row *r = table_row(t);

	return r->ops->text(r, c);
}

#define P(name)		COLUMN_PROCESSES_##name

static void
put(const char *name, const char *content)
{
	char path[300], *slash;
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	for (slash = path + strlen(dir); (slash = strchr(slash + 1, '/')) !=
	    NULL; *slash = '/') {
		*slash = '\0';
		mkdir(path, 0755);
	}
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(content, f);
	assert_int_equal(fclose(f), 0);
}

static void
shell(const char *command)
{
	char line[500];

	snprintf(line, sizeof line, "cd %s && %s", dir, command);
	assert_int_equal(system(line), 0);
}

/* Reads every column of every row. */
static unsigned
read_all(struct table *t, enum table_id id)
{
	struct row *r = table_row(t);
	enum table_column c;
	unsigned n = 0;

	for (; table_next(t) == TABLE_ROW; n++)
		for (c = table_info[id].first; c < table_info[id + 1].first;
		    c++)
			if (column_info[c].sigil == '#')
				r->ops->number(r, c);
			else
				r->ops->text(r, c);
	return n;
}

static void
no_memory(enum table_id id)
{
	struct table *t = open_table("", id);
	unsigned long before = taken;
	size_t used = mem.used, limit = mem.limit;
	unsigned n;

	mem.limit = mem.used;	/* one byte more would abort */
	n = read_all(t, id);
	mem.limit = limit;
	assert_int_equal(mem.used, used);
	assert_int_equal(taken, before);
	assert_true(n > 2);
	table_close(t);
	assert_int_equal(mem.used, 0);
}

static void
test_no_memory(void **state)
{
	(void)state;
#ifdef COUNTED
	unsigned long before = taken;

	char *volatile p = strdup("counted");	/* libc's own are seen too */

	free(p);
	assert_int_equal(taken, before + 1);
#endif
	no_memory(TABLE_PROCESSES);
	no_memory(TABLE_PROCESS_COUNTS);
	no_memory(TABLE_LIMITS);
	no_memory(TABLE_OPEN_FILES);
}

/* A process of its own; with a number that it is to have, or 0. */
static pid_t
start(pid_t with)
{
	struct clone_args a = { .exit_signal = SIGCHLD };
	pid_t pid;

	if (with != 0) {
		a.set_tid = (uintptr_t)&with;
		a.set_tid_size = 1;
	}
	pid = (pid_t)syscall(SYS_clone3, &a, sizeof a);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, with == 0 ? "the first" : "the second");
		for (;;)
			pause();
	}
	return pid;
}

static void
finish(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
walk_to(struct table *t, pid_t pid)
{
	do
		assert_int_equal(table_next(t), TABLE_ROW);
	while (number(t, P(pid)) != pid);
}

/* The child's number, once its name is its own. */
static pid_t
first_child(void)
{
	char path[64], name[32];
	pid_t pid = start(0);
	ssize_t n;
	int fd;

	assert_true(pid > 0);
	snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
	do {
		fd = open(path, O_RDONLY);
		n = read(fd, name, sizeof name);
		close(fd);
	} while (n != 10 || memcmp(name, "the first\n", 10) != 0);
	return pid;
}

static void
nothing_more(struct table *t)
{
	assert_true(num_is_nil(number(t, P(swap))));
	assert_true(num_is_nil(number(t, P(shared))));
	assert_true(num_is_nil(number(t, P(fds))));
	assert_true(num_is_nil(number(t, P(oom_score))));
	assert_true(num_is_nil(number(t, P(oom_score_adj))));
	assert_true(str_none(text(t, P(args))));
	assert_true(str_none(text(t, P(cgroup))));
	assert_true(str_none(text(t, P(unit))));
}

/* deep: another file of processes before this one was read. */
static void
vanish(bool deep, bool reuse)
{
	struct table *t = open_table("", TABLE_PROCESSES);
	pid_t pid = first_child(), again = 0;
	double start_of;

	if (deep) {
		assert_int_equal(table_next(t), TABLE_ROW);
		number(t, P(swap));
	}
	walk_to(t, pid);
	assert_true(str_eq(text(t, P(comm)), STR_LIT("the first")));
	start_of = number(t, P(starttime));
	finish(pid);
	if (reuse) {
		again = start(pid);
		if (again == -1)	/* needs root in the namespace */
			assert_true(geteuid() != 0 && errno == EPERM);
		else
			assert_int_equal(again, pid);
	}
	nothing_more(t);
	/* what was read stays */
	assert_true(str_eq(text(t, P(comm)), STR_LIT("the first")));
	assert_true(number(t, P(starttime)) == start_of);
	assert_true(number(t, P(uid)) == geteuid());
	while (table_next(t) == TABLE_ROW)
		;
	table_close(t);
	if (again > 0)
		finish(again);
	assert_int_equal(mem.used, 0);
}

static void
test_vanish(void **state)
{
	(void)state;
	vanish(false, false);
	vanish(true, false);
}

static void
test_reuse(void **state)
{
	(void)state;
	vanish(false, true);
	vanish(true, true);
}

/* Gone before anything of it was read: no row. */
static void
test_left_out(void **state)
{
	struct table *t = open_table("", TABLE_PROCESSES);
	pid_t pid = first_child();

	(void)state;
	assert_int_equal(table_next(t), TABLE_ROW);
	assert_true(number(t, P(pid)) < pid);
	finish(pid);
	while (table_next(t) == TABLE_ROW)
		assert_true(number(t, P(pid)) != pid);
	table_close(t);
}

#define STAT(pid, name)	pid " (" name ") S 1 1 1 0 -1 0 0 0 0 0 1 2 0 0 20 0 " \
	"1 0 77 4096 1 0\n"

static void
test_recorded_reuse(void **state)
{
	struct table *t;

	(void)state;
	put("proc/10/stat", STAT("10", "old"));
	put("proc/10/cmdline", "old words");
	put("proc/10/status", "Uid:\t0\t42\t0\t0\n");
	put("proc/11/stat", STAT("11", "going"));
	put("proc/11/cmdline", "going");
	t = open_table(dir, TABLE_PROCESSES);
	assert_int_equal(table_next(t), TABLE_ROW);
	shell("mv proc/10 was");
	put("proc/10/stat", STAT("10", "new"));
	put("proc/10/cmdline", "new words");
	put("proc/10/status", "Uid:\t0\t43\t0\t0\n");
	assert_true(str_eq(text(t, P(comm)), STR_LIT("old")));
	assert_true(str_eq(text(t, P(args)), STR_LIT("old words")));
	assert_true(number(t, P(uid)) == 42);
	assert_int_equal(table_next(t), TABLE_ROW);
	assert_true(str_eq(text(t, P(comm)), STR_LIT("going")));
	shell("rm -r proc/11");
	assert_true(str_none(text(t, P(args))));
	assert_true(str_none(text(t, P(user))));
	assert_int_equal(table_next(t), TABLE_END);
	table_close(t);
	shell("rm -r proc was");
	assert_int_equal(mem.used, 0);
}

/* No descriptor is not "gone": a table that cannot be read says so. */
static void
test_no_descriptor(void **state)
{
	struct table *t = open_table("", TABLE_PROCESSES);
	struct rlimit was, few;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	few = was;
	few.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(table_next(t), TABLE_FAILED);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_string_equal(table_why(t),
	    "cannot read /proc: Too many open files");
	table_close(t);
}

static void
test_stop(void **state)
{
	struct table *t;

	(void)state;
	stop_now = true;
	t = open_table("", TABLE_PROCESS_COUNTS);
	assert_int_equal(table_next(t), TABLE_FAILED);
	assert_non_null(strstr(table_why(t), "the run was to end"));
	table_close(t);
	stop_now = false;
}

static void
names_are(struct names *u, uid_t uid, const char *want)
{
	struct str s = names_user(u, uid);

	if (!str_eq(s, str_c(want)))
		fail_msg("%u: \"%.*s\", not \"%s\"", (unsigned)uid, (int)s.n,
		    s.p, want);
}

static void
test_names(void **state)
{
	struct table_world w = world(dir);
	struct names u;
	char want[20];
	unsigned i;

	(void)state;
	put("etc/passwd", "root:x:0:0:::\ntoor:x:0:0:::\n#c:x:7:7\n+nis:x:8:8\n"
	    ":x:9:9\nhalf:x\nbad:x:-3:1\nbig:x:4294967296:1\nalice:x:1000:1:::");
	asked = 0;
	names_open(&u, &w);
	names_are(&u, 0, "root");
	names_are(&u, 1000, "alice");
	assert_int_equal(asked, 0);
	for (i = 0; i < 3; i++) {
		names_are(&u, 4242, "served");
		names_are(&u, 7, "7");
		names_are(&u, 9, "9");
		names_are(&u, 4294967295u, "4294967295");
	}
	assert_int_equal(asked, 4);	/* once each, who has none too */
	/* as many as are remembered, and more: right all the same */
	for (i = 0; i < 2 * LIM_NAMES_ASKED; i++) {
		snprintf(want, sizeof want, "%u", 100000 + i);
		names_are(&u, 100000 + i, want);
	}
	assert_int_equal(asked, 4 + 2 * LIM_NAMES_ASKED);
	names_are(&u, 4242, "served");
	assert_int_equal(asked, 4 + 2 * LIM_NAMES_ASKED);
	names_close(&u);

	/* names that fill their place: 163 of 200 bytes would */
	names_open(&u, &w);
	for (i = 5000; i < 5100; i++)
		assert_int_equal(names_user(&u, i).n, 200);
	for (i = 5000; i < 5100; i++)
		assert_int_equal(names_user(&u, i).p[0], 'A' + i % 26);
	assert_true(u.nbytes <= LIM_NAMES_BYTES);
	names_close(&u);

	w.limited = true;
	asked = 0;
	names_open(&u, &w);
	names_are(&u, 4242, "4242");
	names_are(&u, 1000, "alice");
	names_close(&u);
	assert_int_equal(asked, 0);

	/* a file longer than is read: its whole lines, the rest is asked for */
	shell("awk 'BEGIN {for (i = 0; i < 100000; i++) "
	    "printf \"user%06d:x:%d:1::/home/user%06d:/bin/sh\\n\", i, "
	    "i + 1000000, i}' > etc/passwd");
	w.limited = false;
	names_open(&u, &w);
	names_are(&u, 1000000, "user000000");
	names_are(&u, 1050000, "user050000");
	assert_int_equal(asked, 0);
	names_are(&u, 1099999, "1099999");
	assert_int_equal(asked, 1);
	names_close(&u);
	shell("rm etc/passwd && mkfifo etc/passwd");	/* must not wait */
	names_open(&u, &w);
	names_are(&u, 0, "0");
	names_close(&u);
	shell("rm -r etc");
	assert_int_equal(mem.used, 0);
}

/* More parents than are counted: NIL, not a guess; more processes than a
 * recording may have: a reason. */
static void
test_many(void **state)
{
	struct table_world w = world(dir);
	struct table_ask ask = { .id = TABLE_PROCESSES };
	char why[LIM_TABLE_WHY];
	struct table *t;

	(void)state;
	shell("mkdir proc && python3 -c '\n"
	    "import os\n"
	    "for i in range(1, 32771):\n"
	    "    os.mkdir(\"proc/%d\" % i)\n"
	    "    f = os.open(\"proc/%d/stat\" % i, os.O_CREAT | os.O_WRONLY)\n"
	    "    os.write(f, b\"1 (many) S %d 1\" % (i + 5))\n"
	    "    os.close(f)\n"
	    "for i in range(32771, 65538):\n"
	    "    open(\"proc/%d\" % i, \"w\").close()\n'");
	assert_null(table_open(&w, &ask, why));
	assert_non_null(strstr(why, "more than 65536 processes"));
	assert_int_equal(mem.used, 0);
	shell("rm proc/65537");
	t = open_table(dir, TABLE_PROCESS_COUNTS);
	assert_int_equal(table_next(t), TABLE_ROW);
	assert_true(number(t, COLUMN_PROCESS_COUNTS_count) == 32770);
	assert_true(num_is_nil(number(t, COLUMN_PROCESS_COUNTS_ppid)));
	assert_int_equal(table_next(t), TABLE_END);
	table_close(t);
	shell("rm -r proc");
	assert_int_equal(mem.used, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_vanish),
		cmocka_unit_test(test_reuse),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_recorded_reuse),
		cmocka_unit_test(test_no_descriptor),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_many),
	};
	int failed;

	mem_init(&mem, SIZE_MAX, NULL);
	if (access("/dev/shm", W_OK) != 0)
		strcpy(dir, "/tmp/picket-procs.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
