/* trail: what a killed run leaves, whenever it was killed; and its lock. */
#include "effect.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "engine/effect/trail.h"
#include "engine/state/place.h"

static struct mem mem;
static char dir[100];
static struct buf why, all;

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/picket-trail.XXXXXX");
	assert_non_null(mkdtemp(dir));
	return 0;
}

static int
teardown(void **state)
{
	char cmd[200];

	(void)state;
	snprintf(cmd, sizeof cmd, "rm -rf '%s'", dir);
	return system(cmd);
}

static const struct trail_head head = { STR_LIT("run.1"), STR_LIT("Alert"),
    STR_LIT("/site"), 1234.5, 1200, STR_LIT("scheduled"), 77 };

static struct trail *
take(const char *alert)
{
	struct trail *t;

	buf_clear(&why);
	if (trail_open(&t, &mem, str_c(dir), str_c(alert), &why) != TRAIL_GOT)
		fail_msg("%s", buf_c(&why));
	return t;
}

static void
add(void *arg, enum trail_kind kind, struct str text)
{
	(void)arg;
	buf_printf(&all, "%d=", (int)kind);
	buf_str(&all, text);
	buf_putc(&all, ';');
}

/* What was left: "HEAD|kind=text;..." or "" */
static const char *
left(struct trail *t)
{
	struct trail_head h;

	buf_clear(&all);
	if (trail_left(t, &h, add, NULL)) {
		buf_printf(&all, "|%.*s %.*s %.*s %g", (int)h.run.n, h.run.p,
		    (int)h.alert.n, h.alert.p, (int)h.origin.n, h.origin.p,
		    h.began);
		if (h.due != head.due || !str_eq(h.reason, head.reason) ||
		    h.pid != head.pid)
			buf_printf(&all, " due %g, %.*s, pid %g", h.due,
			    (int)h.reason.n, h.reason.p, h.pid);
	}
	return buf_c(&all);
}

#define STEPS 12
/* A run of steps; dies before step `at`. */
static void
run_steps(int at)
{
	static const struct str mail = STR_LIT("line \\ one\n\x01\xff.");
	struct trail *t;
	int i;

	buf_clear(&why);
	for (i = 0; i < STEPS; i++) {
		if (i == at)
			(void)raise(SIGKILL);
		switch (i) {
		case 0:
			if (trail_open(&t, &mem, str_c(dir), head.alert,
			    &why) != TRAIL_GOT)
				_exit(1);
			break;
		case 1: trail_begin(t, &head); break;
		case 2: trail_script(t, STR_LIT("One"), 2); break;
		case 3: trail_add(t, TRAIL_MAIL, mail); break;
		case 4: trail_add(t, TRAIL_DID, STR_LIT("exec: /x")); break;
		case 5: trail_add(t, TRAIL_MAIL, STR_EMPTY); break;
		case 6: trail_script(t, STR_LIT("Two"), 3); break;
		case 7: trail_add(t, TRAIL_WROTE, STR_LIT("/log")); break;
		case 8: trail_add(t, TRAIL_MAIL_TO, STR_LIT("a@b\tx")); break;
		case 9: trail_add(t, TRAIL_SENT, STR_NIL); break;
		case 10: trail_end(t); break;
		}
	}
	_exit(0);
}

static int
in_child(void (*fn)(int), int arg)
{
	pid_t pid = fork();
	int ws;

	if (pid == 0)
		fn(arg);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &ws, 0), pid);
	return ws;
}

/* SIGKILL between any two writes: all until then is there, and no more. */
static void
test_killed(void **state)
{
	static const char *const has[STEPS] = { "", "", "",
	    "4=One;5=2;", "6=line \\ one\n\x01\xff.;", "8=exec: /x;", "6=;",
	    "4=Two;5=3;", "9=/log;", "7=a@b\tx;", "10=;", "" };
	char want[400];
	struct trail *t;
	int at, i, ws;

	(void)state;
	for (at = 0; at <= STEPS; at++) {
		ws = in_child(run_steps, at);
		assert_int_equal(WIFSIGNALED(ws), at < STEPS);
		t = take("Alert");
		want[0] = '\0';
		for (i = 0; i <= at && at < 11; i++)
			strcat(want, has[i]);
		if (at >= 2 && at < 11)
			strcat(want, "|run.1 Alert /site 1234.5");
		assert_string_equal(left(t), want);
		assert_string_equal(left(t), want);	/* again */
		trail_end(t);
	}
}

