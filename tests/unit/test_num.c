/* num: what is shown, read and worked out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lang/base/num.h"

#define S(s)	STR_LIT(s)

#define assert_str(got, want) assert_str_(got, want, __LINE__)
static void
assert_str_(struct str got, const char *want, int line)
{
	if (!str_eq(got, str_c(want)))
		fail_msg("line %d: \"%.*s\", not \"%s\"", line, (int)got.n,
		    got.p, want);
}

static void
assert_text(double d, const char *want)
{
	char t[NUM_TEXT_MAX + 1];
	size_t n = num_text(d, t);

	assert_true(n <= NUM_TEXT_MAX);
	t[n] = '\0';
	assert_string_equal(t, want);
}

static void
num_shows(void **state)
{
	(void)state;
	assert_text(0, "0");
	assert_text(-0.0, "0");
	assert_text(-17, "-17");
	assert_text(NUM_EXACT, "9007199254740992");
	assert_text(-NUM_EXACT, "-9007199254740992");
	assert_text(9007199254740994.0, "9007199254740994");
	assert_text(1e16, "1e+16");
	assert_text(0.1, "0.1");
	assert_text(-0.25, "-0.25");
	assert_text(0.52, "0.52");
	assert_text(1.05, "1.05");
	assert_text(99.999999, "99.999999");
	assert_text(0.1 + 0.2, "0.30000000000000004");
	assert_text(1.0 / 3, "0.3333333333333333");
	assert_text(1e-5, "1e-05");
	assert_text(0.0001, "0.0001");
	assert_text(DBL_MAX, "1.7976931348623157e+308");
	assert_text(4.9406564584124654e-324, "4.94065645841247e-324");
	assert_text(NUM_NIL, "<<NIL>>");
	assert_text(NUM_ERR, "<<ERR>>");
}

static void
num_round_trips(void **state)
{
	static const double scale[] = { 1, 10, 100, 1e3, 1e4, 1e5, 1e7 };
	uint64_t r = UINT64_C(88172645463325252);
	char t[NUM_TEXT_MAX], want[40];
	double d, back;
	size_t n;
	int i, digits;

	(void)state;
	for (i = 0; i < 200000; i++) {
		r ^= r << 13;
		r ^= r >> 7;
		r ^= r << 17;
		d = num_of_bits(r);
		if (i % 2 == 0)
			d = (double)(r % 1000000000) / scale[i / 2 % 7];
		if (!num_fine(d))
			continue;
		n = num_text(d, t);
		back = num_parse(str_of(t, n), false);
		if (back != d)
			fail_msg("%.17g reads back as %.17g", d, back);
		if (num_is_int(d))
			continue;
		for (digits = 15; digits <= 17; digits++) {
			snprintf(want, sizeof want, "%.*g", digits, d);
			if (strtod(want, NULL) == d)
				break;
		}
		assert_str(str_of(t, n), want);
	}
}

static void
num_reads(void **state)
{
	static const struct {
		const char	*text;
		bool		 percent;
		double		 value;		/* -1e300: none */
	} row[] = {
		{ "0", false, 0 }, { "42", false, 42 }, { " +7\t", false, 7 },
		{ "-3.25", false, -3.25 }, { ".5", false, .5 },
		{ "5.", false, 5 }, { "1e3", false, 1000 },
		{ "1E-2", false, 0.01 }, { "007", false, 7 },
		{ "123456789012345", false, 123456789012345 },
		{ "9007199254740993", false, 9007199254740992.0 },
		{ "0.30000000000000004", false, 0.30000000000000004 },
		{ "1.7976931348623157e308", false, DBL_MAX },
		{ "2.2250738585072011e-308", false, 2.2250738585072011e-308 },
		{ "1e-400", false, 0 },
		{ "00000000000000000000000001", false, 1 },
		{ "0.00000000000000000000000000001", false, 1e-29 },
		{ "52%", true, 0.52 }, { "7%", true, 0.07 },
		{ "100%", true, 1 }, { "52", true, 52 },
		{ "", false, -1e300 }, { " ", false, -1e300 },
		{ ".", false, -1e300 }, { "-", false, -1e300 },
		{ "+-1", false, -1e300 }, { "1x", false, -1e300 },
		{ "0x10", false, -1e300 }, { "inf", false, -1e300 },
		{ "nan", false, -1e300 }, { "1e", false, -1e300 },
		{ "1 2", false, -1e300 }, { "1,5", false, -1e300 },
		{ "52%", false, -1e300 }, { "%", true, -1e300 },
		{ "5 %", true, -1e300 }, { "1e999", false, -1e300 },
		{ "1e99999999999999999999", false, -1e300 },
	};
	char big[2000];
	size_t i;
	double d;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		d = num_parse(str_c(row[i].text), row[i].percent);
		if (row[i].value == -1e300 ? !num_is_nil(d) :
		    d != row[i].value)
			fail_msg("\"%s\": %.17g", row[i].text, d);
	}
	assert_true(num_is_nil(num_parse(STR_NIL, false)));
	assert_true(num_is_nil(num_parse(S("1\0"), false)));
	/* A half-way case decided by a digit far behind. */
	snprintf(big, sizeof big, "9007199254740993.%01500d1", 0);
	assert_true(num_parse(str_c(big), false) == 9007199254740994.0);
	big[strlen(big) - 1] = '0';
	assert_true(num_parse(str_c(big), false) == 9007199254740992.0);
	/* A view ends where it says. */
	assert_true(num_parse(str_of("123456", 3), false) == 123);
}

