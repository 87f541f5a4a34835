/* cron: fields to bits, and what is said of wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lang/base/cron.h"

#define ALL(lo, hi)	(((UINT64_C(2) << (hi)) - 1) & ~((UINT64_C(1) << (lo)) - 1))
#define B(n)		(UINT64_C(1) << (n))

static const struct good {
	const char	*text;
	uint64_t	 min, hour, dom, month, dow;
	bool		 either;
	int		 drift;		/* -1: none */
} good[] = {
	{ "* * * * *", ALL(0, 59), ALL(0, 23), ALL(1, 31), ALL(1, 12),
	    ALL(0, 6), false, -1 },
	{ "0 0 1 1 0", B(0), B(0), B(1), B(1), B(0), true, -1 },
	{ "59 23 31 12 7", B(59), B(23), B(31), B(12), B(0), true, -1 },
	{ "  5\t4 * * *  ", B(5), B(4), ALL(1, 31), ALL(1, 12), ALL(0, 6),
	    false, -1 },
	/* the sample of PIKT's manual */
	{ "10,25,40,55 6-18 * * 1-5 5", B(10) | B(25) | B(40) | B(55),
	    ALL(6, 18), ALL(1, 31), ALL(1, 12), ALL(1, 5), false, 5 },
	{ "10 6-18 * * 0,6 5", B(10), ALL(6, 18), ALL(1, 31), ALL(1, 12),
	    B(0) | B(6), false, 5 },
	{ "10 0-5,19-23 * * * 5", B(10), ALL(0, 5) | ALL(19, 23), ALL(1, 31),
	    ALL(1, 12), ALL(0, 6), false, 5 },
	{ "30 7-23/4 * * 0-4 1", B(30), B(7) | B(11) | B(15) | B(19) | B(23),
	    ALL(1, 31), ALL(1, 12), ALL(0, 4), false, 1 },
	{ "*/20 */6 */10 */3 */2", B(0) | B(20) | B(40),
	    B(0) | B(6) | B(12) | B(18), B(1) | B(11) | B(21) | B(31),
	    B(1) | B(4) | B(7) | B(10), B(0) | B(2) | B(4) | B(6), false, -1 },
	{ "*/59 0 * * *", B(0) | B(59), B(0), ALL(1, 31), ALL(1, 12),
	    ALL(0, 6), false, -1 },
	/* names */
	{ "0 0 * jan,MAR,December sun", B(0), B(0), ALL(1, 31),
	    B(1) | B(3) | B(12), B(0), false, -1 },
	{ "0 0 * may-Jul monday-FRI", B(0), B(0), ALL(1, 31), ALL(5, 7),
	    ALL(1, 5), false, -1 },
	{ "0 0 * * fri-sun", B(0), B(0), ALL(1, 31), ALL(1, 12),
	    B(5) | B(6) | B(0), false, -1 },
	{ "0 0 * * 5-7", B(0), B(0), ALL(1, 31), ALL(1, 12),
	    B(5) | B(6) | B(0), false, -1 },
	{ "0 0 * * sun-sat", B(0), B(0), ALL(1, 31), ALL(1, 12), ALL(0, 6),
	    false, -1 },
	{ "0 0 * * 0-7", B(0), B(0), ALL(1, 31), ALL(1, 12), ALL(0, 6),
	    false, -1 },
	{ "0 0 * * 1-7/2", B(0), B(0), ALL(1, 31), ALL(1, 12),
	    B(1) | B(3) | B(5) | B(0), false, -1 },
	/* either day, if neither begins with a star */
	{ "0 0 13 * fri", B(0), B(0), B(13), ALL(1, 12), B(5), true, -1 },
	{ "0 0 */2 * fri", B(0), B(0), 0xaaaaaaaa, ALL(1, 12), B(5), false,
	    -1 },
	{ "0 0 13 * *,5", B(0), B(0), B(13), ALL(1, 12), ALL(0, 6), false,
	    -1 },
	/* nicknames */
	{ "@hourly", B(0), ALL(0, 23), ALL(1, 31), ALL(1, 12), ALL(0, 6),
	    false, -1 },
	{ " @daily 30 ", B(0), B(0), ALL(1, 31), ALL(1, 12), ALL(0, 6), false,
	    30 },
	{ "@midnight", B(0), B(0), ALL(1, 31), ALL(1, 12), ALL(0, 6), false,
	    -1 },
	{ "@weekly", B(0), B(0), ALL(1, 31), ALL(1, 12), B(0), false, -1 },
	{ "@monthly", B(0), B(0), B(1), ALL(1, 12), ALL(0, 6), false, -1 },
	{ "@yearly", B(0), B(0), B(1), B(1), ALL(0, 6), false, -1 },
	{ "@annually 1440", B(0), B(0), B(1), B(1), ALL(0, 6), false, 1440 },
	{ "007 08 09 * * 0", B(7), B(8), B(9), ALL(1, 12), ALL(0, 6), false,
	    0 },
};