/* A file cut at any byte, or with any byte changed, reads as whole records
 * up to there, and as nothing that was not written. */
static void
test_torn(void **state)
{
	char path[200], whole[400], bytes[400];
	struct trail *t;
	ssize_t n, i;
	uint32_t r = 1;
	int fd, k;

	(void)state;
	(void)in_child(run_steps, 10);
	t = take("Alert");
	strcpy(whole, left(t));
	trail_close(t);
	*strrchr(whole, '|') = '\0';
	snprintf(path, sizeof path, "%s/run/Alert.run", dir);
	fd = open(path, O_RDWR);
	n = read(fd, bytes, sizeof bytes);
	assert_true(n > 100 && n < (ssize_t)sizeof bytes);
	for (i = n; i >= 0; i--) {
		assert_int_equal(ftruncate(fd, i), 0);
		t = take("Alert");
		(void)left(t);
		if (all.n > 0) {
			assert_non_null(strrchr(all.p, '|'));
			*strrchr(all.p, '|') = '\0';
			assert_int_equal(strncmp(all.p, whole,
			    strlen(all.p)), 0);
		}
		trail_close(t);
	}
	assert_string_equal(left(t = take("Alert")), "");
	trail_close(t);
	for (k = 0; k < 2000; k++) {
		assert_int_equal(pwrite(fd, bytes, (size_t)n, 0), n);
		r = r * 1103515245 + 12345;
		assert_int_equal(pwrite(fd, k % 2 ? "\0\0\0" : (char *)&r, 3,
		    (off_t)((r >> 8) % (uint32_t)n)), 3);
		t = take("Alert");
		(void)left(t);
		trail_close(t);
	}
	close(fd);
}

static void
open_held(int arg)
{
	struct trail *t;
	char want[64];

	(void)arg;
	buf_clear(&why);
	snprintf(want, sizeof want, "process %ld is running it",
	    (long)getppid());
	_exit(trail_open(&t, &mem, str_c(dir), head.alert, &why) ==
	    TRAIL_HELD && t == NULL && strcmp(buf_c(&why), want) == 0 ? 0 : 1);
}

