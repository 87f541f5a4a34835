/* stamp: the time stamps of log lines. */
#include "effect.h"

#include <math.h>
#include <time.h>

#include "engine/sim/stamp.h"

static struct stamp s;

static void
zone(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

static void
reads(const char *line, double t)
{
	double got = -1;

	if (!stamp_read(&s, str_c(line), &got))
		fail_msg("no stamp in: %s", line);
	if (fabs(got - t) > 1e-6)
		fail_msg("%s: %.6f, not %.6f", line, got, t);
}

static void
has_none(const char *line)
{
	double got;

	if (stamp_read(&s, str_c(line), &got))
		fail_msg("a stamp in: %s", line);
}

static void
test_kinds(void **state)
{
	(void)state;
	zone("UTC");
	stamp_init(&s, STAMP_SYSLOG, NULL, 2000);
	reads("Apr 25 05:17:02 moscow imapd[17]: x", 956639822);
	reads("Apr 25 05:17:03 moscow imapd[17]: x", 956639823);
	reads("<34>Apr 25 05:17:04 x", 956639824);
	reads("May  1 00:00:00 x", 957139200);
	has_none("Apr 25 05:17 x");
	has_none("Apr 25 25:17:02 x");
	has_none("Foo 25 05:17:02 x");
	has_none("Apr 32 05:18:02 x");
	has_none("    last message repeated 3 times");
	has_none("");

	stamp_init(&s, STAMP_ISO, NULL, 0);
	reads("2000-04-25T05:17:02Z x", 956639822);
	reads("2000-04-25T07:17:02.250+02:00 x", 956639822.25);
	reads("2000-04-25T00:17:02-0500 x", 956639822);
	reads("2000-04-25 05:17:02,500 UTC x", 956639822.5);
	reads("2000/04/25 05:17:02 [error] x", 956639822);
	reads("2000-04-25 05:17:02", 956639822);
	reads("<165>1 2000-04-25T05:17:02.003Z mymachine su - x",
	    956639822.003);
	reads("[2000-04-25 05:17:02] x", 956639822);
	reads("2000-02-29T00:00:00Z", 951782400);
	has_none("2000-13-25T05:18:02Z");
	has_none("2001-02-29T00:00:00Z");
	has_none("2000-04-31 05:17:02");
	has_none("2000-04-25T05:1");
	has_none("2000-04-25X05:17:02");

	stamp_init(&s, STAMP_EPOCH, NULL, 0);
	reads("956639822 x", 956639822);
	reads("956639822.125 x", 956639822.125);
	reads("1700000000123 x", 1700000000.123);
	reads("1700000000123456 x", 1700000000.123456);
	reads("[1700000000] x", 1700000000);
	reads("type=SYSCALL msg=audit(1364481363.243:24287): x",
	    1364481363.243);
	has_none("12345 x");
	has_none("956639822x");
	has_none("x 956639822");

	stamp_init(&s, STAMP_COMMON, NULL, 0);
	reads("10.0.0.1 - - [25/Apr/2000:07:17:02 +0200] \"GET /\" 200 5",
	    956639822);
	reads("[x] [25/Apr/2000:05:17:03 +0000] x", 956639823);
	has_none("10.0.0.1 - - [25/Foo/2000:07:18:02 +0200]");
	has_none("10.0.0.1 - - [30/Feb/2000:07:18:02 +0200]");
	has_none("[");

	stamp_init(&s, STAMP_ASCTIME, NULL, 0);
	reads("[Tue Apr 25 05:17:02.5 2000] [error] x", 956639822.5);
	reads("Tue Apr 25 05:17:02 2000 x", 956639822);
	has_none("Tue Apr 25 05:17:02");
	has_none("Tue Apr 31 05:17:02 2000 x");
}

static void
test_given(void **state)
{
	(void)state;
	zone("UTC");
	assert_null(stamp_fault("%d.%m.%Y %H:%M:%S"));
	has(stamp_fault("%H:%M:%S"), "month and the day");
	has(stamp_fault("%Q"), "no format");
	stamp_init(&s, STAMP_GIVEN, "%d.%m.%Y %H:%M:%S", 0);
	assert_true(stamp_has_year(&s));
	reads("25.04.2000 05:17:02 x", 956639822);
	has_none("99.04.2000 05:17:02 x");
	stamp_init(&s, STAMP_GIVEN, "%d/%m %H:%M:%S", 2000);
	assert_false(stamp_has_year(&s));
	reads("25/04 05:17:02", 956639822);
	stamp_init(&s, STAMP_GIVEN, "%Y%m%d%H%M%S %z", 0);
	reads("20000425071702 +0200 x", 956639822);
	stamp_init(&s, STAMP_GIVEN, "%s", 0);
	reads("956639822", 956639822);
}

static void
test_years(void **state)
{
	(void)state;
	zone("UTC");
	stamp_init(&s, STAMP_SYSLOG, NULL, STAMP_YEAR);
	reads("Dec 31 23:59:59 x", 978307199);
	reads("Jan  1 00:00:01 x", 978307201);
	reads("Dec 31 23:59:58 late", 978307198);
	reads("Jan  1 00:00:02 x", 978307202);
	assert_int_equal(s.year, 2001);
	/* the file is of Jan 2 2010 */
	assert_int_equal(stamp_first_year(&s, 1262390400), 2009);
	/* a file of Dec 2010 that ends in January is of that January */
	assert_int_equal(stamp_first_year(&s, 1291248000), 2009);

	stamp_init(&s, STAMP_SYSLOG, NULL, STAMP_YEAR);
	reads("Dec 30 00:00:00 x", 978134400);
	assert_int_equal(stamp_first_year(&s, 1262390400), 2009);
	/* a clock that is a little behind */
	stamp_init(&s, STAMP_SYSLOG, NULL, STAMP_YEAR);
	reads("Jan  2 00:00:10 x", 946771210);
	assert_int_equal(stamp_first_year(&s, 1262390400), 2010);

	/* a day that only some years have */
	stamp_init(&s, STAMP_SYSLOG, NULL, STAMP_YEAR);
	reads("Feb 29 00:00:00 x", 951782400);
	has_none("Feb 30 00:00:00 x");
	reads("Mar  1 00:00:00 x", 951868800);
	assert_int_equal(stamp_first_year(&s, 1262390400), 2008);
	assert_false(stamp_has_year(&s));
}

/* Berlin, Mar 26 2000: 2:00 is 3:00; Oct 29 2000: 3:00 is 2:00 again. */
static void
test_summer(void **state)
{
	(void)state;
	zone("Europe/Berlin");
	stamp_init(&s, STAMP_SYSLOG, NULL, 2000);
	reads("Mar 26 01:59:59 x", 954032399);
	reads("Mar 26 03:00:00 x", 954032400);
	reads("Oct 29 02:30:00 x", 972779400);
	reads("Oct 29 02:59:59 x", 972781199);
	reads("Oct 29 02:00:00 x", 972781200);
	reads("Oct 29 02:30:00 x", 972783000);
	reads("Oct 29 02:59:59 x", 972784799);
	reads("Oct 29 03:00:00 x", 972784800);
	/* a line that comes a moment late is no hour late */
	stamp_init(&s, STAMP_SYSLOG, NULL, 2000);
	reads("Oct 29 02:30:00 x", 972779400);
	reads("Oct 29 02:29:50 x", 972779390);
	zone("UTC");
}

int
main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_given),
		cmocka_unit_test(test_years),
		cmocka_unit_test(test_summer),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}