static void
reads(void **state)
{
	struct cron_fault f;
	struct cron c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof good / sizeof *good; i++) {
		const struct good *g = &good[i];

		if (!cron_parse(str_c(g->text), &c, &f))
			fail_msg("%s: %s: %s", g->text, f.field == NULL ?
			    "" : f.field, f.text);
		if (c.min != g->min || c.hour != g->hour || c.dom != g->dom ||
		    c.month != g->month || c.dow != g->dow ||
		    c.either_day != g->either || c.has_drift !=
		    (g->drift >= 0) || (g->drift >= 0 && c.drift !=
		    (unsigned)g->drift))
			fail_msg("%s: %llx %x %x %x %x %d drift %u", g->text,
			    (unsigned long long)c.min, c.hour, c.dom, c.month,
			    c.dow, c.either_day, c.drift);
	}
}

static const struct bad {
	const char	*text;
	const char	*field;
	size_t		 at, len;
	const char	*what;
} bad[] = {
	{ "", NULL, 0, 0, "minute has no value: five fields are needed, "
	    "here are 0" },
	{ "  ", NULL, 2, 0, "minute has no value: five fields are needed, "
	    "here are 0" },
	{ "5", NULL, 1, 0, "hour has no value: five fields are needed, here "
	    "is 1" },
	{ "0 0 * * ", NULL, 7, 0, "day of week has no value: five fields are "
	    "needed, here are 4" },
	{ "60 * * * *", "minute", 0, 2, "60 is not from 0 to 59" },
	{ "0 24 * * *", "hour", 2, 2, "24 is not from 0 to 23" },
	{ "0 0 0 * *", "day of month", 4, 1, "0 is not from 1 to 31" },
	{ "0 0 32 * *", "day of month", 4, 2, "32 is not from 1 to 31" },
	{ "0 0 * 13 *", "month", 6, 2, "13 is not from 1 to 12" },
	{ "0 0 * * 8", "day of week", 8, 1, "8 is not from 0 to 7" },
	{ "99999999999 * * * *", "minute", 0, 11,
	    "99999999999 is not from 0 to 59" },
	{ "x * * * *", "minute", 0, 1, "x is no number" },
	{ "mon * * * *", "minute", 0, 3, "mon is no number" },
	{ "0 0 * foo *", "month", 6, 3, "foo is neither a number nor a name" },
	{ "0 0 * * mo", "day of week", 8, 2,
	    "mo is neither a number nor a name" },
	{ "0 0 * * jan", "day of week", 8, 3,
	    "jan is neither a number nor a name" },
	{ "0 0 * * monx", "day of week", 8, 4,
	    "monx is neither a number nor a name" },
	{ "-5 * * * *", "minute", 0, 2, "-5 is no number" },
	{ "5- * * * *", "minute", 2, 0, "a value is missing" },
	{ "5,,6 * * * *", "minute", 2, 0, "a value is missing" },
	{ "5, * * * *", "minute", 2, 0, "a value is missing" },
	{ ",5 * * * *", "minute", 0, 0, "a value is missing" },
	{ "0 22-6 * * *", "hour", 2, 4, "22-6 ends before it begins" },
	{ "0 0 * * fri-mon", "day of week", 8, 7,
	    "fri-mon ends before it begins" },
	{ "5/10 * * * *", "minute", 0, 4,
	    "5/10 has a step but no range: write N-M/STEP" },
	{ "*/ * * * *", "minute", 2, 0, "a step is missing" },
	{ "*/0 * * * *", "minute", 2, 1, "0 is no step" },
	{ "*/x * * * *", "minute", 2, 1, "x is no step" },
	{ "*/-2 * * * *", "minute", 2, 2, "-2 is no step" },
	{ "*/60 * * * *", "minute", 2, 2, "60 is a step beyond the range" },
	{ "1-5-9 * * * *", "minute", 0, 5, "1-5-9 is no part of a list" },
	{ "**** * * * *", "minute", 0, 4, "**** is no part of a list" },
	{ "5;6 * * * *", "minute", 0, 3, "5;6 is no part of a list" },
	{ "1,2,1-5/2/3,9 * * * *", "minute", 4, 7,
	    "1-5/2/3 is no part of a list" },
	{ "0 0 * * * 1441", NULL, 10, 4, "1441 is no drift: a sixth field is "
	    "minutes from 0 to 1440" },
	{ "0 0 * * * x", NULL, 10, 1, "x is no drift: a sixth field is "
	    "minutes from 0 to 1440" },
	{ "0 0 * * * 5m", NULL, 10, 2, "5m is no drift: a sixth field is "
	    "minutes from 0 to 1440" },
	{ "0 0 * * * 5 6", NULL, 12, 1, "6 is one field too many" },
	{ "@reboot", NULL, 0, 7, "@reboot is none of @hourly @daily @midnight "
	    "@weekly @monthly @yearly @annually" },
	{ "@daily x", NULL, 7, 1, "x is no drift: a sixth field is minutes "
	    "from 0 to 1440" },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "minute", 0, 42,
	    "aaaaaaaaaaaaaaaaaaaaaaaa... is no number" },
};