static void
test_held(void **state)
{
	struct trail *t = take("Alert"), *u;
	struct stat st;
	char path[200];

	(void)state;
	assert_int_equal(in_child(open_held, 0), 0);
	u = take("alert");			/* another */
	trail_end(u);
	snprintf(path, sizeof path, "%s/run", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	snprintf(path, sizeof path, "%s/run/Alert.run", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	trail_end(t);
	assert_int_equal(stat(path, &st), -1);
}

#define RACES 1000
static void
race(int arg)
{
	char mark[200];
	struct trail *t;
	int i, fd;

	(void)arg;
	snprintf(mark, sizeof mark, "%s/mark", dir);
	for (i = 0; i < RACES; ) {
		buf_clear(&why);
		switch (trail_open(&t, &mem, str_c(dir), head.alert, &why)) {
		case TRAIL_GOT:
			break;
		case TRAIL_HELD:
			continue;
		default:
			_exit(2);
		}
		fd = open(mark, O_CREAT | O_EXCL | O_RDWR, 0600);
		if (fd == -1)
			_exit(3);	/* two at once */
		trail_begin(t, &head);
		close(fd);
		if (unlink(mark) != 0)
			_exit(4);
		if (i++ % 3 == 0)
			trail_close(t);
		else
			trail_end(t);
	}
	_exit(0);
}

static void
test_race(void **state)
{
	pid_t pid[2];
	int i, ws;

	(void)state;
	for (i = 0; i < 2; i++)
		if ((pid[i] = fork()) == 0)
			race(i);
	for (i = 0; i < 2; i++) {
		assert_int_equal(waitpid(pid[i], &ws, 0), pid[i]);
		assert_int_equal(ws, 0);
	}
}

static void
refused(const char *want)
{
	struct trail *t;

	buf_clear(&why);
	assert_int_equal(trail_open(&t, &mem, str_c(dir), head.alert, &why),
	    TRAIL_NONE);
	assert_null(t);
	if (strstr(buf_c(&why), want) == NULL)
		fail_msg("wanted: %s; is: %s", want, why.p);
}

/* What stands in its place. */
static void
test_hostile(void **state)
{
	char run[200], path[300], other[200];
	struct trail *t;
	struct stat st;

	(void)state;
	snprintf(run, sizeof run, "%s/run", dir);
	snprintf(path, sizeof path, "%s/Alert.run", run);
	snprintf(other, sizeof other, "%s/other", dir);
	close(open(run, O_CREAT | O_RDWR, 0600));
	refused("/run: is no folder: move it away");
	unlink(run);
	assert_int_equal(symlink("/tmp", run), 0);
	refused("/run: is no folder: move it away");
	unlink(run);
	trail_end(take("Alert"));
	assert_int_equal(symlink(other, path), 0);
	refused("run/Alert.run: is no ordinary file: move it away");
	assert_int_equal(stat(other, &st), -1);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	refused("is no ordinary file");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	refused("is no ordinary file");
	rmdir(path);
	if (geteuid() == 0) {
		close(open(path, O_CREAT | O_RDWR, 0600));
		assert_int_equal(chown(path, 65534, 65534), 0);
		refused("belongs to user 65534, and this runs as user 0");
		unlink(path);
		assert_int_equal(chown(run, 65534, 65534), 0);
		refused("/run: belongs to user 65534");
		assert_int_equal(chown(run, 0, 0), 0);
	}
	/* a text that is no trail is nothing, and is written over */
	close(open(path, O_CREAT | O_RDWR, 0600));
	assert_int_equal(truncate(path, 10000000), 0);
	t = take("Alert");
	assert_string_equal(left(t), "");
	trail_begin(t, &head);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 100);
	trail_end(t);
}

static void
test_names(void **state)
{
	static char a[5000], b[5000];
	static const struct {
		const char *alert, *file;
	} is[] = {
		{ "Daily-2.x_y", "Daily-2.x_y.run" },
		{ "../../etc", "%2e.%2f..%2fetc.run" },
		{ "", ".run" },
		{ ".", "%2e.run" },
		{ "a b\n\xc3\xa4%", "a%20b%0a%c3%a4%25.run" },
	};
	char path[300];
	struct trail *t, *u;
	struct stat st;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof is / sizeof *is; i++) {
		t = take(is[i].alert);
		snprintf(path, sizeof path, "%s/run/%s", dir, is[i].file);
		assert_int_equal(stat(path, &st), 0);
		trail_begin(t, &(struct trail_head){ STR_EMPTY,
		    str_c(is[i].alert), STR_EMPTY, 0, 0, STR_EMPTY, 0 });
		trail_close(t);
		t = take(is[i].alert);
		snprintf(path, sizeof path, "| %s  0 due 0, , pid 0", is[i].alert);
		assert_string_equal(left(t), path);
		trail_end(t);
	}
	memset(a, ' ', sizeof a - 1);
	memset(b, ' ', sizeof b - 2);
	t = take(a);
	u = take(b);
	trail_end(t);
	trail_end(u);
}

