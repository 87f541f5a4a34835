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

static char reply[256];		/* the last that the store said */

/* Sends the bytes; the exit status of the store. */
static int
ends_with(const struct buf *greeting, struct str bytes)
{
	int fd = raw(), ws;

	if (greeting != NULL)
		assert_true(wire_send(fd, buf_view(greeting)));
	(void)wire_send(fd, bytes);
	shutdown(fd, SHUT_WR);
	while (read(fd, reply, sizeof reply) > 0)
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
	wire_u32(b, query_print());
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
good_rows(struct buf *b)
{
	wire_begin(b, WIRE_DO);
	wire_u32(b, Q_HISTORY_ADD);
	wire_num(b, 1);
	wire_text(b, STR_LIT("key"));
	wire_num(b, NUM_NIL);
	wire_text(b, STR_LIT("what"));
	wire_text(b, STR_NIL);
	wire_text(b, STR_EMPTY);
	wire_text(b, STR_LIT("notice"));
	wire_u32(b, Q_META_PUT);
	wire_text(b, STR_LIT("name"));
	wire_text(b, STR_LIT("value"));
	wire_end(b);
}

static const char *batch_id = "id";

static void
good_commit(struct buf *b)
{
	wire_begin(b, WIRE_COMMIT);
	wire_text(b, str_c(batch_id));
	wire_u8(b, 1);
	wire_end(b);
}

static void
good_ask(struct buf *b)
{
	wire_begin(b, WIRE_ASK);
	wire_u32(b, Q_HISTORY_OF);
	wire_text(b, STR_LIT("key"));
	wire_num(b, 5);
	wire_end(b);
}

/* Cut short, made longer and changed, a message is taken or refused. */
static void
hostile(const struct buf *hello, void (*make)(struct buf *))
{
	struct buf m, whole;
	size_t i, n;
	uint32_t r = 12345;
	int status, refused = 0;

	buf_init(&m, &mem);
	buf_init(&whole, &mem);
	make(&whole);
	for (n = 1; n < whole.n; n++) {
		buf_clear(&m);
		buf_add(&m, whole.p, n);
		assert_int_equal(ends_with(hello, buf_view(&m)), 2);
		if (n > 4) {		/* a whole message of a cut body */
			wire_end(&m);
			status = ends_with(hello, buf_view(&m));
			assert_true(status == 2 || status == 0);
		}
	}
	make(&m);
	wire_u8(&m, 99);
	wire_end(&m);
	assert_int_equal(ends_with(hello, buf_view(&m)), 2);
	for (i = 0; i < 200; i++) {
		make(&m);
		r = r * 1103515245 + 12345;
		m.p[4 + (r >> 8) % (m.n - 4)] ^= (char)(1 + (r >> 24) % 255);
		status = ends_with(hello, buf_view(&m));
		assert_true(status == 0 || status == 2);
		refused += status == 2;
	}
	assert_true(refused > 25);
	buf_free(&m);
	buf_free(&whole);
}

static void
test_hostile(void **state)
{
	struct buf hello, m, all_of;
	size_t n;
	struct state *st;

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
	hostile(&hello, good_apply);
	hostile(&hello, good_rows);
	hostile(&hello, good_commit);
	hostile(&hello, good_ask);
	/* what was not committed is not there */
	buf_init(&all_of, &mem);
	good_apply(&m);
	buf_str(&all_of, buf_view(&m));
	assert_int_equal(ends_with(&hello, buf_view(&all_of)), 0);
	good_rows(&m);
	buf_str(&all_of, buf_view(&m));
	assert_int_equal(ends_with(&hello, buf_view(&all_of)), 0);
	st = open_state(false);
	assert_string_equal(values(st, &one), "");
	state_free(st);
	/* a question in the midst of a batch, changes that ask, questions that
	 * change, and a query that there is not */
	good_ask(&m);
	assert_int_equal(ends_with(&hello, buf_view(&m)), 0);
	n = all_of.n;
	buf_str(&all_of, buf_view(&m));
	assert_int_equal(ends_with(&hello, buf_view(&all_of)), 2);
	all_of.n = n;
	wire_begin(&m, WIRE_DO);
	wire_u32(&m, Q_RUN_IS);
	wire_text(&m, STR_LIT("x"));
	wire_end(&m);
	assert_int_equal(ends_with(&hello, buf_view(&m)), 2);
	wire_begin(&m, WIRE_ASK);
	wire_u32(&m, Q_META_DROP);
	wire_text(&m, STR_LIT("name"));
	wire_end(&m);
	assert_int_equal(ends_with(&hello, buf_view(&m)), 2);
	wire_begin(&m, WIRE_ASK);
	wire_u32(&m, QUERY_COUNT);
	wire_end(&m);
	assert_int_equal(ends_with(&hello, buf_view(&m)), 2);
	/* texts where numbers stand, and ERR */
	wire_begin(&m, WIRE_ASK);
	wire_u32(&m, Q_META_GET);
	wire_text(&m, STR_ERR);
	wire_end(&m);
	assert_int_equal(ends_with(&hello, buf_view(&m)), 2);
	/* a store of another build */
	wire_begin(&m, WIRE_HELLO);
	wire_u32(&m, WIRE_VERSION);
	wire_u32(&m, query_print() ^ 1);
	wire_text(&m, str_c(file));
	wire_u8(&m, 0);
	wire_end(&m);
	assert_int_equal(ends_with(NULL, buf_view(&m)), 0);
	assert_non_null(memmem(reply, sizeof reply, "is of another build", 19));
	batch_id = "another";		/* the first is taken */
	good_commit(&m);
	buf_str(&all_of, buf_view(&m));
	assert_int_equal(ends_with(&hello, buf_view(&all_of)), 0);
	buf_free(&all_of);
	/* a dry run's store changes nothing */
	wire_begin(&hello, WIRE_HELLO);
	wire_u32(&hello, WIRE_VERSION);
	wire_u32(&hello, query_print());
	wire_text(&hello, str_c(file));
	wire_u8(&hello, 1);
	wire_end(&hello);
	assert_int_equal(ends_with(&hello, buf_view(&m)), 2);
	good_rows(&m);
	assert_int_equal(ends_with(&hello, buf_view(&m)), 2);
	st = open_state(false);
	assert_non_null(strstr(values(st, &one), "k/#x=1 "));
	state_free(st);
	buf_free(&hello);
	buf_free(&m);
}

/* --- rows --- */

/* "a|b|c\n" of each row; NIL is "-". */
static void
add_rows(void *arg, const struct str *column, unsigned n)
{
	unsigned i, *count = arg;

	for (i = 0; i < n; i++) {
		buf_str(&all, str_none(column[i]) ? STR_LIT("-") : column[i]);
		buf_putc(&all, i + 1 < n ? '|' : '\n');
	}
	if (count != NULL)
		(*count)++;
}

static const char *
ask(struct state *st, enum query q, const struct param *p)
{
	buf_clear(&all);
	if (!state_ask(st, q, p, add_rows, NULL))
		buf_str(&all, state_why(st));
	return buf_c(&all);
}

static bool
commit(struct state *st, struct batch *b, bool durable)
{
	bool ok = state_commit(st, b, durable);

	batch_free(b);
	return ok;
}

static void
put(struct batch *b, const char *name, const char *value)
{
	batch_row(b, Q_META_PUT, (const struct param[]){ PT(str_c(name)),
	    PT(str_c(value)) });
}

static void
test_rows(void **state)
{
	struct state *st = open_state(false);
	struct batch *b = batch_new(&mem);
	struct outcome *o = leaves();
	struct stat sb;

	(void)state;
	/* no file: no rows, and none is made; nothing to commit makes none */
	assert_string_equal(ask(st, Q_META_LIST, NULL), "");
	assert_true(batch_is_empty(b));
	assert_true(state_commit(st, b, true));
	assert_int_equal(stat(file, &sb), -1);
	/* in order, with outcomes between them */
	put(b, "a", "1");
	outcome_value(o, STR_NIL, true, STR_LIT("x"), STR_NIL, STR_LIT("5"));
	batch_outcome(b, &one, o, true, &at_once, 77);
	outcome_free(o);
	put(b, "a", "2");
	put(b, "b", NULL);
	batch_row(b, Q_META_PUT, (const struct param[]){
	    PT(str_of("\0\xff", 2)), PT(STR_EMPTY) });
	batch_row(b, Q_HISTORY_ADD, (const struct param[]){ PN(0.1),
	    PT(STR_LIT("k")), PN(3), PT(STR_LIT("firing")), PT(STR_NIL),
	    PT(STR_ERR), PT(STR_LIT("n")) });
	batch_row(b, Q_HISTORY_ADD, (const struct param[]){ PN(1e300),
	    PT(STR_LIT("k")), PN(NUM_NIL), PT(STR_LIT("x")), PT(STR_NIL),
	    PT(STR_NIL), PT(STR_NIL) });
	assert_false(batch_is_empty(b));
	assert_true(commit(st, b, true));
	assert_string_equal(values(st, &one), "#x=5 ");
	(void)ask(st, Q_META_LIST, NULL);
	assert_int_equal(all.n, 12);
	assert_memory_equal(all.p, "\0\xff|\na|2\nb|-\n", 12);
	assert_string_equal(ask(st, Q_META_GET, (const struct param[]){
	    PT(STR_LIT("a")) }), "2\n");
	assert_string_equal(ask(st, Q_META_GET, (const struct param[]){
	    PT(STR_LIT("nothing")) }), "");
	assert_string_equal(ask(st, Q_HISTORY_OF, (const struct param[]){
	    PT(STR_LIT("k")), PN(9) }),
	    "2|1.0000000000000001e+300|k|-|x|-|-|-\n"
	    "1|0.10000000000000001|k|3|firing|-|-|n\n");
	assert_string_equal(ask(st, Q_OWNER_GET, (const struct param[]){
	    PT(one.alert), PT(one.script) }), "run|One|1|1|77|1|0\n");
	assert_true(apply(st, &one, leaves(), false, at_once, 78));
	assert_true(apply(st, &one, leaves(), false, at_once, 79));
	assert_string_equal(ask(st, Q_OWNER_LIST, NULL),
	    "run|One|3|1|79|0|2\n");
	state_free(st);
}

/* What is refused says why and changes nothing. */
static void
test_rows_refused(void **state)
{
	struct state *st = open_state(false);
	struct batch *b = batch_new(&mem);
	static char big[LIM_ROW];
	struct str text = str_of(big, sizeof big - 100);
	int i;

	(void)state;
	memset(big, 'x', sizeof big);
	assert_string_equal(ask(st, Q_META_PUT, (const struct param[]){
	    PT(STR_LIT("a")), PT(STR_LIT("b")) }),
	    "that is no question but a change");
	put(b, "a", "1");
	batch_row(b, Q_META_LIST, NULL);
	assert_false(commit(st, b, false));
	assert_true(str_eq(state_why(st),
	    STR_LIT("that is no change but a question")));
	/* a constraint that fails undoes all */
	b = batch_new(&mem);
	put(b, "a", "1");
	batch_row(b, Q_NOTICE_ADD, (const struct param[]){ PT(STR_NIL),
	    PT(STR_NIL), PT(STR_NIL), PN(0), PN(0), PT(STR_NIL), PT(STR_NIL),
	    PT(STR_NIL), PT(STR_NIL), PT(STR_NIL) });
	assert_false(commit(st, b, false));
	assert_false(state_is_unknown(st));
	assert_non_null(memmem(state_why(st).p, state_why(st).n,
	    "NOT NULL constraint failed: notice.notice", 41));
	/* the largest row, as many as may be, and one more */
	b = batch_new(&mem);
	batch_row(b, Q_META_PUT, (const struct param[]){ PT(STR_LIT("a")),
	    PT(text) });
	assert_true(commit(st, b, true));
	assert_int_equal(strlen(ask(st, Q_META_LIST, NULL)), text.n + 3);
	b = batch_new(&mem);
	batch_row(b, Q_META_PUT, (const struct param[]){ PT(STR_LIT("a")),
	    PT(str_of(big, sizeof big)) });
	assert_false(commit(st, b, true));
	assert_true(str_starts(state_why(st), "one text or row is more than"));
	b = batch_new(&mem);
	for (i = 0; i < 8; i++)
		batch_row(b, Q_META_PUT, (const struct param[]){
		    PT(str_of(big, (size_t)i + 1)), PT(text) });
	assert_true(state_commit(st, b, false));
	batch_row(b, Q_META_PUT, (const struct param[]){ PT(STR_LIT("z")),
	    PT(text) });
	assert_false(commit(st, b, true));
	assert_true(str_starts(state_why(st), "what is to be kept is more"));
	assert_int_equal(strlen(ask(st, Q_META_LIST, NULL)),
	    8 * (text.n + 2) + 36 + text.n + 3);
	state_free(st);
	st = open_state(true);
	b = batch_new(&mem);
	put(b, "a", "1");
	assert_false(commit(st, b, true));
	assert_true(str_eq(state_why(st), STR_LIT("a dry run keeps nothing")));
	state_free(st);
}

/* Who gets an answer asks nothing until it is whole. */
static void
ask_within(void *arg, const struct str *column, unsigned n)
{
	struct state *st = arg;

	(void)column, (void)n;
	assert_false(state_ask(st, Q_META_LIST, NULL, add_rows, NULL));
	assert_true(str_eq(state_why(st),
	    STR_LIT("asked in the midst of an answer")));
}

static void
test_ask_within(void **state)
{
	struct state *st = open_state(false);
	struct batch *b = batch_new(&mem);

	(void)state;
	put(b, "a", "1");
	put(b, "b", "2");
	assert_true(commit(st, b, true));
	assert_true(state_ask(st, Q_META_LIST, NULL, ask_within, st));
	assert_string_equal(ask(st, Q_META_LIST, NULL), "a|1\nb|2\n");
	state_free(st);
}

/* Rows of more than one message, and a store that dies: taken once. */
static void
test_rows_many(void **state)
{
	struct state *st = open_state(false);
	struct batch *b = batch_new(&mem);
	char name[32], value[200];
	unsigned n = 0, i;

	(void)state;
	memset(value, 'v', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	for (i = 0; i < 20000; i++) {
		snprintf(name, sizeof name, "%05u", i);
		put(b, name, value);
	}
	batch_row(b, Q_HISTORY_ADD, (const struct param[]){ PN(1),
	    PT(STR_LIT("k")), PN(1), PT(STR_NIL), PT(STR_NIL), PT(STR_NIL),
	    PT(STR_NIL) });
	assert_true(state_ask(st, Q_META_LIST, NULL, add_rows, &n));
	assert_int_equal(n, 0);
	assert_int_equal(kill(store_pid(), SIGKILL), 0);
	assert_true(commit(st, b, false));
	buf_clear(&all);
	assert_true(state_ask(st, Q_META_LIST, NULL, add_rows, &n));
	assert_int_equal(n, 20000);
	assert_non_null(strstr(ask(st, Q_HISTORY_OF, (const struct param[]){
	    PT(STR_LIT("k")), PN(9) }), "1|1|k|1|"));
	assert_null(strstr(buf_c(&all), "2|1|k"));
	state_free(st);
}

/* The same COMMIT twice, as when its answer was lost. */
static void
test_taken_once(void **state)
{
	struct buf hello, m, twice;
	struct state *st;
	int i;

	(void)state;
	buf_init(&hello, &mem);
	buf_init(&m, &mem);
	buf_init(&twice, &mem);
	greet(&hello);
	for (i = 0; i < 2; i++) {
		good_rows(&m);
		buf_str(&twice, buf_view(&m));
		good_apply(&m);
		buf_str(&twice, buf_view(&m));
		good_commit(&m);
		buf_str(&twice, buf_view(&m));
	}
	assert_int_equal(ends_with(&hello, buf_view(&twice)), 0);
	assert_int_equal(ends_with(&hello, buf_view(&twice)), 0);
	st = open_state(false);
	assert_string_equal(ask(st, Q_HISTORY_OF, (const struct param[]){
	    PT(STR_LIT("key")), PN(9) }), "1|1|key|-|what|-||notice\n");
	assert_string_equal(ask(st, Q_OWNER_LIST, NULL), "run|One|1|1|1|1|0\n");
	state_free(st);
	buf_free(&hello);
	buf_free(&m);
	buf_free(&twice);
}

/* Each part of an incident has its writer. */
static void
test_incident(void **state)
{
	struct state *st = open_state(false);
	struct batch *b = batch_new(&mem);
	struct param p[INCIDENT_COLUMNS];
	const char *shape;
	static const enum query part[] = { Q_INCIDENT_PUT_TOLD,
	    Q_INCIDENT_PUT_HUMAN, Q_INCIDENT_PUT_RUN };
	size_t i, k, total = 1;
	unsigned n = 0;

	(void)state;
	for (i = 0; i < 3; i++) {
		shape = query_shape[part[i]].shape;
		total += strlen(shape) - 1;
		p[0] = PT(STR_LIT("key"));
		for (k = 1; shape[k] != '\0'; k++)
			p[k] = shape[k] == 't' ? PT(STR_LIT("t")) :
			    PN(1 + (double)i);
		batch_row(b, part[i], p);
		batch_row(b, part[i], p);
	}
	assert_int_equal(total, INCIDENT_COLUMNS);
	assert_true(commit(st, b, true));
	buf_clear(&all);
	assert_true(state_ask(st, Q_INCIDENT_GET, (const struct param[]){
	    PT(STR_LIT("key")) }, add_rows, &n));
	assert_int_equal(n, 1);
	/* id alert script origin, state episode level ... of the run; then
	 * what was told, and the human's */
	assert_int_equal(strncmp(buf_c(&all), "key|t|t|t|t|3|3|3|", 18), 0);
	assert_non_null(strstr(all.p, "|1|1|1|1|1|1|t|2|2|t|t\n"));
	assert_int_equal(strlen(ask(st, Q_INCIDENT_OPEN, NULL)) > 18, 1);
	assert_true(str_starts(str_c(ask(st, Q_INCIDENT_OF,
	    (const struct param[]){ PT(STR_LIT("t")), PT(STR_LIT("t")) })),
	    "key|"));
	b = batch_new(&mem);
	batch_row(b, Q_INCIDENT_DROP, (const struct param[]){
	    PT(STR_LIT("key")) });
	assert_true(commit(st, b, true));
	assert_string_equal(ask(st, Q_INCIDENT_ALL, NULL), "");
	state_free(st);
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
		cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rows_refused, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_ask_within, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_rows_many, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_taken_once, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_incident, setup,
		    teardown),
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