static void
refuses(void **state)
{
	struct cron_fault f;
	struct cron c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		const struct bad *b = &bad[i];

		if (cron_parse(str_c(b->text), &c, &f))
			fail_msg("%s: is taken", b->text);
		if (f.at != b->at || f.len != b->len ||
		    (f.field == NULL) != (b->field == NULL) ||
		    (f.field != NULL && strcmp(f.field, b->field) != 0) ||
		    strcmp(f.text, b->what) != 0)
			fail_msg("%s: %zu+%zu %s: %s", b->text, f.at, f.len,
			    f.field == NULL ? "-" : f.field, f.text);
	}
}

static void
knows_never(void **state)
{
	static const struct { const char *t; bool never; } row[] = {
		{ "0 0 31 2 *", true }, { "0 0 30-31 2 *", true },
		{ "0 0 31 4,6,9,11 *", true }, { "0 0 29 2 *", false },
		{ "0 0 31 2,3 *", false }, { "0 0 31 2 1", false },
		{ "* * * * *", false }
	};
	struct cron_fault f;
	struct cron c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		assert_true(cron_parse(str_c(row[i].t), &c, &f));
		if (cron_is_never(&c) != row[i].never)
			fail_msg("%s", row[i].t);
	}
}

/* No bytes make it read or write where it must not (under the sanitizers). */
static void
survives(void **state)
{
	static const char set[] = "0123456789*,-/ \t@abjnrdsu\xff";
	uint64_t r = UINT64_C(88172645463325252);
	struct cron_fault f;
	struct cron c;
	char t[64];
	size_t n, k;
	int i;

	(void)state;
	for (i = 0; i < 200000; i++) {
		for (n = 0; n < sizeof t; n++) {
			r ^= r << 13;
			r ^= r >> 7;
			r ^= r << 17;
			t[n] = set[r % (sizeof set - 1)];
		}
		k = (size_t)(r >> 32) % sizeof t;
		if (!cron_parse(str_of(t, k), &c, &f)) {
			assert_true(f.at <= k && f.len <= k - f.at);
			assert_true(strlen(f.text) < sizeof f.text);
		} else
			assert_true(c.min != 0 && c.hour != 0 && c.dom != 0 &&
			    c.month != 0 && c.dow != 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(refuses),
		cmocka_unit_test(knows_never),
		cmocka_unit_test(survives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
