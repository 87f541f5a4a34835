/* The built-in functions of time, files, handles and processes. */
#include "tests/unit/fake_vm.h"

#include <sys/types.h>

static void
zone(const char *name)
{
	setenv("TZ", name, 1);
	tzset();
}

static double
day(int y, int mon, int d)
{
	return run(BI_DATEVALUE, "nnn", (double)y, (double)mon, (double)d).rn;
}

static void
test_parts(void **state)
{
	double t = 1709209805;	/* 2024-02-29 12:30:05 UTC, a Thursday */

	(void)state;
	zone("UTC0");
	IS(t, BI_NOW, "");
	IS(1.5, BI_CLOCK, "");
	IS(2024, BI_YEAR, "");
	IS(2, BI_MONTH, "");
	IS(29, BI_DAY, "");
	IS(12, BI_HOUR, "");
	IS(30, BI_MINUTE, "");
	IS(5, BI_SECOND, "");
	IS(5, BI_WEEKDAY, "");
	IS(60, BI_YEARDAY, "");
	SAYS("2024-02-29", BI_DATE, "");
	SAYS("12:30:05", BI_TIME, "");
	SAYS("Thursday", BI_DAYNAME, "");
	SAYS("February", BI_MONTHNAME, "");
	SAYS("PM", BI_AMPM, "");
	SAYS("AM", BI_AMPM, "n", t - 3600);
	IS(1969, BI_YEAR, "n", -0.5);
	IS(59, BI_SECOND, "n", -0.5);
	IS(NUM_NIL, BI_YEAR, "n", NUM_NIL);
	BAD(BI_YEAR, "n", 1e300);
	BAD(BI_DATE, "n", -1e17);
	SAYS("12h30", BI_DATE, "ns", t, "%Hh%M");
	SAYS("", BI_DATE, "ns", t, "");
	SAYS("", BI_DATE, "ns", t, &"%Z"[2]);
	BAD(BI_DATE, "nS", t, str_of("%H\0x", 4));
	BAD(BI_DATE, "ns", t, "%9999999d");
	assert_int_equal(run(BI_DATE, "ns", t, "%60000d").rs.n, 60000);
	zone("Europe/Berlin");
	IS(13, BI_HOUR, "");
}

static void
test_values(void **state)
{
	(void)state;
	zone("UTC0");
	IS(1709164800, BI_DATEVALUE, "nnn", 2024., 2., 29.);
	IS(-86400, BI_DATEVALUE, "nnn", 1969., 12., 31.);
	IS(-1, BI_PARSETIME, "ss", "1969-12-31 23:59:59", "%Y-%m-%d %T");
	BAD(BI_DATEVALUE, "nnn", 2023., 2., 29.);
	BAD(BI_DATEVALUE, "nnn", 2023., 13., 1.);
	BAD(BI_DATEVALUE, "nnn", 2023., 1.5, 1.);
	BAD(BI_DATEVALUE, "nnn", 2023., 4., 31.);
	IS(NUM_NIL, BI_DATEVALUE, "nnn", 2023., NUM_NIL, 31.);
	IS(3723, BI_TIMEVALUE, "nnn", 1., 2., 3.);
	IS(3720, BI_TIMEVALUE, "nn", 1., 2.);
	BAD(BI_TIMEVALUE, "nnn", 24., 0., 0.);
	BAD(BI_TIMEVALUE, "nnn", 0., 0., 60.);
	IS(day(2024, 2, 29), BI_PARSETIME, "ss", "29.2.2024", "%d.%m.%Y");
	IS(day(2024, 2, 29) + 45296, BI_PARSETIME, "ss",
	    "Feb 29 12:34:56", "%b %d %H:%M:%S");
	IS(day(2024, 2, 29) + 3600, BI_PARSETIME, "ss", "01:00", "%H:%M");
	IS(day(2023, 1, 1), BI_PARSETIME, "ss", "2023", "%Y");
	IS(day(2024, 5, 1), BI_PARSETIME, "ss", "May", "%b");
	IS(day(2024, 2, 3), BI_PARSETIME, "ss", "3", "%d");
	IS(1709209805, BI_PARSETIME, "ss", "1709209805 ", "%s");
	IS(1709209805, BI_PARSETIME, "ss", "29/Feb/2024:07:30:05 -0500",
	    "%d/%b/%Y:%H:%M:%S %z");
	IS(NUM_NIL, BI_PARSETIME, "ss", "30.2.2024", "%d.%m.%Y");
	IS(NUM_NIL, BI_PARSETIME, "ss", "29.2.2024x", "%d.%m.%Y");
	IS(NUM_NIL, BI_PARSETIME, "ss", "nonsense", "%d.%m.%Y");
	IS(NUM_NIL, BI_PARSETIME, "Ss", str_of("1\0x", 3), "%d");
	IS(NUM_NIL, BI_PARSETIME, "ss", NULL, "%d");
	zone("Europe/Berlin");
	IS(1709209805, BI_PARSETIME, "ss", "1709209805", "%s");
	IS(1709209805, BI_PARSETIME, "ss", "29/Feb/2024:07:30:05 -0500",
	    "%d/%b/%Y:%H:%M:%S %z");
	IS(1709209805, BI_PARSETIME, "ss", "2024-02-29 13:30:05",
	    "%Y-%m-%d %T");
	IS(1720000800, BI_PARSETIME, "ss", "2024-07-03 12:00:00",
	    "%Y-%m-%d %T");
	IS(1709161200, BI_DATEVALUE, "nnn", 2024., 2., 29.);
	/* the clock is put forward at midnight: the day begins at one */
	zone("America/Sao_Paulo");
	IS(2018, BI_YEAR, "n", day(2018, 11, 4));
	IS(4, BI_DAY, "n", day(2018, 11, 4));
	IS(1, BI_HOUR, "n", day(2018, 11, 4));
	IS(0, BI_HOUR, "n", day(2018, 11, 5));
	zone("UTC0");
}