static void
num_reads_sizes_and_durations(void **state)
{
	static const struct { const char *text; double v; } size[] = {
		{ "0", 0 }, { "512", 512 }, { "12K", 12288 }, { "12k", 12288 },
		{ "4.5M", 4718592 }, { "1G", 1073741824 }, { "2GiB", 2147483648 },
		{ "2 GB", 2147483648 }, { "1Ki", 1024 }, { "3T", 3298534883328 },
		{ "10B", 10 }, { " 1P ", 1125899906842624 },
		{ "", -1 }, { "K", -1 }, { "1X", -1 }, { "1KK", -1 },
		{ "1iB", -1 }, { "1e3", -1 }, { "1K2", -1 },
	};
	static const struct { const char *text; double v; } duration[] = {
		{ "0", 0 }, { "90", 90 }, { "90s", 90 }, { "5m", 300 },
		{ "2h", 7200 }, { "1d", 86400 }, { "1w", 604800 },
		{ "2h30m", 9000 }, { "1d 2h", 93600 }, { "1.5h", 5400 },
		{ "01:02:03", 3723 }, { "02:03", 123 }, { "1:02.5", 62.5 },
		{ "1-02:03:04", 93784 }, { "100:00", 6000 },
		{ "", -1 }, { "h", -1 }, { "30m2h", -1 }, { "2h2h", -1 },
		{ "1:60", -1 }, { "1:2:3:4", -1 }, { ":1", -1 }, { "1:", -1 },
		{ "5x", -1 }, { "5m3", -1 }, { "-01:02", -1 }, { "1-2", -1 },
		{ "1.5:00", -1 },
	};
	size_t i;
	double d;

	(void)state;
	for (i = 0; i < sizeof size / sizeof *size; i++) {
		d = num_parse_size(str_c(size[i].text));
		if (size[i].v < 0 ? !num_is_nil(d) : d != size[i].v)
			fail_msg("size \"%s\": %.17g", size[i].text, d);
	}
	for (i = 0; i < sizeof duration / sizeof *duration; i++) {
		d = num_parse_duration(str_c(duration[i].text));
		if (duration[i].v < 0 ? !num_is_nil(d) : d != duration[i].v)
			fail_msg("duration \"%s\": %.17g", duration[i].text, d);
	}
}

