/* The recorded host: a world that is written down, and what is done in it. */
#include "sim.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

static struct mem mem;
static jmp_buf jump;
static struct recorded *r;
static struct live *l;
static struct live_options lo;
#define H	recorded_host
#define NOW	956639822.0

static int
setup(void **state)
{
	(void)state;
	mem_init(&mem, SIZE_MAX, &jump);
	r = recorded_new(&mem);
	recorded_set_clock(r, NOW);
	memset(&lo, 0, sizeof lo);
	lo.mem = &mem;
	lo.script = STR_LIT("Storm");
	lo.alert = STR_LIT("Urgent");
	lo.logdir = lo.path = STR_NIL;
	lo.out_fd = lo.err_fd = -1;
	lo.timeout = 600;
	lo.recorded = r;
	l = live_new(&lo);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	live_free(l);
	recorded_free(r);
	assert_int_equal(mem.used, 0);
	return 0;
}

static void
did_is(const char *text)
{
	assert_string_equal(did(r), text);
	recorded_forget(r);
}

static void
why_has(const char *part)
{
	has(H.why(l).p, part);
}

static void
file(const char *path, const char *type, const char *content, double size)
{
	struct recorded_file f;

	memset(&f, 0, sizeof f);
	f.path = str_c(path);
	f.type = str_c(type);
	f.content = str_c(content);
	f.size = size;
	f.mode = f.mtime = f.links = NUM_NIL;
	f.owner = f.group = STR_NIL;
	recorded_file(r, &f);
}

static void
gone(const char *path)
{
	struct recorded_file f;

	memset(&f, 0, sizeof f);
	f.path = str_c(path);
	f.type = f.content = f.owner = f.group = STR_NIL;
	f.size = f.mode = f.mtime = f.links = NUM_NIL;
	f.gone = true;
	recorded_file(r, &f);
}

/* --- commands --- */

static void
test_commands(void **state)
{
	const struct recorded_answer twice[] = { { STR_LIT("one\ntwo\n"), 0 },
	    { STR_LIT(""), 3 } };
	const struct recorded_answer any[] = { { STR_LIT("any"), 0 } };
	const struct exec_opts none = { .as = STR_NIL, .dir = STR_NIL };
	struct exec_result res;
	struct stream *s;
	struct str line;
	size_t len;

	(void)state;
	COMMAND(ps, (char *)(uintptr_t)"ps  -eo   user");
	COMMAND(df, (char *)(uintptr_t)"df /var");
	COMMAND(rm, (char *)(uintptr_t)"rm /x");
	recorded_command(r, STR_LIT("ps -eo user"), false, twice, 2);
	recorded_command(r, STR_LIT("^df "), true, any, 1);

	str_is(H.capture(l, &ps, 1000, &res), "one\ntwo\n");
	assert_true(res.started);
	assert_int_equal(res.status, 0);
	str_is(H.capture(l, &ps, 1000, &res), "");
	assert_int_equal(res.status, 3);
	(void)H.capture(l, &ps, 1000, &res);
	assert_int_equal(res.status, 3);	/* the last one stays */
	str_is(H.capture(l, &df, 2, &res), "an");
	(void)H.capture(l, &rm, 1000, &res);
	assert_false(res.started);
	why_has("nobody has said what this gives: command rm /x");
	did_is("read: ps  -eo   user\nread: ps  -eo   user\n"
	    "read: ps  -eo   user\nread: df /var\n"
	    "unanswered: command rm /x\n");

	/* an effect needs no answer, and uses it if there is one */
	H.exec(l, &rm, EXEC_WAIT, &none, &res);
	assert_true(res.started);
	assert_false(res.suppressed);
	assert_int_equal(res.status, 0);
	H.exec(l, &df, EXEC_WAIT, &none, &res);
	str_is(res.output, "any");
	did_is("exec: rm /x\nexec: df /var\n");
	has(buf_c(live_done(l)), "exec wait: rm /x\n");
	assert_int_equal(live_effects(l), 2);
	recorded_told_host.exec(l, &rm, EXEC_GO, &none, &res);
	assert_true(res.suppressed);
	did_is("exec: rm /x\n");

	/* said anew, it begins again */
	recorded_command(r, STR_LIT(" ps -eo  user "), false, twice, 2);
	s = H.popen(l, &ps, 'r');
	assert_int_equal(H.read(l, s, &line, &len), READ_LINE);
	str_is(line, "one");
	assert_int_equal(len, 4);
	assert_int_equal(H.read(l, s, &line, &len), READ_LINE);
	assert_false(H.eof(l, s));
	assert_int_equal(H.read(l, s, &line, &len), READ_END);
	assert_true(H.eof(l, s));
	assert_int_equal(H.close(l, s), 0);
	s = H.popen(l, &ps, 'r');
	assert_int_equal(H.close(l, s), 3);
	assert_null(H.popen(l, &rm, 'r'));
	recorded_forget(r);
	s = H.popen(l, &rm, 'w');
	assert_true(H.write(l, s, STR_LIT("a\nb")));
	assert_int_equal(H.close(l, s), 0);
	did_is("exec: rm /x\nwrite rm /x: a\nwrite rm /x: b\n");
}