static void
test_spans(void **state)
{
	double t;

	(void)state;
	zone("UTC0");
	SAYS("2h 5m", BI_DURATION, "n", 7500.0);
	SAYS("0s", BI_DURATION, "n", 0.5);
	SAYS("59s", BI_DURATION, "n", 59.9);
	SAYS("1m", BI_DURATION, "n", 60.0);
	SAYS("1h", BI_DURATION, "n", 3601.0);
	SAYS("1w 3d", BI_DURATION, "n", 864000.0);
	SAYS("-2h 5m", BI_DURATION, "n", -7500.0);
	SAYS(NULL, BI_DURATION, "n", NUM_NIL);
	BAD(BI_DURATION, "n", 1e300);

	IS((NOW - day(2001, 3, 9)) / 86400, BI_FILEAGE, "sss", "Mar", "9",
	    "2001");
	t = day(2024, 2, 28) + 14 * 3600 + 5 * 60;
	IS((NOW - t) / 86400, BI_FILEAGE, "sss", "february", "28", "14:05");
	t = day(2023, 12, 31) + 23 * 3600;
	IS((NOW - t) / 86400, BI_FILEAGE, "sss", "Dec", "31", "23:00");
	t = day(2024, 2, 29) + 18 * 3600;	/* a clock that is ahead */
	IS((NOW - t) / 86400, BI_FILEAGE, "sss", "Feb", "29", "18:00");
	BAD(BI_FILEAGE, "sss", "Foo", "9", "2001");
	BAD(BI_FILEAGE, "sss", "Feb", "30", "2001");
	BAD(BI_FILEAGE, "sss", "Feb", "2.5", "2001");
	BAD(BI_FILEAGE, "sss", "Feb", "2", "25:00");
	BAD(BI_FILEAGE, "sss", "Feb", "2", "later");
	BAD(BI_FILEAGE, "ss", "Feb", "2");
	IS(NUM_NIL, BI_FILEAGE, "sss", "Feb", NULL, "2001");
	IS(-1, BI_FILEAGE, "s", "/no/such");
	assert_int_equal(m.nfailed, 1);
	assert_false(num_none(run(BI_FILEAGE, "s", "/").rn));
	IS(77.5, BI_UPTIME, "");
}

