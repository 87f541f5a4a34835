/* state: the client with the real picket-store, and what breaks its talk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/state/client.h"
#include "engine/state/wire.h"

extern char **environ;

static struct mem mem;
static char dir[100], program[4200], file[200];
static struct buf all, said;

static const struct state_owner one = { STR_LIT("run"), STR_LIT("One") };
static const struct state_owner two = { STR_LIT("run"), STR_LIT("Two") };
static const struct state_expire at_once = { 0, 0 };

static void
say(void *arg, struct str text)
{
	(void)arg;
	buf_str(&said, text);
}

static struct state *
open_state(bool read_only)
{
	struct state_options o = { .mem = &mem, .path = str_c(file),
	    .program = program, .read_only = read_only, .say = say };

	return state_new(&o);
}

/* "key/#name[element]=text " of each, sorted by the caller's luck: the store
 * gives the script's own first, then by the order of its keys. */
static void
add(void *arg, struct str key, bool number, struct str name,
    struct str element, struct str text)
{
	(void)arg;
	if (!str_none(key)) {
		buf_str(&all, key);
		buf_putc(&all, '/');
	}
	buf_putc(&all, number ? '#' : '$');
	buf_str(&all, name);
	if (!str_none(element)) {
		buf_putc(&all, '[');
		buf_str(&all, element);
		buf_putc(&all, ']');
	}
	buf_putc(&all, '=');
	buf_str(&all, text);
	buf_putc(&all, ' ');
}

static const char *
values(struct state *st, const struct state_owner *o)
{
	buf_clear(&all);
	if (!state_values(st, o, add, NULL))
		buf_str(&all, state_why(st));
	return buf_c(&all);
}

static struct outcome *
leaves(void)
{
	struct outcome *o = outcome_new(&mem);

	outcome_name(o, true, STR_LIT("x"));
	outcome_name(o, false, STR_LIT("x"));
	outcome_name(o, true, STR_LIT("a"));
	return o;
}

static bool
apply(struct state *st, const struct state_owner *owner, struct outcome *o,
    bool well, struct state_expire e, double now)
{
	bool ok = state_apply(st, owner, o, well, &e, now);

	outcome_free(o);
	return ok;
}

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/picket-state.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof file, "%s/new/state.db", dir);
	buf_clear(&said);
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