static void
num_operates(void **state)
{
	static const struct {
		enum num_op	 op;
		double		 a, b, want;
		enum num_fault	 fault;
	} row[] = {
		{ NUM_ADD, 1, 2, 3, NUM_FINE },
		{ NUM_SUB, 1, 2, -1, NUM_FINE },
		{ NUM_MUL, 3, .5, 1.5, NUM_FINE },
		{ NUM_DIV, 1, 4, .25, NUM_FINE },
		{ NUM_MOD, -7, 3, -1, NUM_FINE },
		{ NUM_MOD, 7.5, -2, 1.5, NUM_FINE },
		{ NUM_POW, 2, 10, 1024, NUM_FINE },
		{ NUM_POW, 0, 0, 1, NUM_FINE },
		{ NUM_BAND, 12, 10, 8, NUM_FINE },
		{ NUM_BOR, 12, 10, 14, NUM_FINE },
		{ NUM_BXOR, 12, 10, 6, NUM_FINE },
		{ NUM_BAND, -1, 255, 255, NUM_FINE },
		{ NUM_SHL, 1, 52, 4503599627370496, NUM_FINE },
		{ NUM_SHR, 1024, 3, 128, NUM_FINE },
		{ NUM_SHR, -5, 1, -3, NUM_FINE },
		{ NUM_NEG, 5, 0, -5, NUM_FINE },
		{ NUM_BNOT, 5, 0, -6, NUM_FINE },
		{ NUM_NOT, 5, 0, 0, NUM_FINE },
		{ NUM_NOT, 0, 0, 1, NUM_FINE },
	};
	static const struct {
		enum num_op	 op;
		double		 a, b;
		bool		 nil;
		enum num_fault	 fault;
	} bad[] = {
		{ NUM_DIV, 1, 0, true, NUM_DIV_ZERO },
		{ NUM_MOD, 1, 0, true, NUM_DIV_ZERO },
		{ NUM_POW, 0, -1, true, NUM_DIV_ZERO },
		{ NUM_POW, -8, .5, false, NUM_DOMAIN },
		{ NUM_POW, 10, 400, false, NUM_OVERFLOW },
		{ NUM_MUL, 1e200, 1e200, false, NUM_OVERFLOW },
		{ NUM_ADD, DBL_MAX, DBL_MAX, false, NUM_OVERFLOW },
		{ NUM_BAND, 1.5, 1, false, NUM_NOT_INT },
		{ NUM_BOR, 1, 1e17, false, NUM_NOT_INT },
		{ NUM_SHL, 1, 53, false, NUM_BAD_SHIFT },
		{ NUM_SHR, 1, -1, false, NUM_BAD_SHIFT },
		{ NUM_SHL, 4, 52, false, NUM_OVERFLOW },
		{ NUM_BOR, NUM_EXACT, 1, false, NUM_OVERFLOW },
		{ NUM_BNOT, NUM_EXACT, 0, false, NUM_OVERFLOW },
	};
	enum num_fault f;
	size_t i;
	int op;
	double d;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		d = num_op(row[i].op, row[i].a, row[i].b, &f);
		if (d != row[i].want || f != row[i].fault)
			fail_msg("row %zu: %g, fault %d", i, d, (int)f);
	}
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		d = num_op(bad[i].op, bad[i].a, bad[i].b, &f);
		if ((bad[i].nil ? !num_is_nil(d) : !num_is_err(d)) ||
		    f != bad[i].fault)
			fail_msg("bad row %zu: %g, fault %d", i, d, (int)f);
		assert_non_null(num_fault_text(f));
	}
	for (op = NUM_ADD; op <= NUM_BNOT; op++) {
		d = num_op((enum num_op)op, NUM_NIL, 1, &f);
		assert_true(num_is_nil(d) && f == NUM_FINE);
		d = num_op((enum num_op)op, NUM_ERR, NUM_NIL, &f);
		assert_true(num_is_err(d) && f == NUM_FINE);
		if (op == NUM_NEG || op == NUM_BNOT)
			continue;	/* b does not count */
		d = num_op((enum num_op)op, 1, NUM_NIL, &f);
		assert_true(num_is_nil(d) && f == NUM_FINE);
		d = num_op((enum num_op)op, NUM_NIL, NUM_ERR, &f);
		assert_true(num_is_err(d) && f == NUM_FINE);
	}
	assert_true(num_op(NUM_NEG, 1, NUM_ERR, &f) == -1);
	assert_true(num_op(NUM_NOT, NUM_NIL, 0, &f) == 1);
	assert_true(num_op(NUM_NOT, NUM_ERR, 0, &f) == 1);
	assert_false(num_true(NUM_NIL) || num_true(NUM_ERR) || num_true(0));
	assert_true(num_true(-1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(num_shows),
		cmocka_unit_test(num_round_trips),
		cmocka_unit_test(num_reads),
		cmocka_unit_test(num_reads_sizes_and_durations),
		cmocka_unit_test(num_operates),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("num", tests, NULL, NULL);
}