static void
test_files(void **state)
{
	char dir[] = "/tmp/test_builtin.XXXXXX", file[64], to[64], want[256];
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof file, "%s/a b", dir);
	snprintf(to, sizeof to, "%s/link", dir);
	f = fopen(file, "w");
	assert_non_null(f);
	fputs("hello\n", f);
	fclose(f);
	assert_int_equal(chmod(file, 0640), 0);
	assert_int_equal(symlink(file, to), 0);

	IS(6, BI_FILESIZE, "s", file);
	IS(6, BI_FILESIZE, "s", to);
	IS(0640, BI_FILEMODE, "s", file);
	IS(1, BI_FILELINKS, "s", file);
	IS((double)getuid(), BI_FILEUID, "s", file);
	IS(-1, BI_FILESIZE, "s", "/no/such");
	assert_int_equal(m.nfailed, 1);
	assert_string_equal(m.said, "/no/such: why not");
	BAD(BI_FILESIZE, "S", str_of("/\0x", 3));
	IS(NUM_NIL, BI_FILESIZE, "s", NULL);
	SAYS("root", BI_FILEOWNER, "s", "/");
	assert_false(str_none(run(BI_FILEGROUP, "s", "/").rs));
	SAYS("file", BI_FILETYPE, "s", file);
	SAYS("link", BI_FILETYPE, "s", to);
	SAYS("directory", BI_FILETYPE, "s", dir);
	SAYS("character", BI_FILETYPE, "s", "/dev/null");
	SAYS("there", BI_FILELINK, "s", to);
	SAYS(NULL, BI_FILELINK, "s", "/proc");
	SAYS("there", BI_REALPATH, "s", to);
	run(BI_REALPATH, "s", "/no/such");
	assert_int_equal(m.nfailed, 1);

	snprintf(want, sizeof want, "0 6 %s", file);
	SAYS(want, BI_CHECKSUM, "ns", 0., file);
	snprintf(want, sizeof want, "36979 1 %s", file);
	SAYS(want, BI_CHECKSUM, "ns", 1., file);
	snprintf(want, sizeof want, "36979     1 %s", file);
	SAYS(want, BI_CHECKSUM, "ns", -1., file);
	snprintf(want, sizeof want, "542 1 %s", file);
	SAYS(want, BI_CHECKSUM, "ns", 2., file);
	SAYS(want, BI_CHECKSUM, "ns", -2., file);
	snprintf(want, sizeof want, "3015617425 6 %s", file);
	SAYS(want, BI_CHECKSUM, "ns", 3., file);
	SAYS(want, BI_CHECKSUM, "ns", -3., file);
	snprintf(want, sizeof want, "b1946ac92492d2347c6235b4d2611184 6 %s",
	    file);
	SAYS(want, BI_CHECKSUM, "ns", 5., file);
	BAD(BI_CHECKSUM, "ns", 7., file);
	BAD(BI_CHECKSUM, "ns", -4., file);
	run(BI_CHECKSUM, "ns", 5., dir);
	assert_int_equal(m.nfailed, 1);

	IS(2, BI_GLOB, "sn", "/*", 0.);
	SAYS("/a|/b c", BI_JOIN, "ns", 0., "|");
	IS(0, BI_GLOB, "sn", "/no/such/*", 0.);
	assert_int_equal(m.array[0].nlive, 0);
	BAD(BI_GLOB, "sn", "/*", 1.);
	unlink(file);
	unlink(to);
	rmdir(dir);

	IS(0.25, BI_DISKUSED, "s", "/tmp");
	IS(0.75, BI_DISKFREE, "s", "/tmp");
	IS(NUM_NIL, BI_DISKFREE, "s", "/proc");
	IS(-1, BI_DISKFREE, "s", "/no/such");
	IS(NUM_NIL, BI_DISKUSED, "s", "/proc");
	IS(-1, BI_DISKUSED, "s", "/no/such");
}

static void
test_names(void **state)
{
	static const char *const t[][3] = {
		{ "/var/log/messages", "messages", "/var/log" },
		{ "messages", "messages", "." },
		{ "/messages", "messages", "/" },
		{ "/", "/", "/" },
		{ "//", "/", "/" },
		{ "", "", "." },
		{ "a/b/", "b", "a" },
		{ "a//b", "b", "a" },
		{ "/a//", "a", "/" },
		{ "x", "x", "." },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		SAYS(t[i][1], BI_BASENAME, "s", t[i][0]);
		SAYS(t[i][2], BI_DIRNAME, "s", t[i][0]);
	}
}