static void
test_first(void **state)
{
	struct state *st = open_state(false);
	struct stat sb;
	struct str p;
	double n = 7;

	(void)state;
	/* nothing is started before something is asked */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_string_equal(values(st, &one), "");
	assert_true(state_runs(st, &one, &n));
	assert_true(n == 0);
	assert_true(state_position(st, &one, STR_LIT("/l"), &p));
	assert_int_equal(p.n, 0);
	/* what only asks makes nothing */
	assert_int_equal(stat(file, &sb), -1);
	assert_true(apply(st, &one, leaves(), true, at_once, 0));
	state_free(st);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(stat(file, &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0600);
	assert_int_equal(said.n, 0);
}

/* What one run leaves is what the next one gets: every kind of value. */
static void
test_values(void **state)
{
	struct state *st = open_state(false);
	struct outcome *o = leaves();
	double n;

	(void)state;
	outcome_value(o, STR_NIL, true, STR_LIT("x"), STR_NIL,
	    STR_LIT("0.1"));
	outcome_value(o, STR_NIL, false, STR_LIT("x"), STR_NIL,
	    str_of("a\0\nb", 4));
	outcome_value(o, STR_NIL, true, STR_LIT("a"), STR_EMPTY,
	    STR_LIT("1"));
	outcome_value(o, STR_NIL, true, STR_LIT("a"), STR_LIT("k"), STR_ERR);
	outcome_value(o, STR_LIT("/usr"), true, STR_LIT("x"), STR_NIL,
	    STR_NIL);
	outcome_value(o, STR_EMPTY, true, STR_LIT("x"), STR_NIL,
	    STR_LIT("5"));
	assert_true(apply(st, &one, o, true, at_once, 100));
	state_free(st);
	st = open_state(false);
	assert_true(state_values(st, &one, add, NULL));
	assert_int_equal(all.n, strlen("#x=0.1 $x=a0\nb #a[]=1 #a[k]=<<ERR>> "
	    "/#x=5 /usr/#x=<<NIL>> "));
	assert_non_null(memmem(all.p, all.n, "$x=a\0\nb ", 8));
	assert_string_equal(values(st, &two), "");
	/* the script's own are all new; a key that is seen keeps what is not
	 * given, one that is not goes */
	o = leaves();
	outcome_value(o, STR_NIL, true, STR_LIT("a"), STR_LIT("l"),
	    STR_LIT("2"));
	outcome_seen(o, STR_LIT("/usr"));
	outcome_value(o, STR_LIT("/usr"), false, STR_LIT("x"), STR_NIL,
	    STR_EMPTY);
	assert_true(apply(st, &one, o, true, at_once, 101));
	assert_string_equal(values(st, &one),
	    "#a[l]=2 /usr/#x=<<NIL>> /usr/$x= ");
	assert_true(state_runs(st, &one, &n));
	assert_true(n == 2);
	/* a name that is kept no more */
	o = outcome_new(&mem);
	outcome_name(o, true, STR_LIT("x"));
	outcome_seen(o, STR_LIT("/usr"));
	assert_true(apply(st, &one, o, true, at_once, 102));
	assert_string_equal(values(st, &one), "/usr/#x=<<NIL>> ");
	state_free(st);
}

static void
test_bad_run(void **state)
{
	struct state *st = open_state(false);
	struct outcome *o = leaves();
	struct str p;
	double n;

	(void)state;
	outcome_value(o, STR_NIL, true, STR_LIT("x"), STR_NIL, STR_LIT("1"));
	outcome_seen(o, STR_LIT("k"));
	outcome_value(o, STR_LIT("k"), true, STR_LIT("x"), STR_NIL,
	    STR_LIT("2"));
	outcome_position(o, STR_LIT("/log"), STR_LIT("p1"));
	assert_true(apply(st, &one, o, true, at_once, 100));
	/* only positions, and nothing expires */
	o = outcome_new(&mem);
	outcome_value(o, STR_NIL, true, STR_LIT("x"), STR_NIL, STR_LIT("9"));
	outcome_point(o, STR_LIT("s"), 5, 5);
	outcome_position(o, STR_LIT("/log"), str_of("p\0002", 3));
	outcome_position(o, STR_LIT("/other"), STR_LIT("q"));
	assert_true(apply(st, &one, o, false, at_once, 101));
	assert_string_equal(values(st, &one), "#x=1 k/#x=2 ");
	assert_true(state_position(st, &one, STR_LIT("/log"), &p));
	assert_true(str_eq(p, str_of("p\0002", 3)));
	assert_true(state_position(st, &one, STR_LIT("/other"), &p));
	assert_true(str_eq(p, STR_LIT("q")));
	assert_true(state_position(st, &two, STR_LIT("/log"), &p));
	assert_int_equal(p.n, 0);
	assert_true(state_runs(st, &one, &n));
	assert_true(n == 2);
	state_free(st);
}

/* One run in which key k is seen, or another. */
static void
seen(struct state *st, const char *key, struct state_expire e, double now)
{
	struct outcome *o = leaves();

	outcome_value(o, str_c(key), true, STR_LIT("x"), STR_NIL,
	    STR_LIT("1"));
	assert_true(apply(st, &one, o, true, e, now));
}

static void
test_expire(void **state)
{
	struct state *st = open_state(false);
	struct state_expire runs = { 2, 0 }, day = { 0, 86400 };

	(void)state;
	seen(st, "k", runs, 0);
	seen(st, "l", runs, 0);
	seen(st, "l", runs, 0);
	assert_string_equal(values(st, &one), "k/#x=1 l/#x=1 ");
	seen(st, "l", runs, 0);
	assert_string_equal(values(st, &one), "l/#x=1 ");
	seen(st, "k", day, 1000);
	seen(st, "m", day, 1000 + 86400);
	assert_string_equal(values(st, &one), "k/#x=1 m/#x=1 ");
	seen(st, "m", day, 1000 + 86401);
	assert_string_equal(values(st, &one), "m/#x=1 ");
	/* a clock that was set back expires nothing */
	seen(st, "n", day, 500);
	assert_string_equal(values(st, &one), "m/#x=1 n/#x=1 ");
	state_free(st);
}

/* Dry runs see what there is and leave no trace. */
static void
test_read_only(void **state)
{
	struct state *st = open_state(true);
	struct outcome *o = leaves();
	struct stat before, after;
	char lock[220];

	(void)state;
	assert_string_equal(values(st, &one), "");
	assert_int_equal(access(file, F_OK), -1);
	state_free(st);
	st = open_state(false);
	seen(st, "k", at_once, 0);
	state_free(st);
	assert_int_equal(stat(file, &before), 0);
	snprintf(lock, sizeof lock, "%s.lock", file);
	assert_int_equal(unlink(lock), 0);
	st = open_state(true);
	assert_string_equal(values(st, &one), "k/#x=1 ");
	assert_false(apply(st, &one, o, true, at_once, 0));
	state_free(st);
	assert_int_equal(stat(file, &after), 0);
	assert_true(before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
	assert_int_equal(access(lock, F_OK), -1);
}

/* The one child that there is. */
static pid_t
store_pid(void)
{
	char name[64];
	FILE *f;
	int pid = 0;

	snprintf(name, sizeof name, "/proc/self/task/%d/children",
	    (int)getpid());
	f = fopen(name, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	fclose(f);
	return pid;
}

/* A store that is killed is started again, and nothing is counted twice. */
static void
test_killed(void **state)
{
	struct state *st = open_state(false);
	double n;
	int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		assert_string_equal(values(st, &one), i == 0 ? "" : "k/#x=1 ");
		assert_int_equal(kill(store_pid(), SIGKILL), 0);
		seen(st, "k", at_once, 0);
		if (i == 3)
			assert_int_equal(kill(store_pid(), SIGKILL), 0);
	}
	assert_true(state_runs(st, &one, &n));
	assert_true(n == 5);
	state_free(st);
}

static void
test_no_program(void **state)
{
	struct state_options o = { .mem = &mem, .path = str_c(file),
	    .program = "/nowhere/picket-store" };
	struct state *st = state_new(&o);
	double n;

	(void)state;
	assert_false(state_runs(st, &one, &n));
	buf_clear(&all);
	buf_str(&all, state_why(st));
	assert_string_equal(buf_c(&all), "/nowhere/picket-store: cannot be "
	    "started; is Picket installed as a whole?: No such file or "
	    "directory");
	state_free(st);
	/* a program that is another one */
	o.program = "/bin/true";
	st = state_new(&o);
	assert_false(state_runs(st, &one, &n));
	assert_true(str_starts(state_why(st), "/bin/true: broke off"));
	state_free(st);
	o.program = "/bin/echo";
	st = state_new(&o);
	assert_false(state_runs(st, &one, &n));
	state_free(st);
}

/* --- messages that are none --- */

static pid_t pid;

static int
raw(void)
{
	char *argv[] = { program, NULL };
	posix_spawn_file_actions_t act;
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    sv), 0);
	posix_spawn_file_actions_init(&act);
	posix_spawn_file_actions_adddup2(&act, sv[1], 0);
	posix_spawn_file_actions_addopen(&act, 2, "/dev/null", O_WRONLY, 0);
	assert_int_equal(posix_spawn(&pid, program, &act, NULL, argv,
	    environ), 0);
	posix_spawn_file_actions_destroy(&act);
	close(sv[1]);
	return sv[0];
}