/* --- files --- */

static void
test_files(void **state)
{
	struct recorded_file f;
	struct stat st;
	struct stream *s;
	struct str line, answer;
	char text[10];
	size_t len;
	int fd;

	(void)state;
	file("/etc/motd", NULL, "hello\nworld", NUM_NIL);
	file("/var/mail/groucho", "file", NULL, 2048);
	file("/etc/link", "link", "motd", NUM_NIL);
	file("/etc/round", "link", "/etc/round", NUM_NIL);
	gone("/etc/nologin");

	assert_int_equal(H.stat(l, STR_LIT("/etc/motd"), &st, true), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(st.st_size, 11);
	assert_int_equal(st.st_uid, 0);
	assert_true((double)st.st_mtim.tv_sec == NOW);
	assert_int_equal(H.stat(l, STR_LIT("/var/mail/groucho"), &st, true),
	    0);
	assert_int_equal(st.st_size, 2048);
	assert_int_equal(H.stat(l, STR_LIT("//etc//link"), &st, false), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(H.stat(l, STR_LIT("/etc/link"), &st, true), 0);
	assert_int_equal(st.st_size, 11);
	assert_int_equal(H.stat(l, STR_LIT("/etc/round"), &st, true), -1);
	why_has("symbolic links");
	/* folders are there by what is in them */
	assert_int_equal(H.stat(l, STR_LIT("/var/mail/"), &st, true), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(H.stat(l, STR_LIT("/etc/nologin"), &st, true), -1);
	did_is("");			/* it is known that it is not there */
	assert_int_equal(H.stat(l, STR_LIT("/etc/shadow"), &st, true), -1);
	did_is("unanswered: file /etc/shadow\n");
	assert_int_equal(H.access(l, STR_LIT("/etc/motd"), R_OK | W_OK), 0);
	assert_int_equal(H.access(l, STR_LIT("/etc/motd"), X_OK), -1);

	/* owners: numbers that have names, and names that get numbers */
	memset(&f, 0, sizeof f);
	f.path = STR_LIT("/home/g");
	f.type = STR_LIT("directory");
	f.content = f.group = STR_NIL;
	f.owner = STR_LIT("groucho");
	f.size = f.mode = f.links = NUM_NIL;
	f.mtime = NOW - 7200;
	recorded_file(r, &f);
	assert_int_equal(H.stat(l, STR_LIT("/home/g"), &st, true), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	assert_true((double)st.st_mtim.tv_sec == NOW - 7200);
	snprintf(text, sizeof text, "%u", (unsigned)st.st_uid);
	assert_int_equal(H.ask(l, FACT_USERNAME, str_c(text), &answer), 1);
	str_is(answer, "groucho");

	/* reading, and reading back what was written */
	s = H.fopen(l, STR_LIT("/etc/link"), 'r');
	assert_int_equal(H.read(l, s, &line, &len), READ_LINE);
	str_is(line, "hello");
	assert_int_equal(H.read(l, s, &line, &len), READ_LINE);
	str_is(line, "world");
	assert_int_equal(len, 5);
	assert_int_equal(H.close(l, s), 0);
	assert_null(H.fopen(l, STR_LIT("/var/mail/groucho"), 'r'));
	did_is("unanswered: content of file /var/mail/groucho\n");
	assert_null(H.fopen(l, STR_LIT("/var/mail"), 'r'));
	s = H.fopen(l, STR_LIT("/tmp/new"), 'w');
	assert_true(H.write(l, s, STR_LIT("one\ntw")));
	assert_true(H.write(l, s, STR_LIT("o\n")));
	assert_int_equal(H.close(l, s), 0);
	assert_true(H.output(l, OUT_LOG, STR_LIT("/tmp/new"), STR_LIT("3")));
	did_is("write /tmp/new: one\nwrite /tmp/new: two\nlog /tmp/new: 3\n");
	fd = H.open(l, STR_LIT("/tmp/new"));
	assert_true(fd >= 0);
	memset(text, 0, sizeof text);
	assert_int_equal(read(fd, text, sizeof text), 10);
	assert_memory_equal(text, "one\ntwo\n3\n", 10);
	close(fd);
	assert_null(H.fopen(l, STR_LIT("/etc/link"), 'w'));
	why_has("is a link");
	assert_null(H.fopen(l, STR_LIT("/var/mail"), 'a'));

	assert_int_equal(H.ask(l, FACT_REALPATH, STR_LIT("/etc/link"),
	    &answer), 1);
	str_is(answer, "/etc/motd");
	assert_int_equal(H.ask(l, FACT_LINK, STR_LIT("/etc/link"), &answer),
	    1);
	str_is(answer, "motd");
	assert_int_equal(H.ask(l, FACT_GLOB, STR_LIT("/etc/*o*"), &answer), 1);
	assert_int_equal(answer.n, 21);
	assert_memory_equal(answer.p, "/etc/motd\0/etc/round", 21);
	assert_int_equal(H.ask(l, FACT_GLOB, STR_LIT("/no/*"), &answer), 0);
}

/* "path type size;" of all rows */
static const char *
listed(const char *folder, double depth)
{
	static char text[1000];
	struct table_ask ask = { .id = TABLE_FILES, .text = { str_c(folder) },
	    .number = { NUM_NIL, depth }, .narg = depth > 0 ? 2 : 1 };
	struct table *t = H.table(l, &ask);
	struct row *row;
	struct str path, type;
	size_t k = 0;

	if (t == NULL)
		return NULL;
	row = table_row(t);
	text[0] = '\0';
	while (table_next(t) == TABLE_ROW) {
		path = row->ops->text(row, COLUMN_FILES_path);
		type = row->ops->text(row, COLUMN_FILES_type);
		k += (size_t)snprintf(text + k, sizeof text - k,
		    "%.*s %.*s %.0f;", (int)path.n, path.p, (int)type.n,
		    type.p, row->ops->number(row, COLUMN_FILES_size));
	}
	table_close(t);
	return text;
}

static void
test_listing(void **state)
{
	static const enum table_column column[] = { COLUMN_FILES_path,
	    COLUMN_FILES_size };
	const struct str said[] = { STR_LIT("/said"), STR_LIT("7") };

	(void)state;
	file("/etc/motd", NULL, "hello", NUM_NIL);
	file("/etc/ssh/key", NULL, "1", NUM_NIL);
	file("/etc/ssh", "directory", NULL, 4096);
	file("/etcetera", NULL, "no", NUM_NIL);
	gone("/etc/nologin");
	file("/here", "link", "etc", NUM_NIL);
	assert_string_equal(listed("/etc", 0),
	    "/etc/motd file 5;/etc/ssh directory 4096;");
	assert_string_equal(listed("/etc/", 2), "/etc/motd file 5;"
	    "/etc/ssh/key file 1;/etc/ssh directory 4096;");
	assert_string_equal(listed("/", 1), "/etcetera file 2;/here link 3;");
	assert_null(listed("/etc/motd", 0));
	why_has("is no folder");
	assert_null(listed("/etc/nologin", 0));
	did_is("");
	assert_null(listed("/nowhere", 0));
	did_is("unanswered: file /nowhere\n");
	recorded_table(r, TABLE_FILES, column, 2, said, 1);
	assert_string_equal(listed("/etc", 0), "/said  7;");
}

/* --- processes --- */

static void
processes(void)
{
	static const enum table_column column[] = { COLUMN_PROCESSES_pid,
	    COLUMN_PROCESSES_user, COLUMN_PROCESSES_comm,
	    COLUMN_PROCESSES_starttime };
	static const enum table_column counts[] = {
	    COLUMN_PROCESS_COUNTS_user, COLUMN_PROCESS_COUNTS_comm,
	    COLUMN_PROCESS_COUNTS_count };
	const struct str value[] = {
	    STR_LIT("17"), STR_LIT("groucho"), STR_LIT("imapd"), STR_LIT("5"),
	    STR_LIT("18"), STR_LIT("groucho"), STR_LIT("imapd"), STR_LIT("6"),
	    STR_LIT("12"), STR_LIT("chico"), STR_LIT("imapd"), STR_LIT("-"),
	};
	const struct str n[] = {
	    STR_LIT("groucho"), STR_LIT("imapd"), STR_LIT("2"),
	    STR_LIT("chico"), STR_LIT("imapd"), STR_LIT("1"),
	};

	recorded_table(r, TABLE_PROCESSES, column, 4, value, 3);
	recorded_table(r, TABLE_PROCESS_COUNTS, counts, 3, n, 2);
}

static double
act(struct act a)
{
	struct act_result res;

	if (a.start == 0)
		a.start = NUM_NIL;
	H.act(l, &a, &res);
	return res.n;
}

/* "pid user;" of all rows */
static const char *
rows(void)
{
	static char text[1000];
	struct table_ask ask = { .id = TABLE_PROCESSES };
	struct table *t = H.table(l, &ask);
	struct row *row = table_row(t);
	struct str user;
	size_t k = 0;

	text[0] = '\0';
	while (table_next(t) == TABLE_ROW) {
		user = row->ops->text(row, COLUMN_PROCESSES_user);
		k += (size_t)snprintf(text + k, sizeof text - k,
		    "%.0f %.*s;", row->ops->number(row, COLUMN_PROCESSES_pid),
		    (int)user.n, user.p);
	}
	table_close(t);
	return text;
}

static double
ncount(void)
{
	struct table_ask ask = { .id = TABLE_PROCESS_COUNTS };
	struct table *t = H.table(l, &ask);
	struct row *row = table_row(t);
	double n = 0;

	while (table_next(t) == TABLE_ROW)
		n += row->ops->number(row, COLUMN_PROCESS_COUNTS_count);
	table_close(t);
	return n;
}

static void
test_processes(void **state)
{
	const struct str g = STR_LIT("groucho"), i = STR_LIT("imapd");
	const struct act kill = { .kind = ACT_KILL, .pid = 17, .user = STR_NIL,
	    .comm = STR_NIL, .sig = STR_LIT("TERM"), .what = STR_NIL };
	struct act a = kill;
	struct table_ask ask = { .id = TABLE_LOAD };
	struct act_result res;

	(void)state;
	assert_int_equal(H.pid(l, i), 0);
	assert_true(act(kill) == -1);
	assert_null(H.table(l, &ask));
	did_is("unanswered: table processes, for process imapd\n"
	    "unanswered: table processes, for process 17\n"
	    "unanswered: table load\n");
	processes();
	assert_string_equal(rows(), "17 groucho;18 groucho;12 chico;");
	assert_int_equal(H.pid(l, i), 12);
	assert_int_equal(H.pid(l, STR_LIT("init")), 0);

	a.start = 99;
	assert_true(act(a) == -1);
	why_has("another one");
	a.start = 5;
	a.sig = STR_LIT("HUP");
	assert_true(act(a) == 0);
	assert_string_equal(rows(), "17 groucho;18 groucho;12 chico;");
	assert_true(act(kill) == 0);
	assert_string_equal(rows(), "18 groucho;12 chico;");
	assert_true(ncount() == 2);
	assert_true(act(kill) == -1);
	why_has("there is none");

	processes();
	a = kill;
	a.kind = ACT_KILLALL;
	a.user = g;
	a.comm = i;
	a.sig = STR_LIT("KILL");
	recorded_forget(r);
	assert_true(act(a) == 2);
	did_is("act: killall groucho imapd KILL\n");
	assert_string_equal(rows(), "12 chico;");
	assert_true(ncount() == 1);
	assert_true(act(a) == 0);
	has(buf_c(live_done(l)), "killall: groucho imapd KILL\n");

	processes();
	recorded_survivor(r, g, i, STR_LIT("spawner (pid 3) starts them"));
	assert_true(act(a) == -1);
	why_has("spawner (pid 3)");
	a.user = STR_LIT("chico");
	assert_true(act(a) == 1);
	a = kill;
	a.kind = ACT_TERMINATE;
	assert_true(act(a) == -1);
	a.kind = ACT_RENICE;
	a.value = 10;
	recorded_forget(r);
	assert_true(act(a) == 0);
	a.kind = ACT_SETLIMIT;
	a.what = STR_LIT("nofile");
	a.soft = 1024;
	a.hard = INFINITY;
	assert_true(act(a) == 0);
	did_is("act: renice 17 10\nact: setlimit 17 nofile 1024 unlimited\n");

	recorded_told_host.act(l, &kill, &res);
	assert_true(res.suppressed);
	did_is("act: kill 17 TERM\n");
	assert_string_equal(rows(), "17 groucho;18 groucho;");
}

static void
test_keep_safe(void **state)
{
	struct act a = { .kind = ACT_ARCHIVE, .path = STR_LIT("/var/mail/g"),
	    .dir = STR_NIL, .user = STR_NIL, .comm = STR_NIL, .sig = STR_NIL,
	    .what = STR_NIL, .start = NUM_NIL, .now = NUM_NIL };
	struct act_result res;
	struct stat st;

	(void)state;
	file("/var/mail/g", NULL, "mail", NUM_NIL);
	file("/var/mail/l", "link", "/etc/passwd", NUM_NIL);
	H.act(l, &a, &res);
	assert_true(res.n == 4);
	str_is(res.text, "/var/lib/picket/archive/g.956639822");
	H.act(l, &a, &res);	/* it is as it was */
	assert_true(res.n == 4);
	str_is(res.text, "/var/lib/picket/archive/g.956639822");
	file("/var/mail/g", NULL, "male", NUM_NIL);
	recorded_set_clock(r, NOW + 0.5);
	file("/var/mail/g", NULL, "male", NUM_NIL);
	H.act(l, &a, &res);
	str_is(res.text, "/var/lib/picket/archive/g.956639822.1");
	assert_int_equal(H.stat(l, res.text, &st, false), 0);
	assert_int_equal(st.st_size, 4);
	a.kind = ACT_QUARANTINE;
	a.dir = STR_LIT("/q");
	H.act(l, &a, &res);
	assert_true(res.n == 4);
	str_is(res.text, "/q/g.956639822");
	recorded_forget(r);
	assert_int_equal(H.stat(l, a.path, &st, false), -1);
	did_is("");
	H.act(l, &a, &res);
	assert_true(res.n == -1);
	a.path = STR_LIT("/var/mail/l");
	H.act(l, &a, &res);
	assert_true(res.n == -1);
	why_has("is a link");

	file("/var/log/x", NULL, "1", NUM_NIL);
	file("/var/log/x.1", NULL, "22", NUM_NIL);
	a.kind = ACT_ROTATE;
	a.path = STR_LIT("/var/log/x");
	a.value = 2;
	H.act(l, &a, &res);
	assert_true(res.n == 2);
	assert_int_equal(H.stat(l, STR_LIT("/var/log/x.2"), &st, false), 0);
	assert_int_equal(st.st_size, 2);
	assert_int_equal(H.stat(l, STR_LIT("/var/log/x.1"), &st, false), 0);
	assert_int_equal(st.st_size, 1);
	assert_int_equal(H.stat(l, STR_LIT("/var/log/x"), &st, false), -1);
}

/* --- others --- */

static bool
is_smtp(void *arg, struct str got)
{
	(void)arg;
	return str_starts(got, "220");
}

static void
test_contacts(void **state)
{
	struct contact c = { .kind = CONTACT_TCP,
	    .address = STR_LIT("mx:25"), .send = STR_NIL, .max = 3 };
	struct contact_result res;

	(void)state;
	H.contact(l, &c, &res);
	assert_true(res.n == -1);
	did_is("unanswered: contact mx:25\n");
	recorded_contact(r, STR_LIT("tcp:mx:25"), 5, STR_LIT("220 mx"));
	H.contact(l, &c, &res);
	assert_true(res.n == 5);
	c.kind = CONTACT_SEND;
	c.address = STR_LIT("tcp:mx:25");
	c.enough = is_smtp;
	H.contact(l, &c, &res);
	assert_true(res.n == 5);
	recorded_contact(r, STR_LIT("tcp:mx:25"), 5, STR_LIT("554 no"));
	H.contact(l, &c, &res);
	assert_true(res.n == -1);
	recorded_contact(r, STR_LIT("http://x/"), 200, STR_LIT("hello"));
	c.kind = CONTACT_HTTP;
	c.address = STR_LIT("http://x/");
	H.contact(l, &c, &res);
	assert_true(res.n == 200);
	str_is(res.text, "hel");
}

static void
test_facts(void **state)
{
	struct str s;

	(void)state;
	recorded_set_host(r, STR_LIT("mx.example.org"));
	assert_int_equal(H.ask(l, FACT_HOSTNAME, STR_NIL, &s), 1);
	str_is(s, "mx.example.org");
	assert_int_equal(H.ask(l, FACT_DOMAIN, STR_NIL, &s), 1);
	str_is(s, "example.org");
	assert_int_equal(H.ask(l, FACT_UID, STR_LIT("root"), &s), 1);
	str_is(s, "0");
	did_is("");
	assert_int_equal(H.ask(l, FACT_ENV, STR_LIT("LANG"), &s), 0);
	assert_int_equal(H.ask(l, FACT_UPTIME, STR_NIL, &s), -1);
	did_is("unanswered: fact env LANG\nunanswered: fact uptime\n");
	recorded_fact(r, FACT_ENV, STR_LIT("LANG"), STR_LIT("C"));
	recorded_fact(r, FACT_ENV, STR_LIT("NONE"), STR_NIL);
	recorded_fact(r, FACT_UPTIME, STR_NIL, STR_LIT("90000"));
	assert_int_equal(H.ask(l, FACT_ENV, STR_LIT("LANG"), &s), 1);
	str_is(s, "C");
	assert_int_equal(H.ask(l, FACT_ENV, STR_LIT("NONE"), &s), 0);
	assert_int_equal(H.ask(l, FACT_UPTIME, STR_NIL, &s), 1);
	str_is(s, "90000");
	did_is("");
}

static void
test_texts(void **state)
{
	(void)state;
	assert_true(H.output(l, OUT_STDOUT, STR_NIL, STR_LIT("a")));
	assert_true(H.output(l, OUT_MAIL, STR_NIL, STR_LIT("b")));
	assert_true(H.output(l, OUT_PRINT, STR_NIL, STR_LIT("c")));
	assert_true(H.output(l, OUT_MAIL_TO, STR_LIT("x@y"), STR_LIT("d")));
	assert_false(H.output(l, OUT_MAIL_TO, STR_LIT("x y"), STR_LIT("e")));
	assert_true(H.output(l, OUT_SYSLOG, STR_NIL, STR_LIT("f")));
	assert_true(H.output(l, OUT_JOURNAL, STR_NIL, STR_NIL));
	assert_true(H.output(l, OUT_PIKTLOG, STR_NIL, STR_LIT("g")));
	H.log(l, LOG_ERROR, STR_LIT("h"));
	H.log(l, LOG_WARNING, STR_LIT("i"));
	H.log(l, LOG_INFO, STR_LIT("not this"));
	str_is(buf_view(live_mail(l)), "b\ne\n");
	did_is("stdout: a\nprint: c\nmail to x@y: d\nsyslog: f\n"
	    "journal: <<NIL>>\nlog: g\nerror: h\nwarning: i\n");
}

static void
test_clock(void **state)
{
	(void)state;
	assert_true(H.clock(l) == NOW);
	assert_false(H.stop(l));
	assert_true(H.sleep(l, 599));
	assert_true(H.clock(l) == NOW + 599);
	assert_true(H.monotonic(l) == NOW + 599);
	assert_false(H.sleep(l, 86400));
	assert_true(H.clock(l) == NOW + 600);
	assert_true(H.stop(l));
	why_has("deadline of 600s");
}

/* What one run does has an end. */
static void
test_limit(void **state)
{
	static char big[1 << 20];
	size_t n;
	int i;

	(void)state;
	memset(big, 'x', sizeof big);
	for (i = 0; i < 20; i++)
		(void)H.output(l, OUT_STDOUT, STR_NIL, str_of(big,
		    sizeof big));
	(void)recorded_done(r, &n);
	assert_int_equal(n, 15);
	assert_true(H.stop(l));
	why_has("more than 16 MiB");
	recorded_forget(r);
	assert_false(H.stop(l));
}

int
main(void)
{
	const struct CMUnitTest all[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_commands),
		T(test_files),
		T(test_listing),
		T(test_processes),
		T(test_keep_safe),
		T(test_contacts),
		T(test_facts),
		T(test_texts),
		T(test_clock),
		T(test_limit),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}