static void
test_handles(void **state)
{
	char name[] = "/tmp/test_builtin.XXXXXX";

	(void)state;
	close(mkstemp(name));
	IS(-1, BI_READ, "n", 0.);
	assert_string_equal(m.said, "FILE is not open");
	IS(-1, BI_WRITE, "ns", 0., "x");
	IS(-1, BI_FCLOSE, "n", 0.);
	IS(1, BI_FEOF, "n", 0.);
	IS(1, BI_FOPEN, "nss", 0., name, "w");
	IS(5, BI_WRITE, "ns", 0., "hello");
	IS(1, BI_WRITELN, "ns", 0., "");
	IS(0, BI_FFLUSH, "n", 0.);
	IS(8, BI_WRITELN, "ns", 0., NULL);
	IS(1, BI_FOPEN, "nss", 0., name, "a");	/* still open: closed */
	assert_int_equal(m.nwarning, 1);
	IS(4, BI_WRITE, "ns", 0., "\nend");
	IS(0, BI_FCLOSE, "n", 0.);
	IS(1, BI_FOPEN, "nss", 0., name, "r");
	IS(0, BI_FEOF, "n", 0.);
	IS(6, BI_READ, "n", 0.);
	assert_true(str_eq(m.rdlin, STR_LIT("hello")));
	IS(8, BI_READ, "n", 0.);
	assert_true(str_eq(m.rdlin, STR_LIT("<<NIL>>")));
	IS(1, BI_READ, "n", 0.);
	assert_int_equal(m.rdlin.n, 0);
	assert_false(m.eof);
	IS(3, BI_READ, "n", 0.);
	IS(0, BI_READ, "n", 0.);
	assert_true(m.eof);
	assert_true(str_eq(m.rdlin, STR_LIT("end")));
	IS(1, BI_FEOF, "n", 0.);
	IS(0, BI_FCLOSE, "n", 0.);
	unlink(name);

	IS(-1, BI_FOPEN, "nss", 0., "/no/such", "r");
	assert_int_equal(m.nfailed, 1);
	BAD(BI_FOPEN, "nss", 0., name, "rw");
	BAD(BI_FOPEN, "nss", 0., name, "");
	BAD(BI_FOPEN, "nss", 0., NULL, "r");
	BAD(BI_FOPEN, "nss", 0., "", "r");
	BAD(BI_FOPEN, "nSs", 0., str_of("/tmp/x\0y", 8), "r");
	BAD(BI_FOPEN, "nss", 0., "/tmp/../etc/x", "w");
	BAD(BI_FOPEN, "nss", 0., "/tmp/..", "a");
	BAD(BI_FOPEN, "nss", 0., "../x", "w");
	IS(-1, BI_FOPEN, "nss", 0., "/tmp/no..dir/..x", "w");
}

static void
command(const char *text)
{
	static char *argv[2];

	argv[0] = (char *)(uintptr_t)text;
	m.cmd = (struct command){ .argv = argv, .argc = 1, .shell = true,
	    .show = str_c(text) };
	m.has_cmd = true;
}

static void
test_processes(void **state)
{
	(void)state;
	command("printf 'a\\n\\nb'");
	IS(1, BI_POPEN, "ns", 0., "r");
	IS(2, BI_READ, "n", 0.);
	IS(1, BI_READ, "n", 0.);
	IS(1, BI_READ, "n", 0.);
	IS(0, BI_READ, "n", 0.);
	command("exit 3");
	IS(1, BI_POPEN, "ns", 0., "r");
	assert_int_equal(m.nwarning, 1);
	IS(3, BI_PCLOSE, "n", 0.);
	assert_int_equal(m.exitcode, 3);
	IS(-1, BI_PCLOSE, "n", 0.);
	BAD(BI_POPEN, "ns", 0., "a");
	command("printf 'a\\n\\n'");
	SAYS("a\n", BI_COMMAND, "");
	command("true");
	SAYS("", BI_COMMAND, "");
	assert_int_equal(m.exitcode, 0);
	command("echo x; exit 4");
	SAYS("x", BI_COMMAND, "");
	assert_int_equal(m.exitcode, 4);
	command("exit 5");
	IS(5, BI_SYSTEM, "");
	assert_int_equal(m.exitcode, 5);

	/* refused by a rule: said by the machine, the result is ERR */
	m.has_cmd = false;
	assert_true(num_is_err(run(BI_SYSTEM, "").rn));
	assert_true(num_is_err(run(BI_POPEN, "ns", 0., "r").rn));
	assert_true(run(BI_COMMAND, "").rs.p == NULL);

	m.suppresses = true;
	command("exit 5");
	IS(0, BI_SYSTEM, "");
	assert_int_equal(m.nsuppressed, 1);
	assert_string_equal(m.said, "#system exit 5");
	command("cat >/dev/null");
	IS(1, BI_POPEN, "ns", 0., "w");
	assert_int_equal(m.nsuppressed, 1);
	IS(2, BI_WRITE, "ns", 0., "hi");
	IS(0, BI_PCLOSE, "n", 0.);
	m.suppresses = false;

	IS(1, BI_PID, "s", "init");
	IS(0, BI_PID, "s", "none");
	IS(NUM_NIL, BI_PID, "s", NULL);
}