/* Sends the bytes; the exit status of the store. */
static int
ends_with(const struct buf *greeting, struct str bytes)
{
	int fd = raw(), ws;
	char t[256];

	if (greeting != NULL)
		assert_true(wire_send(fd, buf_view(greeting)));
	(void)wire_send(fd, bytes);
	shutdown(fd, SHUT_WR);
	while (read(fd, t, sizeof t) > 0)
		;
	close(fd);
	assert_int_equal(waitpid(pid, &ws, 0), pid);
	assert_true(WIFEXITED(ws));
	return WEXITSTATUS(ws);
}

static void
greet(struct buf *b)
{
	wire_begin(b, WIRE_HELLO);
	wire_u32(b, WIRE_VERSION);
	wire_text(b, str_c(file));
	wire_u8(b, 0);
	wire_end(b);
}

static void
good_apply(struct buf *b)
{
	wire_begin(b, WIRE_APPLY);
	wire_text(b, one.alert);
	wire_text(b, one.script);
	wire_text(b, STR_LIT("id"));
	wire_u8(b, 1);
	wire_num(b, 0);
	wire_num(b, 0);
	wire_num(b, 1);
	wire_text(b, str_of("\1\1\0\0\0x", 6));
	wire_u8(b, ITEM_VALUE);
	wire_text(b, STR_LIT("k"));
	wire_u8(b, 1);
	wire_text(b, STR_LIT("x"));
	wire_text(b, STR_NIL);
	wire_text(b, STR_LIT("1"));
	wire_u8(b, ITEM_POINT);
	wire_text(b, STR_LIT("s"));
	wire_num(b, 1);
	wire_num(b, 2);
	wire_end(b);
}