static void
test_limit(void **state)
{
	static char big[100000];
	struct trail *t = take("Alert");
	struct stat st;
	char path[200];
	int i;

	(void)state;
	memset(big, 'x', sizeof big);
	trail_begin(t, &head);
	assert_true(trail_is_whole(t));
	for (i = 0; i < 30; i++)
		trail_add(t, TRAIL_MAIL, str_of(big, sizeof big));
	assert_false(trail_is_whole(t));
	/* effects still are, cut to what a person reads */
	for (i = 0; i < 100; i++)
		trail_add(t, TRAIL_DID, str_of(big, sizeof big));
	trail_close(t);
	snprintf(path, sizeof path, "%s/run/Alert.run", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < LIM_TRAIL + LIM_TRAIL_MORE + 100);
	assert_true(st.st_size > LIM_TRAIL - (int)sizeof big);
	t = take("Alert");
	(void)left(t);
	for (i = 0; i < 20; i++)
		assert_int_equal(all.p[(size_t)i * (sizeof big + 3)], '6');
	assert_int_equal(strncmp(all.p + 20 * (sizeof big + 3), "11=;8=xx", 8),
	    0);
	trail_end(t);
}

static bool
seen(void *arg, struct trail *t)
{
	int *n = arg;

	(*n)++;
	assert_non_null(strstr(left(t), "|run.1 Alert /site 1234.5"));
	return *n != 2;
}

static void
hold(int fd)
{
	struct trail *t;

	buf_clear(&why);
	if (trail_open(&t, &mem, str_c(dir), STR_LIT("held"), &why) !=
	    TRAIL_GOT)
		_exit(1);
	trail_begin(t, &head);
	(void)!write(fd, "x", 1);
	for (;;)
		pause();
}

static void
count_due(void *arg, const struct trail_head *h)
{
	assert_true(h->due == 1200 && str_eq(h->alert, STR_LIT("Alert")));
	++*(int *)arg;
}

static void
test_heads(void **state)
{
	struct trail *t;
	char path[200];
	int n = 0, p[2];
	pid_t pid;

	(void)state;
	buf_clear(&why);
	assert_true(trail_heads(&mem, str_c(dir), count_due, &n, &why));
	assert_true(n == 0 && why.n == 0);
	t = take("killed");
	trail_begin(t, &head);
	trail_close(t);
	trail_close(take("empty"));
	snprintf(path, sizeof path, "%s/run/pipe.run", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof path, "%s/run/link.run", dir);
	assert_int_equal(symlink("killed.run", path), 0);
	assert_int_equal(pipe(p), 0);
	pid = fork();
	if (pid == 0)
		hold(p[1]);
	assert_int_equal(read(p[0], path, 1), 1);
	assert_true(trail_heads(&mem, str_c(dir), count_due, &n, &why));
	assert_int_equal(n, 2);		/* the killed one, and one that goes on */
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(p[0]);
	close(p[1]);
	snprintf(path, sizeof path, "%s/run", dir);
	assert_int_equal(chmod(path, 0), 0);
	if (geteuid() != 0)
		assert_false(trail_heads(&mem, str_c(dir), count_due, &n,
		    &why));
	assert_int_equal(chmod(path, 0700), 0);
}

static void
test_each(void **state)
{
	static const char *const name[] = { "a", "b b", "c" };
	char path[200];
	struct trail *t;
	int n = 0, i, p[2];
	pid_t pid;

	(void)state;
	buf_clear(&why);
	assert_true(trail_each(&mem, str_c(dir), seen, &n, &why));
	assert_int_equal(why.n, 0);
	snprintf(path, sizeof path, "%s/run", dir);
	assert_int_equal(access(path, F_OK), -1);	/* makes none */
	for (i = 0; i < 3; i++) {
		t = take(name[i]);
		trail_begin(t, &head);
		trail_close(t);
	}
	trail_close(take("empty"));
	assert_int_equal(pipe(p), 0);
	pid = fork();
	if (pid == 0)
		hold(p[1]);
	assert_int_equal(read(p[0], path, 1), 1);
	assert_true(trail_each(&mem, str_c(dir), seen, &n, &why));
	assert_int_equal(n, 3);
	n = 2;				/* the one that was not told of */
	assert_true(trail_each(&mem, str_c(dir), seen, &n, &why));
	assert_int_equal(n, 3);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(trail_each(&mem, str_c(dir), seen, &n, &why));
	assert_int_equal(n, 4);
	assert_true(trail_each(&mem, str_c(dir), seen, &n, &why));
	assert_int_equal(n, 4);
	close(p[0]);
	close(p[1]);
}