static bool
object_lines(const void *o, struct str set, const struct str **line, size_t *n)
{
	static const struct str lines[] = { { "alpha 10.0.0.1  main", 20 },
	    { "beta\t10.0.0.2", 13 }, { "last", 4 }, { "alpha again", 11 } };

	(void)o;
	*line = lines;
	*n = sizeof lines / sizeof lines[0];
	return str_eq(set, STR_LIT("hosts"));
}

static struct str
object_nearest(const void *o, struct str set)
{
	(void)o;
	return str_starts(set, "h") ? STR_LIT("hosts") : STR_NIL;
}

static void
test_world(void **state)
{
	static const enum builtin_id named[] = { BI_ENV, BI_HOME, BI_RESOLVE };
	static const enum builtin_id number[] = { BI_UID, BI_GID, BI_LOGGEDIN };
	static const struct objects sets = { NULL, object_lines,
	    object_nearest };
	size_t i;

	(void)state;
	SAYS("answer", BI_HOSTNAME, "");
	SAYS(NULL, BI_DOMAIN, "");
	SAYS("answer", BI_OS, "");
	SAYS("answer", BI_USER, "");
	for (i = 0; i < 3; i++) {
		SAYS("answer", named[i], "s", "some");
		SAYS(NULL, named[i], "s", "none");
		SAYS(NULL, named[i], "s", NULL);
		BAD(named[i], "S", str_of("a\0b", 3));
		assert_true(run(named[i], "s", "fail").rs.n == 1);
		assert_int_equal(m.nfailed, 1);
		IS(0, number[i], "s", "some");
		IS(NUM_NIL, number[i], "s", "none");
		IS(-1, number[i], "s", "fail");
		assert_int_equal(m.nfailed, 1);
		BAD(number[i], "S", str_of("a\0b", 3));
	}
	BAD(BI_RESOLVE, "s", "");
	SAYS("root", BI_USERNAME, "n", 0.);
	SAYS(NULL, BI_USERNAME, "n", 77.);
	BAD(BI_USERNAME, "n", -1.);
	BAD(BI_GROUPNAME, "n", 1.5);
	BAD(BI_GROUPNAME, "n", 4294967295.);

	BAD(BI_INOBJECT, "ss", "hosts", "a");	/* there are no sets */
	m.facts.objects = &sets;
	IS(1, BI_INOBJECT, "ss", "hosts", "alpha");
	IS(1, BI_INOBJECT, "ss", "hosts", "last");
	IS(1, BI_INOBJECT, "ss", "hosts", "alpha 10.0.0.1  main");
	IS(0, BI_INOBJECT, "ss", "hosts", "alph");
	IS(0, BI_INOBJECT, "ss", "hosts", "");
	IS(NUM_NIL, BI_INOBJECT, "ss", "hosts", NULL);
	BAD(BI_INOBJECT, "ss", "users", "a");
	BAD(BI_INOBJECT, "ss", "host", "a");
	assert_string_equal(m.said, "there is no object set \"host\"; "
	    "is \"hosts\" meant?");
	SAYS("10.0.0.1  main", BI_LOOKUP, "ss", "hosts", "alpha");
	SAYS("10.0.0.2", BI_LOOKUP, "ss", "hosts", "beta");
	SAYS("", BI_LOOKUP, "ss", "hosts", "last");
	SAYS(NULL, BI_LOOKUP, "ss", "hosts", "gamma");
	BAD(BI_LOOKUP, "ss", "users", "a");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(test_parts), T(test_values), T(test_spans),
		T(test_files), T(test_names), T(test_handles),
		T(test_processes), T(test_world),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("builtin_world", tests, NULL,
	    NULL);
}