static void
test_hostile(void **state)
{
	struct buf hello, m;
	size_t i, n;
	uint32_t r = 12345;
	struct state *st;
	int status, refused = 0;

	(void)state;
	buf_init(&hello, &mem);
	buf_init(&m, &mem);
	greet(&hello);
	good_apply(&m);
	assert_int_equal(ends_with(NULL, STR_EMPTY), 0);
	assert_int_equal(ends_with(NULL, STR_LIT("GET / HTTP/1.1\n")), 2);
	assert_int_equal(ends_with(NULL, buf_view(&m)), 2);	/* no hello */
	assert_int_equal(ends_with(&hello, buf_view(&hello)), 2);
	assert_int_equal(ends_with(&hello, str_of("\0\0\0\0", 4)), 2);
	assert_int_equal(ends_with(&hello, str_of("\xff\xff\xff\xff\5", 5)),
	    2);
	assert_int_equal(ends_with(&hello, str_of("\1\0\0\0\x63", 5)), 2);
	/* each message cut short, and with bytes too many */
	for (n = 1; n < m.n; n++) {
		struct buf cut;

		buf_init(&cut, &mem);
		buf_add(&cut, m.p, n);
		assert_int_equal(ends_with(&hello, buf_view(&cut)), 2);
		if (n > 4) {		/* a whole message of a cut body */
			wire_end(&cut);
			status = ends_with(&hello, buf_view(&cut));
			assert_true(status == 2 || status == 0);
		}
		buf_free(&cut);
	}
	wire_u8(&m, 99);
	wire_end(&m);
	assert_int_equal(ends_with(&hello, buf_view(&m)), 2);
	/* any byte changed: taken or refused, never a crash */
	for (i = 0; i < 400; i++) {
		good_apply(&m);
		r = r * 1103515245 + 12345;
		m.p[4 + (r >> 8) % (m.n - 4)] ^= (char)(1 + (r >> 24) % 255);
		status = ends_with(&hello, buf_view(&m));
		assert_true(status == 0 || status == 2);
		refused += status == 2;
	}
	assert_true(refused > 50);
	good_apply(&m);
	assert_int_equal(ends_with(&hello, buf_view(&m)), 0);
	st = open_state(false);
	assert_non_null(strstr(values(st, &one), "k/#x=1 "));
	state_free(st);
	buf_free(&hello);
	buf_free(&m);
}

static void
test_too_large(void **state)
{
	struct state *st = open_state(false);
	struct outcome *o = leaves();
	static char big[1 << 20];
	int i;

	(void)state;
	memset(big, 'x', sizeof big);
	for (i = 0; i < 31; i++)
		outcome_value(o, STR_NIL, false, STR_LIT("x"),
		    str_of(big, (size_t)i + 1), str_of(big, sizeof big));
	assert_true(state_apply(st, &one, o, true, &at_once, 0));
	outcome_value(o, STR_NIL, false, STR_LIT("x"), STR_NIL,
	    str_of(big, sizeof big));
	assert_false(apply(st, &one, o, true, at_once, 0));
	assert_true(str_starts(state_why(st), "the run leaves more than 32M"));
	buf_clear(&all);
	assert_true(state_values(st, &one, add, NULL));
	assert_true(all.n > 31u << 20);
	state_free(st);
}

int
main(void)
{
	const char *build = getenv("BUILDDIR");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_run, setup, teardown),
		cmocka_unit_test_setup_teardown(test_expire, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_only, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_program, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_large, setup,
		    teardown),
	};

	if (build == NULL) {
		fprintf(stderr, "BUILDDIR is not set: run it by tests/runner\n");
		return 1;
	}
	snprintf(program, sizeof program, "%s/picket-store", build);
	mem_init(&mem, (size_t)1 << 30, NULL);
	buf_init(&all, &mem);
	buf_init(&said, &mem);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