/* The host writes it as things happen. */
static void
test_live(void **state)
{
	struct world w;
	struct live_options o = world_options(&w);
	char *argv[] = { "/bin/sh", "-c", "kill -9 $PPID; sleep 5", NULL };
	struct command c = { .argv = argv, .argc = 3,
	    .show = STR_LIT("sh -c kill") };
	struct exec_result res;
	struct exec_opts opts = { .as = STR_NIL, .dir = STR_NIL };
	struct trail *t;
	char name[100];
	pid_t pid;
	int ws;

	(void)state;
	snprintf(name, sizeof name, "%s/a.log", w.dir);
	pid = fork();
	if (pid == 0) {
		o.trail = take("Alert");
		o.level = 2;
		trail_begin(o.trail, &head);
		w.live = live_new(&o);
		live_host.output(w.live, OUT_MAIL, STR_NIL, STR_LIT("one"));
		live_host.output(w.live, OUT_MAIL_TO, STR_LIT("a@b"),
		    STR_LIT("two\nlines"));
		live_host.output(w.live, OUT_LOG, str_c(name), STR_LIT("l"));
		live_host.output(w.live, OUT_LOG, str_c(name), STR_LIT("m"));
		live_host.exec(w.live, &c, EXEC_WAIT, &opts, &res);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &ws, 0), pid);
	assert_true(WIFSIGNALED(ws));
	t = take("Alert");
	buf_clear(&why);
	buf_printf(&why, "4=Storm;5=2;6=one;7=a@b\ttwo lines;9=%s;"
	    "8=exec wait: sh -c kill;|run.1 Alert /site 1234.5", name);
	assert_string_equal(left(t), buf_c(&why));
	trail_end(t);
	w.live = NULL;
	world_close(&w);
}

/* --- locks --- */

static void
lock_child(int how)
{
	struct lock l;
	char path[200];
	enum lock_got got;

	snprintf(path, sizeof path, "%s/" LOCK_TELL, dir);
	got = lock_take(&l, path, LOCK_ALONE, how == 1 ? 5 : 0.1);
	buf_clear(&why);
	lock_why(&l, got, path, &why);
	if (how == 1)
		_exit(got == LOCK_GOT ? 0 : 1);
	_exit(got == LOCK_HELD && l.holder == getppid() && l.fd == -1 &&
	    strstr(buf_c(&why), "/tell.lock: process ") != NULL ? 0 : 1);
}

static void
test_lock(void **state)
{
	char path[200];
	struct lock l, k;
	struct stat st;
	pid_t pid;
	int ws;

	(void)state;
	snprintf(path, sizeof path, "%s/" LOCK_TELL, dir);
	assert_int_equal(lock_take(&l, path, LOCK_SHARED, 0), LOCK_NONE);
	assert_int_equal(l.error, ENOENT);
	assert_int_equal(lock_take(&l, path, LOCK_ALONE, 0), LOCK_GOT);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(in_child(lock_child, 0), 0);
	pid = fork();
	if (pid == 0)
		lock_child(1);
	usleep(100000);
	assert_int_equal(waitpid(pid, &ws, WNOHANG), 0);
	lock_drop(&l);
	lock_drop(&l);
	assert_int_equal(waitpid(pid, &ws, 0), pid);
	assert_int_equal(ws, 0);
	unlink(path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	buf_clear(&why);
	lock_why(&k, lock_take(&k, path, LOCK_ALONE, 0), path, &why);
	assert_non_null(strstr(buf_c(&why),
	    ": is no ordinary file of this user: move it away"));
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(lock_take(&k, path, LOCK_ALONE, 0), LOCK_NONE);
	assert_int_equal(k.error, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_held, setup, teardown),
		cmocka_unit_test_setup_teardown(test_race, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_each, setup, teardown),
		cmocka_unit_test_setup_teardown(test_heads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_live, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lock, setup, teardown),
	};

	mem_init(&mem, (size_t)1 << 28, NULL);
	buf_init(&why, &mem);
	buf_init(&all, &mem);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
